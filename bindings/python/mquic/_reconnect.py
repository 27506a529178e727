# SPDX-License-Identifier: MIT
"""When to come back after a connection ended: the library's policy, in seconds."""

import math

from . import _native

# The library's times are of 32 bits.
_LONGEST_MS = 0xFFFFFFFF


def _ms(seconds: float) -> int:
    return math.ceil(min(max(seconds, 0) * 1000, _LONGEST_MS))


def reconnect_pause(failures: int, first: float = 1, longest: float = 60) -> float:
    """
    Seconds to wait before connecting again: `first`, doubled for each of `failures`, the pauses
    since there was a connection last, up to `longest`; and by chance up to a quarter more, so that
    a server that was away is not met by all its clients at once.
    """
    failures = min(max(failures, 0), _LONGEST_MS)
    return _native.reconnect_pause_ms(failures, _ms(first), _ms(longest)) / 1000
