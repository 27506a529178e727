#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The public header, the version script and the built library must name the same functions."""

import re
import subprocess
import sys
from pathlib import Path

from tap import Tap

DECLARATION = re.compile(r"MQUIC_API\b[^;{]*?\b(mquic_\w+)\s*\(", re.S)


def declared(header):
    """Functions that the header declares, in order."""
    return DECLARATION.findall(strip_comments(header))


def strip_comments(text):
    return re.sub(r"/\*.*?\*/", lambda match: re.sub(r"[^\n]", " ", match[0]), text, flags=re.S)


def mapped(script):
    """Symbols listed in `global:` of each node, as name@@NODE."""
    names = []
    nodes = re.findall(r"(\w[\w.]*)\s*{\s*global:(.*?)(?:local:|})", strip_comments(script), re.S)
    for node, block in nodes:
        names += [f"{name}@@{node}" for name in re.findall(r"([\w*?]+)\s*;", block)]
    return names


def exported(library):
    """Symbols defined in the dynamic table as name@@NODE, the nodes themselves aside."""
    lines = subprocess.run(
        ["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    found = [line.split() for line in lines]
    return [words[-1] for words in found if words[1] != "A"]


def packaged(symbols):
    """Symbols that Debian's package promises, as name@@NODE, the nodes themselves aside."""
    names = re.findall(r"^ (\w+)@(\w[\w.]*) ", symbols, re.M)
    return [f"{name}@@{node}" for name, node in names if name != node]


def undocumented(header):
    """Public declarations without a comment of their own that ends in a version."""
    problems = []
    lines = header.splitlines()
    for number, line in enumerate(lines):
        if not line.startswith("MQUIC_API"):
            continue
        comment = []
        above = number - 1
        if lines[above].rstrip().endswith("*/"):
            while above >= 0:
                comment.insert(0, lines[above])
                if lines[above].lstrip().startswith("/*"):
                    break
                above -= 1
        text = " ".join(comment)
        if not text.lstrip().startswith("/**"):
            problems.append(f"mquic.h:{number + 1}: no /** comment directly above: {line}")
        elif not re.search(r"Since:\s+\d+\.\d+", text):
            problems.append(f"mquic.h:{number + 1}: the comment has no `Since:`: {line}")
    return problems


def enum_problems(header):
    """Every public enum says since when, and writes its values out."""
    problems = []
    for match in re.finditer(r"(/\*\*(?:(?!\*/).)*\*/)\s*enum (\w+) \{(.*?)\};", header, re.S):
        if "Since:" not in match[1]:
            problems.append(f"enum {match[2]}: the comment has no `Since:`")
        for item in strip_comments(match[3]).split(","):
            if item.strip() and "=" not in item:
                problems.append(f"enum {match[2]}: {item.strip()} has no written value")
    if len(re.findall(r"^enum \w+ \{", header, re.M)) != len(
        re.findall(r"\*/\s*enum \w+ \{", header)
    ):
        problems.append("an enum has no comment")
    return problems


def differences(left, left_name, right, right_name):
    return [f"{name}: in {left_name}, not in {right_name}" for name in sorted(set(left) - set(right))]


def check_package(tap, path, map_symbols):
    name = f"debian/{path.name} lists the functions of the map"
    if not path.exists():
        tap.skip(name, "this source has no debian/")
        return
    symbols = packaged(path.read_text(encoding="utf-8"))
    problems = differences(map_symbols, "mquic.map", symbols, path.name)
    tap.check(name, problems + differences(symbols, path.name, map_symbols, "mquic.map"))


def main():
    header_path, map_path, library, package_path = sys.argv[1:]
    header = Path(header_path).read_text(encoding="utf-8")
    script = Path(map_path).read_text(encoding="utf-8")
    header_names, map_symbols, library_symbols = declared(header), mapped(script), exported(library)
    map_names = [symbol.split("@")[0] for symbol in map_symbols]

    tap = Tap()
    tap.check("the header declares functions", [] if header_names else ["none found"])
    tap.check(
        "no function is declared twice",
        [name for name in set(header_names) if header_names.count(name) > 1],
    )
    tap.check(
        "the map lists every function of the header",
        differences(header_names, "mquic.h", map_names, "mquic.map"),
    )
    tap.check(
        "the map lists nothing else", differences(map_names, "mquic.map", header_names, "mquic.h")
    )
    tap.check(
        "the library exports every function of the map",
        differences(map_symbols, "mquic.map", library_symbols, "the library"),
    )
    tap.check(
        "the library exports nothing else",
        differences(library_symbols, "the library", map_symbols, "mquic.map"),
    )
    check_package(tap, Path(package_path), map_symbols)
    tap.check("every public function is documented with its version", undocumented(header))
    tap.check("every public enum is documented and has written values", enum_problems(header))
    tap.done()


main()
