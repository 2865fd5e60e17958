# SPDX-License-Identifier: GPL-2.0
"""Packets made and read by hand: IPv4 and IPv6 with UDP or TCP, checksums included."""
import socket
import struct

UDP, TCP = 17, 6
SYN, SYN_ACK = 2, 18


def number(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def checksum(data):
    s = sum(struct.unpack(">%dH" % ((len(data) + 1) // 2), data + bytes(len(data) % 2)))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return s ^ 0xffff


def pseudo(src, dst, proto, length):
    return src + dst + struct.pack(">IxxxB", length, proto)


def transport(proto, src, sport, dst, dport, data, answer):
    """A datagram, or the first segment of a connection in its direction, with data."""
    if proto == UDP:
        head = struct.pack(">HHHH", sport, dport, 8 + len(data), 0)
        at = 6
    else:
        head = struct.pack(">HHIIBBHHH", sport, dport, 1000, 1001 if answer else 0, 5 << 4,
                           SYN_ACK if answer else SYN, 64000, 0, 0)
        at = 16
    c = checksum(pseudo(src, dst, proto, len(head) + len(data)) + head + data) or 0xffff
    return head[:at] + struct.pack(">H", c) + head[at + 2:] + data


def packet(proto, src, sport, dst, dport, data, answer=False):
    src, dst = number(src), number(dst)
    body = transport(proto, src, sport, dst, dport, data, answer)
    if len(src) == 16:
        return struct.pack(">IHBB", 6 << 28, len(body), proto, 64) + src + dst + body
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, proto, 0) + src + dst
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + body


def addresses(p):
    """(protocol, source, destination, what is behind the header)"""
    if p[0] >> 4 == 6:
        return p[6], p[8:24], p[24:40], p[40:]
    return p[9], p[12:16], p[16:20], p[20:]


def is_packet(p, proto, src, sport, dst, dport, data):
    """Exactly this, with right checksums; hop limits and identifiers may be any."""
    if p[0] >> 4 == 4 and checksum(p[:20]):
        return False
    got = addresses(p)
    body = got[3]
    if got[:3] != (proto, number(src), number(dst)):
        return False
    if checksum(pseudo(got[1], got[2], proto, len(body)) + body):
        return False
    head = 8 if proto == UDP else 20
    return struct.unpack(">HH", body[:4]) == (sport, dport) and body[head:] == data


def own_talk(p):
    """What a host says of itself over IPv6: neighbour discovery, listener reports."""
    return p[0] >> 4 == 6 and (p[6] in (0, 58) or p[24] == 0xff)


def last_byte_of_destination(p):
    return p[39 if p[0] >> 4 == 6 else 19]
