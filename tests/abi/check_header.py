#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""mquic.h alone must compile, without a word, wherever an application may be written."""

import shutil
import subprocess
import sys

from tap import Tap

STRICT = ["-pedantic-errors", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
WAYS = [
    ("cc", "c", "c99"),
    ("cc", "c", "c11"),
    ("cc", "c", "gnu17"),
    ("c++", "c++", "c++11"),
    ("c++", "c++", "c++17"),
    ("clang", "c", "c99"),
    ("clang++", "c++", "c++20"),
]


def main():
    directory = sys.argv[1]
    # Twice: the guard must work. The type makes it more than a file of declarations.
    source = '#include "mquic.h"\n#include "mquic.h"\nenum mquic_status mquic_test_status;\n'
    tap = Tap()
    for compiler, language, standard in WAYS:
        if not shutil.which(compiler):
            # clang is a second opinion; cc and c++ are what the package is built with.
            if compiler.startswith("clang"):
                continue
            tap.check(f"the header compiles as {standard}", [f"there is no {compiler}"])
            continue
        done = subprocess.run(
            [compiler, f"-std={standard}", *STRICT, "-I", directory, "-x", language, "-"],
            input=source,
            capture_output=True,
            text=True,
        )
        tap.check(
            f"the header alone compiles as {standard} with {compiler}",
            done.stderr.splitlines() if done.returncode else [],
        )
    tap.done()


main()
