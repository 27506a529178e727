# SPDX-License-Identifier: MIT
"""What a server says of itself in CONNACK and DISCONNECT, as programs get to see it."""

import struct

import pytest
from fake_server import ASSIGNED, REASON, connack, disconnect, packet, text, user

import mquic
import mquic.client as mqtt
from harness.process import eventually
from mquic import _native, aio
from test_aio import asynchronous


def short(value):
    return struct.pack("!H", value)


def long(value):
    return struct.pack("!I", value)


# As they travel, and as programs get them.
SAID = (
    (0x11, long(3600)),
    (ASSIGNED, text("named")),
    (0x13, short(30)),
    (0x1A, text("answers/here")),
    (0x1C, text("other.example")),
    (REASON, text("welcome")),
    (0x21, short(7)),
    (0x22, short(5)),
    (0x24, b"\1"),
    (0x25, b"\0"),
    (0x27, long(70000)),
    (0x28, b"\0"),
    (0x29, b"\0"),
    (0x2A, b"\0"),
    user("a", "1"),
)
READ = {
    "SessionExpiryInterval": 3600,
    "AssignedClientIdentifier": "named",
    "ServerKeepAlive": 30,
    "ResponseInformation": "answers/here",
    "ServerReference": "other.example",
    "ReasonString": "welcome",
    "ReceiveMaximum": 7,
    "TopicAliasMaximum": 5,
    "MaximumQoS": 1,
    "RetainAvailable": 0,
    "MaximumPacketSize": 70000,
    "WildcardSubscriptionAvailable": 0,
    "SubscriptionIdentifierAvailable": 0,
    "SharedSubscriptionAvailable": 0,
    "UserProperty": [("a", "1")],
}

# A server that sends a client elsewhere.
MOVED = ((0x1C, text("other.example")), (REASON, text("moved")))
MOVED_READ = {"ServerReference": "other.example", "ReasonString": "moved"}


def connect(port, tls, recorder, **more):
    client = recorder.attach(mquic.Client(tls=tls, **more))
    asks = {"request_response_information": 1} if client.protocol == mqtt.MQTTv5 else {}
    client.connect("127.0.0.1", port, **asks)
    client.loop_start()
    return client


def properties_of(connect_packet):
    """Those of a short CONNECT."""
    at = 2 + 10 + 1  # the header of the packet; up to the keep-alive; the length of what follows
    end = at + connect_packet[at - 1]
    found = []
    while at < end:
        size = {0x11: 4, 0x21: 2, 0x22: 2, 0x17: 1, 0x19: 1, 0x27: 4}.get(connect_packet[at])
        if size is None:  # a user property with texts of one letter
            size = 6
        found.append((connect_packet[at], connect_packet[at + 1 : at + 1 + size]))
        at += 1 + size
    return [one for one in found if one[0] != 0x27]  # the packet size, which is always said


def leave(client):
    client.disconnect()
    client.loop_stop()


@pytest.mark.parametrize(
    "pairs, expected", [(SAID, READ), ((), {"AssignedClientIdentifier": "named"})]
)
def test_on_connect_gets_what_the_server_names_and_no_more(serve, tls, recorder, pairs, expected):
    client = connect(serve(connack(*pairs)), tls, recorder, protocol=mqtt.MQTTv5)
    _, _, _, properties = recorder.wait("on_connect")[0]
    assert properties.packetType == mquic.PacketTypes.CONNACK
    assert properties.json() == expected
    leave(client)


def test_nothing_is_named_in_3_1_1(serve, tls, recorder):
    client = connect(serve(packet(0x20, b"\0\0")), tls, recorder, client_id="old")
    assert recorder.wait("on_connect")[0][3].isEmpty()
    leave(client)


def test_the_second_server_is_not_taken_for_the_first(serve, tls, recorder):
    client = connect(serve(connack(*SAID)), tls, recorder, protocol=mqtt.MQTTv5)
    recorder.wait("on_connect")
    leave(client)
    client.connect("127.0.0.1", serve(connack((0x21, short(9)))))
    client.loop_start()
    properties = recorder.wait("on_connect", 2)[1][3]
    assert properties.json() == {"AssignedClientIdentifier": "named", "ReceiveMaximum": 9}
    leave(client)


def test_connect_carries_what_this_connection_was_given(serve, tls, recorder):
    client = recorder.attach(mquic.Client(tls=tls, protocol=mqtt.MQTTv5, client_id="me"))
    asked = (
        {"user_property": ("a", "1"), "session_expiry_interval": 100, "receive_maximum": 3},
        {"user_property": ("b", "2"), "request_problem_information": 0},
        {"request_response_information": 1, "topic_alias_maximum": 4},
        {},
    )
    sent = (
        [user("a", "1"), (0x11, long(100)), (0x21, short(3))],
        [user("b", "2"), (0x17, b"\0")],
        [(0x19, b"\1"), (0x22, short(4))],
        [],
    )
    for count, more in enumerate(asked, 1):
        client.connect("127.0.0.1", serve(packet(0x20, b"\0\0\0")), **more)
        client.loop_start()
        recorder.wait("on_connect", count)
        leave(client)
    for server, pairs in zip(serve.servers, sent):
        section = properties_of(server.received[0])
        assert sorted(section) == sorted(pairs)


def test_a_refusal_names_another_server(serve, tls, recorder):
    client = recorder.attach(
        mquic.Client(tls=tls, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
    )
    client.connect("127.0.0.1", serve(connack(*MOVED, reason=0x9D)))
    client.loop_forever()
    _, _, reason, properties = recorder.wait("on_connect")[0]
    assert reason == "Server moved" and properties.json() == MOVED_READ
    assert client.error.properties == properties


def test_disconnect_names_another_server(serve, tls, recorder):
    port = serve(connack(), disconnect(0x9C, *MOVED, user("b", "2")))
    client = mquic.Client(tls=tls, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
    client = recorder.attach(client)
    client.connect("127.0.0.1", port)
    client.subscribe("a")
    client.loop_forever()
    _, flags, reason, properties = recorder.wait("on_disconnect")[0]
    assert flags.is_disconnect_packet_from_server and reason == "Use another server"
    assert properties.packetType == mquic.PacketTypes.DISCONNECT
    assert properties.json() == {**MOVED_READ, "UserProperty": [("b", "2")]}
    assert client.error.properties == properties


def test_disconnect_carries_what_this_one_was_given(serve, tls, recorder):
    client = recorder.attach(mquic.Client(tls=tls, protocol=mqtt.MQTTv5, client_id="me"))
    given = mquic.Properties(mquic.PacketTypes.DISCONNECT, user_property=("a", "1"))
    asked = (
        (4, given, {"session_expiry_interval": 70, "reason_string": "bye"}),
        (4, None, {"reason_string": "again"}),
        (None, None, {}),
    )
    sent = (
        disconnect(4, (0x11, long(70)), (REASON, text("bye")), user("a", "1")),
        disconnect(4, (REASON, text("again"))),
        b"\xe0\x00",
    )
    for count, (reason, properties, more) in enumerate(asked, 1):
        port = serve(packet(0x20, b"\0\0\0"))
        client.connect("127.0.0.1", port, session_expiry_interval=100)
        client.loop_start()
        recorder.wait("on_connect", count)
        client.disconnect(reason, properties, **more)
        client.disconnect(0, reason_string="too late")
        recorder.wait("on_disconnect", count)
        client.loop_stop()
    for server, expected in zip(serve.servers, sent):
        eventually(lambda: server.rest == expected, what=lambda: f"{expected!r}, not {server.rest!r}")


def test_what_disconnect_cannot_carry_changes_nothing(serve, tls, recorder):
    client = connect(serve(connack()), tls, recorder, protocol=mqtt.MQTTv5)
    recorder.wait("on_connect")
    for more in (
        {"server_reference": "elsewhere"},  # a server's
        {"session_expiry_interval": 5},  # CONNECT has said 0
        {"content_type": "text/plain"},
        {"reason_string": "x" * 65536},
        {"reasoncode": 0x8E},  # a server's
    ):
        with pytest.raises(ValueError):
            client.disconnect(**more)
    assert client.is_connected()
    assert client.publish("a", "b").rc == mqtt.MQTT_ERR_SUCCESS
    leave(client)
    (server,) = serve.servers
    eventually(lambda: server.rest.endswith(b"\xe0\x00"), what=lambda: repr(server.rest))


def test_an_end_without_a_packet_has_no_properties(tls):
    client = mquic.Client(tls=tls)
    with pytest.raises(mquic.MquicError) as caught:
        client.connect("no-such-host.invalid")
    assert caught.value.properties is None


# ---- asyncio


@asynchronous
async def test_connack_in_asyncio(serve, tls):
    port = serve(connack(*SAID))
    client = aio.Client("127.0.0.1", port, tls=tls, request_response_information=1)
    assert client.connack.isEmpty()
    async with client:
        assert client.connack.json() == READ
        assert client.connack.MaximumQoS == 1 and client.connack.get("AuthenticationData") is None


@asynchronous
async def test_refusal_in_asyncio(serve, tls):
    port = serve(connack(*MOVED, reason=0x9D))
    with pytest.raises(mquic.RefusedError) as caught:
        await aio.Client("127.0.0.1", port, tls=tls).__aenter__()
    assert caught.value.properties.json() == MOVED_READ


@asynchronous
async def test_disconnect_in_asyncio(serve, tls):
    port = serve(connack(), disconnect(0x9C, *MOVED))
    with pytest.raises(mquic.MquicError) as caught:
        async with aio.Client("127.0.0.1", port, tls=tls) as client:
            await client.subscribe("a")
    assert caught.value.reason_code == "Use another server"
    assert caught.value.properties.ServerReference == "other.example"


# ---- numbers with names


def test_versions_and_codes():
    assert ".".join(map(str, mquic.version_info)) == mquic.__version__
    for name, code in mquic.CloseCode.__members__.items():
        assert getattr(_native, f"CLOSE_{name}") == code
    assert [int(code) for code in mquic.CloseCode] == [0, 1, 2]
