# SPDX-License-Identifier: MIT
"""The callbacks of `mquic.client.Client`: their types, where they are kept, how they are called."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from ._codes import LOGGING_LEVEL
from ._text import printable
from .enums import LogLevel
from .message import MQTTMessage
from .properties import Properties
from .reasoncodes import ReasonCode
from .topics import TopicTable

if TYPE_CHECKING:
    from .client import Client


class ConnectFlags(NamedTuple):
    """What CONNACK says besides its reason code."""

    session_present: bool  #: whether the server kept our session


class DisconnectFlags(NamedTuple):
    """How a connection ended."""

    is_disconnect_packet_from_server: bool  #: whether the server sent DISCONNECT


class Descriptor:
    """
    What ``Client.socket()`` gives: something with a descriptor to wait for.

    It is not a socket, as QUIC has sockets of its own and may change them. What programs like to
    set on one is taken and has no effect, so that they need not be changed.
    """

    def __init__(self, fd: int, addresses: Callable[[], tuple[str, str]]) -> None:
        self._fd = fd
        self._addresses = addresses

    def fileno(self) -> int:
        """The descriptor. Readable: call ``loop_read()``. It is never to be written to."""
        return self._fd

    def setsockopt(self, *_: Any) -> None:
        """Does nothing: `mquic.QUICSettings` has what can be set."""

    def getsockopt(self, level: int, option: int, size: int = 0) -> int | bytes:
        """0, or as many zero bytes as are asked for."""
        return bytes(size) if size else 0

    def setblocking(self, flag: bool) -> None:
        """Does nothing: ``loop_read()`` never blocks."""

    def settimeout(self, value: float | None) -> None:
        """Does nothing: ``loop_read()`` never blocks."""

    def gettimeout(self) -> float | None:
        """0: ``loop_read()`` never blocks."""
        return 0.0

    def getpeername(self) -> tuple[str, int]:
        """Address and UDP port of the server."""
        return _host_and_port(self._addresses()[0])

    def getsockname(self) -> tuple[str, int]:
        """Our address and UDP port, which may change."""
        return _host_and_port(self._addresses()[1])

    def __repr__(self) -> str:
        return f"<Descriptor {self._fd}>"


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port or 0)


F = TypeVar("F", bound=Callable[..., Any])

OnPlain: TypeAlias = Callable[["Client", Any], Any]
OnConnect: TypeAlias = Callable[["Client", Any, ConnectFlags, ReasonCode, Properties], Any]
OnDisconnect: TypeAlias = Callable[["Client", Any, DisconnectFlags, ReasonCode, Properties], Any]
OnMessage: TypeAlias = Callable[["Client", Any, MQTTMessage], Any]
OnPublish: TypeAlias = Callable[["Client", Any, int, ReasonCode, Properties], Any]
OnSubscribe: TypeAlias = Callable[["Client", Any, int, list[ReasonCode], Properties], Any]
OnLog: TypeAlias = Callable[["Client", Any, int, str], Any]
OnSocket: TypeAlias = Callable[["Client", Any, Descriptor], Any]
OnAuth: TypeAlias = Callable[["Client", Any, ReasonCode, Properties], Any]
CleanStartOption: TypeAlias = bool | int

# Levels of on_log for those of the library.
LIBRARY_LEVELS = (
    LogLevel.MQTT_LOG_ERR,
    LogLevel.MQTT_LOG_WARNING,
    LogLevel.MQTT_LOG_INFO,
    LogLevel.MQTT_LOG_DEBUG,
)


def _was_not_entered(error: Exception) -> bool:
    """Whether a function would not take its arguments, as one made for other callbacks."""
    traceback = error.__traceback__
    return isinstance(error, TypeError) and traceback is not None and traceback.tb_next is None


class Callbacks:
    """
    Functions of the program's, called from the loop, without any lock held.

    What one of them raises comes out of the loop, after being logged; nothing is lost by it: the
    next turn goes on with the event after that. With ``suppress_exceptions`` it is logged only.
    """

    #: Whether exceptions in callbacks are only logged.
    suppress_exceptions: bool = False

    # In the class, so that a class made of this one may have them as methods.
    #: on_connect(client, userdata, connect_flags, reason_code, properties)
    on_connect: OnConnect | None = None
    #: on_connect_fail(client, userdata): a connection in the background did not come about.
    on_connect_fail: OnPlain | None = None
    #: on_disconnect(client, userdata, disconnect_flags, reason_code, properties)
    on_disconnect: OnDisconnect | None = None
    #: on_message(client, userdata, message), unless a topic callback took it.
    on_message: OnMessage | None = None
    #: on_publish(client, userdata, mid, reason_code, properties)
    on_publish: OnPublish | None = None
    #: on_subscribe(client, userdata, mid, reason_code_list, properties)
    on_subscribe: OnSubscribe | None = None
    #: on_unsubscribe(client, userdata, mid, reason_code_list, properties)
    on_unsubscribe: OnSubscribe | None = None
    #: on_pre_connect(client, userdata): about to connect.
    on_pre_connect: OnPlain | None = None
    #: on_log(client, userdata, level, text)
    on_log: OnLog | None = None
    #: on_socket_open(client, userdata, socket): the descriptor is to be watched from now on.
    on_socket_open: OnSocket | None = None
    #: on_socket_close(client, userdata, socket): it need not be watched any more.
    on_socket_close: OnSocket | None = None
    #: Never called: nothing ever waits for the descriptor to be writable.
    on_socket_register_write: OnSocket | None = None
    on_socket_unregister_write: OnSocket | None = None
    #: on_auth(client, userdata, reason_code, properties): answer with ``auth()``.
    on_auth: OnAuth | None = None

    def __init__(self, userdata: Any) -> None:
        self._userdata = userdata
        self._logger: logging.Logger | None = None
        self._topic_callbacks: TopicTable[OnMessage] = TopicTable()

    # ---- setting

    def _decorator(self, name: str) -> Callable[[F], F]:
        def decorate(function: F) -> F:
            setattr(self, name, function)
            return function

        return decorate

    def connect_callback(self) -> Callable[[F], F]:
        """Decorator that sets ``on_connect``; there is one like it for every callback."""
        return self._decorator("on_connect")

    def connect_fail_callback(self) -> Callable[[F], F]:
        """Decorator that sets ``on_connect_fail``."""
        return self._decorator("on_connect_fail")

    def disconnect_callback(self) -> Callable[[F], F]:
        """Decorator that sets ``on_disconnect``."""
        return self._decorator("on_disconnect")

    def message_callback(self) -> Callable[[F], F]:
        """Decorator that sets ``on_message``."""
        return self._decorator("on_message")

    def publish_callback(self) -> Callable[[F], F]:
        """Decorator that sets ``on_publish``."""
        return self._decorator("on_publish")

    def subscribe_callback(self) -> Callable[[F], F]:
        """Decorator that sets ``on_subscribe``."""
        return self._decorator("on_subscribe")

    def unsubscribe_callback(self) -> Callable[[F], F]:
        """Decorator that sets ``on_unsubscribe``."""
        return self._decorator("on_unsubscribe")

    def pre_connect_callback(self) -> Callable[[F], F]:
        """Decorator that sets ``on_pre_connect``."""
        return self._decorator("on_pre_connect")

    def log_callback(self) -> Callable[[F], F]:
        """Decorator that sets ``on_log``."""
        return self._decorator("on_log")

    def socket_open_callback(self) -> Callable[[F], F]:
        """Decorator that sets ``on_socket_open``."""
        return self._decorator("on_socket_open")

    def socket_close_callback(self) -> Callable[[F], F]:
        """Decorator that sets ``on_socket_close``."""
        return self._decorator("on_socket_close")

    def socket_register_write_callback(self) -> Callable[[F], F]:
        """Decorator that sets ``on_socket_register_write``, which is never called."""
        return self._decorator("on_socket_register_write")

    def socket_unregister_write_callback(self) -> Callable[[F], F]:
        """Decorator that sets ``on_socket_unregister_write``, which is never called."""
        return self._decorator("on_socket_unregister_write")

    def topic_callback(self, sub: str) -> Callable[[F], F]:
        """Decorator: ``message_callback_add(sub, function)``."""

        def decorate(function: F) -> F:
            self.message_callback_add(sub, function)
            return function

        return decorate

    def message_callback_add(self, sub: str, callback: OnMessage) -> None:
        """
        Calls `callback` in place of ``on_message`` for messages that match the filter `sub`.
        It does not subscribe.

        :raises ValueError: without a filter or a callback
        """
        if callback is None or not sub:
            raise ValueError("message_callback_add() wants a filter and a callback")
        self._topic_callbacks[sub] = callback

    def message_callback_remove(self, sub: str) -> None:
        """Undoes ``message_callback_add()``; a filter that was not added is fine."""
        try:
            del self._topic_callbacks[sub]
        except KeyError:
            pass

    def user_data_set(self, userdata: Any) -> None:
        """Sets what callbacks get as their second argument."""
        self._userdata = userdata

    def user_data_get(self) -> Any:
        """What callbacks get as their second argument."""
        return self._userdata

    def enable_logger(self, logger: logging.Logger | None = None) -> None:
        """Writes what ``on_log`` gets to a logger too, ``mquic.client`` by default."""
        self._logger = logger or logging.getLogger("mquic.client")

    @property
    def logger(self) -> logging.Logger | None:
        """The logger of ``enable_logger()``, None for none."""
        return self._logger

    @logger.setter
    def logger(self, value: logging.Logger | None) -> None:
        self._logger = value

    def disable_logger(self) -> None:
        """Undoes ``enable_logger()``."""
        self._logger = None

    # ---- calling

    @property
    def _logs(self) -> bool:
        return self._logger is not None or self.on_log is not None

    def _log(self, level: LogLevel, text: str) -> None:
        text = printable(text)
        if self.on_log is not None:
            self.on_log(self, self._userdata, level, text)  # type: ignore[arg-type]
        if self._logger is not None:
            self._logger.log(LOGGING_LEVEL[level], "%s", text)

    def _failed(self, what: str, error: Exception) -> None:
        """A callback raised `error`: logs it and raises it again, if it is not to be suppressed."""
        self._log(LogLevel.MQTT_LOG_ERR, f"Caught exception in {what}: {error}")
        if not self.suppress_exceptions:
            raise error

    def _call(self, name: str, *arguments: Any) -> None:
        function = getattr(self, name)
        if function is None:
            return
        try:
            function(self, self._userdata, *arguments)
        except Exception as error:
            if _was_not_entered(error):
                error.add_note(
                    f"mquic calls {name} with {2 + len(arguments)} arguments, as paho-mqtt does "
                    "with CallbackAPIVersion.VERSION2"
                )
            self._failed(name, error)

    def _call_message(self, message: MQTTMessage) -> None:
        if self._topic_callbacks._count:  # faster than its len()
            functions = list(self._topic_callbacks.matching(message.topic))
            if functions:
                for one in functions:
                    self._call_one(one, message)
                return
        function = self.on_message
        if function is not None:
            try:  # not in _call_one(): this is the hottest place
                function(self, self._userdata, message)  # type: ignore[arg-type]
            except Exception as error:
                self._failed("on_message", error)

    def _call_one(self, function: OnMessage, message: MQTTMessage) -> None:
        try:
            function(self, self._userdata, message)  # type: ignore[arg-type]
        except Exception as error:
            self._failed("on_message", error)
