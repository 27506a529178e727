# SPDX-License-Identifier: MIT
"""Workers are replaced one after the other, and the broker and its other clients go on."""

import os
import signal
import threading

import pytest

from harness import datagrams
from harness.clients import SessionClient
from harness.process import eventually
from harness.workers import greeting, install_python, install_real

ALL_NEW = "mquic: all workers were replaced"


def ask(broker):
    """Has them replaced; whether that was taken."""
    tool = broker.build.tool("mquic-status")
    done = broker.build.run(tool, "--restart", "--socket", f"{broker.socket}.control")
    assert done.stdout == ""
    assert (done.returncode == 0) == (done.stderr == ""), done
    assert done.returncode == 0 or "are being replaced already" in done.stderr, done
    return done.returncode == 0


def replace(broker):
    """Has all replaced; returns the log of it."""
    mark = len(broker.log())
    assert ask(broker)
    broker.wait_log(ALL_NEW, start=mark)
    return broker.log()[mark:]


class Steady:
    """A client that stays, and sends itself messages of QoS 1; it comes back when it must."""

    def __init__(self, broker, number):
        self.topic = f"own/{number}"
        self.client = SessionClient(broker, f"steady-{number}", clean=0, protocol=4)
        self.client.connect()
        self.client.subscribe(self.topic, 1)
        self.sent = []
        self.cut_off = 0

    def send(self):
        """One message, which arrives, however many connections that takes."""
        text = str(len(self.sent))
        self.sent.append(text)
        self.client.command("publish", self.topic, 1, 0, text)
        eventually(lambda: text in self.received() or self.come_back(), what=f"message {text}")
        eventually(lambda: text in self.received(), what=f"message {text}")

    def received(self):
        return [event["payload"] for event in self.client.events("MESSAGE")]

    def come_back(self):
        ended = len(self.client.events("DISCONNECTED"))
        while self.cut_off < ended:
            self.cut_off += 1
            self.client.connect()
            self.client.command("publish", self.topic, 1, 0, self.sent[-1])
        return False


@pytest.mark.parametrize("workers", [1, 2])
def test_all_workers_are_replaced_under_traffic(make_broker, workers):
    broker = make_broker(plugin_opts={"workers": workers}).start()
    witness = broker.tcp_sub("-t", "tcp", "-q", "1")
    steady = [Steady(broker, number) for number in range(6)]
    before = broker.worker_pids()
    stop = threading.Event()

    def talk():
        while not stop.is_set():
            for one in steady:
                one.send()

    talker = threading.Thread(target=talk)
    talker.start()
    try:
        log = replace(broker)
    finally:
        stop.set()
        talker.join(120)
    assert not talker.is_alive()
    assert len(set(before) & set(broker.worker_pids())) == 0
    assert len(broker.worker_pids()) == workers
    for number in range(1, workers + 1):
        assert log.count(f"worker {number} was replaced; its clients connect anew") == 1, log
    # Each was cut off once by each worker it came to at most, and none of its messages is missing.
    for one in steady:
        one.send()
        assert len(one.client.events("DISCONNECTED")) <= workers
        assert set(one.received()) == set(one.sent)
    broker.tcp_pub("-t", "tcp", "-m", "still", "-q", "1")
    assert witness.wait_lines(1) == ["still"]
    assert witness.returncode is None
    # They did not end by themselves, as far as the log knows.
    assert "started again" not in log, log


def test_clients_are_told_why(broker):
    client = SessionClient(broker, "told", keep_alive=0)
    client.connect()
    replace(broker)
    assert "this worker is replaced: connect again" in client.event("DISCONNECTED")["text"]
    client.connect()
    client.publish("x", "y", qos=1)


def test_a_second_wish_waits_for_no_one(broker):
    mark = len(broker.log())
    assert ask(broker)
    assert not ask(broker)
    broker.wait_log(ALL_NEW, start=mark)
    assert ask(broker)


def test_a_worker_that_is_stopped_is_replaced(make_broker):
    broker = make_broker(plugin_opts={"workers": 2}).start()
    before = broker.worker_pids()
    stop = threading.Event()

    def hold():
        while not stop.is_set():
            try:
                os.kill(before[0], signal.SIGSTOP)
            except ProcessLookupError:
                return

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        log = replace(broker)
    finally:
        stop.set()
        holder.join()
    assert "worker 1 was replaced" in log and "worker 2 was replaced" in log, log
    broker.pub("-t", "x", "-m", "y", "-q", "1")


def other_version():
    return f"channel.send({greeting(4711, b'9.9.9')!r})\nraise SystemExit(1)\n"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (other_version(), r"it is of mquic 9\.9\.9 .*: restart the broker; they go on"),
        ("raise SystemExit(7)\n", r"ended with exit status 7; they go on"),
        ("channel.send(GREETING)\ndie()\n", r"was ended by signal 9 \(SIGKILL\); they go on"),
        ("channel.send(b'?')\ntime.sleep(600)\n", r"was ended by signal 9 .*; they go on"),
    ],
    ids=["version", "exit", "death", "nonsense"],
)
def test_old_ones_stay_where_the_new_one_is_no_good(make_broker, build, workdir, body, why):
    program = install_real(workdir / "worker", build)
    broker = make_broker(plugin_opts={"worker": program, "workers": 2}).start()
    client = SessionClient(broker, "undisturbed")
    client.connect()
    before = broker.worker_pids()
    install_python(program, body)
    assert ask(broker)
    broker.wait_log(f"worker 1 is not replaced, nor are those behind it: {why}")
    client.publish("x", "y", qos=1)
    assert client.events("DISCONNECTED") == []
    assert set(before) <= set(broker.worker_pids())
    # It can be tried again.
    install_real(program, build)
    replace(broker)


def test_the_broker_ends_while_workers_are_replaced(broker):
    assert ask(broker)
    assert broker.stop() == 0
    assert not datagrams.answers_quic(broker.port)


def test_a_worker_that_dies_while_it_is_replaced(make_broker, build, workdir):
    """Its successor, which would have taken its place a little later, takes it at once."""
    program = install_real(workdir / "worker", build)
    broker = make_broker(plugin_opts={"worker": program}).start()
    old = broker.worker_pid()
    # One that takes its time.
    install_python(program, f"time.sleep(1)\nos.execv('{build.worker}', ['w', '--worker'])\n")
    mark = len(broker.log())
    assert ask(broker)
    eventually(lambda: len(broker.worker_pids()) == 2, what="a successor")
    os.kill(old, signal.SIGKILL)
    broker.wait_log(ALL_NEW, start=mark)
    eventually(lambda: datagrams.answers_quic(broker.port), what="a worker that answers")
    broker.pub("-t", "x", "-m", "y", "-q", "1")
