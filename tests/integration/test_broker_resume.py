# SPDX-License-Identifier: MIT
"""Clients that come back to a real broker go on from their last handshake, or do not."""

import os
import re
import signal
import stat

import pytest

from harness.process import eventually


class Visitor:
    """mquic-pub with a ticket file, one connection after the other."""

    def __init__(self, broker, workdir, *words):
        self.broker = broker
        self.file = workdir / "tickets"
        self._words = ("-t", "x", "-m", "y", "-q", "1", "-d", "--ticket-file", self.file, *words)

    def come(self):
        """How the handshake went: full or resumed."""
        output = self.broker.pub(*self._words)
        text = output.stdout + output.stderr
        return re.search(r"QUIC handshake \S+ ms, (full|resumed),", text)[1]

    def come_back(self):
        """Resumes, at the next visit if a ticket was lost on the way."""
        eventually(lambda: self.come() == "resumed", what="a resumed handshake")


@pytest.fixture
def visit(workdir):
    return lambda broker, *words: Visitor(broker, workdir, *words)


def test_a_client_comes_back_with_its_file(make_broker, visit):
    broker = make_broker(plugin_opts={"sys_interval": 1}).start()
    counted = broker.tcp_sub("-t", "$SYS/broker/mquic/handshakes/resumed")
    visitor = visit(broker)
    assert visitor.come() == "full"
    assert stat.S_IMODE(visitor.file.stat().st_mode) == 0o600
    visitor.come_back()
    visitor.come_back()
    eventually(lambda: any(int(line) >= 2 for line in list(counted.lines)), what="the count")


def test_workers_know_what_others_gave(make_broker, visit):
    """Which of them gets a client is chance: of ten visits each gets some."""
    broker = make_broker(plugin_opts={"workers": 2}).start()
    visitor = visit(broker)
    visitor.come()
    kinds = [visitor.come() for _ in range(10)]
    assert kinds.count("resumed") >= 9, kinds
    mark = len(broker.log())
    os.kill(broker.worker_pid(), signal.SIGKILL)
    broker.wait_log("started again", start=mark)
    eventually(lambda: len(broker.worker_pids()) == 2, what="two workers")
    visitor.come_back()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_key_file_outlives_the_broker(make_broker, visit, workers):
    broker = make_broker(plugin_opts={"workers": workers})
    broker.set_option("ticket_key_file", broker.directory / "ticket.key")
    broker.start()
    visitor = visit(broker)
    visitor.come()
    visitor.come_back()
    key = broker.directory / "ticket.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    broker.restart()
    visitor.come_back()
    # Another key, in its place at once: what they have come back with is worth nothing then.
    new = key.with_suffix(".new")
    new.write_text("0123456789abcdef" * 4 + "\n")
    os.chown(new, key.stat().st_uid, key.stat().st_gid)
    new.chmod(0o600)
    new.replace(key)
    broker.sighup()
    assert visitor.come() == "full"
    visitor.come_back()


def test_without_a_key_file_a_restart_is_a_new_beginning(make_broker, visit):
    broker = make_broker().start()
    visitor = visit(broker)
    visitor.come()
    visitor.come_back()
    broker.restart()
    assert visitor.come() == "full"
    visitor.come_back()


def test_who_shows_a_certificate_shows_it_each_time(make_broker, visit, certs):
    options = {"cafile": certs.ca, "require_certificate": "true"}
    broker = make_broker(plugin_opts=options).start()
    alice = certs.client("alice")
    visitor = visit(broker, "--cert", alice.cert, "--key", alice.key)
    assert [visitor.come() for _ in range(3)] == ["full"] * 3


def test_an_operator_can_turn_it_off(make_broker, visit):
    broker = make_broker(plugin_opts={"resumption": "false"}).start()
    visitor = visit(broker)
    assert [visitor.come() for _ in range(3)] == ["full"] * 3


def test_a_file_that_is_no_ticket_file_is_named(broker, workdir):
    path = workdir / "tickets"
    path.write_text("precious\n")
    path.chmod(0o600)
    done = broker.pub("-t", "x", "-m", "y", "--ticket-file", path)
    assert "is no ticket file" in done.stderr
    assert path.read_text() == "precious\n"
