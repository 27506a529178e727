# SPDX-License-Identifier: MIT
"""
Children of ``os.fork()``: locks of threads that are no more, and objects of the parent's.

The library refuses whatever was made before the fork. What is left to do here is what threads
left behind: a lock that one of them held would be waited for without end, at the latest when the
child ends and closes what it inherited.
"""

import os
import weakref
from typing import Any, Protocol

from .errors import ForkedError


class Forkable(Protocol):
    """What has to be told that it is in a child now."""

    def _after_fork(self) -> None: ...


_objects: "weakref.WeakSet[Forkable]" = weakref.WeakSet()


def tell_of_forks(one: Forkable) -> None:
    """Has ``one._after_fork()`` called in every child of this process."""
    _objects.add(one)


def _in_child() -> None:
    for one in list(_objects):
        one._after_fork()


def free_lock(lock: Any) -> None:
    """Makes an RLock as good as new, unless this thread is in it."""
    if not lock._is_owned():
        lock._at_fork_reinit()


def refuse() -> ForkedError:
    """What a call on an object of the parent's raises."""
    return ForkedError(
        "this was made before os.fork() and belongs to the parent process: make a new one in the "
        "child"
    )


os.register_at_fork(after_in_child=_in_child)
