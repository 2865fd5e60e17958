#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
volatile_disk.py FILE SOCKET SEED - a disk that forgets what was not flushed

An NBD server for one client (QEMU). Writes stay in memory until a FLUSH, or FUA, puts
all that was written before into FILE. When the client goes away without saying goodbye
(SIGKILL: a power cut) each sector that was written and not flushed survives with
probability 1/2, whatever its neighbours do; the rest is as it was at the last flush.
The next server for FILE must only start when this one has ended: it ends by itself. The machine
that it runs on keeps its power: nothing is flushed there.
"""
import os
import random
import socket
import struct
import sys

SECTOR = 512
READ, WRITE, DISC, FLUSH = 0, 1, 2, 3
FUA = 1


class Disk:
    def __init__(self, path, seed):
        self.fd = os.open(path, os.O_RDWR)
        self.size = os.fstat(self.fd).st_size
        self.dirty = {}
        self.random = random.Random(seed)
        self.flushes = 0

    def read(self, offset, length):
        data = bytearray(os.pread(self.fd, length, offset))
        if self.dirty:
            first = offset // SECTOR
            for i in range(length // SECTOR):
                sector = self.dirty.get(first + i)
                if sector is not None:
                    data[i * SECTOR:(i + 1) * SECTOR] = sector
        return data

    def write(self, offset, data):
        first = offset // SECTOR
        for i in range(len(data) // SECTOR):
            self.dirty[first + i] = data[i * SECTOR:(i + 1) * SECTOR]

    def put(self, sectors):
        for n in sectors:
            os.pwrite(self.fd, self.dirty[n], n * SECTOR)

    def flush(self):
        self.flushes += 1
        self.put(self.dirty)
        self.dirty.clear()

    def power_cut(self):
        kept = [n for n in self.dirty if self.random.random() < 0.5]
        self.put(kept)
        print(f"{self.flushes} flushes, {len(self.dirty)} sectors in the disk's cache at the "
              f"cut, {len(kept)} of them survived", file=sys.stderr, flush=True)


def exactly(conn, n):
    data = bytearray()
    while len(data) < n:
        part = conn.recv(n - len(data))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


def handshake(conn, size):
    """Fixed newstyle; options other than GO and EXPORT_NAME are refused."""
    flags = 1 | 1 << 2 | 1 << 3    # has flags, FLUSH, FUA
    conn.sendall(b"NBDMAGICIHAVEOPT" + struct.pack(">H", 3))
    exactly(conn, 4)
    while True:
        _, option, length = struct.unpack(">8sII", exactly(conn, 16))
        exactly(conn, length)
        reply = struct.pack(">QI", 0x3e889045565a9, option)
        if option == 1:             # EXPORT_NAME
            conn.sendall(struct.pack(">QH", size, flags))
            return
        if option == 7:             # GO
            info = struct.pack(">HQH", 0, size, flags)
            conn.sendall(reply + struct.pack(">II", 3, len(info)) + info)
            conn.sendall(reply + struct.pack(">II", 1, 0))
            return
        conn.sendall(reply + struct.pack(">II", 0x80000001, 0))


def serve(conn, disk):
    while True:
        _, flags, kind, handle, offset, length = struct.unpack(">IHHQQI", exactly(conn, 28))
        data = b""
        if kind == READ:
            data = disk.read(offset, length)
        elif kind == WRITE:
            disk.write(offset, exactly(conn, length))
            if flags & FUA:
                disk.flush()
        elif kind == FLUSH:
            disk.flush()
        elif kind == DISC:
            disk.flush()
            return
        conn.sendall(struct.pack(">IIQ", 0x67446698, 0, handle) + bytes(data))


def main():
    path, name, seed = sys.argv[1:4]
    disk = Disk(path, int(seed))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(name)
    listener.listen(1)
    conn, _ = listener.accept()
    os.unlink(name)
    try:
        handshake(conn, disk.size)
        serve(conn, disk)
    except (EOFError, ConnectionError):
        disk.power_cut()


main()
