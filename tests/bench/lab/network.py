# SPDX-License-Identifier: MIT
"""
Network namespaces joined by lossy links: by the emulator here, by netem in netem.py. Host number N
has the addresses 10.77.N.0/24; nothing else is reachable from inside, and nothing inside from here.
"""

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

from .errors import BenchError
from .links import BROKER_HOST
from .loads import program

PREFIX = "mqbench"
BROKER_ADDRESS = 9
DEVICE = "bench0"
MTU = 1500
QUEUE = 1000


def require_root(command):
    if os.geteuid() != 0:
        raise BenchError(f"{command} makes network namespaces and needs root: run it with sudo")
    if not Path("/dev/net/tun").exists():
        raise BenchError(f"{command} needs /dev/net/tun, which this system does not have")


def ip(*words, check=True):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise BenchError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def remove_stale():
    """Removes namespaces of benches that were killed: those whose process is gone."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        return
    for line in ip("netns", "list", check=False).splitlines():
        name = line.split()[0] if line.strip() else ""
        parts = name.split("-")
        if parts[0] == PREFIX and len(parts) == 4 and not Path(f"/proc/{parts[1]}").exists():
            ip("netns", "delete", name, check=False)


class Hosts:
    """The hosts of a topology, each in a namespace of its own, and how to reach them."""

    def __init__(self, lane, topology):
        self._lane = lane
        self._switches, self._links, self.clients = topology
        self._moved = {}

    @property
    def hosts(self):
        return [*self.clients, BROKER_HOST]

    def namespace(self, host):
        return f"{PREFIX}-{os.getpid()}-{self._lane}-{host}"

    def inside(self, host):
        """Words in front of a command that is to run on a host."""
        return ["ip", "netns", "exec", self.namespace(host)]

    def number(self, host):
        return BROKER_ADDRESS if host == BROKER_HOST else 100 + int(host[1:])

    def address(self, host):
        return f"10.77.{self.number(host)}.{1 + self._moved.get(host, 0)}"

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def configure(self, host):
        space = ["-n", self.namespace(host)]
        ip(*space, "link", "set", "lo", "up")
        ip(*space, "link", "set", DEVICE, "mtu", str(MTU), "up")
        ip(*space, "addr", "add", f"{self.address(host)}/32", "dev", DEVICE)
        ip(*space, "route", "add", "10.77.0.0/16", "dev", DEVICE, "src", self.address(host))

    def move(self, host):
        """The host loses its address and gets another, as when it changes networks."""
        space = ["-n", self.namespace(host)]
        before = self.address(host)
        self._moved[host] = 1 - self._moved.get(host, 0)
        after = self.address(host)
        ip(*space, "addr", "add", f"{after}/32", "dev", DEVICE)
        ip(*space, "route", "replace", "10.77.0.0/16", "dev", DEVICE, "src", after)
        ip(*space, "addr", "del", f"{before}/32", "dev", DEVICE)

    def __exit__(self, *_):
        for host in self.hosts:
            ip("netns", "delete", self.namespace(host), check=False)


class Network(Hosts):
    """One topology joined by the emulator; a context manager that leaves nothing behind."""

    kind = "emulator"

    def __init__(self, build, lane, topology):
        super().__init__(lane, topology)
        self._program = program(build, "bench-emulator")
        self._emulator = None
        self._lock = threading.Lock()

    def start(self):
        for host in self.hosts:
            ip("netns", "add", self.namespace(host))
        self._emulator = subprocess.Popen(
            [self._program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True,
        )
        for host in self.hosts:
            self._command(f"host {host} {self.namespace(host)} {self.number(host)}")
            self.configure(host)
        for switch in self._switches:
            self._command(f"switch {switch}")
        for a, b in self._links:
            self._command(f"link {a} {b}")
        self._command("reset 1")

    def _command(self, line):
        with self._lock:
            self._emulator.stdin.write(line + "\n")
            self._emulator.stdin.flush()
            answer = self._emulator.stdout.readline().strip()
        if answer.startswith("error") or not answer:
            raise BenchError(f"emulator: {line}: {answer or 'it has ended'}")
        return answer

    def prepare(self, seed, parameters, plan=(), nat=()):
        """A fresh start: parameters of every link, what is planned, counters, seed."""
        blank = {"burst_enter": 0, "burst_leave": 0, "burst_loss": 0, "jitter_ms": 0, "reorder": 0,
                 "queue": QUEUE}
        self._command("noplan")
        for name, value in {**blank, **parameters}.items():
            self._command(f"set * {name} {value}")
        for host in self.clients:
            self._command(f"nat {host} {int(host in nat)}")
        for at_ms, what, name in plan:
            self._command(f"at {at_ms} {what} {name}")
        self._command(f"reset {seed}")

    def packets(self):
        """(offered to links, lost on them or at one that was down) since prepare()."""
        halves = [half for pair in json.loads(self._command("stats"))["links"].values()
                  for half in pair]
        return (sum(half["offered"] for half in halves),
                sum(half["lost"] + half["down"] for half in halves))

    def __exit__(self, *_):
        if self._emulator and self._emulator.poll() is None:
            self._emulator.stdin.close()
            try:
                self._emulator.wait(5)
            except subprocess.TimeoutExpired:
                self._emulator.kill()
                self._emulator.wait()
        super().__exit__()
