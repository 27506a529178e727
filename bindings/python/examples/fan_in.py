#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Many into one, with asyncio: a client per machine, all on one event loop, each connecting again
by itself; what they hear goes into one queue, and slow work there slows the servers down.

    fan_in.py CAFILE COUNT HOST:PORT...
"""

import asyncio
import sys

import mquic
from mquic import aio


async def follow(host, port, tls, queue):
    """Puts every message of one server into the queue, for ever."""
    client = aio.Client(host, port, tls=tls, max_queued_incoming_messages=100)
    failures = 0
    while True:
        try:
            async with client:
                failures = 0
                await client.subscribe("machines/#", qos=1)
                print(f"following {host}:{port}", flush=True)
                async for message in client.messages:
                    await queue.put((f"{host}:{port}", message))
        except mquic.MquicError as error:
            print(f"{host}:{port}: {error}", flush=True)
            await asyncio.sleep(mquic.reconnect_pause(failures))
            failures += 1


async def main():
    ca_file, count, *servers = sys.argv[1:]
    tls = mquic.TLSSettings(ca_file=ca_file)
    queue = asyncio.Queue(10)
    async with asyncio.TaskGroup() as group:
        followers = []
        for server in servers:
            host, _, port = server.rpartition(":")
            followers.append(group.create_task(follow(host, int(port), tls, queue)))
        for _ in range(int(count)):
            server, message = await queue.get()
            print(f"{server} {message.topic}: {message.payload.decode()}", flush=True)
        for follower in followers:
            follower.cancel()


asyncio.run(main())
