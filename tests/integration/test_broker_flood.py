# SPDX-License-Identifier: MIT
"""Handshakes that nobody finishes, by the hundred: a newcomer gets in all the same."""

import itertools
import threading

import pytest

from harness.clients import many_clients, start_raw
from harness.process import eventually

HANDSHAKES = 20


def one_address():
    return itertools.repeat("127.7.7.7")


def many_addresses():
    return (f"127.{a}.{b}.{c}" for a in range(8, 255) for b in range(255) for c in range(1, 255))


class Flood:
    """Crowds of clients that begin a handshake each and, as far as the broker sees, vanish."""

    def __init__(self, broker, proxy):
        self._broker, self._proxy = broker, proxy
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        eventually(lambda: len(self._proxy.captured) > 4 * HANDSHAKES, what="the flood")
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(60)

    def _run(self):
        while not self._stop.is_set():
            many_clients(self._broker, self._proxy.port, count=5 * HANDSHAKES, timeout_ms=1000)


def publish(broker):
    done = broker.pub("-t", "x", "-m", "y", check=False, timeout=40)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "retry, answers_retry, sources",
    [
        ("never", False, one_address),
        ("adaptive", False, one_address),
        ("adaptive", False, many_addresses),
        ("adaptive", True, one_address),
        ("always", True, one_address),
    ],
    ids=["no Retry", "one forged", "many forged", "one real", "one real, always Retry"],
)
def test_a_flood_of_handshakes_keeps_nobody_out(
    make_broker, make_proxy, retry, answers_retry, sources
):
    broker = make_broker(plugin_opts={"max_handshakes": HANDSHAKES, "retry": retry}).start()
    proxy = make_proxy(broker)
    proxy.sources = sources()
    proxy.mute, proxy.only_retry = not answers_retry, True
    with Flood(broker, proxy):
        for _ in range(5):
            publish(broker)
    if retry == "never" or answers_retry:
        broker.wait_log("too many handshakes; this one gave way to another")
    publish(broker)


def test_connections_that_say_nothing_keep_nobody_out(make_broker, make_proxy):
    """All that is known of them is that they can shake hands: that takes no password."""
    broker = make_broker(plugin_opts={"max_connections": 5, "connect_timeout": 600}).start()
    proxy = make_proxy(broker)
    proxy.sources = one_address()
    silent = [
        start_raw(broker, flags=["--no-stream"], port=proxy.port, wait_ms=120000) for _ in range(5)
    ]
    for client in silent:
        client.wait_line("ready ")
    publish(broker)
    publish(broker)
    closed = [line for client in silent for line in client.lines if line.startswith("closed ")]
    assert closed and all("too%20many%20connections" in line for line in closed), closed
    assert len(closed) < 5
