#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
store_transfer.py - transfers between accounts of several groups, from several clients

    store_transfer.py --ports P1,P2,... --accounts N --seconds S [--clients C] [--stop FILE]

Each client takes something from one account and gives it to another, in one EXEC; every other one
looks at both accounts first and writes what is to be there then, if they are unchanged (WATCH). It
asks any node, which may have old values: these must not be the base of anything. A few read all
accounts with one MGET, which must have the same sum each time. Who is asked is learned from MOVED.
It ends when FILE is there, and after S seconds. A password is in REDISCLI_AUTH, as redis-cli has
it. TRYAGAIN and a lost connection are tried again, as a client has to. Says what it did in one
line: transfers, those with WATCH, reads, tries. Ends with 1 when a sum was wrong, or nothing was
done.
"""

import argparse
import os
import random
import re
import socket
import sys
import threading
import time

EACH = 1000


class Gone(Exception):
    """The connection was lost, or nobody is there."""


class Client:
    """One connection at a time; where it goes, the last answer says."""

    def __init__(self, ports):
        self.ports = ports
        self.port = ports[0]
        self.file = None
        self.sock = None

    def close(self):
        if self.sock:
            self.file.close()
            self.sock.close()
        self.sock = None

    def line(self):
        text = self.file.readline()
        if not text.endswith(b"\r\n"):
            raise Gone
        return text[:-2]

    def read(self):
        text = self.line()
        kind, rest = text[:1], text[1:]
        if kind in b"+-":
            return text.decode()
        if kind == b":":
            return int(rest)
        n = int(rest)
        if n < 0:
            return None
        if kind == b"*":
            return [self.read() for _ in range(n)]
        data = self.file.read(n + 2)
        if len(data) != n + 2:
            raise Gone
        return data[:-2].decode()

    def say(self, *commands):
        """Their answers."""
        try:
            if not self.sock:
                self.sock = socket.create_connection(("127.0.0.1", self.port), 5)
                self.sock.settimeout(15)
                self.file = self.sock.makefile("rb")
                if "REDISCLI_AUTH" in os.environ:
                    commands = (("AUTH", os.environ["REDISCLI_AUTH"]), *commands)
            out = b""
            for words in commands:
                words = [str(w).encode() for w in words]
                out += b"*%d\r\n" % len(words)
                out += b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)
            self.sock.sendall(out)
            return [self.read() for _ in commands]
        except (OSError, ValueError) as e:
            raise Gone from e

    def answers(self, *commands):
        """Return: what is answered; None: the connection is lost, it may be tried again."""
        try:
            return self.say(*commands)
        except Gone:
            self.close()
            self.port = random.choice(self.ports)
            time.sleep(0.05)
            return None

    def ask(self, *commands):
        """Return: the answer to the last of them; None: it may be tried again."""
        answers = self.answers(*commands)
        return None if answers is None or self.refused(answers[-1]) else answers[-1]

    def watch(self, *keys):
        """Return: their values, as this node knows them; None: it may be tried again."""
        answers = self.answers(("READONLY",), ("WATCH", *keys), *(("GET", k) for k in keys),
                               ("READWRITE",))
        if answers is None:
            return None
        if None in answers or any(self.refused(a) for a in answers):
            self.close()    # with it, nothing is watched
            return None
        return [int(a) for a in answers[-1 - len(keys):-1]]

    def refused(self, answer):
        """Is it an error, after which it may be tried again, and there?"""
        if not isinstance(answer, str) or not answer.startswith("-"):
            return False
        moved = re.match(r"-MOVED \d+ \S+:(\d+)$", answer)
        if moved:
            self.close()
            self.port = int(moved[1])
        elif answer.startswith("-CLUSTERDOWN") or answer.startswith("-LOADING"):
            self.close()
            self.port = random.choice(self.ports)
            time.sleep(0.1)
        elif not re.match("-(TRYAGAIN|UNCERTAIN|NOREPLICAS|MISCONF) ", answer):
            raise SystemExit("unexpected: " + answer)
        return True


class Load:
    def __init__(self, args):
        self.ports = [int(p) for p in args.ports.split(",")]
        self.keys = [f"account{i}" for i in range(args.accounts)]
        self.end = time.monotonic() + args.seconds
        self.lock = threading.Lock()
        self.count = {"transfers": 0, "watched": 0, "reads": 0, "tries": 0}
        self.wrong = []
        self.stop = args.stop

    def note(self, what):
        with self.lock:
            self.count[what] += 1

    def going(self):
        return (time.monotonic() < self.end and not self.wrong and
                not (self.stop and os.path.exists(self.stop)))

    def transfer(self, seed):
        r = random.Random(seed)
        c = Client(self.ports)
        while self.going():
            a, b = r.sample(self.keys, 2)
            n = r.randint(1, 9)
            if seed % 2:
                seen = c.watch(a, b)
                answer = seen and c.ask(("MULTI",), ("SET", a, seen[0] - n),
                                        ("SET", b, seen[1] + n), ("EXEC",))
            else:
                answer = c.ask(("MULTI",), ("DECRBY", a, n), ("INCRBY", b, n), ("EXEC",))
            if answer is None:
                self.note("tries")
            elif answer == ["+OK", "+OK"]:
                self.note("watched")
            elif isinstance(answer, list) and len(answer) == 2 and \
                    all(isinstance(x, int) for x in answer):
                self.note("transfers")
            else:
                self.wrong.append(f"EXEC: {answer}")
        c.close()

    def watch(self):
        c = Client(self.ports)
        while self.going():
            self.look(c)
            time.sleep(0.05)
        c.close()

    def look(self, c):
        answer = c.ask(("MGET", *self.keys))
        if answer is None:
            self.note("tries")
            return False
        total = sum(int(x) for x in answer)
        if total != EACH * len(self.keys):
            self.wrong.append(f"the sum was {total}: {answer}")
        self.note("reads")
        return True

    def begin(self):
        c = Client(self.ports)
        words = [w for k in self.keys for w in (k, EACH)]
        while c.ask(("MSET", *words)) != "+OK":
            time.sleep(0.1)
        c.close()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--ports", required=True)
    p.add_argument("--accounts", type=int, default=12)
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--clients", type=int, default=6)
    p.add_argument("--stop")
    p.add_argument("--only-look", action="store_true")
    args = p.parse_args()
    load = Load(args)
    if args.only_look:
        c = Client(load.ports)
        until = time.monotonic() + args.seconds
        while time.monotonic() < until and not load.look(c):
            time.sleep(0.1)
    else:
        load.begin()
        work = [threading.Thread(target=load.transfer, args=(i,)) for i in range(args.clients)]
        work += [threading.Thread(target=load.watch) for _ in range(2)]
        for t in work:
            t.start()
        for t in work:
            t.join()
    print(" ".join(f"{k} {v}" for k, v in load.count.items()))
    for text in load.wrong[:3]:
        print("wrong:", text)
    moved = load.count["transfers"] + load.count["watched"]
    done = load.count["reads"] and (args.only_look or moved)
    sys.exit(0 if done and not load.wrong else 1)


main()
