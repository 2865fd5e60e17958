# SPDX-License-Identifier: GPL-2.0
"""A datagram to a closed port of this host, from an address of this host: dsr_lo.py ADDR PORT. Prints
the error that comes back."""
import errno
import select
import socket
import sys

addr, port = sys.argv[1], int(sys.argv[2])
s = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET, socket.SOCK_DGRAM)
s.bind((addr, port))
s.connect((addr, 9))
s.send(b"hello")
if not select.select([s], [], [], 30)[0]:
    sys.exit("nothing comes back")
try:
    print(s.recv(2000))
except OSError as e:
    print(errno.errorcode[e.errno])
