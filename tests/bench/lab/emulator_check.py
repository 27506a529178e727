# SPDX-License-Identifier: MIT
"""Is the emulator right? Round trip, rate and loss of every link type, measured."""

import json
import math
import subprocess
import time

from .draw import bars
from .errors import BenchError
from .ledger import note_process
from .links import BROKER_HOST, LINKS, SCENARIOS, dumbbell, round_trip_ms
from .loads import program
from .lossy import run_groups
from .lossy_tables import measured
from .netem import Choice
from .network import require_root
from .progress import Progress
from .results import select
from .stats import bootstrap_ratio, pairs, path_loss
from .table import table

PORT = 9999
RTT_TOLERANCE_MS = 0.5
RATE_TOLERANCE = 0.01
LOSS_SIGMAS = 2
SAME_TOLERANCE = 0.02
FRAME_BYTES = 14


class Sink:
    """The probe's far end, on the broker's host."""

    def __init__(self, build, network):
        self._argv = [*network.inside(BROKER_HOST), program(build, "bench-probe"), "sink"]

    def __enter__(self):
        self._child = subprocess.Popen(
            [*self._argv, str(PORT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        note_process(self._child.pid)
        if self._child.stdout.readline().strip() != "ready":
            raise BenchError("the probe's far end did not start")
        return self

    def result(self):
        out, _ = self._child.communicate(timeout=10)
        return json.loads(out)

    def __exit__(self, *_):
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()


def probe(build, network, kind, *words):
    client = network.clients[0]
    argv = [*network.inside(client), program(build, "bench-probe"), kind]
    argv += [network.address(BROKER_HOST), str(PORT), *(str(word) for word in words)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise BenchError(f"probe {kind}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def settle(seconds):
    """Lets what is under way arrive."""
    time.sleep(seconds)


def check_rtt(build, network, link, count):
    network.prepare(1, {"rate_bps": LINKS[link]["rate"] * 1e6, "delay_ms": LINKS[link]["delay"],
                        "loss": 0})
    with Sink(build, network):
        got = probe(build, network, "ping", count, 2000)
    error = got["median_ms"] - round_trip_ms(link)
    return {
        "expected": round_trip_ms(link),
        "measured": got["median_ms"],
        "error": error,
        "good": abs(error) <= RTT_TOLERANCE_MS,
        "unit": "ms",
    }


def check_rate(build, network, link, seconds):
    """Sends twice what the link carries, so that its bucket is soon empty, and looks later."""
    rate = LINKS[link]["rate"] * 1e6
    size = 1400 if rate > 1e6 else 400
    packets_s = rate / 8 / (size + FRAME_BYTES)
    # The bucket of 15000 bytes is long gone in the part that counts.
    seconds = max(seconds, 10 * 15000 * 8 / rate)
    count = int(packets_s * seconds) + 60
    network.prepare(1, {"rate_bps": rate, "delay_ms": LINKS[link]["delay"], "loss": 0,
                        "queue": 100000})
    with Sink(build, network) as sink:
        probe(build, network, "flood", count, int(1e9 / packets_s / 2), size)
        settle(0.5 * seconds + 1)
        got = sink.result()
    measured = got["packets"] * (size + FRAME_BYTES) * 8 / got["seconds"]
    error = measured / rate - 1
    return {
        "expected": rate / 1e6,
        "measured": measured / 1e6,
        "error": error,
        "good": abs(error) <= RATE_TOLERANCE,
        "unit": "Mbit/s",
    }


def check_loss(build, network, link, scenarios, packets):
    """
    Loss at each scenario's rate, summed up. A right emulator is outside of two sigma in one of
    twenty checks; the seeds are fixed, so a check says the same each time.
    """
    size = 40
    packets_s = min(8000, LINKS[link]["rate"] * 1e6 / 8 / (size + FRAME_BYTES) * 0.8)
    sent, lost, expected, variance = 0, 0, 0, 0
    for i, scenario in enumerate(scenarios):
        chance = SCENARIOS[scenario]["loss"][link] / 100
        network.prepare(
            101 + 10 * list(LINKS).index(link) + i,
            {"rate_bps": LINKS[link]["rate"] * 1e6, "delay_ms": LINKS[link]["delay"],
             "loss": chance},
        )
        with Sink(build, network) as sink:
            probe(build, network, "flood", packets, int(1e9 / packets_s), size)
            settle(0.5)
            got = sink.result()
        sent += packets
        lost += packets - got["received"]
        expected += packets * path_loss(chance)
        variance += packets * path_loss(chance) * (1 - path_loss(chance))
    sigmas = (lost - expected) / math.sqrt(variance)
    return {
        "expected": 100 * expected / sent,
        "measured": 100 * lost / sent,
        "error": sigmas,
        "good": abs(sigmas) <= LOSS_SIGMAS,
        "unit": "% lost",
    }


def run(context, args):
    require_root("emulator-check")
    results = context.results("emulator-check")
    quick = getattr(args, "quick", False)
    choice = Choice(args.network)
    context.say(choice.sentence())
    scenarios = ["home"] if quick else list(SCENARIOS)
    keys = [{"check": check, "link": link, **choice.key()}
            for check in ("rtt", "rate", "loss") for link in LINKS]
    work = results.missing(keys)
    with choice.network(context.build, "check", dumbbell(1)) as network:
        with Progress("emulator-check", len(work)) as progress:
            for key in work:
                results.add(key, **_check(context.build, network, key, scenarios, quick))
                progress.step(f"{key['check']} {key['link']}")
    results.save()
    if not quick:
        check_same(context, choice, results, 30)
    present(context, results.rows)
    if quick:
        context.print_text("Identical variants are not compared in --quick, where rounds are few; "
                           "`bench emulator-check` does.")


# Work, link and measure that variants are compared with themselves in: where the median says
# more about the bench than about which seeds were drawn.
SAME = [("connect", "wifi", "connack_ms", 4), ("window", "ethernet", "done_ms", 8)]


def check_same(context, choice, results, seeds):
    """Compares variants with themselves: what differs then is the bench's own noise."""
    variants = [(name, f"{name}-again") for name in ("quic", "tcp")]
    groups = [
        results.missing(
            [{"scenario": "home", "link": link, "work": work, "transport": name, "seed": seed,
              **choice.key()} for name in (names if seed % 2 else names[::-1])]
        )
        for work, link, _, more in SAME
        for seed in range(1, seeds * more + 1)
        for names in variants
    ]
    with Progress("identical variants", sum(len(group) for group in groups)) as progress:
        run_groups(context, choice, groups, results, progress, 4)
    results.rows = [
        row for row in results.rows
        if row["key"].get("check") != "same" or row["key"].get("network", "emulator") != choice.kind
    ]
    for work, link, measure, _ in SAME:
        rows = select(results.rows, work=work, link=link, **choice.key())
        for name, again in variants:
            ratio, low, high = bootstrap_ratio(
                pairs(measured(select(rows, transport=again), measure),
                      measured(select(rows, transport=name), measure))
            )
            results.add(
                {"check": "same", "link": link, "variant": f"{name}, {work}", **choice.key()},
                expected=1, measured=ratio, error=ratio - 1, unit="", interval=[low, high],
                good=abs(ratio - 1) <= SAME_TOLERANCE,
            )
    results.save()


def _check(build, network, key, scenarios, quick):
    link = key["link"]
    if key["check"] == "rtt":
        return check_rtt(build, network, link, 20 if quick else 100)
    if key["check"] == "rate":
        return check_rate(build, network, link, 2.5 if quick else 6)
    return check_loss(build, network, link, scenarios, 1000 if quick else 4000)


def rows_of_table(rows):
    for row in rows:
        key = row["key"]
        if "check" not in key:
            continue
        error = {
            "same": f"{100 * row['error']:+.2f} %",
            "rtt": f"{row['error']:+.3f} ms",
            "rate": f"{100 * row['error']:+.2f} %",
            "loss": f"{row['error']:+.2f} sigma",
        }[key["check"]]
        yield [
            f"same: {key['variant']}" if "variant" in key else key["check"],
            LINKS[key["link"]]["name"] + (" (netem)" if "network" in key else ""),
            f"{row['expected']:.4g} {row['unit']}",
            f"{row['measured']:.5g} {row['unit']}",
            error,
            "yes" if row["good"] else "NO",
        ]


HEAD = ["check", "link", "expected", "measured", "difference", "within bounds"]


def present(context, rows):
    context.print_table("Emulator accuracy", table(HEAD, rows_of_table(rows)))
    bars(
        context.out / "emulator-check",
        "Emulator: difference as a share of what is allowed",
        [LINKS[link]["name"] for link in LINKS],
        {check: [_worst(rows, check, link) for link in LINKS] for check in ("rtt", "rate", "loss")},
        "share of the bound",
    )


def _worst(rows, check, link):
    bound = {"rtt": RTT_TOLERANCE_MS, "rate": RATE_TOLERANCE, "loss": LOSS_SIGMAS}[check]
    return max(
        (abs(row["error"]) / bound for row in rows
         if row["key"].get("check") == check and row["key"]["link"] == link),
        default=0,
    )
