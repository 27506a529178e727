#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Requests and responses over MQTT 5: a server that adds numbers, and a client that asks it.

    request_response.py HOST PORT CAFILE
"""

import asyncio
import itertools
import json
import sys

import mquic
from mquic import aio


async def serve(client):
    """Answers every request where, and with the correlation data, it says."""
    async for request in client.messages:
        answer = {"sum": sum(json.loads(request.payload))}
        await client.publish(
            request.properties.ResponseTopic,
            json.dumps(answer),
            qos=1,
            correlation_data=request.properties.CorrelationData,
        )


class Caller:
    """Sends requests and gives each response to the one who asked."""

    def __init__(self, client):
        self._client = client
        self._numbers = itertools.count()
        self._waiting = {}

    async def listen(self):
        async for response in self._client.messages:
            future = self._waiting.pop(response.properties.CorrelationData, None)
            if future is not None:
                future.set_result(json.loads(response.payload))

    async def add(self, *numbers):
        correlation = str(next(self._numbers)).encode()
        future = self._waiting[correlation] = asyncio.get_running_loop().create_future()
        await self._client.publish(
            "adder/requests",
            json.dumps(numbers),
            qos=1,
            response_topic=f"adder/responses/{self._client.identifier}",
            correlation_data=correlation,
        )
        return (await asyncio.wait_for(future, 5))["sum"]


async def main():
    host, port, ca_file = sys.argv[1:]
    tls = mquic.TLSSettings(ca_file=ca_file)
    async with (
        aio.Client(host, int(port), identifier="adder", tls=tls) as server,
        aio.Client(host, int(port), identifier="asker", tls=tls) as client,
    ):
        await server.subscribe("adder/requests", qos=1)
        await client.subscribe("adder/responses/asker", qos=1)
        caller = Caller(client)
        tasks = [asyncio.create_task(serve(server)), asyncio.create_task(caller.listen())]
        sums = await asyncio.gather(*(caller.add(n, n + 1) for n in range(5)))
        print("sums:", *sums)
        for task in tasks:
            task.cancel()


asyncio.run(main())
