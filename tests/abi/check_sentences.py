#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""After every error there is a sentence, as mquic.h promises.

Each object with functions that answer a status has mquic_<object>_error(). Each of those
functions is called, in a child, on an object that is alive, on one whose endpoint is gone and on one
of before fork(), with nothing but zeros besides, and then with room for results as well. If it
answers an error, the object it was called on must say why; of a constructor that is the object
that the new one is made on. Only of what is made on nothing the status says all.
"""

import ctypes
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tap import Tap

FUNCTION = re.compile(r"MQUIC_API\s+enum mquic_status\s+(mquic_\w+)\s*\(([^;]*?)\)\s*;", re.S)
HANDLE = re.compile(r"struct mquic_(\w+) \*$")
NOT_CALLS = {"mquic_event_status"}  # a status that is data
WAIT_MS = 10000
PROGRESS = 200  # turns of two endpoints that a handshake may take

EVENT_ACCEPTABLE = 1


class Library:
    """mquic.h by ctypes: pointers and integers, a status as its number."""

    def __init__(self, path):
        self.native = ctypes.CDLL(path)

    def call(self, name, *values):
        function = getattr(self.native, name)
        function.restype = ctypes.c_int
        return function(*values)

    def pointer(self, name, *values):
        function = getattr(self.native, name)
        function.restype = ctypes.c_void_p
        return ctypes.c_void_p(function(*values))

    def made(self, name, *values):
        """What a constructor hands out."""
        made = ctypes.c_void_p()
        status = self.call(name, ctypes.byref(made), *values)
        if status != 0:
            raise RuntimeError(f"{name} answers {status}")
        return made

    def sentence(self, kind, handle):
        function = getattr(self.native, f"mquic_{kind}_error")
        function.restype = ctypes.c_char_p
        return function(handle)


class Objects:
    """One of each kind, made when it is asked for."""

    def __init__(self, library, certificates):
        self.calls, self.certificates = library, certificates
        self.made = {}

    def get(self, kind):
        if kind not in self.made:
            self.made[kind] = getattr(self, kind)()
        return self.made[kind]

    def endpoint(self):
        return self.calls.made("mquic_endpoint_new")

    def settings(self):
        return self.calls.made("mquic_settings_new")

    def message(self):
        return self.calls.made("mquic_message_new")

    def subscription(self):
        return self.calls.made("mquic_subscription_new")

    def url(self):
        return self.calls.made("mquic_url_new")

    def session(self):
        return self.calls.made("mquic_session_new", self.get("endpoint"), None)

    def dialed(self, port):
        settings = self.get("settings")
        self.calls.call("mquic_settings_set_insecure", settings, True)
        return self.calls.made(
            "mquic_connection_dial", self.get("endpoint"), settings, b"127.0.0.1", port
        )

    def connection(self):
        return self.dialed(9)

    def stream(self):
        return self.calls.made("mquic_stream_open", self.get("connection"))

    def relay(self):
        """That of a connection, from the endpoint to itself."""
        library, endpoint, settings = self.calls, self.get("endpoint"), self.get("settings")
        files = [str(self.certificates / name).encode() for name in ("server.crt", "server.key")]
        library.call("mquic_settings_set_certificate", settings, *files)
        port = ctypes.c_uint16()
        library.call(
            "mquic_endpoint_listen", endpoint, settings, b"127.0.0.1", 0, ctypes.byref(port)
        )
        self.made["connection"] = self.dialed(port.value)
        accepted = ctypes.c_void_p()
        for _ in range(PROGRESS):
            library.call("mquic_endpoint_wait", endpoint, WAIT_MS // PROGRESS)
            if library.call("mquic_endpoint_accept", endpoint, ctypes.byref(accepted)) == 0:
                return library.made("mquic_relay_new", accepted, ctypes.c_uint64(1000), 1024)
        raise RuntimeError("no connection came about")


def parameters(text):
    """Types of the parameters, their names left off."""
    words = " ".join(text.split()).split(", ")
    return [re.sub(r"\w+$", "", word).strip() for word in words]


def calls(header):
    """Every function with a status: name, types, the kind it is called on (None: on nothing)."""
    text = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
    for name, declared in FUNCTION.findall(text):
        if name in NOT_CALLS:
            continue
        types = parameters(declared)
        handles = [HANDLE.match(kind) for kind in types]
        kinds = [match[1] for match in handles if match]
        yield name, types, kinds[0] if kinds else None


def arguments(types, kind, handle, with_room):
    """The handle where it belongs, zeros elsewhere, or places for results."""
    values, kept, placed = [], [], False
    for wanted in types:
        if not placed and wanted == f"struct mquic_{kind} *":
            values.append(handle)
            placed = True
        elif with_room and (wanted.endswith("**") or re.match(r"\w+ \*$", wanted)):
            room = ctypes.create_string_buffer(64)
            kept.append(room)
            values.append(room)
        else:
            values.append(ctypes.c_void_p(0) if wanted.endswith("*") else ctypes.c_uint64(0))
    return values, kept


def in_a_child(work):
    """What `work` returns, as text, or how it ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            os.write(writing, str(work()).encode())
        except Exception as problem:  # the child must not go on as another parent
            os.write(writing, f"{type(problem).__name__}: {problem}".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    signal = os.WTERMSIG(os.waitpid(child, 0)[1])
    return f"ended by signal {signal}" if signal else said


def complaint(library, name, types, kind, handle, with_room):
    """What is wrong with the answer of one call, "" if nothing is."""
    values, _kept = arguments(types, kind, handle, with_room)
    status = library.call(name, *values)
    if status < 0 and not library.sentence(kind, handle):
        return f"{name} answers {status} and mquic_{kind}_error() nothing"
    return ""


def try_out(library, certificates, state, name, types, kind):
    """Complaints about one function in one state."""
    before = Objects(library, certificates)
    if state == "forked":
        before.get(kind)

    def work(with_room):
        objects = before if state == "forked" else Objects(library, certificates)
        handle = objects.get(kind)
        if state == "closed":
            library.call("mquic_endpoint_free", objects.get("endpoint"))
        return complaint(library, name, types, kind, handle, with_room)

    said = [in_a_child(lambda: work(with_room)) for with_room in (False, True)]
    return [f"{state}: {words}" for words in said if words]


def states(kind):
    """Settings and the like belong to no endpoint; one that is freed cannot be asked."""
    if kind in ("settings", "message", "subscription", "url"):
        return ["alive"]
    return ["alive", "forked"] if kind == "endpoint" else ["alive", "closed", "forked"]


def missing(header, kinds):
    wanted = {f"mquic_{kind}_error" for kind in kinds}
    declared = set(re.findall(r"MQUIC_API const char \*(mquic_\w+_error)\(", header))
    return sorted(wanted - declared)


def main():
    header, path, keygen = Path(sys.argv[1]).read_text(), sys.argv[2], sys.argv[3]
    found = list(calls(header))
    tap = Tap()
    tap.check("the header has functions with a status", [] if len(found) > 50 else ["few found"])
    without = missing(header, {kind for _, _, kind in found if kind})
    tap.check("every object that can refuse has a sentence", without)
    library = Library(path)
    with tempfile.TemporaryDirectory(prefix="mquic-sentences-") as directory:
        for words in (["ca"], ["server", "127.0.0.1"]):
            subprocess.run([keygen, *words, "--dir", directory], check=True, capture_output=True)
        for name, types, kind in found:
            if kind is None or f"mquic_{kind}_error" in without:
                continue
            problems = []
            for state in states(kind):
                problems += try_out(library, Path(directory), state, name, types, kind)
            tap.check(f"{name} leaves a sentence when it refuses", problems)
    tap.done()


main()
