#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""tcp_flip.py PORT TO COUNT: pass connections on to another port, and damage some

Listens on 127.0.0.1:PORT. In the answers of the first COUNT connections that carry so much, one bit
of the byte behind AT bytes is turned. Says "listening" first, and "turned" each time.
"""
import asyncio
import sys

AT = 200000


class Flip:
    def __init__(self, to, count):
        self.to = to
        self.count = count

    def damage(self, data, before):
        at = AT - before
        if self.count and 0 <= at < len(data):
            self.count -= 1
            print("turned", flush=True)
            data = data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]
        return data

    async def pipe(self, reader, writer, answers):
        seen = 0
        try:
            while data := await reader.read(65536):
                writer.write(self.damage(data, seen) if answers else data)
                seen += len(data)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    async def client(self, reader, writer):
        try:
            there = await asyncio.open_connection("127.0.0.1", self.to)
        except ConnectionError:
            writer.close()
            return
        await asyncio.gather(
            self.pipe(reader, there[1], False), self.pipe(there[0], writer, True)
        )


async def main(port, to, count):
    server = await asyncio.start_server(Flip(to, count).client, "127.0.0.1", port)
    print("listening", flush=True)
    await server.serve_forever()


asyncio.run(main(*map(int, sys.argv[1:])))
