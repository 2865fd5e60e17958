#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""coverage.py DIR TOP WANTED - a table of line coverage out of gcov's counters in DIR

DIR holds objects, .gcno and .gcda as coverage.sh left them. A line of a header counts in
the header. What was never run is listed in build/coverage/FILE.missed."""
import collections
import json
import os
import subprocess
import sys


def gcov(stage):
    """{file: {line: runs}} over all objects."""
    lines = collections.defaultdict(lambda: collections.defaultdict(int))
    for root, _, files in os.walk(os.path.join(stage, "kmod")):
        for f in files:
            if not f.endswith(".gcno"):
                continue
            p = subprocess.run(["gcov", "--json-format", "--stdout", os.path.join(root, f)],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
                               cwd=stage)
            for doc in p.stdout.splitlines():
                for one in json.loads(doc)["files"]:
                    name = os.path.relpath(os.path.join(stage, one["file"]), stage)
                    if name.startswith("kmod/"):
                        for n in one["lines"]:
                            lines[name][n["line_number"]] += n["count"]
    return lines


def main():
    stage, top, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
    lines, total, hit = gcov(stage), 0, 0
    out = os.path.join(top, "build/coverage")
    os.makedirs(out, exist_ok=True)
    print("%-28s %6s %6s %6s" % ("file", "lines", "run", "%"))
    for name in sorted(lines):
        counts = lines[name]
        n, h = len(counts), sum(1 for c in counts.values() if c)
        total, hit = total + n, hit + h
        print("%-28s %6d %6d %6.1f" % (name, n, h, 100 * h / n))
        source = open(os.path.join(stage, name)).read().split("\n")
        with open(os.path.join(out, name.replace("/", "_") + ".missed"), "w") as f:
            for i in sorted(counts):
                if not counts[i]:
                    f.write("%5d %s\n" % (i, source[i - 1]))
    if not total:
        raise SystemExit("coverage.py: no line was counted")
    percent = 100 * hit / total
    print("%-28s %6d %6d %6.1f" % ("all", total, hit, percent))
    print("bar: line-coverage %.1f%% wanted %d%% %s" % (
        percent, wanted, "met" if percent >= wanted else "missed"))


main()
