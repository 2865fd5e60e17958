#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Generated command sequences against a real redis-server and a store, byte for byte.

store_redis.py --redis HOST:PORT --store HOST:PORT [--sequences N] [--first N] [--spread] [--show]

A sequence is a list of commands that follows from its number; it has keys of its own, and one
connection, which speaks RESP2 or RESP3. All its commands are sent at once (a pipeline), to both
servers; what comes back must be equal, but for the differences listed in same(). Sequences
run many at a time. --first/--show repeat and print one.

The last line is for a script: bar: redis-differences N wanted 0 met|missed.
"""
import argparse
import random
import re
import socket
import sys
import time

AT_ONCE = 64

# --- what is sent -------------------------------------------------------------

NUMBERS = ["0", "1", "-1", "10", "3", "-5", "9223372036854775807", "-9223372036854775808",
           "9223372036854775808", "abc", "", " 1", "1.5", "+1", "01", "-0", "2147483648"]
FLOATS = ["0", "1.5", "-2.25", "3.0e3", "1e-7", "abc", "inf", "nan", "", "1e400", "0.1", "5e-324",
          "17179869184.1", " 1"]
VALUES = ["", "a", "hello", "10", "-3", "3.14", "9223372036854775806", "x" * 64, "x" * 65,
          "\r\n", "\0\1\2", "y" * 500, "007", "+5", "1e3"]
FIELDS = ["f", "g", "h", "", "long" * 30, "\0", "9"]
PATTERNS = ["*", "a*", "?", "[fg]", "[^f]", "f*", "*o*g*", "\\f", "[a-g]", "[", "[]", "*" * 9]
CASES = [str.upper, str.lower, str.title]


class Maker:
    def __init__(self, number, spread=False):
        self.rnd = random.Random(number)
        self.spread = spread
        self.written = None     # a transaction's keys so far, if they are of several groups
        self.prefix = f"{number}:" if spread else f"{{{number}}}"
        self.keys = [self.prefix + k for k in ("a", "b", "c", "", "k" * 600, "\0\xff\r\n")]

    def pick(self, what):
        return self.rnd.choice(what)

    def key(self):
        # Few keys, so that commands meet.
        return self.keys[min(int(self.rnd.expovariate(1.2)), len(self.keys) - 1)]

    def apart(self, args, step):
        """Of a command that depends on other groups: in a transaction not on what it has written."""
        if self.written and self.written & set(args[::step]):
            args[::step] = args[:1] * len(args[::step])
        return args

    def word(self, word):
        return self.pick(CASES)(word)

    def number(self):
        return str(self.rnd.randint(-20, 20)) if self.rnd.random() < 0.6 else self.pick(NUMBERS)

    def value(self):
        return self.number() if self.rnd.random() < 0.4 else self.pick(VALUES)

    def float(self):
        return self.pick(FLOATS) if self.rnd.random() < 0.6 else repr(self.rnd.uniform(-9, 9))

    def field(self):
        return self.pick(FIELDS[:3]) if self.rnd.random() < 0.7 else self.pick(FIELDS)

    def when(self, unit, at):
        """Far from now, so that no clock decides; or past, or wrong."""
        if self.rnd.random() < 0.15:
            return self.pick([n for n in NUMBERS if n not in ("1", "10", "3")])
        n = self.pick([100000, 200000, 50000])
        if at:
            n += 4000000000
        return str(n if unit == "s" else n * 1000)

    def time_option(self):
        unit, at, word = self.pick([("s", 0, "EX"), ("ms", 0, "PX"), ("s", 1, "EXAT"),
                                    ("ms", 1, "PXAT")])
        return [self.word(word), self.when(unit, at)]

    def some(self, make, most=3):
        return [make() for _ in range(self.rnd.randint(1, most))]

    def maybe(self, p, *args):
        return list(args) if self.rnd.random() < p else []

    # One function a family of commands; each gives a list of arguments.

    def set_(self):
        c = ["SET", self.key(), self.value()]
        for _ in range(self.pick([0, 0, 0, 1, 1, 2, 3])):
            c += self.pick([[self.word("NX")], [self.word("XX")], [self.word("GET")],
                            [self.word("KEEPTTL")], self.time_option(), ["bogus"], ["EX"]])
        return c

    def strings(self):
        k = self.key
        return self.pick([
            lambda: ["GET", k()], lambda: ["GET", k()],
            lambda: ["MGET"] + self.some(k), lambda: ["STRLEN", k()],
            lambda: ["MSET"] + [x for _ in range(self.rnd.randint(1, 3)) for x in (k(), self.value())]
            + self.maybe(0 if self.written is not None else 0.1, k()),
            lambda: ["MSETNX"] + self.apart([x for _ in range(2) for x in (k(), self.value())], 2),
            lambda: ["SETNX", k(), self.value()], lambda: ["GETSET", k(), self.value()],
            lambda: ["GETDEL", k()], lambda: ["APPEND", k(), self.value()],
            lambda: ["GETEX", k()] + self.pick([[], [self.word("PERSIST")], self.time_option(),
                                                ["KEEPTTL"], ["EX"], ["PERSIST", "EX", "5"]]),
            lambda: [self.pick(["INCR", "DECR"]), k()],
            lambda: [self.pick(["INCRBY", "DECRBY"]), k(), self.number()],
            lambda: ["INCRBYFLOAT", k(), self.float()],
            lambda: ["SETRANGE", k(), self.pick(["0", "3", "-1", "70", "x", "4194304", "4194298",
                                                 "9223372036854775807"]), self.value()],
            lambda: [self.pick(["GETRANGE", "SUBSTR"]), k(), self.number(), self.number()],
            lambda: ["SETEX", k(), self.when("s", 0), self.value()],
            lambda: ["PSETEX", k(), self.when("ms", 0), self.value()],
        ])()

    def keys_(self):
        k = self.key
        return self.pick([
            lambda: [self.pick(["DEL", "UNLINK", "EXISTS", "TOUCH"])] + self.some(k),
            lambda: ["TYPE", k()], lambda: ["PERSIST", k()],
            lambda: ["EXPIRE", k(), self.when("s", 0)] + self.conditions(False),
            lambda: ["PEXPIRE", k(), self.when("ms", 0)] + self.conditions(False),
            lambda: ["EXPIREAT", k(), self.when("s", 1)] + self.conditions(True),
            lambda: ["PEXPIREAT", k(), self.when("ms", 1)] + self.conditions(True),
            lambda: [self.pick(["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"]), k()],
            lambda: [self.pick(["RENAME", "RENAMENX"])] + self.apart([k(), k()], 1),
        ])()

    def conditions(self, at):
        # GT and LT compare with a clock's time, if it is not a point in time.
        return [self.word(self.pick(["NX", "XX", "bogus"] + (["GT", "LT"] if at else [])))
                for _ in range(self.pick([0, 0, 1, 1, 2]))]

    def hashes(self):
        k, f = self.key, self.field
        return self.pick([
            lambda: ["HSET", k()] + [x for _ in range(self.rnd.randint(1, 3))
                                     for x in (f(), self.value())] + self.maybe(0.1, f()),
            lambda: ["HSET", k(), f(), self.value()],
            lambda: ["HMSET", k(), f(), self.value()], lambda: ["HSETNX", k(), f(), self.value()],
            lambda: ["HGET", k(), f()], lambda: ["HMGET", k()] + self.some(f),
            lambda: ["HDEL", k()] + self.some(f), lambda: ["HINCRBY", k(), f(), self.number()],
            lambda: ["HINCRBYFLOAT", k(), f(), self.float()],
            lambda: ["HRANDFIELD", k(), "0"] + self.maybe(0.3, "WITHVALUES"),
            lambda: ["HLEN", k()], lambda: ["HEXISTS", k(), f()], lambda: ["HSTRLEN", k(), f()],
            lambda: [self.pick(["HGETALL", "HKEYS", "HVALS"]), k()],
            lambda: ["HSCAN", k(), self.pick(["0", "0", "0", "x", ""])] +
            self.pick([[], ["MATCH", self.pick(PATTERNS)], ["COUNT", self.pick(["10", "99", "0", "-1", "x"])], ["bogus", "1"],
                       ["MATCH"]]),
        ])()

    def others(self):
        return self.pick([
            lambda: ["PING"] + self.maybe(0.5, self.value()) + self.maybe(0.2, "x"),
            lambda: ["ECHO", self.value()], lambda: ["SELECT", self.number()],
            lambda: ["nosuch"] + self.some(self.value), lambda: [""], lambda: ["GET"],
            lambda: ["SET", self.key()], lambda: ["HSET", self.key(), "f"],
            lambda: ["CLIENT", "GETNAME"], lambda: ["CLIENT", "SETNAME", self.pick(["me", "a b", ""])],
            lambda: ["CLIENT", "bogus"], lambda: ["CLIENT"], lambda: ["CLIENT", "ID", "x"],
            lambda: ["CONFIG", "GET", self.pick(["databases", "appendfsyn", "SAVE"])],
            lambda: ["AUTH", "x"], lambda: ["AUTH", "default", "x"], lambda: ["AUTH", "me", "x"],
            lambda: ["AUTH", "a", "b", "c"],
            lambda: ["HELLO", self.pick(["1", "4", "x"])], lambda: ["HELLO", "3", "bogus"],
            lambda: ["HELLO", self.pick(["2", "3"])], lambda: ["HELLO"],
            lambda: ["SCAN", "x"], lambda: ["SCAN", "0", "bogus"], lambda: ["SCAN", "0", "COUNT", "0"],
            lambda: ["DISCARD"], lambda: ["EXEC"], lambda: ["UNWATCH"], lambda: ["RESET"],
            lambda: ["COMMAND", self.pick(["bogus", "HELP", "GETKEYS"])],
            lambda: ["COMMAND", "INFO", "bogus"],
            lambda: ["COMMAND", "INFO"] + [c[0] for c in self.some(self.data)], lambda: ["COMMAND", "LIST", self.pick(["x", "FILTERBY"])],
            lambda: ["COMMAND", "LIST", "FILTERBY", self.pick(["ACLCAT", "MODULE", "PATTERN", "x"]), "none"],
            lambda: ["COMMAND", self.word("GETKEYS")] + self.command_(),
            lambda: ["COMMAND", "GETKEYSANDFLAGS"] + self.command_(),
            lambda: ["CONFIG", self.pick(["HELP", "bogus", "GET", "SET"])],
            lambda: ["CONFIG", "SET"] + self.some(lambda: self.pick(
                ["hash-max-listpack-value", "bogus", "x", "daemonize"]), 4),
            lambda: ["CLIENT", "LIST"] + self.pick([["x"], ["TYPE", "x"], ["ID"], ["ID", "x"], ["ID", "0"]]),
            lambda: ["CLIENT", "KILL"] + self.pick([[], ["x"], ["ID", "0"], ["TYPE", "x"], ["ID", "x", "y"],
                                                    ["USER", "x"], ["SKIPME", "x"], ["ADDR", "x"]]),
            lambda: ["MEMORY", "USAGE", "none"] + self.pick([[], ["SAMPLES", self.number()], ["x"]]),
            lambda: ["OBJECT"] + self.pick([["HELP"], [], ["bogus"], ["ENCODING", "none"], ["FREQ"]]), lambda: ["WAIT", "x", "1"], lambda: ["WAIT", "0", "-1"],
            lambda: ["FLUSHALL", "bogus"], lambda: ["RANDOMKEY", "x"],
        ])()

    def data(self):
        r = self.rnd.random()
        if r < 0.15:
            return self.set_()
        if r < 0.5:
            return self.strings()
        return self.keys_() if r < 0.7 else self.hashes()

    def command_(self):
        """One whose keys are asked for; long enough for any, and sometimes not."""
        return (self.pick([self.strings, self.keys_, self.hashes])() if self.rnd.random() < 0.8 else
                [self.pick(["PING", "MEMORY", "OBJECT", "CONFIG"]), self.pick(["USAGE", "HELP", "GET"])])

    def in_multi(self):
        return self.pick([self.data, self.data, self.data, self.data, lambda: ["PING"],
                          lambda: ["ECHO", "x"], lambda: ["nosuch", "y"], lambda: ["GET"],
                          lambda: ["MULTI"], lambda: ["WATCH", self.key()], lambda: ["UNWATCH"],
                          lambda: ["SELECT", "0"], lambda: ["CLIENT", "GETNAME"],
                          lambda: ["CLIENT", "SETNAME", self.pick(["me", "a b", ""])],
                          lambda: ["CONFIG", "GET", self.pick(["databases", "SAVE", "x"])],
                          lambda: ["AUTH", "x"], lambda: ["WAIT", "0", "x"]])()

    def transaction(self):
        c = []
        if self.rnd.random() < 0.4:
            c.append(["WATCH"] + self.some(self.key))
            if self.rnd.random() < 0.4:
                c.append(self.data())
        c.append(["MULTI"])
        self.written = set() if self.spread else None
        # Most have no mistake in them, or nothing would ever be executed.
        make = self.data if self.rnd.random() < 0.6 else self.in_multi
        for _ in range(self.rnd.randint(0, 5)):
            c.append(make())
            if self.spread:
                self.written |= set(c[-1][1:]) & set(self.keys)
        self.written = None
        c.append([self.pick(["EXEC", "EXEC", "EXEC", "EXEC", "DISCARD"])])
        return c

    def sequence(self):
        commands = []
        while len(commands) < 14:
            r = self.rnd.random()
            if r < 0.12:
                commands += self.transaction()
            elif r < 0.22:
                commands.append(self.others())
            else:
                commands.append(self.data())
        commands.append(["DEL"] + self.keys)
        return commands


def encode(command):
    args = [a.encode("latin-1") for a in command]
    return b"*%d\r\n" % len(args) + b"".join(b"$%d\r\n%s\r\n" % (len(a), a) for a in args)


# --- what comes back -------------------------------------------------------------

class Server:
    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.address = (host, int(port))


class Connection:
    def __init__(self, server):
        self.sock = socket.create_connection(server.address, timeout=60)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buf = b""

    def send(self, data):
        self.sock.sendall(data)

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        self.buf += data

    def end_of(self, pos):
        """Where the answer ends that begins at pos; None: it is not whole yet."""
        eol = self.buf.find(b"\r\n", pos)
        if eol < 0:
            return None
        kind, rest = self.buf[pos:pos + 1], self.buf[pos + 1:eol]
        pos = eol + 2
        if kind in b"+-:,#(_":
            return pos
        n = int(rest)
        if kind in b"$=":
            pos += n + 2 if n >= 0 else 0
            return pos if pos <= len(self.buf) else None
        if kind in b"%":
            n *= 2
        for _ in range(max(n, 0)):
            pos = self.end_of(pos)
            if pos is None:
                return None
        return pos

    def answer(self):
        while True:
            end = self.end_of(0) if self.buf else None
            if end is not None:
                one, self.buf = self.buf[:end], self.buf[end:]
                return one
            self.more()

    def close(self):
        self.sock.close()


def lines(raw):
    return sorted(raw.split(b"\r\n"))


TIMES = ("TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME", "EXEC")
ORDERED = ("HGETALL", "HKEYS", "HVALS", "HSCAN", "EXEC")


def close(a, b, seconds, asked):
    """
    What is left to live, or when it ends: in milliseconds, if one of what was @asked answers in
    them and it can be (2^31 may be either, what is less than 10^7 is close in seconds, too).
    """
    unit = 1000 if a > 10**7 and (a > 10**10 or asked & {"PTTL", "PEXPIRETIME"}) else 1
    return abs(a - b) <= seconds * unit


def long_value(answer):
    """Has it a string of more than 64 bytes?"""
    return any(int(n) > 64 for n in re.findall(rb"\$(\d+)\r\n", answer))


def same(command, redis, store, table, seconds, asked):
    """Equal, or different for a reason:

    time     both servers look at their clocks at different moments: what is left to live may
             differ by three seconds (TTL, PTTL, also inside EXEC), or by @seconds, for which
             both have been at work on this sequence;
    hello    the connection's number is another, and the store is a cluster, as it says MOVED;
    table    once a hash has had a field or value of more than 64 bytes (HINCRBYFLOAT may make
             one), it is a table to Redis, in an order of chance; the store has the order in which fields came, always.

    Not generated, as they differ by design: SCAN's and RANDOMKEY's order, WAIT (a write has its
    majority), CLIENT SETINFO (of 7.2, answered OK, for clients send it unasked), READONLY (a
    store has members to read from), HELLO and SAVE between MULTI and EXEC (refused), HSCAN of a table with a small COUNT (Redis gives a part), INFO, TIME, COMMAND, commands of more than 8 MiB.
    """
    if redis == store:
        return True
    word = command[0].upper()
    number = re.compile(rb":(\d{5,})\r\n")
    if word in TIMES and number.sub(b"", redis) == number.sub(b"", store):
        return all(close(int(x), int(y), max(3, seconds), asked)
                   for x, y in zip(number.findall(redis), number.findall(store)))
    if word in ORDERED and table:
        return lines(redis) == lines(store)
    if word == "HELLO":
        other = re.compile(rb"id\r\n:\d+|\$\d+\r\n(cluster|standalone)")
        return other.sub(b"", redis) == other.sub(b"", store)
    return False


def false_alarm(command, redis, store):
    """EXEC is nil if a watched key was not there and another one's deletion has its place: docs/redis.md."""
    nil = (b"*-1\r\n", b"_\r\n")
    return command[0].upper() == "EXEC" and store in nil and redis not in nil


class Run:
    """One sequence, on both servers."""

    def __init__(self, number, redis, store, spread):
        self.number = number
        self.alarm = False      # it ended with the false alarm of false_alarm()
        self.commands = Maker(number, spread).sequence()
        if number % 2:
            self.commands.insert(0, ["HELLO", "3"])
        self.conns = [Connection(redis), Connection(store)]
        data = b"".join(encode(c) for c in self.commands)
        self.sent = time.monotonic()
        for c in self.conns:
            c.send(data)

    def finish(self, show=False):
        """Return: what differed, as text."""
        differ = []
        table = busy = False
        queued = set()          # since the last EXEC: what the next one may answer
        for i, command in enumerate(self.commands):
            word = command[0].upper()
            queued.add(word)
            asked = {word}
            if word == "EXEC":
                asked, queued = queued, set()
            answers = [c.answer() for c in self.conns]
            table |= word[:1] == "H" and any(len(a) > 64 for a in command[2:])
            table |= "HINCRBYFLOAT" in asked and long_value(answers[0])
            if show:
                print(command, *answers, sep="\n    ")
            # Under load a transaction over groups may be aborted, for 2 s have passed: what follows
            # is not the same any more, and is only taken.
            busy |= answers[1].startswith(b"-TRYAGAIN")
            seconds = time.monotonic() - self.sent
            if not busy and not same(command, *answers, table, seconds, asked):
                differ.append(f"sequence {self.number} command {i}: {command}\n"
                              f"#   redis: {answers[0][:300]!r}\n#   store: {answers[1][:300]!r}")
                # What follows follows from it.
                self.alarm = false_alarm(command, *answers)
                break
        for c in self.conns:
            c.close()
        return differ, len(self.commands)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("--redis", required=True, metavar="HOST:PORT")
    p.add_argument("--store", required=True, metavar="HOST:PORT")
    p.add_argument("--sequences", type=int, default=300)
    p.add_argument("--first", type=int, default=1, help="number of the first sequence")
    p.add_argument("--spread", action="store_true",
                   help="keys of a sequence without a tag in common: of several groups")
    p.add_argument("--show", action="store_true", help="print what is sent and what comes")
    args = p.parse_args()
    redis, store = Server(args.redis), Server(args.store)
    c = Connection(redis)
    c.send(encode(["CONFIG", "SET", "proto-max-bulk-len", "4194304"]))
    c.answer()
    differences = commands = alarms = 0
    last = args.first + args.sequences
    for base in range(args.first, last, AT_ONCE):
        runs = [Run(n, redis, store, args.spread) for n in range(base, min(base + AT_ONCE, last))]
        for run in runs:
            differ, n = run.finish(args.show)
            commands += n
            # Nobody else deletes anything when it is alone: then it must be the same.
            if run.alarm:
                alarms += 1
                print(f"# sequence {run.number}: EXEC was nil beside others: once more, by itself")
                differ, n = Run(run.number, redis, store, args.spread).finish(args.show)
            differences += len(differ)
            for text in differ:
                print("# " + text)
        if args.sequences > 5000 and (base - args.first) // AT_ONCE % 50 == 0:
            print(f"# {base - args.first + AT_ONCE} sequences, {differences} differ", flush=True)
    print(f"# {args.sequences} sequences from number {args.first} on, {commands} commands, "
          f"{alarms} false alarms of WATCH")
    print(f"bar: redis-differences {differences} wanted 0 {'missed' if differences else 'met'}")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
