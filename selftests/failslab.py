# SPDX-License-Identifier: GPL-2.0
"""failslab.py - every allocation of a path fails once, and nothing breaks

    failslab.py config          commands of the netlink family, and namespaces coming up
    failslab.py steer           packets through a director
    failslab.py load FILE.ko    loading the module, which must not be loaded
    failslab.py accept HOST ADDR PORT   a connection that comes while there is no memory for it
    failslab.py cable N HOST... datagrams of a cluster: a switch, see failslab.sh

A command, packet or load is done over and over, its first allocation failing, then its
second, until one comes through without a failure. After a command that said no, all is as
before; after one that said yes, all is as it should be; and it works when nothing fails.
Prints TAP without a plan, and how many failures each path took.
"""
import ctypes
import errno as E
import os
import socket
import struct
import sys

import failslab_packets
import netlink as nl
from failnth import CLONE_NEWNET, Nth, lib, result, walk
from netlink import C, addr, attr, attrs, backend, be16, mode, must, of, service, u8, u16, u32, u64

SO_COOKIE = 57
# ENFILE: sock_create_kern() says so where it gets no inode.
NO_MEMORY = {E.ENOMEM, E.ENOBUFS, E.EFAULT, E.ENFILE}

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
LEFT = {C["PXS_A_BACKEND_LEFT"]}      # of a deadline: time goes on


def without(replies, numbers):
    return sorted(b"".join(attr(k, d) for k, d in attrs(r) if k not in numbers) for r in replies)


def exact(g):
    return (without(g.dump("SERVICE_GET").replies, ()), without(g.dump("BACKEND_GET").replies, LEFT),
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


def member(i, to):
    return of("MEMBER", ID=u8(i), INCARNATION=u64(0xa0 + i), ADDR=addr(to), PORT=be16(7400))


def group(number, own, *others):
    return of("GROUP", ID=u32(number), CLUSTER=bytes(range(16)), KEY=bytes(range(32)), SELF=u8(1),
              HEARTBEAT_MS=u32(10000), ELECTION_MS=u32(60000)) + b"".join(
                  attr(C["PXS_A_GROUP_MEMBER"] | 0x8000, member(i + 1, a))
                  for i, a in enumerate((own,) + others))


def undo(cmd, fields):
    return lambda g: must(g, cmd, fields)


def drop_service(name):
    return undo("SERVICE_DEL", of("SERVICE", NAME=name))


SIX = ("::1", "fd00::2", "fd00::3")
FOUR = ("127.0.0.1", "127.0.0.2", "127.0.0.3")


def commands_forward(name):
    """A service of a mode that forwards, with nothing beside it."""
    six = name != "dsr"
    for proto in (17, 6):
        add = service("f", proto, "192.0.2.1", MODE=mode(name))
        yield Command("%s: service add %d, the first (hooks)" % (name, proto), "SERVICE_ADD",
                      add, drop_service("f"))
        yield lambda g, add=add: must(g, "SERVICE_ADD", add)
        hosts = ["fd00:2::%d" % i if six else "10.2.0.%d" % i for i in range(1, 4)]
        for i, h in enumerate(hosts):
            yield Command("%s: backend add %d, the %d." % (name, proto, i + 1), "BACKEND_ADD",
                          backend("f", h), undo("BACKEND_DEL", backend("f", h)))
            yield lambda g, h=h: must(g, "BACKEND_ADD", backend("f", h))
        yield Command("%s: backend set weight %d" % (name, proto), "BACKEND_SET",
                      backend("f", hosts[1], WEIGHT=u32(3)),
                      undo("BACKEND_SET", backend("f", hosts[1], WEIGHT=u32(1))))
        yield Command("%s: backend del %d" % (name, proto), "BACKEND_DEL", backend("f", hosts[1]),
                      undo("BACKEND_ADD", backend("f", hosts[1])))
        yield drop_service("f")


def commands_given(name):
    """A socket of ours as a backend of a local service."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 7000))
        cookie = struct.unpack("=Q", s.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]
        given = of("BACKEND", SERVICE=name, SOCKET=u64(cookie))
        add = of("BACKEND", SERVICE=name, FD=u32(s.fileno()))
        yield Command("backend add fd", "BACKEND_ADD", add, undo("BACKEND_DEL", given))
        yield lambda g: must(g, "BACKEND_ADD", add)
        yield Command("backend del socket", "BACKEND_DEL", given, undo("BACKEND_ADD", add))
        yield undo("BACKEND_DEL", given)


def commands():
    u, t = of("SERVICE", NAME="u"), of("SERVICE", NAME="t")
    yield Command("service add, the first (hooks)", "SERVICE_ADD", service("u", 17, "192.0.2.1"),
                  drop_service("u"))
    yield Command("service add tcp, the first (nat)", "SERVICE_ADD", service("t", 6, "192.0.2.1"),
                  drop_service("t"))
    yield Command("service add tcp v6", "SERVICE_ADD", service("t", 6, "2001:db8::1"),
                  drop_service("t"))
    yield Command("service add local", "SERVICE_ADD",
                  service("l", 17, "192.0.2.1", MODE=mode("local")), drop_service("l"))
    yield lambda g: must(g, "SERVICE_ADD", service("l", 17, "192.0.2.1", MODE=mode("local")))
    by_key, by_tuple = (of("SERVICE", NAME="l", KEY=u8(C["PXS_KEY_" + k]), **more)
                        for k, more in (("PAYLOAD", {"KEY_LEN": u16(4)}), ("TUPLE", {})))
    yield Command("service set key (early hooks)", "SERVICE_SET", by_key,
                  undo("SERVICE_SET", by_tuple))
    yield from commands_given("l")
    yield drop_service("l")
    for name in "dsr", "tunnel ipip", "tunnel gue":
        yield from commands_forward(name)
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
    drain = backend("u", "10.2.0.2", STATE=u8(C["PXS_BACKEND_DRAIN"]), DEADLINE=u32(3600))
    yield Command("backend set deadline", "BACKEND_SET", drain, undo("BACKEND_SET", up))
    judged, free = (u + of("SERVICE", BOUND=u16(b), PASSIVE_FAILS=u16(n))
                    for b, n in ((1250, 3), (0, 0)))
    yield Command("service set bound, passive", "SERVICE_SET", judged, undo("SERVICE_SET", free))
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


# --- a connection ----------------------------------------------------------------

FAULT, SLAB = "/sys/kernel/debug/failslab/", "/sys/kernel/slab/sock_inode_cache/failslab"


def say(path, what):
    with open(path, "w", encoding="ascii") as f:
        f.write(what)


def asked(to, arm):
    """Has a client got any answer? arm() is called when all that it needs itself is there."""
    with socket.socket() as s:
        s.settimeout(60)
        arm()
        s.connect(to)
        s.sendall(b"GET a\r\n")
        try:
            return bool(s.recv(100))
        except TimeoutError:
            return False


def no_socket():
    for name, what in ("cache-filter", "Y"), ("interval", "1"), ("times", "1"), \
            ("probability", "100"):
        say(FAULT + name, what)


def accept(host, at, port):
    """Who waits is let in, though no other client comes: nor was one there before, whose end or
    whose tick would make the module look again."""
    nl.enter(host)
    to = (at, int(port))
    say(SLAB, "1")
    try:
        result(asked(to, no_socket), "a client for whom there was no socket is answered")
        with open(FAULT + "times", encoding="ascii") as f:
            result(f.read().strip() == "0", "it was so")
    finally:
        say(FAULT + "probability", "0")
        say(FAULT + "cache-filter", "N")
        say(SLAB, "0")
    result(asked(to, lambda: None), "so is another")


def main():
    err = lib.failnth_open()
    if err:
        raise SystemExit("Bail out! fail-nth: " + os.strerror(err))
    what, args = sys.argv[1], sys.argv[2:]
    if what == "config":
        config()
    elif what == "steer":
        failslab_packets.steer()
    elif what == "load":
        load(args[0])
    elif what == "accept":
        accept(*args)
    else:
        failslab_packets.cable(int(args[0]), args[1:])


main()
