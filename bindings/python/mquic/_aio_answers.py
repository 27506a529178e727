# SPDX-License-Identifier: MIT
"""What the tasks of `mquic.aio` wait for: answers of the server, and room to send."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from ._session import Event
from .errors import MquicError, TimedOutError, WouldBlock


@asynccontextmanager
async def in_time(seconds: float | None, late: str) -> AsyncIterator[None]:
    """As ``asyncio.timeout()``, with an exception of ours and a sentence."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        if isinstance(error, MquicError):
            raise
        raise TimedOutError(f"{late} within {seconds} s") from None


class Answers:
    """Calls on their way, by packet identifier."""

    def __init__(
        self, calling: AbstractAsyncContextManager[Any], attend: Callable[[], None]
    ) -> None:
        """
        :param calling: bounds how many are on their way
        :param attend: is called when one begins to wait
        """
        self._calling = calling
        self._attend = attend
        self._waiting: dict[int, asyncio.Future[Event]] = {}
        self._room: asyncio.Future[None] | None = None

    @property
    def are_awaited(self) -> bool:
        return bool(self._waiting or self._room)

    async def ask(
        self, what: str, seconds: float | None, call: Callable[[], int]
    ) -> Event | None:
        """Makes a call that gives a packet identifier, and waits for its answer."""
        packet_id = 0
        try:
            async with in_time(seconds, f"no answer to {what}"), self._calling:
                packet_id = await self._when_writable(call)
                if packet_id == 0:
                    return None
                answer: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
                self._waiting[packet_id] = answer
                self._attend()
                return await answer
        finally:
            self._waiting.pop(packet_id, None)

    async def _when_writable(self, call: Callable[[], int]) -> int:
        while True:
            try:
                return call()
            except WouldBlock:
                if self._room is None:
                    self._room = asyncio.get_running_loop().create_future()
                self._attend()
                await asyncio.shield(self._room)

    def settle(self, event: Event) -> None:
        """The server has answered."""
        answer = self._waiting.pop(event[2], None)
        if answer is not None and not answer.done():
            answer.set_result(event)

    def make_room(self) -> None:
        """What could not be sent may be tried again."""
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    def fail(self, error: MquicError) -> None:
        """No answer will come."""
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(error)
                answer.exception()  # nobody may be waiting any more
        self._waiting.clear()
        self.make_room()
