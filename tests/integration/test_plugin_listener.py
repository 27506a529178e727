# SPDX-License-Identifier: MIT
"""What stands under the hand-off listener holds for QUIC clients, as under any other listener."""

import pytest

from harness import mqtt
from harness.build import broker_version
from harness.clients import SessionClient, raw
from test_plugin_refusals import ACCEPTED, over_quic, over_tcp

MAXIMUM_QOS = b"\x24"
TOPIC_ALIAS_MAXIMUM = b"\x22"

of_2_1 = pytest.mark.skipif(
    broker_version() < (2, 1, 0), reason="Mosquitto 2.0 does not know this setting"
)


def connack(broker):
    """The properties that a client of MQTT 5 is let in with."""
    data = raw(broker, mqtt.connect("one", level=5), mqtt.DISCONNECT).data
    assert data[:1] == b"\x20" and data[3:4] == b"\0", data
    return data[5 : 5 + data[4]]


def test_topics_are_below_the_mount_point(make_broker):
    broker = make_broker(listener=["mount_point inside/"]).start()
    outside = broker.tcp_sub("-t", "inside/x", "-C", "1", "-W", "30")
    inside = broker.sub("-t", "x", "-q", "1", "-C", "2", "-v")
    broker.pub("-t", "x", "-m", "from within", "-q", "1")
    broker.tcp_pub("-t", "inside/x", "-m", "from without", "-q", "1")
    assert inside.wait_lines(2) == ["x from within", "x from without"]
    assert outside.wait_lines(1) == ["from within"]


def test_the_greatest_qos_is_told(make_broker):
    assert MAXIMUM_QOS + b"\x01" in connack(make_broker(listener=["max_qos 1"]).start())
    assert MAXIMUM_QOS not in connack(make_broker().start())


def test_the_number_of_aliases_is_told(make_broker):
    broker = make_broker(listener=["max_topic_alias 3"]).start()
    assert TOPIC_ALIAS_MAXIMUM + b"\x00\x03" in connack(broker)


@of_2_1
@pytest.mark.parametrize("allowed, aliases", [(2, ["1", "2", "0"]), (0, ["0", "0", "0"])])
def test_the_broker_makes_as_many_aliases_as_it_may(make_broker, allowed, aliases):
    broker = make_broker(listener=[f"max_topic_alias_broker {allowed}"]).start()
    take = ["-D", "connect", "topic-alias-maximum", "10"]
    sub = broker.sub("-t", "#", "-q", "1", "-C", "3", "-F", "%t %A", *take)
    for topic in "abc":
        broker.pub("-t", topic, "-m", "x", "-q", "1")
    lines = sub.wait_lines(3)
    assert [line.split(" ")[1] or "0" for line in lines] == aliases, lines


@of_2_1
def test_versions_are_accepted_as_over_tcp(make_broker):
    of_both = ["accept_protocol_versions 4"]
    broker = make_broker(listener=of_both, tcp=of_both).start()
    assert over_quic(broker, mqtt.connect("four")) == ACCEPTED
    refused = mqtt.connect("five", level=5)
    assert over_quic(broker, refused) == over_tcp(broker, refused) != ACCEPTED


@of_2_1
def test_one_listener_may_let_in_everybody(make_broker):
    """The broker lets in nobody without a name, but over QUIC."""
    broker = make_broker(
        top=["allow_anonymous false"],
        listener=["listener_allow_anonymous true"],
        per_listener=False,
    )
    config = broker.config
    broker.config = lambda: config().replace("\nallow_anonymous true", "")
    broker.start()
    SessionClient(broker, "one").connect()
    assert broker.tcp_pub("-t", "x", "-m", "y", check=False).returncode != 0


@of_2_1
def test_the_buffer_of_the_broker_may_be_small(make_broker):
    broker = make_broker(top=["packet_buffer_size 16"]).start()
    sub = broker.sub("-t", "x", "-q", "1", "-C", "1")
    broker.pub("-t", "x", "-m", "a" * 3000, "-q", "1")
    assert sub.wait_lines(1) == ["a" * 3000]
