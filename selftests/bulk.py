# SPDX-License-Identifier: GPL-2.0
"""A long transfer both ways: bulk.py ADDR PORT BYTES. The server greets by a line and echoes;
what comes back must be what was sent. Prints "whole"."""
import hashlib
import socket
import sys

addr, port, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
# 12048 bytes, several segments that go as one packet; no two ends of packets alike. The server
# gives up on a client to whom it owes more than its socket takes: one block at a time.
block = bytes(range(251)) * 48
s = socket.create_connection((addr, port), timeout=60)
f = s.makefile("rb")
f.readline()
blocks = max(1, size // len(block))
sent, got = hashlib.sha256(), hashlib.sha256()
for _ in range(blocks):
    sent.update(block)
    s.sendall(block)
    got.update(f.read(len(block)))
if sent.digest() != got.digest():
    sys.exit("not what was sent")
print("whole")
