#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""test_bench_paxos.py - the arithmetic of bench_paxos_report.py: medians, ratios, bars"""
import os
import sys
import tempfile
import xml.dom.minidom

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import bench_paxos_figure as figure  # noqa: E402
import bench_paxos_report as report  # noqa: E402

MEMBERS = 3


def row(case, flight, number, rate, p50=100.0, p99=500.0, flushes=0.3, size=64):
    return {"members": MEMBERS, "size": size, "round": number, "flush": 80.0, "rtt": 20.0,
            "case": case, "flight": flight, "rate": rate, "p50": p50, "p99": p99,
            "per": {"flushes": flushes}}


def bar(rows, name):
    """Of the bar with this name: its lines."""
    for b in report.bars(report.Results(rows), MEMBERS, 64):
        if b[0] == name:
            return report.judge(*b)
    raise AssertionError("no bar " + name)


def last_words(rows, name):
    """VALUE wanted BOUND met|missed"""
    return bar(rows, name)[-1].split()[-4:]


def ratios_are_of_the_same_round():
    # The machine was ten times slower in round 2: by medians of rates the ratio would be 10.
    rows = [row("kernel_disk", 64, n, rate) for n, rate in ((1, 60), (2, 6), (3, 60))]
    rows += [row("etcd_disk", 64, n, rate) for n, rate in ((1, 6), (2, 0.6), (3, 10))]
    assert last_words(rows, "disk-64-rate-of-etcd") == ["10", "wanted", ">=5", "met"]


def a_round_without_its_other_half_is_left_out():
    assert report.ratios({1: 4.0, 2: 9.0}, {2: 3.0, 3: 1.0}) == [3.0]
    assert report.ratios({1: 4.0}, {1: 0.0}) == []


def an_even_number_of_rounds_has_a_middle():
    rows = [row("kernel_disk", 1, n, 1, p50=p50) for n, p50 in ((1, 100.0), (2, 150.0))]
    assert last_words(rows, "disk-1-p50-of-flush-and-round-trip")[0] == "1.25"


def the_bound_itself_is_met():
    rows = [row("kernel_disk", 1, 1, 1, p50=125.0)]
    assert last_words(rows, "disk-1-p50-of-flush-and-round-trip")[-1] == "met"
    rows = [row("kernel_disk", 1, 1, 1, p50=125.2)]
    assert last_words(rows, "disk-1-p50-of-flush-and-round-trip")[-1] == "missed"
    for rate, word in ((5.0, "met"), (4.99, "missed")):
        rows = [row("kernel_disk", 64, 1, rate), row("etcd_disk", 64, 1, 1.0)]
        assert last_words(rows, "disk-64-rate-of-etcd")[-1] == word


def faster_is_better_or_worse():
    both = [row("kernel_memory", 1, 1, 1, p50=40.0), row("user_memory", 1, 1, 1, p50=100.0)]
    assert last_words(both, "memory-1-p50-of-user") == ["0.4", "wanted", "<=0.5", "met"]
    both = [row("kernel_memory", 1, 1, 1, p50=100.0), row("user_memory", 1, 1, 1, p50=40.0)]
    assert last_words(both, "memory-1-p50-of-user") == ["2.5", "wanted", "<=0.5", "missed"]


def saturation_is_the_best_of_each():
    rows = [row("kernel_memory", 64, 1, 300), row("kernel_memory", 256, 1, 250),
            row("user_memory", 64, 1, 80), row("user_memory", 256, 1, 100)]
    assert last_words(rows, "memory-most-rate-of-user")[0] == "3"


def a_flush_of_each_member_is_one():
    rows = [row("kernel_disk", 64, 1, 1, flushes=3 / 32)]
    assert last_words(rows, "disk-64-flushes-per-value") == ["0.0312", "wanted", "<=0.0312", "met"]


def half_of_memory_mode():
    rows = [row("kernel_disk", 256, 1, 50), row("kernel_memory", 256, 1, 100)]
    assert last_words(rows, "disk-256-rate-of-memory") == ["0.5", "wanted", ">=0.5", "met"]


def other_sizes_do_not_count():
    rows = [row("kernel_disk", 1, 1, 1, p50=100.0),
            row("kernel_disk", 1, 1, 1, p50=9999.0, size=1024)]
    assert last_words(rows, "disk-1-p50-of-flush-and-round-trip")[0] == "1"


def what_was_not_measured_is_no_bar():
    for b in report.bars(report.Results([row("user_disk", 4, 1, 1)]), MEMBERS, 64):
        out = report.judge(*b)
        assert len(out) == 1 and out[0].startswith("# ") and "not measured" in out[0]


def the_spread_is_shown():
    assert report.spread([3.0, 1.0, 2.0]) == "2 [1..3]"
    rows = [row("kernel_disk", 1, n, 1, p50=p50) for n, p50 in ((1, 100.0), (2, 110.0), (3, 300.0))]
    assert bar(rows, "disk-1-p50-of-flush-and-round-trip")[0].endswith("1.1 [1..3], 3 rounds")


def the_figure_is_one():
    rows = [row(case, flight, 1, 10.0 * flight, p50=1000.0 + flight)
            for case in ("kernel_disk", "user_disk") for flight in (1, 64)]
    with tempfile.TemporaryDirectory() as path:
        svg = os.path.join(path, "figure.svg")
        figure.draw(report.Results(rows), svg)
        doc = xml.dom.minidom.parse(svg)
    assert len(doc.getElementsByTagName("polyline")) == 2
    assert len(doc.getElementsByTagName("circle")) == 4


def a_logarithm_has_its_ends():
    axis = figure.Axis([10.0, 1000.0], 100, 500)
    assert abs(axis.at(axis.low) - 100) < 1e-9 and abs(axis.at(axis.high) - 500) < 1e-9
    assert abs(axis.at(100.0) - 300) < 1e-9
    assert [t for t in axis.ticks() if 10 <= t <= 100] == [10, 20, 50, 100]


TESTS = (ratios_are_of_the_same_round, a_round_without_its_other_half_is_left_out,
         an_even_number_of_rounds_has_a_middle, the_bound_itself_is_met,
         faster_is_better_or_worse, saturation_is_the_best_of_each, a_flush_of_each_member_is_one,
         half_of_memory_mode, other_sizes_do_not_count, what_was_not_measured_is_no_bar,
         the_spread_is_shown, the_figure_is_one, a_logarithm_has_its_ends)


def main():
    failed = 0
    for n, test in enumerate(TESTS, 1):
        try:
            test()
            print("ok %d - %s" % (n, test.__name__))
        except Exception as e:  # pylint: disable=broad-except
            failed += 1
            print("not ok %d - %s\n# %s: %s" % (n, test.__name__, type(e).__name__, e))
    print("1..%d" % len(TESTS))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
