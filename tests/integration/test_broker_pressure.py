# SPDX-License-Identifier: MIT
"""
Back-pressure from one end to the other: whoever is slow costs the workers no memory, and nothing
is lost.
"""

import re
import signal
import threading
from pathlib import Path

import pytest

from harness.clients import SessionClient
from harness.process import Process, eventually

SIZE = 60_000
COUNT = 300
# What all workers may grow by while 18 MB wait on one side of them.
GROWTH_KB = 3_000
# Nothing is dropped for a full queue, and all that waits is on its way at once.
UNLIMITED = ["max_queued_messages 0", "max_inflight_messages 0"]


@pytest.fixture
def broker(make_broker):
    return make_broker(top=UNLIMITED, plugin_opts={"workers": 2}).start()


def payloads():
    return [f"{number:06}" + "x" * (SIZE - 6) for number in range(COUNT)]


def anonymous_kb(*pids):
    """Memory that is theirs alone."""
    texts = [Path(f"/proc/{pid}/status").read_text() for pid in pids]
    return sum(int(re.search(r"RssAnon:\s+(\d+)", text)[1]) for text in texts)


class Workers:
    """What the workers have grown by since this was made."""

    def __init__(self, broker):
        self._broker = broker
        self._pids = broker.worker_pids()
        assert len(self._pids) == 2
        self._before = anonymous_kb(*self._pids)

    def expect_flat(self):
        assert self._broker.worker_pids() == self._pids
        # A sanitizer keeps what was freed for a while.
        if not self._broker.build.sanitizer:
            assert anonymous_kb(*self._pids) - self._before < GROWTH_KB


def slow_tcp_subscriber(broker, topic):
    sub = broker.tcp_sub("-t", topic, "-q", "1", "-F", "%p")
    sub.signal(signal.SIGSTOP)
    return sub


def expect_all(sub):
    sub.signal(signal.SIGCONT)
    lines = sub.wait_lines(COUNT)
    assert [line[:6] for line in lines] == [f"{number:06}" for number in range(COUNT)]


def test_a_fast_quic_publisher_and_a_slow_tcp_subscriber(broker, workdir):
    lines = workdir / "lines"
    lines.write_text("\n".join(payloads()) + "\n")
    sub = slow_tcp_subscriber(broker, "down")
    workers = Workers(broker)
    with lines.open() as stdin:
        broker.pub("-t", "down", "-q", "1", "-l", stdin=stdin)
    workers.expect_flat()
    expect_all(sub)
    workers.expect_flat()


def test_a_fast_tcp_publisher_and_a_slow_quic_subscriber(broker):
    slow = SessionClient(broker, "slow")
    slow.connect()
    slow.subscribe("down", 1)
    workers = Workers(broker)
    before = anonymous_kb(broker.pid)
    slow.process.signal(signal.SIGSTOP)
    broker.tcp_lines("down", payloads(), 1)
    workers.expect_flat()
    # It waits where Mosquitto's limits are for it.
    assert broker.build.sanitizer or anonymous_kb(broker.pid) - before > COUNT * SIZE // 2048
    slow.process.signal(signal.SIGCONT)
    for number in range(COUNT):
        assert slow.message()["payload"].startswith(f"{number:06}")
    workers.expect_flat()


class Writer:
    """Writes into a program's standard input from a thread of its own, and counts."""

    def __init__(self, process, lines):
        self.written = 0
        self._process, self._lines = process, lines
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        for line in self._lines:
            self._process.write(line + "\n")
            self.written += 1
        self._process.close_stdin()

    def is_stuck(self):
        """Whether it has come to nothing for a second."""
        before = self.written
        self._thread.join(1)
        return self.written == before

    def join(self):
        self._thread.join()


def test_a_broker_that_stands_still_stops_its_quic_publishers(broker):
    sub = broker.tcp_sub("-t", "up", "-q", "1", "-F", "%p")
    words = [*broker.address(), "-i", "pub", "-t", "up", "-q", "1", "-l"]
    pub = Process([broker.build.tool("mquic-pub"), *words], broker.build.environment(), stdin=True)
    broker.adopt(pub)
    eventually(lambda: "pub" in broker.connections(), what="the publisher")
    workers = Workers(broker)
    broker.signal(signal.SIGSTOP)
    try:
        writer = Writer(pub, payloads())
        eventually(writer.is_stuck, what="a publisher that cannot go on")
        assert writer.written < COUNT
        workers.expect_flat()
    finally:
        broker.signal(signal.SIGCONT)
    expect_all(sub)
    writer.join()
    assert pub.wait() == 0, pub.errors
    workers.expect_flat()
