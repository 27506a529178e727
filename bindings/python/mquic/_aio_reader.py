# SPDX-License-Identifier: MIT
"""Takes the events of a session of `mquic.aio` in asyncio's loop."""

import asyncio
from collections.abc import Callable

from ._session import Event, Session
from .errors import MquicError

# How often the network is looked after, in seconds, while nobody takes messages.
_PAUSE = 0.02


class Reader:
    """Watches the descriptor; pauses while there is no room, and keeps the connection alive."""

    def __init__(
        self,
        limit: Callable[[], int],
        take: Callable[[list[Event]], None],
        fail: Callable[[MquicError], None],
    ) -> None:
        """
        :param limit: how many events may be taken
        :param take: is given them
        :param fail: is told what the library could not do
        """
        self._limit = limit
        self._take = take
        self._fail = fail
        self._core: Session | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watched = False
        self._pausing: asyncio.TimerHandle | None = None

    @property
    def is_paused(self) -> bool:
        return self._pausing is not None

    def start(self, core: Session) -> None:
        self._core = core
        self._loop = asyncio.get_running_loop()
        self._watch(self._loop, core)

    def resume(self) -> None:
        """There is room again, or somebody waits for an event; else nothing is done."""
        if self._pausing is not None and self._loop is not None and self._core is not None:
            self._watch(self._loop, self._core)

    def stop(self) -> None:
        if self._loop is not None and self._core is not None:
            self._unwatch(self._loop, self._core)
            self._core = None

    def _watch(self, loop: asyncio.AbstractEventLoop, core: Session) -> None:
        self._end_pause()
        if not self._watched:
            loop.add_reader(core.fd, self._ready, loop, core)
            self._watched = True

    def _unwatch(self, loop: asyncio.AbstractEventLoop, core: Session) -> None:
        self._end_pause()
        if self._watched:
            loop.remove_reader(core.fd)
            self._watched = False

    def _end_pause(self) -> None:
        if self._pausing is not None:
            self._pausing.cancel()
            self._pausing = None

    def _ready(self, loop: asyncio.AbstractEventLoop, core: Session) -> None:
        limit = self._limit()
        if limit <= 0:
            self._unwatch(loop, core)
            self._pause(loop, core)
            return
        batch: list[Event] = []
        try:
            core.drain(limit, batch.append)
        except MquicError as error:
            self._fail(error)
            return
        self._take(batch)

    def _pause(self, loop: asyncio.AbstractEventLoop, core: Session) -> None:
        self._pausing = loop.call_later(_PAUSE, self._look_after, loop, core)

    def _look_after(self, loop: asyncio.AbstractEventLoop, core: Session) -> None:
        try:
            core.process()
        except MquicError as error:
            self._pausing = None
            self._fail(error)
            return
        self._pause(loop, core)
