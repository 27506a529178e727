# SPDX-License-Identifier: MIT
"""
A client with callbacks, in the names and signatures of paho-mqtt 2 (its
``CallbackAPIVersion.VERSION2``).

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

import time
from typing import Any

from ._callbacks import (
    CleanStartOption,
    ConnectFlags,
    DisconnectFlags,
    OnConnect,
    OnDisconnect,
    OnLog,
    OnMessage,
    OnPlain,
    OnPublish,
    OnSocket,
    OnSubscribe,
)
from ._check import host_and_port, speakable, text, whole
from ._codes import (
    AUTH,
    CONNACK,
    CONNACK_ACCEPTED,
    CONNACK_REFUSED_BAD_USERNAME_PASSWORD,
    CONNACK_REFUSED_IDENTIFIER_REJECTED,
    CONNACK_REFUSED_NOT_AUTHORIZED,
    CONNACK_REFUSED_PROTOCOL_VERSION,
    CONNACK_REFUSED_SERVER_UNAVAILABLE,
    CONNECT,
    DISCONNECT,
    LOGGING_LEVEL,
    MQTT_CLEAN_START_FIRST_ONLY,
    MQTT_ERR_ACL_DENIED,
    MQTT_ERR_AGAIN,
    MQTT_ERR_AUTH,
    MQTT_ERR_CONN_LOST,
    MQTT_ERR_CONN_REFUSED,
    MQTT_ERR_ERRNO,
    MQTT_ERR_INVAL,
    MQTT_ERR_KEEPALIVE,
    MQTT_ERR_NOMEM,
    MQTT_ERR_NOT_FOUND,
    MQTT_ERR_NOT_SUPPORTED,
    MQTT_ERR_NO_CONN,
    MQTT_ERR_PAYLOAD_SIZE,
    MQTT_ERR_PROTOCOL,
    MQTT_ERR_QUEUE_SIZE,
    MQTT_ERR_SUCCESS,
    MQTT_ERR_TLS,
    MQTT_ERR_UNKNOWN,
    MQTT_LOG_DEBUG,
    MQTT_LOG_ERR,
    MQTT_LOG_INFO,
    MQTT_LOG_NOTICE,
    MQTT_LOG_WARNING,
    PINGREQ,
    PINGRESP,
    PORT,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    SUBACK,
    SUBSCRIBE,
    UNSUBACK,
    UNSUBSCRIBE,
    MQTTv31,
    MQTTv311,
    MQTTv5,
    connack_string,
    convert_connack_rc_to_reason_code,
    convert_disconnect_error_code_to_reason_code,
    error_string,
)
from ._delivery import Delivery, MQTTMessageInfo
from ._facts import ConnectionInfo, Statistics
from ._session import Event, Login, Payload, Session
from .enums import (
    CallbackAPIVersion,
    EventType,
    MQTTErrorCode,
    MQTTProtocolVersion,
    Origin,
    Status,
)
from .errors import MQTTException, MquicError, StateError
from .message import MQTTMessage
from .properties import PacketTypes, Properties, merged
from .reasoncodes import ReasonCode, ReasonCodes
from .subscribeoptions import SubscribeOptions
from .tls import QUICSettings, TLSSettings
from .topics import topic_matches_sub

__all__ = [
    "AUTH",
    "CONNACK",
    "CONNACK_ACCEPTED",
    "CONNACK_REFUSED_BAD_USERNAME_PASSWORD",
    "CONNACK_REFUSED_IDENTIFIER_REJECTED",
    "CONNACK_REFUSED_NOT_AUTHORIZED",
    "CONNACK_REFUSED_PROTOCOL_VERSION",
    "CONNACK_REFUSED_SERVER_UNAVAILABLE",
    "CONNECT",
    "CallbackAPIVersion",
    "CallbackOnConnect",
    "CallbackOnConnectFail",
    "CallbackOnConnect_v2",
    "CallbackOnDisconnect",
    "CallbackOnDisconnect_v2",
    "CallbackOnLog",
    "CallbackOnMessage",
    "CallbackOnPreConnect",
    "CallbackOnPublish",
    "CallbackOnPublish_v2",
    "CallbackOnSocket",
    "CallbackOnSubscribe",
    "CallbackOnSubscribe_v2",
    "CallbackOnUnsubscribe",
    "CallbackOnUnsubscribe_v2",
    "CleanStartOption",
    "Client",
    "ConnectFlags",
    "DISCONNECT",
    "DisconnectFlags",
    "LOGGING_LEVEL",
    "MQTTErrorCode",
    "MQTTException",
    "MQTTMessage",
    "MQTTMessageInfo",
    "MQTTProtocolVersion",
    "MQTT_CLEAN_START_FIRST_ONLY",
    "MQTT_ERR_ACL_DENIED",
    "MQTT_ERR_AGAIN",
    "MQTT_ERR_AUTH",
    "MQTT_ERR_CONN_LOST",
    "MQTT_ERR_CONN_REFUSED",
    "MQTT_ERR_ERRNO",
    "MQTT_ERR_INVAL",
    "MQTT_ERR_KEEPALIVE",
    "MQTT_ERR_NOMEM",
    "MQTT_ERR_NOT_FOUND",
    "MQTT_ERR_NOT_SUPPORTED",
    "MQTT_ERR_NO_CONN",
    "MQTT_ERR_PAYLOAD_SIZE",
    "MQTT_ERR_PROTOCOL",
    "MQTT_ERR_QUEUE_SIZE",
    "MQTT_ERR_SUCCESS",
    "MQTT_ERR_TLS",
    "MQTT_ERR_UNKNOWN",
    "MQTT_LOG_DEBUG",
    "MQTT_LOG_ERR",
    "MQTT_LOG_INFO",
    "MQTT_LOG_NOTICE",
    "MQTT_LOG_WARNING",
    "MQTTv31",
    "MQTTv311",
    "MQTTv5",
    "PINGREQ",
    "PINGRESP",
    "PORT",
    "PUBACK",
    "PUBCOMP",
    "PUBLISH",
    "PUBREC",
    "PUBREL",
    "PacketTypes",
    "PayloadType",
    "Properties",
    "QUICSettings",
    "ReasonCode",
    "ReasonCodes",
    "SUBACK",
    "SUBSCRIBE",
    "SubscribeOptions",
    "TLSSettings",
    "UNSUBACK",
    "UNSUBSCRIBE",
    "connack_string",
    "convert_connack_rc_to_reason_code",
    "convert_disconnect_error_code_to_reason_code",
    "error_string",
    "topic_matches_sub",
]

# The names of these types in paho-mqtt.
PayloadType = Payload
CallbackOnConnect = OnConnect
CallbackOnConnect_v2 = OnConnect
CallbackOnConnectFail = OnPlain
CallbackOnDisconnect = OnDisconnect
CallbackOnDisconnect_v2 = OnDisconnect
CallbackOnLog = OnLog
CallbackOnMessage = OnMessage
CallbackOnPreConnect = OnPlain
CallbackOnPublish = OnPublish
CallbackOnPublish_v2 = OnPublish
CallbackOnSocket = OnSocket
CallbackOnSubscribe = OnSubscribe
CallbackOnSubscribe_v2 = OnSubscribe
CallbackOnUnsubscribe = OnSubscribe
CallbackOnUnsubscribe_v2 = OnSubscribe


class Client(Delivery):
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
                "signatures of paho-mqtt 2; an identifier is given by name, as client_id="
            )
        if transport != "quic":
            raise ValueError(f"the transport is 'quic'; there is no {transport!r} here")
        if protocol == MQTTv5 and clean_session is not None:
            raise ValueError("MQTT 5 has clean_start, an argument of connect(), not clean_session")
        if clean_session is False and not client_id:
            raise ValueError("a client_id must be given if clean_session is False")
        text("client_id", client_id)
        speakable(protocol)
        login = Login(
            identifier=client_id or "",
            protocol=MQTTProtocolVersion(protocol),
            manual_ack=manual_ack,
        )
        super().__init__(userdata, login, tls, quic, reconnect_on_failure)
        self._clean_session = clean_session
        self._clean_start: bool | int = MQTT_CLEAN_START_FIRST_ONLY
        self._connected_before = False
        self._host = ""
        self._port = PORT

    # ---- connecting

    def reinitialise(
        self, client_id: str = "", clean_session: bool | None = None, userdata: Any = None
    ) -> None:
        """Cuts off what is connected and makes the client as good as new, callbacks included."""
        self.loop_stop()
        self._events.clear()
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

        :param host: name or address of the server, or ``mqtt-quic://[user:pass@]host[:port]``
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
        host_and_port(host, port)
        whole("keepalive", keepalive, 0, 65535)
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
        self._check_fork()
        if self._has_interrupted():
            raise RuntimeError(
                "connect() in a signal handler that has interrupted the client would wait "
                "without end: use connect_async(), or connect when the handler is done"
            )
        self._call("on_pre_connect")
        with self._dial_lock:
            if self._active:
                self._part()
            self._dial()
        self._debug(f"Sending CONNECT to {self._host}, which is verified")
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
                self._advance(0.05)
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
        self._check_fork()
        with self._lock:
            self._leaving = True
            self._connect_later = False
            self._drop_waiting()
            self._changed.notify_all()
            if not self._active:
                return MQTT_ERR_NO_CONN
            try:
                self._session().disconnect(int(reasoncode or 0))
            except StateError:
                return MQTT_ERR_SUCCESS  # said already
        self._debug("Sending DISCONNECT")
        self._send()
        return MQTT_ERR_SUCCESS

    def is_connected(self) -> bool:
        """Whether the server has let us in, and the connection is not known to be gone."""
        return self._connected and self._active

    # ---- events

    def _handle(self, event: Event) -> None:
        kind = event[0]
        if kind == EventType.CONNECTED:
            self._on_connected(event)
        elif kind == EventType.DISCONNECTED:
            self._on_disconnected(event)
        elif kind == EventType.AUTH:
            code = ReasonCode(PacketTypes.AUTH, identifier=event[3][0] if event[3] else 0x18)
            self._call("on_auth", code, self._properties(PacketTypes.AUTH, event))
        else:
            super()._handle(event)

    def _on_connected(self, event: Event) -> None:
        properties = self._properties(PacketTypes.CONNACK, event)
        self._connected = self._connected_before = True
        self._debug(f"Received CONNACK (session present: {event[4]:d}): Success")
        self._failures = 0
        if self.protocol == MQTTv5:
            self._add_assigned(properties._values)
        self._call(
            "on_connect",
            ConnectFlags(event[4]),
            ReasonCode(PacketTypes.CONNACK, identifier=0),
            properties,
        )

    def _add_assigned(self, values: dict[str, Any]) -> None:
        """What the server has decided for us, if that connection is still the present one."""
        session = self._session()
        try:
            identifier, keepalive = session.identifier, session.keepalive
        except StateError:  # another thread has begun to connect anew
            return
        if identifier != self._login.identifier:
            values["AssignedClientIdentifier"] = identifier
        if keepalive != self._login.keepalive:
            values["ServerKeepAlive"] = keepalive

    def _on_disconnected(self, event: Event) -> None:
        with self._lock:  # whoever has pulled it has also taken note of the end by then
            if event is self._dial_end:
                self._dial_end = None
                return
        _, _, _, _, _, status, origin, code, text, _ = event
        was_connected, self._connected = self._connected, False
        self._debug(f"Disconnected: {text}")
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

    def migrate(self) -> None:
        """
        Moves the connection to a new socket, whose address the system chooses; nothing is lost. A
        client does so by itself when the system's addresses or routes change.

        :raises WouldBlock: if the server does not allow it, or not yet
        :raises StateError: without a connection
        """
        if self._core is None:
            raise StateError("this client has not been connected yet")
        self._core.migrate()
        self._send()

    @property
    def transport(self) -> str:
        """What MQTT travels on: "quic"."""
        return "quic"

    @property
    def callback_api_version(self) -> CallbackAPIVersion:
        """The signatures of callbacks: those of version 2."""
        return CallbackAPIVersion.VERSION2

    def connection_info(self) -> ConnectionInfo | None:
        """Addresses and TLS facts of the last connection, None before the first."""
        return None if self._core is None else self._core.info()

    def statistics(self) -> Statistics | None:
        """Statistics of the last connection, None before the first."""
        return None if self._core is None else self._core.statistics()
