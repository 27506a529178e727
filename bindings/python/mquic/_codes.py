# SPDX-License-Identifier: MIT
"""The constants and sentences that programs find in `mquic.client`."""

import logging

from .enums import (
    ConnackCode,
    LogLevel,
    MessageType,
    MQTTErrorCode,
    MQTTProtocolVersion,
)
from .reasoncodes import PacketTypes, ReasonCode

MQTTv31 = MQTTProtocolVersion.MQTTv31
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
MQTT_ERR_ACL_DENIED = MQTTErrorCode.MQTT_ERR_ACL_DENIED
MQTT_ERR_ERRNO = MQTTErrorCode.MQTT_ERR_ERRNO
MQTT_ERR_QUEUE_SIZE = MQTTErrorCode.MQTT_ERR_QUEUE_SIZE
MQTT_ERR_KEEPALIVE = MQTTErrorCode.MQTT_ERR_KEEPALIVE
MQTT_ERR_UNKNOWN = MQTTErrorCode.MQTT_ERR_UNKNOWN
MQTT_LOG_INFO = LogLevel.MQTT_LOG_INFO
MQTT_LOG_NOTICE = LogLevel.MQTT_LOG_NOTICE
MQTT_LOG_WARNING = LogLevel.MQTT_LOG_WARNING
MQTT_LOG_ERR = LogLevel.MQTT_LOG_ERR
MQTT_LOG_DEBUG = LogLevel.MQTT_LOG_DEBUG

CONNECT = MessageType.CONNECT
CONNACK = MessageType.CONNACK
PUBLISH = MessageType.PUBLISH
PUBACK = MessageType.PUBACK
PUBREC = MessageType.PUBREC
PUBREL = MessageType.PUBREL
PUBCOMP = MessageType.PUBCOMP
SUBSCRIBE = MessageType.SUBSCRIBE
SUBACK = MessageType.SUBACK
UNSUBSCRIBE = MessageType.UNSUBSCRIBE
UNSUBACK = MessageType.UNSUBACK
PINGREQ = MessageType.PINGREQ
PINGRESP = MessageType.PINGRESP
DISCONNECT = MessageType.DISCONNECT
AUTH = MessageType.AUTH
CONNACK_ACCEPTED = ConnackCode.CONNACK_ACCEPTED
CONNACK_REFUSED_PROTOCOL_VERSION = ConnackCode.CONNACK_REFUSED_PROTOCOL_VERSION
CONNACK_REFUSED_IDENTIFIER_REJECTED = ConnackCode.CONNACK_REFUSED_IDENTIFIER_REJECTED
CONNACK_REFUSED_SERVER_UNAVAILABLE = ConnackCode.CONNACK_REFUSED_SERVER_UNAVAILABLE
CONNACK_REFUSED_BAD_USERNAME_PASSWORD = ConnackCode.CONNACK_REFUSED_BAD_USERNAME_PASSWORD
CONNACK_REFUSED_NOT_AUTHORIZED = ConnackCode.CONNACK_REFUSED_NOT_AUTHORIZED

#: Levels of logging for those of on_log.
LOGGING_LEVEL: dict[int, int] = {
    LogLevel.MQTT_LOG_INFO: logging.INFO,
    LogLevel.MQTT_LOG_NOTICE: logging.INFO,
    LogLevel.MQTT_LOG_WARNING: logging.WARNING,
    LogLevel.MQTT_LOG_ERR: logging.ERROR,
    LogLevel.MQTT_LOG_DEBUG: logging.DEBUG,
}

#: UDP port of MQTT over QUIC by convention.
PORT = 14567

_ERROR_TEXT: dict[int, str] = {
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
    return _ERROR_TEXT.get(mqtt_errno, "Unknown error.")


def connack_string(connack_code: int | ReasonCode) -> str:
    """A sentence for a reason code of CONNACK, or for a return code of MQTT 3.1.1."""
    code = convert_connack_rc_to_reason_code(connack_code)
    return f"Connection Refused: {code}." if code.is_failure else "Connection Accepted."


_OF_MQTT_3 = {1: 0x84, 2: 0x85, 3: 0x88, 4: 0x86, 5: 0x87}


def convert_connack_rc_to_reason_code(connack_code: int | ReasonCode) -> ReasonCode:
    """The reason code of MQTT 5 for a return code of MQTT 3.1.1; one of MQTT 5 as it is."""
    code = int(connack_code)
    return ReasonCode(PacketTypes.CONNACK, identifier=_OF_MQTT_3.get(code, code))


def convert_disconnect_error_code_to_reason_code(rc: int) -> ReasonCode:
    """What on_disconnect gets as its reason code when the loop returns `rc`."""
    names = {
        MQTTErrorCode.MQTT_ERR_SUCCESS: "Normal disconnection",
        MQTTErrorCode.MQTT_ERR_KEEPALIVE: "Keep alive timeout",
    }
    return ReasonCode(PacketTypes.DISCONNECT, names.get(MQTTErrorCode(rc), "Unspecified error"))
