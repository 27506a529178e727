#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
Inside a room calls go one way: no file calls another that, however far round, calls it.

A call is a call: an address that is taken, a call-back and an inline function of a header are
none. CIRCLES has the files that may still call in a circle; it only shrinks.
"""

import sys
from pathlib import Path

from c_source import functions
from tap import Tap

ROOMS = [
    "libmquic/core",
    "libmquic/tls",
    "libmquic/quic",
    "libmquic/mqtt",
    "libmquic/session",
    "server",
    "gateway",
    "mosquitto-plugin",
    "tools",
]
CIRCLES = {}


def files_of(room):
    """Files of a room and their functions; what stands in for a file that is left out is none."""
    return {
        path.relative_to(room).with_suffix("").as_posix(): list(functions(path.read_text("utf-8")))
        for path in sorted(room.rglob("*.c"))
        if not path.name.startswith("no-")
    }


def calls_between(files):
    """For each file the files of which it calls functions, and which."""
    home = {
        function.name: name
        for name, all_of_it in files.items()
        for function in all_of_it
        if not function.is_static
    }
    calls = {name: {} for name in files}
    for name, all_of_it in files.items():
        own = {function.name for function in all_of_it}
        for called in set().union(*(function.calls() for function in all_of_it)) - own:
            if called in home:
                calls[name].setdefault(home[called], []).append(called)
    return calls


def reachable(calls, start):
    found, open_ends = set(), [start]
    while open_ends:
        for name in calls[open_ends.pop()]:
            if name not in found:
                found.add(name)
                open_ends.append(name)
    return found


def problems_of(calls, allowed):
    reach = {name: reachable(calls, name) for name in calls}
    circle = {name for name in calls if name in reach[name]}
    problems = [
        f"{name} calls {other} ({', '.join(sorted(calls[name][other]))}), which calls it"
        for name in sorted(circle)
        for other in sorted(calls[name])
        if name in reach[other] and not {name, other} <= allowed
    ]
    return problems + [f"{name} is in no circle: take it from CIRCLES" for name in allowed - circle]


def main():
    root = Path(sys.argv[1])
    tap = Tap()
    for room in ROOMS:
        calls = calls_between(files_of(root / room))
        tap.check(
            f"{room}/: no circle of calls between its {len(calls)} files",
            problems_of(calls, CIRCLES.get(room, set())),
        )
    tap.done()


if __name__ == "__main__":
    main()
