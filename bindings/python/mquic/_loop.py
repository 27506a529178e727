# SPDX-License-Identifier: MIT
"""
The loops of `mquic.client.Client`: waiting, taking events, calling back, connecting again.

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
from typing import Any

from ._callbacks import LIBRARY_LEVELS, Callbacks, Descriptor
from ._codes import MQTT_ERR_INVAL, MQTT_ERR_NO_CONN, MQTT_ERR_SUCCESS
from ._fork import free_lock, refuse, tell_of_forks
from ._options import Options
from ._reconnect import reconnect_pause
from ._session import Event, Login, Session
from .enums import EndpointLogLevel, EventType, LogLevel, MQTTErrorCode, Origin, Status
from .errors import MquicError, make_end
from .message import MQTTMessage
from .tls import QUICSettings, TLSSettings

# Events taken at a time.
_BATCH = 1000

# As a plain number it compares faster.
_MESSAGE = int(EventType.MESSAGE)


class Loop(Callbacks, Options):
    """What runs a client; connecting and what events mean are left to the class made of it."""

    def __init__(
        self,
        userdata: Any,
        login: Login,
        tls: TLSSettings | None,
        quic: QUICSettings | None,
        reconnect_on_failure: bool,
    ) -> None:
        Callbacks.__init__(self, userdata)
        Options.__init__(self, login, tls, quic)
        self._reconnect_on_failure = reconnect_on_failure
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

        self._thread: threading.Thread | None = None
        self._terminate = False
        self._failures = 0  # pauses since there was a connection
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

    def reconnect(self) -> MQTTErrorCode:
        """Connects with the arguments of the last ``connect()``."""
        raise NotImplementedError

    def _forget_answers(self) -> None:
        """The connection is gone, and what was asked of the server with it."""
        raise NotImplementedError

    def _has_waiting(self) -> bool:
        """Whether messages wait here."""
        raise NotImplementedError

    def _handle(self, event: Event) -> None:
        """Does what an event other than a message asks for."""
        raise NotImplementedError

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
        self._forget_answers()
        _, _, _, _, _, status, origin, code, text, _ = event
        error = make_end(status, origin, code, text)
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

    def _handle_events(self) -> None:
        """Calls back for what was pulled. An exception leaves the rest for the next turn."""
        events = self._events
        logs = self._logs
        self._flush_log()
        while events:
            try:
                event = events.popleft()
            except IndexError:  # another thread has taken it
                return
            if event[0] == _MESSAGE:
                if logs:
                    self._log_message(event)
                self._call_message(MQTTMessage(*event[2:]))
            else:
                self._handle(event)

    def _log_message(self, event: Event) -> None:
        _, _, topic, payload, qos, retain, dup, mid, _ = event
        self._debug(
            f"Received PUBLISH (d{dup:d}, q{qos}, r{retain:d}, m{mid}), {topic!r}, "
            f"{len(payload)} bytes"
        )

    def _debug(self, text: str) -> None:
        if self._logs:
            self._log(LogLevel.MQTT_LOG_DEBUG, text)

    def _turn(self, timeout: float) -> MQTTErrorCode:
        self._check_fork()
        if not self._active and not self._events:
            return self._rc or MQTT_ERR_NO_CONN
        outer, self._loop_thread = self._loop_thread, threading.get_ident()
        try:
            if not self._events:
                self._wait(timeout)
                self._pull()
            self._handle_events()
        finally:
            if self._unsent:
                self._pull()
            self._loop_thread = outer
        return self._rc

    def loop(self, timeout: float = 1.0) -> MQTTErrorCode:
        """
        One turn: waits up to `timeout` seconds, does what is due, calls back.

        :returns: an error when there is no connection; ``reconnect()`` then
        """
        if timeout < 0:
            raise ValueError("the timeout must be 0 or more")
        return self._turn(timeout)

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """For loops of others: to be called when ``socket()`` is readable. Does not wait."""
        return self._turn(0)

    def loop_write(self) -> MQTTErrorCode:
        """For loops of others; never needed."""
        return MQTT_ERR_SUCCESS if self._active else MQTT_ERR_NO_CONN

    def loop_misc(self) -> MQTTErrorCode:
        """For loops of others; not needed, as timers make ``socket()`` readable. Harmless."""
        return self._turn(0)

    def want_write(self) -> bool:
        """For loops of others: False, as nothing waits for the descriptor to be writable."""
        return False

    def socket(self) -> Descriptor | None:
        """
        Something with a ``fileno()``: one descriptor for network and timers, the same for the
        life of the client. None before the first connection and after the last.
        """
        return self._socket if self._active else None

    def loop_forever(
        self, timeout: float = 1.0, retry_first_connection: bool = False
    ) -> MQTTErrorCode:
        """
        Runs the loop until ``disconnect()``, and connects again whenever the connection is lost.

        :param retry_first_connection: whether to go on trying if the first connection, of
            ``connect_async()``, fails
        :raises OSError: if it fails otherwise
        :raises RuntimeError: in a callback: it would never return
        """
        self._check_fork()
        self._may_wait("loop_forever()", "the loop goes on when the callback returns")
        while self._connect_later and not self._over():
            try:
                self.reconnect()
            except OSError as error:
                self._connect_later = True
                self._connect_failed(error)
                if not retry_first_connection:
                    raise
                self._reconnect_wait()
        while True:
            rc = self._turn(timeout)
            if self._over() or (not self._active and not self._reconnect_on_failure):
                return MQTT_ERR_SUCCESS if self._leaving else rc
            if not self._active and not self._events:
                self._reconnect_wait()
                self._reconnect_once()

    def _over(self) -> bool:
        """Whether loop_forever() is to end: disconnected, or loop_stop() and nothing on the way."""
        if self._events or not (self._leaving or self._terminate):
            return False
        if not self._active:
            return True
        on_the_way = self._has_waiting() or self._core is None or self._core.inflight
        return self._terminate and not self._leaving and not on_the_way

    def _reconnect_once(self) -> None:
        try:
            with self._dial_lock:
                if not (self._leaving or self._terminate or self._active):
                    self.reconnect()
        except OSError as error:
            self._connect_failed(error)

    def _connect_failed(self, error: OSError) -> None:
        self._log(LogLevel.MQTT_LOG_WARNING, f"Connection failed: {error}")
        self._call("on_connect_fail")

    def _reconnect_wait(self) -> None:
        pause = reconnect_pause(self._failures, self._min_delay, self._max_delay)
        self._failures += 1
        with self._changed:
            self._changed.wait_for(lambda: self._leaving or self._terminate, pause)

    def loop_start(self) -> MQTTErrorCode:
        """
        Runs ``loop_forever()`` in a thread of its own. An exception in a callback ends it, and is
        printed, unless ``suppress_exceptions`` is set.

        :returns: ``MQTT_ERR_INVAL`` if it runs already, and in a callback: a loop runs then
        """
        self._check_fork()
        with self._lock:
            if self._thread_runs() or self._loop_thread == threading.get_ident():
                return MQTT_ERR_INVAL
            self._terminate = False
            self._thread = threading.Thread(
                target=self._run, name=f"mquic-client-{self._login.identifier}", daemon=True
            )
            self._thread.start()
        return MQTT_ERR_SUCCESS

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

    def _run(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._terminate or self._connect_later or self._active)
        self.loop_forever(retry_first_connection=True)

    def loop_stop(self) -> MQTTErrorCode:
        """
        Ends the thread of ``loop_start()`` once QoS 1 and 2 messages on the way are settled, or
        the connection is lost. In a callback, and in a signal handler that has interrupted the
        client, it does not wait for that.

        :returns: ``MQTT_ERR_INVAL`` if there is none
        """
        thread = self._thread
        if thread is None:
            return MQTT_ERR_INVAL
        with self._changed:
            self._terminate = True
            self._changed.notify_all()
        if self._core is not None:
            self._core.wakeup()
        if thread is not threading.current_thread() and not self._has_interrupted():
            thread.join()
            self._thread = None
        return MQTT_ERR_SUCCESS
