#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
The reference of the public API is complete: Doxygen has nothing to complain of, every symbol and
every value has a description, and every declaration says since when there is it. The arguments
are the source directory and the version.
"""

import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "abi"))

from tap import Tap


def configuration(source, version, output):
    """Doxyfile.in with its blanks filled in."""
    text = (source / "doc" / "Doxyfile.in").read_text()
    values = {"VERSION": version, "OUTPUT": output, "SOURCE": source, "XML": "YES"}
    values["PYTHON"] = sys.executable
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def words(node):
    """All text of the brief and the detailed description."""
    parts = (node.find("briefdescription"), node.find("detaileddescription"))
    return " ".join("".join(part.itertext()) for part in parts if part is not None).strip()


def members(output):
    """What Doxygen found in the header: functions, enumerations, types, macros."""
    for path in (output / "xml").glob("*.xml"):
        for node in ElementTree.parse(path).iter("memberdef"):
            if node.findtext("name") != "MQUIC_H":
                yield node


def look(found):
    undocumented, undated = [], []
    for node in found:
        text, name = words(node), node.findtext("name")
        if not text:
            undocumented.append(f"{name} has no description")
        elif "Since: " not in text:
            undated.append(f"the description of {name} does not say `Since:`")
        for value in node.iter("enumvalue"):
            if not words(value):
                undocumented.append(f"{value.findtext('name')} has no description")
    return undocumented, undated


def main():
    source, version = Path(sys.argv[1]).resolve(), sys.argv[2]
    if not shutil.which("doxygen"):
        print("1..0 # SKIP doxygen is not installed; tools/setup --tests does that")
        return
    tap = Tap()
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory)
        done = subprocess.run(
            ["doxygen", "-"],
            input=configuration(source, version, output),
            capture_output=True,
            text=True,
        )
        problems = done.stderr.splitlines() or [f"exit code {done.returncode}"]
        tap.check("Doxygen has no warning", problems if done.returncode or done.stderr else [])
        found = {node.get("id"): node for node in members(output)}
        names = {node.findtext("name") for node in found.values()}
        exported = (source / "libmquic" / "mquic.map").read_text()
        listed = {word.strip(" \t;") for word in exported.split("\n")}
        missing = {name for name in listed if name.startswith("mquic_")} - names
        tap.check("every exported symbol is in the reference", sorted(missing))
        undocumented, undated = look(found.values())
        tap.check("everything has a description", undocumented)
        tap.check("everything says since when there is it", undated)
    tap.done()


main()
