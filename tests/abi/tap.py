# SPDX-License-Identifier: MIT
"""Test Anything Protocol: collects checks and prints them for meson."""

import sys


class Tap:
    """check() notes one result with its details; done() prints the plan and exits."""

    def __init__(self):
        self.count = self.failed = 0

    def check(self, name, problems):
        """Passes if `problems`, a list of sentences, is empty."""
        self.count += 1
        self.failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}")
        for problem in problems:
            print(f"# {self.count}: {problem}", file=sys.stderr)

    def skip(self, name, reason):
        """Notes a check that cannot be made here."""
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}")

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)
