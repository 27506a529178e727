# SPDX-License-Identifier: MIT
"""Messages in one call, as ``paho.mqtt.subscribe``."""

from collections.abc import Mapping
from typing import Any

from ._callbacks import OnMessage
from .client import PORT, Client, MQTTv5, MQTTv311
from .errors import NegativeAckError
from .message import MQTTMessage
from .publish import _apply
from .reasoncodes import ReasonCode
from .tls import QUICSettings, TLSSettings


def callback(
    callback: OnMessage,
    topics: str | list[str],
    qos: int = 0,
    userdata: Any = None,
    hostname: str = "localhost",
    port: int = PORT,
    client_id: str = "",
    keepalive: int = 60,
    will: Mapping[str, Any] | None = None,
    auth: Mapping[str, Any] | None = None,
    tls: TLSSettings | Mapping[str, Any] | None = None,
    protocol: int = MQTTv311,
    transport: str = "quic",
    clean_session: bool = True,
    quic: QUICSettings | None = None,
) -> None:
    """
    Subscribes and calls ``callback(client, userdata, message)`` for every message, until it calls
    ``client.disconnect()``.

    :param will: dict with the arguments of ``Client.will_set()``
    :param auth: dict with "username" and perhaps "password"
    :param tls: `mquic.TLSSettings`, or a dict with the arguments of ``Client.tls_set()``
    :raises OSError: if there is no connection
    :raises ConnectionRefusedError: if the server refuses us
    :raises NegativeAckError: if it refuses one of the subscriptions, so that messages would be
        waited for in vain
    """
    subs = [topics] if isinstance(topics, str) else list(topics)
    client = Client(
        client_id=client_id,
        clean_session=None if protocol == MQTTv5 else clean_session,
        userdata=userdata,
        protocol=protocol,
        transport=transport,
        quic=quic,
    )
    _apply(client, auth, will, tls)

    def connected(client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            client.disconnect()
        else:
            client.subscribe([(sub, qos) for sub in subs])

    refused: list[ReasonCode] = []

    def subscribed(client: Client, userdata: Any, mid: int, codes: Any, properties: Any) -> None:
        if any(code.is_failure for code in codes):
            refused.extend(codes)
            client.disconnect()

    client.on_connect = connected
    client.on_subscribe = subscribed
    client.on_message = callback
    client.connect(hostname, port, keepalive)
    client.loop_forever()
    if client.error is not None:
        raise client.error
    if refused:
        raise NegativeAckError(f"the subscription to {', '.join(subs)}", refused)


def simple(
    topics: str | list[str],
    qos: int = 0,
    msg_count: int = 1,
    retained: bool = True,
    hostname: str = "localhost",
    port: int = PORT,
    client_id: str = "",
    keepalive: int = 60,
    will: Mapping[str, Any] | None = None,
    auth: Mapping[str, Any] | None = None,
    tls: TLSSettings | Mapping[str, Any] | None = None,
    protocol: int = MQTTv311,
    transport: str = "quic",
    clean_session: bool = True,
    quic: QUICSettings | None = None,
) -> MQTTMessage | list[MQTTMessage]:
    """
    Subscribes and returns the first message, or a list of `msg_count` of them.

    :param retained: whether retained messages count
    """
    if msg_count < 1:
        raise ValueError("msg_count must be 1 or more")
    messages: list[MQTTMessage] = []

    def take(client: Client, userdata: Any, message: MQTTMessage) -> None:
        if (retained or not message.retain) and len(messages) < msg_count:
            messages.append(message)
        if len(messages) == msg_count:
            client.disconnect()

    callback(
        take,
        topics,
        qos,
        None,
        hostname,
        port,
        client_id,
        keepalive,
        will,
        auth,
        tls,
        protocol,
        transport,
        clean_session,
        quic,
    )
    return messages[0] if msg_count == 1 else messages
