# SPDX-License-Identifier: MIT
"""
A plugin that does not see the logins on its own socket lets nobody in: a token would become
a user name. The broker itself goes on.
"""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from harness.build import give_to_broker

DYNAMIC_SECURITY = [
    Path("/usr/lib") / os.uname().machine.replace("arm64", "aarch64") / "mosquitto",
    *Path("/usr/lib").glob("*-linux-gnu*"),
]


def not_served(broker):
    """Starts it, returns the sentence, and makes sure that TCP works and QUIC does not."""
    broker.launch()
    match = broker.wait_log(r"mquic: no QUIC client is served.*")
    broker.tcp_pub("-t", "x", "-m", "y", "-q", "1")
    done = broker.pub("-t", "x", "-m", "y", check=False, timeout=40)
    assert done.returncode != 0
    assert "New client connected" in broker.log()
    assert set(broker.connections()) <= {"mquic-self-test"}
    return match[0]


def plugin_lines(config):
    lines = config.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("plugin "))
    return lines[:start], lines[start:]


def test_a_good_configuration_passes_and_says_so(broker):
    log = broker.log()
    assert "mquic: ready for QUIC clients" in log
    assert log.index(" running") < log.index("ready for QUIC")


def test_a_socket_nobody_listens_on(make_broker):
    broker = make_broker()
    broker._opts["handoff"] = f"{broker.socket}-wrong"
    sentence = not_served(broker)
    assert f"{broker.socket}-wrong" in sentence
    assert "listener 0" in sentence


def test_a_plugin_under_another_listener(make_broker):
    broker = make_broker(per_listener=True)
    config = broker.config

    def elsewhere():
        rest, plugin = plugin_lines(config())
        at = next(i for i, line in enumerate(rest) if line.startswith("listener 0"))
        return "\n".join([*rest[:at], *plugin, *rest[at:], ""])

    broker.config = elsewhere
    assert '"plugin" line under that listener' in not_served(broker)


def test_the_socket_of_another_broker(make_broker):
    other = make_broker().start()
    broker = make_broker()
    broker._opts["handoff"] = other.socket
    config = broker.config
    broker.config = lambda: config().replace(f"listener 0 {broker.socket}", "")
    assert "another process listens" in not_served(broker)


def test_the_socket_of_another_program(make_broker):
    broker = make_broker()
    with socket.socket(socket.AF_UNIX) as other:
        path = f"{broker.socket}-other"
        other.bind(path)
        os.chmod(path, 0o777)
        other.listen()
        broker._opts["handoff"] = path
        assert "another process listens" in not_served(broker)


def dynamic_security(broker):
    """Lines that load the dynamic security plugin, with the user admin."""
    found = [
        path
        for folder in DYNAMIC_SECURITY
        for path in folder.rglob("mosquitto_dynamic_security.so")
    ]
    if not found:
        pytest.skip("this Mosquitto has no dynamic security plugin")
    path = broker.directory / "dynamic-security.json"
    subprocess.run(
        ["mosquitto_ctrl", "dynsec", "init", str(path), "admin", "secret"],
        check=True,
        capture_output=True,
        timeout=30,
    )
    give_to_broker(path)
    return [f"plugin {found[0]}", f"plugin_opt_config_file {path}"]


def test_another_plugin_in_front(make_broker):
    """It sees tokens and knows none, so its users do not get in; but nobody else does."""
    broker = make_broker(anonymous=False)
    config = broker.config

    def in_front():
        rest, plugin = plugin_lines(config())
        return "\n".join([*rest, *dynamic_security(broker), *plugin, ""])

    broker.config = in_front
    broker.start()
    login = ["-V", "mqttv311", "-u", "admin", "-P", "secret"]
    assert broker.pub("-t", "x", "-m", "y", "-q", "1", *login, check=False).returncode != 0
    assert "as admin" not in broker.log()


def test_another_plugin_behind(make_broker):
    broker = make_broker(anonymous=False)
    config = broker.config
    broker.config = lambda: config() + "\n".join([*dynamic_security(broker), ""])
    broker.start()
    login = ["-V", "mqttv311", "-u", "admin", "-P"]
    broker.pub("-t", "x", "-m", "y", "-q", "1", *login, "secret")
    assert broker.pub("-t", "x", "-m", "y", *login, "wrong", check=False).returncode != 0
    assert broker.pub("-t", "x", "-m", "y", check=False).returncode != 0
    broker.wait_log(r"u'admin'")
