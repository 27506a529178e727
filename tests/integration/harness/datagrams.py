# SPDX-License-Identifier: MIT
"""Raw UDP: QUIC datagrams made by hand (RFC 8999, RFC 9000 section 17)."""

import os
import socket
import struct

MINIMUM = 1200
UNKNOWN_VERSION = 0x1A2A3A4A


def long_header(version=UNKNOWN_VERSION, dcid=None, scid=None, first=0xC0, size=MINIMUM):
    """A long header and random bytes behind it, `size` bytes in all."""
    dcid = os.urandom(8) if dcid is None else dcid
    scid = os.urandom(8) if scid is None else scid
    head = struct.pack("!BI", first, version)
    head += bytes([len(dcid)]) + dcid + bytes([len(scid)]) + scid
    return head + os.urandom(max(0, size - len(head)))


def short_header(size=64):
    """What looks like a 1-RTT packet of a connection nobody has."""
    return bytes([0x40 | os.urandom(1)[0] & 0x3F]) + os.urandom(size - 1)


def send(port, datagrams, host="127.0.0.1"):
    """Throws datagrams at a port from a fresh socket."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for datagram in datagrams:
            sock.sendto(datagram, (host, port))


def ask(port, datagram, timeout=0.2, host="127.0.0.1"):
    """Sends one datagram; returns the answer, None if there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.connect((host, port))
        try:
            sock.send(datagram)
            return sock.recv(65536)
        except OSError:
            return None


def answers_quic(port, timeout=0.2):
    """Whether a QUIC server is there: an unknown version makes it name those it speaks."""
    answer = ask(port, long_header(), timeout)
    return answer is not None and answer[0] & 0x80 and answer[1:5] == b"\0\0\0\0"
