# SPDX-License-Identifier: MIT
"""Arguments of the wrong type or out of range: exceptions that name them, raised where they are."""

import operator
from typing import Any

from .topics import is_name


def whole(name: str, value: Any, least: int, most: int) -> int:
    """The value, which must be a whole number in this range."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, not {value!r}") from None
    if not least <= number <= most:
        raise ValueError(f"{name} must be {least} to {most}, not {number}")
    return number


def application_code(code: Any) -> int:
    """A code that an application ends a stream or a connection with (RFC 9000 section 20.2)."""
    return whole("the code", code, 0, 2**62 - 1)


def quality(qos: Any) -> int:
    """A QoS."""
    if not isinstance(qos, int) or not 0 <= qos <= 2:
        raise ValueError(f"the QoS must be 0, 1 or 2, not {qos!r}")
    return qos


def text(name: str, value: Any) -> None:
    """Refuses what is neither text, as str or as its bytes, nor None."""
    if value is not None and not isinstance(value, (str, bytes, bytearray, memoryview)):
        raise TypeError(f"{name} must be a str, not {value!r}")


def publishable(topic: Any) -> None:
    """Refuses what is not the topic of a message."""
    text("the topic", topic)
    if not is_name(topic if isinstance(topic, str) else bytes(topic or b"")):
        raise ValueError(f"{topic!r} is not a topic that can be published to")


def host_and_port(host: Any, port: Any) -> None:
    """Where to connect to: a name or an address with a port, or a URL."""
    if not host:
        raise ValueError("a host must be given")
    if not isinstance(host, str):
        raise TypeError(f"the host must be a str, not {host!r}")
    whole("the port", port, 1, 65535)


def speakable(protocol: Any) -> None:
    """Refuses a version of MQTT that nobody speaks over QUIC."""
    if protocol == 3:
        raise ValueError("servers of MQTT over QUIC speak MQTT 3.1.1 and 5, not 3.1: use MQTTv311")
