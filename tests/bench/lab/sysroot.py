# SPDX-License-Identifier: MIT
"""
Libraries of another architecture, unpacked into a directory of our own: nothing foreign is
installed on the machine but Debian's cross compiler. Needs no root.
"""

import os
import shutil
import subprocess
from pathlib import Path

from .broker import BenchError
from .progress import say

ARCHITECTURES = {
    "i386": {"triplet": "i686-linux-gnu", "multiarch": "i386-linux-gnu",
             "family": "x86", "cpu": "i686", "package": "gcc-i686-linux-gnu"},
    "armhf": {"triplet": "arm-linux-gnueabihf", "multiarch": "arm-linux-gnueabihf",
              "family": "arm", "cpu": "armv7", "package": "gcc-arm-linux-gnueabihf"},
}
PACKAGES = ["libgnutls28-dev", "libjson-c-dev", "libngtcp2-crypto-gnutls-dev", "libngtcp2-dev"]
# Taken alone: the headers would bring the broker with all it needs.
ALONE = ["libmosquitto-dev", "libmosquitto1", "mosquitto-dev"]


def _cache():
    base = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    return Path(base) / "mquic-bench"


def _apt(place, architecture, *words, needed=True):
    """apt-get with the machine's sources and a state of its own, where nothing is installed."""
    state = place / "apt"
    for folder in ("lists/partial", "archives/partial"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    options = {
        "APT::Architecture": architecture,
        "APT::Architectures::": architecture,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
        "Dir::State": state,
        "Dir::State::Lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state,
        "Dir::Cache::Archives": state / "archives",
        "Debug::NoLocking": "true",
    }
    argv = ["apt-get", "-q", "-y"]
    for name, value in options.items():
        if value != "":
            argv += ["-o", f"{name}={value}"]
    done = subprocess.run(
        [*argv, *words], cwd=state / "archives", capture_output=True, text=True, check=False
    )
    if needed and done.returncode != 0:
        raise BenchError(f"apt-get {words[0]} for {architecture}: {done.stderr.strip()[-400:]}")
    return done.returncode == 0


def _versions(packages):
    """The versions installed here, so that every architecture is built against the same."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package}=${Version}\n", *packages],
                          capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def sysroot(architecture):
    """The directory, made at the first call; BenchError says what is missing."""
    compiler = f"{ARCHITECTURES[architecture]['triplet']}-gcc"
    if shutil.which(compiler) is None:
        raise BenchError(f"{compiler} is missing: run `tools/setup --bench`")
    place = _cache() / architecture
    root = place / "root"
    if (place / "complete").exists():
        return root
    say(f"fetching libraries for {architecture} into {place} (once)")
    shutil.rmtree(place, ignore_errors=True)
    # A mirror may lack a list of one suite; what is needed decides.
    _apt(place, architecture, "update", needed=False)
    fetch = ["install", "--download-only"]
    same = [*_versions(PACKAGES), "libc6-dev"]
    if not _apt(place, architecture, *fetch, *same, needed=False):
        # Backports must be named; of the rest take what there is.
        near = [p if "~bpo" in p else p.partition("=")[0] for p in same]
        _apt(place, architecture, *fetch, *near)
    _apt(place, architecture, "download", *_versions(ALONE))
    root.mkdir(parents=True)
    for package in sorted((place / "apt" / "archives").glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", str(package), str(root)], check=True)
    shutil.rmtree(place / "apt")
    (place / "complete").touch()
    return root


def cross_file(architecture, path):
    """Writes a meson cross file for the sysroot."""
    root = sysroot(architecture)
    arch = ARCHITECTURES[architecture]
    lib = f"{root}/usr/lib/{arch['multiarch']}"
    flags = [f"--sysroot={root}"]
    links = [*flags, f"-Wl,-rpath-link,{lib}:{root}/lib/{arch['multiarch']}"]
    path.write_text(
        f"""[binaries]
c = '{arch['triplet']}-gcc'
ar = '{arch['triplet']}-gcc-ar'
strip = '{arch['triplet']}-strip'
pkg-config = 'pkg-config'

[built-in options]
c_args = {flags}
c_link_args = {links}

[properties]
sys_root = '{root}'
pkg_config_libdir = ['{lib}/pkgconfig', '{root}/usr/share/pkgconfig']

[host_machine]
system = 'linux'
cpu_family = '{arch['family']}'
cpu = '{arch['cpu']}'
endian = 'little'
"""
    )
    return path
