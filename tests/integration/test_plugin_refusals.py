# SPDX-License-Identifier: MIT
"""
What the broker refuses over TCP it refuses over QUIC, in the same words, and nothing else: no
setting of it keeps the plugin from serving, and what the plugin adds to CONNECT costs nobody.
"""

import contextlib
import socket

import pytest

from harness import mqtt
from harness.build import give_to_broker
from harness.clients import SessionClient, raw
from harness.process import eventually
from test_plugin_handoff import connect_as, straight
from test_plugin_login import passwords_of

ACCEPTED = b"\x20\x02\x00\x00"
DENY_ALL = "topic deny #\npattern deny #\n"


def over_tcp(broker, *chunks):
    """What comes back over TCP until the broker hangs up or has nothing to say for a while."""
    with socket.create_connection((broker.host, broker.tcp_port), timeout=20) as sock:
        for chunk in chunks:
            sock.sendall(chunk)
        with contextlib.suppress(OSError):  # it may have hung up already
            sock.shutdown(socket.SHUT_WR)
        data = b""
        try:
            while chunk := sock.recv(4096):
                data += chunk
        except ConnectionResetError:
            pass  # hung up with something unread
        return data


def over_quic(broker, packet):
    """The same over QUIC. The end of our stream makes the broker hang up if nothing else does."""
    chunks = [packet[at : at + 30000] for at in range(0, len(packet), 30000)]
    return raw(broker, *chunks, flags=["--finish"]).data


# ---- Settings that refuse the plugin's own test


def is_of_a_listener(line):
    """2.1 wants these below a listener where 2.0 puts up with them anywhere."""
    return line.split()[0] in ("allow_zero_length_clientid", "auto_id_prefix")


@pytest.mark.parametrize(
    "top",
    [
        ["clientid_prefixes ok-"],
        ["clientid_prefixes ok-", "max_packet_size 40"],
        ["max_packet_size 20"],
        ["max_packet_size 70"],
        ["max_packet_size 300"],
        ["max_packet_size 5000"],
        ["allow_zero_length_clientid false"],
        ["auto_id_prefix x-", "clientid_prefixes ok-"],
        ["max_keepalive 10"],
        ["message_size_limit 1"],
        ["connection_messages false"],
        ["log_type error", "log_type notice"],
        ["retain_available false", "max_inflight_messages 1", "max_queued_messages 1"],
    ],
    ids=lambda lines: "+".join(lines).replace(" ", "="),
)
@pytest.mark.parametrize("per_listener", [False, True])
def test_no_setting_keeps_quic_clients_out(make_broker, top, per_listener):
    of_listener = [line for line in top if is_of_a_listener(line) and per_listener]
    top = [line for line in top if line not in of_listener]
    broker = make_broker(top=top, listener=of_listener, per_listener=per_listener).start()
    assert over_quic(broker, mqtt.connect("ok-1", keep_alive=9)) == ACCEPTED


@pytest.mark.parametrize(
    "listener",
    [["max_connections 1"], ["max_qos 0"], ["mount_point m/"], ["max_topic_alias 0"]],
    ids=lambda lines: lines[0].replace(" ", "="),
)
def test_no_setting_of_the_listener_keeps_quic_clients_out(make_broker, listener):
    broker = make_broker(listener=listener).start()
    assert over_quic(broker, mqtt.connect("one")) == ACCEPTED


def test_an_access_list_that_denies_all_lets_clients_connect(make_broker, workdir):
    acl = workdir / "acl"
    acl.write_text(DENY_ALL)
    acl.chmod(0o600)
    give_to_broker(acl)
    broker = make_broker(top=[f"acl_file {acl}"], per_listener=False).start()
    assert over_quic(broker, mqtt.connect("one")) == ACCEPTED


@pytest.mark.parametrize("level", [3, 4, 5])
def test_identifiers_are_refused_as_over_tcp(make_broker, level):
    broker = make_broker(top=["clientid_prefixes ok-"]).start()
    for client_id in ("bad", "ok-1", "ok", "bad", "", "ok-2"):
        packet = mqtt.connect(client_id, level)
        assert over_quic(broker, packet) == over_tcp(broker, packet), client_id
    assert "New client connected from" in broker.log()


def test_before_the_first_login_nothing_but_connect_is_sent(make_broker):
    """With identifiers restricted the first client is the test; what it is in a hurry for waits."""
    broker = make_broker(top=["clientid_prefixes ok-"]).start()
    hurry = mqtt.connect("ok-1") + mqtt.publish("x", b"y") + mqtt.PINGREQ
    result = raw(broker, hurry + mqtt.DISCONNECT)
    assert result.data == ACCEPTED + mqtt.PINGRESP, result
    broker.wait_log("Received PUBLISH from ok-1")


def test_a_plugin_that_is_not_asked_is_found_out_by_the_first_client(make_broker):
    """Restricted identifiers hide from the plugin's test that it is under the wrong listener."""
    broker = make_broker(top=["clientid_prefixes ok-"], per_listener=True)
    config = broker.config

    def elsewhere():
        lines = config().splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("plugin "))
        at = next(i for i, line in enumerate(lines) if line.startswith("listener 0"))
        return "\n".join([*lines[:at], *lines[start:], *lines[at:start], ""])

    broker.config = elsewhere
    broker.start()
    result = raw(broker, mqtt.connect("ok-1") + mqtt.publish("x", b"y"))
    assert result.data == b"" and "plugin" in result.closed["text"], result
    broker.wait_log(r"no QUIC client is served.*logins on the hand-off socket do not come")
    assert "Received PUBLISH" not in broker.log()
    broker.tcp_pub("-i", "ok-2", "-t", "x", "-m", "y", "-q", "1")


# ---- The length of CONNECT


def connect_of(body_len, user=False):
    """CONNECT with that remaining length, filled up by the identifier, at least one letter."""
    payload = mqtt.text("u") if user else b""
    spare = body_len - 12 - len(payload)
    packet = mqtt.connect("i" * spare, flags=0x82 if user else 0x02, payload=payload)
    assert packet[1] == body_len or body_len > 127
    return packet


@pytest.mark.parametrize("limit", [20, 30, 37, 70, 90, 300, 5000])
def test_a_connect_of_the_longest_length_is_taken(make_broker, limit):
    """The broker counts what follows the length, and one byte."""
    broker = make_broker(top=[f"max_packet_size {limit}"]).start()
    for body_len in (limit - 1, limit - 2, limit - 10, limit - 24, limit - 25):
        if body_len > 12:
            assert over_quic(broker, connect_of(body_len)) == ACCEPTED, body_len
    too_long = raw(broker, connect_of(limit))
    assert too_long.data == b"" == over_tcp(broker, connect_of(limit))
    assert "max_packet_size" in too_long.closed["text"], too_long


def test_a_short_connect_of_mqtt_5_below_a_small_limit(make_broker):
    """The broker then tells its limit in CONNACK, and a longer packet in DISCONNECT."""
    broker = make_broker(top=["max_packet_size 30"]).start()
    connect = mqtt.connect("test", 5, keep_alive=10)
    accepted = over_tcp(broker, connect)
    assert b"\x27\x00\x00\x00\x1e" in accepted
    assert over_quic(broker, connect) == accepted
    too_long = mqtt.packet(0x30, mqtt.text("test/topic") + b"\0" + b"0123456789" * 3)
    assert over_quic(broker, connect + too_long) == over_tcp(broker, connect + too_long)
    assert b"\xe0\x01\x95" in over_quic(broker, connect + too_long)


def test_the_longest_connect_of_all(broker):
    props = b"\x26" + mqtt.text("k") + mqtt.text("v" * 49000)
    props = mqtt.remaining_length(2 * len(props)) + 2 * props
    head = mqtt.text("MQTT") + b"\x05\x02\x00\x3c" + props
    spare = 100000 - len(head) - 2
    for more, good in ((0, True), (1, False)):
        packet = mqtt.packet(0x10, head + mqtt.text("i" * (spare + more)))
        quic = over_quic(broker, packet)
        assert (quic[:1] == b"\x20" and quic[3] == 0) == good
        assert quic[:4] == over_tcp(broker, packet)[:4]


def test_password_clients_without_room_for_a_token(make_broker, workdir):
    listener = [f"password_file {passwords_of(workdir, 'u')}"]
    top = ["max_packet_size 30"]
    broker = make_broker(anonymous=False, listener=listener, top=top).start()

    def login(name, password, client_id="p"):
        payload = mqtt.text(name) + mqtt.text(password)
        return over_quic(broker, mqtt.connect(client_id, flags=0xC2, payload=payload))

    assert login("u", "word") == ACCEPTED
    assert login("u", "drow") == b"\x20\x02\x00\x05"
    assert login("v", "word") == b"\x20\x02\x00\x05"
    assert over_quic(broker, mqtt.connect("p")) == b"\x20\x02\x00\x05"
    broker.wait_log(r"-> client id 'p', user 'u'\n")
    # Those who come straight to the socket stay outside, whatever they know.
    for packet in (connect_as("u", "word"), mqtt.connect("p")):
        for _ in range(20):
            assert straight(broker, packet)[:4] != ACCEPTED
    assert login("u", "word") == ACCEPTED


def test_certificates_without_room_for_a_token(make_broker, certs):
    options = {
        "cafile": certs.ca,
        "require_certificate": "true",
        "use_identity_as_username": "true",
    }
    top = ["max_packet_size 40"]
    broker = make_broker(anonymous=False, plugin_opts=options, top=top).start()
    identity = certs.client("alice")
    client = SessionClient(
        broker, "phone", username="mallory", settings={"cert": identity.cert, "key": identity.key}
    )
    client.connect()
    broker.wait_log(r"as phone .*u'alice'")
    broker.sighup()
    client.publish("x", "y", qos=1)
    assert client.events("DISCONNECTED") == []


def test_many_clients_at_once_without_room_for_a_token(make_broker):
    broker = make_broker(top=["max_packet_size 40"]).start()
    clients = [SessionClient(broker, f"many{i}", protocol=4) for i in range(20)]
    for client in clients:
        client.do("connect")
    for client in clients:
        client.event("CONNECTED")
    for _ in range(5):
        assert straight(broker, mqtt.connect("many0"))[:4] != ACCEPTED
    for i in range(20):
        broker.wait_log(f"-> client id 'many{i}', no user name")


# ---- use_username_as_clientid


def test_the_user_name_may_be_the_identifier(make_broker, workdir):
    listener = ["use_username_as_clientid true", f"password_file {passwords_of(workdir, 'carol')}"]
    broker = make_broker(anonymous=False, listener=listener).start()
    broker.pub("-t", "x", "-m", "y", "-q", "1", "-i", "phone", "-u", "carol", "-P", "word")
    broker.wait_log(r"New client connected from .* as carol \(.*u'carol'\)")
    assert over_quic(broker, mqtt.connect("phone")) == b"\x20\x02\x00\x05"
    assert straight(broker, connect_as("carol", "word"))[:4] != ACCEPTED


def test_the_common_name_may_be_the_identifier(make_broker, certs):
    options = {
        "cafile": certs.ca,
        "require_certificate": "true",
        "use_identity_as_username": "true",
    }
    listener = ["use_username_as_clientid true"]
    broker = make_broker(anonymous=False, plugin_opts=options, listener=listener).start()
    identity = certs.client("alice")
    for user in ([], ["-u", "mallory", "-P", "x"]):
        known = ["--cert", identity.cert, "--key", identity.key]
        broker.pub("-t", "x", "-m", "y", "-q", "1", "-i", "phone", *known, *user)
    broker.wait_log(r"New client connected from .* as alice \(.*u'alice'\)")
    assert "as mallory" not in broker.log() and "as phone" not in broker.log()


# ---- The same answers


def with_level(level, name="MQTT", first=0x10):
    body = mqtt.text(name) + bytes([level, 2, 0, 10]) + mqtt.text("p")
    return mqtt.packet(first, body + (b"\0" if level == 5 else b""))


def surplus(level):
    packet = mqtt.connect("p", level)
    return bytes([packet[0], packet[1] + 1]) + packet[2:] + b"\0"


ODD = {
    "level 6": with_level(6),
    "level 2": with_level(2),
    "level 0": with_level(0),
    "level 127": with_level(127),
    "MQIsdp 4": with_level(4, "MQIsdp"),
    "MQTT 3": with_level(3),
    "another name": with_level(4, "MQTQ"),
    "a name of another length": with_level(4, "MQTTT"),
    "3.1 with stray bits": with_level(3, "MQIsdp", 0x14),
    "3.1 with all bits": with_level(3, "MQIsdp", 0x1F),
    "3.1.1 with stray bits": with_level(4, first=0x12),
    "5 with stray bits": mqtt.connect("p", 5).replace(b"\x10", b"\x11", 1),
    "3.1.1 as a bridge": with_level(0x84),
    "reserved flag": mqtt.connect("p", flags=0x03),
    "3.1 with the reserved flag": mqtt.connect("p", 3, flags=0x03),
    "will of QoS 3": mqtt.connect("p", flags=0x1E, payload=mqtt.text("t") + mqtt.text("m")),
    "will to a wildcard": mqtt.connect("p", flags=0x06, payload=mqtt.text("#") + mqtt.text("m")),
    "QoS of no will": mqtt.connect("p", flags=0x0A),
    "surplus": surplus(4),
    "surplus in 5": surplus(5),
    "surplus in 3.1": surplus(3),
    "no identifier": mqtt.packet(0x10, mqtt.text("MQTT") + b"\x04\x02\x00\x0a"),
    "empty identifier, no clean session": mqtt.connect("", flags=0),
    "empty identifier": mqtt.connect("", 3),
    "ill-formed identifier": mqtt.connect(b"\xff\xfe"),
    "ill-formed identifier in 5": mqtt.connect(b"\xff\xfe", 5),
    "empty": mqtt.packet(0x10, b""),
    "name alone": mqtt.packet(0x10, mqtt.text("MQTT")),
    "name and level 9 alone": mqtt.packet(0x10, mqtt.text("MQTT") + b"\x09"),
    "password alone, 3.1": mqtt.connect("p", 3, flags=0x42, payload=mqtt.text("pw")),
    "password alone, 3.1.1": mqtt.connect("p", 4, flags=0x42, payload=mqtt.text("pw")),
    "password alone, 5": mqtt.connect("p", 5, flags=0x42, payload=mqtt.text("pw")),
    "a user name that is missing, 3.1": mqtt.connect("p", 3, flags=0x82),
    "a user name that is missing, 3.1.1": mqtt.connect("p", 4, flags=0x82),
    "property of another packet": mqtt.packet(
        0x10, mqtt.text("MQTT") + b"\x05\x02\x00\x0a\x02\x24\x01" + mqtt.text("p")
    ),
    "property twice": mqtt.packet(
        0x10, mqtt.text("MQTT") + b"\x05\x02\x00\x0a\x06\x21\x00\x05\x21\x00\x05" + mqtt.text("p")
    ),
    "half a property": mqtt.packet(
        0x10, mqtt.text("MQTT") + b"\x05\x02\x00\x0a\x02\x21\x00" + mqtt.text("p")
    ),
    "receive maximum of 0": mqtt.packet(
        0x10, mqtt.text("MQTT") + b"\x05\x02\x00\x0a\x03\x21\x00\x00" + mqtt.text("p")
    ),
    "publish": mqtt.publish("t", b"m"),
    "ping": mqtt.PINGREQ,
    "HTTP": b"GET / HTTP/1.1\r\n\r\n",
    "TLS": bytes.fromhex("160301020001000030"),
    "CONNECT twice": mqtt.connect("p") * 2,
    "CONNECT, then a bad packet": mqtt.connect("p") + b"\x00\x00",
}


@pytest.fixture(scope="module")
def shared_broker(build, certs):
    from harness.broker import Broker
    from harness.build import make_directory

    broker = Broker(build, certs, make_directory()).start()
    yield broker
    broker.close()


@pytest.mark.parametrize("what", ODD)
def test_the_broker_answers_as_over_tcp(shared_broker, what):
    assert over_quic(shared_broker, ODD[what]) == over_tcp(shared_broker, ODD[what])


@pytest.mark.parametrize(
    "what", ["surplus", "another name", "password alone, 3.1", "3.1.1 with stray bits"]
)
def test_a_connect_that_is_dropped_is_not_called_overload(shared_broker, what):
    closed = raw(shared_broker, ODD[what]).closed
    assert closed["code"] == "0" and "CONNECT" in closed["text"], closed


def test_a_full_listener_is_called_overload(make_broker):
    broker = make_broker(listener=["max_connections 1"]).start()
    SessionClient(broker, "first").connect()
    eventually(lambda: broker.connections() == ["first"])
    closed = raw(broker, mqtt.connect("second")).closed
    assert closed["code"] == "2" and "max_connections" in closed["text"], closed
