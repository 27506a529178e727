# SPDX-License-Identifier: MIT
"""
Ports on loopback for servers that will bind them a moment later.

A port that the kernel had chosen could in that moment be given to any client, of another test
or of a flood. So these come from below the range that the kernel chooses from, and an abstract
socket named after the port tells the other processes that run tests that it is taken. As the
port does, the name belongs to the network namespace and goes with its process.
"""

import collections
import errno
import random
import socket
from pathlib import Path

FIRST = 15000
MARKS = 100  # how many ports back the mark is kept; a server that is up needs none

_marks = collections.deque()


def _end():
    """Where the range of the kernel starts; its usual start if that leaves us too few."""
    text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    start = int(text.split()[0])
    return start if start >= FIRST + 1000 else 32768


def _mark(port):
    """Whether the port was still to be had among those who run tests."""
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        mark.bind(f"\0mquic-tests-port-{port}")
    except OSError:
        mark.close()
        return False
    _marks.append(mark)
    if len(_marks) > MARKS:
        _marks.popleft().close()
    return True


def _is_free(kind, port):
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, kind) as probe:
                probe.bind((host, port))
        except OSError as problem:
            # There are machines without IPv6.
            if problem.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                return False
    return True


def _free_port(kind):
    end = _end()
    while True:
        port = random.randrange(FIRST, end)
        if _mark(port) and _is_free(kind, port):
            return port


def free_udp_port():
    return _free_port(socket.SOCK_DGRAM)


def free_tcp_port():
    return _free_port(socket.SOCK_STREAM)
