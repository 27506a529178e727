# SPDX-License-Identifier: MIT
"""Clients that only speak TCP reach the broker through mquic-tunnel, over QUIC."""

import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import paho.mqtt.client as paho
import pytest

from harness import mqtt
from harness.clients import RawServer
from harness.ports import free_udp_port
from harness.process import ENDING_SIGNALS, PATIENCE, Process, eventually
from harness.publisher import publish_lines

HOST = "127.0.0.1"


class Tunnel:
    """A running mquic-tunnel: `port` is where TCP clients go."""

    def __init__(self, broker, *options, port=None):
        url = f"mqtt-quic://{HOST}:{port or broker.port}"
        trust = ["--cafile", broker.certs.ca]
        tool = broker.build.tool("mquic-tunnel")
        argv = [tool, "-d", "--listen", f"{HOST}:0", "--connect", url, *trust, *options]
        self.broker = broker
        self.process = broker.adopt(Process(argv, broker.build.environment()))
        line = self.process.wait_line(f"Listening on {HOST}:")
        self.port = int(re.search(rf"Listening on {HOST}:(\d+)", line)[1])

    def connect(self, timeout=PATIENCE):
        return socket.create_connection((HOST, self.port), timeout)

    def mosquitto(self, program, *args, **options):
        """Runs mosquitto_pub or mosquitto_sub through the tunnel to its end."""
        argv = [program, "-h", HOST, "-p", str(self.port), *map(str, args)]
        done = subprocess.run(argv, capture_output=True, timeout=60, **options)
        assert done.returncode == 0, done
        return done.stdout

    def sub(self, *args, client_id="behind"):
        """mosquitto_sub through the tunnel, subscribed when this returns."""
        mark = len(self.broker.log())
        argv = ["mosquitto_sub", "-h", HOST, "-p", self.port, "-i", client_id, *args]
        child = self.broker.adopt(Process(argv, self.broker.build.environment()))
        self.broker.wait_suback(client_id, child, mark)
        return child

    def closed(self):
        return sum(": closed" in line for line in self.process.lines)


@pytest.fixture
def tunnel(broker):
    return Tunnel(broker)


def read_all(sock):
    data = bytearray()
    while True:
        more = sock.recv(65536)
        if not more:
            return bytes(data)
        data += more


# ---- the clients people have


@pytest.mark.parametrize("protocol", ["mqttv31", "mqttv311", "mqttv5"])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_mosquitto_clients(tunnel, qos, protocol):
    sub = tunnel.sub("-t", "a/b", "-q", qos, "-V", protocol, "-C", "1", "-v")
    words = ["-t", "a/b", "-q", qos, "-V", protocol, "-m", "through the tunnel"]
    tunnel.mosquitto("mosquitto_pub", *words)
    assert sub.wait() == 0
    assert sub.lines == ["a/b through the tunnel"]


class Paho:
    """Debian's paho client, its network loop in a thread of its own."""

    def __init__(self, port, protocol):
        # From version 2 on the first argument says which callbacks are meant.
        way = [paho.CallbackAPIVersion.VERSION2] if hasattr(paho, "CallbackAPIVersion") else []
        name = f"paho-{protocol}-{os.urandom(4).hex()}"
        self.client = paho.Client(*way, name, protocol=protocol)
        self.messages = []
        self.subscribed = threading.Event()
        self.client.on_message = lambda client, data, message: self.messages.append(message)
        self.client.on_subscribe = lambda *args: self.subscribed.set()
        self.client.connect(HOST, port)
        self.client.loop_start()

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.mark.parametrize("protocol", [paho.MQTTv311, paho.MQTTv5])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_paho(tunnel, qos, protocol):
    client = Paho(tunnel.port, protocol)
    try:
        client.client.subscribe("a/#", qos)
        assert client.subscribed.wait(PATIENCE)
        for number in range(20):
            client.client.publish(f"a/{number}", str(number), qos).wait_for_publish(PATIENCE)
        eventually(lambda: len(client.messages) == 20, what="20 messages")
        assert [int(message.payload) for message in client.messages] == list(range(20))
        assert {message.qos for message in client.messages} == {qos}
    finally:
        client.close()
    eventually(lambda: tunnel.closed() == 1, what="the end of the connection")


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_paho_in_c(tunnel, qos):
    program = tunnel.broker.build.helper("paho-client")
    if not os.path.exists(program):
        pytest.skip("libpaho-mqtt-dev is not installed")
    done = tunnel.broker.build.run(program, tunnel.port, qos, 20)
    assert done.returncode == 0, done
    assert done.stdout.splitlines() == [f"{number} {qos}" for number in range(20)]


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_ten_megabytes_each_way(tunnel, workdir, qos):
    path = workdir / "big"
    path.write_bytes(os.urandom(10_000_000))
    into = workdir / "back"
    with open(into, "wb") as out:
        argv = ["mosquitto_sub", "-h", HOST, "-p", str(tunnel.port), "-t", "big", "-i", "reader"]
        sub = subprocess.Popen([*argv, "-q", str(qos), "-C", "1", "-N"], stdout=out)
        try:
            tunnel.broker.wait_log("Sending SUBACK to reader")
            tunnel.mosquitto("mosquitto_pub", "-t", "big", "-q", qos, "-f", path)
            assert sub.wait(PATIENCE) == 0
        finally:
            sub.kill()
            sub.wait()
    assert into.read_bytes() == path.read_bytes()


# ---- ends


def test_disconnect_closes_everything(tunnel):
    with tunnel.connect() as client:
        client.sendall(mqtt.connect("polite") + mqtt.DISCONNECT)
        assert read_all(client) == mqtt.CONNACK_ACCEPTED
    eventually(lambda: tunnel.closed() == 1, what="the end of the connection")
    tunnel.broker.wait_log(r"Client polite( \[\S+\])? disconnected")


def test_a_half_close_reaches_the_broker_and_the_answer_comes_back(tunnel):
    with tunnel.connect() as client:
        client.sendall(mqtt.connect("half"))
        assert client.recv(4) == mqtt.CONNACK_ACCEPTED
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b""
    tunnel.broker.wait_log(r"Client half( \[\S+\])? (closed|disconnected)|half closed its connection")
    eventually(lambda: tunnel.closed() == 1, what="the end of the connection")


def test_a_reset_is_mourned(tunnel):
    sub = tunnel.sub("-t", "obituary", "-C", "1")
    words = ["-i", "mortal", "-t", "x", "--will-topic", "obituary", "--will-payload", "gone"]
    argv = ["mosquitto_sub", "-h", HOST, "-p", tunnel.port, *words]
    mark = len(tunnel.broker.log())
    mortal = tunnel.broker.adopt(Process(argv, tunnel.broker.build.environment()))
    tunnel.broker.wait_suback("mortal", mortal, mark)
    mortal.kill()
    assert sub.wait() == 0
    assert sub.lines == ["gone"]


def close_with_reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_what_comes_before_a_reset_arrives(tunnel):
    """A client that closes with unread input resets the connection, but has said goodbye."""
    sub = tunnel.sub("-t", "last/#", "-v", "-C", "21")
    for number in range(20):
        client = tunnel.connect()
        client.sendall(mqtt.connect_with_will(f"hasty{number}", "last/will", "dead"))
        assert client.recv(4) == mqtt.CONNACK_ACCEPTED
        client.sendall(mqtt.PINGREQ)
        assert client.recv(2, socket.MSG_PEEK) == mqtt.PINGRESP
        client.sendall(mqtt.publish(f"last/{number}", b"x") + mqtt.DISCONNECT)
        client.close()
    eventually(lambda: tunnel.closed() == 20, what="the end of them all")
    tunnel.mosquitto("mosquitto_pub", "-t", "last/end", "-m", "x")
    assert sub.wait() == 0
    assert sorted(sub.lines) == sorted([f"last/{number} x" for number in range(20)] + ["last/end x"])


def test_a_reset_without_goodbye_is_mourned_behind_what_was_said(tunnel):
    sub = tunnel.sub("-t", "last/#", "-v", "-C", "2")
    client = tunnel.connect()
    client.sendall(mqtt.connect_with_will("rude", "last/will", "dead"))
    assert client.recv(4) == mqtt.CONNACK_ACCEPTED
    client.sendall(mqtt.publish("last/word", b"x"))
    close_with_reset(client)
    assert sub.wait() == 0
    assert sub.lines == ["last/word x", "last/will dead"]


def test_a_signal_loses_nothing_that_tcp_has_taken(tunnel):
    sub = tunnel.broker.adopt(
        Process(
            ["mosquitto_sub", "-h", HOST, "-p", tunnel.broker.tcp_port, "-i", "s", "-t", "t", "-C", "1"],
            tunnel.broker.build.environment(),
        )
    )
    tunnel.broker.wait_suback("s", sub, 0)
    with tunnel.connect() as client:
        client.sendall(mqtt.connect("guest"))
        assert client.recv(4) == mqtt.CONNACK_ACCEPTED
        client.sendall(mqtt.publish("t", b"y" * 20000))
        tunnel.process.signal(signal.SIGTERM)
        assert tunnel.process.wait() == 0
    assert sub.wait() == 0
    assert sub.lines == ["y" * 20000]


def test_a_probe_of_the_port_is_no_warning(tunnel):
    for _ in range(3):
        tunnel.connect().close()
    eventually(lambda: tunnel.closed() == 3, what="the end of them all")
    assert tunnel.process.errors == ""


def test_a_tcp_reset_ends_the_quic_connection(tunnel):
    client = tunnel.connect()
    client.sendall(mqtt.connect("rude"))
    assert client.recv(4) == mqtt.CONNACK_ACCEPTED
    close_with_reset(client)
    tunnel.process.wait_line("closed early")
    tunnel.broker.wait_log("rude")
    eventually(lambda: "rude" in tunnel.broker.log().rpartition("CONNACK")[2], what="the end")


def test_a_stopped_broker_closes_the_tcp_side(tunnel):
    with tunnel.connect() as client:
        client.sendall(mqtt.connect("left"))
        assert client.recv(4) == mqtt.CONNACK_ACCEPTED
        assert tunnel.broker.stop() == 0
        try:
            assert read_all(client) == b""
        except ConnectionResetError:
            pass
    eventually(lambda: tunnel.closed() == 1, what="the end of the connection")


def test_a_server_that_reads_no_more_ends_the_tcp_connection(broker):
    """As when it takes the session over; nobody sends anything behind it."""
    server = RawServer(broker.build, broker.certs, mqtt.CONNACK_ACCEPTED, stop=True)
    broker.adopt(server.process)
    tunnel = Tunnel(broker, port=server.port)
    with tunnel.connect() as client:
        client.sendall(mqtt.connect("taken-over"))
        with contextlib.suppress(ConnectionResetError):
            assert read_all(client) in (b"", mqtt.CONNACK_ACCEPTED)
    eventually(lambda: tunnel.closed() == 1, what="the end of the connection")


def test_malformed_bytes_do_not_stop_the_tunnel(tunnel):
    for data in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(5000), b"\0"):
        with tunnel.connect() as client:
            client.sendall(data)
            try:
                assert read_all(client) == b""
            except ConnectionResetError:
                pass
    tunnel.mosquitto("mosquitto_pub", "-t", "x", "-m", "y", "-q", "1")


# ---- back-pressure


def test_a_slow_reader_holds_up_nobody_else(tunnel):
    slow = tunnel.connect()
    with slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(mqtt.connect("slow") + mqtt.subscribe("flood", 1))
        tunnel.broker.wait_log("Sending SUBACK to slow")
        publish_lines(HOST, tunnel.port, "flood", ["x" * 20000] * 400, qos=1)
        quick = tunnel.sub("-t", "other", "-C", "1", client_id="quick")
        tunnel.mosquitto("mosquitto_pub", "-t", "other", "-m", "y", "-q", "1")
        assert quick.wait() == 0
        assert memory_kb(tunnel.process.pid) < 100_000


def test_idle_tunnel_costs_no_cpu(tunnel):
    """Not even with a client that has finished while its server has not."""
    with tunnel.connect() as client:
        client.sendall(mqtt.connect("idle"))
        assert client.recv(4) == mqtt.CONNACK_ACCEPTED
        before = cpu_seconds(tunnel.process.pid)
        time.sleep(1)
        assert cpu_seconds(tunnel.process.pid) - before < 0.1


def memory_kb(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s*(\d+)", status.read())[1])


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ---- many, too many, none


def test_a_hundred_connections_at_once(tunnel):
    clients = [tunnel.connect() for _ in range(100)]
    try:
        for number, client in enumerate(clients):
            client.sendall(mqtt.connect(f"crowd{number}"))
        for client in clients:
            assert client.recv(4) == mqtt.CONNACK_ACCEPTED
    finally:
        for client in clients:
            client.close()
    eventually(lambda: tunnel.closed() == 100, what="the end of them all")


def test_one_too_many_is_refused(broker):
    tunnel = Tunnel(broker, "--max-connections", "2")
    clients = [tunnel.connect() for _ in range(2)]
    for number, client in enumerate(clients):
        client.sendall(mqtt.connect(f"in{number}"))
        assert client.recv(4) == mqtt.CONNACK_ACCEPTED
    with tunnel.connect() as third:
        assert third.recv(1) == b""
    assert "--max-connections" in tunnel.process.wait_error("refused, 2 connections")
    clients.pop().close()
    eventually(lambda: tunnel.closed() == 1, what="room")
    with tunnel.connect() as again:
        again.sendall(mqtt.connect("again"))
        assert again.recv(4) == mqtt.CONNACK_ACCEPTED
    clients.pop().close()


def test_a_limit_on_files_lowers_the_limit_on_connections(broker):
    tool = broker.build.tool("mquic-tunnel")
    words = ["--listen", f"{HOST}:0", "--connect", f"quic://{HOST}:{broker.port}"]
    argv = ["sh", "-c", 'ulimit -n 40; exec "$@"', "sh", tool, *words]
    process = broker.adopt(Process(argv, broker.build.environment()))
    assert "so 4 connections" in process.wait_error("files open")


def test_several_listeners(broker):
    tunnel = Tunnel(broker, "--listen", "[::1]:0")
    line = tunnel.process.wait_line("Listening on [::1]:")
    port = int(re.search(r"\[::1\]:(\d+)", line)[1])
    with socket.create_connection(("::1", port), PATIENCE) as client:
        client.sendall(mqtt.connect("six"))
        assert client.recv(4) == mqtt.CONNACK_ACCEPTED
    tunnel.mosquitto("mosquitto_pub", "-t", "x", "-m", "y", "-q", "1")


def test_listening_to_the_world_is_warned_of(broker):
    tunnel = Tunnel(broker, "--listen", "0.0.0.0:0")
    assert "unencrypted" in tunnel.process.wait_error("0.0.0.0")


def never_answered(tunnel, name):
    """Fails if the client gets an answer. It may be cut off before connect() has returned."""
    try:
        with tunnel.connect() as client:
            client.sendall(mqtt.connect(name))
            assert client.recv(4) == b"", "an answer"
    except (ConnectionResetError, BrokenPipeError):
        pass


def test_no_broker(broker):
    tunnel = Tunnel(broker, port=free_udp_port())
    never_answered(tunnel, "lost")
    assert "cannot connect" in tunnel.process.wait_error("refused")


def test_a_broker_that_cannot_be_trusted(make_broker, certs):
    broker = make_broker(identity=certs.other_server).start()
    tunnel = Tunnel(broker)
    never_answered(tunnel, "wary")
    assert "certificate" in tunnel.process.wait_error("refused")
    assert "wary" not in broker.log()


def test_a_port_in_use_is_named(build, tunnel):
    where = f"{HOST}:{tunnel.port}"
    words = ["--listen", where, "--connect", "mqtt-quic://localhost"]
    done = build.run(build.tool("mquic-tunnel"), *words)
    assert done.returncode == 1
    assert where in done.stderr and "in use" in done.stderr


@pytest.mark.parametrize("number", ENDING_SIGNALS)
def test_a_signal_ends_it(tunnel, number):
    with tunnel.connect() as client:
        client.sendall(mqtt.connect("guest"))
        assert client.recv(4) == mqtt.CONNACK_ACCEPTED
        tunnel.process.signal(number)
        assert tunnel.process.wait() == 0
        with pytest.raises(ConnectionResetError):
            client.recv(4)
    eventually(lambda: "guest" in tunnel.broker.log().rpartition("CONNACK")[2], what="its end")


def test_it_comes_back_after_a_restart_of_the_broker(tunnel):
    tunnel.mosquitto("mosquitto_pub", "-t", "x", "-m", "y", "-q", "1")
    tunnel.broker.restart()
    tunnel.mosquitto("mosquitto_pub", "-t", "x", "-m", "y", "-q", "1")


def test_files_that_cannot_be_used_are_told_at_the_start(broker):
    tool = broker.build.tool("mquic-tunnel")
    words = ["--listen", f"{HOST}:0", "--connect", f"mqtt-quic://{HOST}:{broker.port}"]
    done = broker.build.run(tool, *words, "--cafile", "missing.crt")
    assert done.returncode == 1 and "missing.crt does not exist" in done.stderr
    assert "Listening" not in done.stdout
