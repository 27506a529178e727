# SPDX-License-Identifier: MIT
"""
MQTT 5 properties (MQTT 5.0 section 2.2.2).

Wherever a call takes ``properties`` it also takes them one by one, by their names in Python
style: these two are the same::

    properties = Properties(PacketTypes.PUBLISH)
    properties.ContentType = "text/plain"
    client.publish("greeting", "hello", properties=properties)

    client.publish("greeting", "hello", content_type="text/plain")
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from ._check import whole
from ._text import printable
from .reasoncodes import PacketTypes

__all__ = ["PacketTypes", "Properties", "UserProperties"]

#: User properties: pairs of text, or a mapping. Order and repetition are kept.
UserProperties: TypeAlias = Iterable[tuple[str, str]] | Mapping[str, str]

_PUBLISH = {PacketTypes.PUBLISH, PacketTypes.WILLMESSAGE}
_CONNECTS = {PacketTypes.CONNECT, PacketTypes.CONNACK}
_SUBSCRIBES = {PacketTypes.PUBLISH, PacketTypes.SUBSCRIBE}

# Which packets may carry what.
_ALLOWED: dict[str, set[PacketTypes]] = {
    "PayloadFormatIndicator": _PUBLISH,
    "MessageExpiryInterval": _PUBLISH,
    "ContentType": _PUBLISH,
    "ResponseTopic": _PUBLISH,
    "CorrelationData": _PUBLISH,
    "SubscriptionIdentifier": _SUBSCRIBES,
    "SessionExpiryInterval": _CONNECTS | {PacketTypes.DISCONNECT},
    "AssignedClientIdentifier": {PacketTypes.CONNACK},
    "ServerKeepAlive": {PacketTypes.CONNACK},
    "AuthenticationMethod": _CONNECTS | {PacketTypes.AUTH},
    "AuthenticationData": _CONNECTS | {PacketTypes.AUTH},
    "RequestProblemInformation": {PacketTypes.CONNECT},
    "WillDelayInterval": {PacketTypes.WILLMESSAGE},
    "RequestResponseInformation": {PacketTypes.CONNECT},
    "ResponseInformation": {PacketTypes.CONNACK},
    "ServerReference": {PacketTypes.CONNACK, PacketTypes.DISCONNECT},
    "ReasonString": set(PacketTypes)
    - _PUBLISH
    - {PacketTypes.CONNECT, PacketTypes.SUBSCRIBE, PacketTypes.UNSUBSCRIBE},
    "ReceiveMaximum": _CONNECTS,
    "TopicAliasMaximum": _CONNECTS,
    "TopicAlias": {PacketTypes.PUBLISH},
    "MaximumQoS": {PacketTypes.CONNACK},
    "RetainAvailable": {PacketTypes.CONNACK},
    "UserProperty": set(PacketTypes),
    "MaximumPacketSize": _CONNECTS,
    "WildcardSubscriptionAvailable": {PacketTypes.CONNACK},
    "SubscriptionIdentifierAvailable": {PacketTypes.CONNACK},
    "SharedSubscriptionAvailable": {PacketTypes.CONNACK},
}
_LISTS = {"UserProperty"}
_TEXT = {
    "ContentType",
    "ResponseTopic",
    "AssignedClientIdentifier",
    "AuthenticationMethod",
    "ResponseInformation",
    "ServerReference",
    "ReasonString",
}
_BYTES = {"CorrelationData", "AuthenticationData"}

# The largest value of each number: 4 bytes if not named here. None may be negative.
_LARGEST = {
    "SubscriptionIdentifier": 268435455,
    **dict.fromkeys(("ReceiveMaximum", "TopicAlias", "TopicAliasMaximum", "ServerKeepAlive"), 65535),
    **dict.fromkeys(
        (
            "MaximumQoS",
            "PayloadFormatIndicator",
            "RequestProblemInformation",
            "RequestResponseInformation",
            "RetainAvailable",
            "SharedSubscriptionAvailable",
            "SubscriptionIdentifierAvailable",
            "WildcardSubscriptionAvailable",
        ),
        1,
    ),
}
_NOT_ZERO = {"MaximumPacketSize", "ReceiveMaximum", "SubscriptionIdentifier", "TopicAlias"}


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)[1:]


_BY_SNAKE = {_snake(name): name for name in _ALLOWED} | {
    "maximum_qos": "MaximumQoS",
    "user_properties": "UserProperty",
}


def _checked(name: str, value: Any) -> Any:
    """The value as it is kept."""
    if name == "UserProperty":
        return pairs_of(value)
    if name in _TEXT:
        if not isinstance(value, str):
            raise TypeError(f"{name} must be a str, not {type(value).__name__}")
        return value
    if name in _BYTES:
        try:
            return value.encode() if isinstance(value, str) else memoryview(value).tobytes()
        except TypeError:
            raise TypeError(f"{name} must be bytes, not {type(value).__name__}") from None
    if name == "SubscriptionIdentifier" and isinstance(value, list):
        return [_checked(name, one) for one in value]
    if not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    return whole(name, value, int(name in _NOT_ZERO), _LARGEST.get(name, 4294967295))


def pairs_of(value: Any) -> list[tuple[str, str]]:
    """User properties, however they were given, as a list of pairs."""
    if isinstance(value, Mapping):
        value = list(value.items())
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, str) for v in value):
        value = [value]
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(f"UserProperty must be a dict or a list of pairs of str, not {value!r}")
    pairs = list(value)
    for pair in pairs:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not all(isinstance(one, str) for one in pair):
            raise TypeError(f"a UserProperty must be a pair of str, not {pair!r}")
    return [(name, text) for name, text in pairs]


class Properties:
    """
    The properties of one packet, by the names of the standard without blanks, as in paho-mqtt.

    Reading one that is not set raises AttributeError; ``get()`` gives None. ``UserProperty`` is a
    list of pairs; assigning one more pair, or several, adds to it.
    """

    packetType: PacketTypes
    _values: dict[str, Any]

    def __init__(self, packetType: int = PacketTypes.PUBLISH, **values: Any) -> None:
        """
        :param packetType: which packet they are for
        :param values: what to set, in either style: ``ContentType`` or ``content_type``
        :raises ValueError: if this packet cannot carry one of them
        """
        object.__setattr__(self, "packetType", PacketTypes(packetType))
        object.__setattr__(self, "_values", {})
        for name, value in values.items():
            setattr(self, _BY_SNAKE.get(name, name), value)

    @classmethod
    def _received(cls, packetType: PacketTypes, values: dict[str, Any] | None) -> "Properties":
        self = cls(packetType)
        object.__setattr__(self, "_values", dict(values or ()))
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        name = _BY_SNAKE.get(name, name)
        packets = _ALLOWED.get(name)
        if packets is None:
            raise ValueError(f"{name} is not an MQTT property")
        if self.packetType not in packets:
            raise ValueError(f"{self.packetType.name} cannot carry the property {name}")
        value = _checked(name, value)
        if name in _LISTS:
            value = self._values.get(name, []) + value
        self._values[name] = value

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_values"][_BY_SNAKE.get(name, name)]
        except KeyError:
            raise AttributeError(f"the property {name} is not set") from None

    def __delattr__(self, name: str) -> None:
        if self._values.pop(_BY_SNAKE.get(name, name), None) is None:
            raise AttributeError(f"the property {name} is not set")

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a property, or `default` if it is not set."""
        return self._values.get(_BY_SNAKE.get(name, name), default)

    def isEmpty(self) -> bool:
        """Whether nothing is set."""
        return not self._values

    def clear(self) -> None:
        """Unsets all."""
        self._values.clear()

    def json(self) -> dict[str, Any]:
        """All that is set, as a dict of what JSON can express."""
        return {
            name: value.hex() if isinstance(value, bytes) else value
            for name, value in self._values.items()
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Properties) and self._values == other._values

    def __str__(self) -> str:
        return printable(
            "[" + ", ".join(f"{name} : {value}" for name, value in self._values.items()) + "]"
        )

    def __repr__(self) -> str:
        values = printable(", ".join(f"{name}={value!r}" for name, value in self._values.items()))
        return f"Properties({self.packetType.name}{', ' if values else ''}{values})"


def merged(
    packet: PacketTypes, properties: Properties | None, more: Mapping[str, Any]
) -> dict[str, Any] | None:
    """What a call was given in either way, as a dict; None if there is nothing."""
    if not more:
        return properties._values if properties is not None and properties._values else None
    for name in more:
        if name not in _BY_SNAKE and name not in _ALLOWED:
            raise TypeError(f"there is neither an argument nor an MQTT property {name!r}")
    both = Properties(packet, **more)._values
    return {**properties._values, **both} if properties is not None else both
