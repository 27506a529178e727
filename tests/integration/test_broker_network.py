# SPDX-License-Identifier: MIT
"""A bad network: loss, delay, reordering, duplication, outages, a NAT that forgets."""

import threading
import time

from harness.clients import SessionClient, exchange, many_clients

UNBOUNDED = ["max_queued_messages 0"]


def test_thousand_qos_2_messages_each_way_with_10_percent_loss(make_broker, make_proxy):
    broker = make_broker(top=UNBOUNDED).start()
    proxy = make_proxy(broker, loss=0.1, delay_ms=2, seed=7)
    done, sides = exchange(broker, proxy.port, qos=2, count=1000, timeout_ms=120000, timeout=150)
    assert done.returncode == 0, done
    for side in sides.values():
        assert (side["delivered"], side["received"]) == ("1000", "1000")
        assert (side["duplicates"], side["missing"], side["disorder"]) == ("0", "0", "0")
    assert proxy.lost > 100


def test_thousand_qos_2_messages_of_the_tools_with_10_percent_loss(make_broker, make_proxy):
    broker = make_broker(top=UNBOUNDED).start()
    proxy = make_proxy(broker, loss=0.1, delay_ms=2, seed=11)
    lines = [f"message {number}" for number in range(1000)]
    text = "\n".join(lines) + "\n"
    up = broker.tcp_sub("-t", "up", "-q", "2")
    down = broker.sub("-t", "down", "-q", "2", port=proxy.port)
    broker.pub("-t", "up", "-q", "2", "-l", port=proxy.port, input=text, timeout=120)
    broker.tcp_lines("down", lines, qos=2)
    assert up.wait_lines(1000, 60) == lines
    assert down.wait_lines(1000, 120) == lines
    time.sleep(1)
    assert (len(up.lines), len(down.lines)) == (1000, 1000)


def test_reordering_and_duplication(make_broker, make_proxy):
    broker = make_broker(top=UNBOUNDED).start()
    proxy = make_proxy(broker, duplicate=0.2, delay_ms=1, jitter_ms=10, seed=3)
    done, _ = exchange(broker, proxy.port, qos=1, count=300)
    assert done.returncode == 0, done


def test_large_messages_with_loss(broker, make_proxy):
    proxy = make_proxy(broker, loss=0.03, delay_ms=2, seed=5)
    done, _ = exchange(broker, proxy.port, qos=1, count=4, size=500_000, timeout_ms=80000)
    assert done.returncode == 0, done


def test_handshakes_get_through_30_percent_loss(broker, make_proxy):
    proxy = make_proxy(broker, loss=0.3, delay_ms=5, seed=9)
    done = many_clients(broker, proxy.port, count=20, timeout_ms=60000, handshake_timeout_ms=60000)
    # A goodbye has three seconds to be acknowledged, in which nothing may get through.
    assert "connected=20 subscribed=20 received=20 delivered=20" in done.stdout, done


def test_an_outage_shorter_than_the_idle_timeout_is_survived(broker, make_proxy):
    proxy = make_proxy(broker)
    client = SessionClient(broker, "patient", port=proxy.port)
    client.connect()
    client.subscribe("t", 1)
    proxy.blackhole = True
    answer = client.do("publish", "t", 1, 0, "into the void")
    time.sleep(2)
    proxy.blackhole = False
    client.event("DELIVERED", id=answer["id"])
    assert client.message()["payload"] == "into the void"
    assert broker.connections() == ["patient"]


def test_a_new_nat_binding_keeps_the_session(broker, make_proxy):
    proxy = make_proxy(broker, delay_ms=1)
    client = SessionClient(broker, "mover", port=proxy.port)
    client.connect()
    client.subscribe("t", 2)
    for number in range(5):
        proxy.rebind()
        client.publish("t", f"up {number}", qos=2)
        assert client.message()["payload"] == f"up {number}"
        broker.pub("-t", "t", "-q", "2", "-m", f"down {number}")
        assert client.message()["payload"] == f"down {number}"
    assert client.events("DISCONNECTED") == []
    assert broker.connections().count("mover") == 1


def test_rebinding_amid_traffic_loses_nothing(make_broker, make_proxy):
    broker = make_broker(top=UNBOUNDED).start()
    proxy = make_proxy(broker, delay_ms=2, loss=0.02, seed=13)
    stop = threading.Event()

    def shake():
        # RFC 9000 section 9: an address may change once the handshake is confirmed.
        while len(broker.connections()) < 2 and not stop.wait(0.1):
            pass
        while not stop.wait(0.5):
            proxy.rebind()

    shaker = threading.Thread(target=shake)
    shaker.start()
    options = {"qos": 2, "count": 600, "interval_ms": 5}
    try:
        # Whoever has nothing to say must tell the server about its new address now and then.
        done, _ = exchange(broker, proxy.port, keep_alive_ms=1000, timeout=100, **options)
    finally:
        stop.set()
        shaker.join()
    assert done.returncode == 0, done
    assert len(broker.connections()) == 2


def test_publishing_through_a_dead_network_fails_with_a_sentence(broker, make_proxy):
    proxy = make_proxy(broker)
    proxy.blackhole = True
    done = broker.pub("-t", "x", "-m", "y", port=proxy.port, check=False, timeout=40)
    assert done.returncode != 0
    assert "time" in done.stderr.lower() or "answer" in done.stderr.lower(), done


def test_ipv6(make_broker):
    broker = make_broker()
    broker.set_option("listen", f"127.0.0.1:{broker.port}, [::1]:{broker.port}")
    broker.start()
    sub = broker.sub("-t", "a", "-C", "1")
    broker.pub("-t", "a", "-q", "2", "-m", "over IPv6", host="::1")
    assert sub.wait() == 0
    assert sub.lines == ["over IPv6"]
    assert "QUIC [::1]:" in broker.log()
