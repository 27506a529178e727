# SPDX-License-Identifier: MIT
"""
A client for asyncio, in the style of aiomqtt::

    async with mquic.aio.Client("broker.example.org") as client:
        await client.subscribe("sensors/#")
        async for message in client.messages:
            print(message.topic, message.payload)

It runs on any loop that has ``add_reader()``: one descriptor stands for network and timers. To
connect again after a failure, enter the same client once more::

    while True:
        try:
            async with client:
                ...
        except mquic.MquicError:
            await asyncio.sleep(3)
"""

import asyncio
import logging
import weakref
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from types import TracebackType
from typing import Any, TypeAlias

from ._aio_answers import Answers, in_time
from ._aio_facts import Facts
from ._aio_inbox import Inbox, Message, Messages, Topic
from ._aio_options import (
    ProtocolVersion,
    TLSParameters,
    Wildcard,
    refuse_tcp,
    take_clean,
    take_limit,
    take_tls,
)
from ._aio_reader import Reader
from ._callbacks import LIBRARY_LEVELS
from ._check import host_and_port, quality, speakable, text, whole
from ._codes import LOGGING_LEVEL
from ._session import Event, Login, Payload, Session, Will, payload_of
from ._text import printable
from .enums import EndpointLogLevel, EventType, MQTTProtocolVersion, Status
from .errors import (
    ClosedError,
    MquicError,
    NegativeAckError,
    ReentrantError,
    RefusedError,
    StateError,
    WouldBlock,
    make_end,
)
from .message import MQTTMessage
from .properties import PacketTypes, Properties, merged
from .reasoncodes import ReasonCode
from .subscribeoptions import SubscribeOptions
from .tls import QUICSettings, TLSSettings, check_settings
from .topics import filter_list, filter_pairs

__all__ = [
    "Client",
    "Message",
    "Messages",
    "MessagesIterator",
    "MqttCodeError",
    "MqttConnectError",
    "MqttError",
    "MqttReentrantError",
    "PayloadType",
    "ProtocolVersion",
    "TLSParameters",
    "Topic",
    "TopicLike",
    "Wildcard",
    "WildcardLike",
    "Will",
]

# The names of exceptions in aiomqtt: all of them are a `MquicError`.
MqttError = MquicError
MqttCodeError = MquicError
MqttConnectError = RefusedError
MqttReentrantError = ReentrantError

# Its names of types. Text will do wherever there are topics and filters.
PayloadType: TypeAlias = Payload
TopicLike: TypeAlias = str
WildcardLike: TypeAlias = str

# A filter, and how to subscribe to it.
_Pair: TypeAlias = tuple[str, int | SubscribeOptions]

# What gives a packet identifier.
Call: TypeAlias = Callable[[Session], int]

# How long saying goodbye may take, in seconds.
_FAREWELL = 5.0


#: Its name in aiomqtt.
MessagesIterator = Messages


class Client(Facts):
    """One MQTT client, for one task or many of the same event loop."""

    def __init__(
        self,
        hostname: str,
        port: int = 14567,
        *,
        identifier: str | None = None,
        username: str | None = None,
        password: str | bytes | None = None,
        keepalive: int = 60,
        clean_start: bool = True,
        protocol: int = MQTTProtocolVersion.MQTTv5,
        will: Will | None = None,
        timeout: float | None = 10.0,
        max_queued_incoming_messages: int = 1000,
        manual_ack: bool = False,
        max_packet_size: int | None = None,
        max_properties: int | None = None,
        queue_type: "type[asyncio.Queue[Message]] | None" = None,
        logger: logging.Logger | None = None,
        tls: TLSSettings | None = None,
        quic: QUICSettings | None = None,
        properties: Properties | None = None,
        **more: Any,
    ) -> None:
        """
        :param hostname: name or address of the server, or ``mqtt-quic://host:port``
        :param identifier: client identifier; None lets the server choose
        :param keepalive: seconds of silence after which the client pings; 0: never
        :param clean_start: whether the server forgets what it kept for us; if not, what this
            client has on the way is kept here, too, for the next time it is entered
        :param timeout: seconds that each call may take; None: no limit
        :param max_queued_incoming_messages: messages that may wait to be taken, 0: no limit. When
            so many wait, or 4 MiB of them, no more are read, and QUIC slows the server down; none
            is dropped. While a call waits for its answer some more are taken in, as the answer
            stands behind them.
        :param manual_ack: whether messages are acknowledged by ``ack()`` only
        :param max_packet_size: the largest packet to take, 1024 to 268435460 bytes; 16 MiB by
            default. With MQTT 5 the server drops what is larger, with 3.1.1 it ends the connection.
        :param max_properties: user properties and subscription identifiers to take in one packet,
            1 to 1000000; 1000 by default. A message with more is refused.
        :param queue_type: in what order waiting messages are handed out: ``asyncio.LifoQueue``,
            ``asyncio.PriorityQueue`` or a class made of one; by default as they come
        :param logger: where log lines go; none by default
        :param more: arguments that aiomqtt knows, too: ``clean_session``, ``tls_params``,
            ``tls_insecure``, ``max_inflight_messages``, ``max_concurrent_outgoing_calls``
        :param properties: MQTT 5 properties of CONNECT; or one by one, such as
            ``session_expiry_interval`` (seconds)
        """
        super().__init__()
        host_and_port(hostname, port)
        text("identifier", identifier)
        text("username", username)
        text("password", password)
        whole("keepalive", keepalive, 0, 65535)
        if max_packet_size is not None:
            whole("max_packet_size", max_packet_size, 1024, 268435460)
        if max_properties is not None:
            whole("max_properties", max_properties, 1, 1000000)
        speakable(protocol)
        clean = take_clean(more, protocol, clean_start)
        self._tls = take_tls(more, tls)
        # publish() waits while there is no room, so that nothing is queued on the way out.
        more.pop("max_queued_outgoing_messages", None)
        self._publishing = take_limit(more, "max_inflight_messages")
        self._reader = Reader(self._limit, self._take, self._finish)
        self._answers = Answers(
            take_limit(more, "max_concurrent_outgoing_calls"), self._reader.resume
        )
        refuse_tcp(more)
        if will is not None and not isinstance(will, Will):
            raise TypeError(f"will must be a mquic.aio.Will, not {will!r}")
        check_settings(self._tls, quic)
        self._hostname = hostname
        self._port = port
        self._login = Login(
            identifier=identifier or "",
            protocol=MQTTProtocolVersion(protocol),
            username=username,
            password=password,
            keepalive=keepalive,
            clean=clean,
            will=will,
            manual_ack=manual_ack,
            max_packet_size=max_packet_size,
            max_properties=max_properties,
            properties=merged(PacketTypes.CONNECT, properties, more),
        )
        self._quic = quic
        #: Seconds that each call may take; None: no limit.
        self.timeout: float | None = timeout
        self._inbox = Inbox(max(0, max_queued_incoming_messages), queue_type)
        #: Received messages, an asynchronous iterator.
        self.messages: Messages = Messages(self)
        self._entered = False
        self._leaving = False
        self._core: Session | None = None
        self._release: Any = None  # closes the core
        self._logger = logger
        self._connected: asyncio.Future[None] | None = None
        self._closed: asyncio.Future[None] | None = None
        self._end: MquicError | None = ClosedError(
            "this client is not connected: enter it first, by 'async with'"
        )
        self._inbox.finish(self._end)

    # ---- entering and leaving

    async def __aenter__(self) -> "Client":
        """
        Connects, until the server has let us in.

        :raises MquicError: `mquic.RefusedError`, `mquic.TLSError`, `mquic.ResolveError`,
            `mquic.TimedOutError`; `mquic.ReentrantError` if it is in use already
        """
        if self._entered:
            raise ReentrantError("this client is in use already: enter it once at a time")
        self._entered = True
        self._leaving = False
        try:
            await self._connect()
        except BaseException:
            self._cut_off()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Says goodbye; what was published is sent first."""
        try:
            await self._disconnect()
        finally:
            self._cut_off()

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        if self._core is None:
            self._core = Session(self._tls, self._quic)
            # QUIC has no kernel that says goodbye for us: at exit, the endpoint has to.
            self._release = weakref.finalize(self, self._core.close)
            if self._logger is not None:
                self._core.collect_log(EndpointLogLevel.DEBUG)
        self._core.configure(self._login)
        self._inbox.clear()
        self._connected = loop.create_future()
        self._closed = loop.create_future()
        async with in_time(self.timeout, f"{self._hostname} did not let us in"):
            self._core.connect(self._hostname, self._port)
            self._end = None
            self._inbox.begin()
            self._reader.start(self._core)
            await self._connected

    async def _disconnect(self) -> None:
        if self._end is not None or self._core is None:
            return
        try:
            self._core.disconnect(0)
        except StateError:
            return
        self._leaving = True  # no bound holds the last event back
        self._maybe_resume()
        assert self._closed is not None
        await asyncio.wait([self._closed], timeout=_FAREWELL)

    def _cut_off(self) -> None:
        """Leaves nothing behind that waits or watches."""
        self._reader.stop()
        self._finish(ClosedError("this client was left"))
        if self._core is not None and (self._login.clean or not self._is_over()):
            self._core = None
            self._release()
        self._entered = False

    def _is_over(self) -> bool:
        """Whether the library has said DISCONNECTED, so that the session may connect again."""
        return self._closed is not None and self._closed.done() and not self._closed.cancelled()

    # ---- the loop

    def _limit(self) -> int:
        """How many events may be taken now."""
        return self._inbox.room(self._leaving or self._answers.are_awaited)

    def _take(self, batch: list[Event]) -> None:
        self._flush_log()
        for event in batch:
            if event[0] == EventType.MESSAGE:
                self._inbox.add(Message(Topic(event[2]), *event[3:]))
            else:
                self._handle(event)
        self._inbox.wake()

    def _log(self, level: int, line: str) -> None:
        if self._logger is not None:
            self._logger.log(level, "%s", printable(line))

    def _flush_log(self) -> None:
        if self._core is not None and self._core.log:
            lines, self._core.log[:] = self._core.log[:], []
            for level, line in lines:
                self._log(LOGGING_LEVEL[LIBRARY_LEVELS[level]], line)

    def _maybe_resume(self) -> None:
        """A message was taken, or none is waited for any more."""
        if self._reader.is_paused and (self._leaving or self._inbox.is_half_empty):
            self._reader.resume()

    def _handle(self, event: Event) -> None:
        kind = event[0]
        if kind in (EventType.DELIVERED, EventType.SUBSCRIBED, EventType.UNSUBSCRIBED):
            self._answers.settle(event)
        elif kind == EventType.WRITABLE:
            self._answers.make_room()
        elif kind == EventType.CONNECTED:
            self._note_connack(event)
            self._log(logging.DEBUG, f"connected to {self._hostname}")
            if self._connected is not None and not self._connected.done():
                self._connected.set_result(None)
        elif kind == EventType.DISCONNECTED:
            _, _, _, _, _, status, origin, code, text, properties = event
            if self._closed is not None and not self._closed.done():
                self._closed.set_result(None)
            self._log(logging.DEBUG, f"disconnected: {text}")
            error = make_end(status, origin, code, text, properties)
            if status == Status.OK:
                error = ClosedError("this client was left" if self._leaving else error.message)
            self._finish(error)

    def _finish(self, error: MquicError) -> None:
        """The connection is gone: tells all who wait."""
        if self._end is None:
            self._end = error
        if self._connected is not None and not self._connected.done():
            self._connected.set_exception(error)
            self._connected.exception()
        self._answers.fail(error)
        self._inbox.finish(self._end)

    # ---- calls

    def _session(self) -> Session:
        if self._end is not None:
            raise self._end.with_traceback(None)
        if self._core is None:
            raise ClosedError("this client is not connected")
        return self._core

    async def _ask(self, what: str, timeout: float | None, call: Call) -> Event | None:
        seconds = self.timeout if timeout is None else timeout
        return await self._answers.ask(what, seconds, lambda: call(self._session()))

    async def publish(
        self,
        topic: str,
        payload: Payload = None,
        qos: int = 0,
        retain: bool = False,
        properties: Properties | None = None,
        timeout: float | None = None,
        **more: Any,
    ) -> None:
        """
        Publishes a message; returns when the server has it, for QoS 0 when it was handed over for
        sending. Waits while the send buffer is full.

        :param payload: str, bytes or any buffer, a number, or None
        :param properties: MQTT 5 properties; or one by one: ``content_type``, ``response_topic``,
            ``correlation_data``, ``message_expiry_interval`` (seconds), ``user_property``
        :param timeout: seconds, in place of the client's
        :raises ValueError: for a bad topic or QoS
        :raises NegativeAckError: if the server refuses it
        :raises MquicError: if the connection is lost or the time is up; a message of QoS 1 or 2
            may have arrived all the same
        """
        quality(qos)
        data = payload_of(payload)
        values = merged(PacketTypes.PUBLISH, properties, more)
        if qos == 0:
            try:  # the common case needs no clock
                self._session().publish(topic, data, 0, retain, values)
                return
            except WouldBlock:
                pass
        async with self._publishing if qos else nullcontext():
            event = await self._ask(
                f"the message to {topic!r}",
                timeout,
                lambda session: session.publish(topic, data, qos, retain, values),
            )
        if event is not None and event[3] and event[3][0] >= 128:
            reason = ReasonCode(PacketTypes.PUBACK, identifier=event[3][0])
            raise NegativeAckError(f"the message to {topic!r}", [reason])

    async def subscribe(
        self,
        topic: str | _Pair | Sequence[_Pair],
        qos: int = 0,
        options: SubscribeOptions | None = None,
        properties: Properties | None = None,
        timeout: float | None = None,
        **more: Any,
    ) -> tuple[ReasonCode, ...]:
        """
        Subscribes to a filter, to (filter, QoS or options), or to a list of such pairs.

        :param properties: MQTT 5 properties; or ``subscription_identifier``, ``user_property``
        :returns: the server's answer for each filter: the QoS granted
        :raises ValueError: for a bad filter or QoS
        :raises NegativeAckError: if the server refuses one of them; the others hold
        """
        pairs = filter_pairs(topic, options or qos)
        filters = [
            (sub, how.qos, how.bits)
            if isinstance(how, SubscribeOptions)
            else (sub, quality(how), 0)
            for sub, how in pairs
        ]
        values = merged(PacketTypes.SUBSCRIBE, properties, more)
        return await self._change(
            f"the subscription to {', '.join(sub for sub, _ in pairs)}",
            PacketTypes.SUBACK,
            timeout,
            lambda session: session.subscribe(filters, values),
        )

    async def unsubscribe(
        self,
        topic: str | Sequence[str],
        properties: Properties | None = None,
        timeout: float | None = None,
        **more: Any,
    ) -> tuple[ReasonCode, ...]:
        """Unsubscribes from a filter or a list of them; raises what ``subscribe()`` raises."""
        filters = filter_list(topic)
        values = merged(PacketTypes.UNSUBSCRIBE, properties, more)
        return await self._change(
            f"the end of the subscription to {', '.join(filters)}",
            PacketTypes.UNSUBACK,
            timeout,
            lambda session: session.unsubscribe(filters, values),
        )

    async def _change(
        self, what: str, packet: PacketTypes, timeout: float | None, call: Call
    ) -> tuple[ReasonCode, ...]:
        event = await self._ask(what, timeout, call)
        assert event is not None
        codes = tuple(ReasonCode(packet, identifier=code) for code in event[3])
        if any(code.is_failure for code in codes):
            raise NegativeAckError(what, list(codes))
        return codes

    def ack(self, message: MQTTMessage, reason: int = 0) -> None:
        """With ``manual_ack``: acknowledges a message, or refuses it with a reason of 128 up."""
        if message.qos:
            self._session().ack(message.mid, reason)
