#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
acceptor_bad.py NAMESPACE INCARNATION NEXT_LSN - an agent with that journal, by hand

Attaches, tries to activate group 1, says what the kernel said, and holds the journal until
it is killed. For a journal whose incarnation the group does not know.
"""
import os
import signal
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from netlink import C, Genl, attrs, enter, u32, u64  # noqa: E402


def main():
    namespace, incarnation, next_lsn = sys.argv[1:4]
    enter(namespace)
    g = Genl()
    a = g.do("JOURNAL_ATTACH", [
        (C["PXS_A_JOURNAL_INCARNATION"], u64(int(incarnation, 0))),
        (C["PXS_A_JOURNAL_NEXT_LSN"], u64(int(next_lsn)))])
    print("attach:", a, flush=True)
    if a.errno:
        return
    epoch, = struct.unpack("=Q", dict(attrs(a.replies[0]))[C["PXS_A_JOURNAL_ATTACH_EPOCH"]])
    a = g.do("GROUP_ACTIVATE", [
        (C["PXS_A_GROUP_ID"], u32(1)), (C["PXS_A_GROUP_ATTACH_EPOCH"], u64(epoch)),
        (C["PXS_A_GROUP_COMMIT"], u64(0))])
    print("activate:", a.errno, a, flush=True)
    signal.pause()


main()
