# SPDX-License-Identifier: MIT
"""Numbers with names: those of mquic.h, and those that programs for paho-mqtt know."""

from enum import IntEnum


class Status(IntEnum):
    """Result of a call of libmquic; the ``status`` of every exception."""

    OK = 0
    AGAIN = -1
    INVALID = -2
    STATE = -3
    MEMORY = -4
    SYSTEM = -5
    CLOSED = -6
    TOO_LARGE = -7
    TLS = -8
    RESOLVE = -9
    REFUSED = -10
    PROTOCOL = -11
    TIMEOUT = -12
    LIMIT = -13
    UNSUPPORTED = -14
    FORKED = -15


class Origin(IntEnum):
    """Where the end of a connection came from, and so what its ``code`` means."""

    LOCAL = 0
    PEER = 1  #: an application code of the peer
    TRANSPORT = 2  #: a QUIC transport error code (RFC 9000 section 20.1)
    TLS = 3  #: a TLS alert (RFC 8446)
    MQTT = 4  #: an MQTT reason code
    SYSTEM = 5  #: an errno value


class CloseCode(IntEnum):
    """What MQTT over QUIC says with the application code that ends a connection."""

    NORMAL = 0
    CONTROL_GONE = 1  #: the stream that CONNECT came on has ended
    OVERLOADED = 2  #: the server cannot serve this client now; come back later


class EventType(IntEnum):
    """What happened."""

    ACCEPTABLE = 1
    CONNECTION_READY = 2
    CONNECTION_CLOSED = 3
    STREAM_ACCEPTABLE = 4
    STREAM_READABLE = 5
    STREAM_WRITABLE = 6
    STREAM_CLOSED = 7
    CONNECTED = 16
    MESSAGE = 17
    DELIVERED = 18
    SUBSCRIBED = 19
    UNSUBSCRIBED = 20
    WRITABLE = 21
    AUTH = 22
    DISCONNECTED = 23
    RELAY_CONNECT = 32
    RELAY_READABLE = 33
    RELAY_WRITABLE = 34
    RELAY_CLOSED = 35


class CongestionControl(IntEnum):
    """How the sending rate adapts to the path (RFC 9002 section 7)."""

    CUBIC = 0
    RENO = 1
    BBR = 2


class Redundancy(IntEnum):
    """What is sent once more before anybody knows that it is lost."""

    OFF = 0
    HANDSHAKE = 1


class Retry(IntEnum):
    """When a server validates the address of a client first (RFC 9000 section 8.1.2)."""

    ADAPTIVE = 0
    ALWAYS = 1
    NEVER = 2


class Statistic(IntEnum):
    """What is counted of a connection; see `mquic.quic.Statistics`."""

    SMOOTHED_RTT_US = 1
    MIN_RTT_US = 2
    RTT_VARIATION_US = 3
    CONGESTION_WINDOW = 4
    BYTES_IN_FLIGHT = 5
    BYTES_SENT = 6
    BYTES_RECEIVED = 7
    PACKETS_SENT = 8
    PACKETS_RECEIVED = 9
    PACKETS_LOST = 10
    HANDSHAKE_US = 11
    MEMORY = 12
    STREAMS = 13
    BYTES_QUEUED = 14


class Total(IntEnum):
    """What is counted of all connections of an endpoint; see `mquic.quic.EndpointStatistics`."""

    CONNECTIONS = 1
    MEMORY = 2
    HANDSHAKES_BEGUN = 3
    HANDSHAKES_DONE = 4
    HANDSHAKES_FAILED = 5
    FAILED_BY_CALLER = 6
    FAILED_BY_PEER = 7
    FAILED_BY_SYSTEM = 8
    FAILED_BY_MQUIC = 9
    FAILED_TIMEOUT = 10
    FAILED_CERTIFICATE = 11
    FAILED_ALPN = 12
    FAILED_TLS = 13
    FAILED_VERSION = 14
    FAILED_REFUSED = 15
    FAILED_UNREACHABLE = 16
    FAILED_CLOSED = 17
    FAILED_ABANDONED = 18
    FAILED_PROTOCOL = 19
    FAILED_OTHER = 20
    REFUSALS_SENT = 21
    RETRIES_SENT = 22
    TOKENS_REFUSED = 23
    VERSION_NEGOTIATIONS_SENT = 24
    RESETS_SENT = 25
    RESETS_RECEIVED = 26
    DATAGRAMS_SENT = 27
    DATAGRAMS_RECEIVED = 28
    BYTES_SENT = 29
    BYTES_RECEIVED = 30
    DROPPED_UNKNOWN = 31
    DROPPED_INVALID = 32
    DROPPED_LATE = 33
    DROPPED_MISDIRECTED = 34
    PACKETS_LOST = 35
    MIGRATIONS = 36
    DROPPED_BUSY = 37
    HANDSHAKES_RESUMED = 38
    COPIES_SENT = 39


class SubscribeOption(IntEnum):
    """Bits of a subscription's options (MQTT 5.0 section 3.8.3.1)."""

    NO_LOCAL = 0x04
    RETAIN_AS_PUBLISHED = 0x08
    RETAINED_IF_NEW = 0x10
    RETAINED_NEVER = 0x20


class EndpointLogLevel(IntEnum):
    """How urgent a log line of the library is, most urgent first."""

    ERROR = 0
    WARNING = 1
    INFO = 2
    DEBUG = 3


class MQTTProtocolVersion(IntEnum):
    """The protocol to speak. MQTT 3.1 is too old for QUIC."""

    MQTTv31 = 3  #: known, to be refused with a clear word
    MQTTv311 = 4
    MQTTv5 = 5


class CallbackAPIVersion(IntEnum):
    """The signatures of callbacks; there is but one here, that of paho-mqtt 2."""

    VERSION1 = 1  #: known, to be refused with a clear word
    VERSION2 = 2


class MQTTErrorCode(IntEnum):
    """What the calls of `mquic.client.Client` return; the values are those of paho-mqtt."""

    MQTT_ERR_AGAIN = -1
    MQTT_ERR_SUCCESS = 0
    MQTT_ERR_NOMEM = 1
    MQTT_ERR_PROTOCOL = 2
    MQTT_ERR_INVAL = 3
    MQTT_ERR_NO_CONN = 4
    MQTT_ERR_CONN_REFUSED = 5
    MQTT_ERR_NOT_FOUND = 6
    MQTT_ERR_CONN_LOST = 7
    MQTT_ERR_TLS = 8
    MQTT_ERR_PAYLOAD_SIZE = 9
    MQTT_ERR_NOT_SUPPORTED = 10
    MQTT_ERR_AUTH = 11
    MQTT_ERR_ACL_DENIED = 12
    MQTT_ERR_UNKNOWN = 13
    MQTT_ERR_ERRNO = 14
    MQTT_ERR_QUEUE_SIZE = 15
    MQTT_ERR_KEEPALIVE = 16


class MessageType(IntEnum):
    """The first byte of a packet, without its flags."""

    CONNECT = 0x10
    CONNACK = 0x20
    PUBLISH = 0x30
    PUBACK = 0x40
    PUBREC = 0x50
    PUBREL = 0x60
    PUBCOMP = 0x70
    SUBSCRIBE = 0x80
    SUBACK = 0x90
    UNSUBSCRIBE = 0xA0
    UNSUBACK = 0xB0
    PINGREQ = 0xC0
    PINGRESP = 0xD0
    DISCONNECT = 0xE0
    AUTH = 0xF0


class ConnackCode(IntEnum):
    """
    Return codes of CONNACK in MQTT 3.1.1. Callbacks get the `ReasonCode` of MQTT 5 that means the
    same: ``convert_connack_rc_to_reason_code()`` tells which.
    """

    CONNACK_ACCEPTED = 0
    CONNACK_REFUSED_PROTOCOL_VERSION = 1
    CONNACK_REFUSED_IDENTIFIER_REJECTED = 2
    CONNACK_REFUSED_SERVER_UNAVAILABLE = 3
    CONNACK_REFUSED_BAD_USERNAME_PASSWORD = 4
    CONNACK_REFUSED_NOT_AUTHORIZED = 5


class LogLevel(IntEnum):
    """Levels of ``on_log``; the values are those of paho-mqtt."""

    MQTT_LOG_INFO = 0x01
    MQTT_LOG_NOTICE = 0x02
    MQTT_LOG_WARNING = 0x04
    MQTT_LOG_ERR = 0x08
    MQTT_LOG_DEBUG = 0x10
