# SPDX-License-Identifier: MIT
"""Sizes of files: by kind, section, symbol, and by archive of what a linker put together."""

import re
import subprocess
import tempfile
from pathlib import Path

from .broker import BenchError
from .sysroot import ARCHITECTURES

# One section for each function and variable, so that a linker can leave out what is not used.
SECTIONS_APART = ["-ffunction-sections", "-fdata-sections"]

# What the loader maps, without what the linker and the debugger keep for themselves.
LOADED = re.compile(r"\.(text|rodata|data|eh_frame(?!_hdr)|init|fini|ctors|dtors|gcc_except|ARM\.ex|tdata)")


def output(*argv, env=None):
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True,
                          check=False, env=env)
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip())[-400:]
        raise BenchError(f"{' '.join(map(str, argv[:3]))}…: {words}")
    return done.stdout


class Tools:
    """Compiler and binutils of one architecture."""

    def __init__(self, architecture):
        self.architecture = architecture
        prefix = ""
        if architecture != "native":
            prefix = ARCHITECTURES[architecture]["triplet"] + "-"
        self.gcc = prefix + "gcc"
        self.size = prefix + "size"
        self.strip = prefix + "strip"
        self.nm = prefix + "nm"

    def measure(self, path):
        """Size on disk without symbols, and in memory by kind."""
        with tempfile.TemporaryDirectory() as place:
            bare = Path(place) / "bare"
            output(self.strip, "-o", bare, path)
            text, data, bss = output(self.size, bare).splitlines()[1].split()[:3]
            return {"stripped": bare.stat().st_size, "text": int(text), "data": int(data),
                    "bss": int(bss)}

    def sections(self, path):
        """Of the stripped file: nothing that stays on the developer's disk."""
        found = {}
        with tempfile.TemporaryDirectory() as place:
            bare = Path(place) / "bare"
            output(self.strip, "-o", bare, path)
            for line in output(self.size, "-A", bare).splitlines()[2:]:
                words = line.split()
                if len(words) == 3 and int(words[1]) > 0 and words[2] != "0":
                    found[words[0]] = int(words[1])
        return found

    def symbols(self, path):
        """[(name, bytes, kind)], the largest first."""
        found = []
        for line in output(self.nm, "-S", "--size-sort", "-r", path).splitlines():
            words = line.split()
            if len(words) == 4 and words[2] in "tTrRdDbB":
                found.append((words[3], int(words[1], 16), words[2]))
        return found


def loaded(size):
    """Bytes that a measured file brings into memory from disk."""
    return size["text"] + size["data"]


def by_archive(map_text, name_of):
    """{name: bytes} of a link map; `name_of` turns the path of an object into a name."""
    found = {}
    start = map_text.index("Linker script and memory map")
    # A long section name stands on a line of its own.
    lines = re.sub(r"^( \.\S+)\n", r"\1 ", map_text[start:], flags=re.M)
    for match in re.finditer(r"^ (\.\S+) +0x[0-9a-f]+ +0x([0-9a-f]+) (\S.*)$", lines, re.M):
        section, size, path = match[1], int(match[2], 16), match[3]
        if size and LOADED.match(section):
            name = name_of(path)
            found[name] = found.get(name, 0) + size
    return found
