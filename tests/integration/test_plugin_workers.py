# SPDX-License-Identifier: MIT
"""Several programs beside the broker on the same ports."""

import os
import signal

from harness.clients import SessionClient
from harness.process import eventually

# By chance all are at one of two workers once in eight million runs.
CLIENTS = 24


def connect_all(broker):
    clients = [SessionClient(broker, f"client-{i}") for i in range(CLIENTS)]
    for client in clients:
        client.connect()
    return clients


def test_messages_go_from_one_worker_to_another(make_broker):
    broker = make_broker(plugin_opts={"workers": 2}).start()
    assert len(broker.worker_pids()) == 2
    clients = connect_all(broker)
    for i, client in enumerate(clients):
        client.subscribe(f"to/{i}", 2)
    for i, client in enumerate(clients):
        client.publish(f"to/{(i + 1) % CLIENTS}", str(i), qos=2)
    for i, client in enumerate(clients):
        assert client.message()["payload"] == str((i - 1) % CLIENTS)


def is_cut_off(client):
    """Whether its worker is another one by now, which says so when it hears of it."""
    client.command("publish", "still/there", 1, 0, "?")  # refused if it has heard already
    eventually(
        lambda: client.events("DELIVERED") or client.events("DISCONNECTED"), what="an answer"
    )
    return bool(client.events("DISCONNECTED"))


def test_end_of_a_worker_is_felt_by_its_clients_alone(make_broker):
    broker = make_broker(plugin_opts={"workers": 2}).start()
    clients = connect_all(broker)
    mark = len(broker.log())
    os.kill(broker.worker_pids()[1], signal.SIGKILL)
    broker.wait_log(r"worker 2 was ended by signal 9 \(SIGKILL\)", start=mark)
    eventually(lambda: len(broker.worker_pids()) == 2, what="a second worker")
    cut_off = [client for client in clients if is_cut_off(client)]
    assert 0 < len(cut_off) < CLIENTS
    for client in cut_off:
        client.connect()
        client.publish("again", "!", qos=1)
    for client in set(clients) - set(cut_off):
        assert not client.events("DISCONNECTED")
    assert "worker 1" not in broker.log()[mark:]


def test_a_worker_for_each_processor(make_broker):
    broker = make_broker(plugin_opts={"workers": "auto"}).start()
    assert len(broker.worker_pids()) == min(len(os.sched_getaffinity(0)), 64)


def test_two_brokers_do_not_share_a_port(make_broker):
    broker = make_broker(plugin_opts={"workers": 2}).start()
    listen = f"127.0.0.1:{broker.port}"
    code, log = make_broker(plugin_opts={"workers": 2, "listen": listen}).refuse()
    assert code != 0 and f"binding UDP {listen}: Address already in use" in log, log
