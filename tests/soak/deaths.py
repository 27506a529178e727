# SPDX-License-Identifier: MIT
"""Workers are killed, made to crash and stopped at random moments, under traffic."""

import os
import random
import shutil
import signal
import statistics
import time

from crowd import Crowd
from harness.broker import Broker
from harness.build import Build, make_directory
from harness.certs import Certificates
from harness.ports import free_tcp_port

SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP)

# A worker that lives less than two seconds rests longer each time, which is not what is looked at.
CALM_S = (2.2, 4.0)
STUCK_S = 60

# One of so many deaths has another one follow while the next worker starts.
STARTING_EACH = 4
STARTING_S = 0.06


def say(text):
    print(text, flush=True)


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def figures(values):
    """Median, 99th percentile and maximum, in milliseconds."""
    if not values:
        return "none"
    parts = (statistics.median(values), percentile(values, 0.99), max(values))
    return "median {:.0f} ms, p99 {:.0f} ms, max {:.0f} ms".format(*(1000 * one for one in parts))


def make_broker(build, certs, workers):
    port = free_tcp_port()
    identity = [f"certfile {certs.server.cert}", f"keyfile {certs.server.key}"]
    broker = Broker(
        build,
        certs,
        make_directory(),
        plugin_opts={"workers": workers, "max_connections_per_address": 10000},
        tcp=[f"listener {port} {Broker.host}", *identity],
        top=["max_queued_messages 0"],
        per_listener=False,
    )
    return broker, port


class Deaths:
    """One run: `failures` are sentences, `back` the seconds until clients were let in again."""

    def __init__(self, broker, crowd, dice):
        self.broker, self.crowd, self.dice = broker, crowd, dice
        self.back, self.failures = [], []

    def round(self, number):
        """One worker, one signal, and a look at everybody."""
        time.sleep(self.dice.uniform(*CALM_S))
        what = self.dice.choice(SIGNALS)
        pid = self.dice.choice(self.broker.worker_pids())
        since = time.monotonic()
        before = self.broker.worker_pids()
        os.kill(pid, what)
        again = what != signal.SIGSTOP and self.dice.randrange(STARTING_EACH) == 0
        if again:
            self._kill_starting(before)
        away = self._wait(since)
        if away:
            names = ", ".join(one.name for one in away)
            self.failures.append(f"round {number}: stuck after {STUCK_S} s: {names}")
        cut_off = [one for one in self.crowd.of("quic") if one.connected_at > since]
        times = [one.connected_at - since for one in cut_off]
        self.back += times
        if what == signal.SIGSTOP and cut_off:
            self.failures.append(f"round {number}: {len(cut_off)} were cut off by SIGSTOP")
        name = f"{what.name}, and again at the start" if again else what.name
        say(f"round {number}: {name}, {len(cut_off)} came back: {figures(times)}")

    def _kill_starting(self, before):
        """Ends the next one, too, before or right after it is ready."""
        end = time.monotonic() + STUCK_S
        while not (young := set(self.broker.worker_pids()) - set(before)):
            if time.monotonic() > end:
                self.failures.append("no worker was started again")
                return
            time.sleep(0.001)
        time.sleep(self.dice.uniform(0, STARTING_S))
        os.kill(young.pop(), self.dice.choice((signal.SIGKILL, signal.SIGSEGV)))

    def _wait(self, since):
        """Those over QUIC that have not got a message through since then, after long enough."""
        end = since + STUCK_S
        quic = self.crowd.of("quic")
        while time.monotonic() < end:
            away = [one for one in quic if one.served_at <= since or not one.connected]
            if not away:
                return []
            time.sleep(0.01)
        return away

    def judge(self, limit_s):
        """What has to hold at the end."""
        if not self.broker.running():
            self.failures.append("the broker has ended")
        for one in self.crowd.of("tcp", "tls"):
            if one.ends:
                self.failures.append(f"{one.name} over {one.kind} was cut off: {one.ends[0][1]}")
        for one in self.crowd.members:
            if one.twice:
                self.failures.append(f"{one.name} has got {one.twice[:5]} more than once")
        if self.crowd.missing():
            self.failures.append(f"{self.crowd.missing()} messages have not come")
        late = [one for one in self.back if one > limit_s]
        if late:
            self.failures.append(f"{len(late)} of {len(self.back)} took more than {limit_s} s")

    def summary(self):
        sent = sum(one.sent for one in self.crowd.members)
        say(f"messages: {sent} at QoS 2, {self.crowd.missing()} missing")
        say(f"came twice: {sum(len(one.twice) for one in self.crowd.members)}")
        say(f"clients over QUIC back within: {figures(self.back)} ({len(self.back)} times)")
        say(f"TCP to TLS meanwhile: {figures(self.crowd.delays)}")
        for text in self.failures:
            say(f"FAILED: {text}")


def run(options):
    """Returns the exit code."""
    build = Build()
    certs = Certificates(build)
    broker, tls_port = make_broker(build, certs, options.workers)
    crowd = None
    try:
        broker.start()
        ports = {"tcp": broker.tcp_port, "tls": tls_port, "quic": broker.port}
        crowd = Crowd(broker.host, ports, certs.ca, options.clients, options.interval)
        crowd.start()
        deaths = Deaths(broker, crowd, random.Random(options.seed))
        memory = broker.memory_kb()
        for number in range(1, options.rounds + 1):
            deaths.round(number)
        say(f"memory: {memory} kB before, {broker.memory_kb()} kB after")
        crowd.finish(STUCK_S)
        deaths.judge(options.limit)
        deaths.summary()
        return 1 if deaths.failures else 0
    finally:
        if crowd:
            crowd.close()
        if options.keep_log:
            shutil.copy(broker.directory / "broker.log", options.keep_log)
        broker.close()
        for place in (broker.directory, certs.directory):
            shutil.rmtree(place, ignore_errors=True)
        build.close()
