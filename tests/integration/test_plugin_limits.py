# SPDX-License-Identifier: MIT
"""Limits on connections, time and bytes: who is above is refused, the others do not notice."""

import os
import re
import resource
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import mqtt
from harness.broker import Broker
from harness.clients import SessionClient, many_clients, raw, start_raw
from harness.process import eventually


def connected(broker, count):
    clients = [SessionClient(broker, f"guest{number}") for number in range(count)]
    for client in clients:
        client.connect()
    return clients


def test_one_too_many_is_refused(make_broker):
    broker = make_broker(plugin_opts={"max_connections": 3}).start()
    clients = connected(broker, 3)
    done = broker.pub("-t", "x", "-m", "y", check=False, timeout=40)
    assert done.returncode != 0 and done.stderr
    clients[0].disconnect()
    eventually(
        lambda: broker.pub("-t", "x", "-m", "y", check=False, timeout=40).returncode == 0,
        what="a free place after a client left",
    )
    for client in clients[1:]:
        client.publish("x", "y", qos=1)


def test_one_address_has_a_limit_of_its_own(make_broker):
    options = {"max_connections_per_address": 2}
    broker = make_broker(plugin_opts=options)
    broker._opts["listen"] = f"0.0.0.0:{broker.port}"
    broker.start()
    clients = connected(broker, 2)
    assert broker.pub("-t", "x", "-m", "y", check=False, timeout=40).returncode != 0
    broker.wait_log(
        r"mquic: QUIC client 127\.0\.0\.1:\d+: refused: too many connections from this address "
        r"\(max_connections_per_address\)"
    )
    for client in clients:
        client.publish("x", "y", qos=1)


def test_the_listeners_own_limit_is_told_to_the_client(make_broker):
    broker = make_broker(listener=["max_connections 2"]).start()
    clients = connected(broker, 2)
    result = raw(broker, mqtt.connect("third"), wait_ms=8000)
    assert result.closed and result.closed["code"] == "2", result
    assert "max_connections" in result.closed["text"]
    for client in clients:
        client.publish("x", "y", qos=1)


@pytest.mark.parametrize(
    "chunks, flags",
    [
        ((), ["--no-stream"]),
        ((b"\x10",), []),
        ((mqtt.connect("slow")[:-1],), []),
    ],
    ids=["no stream", "one byte", "all but one byte"],
)
def test_a_client_without_connect_is_cut_off(make_broker, chunks, flags):
    broker = make_broker(plugin_opts={"connect_timeout": 1}).start()
    result = raw(broker, *chunks, flags=flags, wait_ms=9000)  # less than the time by default
    assert result.closed and not result.timed_out, result
    assert "CONNECT" in result.closed["text"], result
    assert broker.connections() == []


@pytest.mark.parametrize("flags", [["--reset"], ["--stop"], ["--reset", "--stop"]], ids="/".join)
def test_a_stream_given_up_within_connect_frees_its_place(make_broker, flags):
    broker = make_broker(plugin_opts={"connect_timeout": 600, "max_connections": 1}).start()
    result = raw(broker, mqtt.connect("half")[:7], flags=flags, wait_ms=30000)
    assert result.closed and result.closed["code"] == "1", result
    assert broker.pub("-t", "x", "-m", "y", check=False, timeout=40).returncode == 0


def test_a_drip_of_bytes_does_not_stretch_the_time(make_broker):
    broker = make_broker(plugin_opts={"connect_timeout": 2}).start()
    packet = mqtt.connect("s" * 40)
    drops = [packet[i : i + 1] for i in range(len(packet))]
    # It would go on for half a minute.
    result = raw(broker, *drops, pause_ms=500, wait_ms=15000)
    assert result.closed and "CONNECT" in result.closed["text"], result
    assert broker.connections() == []


def test_a_dead_client_is_found(make_broker, make_proxy):
    broker = make_broker(plugin_opts={"idle_timeout": 10}).start()
    proxy = make_proxy(broker)
    client = SessionClient(
        broker,
        "dead",
        port=proxy.port,
        settings={"idle_timeout_ms": 60000},
        **{"keep-alive": 0},
    )
    client.do("will", "last/words", 1, 0, 0, "gone")
    client.connect()
    witness = broker.tcp_sub("-t", "last/words")
    proxy.blackhole = True
    assert witness.wait_lines(1, timeout=60) == ["gone"]


def test_a_silent_client_is_kept(make_broker):
    broker = make_broker(plugin_opts={"idle_timeout": 10}).start()
    client = SessionClient(
        broker, "silent", settings={"idle_timeout_ms": 60000}, **{"keep-alive": 0}
    )
    client.connect()
    time.sleep(13)
    assert client.events("DISCONNECTED") == []
    client.publish("x", "y", qos=1)


def test_clients_that_do_not_read_cannot_take_all_memory(make_broker):
    broker = make_broker(plugin_opts={"memory_limit": 16 << 20}).start()
    good = SessionClient(broker, "good")
    good.connect()
    good.subscribe("fair/#", 1)
    greedy = [
        start_raw(
            broker,
            mqtt.connect(f"greedy{number}", keep_alive=0) + mqtt.subscribe("bulk"),
            flags=["--no-read", "--wait-ms=60000"],
            receive_window=4096,
        )
        for number in range(70)
    ]
    eventually(lambda: len(broker.connections()) == 71, what="all of them")
    # Each pins its send buffer and one read of the unix socket: 22 MiB together.
    for _ in range(3):
        broker.tcp_pub("-t", "bulk", "-s", input="x" * 500000)
    eventually(
        lambda: broker.log().count("turned away: plugin_opt_memory_limit is reached") >= 5,
        what="the greedy ones turned away",
    )
    time.sleep(2)
    left = [one for one in greedy if not any("memory_limit" in line for line in one.lines)]
    assert 30 < len(left) < 66
    good.publish("fair/1", "still here", qos=1)
    assert good.message()["payload"] == "still here"


def test_newcomers_do_not_cost_residents_their_place(make_broker):
    options = {"memory_limit": 16 << 20, "connect_timeout": 600}
    broker = make_broker(plugin_opts=options).start()
    resident = SessionClient(broker, "resident")
    resident.connect()
    # It is over with the first of them that is turned away.
    times = {"timeout_ms": 90000, "handshake_timeout_ms": 90000}
    assert many_clients(broker, count=900, **times).returncode != 0
    broker.wait_log("turned away: plugin_opt_memory_limit is reached")
    resident.publish("x", "y", qos=1)
    eventually(
        lambda: broker.pub("-t", "x", "-m", "y", "-q", "1", check=False).returncode == 0,
        30,
        "room again after they left",
    )


class FewDescriptors(Broker):
    """A broker that may open only so many files."""

    limit = 128

    def launch(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.wrapper = ["prlimit", f"--nofile={min(64, soft)}:{min(self.limit, hard)}"]
        return super().launch()


@pytest.fixture
def few_descriptors(build, certs, workdir):
    made = FewDescriptors(build, certs, workdir, plugin_opts={"max_connections": 1000})
    yield made
    made.close()


def test_descriptors_run_out_for_quic_clients_first(few_descriptors):
    broker = few_descriptors.start()
    warning = broker.wait_log(r"plugin_opt_max_connections 1000 is more than .*")[0]
    room = int(re.search(r"(\d+) clients are let in", warning)[1])
    assert 10 < room <= 64
    assert "LimitNOFILE" in warning
    limits = Path(f"/proc/{broker.pid}/limits").read_text()
    assert re.search(r"Max open files\s+128\s+128", limits), limits
    clients = connected(broker, room)
    done = broker.pub("-t", "x", "-m", "y", check=False, timeout=40)
    assert done.returncode != 0
    broker.tcp_pub("-t", "x", "-m", "y", "-q", "1")
    for client in clients:
        client.publish("x", "y", qos=1)
    assert "Unable to accept" not in broker.log()


def test_the_broker_has_no_thread_but_its_own(broker):
    tasks = list(Path(f"/proc/{broker.pid}/task").iterdir())
    assert [(task / "comm").read_text().strip() for task in tasks] == ["mosquitto"]


def test_the_worker_leaves_signals_to_the_broker(broker):
    pid = broker.worker_pid()
    client = SessionClient(broker, "guest")
    client.connect()
    for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"):
        os.kill(pid, getattr(signal, name))
    client.publish("x", "y", qos=1)
    assert client.events("DISCONNECTED") == []
    assert broker.worker_pid() == pid


def test_an_idle_broker_is_idle(broker):
    client = SessionClient(broker, "idle")
    client.connect()
    time.sleep(1)

    def ticks():
        stats = [Path(f"/proc/{pid}/stat") for pid in (broker.pid, broker.worker_pid())]
        fields = [stat.read_text().rsplit(")", 1)[1].split() for stat in stats]
        return sum(int(one[11]) + int(one[12]) for one in fields)

    before = ticks()
    time.sleep(3)
    assert ticks() - before <= 6  # of 300


def test_many_clients_at_once_all_get_in(broker):
    """More dials than the backlog of ten takes: all wait their turn, none is lost."""
    done = many_clients(broker, count=150, timeout_ms=60000, handshake_timeout_ms=60000)
    assert done.returncode == 0, done


@pytest.mark.parametrize("workers", [1, 2])
def test_a_crowd_that_comes_at_once_stalls_nobody(make_broker, workers):
    """After a power cut: all get in, none is turned away, and who was there goes on meanwhile."""
    broker = make_broker(plugin_opts={"workers": workers}).start()
    guest = SessionClient(broker, "guest")
    guest.connect()
    guest.subscribe("guest", 1)
    long = {"timeout_ms": 100000, "handshake_timeout_ms": 100000}
    # The server gives each 10 s for its handshake: so many are through by then on any machine.
    count = 100 if broker.build.sanitizer else 300
    crowd = ThreadPoolExecutor(1).submit(many_clients, broker, count=count, timeout=150, **long)
    sent = 0
    while not crowd.done():
        guest.publish("guest", str(sent), qos=1)
        assert guest.message()["payload"] == str(sent)
        sent += 1
    assert crowd.result().returncode == 0, crowd.result()
    assert sent > 1
    assert guest.events("DISCONNECTED") == []
    assert not re.search("turned away|gave way", broker.log())


def drained(broker, client):
    """Whether a message gets through to the client, behind all that the broker has queued."""
    broker.tcp_pub("-t", "flood", "-m", "end")
    time.sleep(0.2)
    return any(event["payload"] == "end" for event in client.events("MESSAGE"))


def test_memory_is_bounded_when_a_client_does_not_read(make_broker):
    broker = make_broker(top=["max_queued_messages 50"]).start()
    lazy = SessionClient(broker, "lazy")
    lazy.connect()
    lazy.subscribe("flood", 0)
    before = broker.memory_kb()
    lazy.process.signal(19)
    quick = broker.tcp_sub("-t", "flood", "-F", "%l")
    for count in range(40, 401, 40):
        # Fewer at a time than the broker queues, lest it drops some for the quick one, too.
        broker.tcp_lines("flood", ["x" * 60000] * 40)
        quick.wait_lines(count)
    # A sanitizer keeps what was freed for a while.
    assert broker.build.sanitizer or broker.memory_kb() - before < 30000
    lazy.process.signal(18)
    # The broker drops acknowledgements, too, while its queue for a client is full.
    eventually(lambda: drained(broker, lazy), what="the end of what was kept for it")
    assert len(lazy.events("MESSAGE")) >= 50
    lazy.publish("x", "y", qos=1)


def test_valgrind_finds_nothing(make_broker, build, workdir):
    if build.sanitizer:
        pytest.skip("a sanitizer looks already")
    if subprocess.run(["which", "valgrind"], capture_output=True, check=False).returncode:
        pytest.skip("valgrind is not installed")
    wrapper = [
        "valgrind",
        "--quiet",
        "--leak-check=full",
        "--errors-for-leak-kinds=definite",
        "--show-leak-kinds=definite",
        f"--log-file={workdir}/valgrind.%p",
    ]
    broker = make_broker(wrapper=wrapper)
    broker.start(timeout=120)
    client = SessionClient(broker, "watched")
    client.connect()
    client.subscribe("x", 2)
    client.publish("x", "y" * 50000, qos=2)
    client.message()
    broker.sighup()
    broker.pub("-t", "x", "-m", "z", "-q", "1")
    client.kill()
    assert broker.stop(timeout=60) == 0
    report = "".join(path.read_text() for path in Path(workdir).glob("valgrind.*"))
    ours = [part for part in report.split("\n==") if "mquic" in part]
    assert not ours, report
