# SPDX-License-Identifier: MIT
"""
Result files. One file per sub-command, one line per row, so that they can be read and compared:

    {"command": …, "facts": {ID: {…}}, "rows": [
    {"key": …, "facts": ID, "seed": …, …},
    …]}

A row's key is everything it was asked to measure; a row that is there is not measured again.
Committed results are packed: rows that differ in their seed alone become one, with columns.
"""

import json
import os
import threading
import time

WRITE_EVERY_S = 2


class Results:
    """The rows of one sub-command in `directory`/COMMAND.json."""

    def __init__(self, directory, command, facts=None, facts_id=None):
        self.path = directory / f"{command}.json"
        self.command = command
        self.rows = []
        self.facts = {}
        self._facts_id = facts_id
        self._written = 0.0
        self._lock = threading.Lock()
        self._load()
        self.others = sum(row["facts"] != facts_id for row in self.rows) if facts_id else 0
        if facts_id:
            self.facts[facts_id] = facts

    def _load(self):
        if not self.path.exists():
            return
        kept = json.loads(self.path.read_text())
        self.rows = unpack(kept["rows"])
        self.facts = kept["facts"]

    def forget(self):
        """Starts afresh."""
        self.rows = []
        self.facts = {self._facts_id: self.facts[self._facts_id]} if self._facts_id else {}

    def missing(self, keys):
        """Those of the keys that have no row yet."""
        there = {json.dumps(row["key"], sort_keys=True) for row in self.rows}
        return [key for key in keys if json.dumps(key, sort_keys=True) not in there]

    def add(self, key, **values):
        row = {"key": key, "facts": self._facts_id, **{k: _short(v) for k, v in values.items()}}
        with self._lock:
            self.rows.append(row)
            if time.monotonic() - self._written > WRITE_EVERY_S:
                self._write()
        return row

    def save(self):
        with self._lock:
            self._write()

    def save_packed(self, directory):
        """Writes a small copy to another directory."""
        copy = Results(directory, self.command)
        copy.rows, copy.facts = pack(self.rows), self.facts
        copy.save()

    def _write(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        used = {row["facts"] for row in self.rows} | {self._facts_id}
        head = {
            "command": self.command,
            "facts": {name: facts for name, facts in self.facts.items() if name in used},
        }
        lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in self.rows)
        text = json.dumps(head)[:-1] + ', "rows": [\n' + lines + "\n]}\n"
        fresh = self.path.with_suffix(".tmp")
        fresh.write_text(text)
        os.replace(fresh, self.path)
        self._written = time.monotonic()


def pack(rows):
    """[{"key": …, "seeds": […], "columns": {name: […]}}]; rows without seed stay as they are."""
    packed = {}
    for row in rows:
        key = {name: value for name, value in row["key"].items() if name != "seed"}
        if "seed" not in row["key"]:
            packed[json.dumps(row)] = row
            continue
        group = packed.setdefault(
            json.dumps([key, row["facts"]]),
            {"key": key, "facts": row["facts"], "seeds": [], "columns": {}},
        )
        columns = group["columns"]
        names = [name for name in row if name not in ("key", "facts")]
        for name in names:
            columns.setdefault(name, [None] * len(group["seeds"]))
        group["seeds"].append(row["key"]["seed"])
        for name, column in columns.items():
            column.append(row.get(name))
    return list(packed.values())


def unpack(rows):
    """The rows that pack() was given; what a row did not have is None."""
    found = []
    for row in rows:
        if "columns" not in row:
            found.append(row)
            continue
        for i, seed in enumerate(row["seeds"]):
            columns = {name: column[i] for name, column in row["columns"].items()}
            found.append({"key": {**row["key"], "seed": seed}, "facts": row["facts"], **columns})
    return found


def _short(value):
    """Numbers with as many digits as they are good for."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {name: _short(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_short(inner) for inner in value]
    return value


def select(rows, **wanted):
    """Rows whose key has these values."""
    return [
        row for row in rows if all(row["key"].get(name) == value for name, value in wanted.items())
    ]
