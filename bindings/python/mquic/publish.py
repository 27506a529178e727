# SPDX-License-Identifier: MIT
"""One message or a few in one call, as ``paho.mqtt.publish``: connect, publish, disconnect."""

from collections.abc import Iterable, Mapping
from typing import Any

from ._session import Payload
from .client import MQTT_ERR_SUCCESS, PORT, Client, MQTTMessageInfo, MQTTv311
from .errors import NegativeAckError
from .tls import QUICSettings, TLSSettings


def _apply(
    client: Client,
    auth: Mapping[str, Any] | None,
    will: Mapping[str, Any] | None,
    tls: TLSSettings | Mapping[str, Any] | None,
) -> None:
    """What the helpers of paho-mqtt take as dicts."""
    if auth:
        client.username_pw_set(auth["username"], auth.get("password"))
    if will:
        client.will_set(**will)
    if isinstance(tls, TLSSettings):
        client.tls_set_context(tls)
    elif tls is not None:
        options = dict(tls)
        insecure = options.pop("insecure", False)
        client.tls_set(**options)
        if insecure:
            client.tls_insecure_set(True)


def multiple(
    msgs: Iterable[Mapping[str, Any] | tuple[Any, ...]],
    hostname: str = "localhost",
    port: int = PORT,
    client_id: str = "",
    keepalive: int = 60,
    will: Mapping[str, Any] | None = None,
    auth: Mapping[str, Any] | None = None,
    tls: TLSSettings | Mapping[str, Any] | None = None,
    protocol: int = MQTTv311,
    transport: str = "quic",
    quic: QUICSettings | None = None,
) -> None:
    """
    Publishes messages and returns when the server has them.

    :param msgs: dicts with the arguments of ``Client.publish()``, or tuples of them
    :param will: dict with the arguments of ``Client.will_set()``
    :param auth: dict with "username" and perhaps "password"
    :param tls: `mquic.TLSSettings`, or a dict with the arguments of ``Client.tls_set()``
    :raises OSError: if there is no connection, or it is lost on the way
    :raises ConnectionRefusedError: if the server refuses us
    :raises NegativeAckError: if it refuses a message, which only MQTT 5 lets it say: give
        ``protocol=MQTTv5``; the others are published
    """
    client = Client(client_id=client_id, protocol=protocol, transport=transport, quic=quic)
    client._reconnect_on_failure = False
    _apply(client, auth, will, tls)
    calls = [one if isinstance(one, Mapping) else _named(one) for one in msgs]
    if not calls:
        raise ValueError("there must be a message to publish")

    infos: list[MQTTMessageInfo] = []

    def connected(client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if not reason.is_failure:
            infos.extend(client.publish(**call) for call in calls)

    client.on_connect = connected
    client.connect(hostname, port, keepalive)
    _run_until_settled(client, infos, len(calls))
    client.disconnect()
    client.loop_forever()
    if client.error is not None:
        raise client.error
    for call, info in zip(calls, infos):
        if info.reason_code is not None and info.reason_code.is_failure:
            raise NegativeAckError(f"the message to {call['topic']!r}", [info.reason_code])
        info.is_published()  # raises if it could not be sent


def _run_until_settled(client: Client, infos: list[MQTTMessageInfo], count: int) -> None:
    """Runs the loop until nothing more is to come: all is settled, or the connection is gone."""
    settled = 0
    while settled < count:
        while settled < len(infos) and (infos[settled]._published or infos[settled].rc > 0):
            settled += 1
        if settled < count and client.loop() != MQTT_ERR_SUCCESS:
            return


def _named(one: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(("topic", "payload", "qos", "retain"), one))


def single(
    topic: str,
    payload: Payload = None,
    qos: int = 0,
    retain: bool = False,
    hostname: str = "localhost",
    port: int = PORT,
    client_id: str = "",
    keepalive: int = 60,
    will: Mapping[str, Any] | None = None,
    auth: Mapping[str, Any] | None = None,
    tls: TLSSettings | Mapping[str, Any] | None = None,
    protocol: int = MQTTv311,
    transport: str = "quic",
    quic: QUICSettings | None = None,
) -> None:
    """Publishes one message; arguments and exceptions as of `multiple()`."""
    message = {"topic": topic, "payload": payload, "qos": qos, "retain": retain}
    multiple(
        [message],
        hostname,
        port,
        client_id,
        keepalive,
        will,
        auth,
        tls,
        protocol,
        transport,
        quic,
    )
