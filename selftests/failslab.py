# SPDX-License-Identifier: GPL-2.0
"""failslab.py - every allocation of a path fails once, and nothing breaks

    failslab.py config          commands of the netlink family, and namespaces coming up
    failslab.py steer           packets through a director
    failslab.py load FILE.ko    loading the module, which must not be loaded
    failslab.py cable N HOST... datagrams of a cluster: a switch, see failslab.sh

A command, packet or load is done over and over, its first allocation failing, then its
second, until one comes through without a failure. After a command that said no, all is as
before; after one that said yes, all is as it should be; and it works when nothing fails.
Prints TAP without a plan, and how many failures each path took.
"""
import ctypes
import errno as E
import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import sys

import netlink as nl
import packets as pk
from netlink import C, addr, attr, attrs, be16, u8, u16, u32, u64

LIMIT = 3000        # a path with more than this has no end
# ENFILE: sock_create_kern() says so where it gets no inode.
NO_MEMORY = {E.ENOMEM, E.ENOBUFS, E.EFAULT, E.ENFILE}
CLONE_NEWNET = 0x40000000

lib = ctypes.CDLL(os.environ["FAILNTH"])
for f in ("send", "recv", "write", "unshare", "load_module"):
    getattr(lib, "failnth_" + f).restype = ctypes.c_long


class Nth:
    """The allocation that is to fail, counted down over several calls."""

    def __init__(self, n=0):
        self.left = ctypes.c_uint(n)
        self.n = n

    def call(self, name, *args):
        r = getattr(lib, "failnth_" + name)(ctypes.byref(self.left), *args)
        if r < 0:
            raise OSError(-r, os.strerror(-r))
        return r

    @property
    def failed(self):
        return self.n > 0 and self.left.value == 0


def result(good, name, *why):
    print("%s - %s" % ("ok" if good else "not ok", name))
    for w in why if not good else ():
        print("# %s" % (w,))
    sys.stdout.flush()
    return good


def walk(name, attempt):
    """attempt(n) -> (failed, complaint); until an attempt without a failure."""
    for n in range(1, LIMIT):
        failed, complaint = attempt(n)
        if complaint:
            return result(False, name, "allocation %d: %s" % (n, complaint))
        if not failed:
            # 0 would mean that nothing was tried at all.
            return result(n > 1, "%s: %d allocations, each failed once" % (name, n - 1))
    return result(False, name, "no end after %d" % LIMIT)


# --- commands --------------------------------------------------------------------

class Failing(nl.Genl):
    """Requests in which an allocation may fail; nth is set for one call."""

    nth = None

    def call(self, kind, payload, flags=nl.ACK):
        if self.nth is None:
            return super().call(kind, payload, flags)
        self.seq += 1
        msg = struct.pack("=IHHII", 16 + len(payload), kind, flags | nl.REQUEST, self.seq, 0)
        msg += payload
        self.nth.call("send", self.sk.fileno(), msg, len(msg))
        a = nl.Answer()
        while a.errno is None:
            self.receive(a, payload)
        return a

    def recv(self):
        if self.nth is None:
            return super().recv()
        buf = ctypes.create_string_buffer(1 << 16)
        n = self.nth.call("recv", self.sk.fileno(), buf, len(buf), socket.MSG_DONTWAIT)
        return buf.raw[:n]

    def renew(self):
        """What a lost answer left behind stays behind."""
        self.sk.close()
        self.open()


# What differs between two equal configurations made one after the other.
VOLATILE = {C[n] for n in ("PXS_A_SERVICE_GENERATION", "PXS_A_SERVICE_STATS")}
GROUP_STATS = C["PXS_A_GROUP_STATS"]


def without(replies, numbers):
    return sorted(b"".join(attr(k, d) for k, d in attrs(r) if k not in numbers) for r in replies)


def exact(g):
    return (without(g.dump("SERVICE_GET").replies, ()), without(g.dump("BACKEND_GET").replies, ()),
            without(g.dump("GROUP_GET").replies, {GROUP_STATS}))


def alike(g):
    """The same, for two states that were reached by different ways."""
    s, b, gr = exact(g)
    return (without(s, VOLATILE), b, gr)


class Command:
    def __init__(self, name, cmd, fields, undo=None, dump=False):
        self.name, self.cmd, self.fields, self.undo, self.dump = name, cmd, fields, undo, dump
        self.answer = None

    def run(self, g):
        return g.do(self.cmd, self.fields, nl.DUMP if self.dump else nl.ACK)

    @staticmethod
    def said(a):
        return without(a.replies, VOLATILE | {GROUP_STATS})

    def once(self, g, n, after):
        before, nth, words = exact(g), Nth(n), None
        g.nth = nth
        try:
            a = self.run(g)
        except OSError as e:
            # The request or its answer was lost: done or not, but not in part.
            a, words = None, str(e)
        finally:
            g.nth = None
        g.renew()
        if a is None:
            if not nth.failed:
                return False, "lost without a failure: %s" % words
            if exact(g) != before and alike(g) != after:
                return True, "lost, and neither done nor undone"
        elif a.errno:
            if not nth.failed or a.errno not in NO_MEMORY:
                return True, "errno %s" % a
            if exact(g) != before:
                return True, "refused (%s), and not as before" % a
        elif alike(g) != after:
            return True, "accepted, and not as it should be"
        elif self.said(a) != self.answer:
            return True, "accepted, and the answer is another"
        if alike(g) == after and self.undo:
            self.undo(g)
        return nth.failed, None

    def walk(self, g):
        """Done once to see what comes of it, then with each failure."""
        a = self.run(g)
        if a.errno:
            return result(False, self.name, "does not work at all: %s" % a)
        after, self.answer = alike(g), self.said(a)
        if self.undo:
            self.undo(g)
        if not walk(self.name, lambda n: self.once(g, n, after)):
            return False
        a = self.run(g)
        good = not a.errno and alike(g) == after
        if self.undo:
            self.undo(g)
        return good or result(False, self.name + " works afterwards", a)


def of(prefix, **fields):
    return b"".join(attr(C["PXS_A_%s_%s" % (prefix, k)], v) for k, v in fields.items())


def service(name, proto, to, port=7000, **more):
    return of("SERVICE", NAME=name, PROTO=u8(proto), ADDR=addr(to), PORT=be16(port),
              SEED=bytes(range(16)), **more)


def backend(name, to, port=7000, **more):
    return of("BACKEND", SERVICE=name, ADDR=addr(to), PORT=be16(port), **more)


def member(i, to):
    return of("MEMBER", ID=u8(i), INCARNATION=u64(0xa0 + i), ADDR=addr(to), PORT=be16(7400))


def group(number, own, *others):
    return of("GROUP", ID=u32(number), CLUSTER=bytes(range(16)), KEY=bytes(range(32)), SELF=u8(1),
              HEARTBEAT_MS=u32(10000), ELECTION_MS=u32(60000)) + b"".join(
                  attr(C["PXS_A_GROUP_MEMBER"] | 0x8000, member(i + 1, a))
                  for i, a in enumerate((own,) + others))


def must(g, cmd, fields, flags=nl.ACK):
    a = g.do(cmd, fields, flags)
    if a.errno:
        raise SystemExit("Bail out! %s: %s" % (cmd, a))
    return a


def undo(cmd, fields):
    return lambda g: must(g, cmd, fields)


def drop_service(name):
    return undo("SERVICE_DEL", of("SERVICE", NAME=name))


MODE_LOCAL = u8(C["PXS_MODE_LOCAL"])
SIX = ("::1", "fd00::2", "fd00::3")
FOUR = ("127.0.0.1", "127.0.0.2", "127.0.0.3")


def commands():
    u, t = of("SERVICE", NAME="u"), of("SERVICE", NAME="t")
    yield Command("service add, the first (hooks)", "SERVICE_ADD", service("u", 17, "192.0.2.1"),
                  drop_service("u"))
    yield Command("service add tcp, the first (nat)", "SERVICE_ADD", service("t", 6, "192.0.2.1"),
                  drop_service("t"))
    yield Command("service add tcp v6", "SERVICE_ADD", service("t", 6, "2001:db8::1"),
                  drop_service("t"))
    yield Command("service add local", "SERVICE_ADD",
                  service("l", 17, "192.0.2.1", MODE=MODE_LOCAL), drop_service("l"))
    yield lambda g: must(g, "SERVICE_ADD", service("u", 17, "192.0.2.1"))
    yield lambda g: must(g, "SERVICE_ADD", service("t", 6, "192.0.2.1"))
    yield Command("backend add, the first", "BACKEND_ADD", backend("u", "10.2.0.1"),
                  undo("BACKEND_DEL", backend("u", "10.2.0.1")))
    for i in range(1, 5):
        yield lambda g, i=i: must(g, "BACKEND_ADD", backend("u", "10.2.0.%d" % i, WEIGHT=u32(i)))
    yield Command("backend add, the fifth", "BACKEND_ADD", backend("u", "10.2.0.9"),
                  undo("BACKEND_DEL", backend("u", "10.2.0.9")))
    yield Command("backend set weight", "BACKEND_SET", backend("u", "10.2.0.2", WEIGHT=u32(9)),
                  undo("BACKEND_SET", backend("u", "10.2.0.2", WEIGHT=u32(2))))
    down, up = (backend("u", "10.2.0.2", STATE=u8(C["PXS_BACKEND_" + s])) for s in ("DOWN", "UP"))
    yield Command("backend set state", "BACKEND_SET", down, undo("BACKEND_SET", up))
    yield Command("backend del", "BACKEND_DEL", backend("u", "10.2.0.2"),
                  undo("BACKEND_ADD", backend("u", "10.2.0.2", WEIGHT=u32(2))))
    maglev, rendezvous = (u + of("SERVICE", FILL=u8(C["PXS_FILL_" + f]), ROWS=u32(0))
                          for f in ("MAGLEV", "RENDEZVOUS"))
    yield Command("service set fill", "SERVICE_SET", maglev, undo("SERVICE_SET", rendezvous))
    yield Command("service del", "SERVICE_DEL", t,
                  undo("SERVICE_ADD", service("t", 6, "192.0.2.1")))
    yield Command("service dump", "SERVICE_GET", b"", dump=True)
    yield Command("service get", "SERVICE_GET", u)
    yield Command("backend dump", "BACKEND_GET", b"", dump=True)
    yield Command("table get", "TABLE_GET", of("TABLE", SERVICE="u"))
    yield Command("lookup", "LOOKUP",
                  of("LOOKUP", SERVICE="u", SADDR=addr("1.2.3.4"), SPORT=be16(5)))
    yield Command("stats get", "STATS_GET", b"", dump=True)
    for name, hosts in (("v4", FOUR), ("v6", SIX)):
        yield Command("group add " + name, "GROUP_ADD", group(1, *hosts),
                      undo("GROUP_DEL", of("GROUP", ID=u32(1))))
    yield lambda g: must(g, "GROUP_ADD", group(1, *FOUR))
    yield Command("group add on the same socket", "GROUP_ADD", group(2, *FOUR),
                  undo("GROUP_DEL", of("GROUP", ID=u32(2))))
    keys = of("GROUP", ID=u32(1), KEY=bytes(range(32)), KEY_ID=u8(1))
    yield Command("group set", "GROUP_SET",
                  of("GROUP", ID=u32(1), KEY=bytes(range(1, 33)), KEY_ID=u8(2),
                     ALSO_KEY=bytes(range(32)), ALSO_KEY_ID=u8(1)), undo("GROUP_SET", keys))
    yield Command("group dump", "GROUP_GET", b"", dump=True)
    yield Command("group get", "GROUP_GET", of("GROUP", ID=u32(1)))
    yield Command("group del", "GROUP_DEL", of("GROUP", ID=u32(1)),
                  undo("GROUP_ADD", group(1, *FOUR)))


def attach_once(g, n):
    """An attachment lives as long as its socket: each attempt has a new one."""
    fields = of("JOURNAL", INCARNATION=u64(0xa1), NEXT_LSN=u64(1))
    nth, a = Nth(n), None
    g.renew()
    g.nth = nth
    try:
        a = g.do("JOURNAL_ATTACH", fields)
    except OSError:
        pass
    finally:
        g.nth = None
    if a is not None and not nth.failed and a.errno:
        return False, str(a)
    if a is not None and a.errno and a.errno not in NO_MEMORY:
        return True, str(a)
    # Failed or not: the next agent must be let in, once this one is gone.
    g.renew()
    again = g.do("JOURNAL_ATTACH", fields)
    if again.errno:
        return nth.failed, "the next agent: %s" % again
    return nth.failed, None


def namespace_once(n):
    """In a child: what is half made is torn down behind it. Others come up in it before us, and
    the words of their failures are their own."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        lib.failnth_open()
        nth, err = Nth(n), 0
        try:
            nth.call("unshare", CLONE_NEWNET)
        except OSError as e:
            err = e.errno
        os.write(w, struct.pack("=ii", nth.failed, err))
        os._exit(0)
    os.waitpid(pid, 0)
    failed, err = struct.unpack("=ii", os.read(r, 8))
    os.close(r)
    os.close(w)
    if err and not failed:
        return bool(failed), "unshare: " + os.strerror(err)
    return bool(failed), None


def config():
    g = Failing()
    for c in commands():
        if isinstance(c, Command):
            c.walk(g)
        else:
            c(g)
    walk("journal attach", lambda n: attach_once(g, n))
    for name in "ut":
        drop_service(name)(g)
    must(g, "GROUP_DEL", of("GROUP", ID=u32(1)))
    result(exact(g) == ([], [], []), "all can be deleted")
    walk("a namespace", namespace_once)


def load_once(fd, n):
    nth, err = Nth(n), 0
    try:
        nth.call("load_module", fd, b"")
    except OSError as e:
        err = e.errno
    if not err:
        if os.system("rmmod paxsteer"):
            return nth.failed, "cannot be unloaded"
    elif os.path.exists("/sys/module/paxsteer"):
        return nth.failed, "half loaded"
    elif not nth.failed:
        return False, os.strerror(err)
    return nth.failed, None


def load(path):
    fd = os.open(path, os.O_RDONLY)
    walk("loading the module", lambda n: load_once(fd, n))


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
    """What goes in at one device and must come out, changed, at the other."""

    def __init__(self, name, here, there, make, want, first=None):
        self.name, self.here, self.there, self.make, self.want = name, here, there, make, want
        self.first = first


    def once(self, n):
        flow = 10000 + n
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
    must(g, "SERVICE_ADD", service("l", 17, "192.0.2.1", 7100, MODE=MODE_LOCAL))
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


def main():
    err = lib.failnth_open()
    if err:
        raise SystemExit("Bail out! fail-nth: " + os.strerror(err))
    what, args = sys.argv[1], sys.argv[2:]
    if what == "config":
        config()
    elif what == "steer":
        steer()
    elif what == "load":
        load(args[0])
    else:
        cable(int(args[0]), args[1:])


main()
