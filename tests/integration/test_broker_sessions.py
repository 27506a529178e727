# SPDX-License-Identifier: MIT
"""Sessions: kept, taken over, shared, kept alive; and the properties of MQTT 5."""

import time

from harness import mqtt
from harness.clients import SessionClient, raw
from harness.process import eventually


def test_a_persistent_session_keeps_messages(broker):
    first = SessionClient(broker, "keeper", clean=0, expiry=300)
    first.connect(present=0)
    first.subscribe("mail", 1)
    first.disconnect()
    broker.pub("-t", "mail", "-q", "1", "-m", "while you were out")
    second = SessionClient(broker, "keeper", clean=0, expiry=300)
    second.connect(present=1)
    assert second.message()["payload"] == "while you were out"
    second.disconnect()


def test_a_persistent_session_of_3_1_1(broker):
    first = SessionClient(broker, "old-keeper", protocol=4, clean=0)
    first.connect(present=0)
    first.subscribe("mail", 2)
    first.disconnect()
    broker.pub("-t", "mail", "-q", "2", "-m", "still here")
    second = SessionClient(broker, "old-keeper", protocol=4, clean=0)
    second.connect(present=1)
    assert second.message()["payload"] == "still here"
    third = SessionClient(broker, "old-keeper", protocol=4, clean=1)
    third.connect(present=0)


def test_a_persistent_session_of_the_tools(broker):
    sub = broker.sub("-t", "mail", "-q", "1", "-c", "-C", "1", client_id="tool-keeper")
    broker.pub("-t", "mail", "-q", "1", "-m", "one")
    assert sub.wait() == 0
    broker.pub("-t", "mail", "-q", "1", "-m", "two")
    again = ["-t", "mail", "-q", "1", "-c", "-C", "1"]
    sub = broker.sub(*again, client_id="tool-keeper", ready=False)
    assert sub.wait() == 0
    assert sub.lines == ["two"]


def test_a_session_moves_between_tcp_and_quic(broker):
    sub = broker.tcp_sub("-t", "mail", "-q", "1", "-c", "-C", "1", client_id="traveller")
    broker.pub("-t", "mail", "-q", "1", "-m", "one")
    assert sub.wait() == 0
    broker.pub("-t", "mail", "-q", "1", "-m", "two")
    client = SessionClient(broker, "traveller", protocol=4, clean=0)
    client.connect(present=1)
    assert client.message()["payload"] == "two"


def test_a_second_client_takes_the_session_over(broker):
    first = SessionClient(broker, "twin")
    first.connect()
    second = SessionClient(broker, "twin")
    second.connect()
    end = first.event("DISCONNECTED")
    assert (end["origin"], end["code"]) == ("4", str(0x8E)), end
    second.publish("still", "works", qos=1)


def test_a_tcp_client_takes_a_quic_session_over(broker):
    first = SessionClient(broker, "twin", protocol=4)
    first.connect()
    broker.tcp_sub("-t", "x", client_id="twin")
    end = first.event("DISCONNECTED")
    assert end["origin"] in ("1", "4"), end


def test_the_session_object_connects_again(broker):
    client = SessionClient(broker, "again", clean=0, expiry=60)
    client.connect(present=0)
    client.subscribe("t", 1)
    client.disconnect()
    for _ in range(3):
        client.connect(present=1)
        client.publish("t", "x", qos=1)
        client.message()
        client.disconnect()


def test_the_broker_chooses_a_client_id(broker):
    client = SessionClient(broker)
    assert client.connect()["client"] != ""
    old = SessionClient(broker, protocol=4)
    old.connect()


def test_properties_travel_end_to_end(broker):
    receiver = SessionClient(broker)
    receiver.connect()
    receiver.do("subscribe", "props", 1, 0, 77)
    receiver.event("SUBSCRIBED")
    sender = SessionClient(broker)
    sender.connect()
    sender.do("property", "content-type", "application/json; ü")
    sender.do("property", "response-topic", "answers/here")
    sender.do("property", "correlation", "\x01\x02 raw")
    sender.do("property", "expiry", 3600)
    sender.do("property", "utf8", 1)
    sender.do("property", "user", "colour", "blue")
    sender.do("property", "user", "colour", "green")
    sender.publish("props", "{}", qos=1)
    message = receiver.message()
    assert message["content-type"] == "application/json; ü"
    assert message["response-topic"] == "answers/here"
    assert message["correlation"] == "\x01\x02 raw"
    assert 3590 <= int(message["expiry"]) <= 3600
    assert message["utf8"] == "1"
    assert message["subscription"] == "77"
    assert (message["user0"], message["user1"]) == ("colour:blue", "colour:green")


def test_an_expired_message_is_not_delivered(broker):
    receiver = SessionClient(broker, "late", clean=0, expiry=60)
    receiver.connect()
    receiver.subscribe("news", 1)
    receiver.disconnect()
    sender = SessionClient(broker)
    sender.connect()
    sender.do("property", "expiry", 1)
    sender.publish("news", "stale", qos=1)
    sender.publish("news", "fresh", qos=1)
    time.sleep(2.2)
    receiver.connect(present=1)
    assert receiver.message()["payload"] == "fresh"
    assert len(receiver.events("MESSAGE")) == 1


def test_a_shared_subscription_splits_the_work(broker):
    workers = [SessionClient(broker) for _ in range(2)]
    for worker in workers:
        worker.connect()
        worker.subscribe("$share/crew/jobs", 1)
    sender = SessionClient(broker)
    sender.connect()
    for number in range(20):
        sender.publish("jobs", number, qos=1)

    def all_done():
        return sum(len(worker.events("MESSAGE")) for worker in workers) >= 20

    eventually(all_done, what="20 messages")
    shares = [[event["payload"] for event in worker.events("MESSAGE")] for worker in workers]
    assert sorted(sum(shares, []), key=int) == [str(number) for number in range(20)]
    assert all(shares), shares


def test_no_local_and_retain_handling(broker):
    client = SessionClient(broker)
    client.connect()
    client.publish("own", "kept", qos=1, retain=1)
    client.do("subscribe", "own", 1, 0x04 | 0x20)
    client.event("SUBSCRIBED")
    client.publish("own", "mine", qos=1)
    broker.pub("-t", "own", "-q", "1", "-m", "theirs")
    assert client.message()["payload"] == "theirs"
    assert len(client.events("MESSAGE")) == 1


def test_topic_aliases(make_broker):
    broker = make_broker(listener=["max_topic_alias 10"]).start()
    client = SessionClient(broker, aliases=5, alias_maximum=5)
    client.connect()
    client.subscribe("a/rather/long/topic", 1)
    for number in range(5):
        client.publish("a/rather/long/topic", number, qos=1)
        message = client.message()
        assert (message["topic"], message["payload"]) == ("a/rather/long/topic", str(number))


def test_receive_maximum_of_one(broker):
    client = SessionClient(broker, receive_maximum=1)
    client.connect()
    client.subscribe("slow", 2)
    for number in range(10):
        client.do("publish", "slow", 2, 0, number)
    payloads = [client.message()["payload"] for _ in range(10)]
    assert payloads == [str(number) for number in range(10)]


def test_keep_alive_holds_a_silent_client(broker):
    client = SessionClient(broker, "silent", keep_alive=3)
    client.connect()
    pings = "Received PINGREQ from silent"
    eventually(lambda: broker.log().count(pings) >= 2, what="two PINGREQ")
    assert client.events("DISCONNECTED") == []
    client.publish("still", "there", qos=1)
    client.disconnect()


def test_the_idle_timeout_stretches_to_the_keep_alive(broker):
    client = SessionClient(broker, keep_alive=3, settings={"idle_timeout_ms": 1000})
    client.connect()
    time.sleep(4)
    client.publish("still", "there", qos=1)
    client.disconnect()


def test_mqtt_3_1_is_let_in(broker):
    packets = mqtt.connect("ancient", level=3) + mqtt.PINGREQ + mqtt.DISCONNECT
    result = raw(broker, packets)
    assert result.data == mqtt.CONNACK_ACCEPTED + mqtt.PINGRESP


def test_connect_may_come_in_single_bytes(broker):
    packet = mqtt.connect("dribble")
    chunks = [packet[i : i + 1] for i in range(len(packet))]
    result = raw(broker, *chunks, mqtt.PINGREQ, mqtt.DISCONNECT, pause_ms=5)
    assert result.data == mqtt.CONNACK_ACCEPTED + mqtt.PINGRESP
    assert result.closed["code"] == "0"


def test_packets_may_be_glued_behind_connect(broker):
    broker.tcp_pub("-t", "glue", "-m", "x", "-r", "-q", "1")
    whole = mqtt.connect("glued") + mqtt.subscribe("glue") + mqtt.PINGREQ + mqtt.DISCONNECT
    result = raw(broker, whole)
    assert result.data.startswith(mqtt.CONNACK_ACCEPTED)
    assert mqtt.PINGRESP in result.data
    assert b"glue" in result.data
