# SPDX-License-Identifier: MIT
"""What processes take, read from /proc, over their lives; and whether it grows."""

import re
from pathlib import Path


def rss_kb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


def pss_kb(pid):
    return int(re.search(r"\nPss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())[1])


def descriptors(pid):
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def slope(points):
    """Of the line through points (x, y) by least squares; None without two moments."""
    count = len(points)
    mean_x = sum(x for x, _ in points) / count if count else 0
    mean_y = sum(y for _, y in points) / count if count else 0
    width = sum((x - mean_x) ** 2 for x, _ in points)
    if not width:
        return None
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / width


class Life:
    """One process: (when in minutes, RSS, PSS, descriptors)."""

    def __init__(self, name, pid):
        self.name, self.pid = name, pid
        self.rows = []

    def sample(self, minutes):
        """False: it is no more."""
        try:
            row = (minutes, rss_kb(self.pid), pss_kb(self.pid), descriptors(self.pid))
        except (FileNotFoundError, ProcessLookupError, TypeError):
            return False
        self.rows.append(row)
        return True

    def growth(self, since, until):
        """kB a minute of RSS and PSS between two moments, and for how many minutes that is."""
        rows = [row for row in self.rows if since <= row[0] <= until]
        spans = rows[-1][0] - rows[0][0] if rows else 0
        columns = ([(row[0], row[column]) for row in rows] for column in (1, 2))
        return [slope(points) for points in columns], spans


class Gauges:
    """All processes that there were, by their roles: `broker`, `worker 1` …"""

    def __init__(self):
        self.lives = []
        self._now = {}

    def look(self, minutes, pids):
        """Samples these, by role; another pid is another life."""
        for role, pid in pids.items():
            if role not in self._now or self._now[role].pid != pid:
                self._now[role] = Life(role, pid)
                self.lives.append(self._now[role])
            self._now[role].sample(minutes)

    def now(self, role):
        """The last sample of who plays that role."""
        rows = self._now[role].rows
        return rows[-1] if rows else (0, 0, 0, 0)

    def life(self, role):
        return self._now[role]

    def highest_kb(self, role):
        """RSS of all who have played that role."""
        return max((row[1] for one in self.lives if one.name == role for row in one.rows), default=0)
