# SPDX-License-Identifier: MIT
"""The part of `mquic.client.Client` that is set before connecting."""

import ssl
from dataclasses import replace
from typing import Any

from ._check import publishable, quality, text, whole
from ._session import Login, Payload, Will
from .enums import MQTTProtocolVersion
from .errors import StateError
from .properties import PacketTypes, Properties, merged
from .tls import Path, QUICSettings, TLSSettings, check_settings


class Options:
    """Setters in paho-mqtt's names; they take effect with the next connection."""

    def __init__(self, login: Login, tls: TLSSettings | None, quic: QUICSettings | None) -> None:
        check_settings(tls, quic)
        self._login = login
        self._tls = tls or TLSSettings()
        self._quic = quic or QUICSettings()
        self._tls_used = False
        self._min_delay = 1.0
        self._max_delay = 120.0
        self._max_inflight = 0
        self._max_queued = 0

    def username_pw_set(self, username: str | None, password: str | bytes | None = None) -> None:
        """Sets user name and password; None: without."""
        text("the user name", username)
        text("the password", password)
        self._login.username = username
        self._login.password = password

    def will_set(
        self,
        topic: str,
        payload: Payload = None,
        qos: int = 0,
        retain: bool = False,
        properties: Properties | None = None,
        **more: Any,
    ) -> None:
        """
        Has the server publish a message when the client vanishes without ``disconnect()``.
        ``will_delay_interval`` is in seconds.

        :raises ValueError: for a bad topic or QoS
        """
        publishable(topic)
        values = merged(PacketTypes.WILLMESSAGE, properties, more)
        self._login.will = Will(topic, payload, quality(qos), retain, values)

    def will_clear(self) -> None:
        """Goes without a will."""
        self._login.will = None

    def manual_ack_set(self, on: bool) -> None:
        """Whether received messages are acknowledged by ``ack()`` only."""
        self._login.manual_ack = on

    def max_packet_size_set(self, size: int) -> None:
        """
        The largest packet to take, in bytes, 1024 to 268435460; 16 MiB by default. With MQTT 5 the
        server drops what is larger, with 3.1.1 a larger one ends the connection. The property
        ``MaximumPacketSize`` of CONNECT goes before it.
        """
        self._login.max_packet_size = whole("size", size, 1024, 268435460)

    def max_properties_set(self, count: int) -> None:
        """
        User properties and subscription identifiers to take in one packet, 1 to 1000000; 1000 by
        default. A message with more is refused, and the log says so.
        """
        self._login.max_properties = whole("count", count, 1, 1000000)

    def reconnect_delay_set(self, min_delay: float = 1, max_delay: float = 120) -> None:
        """
        Seconds to wait before connecting again: first, and in the end; it doubles in between. By
        chance it is up to a quarter more, see ``mquic.reconnect_pause()``.
        """
        if min_delay < 0 or max_delay < min_delay:
            raise ValueError("the delays must be 0 or more, and the largest not the smaller one")
        self._min_delay = min_delay
        self._max_delay = max_delay

    def max_inflight_messages_set(self, inflight: int) -> None:
        """
        QoS 1 and 2 messages that may be on the way at once; further ones wait. 0, the default:
        as many as the server takes.
        """
        self._max_inflight = max(0, int(inflight))

    def max_queued_messages_set(self, queue_size: int) -> "Options":
        """Messages that may wait here for a connection; 0, the default: no limit."""
        if queue_size < 0:
            raise ValueError("the queue size must be 0 or more")
        self._max_queued = queue_size
        return self

    # ---- trust

    def tls_set(
        self,
        ca_certs: Path | None = None,
        certfile: Path | None = None,
        keyfile: Path | None = None,
        cert_reqs: int | None = None,
        tls_version: int | None = None,
        ciphers: str | None = None,
        keyfile_password: str | None = None,
        alpn_protocols: list[str] | None = None,
    ) -> None:
        """
        Sets what to trust and who we are. QUIC is always encrypted: without this call the
        system's authorities are trusted.

        :param ca_certs: PEM file of authorities, None: the system's
        :param certfile: our certificate chain (PEM), with `keyfile`; None: none
        :param keyfile: its private key, by default in `certfile` too
        :param cert_reqs: ``ssl.CERT_NONE`` does not verify the server; for experiments only
        :param tls_version: not looked at: QUIC has TLS 1.3
        :raises ValueError: for what QUIC or the library cannot do
        """
        if ciphers is not None or keyfile_password is not None:
            raise ValueError("ciphers cannot be chosen, and keys with a password not be read")
        if alpn_protocols not in (None, ["mqtt"]):
            raise ValueError("MQTT over QUIC has the application protocol 'mqtt'")
        if cert_reqs == ssl.CERT_OPTIONAL:
            raise ValueError("a server always shows a certificate: CERT_REQUIRED or CERT_NONE")
        self._set_tls(
            replace(
                self._tls,
                ca_file=ca_certs,
                certificate=certfile,
                key=keyfile or certfile,
                insecure=cert_reqs == ssl.CERT_NONE,
            )
        )

    def tls_insecure_set(self, value: bool) -> None:
        """
        True: do not verify the server, neither its name nor its certificate. Anybody on the path
        can then read and change everything. To accept another name only, give
        ``TLSSettings(server_name=...)`` to ``tls_set_context()``.
        """
        self._set_tls(replace(self._tls, insecure=bool(value)))

    def tls_set_context(self, context: TLSSettings | None = None) -> None:
        """
        Sets all of TLS at once; None: the default.

        :raises TypeError: for an ``ssl.SSLContext``, which is not for QUIC
        """
        if context is not None and not isinstance(context, TLSSettings):
            raise TypeError("QUIC has TLS of its own: tls_set_context() wants a TLSSettings")
        self._set_tls(context or TLSSettings())

    def _set_tls(self, tls: TLSSettings) -> None:
        if self._tls_used:
            raise StateError("TLS has to be set before the first connect()")
        self._tls = tls

    # ---- looking

    @property
    def protocol(self) -> MQTTProtocolVersion:
        """The protocol that is spoken."""
        return self._login.protocol

    @property
    def keepalive(self) -> int:
        """Keep-alive in seconds."""
        return self._login.keepalive

    @keepalive.setter
    def keepalive(self, value: int) -> None:
        self._login.keepalive = value

    @property
    def password(self) -> str | bytes | None:
        """The password, None for none."""
        return self._login.password

    @password.setter
    def password(self, value: str | bytes | None) -> None:
        text("the password", value)
        self._login.password = value

    @property
    def max_inflight_messages(self) -> int:
        """As ``max_inflight_messages_set()``."""
        return self._max_inflight

    @max_inflight_messages.setter
    def max_inflight_messages(self, value: int) -> None:
        self.max_inflight_messages_set(value)

    @property
    def max_queued_messages(self) -> int:
        """As ``max_queued_messages_set()``."""
        return self._max_queued

    @max_queued_messages.setter
    def max_queued_messages(self, value: int) -> None:
        self.max_queued_messages_set(value)

    @property
    def will_topic(self) -> str | None:
        """The topic of the will, None without one."""
        return None if self._login.will is None else self._login.will.topic

    @property
    def will_payload(self) -> Payload:
        """The payload of the will, None without one."""
        return None if self._login.will is None else self._login.will.payload

    @property
    def username(self) -> str | None:
        """The user name, None for none."""
        return self._login.username

    @username.setter
    def username(self, value: str | None) -> None:
        self._login.username = value

    @property
    def connect_timeout(self) -> float:
        """Seconds that a QUIC handshake may take, 10 by default."""
        return 10.0 if self._quic.handshake_timeout is None else self._quic.handshake_timeout

    @connect_timeout.setter
    def connect_timeout(self, value: float) -> None:
        if value <= 0:
            raise ValueError("the timeout must be more than 0")
        self._quic = replace(self._quic, handshake_timeout=value)
