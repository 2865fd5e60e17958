#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""bench_paxos.py - measures for bench_paxos.sh, inside its machine

    bench_paxos.py WHAT.json RESULTS

WHAT.json describes what runs: {"kernel": {"sockets": ..., "pids": [...]}, "user": ...,
"etcd_disk": {"pids": [...], "at": [...]}, "members": N, "size": BYTES, "load": PAXLOAD,
"disk": FILE, "rtt": [COMMAND...]}. Appends to RESULTS a JSON object a line: one case of one
round. ROUNDS, MS, FLIGHTS and CASES are in the environment. Runs on a host of the cluster.
"""
import http.client
import json
import os
import signal
import subprocess
import sys
import time

# Its part of WHAT, and the group; of etcd there are two.
CASES = {"kernel_memory": ("kernel", 2), "user_memory": ("user", 2),
         "kernel_disk": ("kernel", 1), "user_disk": ("user", 1),
         "etcd_memory": ("etcd_memory", 0), "etcd_disk": ("etcd_disk", 0)}
TICK = os.sysconf("SC_CLK_TCK")


def text(path):
    with open(path, encoding="ascii") as f:
        return f.read()


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def sleeps_and_cpu(pids):
    """Of all threads: how often they went to sleep, and seconds on a processor."""
    sleeps = ns = 0
    for pid in pids:
        for tid in os.listdir("/proc/%d/task" % pid):
            task = "/proc/%d/task/%s/" % (pid, tid)
            try:
                status, sched = text(task + "status"), text(task + "schedstat")
            except FileNotFoundError:
                continue
            sleeps += int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
            ns += int(sched.split()[0])
    return sleeps, ns / 1e9


def machine():
    """Seconds that processors were busy, and context switches, of all that runs here."""
    stat = text("/proc/stat")
    ticks = [int(x) for x in stat.split("\n", 1)[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / TICK, int(stat.partition("\nctxt ")[2].split()[0])


def packets(pids):
    """Sent by the hosts of these processes, over their cable."""
    n = 0
    for pid in pids:
        for line in text("/proc/%d/net/dev" % pid).splitlines():
            if line.strip().startswith("eth0:"):
                n += int(line.split(":")[1].split()[9])
    return n


def metrics(at):
    conn = http.client.HTTPConnection(at, timeout=30)
    conn.request("GET", "/metrics")
    out = {}
    for line in conn.getresponse().read().decode().splitlines():
        name, _, value = line.partition(" ")
        if not line.startswith("#"):
            out[name] = float(value)
    conn.close()
    return out


def counters(part):
    sleeps, cpu = sleeps_and_cpu(part["pids"])
    busy, switches = machine()
    out = {"cpu": cpu, "machine_cpu": busy, "wakeups": sleeps, "switches": switches,
           "packets": packets(part["pids"]), "netlink": 0}
    if "at" in part:
        out["flushes"] = sum(metrics(at)["etcd_disk_wal_fsync_duration_seconds_count"]
                             for at in part["at"])
    else:
        said = run("paxsteer", "-j", "log", "-S", part["sockets"], "status").splitlines()
        nodes = [json.loads(line) for line in said]
        out["flushes"] = sum(n["journal"]["flushes"] for n in nodes)
        out["netlink"] = sum(n["netlink_sent"] + n["netlink_received"] for n in nodes)
    return out


def leader(part):
    for i, at in enumerate(part["at"]):
        try:
            if metrics(at).get("etcd_server_is_leader"):
                return i
        except OSError:
            pass
    return None


def wake(part):
    """etcd's idling alone keeps an emulated machine busy: it sleeps while others are measured."""
    for pid in part["pids"]:
        os.kill(pid, signal.SIGCONT)
    end = time.monotonic() + 120
    while time.monotonic() < end:
        i = leader(part)
        if i is not None:
            return i
        time.sleep(0.2)
    sys.exit("etcd has no leader")


def put_to_sleep(part):
    for pid in part["pids"]:
        os.kill(pid, signal.SIGSTOP)


def load(what, part, group, flight, i, ms):
    """@i: etcd's leader, on whose host the client is to run, as it does with the others."""
    args = [what["load"], "-o", str(flight), "-s", str(what["size"]), "-t", str(ms)]
    if "at" in part:
        args = ["nsenter", "-t", str(part["pids"][i]), "-n"] + args + ["etcd", part["at"][i]]
    else:
        args += ["log", part["sockets"], str(group)]
    return [float(x) for x in run(*args).split()]


def one(what, case, flight, ms):
    name, group = CASES[case]
    part = what[name]
    i = wake(part) if "at" in part else 0
    before = counters(part)
    count, seconds, rate, p50, p99, everything = load(what, part, group, flight, i, ms)
    after = counters(part)
    if "at" in part:
        put_to_sleep(part)
    # Between both looks at the counters everything was appended, not only what was measured.
    per = {k: (after[k] - before[k]) / everything for k in after}
    return {"case": case, "flight": flight, "count": count, "seconds": seconds, "rate": rate,
            "p50": p50, "p99": p99, "per": per}


def floor(what):
    """One flush of a block, and one round trip between processes on two hosts: microseconds."""
    flush = run(what["load"], "-t", "500", "disk", what["disk"]).split()
    return {"flush": float(flush[3]), "rtt": float(run(*what["rtt"]).split()[1])}


def main(what_file, results):
    what = json.loads(text(what_file))
    cases = [c for c in os.environ["CASES"].split() if CASES[c][0] in what]
    flights = [int(f) for f in os.environ["FLIGHTS"].split()]
    rounds, ms = int(os.environ["ROUNDS"]), int(os.environ["MS"])
    for part in what.values():
        if isinstance(part, dict) and "at" in part:
            wake(part)
            put_to_sleep(part)
    with open(results, "a", encoding="ascii") as f:
        for r in range(1, rounds + 1):
            base = {"members": what["members"], "size": what["size"], "round": r}
            base.update(floor(what))
            for flight in flights:
                # There and back again, so that no case always follows the same one.
                for case in cases if r % 2 else cases[::-1]:
                    out = dict(base, **one(what, case, flight, ms))
                    f.write(json.dumps(out) + "\n")
                    f.flush()
                    print("# %d members, %d bytes, round %d of %d: %s, %d outstanding: %.0f a "
                          "second, p50 %.1f ms" % (what["members"], what["size"], r, rounds, case,
                                                   flight, out["rate"], out["p50"] / 1000),
                          flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
