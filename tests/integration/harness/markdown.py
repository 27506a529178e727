# SPDX-License-Identifier: MIT
"""
The documentation as data: code blocks with what is to be done with them, headings, links.

The word behind a fence's language says how test_docs.py treats the block:

sh                    is run; must succeed
sh fails              is run; must fail
sh background         is started and left running until the end of the page
sh source             is run at the top of the source tree, which is as it was afterwards
sh not-run: REASON    is not run, for that reason
text                  a picture or a table, not looked at
text output           what the block before it prints, errors included, as part of the lines;
                      "..." stands for anything
text background       the same for the program that was started last in the background
conf FILE             a configuration; written to that file
conf part             lines for the plugin; a broker must start with them
conf fails            lines for the plugin; no broker may start with them
c FILE                a program; written to that file, program.c if none is named, and compiled
c part                statements; compiled with the objects of PREAMBLE at hand
LANGUAGE FILE         any other file; written
"""

import re
from collections import namedtuple

from .build import SOURCE

Block = namedtuple("Block", "path line language role text")

FENCE = re.compile(r"^(\s*)```(.*)$")
HEADING = re.compile(r"^#{1,6} (.*)$")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def pages():
    """Every page whose blocks and links are looked at, by its path from the top."""
    top = [SOURCE / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    more = [SOURCE / "CHANGELOG.md", SOURCE / "mosquitto-plugin" / "README.md"]
    more += sorted((SOURCE / "bindings").glob("*/README.md"))
    return {
        str(path.relative_to(SOURCE)): path
        for path in [*top, *sorted((SOURCE / "doc").glob("*.md")), *more]
    }


def split(path):
    """Cuts a page into its prose, as (line number, text), and its fenced blocks."""
    prose, blocks, current = [], [], None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        fence = FENCE.match(line)
        if fence and current is None:
            indent, info = fence.groups()
            language, _, role = info.strip().partition(" ")
            current = (number, len(indent), language, role, [])
        elif fence:
            start, _, language, role, lines = current
            text = "".join(one + "\n" for one in lines)
            blocks.append(Block(path, start, language, role, text))
            current = None
        elif current:
            current[4].append(line[current[1] :])
        else:
            prose.append((number, line))
    assert current is None, f"{path}:{current[0]}: the fence is not closed"
    return prose, blocks


def before(path):
    """
    The blocks that a page takes for done: `<!-- continues FILE before HEADING -->` in its text
    stands for those of another page.
    """
    wanted = re.search(r"^<!-- continues (\S+) before (.*) -->$", path.read_text(), re.M)
    if not wanted:
        return []
    other = path.parent / wanted[1]
    prose, blocks = split(other)
    end = next(n for n, line in prose if re.fullmatch(rf"#+ {re.escape(wanted[2])}", line))
    return [block for block in blocks if block.line < end]


def links(path):
    """(line number, target) of each link in the prose."""
    for number, line in split(path)[0]:
        for target in LINK.findall(re.sub(r"`[^`]*`", "", line)):
            yield number, target


def anchors(path):
    """The fragments that lead to headings, as GitHub and others make them."""
    for _, line in split(path)[0]:
        heading = HEADING.match(line)
        if heading:
            words = re.sub(r"[`*]", "", heading[1]).lower()
            yield re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def indented(path):
    """Line numbers of code blocks without a fence: nobody could say what is to be done."""
    before = ""
    for number, line in split(path)[0]:
        item = re.match(r"^\s*([-*]|\d+\.) ", before)
        if line.startswith("    ") and before.strip() == "" and not item:
            yield number
        if line.strip() or not before.startswith("    "):
            before = line


def matches(expected, got):
    """Whether each line that is expected is part of what came, in this order."""
    patterns = [
        re.compile(".*".join(map(re.escape, line.strip().split("..."))))
        for line in expected.splitlines()
        if line.strip() not in ("", "...")
    ]
    lines = iter(got)
    return all(any(pattern.search(line) for line in lines) for pattern in patterns)
