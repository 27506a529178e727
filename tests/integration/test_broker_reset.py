# SPDX-License-Identifier: MIT
"""Stateless reset: a broker tells clients of before a restart, and cuts nobody else's."""

import os
import shlex
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from harness.build import is_root
from harness.clients import SessionClient
from harness.process import eventually

# Long before any time-out of the client below.
AT_ONCE = 20


def patient_client(broker, port=None):
    """Only a reset can end its connection within the time of a test."""
    client = SessionClient(
        broker, "patient", port=port, settings={"idle_timeout_ms": 600000}, keep_alive=0
    )
    client.connect()
    return client


def key_of(broker):
    return broker.directory / "reset.key"


def crash(broker):
    """As when the power fails: nobody has the time to say a word."""
    broker.expect_failure = True
    worker = broker.worker_pid()
    broker.signal(signal.SIGSTOP)
    os.kill(worker, signal.SIGKILL)
    broker.signal(signal.SIGKILL)
    broker.stop()
    broker.start()
    broker.expect_failure = False


def told_of_the_crash(client):
    # Something else of the client's, such as a late acknowledgement, may have been answered first.
    client.command("publish", "x", 0, 0, "y")
    return "stateless reset" in client.event("DISCONNECTED", timeout=AT_ONCE)["text"]


def test_clients_of_before_a_crash_are_told_at_once(broker):
    client = patient_client(broker)
    key = key_of(broker).read_text()
    assert stat.S_IMODE(key_of(broker).stat().st_mode) == 0o600
    crash(broker)
    assert told_of_the_crash(client)
    assert key_of(broker).read_text() == key


def test_a_reload_leaves_the_key_as_it_is(make_broker):
    # With the sandbox nothing is written after the start.
    broker = make_broker(plugin_opts={"sandbox": "false"}).start()
    client = patient_client(broker)
    key = key_of(broker).read_text()
    broker.sighup()
    broker.wait_log("were read again")
    assert key_of(broker).read_text() == key
    # Should the file get lost, a reload writes it again.
    key_of(broker).unlink()
    broker.sighup()
    eventually(lambda: key_of(broker).exists() and key_of(broker).read_text() == key, what="the key")
    crash(broker)
    assert told_of_the_crash(client)


def test_a_key_that_anybody_can_read_is_complained_of(broker):
    complaint = f"any user of this machine can get at the reset key file {key_of(broker)}"
    fix = f"chmod o= {key_of(broker)}"
    broker.sighup()
    broker.wait_log("were read again")
    assert complaint not in broker.log()
    key_of(broker).chmod(0o644)
    mark = len(broker.log())
    broker.sighup()
    broker.wait_log("were read again", start=mark)
    assert broker.log()[mark:].count(complaint) == 1
    assert fix in broker.log()[mark:]
    mark = len(broker.log())
    broker.restart()
    assert broker.log()[mark:].count(complaint) == 1
    # What it says is what helps.
    subprocess.run(shlex.split(fix), check=True)
    mark = len(broker.log())
    broker.sighup()
    broker.wait_log("were read again", start=mark)
    assert complaint not in broker.log()[mark:]


def test_another_broker_with_the_same_certificate_cuts_nobody(make_broker, make_proxy):
    ours, other = make_broker().start(), make_broker().start()
    assert ours.identity.key == other.identity.key
    proxy = make_proxy(ours)
    client = patient_client(ours, proxy.port)
    proxy.retarget(other.port)
    before = proxy.answered
    # It answers packets that mean nothing to it; the client sees that come from its server.
    while proxy.answered < before + 3:
        client.publish("x", "y")
    proxy.retarget(ours.port)
    client.publish("x", "still here", qos=1)
    assert client.events("DISCONNECTED") == []


@pytest.mark.parametrize("content", ["", "secret", "00" * 31], ids=["empty", "words", "short"])
def test_a_key_file_that_is_none_stops_the_broker(make_broker, content):
    broker = make_broker()
    key_of(broker).write_text(content)
    key_of(broker).chmod(0o644)
    _, log = broker.refuse()
    assert "reset.key does not have 64 hexadecimal digits" in log, log
    assert "mquic: plugin_opt_reset_key_file: the reset key file" in log, log
    assert key_of(broker).read_text() == content


@pytest.mark.xdist_group("the usual place of the reset key")
def test_a_key_of_another_user_in_the_usual_place_is_no_obstacle(make_broker):
    if not is_root():
        pytest.skip("needs root, to have a file there that the broker's user may not read")
    usual = Path("/var/lib/mosquitto/mquic-reset.key")
    ours = not usual.exists()
    if not ours and usual.stat().st_uid != 0:
        pytest.skip(f"{usual} is in use by a broker of this machine")
    usual.parent.mkdir(exist_ok=True)
    if ours:
        usual.write_text("00" * 32)
        usual.chmod(0o600)
    try:
        broker = make_broker(plugin_opts={"reset_key_file": None}).start()
    finally:
        if ours:
            usual.unlink()
    assert broker.log().count(f"the broker's user may not read {usual}") == 1
    assert "plugin_opt_reset_key_file" in broker.log()


def test_a_key_that_cannot_be_kept_costs_a_line_in_the_log(make_broker):
    broker = make_broker(plugin_opts={"reset_key_file": "/nowhere/reset.key"}).start()
    assert broker.log().count("mquic: the reset key file /nowhere/reset.key cannot be made") == 1
    assert "after a restart clients will not be told" in broker.log()
    client = SessionClient(broker, "anyone")
    client.connect()
    client.publish("x", "y", qos=1)
