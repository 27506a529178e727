# SPDX-License-Identifier: MIT
"""What is counted, where operators look: topics below $SYS/broker/mquic/ and plugin_opt_metrics."""

import os
import signal

import pytest

from harness.build import give_to_broker
from harness.clients import SessionClient
from harness.process import eventually


class Topics:
    """What stands below $SYS/broker/mquic/, as a client of the broker hears of it."""

    def __init__(self, broker):
        self._child = broker.tcp_sub("-F", "%t %p", "-t", "$SYS/broker/mquic/#")

    def seen(self, name):
        """All values of a topic, the first one first."""
        words = (line.split() for line in list(self._child.lines))
        return [int(value) for topic, value in words if topic == f"$SYS/broker/mquic/{name}"]

    def all(self):
        """The latest of each."""
        values = {}
        for line in list(self._child.lines):
            topic, value = line.split()
            values[topic.removeprefix("$SYS/broker/mquic/")] = int(value)
        return values

    def wait(self, name, value):
        eventually(
            lambda: self.seen(name)[-1:] == [value], what=lambda: f"{name} {value}: {self.all()}"
        )

    def wait_least(self, name, value):
        """Where a datagram that comes again may begin another handshake."""
        eventually(
            lambda: any(seen >= value for seen in self.seen(name)),
            what=lambda: f"{name} of {value} or more: {self.all()}",
        )


def parsers():
    """The readers of both formats, of Prometheus' own Python client."""
    reason = "python3-prometheus-client is not installed: no reader of metrics to try"
    client = pytest.importorskip("prometheus_client", reason=reason)
    assert client
    from prometheus_client import parser
    from prometheus_client.openmetrics import parser as open_parser

    return {
        ".prom": parser.text_string_to_metric_families,
        ".txt": open_parser.text_string_to_metric_families,
    }


def test_topics_tell_of_clients_that_come_and_go(make_broker, certs):
    broker = make_broker(plugin_opts={"sys_interval": 1}).start()
    topics = Topics(broker)
    topics.wait("clients/connected", 0)
    topics.wait("workers", 1)
    client = SessionClient(broker, "counted")
    client.connect()
    topics.wait("clients/connected", 1)
    broker.pub("-t", "x", "-m", "y")
    broker.pub("-t", "x", "-m", "y", cafile=certs.other_ca, check=False)
    topics.wait("clients/total", 2)
    topics.wait("handshakes/done", 2)
    topics.wait("handshakes/failed/certificate", 1)
    topics.wait_least("handshakes/faults/client", 1)
    topics.wait_least("handshakes/begun", 3)
    assert topics.all()["memory"] > 0
    assert topics.all()["bytes/received"] > 3 * 1200
    client.kill()


def test_totals_outlive_a_worker(make_broker):
    broker = make_broker(plugin_opts={"sys_interval": 1}).start()
    topics = Topics(broker)
    client = SessionClient(broker, "before", keep_alive=0)
    client.connect()
    topics.wait("clients/total", 1)
    mark = len(broker.log())
    os.kill(broker.worker_pid(), signal.SIGKILL)
    broker.wait_log(r"worker 1 was ended by .*started again", start=mark)
    topics.wait("clients/connected", 0)
    eventually(lambda: broker.pub("-t", "x", "-m", "y", check=False).returncode == 0)
    topics.wait_least("clients/total", 2)
    topics.wait("restarts", 1)
    topics.wait("worker/1/restarts", 1)
    for name in ("clients/total", "bytes/received", "handshakes/done"):
        for values in (topics.seen(name), topics.seen(f"worker/1/{name}")):
            assert values == sorted(values), (name, values)


def only_of_workers(values, number):
    prefix = f"worker/{number}/"
    return {
        name.removeprefix(prefix): value
        for name, value in values.items()
        if name.startswith(prefix)
    }


def add_up(topics):
    """Whether what stands there of two workers is what stands there of all."""
    values = topics.all()
    one, two = (only_of_workers(values, number) for number in (1, 2))
    rows = {name for name in values if not name.startswith("worker/")}
    assert set(one) == set(two) == rows | {"uptime"}
    return all(one[name] + two[name] == values[name] for name in rows)


def test_workers_are_told_apart_and_add_up(make_broker):
    broker = make_broker(plugin_opts={"sys_interval": 1, "workers": 2}).start()
    topics = Topics(broker)
    clients = [SessionClient(broker, f"client-{i}") for i in range(24)]
    for client in clients:
        client.connect()
    topics.wait("clients/connected", 24)
    topics.wait("workers", 2)
    eventually(lambda: add_up(topics), what=lambda: f"sums: {topics.all()}")
    topics.wait_least("worker/1/uptime", 1)
    found = topics.all()
    for number in (1, 2):
        assert 0 < found[f"worker/{number}/clients/connected"] < 24
        assert found[f"worker/{number}/workers"] == 1
        assert found[f"worker/{number}/restarts"] == 0
        assert found[f"worker/{number}/memory"] > 0
        # More than nothing and less than a machine has.
        assert 2**20 < found[f"worker/{number}/memory/resident"] < 2**30


def test_counters_agree_with_what_clients_did(make_broker, certs):
    broker = make_broker(plugin_opts={"sys_interval": 1}).start()
    topics = Topics(broker)
    clients = [SessionClient(broker, f"client-{i}", keep_alive=0) for i in range(6)]
    for client in clients:
        client.connect()
        for _ in range(5):
            client.publish("some/topic", "x" * 1000, qos=1)
    for _ in range(2):
        broker.pub("-t", "x", "-m", "y", cafile=certs.other_ca, check=False)
    topics.wait("clients/connected", 6)
    topics.wait("handshakes/done", 6)
    topics.wait("handshakes/failed/certificate", 2)
    topics.wait_least("bytes/received", 6 * 5 * 1000)
    for client in clients[:2]:
        client.disconnect()
    topics.wait("clients/connected", 4)
    topics.wait("clients/total", 6)
    mark = len(broker.log())
    os.kill(broker.worker_pid(), signal.SIGKILL)
    broker.wait_log(r"worker 1 was ended by .*started again", start=mark)
    topics.wait("clients/connected", 0)
    for client in clients[2:]:
        # Refused if it has heard of its end by itself.
        client.command("publish", "still/there", 0, 0, "?")
        client.event("DISCONNECTED")
    topics.wait_least("resets/sent", 4)
    broker.pub("-t", "x", "-m", "y")
    topics.wait("clients/total", 7)
    topics.wait("handshakes/done", 7)
    found = topics.all()
    # What cannot be anything else yet, but has its place.
    for name in ("handshakes/resumed", "copies/sent", "early-data/accepted"):
        assert found[name] == 0
    assert found["handshakes/failed"] >= found["handshakes/failed/certificate"] == 2
    assert found["migrations"] == 0


def test_what_happens_on_the_way_is_counted(make_broker, make_proxy):
    """Retry, moves, losses, and what the tool shows of the same."""
    broker = make_broker(plugin_opts={"sys_interval": 1, "retry": "always"}).start()
    topics = Topics(broker)
    proxy = make_proxy(broker)
    clients = [SessionClient(broker, f"client-{i}", port=proxy.port) for i in range(3)]
    for client in clients:
        client.connect()
        client.subscribe("to/all", 1)
    topics.wait_least("retry/sent", 3)
    proxy.rebind()
    for client in clients:
        client.publish("some/topic", "?", qos=1)
    topics.wait("migrations", 3)
    # Enough for some to be missed behind others: what is lost alone is sent again, and not counted.
    proxy.loss = 0.2
    broker.tcp_pub("-t", "to/all", "-m", "x" * 100000, "-q", "1")
    for client in clients:
        client.message(topic="to/all")
    proxy.loss = 0.0
    topics.wait_least("packets/lost", 1)
    assert topics.all()["clients/total"] == topics.all()["clients/connected"] == 3


@pytest.mark.parametrize("ending", [".prom", ".txt"])
def test_the_file_is_what_prometheus_reads(make_broker, ending):
    parse = parsers()[ending]
    broker = make_broker()
    path = broker.directory / f"mquic{ending}"
    broker.set_option("metrics", path)
    broker.set_option("sys_interval", 1)
    broker.start()
    broker.pub("-t", "x", "-m", "y")

    def samples():
        """By name and labels. Never half of it, whenever the file is read."""
        text = path.read_text()
        assert (ending == ".prom") != text.endswith("# EOF\n"), text
        families = list(parse(text))
        assert {family.type for family in families} == {"counter", "gauge"}
        assert all(family.documentation.endswith(".") for family in families)
        return {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }

    eventually(path.exists, what="the file")
    done = ("mquic_handshakes_done_total", ("worker", "1"))
    eventually(lambda: samples()[done] == 1, what="a handshake in it")
    found = samples()
    assert all(("worker", "1") in key for key in found)
    assert found[("mquic_workers", ("worker", "1"))] == 1
    assert found[("mquic_clients_accepted_total", ("worker", "1"))] == 1
    assert found[("mquic_handshakes_failed_total", ("reason", "alpn"), ("worker", "1"))] == 0
    received = ("mquic_payload_bytes_total", ("direction", "received"), ("worker", "1"))
    assert found[received] > 1200
    assert path.stat().st_mode & 0o777 == 0o644
    assert not path.with_name(path.name + ".new").exists()


def test_a_file_that_cannot_be_written_is_told_once(make_broker):
    broker = make_broker(plugin_opts={"sys_interval": 1, "metrics": "/nonexistent/mquic.prom"})
    broker.start()
    topics = Topics(broker)
    broker.wait_log(
        r"plugin_opt_metrics: /nonexistent/mquic\.prom cannot be written: No such file"
    )
    seen = len(topics.seen("bytes/sent"))
    broker.pub("-t", "x", "-m", "y")
    eventually(lambda: len(topics.seen("bytes/sent")) > seen, what="another interval")
    assert broker.log().count("plugin_opt_metrics") == 1


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_what_stands_in_the_place_of_the_new_file_does_no_harm(make_broker, kind):
    """A pipe that nobody reads would hold the broker up, and a link lead to a file of its own."""
    broker = make_broker(plugin_opts={"sys_interval": 1})
    path = broker.directory / "mquic.prom"
    other = broker.directory / "other"
    other.write_text("precious")
    give_to_broker(other)
    new = path.with_name(path.name + ".new")
    if kind == "pipe":
        os.mkfifo(new)
    else:
        os.link(other, new)
    give_to_broker(new)
    broker.set_option("metrics", path)
    broker.start()
    eventually(path.exists, what="the file")
    broker.tcp_pub("-t", "x", "-m", "y")
    assert "mquic_workers" in path.read_text()
    assert other.read_text() == "precious"


def test_nothing_is_told_where_nobody_wants_it(make_broker):
    broker = make_broker(plugin_opts={"sys_interval": 0}, top=["sys_interval 1"]).start()
    topics = Topics(broker)
    # The broker's own go on meanwhile.
    clock = broker.tcp_sub("-t", "$SYS/broker/uptime")
    clock.wait_lines(4)
    assert topics.all() == {}
