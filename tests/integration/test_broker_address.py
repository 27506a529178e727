# SPDX-License-Identifier: MIT
"""Clients whose address changes while they are connected (RFC 9000 section 9)."""

import re
import time

import pytest

from harness.clients import SessionClient
from harness.lan import Lan

# Before anything that is due by the clock could help: a silent client pings every 15 s.
AT_ONCE = 12


@pytest.fixture
def lan():
    try:
        with Lan() as made:
            yield made
    except PermissionError:
        pytest.skip("making network namespaces needs root")


@pytest.fixture
def broker(lan, make_broker):
    broker = make_broker()
    broker.set_option("listen", f"0.0.0.0:{broker.port}, [::]:{broker.port}")
    return broker.start()


def subscriber(lan, broker, host):
    with lan.client():
        client = SessionClient(broker, "mover", settings={"host": host, "server_name": "localhost"})
        client.connect()
    client.subscribe("topic", 1)
    # HANDSHAKE_DONE has arrived, and with it identifiers for other paths.
    time.sleep(0.3)
    return client


def expect_message(broker, client, text):
    broker.tcp_pub("-t", "topic", "-q", "1", "-m", text)
    assert client.message(timeout=AT_ONCE)["payload"] == text
    assert not client.events("DISCONNECTED")
    assert not re.search(r"Client mover .*(disconnected|closed)", broker.log())


ADDRESSES = [
    pytest.param(Lan.server, "10.77.0.2/24", "10.77.0.3/24", id="IPv4"),
    pytest.param(Lan.server6, "fd77::2/64", "fd77::3/64", id="IPv6"),
]


@pytest.mark.parametrize("host, old, new", ADDRESSES)
def test_idle_subscriber_moves_when_its_address_is_replaced(lan, broker, host, old, new):
    with lan.client():
        lan.add(old)
    client = subscriber(lan, broker, host)
    with lan.client():
        lan.remove(old)
        lan.add(new)
    time.sleep(0.5)
    expect_message(broker, client, "hello")


@pytest.mark.parametrize("host, old, new", ADDRESSES)
def test_subscriber_without_address_for_a_while(lan, broker, host, old, new):
    with lan.client():
        lan.add(old)
    client = subscriber(lan, broker, host)
    with lan.client():
        lan.remove(old)
    time.sleep(1)
    with lan.client():
        lan.add(new)
    expect_message(broker, client, "hello again")


@pytest.mark.parametrize("host, old, new", ADDRESSES)
def test_subscriber_follows_the_preferred_address(lan, broker, host, old, new):
    with lan.client():
        lan.add(old)
        lan.add(new)
        lan.prefer(old.split("/")[0])
    client = subscriber(lan, broker, host)
    with lan.client():
        lan.prefer(new.split("/")[0])
    time.sleep(0.5)
    with lan.client():
        lan.remove(old)
    expect_message(broker, client, "hello from elsewhere")


def test_publisher_loses_nothing_on_its_way(lan, broker):
    with lan.client():
        lan.add("10.77.0.2/24")
    client = subscriber(lan, broker, Lan.server)
    receiver = broker.tcp_sub("-t", "way", "-q", "1")
    for number in range(300):
        client.do("publish", "way", 1, 0, str(number))
        if number % 50 == 25:
            with lan.client():
                lan.remove(f"10.77.0.{2 + number // 50}/24")
                lan.add(f"10.77.0.{3 + number // 50}/24")
            time.sleep(0.3)
    assert receiver.wait_lines(300) == [str(number) for number in range(300)]
    assert not client.events("DISCONNECTED")
