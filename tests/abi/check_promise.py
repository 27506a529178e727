#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
What was promised with the last release still holds; doc/abi.md tells the rules.

baseline/ keeps the header, the version script and a program of that release. From the first
two a library is made with the same functions, types and symbol versions, and no code in them.
To abidiff and to the linker it is that release: so the baseline fits every architecture.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tap import Tap

BASELINE = Path(__file__).resolve().parent / "baseline"
SONAME = "libmquic.so.0"


def strip_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def run(*argv, **environment):
    return subprocess.run(
        [str(word) for word in argv],
        capture_output=True,
        text=True,
        env=dict(os.environ, **environment),
        timeout=60,
    )


def problems(done):
    """Lines about a program that failed."""
    if done.returncode == 0:
        return []
    return [f"exit code {done.returncode}", *done.stdout.splitlines(), *done.stderr.splitlines()]


def constants(header):
    """Values of enums and macros, by name."""
    text = strip_comments(header)
    found = dict(re.findall(r"^\s*(MQUIC_\w+) = ([^,\n]+?),?\s*$", text, re.M))
    found.update(re.findall(r"^#define (MQUIC_\w+) ([^_\n][^\n]*)$", text, re.M))
    # The version is what a release changes.
    return {name: value for name, value in found.items() if not name.startswith("MQUIC_VERSION_")}


def changed_constants(old, new):
    return [
        f"{name} was {value}, is {new.get(name, 'gone')}"
        for name, value in old.items()
        if new.get(name) != value
    ]


def declarations():
    """The functions of the last release, as C."""
    header = strip_comments((BASELINE / "mquic.h").read_text())
    return re.findall(r"^MQUIC_API\b[^;{]*\)(?=;)", header, re.M)


def stand_in(directory):
    """Builds the library of the last release, less its code. Returns problems."""
    source = directory / "stand-in.c"
    bodies = "".join(f"{text}\n{{\n\t__builtin_trap();\n}}\n" for text in declarations())
    source.write_text(f"#include <mquic.h>\n{bodies}")
    return problems(
        run(
            "cc",
            "-g",
            "-fPIC",
            "-shared",
            f"-I{BASELINE}",
            f"-Wl,-soname,{SONAME}",
            f"-Wl,--version-script={BASELINE / 'mquic.map'}",
            "-o",
            directory / SONAME,
            source,
        )
    )


def compare(tap, old, new):
    """abidiff's verdict; new functions and enum values are no change of what was promised."""
    name = "abidiff finds no function or type changed or gone"
    if not shutil.which("abidiff"):
        tap.skip(name, "abidiff is not installed (abigail-tools)")
        return
    options = ["--no-added-syms", "--drop-private-types", "--fail-no-debug-info"]
    headers = ["--headers-dir1", BASELINE, "--headers-dir2", BASELINE]
    tap.check(name, problems(run("abidiff", *options, *headers, old, new)))


def every_address():
    """C that names each function, so that a program does not start when one is gone."""
    names = [re.search(r"(mquic_\w+)\s*\(", text)[1] for text in declarations()]
    table = "".join(f"\t(void (*)(void)){name},\n" for name in names)
    return f"#include <mquic.h>\nvoid (*mquic_promised[])(void) = {{\n{table}}};\n"


def run_old_program(tap, directory, new, keygen):
    program = directory / "program"
    addresses = directory / "every-address.c"
    addresses.write_text(every_address())
    sources = [BASELINE / "program.c", addresses]
    built = run("cc", f"-I{BASELINE}", "-o", program, *sources, directory / SONAME)
    tap.check("a program of the last release links to its library", problems(built))
    for words in (["ca"], ["server", "127.0.0.1"]):
        made = run(keygen, *words, "--dir", directory)
        if made.returncode:
            tap.check("certificates are made", problems(made))
            return
    files = [directory / name for name in ("ca.crt", "server.crt", "server.key")]
    done = run(program, *files, LD_LIBRARY_PATH=str(Path(new).parent))
    tap.check("that program works with the library of today", problems(done))


def main():
    header, new, keygen = sys.argv[1:]
    tap = Tap()
    old_constants = constants((BASELINE / "mquic.h").read_text())
    tap.check("the last release had constants", [] if len(old_constants) > 20 else ["few found"])
    tap.check(
        "no constant changed or went",
        changed_constants(old_constants, constants(Path(header).read_text())),
    )
    with tempfile.TemporaryDirectory(prefix="mquic-abi-") as name:
        directory = Path(name)
        tap.check("the last release can be stood in for", stand_in(directory))
        compare(tap, directory / SONAME, new)
        run_old_program(tap, directory, new, keygen)
    tap.done()


main()
