# SPDX-License-Identifier: MIT
"""
Good clients beside others: in peace and under each attack, and while thousands connect at once.
What they see is the time from publish to delivery.
"""

import contextlib
import json
import select
import subprocess
import time

from .broker import Broker, cpu_difference
from .errors import BenchError
from .ledger import note_process
from .loads import Load, end_with
from .loopback import groups_of
from .progress import Progress
from .results import select as rows_of
from .stats import median
from .table import number, table

# Good clients: ten that publish at QoS 1, a message each millisecond in all, and one that reads.
PUBLISHERS = 10
GAP_US = 1000
PATIENCE_S = 120

# Beside those of tests/attack: an honest client that publishes as fast as it can.
PUBLISHER = ("publisher", "a client that publishes as fast as it can")


def program_of(build):
    return str(build.directory / "tests" / "attack" / "attack")


def attacks_known(build):
    done = subprocess.run([program_of(build), "list"], env=build.environment(),
                          capture_output=True, text=True, check=True)
    lines = [tuple(line.split("\t")) for line in done.stdout.splitlines()]
    return dict([PUBLISHER, *lines])


class Attack:
    """The program tests/attack, connected and waiting to be told."""

    def __init__(self, build, port, name, rate, aside):
        self._argv = [program_of(build), name, str(port), str(rate),
                      "aside" if aside else "here"]
        self._env = build.environment()
        self._child = None

    def __enter__(self):
        self._child = subprocess.Popen(
            self._argv, env=self._env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )
        note_process(self._child.pid)
        end_with(self._child)
        if self._line() != "ready":
            raise BenchError("the attack did not begin")
        return self

    def _line(self):
        ready, _, _ = select.select([self._child.stdout], [], [], PATIENCE_S)
        line = self._child.stdout.readline() if ready else ""
        if not line:
            self._child.kill()
            raise BenchError(self._child.stderr.read().strip() or "the attacker says nothing")
        return line.strip()

    def tell(self):
        self._child.stdin.write("\n")
        self._child.stdin.flush()

    def finish(self):
        """Ends the attack; what it did."""
        self.tell()
        return json.loads(self._line())

    def __exit__(self, *_):
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            with contextlib.suppress(OSError):
                pipe.close()


class Flood:
    """The honest client in an attack's place; beside, it has a broker of its own."""

    def __init__(self, context, broker, aside):
        self._stack = contextlib.ExitStack()
        if aside:
            broker = self._stack.enter_context(
                Broker(context.build, context.certificates("127.0.0.1")))
        self._load = Load(context.build, broker, "quic", "flow", size=64, count=100000000,
                          window=200, topic="flood", timeout_ms=PATIENCE_S * 1000)

    def __enter__(self):
        self._stack.enter_context(self._load)
        self._load.wait_ready()
        return self

    def tell(self):
        self._load.tell()

    def finish(self):
        return {"seconds": 0, "datagrams": 0, "ended": 0, "refused": 0}

    def __exit__(self, *_):
        self._load.kill()
        self._stack.close()


def good_clients(context, broker, transport, seconds):
    return Load(context.build, broker, transport, "flow", qos=1, size=64, topic="good",
                publishers=PUBLISHERS, window=1000, gap_us=GAP_US,
                count=int(seconds * 1000000 / GAP_US), timeout_ms=PATIENCE_S * 1000)


def told(load):
    """What it has measured, once it was told to begin."""
    load.tell()
    return json.loads(load.line())


def seen_by(got):
    return {"p50_us": got["latency"]["p50_us"], "p99_us": got["latency"]["p99_us"],
            "complete": got["complete"]}


# ---- attacks


def _under_attack(context, args, key):
    aside = key["mode"] == "peace"
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(
            Broker(context.build, context.certificates("127.0.0.1"),
                   options={"workers": key["workers"]}))
        good = stack.enter_context(good_clients(context, broker, key["transport"], args.seconds))
        good.wait_ready()
        attack = stack.enter_context(
            Flood(context, broker, aside) if key["attack"] == PUBLISHER[0] else
            Attack(context.build, broker.port("quic"), key["attack"], key["rate"], aside))
        attack.tell()
        time.sleep(0.2)  # for what it does to be there
        before, began = broker.cpu_us(), time.monotonic()
        got = told(good)
        used = cpu_difference(before, broker.cpu_us())
        seconds = time.monotonic() - began
        did = attack.finish()
    return {
        **seen_by(got),
        "worker_cpu": used.get("mquic-gateway", 0) / 1e6 / seconds,
        "broker_cpu": used.get("mosquitto", 0) / 1e6 / seconds,
        "datagrams_s": did["datagrams"] / did["seconds"] if did["seconds"] else 0,
        "ended": did["ended"],
    }


def attacks(context, args):
    known = attacks_known(context.build)
    for name in args.attacks:
        if name not in known:
            raise BenchError(f"{name} is no attack; there are {', '.join(known)}")
    keys = [
        {"attack": name, "mode": mode, "rate": args.rate, "workers": args.workers,
         "transport": transport, "seed": seed}
        for seed in range(args.seed, args.seed + args.repeats)
        for name in args.attacks or known
        for transport in args.transports
        for mode in ("peace", "attack")
    ]
    results = context.results("attacks")
    missing = results.missing(keys)
    with Progress("attacks", len(missing)) as progress:
        for key in missing:
            results.add(key, what=known[key["attack"]], load=context.load_average(),
                        **_under_attack(context, args, key))
            results.save()
            progress.step(f"{key['attack']} {key['mode']}")
    context.print_table("Attacks", table(ATTACKS_HEAD, attacks_rows(results.rows)))


ATTACKS_HEAD = ["attack", "what", "datagrams/s", "good clients: p50 ms in peace", "under attack",
                "p99 ms in peace", "p99 under attack", "ratio", "worker's CPU"]


def attacks_rows(rows):
    for name, transport in groups_of(rows, ("attack", "transport")):
        mine = rows_of(rows, attack=name, transport=transport)
        peace, attack = (rows_of(mine, mode=mode) for mode in ("peace", "attack"))
        if not peace or not attack:
            continue

        def both(measure, peace=peace, attack=attack):
            return [median(row[measure] for row in some) / 1000 for some in (peace, attack)]

        p99 = both("p99_us")
        yield [
            name if transport == "quic" else f"{name}, good clients over {transport}",
            attack[0]["what"],
            number(median(row["datagrams_s"] for row in attack) or None),
            *map(number, both("p50_us")),
            *map(number, p99),
            number(p99[1] / p99[0]),
            f"{median(row['worker_cpu'] for row in attack):.0%}",
        ]


# ---- thousands at once


def _while_they_come(context, args, key):
    count = key["clients"]
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(
            Broker(context.build, context.certificates("127.0.0.1"),
                   options={"workers": key["workers"]}))
        good = stack.enter_context(good_clients(context, broker, key["transport"], args.seconds))
        good.wait_ready()
        crowd = stack.enter_context(
            Load(context.build, broker, key["transport"], "idle", count=count, at_once=count,
                 again=1, keep_alive_s=600, timeout_ms=PATIENCE_S * 1000))
        crowd.wait_ready()
        before = broker.cpu_us()
        if key["mode"] == "storm":
            crowd.tell()
        got = told(good)
        came = json.loads(crowd.line()) if key["mode"] == "storm" else {}
        used = cpu_difference(before, broker.cpu_us())
    return {
        **seen_by(got),
        "seconds": came.get("seconds"),
        "turned_away": came.get("turned_away"),
        "broker_cpu_us": sum(used.values()),
    }


def storm(context, args):
    keys = [
        {"clients": clients, "mode": mode, "workers": workers, "transport": transport,
         "seed": seed}
        for seed in range(args.seed, args.seed + args.repeats)
        for clients in args.clients
        for transport in args.transports
        for workers in (args.workers if transport == "quic" else args.workers[:1])
        for mode in ("peace", "storm")
    ]
    results = context.results("storm")
    missing = results.missing(keys)
    with Progress("storm", len(missing)) as progress:
        for key in missing:
            results.add(key, load=context.load_average(), **_while_they_come(context, args, key))
            results.save()
            progress.step(f"{key['clients']} {key['transport']} {key['mode']}")
    context.print_table("Thousands at once", table(STORM_HEAD, storm_rows(results.rows)))


STORM_HEAD = ["clients that connect at once", "over", "all are in after s", "turned away",
              "good clients: p50 ms in peace", "meanwhile", "p99 ms in peace", "p99 meanwhile"]


def storm_rows(rows):
    for clients, transport, workers in groups_of(rows, ("clients", "transport", "workers")):
        mine = rows_of(rows, clients=clients, transport=transport, workers=workers)
        peace, meanwhile = (rows_of(mine, mode=mode) for mode in ("peace", "storm"))
        if not peace or not meanwhile:
            continue
        name = {"quic": f"QUIC, {workers} worker{'s' if workers > 1 else ''}",
                "tls": "Mosquitto TLS 1.3", "tcp": "Mosquitto TCP"}[transport]
        yield [
            f"{clients:,}",
            name,
            number(median(row["seconds"] for row in meanwhile)),
            number(median(row["turned_away"] for row in meanwhile)),
            *(number(median(row[measure] for row in some) / 1000)
              for measure in ("p50_us", "p99_us") for some in (peace, meanwhile)),
        ]


GOOD = ("Good clients: ten that publish 64 B at QoS 1, a thousand messages a second in all, and one that "
        "reads; p50 and p99 are from publish to delivery. ")
STORM_WORDS = GOOD + ("The others are one process that dials all of its clients in one go, on the same "
                      "processors.")
ATTACKS_WORDS = GOOD + ("In peace the attacker sends the same to a socket that nobody reads, for on a "
                        "machine of few processors it costs the others time by itself.")


def _with_load(text, rows):
    loads = [row["load"] for row in rows if row.get("load") is not None]
    if not loads:
        return text
    return (f"{text} The machine's load average when rounds began: {number(median(loads))}, in the "
            "median. Where other work is most of it, p99 moves by milliseconds from round to round, "
            "in peace as well.")


def storm_words(rows):
    return _with_load(STORM_WORDS, rows)


def attacks_words(rows):
    return _with_load(ATTACKS_WORDS, rows)
