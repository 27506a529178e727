# SPDX-License-Identifier: MIT
"""What a broker and its workers write, looked through as it comes: what nobody expects is kept."""

import collections
import re

from harness.broker import SANITIZER

# Lines of ours that belong to such a run.
EXPECTED = [
    r"mquic: ready for QUIC clients",
    r"mquic: QUIC listener on UDP \S+$",
    r"mquic: QUIC client \S+ is turned away: the broker (is shutting down|does not listen on)",
    # Who gets another address in the middle of it has to begin anew (RFC 9000, section 9).
    r"mquic: QUIC client \S+: handshake failed: .* was (not complete within \d+ ms|dropped)$",
    r"mquic: certificates and keys (were read again|stay as they were)",
    r"mquic: QUIC client \S+ has left: ",
    r"mquic: worker \d+ was ended by signal (9|11) \(",
    r"mquic: worker \d+ was stopped by signal 19 \(SIGSTOP\); it is told to go on",
]
ENDED = re.compile(r"mquic: worker \d+ was ended by signal (\d+)")
STOPPED = re.compile(r"mquic: worker \d+ was stopped by signal")
LET_IN = re.compile(r"New client connected from /\S+ as ([\w-]+)-\d+ \(")
LEFT = re.compile(r"mquic: QUIC client \S+ has left: login (\w+).*?, id '([\w-]+)-\d+'.*?: (.*)")
ALARMS = re.compile(r"^(Warning|Error)|[Aa]ssert|[Oo]ut of memory|corrupt|invalid", re.M)


class Logbook:
    """Reads what is new at each look. `kinds` counts clients by the first part of their names."""

    def __init__(self, path, expected=()):
        self._path, self._at, self._rest = path, 0, ""
        self._expected = re.compile("|".join([*EXPECTED, *expected]))
        self.surprises = collections.Counter()
        self.sanitizer = []
        self.let_in = collections.Counter()
        self.left = collections.Counter()
        self.ended = collections.Counter()  # by signal
        self.stopped = 0

    def look(self):
        with open(self._path, "rb") as file:
            file.seek(self._at)
            data = file.read()
        self._at += len(data)
        *lines, self._rest = (self._rest + data.decode(errors="replace")).split("\n")
        for line in lines:
            self._take(line)

    def _take(self, line):
        if SANITIZER.search(line):
            self.sanitizer.append(line)
        if found := LET_IN.search(line):
            self.let_in[found[1]] += 1
        elif found := LEFT.search(line):
            self.left[found[3]] += 1
        elif found := ENDED.search(line):
            self.ended[int(found[1])] += 1
        elif STOPPED.search(line):
            self.stopped += 1
        if self._is_surprise(line):
            self.surprises[re.sub(r"\d+", "N", line)] += 1

    def _is_surprise(self, line):
        if line.startswith("mquic: "):
            return not self._expected.match(line)
        return ALARMS.search(line) and not self._expected.match(line)
