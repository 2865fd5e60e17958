#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Sockets that are given to a service as descriptors.

  given.py serve SERVICE udp|tcp ADDR:PORT [OPTIONS]
      One socket, bound there as one of a SO_REUSEPORT group, given by `paxsteer backend add SERVICE
      fd FD OPTIONS`. Says "ready COOKIE", and serves: a datagram is answered by "COOKIE|" and the
      datagram; a connection is greeted by the line "COOKIE", then everything is echoed.

  given.py refuse UDP-SERVICE TCP-SERVICE ADDR ADDR-OF-OTHER-FAMILY NETNS
      Descriptors that are no backend, each with its words: "ok NAME", or "not ok NAME: WHY".
"""
import ctypes
import os
import re
import selectors
import socket
import struct
import subprocess
import sys

SO_COOKIE = 57
CLONE_NEWNET = 0x40000000
KINDS = {'udp': socket.SOCK_DGRAM, 'tcp': socket.SOCK_STREAM}


def family(addr):
    return socket.AF_INET6 if ':' in addr else socket.AF_INET


def cookie(sock):
    return struct.unpack('=Q', sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]


def bound(proto, addr, port):
    s = socket.socket(family(addr), KINDS[proto])
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind((addr, port))
    return s


def give(service, fd, *options):
    """Return: the exit status and what was said."""
    done = subprocess.run(['paxsteer', 'backend', 'add', service, 'fd', str(fd), *options],
                          pass_fds=[fd] if fd < 1000 else [], stderr=subprocess.PIPE, text=True,
                          check=False)
    return done.returncode, done.stderr.strip()


def answer(sock, name):
    data, to = sock.recvfrom(65536)
    sock.sendto(name + b'|' + data, to)


def echo(conn, watched):
    try:
        data = conn.recv(65536)
        if data:
            conn.sendall(data)
            return
    except OSError:
        pass
    watched.unregister(conn)
    conn.close()


def serve(service, proto, where, *options):
    addr, port = where.rsplit(':', 1)
    sock = bound(proto, addr.strip('[]'), int(port))
    if proto == 'tcp':
        sock.listen(512)
    status, said = give(service, sock.fileno(), *options)
    if status:
        sys.exit('given.py: ' + said)
    print('ready', cookie(sock), flush=True)
    name = str(cookie(sock)).encode()
    watched = selectors.DefaultSelector()
    watched.register(sock, selectors.EVENT_READ)
    while True:
        for key, _ in watched.select():
            if key.fileobj is not sock:
                echo(key.fileobj, watched)
            elif proto == 'udp':
                answer(sock, name)
            else:
                conn = sock.accept()[0]
                conn.sendall(name + b'\n')
                watched.register(conn, selectors.EVENT_READ)


def go_to(netns):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(netns, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), 'setns')


def elsewhere(netns, addr):
    """A socket of another namespace: where it was made is where it stays."""
    here = os.open('/proc/self/ns/net', os.O_RDONLY)
    go_to(os.open('/var/run/netns/' + netns, os.O_RDONLY))
    s = bound('udp', '::' if ':' in addr else '0.0.0.0', 7090)
    go_to(here)
    return s


def bad_ones(udp, tcp, addr, other, netns):
    """NAME, SERVICE, what is given, its words."""
    unbound = socket.socket(family(addr), socket.SOCK_DGRAM)
    connected = bound('udp', addr, 7091)
    connected.connect((addr, 9))
    yield 'no descriptor', udp, 1000, 'no such descriptor'
    yield 'a file', udp, os.open('/dev/null', os.O_RDONLY), 'not a socket'
    yield 'a local socket', udp, socket.socketpair()[0], 'neither of IPv4 nor of IPv6'
    yield 'not bound', udp, unbound, 'not bound'
    yield 'connected', udp, connected, 'connected to one peer'
    yield 'of TCP', udp, bound('tcp', addr, 7092), 'protocol'
    yield 'of UDP', tcp, bound('udp', addr, 7092), 'protocol'
    yield 'no listener', tcp, bound('tcp', addr, 7093), 'does not listen'
    yield 'of another family', udp, bound('udp', other, 7094), 'address family'
    yield 'of another namespace', udp, elsewhere(netns, addr), 'another network namespace'


def is_of_fd(words, said):
    return re.search(words + r'.* \(fd\):', said)


def say(name, good, why):
    print('ok ' + name if good else 'not ok %s: %s' % (name, why))


def refuse(udp, tcp, addr, other, netns):
    for name, service, what, words in bad_ones(udp, tcp, addr, other, netns):
        status, said = give(service, what if isinstance(what, int) else what.fileno())
        say(name, status == 2 and is_of_fd(words, said), '%d, %s' % (status, said))
    sock = bound('udp', addr, 7095)
    status, said = give(udp, sock.fileno())
    say('one that is good', status == 0, said)
    status, said = give(udp, sock.fileno(), 'id', '1')
    say('it again', status == 2 and is_of_fd('has this socket', said), said)
    beside = bound('udp', addr, 7095)
    status, said = give(udp, beside.fileno())
    say('another at its address', status == 0, said)


if __name__ == '__main__':
    {'serve': serve, 'refuse': refuse}[sys.argv[1]](*sys.argv[2:])
