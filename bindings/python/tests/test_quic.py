# SPDX-License-Identifier: MIT
"""QUIC without MQTT."""

import gc
import socket
import threading
import time
from dataclasses import replace

import pytest
from conftest import PATIENCE

import mquic
from mquic import EventType, quic


@pytest.fixture
def server_tls(certs):
    return mquic.TLSSettings(certificate=certs.server.cert, key=certs.server.key, ca_file=certs.ca)


def all_of(accept):
    """What can be accepted without waiting."""
    while True:
        try:
            yield accept(timeout=0)
        except mquic.WouldBlock:
            return


class Echo(threading.Thread):
    """An echo server that waits in one thread: accepts, and sends back what comes."""

    def __init__(self, tls):
        super().__init__(daemon=True)
        self.endpoint = quic.Endpoint()
        self.port = self.endpoint.listen("127.0.0.1", 0, tls=tls, alpn="echo")
        self._over = False
        self.start()

    def run(self):
        kept = {}
        while not self._over:
            self.endpoint.wait(0.2)
            for event in self.endpoint.events():
                if event.type == EventType.ACCEPTABLE:
                    for connection in all_of(self.endpoint.accept):
                        kept[connection] = []
                elif event.type == EventType.STREAM_ACCEPTABLE:
                    for stream in all_of(event.connection.accept_stream):
                        kept[event.connection].append(stream)
                        self.echo(stream)
                elif event.type in (EventType.STREAM_READABLE, EventType.STREAM_WRITABLE):
                    self.echo(event.stream)
                elif event.type == EventType.STREAM_CLOSED:
                    kept[event.connection].remove(event.stream)  # makes room for another
                elif event.type == EventType.CONNECTION_CLOSED:
                    del kept[event.connection]

    def echo(self, stream):
        try:
            while data := stream.recv(timeout=0):
                stream.send(data, timeout=0)
            stream.finish()
        except (mquic.WouldBlock, mquic.ClosedError, mquic.StateError):
            pass

    def stop(self):
        self._over = True
        self.endpoint.wakeup()
        self.join(PATIENCE)
        self.endpoint.close()


@pytest.fixture
def echo(server_tls):
    server = Echo(server_tls)
    yield server
    server.stop()


def test_echo(echo, tls):
    with quic.connect("127.0.0.1", echo.port, tls=tls, alpn="echo", timeout=PATIENCE) as connection:
        stream = connection.open_stream()
        assert stream.send(b"hello") == 5
        assert stream.recv(timeout=PATIENCE) == b"hello"
        stream.finish()
        assert stream.recv(timeout=PATIENCE) == b""
        stream.flush(timeout=PATIENCE)
        assert (stream.id, stream.bytes_sent, stream.bytes_received, stream.bytes_pending) == (
            0,
            5,
            5,
            0,
        )
        info = connection.info()
        assert (info.alpn, info.tls_version) == ("echo", "TLS1.3")
        assert "IP:127.0.0.1" in info.peer_alt_names
        assert info.peer_subject == "CN=localhost"
        assert info.peer_subject_der is not None
        assert info.peer_subject_der.endswith(b"localhost")
        assert connection.statistics().packets_sent > 2


def resumes(endpoint, echo, tls):
    """With a word that comes back: by then the ticket is there, too."""
    with endpoint.dial("127.0.0.1", echo.port, tls=tls, alpn="echo") as connection:
        connection.handshake(PATIENCE)
        stream = connection.open_stream()
        stream.send(b"x")
        assert stream.recv(timeout=PATIENCE) == b"x"
        return connection.info().resumed


def test_a_client_that_comes_back_resumes(echo, tls):
    with quic.Endpoint() as endpoint:
        assert [resumes(endpoint, echo, tls) for _ in range(3)] == [False, True, True]
        assert endpoint.statistics().handshakes_resumed == 2
        assert not resumes(endpoint, echo, replace(tls, resumption=False))


def test_the_next_program_resumes_with_a_file(echo, tls, workdir):
    kept = replace(tls, ticket_file=workdir / "tickets")
    for resumed in (False, True):
        with quic.Endpoint() as endpoint:
            assert resumes(endpoint, echo, kept) == resumed


def test_an_endpoint_counts(echo, tls, certs):
    endpoint = quic.Endpoint()
    with endpoint, endpoint.dial("127.0.0.1", echo.port, tls=tls, alpn="echo") as connection:
        connection.handshake(PATIENCE)
        counts = endpoint.statistics()
        assert (counts.handshakes_begun, counts.handshakes_done, counts.connections) == (1, 1, 1)
        assert counts.bytes_sent == connection.statistics().bytes_sent
        assert counts.memory == connection.statistics().memory
        wrong = endpoint.dial("127.0.0.1", echo.port, tls=tls, alpn="other")
        with pytest.raises(mquic.TLSError):
            wrong.handshake(PATIENCE)
        counts = endpoint.statistics()
        assert (counts.handshakes_failed, counts.failed_alpn, counts.failed_by_peer) == (1, 1, 1)
        assert counts.connections == 1
    with pytest.raises(mquic.ClosedError):
        endpoint.statistics()


def test_migrate(echo, tls):
    with quic.connect("127.0.0.1", echo.port, tls=tls, alpn="echo", timeout=PATIENCE) as connection:
        before = connection.info().local_address
        stream = connection.open_stream()
        stream.sendall(b"here")
        assert stream.recv(timeout=PATIENCE) == b"here"
        deadline = time.monotonic() + PATIENCE
        while True:  # allowed once the server has confirmed the handshake
            try:
                connection.migrate()
                break
            except mquic.WouldBlock:
                assert time.monotonic() < deadline
                connection.endpoint.wait(0.05)
        while connection.info().local_address == before:
            assert time.monotonic() < deadline
            connection.endpoint.wait(0.05)
        stream.sendall(b"there")
        # The echo may come in pieces: to a new address no more goes than three times what came.
        back = b""
        while len(back) < 5:
            back += stream.recv(timeout=PATIENCE)
        assert back == b"there"
    with pytest.raises(mquic.ClosedError):
        connection.migrate()


def test_much_data_both_ways(echo, tls):
    connection = quic.connect("127.0.0.1", echo.port, tls=tls, alpn="echo", timeout=PATIENCE)
    stream = connection.open_stream()
    sent = bytes(range(256)) * 400  # less than both windows hold, as nobody reads meanwhile
    stream.sendall(memoryview(sent), timeout=PATIENCE)
    stream.finish()
    received = bytearray()
    room = bytearray(3000)
    while n := stream.recv_into(room, timeout=PATIENCE):
        received += room[:n]
    assert received == sent


def test_many_streams(echo, tls):
    connection = quic.connect("127.0.0.1", echo.port, tls=tls, alpn="echo", timeout=PATIENCE)
    streams = [connection.open_stream() for _ in range(50)]  # more than the peer allows at once
    for n, stream in enumerate(streams):
        stream.sendall(b"%d" % n)
        stream.finish()
    for n, stream in enumerate(streams):
        assert stream.recv(timeout=PATIENCE) == b"%d" % n
        assert stream.recv(timeout=PATIENCE) == b""


def test_threads_wait_on_one_endpoint(echo, tls):
    connection = quic.connect("127.0.0.1", echo.port, tls=tls, alpn="echo", timeout=PATIENCE)
    results = []

    def work(number):
        stream = connection.open_stream()
        for n in range(50):
            stream.sendall(b"%d:%d" % (number, n))
            results.append(stream.recv(timeout=PATIENCE) == b"%d:%d" % (number, n))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert results == [True] * 200


def test_timeouts(echo, tls):
    connection = quic.connect("127.0.0.1", echo.port, tls=tls, alpn="echo", timeout=PATIENCE)
    stream = connection.open_stream()
    with pytest.raises(mquic.WouldBlock):
        stream.recv(timeout=0)
    before = time.monotonic()
    with pytest.raises(mquic.TimedOutError):
        stream.recv(timeout=0.2)
    assert 0.15 < time.monotonic() - before < PATIENCE
    with pytest.raises(ValueError):
        stream.recv(0)


def test_a_stream_says_why_it_refuses(echo, tls):
    connection = quic.connect("127.0.0.1", echo.port, tls=tls, alpn="echo", timeout=PATIENCE)
    stream = connection.open_stream()
    stream.finish()
    with pytest.raises(mquic.MquicError, match="was finished by this side"):
        stream.send(b"more")


def test_close_codes(server_tls, tls):
    server = quic.Endpoint()
    port = server.listen("127.0.0.1", 0, tls=server_tls, alpn="x")
    client = quic.Endpoint().dial("127.0.0.1", port, tls=tls, alpn="x")
    deadline = time.monotonic() + PATIENCE
    accepted = None
    while accepted is None:
        assert time.monotonic() < deadline
        client.endpoint.wait(0.01)
        try:
            accepted = server.accept(timeout=0.01)
        except mquic.TimedOutError:
            pass
    client.handshake(PATIENCE)
    accepted.close(7, "enough")
    with pytest.raises(mquic.MquicError) as error:
        client.open_stream().recv(timeout=PATIENCE)
        client.open_stream().recv(timeout=PATIENCE)
    for _ in range(20):
        client.endpoint.wait(0.1)
        ends = [event for event in client.endpoint.events() if event.error]
        if ends:
            break
    assert client.error.origin == mquic.Origin.PEER and client.error.code == 7
    assert "enough" in str(client.error)
    assert error.value.status in (mquic.Status.CLOSED, mquic.Status.OK)
    accepted.close()  # twice is fine


def test_refused_and_wrong_trust(echo, tls, certs):
    with pytest.raises(mquic.RefusedError):
        quic.connect("127.0.0.1", 9, tls=tls, timeout=PATIENCE)
    with pytest.raises(mquic.TLSError):
        quic.connect("127.0.0.1", echo.port, tls=tls, alpn="not-echo", timeout=PATIENCE)
    with pytest.raises(mquic.TLSError):
        other = mquic.TLSSettings(ca_file=certs.other_ca)
        quic.connect("127.0.0.1", echo.port, tls=other, alpn="echo", timeout=PATIENCE)
    insecure = mquic.TLSSettings(ca_file=certs.other_ca, insecure=True)
    quic.connect("127.0.0.1", echo.port, tls=insecure, alpn="echo", timeout=PATIENCE).close()


def test_settings(echo, tls, workdir):
    keylog = workdir / "keys"
    settings = mquic.QUICSettings(
        idle_timeout=5,
        handshake_timeout=12.5,
        initial_rtt=0.05,
        keep_alive=1,
        max_streams=3,
        receive_window=65536,
        send_buffer=65536,
        congestion_control=mquic.CongestionControl.BBR,
        redundancy=mquic.Redundancy.OFF,
        retry=mquic.Retry.ALWAYS,
        max_connections=5,
        max_connections_per_address=2,
        max_handshakes=3,
        worker=1,
        workers=2,
    )
    trust = mquic.TLSSettings(ca_file=tls.ca_file, keylog_file=keylog, server_name="localhost")
    where = {"tls": trust, "quic": settings, "alpn": "echo", "timeout": PATIENCE}
    quic.connect("127.0.0.1", echo.port, **where).close()
    assert b"CLIENT_HANDSHAKE_TRAFFIC_SECRET" in keylog.read_bytes()
    for wrong in ({"idle_timeout": 0.1}, {"max_streams": 0}, {"receive_window": 1}):
        with pytest.raises(ValueError):
            quic.Endpoint().dial("127.0.0.1", 9, quic=mquic.QUICSettings(**wrong))


def test_a_server_is_one_of_several_workers(server_tls):
    with quic.Endpoint() as endpoint:
        endpoint.listen("127.0.0.1", tls=server_tls, quic=mquic.QUICSettings(worker=1, workers=2))
        with pytest.raises(mquic.InvalidError, match="no worker 2 among 2"):
            wrong = mquic.QUICSettings(worker=2, workers=2)
            endpoint.listen("127.0.0.1", tls=server_tls, quic=wrong)


def test_a_server_shares_a_secret(server_tls, workdir):
    first = workdir / "first.key"
    settings = mquic.QUICSettings(server_secret=b"x" * 32, reset_key_file=first)
    assert "xxx" not in repr(settings)
    with quic.Endpoint() as endpoint:
        endpoint.listen("127.0.0.1", tls=server_tls, quic=settings)
        assert first.read_text() not in ("", "78" * 32 + "\n")  # it goes first
        for wrong, error in ((b"short", ValueError), (32, TypeError), ("x" * 32, TypeError)):
            with pytest.raises(error):
                settings = mquic.QUICSettings(server_secret=wrong)
                endpoint.listen("127.0.0.1", tls=server_tls, quic=settings)


def test_a_server_keeps_its_reset_key(server_tls, workdir):
    settings = mquic.QUICSettings(reset_key_file=workdir / "reset.key")
    keys = []
    for _ in range(2):
        with quic.Endpoint() as endpoint:
            endpoint.listen("127.0.0.1", tls=server_tls, quic=settings)
        keys.append((workdir / "reset.key").read_text())
    assert len(keys[0]) == 65 and keys[0] == keys[1]


def test_use_after_close(echo, tls, server_tls):
    connection = quic.connect("127.0.0.1", echo.port, tls=tls, alpn="echo", timeout=PATIENCE)
    stream = connection.open_stream()
    endpoint = connection.endpoint
    endpoint.close()
    endpoint.close()
    assert endpoint.closed
    for call in (
        lambda: stream.send(b"x"),
        lambda: stream.recv(timeout=1),
        lambda: connection.open_stream(),
        lambda: connection.accept_stream(timeout=1),
        lambda: endpoint.dial("127.0.0.1", 9),
        lambda: endpoint.accept(timeout=1),
        lambda: endpoint.process(),
        lambda: endpoint.listen("127.0.0.1", tls=server_tls),
    ):
        with pytest.raises(mquic.MquicError):
            call()
    assert connection.info().alpn == "echo"  # facts stay readable
    connection.close()


@pytest.mark.parametrize("order", ["esc", "ecs", "sec", "sce", "ces", "cse"])
def test_dropped_in_any_order(echo, tls, order):
    endpoint = quic.Endpoint()
    connection = endpoint.dial("127.0.0.1", echo.port, tls=tls, alpn="echo")
    stream = connection.open_stream()
    stream.send(b"x")
    connection.handshake(PATIENCE)
    things = {"e": endpoint, "c": connection, "s": stream}
    endpoint = connection = stream = None
    for name in order:
        del things[name]
        gc.collect()


def test_dropped_connection_is_closed(server_tls, tls):
    server = quic.Endpoint()
    port = server.listen("127.0.0.1", 0, tls=server_tls)
    client = quic.Endpoint()
    connection = client.dial("127.0.0.1", port, tls=tls)
    accepted = None
    deadline = time.monotonic() + PATIENCE
    while accepted is None and time.monotonic() < deadline:
        client.wait(0.01)
        try:
            accepted = server.accept(timeout=0.01)
        except mquic.TimedOutError:
            pass
    del connection
    while accepted.error is None and time.monotonic() < deadline:
        client.wait(0.01)
        server.wait(0.01)
    assert accepted.error.origin == mquic.Origin.PEER and accepted.error.code == 0


def test_certificate_by_name(certs):
    """Each name gets the certificate that is for it, and one that is for none gets the first."""
    elsewhere = certs.wrong_host
    tls = mquic.TLSSettings(
        certificate=certs.server.cert,
        key=certs.server.key,
        more_certificates=[(elsewhere.cert, elsewhere.key)],
    )
    echo = Echo(tls)

    def dial(name):
        trust = mquic.TLSSettings(ca_file=certs.ca, server_name=name)
        quic.connect("127.0.0.1", echo.port, tls=trust, alpn="echo", timeout=PATIENCE).close()

    try:
        for name in ("localhost", "elsewhere.example", "ELSEWHERE.example"):
            dial(name)
        with pytest.raises(mquic.TLSError, match="for localhost"):
            dial("third.example")
    finally:
        echo.stop()
    with pytest.raises(mquic.InvalidError, match="the key is missing"):
        bad = mquic.TLSSettings(
            certificate=elsewhere.cert, key=elsewhere.key, more_certificates=[("x.crt", None)]
        )
        quic.Endpoint().listen("127.0.0.1", tls=bad)


def test_listen_errors(server_tls, echo):
    endpoint = quic.Endpoint()
    with pytest.raises(mquic.InvalidError):
        endpoint.listen("localhost", tls=server_tls)
    with pytest.raises(mquic.InvalidError):
        endpoint.listen("127.0.0.1", tls=mquic.TLSSettings(certificate="only-one.crt"))
    with pytest.raises(mquic.TLSError):
        endpoint.listen("127.0.0.1", tls=mquic.TLSSettings())
    with pytest.raises(mquic.SystemCallError):
        endpoint.listen("127.0.0.1", echo.port, tls=server_tls)
    with pytest.raises(ValueError):
        endpoint.listen("127.0.0.1\0", tls=server_tls)
    endpoint.reload()
    assert endpoint.expiring() == []


@pytest.fixture
def bound():
    """A UDP socket of the loopback, which a test may let go."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock


@pytest.mark.parametrize("as_number", [False, True])
def test_listen_on_a_socket(server_tls, tls, bound, as_number):
    """One that is handed over belongs to the endpoint, and serves as any other does."""
    server, client = quic.Endpoint(), quic.Endpoint()
    port = bound.getsockname()[1]
    handed = bound.detach() if as_number else bound
    assert server.listen_socket(handed, tls=server_tls) == port
    assert bound.fileno() == -1
    connection = client.dial("127.0.0.1", port, tls=tls)
    deadline = time.monotonic() + PATIENCE
    accepted = []
    while not accepted and time.monotonic() < deadline:
        client.wait(0.01)
        server.wait(0.01)
        accepted = list(all_of(server.accept))
    assert accepted and connection.error is None


def test_listen_on_a_socket_errors(server_tls, bound):
    endpoint = quic.Endpoint()
    with socket.socket() as tcp, pytest.raises(mquic.InvalidError, match="no UDP socket"):
        endpoint.listen_socket(tcp, tls=server_tls)
    with socket.socket(type=socket.SOCK_DGRAM) as fresh:
        with pytest.raises(mquic.InvalidError, match="not bound"):
            endpoint.listen_socket(fresh, tls=server_tls)
    with pytest.raises(mquic.InvalidError, match="descriptor -1"):
        endpoint.listen_socket(fresh, tls=server_tls)  # closed by now
    with pytest.raises(mquic.TLSError):
        endpoint.listen_socket(bound, tls=mquic.TLSSettings())
    assert bound.getsockname()[1] > 0, "what was refused stays the caller's"
    for sock in ("3", None, 3.0):
        with pytest.raises(TypeError):
            endpoint.listen_socket(sock, tls=server_tls)
    with pytest.raises(ValueError):
        endpoint.listen_socket(2**31, tls=server_tls)


def test_expiring(server_tls):
    endpoint = quic.Endpoint()
    endpoint.listen("127.0.0.1", tls=server_tls)
    assert endpoint.expiring() == []
    assert endpoint.expiring(days=0) == []
    with pytest.raises(TypeError):
        endpoint.expiring("soon")


def test_wrong_arguments(echo, tls):
    for port in ("443", None, 1.0):
        with pytest.raises(TypeError, match="the port must be a whole number"):
            quic.connect("localhost", port)
    for port in (-1, 0, 65536):
        with pytest.raises(ValueError, match="the port must be 1 to 65535"):
            quic.connect("localhost", port)
    with quic.connect("127.0.0.1", echo.port, tls=tls, alpn="echo", timeout=PATIENCE) as connection:
        stream = connection.open_stream()
        for call in (stream.reset, stream.stop, connection.close):
            with pytest.raises(TypeError, match="the code must be a whole number"):
                call("1")
            with pytest.raises(ValueError, match="the code must be 0 to"):
                call(2**62)
        with pytest.raises(TypeError):
            stream.send("text")
        stream.finish()
        with pytest.raises(mquic.StateError, match="finish"):
            stream.send(b"x")
