#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
collect.py DIRECTORY...: the public names in the modules of a package, one a line, sorted:

    module.Class.method parameter parameter=default …

With several directories, as of two versions, names of all, and what the last one says of each.
paho-mqtt.txt and aiomqtt.txt were made by this from the sources of those packages.
"""

import ast
import sys
from pathlib import Path


def is_public(name):
    return name == "__init__" or not name.startswith("_")


def parameters(function):
    spec = function.args
    plain = [*spec.posonlyargs, *spec.args]
    defaults = [None] * (len(plain) - len(spec.defaults)) + spec.defaults
    pairs = [*zip(plain, defaults), *zip(spec.kwonlyargs, spec.kw_defaults)]
    for one, default in pairs:
        if one.arg in ("self", "cls"):
            continue
        literal = isinstance(default, ast.Constant)
        yield f"{one.arg}={default.value!r}".replace(" ", "") if literal else one.arg


def own_attributes(function):
    """What __init__ sets on self."""
    for node in ast.walk(function):
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        for target in targets if isinstance(node, (ast.Assign, ast.AnnAssign)) else ():
            if isinstance(target, ast.Attribute) and getattr(target.value, "id", "") == "self":
                yield target.attr


def is_property(function):
    names = {getattr(one, "id", getattr(one, "attr", "")) for one in function.decorator_list}
    return bool(names & {"property", "setter"})


def names_in(body, prefix):
    """(name, parameters) of a module or class."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield prefix + node.name, () if is_property(node) else tuple(parameters(node))
            if node.name == "__init__":
                yield from ((prefix + name, ()) for name in own_attributes(node))
        elif isinstance(node, ast.ClassDef):
            yield prefix + node.name, ()
            yield from names_in(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.Assign):
            yield from ((prefix + one.id, ()) for one in node.targets if isinstance(one, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield prefix + node.target.id, ()


def collect(directory):
    found = {}
    for path in sorted(Path(directory).glob("*.py")):
        prefix = "" if path.stem == "__init__" else f"{path.stem}."
        for name, given in names_in(ast.parse(path.read_text()).body, prefix):
            parts = name.split(".")
            if all(map(is_public, parts)) and "." in name:
                found[name] = max(found.get(name, ()), given, key=len)
    return found


def main():
    every = {}
    for directory in sys.argv[1:]:
        every.update(collect(directory))
    for name in sorted(every):
        print(" ".join([name, *every[name]]))


if __name__ == "__main__":
    main()
