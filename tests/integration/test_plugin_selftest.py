# SPDX-License-Identifier: MIT
"""
A plugin that does not see the logins on its own socket lets nobody in: a token would become
a user name. The broker itself goes on.
"""

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from harness.broker import RUNNING
from harness.build import broker_version, give_to_broker

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
    assert broker.connections() == []
    return match[0]


def plugin_lines(config):
    lines = config.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("plugin "))
    return lines[:start], lines[start:]


def test_a_good_configuration_passes_and_says_so(broker):
    log = broker.log()
    assert "mquic: ready for QUIC clients" in log
    assert re.search(RUNNING, log).start() < log.index("ready for QUIC")


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


def in_front_of(broker):
    """Moves the dynamic security plugin in front of ours."""
    config = broker.config

    def in_front():
        rest, plugin = plugin_lines(config())
        return "\n".join([*rest, *dynamic_security(broker), *plugin, ""])

    broker.config = in_front
    return broker


def test_another_plugin_in_front(make_broker):
    """It sees tokens and knows none, so its users would be refused: that is told, with the mend."""
    broker = in_front_of(make_broker(per_listener=False, anonymous=False)).launch()
    sentence = broker.wait_log(r"mquic: no QUIC client is served.*")[0]
    assert "dynamic security" in sentence and "00-mquic.conf" in sentence
    login = ["-V", "mqttv311", "-u", "admin", "-P", "secret"]
    broker.tcp_pub("-t", "x", "-m", "y", "-q", "1", *login)
    assert broker.pub("-t", "x", "-m", "y", *login, check=False, timeout=40).returncode != 0


def test_another_plugin_in_front_of_certificates(make_broker, certs):
    """Where names come from certificates nobody needs to be asked about them."""
    options = {
        "cafile": certs.ca,
        "require_certificate": "true",
        "use_identity_as_username": "true",
    }
    broker = in_front_of(make_broker(anonymous=False, plugin_opts=options)).start()
    alice = certs.client("alice")
    broker.pub("-t", "x", "-m", "y", "--cert", alice.cert, "--key", alice.key)
    broker.wait_log("as .*u'alice'")


def with_bystander(broker, build, workdir, in_front):
    """A plugin that does nothing, as a file that the broker may read, before or behind ours."""
    path = workdir / "bystander.so"
    shutil.copy(build.preload("bystander"), path)
    give_to_broker(path)
    config = broker.config

    def lines():
        rest, plugin = plugin_lines(config())
        pair = [[f"plugin {path}"], plugin]
        return "\n".join([*rest, *sum(pair if in_front else pair[::-1], []), ""])

    broker.config = lines
    return broker.start()


def test_a_bystander_in_front_is_told_of(make_broker, build, workdir):
    broker = with_bystander(make_broker(), build, workdir, in_front=True)
    warning = broker.wait_log(r"mquic: bystander\.so stands before this plugin.*")[0]
    assert "00-mquic.conf" in warning
    broker.pub("-t", "x", "-m", "y", "-q", "1")


@pytest.mark.parametrize("in_front", [False, True])
def test_with_a_bystander_no_broker_is_taken_for_open(make_broker, build, workdir, in_front):
    """It may pass on logins, which without us would refuse who has a name: nobody can tell."""
    broker = make_broker(per_listener=False)
    with_bystander(broker, build, workdir, in_front)
    assert ("stands before" in broker.log()) == in_front
    broker.pub("-t", "x", "-m", "y", "-q", "1")
    if broker_version() < (2, 1, 0):
        named = broker.pub("-t", "x", "-m", "y", "-u", "anybody", check=False)
        assert named.returncode != 0


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


def test_users_roles_and_lists_of_dynamic_security(make_broker):
    """As operators.md has it: one set of users for TCP and QUIC, made while the broker runs."""
    broker = make_broker(anonymous=False, per_listener=False)
    config = broker.config
    broker.config = lambda: config() + "\n".join([*dynamic_security(broker), ""])
    broker.start()
    admin = ["-h", broker.host, "-p", str(broker.tcp_port), "-u", "admin", "-P", "secret"]
    for words in (
        ["createClient", "lamp", "-p", "shade"],
        ["createRole", "lamps"],
        ["addRoleACL", "lamps", "publishClientSend", "lamps/#", "allow", "1"],
        ["addClientRole", "lamp", "lamps", "1"],
    ):
        argv = ["mosquitto_ctrl", *admin, "dynsec", *words]
        subprocess.run(argv, check=True, capture_output=True, timeout=60)
    lamp = ["-V", "5", "-u", "lamp", "-P", "shade", "-q", "1", "-m", "on"]
    broker.pub("-t", "lamps/1", *lamp)
    assert broker.pub("-t", "doors/1", *lamp, check=False).returncode != 0
    subprocess.run(
        ["mosquitto_ctrl", *admin, "dynsec", "disableClient", "lamp"],
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert broker.pub("-t", "lamps/1", *lamp, check=False).returncode != 0
