# SPDX-License-Identifier: MIT
"""What can be known of a client of `mquic.aio`."""

from ._facts import ConnectionInfo, Statistics
from ._session import Event, Login, Session
from .errors import StateError
from .properties import PacketTypes, Properties


class Facts:
    """The part of a client that looks at its session."""

    _login: Login
    _core: Session | None

    def __init__(self) -> None:
        #: Whether the server had kept our session.
        self.session_present: bool = False
        #: What else the last CONNACK said: the server's limits, its keep-alive, its words; by the
        #: names of the standard, as far as the server named them.
        self.connack: Properties = Properties(PacketTypes.CONNACK)

    def _note_connack(self, event: Event) -> None:
        self.session_present = bool(event[4])
        self.connack = Properties._received(PacketTypes.CONNACK, event[9])
        if self.identifier != self._login.identifier:
            self.connack.AssignedClientIdentifier = self.identifier

    @property
    def identifier(self) -> str:
        """The client identifier in use, the server's choice if we made none."""
        return self._login.identifier if self._core is None else self._core.identifier

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

    def connection_info(self) -> ConnectionInfo | None:
        """Addresses and TLS facts, None before the connection."""
        return None if self._core is None else self._core.info()

    def statistics(self) -> Statistics | None:
        """Statistics of the connection, None before it."""
        return None if self._core is None else self._core.statistics()
