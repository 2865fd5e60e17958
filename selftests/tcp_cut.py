#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""tcp_cut.py FILE PORT=TO:NAME...: pass connections on to other ports, unless they are cut

Listens on 127.0.0.1:PORT. While FILE has a NAME in it, connections of that name are closed, and new
ones are, too. A name may have two words, I-J: it is cut by either, I or J, as well. Says
"listening" first. FILE.done is what FILE said when it was last seen to: from then on nothing comes
through what it cuts.
"""
import asyncio
import os
import sys

POLL = 0.05


class Cut:
    def __init__(self, path):
        self.path = path
        self.open = {}      # writer: name

    def says(self):
        with open(self.path, encoding="ascii") as f:
            return f.read()

    def is_cut(self, name):
        return bool(set(self.says().split()) & ({name} | set(name.split("-"))))

    async def watch(self):
        seen = None
        while True:
            says = self.says()
            for writer, name in list(self.open.items()):
                if self.is_cut(name):
                    writer.transport.abort()
            if says != seen:
                with open(self.path + ".new", "w", encoding="ascii") as f:
                    f.write(says)
                os.rename(self.path + ".new", self.path + ".done")
                seen = says
            await asyncio.sleep(POLL)

    async def pipe(self, reader, writer, name):
        self.open[writer] = name
        try:
            while (data := await reader.read(65536)) and not self.is_cut(name):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        self.open.pop(writer, None)
        writer.close()

    def server(self, to, name):
        async def client(reader, writer):
            try:
                if self.is_cut(name):
                    raise ConnectionError
                there = await asyncio.open_connection("127.0.0.1", to)
            except OSError:
                writer.close()
                return
            await asyncio.gather(
                self.pipe(reader, there[1], name), self.pipe(there[0], writer, name)
            )

        return client


async def main(path, *ways):
    cut = Cut(path)
    for way in ways:
        port, rest = way.split("=")
        to, name = rest.split(":")
        await asyncio.start_server(cut.server(int(to), name), "127.0.0.1", int(port))
    print("listening", flush=True)
    await cut.watch()


asyncio.run(main(*sys.argv[1:]))
