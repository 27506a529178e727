# SPDX-License-Identifier: MIT
"""
Memory per idle client. As root, broker and clients are in a namespace of their own, with all
ports from 1024 on and as many descriptors as the kernel gives, so that tens of thousands fit.
"""

import contextlib
import json
import os
import re
import resource
import time
from collections import namedtuple
from pathlib import Path

from .broker import Broker
from .draw import NAMES, bars
from .loads import Load
from .loopback import compare, describe, groups_of, middle, rounds, transports_of
from .network import PREFIX, ip
from .progress import Progress
from .results import select
from .table import interval, number, table

# What a client needs at most, in broker and client together and in the kernel.
KB_EACH = 120
# Descriptors of a client: two in the plugin, the ends of its way to the broker's core; one in the
# broker without it. Three in libmosquitto, so clients are in several processes.
IN_BROKER = 2
IN_CLIENT = 3
SPARE = 200
# The plugin leaves an eighth of the descriptors to the broker, at most so many.
RESERVE = 2048
PORTS = {"quic": 14567, "tls": 8883, "tcp": 1883}

Most = namedtuple("Most", "count why")


def _raise_descriptors():
    """As far as we may: root up to what the kernel gives a process."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if os.geteuid() == 0:
        hard = max(hard, int(Path("/proc/sys/fs/nr_open").read_text()))
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def _local_ports():
    """Ports that clients get: all in a namespace of ours, else what this system hands out."""
    if os.geteuid() == 0:
        return 65535 - 1024
    low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    return int(high) - int(low)


def _free_kb():
    return int(re.search(r"MemAvailable:\s*(\d+)", Path("/proc/meminfo").read_text()).group(1))


def least(limits):
    """The limit that ends it: {why: how many clients}."""
    why = min(limits, key=limits.get)
    return Most(limits[why], why)


def most_clients():
    descriptors = _raise_descriptors()
    ports = _local_ports()
    free = _free_kb()
    found = least(
        {
            f"{descriptors:,} descriptors a process, {IN_BROKER} a client, what the plugin leaves "
            "to the broker": (descriptors - max(SPARE, min(RESERVE, descriptors // 8))) // IN_BROKER,
            f"{ports:,} local ports of an address": ports - SPARE,
            f"half of {free >> 20} GB of free memory": free // 2 // KB_EACH,
        }
    )
    return Most(max(100, found.count // 100 * 100), found.why)


@contextlib.contextmanager
def _place():
    """(namespace, words in front of a command) where the ports are ours; nothing without root."""
    if os.geteuid() != 0:
        yield None, ()
        return
    name = f"{PREFIX}-{os.getpid()}-memory-0"
    try:
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")
        inside = ["ip", "netns", "exec", name]
        ip("netns", "exec", name, "sysctl", "-qw", "net.ipv4.ip_local_port_range=1024 65535")
        yield name, inside
    finally:
        ip("netns", "delete", name, check=False)


def shares(count, most):
    """How many clients each of as few processes as will do gets."""
    parts = -(-count // most)
    return [count // parts + (i < count % parts) for i in range(parts)]


def _one(context, key, space, inside):
    count = key["clients"]
    ports = PORTS if space else None
    most = (_raise_descriptors() - SPARE) // IN_CLIENT
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(
            Broker(context.build, context.certificates("127.0.0.1"), netns=space, ports=ports,
                   options={"max_connections": count})
        )
        loads = [
            stack.enter_context(
                Load(context.build, broker, key["transport"], "idle", inside=inside, count=share,
                     at_once=16, keep_alive_s=3600, timeout_ms=600000)
            )
            for share in shares(count, most)
        ]
        for load in loads:
            load.wait_ready()
        before = broker.memory_kb(), broker.descriptors()
        for load in loads:
            load.tell()
        seconds = max(json.loads(load.line())["seconds"] for load in loads)
        time.sleep(1)
        after = broker.memory_kb(), broker.descriptors()
    return {
        "count": count,
        "kb_each": (after[0] - before[0]) / count,
        "descriptors_each": (after[1] - before[1]) / count,
        "seconds": seconds,
    }


def run(context, args):
    most = most_clients()
    context.say(f"At most {most.count:,} clients: {most.why}.")
    wanted = sorted({min(count or most.count, most.count) for count in args.clients})
    results = context.results("memory")
    # Crowds differ little between rounds: one is enough.
    keys = [
        key
        for count in wanted
        for key in rounds(results, [{"clients": count}], args.transports,
                          args.repeats if count <= 1000 else 1, args.seed)
    ]
    with _place() as (space, inside), Progress("memory", len(keys)) as progress:
        for key in keys:
            results.add(key, load=context.load_average(), most=most.count, limit=most.why,
                        **_one(context, key, space, inside))
            results.save()
            progress.step(f"{key['transport']} {describe(key)}")
    present(context, results.rows)


HEAD = ["idle clients", "variant", "kB each", "ratio to TLS [95 %]", "descriptors each",
        "connected in s"]


def table_rows(rows):
    for (clients,) in groups_of(rows, ("clients",)):
        mine = select(rows, clients=clients)
        for transport in transports_of(mine):
            yield [
                f"{clients:,}",
                NAMES.get(transport, transport),
                number(middle(mine, transport, "kb_each")),
                interval(*compare(mine, "kb_each", transport)),
                number(middle(mine, transport, "descriptors_each")),
                number(middle(mine, transport, "seconds")),
            ]


def words(rows):
    """Which limit ended it."""
    ends = sorted({f"{row['most']:,} clients ({row['limit']})" for row in rows if row.get("limit")})
    return f"As many as there is room for: {', '.join(ends)}." if ends else ""


def present(context, rows):
    context.print_table("Memory per idle connection", table(HEAD, table_rows(rows)))
    context.print_text(words(rows))
    groups = groups_of(rows, ("clients",))
    bars(
        context.out / "memory",
        "Memory of the broker per idle connection (anonymous, resident)",
        [f"{clients:,} clients" for (clients,) in groups],
        {
            t: [middle(select(rows, clients=c), t, "kb_each") for (c,) in groups]
            for t in transports_of(rows)
        },
        "kB",
    )
