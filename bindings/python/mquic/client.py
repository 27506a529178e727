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
from ._delivery import MQTTMessageInfo
from ._facts import ConnectionInfo, Statistics
from ._loop import Loop
from ._session import Login, Payload
from .enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
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


class Client(Loop):
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
        super().__init__(reconnect_on_failure, clean_session, userdata, login, tls, quic)

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
