# SPDX-License-Identifier: MIT
"""Received messages of `mquic.aio`: from the network until somebody takes them."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from ._aio_options import TypedQueue
from .errors import MquicError
from .message import MQTTMessage
from .topics import topic_matches_sub

if TYPE_CHECKING:
    from .aio import Client

# Bytes of messages that may wait to be taken; and while an answer is awaited, which stands behind
# them.
HELD = 4 << 20
HELD_FOR_ANSWERS = 64 << 20

# Events in one go.
BATCH = 1000


class Topic(str):
    """A topic name: text that can tell whether a filter matches it."""

    __slots__ = ()

    def matches(self, wildcard: str) -> bool:
        """
        Whether the filter `wildcard` matches; it may be one of a shared subscription.
        """
        return topic_matches_sub(wildcard, self)

    @property
    def value(self) -> str:
        """The plain text."""
        return str(self)


class Message(MQTTMessage):
    """A received message; its topic can match filters."""

    __slots__ = ()
    topic: Topic  # pyright: ignore[reportIncompatibleVariableOverride]


def _weight(message: Message) -> int:
    """What a message takes, more or less."""
    values = message._properties if isinstance(message._properties, dict) else {}
    many = sum(len(value) for value in values.values() if isinstance(value, list))
    return 512 + len(message.topic) + len(message.payload) + 256 * many


class Inbox:
    """Messages that wait, how many may, and the tasks that wait for one."""

    def __init__(self, bound: int, queue_type: "type[asyncio.Queue[Message]] | None") -> None:
        """:param bound: messages that may wait to be taken, 0: no limit"""
        self._bound = bound
        self._queue: deque[Message] | TypedQueue[Message] = (
            deque() if queue_type is None else TypedQueue(queue_type)
        )
        self._held = 0  # bytes in it
        self._getters: deque[asyncio.Future[None]] = deque()
        self._end: MquicError | None = None  # why no more will come

    def __len__(self) -> int:
        return len(self._queue)

    def clear(self) -> None:
        self._queue.clear()
        self._held = 0

    def begin(self) -> None:
        """Messages may come: tasks that find none wait."""
        self._end = None

    def finish(self, error: MquicError) -> None:
        """No more will come: tells all who wait, once they have taken what is there."""
        self._end = error
        self.wake()

    def add(self, message: Message) -> None:
        self._queue.append(message)
        self._held += _weight(message)

    def room(self, needed: bool) -> int:
        """How many events may be taken now; `needed`: there is one among them that is awaited."""
        if not self._bound:
            return BATCH
        if needed:
            return BATCH if self._held < HELD_FOR_ANSWERS else 0
        if self._held >= HELD:
            return 0
        return min(BATCH, self._bound - len(self._queue))

    @property
    def is_half_empty(self) -> bool:
        """Whether it is worth while to take messages again, after there was no room."""
        return len(self._queue) <= self._bound // 2 and self._held <= HELD // 2

    def wake(self) -> None:
        """Wakes one task for each message, or all at the end."""
        count = len(self._queue) if self._end is None else len(self._getters)
        while self._getters and count > 0:
            getter = self._getters.popleft()
            if not getter.done():
                getter.set_result(None)
                count -= 1

    async def take(self) -> Message:
        """The next message; raises the reason of the end when there is none left."""
        if not self._queue:
            await self._wait()
        message = self._queue.popleft()
        self._held -= _weight(message)
        return message

    async def _wait(self) -> None:
        while not self._queue:
            if self._end is not None:
                raise self._end.with_traceback(None)
            getter = asyncio.get_running_loop().create_future()
            self._getters.append(getter)
            try:
                await getter
            except asyncio.CancelledError:
                if getter.done() and not getter.cancelled():
                    self.wake()  # the message was for us: somebody else takes it
                raise


class Messages:
    """
    Received messages, in their order. Several tasks may iterate: each message goes to one.

    When the connection is lost, what has come before is handed out, then iterating raises the
    reason, a `MquicError`.
    """

    def __init__(self, client: "Client") -> None:
        self._client = client

    def __aiter__(self) -> AsyncIterator[Message]:
        return self

    def __call__(self) -> "Messages":
        """Itself: ``client.messages()`` is fine, too."""
        return self

    def __len__(self) -> int:
        """Messages that wait to be taken."""
        return len(self._client._inbox)

    async def __anext__(self) -> Message:
        message = await self._client._inbox.take()
        self._client._maybe_resume()
        return message
