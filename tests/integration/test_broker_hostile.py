# SPDX-License-Identifier: MIT
"""Clients that do not keep to the rules: each is cut off, nobody else notices."""

import os
import shutil
import socket
import struct

import pytest

from harness import datagrams, mqtt
from harness.broker import Broker
from harness.build import make_directory
from harness.clients import SessionClient, raw
from harness.process import PATIENCE, eventually

BAD_CONNECTS = {
    "another packet first": mqtt.PINGREQ,
    "publish first": mqtt.publish("a", b"x"),
    "wrong protocol name": mqtt.connect(name="MQTZ"),
    "protocol level 6": mqtt.connect(level=6),
    "reserved connect flag": mqtt.connect(flags=0x03),
    "reserved bits of the fixed header": b"\x1f" + mqtt.connect()[1:],
    "password without user name": mqtt.connect(flags=0x42, payload=mqtt.text("x")),
    "will qos 3": mqtt.connect(flags=0x1E, payload=mqtt.text("t") + mqtt.text("p")),
    "user name announced and missing": mqtt.connect(flags=0x82),
    "client id longer than the packet": mqtt.connect()[:-5] + b"\xff\xff" + b"raw",
    "client id that is not UTF-8": mqtt.connect(client_id=b"\xff\xfe\xc0"),
    "client id with NUL": mqtt.connect(client_id=b"a\0b"),
    "nothing after the protocol name": mqtt.packet(0x10, mqtt.text("MQTT")),
    "empty packet": b"\x10\x00",
    "remaining length of five bytes": b"\x10\x80\x80\x80\x80\x01",
    "largest remaining length": b"\x10\xff\xff\xff\x7f",
    "zero bytes": bytes(64),
    "plain text": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a TLS client hello": bytes.fromhex("1603010200010001fc0303") + bytes(200),
    "bytes behind the client id": mqtt.packet(0x10, mqtt.connect()[2:] + b"tail"),
    "unknown MQTT 5 property": mqtt.packet(
        0x10, mqtt.text("MQTT") + b"\x05\x02\0\x3c" + b"\x02\x7e\x01" + mqtt.text("raw")
    ),
}


@pytest.fixture(scope="module")
def shared_broker(build, certs):
    """One broker for many bad clients: it has to live through them all."""
    broker = Broker(build, certs, make_directory()).start()
    yield broker
    broker.close()
    shutil.rmtree(broker.directory, ignore_errors=True)


@pytest.mark.parametrize("name", BAD_CONNECTS)
def test_a_malformed_connect_is_cut_off(shared_broker, name):
    result = raw(shared_broker, BAD_CONNECTS[name], wait_ms=8000)
    assert result.ready, result
    assert not result.timed_out, result
    assert mqtt.CONNACK_ACCEPTED not in result.data, result
    shared_broker.pub("-t", "x", "-m", "y", "-q", "1")


def test_a_client_that_says_nothing_is_cut_off(make_broker):
    broker = make_broker(plugin_opts={"connect_timeout": 1}).start()
    result = raw(broker, wait_ms=10000)
    assert result.ready and not result.timed_out, result
    result = raw(broker, flags=["--no-stream"], wait_ms=10000)
    assert result.ready and not result.timed_out, result


def test_half_a_connect_is_cut_off(make_broker):
    broker = make_broker(plugin_opts={"connect_timeout": 1}).start()
    result = raw(broker, mqtt.connect("half")[:10], wait_ms=10000)
    assert result.ready and not result.timed_out, result


def test_garbage_after_connect_is_cut_off(shared_broker):
    result = raw(shared_broker, mqtt.connect("rude"), b"\xff" * 100, pause_ms=200)
    assert result.data.startswith(mqtt.CONNACK_ACCEPTED), result
    assert not result.timed_out, result


def test_a_second_connect_is_cut_off(shared_broker):
    result = raw(shared_broker, mqtt.connect("twice"), mqtt.connect("twice"), pause_ms=200)
    assert not result.timed_out, result


def test_a_second_stream_that_comes_first_waits_for_the_other(shared_broker):
    second = mqtt.publish("x", b"from stream 4").hex()
    start = len(shared_broker.log())
    result = raw(
        shared_broker,
        mqtt.connect("early-bird"),
        mqtt.DISCONNECT,
        flags=[f"--second={second}"],
        pause_ms=1000,
        wait_ms=30000,
    )
    assert result.data == mqtt.CONNACK_ACCEPTED, result
    assert result.closed and result.closed["code"] == "0", result
    shared_broker.wait_log("Received PUBLISH from early-bird", start=start)


def test_an_oversize_connect_is_cut_off(shared_broker):
    head = b"\x10" + mqtt.remaining_length(5_000_000) + mqtt.connect()[2:]
    result = raw(shared_broker, head, flags=["--fill=5000000"], wait_ms=10000)
    assert not result.timed_out, result
    assert shared_broker.memory_kb() < 200_000


def test_an_oversize_publish_is_cut_off(make_broker):
    broker = make_broker(top=["max_packet_size 2000"]).start()
    head = b"\x30" + mqtt.remaining_length(1_000_000) + mqtt.text("t")
    result = raw(broker, mqtt.connect("fat") + head, flags=["--fill=900000"], wait_ms=10000)
    assert result.data.startswith(mqtt.CONNACK_ACCEPTED), result
    assert not result.timed_out, result


def test_a_publish_above_the_brokers_limit_is_refused_with_a_sentence(make_broker, workdir):
    broker = make_broker(top=["max_packet_size 2000"]).start()
    path = workdir / "fat"
    path.write_bytes(bytes(5000))
    done = broker.pub("-V", "mqttv5", "-t", "t", "-q", "1", "-f", path, check=False)
    assert done.returncode != 0, done
    assert "large" in done.stderr.lower(), done


@pytest.mark.parametrize("qos", [1, 2])
def test_a_message_the_broker_refuses_costs_nothing_but_itself(make_broker, qos):
    """With message_size_limit, Mosquitto refuses with a code that is not one for publishing."""
    broker = make_broker(top=["message_size_limit 100"]).start()
    client = SessionClient(broker)
    client.connect()
    assert client.publish("t", "x" * 200, qos)["reason"] == "149"
    assert client.publish("t", "small", qos)["reason"] in ("0", "16")
    client.disconnect()
    assert client.events("DISCONNECTED")[0]["status"] == "0"


@pytest.mark.parametrize("qos", ["1", "2"])
def test_mquic_pub_goes_on_after_a_message_that_is_refused(make_broker, workdir, qos):
    broker = make_broker(top=["message_size_limit 100"]).start()
    sub = broker.tcp_sub("-t", "t", "-C", 2)
    lines = workdir / "lines"
    lines.write_text("one\n" + "x" * 200 + "\ntwo\n")
    with lines.open() as stdin:
        done = broker.pub(
            "-V", "mqttv5", "-t", "t", "-q", qos, "-l", stdin=stdin, check=False
        )
    assert done.returncode == 1, done
    assert done.stderr.count("packet too large") == 1 and "again" not in done.stderr, done
    assert sub.wait() == 0
    assert sub.lines == ["one", "two"]


def test_a_packet_above_our_own_limit_is_not_taken(broker):
    client = SessionClient(broker, packet_maximum=1024)
    client.connect()
    client.subscribe("t", 0)
    broker.tcp_pub("-t", "t", "-m", "x" * 3000)
    broker.tcp_pub("-t", "t", "-m", "small")
    assert client.message()["payload"] == "small"


def test_garbage_datagrams_are_ignored(broker):
    client = SessionClient(broker)
    client.connect()
    client.subscribe("t", 1)
    sizes = [0, 1, 2, 5, 20, 21, 22, 64, 1199, 1200, 1201, 1472, 9000, 65000]
    datagrams.send(broker.port, [os.urandom(size) for size in sizes for _ in range(20)])
    datagrams.send(broker.port, [datagrams.short_header(size) for size in range(1, 200)])
    client.publish("t", "alive", qos=1)
    assert client.message()["payload"] == "alive"


def test_version_negotiation(broker):
    dcid, scid = os.urandom(12), os.urandom(5)
    answer = datagrams.ask(broker.port, datagrams.long_header(dcid=dcid, scid=scid), PATIENCE)
    # RFC 9000 17.2.1: version 0, and the connection identifiers the other way round.
    assert answer[0] & 0x80 and answer[1:5] == bytes(4)
    assert answer[5 : 6 + len(scid)] == bytes([len(scid)]) + scid
    versions = answer[7 + len(scid) + len(dcid) :]
    assert len(versions) % 4 == 0
    assert struct.pack("!I", 1) in [versions[i : i + 4] for i in range(0, len(versions), 4)]


def test_no_version_negotiation_for_small_datagrams(broker):
    # RFC 9000 5.2.2 and 14.1: else we would amplify.
    assert datagrams.ask(broker.port, datagrams.long_header(size=1199), 0.5) is None


def test_no_version_negotiation_answers_version_negotiation(broker):
    assert datagrams.ask(broker.port, datagrams.long_header(version=0), 0.5) is None


def test_long_connection_ids_of_unknown_versions_are_echoed(broker):
    # RFC 8999: other versions may have identifiers of up to 255 bytes.
    dcid, scid = os.urandom(255), os.urandom(200)
    answer = datagrams.ask(broker.port, datagrams.long_header(dcid=dcid, scid=scid), PATIENCE)
    assert answer is not None
    assert answer[5 : 6 + len(scid)] == bytes([len(scid)]) + scid


def test_answers_to_one_datagram_stay_within_three_times_its_size(broker, make_proxy):
    # RFC 9000 8.1: an Initial from an address that is not validated must not be amplified.
    proxy = make_proxy(broker)
    proxy.mute = True
    raw(broker, flags=["--no-stream"], port=proxy.port, wait_ms=300)
    initial = eventually(lambda: proxy.captured, what="the first datagram")[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.connect((broker.host, broker.port))
        sock.send(initial)
        received = 0
        try:
            while True:
                received += len(sock.recv(65536))
        except OSError:
            pass
    assert received <= 3 * len(initial)
