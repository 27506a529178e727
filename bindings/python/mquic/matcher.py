# SPDX-License-Identifier: MIT
"""A table of values by topic filter, as ``paho.mqtt.matcher`` has it."""

from collections.abc import Iterator

from .topics import T, TopicTable

__all__ = ["MQTTMatcher"]


class MQTTMatcher(TopicTable[T]):
    """
    Values by topic filter; ``matcher[sub] = value``, ``matcher[sub]`` and ``del matcher[sub]``.

    >>> matcher = MQTTMatcher()
    >>> matcher["a/#"] = 1
    >>> list(matcher.iter_match("a/b"))
    [1]
    """

    def iter_match(self, topic: str) -> Iterator[T]:
        """The values of all filters that match the topic."""
        return self.matching(topic)
