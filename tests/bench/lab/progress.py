# SPDX-License-Identifier: MIT
"""Progress on standard error: one line, rewritten on a terminal, now and then elsewhere."""

import sys
import threading
import time


class Progress:
    def __init__(self, what, total):
        self._what = what
        self._total = total
        self._done = 0
        self._start = time.monotonic()
        self._shown = 0.0
        self._lock = threading.Lock()

    def __enter__(self):
        self._show("")
        return self

    def __exit__(self, *_):
        if sys.stderr.isatty():
            sys.stderr.write("\n")

    def step(self, note=""):
        with self._lock:
            self._done += 1
            self._show(note)

    def _show(self, note):
        now = time.monotonic()
        terminal = sys.stderr.isatty()
        last = self._done in (0, self._total)
        if not last and now - self._shown < (0.2 if terminal else 15):
            return
        self._shown = now
        left = ""
        if 0 < self._done < self._total:
            seconds = (now - self._start) / self._done * (self._total - self._done)
            left = f", about {_duration(seconds)} left"
        line = f"{self._what}: {self._done} of {self._total}{left} {note}"
        sys.stderr.write(f"\r\033[K{line[:110]}" if terminal else line.rstrip() + "\n")
        sys.stderr.flush()


def _duration(seconds):
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def say(text):
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
