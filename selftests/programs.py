#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""programs.py - clients of real servers, for steer_programs.sh

    programs.py http ADDR PORT N [SOURCE...]   one request a connection
    programs.py redis ADDR PORT N              GET who, once a connection
    programs.py store ADDR PORT KEYS           memcached over UDP: set and get each key
    programs.py owned ADDR PORT KEYS           memcached over TCP: which of the keys are here

http and redis print "CLIENT:PORT ANSWER" for each connection; owned "KEY ADDR:PORT".
"""
import socket
import sys


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


what, where, at, *rest = sys.argv[1:]
{"http": http, "redis": redis, "store": store, "owned": owned}[what](where, int(at), *rest)
