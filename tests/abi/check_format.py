#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
clang-format has nothing to change. Its versions do not agree; ours is that of Debian 12.
"""

import re
import subprocess
import sys
from pathlib import Path

from tap import Tap

VERSION = "14"
PLACES = ["libmquic", "server", "gateway", "mosquitto-plugin", "tools", "bindings", "tests"]
AT_ONCE = 40


def version():
    try:
        said = subprocess.check_output(["clang-format", "--version"], text=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return re.search(r"version (\d+)", said).group(1)


def problems_of(paths):
    for start in range(0, len(paths), AT_ONCE):
        said = subprocess.run(
            ["clang-format", "--dry-run", *paths[start : start + AT_ONCE]],
            capture_output=True,
            text=True,
            check=False,
        )
        yield from re.findall(r"^(.*?:\d+):\d+: warning", said.stderr, re.M)


def main():
    root = Path(sys.argv[1])
    tap = Tap()
    found = version()
    for place in PLACES:
        paths = [path for path in sorted((root / place).rglob("*")) if path.suffix in {".c", ".h"}]
        name = f"{place}/: clang-format has nothing to change in {len(paths)} files"
        if found == VERSION:
            changed = [f"{where}: clang-format -i changes it" for where in problems_of(paths)]
            tap.check(name, changed)
        else:
            tap.skip(name, f"this is about clang-format {VERSION}, and here is {found or 'none'}")
    tap.done()


if __name__ == "__main__":
    main()
