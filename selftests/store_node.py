# SPDX-License-Identifier: GPL-2.0
"""store_node.py - what the clients of a store in these tests share: a connection, and where to go

A password is taken from where redis-cli does: REDISCLI_AUTH.
"""
import os
import socket
import time

# Nothing was done; anything else that is not an answer may have been.
DEFINITE = ("MOVED", "CLUSTERDOWN", "NOREPLICAS", "LOADING", "MISCONF", "TRYAGAIN")


def goes_on(end, until):
    """Before @end, and after it until the file @until is there: two minutes at most."""
    now = time.monotonic()
    return now < end or bool(until) and now < end + 120 and not os.path.exists(until)


class Refused(Exception):
    """Nothing was done."""


class Unknown(Exception):
    """An error after which it may have been done."""


class Node:
    """A connection that knows enough of the protocol."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.file = self.sock.makefile("rb")
        if os.environ.get("REDISCLI_AUTH"):
            self.call(["AUTH", os.environ["REDISCLI_AUTH"]])

    def close(self):
        self.file.close()
        self.sock.close()

    def one(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("closed")
        kind, rest = line[:1], line[1:-2].decode()
        if kind == b"-":
            raise (Refused if rest.split()[0] in DEFINITE else Unknown)(rest)
        if kind == b"*":
            return None if rest == "-1" else [self.one() for _ in range(int(rest))]
        if kind == b"$":
            return None if rest == "-1" else self.bulk(int(rest) + 2)
        return rest

    def bulk(self, size):
        data = self.file.read(size)
        if len(data) != size:
            raise ConnectionError("closed")
        return data[:-2].decode()

    def call(self, *commands):
        """Send all at once, as words without spaces; the answers, or the first error of them."""
        self.sock.sendall("".join(" ".join(c) + "\r\n" for c in commands).encode())
        answers = []
        error = None
        for _ in commands:
            try:
                answers.append(self.one())
            except (Refused, Unknown) as e:
                error = error or e
            except OSError:
                if error:
                    break
                raise
        if error:
            raise error
        return answers


class Way:
    """Which member is asked, and the connection to it, if there is one."""

    def __init__(self, ports, at=0):
        self.ports = ports
        self.at = at % len(ports)
        self.node = None

    def call(self, *commands):
        self.node = self.node or Node(self.ports[self.at])
        return self.node.call(*commands)

    def leave(self, error=None, stay=False):
        """Go where the leader is said to be, or on to the next one, unless to stay."""
        if self.node:
            self.node.close()
            self.node = None
        words = str(error).split() if error else []
        if words[:1] == ["MOVED"]:
            self.at = self.ports.index(int(words[2].rsplit(":", 1)[1]))
        elif not stay:
            self.at = (self.at + 1) % len(self.ports)


class Asker(Way):
    """Asks whoever leads until there is an answer, for so many seconds; errors of @final are."""

    def __init__(self, ports, patience, final, at=0):
        super().__init__(ports, at)
        self.patience = patience
        self.final = final
        self.tries = 0      # that the last answer took

    def ask(self, *command):
        end = time.monotonic() + self.patience
        self.tries = 0
        while time.monotonic() < end:
            self.tries += 1
            try:
                answer, = self.call([str(w) for w in command])
                return answer
            except (OSError, Refused, Unknown) as e:
                if str(e).split(" ")[0] in self.final:
                    raise
                self.leave(e)
                time.sleep(0.02)
        raise TimeoutError("nobody answers")
