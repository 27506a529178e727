# SPDX-License-Identifier: MIT
"""Free ports on loopback."""

import socket


def free_port(kind, host="127.0.0.1"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def free_udp_port(host="127.0.0.1"):
    return free_port(socket.SOCK_DGRAM, host)


def free_tcp_port(host="127.0.0.1"):
    return free_port(socket.SOCK_STREAM, host)
