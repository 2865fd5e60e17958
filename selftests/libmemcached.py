#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""libmemcached.py - what libmemcached itself chooses and does, for steer_changes.sh

    libmemcached.py choices KEYS SERVER...   "KEY ADDR:PORT" of each, by its weighted ketama;
                                             SERVER: ADDR:PORT=WEIGHT
    libmemcached.py load ADDR PORT KEYS      set and get them in turn until SIGTERM; every answer is
                                             what was set, or that it is not there
"""
import ctypes
import os
import signal
import sys

KETAMA_WEIGHTED = 16
NOT_FOUND = 16

libc = ctypes.CDLL(None)
mc = ctypes.CDLL("libmemcached.so.11")
mc.memcached_create.restype = ctypes.c_void_p
mc.memcached_create.argtypes = [ctypes.c_void_p]
mc.memcached_behavior_set.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint64]
mc.memcached_server_add_with_weight.argtypes = [
    ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint16, ctypes.c_uint32]
mc.memcached_generate_hash.restype = ctypes.c_uint32
mc.memcached_generate_hash.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
mc.memcached_set.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p,
                             ctypes.c_size_t, ctypes.c_long, ctypes.c_uint32]
mc.memcached_get.restype = ctypes.c_void_p
mc.memcached_get.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t] + \
    3 * [ctypes.c_void_p]
mc.memcached_strerror.restype = ctypes.c_char_p
mc.memcached_strerror.argtypes = [ctypes.c_void_p, ctypes.c_int]
libc.free.argtypes = [ctypes.c_void_p]


def check(st, what, rc):
    if rc:
        sys.exit("%s: %s" % (what, mc.memcached_strerror(st, rc).decode()))


def add(st, addr, port, weight):
    check(st, addr, mc.memcached_server_add_with_weight(st, addr.encode(), port, weight))


def keys_of(path):
    return open(path, "rb").read().split()


def choices(path, *servers):
    st = mc.memcached_create(None)
    check(st, "ketama", mc.memcached_behavior_set(st, KETAMA_WEIGHTED, 1))
    names = []
    for server in servers:
        name, _, weight = server.partition("=")
        addr, _, port = name.rpartition(":")
        add(st, addr.strip("[]"), int(port), int(weight))
        names.append(name)
    for key in keys_of(path):
        print(key.decode(), names[mc.memcached_generate_hash(st, key, len(key))])


def get(st, key):
    size, flags, rc = ctypes.c_size_t(), ctypes.c_uint32(), ctypes.c_int()
    at = mc.memcached_get(st, key, len(key), ctypes.byref(size), ctypes.byref(flags),
                          ctypes.byref(rc))
    if rc.value == NOT_FOUND:
        return None
    check(st, "get " + key.decode(), rc.value)
    value = ctypes.string_at(at, size.value)
    libc.free(at)
    return value


def load(addr, port, path):
    st = mc.memcached_create(None)
    add(st, addr, int(port), 1)
    over = []
    signal.signal(signal.SIGTERM, lambda *_: over.append(1))
    done = found = 0
    last = {}
    # An earlier load's values may be there yet, at an owner that has not had the key since.
    run = os.urandom(4).hex().encode() + b"-"
    while not over:
        for key in keys_of(path):
            if over:
                break
            key = run + key
            value = b"%s of %d" % (key, done)
            # Who owned it before may own it again, and have what it was then.
            last.setdefault(key, set()).add(value)
            check(st, "set " + key.decode(),
                  mc.memcached_set(st, key, len(key), value, len(value), 0, 0))
            got = get(st, key)
            if got is not None and got not in last[key]:
                sys.exit("%s: %r, which nobody has set" % (key.decode(), got))
            done += 1
            found += got is not None
            if done % 50 == 0:
                print("running", done, flush=True)
    print("%d set and asked for, %d of them found" % (done, found))


what, *rest = sys.argv[1:]
{"choices": choices, "load": load}[what](*rest)
