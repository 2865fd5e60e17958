#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Clients that write eventual keys at every member, and the judge of what is there in the end.

store_eventual.py load --ports P,P,P --seconds S --history FILE [--clients N]
store_eventual.py dump --port P --history FILE >STATE
store_eventual.py check HISTORY STATE...
store_eventual.py --self-test

A history has a line for each command, those of a client in their order:

    CLIENT MEMBER OP KEY FIELD VALUE STAMP

OP is set, del, hset, hdel or get; FIELD and VALUE are "-" where there are none; STAMP is the version
that the member told (MS.COUNT@MEMBER), or "?" where nobody answered: it may have happened, or not.
A state has a line for each key: KEY, and "-", "=VALUE", or FIELD=VALUE ...

The judge: the states of all members are equal; each key and field is what the acknowledged write
with the highest stamp says, or what a write that nobody answered for would say; and who reads at
a member finds nothing older than what it wrote there.
"""
import argparse
import random
import sys
import threading
import time

from store_node import Node, Refused, Unknown, goes_on

KEYS = [f"cache:{k}" for k in "abcdefgh"]
FIELDS = ["f", "g", "h"]


# --- the judge --------------------------------------------------------------------

def stamp_of(text):
    """A stamp as a tuple that can be compared; None: it is not known."""
    if text == "?":
        return None
    ms, rest = text.split(".")
    count, member = rest.split("@")
    return int(ms), int(count), int(member)


class Key:
    """What was written of one key."""

    def __init__(self):
        self.whole = [(((0, 0, 0), None))]  # (stamp, value), value None: deleted
        self.fields = {}
        self.maybe_whole = []               # values
        self.maybe_fields = {}

    def add(self, op, field, value, stamp):
        value = None if op in ("del", "hdel") else value
        if op in ("set", "del"):
            if stamp:
                self.whole.append((stamp, value))
            else:
                self.maybe_whole.append(value)
        elif stamp:
            self.fields.setdefault(field, []).append((stamp, value))
        else:
            self.maybe_fields.setdefault(field, []).append(value)

    def string(self):
        """Values that it may have as a string; None: it may be none."""
        stamp, value = max(self.whole, key=lambda w: w[0])
        later = [s for w in self.fields.values() for s, _ in w if s > stamp]
        may = {None if later else value} | set(self.maybe_whole)
        if self.maybe_fields:
            may.add(None)
        return may

    def field(self, name):
        """Values that the field may have; None: it may not be there."""
        stamp, _ = max(self.whole, key=lambda w: w[0])
        last, value = max(self.fields.get(name, []) + [((0, 0, 0), None)], key=lambda w: w[0])
        may = {value if last > stamp else None} | set(self.maybe_fields.get(name, []))
        if self.maybe_whole:
            may.add(None)
        return may


def judge_reads(lines):
    """Who reads at a member finds nothing older than what it wrote there, of the same key."""
    wrote = {}
    for client, member, op, key, field, _, text in lines:
        stamp, place = stamp_of(text) if text != "none" else (0, 0, 0), (client, member, key, field)
        if op == "get" and stamp < wrote.get(place, (0, 0, 0)):
            return f"client {client} wrote {key} at {member} with {wrote[place]} and read {text}"
        if op in ("set", "del") and stamp:
            wrote[place] = max(stamp, wrote.get(place, stamp))
    return None


def judge_key(key, state):
    """@state: the words behind the name. Return: what is wrong, or None."""
    value, there = None, {}
    for word in state:
        name, sign, text = word.partition("=")
        if sign and name:
            there[name] = text
        elif sign:
            value = text
    if value not in key.string():
        return f"is {value}, and may be {sorted(map(str, key.string()))}"
    for name in set(key.fields) | set(key.maybe_fields) | set(there):
        if there.get(name) not in key.field(name):
            return f"field {name} is {there.get(name)}, " \
                   f"and may be {sorted(map(str, key.field(name)))}"
    return None


def judge(history, states):
    """Return: what is wrong, or None."""
    lines = [line.split() for line in history if line.strip()]
    if any(len(line) != 7 for line in lines):
        return "a line of the history is none"
    if not lines or not states or any(s != states[0] for s in states):
        return "the members' states are not equal"
    keys = {}
    for _, _, op, key, field, value, stamp in lines:
        if op != "get":
            keys.setdefault(key, Key()).add(op, field, value, stamp_of(stamp))
    told = {line.split()[0]: line.split()[1:] for line in states[0] if line.strip()}
    for name, key in sorted(keys.items()):
        wrong = "is in no state" if name not in told else judge_key(key, told[name])
        if wrong:
            return f"{name} {wrong}"
    return judge_reads(lines)


GOOD = (
    (["1 1 set k - a 5.0@1"], ["k =a"]),
    (["1 1 set k - a 5.0@1", "2 2 set k - b 5.0@2"], ["k =b"]),     # the same time: the member
    (["1 1 set k - a 5.1@1", "2 2 set k - b 5.0@2"], ["k =a"]),
    (["1 1 set k - a 5.0@1", "2 2 del k - - 6.0@2"], ["k -"]),
    (["1 1 set k - a ?"], ["k -"]), (["1 1 set k - a ?"], ["k =a"]),
    (["1 1 set k - a 5.0@1", "1 1 set k - b ?"], ["k =a"]),
    (["1 1 hset k f a 5.0@1", "1 1 hset k g b 6.0@1"], ["k f=a g=b"]),
    (["1 1 hset k f a 5.0@1", "2 2 del k - - 5.5@2", "1 1 hset k g b 6.0@1"], ["k g=b"]),
    (["1 1 set k - a 5.0@1", "2 2 hset k f b 6.0@2"], ["k f=b"]),
    (["1 1 set k - a 5.0@1", "2 2 hdel k f - 6.0@2"], ["k -"]),
    (["1 1 set k - a 5.0@1", "1 1 get k - a 5.0@1"], ["k =a"]),
    (["1 1 set k - a 5.0@1", "1 2 get k - - none"], ["k =a"]),      # at another member
)
BAD = (
    (["1 1 set k - a 5.0@1"], ["k -"]),                             # lost
    (["1 1 set k - a 5.0@1", "2 2 set k - b 5.0@2"], ["k =a"]),     # not the last
    (["1 1 set k - a 6.0@1", "2 2 del k - - 5.0@2"], ["k -"]),
    (["1 1 set k - a 5.0@1", "2 2 del k - - 6.0@2"], ["k =a"]),     # it came back
    (["1 1 set k - a 5.0@1"], ["k =c"]),                            # of nobody
    (["1 1 set k - a 5.0@1", "1 1 set k - b 6.0@1", "1 1 set k - c ?"], ["k =a"]),
    (["1 1 hset k f a 5.0@1", "2 2 del k - - 6.0@2"], ["k f=a"]),
    (["1 1 hset k f a 6.0@1", "2 2 del k - - 5.0@2"], ["k -"]),
    (["1 1 set k - a 5.0@1", "2 2 hset k f b 6.0@2"], ["k =a f=b"]),
    (["1 1 set k - a 5.0@1", "1 1 get k - - none"], ["k =a"]),      # it did not see its own
    (["1 1 set k - a 5.0@1"], []), ([], ["k -"]), (["1 1 set k"], ["k -"]),
)


def self_test():
    wrong = [h for h in GOOD if judge(h[0], [h[1], h[1]])]
    wrong += [h for h in BAD if not judge(h[0], [h[1], h[1]])]
    if not judge(GOOD[0][0], [["k =a"], ["k -"]]) or not judge(GOOD[0][0], []):
        wrong.append("states that differ")
    for h in wrong:
        print(f"misjudged: {h}")
    return 1 if wrong else 0


# --- clients ----------------------------------------------------------------------

class Client(threading.Thread):
    def __init__(self, args, number):
        super().__init__(daemon=True)
        self.args = args
        self.number = number
        self.rnd = random.Random(number)
        self.ports = [int(p) for p in args.ports.split(",")]
        self.member = number % len(self.ports)
        self.node = None
        self.lines = []
        self.acknowledged = 0
        self.error = None

    def draw(self, serial):
        """A command, and what the history has of it."""
        key, field = self.rnd.choice(KEYS), self.rnd.choice(FIELDS)
        op = self.rnd.choice(["set", "set", "del", "hset", "hset", "hdel", "get"])
        value = f"{self.number}.{serial}" if op in ("set", "hset") else "-"
        if op in ("set", "del", "get"):
            field = "-"
        words = [w for w in (op, key, field, value) if w != "-"]
        return words, op, key, field, value

    def step(self, serial):
        command, op, key, field, value = self.draw(serial)
        stamp = "?"
        try:
            self.node = self.node or Node(self.ports[self.member])
            answer, version = self.node.call(command, ["PAXSTEER", "VERSION"])
            stamp = version[0] or "none"
            self.acknowledged += op != "get"
            value = (answer or "-") if op == "get" else value
        except (Refused, Unknown) as e:
            if not str(e).startswith("WRONGTYPE"):
                self.error = str(e)
            return
        except OSError:
            if self.node:
                self.node.close()
            self.node = None
            time.sleep(0.1)
            if op == "get":
                return
        self.lines.append(f"{self.number} {self.member} {op} {key} {field} {value} {stamp}")

    def run(self):
        end = time.monotonic() + self.args.seconds
        serial = 0
        while goes_on(end, self.args.until) and not self.error:
            self.step(serial)
            serial += 1


def load(args):
    clients = [Client(args, n) for n in range(args.clients)]
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    with open(args.history, "w", encoding="ascii") as f:
        f.writelines(line + "\n" for c in clients for line in c.lines)
    errors = [c.error for c in clients if c.error]
    print(f"{sum(c.acknowledged for c in clients)} acknowledged; errors: {errors}")
    return 1 if errors else 0


def dump(args):
    node = Node(args.port)
    for key in KEYS:
        kind, = node.call(["TYPE", key])
        words = ["-"]
        if kind == "string":
            words = ["=" + node.call(["GET", key])[0]]
        elif kind == "hash":
            flat, = node.call(["HGETALL", key])
            words = sorted(f"{f}={v}" for f, v in zip(flat[::2], flat[1::2]))
        print(key, *words)


def check(args):
    states = []
    with open(args.files[0], encoding="ascii") as f:
        history = f.readlines()
    for name in args.files[1:]:
        with open(name, encoding="ascii") as f:
            states.append(f.readlines())
    wrong = judge(history, states)
    print(wrong or f"ok: {len(history)} commands")
    return 1 if wrong else 0


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("what", nargs="?", choices=["load", "dump", "check"])
    p.add_argument("files", nargs="*")
    p.add_argument("--ports")
    p.add_argument("--port", type=int)
    p.add_argument("--seconds", type=float)
    p.add_argument("--until", metavar="FILE", help="go on after --seconds until it is there")
    p.add_argument("--history")
    p.add_argument("--clients", type=int, default=6)
    p.add_argument("--self-test", action="store_true")
    args = p.parse_args()
    if args.self_test:
        return self_test()
    return {"load": load, "dump": dump, "check": check}[args.what](args)


if __name__ == "__main__":
    sys.exit(main())
