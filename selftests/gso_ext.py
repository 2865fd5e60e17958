# SPDX-License-Identifier: GPL-2.0
"""Two TCP segments in one packet behind a destination options header, received by this host on a
device of its own: gso_ext.py SOURCE ADDR PORT (IPv6). Their sequence number begins with the byte
that, read 8 bytes too early, says that TCP's header has its greatest length. Prints "received".
"""
import fcntl
import os
import struct
import subprocess
import sys

import packets as pk

# <linux/if_tun.h>, <linux/virtio_net.h>
TUNSETIFF, IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x400454ca, 1, 0x1000, 0x4000
NEEDS_CSUM, GSO_TCPV6 = 1, 4
SEGMENT = 1500 - 40 - 8 - 20

src, dst, port = pk.number(sys.argv[1]), pk.number(sys.argv[2]), int(sys.argv[3])
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, TUNSETIFF, struct.pack("=16sH22x", b"gso0", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR))
subprocess.run(["ip", "link", "set", "gso0", "up"], check=True)

options = struct.pack(">BBBB4x", pk.TCP, 0, 1, 4)
data = b"x" * (2 * SEGMENT)
head = struct.pack(">HHIIBBHHH", 30000, port, 0xf0000001, 1, 5 << 4, 16, 64000, 0, 0)
part = ~pk.checksum(pk.pseudo(src, dst, pk.TCP, len(head) + len(data))) & 0xffff
head = head[:16] + struct.pack(">H", part) + head[18:]
body = options + head + data
packet = struct.pack(">IHBB", 6 << 28, len(body), 60, 64) + src + dst + body
vnet = struct.pack("=BBHHHH", NEEDS_CSUM, GSO_TCPV6, 40 + len(options) + len(head), SEGMENT,
                   40 + len(options), 16)
os.write(fd, vnet + packet)
print("received")
