# SPDX-License-Identifier: MIT
"""MQTT packets made by hand, for clients that do not keep to the rules."""

import struct


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("!H", len(data)) + data


def remaining_length(number):
    out = bytearray()
    while True:
        number, digit = divmod(number, 128)
        out.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(out)


def packet(first, body):
    return bytes([first]) + remaining_length(len(body)) + body


def connect(client_id="raw", level=4, name=None, flags=0x02, keep_alive=60, payload=b""):
    """CONNECT; `payload` follows the client identifier."""
    name = name or ("MQIsdp" if level == 3 else "MQTT")
    head = text(name) + bytes([level, flags]) + struct.pack("!H", keep_alive)
    return packet(0x10, head + (b"\0" if level == 5 else b"") + text(client_id) + payload)


def connect_with_will(client_id, topic, payload):
    return connect(client_id, flags=0x06, payload=text(topic) + text(payload))


def subscribe(topic, qos=0, packet_id=1):
    return packet(0x82, struct.pack("!H", packet_id) + text(topic) + bytes([qos]))


def publish(topic, payload):
    return packet(0x30, text(topic) + payload)


CONNACK_ACCEPTED = b"\x20\x02\x00\x00"
PINGREQ = b"\xc0\x00"
PINGRESP = b"\xd0\x00"
DISCONNECT = b"\xe0\x00"
DISCONNECT = b"\xe0\x00"
