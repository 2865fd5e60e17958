#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Commands that are larger than a value of the log: store_large.py --ports P,P,P WHAT

sizes   a string of every size around a boundary, a command of many arguments, a transaction of
        several, and what is refused; compared with what was sent
load    for --seconds, and until the file --until is there: large values to one key by a client that follows the leader;
        --acked FILE holds the number of the last one that was acknowledged
check   the key holds one of them, whole, and none older than --acked says
"""
import argparse
import sys
import time

import redis

from store_node import goes_on

PART = 16384 - 48 - 8       # bytes that a part has room for
STRING_MAX = 4 << 20
KEY = "large"


def connect(ports):
    """A client of the member that leads and answers."""
    while True:
        for port in ports:
            r = redis.Redis(port=port, socket_timeout=20)
            try:
                r.exists(KEY)
                return r
            except redis.RedisError:
                r.close()
        time.sleep(0.05)


def value(number, size):
    return (b"%08d" % number) * (size // 8)


def refused(call, words):
    try:
        call()
    except redis.ResponseError as e:
        return words in str(e)
    return False


def sizes(r):
    around = [16384, PART, 2 * PART, 3 * PART, 65536, 1 << 20]
    for n in sorted({base + d for base in around for d in (-100, -65, -64, -1, 0, 1, 40)}) + [
            STRING_MAX]:
        v = bytes(i % 251 for i in range(997)) * (n // 997 + 1)
        v = v[:n]
        assert r.set(KEY, v), n
        assert r.get(KEY) == v, n
    assert refused(lambda: r.append(KEY, "x"), "string exceeds maximum allowed size")
    assert refused(lambda: r.mset({f"{KEY}{i}": b"x" * (3 << 20) for i in range(3)}),
                   "too large for the log")
    assert r.exists(f"{KEY}0") == 0
    many = {f"{KEY}:{i}": str(i) for i in range(20000)}
    assert r.mset(many) and r.mget(list(many)) == [v.encode() for v in many.values()]
    assert r.delete(*many) == len(many)
    pipe = r.pipeline(transaction=True)
    for i in range(20):
        pipe.set(f"{KEY}{i}", b"t" * 30000).strlen(f"{KEY}{i}")
    assert pipe.execute() == [True, 30000] * 20
    assert r.delete(*[f"{KEY}{i}" for i in range(20)]) == 20


def load(args):
    r, number, end = connect(args.ports), 0, time.monotonic() + args.seconds
    while goes_on(end, args.until):
        number += 1
        try:
            r.set(KEY, value(number, 200000))
        except redis.RedisError:
            r.close()
            r = connect(args.ports)
            continue
        with open(args.acked, "w", encoding="ascii") as f:
            f.write(str(number))
    print(f"{number} large values")


def check(args):
    with open(args.acked, encoding="ascii") as f:
        acked = int(f.read())
    v = connect(args.ports).get(KEY)
    number = int(v[:8])
    assert v == value(number, 200000), f"{len(v)} bytes, not one value"
    assert number >= acked, f"{number}, but {acked} was acknowledged"
    print(f"value {number} of {acked} acknowledged at least")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--ports", required=True, type=lambda s: [int(x) for x in s.split(",")])
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--until", metavar="FILE", help="go on after --seconds until it is there")
    p.add_argument("--acked")
    p.add_argument("what", choices=["sizes", "load", "check"])
    args = p.parse_args()
    if args.what == "sizes":
        sizes(connect(args.ports))
    else:
        {"load": load, "check": check}[args.what](args)


if __name__ == "__main__":
    sys.exit(main())
