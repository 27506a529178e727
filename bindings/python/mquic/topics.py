# SPDX-License-Identifier: MIT
"""Topic filters (MQTT 5.0 section 4.7): which topics they match, and tables by filter."""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from . import _native

T = TypeVar("T")


def plain(sub: str) -> str:
    """
    What messages of a subscription are matched by: of a shared one (MQTT 5.0 section 4.8.2), its
    filter, without ``$share`` and the name of the group.
    """
    if not sub.startswith("$share/"):
        return sub
    _, _, rest = sub.split("/", 2) if sub.count("/") > 1 else ("", "", "")
    return rest or sub


def topic_matches_sub(sub: str, topic: str) -> bool:
    """
    Whether a filter with ``+`` and ``#``, which may be that of a shared subscription, matches a
    topic name.

    >>> topic_matches_sub("sensors/+/temperature", "sensors/7/temperature")
    True
    """
    return _native.topic_matches(sub, topic)


def is_name(text: str | bytes | None) -> bool:
    """Whether a message can be published to this topic; None is none."""
    try:
        return _native.topic_is_name(text)
    except UnicodeEncodeError:
        return False


def is_filter(text: str) -> bool:
    """Whether the text is a well-formed topic filter."""
    try:
        return _native.topic_is_filter(text)
    except UnicodeEncodeError:
        return False


def filter_list(topic: Any) -> list[str]:
    """What unsubscribe() takes as its first argument: a filter or a list of them."""
    topics = list(topic) if isinstance(topic, (list, tuple)) else [topic]
    if not topics or not all(isinstance(one, str) and is_filter(one) for one in topics):
        raise ValueError(f"{topic!r} is neither a topic filter nor a list of them")
    return topics


def filter_pairs(topic: Any, how: Any) -> list[tuple[str, Any]]:
    """What subscribe() takes as its first argument, as pairs of filter and QoS or options."""
    pairs = topic if isinstance(topic, (list, tuple)) else [(topic, how)]
    if isinstance(pairs, tuple) and len(pairs) == 2 and isinstance(pairs[0], str):
        pairs = [pairs]
    if not pairs or not all(isinstance(one, tuple) and len(one) == 2 for one in pairs):
        raise ValueError("a list must have pairs of filter and QoS, or of filter and options")
    for sub, _ in pairs:
        if not isinstance(sub, str) or not is_filter(sub):
            raise ValueError(f"{sub!r} is not a topic filter")
    return list(pairs)


class _Node(Generic[T]):
    __slots__ = ("children", "values")

    def __init__(self) -> None:
        self.children: dict[str, _Node[T]] = {}
        self.values: dict[str, T] = {}  # by filter: that of a shared subscription is another one


class TopicTable(Generic[T]):
    """Values by topic filter; looking up a topic takes steps by its levels, not by filters."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __setitem__(self, sub: str, value: T) -> None:
        node = self._root
        for level in plain(sub).split("/"):
            node = node.children.setdefault(level, _Node())
        self._count += sub not in node.values
        node.values[sub] = value

    def __getitem__(self, sub: str) -> T:
        node = self._root
        for level in plain(sub).split("/"):
            node = node.children[level]
        return node.values[sub]

    def __delitem__(self, sub: str) -> None:
        path = [self._root]
        levels = plain(sub).split("/")
        for level in levels:
            path.append(path[-1].children[level])
        del path[-1].values[sub]
        self._count -= 1
        while levels and not path[-1].values and not path[-1].children:
            path.pop()
            del path[-1].children[levels.pop()]

    def matching(self, topic: str) -> Iterator[T]:
        """The values of all filters that match the topic."""
        levels = topic.split("/")
        return self._walk(self._root, levels, 0, topic.startswith("$"))

    def _walk(self, node: _Node[T], levels: list[str], at: int, hidden: bool) -> Iterator[T]:
        # 4.7.2: a wildcard in the first place does not match topics of the server's own.
        wild = not (hidden and at == 0)
        if wild and "#" in node.children:
            yield from node.children["#"].values.values()
        if at == len(levels):
            yield from node.values.values()
            return
        if levels[at] in node.children:
            yield from self._walk(node.children[levels[at]], levels, at + 1, hidden)
        if wild and "+" in node.children:
            yield from self._walk(node.children["+"], levels, at + 1, hidden)
