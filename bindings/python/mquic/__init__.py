# SPDX-License-Identifier: MIT
"""
MQTT over QUIC.

``mquic.Client``
    a client with callbacks in the names and signatures of paho-mqtt 2 (`mquic.client`)
``mquic.aio.Client``
    a client for asyncio, in the style of aiomqtt (`mquic.aio`)
``mquic.quic``
    QUIC itself, for other protocols: endpoints, connections, streams
``mquic.publish``, ``mquic.subscribe``
    one message, or a few, in one call

Times are in seconds. Everything raises a `MquicError` (`mquic.errors`) if it fails.
"""

import warnings

# SWIG 4.2 and 4.3 make types that Python warns about, and crash if that is made an error.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from . import _native

from ._facts import ConnectionInfo, Statistics
from ._reconnect import reconnect_pause
from ._text import printable
from .client import Client, MQTTMessageInfo
from .enums import (
    CallbackAPIVersion,
    CloseCode,
    CongestionControl,
    EventType,
    MQTTErrorCode,
    MQTTProtocolVersion,
    Origin,
    Redundancy,
    Retry,
    Statistic,
    Status,
    SubscribeOption,
    Total,
)
from .errors import (
    ClosedError,
    ForkedError,
    InvalidError,
    LimitError,
    MQTTException,
    MquicError,
    NegativeAckError,
    ProtocolError,
    ReentrantError,
    RefusedError,
    ResolveError,
    StateError,
    SystemCallError,
    TimedOutError,
    TLSError,
    TooLargeError,
    UnsupportedError,
    WouldBlock,
)
from .message import Message, MQTTMessage
from .properties import Properties
from .reasoncodes import PacketTypes, ReasonCode
from .subscribeoptions import SubscribeOptions
from .tls import QUICSettings, TLSSettings
from .topics import topic_matches_sub

__all__ = [
    "CallbackAPIVersion",
    "Client",
    "CloseCode",
    "ClosedError",
    "CongestionControl",
    "ConnectionInfo",
    "EventType",
    "ForkedError",
    "InvalidError",
    "LimitError",
    "MQTTErrorCode",
    "MQTTException",
    "MQTTMessage",
    "MQTTMessageInfo",
    "MQTTProtocolVersion",
    "Message",
    "MquicError",
    "NegativeAckError",
    "Origin",
    "PacketTypes",
    "Properties",
    "ProtocolError",
    "QUICSettings",
    "ReasonCode",
    "ReentrantError",
    "RefusedError",
    "ResolveError",
    "Redundancy",
    "Retry",
    "StateError",
    "Statistic",
    "Statistics",
    "Status",
    "SubscribeOption",
    "SubscribeOptions",
    "SystemCallError",
    "TLSError",
    "TLSSettings",
    "TimedOutError",
    "TooLargeError",
    "Total",
    "UnsupportedError",
    "WouldBlock",
    "printable",
    "reconnect_pause",
    "topic_matches_sub",
    "version_info",
]

#: Version of the library, "MAJOR.MINOR.PATCH".
__version__: str = _native.version()
#: The same as numbers, to compare: ``mquic.version_info >= (0, 2)``.
version_info: tuple[int, ...] = tuple(map(int, __version__.split(".")))
