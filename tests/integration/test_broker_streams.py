# SPDX-License-Identifier: MIT
"""
Several streams of one client, as emqtt, NanoSDK and FlowSDK open them, on one session of the real
broker: what doc/streams.md promises.
"""

import functools
import struct

import pytest

from harness import mqtt
from harness.process import eventually
from harness.streams import PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK, UNSUBACK, Client

LEVELS = [4, 5]
QOS = [0, 1, 2]
ROUTES = 0x0F000000  # the subscription identifiers that must not be seen


@pytest.fixture
def connect_to(mquic):
    made = []

    def make(broker, level=4, client_id="streams", **options):
        made.append(Client(mquic, broker, level, client_id, **options))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def connect(connect_to, broker):
    return functools.partial(connect_to, broker)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("qos", QOS)
def test_messages_from_streams_reach_a_subscriber(broker, connect, level, qos):
    sub = broker.tcp_sub("-t", "from/#", "-q", qos, "-C", 3, "-v")
    client = connect(level)
    first, second = client.open(), client.open()
    # The same identifier is out on all three.
    for name, stream in ("first", first), ("second", second), ("control", client.control):
        stream.published(f"from/{name}", b"hello", qos, packet_id=7)
    client.ping()  # nothing leaves while nobody waits for something
    assert sub.wait() == 0
    assert sorted(sub.lines) == ["from/control hello", "from/first hello", "from/second hello"]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("qos", QOS)
def test_messages_come_on_the_stream_that_subscribed(broker, connect, level, qos):
    client = connect(level)
    first, second = client.open(), client.open()
    first.subscribed("a/first", qos)
    second.subscribed("a/second", qos)
    client.control.subscribed("a/control", qos)
    for name in "second", "control", "first":
        broker.tcp_pub("-t", f"a/{name}", "-q", qos, "-m", name)
    first.message("a/first", b"first", qos)
    second.message("a/second", b"second", qos)
    client.control.message("a/control", b"control", qos)
    for stream in first, second, client.control:
        assert stream.nothing()


def test_streams_may_come_before_connack(broker, mquic):
    sub = broker.tcp_sub("-t", "early", "-C", 1)
    connection = mquic.quic.connect(
        broker.host, broker.port, tls=mquic.TLSSettings(ca_file=broker.certs.ca), timeout=30
    )
    control, data = connection.open_stream(), connection.open_stream()
    data.sendall(mqtt.publish("early", b"bird"), timeout=30)
    control.sendall(mqtt.connect("early"), timeout=30)
    data.flush(timeout=30)
    assert control.recv(timeout=30) == mqtt.CONNACK_ACCEPTED
    control.sendall(mqtt.PINGREQ, timeout=30)
    assert control.recv(timeout=30) == mqtt.PINGRESP
    assert sub.wait() == 0
    assert sub.lines == ["bird"]
    connection.close()


def overlapping(broker, client):
    """Four streams that all want o/x, two of which want o/y."""
    wide, narrow, same = client.open(), client.open(), client.open()
    client.control.subscribed("#", 1)
    wide.subscribed("o/#", 1)
    narrow.subscribed("o/x", 1)
    same.subscribed("o/x", 1)
    broker.tcp_pub("-t", "o/x", "-q", 1, "-m", "all")
    return wide, narrow, same, client.control


# Mosquitto 2.0 sends a client no copies unless it is told to, 2.1 unless it is told not to.
@pytest.mark.parametrize("level, copies", [(4, False), (5, False), (5, True)])
def test_overlapping_subscriptions_are_served_on_each_stream(
    make_broker, connect_to, level, copies
):
    broker = make_broker(top=[f"allow_duplicate_messages {str(copies).lower()}"]).start()
    client = connect_to(broker, level)
    wide, narrow, same, _ = streams = overlapping(broker, client)
    for stream in streams:
        stream.message("o/x", b"all", 1)
    broker.tcp_pub("-t", "o/y", "-q", 1, "-m", "some")
    for stream in wide, client.control:
        stream.message("o/y", b"some", 1)
    for stream in wide, narrow, same, client.control:
        assert stream.nothing()
    # All is settled: nothing is sent again to whoever takes the session over.
    client.ping()


def test_clients_of_3_1_1_get_the_copies_that_the_broker_sends(make_broker, connect_to):
    """Nobody can tell whose a copy is: each goes to each stream, as all go to a single one."""
    broker = make_broker(top=["allow_duplicate_messages true"]).start()
    client = connect_to(broker, 4)
    for stream in overlapping(broker, client):
        for _ in range(3):  # for #, o/# and o/x
            stream.message("o/x", b"all", 1)
        assert stream.nothing()
    client.ping()


def test_identifiers_of_the_client_come_back_and_ours_do_not(broker, connect):
    client = connect(5)
    named, nameless = client.open(), client.open()
    named.subscribed("n/#", 0, subscription_id=77)
    nameless.subscribed("n/x", 0)
    broker.tcp_pub("-t", "n/x", "-m", "one")
    assert named.message("n/x", b"one").properties == bytes([0x0B, 77])
    assert nameless.message("n/x", b"one").properties == b""


@pytest.mark.parametrize("level", LEVELS)
def test_retained_messages_come_where_they_are_asked_for(broker, connect, level):
    broker.tcp_pub("-t", "r/x", "-q", 1, "-r", "-m", "old")
    client = connect(level)
    client.control.subscribed("other")
    first, second = client.open(), client.open()
    for stream in first, second:
        stream.subscribe("r/x", 1)
        kinds = {packet.type: packet for packet in (stream.packet(), stream.packet())}
        assert set(kinds) == {SUBACK, PUBLISH}
        assert kinds[PUBLISH].rest == b"old"
        stream.send(stream.ack(PUBACK, kinds[PUBLISH].id))
    for stream in first, second, client.control:
        assert stream.nothing()


@pytest.mark.parametrize("level", LEVELS)
def test_any_stream_may_unsubscribe_and_ping(broker, connect, level):
    client = connect(level)
    stream = client.open()
    stream.subscribed("u")
    client.ping(stream)
    client.control.unsubscribe("u", packet_id=9)
    answer = client.control.expect(UNSUBACK, 9)
    assert level == 4 or answer.rest == b"\0"
    broker.tcp_pub("-t", "u", "-m", "unheard")
    client.ping(stream)
    assert stream.nothing()
    assert client.control.nothing()


@pytest.mark.parametrize("level", LEVELS)
def test_a_filter_is_kept_for_the_stream_that_goes_on(broker, connect, level):
    client = connect(level)
    first, second = client.open(), client.open()
    first.subscribed("k", 1)
    second.subscribed("k", 1)
    first.unsubscribe("k")
    first.expect(UNSUBACK, 1)
    broker.tcp_pub("-t", "k", "-q", 1, "-m", "still")
    second.message("k", b"still", 1)
    assert first.nothing()


@pytest.mark.parametrize("level", LEVELS)
def test_a_filter_of_two_streams_keeps_the_higher_qos(broker, connect, level):
    client = connect(level)
    first, second = client.open(), client.open()
    first.subscribed("k", 1)
    second.subscribed("k", 0)
    broker.tcp_pub("-t", "k", "-q", 1, "-m", "as granted")
    first.message("k", b"as granted", 1)
    # There is one copy of it: the broker has one subscription for both.
    second.message("k", b"as granted", 1)
    first.unsubscribe("k")
    first.expect(UNSUBACK, 1)
    second.subscribed("k", 0)
    broker.tcp_pub("-t", "k", "-q", 1, "-m", "as asked")
    second.message("k", b"as asked", 0)
    assert first.nothing()


@pytest.mark.parametrize("level", LEVELS)
def test_shared_subscriptions_work_on_streams(broker, connect, level):
    client = connect(level)
    streams = [client.open(), client.open()]
    for i, stream in enumerate(streams):
        stream.subscribed(f"$share/g/s/{i}", 1)
    for i, stream in enumerate(streams):
        broker.tcp_pub("-t", f"s/{i}", "-q", 1, "-m", "shared")
        stream.message(f"s/{i}", b"shared", 1)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("how", ["reset", "stop", "finish"])
def test_a_stream_that_goes_takes_its_subscriptions_along(broker, connect, level, how):
    client = connect(level)
    gone, stays = client.open(), client.open()
    gone.subscribed("g/gone", 1)
    gone.subscribed("g/both", 1, packet_id=2)
    stays.subscribed("g/both", 1)
    broker.tcp_pub("-t", "g/gone", "-q", 1, "-m", "unacknowledged")
    gone.expect(PUBLISH)
    getattr(gone.raw, how)()
    client.ping()
    broker.wait_log("UNSUBSCRIBE from streams|streams g/gone")
    broker.wait_log(r"Received PUBACK from streams")
    broker.tcp_pub("-t", "g/both", "-q", 1, "-m", "both")
    stays.message("g/both", b"both", 1)
    # A new stream takes its place.
    new = client.open()
    new.subscribed("g/gone", 1)
    broker.tcp_pub("-t", "g/gone", "-q", 1, "-m", "new")
    new.message("g/gone", b"new", 1)
    assert client.control.nothing()


@pytest.mark.parametrize("level", LEVELS)
def test_a_stream_for_each_message(broker, connect, level):
    """More streams than may be open at a time, one after the other."""
    sub = broker.tcp_sub("-t", "each", "-q", 2, "-C", 50)
    client = connect(level)
    for i in range(50):
        stream = client.open()
        stream.published("each", str(i).encode(), i % 3)
        stream.raw.finish()
        assert stream.lost() == "FIN"
    assert sub.wait() == 0
    assert sorted(map(int, sub.lines)) == list(range(50))


@pytest.mark.parametrize("level", LEVELS)
def test_one_stream_publishes_and_one_subscribes(broker, connect, level):
    """Numbers are counted for all streams together, and the first carries no message."""
    client = connect(level)
    publishes, subscribes = client.open(), client.open()
    subscribes.subscribed("p/#", 2, packet_id=1)
    for i in range(2, 32):
        publishes.published(f"p/{i}", b"x", i % 3, packet_id=i)
        subscribes.message(f"p/{i}", b"x", i % 3)
    subscribes.unsubscribe("p/#", packet_id=32)
    subscribes.expect(UNSUBACK, 32)
    client.ping()


@pytest.mark.parametrize("level", LEVELS)
def test_a_stream_for_each_topic(broker, connect, level):
    """A topic has its stream for all but UNSUBSCRIBE, which is on the first."""
    client = connect(level)
    streams = {topic: client.open() for topic in ("t/a", "t/b", "t/c")}
    for i, (topic, stream) in enumerate(streams.items()):
        stream.subscribed(topic, 1, packet_id=2 * i + 1)
    for i, (topic, stream) in enumerate(streams.items()):
        client.control.published(topic, b"first", 1, packet_id=100 + i)
        stream.message(topic, b"first", 1)
        client.control.unsubscribe(topic, packet_id=200 + i)
        client.control.expect(UNSUBACK, 200 + i)
        stream.published(topic, b"nobody", 1, packet_id=2 * i + 2)
        assert stream.nothing()


def test_a_session_goes_on_on_the_control_stream(broker, connect):
    client = connect(flags=0)
    stream = client.open()
    stream.subscribed("p", 1)
    client.close()
    broker.wait_log(r"Client streams (\[\S+\] )?(closed its connection|disconnected)")
    broker.tcp_pub("-t", "p", "-q", 1, "-m", "meanwhile")
    client = connect(flags=0)
    assert client.session_present
    client.control.message("p", b"meanwhile", 1)
    stream = client.open()
    stream.subscribed("p", 1)
    broker.tcp_pub("-t", "p", "-q", 1, "-m", "at home")
    stream.message("p", b"at home", 1)
    assert client.control.nothing()


BAD = {
    "no MQTT": b"\0\0\0",
    "CONNECT": mqtt.connect("second"),
    "DISCONNECT": mqtt.DISCONNECT,
    "QoS 3": mqtt.packet(0x36, mqtt.text("t") + b"\0\1"),
    "a wildcard in a topic": mqtt.publish("a/#", b""),
    "a topic of 201 levels": mqtt.publish("/" * 201, b""),
    "more than a megabyte": b"\x30" + mqtt.remaining_length(1100000),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_wrong_with_a_stream_is_its_own_end(broker, connect, what):
    client = connect()
    bad, good = client.open(), client.open()
    good.subscribed("fine")
    bad.send(BAD[what])
    assert "RESET_STREAM" in bad.lost()
    good.published("fine", b"thank you")
    good.message("fine", b"thank you")
    client.ping()


def test_qos_2_of_a_stream_that_is_gone_is_delivered_once(broker, connect):
    sub = broker.tcp_sub("-t", "two", "-q", 2)
    client = connect(client_id="breaks-off")
    stream = client.open()
    stream.send(stream.publish("two", b"once", 2))
    stream.expect(PUBREC, 1)
    stream.raw.reset()
    client.ping()
    assert sub.wait_lines(1) == ["once"]
    new = client.open()
    new.published("two", b"again", 2)
    assert sub.wait_lines(2) == ["once", "again"]
    client.ping()


def test_a_stream_that_does_not_read_stops_nobody(broker, connect):
    client = connect()
    deaf, other = client.open(), client.open()
    deaf.subscribed("bulk")
    other.subscribed("small", 1)
    before = broker.memory_kb()
    publisher = connect(client_id="publisher")
    for i in range(1500):
        publisher.control.send(publisher.control.publish("bulk", bytes(16384)))
        if i % 100 == 0:
            broker.tcp_pub("-t", "small", "-q", 1, "-m", str(i))
            other.message("small", str(i).encode(), 1)
    publisher.ping()
    client.ping()
    # A sanitizer keeps what was freed for a while.
    assert broker.build.sanitizer or broker.memory_kb() - before < 12000
    # What comes when it reads again is whole, and stops where messages were dropped.
    for _ in range(10):
        packet = deaf.expect(PUBLISH)
        assert packet.rest == bytes(16384)


def test_a_stream_that_acknowledges_nothing_is_given_up(broker, connect):
    client = connect()
    hoarder, other = client.open(), client.open()
    hoarder.subscribed("h", 1)
    other.subscribed("o", 1)
    for _ in range(25):
        client.control.published("h", b"take it", 1)
    assert "RESET_STREAM" in hoarder.lost()
    broker.tcp_pub("-t", "o", "-q", 1, "-m", "at last")
    other.message("o", b"at last", 1)


def play(stream, count, topic):
    """Publishes 1..count to one topic and takes the messages of another stream's, QoS 2."""
    return {"stream": stream, "topic": topic, "next": 1, "out": {}, "got": [], "done": 0, "n": count}


def step(side, packet):
    """One packet of a stream that publishes and receives with QoS 2."""
    stream = side["stream"]
    if packet.type == PUBLISH:
        if packet.id not in side["out"]:
            side["out"][packet.id] = packet.rest
            side["got"].append(struct.unpack("!I", packet.rest)[0])
        stream.send(stream.ack(PUBREC, packet.id))
    elif packet.type == PUBREL:
        del side["out"][packet.id]
        stream.send(stream.ack(PUBCOMP, packet.id))
    elif packet.type == PUBREC:
        stream.send(stream.ack(PUBREL, packet.id))
    else:
        assert packet.type == PUBCOMP, packet
        side["done"] += 1
        publish_next(side)


def publish_next(side):
    if side["next"] > side["n"]:
        return
    number = side["next"]
    side["next"] += 1
    stream = side["stream"]
    stream.send(stream.publish(side["topic"], struct.pack("!I", number), 2, number))


@pytest.mark.parametrize("level", LEVELS)
def test_a_thousand_messages_of_qos_2_over_four_streams_come_once(make_broker, mquic, level):
    broker = make_broker(top=["max_queued_messages 0"]).start()
    client = Client(mquic, broker, level)
    sides = []
    for i in range(4):
        stream = client.open()
        stream.subscribed(f"q/{i}", 2)
        sides.append(play(stream, 250, f"q/{(i + 1) % 4}"))
    for side in sides:
        for _ in range(10):
            publish_next(side)

    def turn():
        for side in sides:
            try:
                while True:
                    step(side, side["stream"].packet(timeout=0))
            except mquic.WouldBlock:
                pass
        client.connection.endpoint.wait(0.05)
        return all(side["done"] == 250 and len(side["got"]) >= 250 for side in sides)

    eventually(turn, timeout=120, what="all messages to be through")
    for side in sides:
        assert side["got"] == list(range(1, 251))
    client.ping()
    for side in sides:
        while side["out"]:
            step(side, side["stream"].packet())
        assert side["stream"].nothing()
        assert len(side["got"]) == 250
    client.close()
