# SPDX-License-Identifier: MIT
"""
One bench at a time, and what a killed one left. The lock file lists the processes and directories
of the bench that holds it; who finds lines in a file that nobody holds, ends and removes those.
"""

import fcntl
import os
import shutil
import signal
import tempfile
from pathlib import Path

from .errors import BenchError

PREFIX = "mquic-"


def _started(pid):
    """When the process began, in ticks since boot: tells it from a later one of that number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


class Ledger:
    """Held by the bench that runs; a context manager."""

    current = None

    def __init__(self, path=None):
        self.path = Path(path or f"{tempfile.gettempdir()}/{PREFIX}bench-{os.geteuid()}.lock")
        self._file = None

    def __enter__(self):
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._file = os.fdopen(os.open(self.path, flags, 0o600), "r+")
            if os.fstat(self._file.fileno()).st_uid != os.geteuid():
                raise BenchError(f"{self.path} belongs to another user; remove it")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BenchError(f"another bench is running ({self.path} is locked): figures that "
                             "compete with each other mean little") from None
        except OSError as error:
            raise BenchError(f"{self.path}: {error.strerror}") from None
        for line in self._file:
            _undo(line.split())
        self._clear()
        Ledger.current = self
        return self

    def note(self, *words):
        self._file.write(" ".join(map(str, words)) + "\n")
        self._file.flush()

    def _clear(self):
        self._file.seek(0)
        self._file.truncate()

    def __exit__(self, *_):
        Ledger.current = None
        self._clear()
        self._file.close()


def note_process(pid):
    """Has the next bench end this process if we are killed before we can."""
    if Ledger.current:
        Ledger.current.note("process", pid, _started(pid))


def note_directory(path):
    if Ledger.current:
        Ledger.current.note("directory", path)


def _undo(words):
    if len(words) == 3 and words[0] == "process" and words[1].isdigit():
        if words[2] == _started(words[1]):
            os.kill(int(words[1]), signal.SIGKILL)
    elif len(words) == 2 and words[0] == "directory":
        path = Path(words[1])
        if path.parent == Path(tempfile.gettempdir()) and path.name.startswith(PREFIX):
            shutil.rmtree(path, ignore_errors=True)
