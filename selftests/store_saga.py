#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Clients that begin sagas, transfers between accounts, and the judge of how they ended.

store_saga.py --ports P,P,P --seconds S [--clients N] --history FILE
store_saga.py --ports P,P,P --judge FILE
store_saga.py --self-test

A transfer takes from one account and gives to another; each of its steps marks itself in a hash of
the saga's. Some have a step that cannot be done (a check, a wrong type), or one that waits for
its client, which says DONE or FAIL, or nothing; some have a deadline, some are aborted. A client
begins each of them again, by its id, until it is answered, at whichever member. What it began, it
writes down: ID FROM TO AMOUNT SLOT.

The judge asks for each of them and for the accounts: all that began are over, with all marks or
none; each account has what the transfers that are done give it; the total is what it was. An
account may be below zero: what was credited may have been spent before it was undone.
"""
import argparse
import random
import sys
import threading
import time

from store_node import Asker, Refused, Unknown, goes_on

FINAL = ("NOSAGA", "REUSED", "TURNED", "TOOMANY", "ERR", "OOM")
ENDS = ("plain", "plain", "plain", "check", "type", "done", "fail", "late", "abort")


# --- the judge --------------------------------------------------------------------

def judge(sagas, accounts, start):
    """@sagas: id -> (from, to, amount, state, marks). Return: what is wrong, or None."""
    want = dict.fromkeys(accounts, start)
    for name, (source, to, amount, state, marks) in sorted(sagas.items()):
        if state not in ("done", "undone"):
            return f"{name} is {state}"
        if marks != (3 if state == "done" else 0):
            return f"{name} is {state} with {marks} marks"
        if state == "done":
            want[source] -= amount
            want[to] += amount
    for name, value in sorted(accounts.items()):
        if value != want[name]:
            return f"{name} has {value}; what was done gives {want[name]}"
    if sum(accounts.values()) != start * len(accounts):
        return f"the total is {sum(accounts.values())}"
    return None


GOOD = (
    ({}, {"a": 5, "b": 5}, 5),
    ({"x": ("a", "b", 3, "done", 3)}, {"a": 2, "b": 8}, 5),
    ({"x": ("a", "b", 3, "undone", 0)}, {"a": 5, "b": 5}, 5),
    ({"x": ("a", "a", 3, "done", 3)}, {"a": 5}, 5),
)
BAD = (
    ({"x": ("a", "b", 3, "running", 1)}, {"a": 5, "b": 5}, 5),
    ({"x": ("a", "b", 3, "stuck", 0)}, {"a": 5, "b": 5}, 5),
    ({"x": ("a", "b", 3, "NOSAGA", 0)}, {"a": 5, "b": 5}, 5),
    ({"x": ("a", "b", 3, "done", 2)}, {"a": 2, "b": 8}, 5),
    ({"x": ("a", "b", 3, "undone", 1)}, {"a": 5, "b": 5}, 5),
    ({"x": ("a", "b", 3, "done", 3)}, {"a": 5, "b": 5}, 5),
    ({"x": ("a", "b", 3, "done", 3)}, {"a": 2, "b": 5}, 5),
    ({"x": ("a", "b", 3, "undone", 0)}, {"a": 2, "b": 8}, 5),
    ({}, {"a": 5, "b": 6}, 5),
)


def self_test():
    wrong = [h for h in GOOD if judge(*h)] + [h for h in BAD if not judge(*h)]
    for h in wrong:
        print(f"misjudged: {h}")
    return 1 if wrong else 0


# --- the clients --------------------------------------------------------------------

class Client(threading.Thread):
    def __init__(self, args, number):
        super().__init__(daemon=True)
        self.args = args
        self.number = number
        self.rnd = random.Random(number)
        self.stop = time.monotonic() + args.seconds
        self.asker = Asker(args.ports, 180, FINAL, number)
        self.lines = []
        self.failed = None

    def words(self, name, source, to, amount, end):
        mark = f"mark:{name}"
        w = ["TIMEOUT", self.rnd.choice([300, 1000])] if end == "late" else \
            ["TIMEOUT", 60000] if self.rnd.random() < 0.5 else []
        w += ["STEP", "debit", "CHECK", "MIN", source, amount, "DO", 3, "DECRBY", source, amount,
              "DO", 4, "HSET", mark, "debit", 1, "UNDO", 3, "INCRBY", source, amount,
              "UNDO", 3, "HDEL", mark, "debit"]
        w += ["STEP", "credit", "DO", 3, "INCRBY", to, amount, "DO", 4, "HSET", mark, "credit", 1,
              "UNDO", 3, "DECRBY", to, amount, "UNDO", 3, "HDEL", mark, "credit"]
        w += ["STEP", "end", "DO", 4, "HSET", mark, "end", 1, "UNDO", 3, "HDEL", mark, "end"]
        if end == "check":
            w += ["CHECK", "EXISTS", "never"]
        elif end == "type":
            w += ["DO", 2, "INCR", mark]
        elif end in ("done", "fail", "late"):
            w += ["WAIT"]
        return w

    def answer_outside(self, name, end):
        """The step that waits may not have come yet; the saga may have turned."""
        word = {"done": "DONE", "late": "DONE", "fail": "FAIL"}[end]
        if end == "late" and self.rnd.random() < 0.5:
            return
        while True:
            try:
                self.asker.ask("PAXSTEER", "SAGA", word, name, "end")
                return
            except (Refused, Unknown) as e:
                if "not come to this step" not in str(e):
                    return
                time.sleep(0.01)

    def transfer(self, i):
        name = f"s{self.number}-{i}"
        source, to = (f"acc{self.rnd.randrange(self.args.accounts)}" for _ in range(2))
        amount = self.rnd.randint(1, 60)
        end = self.rnd.choice(ENDS)
        command = ["PAXSTEER", "SAGA", "BEGIN", name] + self.words(name, source, to, amount, end)
        slot = self.asker.ask(*command)
        self.lines.append(f"{name} {source} {to} {amount} {slot}")
        if self.rnd.random() < 0.2:
            again = self.asker.ask(*command)
            if again != slot:
                raise Refused(f"{name} was begun twice: {slot}, {again}")
        if end in ("done", "fail", "late"):
            self.answer_outside(name, end)
        elif end == "abort":
            try:
                self.asker.ask("PAXSTEER", "SAGA", "ABORT", name)
            except (Refused, Unknown) as e:
                if "the saga is done" not in str(e):
                    raise

    def run(self):
        i = 0
        try:
            while goes_on(self.stop, self.args.until):
                self.transfer(i)
                i += 1
        except (OSError, Refused, Unknown) as e:
            self.failed = f"client {self.number}: {e}"


def load(args):
    asker = Asker(args.ports, 60, FINAL)
    for i in range(args.accounts):
        asker.ask("SET", f"acc{i}", args.start)
    clients = [Client(args, n) for n in range(args.clients)]
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    with open(args.history, "w", encoding="ascii") as f:
        f.writelines(line + "\n" for c in clients for line in c.lines)
    print(f"{sum(len(c.lines) for c in clients)} sagas begun")
    failed = [c.failed for c in clients if c.failed]
    for words in failed:
        print(words)
    return 1 if failed else 0


def look(args):
    asker = Asker(args.ports, 120, FINAL)
    sagas, turned = {}, 0
    with open(args.judge, encoding="ascii") as f:
        for line in f:
            name, source, to, amount, slot = line.split()
            try:
                status = asker.ask("PAXSTEER", "SAGA", "STATUS", name)
                status = dict(zip(status[::2], status[1::2]))
            except (Refused, Unknown) as e:
                status = {"state": str(e).split(" ", maxsplit=1)[0], "slot": slot}
            if str(status["slot"]) != slot:
                status["state"] = f"of slot {status['slot']}, was {slot}"
            marks = int(asker.ask("HLEN", f"mark:{name}"))
            sagas[name] = (source, to, int(amount), status["state"], marks)
            turned += status["state"] == "undone"
    accounts = {f"acc{i}": int(asker.ask("GET", f"acc{i}")) for i in range(args.accounts)}
    wrong = judge(sagas, accounts, args.start)
    print(wrong or f"ok: {len(sagas)} sagas, {turned} of them undone")
    return 1 if wrong else 0


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("--ports", type=lambda t: [int(n) for n in t.split(",")])
    p.add_argument("--seconds", type=float, default=5)
    p.add_argument("--until", metavar="FILE", help="go on after --seconds until it is there")
    p.add_argument("--clients", type=int, default=8)
    p.add_argument("--accounts", type=int, default=8)
    p.add_argument("--start", type=int, default=200, help="what each account has")
    p.add_argument("--history", metavar="FILE")
    p.add_argument("--judge", metavar="FILE")
    p.add_argument("--self-test", action="store_true")
    args = p.parse_args()
    if args.self_test:
        return self_test()
    return look(args) if args.judge else load(args)


if __name__ == "__main__":
    sys.exit(main())
