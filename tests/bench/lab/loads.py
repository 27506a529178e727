# SPDX-License-Identifier: MIT
"""Runs the program bench-load and brackets what it does with readings of the broker."""

import contextlib
import json
import select
import subprocess
import time

from .broker import cpu_difference
from .errors import BenchError
from .ledger import note_process


def arguments(broker, transport, options):
    words = {
        "transport": transport,
        "host": broker.host,
        "port": broker.port(transport),
        "cafile": broker.certs.ca,
        **options,
    }
    return [f"--{name.replace('_', '-')}={value}" for name, value in words.items()]


def program(build, name):
    path = build.directory / "tests" / "bench" / name
    if not path.exists():
        raise BenchError(
            f"{path} is missing: run `tools/setup --bench`, then "
            "`meson setup build -Dbench=enabled && ninja -C build`"
        )
    return str(path)


_running = set()


def end_with(child):
    """Another program that end_all() ends; those that are over do not matter."""
    _running.add(child)


def end_all():
    """Ends every load there is: who waits for one has an error at once."""
    for child in list(_running):
        child.kill()


class Load:
    """A load that waits to be told; a context manager that always ends the process."""

    def __init__(self, build, broker, transport, kind, inside=(), **options):
        self._broker = broker
        self._limit_s = options.get("timeout_ms", 60000) / 1000 + 30
        self._argv = [*inside, program(build, "bench-load"), kind]
        self._argv += arguments(broker, transport, options)
        self._env = build.environment()
        self._child = None

    def __enter__(self):
        self._child = subprocess.Popen(
            self._argv,
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        note_process(self._child.pid)
        _running.add(self._child)
        return self

    @property
    def pid(self):
        return self._child.pid

    def line(self):
        """The next line of output; an error if there is none in time."""
        ready, _, _ = select.select([self._child.stdout], [], [], self._limit_s)
        line = self._child.stdout.readline() if ready else ""
        if not line:
            self._child.kill()
            words = self._child.stderr.read().strip() or "no answer in time"
            raise BenchError(f"{words} ({' '.join(self._argv[-8:])})")
        return line

    def tell(self):
        self._child.stdin.write("\n")
        self._child.stdin.flush()

    def kill(self):
        self._child.kill()

    def wait_ready(self):
        while self.line().strip() != "ready":
            pass

    def measure(self, settle_s=0.0):
        """Starts the work; returns its result with the broker's processor time."""
        self.wait_ready()
        before = self._broker.cpu_us()
        self.tell()
        result = json.loads(self.line())
        time.sleep(settle_s)
        result["broker_cpu_us"] = cpu_difference(before, self._broker.cpu_us())
        return result

    def __exit__(self, *_):
        _running.discard(self._child)
        if self._child.poll() is None:
            try:
                self._child.stdin.close()
                self._child.wait(5)
            except (subprocess.TimeoutExpired, OSError):
                self._child.kill()
                self._child.wait()
        self._child.stdout.close()
        self._child.stderr.close()


def run_together(build, broker, transport, kind, places, **options):
    """
    The same load from several places, such as the hosts of a network, started at once when all
    are ready; [its JSON] in their order.
    """
    with contextlib.ExitStack() as stack:
        loads = [
            stack.enter_context(
                Load(build, broker, transport, kind, inside=inside, hold=1, **options)
            )
            for inside in places
        ]
        for load in loads:
            load.wait_ready()
        for load in loads:
            load.tell()
        return [json.loads(load.line()) for load in loads]
