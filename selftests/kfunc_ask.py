#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Ask the XDP program of bpf/lookup.bpf.c who serves each key of a file, a line each.

    kfunc_ask.py [--send N] KEYS ADDRESS PORT

prints "KEY ADDRESS:PORT", or "KEY error NAME", one at a time. --send: only send all, N times.
"""
import errno
import ipaddress
import socket
import struct
import sys

ANSWER = struct.Struct("!16sHBBI")


def shown(answer, v4):
    """The address in an answer, as the command shows it."""
    address, port, _, error, _ = ANSWER.unpack(answer)
    if error:
        return "error " + errno.errorcode.get(error, str(error))
    if v4:
        return f"{ipaddress.IPv4Address(address[:4])}:{port}"
    return f"[{ipaddress.IPv6Address(address)}]:{port}"


def main():
    """Ask, or send."""
    args = sys.argv[1:]
    times = 0
    if args[0] == "--send":
        times = int(args[1])
        args = args[2:]
    with open(args[0], encoding="ascii") as file:
        keys = file.read().split()
    v4 = ":" not in args[1]
    sock = socket.socket(socket.AF_INET if v4 else socket.AF_INET6, socket.SOCK_DGRAM)
    for _ in range(times):
        for key in keys:
            sock.sendto(key.encode().ljust(ANSWER.size, b"\0"), (args[1], int(args[2])))
    if times:
        return
    sock.connect((args[1], int(args[2])))
    sock.settimeout(10)
    for key in keys:
        sock.send(key.encode().ljust(ANSWER.size, b"\0"))
        print(key, shown(sock.recv(64), v4), flush=True)


main()
