# SPDX-License-Identifier: MIT
"""The part of `mquic.client.Client` that comes and goes: connecting, parting, and what it hears."""

import time
from typing import Any

from ._callbacks import ConnectFlags, DisconnectFlags
from ._codes import (
    MQTT_CLEAN_START_FIRST_ONLY,
    MQTT_ERR_CONN_LOST,
    MQTT_ERR_CONN_REFUSED,
    MQTT_ERR_NO_CONN,
    MQTT_ERR_SUCCESS,
    PORT,
    MQTTv5,
)
from ._delivery import Delivery
from ._session import Event, Session
from .enums import EventType, MQTTErrorCode, Origin, Status
from .errors import StateError
from .properties import PacketTypes, Properties, merged
from .reasoncodes import ReasonCode


class Connecting(Delivery):
    """Where to, when, and the news of it."""

    def __init__(self, clean_session: bool | None, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._clean_session = clean_session
        self._clean_start: bool | int = MQTT_CLEAN_START_FIRST_ONLY
        self._connected_before = False
        self._host = ""
        self._port = PORT
        self._failures = 0  # pauses since there was a connection

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
        session = self._session()
        self._connect_later = self._leaving = False
        self._login.clean = self._clean()
        with self._changed:
            session.configure(self._login)
            session.connect(self._host, self._port)
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
        self,
        reasoncode: ReasonCode | int | None = None,
        properties: Properties | None = None,
        **more: Any,
    ) -> MQTTErrorCode:
        """
        Says goodbye: what is queued is sent first, ``on_disconnect`` comes last, and the loops
        end.

        :param reasoncode: MQTT 5: 0, or 4 to have the will published
        :param properties: MQTT 5: SessionExpiryInterval, ReasonString and UserProperty
        :param more: properties by name: ``reason_string="battery is low"``
        :returns: ``MQTT_ERR_NO_CONN`` if there is no connection
        :raises ValueError: if one of them cannot be sent; then nothing has changed
        """
        values = merged(PacketTypes.DISCONNECT, properties, more)
        self._check_fork()
        with self._lock:
            said = self._active and self._say_goodbye(int(reasoncode or 0), values)
            self._leaving = True
            self._connect_later = False
            self._drop_waiting()
            self._changed.notify_all()
            if not self._active:
                return MQTT_ERR_NO_CONN
        if said:
            self._debug("Sending DISCONNECT")
            self._send()
        return MQTT_ERR_SUCCESS

    def _say_goodbye(self, reason: int, values: dict[str, Any] | None) -> bool:
        """False: that was done already."""
        try:
            self._session().disconnect(reason, values)
        except StateError:
            return False
        return True

    def is_connected(self) -> bool:
        """Whether the server has let us in, and the connection is not known to be gone."""
        return self._connected and self._active

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
        """The name that the server has given us; "" if another thread has begun to connect anew."""
        identifier = self._session().identifier
        if identifier and identifier != self._login.identifier:
            values["AssignedClientIdentifier"] = identifier

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

    def _on_auth(self, event: Event) -> None:
        code = ReasonCode(PacketTypes.AUTH, identifier=event[3][0] if event[3] else 0x18)
        self._call("on_auth", code, self._properties(PacketTypes.AUTH, event))

    _handlers = {
        **Delivery._handlers,
        EventType.CONNECTED: _on_connected,
        EventType.DISCONNECTED: _on_disconnected,
        EventType.AUTH: _on_auth,
    }
