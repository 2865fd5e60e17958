# SPDX-License-Identifier: GPL-2.0
"""Generic netlink by hand, for tests that say what no command would.

Constants come from the uapi header, so a renumbered one is noticed. Every call gives
back the kernel's whole answer: errno, its words, which attribute it points at or misses.
"""
import ctypes
import os
import re
import socket
import struct

TOP = os.environ.get("PXS_TOP") or os.path.join(os.path.dirname(__file__), "..")
REQUEST, MULTI, ACK, ECHO, DUMP = 1, 2, 4, 8, 0x300
NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_STRICT, ADD_MEMBERSHIP = 11, 10, 12, 1
SOL_NETLINK = 270


def constants(path):
    """Every enumerator and number of a header."""
    text = re.sub(r"/\*.*?\*/", "", open(path).read(), flags=re.S)
    out = {}
    for name, value in re.findall(r"#define (PXS_\w+)\s+(\d+)\s", text):
        out[name] = int(value)
    for body in re.findall(r"enum \w+ \{(.*?)\}", text, flags=re.S):
        n = 0
        for item in body.split(","):
            item = item.split("=")
            if not item[0].strip():
                continue
            n = int(item[1]) if len(item) > 1 else n
            out[item[0].strip()] = n
            n += 1
    return out


C = constants(os.path.join(TOP, "uapi/linux/paxsteer.h"))


def attr(kind, data):
    if isinstance(data, str):
        data = data.encode() + b"\0"
    out = struct.pack("=HH", 4 + len(data), kind) + data
    return out + bytes(-len(out) % 4)


def attrs(data):
    out = []
    while len(data) >= 4:
        n, kind = struct.unpack_from("=HH", data)
        out.append((kind & 0x3fff, data[4:n]))
        data = data[(n + 3) & ~3:]
    return out


u8 = struct.Struct("=B").pack
u16 = struct.Struct("=H").pack
be16 = struct.Struct(">H").pack
u32 = struct.Struct("=I").pack
u64 = struct.Struct("=Q").pack


def addr(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


class Answer:
    def __init__(self):
        self.errno, self.words, self.at, self.missing, self.replies = None, "", None, None, []

    def __str__(self):
        return "%s %r at %s missing %s, %d replies" % (
            self.errno and os.strerror(self.errno), self.words, self.at, self.missing,
            len(self.replies))


class Genl:
    def __init__(self, family="paxsteer"):
        self.open()
        a = self.call(16, struct.pack("=BBH", 3, 1, 0) + attr(2, family))
        if a.errno:
            raise OSError(a.errno, "family " + family)
        found = dict(attrs(a.replies[0]))
        self.id = struct.unpack("=H", found[1])[0]
        self.groups = {}
        for _, group in attrs(found.get(7, b"")):
            g = dict(attrs(group))
            self.groups[g[1].rstrip(b"\0").decode()] = struct.unpack("=I", g[2])[0]

    def open(self):
        self.sk = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.sk.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sk.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.sk.settimeout(60)
        self.sk.bind((0, 0))
        self.seq = 0

    def join(self, group):
        self.sk.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, self.groups[group])

    def call(self, kind, payload, flags=ACK):
        """One request; payload begins with the generic header. Return: the Answer."""
        self.seq += 1
        self.sk.send(struct.pack("=IHHII", 16 + len(payload), kind, flags | REQUEST, self.seq, 0)
                     + payload)
        a = Answer()
        while a.errno is None:
            self.receive(a, payload)
        return a

    def recv(self):
        return self.sk.recv(1 << 20)

    def receive(self, a, payload):
        data = self.recv()
        while len(data) >= 16:
            n, kind, flags, seq, _ = struct.unpack_from("=IHHII", data)
            if seq == self.seq and kind in (2, 3):
                self.ended(a, data[16:n], flags, kind, payload)
            elif seq == self.seq:
                a.replies.append(data[20:n])
            data = data[(n + 3) & ~3:]

    def ended(self, a, body, flags, kind, payload):
        err, = struct.unpack_from("=i", body)
        a.errno = -err if err < 0 else 0
        if not flags & 0x200:
            return
        # Behind the error: the request's header, and unless capped all of the request.
        skip = 4
        if kind == 2:
            size, = struct.unpack_from("=I", body, 4)
            skip = 4 + (16 if flags & 0x100 or not err else (size + 3) & ~3)
        for t, d in attrs(body[skip:]):
            if t == 1:
                a.words = d.rstrip(b"\0").decode()
            elif t == 2:
                at = struct.unpack("=I", d)[0] - 16
                a.at = struct.unpack_from("=H", payload, at + 2)[0] & 0x3fff if at >= 4 else 0
            elif t == 5:
                a.missing, = struct.unpack("=I", d)

    def do(self, cmd, fields=b"", flags=ACK, version=1):
        if isinstance(cmd, str):
            cmd = C["PXS_CMD_" + cmd]
        if isinstance(fields, list):
            fields = b"".join(attr(k, d) for k, d in fields)
        return self.call(self.id, struct.pack("=BBH", cmd, version, 0) + fields, flags)

    def dump(self, cmd, fields=b""):
        return self.do(cmd, fields, DUMP)

    def state(self):
        """All that the module shows, as bytes: equal means unchanged."""
        out = [sorted(self.dump(c).replies) for c in ("SERVICE_GET", "BACKEND_GET", "GROUP_GET")]
        for s in out[0]:
            name = attrs(s)[0][1]
            out.append(self.do("TABLE_GET", attr(C["PXS_A_TABLE_SERVICE"], name)).replies
                       if self.has_table(s) else [])
        return out

    @staticmethod
    def has_table(service):
        return any(k == C["PXS_A_SERVICE_DIGEST"] for k, _ in attrs(service))


def of(prefix, **fields):
    return b"".join(attr(C["PXS_A_%s_%s" % (prefix, k)], v) for k, v in fields.items())


def service(name, proto, to, port=7000, **more):
    return of("SERVICE", NAME=name, PROTO=u8(proto), ADDR=addr(to), PORT=be16(port),
              SEED=bytes(range(16)), **more)


def backend(name, to, port=7000, **more):
    return of("BACKEND", SERVICE=name, ADDR=addr(to), PORT=be16(port), **more)


def mode(name):
    return u8(C["PXS_MODE_" + name.upper().replace(" ", "_")])


def must(g, cmd, fields, flags=ACK):
    a = g.do(cmd, fields, flags)
    if a.errno:
        raise SystemExit("Bail out! %s: %s" % (cmd, a))
    return a


def enter(name):
    """Go into a named network namespace."""
    with open("/run/netns/" + name) as f:
        if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")
