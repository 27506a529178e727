# SPDX-License-Identifier: MIT
"""
Exceptions. All are a `MquicError`; those of the network are an ``OSError`` too, as with sockets.

Every one has a ``status`` (`mquic.Status`) and a sentence that says what is wrong and how to mend
it. One that ended a connection also has ``origin`` and ``code``, and ``reason_code`` if MQTT gave
a reason. Only want of memory is Python's own ``MemoryError``.
"""

import os
import socket
from typing import Any

from . import _native
from ._text import printable
from .enums import Origin, Status
from .properties import Properties
from .reasoncodes import PacketTypes, ReasonCode


class MquicError(Exception):
    """What every exception of mquic is."""

    status = Status.INVALID
    #: Who ended the connection, None if none ended.
    origin: Origin | None = None
    #: The code of that end in the terms of its origin.
    code: int | None = None
    #: The reason that MQTT gave, None if it gave none.
    reason_code: ReasonCode | None = None
    #: The properties of the CONNACK or DISCONNECT that ended it, None if none did:
    #: ``ServerReference`` names the server to turn to instead.
    properties: Properties | None = None

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        # A peer's words may be in it, and must not forge lines of a log or terminal.
        self.message: str = printable(str(arguments[-1])) if arguments else ""

    @property
    def rc(self) -> int:
        """The reason code if MQTT gave one, else the status: one number, as aiomqtt has it."""
        return self.status if self.reason_code is None else self.reason_code

    @property
    def is_final(self) -> bool:
        """
        Whether the same will fail again until somebody changes something: a wrong password, a
        certificate that is not trusted, a mistake in the program. If not, it is worth another try
        after ``mquic.reconnect_pause()``.
        """
        origin, code = self.origin, self.code or 0
        if self.reason_code is not None:
            origin, code = Origin.MQTT, self.reason_code.value
        advice = _native.reconnect_advice(self.status, origin or 0, code)
        return advice == _native.RECONNECT_NEVER

    def __str__(self) -> str:
        return self.message


#: The name of the base of exceptions in paho-mqtt.
MQTTException = MquicError


class WouldBlock(MquicError, BlockingIOError):
    """Nothing there yet, or no room now."""

    status = Status.AGAIN


class InvalidError(MquicError, ValueError):
    """An argument is not acceptable."""

    status = Status.INVALID


class StateError(MquicError, RuntimeError):
    """The object is not in a state that allows this call."""

    status = Status.STATE


class SystemCallError(MquicError, OSError):
    """The operating system refused."""

    status = Status.SYSTEM


class ClosedError(MquicError, ConnectionResetError):
    """The connection, or the object it was made on, is gone."""

    status = Status.CLOSED


class TooLargeError(MquicError, ValueError):
    """Larger than the peer, the protocol or a setting allows."""

    status = Status.TOO_LARGE


class TLSError(MquicError, ConnectionError):
    """Certificate, key or trust could not be loaded or verified."""

    status = Status.TLS


class ResolveError(MquicError, socket.gaierror):
    """A host name could not be resolved."""

    status = Status.RESOLVE


class RefusedError(MquicError, ConnectionRefusedError):
    """Nothing listens there, or the server refuses; then ``reason_code`` says why."""

    status = Status.REFUSED


class ProtocolError(MquicError, ConnectionError):
    """The peer broke the rules of QUIC or MQTT."""

    status = Status.PROTOCOL


class TimedOutError(MquicError, TimeoutError):
    """The peer did not answer in time."""

    status = Status.TIMEOUT


class LimitError(MquicError):
    """A configured limit is reached."""

    status = Status.LIMIT


class UnsupportedError(MquicError, NotImplementedError):
    """Not in this build of libmquic, which was made without its server side or MQTT."""

    status = Status.UNSUPPORTED


class ForkedError(MquicError, RuntimeError):
    """Made before ``os.fork()``, in the parent process, to which it belongs: make a new one."""

    status = Status.FORKED


class NegativeAckError(MquicError):
    """The server refuses a message or a subscription; ``reason_codes`` has its answers."""

    status = Status.REFUSED

    def __init__(self, what: str, reason_codes: list[ReasonCode]) -> None:
        super().__init__(f"{what} was refused: {', '.join(map(str, reason_codes))}")
        self.reason_codes: list[ReasonCode] = reason_codes
        self.reason_code: ReasonCode | None = next(
            (code for code in reason_codes if code.is_failure), None
        )


class ReentrantError(MquicError):
    """The client is in use already and cannot be entered a second time."""

    status = Status.STATE


_CLASSES: dict[int, type[MquicError]] = {
    kind.status: kind
    for kind in (
        WouldBlock,
        InvalidError,
        StateError,
        SystemCallError,
        ClosedError,
        TooLargeError,
        TLSError,
        ResolveError,
        RefusedError,
        ProtocolError,
        TimedOutError,
        LimitError,
        UnsupportedError,
        ForkedError,
    )
}


def make(status: int, sentence: str) -> MquicError:
    """The exception for a status of libmquic."""
    return _CLASSES.get(status, MquicError)(sentence)


def make_end(
    status: int,
    origin: int,
    code: int,
    sentence: str,
    properties: dict[str, Any] | None = None,
) -> MquicError:
    """The exception for the end of a connection or session, clean ones included."""
    error = make(status or Status.CLOSED, sentence or "the connection is closed")
    error.origin = Origin(origin)
    error.code = code
    if origin == Origin.MQTT:
        packet = PacketTypes.CONNACK if status == Status.REFUSED else PacketTypes.DISCONNECT
        error.reason_code = ReasonCode(packet, identifier=code)
        error.properties = Properties._received(packet, properties)
    if origin == Origin.SYSTEM and isinstance(error, OSError):
        error.errno = code
        error.strerror = os.strerror(code)
    return error


_native.on_failure(make)
