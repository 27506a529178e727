# SPDX-License-Identifier: MIT
"""What comes from the server: a message."""

import time
from typing import Any

from ._text import printable
from .properties import PacketTypes, Properties


class MQTTMessage:
    """A received message. Payload and topic are copies of your own."""

    __slots__ = ("topic", "payload", "qos", "retain", "dup", "mid", "timestamp", "_properties")

    def __init__(
        self,
        topic: str = "",
        payload: bytes = b"",
        qos: int = 0,
        retain: bool = False,
        dup: bool = False,
        mid: int = 0,
        properties: dict[str, Any] | None = None,
    ) -> None:
        #: The topic it was published to.
        self.topic: str = topic
        #: Its bytes.
        self.payload: bytes = payload
        #: Quality of service of this delivery: 0, 1 or 2.
        self.qos: int = qos
        #: Whether it was kept by the server from before the subscription.
        self.retain: bool = retain
        #: Whether the server may have sent it before.
        self.dup: bool = dup
        #: The packet identifier, 0 for QoS 0; ``ack()`` wants it.
        self.mid: int = mid
        #: When it was taken in, in seconds of ``time.monotonic()``.
        self.timestamp: float = time.monotonic()
        self._properties: dict[str, Any] | Properties | None = properties

    @property
    def properties(self) -> Properties:
        """Its MQTT 5 properties, empty in 3.1.1."""
        if not isinstance(self._properties, Properties):
            self._properties = Properties._received(PacketTypes.PUBLISH, self._properties)
        return self._properties

    @property
    def packet_id(self) -> int:
        """The packet identifier, another name of ``mid``."""
        return self.mid

    def __repr__(self) -> str:
        return (
            f"<MQTTMessage {printable(repr(self.topic))}, {len(self.payload)} bytes, qos {self.qos}"
            f"{', retained' if self.retain else ''}>"
        )


#: What it is called here.
Message = MQTTMessage
