# SPDX-License-Identifier: MIT
"""The hand-off socket is for the plugin alone: whoever else gets to it is refused."""

import signal
import socket
import subprocess
from pathlib import Path

import pytest

from harness import mqtt
from harness.build import give_to_broker
from harness.clients import SessionClient
from harness.process import eventually

FORGED = "qt1!" + "0" * 32


def straight(broker, packet):
    """Sends a packet to the unix socket, and reads until the broker hangs up."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(broker.socket))
        sock.sendall(packet)
        data = b""
        while True:
            try:
                chunk = sock.recv(4096)
            except ConnectionResetError:
                chunk = b""
            if not chunk:
                return data
            data += chunk


def connect_as(user, password=None, level=4):
    payload = mqtt.text(user) + (mqtt.text(password) if password else b"")
    return mqtt.connect("intruder", level, flags=0xC2 if password else 0x82, payload=payload)


@pytest.fixture
def guarded(make_broker, workdir):
    passwords = workdir / "passwords"
    passwords.touch()
    subprocess.run(
        ["mosquitto_passwd", "-b", str(passwords), "carol", "word"],
        check=True,
        capture_output=True,
        timeout=30,
    )
    passwords.chmod(0o600)
    give_to_broker(passwords)
    return make_broker(anonymous=True, listener=[f"password_file {passwords}"]).start()


@pytest.mark.parametrize("level", [4, 5])
@pytest.mark.parametrize(
    "user, password",
    [
        (None, None),
        ("carol", "word"),
        ("alice", None),
        (FORGED + "0", None),
        (FORGED + "1carol", "word"),
        (FORGED[:-1], None),
        ("qt1!", None),
    ],
    ids=["nobody", "password", "name", "forged", "forged+password", "half", "prefix"],
)
def test_a_straight_connection_is_refused(guarded, level, user, password):
    packet = connect_as(user, password, level) if user else mqtt.connect("intruder", level)
    data = straight(guarded, packet)
    assert data[:1] == b"\x20" and data[3] != 0, data
    assert "as intruder" not in guarded.log()


def test_extended_authentication_is_no_way_around(guarded):
    method = b"\x15" + mqtt.text("SCRAM-SHA-256")
    head = mqtt.text("MQTT") + bytes([5, 0x02, 0, 60, len(method)]) + method
    data = straight(guarded, mqtt.packet(0x10, head + mqtt.text("intruder")))
    assert data[:1] != b"\x20" or data[3] != 0, data
    assert "as intruder" not in guarded.log()


def test_a_refused_intruder_does_not_disturb_clients(guarded):
    client = SessionClient(guarded, "guest")
    client.connect()
    for _ in range(20):
        straight(guarded, connect_as("carol", "word"))
    client.publish("x", "y", qos=2)
    assert client.events("DISCONNECTED") == []


def test_a_pointer_left_behind_lets_nobody_in(guarded):
    """The broker reuses the memory of clients: after many came and went, none is trusted."""
    for number in range(30):
        guarded.pub("-t", "x", "-m", "y", "-i", f"guest{number}", "-u", "carol", "-P", "word")
    for _ in range(30):
        data = straight(guarded, connect_as("carol", "word"))
        assert data[3] != 0, data


def test_the_reload_opens_no_gap(guarded):
    client = SessionClient(guarded, "guest")
    client.connect()
    for _ in range(100):
        guarded.signal(signal.SIGHUP)
        assert straight(guarded, connect_as("carol", "word"))[3] != 0
        assert straight(guarded, mqtt.connect("intruder"))[3] != 0
    assert "as intruder" not in guarded.log()
    client.publish("x", "y", qos=1)


def test_other_listeners_are_left_alone(guarded):
    guarded.tcp_pub("-t", "x", "-m", "y", "-q", "1")
    guarded.tcp_pub("-t", "x", "-m", "y", "-q", "1", "-u", "anybody", "-P", "anything")
    guarded.tcp_pub("-t", "x", "-m", "y", "-q", "1", "-u", FORGED + "1carol")


def test_the_socket_is_closed_to_other_users(guarded):
    assert guarded.socket.stat().st_mode & 0o007 == 0


def test_a_client_leaves_no_descriptor_behind(guarded):
    def descriptors():
        return len(list(Path(f"/proc/{guarded.pid}/fd").iterdir()))

    guarded.pub("-t", "x", "-m", "y", "-q", "1", "-u", "carol", "-P", "word")
    eventually(lambda: "disconnected" in guarded.log(), what="the end of the first client")
    before = descriptors()
    for _ in range(10):
        guarded.pub("-t", "x", "-m", "y", "-q", "1", "-u", "carol", "-P", "word")
    eventually(lambda: descriptors() <= before, what="as few descriptors as before")
