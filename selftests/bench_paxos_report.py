#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""bench_paxos_report.py - what bench_paxos.sh measured, as tables, bars and a figure

    bench_paxos_report.py DIR

DIR holds "results" (see bench_paxos.py) and "machine" (lines of a word and what it is);
"figure.svg" is put there.
"""
import json
import os
import statistics
import sys

import bench_paxos_figure

CASES = ("kernel_memory", "user_memory", "etcd_memory", "kernel_disk", "user_disk", "etcd_disk")
PER = (("cpu", "CPU us", 1e6, "%.0f"), ("machine_cpu", "machine us", 1e6, "%.0f"),
       ("flushes", "flushes", 1, "%.3f"), ("wakeups", "wake-ups", 1, "%.2f"),
       ("packets", "datagrams", 1, "%.2f"), ("netlink", "netlink", 1, "%.2f"),
       ("switches", "switches", 1, "%.1f"))


def spread(values, form="%.0f"):
    return "%s [%s..%s]" % tuple(form % v for v in
                                 (statistics.median(values), min(values), max(values)))


class Results:
    """Rows: one case of one round each."""

    def __init__(self, rows):
        self.rows = rows
        self.cases = [c for c in CASES if any(r["case"] == c for r in rows)]
        self.rounds = len({r["round"] for r in rows})

    def sections(self):
        return sorted({(r["members"], r["size"]) for r in self.rows})

    def flights(self, members, size):
        return sorted({r["flight"] for r in self.rows
                       if (r["members"], r["size"]) == (members, size)})

    def of(self, members, size, case, flight):
        """By round."""
        return {r["round"]: r for r in self.rows if
                (r["members"], r["size"], r["case"], r["flight"]) == (members, size, case, flight)}

    def best(self, members, size, case):
        """By round: values a second with as many outstanding as gives most."""
        out = {}
        for flight in self.flights(members, size):
            for n, row in self.of(members, size, case, flight).items():
                out[n] = max(out.get(n, 0), row["rate"])
        return out


def ratios(above, below):
    """Round by round, so that a slow moment of the machine hits both."""
    return [above[n] / below[n] for n in sorted(above) if below.get(n)]


def column(rows, field):
    return {n: row[field] for n, row in rows.items()}


def judge(name, values, bound, at_most):
    """The median against the bound. Return: lines to print."""
    sign = "<=" if at_most else ">="
    if not values:
        return ["# %s: not measured" % name]
    value = statistics.median(values)
    met = value <= bound if at_most else value >= bound
    return ["# %s: %s, %d rounds" % (name, spread(values, "%.3g"), len(values)),
            "bar: paxos-%s %.3g wanted %s%.3g %s" % (name, value, sign, bound,
                                                    "met" if met else "missed")]


def bars(res, members, size):
    """Each bound of a section: name, what was seen round by round, bound, at most or at least."""
    def of(case, flight):
        return res.of(members, size, case, flight)

    def ratio(field, a, b, flight):
        return ratios(column(of(a, flight), field), column(of(b, flight), field))

    one, many, most = (of("kernel_disk", f) for f in (1, 64, 256))
    return (
        ("memory-1-p50-of-user", ratio("p50", "kernel_memory", "user_memory", 1), 0.5, True),
        ("memory-most-rate-of-user", ratios(res.best(members, size, "kernel_memory"),
                                            res.best(members, size, "user_memory")), 2.5, False),
        ("disk-1-p50-of-flush-and-round-trip",
         [r["p50"] / (r["flush"] + r["rtt"]) for r in one.values()], 1.25, True),
        ("disk-64-rate-of-etcd", ratio("rate", "kernel_disk", "etcd_disk", 64), 5, False),
        # Each member flushes: what counts is how many values share a flush.
        ("disk-64-flushes-per-value",
         [r["per"]["flushes"] / members for r in many.values()], 1 / 32, True),
        ("disk-64-p99-of-flush", [r["p99"] / r["flush"] for r in many.values()], 5, True),
        ("disk-256-rate-of-memory",
         ratios(column(most, "rate"), column(of("kernel_memory", 256), "rate")), 0.5, False),
    )


def counts(res, members, size):
    """First what does not depend on how busy the machine was."""
    print("# per value, all members and the client, medians; \"machine\" is all processors,"
          " \"CPU\" the members'")
    print("# %-14s %6s %s" % ("", "under", " ".join("%11s" % p[1] for p in PER)))
    print("# %-14s %6s" % ("", "way"))
    for case in res.cases:
        for flight in res.flights(members, size):
            rows = res.of(members, size, case, flight).values()
            if rows:
                print("# %-14s %6d %s" % (case.replace("_", " "), flight, " ".join(
                    "%11s" % (form % (statistics.median([r["per"][key] for r in rows]) * factor))
                    for key, _, factor, form in PER)))


def times(res, members, size):
    print("# %-14s %6s %26s %26s %26s   median [lowest..highest]" % (
        "", "under", "values per second", "p50 us", "p99 us"))
    print("# %-14s %6s" % ("", "way"))
    for case in res.cases:
        for flight in res.flights(members, size):
            rows = res.of(members, size, case, flight).values()
            if rows:
                print("# %-14s %6d %26s %26s %26s" % (
                    case.replace("_", " "), flight, spread([r["rate"] for r in rows]),
                    spread([r["p50"] for r in rows]), spread([r["p99"] for r in rows])))


def about(machine, res):
    if machine["short"] == "1":
        print("# the short form: fewer sizes, rounds and milliseconds than the bounds want")
    print("# kernel %(kernel)s, %(processors)s processors; etcd %(etcd)s; %(rounds)s rounds of "
          "%(ms)s ms" % machine)
    print("# members on hosts that are namespaces, a bridge between them; the client on the"
          " leader's host, over its socket")
    print("# (etcd: TCP); ext4 without a journal on null_blk, %(disk_us)s us a request, a disk a"
          " host; O_DIRECT and fdatasync" % machine)
    if machine["virtual"] == "1":
        print("# in a virtual machine, emulated unless it has KVM: times mean nothing in"
              " themselves, ratios within a round do")
    some = {(r["members"], r["size"], r["round"]): r for r in res.rows}.values()
    print("# a block written and flushed: %s us; a datagram to a process on another host and back:"
          " %s us" % (spread([r["flush"] for r in some]), spread([r["rtt"] for r in some])))


def main(path):
    with open(os.path.join(path, "machine"), encoding="utf-8") as f:
        machine = dict(line.rstrip("\n").partition(" ")[::2] for line in f)
    with open(os.path.join(path, "results"), encoding="ascii") as f:
        res = Results([json.loads(line) for line in f])
    if not res.rows:
        sys.exit("bench_paxos_report: nothing was measured")
    about(machine, res)
    for members, size in res.sections():
        print("# --- %d members, %d bytes" % (members, size))
        counts(res, members, size)
        times(res, members, size)
    for members, size in res.sections():
        if size == 64:
            print("# --- %d members, %d bytes: bounds; median [lowest..highest] of the rounds" %
                  (members, size))
            for b in bars(res, members, size):
                print("\n".join(judge("%d-members-%s" % (members, b[0]), *b[1:])))
    svg = os.path.join(path, "figure.svg")
    bench_paxos_figure.draw(res, svg)
    print("# figure: %s" % svg)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
