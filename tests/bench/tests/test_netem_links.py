# SPDX-License-Identifier: MIT
"""The network that netem shapes, without netem: made for real where we may make namespaces."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest
from lab import links, netem
from lab.errors import BenchError
from lab.network import MTU, ip

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("tc"),
    reason="needs root, ip and tc",
)

BYTES = 500_000
SEND = ("import socket, sys; s = socket.create_connection((sys.argv[1], 7000), 5); "
        f"s.sendall(bytes({BYTES})); s.close()")
RECEIVE = ("import socket, sys; s = socket.create_server(('', 7000)); print('ready', flush=True); "
           "c = s.accept()[0]\nn = 0\nwhile True:\n  part = c.recv(65536)\n  n += len(part)\n"
           "  if not part: break\nprint(n, c.getpeername()[0])")


@pytest.fixture
def network(monkeypatch):
    """The dumbbell with a plain queue, which counts, in netem's place."""
    def counted(self, _seed, _parameters):
        return [f"qdisc add dev {device} root pfifo limit 1000" for device, _ in self._ends()]

    monkeypatch.setattr(netem.NetemNetwork, "qdisc_commands", counted)
    place = f"mqbench-{os.getpid()}-try-0"
    try:
        ip("netns", "add", place)
        ip("-n", place, "link", "add", "name", "br", "type", "bridge")
        ip("-n", place, "link", "add", "name", "a", "type", "veth", "peer", "name", "b")
    except BenchError as error:
        pytest.skip(f"no namespaces, bridges or veth here: {error}")
    finally:
        ip("netns", "delete", place, check=False)
    with netem.NetemNetwork("t", links.dumbbell(6), False) as made:
        made.prepare(1, links.parameters("wifi", "home"))
        yield made


def counters(network):
    out = subprocess.run(["tc", "-n", network.namespace("net"), "-s", "-j", "qdisc", "show"],
                         capture_output=True, text=True, check=True).stdout
    return {row["dev"]: row for row in json.loads(out) if row["kind"] == "pfifo"}


def transfer(network, host):
    receiver = subprocess.Popen([*network.inside("h9"), sys.executable, "-c", RECEIVE],
                                stdout=subprocess.PIPE, text=True)
    assert receiver.stdout.readline() == "ready\n"
    subprocess.run([*network.inside(host), sys.executable, "-c", SEND, network.address("h9")],
                   check=True, timeout=20)
    return receiver.communicate(timeout=20)[0].split()


def test_every_side_of_the_dumbbell_reaches_the_broker_in_packets_of_one_segment(network):
    for host in ("h00", "h10"):
        assert transfer(network, host) == [str(BYTES), network.address(host)]
    time.sleep(0.1)
    # s0-s9, s1-s9, s9-h9, then the hosts: both ways through three links, each packet counted.
    seen = counters(network)
    assert len(seen) == 2 * 9
    for device in ("l0a", "l1a", "l2a", "l3b", "l8b"):
        other = device[:-1] + ("b" if device[-1] == "a" else "a")
        sender = max((seen[device], seen[other]), key=lambda row: row["bytes"])
        assert sender["packets"] >= BYTES / MTU
        assert sender["bytes"] / sender["packets"] <= MTU + 14


def test_a_host_that_moves_is_reached_at_its_new_address(network):
    network.move("h00")
    assert network.address("h00") == "10.77.100.2"
    assert transfer(network, "h00") == [str(BYTES), "10.77.100.2"]


def test_nothing_is_left(network):
    network.__exit__()
    assert f"-{os.getpid()}-t-" not in ip("netns", "list")
