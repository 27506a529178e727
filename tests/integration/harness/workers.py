# SPDX-License-Identifier: MIT
"""Programs that stand in for mquic-gateway, and what plugin and worker say first to each other."""

import struct
from pathlib import Path

from .build import give_to_broker

CHANNEL_FD = 3
VERSION = 1


def greeting(version=VERSION, program=b"0.0.0"):
    """The first packet on the channel, of either side."""
    return struct.pack("=8sI36s", b"mquic\r\n", version, program)


def install(path, text):
    """Makes a program, in one step, wherever another one is."""
    new = Path(f"{path}.new")
    new.write_text(text)
    new.chmod(0o755)
    give_to_broker(new)
    new.replace(path)
    return path


def install_real(path, build):
    """The program itself."""
    return install(path, f'#!/bin/sh\nexec {build.worker} "$@"\n')


def install_python(path, body):
    """A program that greets as it is told to; `channel` is its end of the channel."""
    head = (
        "#!/usr/bin/python3\n"
        "import os, signal, socket, time\n"
        f"channel = socket.socket(fileno={CHANNEL_FD})\n"
        f"GREETING = {greeting()!r}\n"
        "def die(): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    return install(path, head + body)
