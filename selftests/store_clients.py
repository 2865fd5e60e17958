#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""store_clients.py --port P: what a server tells of its clients, and does to them

CLIENT LIST, INFO, KILL and REPLY, CONFIG SET, FUNCTION, COMMAND GETKEYS and LIST, and the answers
that chance makes: what store_redis.py cannot compare byte for byte.
"""
import argparse
import socket

import redis


def talk(port, text, want):
    s = socket.create_connection(("127.0.0.1", port))
    s.settimeout(20)
    s.sendall(text)
    got = b""
    while len(got) < len(want) and (more := s.recv(4096)):
        got += more
    assert got == want, got
    return s


def fails(r, words, *command):
    try:
        r.execute_command(*command)
    except redis.RedisError as e:
        assert words in str(e), e
        return
    raise AssertionError(command)


def check(port):
    r = redis.Redis(port=port, decode_responses=True)
    talk(port, b"CLIENT REPLY OFF\r\nPING a\r\nSET muted 1\r\nCLIENT REPLY ON\r\nGET muted\r\n",
         b"+OK\r\n$1\r\n1\r\n")
    talk(port, b"CLIENT REPLY SKIP\r\nINCR muted\r\nINCR muted\r\nCLIENT REPLY OFF\r\nPING\r\nRESET\r\n"
         b"PING\r\n", b":3\r\n+RESET\r\n+PONG\r\n")
    other = talk(port, b"CLIENT SETNAME other\r\nMULTI\r\nGET a\r\n",
                 b"+OK\r\n+OK\r\n+QUEUED\r\n")
    there = {c["name"]: c for c in r.client_list()}
    c = there["other"]
    assert c["flags"] == "x" and c["multi"] == "1" and c["cmd"] == "get" and c["resp"] == "2", c
    assert c["addr"] == "127.0.0.1:%d" % other.getsockname()[1] and c["laddr"].endswith(str(port)), c
    assert there[""]["cmd"] == "client|list", there
    assert [x["name"] for x in r.client_list(client_id=[c["id"]])] == ["other"]
    assert r.client_kill_filter(_id=c["id"]) == 1 and other.recv(100) == b""
    fails(r, "greater than 0", "CLIENT", "KILL", "ID", "0")
    fails(r, "Unknown client type", "CLIENT", "LIST", "TYPE", "robot")
    fails(r, "No such client", "CLIENT", "KILL", "127.0.0.1:1")
    talk(port, b"CLIENT KILL SKIPME no TYPE pubsub\r\n", b":0\r\n")
    assert r.config_set("hash-max-ziplist-value", 10)
    assert r.config_get("hash-max-listpack-value") == {"hash-max-listpack-value": "10"}
    entries = r.config_get("hash-max-listpack-entries")
    fails(r, "immutable config", "CONFIG", "SET", "hash-max-listpack-entries", 1, "maxmemory", 5)
    assert r.config_get("hash-max-listpack-entries") == entries
    fails(r, "Unknown option", "CONFIG", "SET", "nothing", "1")
    assert r.execute_command("FUNCTION", "FLUSH") == "OK"
    assert r.execute_command("FUNCTION", "LIST") == []
    assert r.command_getkeys("MSET", "a", "1", "b", "2") == ["a", "b"]
    talk(port, b"COMMAND LIST FILTERBY PATTERN hrand*\r\n", b"*1\r\n$10\r\nhrandfield\r\n")
    r.delete("h")
    r.hset("h", mapping={f"f{i}": i for i in range(30)})
    some = r.execute_command("HRANDFIELD", "h", 10, "WITHVALUES")
    pairs = dict(zip(some[::2], some[1::2]))
    assert len(pairs) == 10 and all(k == "f" + v for k, v in pairs.items()), some
    assert set(r.hrandfield("h", 50)) == {f"f{i}" for i in range(30)}
    assert len(r.hrandfield("h", -50)) == 50 and r.hrandfield("h") in r.hkeys("h")
    assert r.memory_usage("h") > 30 * 64 and r.memory_usage("no") is None
    r.delete("h", "muted")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--port", required=True, type=int)
    check(p.parse_args().port)


if __name__ == "__main__":
    main()
