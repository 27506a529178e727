#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
A worker that was taken over, for test_plugin_rogue.py, which puts it in the place of mquic-gateway:
it is good until it is to serve, and then does what the file `deed` beside it says. The files `types`
and `fields` have the names of enum channel_type and of the numbers in struct head, in their order.
"""

import itertools
import os
import socket
import struct
import sys
from pathlib import Path

TYPES = Path(__file__).with_name("types").read_text().split()
GREETING = struct.Struct("=8sI36s")
FIELDS = Path(__file__).with_name("fields").read_text().split()
HEAD = struct.Struct(f"={len(FIELDS)}I16s")
ABSENT = 0xFFFFFFFF
WARNING, CERTIFICATE = 1, 1
MANY = 3000

channel = socket.socket(fileno=3)
channel.setblocking(True)


def length(text):
    return ABSENT if text is None else len(text)


def packet(kind, text=None, more=None, number=0, token=0):
    """Tokens begin with zeros, all of them."""
    known = {"type": TYPES.index(kind), "number": number}
    known |= {"text_len": length(text), "more_len": length(more)}
    words = [known.get(name, 0) for name in FIELDS]
    tail = b"".join(part + b"\0" for part in (text, more) if part is not None)
    return HEAD.pack(*words, token.to_bytes(16, "big")) + tail


def say(*arguments, fds=(), **options):
    socket.send_fds(channel, [packet(*arguments, **options)], fds)


def behave():
    """Until it is to serve."""
    channel.send(GREETING.pack(b"mquic\r\n", 1, b"rogue"))
    while True:
        data = socket.recv_fds(channel, 1 << 18, 4)[0]
        if not data:
            sys.exit(0)
        kind = data[:4] if len(data) != GREETING.size else b""
        if kind == struct.pack("=I", TYPES.index("CONFIGURE")):
            say("READY")
        if kind == struct.pack("=I", TYPES.index("START")):
            return


def garbage():
    channel.send(os.urandom(1000))


def endless():
    channel.send(packet("LINE", b"x") + bytes(180000))


def plugin():
    say("STOP")


def descriptor():
    say("LINE", b"look", number=WARNING, fds=[0])


def descriptors():
    say("ANNOUNCE", b"alice", b"192.0.2.1:1")
    say("PRESENT", b"id", b"\x10\0", fds=[0, 1])


def certificate():
    say("ANNOUNCE", b"alice", b"192.0.2.1:1", number=CERTIFICATE)


def over():
    """Comes after all that was said before, when there is room for it in the log."""
    for count in itertools.count():
        say("LINE", b"it is over", number=WARNING)
        if count % 100 == 0:
            os.sched_yield()


def lines():
    for _ in range(MANY):
        say("LINE", b"forged\nClient nobody closed its connection.", number=WARNING)
    over()


def tokens():
    for token in range(MANY):
        say("ANNOUNCE", b"x", b"192.0.2.1:1", token=token)
    for token in range(MANY):
        say("GONE", token=MANY + token)
    over()


def files():
    """Descriptors that stand for no client."""
    for token in range(MANY):
        say("ANNOUNCE", None, b"192.0.2.1:1", token=token)
        say("PRESENT", b"id", b"\x10\0", token=token, fds=[0])
    over()


behave()
globals()[Path(__file__).with_name("deed").read_text()]()
while channel.recv(1 << 18):
    pass
