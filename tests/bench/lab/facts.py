# SPDX-License-Identifier: MIT
"""What a figure depends on besides the code: machine, system, versions."""

import hashlib
import json
import os
import platform
import re
import subprocess
from pathlib import Path

from harness.build import SOURCE

PACKAGES = [
    "libgnutls30",
    "libmosquitto1",
    "libngtcp2-16",
    "libssl3",
    "mosquitto",
]


def _output(*argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def _cpu():
    text = Path("/proc/cpuinfo").read_text()
    found = re.search(r"model name\s*:\s*(.+)", text) or re.search(r"Model\s*:\s*(.+)", text)
    return found.group(1) if found else platform.machine()


def _memory_mb():
    return int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text()).group(1)) // 1024


def _packages():
    text = _output("dpkg-query", "-W", "-f", "${Package} ${Version}\n", *PACKAGES)
    return dict(line.split(" ", 1) for line in text.splitlines() if " " in line)


def _commit():
    commit = _output("git", "-C", str(SOURCE), "rev-parse", "--short=12", "HEAD")
    changed = _output("git", "-C", str(SOURCE), "status", "--porcelain", "-uno")
    return commit + ("+changes" if changed else "")


def _build_options(build):
    text = _output("meson", "introspect", "--buildoptions", str(build))
    wanted = ("buildtype", "optimization", "b_lto", "b_sanitize", "c_args")
    try:
        found = {o["name"]: o["value"] for o in json.loads(text) if o["name"] in wanted}
    except ValueError:
        return {}
    # Flags that tell of the machine's directories say nothing about speed.
    args = [word for word in found.pop("c_args", []) if not re.search(r"=/|^-[gI]", word)]
    if found.get("optimization") == "plain":
        del found["optimization"]
    return {**found, **({"c_args": " ".join(args)} if args else {})}


def gather(build):
    """Facts as a dictionary; `build` is the build directory under test."""
    return {
        "commit": _commit(),
        "build": _build_options(build),
        "packages": _packages(),
        "cpu": _cpu(),
        "cpus": os.cpu_count(),
        "memory_mb": _memory_mb(),
        "kernel": platform.release(),
        "system": _output("sh", "-c", '. /etc/os-release && echo "$PRETTY_NAME"'),
    }


def load_average():
    return round(os.getloadavg()[0], 2)


def identity(facts):
    """A short name for a set of facts, the same for equal sets."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]
