# SPDX-License-Identifier: MIT
"""Messages through the plugin: every QoS, both ways, both protocols, small and large."""

import hashlib
import os

import pytest

from harness.clients import SessionClient, exchange, many_clients

PROTOCOLS = ["mqttv311", "mqttv5"]
QOS = [0, 1, 2]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("qos", QOS)
def test_quic_to_quic(broker, protocol, qos):
    sub = broker.sub("-V", protocol, "-t", "a/b", "-q", qos, "-C", 1, "-v")
    broker.pub("-V", protocol, "-t", "a/b", "-q", qos, "-m", "from QUIC to QUIC")
    assert sub.wait() == 0
    assert sub.lines == ["a/b from QUIC to QUIC"]
    assert f"(d0, q{qos}, r0" in broker.log()


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("qos", QOS)
def test_quic_to_tcp(broker, protocol, qos):
    sub = broker.tcp_sub("-V", protocol, "-t", "a/b", "-q", qos, "-C", 1)
    broker.pub("-V", protocol, "-t", "a/b", "-q", qos, "-m", "to TCP")
    assert sub.wait() == 0
    assert sub.lines == ["to TCP"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("qos", QOS)
def test_tcp_to_quic(broker, protocol, qos):
    sub = broker.sub("-V", protocol, "-t", "a/b", "-q", qos, "-C", 1)
    broker.tcp_pub("-V", protocol, "-t", "a/b", "-q", qos, "-m", "to QUIC")
    assert sub.wait() == 0
    assert sub.lines == ["to QUIC"]


@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize("qos", QOS)
def test_both_ways_at_once(make_broker, protocol, qos):
    broker = make_broker(top=["max_queued_messages 0"]).start()
    done, sides = exchange(broker, qos=qos, protocol=protocol, count=200)
    assert done.returncode == 0, done
    assert sides["a"]["received"] == sides["b"]["received"] == "200"


def test_a_retained_message_waits_for_quic_subscribers(broker):
    broker.pub("-t", "state", "-m", "on", "-r", "-q", "1")
    sub = broker.sub("-t", "state", "-C", 1)
    assert sub.wait() == 0
    assert sub.lines == ["on"]


def test_an_empty_retained_message_clears_the_old_one(broker):
    broker.tcp_pub("-t", "state", "-m", "on", "-r", "-q", "1")
    broker.pub("-t", "state", "-n", "-r", "-q", "1")
    client = SessionClient(broker)
    client.connect()
    client.subscribe("state")
    broker.pub("-t", "state", "-m", "fresh", "-q", "1")
    assert client.message()["payload"] == "fresh"
    assert [event["payload"] for event in client.events("MESSAGE")] == ["fresh"]


def test_the_retain_flag_is_seen(broker):
    broker.tcp_pub("-t", "state", "-m", "on", "-r", "-q", "1")
    client = SessionClient(broker)
    client.connect()
    client.subscribe("state")
    assert client.message()["retain"] == "1"


def test_any_bytes_travel_unchanged(broker):
    client = SessionClient(broker)
    client.connect()
    client.subscribe("bytes/#")
    payload = "".join(map(chr, range(1, 300))) + " %\\\"'"
    client.publish("bytes/ä/€/x", payload, qos=2)
    message = client.message()
    assert message["payload"] == payload
    assert message["topic"] == "bytes/ä/€/x"


def test_wildcards_and_unsubscribe(broker):
    client = SessionClient(broker)
    client.connect()
    client.subscribe("house/+/temperature")
    client.publish("house/kitchen/temperature", "21", qos=1)
    client.publish("house/kitchen/humidity", "40", qos=1)
    assert client.message()["topic"] == "house/kitchen/temperature"
    client.do("unsubscribe", "house/+/temperature")
    client.event("UNSUBSCRIBED")
    client.publish("house/kitchen/temperature", "22", qos=1)
    client.disconnect()
    assert len(client.events("MESSAGE")) == 1


def test_subscription_qos_limits_delivery(broker):
    client = SessionClient(broker)
    client.connect()
    client.subscribe("limited", 0)
    client.publish("limited", "x", qos=2)
    assert client.message()["qos"] == "0"


def test_manual_acknowledgement(broker):
    client = SessionClient(broker, "manual", manual_ack=1, clean=0, expiry=60)
    client.connect()
    client.subscribe("jobs", 1)
    client.publish("jobs", "work", qos=1)
    first = client.message()
    client.kill()
    again = SessionClient(broker, "manual", manual_ack=1, clean=0, expiry=60)
    again.connect(present=1)
    second = again.message()
    assert (first["payload"], second["payload"], second["duplicate"]) == ("work", "work", "1")
    again.do("ack", second["id"], 0)
    broker.wait_log(r"Received PUBACK from manual")
    again.disconnect()


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def ten_megabytes(workdir):
    path = workdir / "sent"
    path.write_bytes(os.urandom(10_000_000))
    return path


@pytest.mark.parametrize("qos", [0, 2])
def test_ten_megabytes_from_quic(broker, workdir, ten_megabytes, qos):
    got = workdir / "received"
    with open(got, "wb") as out:
        sub = broker.tcp_sub("-t", "big", "-q", qos, "-C", 1, "-N", stdout=out)
        broker.pub("-t", "big", "-q", qos, "-f", ten_megabytes)
        assert sub.wait() == 0
    assert digest(got) == digest(ten_megabytes)


@pytest.mark.parametrize("qos", [0, 2])
def test_ten_megabytes_to_quic(broker, workdir, ten_megabytes, qos):
    got = workdir / "received"
    with open(got, "wb") as out:
        sub = broker.sub("-t", "big", "-q", qos, "-C", 1, "-N", stdout=out)
        broker.tcp_pub("-t", "big", "-q", qos, "-f", ten_megabytes)
        assert sub.wait() == 0
    assert digest(got) == digest(ten_megabytes)


def test_ten_megabytes_both_ways_at_once(broker):
    done, sides = exchange(broker, qos=1, count=2, size=10_000_000)
    assert done.returncode == 0, done
    assert sides["a"]["damaged"] == "0"


def test_many_lines_from_standard_input(broker):
    lines = [f"line {number}" for number in range(500)]
    sub = broker.tcp_sub("-t", "lines", "-q", "1", "-C", len(lines))
    broker.pub("-t", "lines", "-q", "1", "-l", input="\n".join(lines) + "\n")
    assert sub.wait() == 0
    assert sub.lines == lines


def test_two_hundred_clients_at_once(broker):
    done = many_clients(broker, count=200, timeout_ms=60000, handshake_timeout_ms=60000)
    assert done.returncode == 0, done
    assert done.stdout.strip() == (
        "connected=200 subscribed=200 received=200 delivered=200 disconnected=200"
    )
    assert len(broker.connections()) == 200
