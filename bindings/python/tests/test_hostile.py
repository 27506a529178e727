# SPDX-License-Identifier: MIT
"""Servers that send what takes much memory: a client holds no more than it says."""

import asyncio
import os
import threading

import pytest
from conftest import PATIENCE
from test_aio import asynchronous

import mquic
import mquic.client as mqtt
from mquic import aio, quic

# A user property without a letter: five bytes on the wire.
NOTHING = b"\x26\0\0\0\0"
CONNACK = b"\x20\x03\0\0\0"
SHUTTING_DOWN = b"\xe0\x01\x8b"
FIN = None


def varint(number):
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def publish(topic, payload=b"", properties=b""):
    body = len(topic).to_bytes(2, "big") + topic + varint(len(properties)) + properties + payload
    return b"\x30" + varint(len(body)) + body


class Server(threading.Thread):
    """
    Accepts one client for each list of packets, and whatever that says, sends them; FIN stands
    for the end of the stream.
    """

    def __init__(self, certs, *connections):
        super().__init__(daemon=True)
        self._endpoint = quic.Endpoint()
        tls = mquic.TLSSettings(certificate=certs.server.cert, key=certs.server.key)
        self.port = self._endpoint.listen("127.0.0.1", 0, tls=tls)
        self._connections = connections
        self._over = threading.Event()
        self.start()

    def run(self):
        for packets in self._connections:
            connection = self._endpoint.accept(PATIENCE)
            stream = connection.accept_stream(PATIENCE)
            stream.recv(timeout=PATIENCE)
            try:
                self._serve(stream, packets)
            except mquic.ClosedError:
                pass
            connection.close()

    def _serve(self, stream, packets):
        for packet in packets:
            if packet is FIN:
                stream.finish()
            else:
                stream.sendall(packet, timeout=PATIENCE)
        while not self._over.is_set():
            stream.recv(timeout=PATIENCE)

    def close(self):
        self._over.set()
        self.join(PATIENCE)
        self._endpoint.close()


def peak_kb():
    """The most memory that this process has had since reset_peak()."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def reset_peak():
    with open("/proc/self/clear_refs", "w") as refs:
        refs.write("5")
    return peak_kb()


@pytest.fixture
def peak():
    if "libasan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("what is freed is kept by the sanitizer: memory cannot be measured")
    return reset_peak


def flood(certs):
    """A hundred megabytes of properties, then one message that is as it should be."""
    many = publish(b"t", properties=NOTHING * 200_000)
    return Server(certs, [CONNACK, *[many] * 100, publish(b"end")])


def test_properties_take_no_memory(certs, tls, recorder, peak):
    server = flood(certs)
    client = recorder.attach(mquic.Client(client_id="c", tls=tls, protocol=mqtt.MQTTv5))
    before = peak()
    client.connect("127.0.0.1", server.port)
    client.loop_start()
    assert recorder.wait("on_message")[0][1].topic == "end"
    assert peak_kb() - before < 40_000
    client.disconnect()
    client.loop_stop()
    server.close()


@asynchronous
async def test_properties_take_no_memory_in_asyncio(certs, tls, peak):
    server = flood(certs)
    before = peak()
    client = aio.Client("127.0.0.1", server.port, identifier="c", tls=tls, max_properties=10)
    async with client:
        async for message in client.messages:
            assert message.topic == "end"
            break
    assert peak_kb() - before < 40_000
    server.close()


@asynchronous
async def test_large_messages_nobody_takes_are_left_with_the_server(certs, tls, peak):
    server = Server(certs, [CONNACK, *[publish(b"t", bytes(1_000_000))] * 100])
    before = peak()
    client = aio.Client("127.0.0.1", server.port, identifier="c", tls=tls)
    async with client:
        # The server is held back: it has nowhere to put more.
        while len(client.messages) < 4:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        assert len(client.messages) < 10
        assert peak_kb() - before < 60_000
        count = 0
        async for message in client.messages:
            count += len(message.payload) == 1_000_000
            if count == 100:
                break
    server.close()


def test_a_packet_above_the_limit_ends_the_connection(certs, tls, recorder):
    server = Server(certs, [CONNACK, b"\x30" + varint(9_000_000) + bytes(70_000)])
    client = recorder.attach(
        mquic.Client(client_id="c", tls=tls, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
    )
    client.max_packet_size_set(8_000_000)
    client.connect("127.0.0.1", server.port)
    client.loop_start()
    recorder.wait("on_disconnect")
    assert "messages may have 8000000 bytes" in str(client.error)
    client.loop_stop()
    server.close()


def test_limits_are_checked(tls):
    client = mquic.Client(tls=tls)
    for bad in (1023, 268435461):
        with pytest.raises(ValueError, match="1024 to 268435460"):
            client.max_packet_size_set(bad)
        with pytest.raises(ValueError, match="max_packet_size"):
            aio.Client("localhost", max_packet_size=bad)
    for bad in (0, 1000001):
        with pytest.raises(ValueError, match="1 to 1000000"):
            client.max_properties_set(bad)
        with pytest.raises(ValueError, match="max_properties"):
            aio.Client("localhost", max_properties=bad)


@pytest.mark.parametrize("end", [SHUTTING_DOWN, FIN], ids=["DISCONNECT", "FIN"])
def test_a_connection_that_ends_with_connack_is_tried_again(certs, build, end):
    once = [CONNACK + SHUTTING_DOWN] if end is not FIN else [CONNACK, FIN]
    server = Server(certs, once, [CONNACK + publish(b"t", b"at last")])
    words = ["-h", "127.0.0.1", "-p", server.port, "-i", "c", "--cafile", certs.ca, "-t", "t"]
    done = build.run(build.tool("mquic-sub"), *words, "-C", "1")
    assert (done.returncode, done.stdout) == (0, "at last\n"), done
    assert "Trying again" in done.stderr and "call connect first" not in done.stderr, done
    if end is not FIN:
        assert "server shutting down" in done.stderr, done
    server.close()


def test_callbacks_may_call_after_the_end(certs, tls, recorder):
    """CONNACK and the end come in one turn: what on_connect does then is not fatal."""
    server = Server(certs, [CONNACK + publish(b"t") + SHUTTING_DOWN])
    client = recorder.attach(
        mquic.Client(
            client_id="c",
            tls=tls,
            protocol=mqtt.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
    )
    answers = []

    def call(*_):
        answers.append(client.subscribe("t")[0])
        answers.append(client.unsubscribe("t")[0])
        answers.append(client.ack(1, 1))
        answers.append(client.auth(0x19))
        client.publish("t", "x", 1)

    client.on_connect = call
    client.connect("127.0.0.1", server.port)
    client.loop_start()
    assert recorder.wait("on_disconnect")[0][2] == "Server shutting down"
    assert all(one in (mqtt.MQTT_ERR_SUCCESS, mqtt.MQTT_ERR_NO_CONN) for one in answers), answers
    assert len(answers) == 4
    client.loop_stop()
    server.close()


@pytest.mark.parametrize("qos", ["1", "2"])
def test_a_withheld_acknowledgement_is_told(certs, build, qos):
    server = Server(certs, [CONNACK])
    words = ["-h", "127.0.0.1", "-p", server.port, "-i", "c", "--cafile", certs.ca, "-t", "t"]
    done = build.run(
        build.tool("mquic-pub"), *words, "-m", "x", "-q", qos, "--ack-timeout", "1"
    )
    assert done.returncode == 1, done
    assert "acknowledged nothing for 1 s" in done.stderr, done
    assert "1 message is not acknowledged." in done.stderr, done
    server.close()
