# SPDX-License-Identifier: MIT
"""A server that lies in its names and reasons: the tools' lines stay their own."""

import re

import pytest

from harness import mqtt
from harness.clients import RawServer
from harness.process import Process

# Line breaks of all kinds, a terminal's escape, a mark that turns the direction, a quote.
FORGED = "x\nClient evil sending DISCONNECT\r\x1b[2J\u2028\u202e\u200b\x85'"
# What a line may have beside its newline.
CLEAN = re.compile(r"[^\x00-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\ufffd]*")


def connack(reason=0, properties=b""):
    return mqtt.packet(0x20, bytes([0, reason, len(properties)]) + properties)


@pytest.fixture
def serve(build, certs):
    made = []

    def start(*chunks, **options):
        made.append(RawServer(build, certs, *chunks, **options))
        return made[-1]

    yield start
    for server in made:
        server.kill()


def sub(build, certs, server, *args):
    argv = [build.tool("mquic-sub"), "-h", "127.0.0.1", "-p", server.port]
    return Process([*argv, "--cafile", certs.ca, "-t", "#", *args], build.environment())


def test_names_of_a_server_forge_no_debug_lines(build, certs, serve):
    server = serve(
        connack(properties=b"\x12" + mqtt.text(FORGED)),
        mqtt.packet(0x30, mqtt.text(FORGED) + b"\0" + b"payload"),
    )
    child = sub(build, certs, server, "-d", "-d", "-F", "%p", "-C", "1")
    child.wait_line("payload")
    child.kill()
    lines = child.lines
    assert all(CLEAN.fullmatch(line) for line in lines), lines
    assert not any(line.startswith("Client evil") for line in lines), lines
    assert any("Client x?Client?evil?sending?DISCONNECT?" in line for line in lines), lines
    published = next(line for line in lines if "received PUBLISH" in line)
    # The quote at the end cannot close the field early.
    assert "'x?Client evil sending DISCONNECT??[2J?????', ... (7 bytes))" in published


@pytest.mark.parametrize("debug", [[], ["-d", "-d"]])
def test_reasons_of_a_server_are_one_line(build, certs, serve, debug):
    reason = "no\nError: all is well\x1b[2J\u2028"
    server = serve(connack(0x87, b"\x1f" + mqtt.text(reason)))
    child = sub(build, certs, server, *debug)
    assert child.wait() == 0x87
    assert len(child.errors.splitlines()) == 1
    assert "no?Error: all is well?[2J?" in child.errors
    assert all(CLEAN.fullmatch(line) for line in [*child.lines, child.errors])


def test_close_reasons_are_one_line(build, certs, serve):
    child = sub(build, certs, serve(close="no\nError: done\x1b[2J\u2028"), "-d", "-d")
    assert child.wait() == 1
    assert len(child.errors.splitlines()) == 1
    assert "no?Error: done?[2J?" in child.errors
    assert all(CLEAN.fullmatch(line) for line in [*child.lines, child.errors])


def test_too_many_properties_are_told_with_the_option(build, certs, serve):
    pairs = b"\x26\0\1a\0\1b" * 3
    assigned = connack(properties=b"\x12" + mqtt.text("x"))
    server = serve(assigned, mqtt.packet(0x30, mqtt.text("t") + bytes([len(pairs)]) + pairs))
    child = sub(build, certs, server, "--max-properties", "2")
    line = child.wait_error("topic t was refused")
    assert "no more than 2 are taken (set the maximum of properties (--max-properties))" in line
    child.kill()
