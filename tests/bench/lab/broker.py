# SPDX-License-Identifier: MIT
"""
The broker under load: one Mosquitto with three listeners, TCP, TLS 1.3 and, through the plugin,
QUIC, so that all that differs between variants is the listener.
"""

import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from harness.build import BROKER, give_to_broker, make_directory
from harness.ports import free_tcp_port, free_udp_port

from .errors import BenchError
from .ledger import note_directory, note_process

TRANSPORTS = ("quic", "tls", "tcp")


class Broker:
    """
    host     the address of the listeners
    netns    the network namespace it runs in, None for this one
    ports    fixed ports {"quic": …}, needed in a namespace, else free ones
    options  further plugin_opt_… lines
    """

    def __init__(self, build, certs, host="127.0.0.1", netns=None, ports=None, options=None):
        self.host = host
        self.certs = certs
        self._build = build
        self._netns = netns
        self._options = options or {}
        self._ports = ports or {
            "quic": free_udp_port(),
            "tls": free_tcp_port(),
            "tcp": free_tcp_port(),
        }
        self.directory = make_directory()
        note_directory(self.directory)
        self._child = None

    def port(self, transport):
        return self._ports[transport]

    @property
    def pid(self):
        return self._child.pid

    def _config(self):
        socket = self.directory / "quic.sock"
        identity = self.certs.server
        options = {
            "handoff": socket,
            "listen": f"{self.host}:{self._ports['quic']}",
            "certfile": identity.cert,
            "keyfile": identity.key,
            "worker": self._build.worker,
            **self._options,
        }
        return [
            "allow_anonymous true",
            "log_type error",
            "log_type warning",
            "log_dest stderr",
            "set_tcp_nodelay true",
            "max_queued_messages 100000",
            f"listener {self._ports['tcp']} {self.host}",
            f"listener {self._ports['tls']} {self.host}",
            f"certfile {identity.cert}",
            f"keyfile {identity.key}",
            "tls_version tlsv1.3",
            f"listener 0 {socket}",
            f"plugin {self._build.plugin}",
            *(f"plugin_opt_{name} {value}" for name, value in options.items()),
            "",
        ]

    def __enter__(self):
        path = self.directory / "mosquitto.conf"
        path.write_text("\n".join(self._config()))
        give_to_broker(path)
        inside = ["ip", "netns", "exec", self._netns] if self._netns else []
        with open(self.directory / "log", "wb") as log:
            self._child = subprocess.Popen(
                [*inside, BROKER, "-c", str(path)],
                env=self._build.environment(preload=True),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        note_process(self._child.pid)
        self._await_socket()
        return self

    def _await_socket(self):
        end = time.monotonic() + 15
        while not (self.directory / "quic.sock").exists():
            if self._child.poll() is not None or time.monotonic() > end:
                raise BenchError(f"the broker did not start: {self.log()}")
            time.sleep(0.02)
        # The plugin's worker starts at the broker's first tick.
        time.sleep(0.3)

    def log(self):
        return (self.directory / "log").read_text(errors="replace").strip()

    def __exit__(self, *_):
        if self._child and self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(15)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---- what it uses

    def _processes(self):
        """The broker and the workers beside it."""
        return [self.pid, *children_of(self.pid)]

    def cpu_us(self):
        """Processor time so far, by thread name."""
        used = {}
        for pid in self._processes():
            for name, us in cpu_by_thread(pid).items():
                used[name] = used.get(name, 0) + us
        return used

    def memory_kb(self):
        """Memory that is theirs alone: anonymous pages, resident."""
        texts = [Path(f"/proc/{pid}/status").read_text() for pid in self._processes()]
        return sum(int(re.search(r"RssAnon:\s*(\d+)", text).group(1)) for text in texts)

    def descriptors(self):
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self._processes())


def children_of(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def cpu_by_thread(pid):
    """{thread name: µs on a processor}, from the scheduler's own clock."""
    used = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        used[name] = used.get(name, 0) + int((task / "schedstat").read_text().split()[0]) / 1000
    return used


def cpu_difference(before, after):
    return {name: after[name] - before.get(name, 0) for name in after}
