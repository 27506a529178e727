# SPDX-License-Identifier: MIT
"""Builds of libmquic for the footprint: with a part left out, and ever smaller."""

import os
import re
import shlex
import shutil
from pathlib import Path

from harness.build import SOURCE

from .sizes import SECTIONS_APART, by_archive, output
from .sysroot import ARCHITECTURES, cross_file

PROBES = Path(__file__).resolve().parent.parent / "probes"

# Each step keeps what the ones before it did: (name, meson options, compiler, linker).
STEPS = [
    ("-O2", {"buildtype": "debugoptimized"}, [], []),
    ("-Os", {"optimization": "s"}, [], []),
    ("gc-sections", {}, SECTIONS_APART, ["-Wl,--gc-sections"]),
    ("LTO", {"b_lto": "true"}, [], []),
    ("no log lines", {"log": "false"}, [], []),
    ("no server side", {"server": "false"}, [], []),
]
APART = "gc-sections"  # the smallest in which the linker still sees what comes from where
SMALLEST = "LTO"  # the last step that leaves nothing out
CLIENT = STEPS[-1][0]

# What a feature's size is the difference to.
OFF = {
    "server side": ["server"],
    "MQTT": ["mqtt"],
    "log lines": ["log"],
    "all three": ["server", "mqtt", "log"],
}
PACKAGED = "as packaged"

QUIC_HALF = "libmquic, QUIC half (core, tls, quic)"
MQTT_HALF = "libmquic, MQTT half (mqtt, session)"


def names():
    """Every build, in the order to make them."""
    features = [without(base, feature) for base in (PACKAGED, SMALLEST) for feature in OFF]
    return [PACKAGED, *(step for step, *_ in STEPS), *features]


def without(base, feature):
    """The name of the build that lacks a feature."""
    return f"{base}, {feature} off"


def recipe(name, architecture):
    """(meson options, compiler arguments, linker arguments) of a build."""
    base, _, off = name.partition(", ")
    if base == PACKAGED:
        options, c_args, links = {"buildtype": "plain"}, *debian_flags(architecture)
    else:
        options, c_args, links = {}, [], []
        for step, more, for_compiler, for_linker in STEPS:
            options.update(more)
            c_args += for_compiler
            links += for_linker
            if step == base:
                break
    for option in OFF[off.removesuffix(" off")] if off else []:
        options[option] = "false"
    return options, c_args, links


def debian_flags(architecture):
    """What debian/rules has packages built with."""
    env = dict(os.environ, DEB_BUILD_MAINT_OPTIONS="hardening=+all optimize=+lto")
    if architecture != "native":
        env["DEB_HOST_ARCH"] = architecture
    return tuple(
        [flag for name in words for flag in shlex.split(
            output("dpkg-buildflags", "--get", name, env=env)) if "prefix-map" not in flag]
        for words in (["CFLAGS", "CPPFLAGS"], ["LDFLAGS"])
    )


class Variant:
    """One build of the library, and of the plugin if it has all that needs."""

    def __init__(self, directory, tools, name):
        self.directory = directory
        self.tools = tools
        self.options, self.c_args, self.links = recipe(name, tools.architecture)
        self.complete = self.has("server") and self.has("mqtt")
        self._root_c_args, self._root_links = [], []
        if tools.architecture != "native":
            self._cross = cross_file(tools.architecture, directory.with_suffix(".cross"))
            found = dict(re.findall(r"^(c_args|c_link_args) = (.*)$", self._cross.read_text(),
                                    re.M))
            self._root_c_args = re.findall(r"'([^']+)'", found["c_args"])
            self._root_links = re.findall(r"'([^']+)'", found["c_link_args"])

    def has(self, option):
        return self.options.get(option) != "false"

    @property
    def shared_object(self):
        return self.directory / "libmquic" / "libmquic.so.0.1.0"

    @property
    def plugin(self):
        return self.directory / "mosquitto-plugin" / "mosquitto_mquic.so"

    def make(self):
        words = ["-Dtests=false", "-Dexamples=false", "-Dbench=disabled", "-Dpython=disabled",
                 "-Dlua=", f"-Dmosquitto_plugin={str(self.complete).lower()}"]
        if self._root_links:
            words.append(f"--cross-file={self._cross}")
        words += [f"-D{name}={value}" for name, value in self.options.items()]
        words += [f"-Dc_args={self._root_c_args + self.c_args!r}",
                  f"-Dc_link_args={self._root_links + self.links!r}"]
        shutil.rmtree(self.directory, ignore_errors=True)
        output("meson", "setup", self.directory, SOURCE, *words)
        targets = ["libmquic/libmquic.so.0.1.0", "libmquic/libmquic.a"]
        if self.complete:
            targets.append("mosquitto-plugin/mosquitto_mquic.so")
        output("ninja", "-C", self.directory, "-j2", *targets)

    def link(self, probe, shared=True):
        """
        A probe with libmquic.a; what it needs of other libraries stays in them if `shared`,
        else is linked as far as Debian has archives of them. Returns (program, link map).
        """
        program = self.directory / f"{probe}-{'shared' if shared else 'static'}"
        optimise = ["-Os"] if self.options.get("optimization") == "s" else ["-O2"]
        if self.options.get("b_lto") == "true":
            optimise.append("-flto")
        map_file = program.with_suffix(".map")
        output(self.tools.gcc, *optimise, *self.c_args, *self._root_links,
               f"-I{SOURCE}/libmquic", PROBES / f"{probe}.c",
               self.directory / "libmquic" / "libmquic.a", *self.links,
               *(self._shared() if shared else self._static()), f"-Wl,-Map={map_file}",
               "-o", program)
        return program, map_file.read_text(errors="replace")

    def _shared(self):
        return ["-Wl,--as-needed", *output("pkg-config", "--libs", "libngtcp2",
                                           "libngtcp2_crypto_gnutls", "gnutls").split()]

    def _static(self):
        archives = ["ngtcp2_crypto_gnutls", "ngtcp2", "gnutls", "hogweed", "nettle", "gmp",
                    "tasn1", "idn2"]
        # Debian has no archive of p11-kit, and GnuTLS's needs it and libunistring.
        lib = self._library_directory()
        return ["-Wl,--start-group", *(f"-l:lib{name}.a" for name in archives),
                "-Wl,--end-group", *shared_file(lib, "libunistring"), *shared_file(lib, "libp11-kit")]

    def _library_directory(self):
        if self.tools.architecture == "native":
            multiarch = output("gcc", "-print-multiarch").strip()
            return Path("/usr/lib") / multiarch
        arch = ARCHITECTURES[self.tools.architecture]
        root = next(flag for flag in self._root_links if flag.startswith("--sysroot="))
        return Path(root.partition("=")[2]) / "usr" / "lib" / arch["multiarch"]

    def parts(self, probe):
        """{component: bytes} of a program in which all is static that can be."""
        program, map_text = self.link(probe, shared=False)
        return by_archive(map_text, component), self.tools.measure(program)


def shared_file(directory, stem):
    """The library itself, for want of a development package."""
    found = sorted(directory.glob(f"{stem}.so.*"), key=lambda path: len(path.name))
    return [str(found[0])] if found else []


def component(path):
    """Which part of a program an object in a link map belongs to."""
    archive = re.search(r"/lib([\w+-]+)\.a\(", path)
    if archive and archive[1] not in ("c", "gcc", "c_nonshared", "gcc_eh", "mquic"):
        return {"ngtcp2_crypto_gnutls": "ngtcp2's crypto"}.get(archive[1], archive[1])
    if archive and archive[1] == "mquic" or "libmquic.a" in path:
        room = re.search(r"\((core|tls|quic|mqtt|session)_", path)
        if room:
            return MQTT_HALF if room[1] in ("mqtt", "session") else QUIC_HALF
        return "libmquic"
    if "ltrans" in path:
        return "libmquic"
    return "start-up, probe"
