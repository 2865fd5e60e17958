#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""bench_table.py - rounds of measurements as a table of medians, ratios and spreads

Standard input: lines "SECTION ROUND CASE RATE P50 P99". The first case of a section is what
the others are compared with, round by round, so that a slow moment of the machine hits both.
"""
import statistics
import sys

sections = {}
for line in sys.stdin:
    section, number, case, rate, p50, p99 = line.split()
    cases = sections.setdefault(section, {})
    cases.setdefault(case, {})[int(number)] = (float(rate), float(p50), float(p99))


def spread(values, form):
    values = sorted(values)
    return "%s [%s..%s]" % tuple(form % v for v in
                                 (statistics.median(values), values[0], values[-1]))


for section, cases in sections.items():
    base = next(iter(cases.values()))
    print("# %s: median [lowest..highest] of %d rounds, ratio to the first row" %
          (section.replace("_", " "), len(base)))
    print("# %-22s %24s %20s %22s %22s" % ("", "per second", "ratio", "p50 us", "p99 us"))
    for case, rounds in cases.items():
        print("# %-22s %24s %20s %22s %22s" % (
            case.replace("_", " "),
            spread([r[0] for r in rounds.values()], "%.0f"),
            spread([rounds[n][0] / base[n][0] for n in rounds if n in base], "%.2f"),
            spread([r[1] for r in rounds.values()], "%.0f"),
            spread([r[2] for r in rounds.values()], "%.0f")))
