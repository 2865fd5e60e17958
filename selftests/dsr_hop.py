# SPDX-License-Identifier: GPL-2.0
"""One datagram with few hops left: dsr_hop.py ADDR PORT HOPS [CLASS]. Prints the error that comes back,
or "answered"."""
import errno
import select
import socket
import sys

# <linux/in.h>, <linux/in6.h>: Python does not know them
IP_RECVERR, IPV6_RECVERR = 11, 25

addr, port, hops = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
traffic_class = int(sys.argv[4], 0) if len(sys.argv) > 4 else 0
if ":" in addr:
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hops)
    s.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, traffic_class)
else:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hops)
    s.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, traffic_class)
s.connect((addr, port))
s.send(b"....k00001")
if not select.select([s], [], [], 30)[0]:
    sys.exit("nothing comes back")
try:
    s.recv(2000)
    print("answered")
except OSError as e:
    print(errno.errorcode[e.errno])
