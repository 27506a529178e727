# SPDX-License-Identifier: MIT
"""The loops of `mquic.client.Client`: waiting, calling back, connecting again."""

import threading
from typing import Any

from ._callbacks import Descriptor
from ._codes import MQTT_ERR_INVAL, MQTT_ERR_NO_CONN, MQTT_ERR_SUCCESS
from ._connecting import Connecting
from ._reconnect import reconnect_pause
from ._session import Event
from .enums import EventType, LogLevel, MQTTErrorCode
from .message import MQTTMessage

# As a plain number it compares faster.
_MESSAGE = int(EventType.MESSAGE)


class Loop(Connecting):
    """What runs a client."""

    def __init__(self, reconnect_on_failure: bool, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._reconnect_on_failure = reconnect_on_failure

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
            elif event[0] in self._handlers:
                self._handlers[event[0]](self, event)

    def _log_message(self, event: Event) -> None:
        _, _, topic, payload, qos, retain, dup, mid, _ = event
        self._debug(
            f"Received PUBLISH (d{dup:d}, q{qos}, r{retain:d}, m{mid}), {topic!r}, "
            f"{len(payload)} bytes"
        )

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
        on_the_way = self._waiting or self._core is None or self._core.inflight
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
