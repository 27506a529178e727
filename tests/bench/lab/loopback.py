# SPDX-License-Identifier: MIT
"""On loopback, where only processor time counts: throughput, latency, connections, memory."""


from .broker import TRANSPORTS, Broker
from .draw import NAMES, bars
from .loads import Load
from .progress import Progress
from .results import select
from .stats import bootstrap_ratio, median, pairs
from .table import interval, number, table

SHAPES = {"1→1": (1, 1), "10→1": (10, 1), "1→10": (1, 10)}
SIZES = [64, 256, 1024, 16384]
# About this many bytes or messages, whichever is fewer, and what QoS 0, 1, 2 cost.
BYTES = 256 << 20
MESSAGES = {0: 200000, 1: 80000, 2: 40000}
WINDOW = 20


def rounds(results, keys, transports, repeats, first_seed):
    """[(key of each transport that is missing)], interleaved: every transport in each round."""
    for seed in range(first_seed, first_seed + repeats):
        for key in keys:
            # Who goes first changes from round to round.
            turn = seed % len(transports)
            order = transports[turn:] + transports[:turn]
            yield from results.missing([{**key, "transport": t, "seed": seed} for t in order])


def measure(context, command, keys, args, one):
    """Runs `one(broker, key)` for every missing key and keeps its row."""
    results = context.results(command)
    work = list(rounds(results, keys, args.transports, args.repeats, args.seed))
    broker = None
    try:
        with Progress(command, len(work)) as progress:
            for key in work:
                if broker is None:
                    broker = Broker(context.build, context.certificates("127.0.0.1"))
                    broker.__enter__()
                results.add(key, load=context.load_average(), **one(broker, key))
                progress.step(f"{key['transport']} {describe(key)}")
    finally:
        results.save()
        if broker is not None:
            broker.__exit__()
    return results.rows


def describe(key):
    return " ".join(f"{k}={v}" for k, v in key.items() if k not in ("transport", "seed"))


# ---- throughput and cost


def throughput_keys(args):
    return [
        {"shape": shape, "qos": qos, "size": size, "scale": args.scale}
        for shape in args.shapes
        for qos in args.qos
        for size in args.sizes
    ]


def _count(key):
    _, subscribers = SHAPES[key["shape"]]
    count = min(MESSAGES[key["qos"]], BYTES // key["size"]) // subscribers
    return max(500, int(count * key["scale"]))


def throughput(context, args):
    def one(broker, key):
        publishers, subscribers = SHAPES[key["shape"]]
        count = _count(key)
        with Load(context.build, broker, key["transport"], "flow", qos=key["qos"],
                  size=key["size"], count=count, publishers=publishers, subscribers=subscribers,
                  window=WINDOW, topic=f"bench/{key['transport']}", timeout_ms=120000) as load:
            got = load.measure()
        return {
            "count": count,
            "messages_s": got["received"] / got["seconds"],
            "broker_us": sum(got["broker_cpu_us"].values()) / count,
            "broker_threads_us": {k: v / count for k, v in got["broker_cpu_us"].items()},
            "client_us": got["cpu_us"] / count,
            "complete": got["complete"],
        }

    rows = measure(context, "throughput", throughput_keys(args), args, one)
    present_throughput(context, rows)


def groups_of(rows, names):
    """The distinct values of these parts of the key, in order of appearance."""
    found = []
    for row in rows:
        group = tuple(row["key"].get(name) for name in names)
        if group not in found:
            found.append(group)
    return found


def by_seed(rows, measure_name):
    return {row["key"]["seed"]: row[measure_name] for row in rows}


def compare(rows, measure_name, transport, other="tls"):
    """Ratio and interval of one transport to another over the rounds they share."""
    mine = by_seed(select(rows, transport=transport), measure_name)
    theirs = by_seed(select(rows, transport=other), measure_name)
    return bootstrap_ratio(pairs(mine, theirs))


def middle(rows, transport, name):
    return median(row[name] for row in select(rows, transport=transport))


def transports_of(rows):
    present_ones = {row["key"]["transport"] for row in rows}
    return [name for name in TRANSPORTS if name in present_ones]


MEASURES = {"messages_s": "messages/s", "broker_us": "broker µs/message",
            "client_us": "client µs/message"}


def throughput_head(rows):
    head = ["shape, QoS, size"]
    for measure_name, text in MEASURES.items():
        head += [f"{text}: {NAMES.get(name, name)}" for name in transports_of(rows)]
        if measure_name != "client_us":
            head.append("mquic / TLS [95 %]")
    return head


def throughput_rows(rows):
    names = ("shape", "qos", "size")
    transports = transports_of(rows)
    for group in groups_of(rows, names):
        mine = select(rows, **dict(zip(names, group)))
        line = [f"{group[0]}, QoS {group[1]}, {group[2]} B"]
        for measure_name in MEASURES:
            line += [number(middle(mine, name, measure_name)) for name in transports]
            if measure_name != "client_us":
                line.append(interval(*compare(mine, measure_name, "quic")))
        yield line


def present_throughput(context, rows):
    context.print_table("Throughput and cost", table(throughput_head(rows), throughput_rows(rows)))
    small = [row for row in rows if row["key"]["size"] == min(r["key"]["size"] for r in rows)]
    groups = groups_of(small, ("shape", "qos"))
    for name, title, unit in (
        ("messages_s", "Messages per second delivered", "messages/s"),
        ("broker_us", "Processor time of the broker per message published", "µs"),
    ):
        bars(
            context.out / f"throughput-{name.replace('_', '-')}",
            f"{title}, {small[0]['key']['size'] if small else 0} B, loopback",
            [f"{shape} QoS {qos}" for shape, qos in groups],
            {
                transport: [
                    median(r[name] for r in
                           select(small, shape=shape, qos=qos, transport=transport))
                    for shape, qos in groups
                ]
                for transport in transports_of(small)
            },
            unit,
        )


# ---- latency


def latency(context, args):
    def one(broker, key):
        with Load(context.build, broker, key["transport"], "flow", qos=key["qos"], size=64,
                  count=args.count, window=1, topic=f"bench/{key['transport']}",
                  timeout_ms=120000) as load:
            got = load.measure()
        return {
            "count": args.count,
            "p50_us": got["latency"]["p50_us"],
            "p90_us": got["latency"]["p90_us"],
            "p99_us": got["latency"]["p99_us"],
            "broker_us": sum(got["broker_cpu_us"].values()) / args.count,
            "client_us": got["cpu_us"] / args.count,
        }

    keys = [{"qos": qos, "size": 64} for qos in args.qos]
    present_latency(context, measure(context, "latency", keys, args, one))


LATENCY_HEAD = ["one 64 B message at a time", "variant", "p50 µs", "p99 µs",
                "p50, ratio to TLS [95 %]", "broker µs", "client µs"]


def latency_rows(rows):
    for (qos,) in groups_of(rows, ("qos",)):
        mine = select(rows, qos=qos)
        for transport in transports_of(mine):
            yield [
                f"QoS {qos}",
                NAMES[transport],
                number(middle(mine, transport, "p50_us")),
                number(middle(mine, transport, "p99_us")),
                interval(*compare(mine, "p50_us", transport)),
                number(middle(mine, transport, "broker_us")),
                number(middle(mine, transport, "client_us")),
            ]


def present_latency(context, rows):
    context.print_table("Latency", table(LATENCY_HEAD, latency_rows(rows)))
    groups = [(qos, share) for (qos,) in groups_of(rows, ("qos",)) for share in ("p50", "p99")]
    bars(
        context.out / "latency",
        "From publish to delivery, one 64 B message at a time, loopback",
        [f"QoS {qos} {share}" for qos, share in groups],
        {
            t: [middle(select(rows, qos=qos), t, f"{share}_us") for qos, share in groups]
            for t in transports_of(rows)
        },
        "µs",
        log=True,
    )


# ---- connections


def connections(context, args):
    def one(broker, key):
        with Load(context.build, broker, key["transport"], "connects", count=args.count,
                  at_once=key["at_once"], timeout_ms=120000) as load:
            got = load.measure(settle_s=0.2)
        return {
            "count": args.count,
            "connects_s": args.count / got["seconds"],
            "broker_us": sum(got["broker_cpu_us"].values()) / args.count,
            "client_us": got["cpu_us"] / args.count,
            "p50_us": got["connack"]["p50_us"],
            "p99_us": got["connack"]["p99_us"],
        }

    keys = [{"kind": "full", "at_once": at_once} for at_once in (1, 8)]
    present_connections(context, measure(context, "connections", keys, args, one))


CONNECTIONS_HEAD = ["handshake", "variant", "connects/s", "broker µs/connect",
                    "ratio to TLS [95 %]", "client µs/connect", "to CONNACK p50 ms", "p99 ms"]


def connections_rows(rows):
    for kind, at_once in groups_of(rows, ("kind", "at_once")):
        mine = select(rows, kind=kind, at_once=at_once)
        for transport in transports_of(mine):
            yield [
                f"{kind}, {at_once} at once",
                NAMES[transport],
                number(middle(mine, transport, "connects_s")),
                number(middle(mine, transport, "broker_us")),
                interval(*compare(mine, "broker_us", transport)),
                number(middle(mine, transport, "client_us")),
                number(middle(mine, transport, "p50_us") / 1000),
                number(middle(mine, transport, "p99_us") / 1000),
            ]


RESUMED = ("Resumed and 0-RTT connects are not in the table: libmquic does not resume sessions yet. "
           "All of these are full handshakes.")


def present_connections(context, rows):
    context.print_table("Connections", table(CONNECTIONS_HEAD, connections_rows(rows)))
    context.print_text(RESUMED)
    groups = groups_of(rows, ("kind", "at_once"))
    bars(
        context.out / "connections",
        "Processor time of the broker per connect, CONNECT and DISCONNECT included",
        [f"{kind}, {at_once} at once" for kind, at_once in groups],
        {
            t: [middle(select(rows, kind=k, at_once=n), t, "broker_us") for k, n in groups]
            for t in transports_of(rows)
        },
        "µs",
    )
