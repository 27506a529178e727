# SPDX-License-Identifier: MIT
"""Reason codes of MQTT 5.0 (section 2.4), by number and by name, as paho-mqtt has them."""

from enum import IntEnum


class PacketTypes(IntEnum):
    """Types of MQTT packets."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15
    #: Not a packet, but what may have properties: the will.
    WILLMESSAGE = 99


_NAMES = {
    0: "Success",
    1: "Granted QoS 1",
    2: "Granted QoS 2",
    4: "Disconnect with will message",
    16: "No matching subscribers",
    17: "No subscription found",
    24: "Continue authentication",
    25: "Re-authenticate",
    128: "Unspecified error",
    129: "Malformed packet",
    130: "Protocol error",
    131: "Implementation specific error",
    132: "Unsupported protocol version",
    133: "Client identifier not valid",
    134: "Bad user name or password",
    135: "Not authorized",
    136: "Server unavailable",
    137: "Server busy",
    138: "Banned",
    139: "Server shutting down",
    140: "Bad authentication method",
    141: "Keep alive timeout",
    142: "Session taken over",
    143: "Topic filter invalid",
    144: "Topic name invalid",
    145: "Packet identifier in use",
    146: "Packet identifier not found",
    147: "Receive maximum exceeded",
    148: "Topic alias invalid",
    149: "Packet too large",
    150: "Message rate too high",
    151: "Quota exceeded",
    152: "Administrative action",
    153: "Payload format invalid",
    154: "Retain not supported",
    155: "QoS not supported",
    156: "Use another server",
    157: "Server moved",
    158: "Shared subscription not supported",
    159: "Connection rate exceeded",
    160: "Maximum connect time",
    161: "Subscription identifiers not supported",
    162: "Wildcard subscription not supported",
}

# 0 is called differently in two packets.
_ZERO = {PacketTypes.DISCONNECT: "Normal disconnection", PacketTypes.SUBACK: "Granted QoS 0"}
_NUMBERS = {name: number for number, name in _NAMES.items()} | dict.fromkeys(_ZERO.values(), 0)


class ReasonCode(int):
    """
    A reason code: a number that knows its name, and compares equal to both.

    >>> code = ReasonCode(PacketTypes.CONNACK, "Not authorized")
    >>> code == 135, code == "Not authorized", code.is_failure, str(code)
    (True, True, True, 'Not authorized')
    """

    packetType: PacketTypes

    def __new__(
        cls, packetType: int, aName: str = "Success", identifier: int = -1
    ) -> "ReasonCode":
        """
        :param packetType: the packet that carries the code
        :param aName: its name; not looked at if there is an identifier
        :param identifier: its number
        :raises ValueError: if there is no reason code of that name or number
        """
        if identifier == -1:
            if aName not in _NUMBERS:
                raise ValueError(f"{aName!r} is not the name of an MQTT reason code")
            identifier = _NUMBERS[aName]
        if not 0 <= identifier <= 255:
            raise ValueError(f"{identifier} is not a reason code, which is 0 to 255")
        self = super().__new__(cls, identifier)
        self.packetType = PacketTypes(packetType)
        return self

    @property
    def value(self) -> int:
        """The plain number."""
        return int(self)

    @property
    def is_failure(self) -> bool:
        """Whether the server refuses: 128 and above."""
        return self >= 128

    def getName(self) -> str:
        """The name in MQTT 5.0, which depends on the packet."""
        if self == 0 and self.packetType in _ZERO:
            return _ZERO[self.packetType]
        return _NAMES.get(int(self), f"Reason code {int(self)}")

    def getId(self, name: str) -> int:
        """The number of a name; KeyError if there is none."""
        return _NUMBERS[name]

    def pack(self) -> bytearray:
        """The byte on the wire."""
        return bytearray([int(self)])

    def json(self) -> str:
        """The name."""
        return self.getName()

    def __str__(self) -> str:
        return self.getName()

    def __repr__(self) -> str:
        return f"ReasonCode({self.packetType.name.capitalize()}, {self.getName()!r})"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return other == self.getName()
        return int(self) == other

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return int.__hash__(self)

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


#: The name of the class in paho-mqtt 1.
ReasonCodes = ReasonCode
