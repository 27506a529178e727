# SPDX-License-Identifier: MIT
"""A client with several streams, of raw packets on the streams of the Python module."""

import struct

from harness import mqtt
from harness.process import PATIENCE

PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 8, 9, 10, 11


class Closed(Exception):
    """The stream is over."""


class Packet:
    def __init__(self, first, body, level):
        self.type, self.flags, self.body = first >> 4, first & 15, body
        at = 0
        if self.type == PUBLISH:
            self.qos = self.flags >> 1 & 3
            at = 2 + struct.unpack_from("!H", body)[0]
            self.topic = body[2:at].decode()
        has_id = PUBACK <= self.type <= UNSUBACK or (self.type == PUBLISH and self.qos > 0)
        self.id = struct.unpack_from("!H", body, at)[0] if has_id else 0
        at += 2 if has_id else 0
        self.properties = b""
        if level == 5 and self.type in (PUBLISH, SUBACK, UNSUBACK):
            self.properties = body[at + 1 : at + 1 + body[at]]  # short ones only
            at += 1 + body[at]
        self.rest = body[at:]

    def __repr__(self):
        return f"<{self.type} {self.id} {self.body[:40]!r}>"


class Stream:
    def __init__(self, client, stream):
        self.client = client
        self.raw = stream
        self._buffer = b""

    def send(self, *packets):
        self.raw.sendall(b"".join(packets), timeout=PATIENCE)

    def _header(self):
        """(length of the header, of the body) if both are there."""
        length = 0
        for at in range(1, min(len(self._buffer), 5)):
            length |= (self._buffer[at] & 127) << 7 * (at - 1)
            if self._buffer[at] < 128:
                whole = len(self._buffer) >= at + 1 + length
                return (at + 1, length) if whole else None
        return None

    def packet(self, timeout=PATIENCE):
        """The next one; Closed if there are no more."""
        while (header := self._header()) is None:
            try:
                data = self.raw.recv(timeout=timeout)
            except self.client.mquic.ClosedError as error:
                raise Closed(str(error)) from error
            if not data:
                raise Closed("FIN")
            self._buffer += data
        start, length = header
        packet = Packet(self._buffer[0], self._buffer[start : start + length], self.client.level)
        self._buffer = self._buffer[start + length :]
        return packet

    def nothing(self, timeout=0.2):
        """Whether nothing comes for a while."""
        try:
            return self.packet(timeout) is None
        except self.client.mquic.TimedOutError:
            return True

    # ---- whole exchanges

    def publish(self, topic, payload, qos=0, packet_id=1, first=0):
        head = mqtt.text(topic) + (struct.pack("!H", packet_id) if qos else b"")
        head += b"\0" if self.client.level == 5 else b""
        return mqtt.packet(0x30 | qos << 1 | first, head + payload)

    def ack(self, kind, packet_id):
        return mqtt.packet(kind << 4 | (2 if kind == PUBREL else 0), struct.pack("!H", packet_id))

    def subscribe(self, topic, qos=0, packet_id=1, subscription_id=0):
        body = struct.pack("!H", packet_id)
        if self.client.level == 5:
            body += bytes([2, 0x0B, subscription_id]) if subscription_id else b"\0"
        self.send(mqtt.packet(0x82, body + mqtt.text(topic) + bytes([qos])))

    def unsubscribe(self, topic, packet_id=1):
        body = struct.pack("!H", packet_id) + (b"\0" if self.client.level == 5 else b"")
        self.send(mqtt.packet(0xA2, body + mqtt.text(topic)))

    def expect(self, kind, packet_id=None):
        packet = self.packet()
        assert packet.type == kind, packet
        assert packet_id is None or packet.id == packet_id, packet
        return packet

    def subscribed(self, topic, qos=0, packet_id=1, subscription_id=0):
        self.subscribe(topic, qos, packet_id, subscription_id)
        assert self.expect(SUBACK, packet_id).rest == bytes([qos])

    def published(self, topic, payload, qos=0, packet_id=1, first=0):
        """Publishes, and waits until that is done."""
        self.send(self.publish(topic, payload, qos, packet_id, first))
        if qos == 1:
            self.expect(PUBACK, packet_id)
        if qos == 2:
            self.expect(PUBREC, packet_id)
            self.send(self.ack(PUBREL, packet_id))
            self.expect(PUBCOMP, packet_id)

    def message(self, topic, payload, qos=0):
        """Receives it and acknowledges it."""
        packet = self.expect(PUBLISH)
        assert (packet.topic, packet.rest, packet.qos) == (topic, payload, qos), packet
        if qos == 1:
            self.send(self.ack(PUBACK, packet.id))
        if qos == 2:
            self.send(self.ack(PUBREC, packet.id))
            self.expect(PUBREL, packet.id)
            self.send(self.ack(PUBCOMP, packet.id))
        return packet

    def lost(self):
        """Waits for its end; what came before is dropped."""
        try:
            while True:
                self.packet()
        except Closed as closed:
            return str(closed)


class Client:
    """Connected, with its control stream; `mquic` is the module."""

    def __init__(self, mquic, broker, level=4, client_id="streams", **options):
        self.mquic, self.level = mquic, level
        self.connection = mquic.quic.connect(
            broker.host,
            broker.port,
            tls=mquic.TLSSettings(ca_file=broker.certs.ca),
            quic=mquic.QUICSettings(keep_alive=5),
            timeout=PATIENCE,
        )
        self.control = self.open()
        self.control.send(mqtt.connect(client_id, level, **options))
        connack = self.control.packet()
        assert connack.type == 2 and connack.body[1] == 0, connack
        self.session_present = connack.body[0] == 1

    def open(self):
        return Stream(self, self.connection.open_stream())

    def ping(self, stream=None):
        """The broker is there, and has seen all that came before."""
        stream = stream or self.control
        stream.send(mqtt.PINGREQ)
        assert stream.packet().type == 13

    def close(self):
        self.connection.close()
