# SPDX-License-Identifier: MIT
"""
QUIC itself, for other protocols than MQTT: streams that feel like sockets.

A client::

    connection = quic.connect("example.org", 4433, alpn="echo")
    stream = connection.open_stream()
    stream.sendall(b"hello")
    stream.finish()
    print(stream.recv())

Every call that may wait takes a ``timeout`` in seconds: None, the default, waits without limit; 0
does not wait and raises `mquic.WouldBlock`; else `mquic.TimedOutError` is raised in time. While
one call waits, everything on its endpoint goes on.

A program with a loop of its own watches ``Endpoint.fileno()``, calls ``process()`` when it is
readable, takes ``events()``, and uses ``timeout=0`` everywhere.
"""

import itertools
import select
import socket
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

from . import _native
from ._check import application_code, whole
from ._facts import ConnectionInfo, EndpointStatistics, Statistics, info_of, statistics_of, sums_of
from ._fork import free_lock, refuse, tell_of_forks
from ._stream import Stream
from .enums import EventType
from .errors import ClosedError, MquicError, StateError, TimedOutError, WouldBlock, make_end
from .tls import NativeSettings, QUICSettings, TLSSettings

__all__ = [
    "Connection",
    "Endpoint",
    "EndpointStatistics",
    "Event",
    "Statistics",
    "Stream",
    "connect",
]

T = TypeVar("T")

_BATCH = 1000
_TYPES = frozenset(EventType)


class Event(NamedTuple):
    """What happened, and to what."""

    type: EventType
    connection: "Connection | None" = None
    stream: Stream | None = None
    #: How it ended, for CONNECTION_CLOSED; `Connection.error` and `Stream.error` have it, too.
    error: MquicError | None = None


class _Box:
    """The native endpoint, apart from its object, so that a finaliser can close it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.handle: Any = _native.endpoint_new()
        #: What finalisers could not free, because another thread had the lock.
        self.dropped: deque[tuple[Callable[[Any], None], Any]] = deque()
        self.forked = False
        tell_of_forks(self)

    def _after_fork(self) -> None:
        free_lock(self.lock)
        self.forked = True

    def drop(self, delete: Callable[[Any], None], handle: Any) -> None:
        """
        Frees an object of the endpoint. A finaliser may run anywhere, also in a thread that has
        the lock of another endpoint: it must not wait for this one.
        """
        self.dropped.append((delete, handle))
        if self.lock.acquire(blocking=False):
            try:
                self.free_dropped()
            finally:
                self.lock.release()

    def free_dropped(self) -> None:
        """Frees what was left behind; with the lock held."""
        while self.dropped:
            delete, handle = self.dropped.popleft()
            delete(handle)

    def close(self) -> None:
        with self.lock:
            self.free_dropped()
            handle, self.handle = self.handle, None
            if handle is not None:
                _native.delete_endpoint(handle)


class Endpoint:
    """
    Sockets, clock and one descriptor; it listens, dials, or both.

    Calls from several threads wait for each other. Closing it, or letting it go, closes all
    connections on it; a connection holds its endpoint.
    """

    def __init__(self) -> None:
        self._box = _Box()
        self._lock = self._box.lock
        self._fd = _native.endpoint_get_fd(self._box.handle)
        self._keys = itertools.count(1)
        self._objects: weakref.WeakValueDictionary[int, Connection | Stream] = (
            weakref.WeakValueDictionary()
        )
        # By type and object: what happened twice to the same one is told once, and an object
        # that was let go is not kept by what happened to it.
        self._events: dict[tuple[int, int], MquicError | None] = {}
        self._turned = threading.Condition(self._lock)
        self._turns = 0  # how often process() was done
        # One thread waits for the descriptor, the others for that one.
        self._waiter: int | None = None
        # A peer does not learn from the kernel that this process has ended.
        self._finalizer = weakref.finalize(self, self._box.close)

    def __enter__(self) -> "Endpoint":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections at once with code 0, and the sockets. Twice is fine."""
        self._finalizer()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._box.handle is None

    @property
    def _handle(self) -> Any:
        if self._box.forked:
            raise refuse()
        if self._box.handle is None:
            raise ClosedError("this endpoint is closed")
        return self._box.handle

    # ---- connections

    def listen(
        self,
        address: str,
        port: int = 0,
        *,
        tls: TLSSettings,
        quic: QUICSettings | None = None,
        alpn: str = "mqtt",
    ) -> int:
        """
        Accepts connections on a numeric address; may be called several times.

        :param port: UDP port, 0 lets the system choose
        :param tls: with our certificate and key
        :param alpn: application protocol; both sides must name the same
        :returns: the port in use
        :raises TLSError: for an unusable certificate, key or CA
        :raises SystemCallError: if the address is in use or not ours
        """
        whole("the port", port, 0, 65535)
        with self._lock, NativeSettings(tls, quic, alpn) as settings:
            return _native.endpoint_listen(self._handle, settings, address, port)

    def listen_socket(
        self,
        sock: socket.socket | int,
        *,
        tls: TLSSettings,
        quic: QUICSettings | None = None,
        alpn: str = "mqtt",
    ) -> int:
        """
        Accepts connections on a UDP socket that is bound already: of one's own, with options of
        one's own, or from systemd, whose first one is descriptor 3. It takes IPv4, or IPv6 alone
        (``IPV6_V6ONLY``).

        :param sock: the socket, or its descriptor; the endpoint's from then on, as by ``detach()``.
            It stays yours if this raises
        :param tls: with our certificate and key
        :param alpn: application protocol; both sides must name the same
        :returns: the port in use
        :raises InvalidError: for a socket that a server cannot use
        :raises TLSError: for an unusable certificate, key or CA
        """
        fd = sock.fileno() if isinstance(sock, socket.socket) else sock
        whole("the socket", fd, -1, 2**31 - 1)
        with self._lock, NativeSettings(tls, quic, alpn) as settings:
            port = _native.endpoint_listen_fd(self._handle, settings, fd)
            if isinstance(sock, socket.socket):
                sock.detach()
        return port

    def reload(self) -> None:
        """
        Reads the certificates of every listener again, for new connections.

        :raises TLSError: if they cannot be used; the old ones go on
        """
        with self._lock:
            _native.endpoint_reload(self._handle)

    def expiring(self, days: int = 21) -> list[str]:
        """
        What the listeners have loaded that has expired or will within so many days:
        certificates, CAs, revocation lists. A sentence for each, with its file and date.
        """
        sentences: list[str] = []
        with self._lock:
            while True:
                text = _native.endpoint_expiring(self._handle, days, len(sentences))
                if text is None:
                    return sentences
                sentences.append(text)

    def statistics(self) -> EndpointStatistics:
        """What is counted of all connections, those that are over among them."""
        with self._lock:
            return sums_of(self._handle)

    def dial(
        self,
        host: str,
        port: int,
        *,
        tls: TLSSettings | None = None,
        quic: QUICSettings | None = None,
        alpn: str = "mqtt",
    ) -> "Connection":
        """
        Starts a connection; ``handshake()`` waits for it, and streams may be opened and written
        at once. Never blocks; ``handshake()`` also tells that there is no such host, by
        `mquic.ResolveError`.

        :raises TLSError: for unusable files
        """
        whole("the port", port, 1, 65535)
        with self._lock, NativeSettings(tls, quic, alpn) as settings:
            return Connection(self, _native.connection_dial(self._handle, settings, host, port))

    def accept(self, timeout: float | None = None) -> "Connection":
        """Takes one connection whose handshake is complete."""

        def attempt() -> Connection:
            with self._lock:
                return Connection(self, _native.endpoint_accept(self._handle))

        return self._until(attempt, timeout, "no connection came")

    # ---- the loop

    def fileno(self) -> int:
        """The descriptor to watch, the same for the endpoint's life. Do not read or close it."""
        return self._fd

    def process(self) -> None:
        """Does what is due: reads, fires timers, sends. Does not wait."""
        with self._turned:
            self._box.free_dropped()
            batch: list[tuple[Any, ...]] = []
            _native.drain(self._handle, _BATCH, batch.append)
            for event in batch:
                self._note(event)
            self._turns += 1
            self._turned.notify_all()
            if self._waiter is not None:  # in poll(), maybe for what was just read
                _native.endpoint_wakeup(self._handle)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until something is due and does it; False if nothing was within `timeout` s."""
        return self._wait(timeout, self._turns)

    def _wait(self, timeout: float | None, seen: int) -> bool:
        """The same, unless there was a turn since `seen`."""
        me = threading.get_ident()
        with self._turned:
            if self._box.forked:
                raise refuse()
            # In a signal handler it may be this thread that waits, further down its stack.
            if self._waiter not in (None, me) or self._turns != seen:
                return self._turned.wait_for(lambda: self._turns != seen or self.closed, timeout)
            self._waiter = me
        try:
            poller = select.poll()
            poller.register(self._fd, select.POLLIN)
            due = bool(poller.poll(None if timeout is None else max(0, timeout) * 1000))
        finally:
            with self._turned:
                self._waiter = None
                self._turns += 1  # whoever waited for us has to wait anew
                self._turned.notify_all()
                if not self.closed:
                    self.process()
        return due

    def wakeup(self) -> None:
        """Makes ``wait()`` return in another thread."""
        with self._lock:
            _native.endpoint_wakeup(self._handle)

    def events(self) -> Iterator[Event]:
        """Takes what has happened since; does not wait."""
        while True:
            with self._lock:
                if not self._events and self._box.handle is not None:
                    self.process()
                if not self._events:
                    return
                try:
                    kind, key = next(iter(self._events))
                    error = self._events.pop((kind, key))
                except (KeyError, RuntimeError, StopIteration):
                    continue  # a finaliser came between
                thing = self._objects.get(key)
            if isinstance(thing, Stream):
                yield Event(EventType(kind), thing.connection, thing, error)
            elif thing is not None or key == 0:
                yield Event(EventType(kind), thing, None, error)

    def _note(self, event: tuple[Any, ...]) -> None:
        kind, key = event[0], event[1]
        thing = self._objects.get(key)
        if kind not in _TYPES or (thing is None and key != 0):
            return
        error = None
        if thing is not None and kind in (EventType.CONNECTION_CLOSED, EventType.STREAM_CLOSED):
            _, _, _, _, _, status, origin, code, text, _ = event
            if kind == EventType.CONNECTION_CLOSED or code:
                error = thing.error = make_end(status, origin, code, text)
        self._events[kind, key] = error

    def _until(self, attempt: Callable[[], T], timeout: float | None, late: str) -> T:
        """Tries again whenever something was due, until it does not raise WouldBlock."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            seen = self._turns
            try:
                return attempt()
            except WouldBlock:
                if timeout == 0:
                    raise
            left = None if deadline is None else deadline - time.monotonic()
            if (left is not None and left <= 0) or not self._wait(left, seen):
                raise TimedOutError(f"{late} within {timeout} s")

    def _add(self, thing: Any, set_key: Callable[[Any, int], None]) -> int:
        key = next(self._keys)
        set_key(thing._handle, key)
        self._objects[key] = thing
        return key

    def _drop(self, delete: Callable[[Any], None], handle: Any, key: int) -> None:
        for kind in _TYPES:
            self._events.pop((kind, key), None)
        self._box.drop(delete, handle)


class Connection:
    """One QUIC connection. Letting it go closes it with code 0."""

    def __init__(self, endpoint: Endpoint, handle: Any) -> None:
        self.endpoint = endpoint
        #: Why it ended, None while it stands.
        self.error: MquicError | None = None
        self._handle = handle
        self._delete = _native.delete_connection
        self._key = endpoint._add(self, _native.set_connection_key)

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is not None:
            self._handle = None
            self.endpoint._drop(self._delete, handle, self._key)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def handshake(self, timeout: float | None = None) -> None:
        """
        Waits until the peer is verified.

        :raises MquicError: if the connection does not come about: `mquic.RefusedError`,
            `mquic.TLSError`, `mquic.ResolveError`, `mquic.TimedOutError`
        """

        def attempt() -> None:
            if self.error is not None:
                raise self.error
            with self.endpoint._lock:
                if not _native.connection_tls_version(self._handle):
                    raise WouldBlock("the handshake is not complete")

        self.endpoint._until(attempt, timeout, "the handshake was not complete")

    def close(self, code: int = 0, reason: str | None = None) -> None:
        """
        Ends the connection at once; what is not acknowledged may be lost, see ``Stream.flush()``.
        One that is over is fine.

        :param code: application code, below 2**62
        :param reason: up to 256 bytes for the peer's log
        """
        application_code(code)
        with self.endpoint._lock:
            try:
                _native.connection_close(self._handle, code, reason)
            except ClosedError:
                return
            if not self.endpoint.closed:
                self.endpoint.process()

    def migrate(self) -> None:
        """
        Moves a dialed connection to a new socket, whose address the system chooses; streams go
        on. A client does so by itself when the system's addresses or routes change; this is for
        those who know more. `info().local_address` shows the new one once the server has answered
        there.

        :raises WouldBlock: the server does not allow it, or not yet
        :raises StateError: on the server side, and before the handshake is complete
        """
        with self.endpoint._lock:
            _native.connection_migrate(self._handle)
            self.endpoint.process()

    def open_stream(self) -> Stream:
        """Opens a stream; it may wait for the handshake, and its bytes with it."""
        with self.endpoint._lock:
            return Stream(self, _native.stream_open(self._handle))

    def accept_stream(self, timeout: float | None = None) -> Stream:
        """Takes a stream that the peer opened."""

        def attempt() -> Stream:
            with self.endpoint._lock:
                return Stream(self, _native.connection_accept_stream(self._handle))

        return self.endpoint._until(attempt, timeout, "no stream was opened")

    def info(self) -> ConnectionInfo:
        """Addresses and TLS facts."""
        with self.endpoint._lock:
            return info_of(self._handle)

    def statistics(self) -> Statistics:
        """Round trips, bytes, packets; readable after the end, too."""
        with self.endpoint._lock:
            return statistics_of(self._handle)

    def __repr__(self) -> str:
        with self.endpoint._lock:
            return f"<Connection {_native.connection_peer_address(self._handle)}>"


def connect(
    host: str,
    port: int,
    *,
    tls: TLSSettings | None = None,
    quic: QUICSettings | None = None,
    alpn: str = "mqtt",
    timeout: float | None = None,
) -> Connection:
    """Dials on an endpoint of its own and waits for the handshake; raises what those raise."""
    connection = Endpoint().dial(host, port, tls=tls, quic=quic, alpn=alpn)
    connection.handshake(timeout)
    return connection
