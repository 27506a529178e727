# SPDX-License-Identifier: MIT
"""The broker stops, starts again, reloads: clients are told, and come back."""

import signal
import time

from harness import mqtt
from harness.clients import SessionClient, raw

# Without waiting for a timeout: the shortest is that of handshakes, ten seconds.
AT_ONCE = 9


def test_a_stopping_broker_tells_its_clients_at_once(broker):
    clients = [SessionClient(broker, protocol=protocol) for protocol in (4, 5)]
    for client in clients:
        client.connect()
    started = time.monotonic()
    assert broker.stop() == 0
    assert time.monotonic() - started < AT_ONCE
    for client in clients:
        end = client.event("DISCONNECTED", timeout=AT_ONCE)
        assert end["text"] != "", end


def test_a_stopping_broker_says_that_it_is_shutting_down(broker):
    """MQTT has no word for it that Mosquitto would say, so QUIC has, and the tools show it."""
    clients = [SessionClient(broker, protocol=protocol) for protocol in (4, 5)]
    for client in clients:
        client.connect()
    sub = broker.sub("-t", "news", client_id="listener")
    assert broker.stop() == 0
    for client in clients:
        end = client.event("DISCONNECTED", timeout=AT_ONCE)
        assert (end["code"], end["origin"]) == ("0", "1"), end
        assert end["text"].endswith(": the broker is shutting down"), end
    sub.wait_error("code 0: the broker is shutting down. Trying again")


def test_a_client_that_is_thrown_out_hears_nothing_of_a_shutdown(broker):
    """Two of one identifier: the older one goes, and the broker stays."""
    first, second = (SessionClient(broker, "twin", protocol=4) for _ in range(2))
    first.connect()
    second.connect()
    end = first.event("DISCONNECTED", timeout=AT_ONCE)
    assert "shutting down" not in end["text"], end


def test_a_stopped_broker_leaves_nothing(broker):
    broker.pub("-t", "x", "-m", "y")
    assert broker.stop() == 0
    assert not broker.socket.exists()
    done = broker.pub("-t", "x", "-m", "y", check=False, timeout=40)
    assert done.returncode != 0
    assert done.stderr.strip() != ""


def test_the_subscriber_tool_comes_back_after_a_restart(broker):
    sub = broker.sub("-t", "news", "-q", "1", client_id="faithful")
    broker.pub("-t", "news", "-q", "1", "-m", "before")
    sub.wait_lines(1)
    mark = len(broker.log())
    broker.restart()
    broker.wait_suback("faithful", sub, mark)
    broker.pub("-t", "news", "-q", "1", "-m", "after")
    assert sub.wait_lines(2) == ["before", "after"]


def test_the_subscriber_tool_survives_a_killed_broker(broker):
    sub = broker.sub("-t", "news", "-q", "1", "-k", "5", client_id="faithful")
    broker.expect_failure = True
    broker.signal(signal.SIGKILL)
    broker.stop()
    mark = len(broker.log())
    broker.start()
    broker.expect_failure = False
    broker.wait_suback("faithful", sub, mark)
    broker.pub("-t", "news", "-q", "1", "-m", "after")
    assert sub.wait_lines(1) == ["after"]


def test_a_session_survives_a_restart_with_persistence(make_broker):
    broker = make_broker(top=["persistence true"])
    broker.add_top(f"persistence_location {broker.directory}/")
    broker.start()
    client = SessionClient(broker, "keeper", clean=0, expiry=300)
    client.connect(present=0)
    client.subscribe("mail", 1)
    client.disconnect()
    broker.pub("-t", "mail", "-q", "1", "-m", "kept")
    broker.restart()
    client.connect(present=1)
    assert client.message()["payload"] == "kept"


def test_ten_restarts_in_a_row(broker):
    for _ in range(10):
        broker.restart()
    broker.pub("-t", "x", "-m", "y", "-q", "1")


def test_sighup_keeps_everybody(broker):
    client = SessionClient(broker, "stayer")
    client.connect()
    for _ in range(3):
        broker.sighup()
    client.publish("still", "here", qos=2)
    assert client.events("DISCONNECTED") == []


def test_clients_in_the_middle_of_a_handshake_do_not_hold_the_broker_up(broker, make_proxy):
    proxy = make_proxy(broker)
    proxy.mute = True
    raw(broker, flags=["--no-stream"], port=proxy.port, wait_ms=300)
    started = time.monotonic()
    assert broker.stop() == 0
    assert time.monotonic() - started < AT_ONCE


def test_a_client_that_reads_nothing_does_not_stop_the_others(make_broker):
    broker = make_broker().start()
    lazy = SessionClient(broker, "lazy")
    lazy.connect()
    lazy.subscribe("flood", 0)
    lazy.process.signal(signal.SIGSTOP)
    quick = broker.sub("-t", "flood", "-q", "0", "-C", "200")
    for _ in range(4):
        broker.tcp_lines("flood", ["x" * 20000] * 50)
    assert quick.wait() == 0
    broker.pub("-t", "other", "-q", "1", "-m", "y")
    assert broker.memory_kb() < 200_000


def test_an_ordinary_disconnect_leaves_a_clean_log(broker):
    result = raw(broker, mqtt.connect("polite") + mqtt.DISCONNECT)
    assert result.data == mqtt.CONNACK_ACCEPTED
    assert result.closed["code"] == "0"
    broker.wait_log(r"Client polite( \[\S+\])? disconnected")
    log = broker.log().lower()
    assert "error" not in log and "warning" not in log, log
