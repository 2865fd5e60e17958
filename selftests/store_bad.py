#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Clients that do what they should not, at a store: store_bad.py --port P [--maxclients N].

Prints TAP. The same bytes that a real Redis refuses must be refused in its words; where they
say 16 MB and more, the store's limit (request-limit = 1024) is asked for.
"""
import argparse
import socket
import sys
import time

MB = 1 << 20
count = failed = 0


def result(ok, name, *why):
    global count, failed
    count += 1
    failed += not ok
    print(f"{'' if ok else 'not '}ok {count} - {name}")
    for w in why if not ok else ():
        print(f"# {w!r:.300}")
    sys.stdout.flush()


def connect(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=20)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def read_all(s):
    data = b""
    try:
        while True:
            more = s.recv(65536)
            if not more:
                return data
            data += more
    except ConnectionResetError:
        return data


def talk(port, data, pieces=False):
    """Send, close our half, read to the end."""
    s = connect(port)
    try:
        if pieces:
            for i in range(len(data)):
                s.sendall(data[i:i + 1])
        else:
            s.sendall(data)
        s.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError, OSError):
        pass
    got = read_all(s)
    s.close()
    return got


def protocol(port):
    error = b"-ERR Protocol error: "
    for name, data, wanted in (
        ("an inline command", b"PING\r\n", b"+PONG\r\n"),
        ("inline, with quotes", b"ECHO \"a\\x41\\n b\"\r\n", b"$5\r\naA\n b\r\n"),
        ("inline, single quotes", b"ECHO 'it\\'s'\n", b"$4\r\nit's\r\n"),
        ("an empty line", b"\r\n\r\nPING\r\n", b"+PONG\r\n"),
        ("quotes that do not close", b"ECHO \"a\r\n", error + b"unbalanced quotes in request\r\n"),
        ("an empty array", b"*0\r\n*-1\r\nPING\r\n", b"+PONG\r\n"),
        ("not a bulk", b"*1\r\n+PING\r\n", error + b"expected '$', got '+'\r\n"),
        ("no number of arguments", b"*x\r\n", error + b"invalid multibulk length\r\n"),
        ("too many arguments", b"*1048577\r\n", error + b"invalid multibulk length\r\n"),
        ("no length", b"*1\r\n$x\r\n", error + b"invalid bulk length\r\n"),
        ("a negative length", b"*1\r\n$-1\r\n", error + b"invalid bulk length\r\n"),
        ("too long a bulk", b"*2\r\n$3\r\nGET\r\n$1048577\r\n", error + b"invalid bulk length\r\n"),
        ("a length that overflows", b"*1\r\n$99999999999999999999\r\n",
         error + b"invalid bulk length\r\n"),
        ("a line without end", b"x" * 70000, error + b"too big inline request\r\n"),
        ("a header without end", b"*" + b"1" * 70000, error + b"too big mbulk count string\r\n"),
        ("a bulk's header without end", b"*1\r\n$" + b"1" * 70000,
         error + b"too big bulk count string\r\n"),
        ("too large a request", b"*9\r\n$4\r\nMGET\r\n" + b"$600000\r\n" + b"k" * 600000 +
         b"\r\n$600000\r\n", error + b"request too large\r\n"),
        ("what follows an error is not read", b"PING\r\n*1\r\n+\r\nPING\r\n",
         b"+PONG\r\n" + error + b"expected '$', got '+'\r\n"),
        ("what follows QUIT is not answered", b"QUIT\r\nPING\r\n", b"+OK\r\n"),
        ("half a request", b"PING\r\n*2\r\n$3\r\nGET", b"+PONG\r\n"),
    ):
        got = talk(port, data)
        result(got == wanted, name, got, wanted)
    got = talk(port, b"*3\r\n$3\r\nSET\r\n$3\r\nbad\r\n$2\r\n\r\n\r\nGET bad\r\n", pieces=True)
    result(got == b"+OK\r\n$2\r\n\r\n\r\n", "a byte at a time, and a half-closed end", got)


def garbage(port):
    import random
    rnd = random.Random(1)
    for _ in range(60):
        talk(port, bytes(rnd.randrange(256) for _ in range(rnd.randrange(2000))))
    for _ in range(60):
        talk(port, b"".join(rnd.choice([b"*2\r\n", b"$3\r\n", b"GET\r\n", b"\r\n", b"$0\r\n", b"*",
                                        b"MULTI\r\n", b"\0", b"$1\r\nx\r\n", b"*1\r\n$5\r\nRESET\r\n"])
                            for _ in range(30)))
    result(talk(port, b"PING\r\n") == b"+PONG\r\n", "garbage is survived")


def bulk(*args):
    return b"*%d\r\n" % len(args) + b"".join(b"$%d\r\n%s\r\n" % (len(a), a) for a in args)


def sizes(port):
    got = talk(port, bulk(b"SET", b"k" * 2000, b"v") + bulk(b"GET", b"k" * 2000) +
               bulk(b"GET", b"k" * 1999))
    result(got == b"+OK\r\n$1\r\nv\r\n$-1\r\n", "a key longer than LMDB's", got)
    got = talk(port, b"MULTI\r\n" + bulk(b"SET", b"a", b"x" * 900000) * 5 + b"EXEC\r\nGET a\r\n")
    result(b"-ERR transaction too large\r\n-EXECABORT" in got and got.endswith(b"$-1\r\n"),
           "a transaction that is too large: nothing of it happens", got)
    got = talk(port, b"MULTI\r\n" + b"SETRANGE wide 4194303 x\r\n" * 33 + b"EXEC\r\nEXISTS wide\r\n")
    result(b"-EXECABORT" in got and got.endswith(b" bytes\r\n:0\r\n"),
           "a few bytes that stand for many: nothing of it happens", got[-200:])
    n = 3000
    got = talk(port, b"".join(bulk(b"SET", b"p%d" % i, b"v") for i in range(n)) + b"QUIT\r\n")
    result(got == b"+OK\r\n" * (n + 1), "a pipeline of %d writes" % n, len(got))
    got = talk(port, b"".join(bulk(b"GET", b"p%d" % i) + bulk(b"INCR", b"c") for i in range(30)))
    result(got == b"".join(b"$1\r\nv\r\n:%d\r\n" % (i + 1) for i in range(30)),
           "reads and writes in turns, in one pipeline", got)


def idle(port):
    """Each has sent and got much once, together more than client-memory (16 MiB)."""
    big = bulk(b"ECHO", b"x" * 900000)
    held = []
    for _ in range(30):
        s = connect(port)
        s.sendall(big)
        left = len(b"$900000\r\n\r\n") + 900000
        while left > 0:
            got = s.recv(min(left, MB))
            left -= len(got) or left
        held.append(s)
    there = 0
    for s in held:
        try:
            s.sendall(b"PING\r\n")
            there += s.recv(100) == b"+PONG\r\n"
        except (BrokenPipeError, ConnectionResetError):
            pass
        s.close()
    result(there == len(held), "who holds nothing any more is not cut off", there)


def slow(port):
    """Asks for much and takes nothing: is cut off or held back, and nobody else suffers."""
    talk(port, bulk(b"SETRANGE", b"big", b"1000000", b"x"))
    s = connect(port)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(2)
    sent = 0
    ask = bulk(b"GET", b"big") * 1000
    try:
        while sent < 200 * len(ask):
            sent += s.send(ask)
    except (socket.timeout, BrokenPipeError, ConnectionResetError):
        pass
    result(sent < 200 * len(ask), "who takes no answers is not read from for ever", sent)
    start = time.monotonic()
    ok = talk(port, b"PING\r\nGET p1\r\n") == b"+PONG\r\n$1\r\nv\r\n"
    result(ok and time.monotonic() - start < 5, "and others are served meanwhile")
    info = talk(port, b"INFO clients\r\n")
    held = int(info.split(b"mem_clients_normal:")[1].split(b"\r\n")[0])
    result(held < 80 * MB, "in bounded memory", held)
    s.close()


def hogs(port):
    """Each holds a request that is not whole: together more than client-memory (16 MiB)."""
    held = [connect(port) for _ in range(25)]
    for s in held:
        try:
            s.sendall(b"*2\r\n$3\r\nGET\r\n$1000000\r\n" + b"x" * 900000)
        except (BrokenPipeError, ConnectionResetError):
            pass
    cut = memory = 0
    end = time.monotonic() + 20
    while not cut and time.monotonic() < end:
        info = talk(port, b"INFO\r\n")
        memory = int(info.split(b"mem_clients_normal:")[1].split(b"\r\n")[0])
        cut = int(info.split(b"evicted_clients:")[1].split(b"\r\n")[0])
    result(cut > 0 and memory <= 17 * MB, "who holds most memory is cut off", cut, memory)
    for s in held:
        s.close()


def many(port, most):
    held = []
    refused = 0
    for _ in range(most + 5):
        s = connect(port)
        s.sendall(b"PING\r\n")
        try:
            got = s.recv(100)
        except ConnectionResetError:
            got = b""
        if got == b"+PONG\r\n":
            held.append(s)
        else:
            refused += got in (b"-ERR max number of clients reached\r\n", b"")
    result(len(held) == most and refused == 5, "too many clients", len(held), refused)
    member = talk(port, b"PAXSTEER BARRIER\r\n")
    result(member[:1] == b":", "they do not keep members out", member)
    for s in held:
        s.close()
    end = time.monotonic() + 10
    while time.monotonic() < end and talk(port, b"PING\r\n") != b"+PONG\r\n":
        time.sleep(0.05)
    result(talk(port, b"PING\r\n") == b"+PONG\r\n", "and when they have gone, it answers")


def browser(port):
    """What a web page can have a browser send."""
    got = talk(port, b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET page 1\r\n")
    left = talk(port, b"EXISTS page\r\n")
    result((got, left) == (b"", b":0\r\n"), "HTTP is cut off", got, left)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--port", type=int, required=True)
    p.add_argument("--maxclients", type=int, required=True)
    args = p.parse_args()
    protocol(args.port)
    garbage(args.port)
    sizes(args.port)
    idle(args.port)
    slow(args.port)
    hogs(args.port)
    many(args.port, args.maxclients)
    browser(args.port)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
