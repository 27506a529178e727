# SPDX-License-Identifier: MIT
"""
A client with callbacks, in the names and signatures of paho-mqtt 2 (``CallbackAPIVersion.VERSION2``).

A program for paho-mqtt moves over by its import, its port and its TLS lines::

    import mquic.client as mqtt

    def on_connect(client, userdata, flags, reason_code, properties):
        client.subscribe("sensors/#")

    def on_message(client, userdata, message):
        print(message.topic, message.payload)

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_connect = on_connect
    client.on_message = on_message
    client.connect("broker.example.org")
    client.loop_forever()
"""

import select
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from ._callbacks import LIBRARY_LEVELS, Callbacks, ConnectFlags, Descriptor, DisconnectFlags
from ._facts import ConnectionInfo, Statistics
from ._options import Options
from ._session import Event, Login, Payload, Session, payload_of
from .enums import (
    CallbackAPIVersion,
    EndpointLogLevel,
    EventType,
    LogLevel,
    MQTTErrorCode,
    MQTTProtocolVersion,
    Origin,
    Status,
)
from .errors import MquicError, StateError, TimedOutError, TooLargeError, WouldBlock, make_end
from .message import MQTTMessage
from .properties import PacketTypes, Properties, merged
from .reasoncodes import ReasonCode, ReasonCodes
from .subscribeoptions import SubscribeOptions
from .tls import QUICSettings, TLSSettings
from .topics import is_filter, topic_matches_sub

MQTTv311 = MQTTProtocolVersion.MQTTv311
MQTTv5 = MQTTProtocolVersion.MQTTv5
MQTT_CLEAN_START_FIRST_ONLY = 3
MQTT_ERR_AGAIN = MQTTErrorCode.MQTT_ERR_AGAIN
MQTT_ERR_SUCCESS = MQTTErrorCode.MQTT_ERR_SUCCESS
MQTT_ERR_NOMEM = MQTTErrorCode.MQTT_ERR_NOMEM
MQTT_ERR_PROTOCOL = MQTTErrorCode.MQTT_ERR_PROTOCOL
MQTT_ERR_INVAL = MQTTErrorCode.MQTT_ERR_INVAL
MQTT_ERR_NO_CONN = MQTTErrorCode.MQTT_ERR_NO_CONN
MQTT_ERR_CONN_REFUSED = MQTTErrorCode.MQTT_ERR_CONN_REFUSED
MQTT_ERR_NOT_FOUND = MQTTErrorCode.MQTT_ERR_NOT_FOUND
MQTT_ERR_CONN_LOST = MQTTErrorCode.MQTT_ERR_CONN_LOST
MQTT_ERR_TLS = MQTTErrorCode.MQTT_ERR_TLS
MQTT_ERR_PAYLOAD_SIZE = MQTTErrorCode.MQTT_ERR_PAYLOAD_SIZE
MQTT_ERR_NOT_SUPPORTED = MQTTErrorCode.MQTT_ERR_NOT_SUPPORTED
MQTT_ERR_AUTH = MQTTErrorCode.MQTT_ERR_AUTH
MQTT_ERR_ERRNO = MQTTErrorCode.MQTT_ERR_ERRNO
MQTT_ERR_QUEUE_SIZE = MQTTErrorCode.MQTT_ERR_QUEUE_SIZE
MQTT_ERR_KEEPALIVE = MQTTErrorCode.MQTT_ERR_KEEPALIVE
MQTT_ERR_UNKNOWN = MQTTErrorCode.MQTT_ERR_UNKNOWN
MQTT_LOG_INFO = LogLevel.MQTT_LOG_INFO
MQTT_LOG_NOTICE = LogLevel.MQTT_LOG_NOTICE
MQTT_LOG_WARNING = LogLevel.MQTT_LOG_WARNING
MQTT_LOG_ERR = LogLevel.MQTT_LOG_ERR
MQTT_LOG_DEBUG = LogLevel.MQTT_LOG_DEBUG

#: UDP port of MQTT over QUIC by convention.
PORT = 14567

# Events taken at a time.
_BATCH = 1000

# As a plain number it compares faster.
_MESSAGE = int(EventType.MESSAGE)

# A message without packet identifier has been handed over: an event of our own.
_HANDED_OVER = 0

_ERROR_TEXT = {
    MQTTErrorCode.MQTT_ERR_SUCCESS: "No error.",
    MQTTErrorCode.MQTT_ERR_NOMEM: "Out of memory.",
    MQTTErrorCode.MQTT_ERR_PROTOCOL: "The peer broke the rules of QUIC or MQTT.",
    MQTTErrorCode.MQTT_ERR_INVAL: "An argument is not acceptable.",
    MQTTErrorCode.MQTT_ERR_NO_CONN: "The client is not currently connected.",
    MQTTErrorCode.MQTT_ERR_CONN_REFUSED: "The connection was refused.",
    MQTTErrorCode.MQTT_ERR_CONN_LOST: "The connection was lost.",
    MQTTErrorCode.MQTT_ERR_TLS: "Certificate, key or trust could not be used.",
    MQTTErrorCode.MQTT_ERR_PAYLOAD_SIZE: "Payload too large.",
    MQTTErrorCode.MQTT_ERR_QUEUE_SIZE: "Too many messages wait for a connection.",
    MQTTErrorCode.MQTT_ERR_KEEPALIVE: "The server did not answer in time.",
}


def error_string(mqtt_errno: int) -> str:
    """A sentence for an `MQTTErrorCode`."""
    return _ERROR_TEXT.get(mqtt_errno, "Unknown error.")  # type: ignore[call-overload, no-any-return]


def connack_string(connack_code: int | ReasonCode) -> str:
    """A sentence for a reason code of CONNACK."""
    code = ReasonCode(PacketTypes.CONNACK, identifier=int(connack_code))
    return f"Connection Refused: {code}." if code.is_failure else "Connection Accepted."


class MQTTMessageInfo:
    """What ``publish()`` returns; also a pair (rc, mid)."""

    __slots__ = ("mid", "rc", "_client", "_published")

    def __init__(self, client: "Client", mid: int) -> None:
        #: Our number of this message, which ``on_publish`` gets too.
        self.mid = mid
        #: Whether it was accepted; ``MQTT_ERR_NO_CONN`` with QoS 1 or 2: it waits here.
        self.rc: MQTTErrorCode = MQTT_ERR_SUCCESS
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

    def is_published(self) -> bool:
        """
        Whether the server has it; for QoS 0, whether it was handed over for sending.

        :raises ValueError: if it was not taken, because the queue is full
        :raises RuntimeError: if it was not taken for another reason
        """
        self._check()
        return self._published

    def wait_for_publish(self, timeout: float | None = None) -> None:
        """
        Waits until ``is_published()``, or for `timeout` seconds; a loop has to run in another
        thread. Raises what ``is_published()`` raises.
        """
        self._check()
        with self._client._settled:
            self._client._settled.wait_for(lambda: self._published, timeout)

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


class Client(Callbacks, Options):
    """
    One MQTT client. All methods may be called from any thread, and from callbacks.

    Callbacks run in the thread that runs the loop: ``loop_start()`` starts one, or call
    ``loop_forever()``, or ``loop()`` again and again, or watch ``socket()`` and call
    ``loop_read()`` whenever it is readable.
    """

    def __init__(
        self,
        callback_api_version: CallbackAPIVersion = CallbackAPIVersion.VERSION2,
        client_id: str | None = "",
        clean_session: bool | None = None,
        userdata: Any = None,
        protocol: int = MQTTv311,
        transport: str = "quic",
        reconnect_on_failure: bool = True,
        manual_ack: bool = False,
        *,
        tls: TLSSettings | None = None,
        quic: QUICSettings | None = None,
    ) -> None:
        """
        :param callback_api_version: ``VERSION2``, the only one
        :param client_id: identifier; "" lets the server choose
        :param clean_session: MQTT 3.1.1: whether the server forgets us at the end; True by default
        :param userdata: what callbacks get as their second argument
        :param protocol: ``MQTTv311``, as in paho-mqtt the default, or ``MQTTv5``
        :param transport: "quic", the only one
        :param reconnect_on_failure: whether the loops connect again when the connection is lost
        :param manual_ack: whether received messages are acknowledged by ``ack()`` only
        :param tls: certificates and trust, in place of ``tls_set()``
        :param quic: how QUIC behaves
        :raises ValueError: for arguments that contradict each other or the above
        """
        if callback_api_version != CallbackAPIVersion.VERSION2:
            raise ValueError(
                "the first argument must be CallbackAPIVersion.VERSION2: callbacks have the "
                "signatures of paho-mqtt 2"
            )
        if transport != "quic":
            raise ValueError(f"the transport is 'quic'; there is no {transport!r} here")
        if protocol == MQTTv5 and clean_session is not None:
            raise ValueError("MQTT 5 has clean_start, an argument of connect(), not clean_session")
        if clean_session is False and not client_id:
            raise ValueError("a client_id must be given if clean_session is False")
        Callbacks.__init__(self, userdata)
        login = Login(
            identifier=client_id or "",
            protocol=MQTTProtocolVersion(protocol),
            manual_ack=manual_ack,
        )
        Options.__init__(self, login, tls, quic)
        self._clean_session = clean_session
        self._clean_start: bool | int = MQTT_CLEAN_START_FIRST_ONLY
        self._connected_before = False
        self._reconnect_on_failure = reconnect_on_failure
        self._host = ""
        self._port = PORT

        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)  # a connection came or went
        self._settled = threading.Condition()  # a message was published
        self._core: Session | None = None
        self._log_level: EndpointLogLevel | None = None
        self._socket: Descriptor | None = None
        self._poller: select.poll | None = None
        self._events: deque[Event] = deque()
        self._active = False  # from connect() until the library says DISCONNECTED
        self._connected = False  # from CONNACK on, as callbacks have seen it
        self._leaving = False  # disconnect() was called
        self._connect_later = False  # connect_async() was called
        self._dialing = False  # reconnect() waits for the handshake
        self._dial_lock = threading.RLock()  # one thread at a time in reconnect()
        self._dial_error: MquicError | None = None
        self._error: MquicError | None = None
        self._rc = MQTT_ERR_SUCCESS

        self._last_mid = 0
        self._unsettled: dict[int, MQTTMessageInfo] = {}  # by packet identifier
        self._answers: dict[int, int] = {}  # our number by packet identifier
        self._waiting: deque[_Outgoing] = deque()

        self._thread: threading.Thread | None = None
        self._terminate = False
        self._delay = 0.0
        self._loop_thread: int | None = None  # who is in the loop now
        self._unsent = False  # something was queued from inside the loop

    # ---- connecting

    def _session(self) -> Session:
        if self._core is None:
            self._core = Session(self._tls, self._quic)
            self._tls_used = True
            self._log_level = None
            self._socket = Descriptor(self._core.fd)
            # QUIC has no kernel that says goodbye for us: at exit, the endpoint has to.
            weakref.finalize(self, self._core.close)
        level = EndpointLogLevel.DEBUG if self._logs else None
        if level != self._log_level:
            self._core.collect_log(level)
            self._log_level = level
        return self._core

    def reinitialise(
        self, client_id: str = "", clean_session: bool | None = None, userdata: Any = None
    ) -> None:
        """Cuts off what is connected and makes the client as good as new, callbacks included."""
        self.loop_stop()
        if self._core is not None:
            self._core.close()
        protocol = self._login.protocol
        self.__dict__.clear()
        self.__init__(  # type: ignore[misc]
            CallbackAPIVersion.VERSION2, client_id, clean_session, userdata, protocol
        )

    def connect(
        self,
        host: str,
        port: int = PORT,
        keepalive: int = 60,
        bind_address: str = "",
        bind_port: int = 0,
        clean_start: bool | int = MQTT_CLEAN_START_FIRST_ONLY,
        properties: Properties | None = None,
        **more: Any,
    ) -> MQTTErrorCode:
        """
        Connects and waits until the server is verified; ``on_connect`` then tells whether it
        lets us in.

        :param host: name or address of the server, or a URL, ``mqtt-quic://[user:pass@]host[:port]``
        :param port: UDP port
        :param keepalive: seconds of silence after which the client pings; 0: never
        :param clean_start: MQTT 5: whether the server forgets what it kept for us; by default on
            the first connection only
        :param properties: MQTT 5 properties of CONNECT; or one by one, ``session_expiry_interval``
            (seconds) above all
        :raises OSError: if there is no connection: `mquic.RefusedError`, `mquic.TLSError`,
            `mquic.ResolveError`, `mquic.TimedOutError`
        :raises ValueError: for arguments that are not acceptable
        """
        self._aim(host, port, keepalive, bind_address, bind_port, clean_start, properties, more)
        return self.reconnect()

    def connect_async(
        self,
        host: str,
        port: int = PORT,
        keepalive: int = 60,
        bind_address: str = "",
        bind_port: int = 0,
        clean_start: bool | int = MQTT_CLEAN_START_FIRST_ONLY,
        properties: Properties | None = None,
        **more: Any,
    ) -> None:
        """Like ``connect()``, but leaves it to ``loop_start()`` or ``loop_forever()`` to do it."""
        self._aim(host, port, keepalive, bind_address, bind_port, clean_start, properties, more)
        with self._changed:
            self._leaving = False
            self._connect_later = True
            self._changed.notify_all()

    def _aim(
        self,
        host: str,
        port: int,
        keepalive: int,
        bind_address: str,
        bind_port: int,
        clean_start: bool | int,
        properties: Properties | None,
        more: dict[str, Any],
    ) -> None:
        if not host:
            raise ValueError("a host must be given")
        if not 0 < port <= 65535:
            raise ValueError(f"{port} is not a port, which is 1 to 65535")
        if not 0 <= keepalive <= 65535:
            raise ValueError("the keepalive is 0 to 65535 seconds")
        if bind_address or bind_port:
            raise ValueError("the system chooses the local address; it may change at any time")
        values = merged(PacketTypes.CONNECT, properties, more)
        if self.protocol != MQTTv5 and (values or clean_start != MQTT_CLEAN_START_FIRST_ONLY):
            raise ValueError("clean_start and properties need protocol=MQTTv5")
        with self._lock:
            self._host, self._port = host, port
            self._login.keepalive = keepalive
            self._clean_start = clean_start
            self._login.properties = values

    def _clean(self) -> bool:
        if self.protocol != MQTTv5:
            return self._clean_session is not False
        if self._clean_start == MQTT_CLEAN_START_FIRST_ONLY:
            return not self._connected_before
        return bool(self._clean_start)

    def reconnect(self) -> MQTTErrorCode:
        """
        Connects with the arguments of the last ``connect()``; raises what that raises. A
        connection that still stands is ended first.
        """
        if not self._host:
            raise ValueError("connect() has to come first, to name the host")
        self._call("on_pre_connect")
        with self._dial_lock:
            if self._active:
                self._part()
            self._dial()
        self._log(LogLevel.MQTT_LOG_DEBUG, f"connected to {self._host}, waiting for CONNACK")
        self._call("on_socket_open", self._socket)
        return MQTT_ERR_SUCCESS

    def _dial(self) -> None:
        # While a name is looked up the client's own lock is free, and publish() does not wait.
        session = self._session()
        self._connect_later = self._leaving = False
        self._login.clean = self._clean()
        session.configure(self._login)
        session.connect(self._host, self._port)
        with self._changed:
            self._active = self._dialing = True
            self._dial_error = self._error = None
            self._rc = MQTT_ERR_SUCCESS
            self._send_waiting()
            self._changed.notify_all()
        try:
            while not self._answered_by_server(session):
                self._advance(0.5)
        finally:
            self._dialing = False
            self._flush_log()

    def _answered_by_server(self, session: Session) -> bool:
        with self._lock:
            if self._dial_error is not None:
                raise self._dial_error
            # From here on the end of the connection is an event as all others.
            self._dialing = self._active and not session.handshake_done
            return not self._dialing

    def _part(self) -> None:
        """Ends the present connection and waits until it is over, a few seconds at most."""
        try:
            self._session().disconnect(0)
        except StateError:
            pass  # that is on its way already
        end = time.monotonic() + 5
        while self._active and time.monotonic() < end:
            self._advance(0.05)

    def _advance(self, timeout: float) -> None:
        """Waits and pulls, or lets the loop do so if it runs in another thread."""
        if self._loop_thread in (None, threading.get_ident()):
            self._wait(timeout)
            self._pull()
        else:
            with self._changed:
                self._changed.wait(min(timeout, 0.02))

    def disconnect(
        self, reasoncode: ReasonCode | int | None = None, properties: Properties | None = None
    ) -> MQTTErrorCode:
        """
        Says goodbye: what is queued is sent first, ``on_disconnect`` comes last, and the loops
        end.

        :param reasoncode: MQTT 5: 0, or 4 to have the will published
        :param properties: none can be sent
        :returns: ``MQTT_ERR_NO_CONN`` if there is no connection
        """
        if properties is not None and not properties.isEmpty():
            raise ValueError("DISCONNECT is sent without properties")
        with self._lock:
            self._leaving = True
            self._connect_later = False
            self._waiting.clear()
            self._changed.notify_all()
            if not self._active:
                return MQTT_ERR_NO_CONN
            try:
                self._session().disconnect(int(reasoncode or 0))
            except StateError:
                return MQTT_ERR_SUCCESS  # said already
        self._send()
        return MQTT_ERR_SUCCESS

    def is_connected(self) -> bool:
        """Whether the server has let us in, and the connection is not known to be gone."""
        return self._connected and self._active

    # ---- messages

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
        if qos not in (0, 1, 2):
            raise ValueError(f"the QoS must be 0, 1 or 2, not {qos}")
        payload = payload_of(payload)
        values = merged(PacketTypes.PUBLISH, properties, more)
        with self._lock:
            self._last_mid = self._last_mid % 65535 + 1
            info = MQTTMessageInfo(self, self._last_mid)
            one = _Outgoing(info, topic, payload, qos, retain, values)
            if self._waiting or not self._active or not self._hand_over(one):
                self._keep(one)
                return info
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
        except StateError:  # it is closing
            one.info.rc = MQTT_ERR_NO_CONN
            return True
        if packet_id:
            self._unsettled[packet_id] = one.info
        elif self.on_publish is not None:
            self._events.append((_HANDED_OVER, one.info))
        else:
            one.info._published = True
        return True

    def _keep(self, one: _Outgoing) -> None:
        """Has a message wait."""
        if not self._active and one.qos == 0:
            one.info.rc = MQTT_ERR_NO_CONN
            return
        if not one.topic or "+" in one.topic or "#" in one.topic or "\0" in one.topic:
            raise ValueError(f"{one.topic!r} is not a topic that can be published to")
        if 0 < self._max_queued <= len(self._waiting):
            one.info.rc = MQTT_ERR_QUEUE_SIZE
            return
        if not self._active:
            one.info.rc = MQTT_ERR_NO_CONN
        if isinstance(one.payload, (bytearray, memoryview)):
            one = one._replace(payload=bytes(one.payload))
        self._waiting.append(one)

    def _send_waiting(self) -> None:
        with self._lock:
            while self._waiting and self._active:
                one = self._waiting[0]
                try:
                    if not self._hand_over(one):
                        return
                    one.info.rc = MQTT_ERR_SUCCESS
                except TooLargeError:
                    one.info.rc = MQTT_ERR_PAYLOAD_SIZE
                except MquicError:
                    one.info.rc = MQTT_ERR_INVAL
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
        filters = [self._filter(*one) for one in _filter_list(topic, options or qos)]
        values = merged(PacketTypes.SUBSCRIBE, properties, more)
        return self._ask(lambda session: session.subscribe(filters, values))

    def _filter(self, sub: Any, how: Any) -> tuple[str, int, int]:
        if not isinstance(sub, str) or not is_filter(sub):
            raise ValueError(f"{sub!r} is not a topic filter")
        if isinstance(how, SubscribeOptions):
            if self.protocol != MQTTv5:
                raise ValueError("SubscribeOptions need protocol=MQTTv5")
            return sub, how.qos, how.bits
        if how not in (0, 1, 2):
            raise ValueError(f"the QoS must be 0, 1 or 2, not {how}")
        return sub, how, 0

    def unsubscribe(
        self, topic: Any, properties: Properties | None = None, **more: Any
    ) -> tuple[MQTTErrorCode, int | None]:
        """Unsubscribes from a filter or a list of them; (rc, number for ``on_unsubscribe``)."""
        topics = [topic] if isinstance(topic, str) else list(topic or ())
        if not topics or not all(isinstance(one, str) and is_filter(one) for one in topics):
            raise ValueError(f"{topic!r} is neither a topic filter nor a list of them")
        values = merged(PacketTypes.UNSUBSCRIBE, properties, more)
        return self._ask(lambda session: session.unsubscribe(topics, values))

    def _ask(self, call: Any) -> tuple[MQTTErrorCode, int | None]:
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
        self._send()
        return MQTT_ERR_SUCCESS, mid

    def ack(self, mid: int, qos: int) -> MQTTErrorCode:
        """With ``manual_ack``: acknowledges a received message by its ``mid`` and ``qos``."""
        if not self._login.manual_ack or qos not in (1, 2):
            return MQTT_ERR_SUCCESS
        with self._lock:
            if not self._active:
                return MQTT_ERR_NO_CONN
            self._session().ack(mid, 0)
        self._send()
        return MQTT_ERR_SUCCESS

    def auth(self, reason_code: int, data: bytes | None = None) -> MQTTErrorCode:
        """MQTT 5 section 4.12: sends AUTH, 0x18 to continue, 0x19 to start again."""
        with self._lock:
            if not self._active:
                return MQTT_ERR_NO_CONN
            self._session().auth(reason_code, data)
        self._send()
        return MQTT_ERR_SUCCESS

    # ---- the loop

    def _send(self) -> None:
        """Something was queued: sees that it leaves."""
        loop_thread = self._loop_thread
        if loop_thread == threading.get_ident():
            self._unsent = True  # the loop sends it when the callback is done
        elif loop_thread is None and not self._thread_runs():
            self._pull()
        elif self._core is not None:
            self._core.wakeup()

    def _wait(self, timeout: float) -> None:
        """Waits for something to do; no lock is held, and other threads run."""
        if self._core is None:
            return
        # A poll object serves one thread at a time; whoever finds none makes another.
        poller, self._poller = self._poller, None
        if poller is None:
            poller = select.poll()
            poller.register(self._core.fd, select.POLLIN)
        poller.poll(timeout * 1000)
        self._poller = poller

    def _pull(self) -> None:
        """Does what is due and takes events. They are handled later, outside of the lock."""
        with self._lock:
            if self._core is None or self._core.closed:
                return
            self._unsent = False
            batch = self._core.drain(_BATCH)
            # DISCONNECTED is a session's last event, so nothing stands behind it.
            if batch and batch[-1][0] == EventType.DISCONNECTED:
                self._note_end(batch)
            self._events.extend(batch)

    def _note_end(self, batch: list[Event]) -> None:
        self._active = False
        self._answers.clear()
        _, _, _, _, _, status, origin, code, text, _ = batch[-1]
        error = make_end(status, origin, code, text)
        self._error = error if status != Status.OK else None
        if self._dialing and origin != Origin.MQTT:
            batch.pop()
            self._dial_error = error  # reconnect() raises it
        self._changed.notify_all()

    def _flush_log(self) -> None:
        if self._core is not None and self._core.log:
            lines, self._core.log[:] = self._core.log[:], []
            for level, line in lines:
                self._log(LIBRARY_LEVELS[level], line)

    def _handle_events(self) -> None:
        """Calls back for what was pulled. An exception leaves the rest for the next turn."""
        events = self._events
        self._flush_log()
        while events:
            try:
                event = events.popleft()
            except IndexError:  # another thread has taken it
                return
            if event[0] == _MESSAGE:
                self._call_message(MQTTMessage(*event[2:]))
            else:
                self._handle(event)

    def _turn(self, timeout: float) -> MQTTErrorCode:
        if not self._active and not self._events:
            return self._rc or MQTT_ERR_NO_CONN
        outer, self._loop_thread = self._loop_thread, threading.get_ident()
        try:
            if not self._events:
                self._wait(timeout)
                self._pull()
            self._handle_events()
        finally:
            if self._unsent:
                self._pull()
            self._loop_thread = outer
        return self._rc

    def loop(self, timeout: float = 1.0) -> MQTTErrorCode:
        """
        One turn: waits up to `timeout` seconds, does what is due, calls back.

        :returns: an error when there is no connection; ``reconnect()`` then
        """
        if timeout < 0:
            raise ValueError("the timeout must be 0 or more")
        return self._turn(timeout)

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """For loops of others: to be called when ``socket()`` is readable. Does not wait."""
        return self._turn(0)

    def loop_write(self) -> MQTTErrorCode:
        """For loops of others; never needed."""
        return MQTT_ERR_SUCCESS if self._active else MQTT_ERR_NO_CONN

    def loop_misc(self) -> MQTTErrorCode:
        """For loops of others; not needed, as timers make ``socket()`` readable. Harmless."""
        return self._turn(0)

    def want_write(self) -> bool:
        """For loops of others: False, as nothing waits for the descriptor to be writable."""
        return False

    def socket(self) -> Descriptor | None:
        """
        Something with a ``fileno()``: one descriptor for network and timers, the same for the
        life of the client. None before the first connection and after the last.
        """
        return self._socket if self._active else None

    def loop_forever(
        self, timeout: float = 1.0, retry_first_connection: bool = False
    ) -> MQTTErrorCode:
        """
        Runs the loop until ``disconnect()``, and connects again whenever the connection is lost.

        :param retry_first_connection: whether to go on trying if the first connection, of
            ``connect_async()``, fails
        :raises OSError: if it fails otherwise
        """
        while self._connect_later and not self._over():
            try:
                self.reconnect()
            except OSError as error:
                self._connect_later = True
                self._connect_failed(error)
                if not retry_first_connection:
                    raise
                self._reconnect_wait()
        while True:
            rc = self._turn(timeout)
            if self._over() or (not self._active and not self._reconnect_on_failure):
                return MQTT_ERR_SUCCESS if self._leaving else rc
            if not self._active and not self._events:
                self._reconnect_wait()
                self._reconnect_once()

    def _over(self) -> bool:
        """Whether loop_forever() is to end: disconnected, or loop_stop() and nothing on the way."""
        if self._events or not (self._leaving or self._terminate):
            return False
        if not self._active:
            return True
        on_the_way = self._waiting or self._core is None or self._core.inflight
        return self._terminate and not self._leaving and not on_the_way

    def _reconnect_once(self) -> None:
        try:
            with self._dial_lock:
                if not (self._leaving or self._terminate or self._active):
                    self.reconnect()
        except OSError as error:
            self._connect_failed(error)

    def _connect_failed(self, error: OSError) -> None:
        self._log(LogLevel.MQTT_LOG_WARNING, f"Connection failed: {error}")
        self._call("on_connect_fail")

    def _reconnect_wait(self) -> None:
        self._delay = min(max(self._min_delay, 2 * self._delay), self._max_delay)
        with self._changed:
            self._changed.wait_for(lambda: self._leaving or self._terminate, self._delay)

    def loop_start(self) -> MQTTErrorCode:
        """
        Runs ``loop_forever()`` in a thread of its own. An exception in a callback ends it, and is
        printed, unless ``suppress_exceptions`` is set.

        :returns: ``MQTT_ERR_INVAL`` if it runs already
        """
        with self._lock:
            if self._thread_runs():
                return MQTT_ERR_INVAL
            self._terminate = False
            self._thread = threading.Thread(
                target=self._run, name=f"mquic-client-{self._login.identifier}", daemon=True
            )
            self._thread.start()
        return MQTT_ERR_SUCCESS

    def _thread_runs(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._terminate or self._connect_later or self._active)
        self.loop_forever(retry_first_connection=True)

    def loop_stop(self) -> MQTTErrorCode:
        """
        Ends the thread of ``loop_start()`` once QoS 1 and 2 messages on the way are settled, or
        the connection is lost.

        :returns: ``MQTT_ERR_INVAL`` if there is none
        """
        thread = self._thread
        if thread is None:
            return MQTT_ERR_INVAL
        with self._changed:
            self._terminate = True
            self._changed.notify_all()
        if self._core is not None:
            self._core.wakeup()
        if thread is not threading.current_thread():
            thread.join()
            self._thread = None
        return MQTT_ERR_SUCCESS

    # ---- events

    def _handle(self, event: Event) -> None:
        kind = event[0]
        if kind == _HANDED_OVER:
            self._settle(event[1], 0, None)
            return
        _, _, packet_id, reasons, present, _, _, _, text, values = event
        if kind == EventType.DELIVERED:
            self._on_delivered(packet_id, reasons, self._properties(PacketTypes.PUBACK, event))
        elif kind == EventType.CONNECTED:
            self._on_connected(present, self._properties(PacketTypes.CONNACK, event))
        elif kind == EventType.SUBSCRIBED:
            self._answered("on_subscribe", PacketTypes.SUBACK, event)
        elif kind == EventType.UNSUBSCRIBED:
            self._answered("on_unsubscribe", PacketTypes.UNSUBACK, event)
        elif kind == EventType.WRITABLE:
            self._send_waiting()
        elif kind == EventType.AUTH:
            code = ReasonCode(PacketTypes.AUTH, identifier=reasons[0] if reasons else 0x18)
            self._call("on_auth", code, self._properties(PacketTypes.AUTH, event))
        elif kind == EventType.DISCONNECTED:
            self._on_disconnected(event)

    def _properties(self, packet: PacketTypes, event: Event) -> Properties:
        values = dict(event[9] or ())
        if event[8] and event[0] != EventType.DISCONNECTED and self.protocol == MQTTv5:
            values["ReasonString"] = event[8]
        return Properties._received(packet, values)

    def _on_connected(self, present: bool, properties: Properties) -> None:
        self._connected = self._connected_before = True
        self._delay = 0.0
        if self.protocol == MQTTv5:
            session = self._session()
            values = properties._values
            if session.identifier != self._login.identifier:
                values["AssignedClientIdentifier"] = session.identifier
            if session.keepalive != self._login.keepalive:
                values["ServerKeepAlive"] = session.keepalive
        self._call(
            "on_connect",
            ConnectFlags(present),
            ReasonCode(PacketTypes.CONNACK, identifier=0),
            properties,
        )

    def _on_disconnected(self, event: Event) -> None:
        _, _, _, _, _, status, origin, code, text, _ = event
        was_connected, self._connected = self._connected, False
        self._log(LogLevel.MQTT_LOG_DEBUG, f"disconnected: {text}")
        refused = not was_connected and status == Status.REFUSED and origin == Origin.MQTT
        by_packet = was_connected and status == Status.CLOSED and origin == Origin.MQTT
        if not self._leaving or status != Status.OK:
            self._rc = MQTT_ERR_CONN_REFUSED if refused else MQTT_ERR_CONN_LOST
        if refused:
            self._call(
                "on_connect",
                ConnectFlags(False),
                ReasonCode(PacketTypes.CONNACK, identifier=code),
                self._properties(PacketTypes.CONNACK, event),
            )
        reason = ReasonCode(PacketTypes.DISCONNECT, "Unspecified error")
        if by_packet:
            reason = ReasonCode(PacketTypes.DISCONNECT, identifier=code)
        elif status == Status.OK:
            reason = ReasonCode(PacketTypes.DISCONNECT, "Normal disconnection")
        elif status == Status.TIMEOUT:
            reason = ReasonCode(PacketTypes.DISCONNECT, "Keep alive timeout")
        self._call("on_socket_close", self._socket)
        self._call(
            "on_disconnect",
            DisconnectFlags(by_packet),
            reason,
            self._properties(PacketTypes.DISCONNECT, event),
        )

    def _on_delivered(
        self, packet_id: int, reasons: tuple[int, ...], properties: Properties
    ) -> None:
        with self._lock:
            info = self._unsettled.pop(packet_id, None)
        if self._waiting:
            self._send_waiting()
        if info is not None:
            self._settle(info, reasons[0] if reasons else 0, properties)

    def _settle(self, info: MQTTMessageInfo, reason: int, properties: Properties | None) -> None:
        with self._settled:
            info._published = True
            self._settled.notify_all()
        if self.on_publish is not None:
            self._call(
                "on_publish",
                info.mid,
                ReasonCode(PacketTypes.PUBACK, identifier=reason),
                properties or Properties(PacketTypes.PUBACK),
            )

    def _answered(self, name: str, packet: PacketTypes, event: Event) -> None:
        mid = self._answers.pop(event[2], None)
        if mid is not None:
            codes = [ReasonCode(packet, identifier=code) for code in event[3]]
            self._call(name, mid, codes, self._properties(packet, event))

    # ---- looking

    @property
    def host(self) -> str:
        """The host of the last ``connect()``."""
        return self._host

    @property
    def port(self) -> int:
        """The port of the last ``connect()``."""
        return self._port

    @property
    def error(self) -> MquicError | None:
        """Why the last connection ended; None while it stands, and after a clean end."""
        return self._error

    def connection_info(self) -> ConnectionInfo | None:
        """Addresses and TLS facts of the last connection, None before the first."""
        return None if self._core is None else self._core.info()

    def statistics(self) -> Statistics | None:
        """Statistics of the last connection, None before the first."""
        return None if self._core is None else self._core.statistics()


def _filter_list(topic: Any, how: Any) -> list[tuple[Any, Any]]:
    """What subscribe() takes as its first argument, as pairs of filter and QoS or options."""
    if isinstance(topic, tuple):
        topic = [topic]
    if not isinstance(topic, list):
        return [(topic, how)]
    if not topic or not all(isinstance(one, tuple) and len(one) == 2 for one in topic):
        raise ValueError("a list must have pairs of filter and QoS, or of filter and options")
    return topic
