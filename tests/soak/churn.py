# SPDX-License-Identifier: MIT
"""
A year in half an hour: clients come and go over a network that loses, delays and changes their
addresses, while workers die, the broker is told to read again, and is restarted. Three parts:

    the first third    every kind of death, three restarts of the broker
    the rest           no restart, and worker 1 is spared: what grows is seen in these two
    twice meanwhile    a calm half minute, in which what the server counts is compared to
    and at the end     what its clients count
"""

import collections
import itertools
import math
import os
import random
import re
import shutil
import signal
import threading
import time

from crowd import Crowd
from gauges import Gauges
from harness.broker import Broker
from harness.build import Build, make_directory
from harness.certs import Certificates
from harness.ports import free_tcp_port
from logbook import Logbook
from nat import Network
from visitors import Place, Visitors

STUCK_S = 60
LOOK_S = 0.2
SAMPLE_S = 5
KEPT = [f"kept/{number}" for number in range(8)]

# Of the whole run.
RESTARTS = (0.08, 0.18, 0.28)
AUDITS = (0.45, 0.7)
WARM_UP = 0.42  # what is there from here on must not grow
CALM_S, CALM_PER_MINUTE_S = 20, 4

# Seconds between two of a kind.
DEATHS_S, SIGHUPS_S, MOVES_S, WEATHER_S, KEEPING_S = (8, 16), (15, 30), (3, 12), (5, 15), (0.2, 1)

BIG_EACH = 300  # one of so many messages of a ring is big
BIG = 200000
MEDIUM = 3000

LINES = ("error", "warning", "notice", "information")


def say(text):
    print(text, flush=True)


class QuietBroker(Broker):
    """Without a line for each packet: they would be gigabytes."""

    def config(self):
        types = "\n".join(f"log_type {kind}" for kind in LINES)
        return super().config().replace("log_type all", types)


def make_broker(build, certs, workers):
    port = free_tcp_port()
    directory = make_directory()
    identity = [f"certfile {certs.server.cert}", f"keyfile {certs.server.key}"]
    options = {
        "workers": workers,
        "max_connections_per_address": 10000,
        "metrics": directory / "metrics.txt",
        "sys_interval": 1,
    }
    keep = ["persistence true", f"persistence_location {directory}/", "sys_interval 1"]
    broker = QuietBroker(
        build,
        certs,
        directory,
        plugin_opts=options,
        tcp=[f"listener {port} {Broker.host}", *identity],
        top=["max_queued_messages 0", *keep],
        per_listener=False,
    )
    return broker, port


def padding(dice):
    def make():
        if dice.randrange(BIG_EACH) == 0:
            return "x" * dice.randrange(BIG)
        return "x" * dice.randrange(MEDIUM) if dice.randrange(4) == 0 else ""

    return make


class Clock:
    """When something is due again."""

    def __init__(self, dice, between):
        self._dice, self._between = dice, between
        self.rest()

    def rest(self):
        self._due = time.monotonic() + self._dice.uniform(*self._between)

    def rings(self):
        if time.monotonic() < self._due:
            return False
        self.rest()
        return True


class Witness:
    """Over TCP, with a session that is kept: sees all wills, and what the broker says of itself."""

    def __init__(self, host, port):
        import paho.mqtt.client as paho

        versions = getattr(paho, "CallbackAPIVersion", None)
        first = [versions.VERSION2] if versions else []
        self.wills = {}
        self.topics = {}
        self.client = paho.Client(*first, client_id="witness", clean_session=False)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda client, *_: client.subscribe(
            [("will/#", 2), ("$SYS/broker/#", 0)]
        )
        self.client.on_message = self._on_message
        self.client.connect(host, port)
        self.client.loop_start()

    def _on_message(self, _client, _userdata, message):
        if message.topic.startswith("will/"):
            name = message.payload.decode()
            self.wills[name] = self.wills.get(name, 0) + 1
        else:
            self.topics[message.topic] = message.payload.decode()

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class Keeper:
    """Over QUIC: replaces retained messages, and knows which of them the broker has."""

    def __init__(self, place):
        import mquic.client as ours
        from mquic import TLSSettings

        self.place = place
        self.connects = 0
        self._out = {}
        self._next = itertools.count(1)
        self.client = ours.Client(
            ours.CallbackAPIVersion.VERSION2, client_id="keeper-0", clean_session=False
        )
        self.client.tls_set_context(TLSSettings(ca_file=str(place.ca)))
        self.client.reconnect_delay_set(0.2, 2)
        self.client.max_queued_messages_set(0)
        self.client.on_connect = self._on_connect
        self.client.on_publish = self._on_publish
        self._lock = threading.Lock()
        self.client.connect(place.host, place.port)
        self.client.loop_start()
        for topic in KEPT:
            self.keep(topic)

    def _on_connect(self, _client, _userdata, _flags, reason, _properties):
        self.connects += reason == 0

    def keep(self, topic):
        number = next(self._next)
        with self._lock:
            info = self.client.publish(topic, str(number), 1, retain=True)
            self._out[info.mid] = (topic, number)

    def _on_publish(self, _client, _userdata, mid, *_more):
        with self._lock:
            topic, number = self._out.pop(mid)
        self.place.kept[topic] = max(number, self.place.kept.get(topic, 0))

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def read_metrics(path):
    """By name with labels, of all workers; None while there is no file."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return None
    found = collections.Counter()
    for line in lines:
        if line[:1] != "#":
            name, _, value = line.rpartition(" ")
            found[re.sub(r',?worker="\d+"', "", name).replace("{}", "")] += float(value)
    return found


class Churn:
    """One run."""

    def __init__(self, options, build, certs):
        self.options, self.build = options, build
        self.dice = random.Random(options.seed)
        self.broker, tls_port = make_broker(build, certs, options.workers)
        self.broker.start()
        self.network = Network(self.broker.port)
        self.weather()
        ports = {"tcp": self.broker.tcp_port, "tls": tls_port, "quic": self.network.port}
        self.place = Place(
            self.broker.host,
            self.network.port,
            certs.ca,
            options.programs.tool("mquic-sub"),
            options.programs.environment(),
        )
        self.tally = self.place.tally
        self.failures = []
        self.gauges = Gauges()
        self.logbook = Logbook(self.broker.directory / "broker.log")
        self.witness = Witness(self.broker.host, self.broker.tcp_port)
        self.keeper = Keeper(self.place)
        self.crowds = [
            Crowd(
                self.broker.host,
                ports,
                certs.ca,
                count,
                options.interval,
                name=f"ring{qos}",
                qos=qos,
                padding=padding(random.Random(options.seed + qos)),
            )
            for qos, count in ((2, options.clients), (1, 9), (0, 9))
        ]
        self.visitors = Visitors(self.place, options.visitors, options.seed)
        self.counts = {"deaths": 0, "SIGSTOPs": 0, "SIGHUPs": 0, "moves": 0, "restarts": 0}
        self.killed = {signal.SIGKILL: 0, signal.SIGSEGV: 0}
        self.restarts = []  # [since, until]
        self.quiet = []  # descriptors whenever only those were there who stay
        self.audits = []
        self.stuck, self.ending = set(), False
        self.since = time.monotonic()
        self.sampled = 0.0

    # ---- What happens

    def minutes(self):
        return (time.monotonic() - self.since) / 60

    def part(self):
        return self.minutes() / self.options.minutes

    def weather(self):
        delay = self.dice.uniform(1, 25)
        self.network.weather(self.dice.uniform(0.02, 0.05), delay, self.dice.uniform(0, 8))

    def move(self):
        self.network.move(self.dice.choice((0.2, 0.5, 1)))
        self.tally.moved()
        self.counts["moves"] += 1

    def sighup(self):
        self.broker.signal(signal.SIGHUP)
        self.counts["SIGHUPs"] += 1

    def keep(self):
        self.keeper.keep(self.dice.choice(KEPT))

    def death(self):
        workers = self.broker.worker_pids()
        if self.part() > RESTARTS[-1] and len(workers) > 1:
            workers = workers[1:]
            workers = [pid for pid in workers if pid != self.spared]
        if not workers:
            return
        what = self.dice.choice(self.options.signals)
        now = time.monotonic()
        os.kill(self.dice.choice(workers), what)
        if what == signal.SIGSTOP:
            self.counts["SIGSTOPs"] += 1
            return
        self.counts["deaths"] += 1
        self.killed[what] += 1
        self.tally.trouble([now, now + 1])

    def restart(self):
        trouble = [time.monotonic(), math.inf]
        self.restarts.append(trouble)
        self.tally.trouble(trouble)
        if self.broker.stop() != 0:
            self.failures.append("the broker has ended with an error")
        (self.broker.directory / "metrics.txt").unlink(missing_ok=True)
        self.broker.start()
        self.counts["restarts"] += 1
        trouble[1] = time.monotonic()
        self.settle()

    # ---- What is looked at

    def roles(self):
        pids = self.broker.worker_pids()
        first = getattr(self, "spared", None)
        if first in pids:
            pids.remove(first)
            pids.insert(0, first)
        return {"broker": self.broker.pid} | {
            f"worker {number}": pid for number, pid in enumerate(pids, 1)
        }

    def look(self):
        now = time.monotonic()
        self.logbook.look()
        if now - self.sampled >= SAMPLE_S:
            self.sampled = now
            self.gauges.look(self.minutes(), self.roles())
        if not self.broker.running():
            raise RuntimeError(f"the broker has ended:\n{self.broker.log()[-2000:]}")
        talking = self.crowds[:2] if not self.ending else ()
        for one in (one for crowd in talking for one in crowd.members):
            if now - max(one.served_at, self.since) > STUCK_S and one.name not in self.stuck:
                self.stuck.add(one.name)
                self.failures.append(f"{one.name} over {one.kind} is stuck, {self.minutes():.1f}")

    def connected(self):
        """Clients over QUIC that stay."""
        return 1 + sum(len(crowd.of("quic")) for crowd in self.crowds)

    def missing(self):
        return sum(crowd.missing() for crowd in self.crowds[:2])

    def wait(self, condition, what, timeout_s=STUCK_S):
        end = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end:
                self.failures.append(f"{what}, {self.minutes():.1f}")
                return False
            time.sleep(0.1)
            self.look()
        return True

    def all_connected(self):
        return all(one.connected for crowd in self.crowds for one in crowd.members)

    def settle(self, more=True):
        """Lets nobody in until only those are there who stay, and looks at them."""
        self.visitors.pause()
        self.wait(self.all_connected, "not all are back")
        self.counted_clients()
        self.gauges.look(self.minutes(), self.roles())
        self.quiet.append(self.take_descriptors())
        if more:
            self.visitors.open()

    def still(self):
        """What is counted while nobody comes or goes, written twice since."""
        path = self.broker.directory / "metrics.txt"
        for _ in range(2):
            before = path.stat().st_mtime_ns
            self.wait(lambda before=before: path.stat().st_mtime_ns != before, "no metrics")
        return read_metrics(path)

    def counted_clients(self):
        """Waits until the server counts those that are there, no more and no less."""
        path = self.broker.directory / "metrics.txt"
        right = f"the server does not count {self.connected()} clients over QUIC"
        found = {}

        def same():
            found.clear()
            found.update(read_metrics(path) or {})
            topic = self.witness.topics.get("$SYS/broker/mquic/clients/connected")
            return found.get("mquic_clients") == self.connected() == int(topic or -1)

        if not self.wait(same, right, 3 * STUCK_S):
            self.failures.append(f"it counts {found.get('mquic_clients')}")
        return found

    def take_descriptors(self):
        now = self.gauges.now
        workers = [f"worker {number}" for number in range(1, self.options.workers + 1)]
        return self.broker.pid, now("broker")[3], sum(now(role)[3] for role in workers)

    def audit(self):
        """Calm for a while; then both sides must have counted the same."""
        self.settle(more=False)
        before = self.still()
        ours, passed = dict(self.tally.counts), self.network.figures()
        rings = self.ring_connects()
        self.visitors.open()
        calm_s = min(CALM_S, CALM_PER_MINUTE_S * self.options.minutes)
        self.run_until(time.monotonic() + calm_s, calm=True)
        self.visitors.pause()
        self.counted_clients()
        after, now = self.still(), dict(self.tally.counts)
        figures = self.network.figures()
        self.visitors.open()
        connects = self.ring_connects() - rings
        for kind in ("guest", "weaver", "vanisher"):
            connects += now.get(f"{kind} connects", 0) - ours.get(f"{kind} connects", 0)
        self.compare("clients let in", connects, before, after, "mquic_clients_accepted_total")
        self.compare("handshakes", connects, before, after, "mquic_handshakes_done_total")
        sent = figures["sent"] - passed["sent"]
        name = 'mquic_datagrams_total{direction="received"}'
        self.compare("datagrams to it", sent, before, after, name, 0.02)
        answered = figures["answered"] - passed["answered"]
        name = 'mquic_datagrams_total{direction="sent"}'
        # What goes to addresses that clients have left is lost.
        self.compare("datagrams from it", answered, before, after, name, 0.1)

    def compare(self, what, ours, before, after, name, tolerance=0.0):
        theirs = after[name] - before[name]
        self.audits.append(f"{what}: {ours} · {theirs:.0f}")
        if abs(theirs - ours) > tolerance * ours:
            self.failures.append(f"{what}: {ours} by the clients, {theirs:.0f} by the server")

    def ring_connects(self):
        members = (one for crowd in self.crowds for one in crowd.of("quic"))
        return self.keeper.connects + sum(one.connects for one in members)

    # ---- The run

    def start(self):
        for crowd in self.crowds:
            crowd.start()
        self.since = self.place.since = time.monotonic()
        self.wait(lambda: len(self.place.kept) == len(KEPT), "retained messages are not kept")
        self.settle()

    def run_until(self, end, calm=False):
        """Everything goes on; nobody dies if it is calm."""
        usual = [
            (self.move, MOVES_S),
            (self.weather, WEATHER_S),
            (self.keep, KEEPING_S),
            (self.sighup, SIGHUPS_S),
        ]
        if not calm:
            usual.append((self.death, DEATHS_S))
        clocks = [(do, Clock(self.dice, between)) for do, between in usual]
        while time.monotonic() < end:
            time.sleep(LOOK_S)
            for do, clock in clocks:
                if clock.rings():
                    do()
            self.look()
            self.tell()

    def tell(self):
        """Once a minute."""
        if self.minutes() < self.told + 1:
            return
        self.told = int(self.minutes())
        say(self.row())
        for found in (self.failures, self.tally.failures):
            for text in found[self.said.get(id(found), 0) :]:
                say(f"    {text}")
            self.said[id(found)] = len(found)

    def row(self):
        now = self.gauges.now
        roles = ["broker", *(f"worker {n}" for n in range(1, self.options.workers + 1))]
        parts = [f"{now(role)[1]:6d} {now(role)[2]:6d} {now(role)[3]:4d}" for role in roles]
        counts, figures = self.counts, self.network.figures()
        sent = sum(one.sent for crowd in self.crowds for one in crowd.members)
        visits = sum(n for name, n in self.tally.counts.items() if name.endswith(" visits"))
        lost = figures["lost"] / max(1, figures["lost"] + figures["sent"] + figures["answered"])
        words = (
            *(f"{self.told:3d} min", *parts, f"{sent:7d} {self.missing():5d}", f"{visits:6d}"),
            f"{counts['deaths']:4d} {counts['SIGSTOPs']:4d} {counts['restarts']:3d}",
            f"{counts['SIGHUPs']:4d} {counts['moves']:4d} {100 * lost:4.1f}%",
            f"{len(self.failures) + len(self.tally.failures):3d}",
        )
        return " | ".join(words)

    def header(self):
        one = "   RSS    PSS  fds"
        roles = ["broker", *(f"worker {n}" for n in range(1, self.options.workers + 1))]
        say(" | ".join(["       ", *(f"{role:18s}" for role in roles)]))
        words = ["       ", *(one for _ in roles), "   sent  away", "visits"]
        say(" | ".join([*words, "died stop res", "HUPs move  lost", "bad"]))

    def run(self):
        self.told, self.said = 0, {}
        self.spared = None
        self.header()
        self.start()
        plan = [(part, self.restart) for part in RESTARTS]
        plan += [(part, self.audit) for part in AUDITS]
        for part, do in plan:
            self.run_until(self.since + part * self.options.minutes * 60)
            do()
            self.spared = self.broker.worker_pids()[0]
        self.run_until(self.since + 60 * self.options.minutes)
        self.end()

    def end(self):
        """All that is on the way comes, and only those are there who stay."""
        self.visitors.pause()
        self.ending = True
        for crowd in self.crowds:
            crowd.finish(STUCK_S)
        self.wait(lambda: not self.wills_missing(), "wills have not come", 2 * STUCK_S)
        self.settle(more=False)
        self.visitors.close()
        self.look()

    def wills_missing(self):
        due = [name for name, verdict in self.tally.wills.items() if verdict == "due"]
        return [name for name in due if name not in self.witness.wills]

    def close(self):
        self.visitors.close()
        for one in (*self.crowds, self.keeper, self.witness):
            one.close()
        self.network.close()


class Verdict:
    """What has to hold at the end, and the table."""

    def __init__(self, churn):
        self.churn, self.failures = churn, churn.failures
        self.rows = []

    def check(self, name, value, good):
        self.rows.append((name, value, good))
        if not good:
            self.failures.append(f"{name}: {value}")

    def note(self, name, value):
        self.rows.append((name, value, None))

    def judge(self):
        self.messages()
        self.visits()
        self.memory()
        self.log()
        self.note("clients · server", "; ".join(self.churn.audits))

    def messages(self):
        for crowd in self.churn.crowds:
            sent = sum(one.sent for one in crowd.members)
            twice = sum(len(one.twice) for one in crowd.members)
            text = f"{sent} sent, {crowd.missing()} missing, {twice} came twice"
            good = (crowd.qos == 0 or not crowd.missing()) and (crowd.qos == 1 or not twice)
            self.check(f"ring at QoS {crowd.qos}", text, good)
        cut = [
            f"{one.name} over {one.kind} ({why})"
            for crowd in self.churn.crowds
            for one in crowd.of("tcp", "tls")
            for when, why in one.ends
            if not self.in_restart(when)
        ]
        self.check("TCP and TLS cut off", ", ".join(cut[:3]) or "none", not cut)

    def in_restart(self, when):
        return any(since <= when <= until + 5 for since, until in self.churn.restarts)

    def visits(self):
        tally = self.churn.tally
        counts = ", ".join(f"{number} {name}" for name, number in sorted(tally.counts.items()))
        self.note("visits", counts)
        for seconds, text in tally.slowest:
            self.note("slow visit", f"{seconds:.1f} s: {text}")
        for text in tally.failures[:10]:
            self.failures.append(text)
        self.check("visits that failed", str(len(tally.failures)), not tally.failures)
        self.check("stuck", str(len(self.churn.stuck)), not self.churn.stuck)
        wills = self.churn.witness.wills
        wrong = [name for name, verdict in tally.wills.items() if verdict == "none" and name in wills]
        due = sum(verdict == "due" for verdict in tally.wills.values())
        missing = self.churn.wills_missing()
        text = f"{due} due, {len(missing)} missing, {len(wrong)} not due"
        if missing or wrong:
            text += f": {' '.join([*missing, *wrong][:6])}"
        self.check("wills", text, not self.churn.wills_missing() and not wrong)

    def memory(self):
        churn, options = self.churn, self.churn.options
        for role in ("broker", "worker 1"):
            since, until = WARM_UP * options.minutes, options.minutes
            slopes, span = churn.gauges.life(role).growth(since, until)
            judged = span >= options.memory_minutes and not churn.build.sanitizer
            words = " · ".join("–" if one is None else f"{one:+.1f}" for one in slopes)
            text = f"{words} kB a minute of RSS · PSS over {span:.1f} minutes"
            text += f", at most {options.slope}" if judged else ", not judged"
            good = not judged or max(slopes) <= options.slope
            self.check(f"memory of {role}", text, good)
        for number in range(1, options.workers + 1):
            role = f"worker {number}"
            self.note(f"{role} at its highest", f"{churn.gauges.highest_kb(role)} kB of RSS")
        last = [row for row in churn.quiet if row[0] == churn.broker.pid]
        first, now = last[0][1:], last[-1][1:]
        text = f"broker {first[0]} → {now[0]}, workers {first[1]} → {now[1]}"
        good = all(abs(one - other) <= 2 for one, other in zip(first, now, strict=True))
        self.check("descriptors when quiet", text, good)

    def log(self):
        churn, book = self.churn, self.churn.logbook
        surprises = [f"{line} (×{number})" for line, number in book.surprises.most_common(10)]
        for text in surprises:
            self.failures.append(f"log: {text}")
        self.check("lines nobody expects", str(sum(book.surprises.values())), not surprises)
        self.check("lines of sanitizers", str(len(book.sanitizer)), not book.sanitizer)
        killed = {int(what): number for what, number in churn.killed.items() if number}
        text = f"{dict(book.ended)} by signal, {killed} were ours"
        # One that is killed just before the broker ends is not told of.
        good = all(number <= killed.get(what, 0) for what, number in book.ended.items())
        self.check("ends of workers", text, good)
        names = {"guest": churn.tally.counts["guest connects"]}
        names["weaver"] = churn.tally.counts["weaver connects"]
        for crowd in churn.crowds:
            names[crowd.name] = sum(one.connects for one in crowd.of("quic"))
        let_in = sum(book.let_in[name] for name in ("guest", "weaver"))
        counted = sum(names[name] for name in ("guest", "weaver"))
        cut = churn.tally.counts["visits cut short"]
        text = f"{let_in} by the broker, {counted} by themselves, {cut} cut short"
        self.check("visitors let in", text, counted <= let_in <= counted + cut + 2)

    def show(self):
        say("")
        for name, value, good in self.rows:
            mark = {True: "ok", False: "BAD", None: ""}[good]
            say(f"{mark:4s}{name:28s}{value}")
        for text in self.failures:
            say(f"FAILED: {text}")
        say("FAILED" if self.failures else "all of it held")


def run(options):
    """Returns the exit code."""
    options.programs = Build()
    if options.server:
        os.environ["MQUIC_BUILD"] = options.server
    build = Build()
    options.signals = [signal.SIGKILL, signal.SIGSTOP]
    if not build.sanitizer:  # which has its own way with it
        options.signals.append(signal.SIGSEGV)
    certs = Certificates(build)
    churn = Churn(options, build, certs)
    try:
        churn.run()
        verdict = Verdict(churn)
        verdict.judge()
        verdict.show()
        return 1 if verdict.failures else 0
    finally:
        churn.close()
        if options.keep_log:
            shutil.copy(churn.broker.directory / "broker.log", options.keep_log)
        churn.broker.close()
        for place in (churn.broker.directory, certs.directory):
            shutil.rmtree(place, ignore_errors=True)
        build.close()
        options.programs.close()
