# SPDX-License-Identifier: MIT
"""
Lossy links: connect and transfer over the dissertation's links, in real time.

Several dumbbells, "lanes", work side by side, each with namespaces, emulator and broker of its
own. A lane takes a cell and a seed and runs every transport on it, one after the other, so that
they meet the same losses and whatever else the machine is doing at the time.
"""

import queue
import threading
import time

from .broker import TRANSPORTS, Broker
from .draw import NAMES, bars, distributions
from .links import (
    BROKER_HOST,
    CONDITIONS,
    LINKS,
    SCENARIOS,
    TOPOLOGIES,
    cell_loss,
    parameters,
    round_trip_ms,
)
from .loads import run_once
from .network import Network, netem_works, remove_stale, require_root
from .progress import Progress
from .results import select
from .stats import bootstrap_ratio, median, pairs, quantile
from .table import interval, number, table

PORTS = {"quic": 14567, "tls": 8883, "tcp": 1883}
MESSAGES = 100

# What is sent after CONNACK.
WORK = {
    "connect": {"count": 0, "timeout_ms": 30000},
    "window": {"count": MESSAGES, "window": 20, "timeout_ms": 60000},
    "one": {"count": MESSAGES, "window": 1, "timeout_ms": 120000},
}
# Trouble comes in the middle of a steady trickle: 20 messages a second for 5 seconds.
TRICKLE = {"count": MESSAGES, "window": 20, "gap_us": 50000, "timeout_ms": 20000}


def plan_cells(args):
    """The keys to measure, without transport and seed, with their repetitions."""
    cells = []
    for scenario in args.scenarios:
        for link in args.links:
            for work in args.work:
                if scenario == "synthetic" and work != "window":
                    continue
                repeats = {"connect": args.connects, "window": args.repeats, "one": args.ones}[work]
                if scenario == "synthetic":
                    repeats = args.synthetic
                cells.append(({"scenario": scenario, "link": link, "work": work}, repeats))
    for condition in args.conditions:
        cell = {"scenario": "home", "link": "wifi", "work": "trickle", "condition": condition}
        cells.append((cell, args.trouble))
    return cells


def plan_keys(args):
    """[[key of each variant] of one cell and seed], in an order that mixes cells."""
    groups = []
    for cell, repeats in plan_cells(args):
        for seed in range(args.seed, args.seed + repeats):
            groups.append(
                [{**cell, "transport": name, "seed": seed} for name in args.transports]
            )
    return sorted(groups, key=lambda group: group[0]["seed"])


class Lane(threading.Thread):
    """One dumbbell (or mesh) with its broker, working through the queue."""

    def __init__(self, context, name, topology, work, results, progress):
        super().__init__(daemon=True)
        self._context = context
        self._lane = name
        self._topology = topology
        self._work = work
        self._results = results
        self._progress = progress
        self.error = None
        self.stop = False

    def run(self):
        try:
            with Network(self._context.build, self._lane, self._topology) as network:
                address = network.address(BROKER_HOST)
                space = network.namespace(BROKER_HOST)
                certs = self._context.certificates(address)
                with Broker(self._context.build, certs, address, space, PORTS) as broker:
                    self._serve(network, broker)
        except Exception as error:  # handed to the main thread, which raises it
            self.error = error

    def _serve(self, network, broker):
        while not self.stop:
            try:
                group = self._work.get_nowait()
            except queue.Empty:
                return
            for key in group:
                if self.stop:
                    return
                self._measure(network, broker, key)

    def _measure(self, network, broker, key):
        condition = CONDITIONS[key.get("condition", "steady")]
        scenario = SCENARIOS[key["scenario"]]
        host = network.clients[0]
        network.prepare(
            key["seed"],
            {**parameters(key["link"], key["scenario"]), **condition.get("set", {})},
            condition.get("plan", ()),
            [host] if condition.get("nat") else (),
        )
        transport, _, congestion = key["transport"].partition("-")
        mover = Mover(network, host, condition.get("move_ms"))
        with mover:
            row = run_once(
                self._context.build,
                broker,
                transport,
                "transfer",
                network.inside(host),
                qos=1,
                size=scenario["size"],
                topic=scenario["topic"],
                congestion=congestion or "cubic",
                **(WORK[key["work"]] if key["work"] in WORK else TRICKLE),
            )
        self._results.add(key, **self._row(row, network))
        self._progress.step(f"{key['scenario']} {key['link']} {key['transport']}")

    def _row(self, row, network):
        if row is None:
            row = {"handshake_ms": -1, "connack_ms": -1, "done_ms": -1, "acked": 0,
                   "ended": "no end"}
        row = {k: (None if v == -1 else v) for k, v in row.items() if v != ""}
        halves = network.statistics()["links"].values()
        row["packets"] = sum(half["offered"] for pair in halves for half in pair)
        row["lost"] = sum(half["lost"] + half["down"] for pair in halves for half in pair)
        return row


class Mover:
    """Changes a host's address some time after the start, and back afterwards."""

    def __init__(self, network, host, after_ms):
        self._network = network
        self._host = host
        self._timer = None
        self._moved = False
        if after_ms is not None:
            self._timer = threading.Timer(after_ms / 1000, self._move)

    def _move(self):
        self._moved = True
        self._network.move(self._host)

    def __enter__(self):
        if self._timer:
            self._timer.start()

    def __exit__(self, *_):
        if self._timer:
            self._timer.cancel()
            self._timer.join()
        if self._moved:
            self._network.move(self._host)


def run(context, args):
    require_root("lossy")
    remove_stale()
    results = context.results("lossy")
    groups = [results.missing(group) for group in plan_keys(args)]
    total = sum(len(group) for group in groups)
    if netem_works() and total:
        context.say("This kernel has netem; the emulator is used all the same: its losses repeat.")
    with Progress("lossy", total) as progress:
        run_groups(context, groups, results, progress, args.lanes, args.clients)
    present(context, results.rows)


def run_groups(context, groups, results, progress, lanes, clients=1):
    """Measures every key; those of a group one after the other on the same lane."""
    for topology in TOPOLOGIES:
        work = queue.Queue()
        for group in groups:
            if group and _topology_of(group[0]) == topology:
                work.put(group)
        count = min(lanes, work.qsize())
        shape = TOPOLOGIES[topology](clients)
        _run_lanes(
            [Lane(context, f"{topology[0]}{i}", shape, work, results, progress)
             for i in range(count)]
        )
        results.save()


def _topology_of(key):
    return CONDITIONS[key.get("condition", "steady")].get("topology", "dumbbell")


def _run_lanes(lanes):
    try:
        for lane in lanes:
            lane.start()
        while any(lane.is_alive() for lane in lanes):
            time.sleep(0.1)
            if any(lane.error for lane in lanes):
                break
    finally:
        for lane in lanes:
            lane.stop = True
        for lane in lanes:
            lane.join()
    for lane in lanes:
        if lane.error:
            raise lane.error


# ---- what the rows say

HEAD = ["scenario, link", "RTT ms", "path loss", "what", "variant", "median", "p90", "done",
        "ratio to TLS [95 %]"]


def cells(rows):
    """The distinct cells in the order of the dissertation's table."""
    order = {name: i for i, name in enumerate([*SCENARIOS, *LINKS, *WORK, "trickle", *CONDITIONS])}
    found = {
        (k["scenario"], k["link"], k["work"], k.get("condition", "steady"))
        for k in (row["key"] for row in rows)
    }
    return sorted(found, key=lambda cell: [order[name] for name in cell])


def of_cell(rows, cell, transport=None):
    wanted = dict(zip(("scenario", "link", "work"), cell))
    rows = [
        row for row in select(rows, **wanted)
        if row["key"].get("condition", "steady") == cell[3]
    ]
    return rows if transport is None else select(rows, transport=transport)


def measured(rows, measure):
    """{seed: value}; a run that did not get there counts as its time limit."""
    limit = max((WORK[row["key"]["work"]]["timeout_ms"] for row in rows
                 if row["key"]["work"] in WORK), default=TRICKLE["timeout_ms"])
    return {
        row["key"]["seed"]: row.get(measure) if row.get(measure) is not None else limit
        for row in rows
    }


def share_done(rows, measure):
    done = sum(row.get(measure) is not None for row in rows)
    return f"{done}/{len(rows)}"


MEASURE = {"connect": "connack_ms", "window": "done_ms", "one": "done_ms", "trickle": "done_ms"}
LABEL = {
    "connect": "connect to CONNACK",
    "window": "100 messages, window 20",
    "one": "100 messages, one at a time",
    "trickle": "20 messages/s for 5 s",
}


def table_rows(rows):
    for cell in cells(rows):
        yield from _cell_rows(rows, cell)


def _cell_rows(rows, cell):
    scenario, link, work, condition = cell
    measure = "acked" if scenario == "synthetic" else MEASURE[work]
    theirs = measured(of_cell(rows, cell, "tls"), measure)
    names = sorted(
        {row["key"]["transport"] for row in of_cell(rows, cell)},
        key=lambda name: (TRANSPORTS.index(name.partition("-")[0]), name),
    )
    for name in names:
        mine = of_cell(rows, cell, name)
        values = measured(mine, measure)
        ratio = bootstrap_ratio(pairs(values, theirs)) if name != "tls" else (None,) * 3
        what = LABEL[work] if condition == "steady" else condition
        if scenario == "synthetic":
            what = "16 KiB messages of 100 in 60 s"
        yield [
            f"{SCENARIOS[scenario]['name']}, {LINKS[link]['name']}",
            round_trip_ms(link),
            f"{100 * cell_loss(link, scenario):.1f} %",
            what,
            NAMES.get(name, name),
            number(median(values.values())) + ("" if measure == "acked" else " ms"),
            number(quantile(values.values(), 0.1 if measure == "acked" else 0.9))
            + ("" if measure == "acked" else " ms"),
            share_done(mine, "done_ms"),
            interval(*ratio),
        ]


TROUBLE_HEAD = ["trouble at 60 ms RTT, 5.9 % loss", "variant", "all delivered", "median ms",
                "longest silence, median ms"]


def trouble_rows(rows):
    for cell in cells(rows):
        if cell[2] != "trickle":
            continue
        for name in TRANSPORTS:
            mine = of_cell(rows, cell, name)
            if mine:
                yield [
                    cell[3],
                    NAMES[name],
                    share_done(mine, "done_ms"),
                    number(median(measured(mine, "done_ms").values())),
                    number(median(row.get("longest_gap_ms") or 0 for row in mine)),
                ]


def present(context, rows):
    steady = [row for row in rows if row["key"]["work"] != "trickle"]
    trouble = [row for row in rows if row["key"]["work"] == "trickle"]
    if steady:
        context.print_table("Lossy links", table(HEAD, table_rows(steady)))
    if trouble:
        context.print_table("Lossy links in trouble", table(TROUBLE_HEAD, trouble_rows(trouble)))
    draw(context, rows)


def draw(context, rows):
    for work in ("connect", "window", "one"):
        panels = {}
        for cell in cells(rows):
            if cell[2] != work or cell[0] == "synthetic":
                continue
            panel = f"{SCENARIOS[cell[0]]['name']}, {LINKS[cell[1]]['name']}"
            panels[panel] = {
                name: list(measured(of_cell(rows, cell, name), MEASURE[work]).values())
                for name in TRANSPORTS
                if of_cell(rows, cell, name)
            }
        distributions(context.out / f"lossy-{work}", f"{LABEL[work]}: share done by then",
                      panels, "ms")
    links = [link for link in LINKS if select(rows, scenario="synthetic", link=link)]
    bars(
        context.out / "lossy-synthetic",
        "Synthetic scenario: 16 KiB messages of 100 acknowledged within 60 s, median",
        [LINKS[link]["name"] for link in links],
        {
            name: [
                median(row["acked"] for row in
                       select(rows, scenario="synthetic", link=link, transport=name))
                for link in links
            ]
            for name in TRANSPORTS
        },
        "messages",
    )
    _draw_trouble(context, rows)


def _draw_trouble(context, rows):
    conditions = [cell[3] for cell in cells(rows) if cell[2] == "trickle"]
    bars(
        context.out / "lossy-trouble",
        "Trouble on the way: longest silence in a steady trickle, median (20 s: never recovered)",
        conditions,
        {
            name: [
                median(
                    (row.get("longest_gap_ms") or 0) if row.get("done_ms") else 20000
                    for row in select(rows, condition=condition, transport=name)
                )
                for condition in conditions
            ]
            for name in TRANSPORTS
        },
        "ms",
        log=True,
    )
