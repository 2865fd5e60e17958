# SPDX-License-Identifier: GPL-2.0
"""Bad requests one by one: each has its own error and words, points at its attribute,
and changes nothing. Prints "ok NAME" or "not ok NAME: WHY" for netlink.sh."""
import errno as E
import os
import re
import sys

import netlink as nl
from netlink import C, addr, attr, be16, u8, u16, u32, u64

UDP, TCP = u8(17), u8(6)
POLICY = "out of range|policy|[Ll]ength|NUL"


class Set:
    """Attributes of one set by short names, in order; with() and without() vary them."""

    def __init__(self, prefix, **fields):
        self.prefix, self.fields = "PXS_A_%s_" % prefix, list(fields.items())

    def with_(self, **more):
        out = Set("", **dict(self.fields, **more))
        out.prefix = self.prefix
        return out

    def without(self, *names):
        out = Set("", **{k: v for k, v in self.fields if k not in names})
        out.prefix = self.prefix
        return out

    def number(self, name):
        return C[self.prefix + name]

    def bytes(self):
        return b"".join(attr(self.number(k), v) for k, v in self.fields)


def case(name, cmd, fields, err, words, at=None, missing=None):
    """at and missing are names of attributes; fields is a Set or bytes."""
    return (name, cmd, fields, err, words, at, missing)


service = Set("SERVICE", NAME="new", PROTO=UDP, ADDR=addr("192.0.2.200"), PORT=be16(53))
payload = service.with_(KEY=u8(C["PXS_KEY_PAYLOAD"]), KEY_OFFSET=u16(0), KEY_LEN=u16(4))
backend = Set("BACKEND", SERVICE="u", ADDR=addr("10.9.9.9"), PORT=be16(53))
first = Set("BACKEND", SERVICE="u", ADDR=addr("10.0.0.1"), PORT=be16(1001))
named = Set("SERVICE", NAME="u")
table = Set("TABLE", SERVICE="u")
lookup = Set("LOOKUP", SERVICE="u", SADDR=addr("1.2.3.4"), SPORT=be16(5))
by_key = Set("LOOKUP", SERVICE="k", KEY=b"abcd")
by_name = Set("LOOKUP", SERVICE="d", KEY=b"example.org")


def of_services():
    add, change = "SERVICE_ADD", "SERVICE_SET"
    for n in ("NAME", "PROTO", "ADDR", "PORT"):
        word = {"PROTO": "protocol", "ADDR": "address"}.get(n, n.lower())
        yield case("service without " + n, add, service.without(n), E.EINVAL,
                   word + " is missing", missing=n)
    for value, why, err in (("", "empty", E.EINVAL), ("a b", "letters", E.EINVAL),
                            ("a/b", "letters", E.EINVAL), ("\xe9", "letters", E.EINVAL),
                            ("x" * 32, POLICY, E.EINVAL), (b"abc", POLICY, E.EINVAL),
                            ("u", "has this name", E.EEXIST)):
        yield case("service name %r" % value, add, service.with_(NAME=value), err, why, "NAME")
    yield case("service protocol 132", add, service.with_(PROTO=u8(132)), E.EPROTONOSUPPORT,
               "neither TCP nor UDP", "PROTO")
    for a, why, err in ((b"123", POLICY, E.ERANGE), (b"12345", "4 bytes", E.EINVAL),
                        (bytes(17), POLICY, E.ERANGE),
                        (addr("0.0.0.0"), "one host", E.EADDRNOTAVAIL),
                        (addr("224.0.0.1"), "one host", E.EADDRNOTAVAIL),
                        (addr("255.255.255.255"), "one host", E.EADDRNOTAVAIL),
                        (addr("::"), "one host", E.EADDRNOTAVAIL),
                        (addr("ff02::1"), "one host", E.EADDRNOTAVAIL),
                        (addr("fe80::1"), "link-local", E.EADDRNOTAVAIL),
                        (addr("::ffff:1.2.3.4"), "as IPv4", E.EADDRNOTAVAIL)):
        yield case("service address %s" % a.hex(), add, service.with_(ADDR=a), err, why, "ADDR")
    for n, v in (("FAILS", 1001), ("SECONDS", 0), ("SECONDS", 3601)):
        yield case("passive %s %d" % (n.lower(), v), add,
                   service.with_(**{"PASSIVE_" + n: u16(v)}), E.ERANGE, POLICY, "PASSIVE_" + n)
    yield case("passive for TCP and nat", add, service.with_(PROTO=TCP, PASSIVE_FAILS=u16(1)),
               E.EINVAL, "failures are seen", "PASSIVE_FAILS")
    yield case("service port 0", add, service.with_(PORT=be16(0)), E.ERANGE, POLICY, "PORT")
    yield case("two services at one place", add,
               service.with_(ADDR=addr("192.0.2.1"), PORT=be16(1)), E.EEXIST,
               "this protocol, address and port", "ADDR")
    yield case("service at a backend", add,
               service.with_(ADDR=addr("10.0.0.1"), PORT=be16(1001)), E.EADDRINUSE,
               "loop", "ADDR")
    for n, v in (("MODE", u8(0)), ("MODE", u8(7)), ("FILL", u8(0)), ("FILL", u8(11)),
                 ("KEY", u8(0)), ("KEY", u8(10)), ("SEED", bytes(15)), ("SEED", bytes(17)),
                 ("ROWS", u32(131073)), ("CAP", u16(1001)), ("MODE", u16(1)), ("ROWS", u8(1))):
        yield case("service %s %s" % (n, v.hex()), add, service.with_(**{n: v}),
                   E.EINVAL if n in ("MODE", "ROWS") and len(v) in (1, 2) and
                   (n, len(v)) != ("MODE", 1) else E.ERANGE, POLICY, n)
    for n, v in (("KEY_OFFSET", u16(512)), ("KEY_LEN", u16(0)), ("KEY_LEN", u16(251))):
        yield case("%s %s" % (n, v.hex()), add, payload.with_(**{n: v}), E.ERANGE, POLICY, n)
    yield case("key beyond 512", add, payload.with_(KEY_OFFSET=u16(509)), E.ERANGE,
               "exceeds 512", "KEY_LEN")
    yield case("payload without length", add, payload.without("KEY_LEN"), E.EINVAL,
               "needs a length", missing="KEY_LEN")
    quic = service.with_(KEY=u8(C["PXS_KEY_QUIC"]))
    for k in (service, quic):
        yield case("offset without payload", add, k.with_(KEY_OFFSET=u16(1)), E.EINVAL,
                   "belongs to the key rule payload", "KEY_OFFSET")
        yield case("prefix without source", add, k.with_(KEY_PREFIX=u8(8)), E.EINVAL,
                   "belongs to the key rule source", "KEY_PREFIX")
    yield case("length without payload", add, service.with_(KEY_LEN=u16(1)), E.EINVAL,
               "belongs to the key rules payload and quic", "KEY_LEN")
    yield case("connection id of 21 bytes", add, quic.with_(KEY_LEN=u16(21)), E.ERANGE,
               "at most 20", "KEY_LEN")
    source = service.with_(KEY=u8(C["PXS_KEY_SOURCE"]))
    for bits in (0, 129):
        yield case("prefix of %d" % bits, add, source.with_(KEY_PREFIX=u8(bits)), E.ERANGE,
                   POLICY, "KEY_PREFIX")
    yield case("prefix of 33 for IPv4", add, source.with_(KEY_PREFIX=u8(33)), E.ERANGE,
               "longer than an IPv4", "KEY_PREFIX")
    for k in ("PAYLOAD", "MEMCACHED", "DNS", "REDIS", "HTTP_HOST", "HTTP_PATH", "QUIC"):
        s = payload if k == "PAYLOAD" else service.with_(KEY=u8(C["PXS_KEY_" + k]))
        yield case("%s over TCP" % k, add, s.with_(PROTO=TCP), E.EINVAL, "need protocol UDP",
                   "KEY")
    request = service.with_(MODE=u8(C["PXS_MODE_REQUEST"]))
    yield case("mode request over UDP", add, request, E.EINVAL, "needs protocol TCP", "MODE")
    yield case("mode request by tuple", add,
               request.with_(PROTO=TCP, KEY=u8(C["PXS_KEY_TUPLE"])), E.EINVAL,
               "needs the key redis or memcached", "KEY")
    for n in (1, 1009):
        yield case("bound of %d" % n, add, service.with_(BOUND=u16(n)), E.ERANGE,
                   "1010..10000", "BOUND")
    yield case("bound of 10001", add, service.with_(BOUND=u16(10001)), E.ERANGE, POLICY,
               "BOUND")
    gue = service.with_(MODE=u8(C["PXS_MODE_TUNNEL_GUE"]))
    yield case("tunnel's port 0", add, gue.with_(TUNNEL_PORT=be16(0)), E.ERANGE, POLICY,
               "TUNNEL_PORT")
    yield case("tunnel's port of 1 byte", add, gue.with_(TUNNEL_PORT=u8(1)), E.EINVAL, POLICY,
               "TUNNEL_PORT")
    for mode in ("NAT", "LOCAL", "DSR", "TUNNEL_IPIP"):
        yield case("tunnel's port with " + mode, add,
                   service.with_(MODE=u8(C["PXS_MODE_" + mode]), TUNNEL_PORT=be16(6080)),
                   E.EINVAL, "only mode tunnel gue", "TUNNEL_PORT")
    yield case("slow start of more than an hour", add, service.with_(SLOW_START=u16(3601)),
               E.ERANGE, POLICY, "SLOW_START")
    for f in ("JUMP", "REDIS_SLOTS", "IPVS_MH"):
        yield case("slow start with " + f, add,
                   service.with_(FILL=u8(C["PXS_FILL_" + f]), SLOW_START=u16(1)), E.EINVAL,
                   "no slow start with", "SLOW_START")
    sticky = service.with_(FILL=u8(C["PXS_FILL_STICKY"]))
    yield case("sticky with 257 rows", add, sticky.with_(ROWS=u32(257)), E.ERANGE,
               "power of two", "ROWS")
    yield case("sticky with a cap", add, sticky.with_(CAP=u16(1)), E.EINVAL,
               "belongs to the fill rendezvous", "CAP")
    for rows in (1, 255, 257, 131071):
        yield case("rendezvous with %d rows" % rows, add, service.with_(ROWS=u32(rows)),
                   E.ERANGE, "power of two", "ROWS")
    maglev = service.with_(FILL=u8(C["PXS_FILL_MAGLEV"]))
    for rows in (1, 256, 65536):
        yield case("maglev with %d rows" % rows, add, maglev.with_(ROWS=u32(rows)), E.ERANGE,
                   "prime", "ROWS")
    yield case("maglev with a cap", add, maglev.with_(CAP=u16(1)), E.EINVAL,
               "belongs to the fill rendezvous", "CAP")
    slots = service.with_(FILL=u8(C["PXS_FILL_REDIS_SLOTS"]))
    yield case("redis-slots with 4096 rows", add, slots.with_(ROWS=u32(4096)), E.ERANGE,
               "16384", "ROWS")
    mh = service.with_(FILL=u8(C["PXS_FILL_IPVS_MH"]))
    for rows in (1, 65537):
        yield case("ipvs-mh with %d rows" % rows, add, mh.with_(ROWS=u32(rows)), E.ERANGE,
                   "none of 251", "ROWS")
    yield case("maglev-katran with 131071 rows", add,
               service.with_(FILL=u8(C["PXS_FILL_MAGLEV_KATRAN"]), ROWS=u32(131071)), E.ERANGE,
               "prime up to 65537", "ROWS")
    # 160: what one backend has.
    for rows in (1, 160, 4096):
        yield case("ketama with %d rows" % rows, add,
                   service.with_(FILL=u8(C["PXS_FILL_KETAMA"]), ROWS=u32(rows)), E.ERANGE,
                   "follow from the backends", "ROWS")
    yield case("set of nobody", change, named.with_(NAME="nope"), E.ENOENT, "this name", "NAME")
    yield case("set without name", change, named.without("NAME").with_(CAP=u16(1)), E.EINVAL,
               "name is missing", missing="NAME")
    for n, v in (("PROTO", TCP), ("ADDR", addr("192.0.2.9")), ("PORT", be16(9)),
                 ("MODE", u8(1)), ("TUNNEL_PORT", be16(6080))):
        yield case("set of the fixed %s" % n, change, named.with_(**{n: v}), E.EINVAL,
                   "fixed", n)
    yield case("set to fewer rows than backends", change, Set("SERVICE", NAME="many",
               ROWS=u32(2)), E.ERANGE, "fewer rows than backends", "ROWS")
    yield case("del of nobody", "SERVICE_DEL", named.with_(NAME="nope"), E.ENOENT, "this name",
               "NAME")
    yield case("del without name", "SERVICE_DEL", b"", E.EINVAL, "name is missing",
               missing="NAME")
    yield case("del with more", "SERVICE_DEL", named.with_(PROTO=UDP), E.EINVAL, "Unsupported",
               "PROTO")
    yield case("get of nobody", "SERVICE_GET", named.with_(NAME="nope"), E.ENOENT, "this name",
               "NAME")


def of_backends():
    for cmd, b in (("BACKEND_ADD", backend), ("BACKEND_SET", first), ("BACKEND_DEL", first)):
        for n in ("SERVICE", "ADDR", "PORT"):
            word = {"SERVICE": "name", "ADDR": "address"}.get(n, n.lower())
            yield case("%s without %s" % (cmd, n), cmd, b.without(n), E.EINVAL,
                       word + " is missing", missing=n)
        yield case(cmd + " of an unknown service", cmd, b.with_(SERVICE="nope"), E.ENOENT,
                   "no service", "SERVICE")
        yield case(cmd + " with 5 bytes of address", cmd, b.with_(ADDR=b"12345"), E.EINVAL,
                   "4 bytes", "ADDR")
        yield case(cmd + " with port 0", cmd, b.with_(PORT=be16(0)), E.ERANGE, POLICY, "PORT")
    for cmd in ("BACKEND_SET", "BACKEND_DEL"):
        yield case(cmd + " of an unknown one", cmd, backend, E.ENOENT, "no backend", "ADDR")
    add = "BACKEND_ADD"
    yield case("backend of IPv6 for IPv4", add, backend.with_(ADDR=addr("fd00::1")), E.EINVAL,
               "another family", "ADDR")
    yield case("backend of IPv4 for IPv6", add, backend.with_(SERVICE="six"), E.EINVAL,
               "another family", "ADDR")
    yield case("backend twice", add, first, E.EEXIST, "a backend with this address", "ADDR")
    yield case("id twice", add, backend.with_(ID=u64(77)), E.EEXIST, "with this id", "ID")
    yield case("backend is a service", add, backend.with_(ADDR=addr("192.0.2.1"), PORT=be16(1)),
               E.EADDRINUSE, "loop", "ADDR")
    yield case("backend of two services", add,
               backend.with_(ADDR=addr("10.0.0.9"), PORT=be16(9)), E.EADDRINUSE,
               "another service", "ADDR")
    yield case("backend of dsr with another port", add, backend.with_(SERVICE="dsr", PORT=be16(54)),
               E.EINVAL, "the port must be the service's", "PORT")
    yield case("backend of dsr of another family", add,
               backend.with_(SERVICE="dsr", ADDR=addr("fd02::1")), E.EINVAL,
               "another family", "ADDR")
    yield case("backend of a tunnel with another port", add,
               backend.with_(SERVICE="gue", ADDR=addr("fd02::1"), PORT=be16(54)), E.EINVAL,
               "the port must be the service's", "PORT")
    yield case("backend of dsr is its service", add,
               backend.with_(SERVICE="dsr", ADDR=addr("192.0.2.3")), E.EADDRINUSE, "loop", "ADDR")
    yield case("backend is everybody", add, backend.with_(ADDR=addr("224.1.1.1")),
               E.EADDRNOTAVAIL, "one host", "ADDR")
    given = backend.without("ADDR", "PORT")
    yield case("descriptor out of range", add, given.with_(FD=u32(1 << 31)), E.ERANGE, POLICY, "FD")
    yield case("descriptor and address", add, backend.with_(FD=u32(0)), E.EINVAL, "not both",
               "ADDR")
    yield case("descriptor for mode nat", add, given.with_(FD=u32(0)), E.EINVAL,
               "only services of mode local", "FD")
    yield case("descriptor that is not open", add, given.with_(SERVICE="t", FD=u32(99999)),
               E.EBADF, "no such descriptor", "FD")
    for cmd in ("BACKEND_SET", "BACKEND_DEL"):
        yield case(cmd + " of an unknown socket", cmd, given.with_(SOCKET=u64(5)), E.ENOENT,
                   "this socket", "SOCKET")
        yield case(cmd + " of a socket and an address", cmd, first.with_(SOCKET=u64(5)), E.EINVAL,
                   "not both", "ADDR")
        yield case(cmd + " of socket 0", cmd, given.with_(SOCKET=u64(0)), E.ERANGE, POLICY,
                   "SOCKET")
    for cmd, b in (("BACKEND_ADD", backend), ("BACKEND_SET", first)):
        for n, v in (("WEIGHT", u32(65536)), ("STATE", u8(0)), ("STATE", u8(4))):
            yield case("%s %s %s" % (cmd, n, v.hex()), cmd, b.with_(**{n: v}), E.ERANGE, POLICY,
                       n)
    for cmd, b in (("BACKEND_ADD", backend), ("BACKEND_SET", first)):
        yield case(cmd + " with a deadline of more than a week", cmd,
                   b.with_(STATE=u8(2), DEADLINE=u32(604801)), E.ERANGE, POLICY, "DEADLINE")
        for state in (1, 3):
            yield case("%s with state %d and a deadline" % (cmd, state), cmd,
                       b.with_(STATE=u8(state), DEADLINE=u32(1)), E.EINVAL,
                       "belongs to state drain", "DEADLINE")
        yield case(cmd + " says what is left", cmd, b.with_(STATE=u8(2), LEFT=u32(1)), E.EINVAL,
                   "Unknown attribute|Unsupported attribute", "LEFT")
    yield case("a deadline for one that does not drain", "BACKEND_SET",
               first.with_(DEADLINE=u32(1)), E.EINVAL, "belongs to state drain", "DEADLINE")
    yield case("add with a health", "BACKEND_ADD", backend.with_(HEALTH=u8(2)), E.EINVAL,
               "Unsupported", "HEALTH")
    bad = first.with_(HEALTH=u8(C["PXS_HEALTH_BAD"]))
    for v, err in ((u8(0), E.ERANGE), (u8(4), E.ERANGE), (u16(1), E.EINVAL)):
        yield case("health %s" % v.hex(), "BACKEND_SET", first.with_(HEALTH=v), err, POLICY,
                   "HEALTH")
    yield case("reason without health", "BACKEND_SET", first.with_(REASON="x"), E.EINVAL,
               "belongs to health bad", "REASON")
    for n in ("UNCHECKED", "GOOD"):
        yield case("reason for health " + n.lower(), "BACKEND_SET",
                   bad.with_(HEALTH=u8(C["PXS_HEALTH_" + n]), REASON="x"), E.EINVAL,
                   "belongs to health bad", "REASON")
    for v in ("x" * 64, b"abc"):
        yield case("reason of %d bytes" % len(v), "BACKEND_SET", bad.with_(REASON=v), E.EINVAL,
                   POLICY, "REASON")
    for v in ("a\nb", "\x1b[2J", "\x7f", "\xe9"):
        yield case("reason %r" % v, "BACKEND_SET", bad.with_(REASON=v), E.EINVAL,
                   "printable", "REASON")
    yield case("health with a wrong weight", "BACKEND_SET", bad.with_(WEIGHT=u32(65536)),
               E.ERANGE, POLICY, "WEIGHT")
    yield case("set of an id", "BACKEND_SET", first.with_(ID=u64(5)), E.EINVAL, "fixed|id", "ID")


def also(one, *others, flag=0x8000):
    """A request that adds several backends."""
    kind = C["PXS_A_BACKEND_ALSO"] | flag
    return one.bytes() + b"".join(attr(kind, Set("BACKEND", **o).bytes()) for o in others)


def of_several():
    add = "BACKEND_ADD"
    a, b = ({"ADDR": addr("10.9.9.%d" % i), "PORT": be16(53)} for i in (7, 8))
    yield case("one of three is there", add,
               also(backend, a, {"ADDR": addr("10.0.0.1"), "PORT": be16(1001)}), E.EEXIST,
               "a backend with this address")
    yield case("the last of three is the first", add,
               also(backend, a, {"ADDR": addr("10.9.9.9"), "PORT": be16(53)}), E.EEXIST,
               "a backend with this address")
    yield case("two of one id", add, also(backend, dict(a, ID=u64(5)), dict(b, ID=u64(5))),
               E.EEXIST, "with this id")
    yield case("one of two without a port", add, also(backend, {"ADDR": addr("10.9.9.7")}),
               E.EINVAL, "is missing")
    yield case("one of two with a service", add, also(backend, dict(a, SERVICE="u")), E.EINVAL,
               "Unsupported")
    yield case("one of two with a wrong weight", add, also(backend, dict(a, WEIGHT=u32(65536))),
               E.ERANGE, POLICY)
    yield case("one of two with a deadline", add, also(backend, dict(a, DEADLINE=u32(1))),
               E.EINVAL, "belongs to state drain")
    yield case("one more that is no nest", add, also(backend, a, flag=0), E.EINVAL, "NESTED")
    yield case("a descriptor and one more", add,
               also(Set("BACKEND", SERVICE="t", FD=u32(0)), a), E.EINVAL, "added alone")
    yield case("set of two", "BACKEND_SET", also(first, a), E.EINVAL, "Unknown attribute")


def of_questions():
    yield case("table without service", "TABLE_GET", b"", E.EINVAL, "missing", missing="SERVICE")
    yield case("table of nobody", "TABLE_GET", table.with_(SERVICE="nope"), E.ENOENT,
               "no service", "SERVICE")
    yield case("table of nothing", "TABLE_GET", table.with_(SERVICE="empty"), E.ENODATA,
               "no table", "SERVICE")
    yield case("row beyond the table", "TABLE_GET", table.with_(FIRST_ROW=u32(1 << 31)),
               E.ERANGE, "fewer rows", "FIRST_ROW")
    yield case("lookup without service", "LOOKUP", lookup.without("SERVICE"), E.EINVAL,
               "missing", missing="SERVICE")
    yield case("lookup of nobody", "LOOKUP", lookup.with_(SERVICE="nope"), E.ENOENT,
               "no service", "SERVICE")
    yield case("lookup without address", "LOOKUP", lookup.without("SADDR"), E.EINVAL,
               "address is missing", missing="SADDR")
    yield case("lookup without port", "LOOKUP", lookup.without("SPORT"), E.EINVAL,
               "port is missing", missing="SPORT")
    yield case("lookup of another family", "LOOKUP", lookup.with_(SADDR=addr("::1")), E.EINVAL,
               "another family", "SADDR")
    yield case("lookup by a key that is not hashed", "LOOKUP", lookup.with_(KEY=b"x"), E.EINVAL,
               "not keys", "KEY")
    yield case("lookup without key", "LOOKUP", by_key.without("KEY"), E.EINVAL, "give one",
               missing="KEY")
    yield case("lookup of 3 bytes for 4", "LOOKUP", by_key.with_(KEY=b"abc"), E.EINVAL,
               "another length", "KEY")
    yield case("lookup of a name that is too long", "LOOKUP", by_name.with_(KEY=b"x" * 255),
               E.EINVAL, "not a name", "KEY")
    for k in (b"", b"x" * 513):
        yield case("lookup of %d bytes" % len(k), "LOOKUP", by_key.with_(KEY=k), E.ERANGE,
                   POLICY, "KEY")


def raw_cases(g):
    """What is no request at all: [name, command, attributes, flags, version, error]."""
    good = service.bytes()
    return [
        ("command 0", 0, b"", nl.ACK, E.EOPNOTSUPP),
        ("command 99", 99, b"", nl.ACK, E.EOPNOTSUPP),
        ("an event as a request", C["PXS_CMD_EVENT_APPEND"], b"", nl.ACK, E.EOPNOTSUPP),
        ("dump of an add", C["PXS_CMD_SERVICE_ADD"], good, nl.DUMP, E.EOPNOTSUPP),
        ("stats without dump", C["PXS_CMD_STATS_GET"], b"", nl.ACK, E.EOPNOTSUPP),
        ("unknown attribute", C["PXS_CMD_SERVICE_ADD"], good + attr(999, b"1234"), nl.ACK,
         E.EINVAL),
        ("output attribute as input", C["PXS_CMD_SERVICE_ADD"],
         good + attr(C["PXS_A_SERVICE_DIGEST"], u64(1)), nl.ACK, E.EINVAL),
        ("attribute that is cut", C["PXS_CMD_SERVICE_ADD"], good + b"\x20\x00\x01\x00ab\x00\x00",
         nl.ACK, E.EINVAL),
        ("nested flag on a number", C["PXS_CMD_SERVICE_ADD"],
         good + attr(C["PXS_A_SERVICE_MODE"] | 0x8000, u8(1)), nl.ACK, E.EINVAL),
    ]


def report(name, why):
    print("not ok %s: %s" % (name, why) if why else "ok " + name)


def wrong(c, a, fields):
    """What is wrong with the answer to case c; None is nothing."""
    _, _, _, err, words, at, missing = c
    if a.errno != err:
        return "errno %s, wanted %s" % (E.errorcode.get(a.errno), E.errorcode[err])
    if not re.search(words, a.words):
        return "words %r, wanted %r" % (a.words, words)
    if at and a.at != fields.number(at):
        return "points at attribute %s, wanted %s" % (a.at, at)
    prefix = {"T": "TABLE", "L": "LOOKUP", "B": "BACKEND", "S": "SERVICE"}[c[1][0]]
    if missing and a.missing != C["PXS_A_%s_%s" % (prefix, missing)]:
        return "misses attribute %s, wanted %s" % (a.missing, missing)
    return None


def refused(g):
    before = g.state()
    for source in (of_services, of_backends, of_several, of_questions):
        for c in source():
            a = g.do(c[1], c[2] if isinstance(c[2], bytes) else c[2].bytes())
            why = wrong(c, a, c[2])
            if not why and g.state() != before:
                why = "something changed"
            report(c[0], why)
    for name, cmd, fields, flags, err in raw_cases(g):
        a = g.do(cmd, fields, flags)
        why = None if a.errno == err else str(a)
        report(name, why or (g.state() != before and "something changed") or None)


def strangers(g):
    """Every command, from a process without CAP_NET_ADMIN: it may not even look."""
    os.setgroups([])
    os.setresuid(65534, 65534, 65534)
    for name, n in sorted(C.items(), key=lambda item: item[1]):
        if not re.match("PXS_CMD_(?!UNSPEC|EVENT|MAX)", name):
            continue
        dump = name in ("PXS_CMD_BACKEND_GET", "PXS_CMD_STATS_GET")
        a = g.do(n, b"", nl.DUMP if dump else nl.ACK)
        report("nobody may not " + name[8:],
               None if a.errno == E.EPERM and not a.replies else str(a))
    try:
        nl.Genl().join("config")
        report("nobody may not listen", "joined")
    except PermissionError:
        report("nobody may not listen", None)


def main():
    if sys.argv[1] == "refused":
        refused(nl.Genl())
    else:
        strangers(nl.Genl())


main()
