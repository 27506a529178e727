# SPDX-License-Identifier: MIT
"""
Stands in for the `mosquitto` that Mosquitto's own tests start: the broker of this system, whose TCP
listener has become a hand-off listener of the plugin, with mquic-tunnel where that listener was.

    client ──TCP──▶ mquic-tunnel ──QUIC──▶ plugin ──▶ listener 0 …/quic.sock

The broker is this very process in the end, so that signals, exit codes and memory are its own.
"""

import ctypes
import json
import os
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
# Listeners that are not plain MQTT over TCP stay what they are.
OTHER = {"certfile", "cafile", "capath", "keyfile", "psk_hint", "protocol", "socket_domain"}


class Place:
    """Where this broker's files are, and what the runner has said."""

    def __init__(self):
        said = json.loads(os.environ["MQUIC_CONFORMANCE"])
        self.mosquitto = said["mosquitto"]
        self.plugin = said["plugin"]
        self.tunnel = said["tunnel"]
        self.certificates = Path(said["certificates"])
        self.over_quic = said["over_quic"]
        self.marks = Path(said["marks"])
        self.directory = Path(tempfile.mkdtemp(prefix="broker.", dir=said["work"]))
        self.socket = self.directory / "quic.sock"


def words_of(line):
    return line.split() if not line.lstrip().startswith("#") else []


def is_listener(line):
    return words_of(line)[:1] in (["listener"], ["port"])


def find_plain_listener(lines, preferred):
    """A listener that is plain MQTT over TCP: (index of its line, port)."""
    starts = [i for i, line in enumerate(lines) if is_listener(line)]
    found = []
    for start, end in zip(starts, [*starts[1:], len(lines)]):
        words = words_of(lines[start])
        options = {words_of(line)[0] for line in lines[start + 1:end] if words_of(line)}
        if len(words) > 1 and words[1] != "0" and not options & OTHER:
            found.append((start, int(words[1])))
    # The one on which the test waits for the broker, if it names one.
    return min(found, key=lambda one: one[1] != preferred, default=None)


def plugin_lines(place, port):
    return [
        f"plugin {place.plugin}",
        f"plugin_opt_worker {place.worker}",
        f"plugin_opt_certfile {place.certificates / 'server.crt'}",
        f"plugin_opt_handoff {place.socket}",
        f"plugin_opt_listen 127.0.0.1:{port}",
        "plugin_opt_max_connections_per_address 0",
    ]


def rewrite(lines, found, place, udp_port):
    """The configuration with the hand-off listener in the place of the one that was found."""
    handoff = f"listener 0 {place.socket}"
    plugin = plugin_lines(place, udp_port)
    if found is None:  # the default listener, on which anybody may log in
        return [*plugin, handoff, "allow_anonymous true", *lines]
    start = found[0]
    settings = [i for i, line in enumerate(lines) if words_of(line) == ["per_listener_settings", "true"]]
    if settings:
        return [*lines[:start], handoff, *plugin, *lines[start + 1:]]
    return [*plugin, *lines[:start], handoff, *lines[start + 1:]]


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_tunnel(place, port, udp_port):
    """In a child that goes when the broker goes."""
    if os.fork() != 0:
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    while not place.socket.exists():
        time.sleep(0.02)
    os.execv(place.tunnel, [
        place.tunnel, "--quiet", "--listen", f"127.0.0.1:{port}", "--listen", f"[::1]:{port}",
        "--connect", f"mqtt-quic://127.0.0.1:{udp_port}",
        "--cafile", str(place.certificates / "ca.crt"),
    ])


def arguments(argv):
    """(configuration file, port, what else there is)"""
    path = port = None
    rest = []
    words = iter(argv)
    for word in words:
        if word == "-c":
            path = next(words)
        elif word == "-p":
            port = int(next(words))
        else:
            rest.append(word)
    return path, port, rest


def main():
    place = Place()
    path, port, rest = arguments(sys.argv[1:])
    lines = Path(path).read_text(errors="surrogateescape").splitlines() if path else []
    found = find_plain_listener(lines, port)
    carried = place.over_quic and (found is not None or not any(map(is_listener, lines)))
    if carried:
        udp_port = free_udp_port()
        start_tunnel(place, found[1] if found else port, udp_port)
        lines = rewrite(lines, found, place, udp_port)
        place.marks.touch()
    elif port is not None:
        rest += ["-p", str(port)]
    if os.geteuid() == 0:
        lines.append("user root")
    changed = place.directory / "mosquitto.conf"
    changed.write_text("\n".join(lines) + "\n", errors="surrogateescape")
    os.execv(place.mosquitto, [place.mosquitto, *rest, "-c", str(changed)])


main()
