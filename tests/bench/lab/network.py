# SPDX-License-Identifier: MIT
"""
Network namespaces joined by the emulator. Host number N has the addresses 10.77.N.0/24; nothing
else is reachable from inside, and nothing inside from here.
"""

import fcntl
import json
import os
import subprocess
import threading
import time
from pathlib import Path

from .broker import BenchError
from .links import BROKER_HOST
from .loads import program

PREFIX = "mqbench"
BROKER_ADDRESS = 9
DEVICE = "bench0"
MTU = 1500


def require_root(command):
    if os.geteuid() != 0:
        raise BenchError(f"{command} makes network namespaces and needs root: run it with sudo")
    if not Path("/dev/net/tun").exists():
        raise BenchError(f"{command} needs /dev/net/tun, which this system does not have")


def _ip(*words, check=True):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise BenchError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def remove_stale():
    """Removes namespaces of benches that were killed: those whose process is gone."""
    for line in _ip("netns", "list", check=False).splitlines():
        name = line.split()[0] if line.strip() else ""
        parts = name.split("-")
        if parts[0] == PREFIX and len(parts) == 4 and not Path(f"/proc/{parts[1]}").exists():
            _ip("netns", "delete", name, check=False)


def netem_works():
    """Whether this kernel shapes with netem; a kernel without it refuses the qdisc."""
    name = f"{PREFIX}-{os.getpid()}-probe-0"
    try:
        _ip("netns", "add", name)
        done = subprocess.run(
            ["ip", "netns", "exec", name, "tc", "qdisc", "add", "dev", "lo", "root", "netem"],
            capture_output=True,
            check=False,
        )
        return done.returncode == 0
    except (BenchError, FileNotFoundError):
        return False
    finally:
        _ip("netns", "delete", name, check=False)


class Network:
    """One topology with its hosts; a context manager that leaves nothing behind."""

    def __init__(self, build, lane, topology):
        self._program = program(build, "bench-emulator")
        self._lane = lane
        self._switches, self._links, self.clients = topology
        self._emulator = None
        self._lock = threading.Lock()
        self._moved = {}

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
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        hosts = [*self.clients, BROKER_HOST]
        for host in hosts:
            _ip("netns", "add", self.namespace(host))
        self._emulator = subprocess.Popen(
            [self._program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for host in hosts:
            self.command(f"host {host} {self.namespace(host)} {self.number(host)}")
            self._configure(host)
        for switch in self._switches:
            self.command(f"switch {switch}")
        for a, b in self._links:
            self.command(f"link {a} {b}")
        self.command("reset 1")

    def _configure(self, host):
        space = ["-n", self.namespace(host)]
        _ip(*space, "link", "set", "lo", "up")
        _ip(*space, "link", "set", DEVICE, "mtu", str(MTU), "up")
        _ip(*space, "addr", "add", f"{self.address(host)}/32", "dev", DEVICE)
        _ip(*space, "route", "add", "10.77.0.0/16", "dev", DEVICE, "src", self.address(host))

    def command(self, line):
        with self._lock:
            self._emulator.stdin.write(line + "\n")
            self._emulator.stdin.flush()
            answer = self._emulator.stdout.readline().strip()
        if answer.startswith("error") or not answer:
            raise BenchError(f"emulator: {line}: {answer or 'it has ended'}")
        return answer

    def prepare(self, seed, parameters, plan=(), nat=()):
        """A fresh start: parameters of every link, what is planned, counters, seed."""
        blank = {"burst_enter": 0, "burst_leave": 0, "burst_loss": 0, "jitter_ms": 0, "reorder": 0}
        self.command("noplan")
        for name, value in {**blank, **parameters}.items():
            self.command(f"set * {name} {value}")
        for host in self.clients:
            self.command(f"nat {host} {int(host in nat)}")
        for at_ms, what, name in plan:
            self.command(f"at {at_ms} {what} {name}")
        self.command(f"reset {seed}")

    def statistics(self):
        return json.loads(self.command("stats"))

    def move(self, host):
        """The host loses its address and gets another, as when it changes networks."""
        space = ["-n", self.namespace(host)]
        before = self.address(host)
        self._moved[host] = 1 - self._moved.get(host, 0)
        after = self.address(host)
        _ip(*space, "addr", "add", f"{after}/32", "dev", DEVICE)
        _ip(*space, "route", "replace", "10.77.0.0/16", "dev", DEVICE, "src", after)
        _ip(*space, "addr", "del", f"{before}/32", "dev", DEVICE)

    def __exit__(self, *_):
        if self._emulator and self._emulator.poll() is None:
            self._emulator.stdin.close()
            try:
                self._emulator.wait(5)
            except subprocess.TimeoutExpired:
                self._emulator.kill()
                self._emulator.wait()
        for host in [*self.clients, BROKER_HOST]:
            _ip("netns", "delete", self.namespace(host), check=False)


class Alone:
    """One bench at a time: figures that compete with each other mean little."""

    PATH = "/tmp/mquic-bench.lock"

    def __enter__(self):
        self._file = open(self.PATH, "w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BenchError(f"another bench is running ({self.PATH} is locked)") from None
        return self

    def __exit__(self, *_):
        self._file.close()


def wait_for(condition, timeout):
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
