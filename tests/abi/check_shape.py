#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
Short functions, flat functions, few parameters, files that can be read in one go.

Tests may have longer files. FOREIGN are functions whose parameters a library we use prescribes.
"""

import statistics
import sys
from pathlib import Path

from c_source import functions
from tap import Tap

ROOMS = ["libmquic", "server", "gateway", "mosquitto-plugin", "tools"]
LONGEST_FILE = 500
LONG_FILES = {"libmquic/mquic.h"}  # one header is what a library has
LONGEST, USUAL, MEDIAN = 60, 24, 10  # lines of all, of nine in ten, of half of the functions
DEEPEST = 3
PARAMETERS = 7
FOREIGN = {"choose_certificate", "guard_decrypt", "stream_data"}


def length_problems(root):
    places = ("libmquic", "server", "gateway", "mosquitto-plugin", "tools", "bindings")
    for path in sorted(path for place in places for path in (root / place).rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.suffix not in {".c", ".h", ".i", ".py", ".pyi", ".lua"} or "/tests/" in name:
            continue
        lines = len(path.read_text("utf-8").splitlines())
        if lines > LONGEST_FILE and name not in LONG_FILES:
            yield f"{name} has {lines} lines"


def function_problems(name, function):
    where = f"{name}:{function.line}: {function.name}"
    if len(function.body) > LONGEST:
        yield f"{where} has {len(function.body)} lines"
    if function.depth > DEEPEST:
        yield f"{where} is {function.depth} deep"
    if function.parameters > PARAMETERS and function.name not in FOREIGN:
        yield f"{where} has {function.parameters} parameters"


def check_room(tap, root, room):
    lengths, problems = [], []
    for path in sorted((root / room).rglob("*.c")):
        for function in functions(path.read_text("utf-8")):
            lengths.append(len(function.body))
            problems += function_problems(path.relative_to(root).as_posix(), function)
    lengths.sort()
    median, usual = statistics.median(lengths), lengths[len(lengths) * 9 // 10]
    if median > MEDIAN or usual > USUAL:
        problems.append(f"{room}: half of the functions up to {median}, 9 of 10 up to {usual}")
    tap.check(
        f"{room}/: {len(lengths)} functions, median {median}, 9 of 10 up to {usual} lines,"
        f" longest {lengths[-1]}",
        problems,
    )


def main():
    root = Path(sys.argv[1])
    tap = Tap()
    tap.check(f"no file over {LONGEST_FILE} lines", list(length_problems(root)))
    for room in ROOMS:
        check_room(tap, root, room)
    tap.done()


if __name__ == "__main__":
    main()
