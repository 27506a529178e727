# SPDX-License-Identifier: MIT
"""
Lossy links: connect and transfer over the dissertation's links, in real time.

Several dumbbells, "lanes", work side by side, each with namespaces, emulator and broker of its
own. A lane takes a cell and a seed and runs every transport on it, one after the other, so that
they meet the same losses and whatever else the machine is doing at the time.
"""

import collections
import queue
import threading
import time

from .broker import Broker
from .links import BROKER_HOST, CONDITIONS, HOSTS, LINKS, SCENARIOS, TOPOLOGIES, WORK, parameters
from .loads import end_all, run_together
from .lossy_tables import present
from .netem import Choice
from .network import require_root
from .progress import Progress
from .stats import fairness

PORTS = {"quic": 14567, "tls": 8883, "tcp": 1883}


def plan_cells(args):
    """The keys to measure, without transport and seed, with their repetitions."""
    cells = []
    for scenario in args.scenarios:
        for link in args.links:
            for work in args.work if "one" in args.senders else []:
                if scenario == "synthetic" and work != "window":
                    continue
                repeats = {"connect": args.connects, "window": args.repeats, "one": args.ones}[work]
                if scenario == "synthetic":
                    repeats = args.synthetic
                cells.append(({"scenario": scenario, "link": link, "work": work}, repeats))
    for condition in args.conditions if "one" in args.senders else []:
        cell = {"scenario": "home", "link": "wifi", "work": "trickle", "condition": condition}
        cells.append((cell, args.trouble))
    return cells + plan_crowds(args)


def plan_crowds(args):
    """All hosts of the dumbbell send at once."""
    return [
        ({"scenario": scenario, "link": link, "work": "window", "senders": len(HOSTS)}, args.crowds)
        for scenario in args.scenarios
        for link in args.links
        if "all" in args.senders and scenario != "synthetic" and link in args.crowd_links
    ]


def plan_keys(args, mark=None):
    """
    [[key of each variant] of one cell and seed], in an order that mixes cells. `mark` goes into
    the keys of cells that any network can carry.
    """
    groups = []
    for cell, repeats in plan_cells(args):
        cell = {**cell, **(mark or {} if cell["work"] != "trickle" else {})}
        for seed in range(args.seed, args.seed + repeats):
            # Who goes first changes from seed to seed.
            turn = seed % len(args.transports)
            order = args.transports[turn:] + args.transports[:turn]
            groups.append([{**cell, "transport": name, "seed": seed} for name in order])
    return sorted(groups, key=lambda group: group[0]["seed"])


class Lane(threading.Thread):
    """One dumbbell (or mesh) with its broker, working through the queue."""

    def __init__(self, context, name, make_network, work, results, progress):
        super().__init__(daemon=True)
        self._context = context
        self._lane = name
        self._make_network = make_network
        self._work = work
        self._results = results
        self._progress = progress
        self.error = None
        self.stop = False

    def run(self):
        try:
            with self._make_network(self._context.build, self._lane) as network:
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
        hosts = network.clients if key.get("senders") else network.clients[:1]
        network.prepare(
            key["seed"],
            {**parameters(key["link"], key["scenario"]), **condition.get("set", {})},
            condition.get("plan", ()),
            hosts if condition.get("nat") else (),
        )
        transport, _, congestion = key["transport"].partition("-")
        with Mover(network, hosts[0], condition.get("move_ms")):
            got = run_together(
                self._context.build,
                broker,
                transport,
                "transfer",
                [network.inside(host) for host in hosts],
                qos=1,
                size=scenario["size"],
                topic=scenario["topic"],
                congestion=congestion or "cubic",
                **WORK[key["work"]],
            )
        got = [{k: (None if v == -1 else v) for k, v in row.items() if v != ""} for row in got]
        row = crowd_row(got, WORK[key["work"]]["timeout_ms"]) if key.get("senders") else got[0]
        row["packets"], row["lost"] = network.packets()
        self._results.add(key, **row)
        self._progress.step(f"{key['scenario']} {key['link']} {key['transport']}")


def crowd_row(got, limit_ms):
    """One row for hosts that sent at once: their times, when the last was done, how even."""
    done = [row["done_ms"] for row in got]
    rates = [row["acked"] / (row["done_ms"] or limit_ms) for row in got]
    return {
        "handshakes_ms": [row["handshake_ms"] for row in got],
        "connacks_ms": [row["connack_ms"] for row in got],
        "dones_ms": done,
        "acked": sum(row["acked"] for row in got),
        "done_ms": None if None in done else max(done),
        "fairness": fairness(rates),
    }


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
    results = context.results("lossy")
    choice = Choice(args.network)
    context.say(choice.sentence())
    groups = [results.missing(group) for group in plan_keys(args, choice.key())]
    with Progress("lossy", sum(len(group) for group in groups)) as progress:
        run_groups(context, choice, groups, results, progress, args.lanes)
    present(context, results.rows)


# What lanes have in common: the network they are made of, and what part of the lanes they may be.
Place = collections.namedtuple("Place", "topology clients network part")


def place_of(key):
    """
    Lanes that mostly sleep may be many. A fast link, and hosts that all send, keep a processor
    busy, and would slow each other.
    """
    crowd = key.get("senders", 1) > 1
    slow = LINKS[key["link"]]["rate"] < 1
    return Place(
        CONDITIONS[key.get("condition", "steady")].get("topology", "dumbbell"),
        key.get("senders", 1),
        key.get("network", "emulator"),
        4 if key["link"] == "ethernet" or (crowd and not slow) else 2 if crowd else 1,
    )


def run_groups(context, choice, groups, results, progress, lanes):
    """Measures every key; those of a group one after the other on the same lane."""
    places = {}
    for group in groups:
        if group:
            places.setdefault(place_of(group[0]), queue.Queue()).put(group)
    for number, (place, work) in enumerate(places.items()):
        shape = TOPOLOGIES[place.topology](place.clients)

        def network(build, lane, kind=place.network, shape=shape):
            return choice.network(build, lane, shape, kind)

        count = min(max(1, lanes // place.part), work.qsize())
        _run_lanes(
            [Lane(context, f"{number}x{i}", network, work, results, progress)
             for i in range(count)]
        )
        results.save()


def _run_lanes(lanes):
    try:
        for lane in lanes:
            lane.start()
        while any(lane.is_alive() for lane in lanes):
            time.sleep(0.1)
            if any(lane.error for lane in lanes):
                break
    except BaseException:
        # Interrupted: nobody waits a minute for what is not wanted any more.
        for lane in lanes:
            lane.stop = True
        end_all()
        raise
    finally:
        for lane in lanes:
            lane.stop = True
        for lane in lanes:
            lane.join()
    for lane in lanes:
        if lane.error:
            raise lane.error
