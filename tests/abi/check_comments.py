#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
No comment is torn. Moving words about leaves marks: an end that stands alone below text that
begins beside its beginning, a word or two alone in the middle of a sentence, a line that is wider
than the page. A heading, which has a rule beside it, may end as it likes.
"""

import re
import sys
from pathlib import Path

from c_source import COMMENT
from tap import Tap

PLACES = ["libmquic", "server", "gateway", "mosquitto-plugin", "tools", "bindings", "tests"]
SHORT = 25
WIDE = 100


def torn(comment):
    """What is wrong with a comment of several lines, in words."""
    lines = [line.strip() for line in comment.split("\n")]
    if lines[0] not in {"/*", "/**"} and lines[-1] == "*/" and "----" not in lines[0]:
        yield "its end stands alone: shorten it, or begin it with a line of its own"
    yield from (f"wider than {WIDE} columns: {line}" for line in lines if len(line) > WIDE)
    for line, after in zip(lines[1:-1], lines[2:]):
        if not line.startswith("*"):
            yield f"a line without its star: {line}"
        elif is_left_alone(line[1:], after[1:]):
            yield f"a line that was torn off: {line}"


def is_left_alone(line, after):
    """Few words, and the sentence goes on below although there is room for more."""
    plain = re.match(r" (\w[^|─▶:;.,]*)$", line) and re.match(r" [a-z]\w*\b", after)
    return bool(plain) and len(line) < SHORT and len(line) + len(after.split()[0]) < WIDE - 30


def problems_of(path):
    text = path.read_text("utf-8")
    for match in COMMENT.finditer(text):
        for problem in torn(match.group()):
            yield f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {problem}"


def main():
    root = Path(sys.argv[1])
    tap = Tap()
    for place in PLACES:
        paths = [path for path in (root / place).rglob("*") if path.suffix in {".c", ".h", ".i"}]
        problems = [problem for path in sorted(paths) for problem in problems_of(path)]
        tap.check(f"{place}/: no comment of its {len(paths)} files is torn", problems)
    tap.done()


if __name__ == "__main__":
    main()
