# SPDX-License-Identifier: MIT
"""The streams of `mquic.quic`."""

import time
from typing import TYPE_CHECKING, Any

from . import _native
from ._check import application_code
from .errors import MquicError, WouldBlock

if TYPE_CHECKING:
    from .quic import Connection


class Stream:
    """One stream of bytes in both directions. Letting it go, if not finished, resets it."""

    def __init__(self, connection: "Connection", handle: Any) -> None:
        self.connection = connection
        #: How it ended, if not cleanly.
        self.error: MquicError | None = None
        self._handle = handle
        self._lock = connection.endpoint._lock
        self._delete = _native.delete_stream
        self._key = connection.endpoint._add(self, _native.set_stream_key)

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is not None:
            self._handle = None
            self.connection.endpoint._drop(self._delete, handle, self._key)

    def send(self, data: Any, timeout: float | None = None) -> int:
        """
        Queues bytes, any buffer; they leave with the next ``process()`` or wait.

        :returns: how many were taken; fewer than given when the send buffer fills up
        :raises StateError: after ``finish()`` or ``reset()``
        :raises ClosedError: if the peer stopped reading, or the connection is over
        """
        view = memoryview(data)

        def attempt() -> int:
            with self._lock:
                return _native.stream_send(self._handle, view)

        return self.connection.endpoint._until(attempt, timeout, "nothing could be sent")

    def sendall(self, data: Any, timeout: float | None = None) -> None:
        """Queues all bytes, waiting while the send buffer is full."""
        view = memoryview(data).cast("B")
        deadline = None if timeout is None else time.monotonic() + timeout
        while len(view) > 0:
            left = None if deadline is None else max(0.001, deadline - time.monotonic())
            view = view[self.send(view, left) :]

    def recv(self, size: int = 65536, timeout: float | None = None) -> bytes:
        """
        Takes up to `size` bytes; b"" is the end of what the peer sends.

        :raises ClosedError: if the peer reset it, or the connection is over
        """
        if size <= 0:
            raise ValueError("the size must be more than 0")

        def attempt() -> bytes:
            with self._lock:
                return _native.recv(self._handle, size)

        return self.connection.endpoint._until(attempt, timeout, "nothing was received")

    def recv_into(self, buffer: Any, timeout: float | None = None) -> int:
        """Takes bytes into a buffer, without another copy; 0 is the end."""
        view = memoryview(buffer)

        def attempt() -> int:
            with self._lock:
                return _native.stream_recv(self._handle, view)

        return self.connection.endpoint._until(attempt, timeout, "nothing was received")

    def finish(self) -> None:
        """No more will be sent; the other direction goes on."""
        with self._lock:
            _native.stream_finish(self._handle)

    def flush(self, timeout: float | None = None) -> None:
        """Waits until the peer has acknowledged every byte."""

        def attempt() -> None:
            if self.connection.error is not None:
                raise self.connection.error
            if self.bytes_pending:
                raise WouldBlock("bytes are on the way")

        self.connection.endpoint._until(attempt, timeout, "not all was acknowledged")

    def reset(self, code: int = 0) -> None:
        """Gives up sending; the code is below 2**62."""
        application_code(code)
        with self._lock:
            _native.stream_reset(self._handle, code)

    def stop(self, code: int = 0) -> None:
        """Gives up receiving; the code is below 2**62."""
        application_code(code)
        with self._lock:
            _native.stream_stop(self._handle, code)

    @property
    def id(self) -> int:
        """The stream identifier (RFC 9000 section 2.1), -1 while it waits to be opened."""
        with self._lock:
            return _native.stream_id(self._handle)

    @property
    def bytes_sent(self) -> int:
        """Bytes taken from us so far."""
        with self._lock:
            return _native.stream_bytes_sent(self._handle)

    @property
    def bytes_received(self) -> int:
        """Bytes given to us so far."""
        with self._lock:
            return _native.stream_bytes_received(self._handle)

    @property
    def bytes_pending(self) -> int:
        """Bytes taken from us that the peer has not acknowledged."""
        with self._lock:
            return _native.stream_bytes_pending(self._handle)

    def __repr__(self) -> str:
        return f"<Stream {self.id}>"
