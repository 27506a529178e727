# SPDX-License-Identifier: MIT
"""Options of a subscription (MQTT 5.0 section 3.8.3.1)."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass
class SubscribeOptions:
    """How to subscribe to one filter."""

    RETAIN_SEND_ON_SUBSCRIBE: ClassVar[int] = 0
    RETAIN_SEND_IF_NEW_SUB: ClassVar[int] = 1
    RETAIN_DO_NOT_SEND: ClassVar[int] = 2

    #: The largest quality of service wanted.
    qos: int = 0
    #: Not what this client publishes itself.
    noLocal: bool = False
    #: Keep the retain flag as it was published.
    retainAsPublished: bool = False
    #: When to send retained messages: one of the constants above.
    retainHandling: int = RETAIN_SEND_ON_SUBSCRIBE

    @property
    def QoS(self) -> int:
        """``qos``, under its name in paho-mqtt."""
        return self.qos

    @QoS.setter
    def QoS(self, value: int) -> None:
        self.qos = value

    def json(self) -> dict[str, int | bool]:
        """All that is set, as a dict."""
        return {
            "QoS": self.qos,
            "noLocal": self.noLocal,
            "retainAsPublished": self.retainAsPublished,
            "retainHandling": self.retainHandling,
        }

    @property
    def bits(self) -> int:
        """The options as `mquic.SubscribeOption` bits, without the QoS."""
        if self.retainHandling not in (0, 1, 2):
            raise ValueError(f"retainHandling must be 0, 1 or 2, not {self.retainHandling}")
        return (
            0x04 * bool(self.noLocal) | 0x08 * bool(self.retainAsPublished)
        ) | self.retainHandling << 4
