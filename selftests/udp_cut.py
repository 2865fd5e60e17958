#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Cables between three members on loopback that can be cut: udp_cut.py PORT CUT-FILE.

Member I sends to member J by way of port PORT + 30 + 3 * I + J; J hears at PORT + J. What goes
from or to the member whose number stands in CUT-FILE is dropped (nothing there: all goes through).
CUT-FILE.done is what it said when it was last seen to: from then on nothing comes through.
"""
import os
import selectors
import socket
import sys


def main():
    base, cut_file = int(sys.argv[1]), sys.argv[2]
    sel = selectors.DefaultSelector()
    for i in (1, 2, 3):
        for j in (1, 2, 3):
            if i == j:
                continue
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            s.bind(("127.0.0.1", base + 30 + 3 * i + j))
            s.setblocking(False)
            sel.register(s, selectors.EVENT_READ, (i, j))
    seen = None
    while True:
        ready = sel.select(0.02)
        with open(cut_file, encoding="ascii") as f:
            cut = f.read().strip()
        if cut != seen:
            with open(cut_file + ".new", "w", encoding="ascii") as f:
                f.write(cut)
            os.rename(cut_file + ".new", cut_file + ".done")
            seen = cut
        for key, _ in ready:
            i, j = key.data
            # All that waits: what was sent before a cut may arrive after it, as on a wire.
            for _ in range(64):
                try:
                    data = key.fileobj.recv(65536)
                except BlockingIOError:
                    break
                if cut not in (str(i), str(j)):
                    key.fileobj.sendto(data, ("127.0.0.1", base + j))


main()
