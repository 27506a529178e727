# SPDX-License-Identifier: MIT
"""A build with the compiler flags of the Debian packages, as debian/rules asks for them."""

import os
import shutil
import subprocess

from harness.build import SOURCE

from .errors import BenchError
from .progress import say

OPTIONS = ["--buildtype=plain", "-Dpython=disabled", "-Dlua=[]", "-Dbench=enabled"]
MAINTAINER = "hardening=+all optimize=+lto"
FLAGS = ["CFLAGS", "CPPFLAGS", "LDFLAGS"]


def _run(argv, **options):
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise BenchError(f"{' '.join(map(str, argv[:3]))}: {(done.stdout + done.stderr)[-600:]}")
    return done.stdout


def environment():
    """What dpkg would have set, less the path of the source in it."""
    if not shutil.which("dpkg-buildflags"):
        raise BenchError("--packaged needs dpkg-buildflags (package dpkg-dev)")
    env = {**os.environ, "DEB_BUILD_MAINT_OPTIONS": MAINTAINER}
    for name in FLAGS:
        words = _run(["dpkg-buildflags", "--get", name], env=env).split()
        env[name] = " ".join(word for word in words if not word.startswith("-ffile-prefix-map"))
    return env


def make(directory):
    """Sets up and builds `directory`, or brings it up to date."""
    say(f"Building {directory} as the packages are built")
    if not (directory / "build.ninja").exists():
        _run(["meson", "setup", directory, SOURCE, *OPTIONS], env=environment())
    _run(["ninja", "-C", directory])
