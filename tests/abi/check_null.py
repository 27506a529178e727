#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every public function is called with nothing but NULL and 0: it must come back, and say so.

Each call runs in a child, which may crash. All parameters are integers and pointers, so that
zeros in every register that carries arguments are zeros in every parameter.
"""

import ctypes
import os
import re
import sys
from pathlib import Path

from tap import Tap

STATUS = re.compile(r"MQUIC_API enum mquic_status\s+(mquic_\w+)\s*\(")
SENTENCE = re.compile(r"MQUIC_API const char \*(mquic_\w+_error|mquic_\w+_text)\s*\(")
FUNCTION = re.compile(r"MQUIC_API\b[^;{]*?\b(mquic_\w+)\s*\(")
MOST_PARAMETERS = 6
OF_AN_EVENT = {"mquic_event_text"}  # an event's text may be empty


def call(library, name, returns):
    """The result of the call in a child: (signal, value as text or None)."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        function = getattr(library, name)
        function.restype = returns
        value = function(*([0] * MOST_PARAMETERS))
        os.write(writing, repr(value).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        value = pipe.read()
    return os.WTERMSIG(os.waitpid(child, 0)[1]), value


def problems_of(library, header, name):
    status = name in STATUS.findall(header)
    sentence = name in SENTENCE.findall(header)
    signal, value = call(library, name, ctypes.c_char_p if sentence else ctypes.c_int)
    if signal:
        return [f"{name}(NULL, ...) ends with signal {signal}"]
    if status and name != "mquic_event_status" and int(value) != -2:
        return [f"{name}(NULL, ...) returns {value}, not MQUIC_ERR_INVALID"]
    if sentence and name not in OF_AN_EVENT and value in ("None", "b''"):
        return [f"{name}(NULL) has no sentence"]
    return []


def main():
    header = Path(sys.argv[1]).read_text()
    library = ctypes.CDLL(sys.argv[2])
    tap = Tap()
    for name in FUNCTION.findall(re.sub(r"/\*.*?\*/", "", header, flags=re.S)):
        tap.check(f"{name} takes NULL", problems_of(library, header, name))
    tap.done()


main()
