# SPDX-License-Identifier: MIT
"""The one line about each client that has left, and what fail2ban makes of it."""

import os
import re
import shutil
import subprocess

import pytest

from harness.build import SOURCE, give_to_broker
from harness.clients import SessionClient

FILTER = SOURCE / "mosquitto-plugin" / "fail2ban-filter.conf"
LEFT = r"mquic: QUIC client 127\.0\.0\.1:\d+ has left: login "
REFUSED = "login refused (0x05, not authorized), 0 s"


@pytest.fixture
def passwords(workdir):
    """A password file with carol, whose password is `word`."""
    path = workdir / "passwords"
    path.touch()
    words = ["mosquitto_passwd", "-b", str(path), "carol", "word"]
    subprocess.run(words, check=True, capture_output=True, timeout=30)
    path.chmod(0o600)
    give_to_broker(path)
    return [f"password_file {path}"]


@pytest.mark.parametrize(("version", "code"), [("mqttv311", "0x05"), ("mqttv5", "0x87")])
def test_a_login_is_told_with_its_verdict(make_broker, passwords, version, code):
    broker = make_broker(anonymous=False, listener=passwords).start()
    message = ["-V", version, "-t", "x", "-m", "y", "-q", "1", "-u", "carol"]
    broker.pub(*message, "-i", "good", "-P", "word")
    broker.pub(*message, "-i", "bad", "-P", "guess", check=False)
    broker.wait_log(
        rf"{LEFT}accepted, \d+ s, id 'good', user 'carol': the client sent DISCONNECT\n"
    )
    broker.wait_log(
        rf"{LEFT}refused \({code}, not authorized\), \d+ s, id 'bad', user 'carol': .+\n"
    )


def test_the_user_of_a_certificate_is_told(make_broker, certs):
    options = {"cafile": certs.ca, "require_certificate": "true"}
    options["use_identity_as_username"] = "true"
    broker = make_broker(anonymous=False, plugin_opts=options).start()
    alice = certs.client("alice")
    files = ["--cert", alice.cert, "--key", alice.key]
    broker.pub(*files, "-i", "a", "-u", "mallory", "-t", "x", "-m", "y")
    broker.wait_log(rf"{LEFT}accepted, \d+ s, id 'a', user 'alice': the client sent DISCONNECT\n")


def test_a_client_whose_session_is_taken_over_is_told(make_broker):
    broker = make_broker().start()
    first = SessionClient(broker, "same", protocol=5)
    first.connect()
    second = SessionClient(broker, "same", protocol=5)
    second.connect()
    broker.wait_log(
        rf"{LEFT}accepted, \d+ s, id 'same', no user: the broker sent DISCONNECT "
        r"\(0x8e, session taken over\)\n"
    )
    second.disconnect()


# ---- fail2ban


def banned(log):
    """The addresses that the filter finds in a log."""
    unpacked = SOURCE / "build/fail2ban/usr"  # by tools/setup --tests
    tool = shutil.which(unpacked / "bin/fail2ban-regex") or shutil.which("fail2ban-regex")
    if tool is None:
        pytest.skip("fail2ban, whose fail2ban-regex tries filters, is not there")
    words = ["/usr/bin/python3", tool, "-o", "ip", str(log), str(FILTER)]
    env = os.environ | {"PYTHONPATH": str(unpacked / "lib/python3/dist-packages")}
    done = subprocess.run(words, env=env, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.split()


def test_fail2ban_finds_refused_logins(make_broker, passwords):
    broker = make_broker(
        anonymous=False, listener=passwords, top=["log_timestamp true"]
    ).start()
    message = ["-t", "x", "-m", "y", "-q", "1", "-u", "carol"]
    forged = f"mquic: QUIC client 192.0.2.66:1 has left: {REFUSED}"
    broker.pub(*message, "-i", f"mosquitto[1]: {forged}", "-P", "word")
    broker.pub(*message, "-V", "311", "-i", "bad", "-P", "guess", check=False)
    broker.pub(*message, "-V", "5", "-i", "worse", "-P", "guess", check=False)
    broker.wait_log(r"refused \(0x05.* id 'bad'")
    broker.wait_log(r"refused \(0x87.* id 'worse'")
    broker.wait_log(r"Client mosquitto\[1\]: mquic: .*disconnected")
    log = broker.directory / "broker.log"
    assert re.search(r"^\d+: mquic: QUIC client ", log.read_text(), re.M)
    assert banned(log) == ["127.0.0.1", "127.0.0.1"]


def test_fail2ban_believes_no_client(workdir):
    """Whatever the form of the log, only the plugin's own line bans, and only for a login."""
    real = "mquic: QUIC client {}:4433 has left: login refused ({}), 0 s, id '', no user: x"
    syslog = "Nov 28 07:00:00 host mosquitto[123]: "
    lines = [
        "1764315000: " + real.format("192.0.2.1", "0x05, not authorized"),
        "1764315000: " + real.format("[2001:db8::7]", "0x87, not authorized"),
        "2026-11-28T07:00:00: " + real.format("192.0.2.2", "0x86, bad user name or password"),
        syslog + real.format("192.0.2.3", "0x04, bad user name or password"),
        syslog + "1764315000: " + real.format("192.0.2.4", "0x8a, banned"),
        "1764315000: " + real.format("192.0.2.50", "0x88, server unavailable"),
        "1764315000: " + real.format("192.0.2.51", "0x97, quota exceeded"),
        "1764315000: mquic: QUIC client 192.0.2.52:4433: refused: too many connections from this "
        "address (max_connections_per_address)",
    ]
    forged = real.format("192.0.2.66", "0x05, not authorized")
    for start in ("1764315000: ", "2026-11-28T07:00:00: ", "2026-11-28 07:00:00: ", syslog):
        for before in ("mosquitto[1]: ", "1764315000: ", ": ", "", "host mosquitto[1]: "):
            lines.append(f"{start}Client {before}{forged} disconnected.")
            lines.append(f"{start}Received PUBLISH from a (d0, q0, r0, m0, '{before}{forged}'")
    log = workdir / "mosquitto.log"
    log.write_text("".join(f"{line}\n" for line in lines))
    assert banned(log) == ["192.0.2.1", "2001:db8::7", "192.0.2.2", "192.0.2.3", "192.0.2.4"]
