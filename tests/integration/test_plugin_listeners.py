# SPDX-License-Identifier: MIT
"""Several QUIC listeners of one broker: each has its addresses, certificate, options, hand-off."""

import os
import signal

import pytest

from harness import datagrams
from harness.clients import SessionClient
from harness.ports import free_udp_port
from harness.process import eventually


@pytest.fixture
def other_port():
    return free_udp_port()


@pytest.fixture
def alice(certs):
    identity = certs.client("alice")
    return {"cert": identity.cert, "key": identity.key}


def two(certs, port, first=(), second=()):
    """The usual one, and one for clients with certificates, which shows another of its own."""
    mutual = {
        "listen": f"127.0.0.1:{port}",
        "certfile": certs.other_server.cert,
        "keyfile": certs.other_server.key,
        "cafile": certs.ca,
        "require_certificate": "true",
        "use_identity_as_username": "true",
    }
    return {"open": dict(first), "mutual": {**mutual, **dict(second)}}


def mutual_client(broker, port, alice, **options):
    return SessionClient(
        broker, port=port, settings={**alice, "cafile": broker.certs.other_ca}, **options
    )


def test_each_has_its_certificate_and_options(make_broker, certs, other_port, alice):
    broker = make_broker(blocks=two(certs, other_port)).start()
    broker.wait_log(rf"mquic: listener open: QUIC listener on UDP 127.0.0.1:{broker.port}\n")
    broker.wait_log(rf"mquic: listener mutual: QUIC listener on UDP 127.0.0.1:{other_port}\n")
    for name in ("open", "mutual"):
        broker.wait_log(f"mquic: listener {name} is ready for QUIC clients\n")
    sub = broker.sub("-t", "x/#", "-C", "2", "-u", "carol")
    client = mutual_client(broker, other_port, alice, username="mallory")
    client.connect()
    client.publish("x/mutual", "one", qos=1)
    broker.pub("-t", "x/open", "-m", "two", "-q", "1")
    assert sub.wait() == 0 and sub.lines == ["one", "two"]
    client.disconnect()
    broker.wait_log(r"QUIC \S+ -> client id '\S*', user 'alice', certificate, listener mutual\n")
    broker.wait_log(r"QUIC \S+ -> client id '\S*', user 'carol', listener open\n")
    broker.wait_log(r"has left: login accepted, \d+ s, listener mutual, id '\S*', user 'alice': ")
    # Nobody comes in there without, nor by the other's certificate.
    done = broker.pub("-t", "x", "-m", "y", port=other_port, cafile=certs.other_ca, check=False)
    assert done.returncode != 0 and "certificate" in done.stderr
    broker.wait_log(r"mquic: listener mutual: QUIC client \S+: handshake failed: ")
    done = broker.pub("-t", "x", "-m", "y", port=other_port, check=False)
    assert done.returncode != 0 and "authority" in done.stderr.lower() + "authority"


def test_one_that_fails_its_test_is_refused_alone(make_broker, certs, other_port, workdir):
    """Its hand-off leads nowhere: it is named, its port is free, and the other goes on."""
    nowhere = workdir / "nowhere.sock"
    blocks = two(certs, other_port, second={"handoff": nowhere})
    broker = make_broker(blocks=blocks).start()
    broker.wait_log(
        f"mquic: listener mutual serves no QUIC client. Hand-off socket {nowhere}: this broker "
        "does not listen there"
    )
    eventually(
        lambda: not bound(other_port), what="a port that is free again", timeout=20
    )
    broker.sighup()
    os.kill(broker.worker_pid(), signal.SIGKILL)
    broker.wait_log("worker 1 was ended by .*started again")
    eventually(lambda: datagrams.answers_quic(broker.port), what="the next worker")
    broker.pub("-t", "x", "-m", "y", "-q", "1")
    assert not bound(other_port)


def bound(port):
    """Whether somebody has this port of 127.0.0.1."""
    wanted = f"0100007F:{port:04X}"
    with open("/proc/net/udp") as table:
        return any(line.split()[1] == wanted for line in list(table)[1:])


def test_none_is_served_where_all_fail(make_broker, certs, other_port, workdir):
    blocks = two(
        certs,
        other_port,
        first={"handoff": workdir / "a.sock"},
        second={"handoff": workdir / "b.sock"},
    )
    broker = make_broker(blocks=blocks).launch()
    for name in ("open", "mutual"):
        broker.wait_log(f"mquic: listener {name} serves no QUIC client")
    eventually(lambda: not bound(broker.port) and not bound(other_port), what="free ports")
    assert broker.running()


def test_limits_are_each_ones_own(make_broker, certs, other_port):
    blocks = {
        "small": {"max_connections": 1},
        "large": {"listen": f"127.0.0.1:{other_port}"},
    }
    broker = make_broker(blocks=blocks).start()
    first = SessionClient(broker)
    first.connect()
    done = broker.pub("-t", "x", "-m", "y", check=False, timeout=40)
    assert done.returncode != 0
    broker.wait_log(r"mquic: listener small: QUIC client \S+: refused: too many connections")
    clients = [SessionClient(broker, port=other_port) for _ in range(3)]
    for client in clients:
        client.connect()
        client.publish("x", "y", qos=1)
    first.publish("x", "y", qos=1)


@pytest.mark.parametrize("workers", [1, 2])
def test_reload_and_the_end_of_a_worker_are_for_all(
    make_broker, certs, other_port, alice, workers
):
    options = {"workers": workers}
    broker = make_broker(plugin_opts=options, blocks=two(certs, other_port)).start()
    for number in range(4):
        client = SessionClient(broker, f"one{number}")
        client.connect()
        other = mutual_client(broker, other_port, alice, client_id=f"two{number}")
        other.connect()
        client.publish("x", "y", qos=1)
        other.publish("x", "y", qos=1)
    mark = len(broker.log())
    broker.sighup()
    for name in ("open", "mutual"):
        broker.wait_log(f"listener {name}: certificates and keys were read again", start=mark)
    client.publish("x", "y", qos=1)
    other.publish("x", "y", qos=1)
    for pid in broker.worker_pids():
        os.kill(pid, signal.SIGKILL)
    for number in range(workers):
        broker.wait_log(rf"worker {number + 1} was ended by .*started again", start=mark)
    eventually(lambda: datagrams.answers_quic(broker.port), what="the first listener")
    eventually(lambda: datagrams.answers_quic(other_port), what="the second one")
    broker.pub("-t", "x", "-m", "y", "-q", "1")
    again = mutual_client(broker, other_port, alice)
    again.connect()
    again.publish("x", "y", qos=1)


def test_what_all_share_does_not_stand_in_one(make_broker, certs, other_port):
    for lines, part in (
        ({"workers": 2}, "listener open: plugin_opt_workers is for all listeners"),
        ({"listen": f"127.0.0.1:{other_port}"}, "the listeners open and mutual have the same"),
        ({"certfile": "/nowhere.crt"}, "listener open: plugin_opt_certfile: cannot read"),
    ):
        code, log = make_broker(blocks=two(certs, other_port, first=lines)).refuse()
        assert code != 0 and f"mquic: {part}" in log, log
    code, log = make_broker(
        plugin_opts={"listen": "127.0.0.1:1"}, blocks=two(certs, other_port)
    ).refuse()
    assert code != 0 and "plugin_opt_listen stands before the first plugin_opt_listener" in log


def test_a_wrong_key_names_its_listener(make_broker, certs, other_port):
    second = {"keyfile": certs.server.key}
    code, log = make_broker(blocks=two(certs, other_port, second=second)).refuse()
    assert code != 0
    assert "mquic: listener mutual: plugin_opt_keyfile: the key in" in log, log
