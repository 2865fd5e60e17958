#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
#
# steer_request.py - clients of a service of mode request
#
#   steer_request.py WHAT ADDR PORT [ARG...]
#
# Each says on standard error what is wrong, and ends with status 1.

import os
import select
import socket
import subprocess
import sys
import time


def connect(addr, port):
    s = socket.create_connection((addr, int(port)), timeout=60)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def resp(*args):
    out = [b'*%d\r\n' % len(args)]
    for a in args:
        a = a if isinstance(a, bytes) else str(a).encode()
        out.append(b'$%d\r\n%s\r\n' % (len(a), a))
    return b''.join(out)


class Reader:
    """Replies of either protocol."""

    def __init__(self, sock):
        self.sock, self.buf, self.at = sock, b'', 0

    def more(self):
        got = self.sock.recv(1 << 18)
        if not got:
            raise EOFError('the connection ended')
        self.buf = self.buf[self.at:] + got
        self.at = 0

    def line(self):
        while True:
            end = self.buf.find(b'\r\n', self.at)
            if end >= 0:
                line, self.at = self.buf[self.at:end], end + 2
                return line
            self.more()

    def bulk(self, n):
        while len(self.buf) - self.at < n + 2:
            self.more()
        data, self.at = self.buf[self.at:self.at + n], self.at + n + 2
        return data

    def resp(self):
        line = self.line()
        mark, rest = line[:1], line[1:]
        if mark == b'$':
            return None if rest == b'-1' else self.bulk(int(rest))
        if mark == b'*':
            return [self.resp() for _ in range(int(rest))]
        if mark == b':':
            return int(rest)
        return line

    def values(self):
        got = {}
        while True:
            line = self.line()
            if not line.startswith(b'VALUE '):
                return got if line == b'END' else line
            word = line.split()
            got[word[1]] = self.bulk(int(word[3]))


def want(got, wanted, what):
    if got != wanted:
        sys.exit('%s: got %.200r, wanted %.200r' % (what, got, wanted))


def both(sock, data, read):
    """Send all of data and read meanwhile; a client that does not may block itself."""
    child = os.fork()
    if not child:
        try:
            sock.sendall(data)
        finally:
            os._exit(0)
    read()
    os.waitpid(child, 0)


def order(addr, port, n):
    """n requests in one go, replies in their order."""
    n = int(n)
    s = connect(addr, port)
    r = Reader(s)

    def stored():
        for i in range(n):
            want(r.resp(), b'+OK', 'SET k%d' % i)

    def read():
        for i in range(n):
            want(r.resp(), b'v%d' % i, 'GET k%d' % i)
            if i % 7 == 0:
                want(r.resp(), b'+PONG', 'PING')
            if i % 11 == 0:
                want(r.resp()[:5], b'-ERR ', 'FLUSHALL')
            if i % 13 == 0:
                want(r.resp(), [b'v%d' % i, None, b'v0'], 'MGET')

    both(s, b''.join(resp('SET', 'k%d' % i, 'v%d' % i) for i in range(n)), stored)
    both(s, b''.join(resp('GET', 'k%d' % i) + (b'PING\r\n' if i % 7 == 0 else b'') +
                     (resp('FLUSHALL') if i % 11 == 0 else b'') +
                     (resp('MGET', 'k%d' % i, 'none', 'k0') if i % 13 == 0 else b'')
                     for i in range(n)), read)


def several(addr, port):
    """Requests of several keys."""
    s = connect(addr, port)
    r = Reader(s)
    keys = ['m%d' % i for i in range(20)]
    s.sendall(resp('MSET', *sum(([k, 'v' + k] for k in keys), [])))
    want(r.resp(), b'+OK', 'MSET')
    s.sendall(resp('MGET', *keys))
    want(r.resp(), [('v' + k).encode() for k in keys], 'MGET')
    s.sendall(resp('EXISTS', *keys) + resp('DEL', 'none', *keys) + resp('EXISTS', *keys))
    want([r.resp(), r.resp(), r.resp()], [20, 20, 0], 'EXISTS, DEL, EXISTS')
    s.sendall(resp('MSETNX', '{t}a', '1', '{t}b', '2') + resp('RENAME', '{t}a', '{t}c'))
    want([r.resp(), r.resp()], [1, b'+OK'], 'keys of one tag')
    s.sendall(resp('LPUSH', '{t}l', '1') + resp('MGET', '{t}b', '{t}l', '{t}c'))
    want([r.resp(), r.resp()], [1, [b'2', None, b'1']], 'MGET of a list')
    s.sendall(resp('SINTER', *keys))
    want(r.resp()[:10], b'-CROSSSLOT', 'SINTER of many')
    for k in '{t}b', '{t}c', '{t}l':
        s.sendall(resp('DEL', k))
        want(r.resp(), 1, 'DEL')


def bytewise(addr, port):
    """A byte at a time."""
    s = connect(addr, port)
    r = Reader(s)
    for b in resp('SET', 'b1', 'a\r\nb') + resp('MGET', 'b1', 'none') + b'get b1\r\n':
        s.sendall(bytes([b]))
    want([r.resp(), r.resp(), r.resp()], [b'+OK', [b'a\r\nb', None], b'a\r\nb'], 'bytewise')


def huge(addr, port, mb):
    """Values of megabytes, several on their way at once."""
    s = connect(addr, port)
    r = Reader(s)
    data = [os.urandom(1 << 16) * (16 * int(mb)) for _ in range(3)]

    def stored():
        for _ in data:
            want(r.resp(), b'+OK', 'SET of %s MB' % mb)

    def read():
        for d in data:
            if r.resp() != d:
                sys.exit('a value of %s MB came back different' % mb)

    both(s, b''.join(resp('SET', 'h%d' % i, d) for i, d in enumerate(data)), stored)
    both(s, b''.join(resp('GET', 'h%d' % i) for i in range(3)), read)


def halfclose(addr, port, n):
    """All replies come after the client's last byte, and then the end."""
    n = int(n)
    s = connect(addr, port)
    r = Reader(s)
    s.sendall(b''.join(resp('GET', 'k%d' % i) for i in range(n)))
    s.shutdown(socket.SHUT_WR)
    for i in range(n):
        want(r.resp(), b'v%d' % i, 'GET k%d' % i)
    want(s.recv(100), b'', 'the end')
    # in the middle of a request: what was asked before is answered
    s = connect(addr, port)
    r = Reader(s)
    s.sendall(resp('GET', 'k1') + resp('SET', 'k1', 'other')[:-4])
    s.shutdown(socket.SHUT_WR)
    want(r.resp(), b'v1', 'GET k1')
    want(s.recv(100), b'', 'the end of half a request')
    s = connect(addr, port)
    s.sendall(b'QUIT\r\nGET k1\r\n')
    want(s.recv(100), b'+OK\r\n', 'QUIT')
    want(s.recv(100), b'', 'the end of QUIT')
    s = connect(addr, port)
    r = Reader(s)
    s.sendall(resp('GET', 'k1') + b'*x\r\n' + b'y' * 100000)
    want([r.resp(), r.resp()[:20]], [b'v1', b'-ERR Protocol error:'], 'malformed')


def slow(addr, port, n):
    """n megabytes are asked for and not read: then they come, all and in order."""
    n = int(n)
    s = connect(addr, port)
    r = Reader(s)
    for i in range(4):
        s.sendall(resp('SET', 's%d' % i, b'%d' % i * (1 << 20)))
        want(r.resp(), b'+OK', 'SET')
    s.sendall(b''.join(resp('GET', 's%d' % (i % 4)) for i in range(n)))
    print('asked', flush=True)
    sys.stdin.readline()
    for i in range(n):
        if r.resp() != b'%d' % (i % 4) * (1 << 20):
            sys.exit('megabyte %d is another one' % i)


def load(addr, port, clients, stop, tolerate=''):
    """Until the file stop is there. Each key is its client's own: what it reads, it wrote."""
    socks = [connect(addr, port) for _ in range(int(clients))]
    readers = [Reader(s) for s in socks]
    total = errors = rounds = 0
    while not os.path.exists(stop):
        for c, s in enumerate(socks):
            s.sendall(b''.join(resp('SET', 'l%d-%d' % (c, i), '%d-%d' % (rounds, i)) +
                               resp('GET', 'l%d-%d' % (c, i)) for i in range(20)))
        for c, r in enumerate(readers):
            for i in range(20):
                set_, get = r.resp(), r.resp()
                total += 2
                bad = [x for x in (set_, get) if isinstance(x, bytes) and x[:1] == b'-']
                errors += len(bad)
                for b in bad:
                    if not tolerate or tolerate.encode() not in b:
                        sys.exit('round %d: %r' % (rounds, b))
                if not bad and not tolerate:
                    want((set_, get), (b'+OK', b'%d-%d' % (rounds, i)), 'client %d' % c)
        rounds += 1
    print(total, errors)


def drained(addr, port, owned, backend, *command):
    """Who waits at a backend whose time to drain is over is told so, and can ask others."""
    with open(owned, encoding='ascii') as f:
        keys = dict(reversed(line.split()) for line in f)
    s = connect(addr, port)
    r = Reader(s)
    s.sendall(resp('BLPOP', 'list{%s}' % keys[backend], '0'))
    there = connect(backend, 6379)
    answers = Reader(there)
    blocked, end = b'', time.monotonic() + 60
    while b'\r\nblocked_clients:1\r\n' not in blocked:
        if time.monotonic() > end:
            sys.exit('nobody waits at %s: %r' % (backend, blocked))
        time.sleep(0.02)
        there.sendall(resp('INFO', 'clients'))
        blocked = answers.resp()
    subprocess.run(command, check=True)
    want(r.resp()[:4], b'-ERR', 'BLPOP')
    s.sendall(resp('SET', keys[backend], 'x') + resp('GET', keys[backend]))
    want([r.resp(), r.resp()], [b'+OK', b'x'], 'who asks then')


def ended(addr, port, clients):
    """Connections with requests on their way until somebody ends them all, in 150 s."""
    socks = [connect(addr, port) for _ in range(int(clients))]
    for s in socks:
        s.setblocking(False)
    print('connected', flush=True)
    end = time.monotonic() + 150
    live, data = set(socks), resp('SET', 'e', 'x' * 1000) * 20
    sent = dict.fromkeys(socks, 0)
    while live:
        if time.monotonic() > end:
            sys.exit('%d connections are still there' % len(live))
        readable, writable, _ = select.select(live, live, [], 1)
        for s in set(readable + writable):
            try:
                if s in readable and not s.recv(1 << 16):
                    raise OSError
                if s in writable:
                    sent[s] = (sent[s] + s.send(data[sent[s]:])) % len(data)
            except BlockingIOError:
                pass
            except OSError:
                live.discard(s)


def whenever(addr, port, clients):
    """The same again and again, whenever somebody listens; until it is killed."""
    while True:
        try:
            ended(addr, port, clients)
        except OSError:
            time.sleep(0.1)


def memcached(addr, port, n):
    """memcached's text protocol: pipelined, split gets, noreply, a large value, errors."""
    n = int(n)
    s = connect(addr, port)
    r = Reader(s)

    def stored():
        for i in range(n):
            if i % 3:
                want(r.line(), b'STORED', 'set k%d' % i)

    both(s, b''.join(b'set k%d 0 0 %d%s\r\nv%d\r\n' % (i, len(str(i)) + 1,
                                                       b'' if i % 3 else b' noreply', i)
                     for i in range(n)), stored)
    keys = [b'k%d' % i for i in range(n)]
    s.sendall(b'get none ' + b' '.join(keys) + b'\r\n')
    want(r.values(), {k: b'v' + k[1:] for k in keys}, 'get of many')
    s.sendall(b'get k1\r\ngets k2 k3\r\nincr k1 1\r\ndelete k2\r\nget k2\r\nversion\r\nstats\r\n')
    want(r.values(), {b'k1': b'v1'}, 'get')
    want(sorted(r.values()), [b'k2', b'k3'], 'gets')
    want(r.line()[:12], b'CLIENT_ERROR', 'incr')
    want(r.line(), b'DELETED', 'delete')
    want(r.values(), {}, 'get of what is gone')
    want(r.line(), b'VERSION paxsteer', 'version')
    want(r.line()[:12], b'SERVER_ERROR', 'stats')
    data = os.urandom(900000)
    for b in b'set big 0 0 900000\r\n':
        s.sendall(bytes([b]))
    s.sendall(data + b'\r\nget big k1\r\n')
    want(r.line(), b'STORED', 'set big')
    want(r.values(), {b'big': data, b'k1': b'v1'}, 'get big')
    s.sendall(b'set k5 0 0 2\r\nabc\r\nget k5\r\n')
    want(r.line(), b'CLIENT_ERROR bad data chunk', 'bad data chunk')
    want(s.recv(100), b'', 'the end')


def owned(addr, port, prefix):
    """Keys with a prefix that a redis has, asked itself."""
    s = connect(addr, port)
    r = Reader(s)
    s.sendall(resp('KEYS', prefix + '*'))
    for k in r.resp():
        print(k.decode())


if __name__ == '__main__':
    try:
        globals()[sys.argv[1]](*sys.argv[2:])
    except (OSError, EOFError) as e:
        sys.exit('%s: %s' % (sys.argv[1], e))
