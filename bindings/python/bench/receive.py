#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
CPU time per received message: mquic over QUIC and paho-mqtt over TLS, from the same broker.

    receive.py [--count N] [--size BYTES] [--qos Q] [--runs N] [--memory]

Prints microseconds of CPU of the receiving process per message, the median of the runs, which
alternate. --memory also receives ten times as many messages and prints how memory grows.
$MQUIC_BUILD is the build directory, build/ by default.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("MQUIC_BUILD", SOURCE / "build")).resolve()
sys.path[:0] = [str(BUILD / "bindings" / "python"), str(SOURCE / "tests" / "integration")]


class Counter:
    """What both clients count with, in on_message."""

    def __init__(self, count):
        self.count = count
        self.seen = 0
        self.cpu = self.memory = 0

    def on_message(self, client, userdata, message):
        if self.seen == 0:
            self.cpu = time.process_time()
        self.seen += 1
        if self.seen == self.count // 10:
            self.memory = resident_kb()
        if self.seen == self.count:
            self.cpu = time.process_time() - self.cpu
            self.memory = resident_kb() - self.memory
            client.disconnect()

    def report(self):
        assert self.seen >= self.count, f"{self.seen} of {self.count} messages"
        print(json.dumps({"us": self.cpu / self.count * 1e6, "growth_kb": self.memory}))


def resident_kb():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def ready(client, userdata, *_):
    print("ready", flush=True)


def receive_mquic(counter, port, ca, qos):
    import mquic

    client = mquic.Client(tls=mquic.TLSSettings(ca_file=ca))
    client.on_message = counter.on_message
    client.on_subscribe = ready
    client.connect("localhost", port)
    client.subscribe("bench", qos)
    client.loop_forever()


def receive_paho(counter, port, ca, qos):
    import paho.mqtt.client as paho

    version = getattr(paho, "CallbackAPIVersion", None)
    client = paho.Client(version.VERSION2) if version else paho.Client()
    client.on_message = counter.on_message
    client.on_subscribe = ready
    client.tls_set(ca)
    client.connect("localhost", port)
    client.subscribe("bench", qos)
    client.loop_forever()


def publish(port, ca, qos, count, size):
    import asyncio

    import mquic
    from mquic import aio

    async def main():
        tls = mquic.TLSSettings(ca_file=ca)
        async with aio.Client("localhost", port, tls=tls, timeout=None) as client:
            payload = b"x" * size
            for _ in range(0, count, 100):
                await asyncio.gather(*(client.publish("bench", payload, qos) for _ in range(100)))
                await asyncio.sleep(0.004)  # slower than paho can take it

    asyncio.run(main())


def child(*arguments):
    return subprocess.Popen(
        [sys.executable, __file__, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


def run(who, broker, count, size, qos):
    port = broker.port if who == "mquic" else broker.tcp_port
    receiver = child("--child", who, port, broker.certs.ca, qos, count, size)
    assert receiver.stdout.readline() == "ready\n"
    sender = child("--child", "publish", broker.port, broker.certs.ca, qos, count, size)
    result = json.loads(receiver.stdout.read())
    receiver.wait()
    sender.wait()
    return result


def start_broker():
    from harness.broker import Broker
    from harness.build import Build, make_directory
    from harness.certs import Certificates

    build = Build()
    certs = Certificates(build)
    tls = [f"certfile {certs.server.cert}", f"keyfile {certs.server.key}"]
    top = ["max_queued_messages 0", "max_inflight_messages 0", "set_tcp_nodelay true"]
    return Broker(build, certs, make_directory(), tcp=tls, top=top).start()


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n")[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--qos", type=int, default=0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    broker = start_broker()
    results = {"mquic": [], "paho": []}
    try:
        for _ in range(options.runs):
            for who, times in results.items():
                times.append(
                    run(who, broker, options.count, options.size, options.qos)["us"]
                )
        ours, theirs = (statistics.median(times) for times in results.values())
        print(f"mquic over QUIC {ours:.2f} us, paho over TLS {theirs:.2f} us per message", end="")
        print(f" of {options.size} bytes, QoS {options.qos}: {theirs / ours:.1f} times less")
        if options.memory:
            count = 10 * options.count
            growth = run("mquic", broker, count, options.size, options.qos)["growth_kb"]
            print(f"memory grew by {growth} kB from {count // 10} to {count} messages")
    finally:
        broker.close()


if len(sys.argv) > 1 and sys.argv[1] == "--child":
    who, port, ca, *numbers = sys.argv[2:]
    qos, count, size = map(int, numbers)
    if who == "publish":
        publish(int(port), ca, qos, count, size)
    else:
        counter = Counter(count)
        {"mquic": receive_mquic, "paho": receive_paho}[who](counter, int(port), ca, qos)
        counter.report()
elif __name__ == "__main__":
    main()
