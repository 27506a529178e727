# SPDX-License-Identifier: MIT
"""
The tests of the Python package: a real Mosquitto with the built plugin, real UDP on loopback.

Broker, certificates and proxy are those of tests/integration; mquic is imported from the build
directory, $MQUIC_BUILD or build/.
"""

import importlib.util
import os
import sys
import threading
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("MQUIC_BUILD", SOURCE / "build")).resolve()
INTEGRATION = SOURCE / "tests" / "integration"
sys.path[:0] = [str(BUILD / "bindings" / "python"), str(INTEGRATION)]

_spec = importlib.util.spec_from_file_location("integration_fixtures", INTEGRATION / "conftest.py")
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)
build = _fixtures.build
certs = _fixtures.certs
workdir = _fixtures.workdir
make_broker = _fixtures.make_broker
broker = _fixtures.broker
make_proxy = _fixtures.make_proxy

from fake_server import FakeServer  # noqa: E402  (needs the path above)
from harness.process import PATIENCE, heed_signals  # noqa: E402

import mquic  # noqa: E402
import mquic.client  # noqa: E402

heed_signals()


@pytest.fixture
def tls(certs):
    """Trusts the good authority."""
    return mquic.TLSSettings(ca_file=certs.ca)


@pytest.fixture
def serve(certs):
    """Starts a server that gives these answers; its port. All of them are in its `servers`."""
    servers = []

    def start(*answers):
        servers.append(FakeServer(certs.server, *answers))
        return servers[-1].port

    start.servers = servers
    yield start
    for one in servers:
        one.close()


class Recorder:
    """Callbacks that note what they get, and let a test wait for it."""

    def __init__(self):
        self.events = []
        self._changed = threading.Condition()

    def attach(self, client):
        for name in (
            "on_connect",
            "on_connect_fail",
            "on_disconnect",
            "on_message",
            "on_publish",
            "on_subscribe",
            "on_unsubscribe",
        ):
            setattr(client, name, self._noting(name))
        return client

    def _noting(self, name):
        def note(client, userdata, *rest):
            with self._changed:
                self.events.append((name, *rest))
                self._changed.notify_all()

        return note

    def of(self, name):
        with self._changed:
            return [event for event in self.events if event[0] == name]

    def wait(self, name, count=1, timeout=PATIENCE):
        """Waits until `name` was called `count` times; returns all calls of it."""
        with self._changed:
            done = self._changed.wait_for(
                lambda: sum(event[0] == name for event in self.events) >= count, timeout
            )
            assert done, f"no {count} times {name} within {timeout} s: {self.events[-20:]}"
        return self.of(name)


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def make_client(broker, tls):
    """make_client(recorder=None, start=True, **arguments): connected, its loop in a thread."""
    made = []

    def make(recorder=None, start=True, connect=(), **arguments):
        arguments.setdefault("tls", tls)
        client = mquic.Client(**arguments)
        made.append(client)
        if recorder is not None:
            recorder.attach(client)
        client.connect(broker.host, broker.port, **dict(connect))
        if start:
            client.loop_start()
        if recorder is not None and start:
            assert recorder.wait("on_connect")[0][2] == 0
        return client

    yield make
    for client in made:
        client.disconnect()
        client.loop_stop()
