#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
Who may include whom. Inside libmquic downward only:

    core <- tls <- quic     core <- mqtt     (quic, mqtt) <- session

tls/ alone knows GnuTLS and quic/ alone ngtcp2; whatever stands outside the library knows
nothing of ours but mquic.h, the gateway what is in server/, the plugin what is in both, and the tools the gateway's control.h. No room sees the fields of another's
objects. JSON is a matter of one directory of the tools.
"""

import re
import sys
from pathlib import Path

from tap import Tap

ROOMS = {
    "core": {"core"},
    "tls": {"tls", "core"},
    "quic": {"quic", "tls", "core"},
    "mqtt": {"mqtt", "core"},
    "session": {"session", "quic", "mqtt", "core"},
}
FOREIGN = {
    "gnutls": ["libmquic/tls/", "tools/mquic-keygen.c", "tools/keygen/"],
    "ngtcp2": ["libmquic/quic/"],
    "json-c": ["tools/common/json/"],
}
# They look into the rooms, foreign types included, or stand in for a foreign library.
INSIDERS = ("tests/unit/", "tests/sim/", "tests/hostile/", "tests/fuzz/", "tests/preload/")
# Each with the directories, beside its own, that it may include as "../DIRECTORY/NAME.h".
CLIENTS = {
    "server": {"server"},
    "gateway": {"server"},
    "mosquitto-plugin": {"server", "gateway"},
    "tools": {"gateway"},
    "bindings": set(),
    "libmquic/examples": set(),
    "tests/integration": set(),
}
# Structs that mquic.h hides, and more of that kind; but these two are plain records.
HIDDEN = {"mqtt_engine", "mqtt_lane", "tls_credentials", "tls_session"}
RECORDS = {"mquic_event", "mquic_settings"}
FORWARD = re.compile(r"^struct (mquic_\w+);", re.M)
BODY = re.compile(r"^struct (\w+) \{", re.M)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def sources(folder):
    return sorted(path for path in folder.rglob("*") if path.suffix in {".c", ".h", ".i"})


def includes(path):
    return INCLUDE.findall(path.read_text(encoding="utf-8"))


def room_problems(root, room, allowed):
    problems = []
    for path in sources(root / "libmquic" / room):
        for mark, name in includes(path):
            target = name.split("/")[0]
            if mark == '"' and name != "mquic.h" and target not in allowed:
                problems.append(f"{path.relative_to(root)} includes {name}")
    return problems


def foreign_problems(root, library, rooms):
    problems = []
    for folder in ("libmquic", "server", "gateway", "mosquitto-plugin", "tools", "bindings", "tests"):
        for path in sources(root / folder):
            where = str(path.relative_to(root))
            if where.startswith(INSIDERS):
                continue
            if not any(where.startswith(room) for room in rooms):
                problems += [
                    f"{where} includes <{name}>"
                    for _, name in includes(path)
                    if name.split("/")[0] == library
                ]
    return problems


def client_problems(root, folder, below):
    """Quoted includes are mquic.h, a client's own files, or those of what is below it."""
    own = {path.name for path in sources(root / folder)}
    shared = {f"../{other}/{path.name}" for other in below for path in sources(root / other)}
    problems = []
    for path in sources(root / folder):
        for mark, name in includes(path):
            ours = name.split("/")[0] in ROOMS
            known = name == "mquic.h" or name in shared or Path(name).name in own
            # What is shared goes by its full name: two directories may have files of one name.
            if name.split("/")[1:2] and name.split("/")[1] in CLIENTS and name not in shared:
                known = False
            if ours or (mark == '"' and not known):
                problems.append(f"{path.relative_to(root)} includes {name}")
    return problems


def stray_problems(root):
    """Sources of the library live in a room."""
    known = set(ROOMS) | {"examples"}
    return [
        str(path.relative_to(root))
        for path in sources(root / "libmquic")
        if path.name != "mquic.h" and path.relative_to(root / "libmquic").parts[0] not in known
    ]


def builder(path):
    """The meson.build that names the sources of this directory."""
    return next(above / "meson.build" for above in path.parents if (above / "meson.build").exists())


def idle_problems(root, folder):
    """Every source is named where it is built, in full or as a program; headers are included."""
    files = sources(root / folder)
    included = {name.split("/")[-1] for path in files for mark, name in includes(path)}
    for path in files:
        if path.suffix == ".h" and path.name != "mquic.h" and path.name not in included:
            yield f"{path.relative_to(root)}: no file includes it"
        build = builder(path)
        name = path.relative_to(build.parent)
        named = {f"'{name.as_posix()}'", f"'{name.with_suffix('').as_posix()}'"}
        if path.suffix == ".c" and not any(one in build.read_text("utf-8") for one in named):
            yield f"{path.relative_to(root)}: {build.relative_to(root)} does not name it"


def closure(root, path, seen):
    """All headers of the library that a source comes to see."""
    for _, name in includes(path):
        header = root / "libmquic" / name
        if header.exists() and header not in seen:
            seen.add(header)
            closure(root, header, seen)
    return seen


def body_problems(root, room):
    """Who sees a body may touch its fields: a room sees those of its own objects."""
    problems = []
    opaque = set(FORWARD.findall((root / "libmquic/mquic.h").read_text(encoding="utf-8")))
    opaque = (opaque | HIDDEN) - RECORDS
    for path in sources(root / "libmquic" / room):
        for header in closure(root, path, set()):
            home = header.relative_to(root / "libmquic").parts[0]
            bodies = opaque & set(BODY.findall(header.read_text(encoding="utf-8")))
            if home != room:
                problems += [f"{path.relative_to(root)} sees struct {name}" for name in bodies]
    return problems


def main():
    root = Path(sys.argv[1])
    tap = Tap()
    for room, allowed in ROOMS.items():
        tap.check(f"{room}/ includes only what is below it", room_problems(root, room, allowed))
        tap.check(f"{room}/ sees no body of another room's object", body_problems(root, room))
    for library, rooms in FOREIGN.items():
        tap.check(
            f"<{library}/...> is included in {', '.join(rooms)} alone",
            foreign_problems(root, library, rooms),
        )
    for folder, below in CLIENTS.items():
        also = "".join(f" and {other}/" for other in sorted(below - {folder}))
        tap.check(f"{folder} knows mquic.h{also} alone", client_problems(root, folder, below))
    tap.check("every source of the library lives in a room", stray_problems(root))
    for folder in ("libmquic", "server", "gateway", "mosquitto-plugin", "tools"):
        tap.check(f"nothing lies idle in {folder}", list(idle_problems(root, folder)))
    tap.done()


main()
