# SPDX-License-Identifier: MIT
"""A worker that dies while it starts, at each step of that: the broker waits for none of it."""

import contextlib
import os
import re
import signal
import socket
import time

import pytest

from harness import datagrams, mqtt
from harness.clients import SessionClient
from harness.process import eventually
from harness.workers import install_python, install_real

GREET = "channel.send(GREETING)\n"

# It reads so many packets, with the descriptors in them, or all that come, and dies.
READ = """
def read(count):
    channel.settimeout(0.5)
    for _ in range(count):
        try:
            packet, fds, _, _ = socket.recv_fds(channel, 100000, 1)
        except TimeoutError:
            return
        if not packet: raise SystemExit(3)
"""

STAGES = {
    "before-it-greets": "die()\n",
    "after-its-greeting": GREET + "die()\n",
    "amid-options": READ + GREET + "read(3)\ndie()\n",
    "with-the-socket": READ + GREET + "read(9)\ndie()\n",
    "with-all-it-needs": READ + GREET + "read(1000)\ndie()\n",
    "with-half-a-message": GREET + "channel.send(b'\\0' * 11)\ntime.sleep(600)\n",
    "with-its-channel-closed": GREET + "channel.close()\ntime.sleep(600)\n",
    "as-another-program": "time.sleep(0.2)\nraise SystemExit(0)\n",
}


class Watcher:
    """A TCP client that asks for an answer again and again."""

    def __init__(self, broker):
        self.sock = socket.create_connection((broker.host, broker.tcp_port), 60)
        self.sock.sendall(mqtt.connect("watcher", keep_alive=0))
        assert self._read(4) == mqtt.CONNACK_ACCEPTED

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def _read(self, size):
        data = b""
        while len(data) < size:
            more = self.sock.recv(size - len(data))
            assert more, "the broker has hung up"
            data += more
        return data

    def ask(self):
        started = time.monotonic()
        self.sock.sendall(mqtt.PINGREQ)
        assert self._read(2) == mqtt.PINGRESP
        # However busy the machine is: the broker waits for no worker, and 30 s is the first's.
        assert time.monotonic() - started < 10

    def ask_until(self, condition, what):
        def holds():
            self.ask()
            return condition()

        eventually(holds, what=what)


def ends(log):
    return len(re.findall(r"worker 1 .* started again in", log))


@pytest.mark.parametrize("stage", STAGES)
def test_a_worker_that_dies_while_it_starts(make_broker, build, workdir, stage):
    program = install_real(workdir / "worker", build)
    broker = make_broker(plugin_opts={"worker": program}).start()
    mark = len(broker.log())
    with Watcher(broker) as watcher:
        install_python(program, STAGES[stage])
        os.kill(broker.worker_pid(), signal.SIGKILL)
        watcher.ask_until(lambda: ends(broker.log()[mark:]) >= 3, "three ends")
        install_real(program, build)
        watcher.ask_until(lambda: datagrams.answers_quic(broker.port), "a worker that answers")
    client = SessionClient(broker, "late")
    client.connect()
    client.publish("x", "y", qos=1)


def test_a_worker_that_never_gets_ready_is_ended(make_broker, build, workdir):
    """It greets and says nothing more; the broker goes on until somebody ends it."""
    program = install_real(workdir / "worker", build)
    broker = make_broker(plugin_opts={"worker": program}).start()
    install_python(program, GREET + "time.sleep(600)\n")
    first = broker.worker_pid()
    os.kill(first, signal.SIGKILL)
    with Watcher(broker) as watcher:
        watcher.ask_until(lambda: broker.worker_pids() not in ([], [first]), "another one")
        for _ in range(20):
            watcher.ask()
            broker.signal(signal.SIGHUP)
    mark = len(broker.log())
    install_real(program, build)
    os.kill(broker.worker_pid(), signal.SIGKILL)
    broker.wait_log(r"worker 1 was ended by signal 9 .* started again in", start=mark)
    eventually(lambda: datagrams.answers_quic(broker.port), what="a worker that answers")


def test_workers_die_while_they_read_certificates_again(make_broker):
    broker = make_broker(plugin_opts={"workers": 2}).start()
    with Watcher(broker) as watcher:
        for turn in range(6):
            broker.signal(signal.SIGHUP)
            pids = broker.worker_pids()
            # One that has ended may be gone by now.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pids[turn % len(pids)], signal.SIGKILL)
            watcher.ask()
    eventually(lambda: len(broker.worker_pids()) == 2, what="two workers")
    eventually(lambda: datagrams.answers_quic(broker.port), what="a worker that answers")
    broker.sighup()
    for number in range(8):
        client = SessionClient(broker, f"after-{number}")
        client.connect()
        client.publish("x", "y", qos=1)
