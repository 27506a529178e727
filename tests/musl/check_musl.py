# SPDX-License-Identifier: MIT
"""The sources compile against musl, which Alpine and OpenWrt have. Nothing is linked: of the other
libraries there are the headers alone, those of this system behind musl's own."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(SOURCE / "tests" / "abi"))

from tap import Tap  # noqa: E402 (the path must be set first)

HEADERS = ["gnutls", "ngtcp2", "linux", "asm-generic", "json-c", "mosquitto.h",
           "mosquitto_broker.h", "mosquitto_plugin.h", "mqtt_protocol.h", "seccomp.h", "seccomp-syscalls.h"]
FLAGS = ["-std=gnu11", "-fsyntax-only", "-D_GNU_SOURCE", '-DMQUIC_VERSION_STRING="0"',
         "-DMQUIC_LOG_LINES=1", '-DMQUIC_GATEWAY="/gateway"', "-Wall", "-Wextra", "-Wno-overlength-strings",
         "-Ilibmquic", "-I.", "-Itools", "-Igateway", "-Imosquitto-plugin"]


def lay_out_headers(place):
    include = Path("/usr/include")
    multiarch = subprocess.run(["gcc", "-print-multiarch"], capture_output=True, text=True,
                               check=True).stdout.strip()
    for name in HEADERS:
        if (include / name).exists():
            (place / name).symlink_to(include / name)
    (place / "asm").symlink_to(include / multiarch / "asm")


def complaints(source, place):
    done = subprocess.run(["musl-gcc", *FLAGS, "-idirafter", place, source], cwd=SOURCE,
                          capture_output=True, text=True, check=False)
    return [line for line in done.stderr.splitlines() if "error:" in line or "warning:" in line]


def main():
    tap = Tap()
    for room in ["libmquic", "server", "gateway", "mosquitto-plugin", "tools"]:
        name = f"{room} compiles against musl"
        if shutil.which("musl-gcc") is None:
            tap.skip(name, "musl-gcc is not installed (musl-tools)")
            continue
        with tempfile.TemporaryDirectory() as place:
            lay_out_headers(Path(place))
            sources = sorted((SOURCE / room).rglob("*.c"))
            tap.check(name, [line for source in sources for line in complaints(source, place)])
    tap.done()


main()
