#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""tcp_drain.py ADDR PORT N: connections that are asked, when told, whether they are still there

Each server says its name first and echoes then. For each line of standard input a line is printed:
"NAME ECHOES ENDED" for each server, in order, blanks between them; the first comes unasked.
A connection that neither echoes nor ends within TIMEOUT is an error.
"""
import socket
import sys

TIMEOUT = 60


class Connection:
    def __init__(self, addr, port):
        self.sock = socket.create_connection((addr, port), TIMEOUT)
        self.file = self.sock.makefile("rb")
        self.name = self.file.readline().decode().strip()
        self.asked = 0

    def echoes(self):
        self.asked += 1
        said = b"ping %d\n" % self.asked
        try:
            self.sock.sendall(said)
            return self.file.readline() == said
        except (ConnectionResetError, BrokenPipeError):
            return False


def main():
    addr, port, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    all_of = [Connection(addr, port) for _ in range(n)]
    while True:
        seen = {}
        for c in all_of:
            count = seen.setdefault(c.name, [0, 0])
            count[not c.echoes()] += 1
        print(" ".join("%s %d %d" % (k, *v) for k, v in sorted(seen.items())), flush=True)
        if not sys.stdin.readline():
            break


main()
