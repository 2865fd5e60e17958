#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Clients of a store that record what they did, as a history for selftests/lin.

store_load.py --ports P,P,P --seconds S --history FILE [--clients N] [--keys K] [--prefix P]
              [--stop FILE] [--until FILE] [--pause S]
store_load.py --entries SOCKET --member N --history FILE [--prefix P] [--first SLOT]

Clients write and read a few registers: strong ones at the leader, which they look for; those of
a session at any node, carrying their token; eventual and bounded ones at one node each. Every
value is written once. In the end all registers are read once more, strongly. Prints how much was
done. A password is taken from where redis-cli does: REDISCLI_AUTH.

The second form adds what a member holds in its log, by the daemon's client port, as entries of
the history: so it is known what became of a write that nobody answered.
"""
import argparse
import os
import random
import socket
import struct
import sys
import threading
import time

from store_node import Refused, Unknown, Way, goes_on

BOUND_MS = 200
BOUNDED = f"bounded {BOUND_MS}"


class Client(threading.Thread):
    def __init__(self, load, number, level):
        super().__init__(daemon=True)
        self.load = load
        self.number = number
        self.level = level
        # Some only read: who waits for a write sees nothing meanwhile.
        self.writer = number % 2 == 0
        self.rnd = random.Random(number)
        self.way = Way(load.ports, number)
        self.token = 0
        self.lines = []
        self.done = 0
        self.refused = 0
        self.writes = 0

    def connect(self):
        if self.way.node:
            return
        if self.level == "session":
            self.way.call(["PAXSTEER", "TOKEN", str(self.token)])
        else:
            self.way.call(["PAXSTEER", "CONSISTENCY"] + self.level.split())

    def leave(self, error=None):
        self.way.leave(error, stay=self.level not in ("strong", "session"))

    def record(self, start, end, kind, key, argument, result, slot, level=None):
        self.lines.append(f"{self.number} {start} {end} {kind} g/{key} {argument} {result} "
                          f"{slot}" + (f" {level}" if level and level != "strong" else ""))

    def write(self, key):
        self.writes += 1
        value = f"{self.number}.{self.writes}"
        start = time.monotonic_ns()
        try:
            _, slot = self.way.call(["SET", key, value], ["PAXSTEER", "TOKEN"])
        except Refused:
            self.record(start, time.monotonic_ns(), "write", key, value, "no", "-")
            raise
        except (OSError, Unknown):
            self.record(start, "?", "write", key, value, "?", "-")
            raise
        self.token = max(self.token, int(slot))
        self.record(start, time.monotonic_ns(), "write", key, value, "ok", slot)

    def read(self, key):
        start = time.monotonic_ns()
        value, slot = self.way.call(["GET", key], ["PAXSTEER", "TOKEN"])
        self.token = max(self.token, int(slot))
        self.record(start, time.monotonic_ns(), "read", key, "-", value or "-", slot,
                    f"recent:{BOUND_MS * 1000000}" if self.level == BOUNDED else self.level)

    def step(self):
        key = f"{self.load.prefix}{self.rnd.randrange(self.load.keys)}"
        if self.level != "strong":
            time.sleep(0.001)   # reads here are so fast that nobody else would get on
        if self.load.pause:
            time.sleep(self.load.pause)
        try:
            self.connect()
            if self.level == "strong" and self.writer and self.rnd.random() < 0.5:
                self.write(key)
            else:
                self.read(key)
            self.done += 1
        except (OSError, Refused, Unknown) as e:
            self.refused += 1
            self.leave(e)
            time.sleep(0.02)
            return
        if self.level == "session" and self.rnd.random() < 0.05:
            self.leave()

    def run(self):
        while self.load.goes_on():
            self.step()


class Load:
    def __init__(self, args):
        self.ports = [int(p) for p in args.ports.split(",")]
        self.keys = args.keys
        self.stop = args.stop
        self.until = args.until
        self.pause = args.pause
        self.prefix = args.prefix
        self.end = time.monotonic() + args.seconds
        levels = ["strong", "strong", "session", "eventual", BOUNDED]
        self.clients = [Client(self, n, levels[n % len(levels)]) for n in range(args.clients)]

    def goes_on(self):
        return goes_on(self.end, self.until) and not (self.stop and os.path.exists(self.stop))

    def last_reads(self):
        c = Client(self, len(self.clients), "strong")
        end = time.monotonic() + 60
        for n in range(self.keys):
            while True:
                try:
                    c.connect()
                    c.read(f"{self.prefix}{n}")
                    break
                except (OSError, Refused, Unknown) as e:
                    c.leave(e)
                    time.sleep(0.05)
                    if time.monotonic() > end:
                        raise
        self.clients.append(c)


HEAD = struct.Struct("<IBBHIIQQQ")  # struct pxs_client_hdr
ENTRY = struct.Struct("<IBBHII4Q")  # struct pxs_store_entry_hdr
READ, VALUE, END = 2, 67, 68


def log_values(path, first):
    """All slots of group 1 from this one on, and what is in them."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.connect(path)
    s.sendall(HEAD.pack(0, READ, 0, 0, 1, 0, 1, first, 0))
    f = s.makefile("rb")
    while True:
        size, kind, _, _, _, _, _, slot, _ = HEAD.unpack(f.read(HEAD.size))
        body = f.read(size)
        if kind == END:
            return
        assert kind == VALUE, kind
        yield slot, body


def arguments(body):
    """Of an entry with one command; [] for any other."""
    if len(body) < ENTRY.size:
        return []
    magic, version, _, watches, commands = ENTRY.unpack_from(body)[:5]
    if (magic, version, watches, commands) != (0x45535850, 1, 0, 1):
        return []
    args = []
    pos = ENTRY.size + 4
    for _ in range(struct.unpack_from("<I", body, ENTRY.size)[0]):
        size, = struct.unpack_from("<I", body, pos)
        args.append(body[pos + 4:pos + 4 + size])
        pos += 4 + size
    return args


def add_entries(path, member, history, prefix, first):
    with open(history, "a", encoding="ascii") as f:
        for slot, body in log_values(path, first):
            args = arguments(body)
            if len(args) == 3 and args[0] == b"SET" and args[1][:1] == prefix.encode() and \
                    args[1][1:].isdigit():
                f.write(f"{member} - - entry g/{args[1].decode()} {args[2].decode()} - {slot}\n")
            else:
                f.write(f"{member} - - entry g/- - - {slot}\n")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("--ports")
    p.add_argument("--seconds", type=float)
    p.add_argument("--stop", metavar="FILE", help="end when it is there, however early")
    p.add_argument("--until", metavar="FILE", help="go on after --seconds until it is there")
    p.add_argument("--pause", type=float, default=0, help="seconds, before each operation")
    p.add_argument("--entries", metavar="SOCKET")
    p.add_argument("--member", type=int)
    p.add_argument("--first", type=int, default=1, help="what is below was told before")
    p.add_argument("--history", required=True)
    p.add_argument("--clients", type=int, default=10)
    p.add_argument("--keys", type=int, default=4)
    p.add_argument("--prefix", default="k", help="a letter: of the registers' names")
    args = p.parse_args()
    if args.entries:
        add_entries(args.entries, args.member, args.history, args.prefix, args.first)
        return 0
    load = Load(args)
    for c in load.clients:
        c.start()
    for c in load.clients:
        c.join()
    load.last_reads()
    with open(args.history, "w", encoding="ascii") as f:
        for c in load.clients:
            f.writelines(line + "\n" for line in c.lines)
    for level in ("strong", "session", "eventual", BOUNDED):
        of_it = [c for c in load.clients if c.level == level]
        print(f"{level}: {sum(c.done for c in of_it)} done, {sum(c.refused for c in of_it)} not")
    return 0


if __name__ == "__main__":
    sys.exit(main())
