#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""profile.py - which instructions a machine ran, asked for from inside

    profile.py MONITOR DIR      serve one machine, until SIGTERM

MONITOR is QEMU's monitor (run --monitor), DIR the directory that host and machine share
(run --out). A test creates DIR/ask.NAME and waits for DIR/go.NAME: from then on QEMU runs one
instruction at a time and logs the address of each, until the test creates DIR/end.NAME; when
DIR/go.NAME is gone, DIR/trace.NAME has the addresses, one a line, in order. An emulated
processor has no counters to sample; this is exact, and slow: some 100,000 a second.
"""
import glob
import os
import signal
import socket
import sys
import threading
import time


class Monitor:
    """QEMU's human monitor."""

    def __init__(self, path):
        while True:
            try:
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.connect(path)
                break
            except OSError:
                self.sock.close()
                time.sleep(0.2)
        self.answer()

    def answer(self):
        got = b""
        while not got.endswith(b"(qemu) "):
            more = self.sock.recv(4096)
            if not more:
                sys.exit(0)
            got += more

    def say(self, line):
        self.sock.sendall(line.encode() + b"\n")
        self.answer()


class Log(threading.Thread):
    """Reads QEMU's log of executed addresses from a pipe as long as somebody writes."""

    def __init__(self, pipe):
        super().__init__()
        self.pipe = pipe
        self.pcs = []

    def run(self):
        pcs = self.pcs
        with open(self.pipe, "rb", buffering=1 << 20) as log:
            for line in log:
                # Trace 0: 0x7f... [CS-BASE/PC/FLAGS/CFLAGS] SYMBOL
                if line.startswith(b"Trace "):
                    pcs.append(int(line.split(b"/", 2)[1], 16))


def record(monitor, shared, name, work):
    pipe = os.path.join(work, "log.%s" % name)
    os.mkfifo(pipe)
    log = Log(pipe)
    log.start()
    monitor.say("logfile %s" % pipe)
    monitor.say("log exec,nochain")
    monitor.say("singlestep on")
    open(os.path.join(shared, "go." + name), "w").close()
    while not os.path.exists(os.path.join(shared, "end." + name)):
        time.sleep(0.1)
    monitor.say("singlestep off")
    monitor.say("log none")
    monitor.say("logfile /dev/null")
    log.join()
    with open(os.path.join(shared, "trace." + name), "w") as out:
        out.writelines("%x\n" % pc for pc in log.pcs)
    os.remove(pipe)
    os.remove(os.path.join(shared, "go." + name))


def serve(path, shared):
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    monitor = Monitor(path)
    work = os.path.dirname(path)
    done = set()
    while True:
        for ask in glob.glob(os.path.join(shared, "ask.*")):
            name = os.path.basename(ask)[4:]
            if name not in done:
                done.add(name)
                record(monitor, shared, name, work)
        time.sleep(0.1)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    serve(sys.argv[1], sys.argv[2])
