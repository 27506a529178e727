# SPDX-License-Identifier: MIT
"""Where the programs under test are, and how to run them."""

import functools
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3]
BROKER = "/usr/sbin/mosquitto"
BROKER_USER = "mosquitto"


@functools.cache
def broker_version():
    """The broker's version as numbers, (2, 0, 21)."""
    words = subprocess.run([BROKER, "-h"], capture_output=True, text=True, check=False).stdout
    return tuple(map(int, re.search(r"version (\d+)\.(\d+)\.(\d+)", words).groups()))


def plugin_options():
    """The names of all options that the plugin knows, without plugin_opt_, from their table."""
    source = (SOURCE / "gateway" / "options.c").read_text()
    table = source.split("static const struct option known[]")[1].split("\n};")[0]
    rows = re.findall(r'\{(?:(?:ALL|EACH)\((\w+)\)|\.name = "(\w+)")', table)
    assert len(rows) == table.count(".parse = ") > 10, table
    return {field or name for field, name in rows}


def is_root():
    return os.geteuid() == 0


def give_to_broker(path):
    """Started as root, the broker becomes the user mosquitto before it opens a file."""
    if is_root():
        entry = pwd.getpwnam(BROKER_USER)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def make_directory(parent=None):
    """A short, fresh directory that the broker may enter and write to."""
    path = Path(tempfile.mkdtemp(prefix="mquic-", dir=parent))
    path.chmod(0o755)
    give_to_broker(path)
    return path


class Build:
    """The build directory: $MQUIC_BUILD, else build/ at the top of the source."""

    def __init__(self):
        self.directory = Path(os.environ.get("MQUIC_BUILD", SOURCE / "build")).resolve()
        # The broker user may not be allowed into the source tree, so it gets copies.
        self.copies = make_directory()
        self.plugin = self._copy(self.directory / "mosquitto-plugin" / "mosquitto_mquic.so")
        self.worker = self._copy(self.directory / "gateway" / "mquic-gateway")
        self._copy(self.directory / "libmquic" / "libmquic.so.0")
        self.sanitizer = self._sanitizer()

    def _copy(self, path):
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing: run `meson setup build && ninja -C build`")
        return Path(shutil.copy(path, self.copies / path.name))

    def _sanitizer(self):
        """The libasan that the plugin was linked with, to be loaded first; None if it was not."""
        # A library that is loaded first already would stand there without its name.
        env = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
        libraries = subprocess.run(
            ["ldd", str(self.plugin)], env=env, capture_output=True, text=True, check=True
        ).stdout
        return next((line.split()[2] for line in libraries.splitlines() if "libasan" in line), None)

    def python(self):
        """
        Where the Python module is. No interpreter of Debian's loads one with sanitizers: beside
        programs that have them it is that of build/, $MQUIC_PYTHON_BUILD names another. None: it
        is not built there.
        """
        plain = os.environ.get("MQUIC_PYTHON_BUILD", SOURCE / "build")
        path = Path(plain if self.sanitizer else self.directory).resolve() / "bindings" / "python"
        return path if any(path.glob("mquic/_native*.so")) else None

    def environment(self, preload=False):
        """Environment of a child; `preload` for a program that was not built with our flags."""
        env = dict(os.environ, LD_LIBRARY_PATH=str(self.copies), LC_ALL="C.UTF-8")
        # What whoever runs the tests has set for the tools is not theirs.
        env["XDG_CONFIG_HOME"] = str(self.copies / "config")
        env.pop("MQUIC_PASSWORD", None)
        if self.sanitizer:
            env["ASAN_OPTIONS"] = "abort_on_error=0:exitcode=99"
            env["UBSAN_OPTIONS"] = "print_stacktrace=1:halt_on_error=1:exitcode=99"
            if preload:
                env["LD_PRELOAD"] = self.sanitizer
                # The broker itself leaks at exit by design.
                env["ASAN_OPTIONS"] += ":detect_leaks=0"
        return env

    def tool(self, name):
        """Path of a program in tools/, such as "mquic-pub"."""
        return str(self.directory / "tools" / name)

    def helper(self, name):
        """Path of a C helper client in tests/integration/."""
        return str(self.directory / "tests" / "integration" / name)

    def preload(self, name):
        """Path of a library in tests/preload/."""
        return str(self.directory / "tests" / "preload" / f"{name}.so")

    def run(self, *argv, timeout=60, **options):
        """Runs a program of ours to its end; text in and out. A hang fails the test."""
        options.setdefault("capture_output", True)
        options.setdefault("text", True)
        return subprocess.run(
            [str(word) for word in argv], env=self.environment(), timeout=timeout, **options
        )

    def close(self):
        shutil.rmtree(self.copies, ignore_errors=True)
