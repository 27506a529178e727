# SPDX-License-Identifier: MIT
"""One worker and two, against the broker's own TLS listener; all processes counted."""

import contextlib
import json
import time

from .broker import Broker, cpu_difference
from .loads import Load
from .loopback import groups_of
from .progress import Progress
from .results import select
from .stats import median
from .table import number, table

PATIENCE_S = 120


WORKS = {
    "handshakes": {"kind": "connects", "at_once": 8},
    "messages": {"kind": "flow", "qos": 1, "size": 64, "window": 20, "publishers": 4},
}
VARIANTS = {"quic, 1 worker": ("quic", 1), "quic, 2 workers": ("quic", 2), "tls": ("tls", 1)}


def _with_workers(context, args, key):
    transport, workers = VARIANTS[key["variant"]]
    options = dict(WORKS[key["work"]])
    kind = options.pop("kind")
    count = args.connects if kind == "connects" else args.messages
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(
            Broker(context.build, context.certificates("127.0.0.1"), options={"workers": workers}))
        loads = [
            stack.enter_context(Load(context.build, broker, transport, kind, count=count,
                                     topic=f"bench/{number_of}", timeout_ms=PATIENCE_S * 1000,
                                     **options))
            for number_of in range(args.loads)
        ]
        for load in loads:
            load.wait_ready()
        before, began = broker.cpu_us(), time.monotonic()
        for load in loads:
            load.tell()
        got = [json.loads(load.line()) for load in loads]
        seconds = time.monotonic() - began
        used = cpu_difference(before, broker.cpu_us())
    work = count * len(loads)
    return {
        "per_second": work / seconds,
        "server_us": sum(used.values()) / work,
        "workers_us": used.get("mquic-gateway", 0) / work,
        "client_us": sum(one["cpu_us"] for one in got) / work,
    }


def run(context, args):
    keys = [
        {"work": work, "variant": variant, "loads": args.loads, "seed": seed}
        for seed in range(args.seed, args.seed + args.repeats)
        for work in WORKS
        for variant in VARIANTS
    ]
    results = context.results("workers")
    missing = results.missing(keys)
    with Progress("workers", len(missing)) as progress:
        for key in missing:
            results.add(key, load=context.load_average(), **_with_workers(context, args, key))
            results.save()
            progress.step(f"{key['work']} {key['variant']}")
    context.print_table("Workers", table(HEAD, table_rows(results.rows)))


HEAD = ["work", "variant", "per second", "broker and workers µs", "of that workers µs",
                "clients µs", "broker and workers, ratio to TLS"]


def table_rows(rows):
    for (work,) in groups_of(rows, ("work",)):
        mine = select(rows, work=work)
        cost = {variant: median(row["server_us"] for row in select(mine, variant=variant))
                for variant in VARIANTS}
        for variant in VARIANTS:
            some = select(mine, variant=variant)
            if not some:
                continue
            yield [
                work,
                {"tls": "Mosquitto TLS 1.3"}.get(variant, f"mquic {variant.replace('quic, ', '')}"),
                *(number(median(row[name] for row in some))
                  for name in ("per_second", "server_us", "workers_us", "client_us")),
                number(cost[variant] / cost["tls"]) if cost.get("tls") else "–",
            ]


WORDS = ("Handshakes: full ones with CONNECT, CONNACK and DISCONNECT, eight at once in each of several "
         "client processes. Messages: 64 B, QoS 1, from four publishers to one subscriber in each. "
         "Clients run on the same processors, so more workers are faster only where there is one "
         "for each; what they cost is to be compared.")
