#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""bench_store.py - measures for bench_store.sh inside its machine, and reports outside

    bench_store.py measure RESULTS
    bench_store.py report DIR

ROUNDS, REQUESTS, CLIENTS, LOAD, PASSWORD and ETCD (process ids) are in the environment of the
first. RESULTS gets a JSON object a line: one case of one round. DIR holds "results" and
"machine" (lines of a word and what it is).
"""
import csv
import json
import os
import signal
import statistics
import subprocess
import sys
import time

SIZE = 64
SET, GET = ["-t", "set"], ["-t", "get"]
# Keys that redis-benchmark draws: mostly of two groups.
MSET = ["MSET", "a:__rand_int__", "x" * SIZE, "b:__rand_int__", "x" * SIZE]
# Name: server, host, port, command. "etcd" has paxload's arguments.
CASES = {
    "write: one Redis, flushed": ("redis", 1, 6400, SET),
    "write: etcd": ("etcd", 1, 2379, []),
    "write: store": ("store", 1, 6379, SET),
    "read: one Redis": ("redis", 1, 6400, GET),
    "read: etcd, linearizable": ("etcd", 1, 2379, ["get"]),
    "read: store, strong": ("store", 1, 6379, GET),
    "read: store, bounded": ("store", 2, 6380, GET),
    "read: store, eventual": ("store", 2, 6381, GET),
    "two keys: one Redis, MSET": ("redis", 1, 6400, MSET),
    "two keys: three groups, MSET": ("store", 1, 6389, MSET),
}
# What each is compared with, when it was measured.
AGAINST = {"write": ("write: one Redis, flushed", "write: etcd"),
           "read": ("read: one Redis", "read: etcd, linearizable"),
           "two keys": ("two keys: one Redis, MSET",)}


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def wait_for_etcd(hosts):
    """Return: the host of the one that leads."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        for host in hosts:
            try:
                said = run("ip", "netns", "exec", "pxs-n%d" % host, sys.executable, "-c",
                           "import urllib.request as u\nprint(u.urlopen('http://10.77.0.%d:2379/"
                           "metrics', timeout=5).read().decode())" % host)
            except subprocess.CalledProcessError:
                continue
            if "\netcd_server_is_leader 1" in said:
                return host
        time.sleep(0.2)
    sys.exit("etcd has no leader")


def redis(host, port, clients, command):
    with open(os.environ["PASSWORD"], encoding="ascii") as f:
        password = f.read().strip()
    said = run("ip", "netns", "exec", "pxs-n%d" % host, "redis-benchmark", "-h",
               "10.77.0.%d" % host, "-p", str(port), "-a", password, "-c", str(clients), "-n",
               os.environ["REQUESTS"], "-r", "1000", "-d", str(SIZE), "--csv", *command)
    row = list(csv.DictReader(said.splitlines()))[-1]
    return {"rate": float(row["rps"]), "p50": float(row["p50_latency_ms"]),
            "p99": float(row["p99_latency_ms"])}


def etcd(pids, clients, words):
    """Its idling alone keeps an emulated machine busy: it sleeps while others are measured."""
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    host = wait_for_etcd(range(1, len(pids) + 1))
    said = run("ip", "netns", "exec", "pxs-n%d" % host, os.environ["LOAD"], "-o", str(clients),
               "-s", str(SIZE), "-t", "1000", "etcd", "10.77.0.%d:2379" % host, *words)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    _, _, rate, p50, p99, _ = (float(x) for x in said.split())
    return {"rate": rate, "p50": p50 / 1000, "p99": p99 / 1000}


def possible(case, pids):
    kind, host, port, command = CASES[case]
    if kind == "etcd":
        return bool(pids)
    if command is not MSET or kind == "redis":
        return True
    with open(os.environ["PASSWORD"], encoding="ascii") as f:
        password = f.read().strip()
    said = run("ip", "netns", "exec", "pxs-n%d" % host, "redis-cli", "--no-auth-warning", "-a",
               password, "-h", "10.77.0.%d" % host, "-p", str(port), "MSET", "a:1", "1", "b:2",
               "2", "c:3", "3", "d:4", "4", "e:5", "5")
    return said.strip() == "OK"


def measure(results):
    pids = [int(x) for x in os.environ.get("ETCD", "").split()]
    rounds = int(os.environ["ROUNDS"])
    cases = [c for c in CASES if possible(c, pids)]
    for c in CASES:
        if c not in cases:
            print("# %s: not possible, left out" % c, flush=True)
    if pids:
        wait_for_etcd(range(1, len(pids) + 1))
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
    with open(results, "w", encoding="ascii") as f:
        for r in range(1, rounds + 1):
            for clients in (int(c) for c in os.environ["CLIENTS"].split()):
                # There and back again, so that no case always follows the same one.
                for case in cases if r % 2 else cases[::-1]:
                    kind, host, port, command = CASES[case]
                    if kind == "etcd":
                        row = etcd(pids, clients, command)
                    else:
                        row = redis(host, port, clients, command)
                    row.update(case=case, clients=clients, round=r)
                    f.write(json.dumps(row) + "\n")
                    f.flush()
                    print("# round %d of %d, %d clients: %s: %.0f a second" % (
                        r, rounds, clients, case, row["rate"]), flush=True)


def spread(values, form):
    return "%s [%s..%s]" % tuple(form % v for v in
                                 (statistics.median(values), min(values), max(values)))


def report(where):
    with open(os.path.join(where, "machine"), encoding="ascii") as f:
        machine = dict(line.rstrip("\n").split(" ", 1) for line in f)
    with open(os.path.join(where, "results"), encoding="ascii") as f:
        rows = [json.loads(line) for line in f]
    print("# kernel %(kernel)s, %(processors)s processors, Redis %(redis)s, etcd %(etcd)s, "
          "a write or flush of the disk %(disk_us)s us, %(rounds)s rounds of "
          "%(requests)s requests" % machine)
    if machine["virtual"] == "1":
        print("# in a virtual machine; emulated unless it has KVM: absolute times mean nothing, "
              "ratios of one round do")
    for clients in sorted({r["clients"] for r in rows}):
        print("\n%d clients" % clients)
        line = "%-30s %-24s %-22s %-22s %s"
        print(line % ("case", "a second", "p50 ms", "p99 ms", "rate by another's"))
        of = {}
        for r in rows:
            if r["clients"] == clients:
                of.setdefault(r["case"], {})[r["round"]] = r
        for case in (c for c in CASES if c in of):
            mine = of[case]
            ratios = []
            for other in AGAINST[case.split(":")[0]]:
                if other != case and other in of:
                    by = [mine[n]["rate"] / of[other][n]["rate"] for n in sorted(mine)
                          if n in of[other]]
                    ratios.append("%s %s" % (other.split(": ")[1].split(",")[0],
                                             spread(by, "%.2f")))
            print(line % (case, spread([r["rate"] for r in mine.values()], "%.0f"),
                          spread([r["p50"] for r in mine.values()], "%.1f"),
                          spread([r["p99"] for r in mine.values()], "%.1f"),
                          "; ".join(ratios)))


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("measure", "report"):
        sys.exit(__doc__)
    {"measure": measure, "report": report}[sys.argv[1]](sys.argv[2])
