#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Ask the XDP program of bpf/lookup.bpf.c who serves each key of a file, a line each.

    kfunc_ask.py [--send N|--zero] KEYS ADDRESS PORT

prints "KEY ADDRESS:PORT", or "KEY error NAME", one at a time. --send: only send all, N times.
--zero: each key once more, from the port with which the sum of its answer's UDP comes out as 0.
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


def words(data):
    """The sum of 16-bit words."""
    return sum(struct.unpack(f"!{len(data) // 2}H", data))


def port_for_zero(sock, answer):
    """The client's port with which the sum over this answer is 0xffff, whose complement is 0."""
    family = sock.family
    rest = words(answer) + sock.getpeername()[1] + socket.IPPROTO_UDP + 2 * (8 + len(answer))
    for name in (sock.getsockname(), sock.getpeername()):
        rest += words(socket.inet_pton(family, name[0]))
    return -rest % 0xffff


def main():
    """Ask, or send."""
    args = sys.argv[1:]
    times = 0
    zero = args[0] == "--zero"
    if args[0] == "--send":
        times = int(args[1])
        args = args[2:]
    if zero:
        args = args[1:]
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
    sock.settimeout(30)
    for key in keys:
        data = key.encode().ljust(ANSWER.size, b"\0")
        sock.send(data)
        answer = sock.recv(64)
        if zero:
            name = (sock.getsockname()[0], port_for_zero(sock, answer))
            with socket.socket(sock.family, socket.SOCK_DGRAM) as other:
                other.bind(name)
                other.connect((args[1], int(args[2])))
                other.settimeout(30)
                other.send(data)
                answer = other.recv(64)
        print(key, shown(answer, v4), flush=True)


main()
