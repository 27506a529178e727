#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
Doxygen's filter for mquic.h: each section of the header becomes a topic of its own. A section
starts with a comment `/* ---- Name ---- ... */`; what else is in it is the topic's text. What
the header says of itself is the first page as well. Lines keep their numbers, so that warnings
name the right one.
"""

import re
import sys

HEAD = re.compile(r"^/\* ---- (.*?) -+( \*/)?$")


def first_page(text):
    """The comment about the file, as the first page."""
    start = text.index("/**")
    body = text[start : text.index("*/", start)]
    return re.sub(r"@file .*\n", "@mainpage\n", body).replace("@brief ", "") + "*/\n"


def filtered(text):
    opened = commenting = False
    for line in text.splitlines(keepends=True):
        head = HEAD.match(line)
        if head:
            name = re.sub(r"\W", "_", head[1].lower())
            close = "/** @} */ " if opened else ""
            opened, commenting = True, not head[2]
            yield f"{close}/** @defgroup {name} {head[1]}"
            yield "\n" if commenting else " */ /** @{ */\n"
        elif commenting and line.strip() == "*/":
            commenting = False
            yield " */ /** @{ */\n"
        else:
            yield line
    if opened:
        yield "/** @} */\n"
    yield first_page(text)


def main():
    with open(sys.argv[1], encoding="utf-8") as header:
        sys.stdout.writelines(filtered(header.read()))


main()
