# SPDX-License-Identifier: MIT
"""Where the broker understands the PROXY protocol (Mosquitto 2.1), it knows clients' addresses."""

import re

import pytest

from harness.build import broker_version
from harness.clients import SessionClient

NEEDS = "2.1, for Mosquitto 2.0 knows no PROXY protocol"
IS_2_1 = broker_version() >= (2, 1, 0)


def broker_with(make_broker, *lines, **options):
    """A broker whose hand-off listener takes the header, with these lines under it."""
    listener = ["enable_proxy_protocol 2", *lines]
    return make_broker(listener=listener, plugin_opts={"proxy_protocol": 2}, **options)


@pytest.mark.skipif(not IS_2_1, reason=f"needs {NEEDS}")
def test_the_log_of_the_broker_has_the_address(make_broker):
    broker = broker_with(make_broker).start()
    SessionClient(broker, "here").connect()
    ours = broker.wait_log(r"QUIC (127\.0\.0\.1:\d+) -> client id 'here'")[1]
    broker.wait_log(rf"New client connected from {re.escape(ours)} as here \(")


@pytest.mark.skipif(not IS_2_1, reason=f"needs {NEEDS}")
def test_the_log_of_the_broker_has_the_cipher(make_broker):
    broker = broker_with(make_broker).start()
    broker.pub("-i", "here", "-t", "x", "-m", "y", "-q", "1")
    broker.wait_log(r"Connection from 127\.0\.0\.1:\d+ negotiated TLSv1\.3 cipher AES-\d+-GCM")


@pytest.mark.skipif(not IS_2_1, reason=f"needs {NEEDS}")
def test_a_broker_that_takes_none_but_encrypted_clients_takes_ours(make_broker):
    broker = broker_with(make_broker, "proxy_protocol_v2_require_tls true").start()
    broker.pub("-t", "x", "-m", "y", "-q", "1")
    broker.sighup()
    broker.pub("-t", "x", "-m", "z", "-q", "1")


@pytest.mark.skipif(not IS_2_1, reason=f"needs {NEEDS}")
def test_without_the_option_the_plugin_says_what_is_missing(make_broker):
    broker = make_broker(listener=["enable_proxy_protocol 2"])
    broker.launch()
    broker.wait_log(r'no QUIC client is served.*add "plugin_opt_proxy_protocol 2"')


@pytest.mark.skipif(IS_2_1, reason="Mosquitto 2.1 knows the PROXY protocol")
def test_an_older_broker_refuses_the_option(make_broker):
    code, log = make_broker(plugin_opts={"proxy_protocol": 2}).refuse()
    assert code > 0 and "needs Mosquitto 2.1" in log, log
