# SPDX-License-Identifier: MIT
"""
Clients that want to be a burden, one way each (tests/attack): good ones go on meanwhile, and others
are let in. How much slower they get, `tests/bench/bench attacks` measures.
"""

import json

import pytest

from harness.clients import exchange, many_clients
from harness.process import Process

# Enough that what is limited is over its limit, and little enough for a busy machine.
RATE = 2000
ATTACKS = [
    "blocked",
    "stream-blocked",
    "stream-frames",
    "ping",
    "credit",
    "challenge",
    "tiny-frames",
    "small-packets",
    "reset",
    "stream-open",
    "migration",
    "datagram",
    "initial",
    "stall",
    "slow-connect",
    "slow-reader",
]


@pytest.fixture(autouse=True)
def attacker(build):
    if not (build.directory / "build.ninja").exists():
        pytest.skip("the program that attacks is of the tests' own, and in no package")


class Attack:
    def __init__(self, broker, name):
        words = [name, broker.port, RATE, "here"]
        program = broker.build.directory / "tests" / "attack" / "attack"
        self._process = Process([program, *words], broker.build.environment(), stdin=True)
        broker.adopt(self._process)
        self._process.wait_line("ready")

    def __enter__(self):
        self._process.write("\n")
        return self

    def __exit__(self, *_):
        self._process.write("\n")
        assert self._process.wait() == 0, self._process.errors
        did = json.loads(self._process.lines[-1])
        assert did["acts"] > 0, did


def exchange_under(broker, name):
    with Attack(broker, name):
        done, sides = exchange(
            broker, qos=1, count=200, interval_ms=5, timeout_ms=100000, timeout=120
        )
    assert done.returncode == 0, (done, sides)
    assert many_clients(broker, count=5).returncode == 0


def test_these_are_all(build):
    done = build.run(build.directory / "tests" / "attack" / "attack", "list")
    names = [line.split("\t")[0] for line in done.stdout.splitlines()]
    assert sorted(names) == sorted(ATTACKS)


@pytest.mark.parametrize("name", ATTACKS)
def test_good_clients_go_on(broker, name):
    exchange_under(broker, name)


@pytest.mark.parametrize("name", ["blocked", "ping"])  # so many frames that any machine sends enough
def test_small_frames_are_told_of(broker, name):
    with Attack(broker, name):
        broker.wait_log(r"QUIC client \S+: sends packets with more small frames than can be of use")
