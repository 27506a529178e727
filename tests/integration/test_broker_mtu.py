# SPDX-License-Identifier: MIT
"""Paths whose MTU is small, or gets small under a live connection (RFC 9000 section 14)."""

import pytest

from harness.clients import SessionClient
from harness.lan import Lan, RoutedLan
from harness.process import eventually

LARGE = "x" * 30_000
COUNT = 20


def publisher(broker, port=None, **settings):
    client = SessionClient(broker, "writer", port=port, settings=settings)
    client.connect()
    return client


def exchange_large(broker, client, shrink):
    """Large messages both ways; what `shrink` does happens in the middle of them."""
    client.subscribe("t", 1)
    identifiers = []
    for number in range(COUNT):
        if number == COUNT // 2:
            shrink()
        identifiers.append(client.do("publish", "t", 1, 0, LARGE)["id"])
    for identifier in identifiers:
        client.event("DELIVERED", id=identifier)
    for _ in range(COUNT):
        assert client.message()["payload"] == LARGE
    assert not client.events("DISCONNECTED")


def wait_for_large_packets(proxy):
    """Both sides have found out that more than 1200 bytes get through."""
    eventually(lambda: proxy.largest > 1200, what="large datagrams")


def test_a_path_that_silently_gets_small_loses_nothing(broker, make_proxy):
    proxy = make_proxy(broker)
    client = publisher(broker, proxy.port)
    client.publish("warm/up", LARGE, qos=1)
    wait_for_large_packets(proxy)

    def shrink():
        proxy.mtu = 1200

    exchange_large(broker, client, shrink)
    assert proxy.lost > 0


@pytest.fixture
def lan():
    try:
        with Lan() as made:
            with made.client():
                made.add("10.77.0.2/24")
                made.add("fd77::2/64")
            yield made
    except PermissionError:
        pytest.skip("making network namespaces needs root")


@pytest.fixture
def routed_lan():
    try:
        with RoutedLan() as made:
            yield made
    except PermissionError:
        pytest.skip("making network namespaces needs root")


def broker_for_all(make_broker):
    broker = make_broker()
    broker.set_option("listen", f"0.0.0.0:{broker.port}, [::]:{broker.port}")
    return broker.start()


@pytest.fixture
def lan_broker(lan, make_broker):
    return broker_for_all(make_broker)


@pytest.fixture
def far_broker(routed_lan, make_broker):
    return broker_for_all(make_broker)


def set_mtu(lan, mtu):
    lan.set_mtu(mtu, "server")
    with lan.client():
        lan.set_mtu(mtu)


@pytest.mark.parametrize("host", [Lan.server, Lan.server6], ids=["IPv4", "IPv6"])
def test_a_link_that_gets_small_loses_nothing(lan, lan_broker, host):
    with lan.client():
        client = publisher(lan_broker, host=host, server_name="localhost")
    exchange_large(lan_broker, client, lambda: set_mtu(lan, 1280))


def test_the_smallest_link_that_carries_quic(lan, lan_broker):
    set_mtu(lan, 1228)
    with lan.client():
        client = publisher(lan_broker, host=Lan.server, server_name="localhost")
    exchange_large(lan_broker, client, lambda: None)


def test_a_link_too_small_for_quic_is_told_as_such(lan, lan_broker):
    with lan.client():
        lan.set_mtu(1227)
        done = lan_broker.pub("-t", "t", "-m", "m", host=Lan.server, check=False)
    assert done.returncode != 0
    assert "carries only 1199 bytes in a datagram, and QUIC needs 1200: the MTU" in done.stderr


def narrow_behind_the_router(lan, mtu):
    """For packets to the server: who sends too large ones hears so from the router (ICMP)."""
    with lan.router():
        lan.set_mtu(mtu)


def test_a_router_with_a_small_link_behind_it_loses_nothing(routed_lan, far_broker):
    with routed_lan.client():
        client = publisher(far_broker, host=Lan.server, server_name="localhost")
    exchange_large(far_broker, client, lambda: narrow_behind_the_router(routed_lan, 1300))


def test_a_link_behind_a_router_too_small_for_quic_is_told_as_such(routed_lan, far_broker):
    narrow_behind_the_router(routed_lan, 1100)
    with routed_lan.client():
        done = far_broker.pub("-t", "t", "-m", "m", host=Lan.server, check=False)
    assert done.returncode != 0
    assert "carries only 1072 bytes in a datagram, and QUIC needs 1200: the MTU" in done.stderr
