#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""programs.py - clients of real servers, for steer_programs.sh

    programs.py http ADDR PORT N [SOURCE...]   one request a connection
    programs.py redis ADDR PORT N              GET who, once a connection
    programs.py store ADDR PORT KEYS           memcached over UDP: set and get each key
    programs.py owned ADDR PORT KEYS           memcached over TCP: which of the keys are here
    programs.py hold ADDR PORT N               N connections to Redis that ask who in turn, until
                                               SIGTERM: each is always told the same

http and redis print "CLIENT:PORT ANSWER" for each connection; owned "KEY ADDR:PORT".
"""
import collections
import resource
import signal
import socket
import sys
import time


def text(addr, port):
    return "[%s]:%d" % (addr, port) if ":" in addr else "%s:%d" % (addr, port)


def connections(addr, port, count, request, sources):
    for i in range(count):
        source = (sources[i % len(sources)], 0) if sources else None
        with socket.create_connection((addr, port), 30, source) as s:
            s.sendall(request)
            s.settimeout(30)
            yield text(*s.getsockname()[:2]), s.makefile("rb")


def http(addr, port, count, *sources):
    request = b"GET /who HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    for name, answer in connections(addr, port, int(count), request, sources):
        head, _, body = answer.read().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        print(name, body.decode().strip())


def redis(addr, port, count):
    request = b"*2\r\n$3\r\nGET\r\n$3\r\nwho\r\n"
    for name, answer in connections(addr, port, int(count), request, ()):
        assert answer.readline().startswith(b"$")
        print(name, answer.readline().decode().strip())


def store(addr, port, path):
    s = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(30)
    number = 0

    def ask(words):
        nonlocal number
        number += 1
        frame = number.to_bytes(2, "big") + b"\0\0\0\1\0\0"
        s.sendto(frame + words, (addr, port))
        data, peer = s.recvfrom(65536)
        assert peer[:2] == (addr, port), peer
        assert data[:2] == frame[:2], "an answer to another request"
        return data[8:]

    for key in open(path, "rb").read().split():
        assert ask(b"set %s 0 0 %d\r\n%s\r\n" % (key, len(key), key)) == b"STORED\r\n"
        assert ask(b"get %s\r\n" % key) == \
            b"VALUE %s 0 %d\r\n%s\r\nEND\r\n" % (key, len(key), key)


def owned(addr, port, path):
    with socket.create_connection((addr, port), 30) as s:
        for key in open(path, "rb").read().split():
            s.sendall(b"get %s\r\n" % key)
            answer = b""
            while not answer.endswith(b"END\r\n"):
                answer += s.recv(4096)
            if answer.startswith(b"VALUE"):
                print(key.decode(), text(addr, port))


def hold(addr, port, count):
    over = []
    signal.signal(signal.SIGTERM, lambda *_: over.append(1))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def ask(s):
        s.sendall(b"*2\r\n$3\r\nGET\r\n$3\r\nwho\r\n")
        answer = b""
        while answer.count(b"\r\n") < 2:
            more = s.recv(100)
            if not more:
                sys.exit("a connection has ended")
            answer += more
        return answer.split(b"\r\n")[1].decode()

    held = []
    for _ in range(int(count)):
        s = socket.create_connection((addr, port), 30)
        s.settimeout(30)
        held.append((s, ask(s)))
    by = collections.Counter(who for s, who in held)
    print("held", dict(sorted(by.items())), flush=True)
    asked = 0

    def look(s, who):
        nonlocal asked
        now = ask(s)
        if now != who:
            sys.exit("one was with %s, and is with %s" % (who, now))
        asked += 1

    while not over:
        for s, who in held:
            if over:
                break
            time.sleep(0.02)  # others have the processors, too
            look(s, who)
    # Once more each, when all that was to happen has.
    for s, who in held:
        look(s, who)
    print("asked", asked, "times")


what, where, at, *rest = sys.argv[1:]
{"http": http, "redis": redis, "store": store, "owned": owned, "hold": hold}[what](where, int(at), *rest)
