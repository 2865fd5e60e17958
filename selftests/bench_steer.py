#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""bench_steer.py - what bench_steer.sh measured, as tables, bars and profiles

    bench_steer.py DIR

DIR/count and DIR/clock hold "results" of the two machines, lines
"packet|request CASE FAMILY new|old ROUND NANOSECONDS ...", and "machine"; DIR/count may hold
kallsyms and "trace.CASE.FAMILY" (see vm/profile.py).
"""
import bisect
import collections
import os
import statistics
import subprocess
import sys

FAMILIES = ("v4", "v6")
# What a row is compared with in the last columns.
BASE = {"packet": "forward", "request": "one_socket"}
# The function whose calls begin and end a profile, once a packet; of old kernels and new ones.
MARKS = {"packet": ("netif_receive_skb",), "request": ("__sys_sendto",)}
# Name, case, what it is compared with, bound on the difference in instructions.
BARS = (
    ("nat-over-forwarding", "ours_nat", "forward", 650),
    ("dsr-over-ipvs-dr-cached", "ours_dsr", "ipvs_dr", -1500),
    ("local-hit-over-one-socket", "local_hit", "one_socket", 150),
    ("local-miss-over-one-socket", "local_miss", "one_socket", 140),
)
# New flows against old ones: per cent.
FLAT = (("nat-new-flow", "ours_nat", 3), ("dsr-new-flow", "ours_dsr", 3))


class Row:
    """One case, family and pass: its figure of each round."""

    def __init__(self):
        self.rounds = {}

    def median(self):
        return statistics.median(self.rounds.values())

    def spread(self):
        return max(self.rounds.values()) - min(self.rounds.values())

    def ratio(self, base):
        return statistics.median(v / base.rounds[n] for n, v in self.rounds.items()
                                 if n in base.rounds)


class Machine:
    """What one of the two machines measured."""

    def __init__(self, path):
        self.path = path
        self.rows = collections.defaultdict(Row)
        self.kinds = {}
        with open(os.path.join(path, "machine"), encoding="ascii") as f:
            self.about = dict(line.split(None, 1) for line in f)
        with open(os.path.join(path, "results"), encoding="ascii") as f:
            for line in f:
                kind, case, family, flows, number, ns = line.split()[:6]
                self.rows[case, family, flows].rounds[int(number)] = float(ns)
                self.kinds[case] = kind

    def get(self, case, family, flows="old"):
        return self.rows.get((case, family, flows))


def table(kind, count, clock):
    print("# %-26s %9s %7s %9s %7s %8s" % (
        "%s, instructions" % kind, "median", "spread", "over " + BASE[kind][:4], "ratio",
        "by clock"))
    for (case, family, flows), row in sorted(count.rows.items(), key=lambda r: r[0][1]):
        if count.kinds[case] != kind:
            continue
        base = count.get(BASE[kind], family) or row
        name = "%s %s" % (family, case.replace("_", " "))
        if kind == "packet":
            name += ", " + flows
        wall = "-"
        other = clock and clock.get(case, family, flows)
        if other:
            wall = "%.2f" % other.ratio(clock.get(BASE[kind], family) or other)
        print("# %-26s %9.0f %7.0f %+9.0f %7.2f %8s" % (
            name, row.median(), row.spread(), row.median() - base.median(), row.ratio(base),
            wall))


def bar(name, value, bound):
    met = value <= bound
    print("bar: steer-%s %.4g wanted <=%.4g %s" % (name, value, bound,
                                                   "met" if met else "missed"))
    return met


class Symbols:
    """Which function an address belongs to."""

    def __init__(self, path):
        symbols = []
        with open(path, encoding="ascii") as f:
            for line in f:
                address, kind, name = line.split()[:3]
                if kind in "tTwW":
                    symbols.append((int(address, 16), name))
        symbols.sort()
        self.at = [s[0] for s in symbols]
        self.names = [s[1] for s in symbols]
        self.first = {}
        for address, name in symbols:
            self.first.setdefault(name, address)

    def name(self, address):
        if address < 1 << 47:
            return "(user space)"
        return self.names[bisect.bisect(self.at, address) - 1]


def profile(path, marks, symbols):
    """Instructions of each function for one packet: the whole ones between first and last."""
    with open(path, encoding="ascii") as f:
        trace = [int(line, 16) for line in f]
    begins = {symbols.first[m] for m in marks if m in symbols.first}
    at = [i for i, pc in enumerate(trace) if pc in begins]
    if len(at) < 3:
        return None
    times = collections.Counter(trace[at[0]:at[-1]])
    functions = collections.Counter()
    for pc, n in times.items():
        functions[symbols.name(pc)] += n / (len(at) - 1)
    return functions


def explain(count, symbols, case, base, family):
    """The functions in which a packet spends more or fewer instructions than the other one."""
    got = []
    for c in (case, base):
        path = os.path.join(count.path, "trace.%s.%s" % (c, family))
        got.append(profile(path, MARKS[count.kinds[c]], symbols)
                   if symbols and os.path.exists(path) else None)
    if None in got:
        print("#   no profile")
        return
    diff = {f: got[0][f] - got[1][f] for f in set(got[0]) | set(got[1])}
    print("#   instructions by function, %s (%.0f) less %s (%.0f):" % (
        case, sum(got[0].values()), base, sum(got[1].values())))
    shown = sorted((f for f in diff if abs(diff[f]) >= 8), key=lambda f: -abs(diff[f]))
    for f in shown[:25]:
        print("#   %+7.0f  %s (%.0f, %.0f)" % (diff[f], f, got[0][f], got[1][f]))
    print("#   %+7.0f  all others" % sum(diff[f] for f in diff if f not in shown[:25]))


def bars(count, symbols, everything):
    for family in FAMILIES:
        for name, case, base, bound in BARS:
            row, other = count.get(case, family), count.get(base, family)
            if not row or not other:
                print("# %s %s: not measured" % (family, name))
                continue
            met = bar("%s-%s" % (family, name), row.median() - other.median(), bound)
            if everything or not met:
                explain(count, symbols, case, base, family)
        for name, case, bound in FLAT:
            new, old = count.get(case, family, "new"), count.get(case, family)
            if new and old:
                bar("%s-%s-percent" % (family, name),
                    abs(new.median() / old.median() - 1) * 100, bound)


def main(path, everything):
    count = Machine(os.path.join(path, "count"))
    clock = None
    if os.path.exists(os.path.join(path, "clock", "machine")):
        clock = Machine(os.path.join(path, "clock"))
    qemu = subprocess.run(["qemu-system-x86_64", "--version"], stdout=subprocess.PIPE,
                          check=True, text=True).stdout.split("\n", maxsplit=1)[0]
    print("# kernel %s; %s" % (count.about["kernel"].strip(), qemu))
    print("# instructions: -accel tcg,thread=single -icount shift=0,sleep=off -smp 1; %s at %s"
          " MHz" % (count.about["clock"].strip(), count.about["mhz"].strip()))
    print("# by clock: one processor, not counted: medians of ratios to the first row, by round")
    print("# packets: pktgen, xmit_mode netif_receive, UDP, 128 bytes, whole checksums, into one"
          " dummy device")
    print("#   and out of another; a new source port each, known (old) or not (new);"
          " 10 backends")
    print("# requests: sendto() on one end of a veth pair, recv() on the other, in one process")
    for kind in BASE:
        table(kind, count, clock)
    kallsyms = os.path.join(count.path, "kallsyms")
    symbols = Symbols(kallsyms) if os.path.exists(kallsyms) else None
    bars(count, symbols, everything)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(sys.argv[1], len(sys.argv) == 3 and sys.argv[2] == "all")
