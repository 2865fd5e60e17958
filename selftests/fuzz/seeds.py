#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
#
# seeds.py - the first inputs of the fuzz targets
#
#   seeds.py DIR      makes DIR/TARGET/NAME for every target that wants some
#
# Small and few: what a fuzzer would need long to find by itself, such as words and magics.

import hashlib
import os
import struct
import sys

UUID = bytes(range(16))


def wire_header(kind, body=b'', count=0, ballot=0x102, slot=1, commit=0, arg=0):
    return struct.pack('>IBBBB16s16sIBBHQQQQQQQQII', 0x50585331, 1, kind, 1, 0, b'', UUID, 1, 2, 1,
                       count, 1, 101, 100, 7, ballot, slot, commit, arg, len(body), 0) + body


def entry(slot, ballot, value, flags=0):
    pad = -len(value) % 8
    return struct.pack('>QQIB3x', slot, ballot, len(value), flags) + value + bytes(pad)


def wire():
    yield 'prepare', wire_header(1)
    yield 'promise', wire_header(2, entry(1, 5, b'abc') + entry(4, 6, b'', 4), 2, arg=9)
    yield 'accept', wire_header(3, entry(1, 0x102, b'hello') + entry(2, 0x102, b'', 1), 2)
    yield 'accepted', wire_header(4, count=3)
    yield 'refuse', wire_header(5, arg=0x203)
    yield 'heartbeat', wire_header(6)
    yield 'transfer', wire_header(12, ballot=0x102, slot=3)
    yield 'learn', wire_header(9, entry(1, 0x102, b'hello', 2), 1, ballot=0)


def key():
    def rule(kind, payload, frame=0, offset=0, length=0, v4=1):
        return struct.pack('<BBHHBBBHH', kind, frame, offset, length, 0, v4, 17, 1000, 11211) + \
               bytes(32) + payload

    binary = struct.pack('>BBHBBHIIQ', 0x80, 0, 3, 0, 0, 0, 3, 0, 0) + b'key'
    frame = struct.pack('>HHHH', 1, 0, 1, 0)
    for i in range(1, 8):
        yield 'rule%d' % i, rule(i, b'get user:42\r\n')
    for i, text in enumerate((b'get a b c\r\n', b'gat 100 key\r\n', b'set k 0 0 1\r\nx\r\n',
                              b'mg key v\r\n', b'touch k 10\r\n', binary)):
        for k in range(1, 8):
            yield 'mc%d-%d' % (i, k), rule(k, frame + text, 1)
            yield 'mcn%d-%d' % (i, k), rule(k, text, 0)
    query = b'\1\2\1\0\0\1\0\0\0\0\0\0\3www\7Example\3org\0\0\1\0\1'
    resp = b'*3\r\n$3\r\nSET\r\n$7\r\n{tag}:1\r\n$1\r\nx\r\n'
    xread = b'*4\r\n$5\r\nXREAD\r\n$7\r\nSTREAMS\r\n$1\r\nk\r\n$1\r\n0\r\n'
    http = b'GET http://ex.org:80/a?b HTTP/1.1\r\nHost: Ex.ORG:80\r\n\r\n'
    packet = b'\xc0\0\0\0\1\x08abcdefgh\x08ABCDEFGH'
    for k, texts in ((5, (query,)), (6, (resp, xread, b'EVAL x 1 k\r\n')),
                     (7, (http, http.replace(b'http://ex.org:80', b''))), (8, (http,)),
                     (9, (packet, packet[:1] + packet[6:]))):
        for i, text in enumerate(texts):
            yield 'proto%d-%d' % (k, i), rule(k, text, length=8 * (k == 9))
    for k in range(1, 8):
        yield 'payload%d' % k, rule(k, bytes(64), 0, 4, 16)


def script(ops):
    return b''.join(bytes(o) for o in ops)


def journal():
    record = [0x01, 7, 3, 1, 2, 16]           # an accept of 16 bytes
    big = [0x21, 7, 3, 1, 2, 0x10, 0x27]       # ... of 10,000
    batch = [0, 1] + record * 2
    yield 'two', script([batch, batch])
    yield 'segments', script([batch, [4, 9], batch, [3], [4, 8], batch])
    yield 'spare', script([batch, [5]])
    yield 'torn', script([batch, batch, [6 | 1 << 3, 0, 0, 0x20, 0]])
    yield 'middle', script([[0, 1] + big * 2, [3], batch, [6, 0, 0x00, 0x14, 3, 1, 2, 3, 4]])
    yield 'value', script([batch, [3], batch, [6, 0, 0x80, 0x10, 0, 1]])
    yield 'moved', script([batch, batch, batch, [6 | 2 << 3, 0, 0, 0x20, 0, 0, 0x10]])
    yield 'forged', script([batch, batch, [0x87, 0, 1, 8, 1]])
    yield 'forged-head', script([batch, [0x87, 0, 0, 24, 1]])


def scan():
    for name, data in journal():
        yield name, b'\1' + data


def recover():
    hint = b'lsn 2\ngroup 1 commit 1\n'
    for name, data in journal():
        yield name, b'\0\0\0' + data
        yield name + '-hint', bytes([0, 7, len(hint)]) + hint + data
    yield 'size', b'\xfe\x00\x10\x00\x00\0\0' + next(journal())[1]
    yield 'identity', b'\xff\x08\x01\0\0' + next(journal())[1]


def group():
    take, durable = [5], [7, 0xc0]
    prepare = [0, 0, 0, 2, 0, 0, 0, 0]
    accept = [0, 0, 2, 0, 0, 0, 0, 1, 5, 65]
    yield 'promise', script([prepare, take, durable])
    yield 'accept', script([accept, take, durable])
    yield 'crash', script([accept, take, durable, [14, 0, 0, 0, 0]])
    yield 'lead', script([[11, 2, 0, 0], take, durable, [11 | 1 << 4, 1, 0], [11 | 3 << 4, 1, 9],
                          take, durable, [0, 0, 3, 1, 0, 0, 0, 1], [10 | 0x80, 200, 0]])
    chosen = [[0, 0, 11, 2, 0, 0, 0, 0], [11, 20, 0, 0], take, durable]
    yield 'transfer', script(chosen)
    yield 'hand over', script(chosen + [[11 | 1 << 4, 1, 0], [15 | 1 << 4],
                                        [0, 0, 6, 1, 0, 0, 0, 0], [10 | 0x80, 200, 0]])
    yield 'agent', script([accept, take, [13, 255], [13, 0], take, durable])
    yield 'rot', script([accept, take, durable, [14, 255, 1, 0, 1]])
    yield 'learn', script([[0, 0, 8, 0, 1, 0, 1, 5, 65, 0], take, durable])


def attr(kind, data):
    return struct.pack('<HH', 4 + len(data), kind) + data + bytes(-len(data) % 4)


def genl(cmd, *attrs):
    return bytes(16) + struct.pack('<BBH', cmd, 1, 0) + b''.join(attrs)


def datagram(message, how):
    return struct.pack('<HB', len(message), how) + message


def uapi(name):
    """The numbers of an enum's names, from the header itself."""
    here = os.path.dirname(os.path.abspath(__file__))
    number, found = 0, {}
    with open(os.path.join(here, '../../uapi/linux/paxsteer.h'), encoding='ascii') as f:
        for line in f:
            word = line.strip().split(',')[0].split('/*')[0].strip()
            if line.startswith('enum '):
                number = 0
            elif word.replace('_', '').split(' ')[0].isalnum() and line.startswith('\t'):
                if '=' in word:
                    word, value = (w.strip() for w in word.split('=', 1))
                    number = int(value, 0) if value[:1].isdigit() else number
                found[word] = number
                number += 1
    return {k[len(name):]: v for k, v in found.items() if k.startswith(name)}


def u8(v):
    return struct.pack('<B', v)


def u32(v):
    return struct.pack('<I', v)


def u64(v):
    return struct.pack('<Q', v)


def group_answer():
    a, m, cmd = uapi('PXS_A_GROUP_'), uapi('PXS_A_MEMBER_'), uapi('PXS_CMD_')
    members = b''.join(attr(a['MEMBER'], attr(m['ID'], u8(i)) + attr(m['INCARNATION'], u64(i)) +
                            attr(m['ADDR'], bytes(4)) + attr(m['PORT'], bytes(2)))
                       for i in (1, 2, 3))
    return genl(cmd['GROUP_GET'], attr(a['ID'], u32(1)), attr(a['CLUSTER'], bytes(16)),
                attr(a['KEY_ID'], u8(0)), attr(a['EPOCH'], u64(1)), attr(a['SELF'], u8(1)),
                attr(a['WINDOW'], u32(64)), attr(a['HEARTBEAT_MS'], u32(100)),
                attr(a['ELECTION_MS'], u32(1000)), attr(a['LEASE_DRIFT'], u32(0)),
                attr(a['PHASE1'], u8(3)), attr(a['PHASE2'], u8(1)),
                attr(a['STATE'], u8(1)), attr(a['ROLE'], u8(1)), attr(a['STATS'], attr(1, u64(5))), members)


def refusal(words=b'no\0'):
    return struct.pack('<IHHII', 0, 2, 0x300, 0, 0) + struct.pack('<i', -22) + \
           struct.pack('<IHHII', 20, 29, 5, 1, 0) + attr(1, words)


def link():
    a, j, cmd = uapi('PXS_A_GROUP_'), uapi('PXS_A_JOURNAL_'), uapi('PXS_CMD_')
    event = [
        genl(cmd['EVENT_APPEND'], attr(j['ATTACH_EPOCH'], u64(1)), attr(j['FIRST_LSN'], u64(1)),
             attr(j['COUNT'], u32(1)), attr(j['RECORDS'], bytes(48)), attr(j['LAZY'], b'')),
        genl(cmd['EVENT_DECIDED'], attr(a['ID'], u32(1)), attr(a['COMMIT'], u64(5)),
             attr(a['LSN'], u64(9))),
        genl(cmd['EVENT_RECV'], attr(a['ID'], u32(1)),
             attr(a['DATAGRAM'], wire_header(2, entry(1, 5, b'abc'), 1))),
        genl(cmd['EVENT_LEADER'], attr(a['ID'], u32(1)), attr(a['EVENT'], u8(1)),
             attr(a['BALLOT'], u64(257))),
        genl(cmd['EVENT_GROUP_GONE'], attr(a['ID'], u32(1))),
    ]
    for i, e in enumerate(event):
        yield 'event%d' % i, b'\0\1' + datagram(e, 0) + b'\0\0\0'
    for what in range(6):
        yield 'answer%d' % what, bytes([what, 0]) + datagram(group_answer(), 4) * 3 + b'\0\0\0'
        yield 'refusal%d' % what, bytes([what, 0]) + datagram(refusal(), 6) * 3 + b'\0\0\0'


def show():
    s, b, t = uapi('PXS_A_SERVICE_'), uapi('PXS_A_BACKEND_'), uapi('PXS_A_TABLE_')
    service = genl(1, attr(s['NAME'], b'cache\0'), *[attr(k, u8(1)) for k in range(2, 12)],
                   *[attr(k, u64(1)) for k in range(12, 24)])
    backend = genl(2, *[attr(k, u32(1)) for k in sorted(b.values()) if 0 < k < 60])
    table = genl(3, *[attr(k, u32(1)) for k in sorted(t.values()) if 0 < k < 60])
    for which in range(15):
        for n, msg in enumerate((service, backend, table, group_answer())):
            for how in (0, 1):
                yield '%d-%d-%d' % (which, n, how), \
                      bytes([which, how]) + datagram(msg, 0) + datagram(bytes(20), 2)
        yield 'refused%d' % which, bytes([which, 0]) + datagram(refusal(), 1) + b'\0\0\0'


def client():
    header = struct.pack('<IBBHIIQQQ', 5, 1, 0, 0, 1, 0, 7, 0, 0)
    yield 'append', b'\0\0' + bytes([45]) + header + b'hello' + b'\4\1\5\4\1'
    yield 'read', b'\0\2\1\0\0\1\1\0\0\4\1'
    yield 'follow', b'\0\2\1\1\0\1\1\0\0\4\1'
    yield 'status', b'\0\2\2\0\0\1\0\0\0\4\1'
    yield 'transfer', b'\0\2\3\0\0\1\2\0\0\4\1'
    yield 'who', b'\0\2\4\0\0\1\0\0\0\4\1'
    yield 'slow', b'\x80\2\1\0\0\1\1\0\0\6'
    header = struct.pack('<IBBHIIQQQ', 16, 1, 0, 0, 1, 0, 7, 0, 0)
    change = b'PXTC' + struct.pack('=BBH', 1, 3, 0x102) + struct.pack('=HH', 8, 1) + b'web\0'
    yield 'change', b'\x20\0' + bytes([56]) + header + change + b'\4\1\5\6\4\1'


def lib():
    leader, ready, wait, right = 0, 1 << 3, b'\xff\0', b'\0'
    who = b'\0' * 3 + b'\x80' + bytes([leader | ready]) + right
    yield 'append', b'\0\0' + wait + who + wait + b'\0\x80\x01\0' * 3
    yield 'again', b'\0\2' + wait + who + wait + b'\0\x80\x84\0\5' + wait * 4
    yield 'read', b'\x20\1' + wait + b'\0\0\x80\x02\0\5value\x80\x03\0' + wait
    yield 'split', b'\x20\1' + wait + b'\0\x4c' + struct.pack(
        '<IBBHIIQQQ', 20, 67, 0, 0, 1, 0, 1, 2, 0) + b'value' + wait * 2
    yield 'status', b'\x30\1\0\x80\x05\0\5value'
    yield 'transfer', b'\x30\2' + who + b'\0\x80\x06\0'
    yield 'raw', b'\0\0' + wait + b'\0' * 3 + b'\x47' + struct.pack(
        '<IBBHIIQQQ', 0, 71, 1, 0, 1, 0, 0, 5, 1) + wait


CLI = '''service add cache udp 10.0.0.100:11211 key memcached mode nat
service add web tcp [fd00::1]:80 key source algorithm maglev mode local
service add s udp 10.0.0.1:1 key payload offset 4 length 8 seed 000102030405060708090a0b0c0d0e0f
service set cache key tuple
service del cache
service show
backend add cache 10.0.1.1:11211 weight 2 state up
backend set cache 10.0.1.1:11211 state drain
backend del cache 10.0.1.1:11211
backend show cache
table show cache rows
lookup cache key user:42
lookup cache hex 00ff
cluster init self 1 1=10.0.0.1:7400,6379 2=10.0.0.2 3=10.0.0.3,127.0.0.13:6379 datapath user
cluster init self 1 1=fd00::1 2=fd00::2 3=fd00::3 etc /e journal /j socket /s units /u valid 5
cluster add 4=10.0.0.4,6380 learner etc /e bundle /b valid 5 datapath kernel timeout 0
cluster remove -S /s 4 password-file /dev/null timeout 1
cluster rebalance -S /s,/t dry-run password-file /dev/null
cluster rebalance -S /s voters 3 etc /nowhere timeout 1
lookup cache from 10.0.0.1:80
group add 1 cluster 6a1f0c52-9d0e-4a3b-8f53-0b7a2a6f1e11 self 1 member 1 10.0.0.1:7400 0x12
group del 1
group show 1
stats show
log -S /a,/b group 2 append count 5 size 10 prefix x outstanding 3 quiet
log tail from 1 count 5 follow hash noops
log append "two words"
journal init /d cluster 6a1f0c52-9d0e-4a3b-8f53-0b7a2a6f1e11 member 1 segment-size 65536
journal show /d
journal verify /d
help
save
save service cache
restore /f flush
service help'''


IPVS = '''import ipvs /f
-A -t 10.0.0.100:80 -s rr -p 300 -M 255.255.255.0 --pe sip
-a -t 10.0.0.100:80 -r 10.0.1.1:8080 -m -w 1
-A -u [2001:db8::100]:53 -s mh -o -b mh-fallback,mh-port
-a -u [2001:db8::100]:53 -r [2001:db8::1]:53 -i -w 2 --tun-type gue --tun-port 6080 --tun-nocsum
-A -f 3 -6 -s wlc
-a -f 3 -6 -r [2001:db8::1]:0 -g -w 1
'''
RESTORE = '''restore /f flush
service add cache udp 10.0.0.100:11211 mode nat key payload 4:8 fill rendezvous rows 0 cap 20
backend add cache 10.0.1.1:11211 weight 2 id 0x0000000000000001 state up
'''


BUNDLE_ADD = '\n'.join(
    ['cluster join - self 4', 'paxsteer-bundle 2', 'cluster 6a1f0c52-9d0e-4a3b-8f53-0b7a2a6f1e11',
     'until 4000000000', 'datapath user', 'key ' + '1' * 64, 'password ' + '2' * 32,
     'adds 4 key-id 1'] +
    ['member %d 10.0.0.%d:7400 store 10.0.0.%d:6379 incarnation 0x%d joined %d role %s' %
     (i, i, i, i, i != 4, 'learner' if i == 4 else 'voter') for i in (1, 2, 3, 4)] + [''])
BUNDLE = '\n'.join(
    ['cluster join - self 2', 'paxsteer-bundle 1', 'cluster 6a1f0c52-9d0e-4a3b-8f53-0b7a2a6f1e11',
     'until 4000000000', 'datapath kernel', 'key ' + '1' * 64, 'password ' + '2' * 32] +
    ['member %d 10.0.0.%d:7400 store 10.0.0.%d:6379 incarnation 0x%d joined 0' % (i, i, i, i)
     for i in (1, 2, 3)] + [''])


def cli():
    for i, line in enumerate(CLI.split('\n')):
        yield 'line%d' % i, line.encode()
    for name, bundle in ('bundle', BUNDLE), ('bundle-add', BUNDLE_ADD):
        text = bundle.encode()
        tag = hashlib.blake2s(text.split(b'\n', 1)[1], digest_size=16, key=b'\x11' * 32)
        yield name, text + b'sum ' + tag.hexdigest().encode() + b'\n'
    yield 'ipvs', IPVS.encode()
    yield 'restore', RESTORE.encode()


CONFIG = '''node {
	cluster = "6a1f0c52-9d0e-4a3b-8f53-0b7a2a6f1e11"
	key-file = "%s"
	journal = "/var/lib/paxsteer"
	socket = "/s"
	datapath = "user"
	flush = "dsync"
	cache = 64
}
group 1 {
	self = 1
	epoch = 2
	key-id = 3
	also-key-id = 4
	window = 128
	heartbeat = 20
	election = 100
	member 1 { address = "10.0.0.1:7400"  incarnation = "0x12" }
	member 2 { address = "10.0.0.2:7400"  incarnation = "0x13" }
	member 3 { address = "[fd00::1]:7400"  incarnation = "20" }
}
'''


def probe():
    def check(kind, answer, datagram=b'', name=b'w.example.org'):
        words = b''.join(bytes([len(w)]) + w for w in (b'/x', b'h', b'', b'', name))
        return bytes([kind]) + struct.pack('<HHBB', 200, 399, 1, 1) + words + \
            struct.pack('<H', 0xabcd) + datagram + answer

    yield 'http', check(0, b'HTTP/1.1 200 OK\r\n\r\n')
    yield 'memcached', check(1, b'VERSION 1.6\r\n', b'\0')
    yield 'frame', check(1, b'\xab\xcd\0\0\0\1\0\0VERSION 1.6\r\n', b'\1')
    yield 'redis', check(2, b'+PONG\r\n')
    yield 'noauth', check(2, b'-NOAUTH x\r\n')
    yield 'dns', check(3, b'\xab\xcd\x81\x83\0\1\0\0\0\0\0\0\1w\7example\3org\0\0\1\0\1')


def services():
    s, b, cmd = uapi('PXS_A_SERVICE_'), uapi('PXS_A_BACKEND_'), uapi('PXS_CMD_')
    one = attr(b['SERVICE'], b'web\0') + attr(b['ADDR'], bytes(4)) + attr(b['PORT'], bytes(2))
    for name in ('ADD', 'SET', 'DEL', 'GET'):
        message = genl(cmd['BACKEND_' + name], one, attr(b['HEALTH'], u8(3)),
                       attr(b['REASON'], b'no\0'))
        yield 'backend-' + name, b'\1' + datagram(message, 0)
        message = genl(cmd['SERVICE_' + name], attr(s['NAME'], b'web\0'), attr(s['PROTO'], u8(17)))
        yield 'service-' + name, b'\1' + datagram(message, 0) * 2


def config():
    for name in '`abc':
        yield name.replace('`', '0'), (CONFIG % name).encode()
    yield 'health', (b'health "a" { check = "http" backends = "10.0.0.1:80, [fd00::1]:80" port = 8 '
                     b'path = "/" host = "h" status = "200-399" interval = 100 timeout = 10 }\n'
                     b'health b { check = "dns" name = "a.b" rcode = "nxdomain" rise = 1 fall = 1 }\n'
                     b'health c { check = "redis" user = "u" password-file = "a" noauth = "good" }')
    yield 'minimal', b'node { }\ngroup 1 { self = 1 member 1 { } }'
    yield 'address', b'[fd00::1]:7400'


def resp():
    def request(*args):
        return b'*%d\r\n' % len(args) + b''.join(b'$%d\r\n%s\r\n' % (len(a), a) for a in args)

    def log_entry(kind, *commands, watched=()):
        return struct.pack('<IBBHII4Q', 0x45535850, 1, kind, len(watched), len(commands), 0, 1, 2,
                           1000, 1 << 20) + \
            b''.join(struct.pack('<QI', 1, len(k)) + k for k in watched) + \
            b''.join(struct.pack('<I', len(c)) +
                     b''.join(struct.pack('<I', len(a)) + a for a in c) for c in commands)

    yield 'inline', b'\0\2SET a \"b c\"\r\nAPPEND a \'x\'\n\r\nGET a\r\n'
    yield 'error', b'\0\0' + request(b'PING') + b'*1\r\n:1\r\n'
    yield 'stranger', b'\2\5*11\r\n'
    for i, all_ in enumerate((
            (b'SET k v PX 100', b'SETRANGE k 9 x', b'INCRBYFLOAT n 1.5', b'GETEX k EXAT 9', b'MGET k n'),
            (b'HSET h a 1 b 2', b'HINCRBY h a 4', b'HDEL h b', b'HGETALL h', b'HSCAN h 0 MATCH [a-c]*'),
            (b'MSET a 1 b 2', b'RENAME a b', b'EXPIRE b 100 NX', b'TTL b', b'SCAN 0 COUNT 1',
             b'PERSIST b', b'FLUSHALL'),
            (b'SET ' + b'k' * 600 + b' v', b'HSET h ' + b'f' * 600 + b' v', b'DEL ' + b'k' * 600))):
        yield 'data%d' % i, b'\0\7' + b''.join(request(*c.split()) for c in all_)
    for i, all_ in enumerate((
            (b'BEGIN a TIMEOUT 1500 STEP 1 CHECK MIN k 0 DO 3 INCRBY k 5 UNDO 3 DECRBY k 5 '
             b'STEP 2 WAIT DO 4 HSET h f v UNDO 3 HDEL h f', b'DONE a 2', b'FAIL a 2 why',
             b'ABORT a', b'RETRY a', b'SKIP a 1'),
            (b'BEGIN b STEP 1 DO 3 SET k x UNDO 3 HDEL k f STEP 2 CHECK HEQUALS k f v DO 2 DEL k',
             b'BEGIN b STEP 1 WAIT', b'BEGIN c STEP 1 CHECK TYPE k none WAIT', b'ABORT c why'))):
        yield 'saga%d' % i, b'\4\7' + b''.join(request(*c.split()) for c in all_)
    yield 'barrier', b'\1\0' + log_entry(1)
    yield 'command', b'\1\0' + log_entry(2, (b'SET', b'a', b'1'))
    yield 'exec', b'\1\0' + log_entry(3, (b'SET', b'a', b'1'), (b'HSET', b'h', b'f', b'v'), (b'GET',),
                                      watched=(b'a', b'b'))


def feed():
    def item(key, field, value, kind=0, dead=0, deadline=0):
        return struct.pack('<QQQQIIIBBBB', 77, 88, 99, deadline, len(key), len(field), len(value),
                           3, kind, dead, 0) + key + field + value

    yield 'whole', item(b'key', b'', b'value', deadline=1000)
    yield 'field', item(b'key', b'field', b'value', 1)
    yield 'dead', item(b'key', b'', b'', 0, 1) + item(b'key', b'f', b'', 1, 1)
    yield 'ask', b'PXSFEED1' + bytes(104)


def request():
    def array(*args):
        return b'*%d\r\n' % len(args) + b''.join(b'$%d\r\n%s\r\n' % (len(a), a) for a in args)

    redis = (array(b'SET', b'k', b'v\r\n') + array(b'GET', b'k'), array(b'MGET', b'a', b'b'),
             array(b'MSET', b'a', b'1', b'b', b'2') + b'PING\r\n', array(b'DEL', b'a', b'b'),
             array(b'EVAL', b's', b'2', b'a', b'b', b'c'), b'BLPOP a b 0\r\n',
             array(b'XREAD', b'COUNT', b'1', b'STREAMS', b'a', b'0'), b'SELECT 0\nQUIT\n',
             array(b'ZUNIONSTORE', b'd', b'2', b'a', b'b'), array(b'AUTH', b'x') + b'*0\r\n')
    memcached = (b'set k 0 0 3\r\nabc\r\nget k l\r\n', b'cas k 0 0 0 7 noreply\r\n\r\n',
                 b'incr k 1\r\ndelete k 0 noreply\r\n', b'gat 1 k\r\ngets a b \r\nversion\r\n',
                 b'stats\r\nquit\r\n')
    replies = (b'+OK\r\n-ERR x\r\n:1\r\n$3\r\nabc\r\n*2\r\n:1\r\n$-1\r\n',
               b'%1\r\n+a\r\n#t\r\n|1\r\n+a\r\n,1.5\r\n_\r\n~1\r\n=5\r\ntxt:x\r\n>1\r\n:1\r\n',
               b'VALUE k 0 3\r\nabc\r\nEND\r\nSERVER_ERROR x\r\nSTORED\r\n',
               b'*1\r\n$1\r\na\r\n*1\r\n$-1\r\n-ERR x\r\n', b':1\r\n:2\r\n-ERR x\r\n+OK\r\n+OK\r\n')
    for i, text in enumerate(redis):
        yield 'redis%d' % i, b'\0\2\0\0' + text
    for i, text in enumerate(memcached):
        yield 'memcached%d' % i, b'\1\2\0\0' + text
    for i, text in enumerate(replies):
        for use in range(6):
            yield 'reply%d-%d' % (i, use), bytes([2, 2, use]) + (b'\0' if use < 2 else b'') + text


TARGETS = (wire, key, scan, recover, group, link, show, client, lib, cli, config, probe,
           services, resp, feed, request)


def main():
    for target in TARGETS:
        where = os.path.join(sys.argv[1], target.__name__)
        os.makedirs(where, exist_ok=True)
        for name, data in target():
            with open(os.path.join(where, 'seed-' + name), 'wb') as f:
                f.write(data)


main()
