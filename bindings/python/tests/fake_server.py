# SPDX-License-Identifier: MIT
"""A server that says what a test gives it, byte by byte, in a thread of its own."""

import struct
import threading

import mquic
from mquic import quic
from harness.process import PATIENCE


def text(value):
    """A string of MQTT."""
    value = value.encode() if isinstance(value, str) else value
    return struct.pack("!H", len(value)) + value


def length(number):
    """A variable byte integer."""
    out = bytearray()
    while True:
        number, seven = number >> 7, number & 0x7F
        out.append(seven | (0x80 if number else 0))
        if not number:
            return bytes(out)


def packet(first, body):
    return bytes([first]) + length(len(body)) + body


def properties(*pairs):
    """(identifier, encoded value) pairs."""
    body = b"".join(bytes([identifier]) + value for identifier, value in pairs)
    return length(len(body)) + body


ASSIGNED, REASON, USER = 0x12, 0x1F, 0x26


def user(name, value):
    return USER, text(name) + text(value)


def connack(*pairs, reason=0):
    """Names a client that may have no name, as it must (MQTT-3.2.2-16)."""
    if reason == 0 and ASSIGNED not in dict(pairs):
        pairs = ((ASSIGNED, text("named")), *pairs)
    return packet(0x20, bytes([0, reason]) + properties(*pairs))


def publish(topic, payload, *pairs):
    return packet(0x30, text(topic) + properties(*pairs) + payload)


def disconnect(reason, *pairs):
    return packet(0xE0, bytes([reason]) + properties(*pairs))


class FakeServer:
    """Answers the first client with `answers`, in this order, one for each packet it sends."""

    def __init__(self, cert, *answers):
        self.endpoint = quic.Endpoint()
        self.port = self.endpoint.listen(
            "127.0.0.1", tls=mquic.TLSSettings(certificate=cert.cert, key=cert.key)
        )
        self._answers = answers
        #: What the client has sent up to each answer.
        self.received = []
        #: And after the last of them.
        self.rest = b""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        try:
            connection = self.endpoint.accept(PATIENCE)
            stream = connection.accept_stream(PATIENCE)
            for answer in self._answers:
                self.received.append(stream.recv(timeout=PATIENCE))
                if not self.received[-1]:
                    return
                stream.sendall(answer, PATIENCE)
            while more := stream.recv(timeout=PATIENCE):
                self.rest += more
        except mquic.MquicError:
            pass  # the client has had enough

    def close(self):
        self.endpoint.close()
        self._thread.join(PATIENCE)
