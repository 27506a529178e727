# SPDX-License-Identifier: MIT
"""Values and helpers: properties, reason codes, topics, publish and subscribe in one call."""

import ast
import struct
import threading
from pathlib import Path

import pytest
from conftest import PATIENCE
from fake_server import FakeServer, connack, disconnect, packet, properties
from harness.build import give_to_broker

import mquic
import mquic.client as mqtt
import mquic.aio
import mquic.publish
import mquic.subscribe
from mquic.properties import PacketTypes, Properties
from mquic.topics import TopicTable, is_filter


@pytest.mark.parametrize(
    "sub, topic, matches",
    [
        ("a/b", "a/b", True),
        ("a/b", "a/c", False),
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("a/+/c", "a//c", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("+", "a", True),
        ("+/+", "/a", True),
        ("/+", "/a", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
        ("a", "A", False),
    ],
)
def test_topic_matches_sub(sub, topic, matches):
    assert mquic.topic_matches_sub(sub, topic) is matches


def test_topic_table():
    table = TopicTable()
    for n, sub in enumerate(("a/#", "a/b", "a/+", "a/b")):
        table[sub] = n
    assert len(table) == 3
    assert sorted(table.matching("a/b")) == [0, 2, 3]
    del table["a/b"]
    with pytest.raises(KeyError):
        del table["a/b"]
    with pytest.raises(KeyError):
        del table["x/y"]
    assert sorted(table.matching("a/b")) == [0, 2]
    del table["a/#"], table["a/+"]
    assert not table._root.children and len(table) == 0


@pytest.mark.parametrize("text", ["", "a/#/b", "a#", "+a", "a+/b", "x" * 65536])
def test_bad_filters(text):
    assert not is_filter(text)


def test_reason_codes():
    code = mquic.ReasonCode(PacketTypes.CONNACK, "Not authorized")
    assert code == 135 and code == "Not authorized" and code != "Success" and code.is_failure
    assert (code.value, f"{code}", str(code), hash(code)) == (135,) + ("Not authorized",) * 2 + (
        hash(135),
    )
    assert repr(code) == "ReasonCode(Connack, 'Not authorized')"
    assert str(mquic.ReasonCode(PacketTypes.DISCONNECT)) == "Normal disconnection"
    assert str(mquic.ReasonCode(PacketTypes.SUBACK, identifier=0)) == "Granted QoS 0"
    assert str(mquic.ReasonCode(PacketTypes.PUBACK, identifier=200)) == "Reason code 200"
    for wrong in ({"aName": "No such"}, {"identifier": 256}):
        with pytest.raises(ValueError):
            mquic.ReasonCode(PacketTypes.PUBACK, **wrong)


def test_stub_knows_the_whole_native_module():
    """A new function of mquic.h has to come with its types, in _native.pyi."""
    stub = ast.parse(Path(mquic._native.__file__).with_name("_native.pyi").read_text())
    known = {node.name for node in stub.body if isinstance(node, ast.FunctionDef)}
    known |= {
        node.target.id
        for node in stub.body
        if isinstance(node, ast.AnnAssign) and node.target.id[0].isupper()
    }
    native = {name for name in dir(mquic._native) if not name.startswith(("_", "SWIG"))}
    assert native == known - {"Handle", "Text", "Bytes", "Room"}


def test_text_of_peers_is_printable():
    assert mquic._native.text_printable("a\nb\x1b\u2028\u202e \u00fc") == "a?b??? \u00fc"
    assert mquic._native.text_printable(b"\xff\0") == "??"
    assert mquic._native.text_printable(None) == ""


def test_properties():
    one = Properties(PacketTypes.PUBLISH, content_type="text/plain", UserProperty=[("a", "1")])
    one.UserProperty = ("b", "2")
    one.CorrelationData = "text"
    assert one.ContentType == one.content_type == "text/plain"
    assert one.UserProperty == [("a", "1"), ("b", "2")]
    assert one.json()["CorrelationData"] == b"text".hex()
    del one.ContentType
    assert one.get("ContentType") is None
    with pytest.raises(AttributeError):
        one.ContentType
    with pytest.raises(AttributeError):
        del one.ContentType
    with pytest.raises(ValueError, match="cannot carry"):
        one.WillDelayInterval = 3
    with pytest.raises(ValueError, match="not an MQTT property"):
        one.Colour = "blue"
    with pytest.raises(TypeError):
        one.ContentType = 7
    with pytest.raises(TypeError):
        one.CorrelationData = 7
    with pytest.raises(TypeError):
        one.MessageExpiryInterval = "7"
    with pytest.raises(TypeError):
        one.UserProperty = [("a", 1)]
    for pairs in ("ab", 7, [("a", "b", "c")], [7]):
        with pytest.raises(TypeError, match="UserProperty"):
            one.UserProperty = pairs
    for value in (-1, 2**32):
        with pytest.raises(ValueError, match="MessageExpiryInterval must be 0 to 4294967295"):
            one.MessageExpiryInterval = value
    with pytest.raises(ValueError, match="ReceiveMaximum must be 1 to 65535"):
        Properties(PacketTypes.CONNECT, receive_maximum=0)
    one.clear()
    assert one.isEmpty() and one == Properties(PacketTypes.PUBLISH)


def test_error_strings():
    assert mqtt.error_string(mqtt.MQTT_ERR_NO_CONN) == "The client is not currently connected."
    assert mqtt.error_string(99) == "Unknown error."
    assert mqtt.connack_string(0) == "Connection Accepted."
    assert "Not authorized" in mqtt.connack_string(135)


def test_settings_are_checked():
    client = mqtt.Client()
    with pytest.raises(ValueError):
        client.tls_set(ciphers="AES")
    with pytest.raises(TypeError):
        client.tls_set_context(object())
    with pytest.raises(ValueError):
        client.will_set("a/#")
    with pytest.raises(ValueError):
        client.reconnect_delay_set(5, 1)
    for settings, error in (
        (mquic.QUICSettings(idle_timeout="x"), TypeError),
        (mquic.QUICSettings(keep_alive=-1), ValueError),
        (mquic.QUICSettings(max_streams=1.5), TypeError),
        (mquic.QUICSettings(send_buffer=-1), ValueError),
        (mquic.QUICSettings(congestion_control="fast"), ValueError),
    ):
        (name,) = (name for name, value in vars(settings).items() if value is not None)
        with pytest.raises(error, match=name.split("_")[0]):
            mqtt.Client(quic=settings).connect("127.0.0.1", 9)
    client.connect_timeout = 3
    assert client.connect_timeout == 3.0
    with pytest.raises(ValueError):
        client.connect("127.0.0.1", 9, 70000)


def test_reconnect_pause_grows_and_is_left_to_chance_in_part():
    for failures, first, longest, least in (
        (0, 1, 60, 1), (1, 1, 60, 2), (5, 1, 60, 32), (6, 1, 60, 60), (10**30, 1, 60, 60),
        (0, 0.05, 0.05, 0.05), (3, 0, 60, 0), (0, 10**12, 10**12, (2**32 - 1) / 1000),
    ):  # fmt: skip
        pause = mquic.reconnect_pause(failures, first, longest)
        assert least <= pause <= least * 1.25, (failures, first, longest)
    assert len({mquic.reconnect_pause(0, 1000, 1000) for _ in range(50)}) > 1


def test_a_client_waits_by_the_policy_of_the_library(monkeypatch):
    asked = []

    def pause(*arguments):
        asked.append(arguments)
        return 0

    monkeypatch.setattr("mquic._loop.reconnect_pause", pause)
    client = mqtt.Client()
    client.reconnect_delay_set(0.5, 8)

    def failed(client, userdata):
        if len(asked) == 3:
            client.disconnect()

    client.on_connect_fail = failed
    client.connect_async("host.invalid", 9)
    client.loop_forever(retry_first_connection=True)
    assert asked == [(0, 0.5, 8), (1, 0.5, 8), (2, 0.5, 8), (3, 0.5, 8)][: len(asked)]
    assert len(asked) >= 3


def test_errors_tell_whether_they_are_final():
    def end(status, origin, code):
        return mquic.errors.make_end(status, origin, code, "").is_final

    status, origin = mquic.Status, mquic.Origin
    assert end(status.REFUSED, origin.MQTT, 0x87) and not end(status.REFUSED, origin.MQTT, 0x88)
    assert end(status.CLOSED, origin.MQTT, 0x8E) and not end(status.CLOSED, origin.MQTT, 0x8B)
    assert end(status.TLS, origin.TLS, 48) and not end(status.TLS, origin.TLS, 45)
    assert not end(status.REFUSED, origin.SYSTEM, 111)
    assert not end(status.TIMEOUT, origin.TRANSPORT, 0)
    with pytest.raises(mquic.MquicError) as caught:
        mqtt.Client(tls=mquic.TLSSettings(ca_file="/no/such/file")).connect("127.0.0.1", 9)
    assert caught.value.is_final
    refused = mquic.NegativeAckError("it", [mqtt.ReasonCode(PacketTypes.PUBACK, identifier=0x87)])
    assert refused.is_final
    assert mquic.InvalidError("x").is_final and not mquic.ResolveError("x").is_final


def test_publish_single_and_multiple(broker, tls):
    listener = broker.tcp_sub("-t", "once/#", "-C", "4", "-v")
    where = {"hostname": broker.host, "port": broker.port}
    mquic.publish.single("once/a", "1", qos=2, tls=tls, **where)
    trust = {"ca_certs": tls.ca_file}
    messages = [{"topic": "once/b", "payload": 2}, ("once/c", "3", 1), ("once/d", None, 0, False)]
    mquic.publish.multiple(messages, tls=trust, **where)
    assert sorted(listener.wait_lines(4)) == ["once/a 1", "once/b 2", "once/c 3", "once/d (null)"]
    with pytest.raises(OSError):
        mquic.publish.single("a", hostname="127.0.0.1", port=9)


def test_publish_refused(make_broker, tls):
    broker = make_broker(anonymous=False).start()
    with pytest.raises(ConnectionRefusedError) as error:
        mquic.publish.single("a", "b", hostname=broker.host, port=broker.port, tls=tls)
    assert error.value.reason_code == "Not authorized"
    with pytest.raises(ConnectionRefusedError):
        mquic.subscribe.simple("a", hostname=broker.host, port=broker.port, tls=tls)


def test_subscribe_simple_and_callback(broker, tls):
    where = {"hostname": broker.host, "port": broker.port, "tls": tls}
    broker.tcp_pub("-t", "kept", "-m", "there", "-r")
    assert mquic.subscribe.simple("kept", **where).payload == b"there"

    enough = threading.Event()

    def go_on():
        while not enough.wait(0.1):  # as nobody tells when the other is subscribed
            broker.tcp_pub("-t", "kept", "-m", "new")

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        got = mquic.subscribe.simple(["kept", "other"], msg_count=2, retained=False, **where)
    finally:
        enough.set()
        thread.join()
    assert [message.payload for message in got] == [b"new", b"new"]
    seen = []

    def take(client, userdata, message):
        userdata.append(message.topic)
        client.disconnect()

    mquic.subscribe.callback(take, "kept", userdata=seen, **where)
    assert seen == ["kept"]



@pytest.fixture
def strict(make_broker, workdir, tls):
    """Where everybody may write what begins with open/: the keyword arguments to get there."""
    rules = workdir / "acl"
    rules.write_text("topic write open/#\n")
    give_to_broker(rules)
    broker = make_broker(listener=[f"acl_file {rules}"]).start()
    return {"hostname": broker.host, "port": broker.port, "tls": tls, "protocol": mqtt.MQTTv5}


@pytest.mark.parametrize("qos", [1, 2])
def test_publish_of_a_message_that_is_refused(strict, qos):
    with pytest.raises(mquic.NegativeAckError, match="closed/a.*Not authorized") as error:
        mquic.publish.single("closed/a", "b", qos=qos, **strict)
    assert error.value.reason_code == 135
    mquic.publish.single("open/a", "b", qos=qos, **strict)
    messages = [("open/a", "1", qos), ("closed/b", "2", qos), ("open/c", "3", qos)]
    with pytest.raises(mqtt.MQTTException, match="closed/b"):
        mquic.publish.multiple(messages, **strict)


def test_publish_of_a_message_that_is_too_large(certs, tls):
    server = FakeServer(certs.server, connack((0x27, struct.pack("!I", 1000))))
    with pytest.raises((mquic.MquicError, RuntimeError, ValueError)) as error:
        mquic.publish.single(
            "a", b"x" * 2000, 1, False, "127.0.0.1", server.port, "me", tls=tls, protocol=mqtt.MQTTv5
        )
    assert str(error.value)
    server.close()


def test_publish_when_the_connection_is_lost_on_the_way(certs, tls):
    server = FakeServer(certs.server, connack(), disconnect(0x8B))
    with pytest.raises(OSError) as error:
        mquic.publish.single(
            "a", "b", 1, False, "127.0.0.1", server.port, "me", tls=tls, protocol=mqtt.MQTTv5
        )
    assert error.value.reason_code == "Server shutting down"
    server.close()


def test_subscription_that_is_refused(certs, tls):
    suback = packet(0x90, b"\x00\x01" + properties() + b"\x00\x87")
    server = FakeServer(certs.server, connack(), suback)
    with pytest.raises(mquic.NegativeAckError, match="Not authorized"):
        mquic.subscribe.simple(
            ["a", "b"], hostname="127.0.0.1", port=server.port, client_id="me", tls=tls, protocol=mqtt.MQTTv5
        )
    server.close()


def test_refused_message_is_not_published(strict):
    where = {"host": strict["hostname"], "port": strict["port"]}
    client = mquic.Client(tls=strict["tls"], protocol=mqtt.MQTTv5)
    client.connect(**where)
    client.loop_start()
    info = client.publish("closed/a", "b", 1)
    with pytest.raises(mquic.NegativeAckError, match="Not authorized"):
        info.wait_for_publish(PATIENCE)
    with pytest.raises(mquic.NegativeAckError):
        info.is_published()
    assert info.reason_code == "Not authorized" and info.rc == mqtt.MQTT_ERR_SUCCESS
    good = client.publish("open/a", "b", 1)
    good.wait_for_publish(PATIENCE)
    assert good.is_published() and not good.reason_code.is_failure
    client.disconnect()
    client.loop_stop()


@pytest.mark.parametrize(
    "sub, topic, matches",
    [
        ("$share/group/a/+", "a/b", True),
        ("$share/group/a/+", "a", False),
        ("$share/group/#", "a/b", True),
        ("$share/group/#", "$SYS/b", False),
        ("$share/group/$SYS/#", "$SYS/b", True),
        ("$share/group//a", "/a", True),
        ("$share/group", "group", False),
        ("$share", "$share", True),
    ],
)
def test_filters_of_shared_subscriptions(sub, topic, matches):
    assert mqtt.topic_matches_sub(sub, topic) is matches
    assert mquic.aio.Topic(topic).matches(sub) is matches


def test_matcher():
    from mquic.matcher import MQTTMatcher
    from mquic.packettypes import PacketTypes as Types

    assert Types is PacketTypes
    matcher = MQTTMatcher()
    matcher["a/#"] = 1
    matcher["$share/g/a/b"] = 2
    matcher["a/b"] = 3
    assert sorted(matcher.iter_match("a/b")) == [1, 2, 3]
    assert (matcher["$share/g/a/b"], matcher["a/b"], len(matcher)) == (2, 3, 3)
    del matcher["a/b"]
    assert sorted(matcher.iter_match("a/b")) == [1, 2]
    for missing in ("a/b", "no", "$share/h/a/b"):
        with pytest.raises(KeyError):
            matcher[missing]
        with pytest.raises(KeyError):
            del matcher[missing]


def test_return_codes_of_mqtt_3():
    code = mqtt.convert_connack_rc_to_reason_code(mqtt.CONNACK_REFUSED_NOT_AUTHORIZED)
    assert code == "Not authorized" == mqtt.convert_connack_rc_to_reason_code(code)
    assert mqtt.connack_string(mqtt.CONNACK_ACCEPTED) == "Connection Accepted."
    assert "Bad user name" in mqtt.connack_string(4)
    convert = mqtt.convert_disconnect_error_code_to_reason_code
    assert convert(mqtt.MQTT_ERR_SUCCESS) == 0
    assert convert(mqtt.MQTT_ERR_CONN_LOST) == "Unspecified error"


def test_attributes_of_paho():
    client = mqtt.Client()
    client.will_set("will", "gone")
    client.username_pw_set("user", "secret")
    client.max_inflight_messages = 5
    client.max_queued_messages_set(7)
    assert (client.will_topic, client.will_payload) == ("will", "gone")
    assert (client.username, client.password) == ("user", "secret")
    assert (client.max_inflight_messages, client.max_queued_messages) == (5, 7)
    assert (client.transport, client.callback_api_version) == ("quic", 2)
    assert client.logger is None
    client.enable_logger()
    assert client.logger.name == "mquic.client"
    with pytest.raises(ValueError):
        client.max_queued_messages = -1
    with pytest.raises(TypeError):
        client.password = 7
    assert "secret" not in repr(client._login)
    options = mqtt.SubscribeOptions(qos=1)
    options.QoS = 2
    assert options.qos == 2 and options.json()["QoS"] == 2
