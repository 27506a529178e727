#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes a manual page: `.so FILE` lines become that file, @NAME@ the value of NAME=VALUE."""

import re
import sys
from pathlib import Path


def page(path):
    """The page's lines, those of the files it names included."""
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        part = re.fullmatch(r"\.so (\S+)\n", line)
        if part:
            yield from page(path.with_name(part[1]))
        elif not line.startswith('.\\" SPDX'):
            yield line


def main():
    source, target, *definitions = sys.argv[1:]
    text = "".join(page(Path(source)))
    for definition in definitions:
        name, value = definition.split("=", 1)
        text = text.replace(f"@{name}@", value)
    Path(target).write_text(text, encoding="utf-8")


main()
