# SPDX-License-Identifier: GPL-2.0
"""The outer header of the first packet in a tunnel that holds some text: tunnel_seen.py DEVICE
TEXT. Prints "listens", then "outer PROTOCOL CLASS HOPS DF", CLASS in hex, DF "df" or "-"; of UDP
also whether the source port is one of a flow's ("49152.."), the port and the first word behind
the UDP header in hex."""
import socket
import sys

device, text = sys.argv[1], sys.argv[2].encode()
s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.ntohs(3))
s.bind((device, 3))
s.settimeout(60)
print("listens", flush=True)
while True:
    p = s.recv(65536)
    v4 = p[0] >> 4 == 4
    proto, at = (p[9], 20) if v4 else (p[6], 40)
    # Only what is in a tunnel: the text is behind another IP header and UDP's.
    if text in p and p.index(text) > at + 20:
        break
if v4:
    words = [str(proto), "%02x" % p[1], str(p[8]), "df" if p[6] & 0x40 else "-"]
else:
    words = [str(proto), "%02x" % ((p[0] & 15) << 4 | p[1] >> 4), str(p[7]), "-"]
if proto == 17:
    sport, dport = int.from_bytes(p[at:at + 2], "big"), int.from_bytes(p[at + 2:at + 4], "big")
    words += ["49152.." if sport >= 49152 else str(sport), str(dport), p[at + 8:at + 12].hex()]
print("outer", *words, flush=True)
