# SPDX-License-Identifier: GPL-2.0
"""failslab_packets.py - packets of failslab.py: through a director, and between hosts"""
import ctypes
import fcntl
import os
import select
import signal
import socket
import struct
import subprocess

import netlink as nl
import packets as pk
from failnth import CLONE_NEWNET, Nth, walk
from netlink import backend, be16, mode, must, of, service

GUE_PORT = 6080

# --- packets ---------------------------------------------------------------------

def tun(name):
    """A device whose packets are read and written here, received as they are written."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, 0x400454ca, struct.pack("=16sH22x", name.encode(), 0x1001))
    return fd


def put(fd, packet, n=0):
    nth = Nth(n)
    try:
        nth.call("write", fd, packet, len(packet))
    except OSError as e:
        if not nth.failed:
            raise SystemExit("Bail out! write: %s" % e) from e
    return nth.failed


def get(fd):
    """All packets that are there, but for what IPv6 says of itself."""
    out = []
    while True:
        try:
            p = os.read(fd, 1 << 16)
        except BlockingIOError:
            return out
        if not pk.own_talk(p):
            out.append(p)


class Way:
    """What goes in at one device and must come out, changed, at the other. first: a Way whose
    packet goes before each. renew(): called before that."""

    def __init__(self, name, here, there, make, want, first=None, renew=None):
        self.name, self.here, self.there, self.make, self.want = name, here, there, make, want
        self.first, self.renew = first, renew

    def once(self, n):
        flow = 10000 + n
        if self.renew:
            self.renew()
        if self.first:
            put(self.first.here, self.first.make(flow))
            get(self.first.there)
        get(self.there)
        failed = put(self.here, self.make(flow), n)
        got = get(self.there)
        if len(got) > 1 or (got and not self.want(flow, got[0])):
            return failed, "came out wrong: %s" % [g.hex() for g in got]
        if not got and not failed:
            return False, "was lost without a failure"
        # The client tries again, and nothing fails.
        put(self.here, self.make(flow))
        got = get(self.there)
        if len(got) != 1 or not self.want(flow, got[0]):
            return failed, "the next one: %s" % [g.hex() for g in got]
        get(self.here)
        return failed, None

    def walk(self):
        return walk(self.name, self.once)


def ways(c, b, proto, client, vip, server):
    def request(flow):
        return pk.packet(proto, client, flow, vip, 7000, b"key-%d" % flow)

    def answer(flow):
        return pk.packet(proto, server, 7000, client, flow, b"re-%d" % flow, answer=True)

    def at_server(flow, p):
        return pk.is_packet(p, proto, client, flow, server, 7000, b"key-%d" % flow)

    def at_client(flow, p):
        return pk.is_packet(p, proto, vip, 7000, client, flow, b"re-%d" % flow)

    name = "%s %s" % ("tcp" if proto == 6 else "udp", "v6" if ":" in client else "v4")
    there = Way(name + " request", c, b, request, at_server)
    back = Way(name + " answer", b, c, answer, at_client, there)
    return (there, back)


def unwrap(by, p, src, dst):
    """What is in a tunnel's packet from src to dst, or None."""
    proto, from_, to, body = pk.addresses(p)
    if (from_, to) != (pk.number(src), pk.number(dst)) or (len(to) == 4 and pk.checksum(p[:20])):
        return None
    if by == "tunnel ipip":
        return body if proto in (4, 41) else None
    if proto != 17 or body[2:4] != be16(GUE_PORT):
        return None
    return None if pk.checksum(pk.pseudo(from_, to, 17, len(body)) + body) else body[12:]


def forwarded(g, c, b, by, proto, client, vip, here, server):
    """A packet by dsr or a tunnel to a backend that it has no route to yet."""
    name = "%s %d, %s to %s" % (by, proto, client, server)
    at = backend("f", server, 7300)

    def request(flow):
        return pk.packet(proto, client, flow, vip, 7300, b"key-%d" % flow)

    def arrived(flow, p):
        p = p if by == "dsr" else unwrap(by, p, here, server)
        return p and pk.is_packet(p, proto, client, flow, vip, 7300, b"key-%d" % flow)

    def renew():
        must(g, "BACKEND_DEL", at)
        must(g, "BACKEND_ADD", at)

    must(g, "SERVICE_ADD", service("f", proto, vip, 7300, MODE=mode(by)))
    must(g, "BACKEND_ADD", at)
    Way(name + ", first", c, b, request, arrived, renew=renew).walk()
    Way(name, c, b, request, arrived).walk()
    must(g, "SERVICE_DEL", of("SERVICE", NAME="f"))


def local_once(sk, c, make, n):
    failed = put(c, make(n), n)
    try:
        got = sk.recvfrom(1000)[0]
    except BlockingIOError:
        got = None
    if got not in (None, b"key-%d" % n) or (got is None and not failed):
        return failed, "got %r" % got
    put(c, make(n))
    try:
        got = sk.recvfrom(1000)[0]
    except BlockingIOError:
        got = None
    return failed, None if got == b"key-%d" % n else "the next one: %r" % got


# A client behind c0, a server behind b0: both are this program.
DEVICES = """\
addr add 192.0.2.1/32 dev lo
addr add 2001:db8::1/128 dev lo nodad
addr add 10.1.0.1/24 dev c0
addr add fd01::1/64 dev c0 nodad
addr add 10.2.0.1/24 dev b0
addr add fd02::1/64 dev b0 nodad
link set c0 up
link set b0 up
"""


def steer():
    g = nl.Genl()
    c, b = tun("c0"), tun("b0")
    subprocess.run(["ip", "-batch", "-"], input=DEVICES.encode(), check=True)
    for proto, name in ((17, "u"), (6, "t")):
        must(g, "SERVICE_ADD", service(name + "4", proto, "192.0.2.1"))
        must(g, "SERVICE_ADD", service(name + "6", proto, "2001:db8::1"))
        must(g, "BACKEND_ADD", backend(name + "4", "10.2.0.2"))
        must(g, "BACKEND_ADD", backend(name + "6", "fd02::2"))
    for proto in (17, 6):
        for ends in (("10.1.0.2", "192.0.2.1", "10.2.0.2"), ("fd01::2", "2001:db8::1", "fd02::2")):
            for w in ways(c, b, proto, *ends):
                w.walk()
    four, six = ("10.1.0.2", "192.0.2.1"), ("fd01::2", "2001:db8::1")
    to_four, to_six = ("10.2.0.1", "10.2.0.2"), ("fd02::1", "fd02::2")
    for by, proto, client, server in (("dsr", 17, four, to_four), ("dsr", 6, six, to_six),
                                        ("tunnel ipip", 6, four, to_four),
                                        ("tunnel ipip", 17, six, to_four),
                                        ("tunnel gue", 6, six, to_six),
                                        ("tunnel gue", 17, four, to_six)):
        forwarded(g, c, b, by, proto, *client, *server)
    must(g, "SERVICE_ADD", service("l", 17, "192.0.2.1", 7100, MODE=mode("local")))
    must(g, "BACKEND_ADD", backend("l", "192.0.2.1", 7101))
    sk = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sk.bind(("192.0.2.1", 7101))
    sk.setblocking(False)
    walk("udp v4 local", lambda n: local_once(
        sk, c, lambda i: pk.packet(17, "10.1.0.2", 5000, "192.0.2.1", 7100, b"key-%d" % i), n))


# --- a cluster's cable -----------------------------------------------------------

def cable(depth, hosts):
    """Packets between hosts; after SIGUSR1 an allocation of each one's arrival fails: the
    first of one packet, the second of the next... up to the depth-th, and again."""
    ports, failing, n = {}, [False], 1
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    for i, h in enumerate(hosts):
        nl.enter(h)
        ports[i + 1] = tun("eth0")
        if ctypes.CDLL(None).setns(here, CLONE_NEWNET):
            raise SystemExit("setns")
    took = [0] * (depth + 1)
    signal.signal(signal.SIGUSR1, lambda *_: failing.__setitem__(0, True))
    signal.signal(signal.SIGUSR2, lambda *_: failing.__setitem__(0, False))
    signal.signal(signal.SIGTERM, lambda *_: failing.__setitem__(0, None))
    print("ready", flush=True)
    poll = select.poll()
    for fd in ports.values():
        poll.register(fd, select.POLLIN)
    while failing[0] is not None:
        for fd, _ in poll.poll(200):
            for p in get(fd):
                to = ports.get(pk.last_byte_of_destination(p))
                if to is None:
                    continue
                if put(to, p, n if failing[0] else 0):
                    took[n] += 1
                if failing[0]:
                    n = n % depth + 1
    print("failures by depth: %s" % took[1:])
    print("total %d deepest %d" % (sum(took), max([i for i, t in enumerate(took) if t] or [0])))
