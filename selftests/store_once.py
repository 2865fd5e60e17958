#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Clients that count, each step exactly once, and the judge of what they were answered.

store_once.py --ports P,P,P --seconds S --history FILE [--clients N]
store_once.py --check FILE
store_once.py --self-test

A client increments a counter that is its own and one that all share, in turns, as numbers of a
session (PAXSTEER SESSION RUN), and asks again with the same number, at whichever member, until it
is answered; sometimes it throws a whole answer away and asks anew. A history has a line for
each increment: CLIENT CALL RETURN KEY ANSWER TRIES; and for each counter in the end: KEY VALUE.

The judge: a counter was answered each of 1..VALUE once (exactly once: nothing lost, nothing twice),
and who was answered before another began got the lower one.
"""
import argparse
import random
import sys
import threading
import time

from store_node import Asker, Refused, Unknown, goes_on

FINAL = ("NOSESSION", "TOOOLD", "REUSED", "NOANSWER", "ERR")


# --- the judge --------------------------------------------------------------------

def judge_counter(key, value, steps):
    """@steps: (call, return, answer). Return: what is wrong, or None."""
    answers = sorted(a for _, _, a in steps)
    if answers != list(range(1, value + 1)):
        twice = sorted({a for a, b in zip(answers, answers[1:]) if a == b})
        lost = sorted(set(range(1, value + 1)) - set(answers))
        return f"{key} is {value} after {len(steps)} steps; nobody was answered {lost[:5]}, " \
               f"and twice {twice[:5]}"
    highest = 0
    events = sorted([(c, 1, a) for c, _, a in steps] + [(r, 0, a) for _, r, a in steps])
    before = {}
    for _, is_call, answer in events:
        if is_call:
            before[answer] = highest
        elif before[answer] > answer:
            return f"{key}: {answer} was answered after {before[answer]} was known"
        else:
            highest = max(highest, answer)
    return None


def judge(lines):
    """Return: what is wrong with a history, or None."""
    steps, values = {}, {}
    for line in lines:
        words = line.split()
        if len(words) == 2:
            values[words[0]] = int(words[1])
        elif words:
            steps.setdefault(words[3], []).append((int(words[1]), int(words[2]), int(words[4])))
    if not values or set(steps) - set(values):
        return "a counter has no value in the end"
    for key, value in values.items():
        wrong = judge_counter(key, value, steps.get(key, []))
        if wrong:
            return wrong
    return None


GOOD = (
    ["a 1 2 k 1 1", "a 3 4 k 2 1", "k 2"],
    ["a 1 9 k 2 3", "b 2 8 k 1 1", "k 2"],          # at the same time: in any order
    ["a 1 2 k 1 1", "b 1 2 l 1 1", "k 1", "l 1"],
    ["k 0"],
    ["a 1 5 k 1 1", "b 5 6 k 2 1", "k 2"],          # the same moment is not before
)
BAD = (
    ["a 1 2 k 1 1", "a 3 4 k 3 2", "k 3"],          # the second one was executed twice
    ["a 1 2 k 1 1", "a 3 4 k 1 1", "k 1"],          # it was not executed at all
    ["a 1 2 k 1 1", "k 2"],                         # once more than anybody asked
    ["a 1 2 k 1 1", "a 3 4 k 2 1", "k 1"],          # what was acknowledged is gone
    ["a 1 2 k 2 1", "b 3 4 k 1 1", "k 2"],          # against the order of time
    ["a 1 2 k 1 1"], [], ["a 1 2 k 1 1", "l 0"],
)


def self_test():
    wrong = [h for h in GOOD if judge(h)] + [h for h in BAD if not judge(h)]
    for h in wrong:
        print(f"misjudged: {h}")
    return 1 if wrong else 0


# --- the clients --------------------------------------------------------------------

class Client(threading.Thread):
    def __init__(self, load, number):
        super().__init__(daemon=True)
        self.load = load
        self.number = number
        self.rnd = random.Random(number)
        self.asker = Asker(load.ports, 180, FINAL, number)
        self.lines = []
        self.retried = 0
        self.failed = None

    def run_once(self, *command):
        """Return: the answer, and after how many tries."""
        answer, tries = self.asker.ask(*command), self.asker.tries
        if tries == 1 and self.rnd.random() <= 0.05:
            self.asker.leave()      # as if it had never come
            answer = self.asker.ask(*command)
            tries += self.asker.tries
        return answer, tries

    def count(self):
        session = self.asker.ask("PAXSTEER", "SESSION", "NEW")
        number = 0
        while goes_on(self.load.end, self.load.until):
            number += 1
            key = ("shared", f"own{self.number}")[number % 2]
            call = time.monotonic_ns()
            answer, tries = self.run_once("PAXSTEER", "SESSION", "RUN", session, number, "INCR",
                                          key)
            self.retried += tries > 1
            self.lines.append(f"{self.number} {call} {time.monotonic_ns()} {key} {answer} {tries}")

    def run(self):
        try:
            self.count()
        except (OSError, Refused, Unknown) as e:
            self.failed = f"client {self.number}: {e}"


class Load:
    def __init__(self, args):
        self.ports = [int(p) for p in args.ports.split(",")]
        self.end = time.monotonic() + args.seconds
        self.until = args.until


def load(args):
    all_of_it = Load(args)
    clients = [Client(all_of_it, n) for n in range(args.clients)]
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    lines = [line for c in clients for line in c.lines]
    for key in sorted({line.split()[3] for line in lines}):
        value = clients[0].asker.ask("GET", key)
        lines.append(f"{key} {value or 0}")
    with open(args.history, "w", encoding="ascii") as f:
        f.writelines(line + "\n" for line in lines)
    print(f"{sum(len(c.lines) for c in clients)} steps, {sum(c.retried for c in clients)} of them "
          "asked for more than once")
    failed = [c.failed for c in clients if c.failed]
    for words in failed:
        print(words)
    return 1 if failed else 0


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("--ports")
    p.add_argument("--seconds", type=float)
    p.add_argument("--until", metavar="FILE", help="go on after --seconds until it is there")
    p.add_argument("--history")
    p.add_argument("--clients", type=int, default=6)
    p.add_argument("--check", metavar="FILE")
    p.add_argument("--self-test", action="store_true")
    args = p.parse_args()
    if args.self_test:
        return self_test()
    if not args.check:
        return load(args)
    with open(args.check, encoding="ascii") as f:
        lines = f.readlines()
    wrong = judge(lines)
    print(wrong or f"ok: {sum(len(line.split()) > 2 for line in lines)} steps")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
