# SPDX-License-Identifier: MIT
"""Text of peers, for people to read."""

from . import _native


def printable(text: str | bytes) -> str:
    """
    The text with ``?`` for what could forge a line of a log or take over a terminal: control
    characters, ends of lines, marks that turn the direction of writing, and what is invisible.

    Topics, client identifiers, reason strings and user properties come from others. Exceptions,
    log lines and the ``repr()`` of what was received have gone through this, or escape it.
    """
    if isinstance(text, str):
        # As long as it would be otherwise, where the text is no text: half of a pair.
        text = text.encode("utf-8", "replace")
    return _native.text_printable(text)
