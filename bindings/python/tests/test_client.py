# SPDX-License-Identifier: MIT
"""The client with callbacks, in paho-mqtt's ways."""

import re
import socket
import threading
import time

import pytest
from conftest import PATIENCE

import mquic
import mquic.client as mqtt
from mquic import _native


def test_publish_and_receive(make_client, recorder):
    client = make_client(recorder)
    rc, mid = client.subscribe("greetings/#", qos=1)
    assert rc == mqtt.MQTT_ERR_SUCCESS
    _, answered, codes, _ = recorder.wait("on_subscribe")[0]
    assert (answered, codes) == (mid, [1])
    assert str(codes[0]) == "Granted QoS 1" and not codes[0].is_failure
    info = client.publish("greetings/world", "hellö", qos=1, retain=False)
    info.wait_for_publish(PATIENCE)
    assert info.is_published() and info.rc == mqtt.MQTT_ERR_SUCCESS
    message = recorder.wait("on_message")[0][1]
    assert message.topic == "greetings/world"
    assert message.payload == "hellö".encode()
    assert (message.qos, message.retain, message.dup) == (1, False, False)
    assert recorder.wait("on_publish")[0][1] == info.mid


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("protocol", [mqtt.MQTTv311, mqtt.MQTTv5])
def test_every_qos_arrives_once(make_client, recorder, qos, protocol):
    client = make_client(recorder, protocol=protocol)
    client.subscribe("q", qos)
    recorder.wait("on_subscribe")
    mids = [client.publish("q", str(n), qos).mid for n in range(50)]
    received = recorder.wait("on_message", 50)
    assert [call[1].payload for call in received] == [str(n).encode() for n in range(50)]
    assert [call[1] for call in recorder.wait("on_publish", 50)] == mids
    time.sleep(0.2)
    assert len(recorder.of("on_message")) == 50


@pytest.mark.parametrize(
    "payload, expected",
    [
        (None, b""),
        ("text", b"text"),
        (b"by\0tes", b"by\0tes"),
        (bytearray(b"array"), b"array"),
        (memoryview(b"a view")[2:], b"view"),
        (42, b"42"),
        (1.5, b"1.5"),
        (memoryview(b"12345678").cast("I"), b"12345678"),
    ],
)
def test_payloads(make_client, recorder, payload, expected):
    client = make_client(recorder)
    client.subscribe("p")
    recorder.wait("on_subscribe")
    client.publish("p", payload)
    assert recorder.wait("on_message")[0][1].payload == expected


def test_large_payload(make_client, recorder):
    client = make_client(recorder)
    client.subscribe("big", 1)
    recorder.wait("on_subscribe")
    payload = bytes(range(256)) * 16384
    client.publish("big", payload, 1).wait_for_publish(PATIENCE)
    assert recorder.wait("on_message")[0][1].payload == payload


def test_properties_either_way(make_client, recorder):
    client = make_client(recorder, protocol=mqtt.MQTTv5)
    client.subscribe("props", subscription_identifier=7)
    recorder.wait("on_subscribe")
    properties = mquic.Properties(mquic.PacketTypes.PUBLISH)
    properties.ContentType = "text/plain"
    properties.UserProperty = ("a", "1")
    properties.UserProperty = ("a", "2")
    client.publish(
        "props",
        "x",
        properties=properties,
        response_topic="answer",
        correlation_data=b"\0\1",
        message_expiry_interval=60,
        payload_format_indicator=1,
    )
    got = recorder.wait("on_message")[0][1].properties
    assert got.ContentType == "text/plain"
    assert got.UserProperty == [("a", "1"), ("a", "2")]
    assert (got.ResponseTopic, got.CorrelationData) == ("answer", b"\0\1")
    assert got.PayloadFormatIndicator == 1 and got.MessageExpiryInterval <= 60
    assert got.SubscriptionIdentifier == [7]
    assert got.get("TopicAlias") is None
    with pytest.raises(AttributeError):
        got.TopicAlias


def test_subscribe_options(make_client, recorder):
    client = make_client(recorder, protocol=mqtt.MQTTv5)
    client.subscribe([("mine", mqtt.SubscribeOptions(qos=1, noLocal=True)), ("all", 0)])
    codes = recorder.wait("on_subscribe")[0][2]
    assert codes == [1, 0]
    client.publish("mine", "not to me")
    client.publish("all", "to me")
    assert recorder.wait("on_message")[0][1].topic == "all"


def test_unsubscribe(make_client, recorder):
    client = make_client(recorder)
    client.subscribe([("a", 0), ("b", 0)])
    recorder.wait("on_subscribe")
    rc, mid = client.unsubscribe("a")
    assert rc == 0 and recorder.wait("on_unsubscribe")[0][1] == mid
    client.publish("a", "1")
    client.publish("b", "2")
    assert recorder.wait("on_message")[0][1].topic == "b"


def test_topic_callbacks_take_precedence(make_client, recorder):
    client = make_client(recorder)
    seen = []
    client.message_callback_add("t/+/x", lambda c, u, m: seen.append(m.topic))

    @client.topic_callback("t/#")
    def more(client, userdata, message):
        seen.append("#" + message.topic)

    client.subscribe("#")
    recorder.wait("on_subscribe")
    for topic in ("t/1/x", "t/2", "other"):
        client.publish(topic)
    recorder.wait("on_message")
    assert sorted(seen) == ["#t/1/x", "#t/2", "t/1/x"]
    assert [call[1].topic for call in recorder.of("on_message")] == ["other"]
    client.message_callback_remove("t/#")
    client.message_callback_remove("t/+/x")
    client.publish("t/2")
    recorder.wait("on_message", 2)


def test_userdata_and_decorators(broker, tls):
    version = mqtt.CallbackAPIVersion.VERSION2
    client = mqtt.Client(version, "with-userdata", userdata={"n": 0}, tls=tls)

    @client.connect_callback()
    def connected(client, userdata, flags, reason_code, properties):
        userdata["n"] += 1
        assert flags.session_present is False
        assert reason_code == "Success" and reason_code == 0 and not reason_code.is_failure
        client.disconnect()

    @client.disconnect_callback()
    def gone(client, userdata, flags, reason_code, properties):
        userdata["why"] = (flags.is_disconnect_packet_from_server, str(reason_code))

    client.connect(broker.host, broker.port)
    assert client.loop_forever() == mqtt.MQTT_ERR_SUCCESS
    assert client.user_data_get() == {"n": 1, "why": (False, "Normal disconnection")}
    assert not client.is_connected() and client.socket() is None


def test_publish_waits_for_connection(broker, tls, recorder):
    client = recorder.attach(mquic.Client(tls=tls))
    lost = client.publish("waiting", "qos 0")
    kept = client.publish("waiting", bytearray(b"qos 1"), 1)
    assert lost.rc == kept.rc == mqtt.MQTT_ERR_NO_CONN
    with pytest.raises(RuntimeError):
        kept.wait_for_publish()
    client.connect_async(broker.host, broker.port)
    client.loop_start()
    assert recorder.wait("on_publish")[0][1] == kept.mid
    assert kept.rc == 0 and kept.is_published()
    client.disconnect()
    client.loop_stop()


def test_queue_size(tls):
    client = mquic.Client(tls=tls)
    client.max_queued_messages_set(1)
    client.publish("a", "1", 1)
    full = client.publish("a", "2", 1)
    assert full.rc == mqtt.MQTT_ERR_QUEUE_SIZE
    with pytest.raises(ValueError):
        full.wait_for_publish()


def test_what_fails_while_waiting_is_told(make_client):
    """Also to a thread that waits for it; and it does not hold up what is behind it."""
    client = make_client(protocol=mqtt.MQTTv5)
    client.disconnect()
    client.loop_stop()
    bad = client.publish("a", "x", 1, topic_alias=1)
    large = client.publish("a", bytes(300_000_000), 1)
    good = client.publish("a", "x", 1)
    client.reconnect()
    client.loop_start()
    assert good.rc == mqtt.MQTT_ERR_SUCCESS
    good.wait_for_publish(PATIENCE)
    assert good.is_published()
    assert (bad.rc, large.rc) == (mqtt.MQTT_ERR_INVAL, mqtt.MQTT_ERR_PAYLOAD_SIZE)
    with pytest.raises(RuntimeError, match="Payload too large"):
        large.wait_for_publish()


def test_nobody_waits_for_a_message_that_was_given_up(make_client):
    client = make_client(start=False)
    client.max_inflight_messages_set(1)
    client.publish("a", "1", 1)
    waiting = client.publish("a", "2", 1)
    told = []

    def wait():
        with pytest.raises(RuntimeError):
            waiting.wait_for_publish()
        told.append(True)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.2)
    client.disconnect()
    thread.join(PATIENCE)
    assert told and waiting.rc == mqtt.MQTT_ERR_NO_CONN


def publish_from_a_callback_of_the_past(broker, client):
    """The connection is lost, but a callback for a message before that does not know yet."""
    client.connect(broker.host, broker.port)
    client.subscribe("many")
    infos = []

    def on_message(client, userdata, message):
        if not infos:
            infos.append(client.publish("early", "x", 0))
            infos.append(client.publish("early", "x", 1))

    client.on_message = on_message
    mark = len(broker.log())
    while "Sending SUBACK" not in broker.log()[mark:]:
        client.loop(0.1)
    before = client.statistics().bytes_received
    broker.tcp_pub("-t", "many", "-m", "x", "--repeat", "2000")
    end = time.monotonic() + PATIENCE
    while client.statistics().bytes_received < before + 5000 and time.monotonic() < end:
        client._core.process()  # takes in, and leaves the events
        time.sleep(0.01)
    broker.stop()
    for _ in range(200):  # the broker's goodbye is on its way, behind the rest
        client._core.process()
        time.sleep(0.005)
    while client.loop(0.1) == mqtt.MQTT_ERR_SUCCESS:
        pass
    broker.start()
    return infos


def test_publishing_before_the_end_is_known(make_broker, tls):
    broker = make_broker().start()
    for _ in range(10):
        client = mquic.Client(tls=tls)
        infos = publish_from_a_callback_of_the_past(broker, client)
        if [info.rc for info in infos] == [mqtt.MQTT_ERR_SUCCESS] * 2:
            break
        # On a busy machine the goodbye may have been taken in before: then it is no surprise.
        assert [info.rc for info in infos] == [mqtt.MQTT_ERR_NO_CONN] * 2
    else:
        raise AssertionError("the end is always known")
    sub = broker.tcp_sub("-t", "early", "-C", "2", "-F", "%q")
    client.reconnect()
    client.loop_start()
    for info in infos:
        info.wait_for_publish(PATIENCE)
        assert info.is_published()
    assert sub.wait() == 0
    client.disconnect()
    client.loop_stop()


def test_max_inflight(make_client, recorder):
    client = make_client(recorder)
    client.max_inflight_messages_set(2)
    for n in range(20):
        client.publish("few", str(n), 1)
    assert len(recorder.wait("on_publish", 20)) == 20


def test_loop_by_hand_without_thread(make_client, recorder):
    client = make_client(recorder, start=False)
    client.subscribe("hand")
    client.publish("hand", "me", 1)
    end = time.monotonic() + PATIENCE
    while not recorder.of("on_message") and time.monotonic() < end:
        assert client.loop(0.5) == mqtt.MQTT_ERR_SUCCESS
    assert recorder.of("on_message")
    client.disconnect()
    while client.loop(1) == mqtt.MQTT_ERR_SUCCESS and time.monotonic() < end:
        pass
    assert recorder.of("on_disconnect")
    assert client.loop() == mqtt.MQTT_ERR_NO_CONN


def test_publish_leaves_without_a_loop(make_client, broker):
    listener = broker.tcp_sub("-t", "alone", "-C", "1")
    client = make_client(start=False)
    end = time.monotonic() + PATIENCE
    while not listener.lines and time.monotonic() < end:  # as in paho, no loop is needed to send
        client.publish("alone", "yes")
        time.sleep(0.1)
        client.loop_misc()
    assert listener.wait_lines(1) == ["yes"]


def test_loop_start_before_connect(broker, tls, recorder):
    client = recorder.attach(mquic.Client(tls=tls))
    client.loop_start()
    assert client.loop_start() == mqtt.MQTT_ERR_INVAL
    time.sleep(0.2)
    client.connect(broker.host, broker.port)
    recorder.wait("on_connect")
    client.disconnect()
    recorder.wait("on_disconnect")
    assert client.loop_stop() == mqtt.MQTT_ERR_SUCCESS
    assert client.loop_stop() == mqtt.MQTT_ERR_INVAL


def test_loop_stop_waits_for_messages(make_client, recorder, broker):
    client = make_client(recorder)
    infos = [client.publish("last", str(n), 1) for n in range(100)]
    client.loop_stop()
    assert all(info.is_published() for info in infos)


def test_reconnects_when_the_broker_returns(make_client, recorder, broker):
    client = make_client(recorder)
    client.reconnect_delay_set(0.2, 0.5)
    broker.stop()
    flags, reason = recorder.wait("on_disconnect")[0][1:3]
    assert reason.is_failure
    kept = client.publish("meanwhile", "x", 1)
    assert kept.rc == mqtt.MQTT_ERR_NO_CONN
    broker.start()
    recorder.wait("on_connect", 2)
    recorder.wait("on_publish")
    assert kept.is_published()


def test_session_taken_over(make_client, recorder):
    version = mqtt.MQTTv5
    first = make_client(recorder, client_id="same", reconnect_on_failure=False, protocol=version)
    make_client(client_id="same")
    flags, reason = recorder.wait("on_disconnect")[0][1:3]
    assert flags.is_disconnect_packet_from_server and reason == "Session taken over"
    first.loop_stop()


def test_session_is_kept(make_client, recorder, broker):
    before = type(recorder)()
    first = make_client(before, client_id="keeper", clean_session=False)
    first.subscribe("kept", 1)
    before.wait("on_subscribe")
    first.disconnect()
    first.loop_stop()
    broker.tcp_pub("-t", "kept", "-m", "while away", "-q", "1")
    make_client(recorder, client_id="keeper", clean_session=False)
    assert recorder.of("on_connect")[0][1].session_present
    assert recorder.wait("on_message")[0][1].payload == b"while away"


def test_will_is_published(make_client, broker, tls):
    listener = broker.tcp_sub("-t", "wills/#", "-C", "1")
    client = mquic.Client(tls=tls)
    client.will_set("wills/me", "gone", qos=1)
    client.connect(broker.host, broker.port)
    end = time.monotonic() + PATIENCE
    while not client.is_connected() and time.monotonic() < end:
        client.loop(0.2)
    del client  # nobody says goodbye
    assert listener.wait_lines(1) == ["gone"]


def test_no_will_after_disconnect(make_client, recorder, broker):
    listener = broker.tcp_sub("-t", "wills/#")
    client = mquic.Client(tls=mquic.TLSSettings(ca_file=broker.certs.ca))
    client.will_set("wills/me", "gone")
    client.connect(broker.host, broker.port)
    client.loop_start()
    client.publish("wills/other", "alive", 1)
    client.disconnect()
    client.loop_stop()
    assert listener.wait_lines(1) == ["alive"]
    time.sleep(0.3)
    assert listener.lines == ["alive"]


def test_manual_ack(make_client, recorder, broker):
    first = make_client(recorder, client_id="manual", clean_session=False, manual_ack=True)
    first.subscribe("m", 1)
    recorder.wait("on_subscribe")
    broker.tcp_pub("-t", "m", "-m", "1", "-q", "1")
    broker.tcp_pub("-t", "m", "-m", "2", "-q", "1")
    message = recorder.wait("on_message", 2)[0][1]
    assert first.ack(message.mid, message.qos) == mqtt.MQTT_ERR_SUCCESS
    time.sleep(0.3)
    first.disconnect()
    first.loop_stop()
    again = type(recorder)()
    make_client(again, client_id="manual", clean_session=False)
    assert again.wait("on_message")[0][1].payload == b"2"


def test_publish_from_many_threads(make_client, recorder):
    client = make_client(recorder)
    client.subscribe("threads/#", 1)
    recorder.wait("on_subscribe")

    def work(number):
        for n in range(100):
            client.publish(f"threads/{number}", str(n), n % 3)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    messages = [call[1] for call in recorder.wait("on_message", 500)]
    for number in range(5):
        mine = [int(m.payload) for m in messages if m.topic == f"threads/{number}"]
        assert sorted(mine) == list(range(100))
    assert len(recorder.wait("on_publish", 500)) == 500


def test_publish_in_callbacks(make_client, recorder):
    client = make_client(recorder)
    client.message_callback_add("ping", lambda c, u, m: c.publish("pong", m.payload))
    client.subscribe([("ping", 0), ("pong", 0)])
    recorder.wait("on_subscribe")
    for n in range(10):
        client.publish("ping", str(n))
    assert len(recorder.wait("on_message", 10)) == 10


def test_wrong_arguments(tls):
    with pytest.raises(ValueError, match="VERSION2"):
        mqtt.Client(mqtt.CallbackAPIVersion.VERSION1)
    with pytest.raises(ValueError):
        mqtt.Client("an id in the first place")
    with pytest.raises(ValueError, match="clean_start"):
        mqtt.Client(protocol=mqtt.MQTTv5, clean_session=True)
    with pytest.raises(ValueError, match="transport"):
        mqtt.Client(transport="websockets")
    client = mqtt.Client(tls=tls)
    with pytest.raises(ValueError):
        client.reconnect()
    with pytest.raises(ValueError):
        client.connect("")
    with pytest.raises(ValueError):
        client.connect("localhost", 70000)
    with pytest.raises(ValueError):
        client.connect("localhost", session_expiry_interval=10)  # needs MQTT 5
    for wrong in ({"host": 7}, {"port": "1883"}, {"keepalive": "60"}):
        (name,) = wrong
        with pytest.raises(TypeError, match=name):
            client.connect(**{"host": "localhost", **wrong})
    with pytest.raises(TypeError):
        client.publish("a", object())
    for topic in ("", None, "a/#", "a\0b"):
        with pytest.raises(ValueError):
            client.publish(topic, "x")
    with pytest.raises(TypeError):
        client.publish(7, "x")
    for qos in ("1", 1.0, -1):
        with pytest.raises(ValueError, match=re.escape(repr(qos))):
            client.publish("a", b"", qos=qos)
    with pytest.raises(ValueError):
        client.publish("a", b"", qos=3)
    with pytest.raises(TypeError):
        client.publish("a", b"", colour="blue")
    for filter in ("a/#/b", "a+", "", None, 7, [], ["a"], [("a", 3)], [("a", "1")]):
        with pytest.raises(ValueError):
            client.subscribe(filter)
    for filter in ("a+", None, 7, [], ["a", 7]):
        with pytest.raises(ValueError):
            client.unsubscribe(filter)
    with pytest.raises(TypeError, match="client_id"):
        mqtt.Client(client_id=7)
    with pytest.raises(TypeError, match="TLSSettings"):
        mqtt.Client(tls="ca.crt")
    with pytest.raises(TypeError, match="user name"):
        client.username_pw_set(7)
    with pytest.raises(TypeError, match="topic"):
        client.will_set(7)
    assert client.subscribe("a") == (mqtt.MQTT_ERR_NO_CONN, None)
    assert client.unsubscribe("a") == (mqtt.MQTT_ERR_NO_CONN, None)
    assert client.disconnect() == mqtt.MQTT_ERR_NO_CONN


@pytest.mark.parametrize("topic", ["", "a/#", "a/+", "a\0b", "x" * 65536, "\ud800"])
def test_bad_topics_are_refused(make_client, topic):
    client = make_client()
    with pytest.raises(ValueError):
        client.publish(topic, "x")
    with pytest.raises(ValueError):
        client.publish(topic, "x", content_type="y")


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (("a/#", b"", 0, False), "a topic has 1 to 65535 bytes"),
        (("a", b"", 3, False), "the QoS must be 0, 1 or 2"),
        (("a", b"", 0, False), "is not connected"),
    ],
)
def test_the_library_says_why_a_message_is_refused(tls, arguments, sentence):
    client = mquic.Client(tls=tls)
    with pytest.raises(mquic.MquicError, match=sentence):
        _native.publish(client._session()._session, *arguments)


def test_connecting_fails(certs, broker):
    port = broker.port
    with pytest.raises(ConnectionRefusedError) as nobody:
        mquic.Client().connect("127.0.0.1", 9)
    assert nobody.value.status == mquic.Status.REFUSED
    with pytest.raises(mquic.ResolveError) as name:
        mquic.Client().connect("no-such-host.invalid")
    assert "no-such-host.invalid" in str(name.value)
    with pytest.raises(mquic.TLSError) as trust:
        mquic.Client(tls=mquic.TLSSettings(ca_file=certs.other_ca)).connect("127.0.0.1", port)
    assert trust.value.status == mquic.Status.TLS and trust.value.origin == mquic.Origin.TLS
    with pytest.raises(mquic.TLSError, match="/nowhere/ca.crt"):
        mquic.Client(tls=mquic.TLSSettings(ca_file="/nowhere/ca.crt")).connect("127.0.0.1", port)
    for error in (nobody, name, trust):
        assert isinstance(error.value, OSError)


def test_refused_by_the_broker(make_broker, tls, recorder):
    broker = make_broker(anonymous=False).start()
    client = recorder.attach(mquic.Client(tls=tls, reconnect_on_failure=False))
    client.connect(broker.host, broker.port)
    assert client.loop_forever() == mqtt.MQTT_ERR_CONN_REFUSED
    assert recorder.of("on_connect")[0][2] == "Not authorized"
    assert recorder.of("on_disconnect")[0][2] == "Unspecified error"
    assert client.error.reason_code == 135


@pytest.mark.parametrize("qos", [1, 2])
def test_a_refused_message_is_told_and_costs_nothing_else(make_broker, tls, recorder, qos):
    broker = make_broker(top=["message_size_limit 100"]).start()
    client = recorder.attach(mquic.Client(tls=tls, protocol=mqtt.MQTTv5))
    client.connect(broker.host, broker.port)
    client.loop_start()
    fat = client.publish("t", b"x" * 200, qos)
    thin = client.publish("t", b"x", qos)
    reasons = {mid: reason for _, mid, reason, _ in recorder.wait("on_publish", 2)}
    assert reasons[fat.mid] == "Packet too large" and reasons[fat.mid].is_failure
    assert not reasons[thin.mid].is_failure
    assert recorder.of("on_disconnect") == []
    client.disconnect()
    client.loop_stop()


def test_a_message_at_which_the_broker_hangs_up_is_given_up(make_broker, tls, recorder):
    broker = make_broker(top=["max_packet_size 200"]).start()
    client = recorder.attach(mquic.Client(client_id="stubborn", tls=tls, clean_session=False))
    client.reconnect_delay_set(1, 1)
    client.connect(broker.host, broker.port)
    client.loop_start()
    fat = client.publish("t", b"x" * 300, 1)
    thin = client.publish("t", b"x", 1)
    reasons = {mid: reason for _, mid, reason, _ in recorder.wait("on_publish", 2)}
    assert reasons[fat.mid] == "Unspecified error" and reasons[fat.mid].is_failure
    assert not reasons[thin.mid].is_failure
    assert len(recorder.of("on_disconnect")) == 3
    client.disconnect()
    client.loop_stop()


def test_password(make_broker, build, workdir, tls, recorder):
    import subprocess

    path = workdir / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(path), "user", "secret"], check=True)
    path.chmod(0o644)
    broker = make_broker(anonymous=False, listener=[f"password_file {path}"]).start()
    client = recorder.attach(mquic.Client(tls=tls))
    client.username_pw_set("user", "secret")
    client.connect(broker.host, broker.port)
    client.loop_start()
    assert recorder.wait("on_connect")[0][2] == 0
    client.disconnect()
    client.loop_stop()


def test_connect_url(broker, tls, recorder):
    client = recorder.attach(mquic.Client(tls=tls))
    client.connect(f"mqtt-quic://{broker.host}:{broker.port}")
    client.loop_start()
    recorder.wait("on_connect")
    info = client.connection_info()
    assert info.peer_address == f"127.0.0.1:{broker.port}"
    assert (info.tls_version, info.alpn) == ("TLS1.3", "mqtt")
    assert "DNS:localhost" in info.peer_alt_names
    statistics = client.statistics()
    assert 0 < statistics.handshake < PATIENCE and statistics.bytes_received > 1000
    client.disconnect()
    client.loop_stop()


def test_migrate(make_client, recorder):
    with pytest.raises(mquic.StateError):
        mquic.Client().migrate()
    client = make_client(recorder)
    before = client.connection_info().local_address
    deadline = time.monotonic() + PATIENCE
    while client.connection_info().local_address == before:
        assert time.monotonic() < deadline
        try:  # refused until the server has confirmed the handshake
            client.migrate()
        except mquic.WouldBlock:
            pass
        time.sleep(0.05)
    client.publish("a", "b", 1).wait_for_publish(PATIENCE)
    assert recorder.wait("on_publish") and not recorder.of("on_disconnect")


def test_log(broker, tls, caplog):
    lines = []
    client = mquic.Client(tls=tls)
    client.on_log = lambda client, userdata, level, text: lines.append((level, text))
    client.enable_logger()
    with caplog.at_level("DEBUG", "mquic.client"):
        client.connect(broker.host, broker.port)
        client.loop(0.2)
    assert any(level == mqtt.MQTT_LOG_DEBUG for level, text in lines)
    assert caplog.records
    client.disconnect()


def test_reconnect_while_connected(make_client, recorder):
    client = make_client(recorder)
    client.reconnect()
    recorder.wait("on_connect", 2)
    client.publish("after", "x", 1).wait_for_publish(PATIENCE)


# ---- what programs for paho-mqtt do


def test_log_says_what_travels(make_client, recorder):
    import logging

    lines = []
    client = make_client(start=False, client_id="log")
    client.on_log = lambda client, userdata, level, line: lines.append((level, line))
    logger = logging.getLogger("mquic-test")
    records = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    client.enable_logger(logger)
    recorder.attach(client)
    client.loop_start()
    recorder.wait("on_connect")
    client.subscribe("log/#", 1)
    recorder.wait("on_subscribe")
    client.publish("log/a", "payload", 1)
    recorder.wait("on_message")
    recorder.wait("on_publish")
    client.unsubscribe("log/#")
    recorder.wait("on_unsubscribe")
    client.disconnect()
    recorder.wait("on_disconnect")
    text = "\n".join(line for _, line in lines)
    for piece in (
        "Received CONNACK",
        "Sending SUBSCRIBE (m1), [('log/#', 1)]",
        "Received SUBACK (m1): Granted QoS 1",
        "Sending PUBLISH (q1, r0, m2), 'log/a'",
        "Received PUBLISH (d0, q1, r0, m1), 'log/a', 7 bytes",
        "Settled message 2: Success",
        "Sending UNSUBSCRIBE (m3), ['log/#']",
        "Received UNSUBACK (m3)",
        "Sending DISCONNECT",
        "Disconnected: ",
    ):
        assert piece in text, text
    assert "payload" not in text
    assert {level for level, _ in lines} <= {mqtt.MQTT_LOG_DEBUG, mqtt.MQTT_LOG_INFO}
    assert "Sending DISCONNECT" in [record.getMessage() for record in records]


def test_socket_is_set_up_as_if_it_were_one(make_client, recorder, broker):
    """As Home Assistant and examples of paho-mqtt do when it is opened."""
    sockets = []

    def opened(client, userdata, sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2048)
        sock.setblocking(False)
        sock.settimeout(1)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 0
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4) == bytes(4)
        assert sock.gettimeout() == 0
        sockets.append(sock)

    client = make_client(start=False)
    client.disconnect()
    client.on_socket_open = opened
    client.reconnect()
    (one,) = sockets
    assert one is client.socket()
    assert one.getpeername() == ("127.0.0.1", broker.port)
    assert one.getsockname()[0] == "127.0.0.1" and one.getsockname()[1] > 0
    assert one.fileno() >= 0


def test_callback_for_a_shared_subscription(make_client, recorder):
    client = make_client(recorder, protocol=mqtt.MQTTv5)
    got = []
    came = threading.Event()

    @client.topic_callback("$share/group/shared/+")
    def shared(client, userdata, message):
        got.append(message.topic)
        came.set()

    client.subscribe("$share/group/shared/+", 1)
    recorder.wait("on_subscribe")
    client.publish("shared/one", "x", 1)
    assert came.wait(PATIENCE)
    assert got == ["shared/one"] and not recorder.of("on_message")


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_wait_for_publish_where_nobody_has_started_a_loop(make_client, recorder, qos):
    client = make_client(recorder, start=False)
    info = client.publish("lonely", "x", qos)
    info.wait_for_publish(PATIENCE)
    assert info.is_published()
    assert not recorder.of("on_publish")  # callbacks are a loop's
    client.loop_start()
    assert [event[1] for event in recorder.wait("on_publish")] == [info.mid]


def test_wait_for_publish_in_time_and_after_the_end(make_client):
    client = make_client(start=False)
    info = client.publish("a", "b", 1)
    start = time.monotonic()
    with client._lock:
        client._unsettled.clear()  # as if the server never answered
    info.wait_for_publish(0.3)
    assert 0.3 <= time.monotonic() - start < PATIENCE and not info.is_published()
    client.disconnect()
    waiting = client.publish("a", "b", 1)
    with pytest.raises(RuntimeError):
        waiting.wait_for_publish(PATIENCE)


def test_callback_with_other_arguments_is_told_which(broker, tls):
    client = mquic.Client(tls=tls)
    client.on_connect = lambda client, userdata, flags, rc: None
    client.connect(broker.host, broker.port)
    with pytest.raises(TypeError) as error:
        client.loop_forever()
    assert "on_connect with 5 arguments" in error.value.__notes__[0]
    client.on_disconnect = lambda *_: len(7)
    client.disconnect()
    with pytest.raises(TypeError) as error:
        client.loop_forever()
    assert not hasattr(error.value, "__notes__")
    with pytest.raises(ValueError, match="client_id="):
        mquic.Client("my-id")
