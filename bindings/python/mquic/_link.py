# SPDX-License-Identifier: MIT
"""
What `mquic.client.Client` holds on to: the session of the library and its lock, its events, and
who looks after them.

The client is made in floors, each of which calls only those below it: the link, what is sent and
settled (`_delivery`), coming and going (`_connecting`), and the loops (`_loop`). What an event asks
for is done by the floor that knows; each lists its kinds in `_handlers`, so that none has to be
asked in turn.

The lock guards what threads share and every call of the library; waiting and callbacks are outside
of it. Events are pulled in batches, by whoever is in the loop or has something to send, and handled
by the loop alone.

There is one lock, as `_session` explains, and whoever holds it may be interrupted by a signal
handler that calls the client, between any two steps. So each step leaves things in order, and what
waits for other threads refuses to be called there (`_may_wait()`).
"""

import select
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ._callbacks import LIBRARY_LEVELS, Callbacks, Descriptor
from ._codes import MQTT_ERR_SUCCESS
from ._fork import free_lock, refuse, tell_of_forks
from ._options import Options
from ._session import Event, Login, Session
from .enums import EndpointLogLevel, EventType, LogLevel, Origin, Status
from .errors import MquicError, make_end
from .tls import QUICSettings, TLSSettings

# Events taken at a time.
_BATCH = 1000


class Link(Callbacks, Options):
    """The session of a client and its events."""

    #: What is done about an event, by its kind; messages apart, which are for the loop itself.
    _handlers: ClassVar[Mapping[int, Callable[[Any, Event], None]]] = {}

    def __init__(
        self,
        userdata: Any,
        login: Login,
        tls: TLSSettings | None,
        quic: QUICSettings | None,
    ) -> None:
        Callbacks.__init__(self, userdata)
        Options.__init__(self, login, tls, quic)
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)  # a connection came or went
        self._settled = threading.Condition(self._lock)  # a message was published
        self._forked = False  # it was used by the parent of this process
        self._core: Session | None = None
        self._log_level: EndpointLogLevel | None = None
        self._socket: Descriptor | None = None
        self._poller: select.poll | None = None
        self._events: deque[Event] = deque()
        self._active = False  # from connect() until the library says DISCONNECTED
        self._connected = False  # from CONNACK on, as callbacks have seen it
        self._leaving = False  # disconnect() was called
        self._connect_later = False  # connect_async() was called
        self._dialing = False  # reconnect() waits for the handshake
        self._dial_lock = threading.RLock()  # one thread at a time in reconnect()
        self._dial_error: MquicError | None = None
        self._dial_end: Event | None = None
        self._error: MquicError | None = None
        self._rc = MQTT_ERR_SUCCESS
        self._answers: dict[int, int] = {}  # our number by packet identifier, while connected

        self._thread: threading.Thread | None = None
        self._terminate = False
        self._loop_thread: int | None = None  # who is in the loop now
        self._unsent = False  # something was queued from inside the loop
        tell_of_forks(self)

    def _after_fork(self) -> None:
        free_lock(self._lock)
        free_lock(self._dial_lock)
        if self._core is not None:
            self._forked = True
            self._connected = self._active = False
            self._events.clear()  # they are the parent's to handle

    def _check_fork(self) -> None:
        """Refuses what would be done to the parent's connection, or be waited for in vain."""
        if self._forked:
            raise refuse()

    def _has_interrupted(self) -> bool:
        """Whether a signal handler or finaliser calls, in the middle of a step of this thread."""
        return bool(self._lock._is_owned())  # type: ignore[attr-defined]

    def _may_wait(self, what: str, instead: str) -> None:
        """Refuses to wait where nobody else could go on."""
        if self._loop_thread == threading.get_ident():
            raise RuntimeError(
                f"{what} in a callback would wait without end, as the loop waits for the callback: "
                f"{instead}"
            )
        if self._has_interrupted():
            raise RuntimeError(
                f"{what} in a signal handler that has interrupted the client would wait without "
                f"end: {instead}"
            )

    def _session(self) -> Session:
        self._check_fork()
        if self._core is None:
            self._core = Session(self._tls, self._quic, self._lock)
            self._tls_used = True
            self._log_level = None
            self._socket = Descriptor(self._core.fd, self._core.addresses)
            # QUIC has no kernel that says goodbye for us: at exit, the endpoint has to.
            weakref.finalize(self, self._core.close)
        level = EndpointLogLevel.DEBUG if self._logs else None
        if level != self._log_level:
            self._core.collect_log(level)
            self._log_level = level
        return self._core

    def _send(self) -> None:
        """Something was queued: sees that it leaves."""
        loop_thread = self._loop_thread
        if loop_thread == threading.get_ident():
            self._unsent = True  # the loop sends it when the callback is done
        elif loop_thread is None and not self._thread_runs():
            self._pull()
        elif self._core is not None:
            self._core.wakeup()

    def _wait(self, timeout: float) -> None:
        """Waits for something to do; no lock is held, and other threads run."""
        if self._core is None:
            return
        # A poll object serves one thread at a time; whoever finds none makes another.
        poller, self._poller = self._poller, None
        if poller is None:
            poller = select.poll()
            poller.register(self._core.fd, select.POLLIN)
        poller.poll(timeout * 1000)
        self._poller = poller

    def _pull(self) -> None:
        """Does what is due and takes events. They are handled later, outside of the lock."""
        with self._lock:
            if self._core is None or self._core.closed:
                return
            self._unsent = False
            # They go straight to the others: nothing can come between and take them along.
            last = self._core.drain(_BATCH, self._events.append)
            # DISCONNECTED is a session's last event, so nothing stands behind it.
            if last is not None and last[0] == EventType.DISCONNECTED:
                self._note_end(last)

    def _note_end(self, event: Event) -> None:
        self._active = False
        self._answers.clear()
        _, _, _, _, _, status, origin, code, text, properties = event
        error = make_end(status, origin, code, text, properties)
        self._error = error if status != Status.OK else None
        if self._dialing and origin != Origin.MQTT:
            self._dial_error = error  # reconnect() raises it, and nobody else is told
            self._dial_end = event
        self._changed.notify_all()

    def _flush_log(self) -> None:
        if self._core is not None and self._core.log:
            lines, self._core.log[:] = self._core.log[:], []
            for level, line in lines:
                self._log(LIBRARY_LEVELS[level], line)

    def _debug(self, text: str) -> None:
        if self._logs:
            self._log(LogLevel.MQTT_LOG_DEBUG, text)

    def _is_looked_after(self) -> bool:
        """Whether a loop runs, or will when there is a connection."""
        return self._thread_runs() or self._loop_thread is not None

    def _advance(self, timeout: float) -> None:
        """Waits and pulls. The loop may do so, too, or be held up in a callback of ours."""
        self._wait(timeout)
        self._pull()
        if self._events and self._core is not None:
            self._core.wakeup()  # the loop may still wait for what is here now

    def _thread_runs(self) -> bool:
        return self._thread is not None and self._thread.is_alive()
