#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
journal_bytes.py COMMAND FILE ... - change a journal's files on purpose, for tests

  version FILE N        identity or segment: another version, with a right sum
  batches FILE          offset, bytes of records, count of records of each batch
  flip FILE OFFSET      one bit
  zero FILE OFFSET      the 4 KiB block there
"""
import struct
import sys

BLOCK, ID, SEGMENT, BATCH = 4096, 48, 64, 48


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def put(path, offset, data):
    with open(path, "r+b") as f:
        f.seek(offset)
        f.write(data)


def version(path, number):
    head = bytearray(open(path, "rb").read(SEGMENT))
    magic, = struct.unpack_from("<Q", head)
    head = head[:ID if magic == 0x4449535850 else SEGMENT]
    struct.pack_into("<II", head, 8, number, 0)
    struct.pack_into("<I", head, 12, crc32c(head))
    put(path, 0, head)


def batches(path):
    data = open(path, "rb").read()
    at = BLOCK
    while at < len(data):
        magic, _, size, count = struct.unpack_from("<IIII", data, at)
        if magic != 0x48435442:
            break
        print(at, size, count)
        at += (BATCH + size + BLOCK - 1) // BLOCK * BLOCK


def flip(path, offset):
    byte = open(path, "rb").read()[offset]
    put(path, offset, bytes([byte ^ 0x10]))


def main():
    command, path, *rest = sys.argv[1:]
    number = int(rest[0]) if rest else 0
    if command == "version":
        version(path, number)
    elif command == "batches":
        batches(path)
    elif command == "flip":
        flip(path, number)
    elif command == "zero":
        put(path, number, bytes(BLOCK))
    else:
        sys.exit("journal_bytes.py: " + command + "?")


main()
