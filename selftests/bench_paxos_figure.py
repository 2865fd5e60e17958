# SPDX-License-Identifier: GPL-2.0
"""bench_paxos_figure.py - latency against rate, for bench_paxos_report.py

A picture a section, both axes logarithms: a line a case, a point a number outstanding.
"""
import math
import statistics

WIDTH, HEIGHT = 720, 450
LEFT, RIGHT, TOP, BOTTOM = 70, 570, 50, 400
COLOURS = {"kernel_memory": "#e08e0b", "user_memory": "#2e8b57", "etcd_memory": "#999999",
           "kernel_disk": "#c1272d", "user_disk": "#0b5fa5", "etcd_disk": "#333333"}


class Axis:
    """A range of values as a logarithm, onto a range of the picture."""

    def __init__(self, values, begin, end):
        self.low, self.high = min(values) / 1.3, max(values) * 1.3
        self.begin, self.end = begin, end

    def at(self, v):
        return self.begin + (self.end - self.begin) * (
            math.log(v / self.low) / math.log(self.high / self.low))

    def ticks(self):
        for power in range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1):
            for m in (1, 2, 5):
                if self.low <= m * 10 ** power <= self.high:
                    yield m * 10 ** power


def points(res, members, size, case):
    """(rate, p50, p99, outstanding): medians of the rounds."""
    out = []
    for flight in res.flights(members, size):
        rows = res.of(members, size, case, flight).values()
        if rows:
            out.append(tuple(statistics.median([r[k] for r in rows])
                             for k in ("rate", "p50", "p99", "flight")))
    return out


def grid(x, y, title):
    out = ['<text x="320" y="25" text-anchor="middle" font-size="14">%s</text>' % title]
    for v in x.ticks():
        out.append('<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#ddd"/><text x="%.1f" '
                   'y="416" text-anchor="middle">%g</text>' % (x.at(v), x.at(v), TOP, BOTTOM,
                                                              x.at(v), v))
    for v in y.ticks():
        out.append('<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/><text x="64" '
                   'y="%.1f" text-anchor="end">%g</text>' % (LEFT, RIGHT, y.at(v), y.at(v),
                                                            y.at(v) + 4, v))
    out.append('<text x="320" y="436" text-anchor="middle">values per second</text>'
               '<text x="18" y="225" text-anchor="middle" transform="rotate(-90 18 225)">'
               'microseconds</text>')
    return out


def line(x, y, case, line_points, row):
    colour = COLOURS[case]
    out = ['<polyline fill="none" stroke="%s" stroke-width="2" points="%s"/>' % (
        colour, " ".join("%.1f,%.1f" % (x.at(p[0]), y.at(p[1])) for p in line_points))]
    for rate, p50, p99, flight in line_points:
        out.append('<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s"/>'
                   '<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>'
                   '<text x="%.1f" y="%.1f" fill="%s">%d</text>' % (
                       x.at(rate), x.at(rate), y.at(p50), y.at(p99), colour,
                       x.at(rate), y.at(p50), colour,
                       x.at(rate) + 4, y.at(p50) - 4, colour, flight))
    out.append('<rect x="590" y="%d" width="12" height="12" fill="%s"/>'
               '<text x="608" y="%d">%s</text>' % (60 + 20 * row, colour, 70 + 20 * row,
                                                   case.replace("_", " ")))
    return out


def picture(res, members, size):
    lines = {case: points(res, members, size, case) for case in res.cases}
    lines = {case: ps for case, ps in lines.items() if ps}
    x = Axis([p[0] for ps in lines.values() for p in ps], LEFT, RIGHT)
    y = Axis([t for ps in lines.values() for p in ps for t in p[1:3]], BOTTOM, TOP)
    out = grid(x, y, "%d members, %d bytes: p50 (point) and p99 (bar) of latency against rate" %
               (members, size))
    for row, (case, ps) in enumerate(lines.items()):
        out += line(x, y, case, ps, row)
    return "\n".join(out)


def draw(res, path):
    sections = res.sections()
    with open(path, "w", encoding="ascii") as f:
        f.write('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
                'font-family="sans-serif" font-size="11">\n'
                '<rect width="100%%" height="100%%" fill="white"/>\n' %
                (WIDTH, HEIGHT * len(sections)))
        for i, (members, size) in enumerate(sections):
            f.write('<g transform="translate(0 %d)">\n%s\n</g>\n' % (
                HEIGHT * i, picture(res, members, size)))
        f.write("</svg>\n")
