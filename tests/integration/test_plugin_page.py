# SPDX-License-Identifier: MIT
"""plugin_opt_metrics with an address: a page for Prometheus that cannot hold the broker up."""

import shutil
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.clients import SessionClient
from harness.ports import free_tcp_port
from harness.process import eventually

GET = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
PLACES = 8


class Page:
    """A broker's page, and raw connections to it."""

    def __init__(self, broker, port):
        self.broker = broker
        self.port = port

    def open(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.settimeout(60)
        return connection

    def ask(self, request=GET):
        """Sends these bytes; (status line, head, body)."""
        with self.open() as connection:
            connection.sendall(request)
            return answer_of(connection)

    def value(self, name):
        body = self.ask()[2]
        return next(int(line.split()[1]) for line in body.splitlines() if line.startswith(name))


def answer_of(connection):
    data = b""
    while block := connection.recv(65536):
        data += block
    head, _, body = data.decode().partition("\r\n\r\n")
    status, _, head = head.partition("\r\n")
    length = next(line for line in head.split("\r\n") if line.startswith("Content-Length: "))
    assert int(length.split()[1]) == len(body.encode()), data
    return status, head, body


@pytest.fixture
def page(make_broker):
    port = free_tcp_port()
    # So seldom that nobody but who asks has the workers asked.
    options = {"metrics": f"http://127.0.0.1:{port}", "sys_interval": 3600}
    broker = make_broker(plugin_opts=options).start()
    return Page(broker, port)


def test_the_page_tells_of_now(page):
    status, head, body = page.ask()
    assert status == "HTTP/1.1 200 OK"
    assert "Content-Type: text/plain; version=0.0.4; charset=utf-8" in head
    assert 'mquic_workers{worker="1"} 1\n' in body
    assert 'mquic_clients{worker="1"} 0\n' in body
    client = SessionClient(page.broker, "seen")
    client.connect()
    eventually(lambda: page.value("mquic_clients{") == 1, what="a client")
    client.disconnect()
    eventually(lambda: page.value("mquic_clients{") == 0, what="none")


def test_the_page_comes_in_both_formats(page):
    from test_plugin_metrics import parsers

    types = b"Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n\r\n"
    status, head, body = page.ask(GET[:-2] + types)
    assert status == "HTTP/1.1 200 OK"
    assert "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8" in head
    assert body.endswith("# EOF\n")
    names = {family.name for family in parsers()[".txt"](body)}
    assert names == {family.name for family in parsers()[".prom"](page.ask()[2])}
    assert "mquic_handshakes_done" in names


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_reads_it(page):
    url = f"http://127.0.0.1:{page.port}/metrics"
    done = subprocess.run(["curl", "-sSf", url], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    assert "# TYPE mquic_clients gauge\n" in done.stdout


def test_it_goes_without_topics(make_broker):
    port = free_tcp_port()
    options = {"metrics": f"127.0.0.1:{port}", "sys_interval": 0}
    page = Page(make_broker(plugin_opts=options).start(), port)
    assert page.ask()[0] == "HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    "request_, status",
    [
        (b"GET / HTTP/1.1\r\n\r\n", "404 Not Found"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", "405 Method Not Allowed"),
        (b"\x16\x03\x01\x00\xf0", "400 Bad Request"),
        (b"\0" * 100000, "400 Bad Request"),
        (b"GET /metrics HTTP/2.0\r\n\r\n", "400 Bad Request"),
        (b"GET /" + b"a" * 100000, "431 Request Header Fields Too Large"),
        (b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 20000, "431 "),
    ],
    ids="page method tls nuls version target headers".split(),
)
def test_what_is_no_request_for_it_is_refused(page, request_, status):
    with page.open() as connection:
        try:
            connection.sendall(request_)
        except OSError:  # more than is read of anybody
            pass
        else:
            connection.shutdown(socket.SHUT_WR)
        try:
            assert answer_of(connection)[0].startswith(f"HTTP/1.1 {status}")
        except ConnectionResetError:
            assert len(request_) > 4096
    assert page.ask()[0] == "HTTP/1.1 200 OK"


def test_slow_requests_are_hung_up_on(page):
    with page.open() as slow:
        for byte in GET[:-1]:
            try:
                slow.send(bytes([byte]))
                slow.settimeout(0.2)
                if slow.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            pytest.fail("nobody minds a slow one")
    assert page.ask()[0] == "HTTP/1.1 200 OK"


def test_many_that_say_nothing_keep_nobody_out(page):
    client = SessionClient(page.broker, "other")
    client.connect()
    with ExitStack() as stack:
        for _ in range(10 * PLACES):
            silent = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            stack.enter_context(silent)
            silent.setblocking(False)
            silent.connect_ex(("127.0.0.1", page.port))
        assert page.ask()[0] == "HTTP/1.1 200 OK"
        client.publish("some/topic", "?", qos=1)


def test_those_who_ask_and_do_not_read_hold_nobody_up(page):
    """The broker serves its clients meanwhile, and the page others after them."""
    client = SessionClient(page.broker, "other")
    client.connect()
    with ExitStack() as stack:
        for _ in range(PLACES):
            deaf = stack.enter_context(page.open())
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            deaf.sendall(GET)
        for _ in range(20):
            client.publish("some/topic", "?", qos=1)
        assert page.ask()[0] == "HTTP/1.1 200 OK"


def test_one_who_asks_and_leaves(page):
    for _ in range(3 * PLACES):
        with page.open() as connection:
            connection.sendall(GET)
    assert page.ask()[0] == "HTTP/1.1 200 OK"


def test_nothing_is_left_of_visitors(page):
    def descriptors():
        return len(list(Path(f"/proc/{page.broker.pid}/fd").iterdir()))

    before = descriptors()
    for request in (GET, b"x", b"GET / HTTP/1.1\r\n\r\n") * 10:
        with page.open() as connection:
            connection.sendall(request)
    assert page.ask()[0] == "HTTP/1.1 200 OK"
    eventually(lambda: descriptors() <= before, what="as many descriptors as before")


def test_a_port_that_is_taken_stops_the_broker(make_broker):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, log = make_broker(plugin_opts={"metrics": f"127.0.0.1:{port}"}).refuse()
    assert code not in (0, None)
    assert f"plugin_opt_metrics: nobody can listen at 127.0.0.1:{port}: Address already in" in log


def test_the_port_is_there_again_after_a_restart(page):
    with page.open() as connection:
        connection.sendall(GET)
        answer_of(connection)
        page.broker.restart()
    assert page.ask()[0] == "HTTP/1.1 200 OK"
