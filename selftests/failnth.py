# SPDX-License-Identifier: GPL-2.0
"""failnth.py - what failnth.c does, walked through: each allocation of a path fails once"""
import ctypes
import os
import sys

LIMIT = 3000        # a path with more than this has no end
CLONE_NEWNET = 0x40000000

lib = ctypes.CDLL(os.environ["FAILNTH"])
for f in ("send", "recv", "write", "unshare", "load_module"):
    getattr(lib, "failnth_" + f).restype = ctypes.c_long


class Nth:
    """The allocation that is to fail, counted down over several calls."""

    def __init__(self, n=0):
        self.left = ctypes.c_uint(n)
        self.n = n

    def call(self, name, *args):
        r = getattr(lib, "failnth_" + name)(ctypes.byref(self.left), *args)
        if r < 0:
            raise OSError(-r, os.strerror(-r))
        return r

    @property
    def failed(self):
        return self.n > 0 and self.left.value == 0


def result(good, name, *why):
    print("%s - %s" % ("ok" if good else "not ok", name))
    for w in why if not good else ():
        print("# %s" % (w,))
    sys.stdout.flush()
    return good


def walk(name, attempt):
    """attempt(n) -> (failed, complaint); until an attempt without a failure."""
    for n in range(1, LIMIT):
        failed, complaint = attempt(n)
        if complaint:
            return result(False, name, "allocation %d: %s" % (n, complaint))
        if not failed:
            # 0 would mean that nothing was tried at all.
            return result(n > 1, "%s: %d allocations, each failed once" % (name, n - 1))
    return result(False, name, "no end after %d" % LIMIT)
