# SPDX-License-Identifier: MIT
"""The will: published when a client vanishes, in whatever way, and only then."""

import signal
import time

import pytest

from harness import mqtt
from harness.clients import SessionClient, raw, start_raw

# Without waiting for a timeout: that of an idle connection is thirty seconds at least.
AT_ONCE = 20
WILL = ("will", "obituary", "1", "0", "0", "gone")


def mourner(broker):
    return broker.tcp_sub("-t", "obituary", "-q", "1", "-C", "1")


def client_with_will(broker, **options):
    client = SessionClient(broker, **options)
    client.do(*WILL)
    client.connect()
    return client


def never_mourned(watcher, seconds=1.0):
    time.sleep(seconds)
    return watcher.returncode is None and watcher.lines == []


def test_killed_client_is_mourned_after_the_idle_timeout(broker):
    watcher = mourner(broker)
    started = time.monotonic()
    client = client_with_will(broker, keep_alive=0, settings={"idle_timeout_ms": 3000})
    client.kill()
    assert watcher.wait() == 0
    assert watcher.lines == ["gone"]
    assert 2.9 < time.monotonic() - started < 30


def test_frozen_client_is_mourned_by_its_keep_alive(broker):
    watcher = mourner(broker)
    client = client_with_will(broker, keep_alive=1)
    client.process.signal(signal.SIGSTOP)
    assert watcher.wait() == 0
    assert watcher.lines == ["gone"]


def test_closing_quic_without_disconnect_is_mourned_at_once(broker):
    watcher = mourner(broker)
    client = client_with_will(broker)
    client.do("close")
    assert watcher.wait(AT_ONCE) == 0
    assert watcher.lines == ["gone"]


def test_freeing_a_session_is_mourned_at_once(broker):
    watcher = mourner(broker)
    client = client_with_will(broker)
    assert client.quit() == 0
    assert watcher.wait(AT_ONCE) == 0


def test_finishing_the_stream_without_disconnect_is_mourned(broker):
    watcher = mourner(broker)
    connect = mqtt.connect_with_will("finisher", "obituary", "gone")
    result = raw(broker, connect, flags=["--finish"])
    assert result.data == mqtt.CONNACK_ACCEPTED
    assert watcher.wait(AT_ONCE) == 0


@pytest.mark.parametrize("flags", [["--reset"], ["--stop"], ["--reset", "--stop"]], ids="/".join)
def test_giving_up_an_idle_stream_is_mourned_at_once(broker, flags):
    """The keep-alive of a minute, and that of the connection, are far away."""
    watcher = mourner(broker)
    connect = mqtt.connect_with_will("quitter", "obituary", "gone")
    # Nothing is sent back for the second packet: the stream is idle.
    client = start_raw(
        broker, connect, mqtt.publish("x", b""), flags=flags, pause_ms=1000, wait_ms=60000
    )
    assert watcher.wait(AT_ONCE) == 0
    assert watcher.lines == ["gone"]
    client.wait_line("closed status", timeout=AT_ONCE)


def test_disconnect_is_not_mourned(broker):
    watcher = mourner(broker)
    client = client_with_will(broker)
    client.disconnect()
    assert never_mourned(watcher)


def test_disconnect_with_will_is_mourned(broker):
    watcher = mourner(broker)
    client = client_with_will(broker)
    client.disconnect(4)
    assert watcher.wait(AT_ONCE) == 0


def test_a_delayed_will_is_dropped_when_the_client_returns(broker):
    watcher = mourner(broker)
    client = SessionClient(broker, "phoenix", expiry=60)
    client.do("will", "obituary", "1", "0", "4", "gone")
    client.connect()
    client.do("close")
    again = SessionClient(broker, "phoenix", clean=0, expiry=60)
    again.connect(present=1)
    assert never_mourned(watcher, 5.5)
    again.disconnect()


def test_a_retained_will_stays(broker):
    watcher = mourner(broker)
    client = SessionClient(broker)
    client.do("will", "obituary", "1", "1", "0", "gone")
    client.connect()
    client.do("close")
    assert watcher.wait(AT_ONCE) == 0
    late = SessionClient(broker)
    late.connect()
    late.subscribe("obituary")
    assert late.message()["payload"] == "gone"
