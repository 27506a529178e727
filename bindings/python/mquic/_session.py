# SPDX-License-Identifier: MIT
"""
What both clients stand on: one endpoint with one session, safe to call from any thread.

libmquic wants one thread at a time, so every call holds the lock, and none blocks: names are looked
up elsewhere. Waiting does not hold it: whoever waits polls `fd`, which any call that makes something
due also makes readable.

It is one lock, the client's own where it has one. A signal handler or a finaliser may interrupt a
thread that holds it and call the client: it goes through a lock that is its thread's already, but
it would wait for a second one without end if another thread, which has that, wants the first.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from . import _native
from ._check import quality
from ._facts import ConnectionInfo, Statistics, info_of, statistics_of
from ._fork import free_lock, refuse, tell_of_forks
from .enums import MQTTProtocolVersion
from .errors import ClosedError, InvalidError, StateError
from .properties import PacketTypes, Properties, pairs_of
from .tls import NativeSettings, QUICSettings, TLSSettings

#: What can be published; see `payload_of()`.
Payload: TypeAlias = str | bytes | bytearray | memoryview | int | float | None

#: See native_drain() in native.h.
Event: TypeAlias = tuple[Any, ...]

# The largest packet taken, unless something else is asked for.
_PACKET_SIZE = 16 << 20

# Properties of CONNECT: how they are set, and what they are without being set.
_CONNECT: dict[str, tuple[Callable[[Any, Any], None], int]] = {
    "SessionExpiryInterval": (_native.session_set_expiry_s, 0),
    "ReceiveMaximum": (_native.session_set_receive_maximum, 65535),
    "MaximumPacketSize": (_native.session_set_maximum_packet_size, _PACKET_SIZE),
    "TopicAliasMaximum": (_native.session_set_topic_alias_maximum, 0),
    "RequestProblemInformation": (_native.session_set_problem_information, True),
    "RequestResponseInformation": (_native.session_set_response_information, False),
}


def payload_of(payload: Any) -> Any:
    """What libmquic takes as it is: str, bytes, any buffer; a number as its text; None as b""."""
    if isinstance(payload, (int, float)):
        return str(payload)
    if payload is None or isinstance(payload, (str, bytes, bytearray, memoryview)):
        return payload
    try:
        return memoryview(payload).cast("B")
    except TypeError:
        raise TypeError(
            f"a payload must be str, bytes or another buffer, a number or None, "
            f"not {type(payload).__name__}"
        ) from None


def _set_message_properties(message: Any, properties: Mapping[str, Any]) -> None:
    for name, value in properties.items():
        if name == "UserProperty":
            for key, text in pairs_of(value):
                _native.message_add_user_property(message, key, text)
        elif name == "ContentType":
            _native.message_set_content_type(message, value)
        elif name == "ResponseTopic":
            _native.message_set_response_topic(message, value)
        elif name == "CorrelationData":
            _native.message_set_correlation_data(message, value)
        elif name == "MessageExpiryInterval":
            _native.message_set_expiry_s(message, value)
        elif name == "PayloadFormatIndicator":
            _native.message_set_utf8_payload(message, value == 1)
        elif name != "WillDelayInterval":
            raise InvalidError(f"{name} cannot be set on a message: the library sees to it")


def _make_message(
    topic: str, payload: Any, qos: int, retain: bool, properties: Mapping[str, Any] | None
) -> Any:
    """A native message, to be deleted by the caller."""
    message = _native.message_new()
    try:
        try:
            _native.message_set_topic(message, topic)
        except InvalidError:
            raise InvalidError(
                f"{topic!r} is not a topic: 1 to 65535 bytes of UTF-8 without NUL, + and #"
            ) from None
        if payload is not None:
            _native.message_set_payload(message, payload)
        _native.message_set_qos(message, qos)
        _native.message_set_retain(message, bool(retain))
        if properties:
            _set_message_properties(message, properties)
    except BaseException:
        _native.delete_message(message)
        raise
    return message


@dataclass
class Will:
    """What the server publishes when we vanish."""

    topic: str
    payload: Payload = None
    qos: int = 0
    retain: bool = False
    #: MQTT 5 properties, WillDelayInterval (seconds) among them; or a dict of them.
    properties: Properties | Mapping[str, Any] | None = None

    def values(self) -> dict[str, Any]:
        """The properties by their names in the standard."""
        if not isinstance(self.properties, Properties):
            return Properties(PacketTypes.WILLMESSAGE, **(self.properties or {}))._values
        return self.properties._values


@dataclass
class Login:
    """What CONNECT carries."""

    identifier: str = ""
    protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5
    username: str | None = None
    password: str | bytes | None = field(default=None, repr=False)
    keepalive: int = 60
    clean: bool = True
    will: Will | None = None
    manual_ack: bool = False
    properties: Mapping[str, Any] | None = None
    max_packet_size: int | None = None
    max_properties: int | None = None


class Session:
    """An endpoint with a session. `close()` may be called at any time, from any thread."""

    def __init__(
        self, tls: TLSSettings | None, quic: QUICSettings | None, lock: Any = None
    ) -> None:
        self.lock = lock or threading.RLock()
        self._forked = False
        #: Log lines (level, line) since they were last taken away.
        self.log: list[tuple[int, str]] = []
        self._session: Any = None
        self._parting = False  # DISCONNECT is on its way
        self._endpoint: Any = _native.endpoint_new()
        #: Readable: something is due, call `drain()`.
        self.fd: int = _native.endpoint_get_fd(self._endpoint)
        try:
            with NativeSettings(tls, quic) as settings:
                self._session = _native.session_new(self._endpoint, settings)
        except BaseException:
            self.close()
            raise
        tell_of_forks(self)

    def _after_fork(self) -> None:
        free_lock(self.lock)
        self._forked = True

    def close(self) -> None:
        """Cuts off what is connected and lets all go; in a child of fork, its copies."""
        with self.lock:
            session, self._session = self._session, None
            endpoint, self._endpoint = self._endpoint, None
            if session is not None:
                _native.delete_session(session)
            if endpoint is not None:
                _native.delete_endpoint(endpoint)

    def _alive(self) -> Any:
        if self._forked:
            raise refuse()
        if self._session is None:
            raise ClosedError("this client is closed")
        return self._session

    # ---- the loop

    def drain(self, limit: int, append: Callable[[Event], object]) -> Event | None:
        """
        Does what is due, sends what waits, and takes up to `limit` events, each for `append`,
        which has to be a method of a list or deque; the last one.
        """
        with self.lock:
            self._alive()
            return _native.drain(self._endpoint, limit, append)

    def process(self) -> None:
        """Does what is due and leaves the events."""
        with self.lock:
            self._alive()
            _native.endpoint_process(self._endpoint)

    def wakeup(self) -> None:
        """Makes `fd` readable."""
        with self.lock:
            if self._endpoint is not None:
                _native.endpoint_wakeup(self._endpoint)

    def collect_log(self, level: int | None) -> None:
        """Has log lines up to `level` appended to `log`; None: no more."""
        with self.lock:
            self._alive()
            _native.collect_log(self._endpoint, level or 0, None if level is None else self.log)

    # ---- connecting

    def configure(self, login: Login) -> None:
        """Sets what CONNECT carries; not while connected."""
        with self.lock:
            session = self._alive()
            _native.session_set_protocol(session, login.protocol)
            _native.session_set_client_id(session, login.identifier)
            _native.session_set_username(session, login.username)
            _native.session_set_password(session, login.password)
            _native.session_set_keep_alive_s(session, login.keepalive)
            _native.session_set_clean_start(session, bool(login.clean))
            _native.session_set_manual_ack(session, bool(login.manual_ack))
            if login.max_properties is not None:
                _native.session_set_maximum_properties(session, login.max_properties)
            self._set_will(session, login.will)
            self._set_properties(session, login)

    def _set_will(self, session: Any, will: Will | None) -> None:
        if will is None:
            _native.session_set_will(session, None, 0)
            return
        values = will.values()
        message = _make_message(
            will.topic, payload_of(will.payload), quality(will.qos), will.retain, values
        )
        try:
            _native.session_set_will(session, message, values.get("WillDelayInterval", 0))
        finally:
            _native.delete_message(message)

    def _set_properties(self, session: Any, login: Login) -> None:
        """Nothing is left of those of an earlier connection."""
        given: dict[str, Any] = {"MaximumPacketSize": login.max_packet_size or _PACKET_SIZE}
        given.update(login.properties or {})
        for name, (setter, usual) in _CONNECT.items():
            setter(session, type(usual)(given.pop(name, usual)))  # a number, or whether
        method, data = given.pop("AuthenticationMethod", None), given.pop("AuthenticationData", None)
        _native.session_set_authentication(session, method, data if method is not None else None)
        _native.session_clear_user_properties(session)
        for key, text in pairs_of(given.pop("UserProperty", [])):
            _native.session_add_user_property(session, key, text)
        for name in given:
            raise InvalidError(f"{name} cannot be set on CONNECT")

    def connect(self, host: str, port: int) -> None:
        """Starts to connect; CONNECTED or DISCONNECTED follows."""
        with self.lock:
            session = self._alive()
            if "://" in host:
                _native.session_connect_url(session, host)
            else:
                _native.session_connect(session, host, port)
            self._parting = False

    def disconnect(self, reason: int, properties: Mapping[str, Any] | None = None) -> None:
        """Says goodbye; DISCONNECTED follows."""
        with self.lock:
            session = self._alive()
            if not self._parting:
                self._set_farewell(session, dict(properties or {}))
            _native.session_disconnect(session, reason)
            self._parting = True

    def _set_farewell(self, session: Any, given: dict[str, Any]) -> None:
        """Nothing is left of those of an earlier DISCONNECT."""
        _native.session_clear_disconnect_properties(session)
        expiry, text = given.pop("SessionExpiryInterval", None), given.pop("ReasonString", None)
        pairs = given.pop("UserProperty", [])
        for name in given:
            raise InvalidError(f"{name} cannot be set on DISCONNECT")
        if expiry is not None:
            _native.session_set_disconnect_expiry_s(session, expiry)
        _native.session_set_disconnect_text(session, text)
        for key, value in pairs_of(pairs):
            _native.session_add_disconnect_user_property(session, key, value)

    # ---- messages

    def publish(
        self,
        topic: str,
        payload: Any,
        qos: int,
        retain: bool,
        properties: Mapping[str, Any] | None,
    ) -> int:
        """Publishes; returns the packet identifier that DELIVERED will carry, 0 for QoS 0."""
        with self.lock:
            if properties is None:
                return _native.publish(self._alive(), topic, payload, qos, bool(retain))
            message = _make_message(topic, payload, qos, retain, properties)
            try:
                return _native.session_publish(self._alive(), message)
            finally:
                _native.delete_message(message)

    def subscribe(
        self, filters: Iterable[tuple[str, int, int]], properties: Mapping[str, Any] | None
    ) -> int:
        """Subscribes to (filter, QoS, options); returns the packet identifier."""
        return self._list(_native.session_subscribe_all, filters, properties)

    def unsubscribe(self, filters: Iterable[str], properties: Mapping[str, Any] | None) -> int:
        """Unsubscribes; returns the packet identifier."""
        return self._list(
            _native.session_unsubscribe_all, ((one, 0, 0) for one in filters), properties
        )

    def _list(
        self,
        call: Any,
        filters: Iterable[tuple[str, int, int]],
        properties: Mapping[str, Any] | None,
    ) -> int:
        subscription = _native.subscription_new()
        try:
            for one, qos, options in filters:
                try:
                    _native.subscription_add(subscription, one, qos, options)
                except InvalidError:
                    raise InvalidError(
                        f"{one!r} with QoS {qos} is not a topic filter that MQTT allows"
                    ) from None
            for name, value in (properties or {}).items():
                if name == "SubscriptionIdentifier":
                    _native.subscription_set_id(subscription, value)
                elif name == "UserProperty":
                    for key, text in pairs_of(value):
                        _native.subscription_add_user_property(subscription, key, text)
                else:
                    raise InvalidError(f"{name} cannot be set on a subscription")
            with self.lock:
                packet_id: int = call(self._alive(), subscription)
                return packet_id
        finally:
            _native.delete_subscription(subscription)

    def ack(self, packet_id: int, reason: int) -> None:
        """Manual mode: settles a received message."""
        with self.lock:
            _native.session_ack(self._alive(), packet_id, reason)

    def auth(self, reason: int, data: bytes | None) -> None:
        """Sends AUTH."""
        with self.lock:
            _native.session_auth(self._alive(), reason, data)

    # ---- looking

    @property
    def closed(self) -> bool:
        """Whether `close()` was called."""
        return self._session is None

    @property
    def identifier(self) -> str:
        """The client identifier in use, ours or the server's."""
        with self.lock:
            return _native.session_client_id(self._alive())

    @property
    def inflight(self) -> int:
        """QoS 1 and 2 messages of ours that are not settled."""
        with self.lock:
            return _native.session_inflight(self._alive())

    @property
    def keepalive(self) -> int:
        """Keep-alive in force, in seconds."""
        with self.lock:
            return _native.session_keep_alive_s(self._alive())

    @property
    def handshake_done(self) -> bool:
        """Whether the QUIC handshake of the present connection is complete."""
        with self.lock:
            connection = _native.session_connection(self._alive())
            return connection is not None and bool(_native.connection_tls_version(connection))

    def addresses(self) -> tuple[str, str]:
        """The server's and ours, ":0" while there is no connection."""
        info = self.info()
        return (":0", ":0") if info is None else (info.peer_address, info.local_address)

    def info(self) -> ConnectionInfo | None:
        """Addresses and TLS facts, None before the first connection."""
        with self.lock:
            connection = _native.session_connection(self._alive())
            return None if connection is None else info_of(connection)

    def migrate(self) -> None:
        """Moves the connection to a new socket."""
        with self.lock:
            connection = _native.session_connection(self._alive())
            if connection is None:
                raise StateError("this client has not been connected yet")
            _native.connection_migrate(connection)

    def statistics(self) -> Statistics | None:
        """Statistics, None before the first connection."""
        with self.lock:
            connection = _native.session_connection(self._alive())
            return None if connection is None else statistics_of(connection)
