# SPDX-License-Identifier: MIT
"""A child whose lines of output can be waited for."""

import contextlib
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

# Ends what hangs. Far more than anything takes on a machine that is busy with something else, so
# that a test which runs into it has found a fault.
PATIENCE = 40

# By each of these a user ends a program, or the system does.
ENDING_SIGNALS = [
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGALRM,
]


def heed_signals():
    """
    Has children get every signal that ends or tells, whatever this process was told to ignore, by
    nohup or by a shell that has put it in the background. What is caught here is not at rest in
    them; this process goes on as it was meant to.
    """
    for number in [*ENDING_SIGNALS, signal.SIGCHLD]:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


class Process:
    """Runs a program; collects its output as it comes, by line."""

    def __init__(self, argv, env, stdin=False, stdout=None):
        """
        `stdin`: True, and write() may be used, or a file or socket to read from. `stdout`: a
        file for the output instead of lines.
        """
        self.argv = [str(word) for word in argv]
        self._lines = []
        self._changed = threading.Condition()
        self._child = subprocess.Popen(
            self.argv,
            env=env,
            stdin={True: subprocess.PIPE, False: subprocess.DEVNULL}.get(stdin, stdin),
            stdout=stdout or subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="backslashreplace",
        )
        self._errors = []
        self._threads = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self._child.stdout, self._lines), (self._child.stderr, self._errors))
            if pair[0]
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, pipe, lines):
        for line in pipe:
            with self._changed:
                lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        pipe.close()
        with self._changed:
            self._changed.notify_all()

    @property
    def pid(self):
        return self._child.pid

    @property
    def returncode(self):
        return self._child.poll()

    @property
    def lines(self):
        """Lines of standard output so far."""
        with self._changed:
            return list(self._lines)

    @property
    def errors(self):
        """Standard error so far."""
        with self._changed:
            return "\n".join(self._errors)

    def write(self, text):
        self._child.stdin.write(text)
        self._child.stdin.flush()

    def close_stdin(self):
        self._child.stdin.close()

    def wait_lines(self, count, timeout=PATIENCE):
        """Waits for `count` lines of output and returns all there are."""
        self._wait(lambda: len(self._lines) >= count, timeout, f"{count} lines")
        return self.lines

    def wait_line(self, text, timeout=PATIENCE):
        """Waits for a line of output that contains `text`; returns it."""
        self._wait(lambda: any(text in line for line in self._lines), timeout, f"a line {text!r}")
        return next(line for line in self.lines if text in line)

    def wait_error(self, text, timeout=PATIENCE):
        """Waits for a line of standard error that contains `text`; returns it."""
        self._wait(lambda: any(text in line for line in self._errors), timeout, f"error {text!r}")
        return next(line for line in self.errors.splitlines() if text in line)

    def _wait(self, condition, timeout, what):
        with self._changed:
            assert self._changed.wait_for(condition, timeout), (
                f"no {what} within {timeout} s from {' '.join(self.argv)}\n"
                f"output ({len(self._lines)} lines): {_tail(self._lines)}\n"
                f"errors: {_tail(self._errors)}"
            )

    def wait(self, timeout=PATIENCE):
        """Waits for the end; returns the exit code. All output is in afterwards."""
        code = self._child.wait(timeout)
        for thread in self._threads:
            thread.join(timeout)
        return code

    def signal(self, number):
        self._child.send_signal(number)

    def terminate(self, timeout=PATIENCE):
        """SIGTERM, then the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self):
        """SIGKILL: the end without a word to the peer."""
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait(PATIENCE)
        if self._child.stdin:
            # What it no longer read is still in our buffer.
            with contextlib.suppress(BrokenPipeError):
                self._child.stdin.close()
        for thread in self._threads:
            thread.join(PATIENCE)


def threads_of(pid):
    """A line for each thread: its name, state, processor time in ticks, where it sleeps."""
    lines = []
    for task in sorted(Path(f"/proc/{pid}/task").glob("*")):
        with contextlib.suppress(OSError):
            name, fields = re.match(r".*\((.*)\) (.*)", (task / "stat").read_text()).groups()
            state, *numbers = fields.split()
            sleeps = (task / "wchan").read_text()
            lines.append(f"{name} {task.name}: {state}, {numbers[10]}+{numbers[11]}, {sleeps}")
    return "\n".join(lines) or f"process {pid} has ended"


def _tail(lines):
    return [line[:300] for line in lines[-20:]]


def eventually(condition, timeout=PATIENCE, what="it"):
    """
    Polls until `condition()` is true; returns its value. `what` it is, or a function that says so
    when it has not come.
    """
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            words = what() if callable(what) else what
            raise AssertionError(f"{words} did not happen within {timeout} s")
        time.sleep(0.02)
