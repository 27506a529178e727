# SPDX-License-Identifier: MIT
"""The part of `mquic.client.Client` that sends: messages, subscriptions, and their answers."""

import time
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from ._codes import (
    MQTT_ERR_INVAL,
    MQTT_ERR_NO_CONN,
    MQTT_ERR_PAYLOAD_SIZE,
    MQTT_ERR_QUEUE_SIZE,
    MQTT_ERR_SUCCESS,
    MQTTv5,
    error_string,
)
from ._check import publishable, quality
from ._link import Link
from ._session import Event, Payload, payload_of
from .enums import EventType, MQTTErrorCode
from .errors import MquicError, NegativeAckError, StateError, TooLargeError, WouldBlock
from .properties import PacketTypes, Properties, merged
from .reasoncodes import ReasonCode
from .subscribeoptions import SubscribeOptions
from .topics import filter_list, filter_pairs

# A message without packet identifier has been handed over: an event of our own.
_HANDED_OVER = 0


class MQTTMessageInfo:
    """What ``publish()`` returns; also a pair (rc, mid)."""

    __slots__ = ("mid", "rc", "reason_code", "_client", "_published")

    def __init__(self, client: "Delivery", mid: int) -> None:
        #: Our number of this message, which ``on_publish`` gets too.
        self.mid: int = mid
        #: Whether it was accepted; ``MQTT_ERR_NO_CONN`` with QoS 1 or 2: it waits here.
        self.rc: MQTTErrorCode = MQTT_ERR_SUCCESS
        #: What the server has answered, in MQTT 5; None before, and for QoS 0.
        self.reason_code: ReasonCode | None = None
        self._client = client
        self._published = False

    def __iter__(self) -> Iterator[int]:
        return iter((self.rc, self.mid))

    def __getitem__(self, index: int) -> int:
        return (self.rc, self.mid)[index]

    def _check(self) -> None:
        if self.rc == MQTT_ERR_QUEUE_SIZE:
            raise ValueError("the message was not taken: too many wait already")
        if self.rc > 0:
            raise RuntimeError(f"Message publish failed: {error_string(self.rc)}")
        if self.reason_code is not None and self.reason_code.is_failure:
            raise NegativeAckError(f"message {self.mid}", [self.reason_code])

    def is_published(self) -> bool:
        """
        Whether the server has it; for QoS 0, whether it was handed over for sending.

        :raises ValueError: if it was not taken, because the queue is full
        :raises RuntimeError: if it was not taken for another reason
        :raises NegativeAckError: if the server has refused it, which MQTT 5 lets it say
        """
        self._check()
        return self._published

    def wait_for_publish(self, timeout: float | None = None) -> None:
        """
        Waits until ``is_published()``, or for `timeout` seconds. If no loop runs, in a thread or
        otherwise, it does what is due itself; callbacks then wait for the next turn of one.
        Raises what ``is_published()`` raises.

        :raises RuntimeError: in a callback, where it would wait for itself: use ``on_publish``
        """
        self._check()
        if self._published:
            return
        self._client._check_fork()
        self._client._may_wait("wait_for_publish()", "set on_publish, or wait in another thread")
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._is_settled() and (deadline is None or time.monotonic() < deadline):
            if self._client._is_looked_after():
                left = None if deadline is None else max(0, deadline - time.monotonic())
                with self._client._settled:
                    # Now and then, as whoever runs the loop may end it.
                    self._client._settled.wait_for(self._is_settled, min(1, left or 1))
            else:
                self._client._advance(0.05)
                self._client._settle_early(self)
        self._check()

    def _is_settled(self) -> bool:
        return self._published or self.rc > 0

    def _failed(self, rc: MQTTErrorCode) -> None:
        with self._client._settled:
            self.rc = rc
            self._client._settled.notify_all()

    def __repr__(self) -> str:
        return f"<MQTTMessageInfo mid {self.mid}, {self.rc.name}>"


class _Outgoing(NamedTuple):
    """A message that waits for a connection, or for room."""

    info: MQTTMessageInfo
    topic: str
    payload: Any
    qos: int
    retain: bool
    properties: dict[str, Any] | None


class Delivery(Link):
    """Publishing and subscribing."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._last_mid = 0
        self._unsettled: dict[int, MQTTMessageInfo] = {}  # by packet identifier
        self._waiting: deque[_Outgoing] = deque()

    def publish(
        self,
        topic: str,
        payload: Payload = None,
        qos: int = 0,
        retain: bool = False,
        properties: Properties | None = None,
        **more: Any,
    ) -> MQTTMessageInfo:
        """
        Publishes a message. Its bytes are copied, once, by the library.

        :param payload: str, bytes or any buffer, a number, or None
        :param properties: MQTT 5 properties; or one by one: ``content_type``, ``response_topic``,
            ``correlation_data``, ``message_expiry_interval`` (seconds), ``user_property``
        :returns: without a connection, ``rc`` is ``MQTT_ERR_NO_CONN``; QoS 1 and 2 then wait
        :raises ValueError: for a bad topic or QoS, or a payload that the server does not take
        :raises TypeError: for a payload of another type
        """
        quality(qos)
        payload = payload_of(payload)
        values = merged(PacketTypes.PUBLISH, properties, more)
        self._check_fork()
        with self._lock:
            self._last_mid = self._last_mid % 65535 + 1
            info = MQTTMessageInfo(self, self._last_mid)
            one = _Outgoing(info, topic, payload, qos, retain, values)
            if self._waiting or not self._active or not self._hand_over(one):
                self._keep(one)
                return info
        if self._logs:
            self._debug(f"Sending PUBLISH (q{qos}, r{retain:d}, m{info.mid}), {topic!r}")
        self._send()
        return info

    def _hand_over(self, one: _Outgoing) -> bool:
        """Gives a message to the library; False: it has to wait."""
        if one.qos and 0 < self._max_inflight <= len(self._unsettled):
            return False
        try:
            packet_id = self._session().publish(*one[1:])
        except WouldBlock:
            return False
        except StateError:  # it is closing; or it is lost, and DISCONNECTED was not taken yet
            one.info._failed(MQTT_ERR_NO_CONN)
            return self._leaving or one.qos == 0
        if packet_id:
            self._unsettled[packet_id] = one.info
        elif self.on_publish is not None:
            self._events.append((_HANDED_OVER, one.info))
        else:
            one.info._published = True
        return True

    def _keep(self, one: _Outgoing) -> None:
        """Has a message wait."""
        publishable(one.topic)
        if not self._active and one.qos == 0:
            one.info.rc = MQTT_ERR_NO_CONN
            return
        if 0 < self._max_queued <= len(self._waiting):
            one.info.rc = MQTT_ERR_QUEUE_SIZE
            return
        if not self._active:
            one.info.rc = MQTT_ERR_NO_CONN
        if isinstance(one.payload, str):
            one = one._replace(payload=one.payload.encode())
        elif isinstance(one.payload, (bytearray, memoryview)):
            one = one._replace(payload=bytes(one.payload))
        self._waiting.append(one)

    def _send_waiting(self) -> None:
        with self._lock:
            while self._waiting and self._active:
                one = self._waiting[0]
                one.info.rc = MQTT_ERR_SUCCESS
                try:
                    if not self._hand_over(one):
                        return
                except TooLargeError:
                    one.info._failed(MQTT_ERR_PAYLOAD_SIZE)
                except (MquicError, TypeError, ValueError):
                    one.info._failed(MQTT_ERR_INVAL)
                # A signal handler may have disconnected meanwhile, which drops them all.
                if self._waiting and self._waiting[0] is one:
                    self._waiting.popleft()
                self._unsent = True

    def subscribe(
        self,
        topic: Any,
        qos: int = 0,
        options: SubscribeOptions | None = None,
        properties: Properties | None = None,
        **more: Any,
    ) -> tuple[MQTTErrorCode, int | None]:
        """
        Subscribes to one filter or several.

        :param topic: "a/#"; ("a/#", qos); ("a/#", SubscribeOptions(...)); or a list of such pairs
        :param options: MQTT 5: in place of `qos`
        :param properties: MQTT 5 properties; or one by one: ``subscription_identifier``,
            ``user_property``
        :returns: (rc, the number that ``on_subscribe`` will get)
        :raises ValueError: for a bad filter or QoS
        """
        filters = [self._filter(*one) for one in filter_pairs(topic, options or qos)]
        values = merged(PacketTypes.SUBSCRIBE, properties, more)
        return self._ask(
            "SUBSCRIBE", [one[:2] for one in filters], lambda core: core.subscribe(filters, values)
        )

    def _filter(self, sub: str, how: Any) -> tuple[str, int, int]:
        if isinstance(how, SubscribeOptions):
            if self.protocol != MQTTv5:
                raise ValueError("SubscribeOptions need protocol=MQTTv5")
            return sub, how.qos, how.bits
        return sub, quality(how), 0

    def unsubscribe(
        self, topic: Any, properties: Properties | None = None, **more: Any
    ) -> tuple[MQTTErrorCode, int | None]:
        """Unsubscribes from a filter or a list of them; (rc, number for ``on_unsubscribe``)."""
        topics = filter_list(topic)
        values = merged(PacketTypes.UNSUBSCRIBE, properties, more)
        return self._ask("UNSUBSCRIBE", topics, lambda core: core.unsubscribe(topics, values))

    def _ask(self, packet: str, what: Any, call: Any) -> tuple[MQTTErrorCode, int | None]:
        self._check_fork()
        with self._lock:
            if not self._active:
                return MQTT_ERR_NO_CONN, None
            try:
                packet_id = call(self._session())
            except StateError:
                return MQTT_ERR_NO_CONN, None
            except WouldBlock:
                return MQTT_ERR_QUEUE_SIZE, None
            self._last_mid = self._last_mid % 65535 + 1
            mid = self._answers[packet_id] = self._last_mid
        self._debug(f"Sending {packet} (m{mid}), {what}")
        self._send()
        return MQTT_ERR_SUCCESS, mid

    def ack(self, mid: int, qos: int) -> MQTTErrorCode:
        """With ``manual_ack``: acknowledges a received message by its ``mid`` and ``qos``."""
        if not self._login.manual_ack or qos not in (1, 2):
            return MQTT_ERR_SUCCESS
        self._check_fork()
        with self._lock:
            if not self._active:
                return MQTT_ERR_NO_CONN
            try:
                self._session().ack(mid, 0)
            except StateError:  # it is lost, and DISCONNECTED was not taken yet
                return MQTT_ERR_NO_CONN
        self._debug(f"Acknowledging message {mid} (q{qos})")
        self._send()
        return MQTT_ERR_SUCCESS

    def auth(self, reason_code: int, data: bytes | None = None) -> MQTTErrorCode:
        """MQTT 5 section 4.12: sends AUTH, 0x18 to continue, 0x19 to start again."""
        self._check_fork()
        with self._lock:
            if not self._active:
                return MQTT_ERR_NO_CONN
            self._session().auth(reason_code, data)
        self._send()
        return MQTT_ERR_SUCCESS

    def _drop_waiting(self) -> None:
        while self._waiting:
            self._waiting.popleft().info._failed(MQTT_ERR_NO_CONN)

    # ---- events

    def _properties(self, packet: PacketTypes, event: Event) -> Properties:
        return Properties._received(packet, event[9])

    def _on_handed_over(self, event: Event) -> None:
        self._settle(event[1], 0, None)

    def _on_writable(self, event: Event) -> None:
        self._send_waiting()

    def _on_subscribed(self, event: Event) -> None:
        self._answered("on_subscribe", PacketTypes.SUBACK, event)

    def _on_unsubscribed(self, event: Event) -> None:
        self._answered("on_unsubscribe", PacketTypes.UNSUBACK, event)

    def _on_delivered(self, event: Event) -> None:
        _, _, packet_id, reasons, *_ = event
        with self._lock:
            info = self._unsettled.pop(packet_id, None)
        if self._waiting:
            self._send_waiting()
        if info is not None:
            properties = self._properties(PacketTypes.PUBACK, event)
            self._settle(info, reasons[0] if reasons else 0, properties)

    def _settle_early(self, info: MQTTMessageInfo) -> None:
        """Takes note of an answer that no loop has handled yet."""
        for event in list(self._events):
            if event[0] == EventType.DELIVERED and self._unsettled.get(event[2]) is info:
                reason = event[3][0] if event[3] else 0
                info.reason_code = ReasonCode(PacketTypes.PUBACK, identifier=reason)
                info._published = True
            elif event[0] == _HANDED_OVER and event[1] is info:
                info._published = True

    def _settle(self, info: MQTTMessageInfo, reason: int, properties: Properties | None) -> None:
        code = ReasonCode(PacketTypes.PUBACK, identifier=reason)
        if properties is not None:
            self._debug(f"Settled message {info.mid}: {code}")
        with self._settled:
            info.reason_code = code if properties is not None else None
            info._published = True
            self._settled.notify_all()
        if self.on_publish is not None:
            self._call(
                "on_publish",
                info.mid,
                code,
                properties or Properties(PacketTypes.PUBACK),
            )

    def _answered(self, name: str, packet: PacketTypes, event: Event) -> None:
        mid = self._answers.pop(event[2], None)
        if mid is not None:
            codes = [ReasonCode(packet, identifier=code) for code in event[3]]
            self._debug(f"Received {packet.name} (m{mid}): {', '.join(map(str, codes))}")
            self._call(name, mid, codes, self._properties(packet, event))

    _handlers = {
        **Link._handlers,
        _HANDED_OVER: _on_handed_over,
        EventType.DELIVERED: _on_delivered,
        EventType.SUBSCRIBED: _on_subscribed,
        EventType.UNSUBSCRIBED: _on_unsubscribed,
        EventType.WRITABLE: _on_writable,
    }
