# SPDX-License-Identifier: MIT
"""The tables and pictures of the footprint."""

import os

from .draw import bars, stacked
from .results import select
from .sizes import loaded
from .sysroot import ARCHITECTURES
from .table import number, table
from .variants import APART, CLIENT, OFF, PACKAGED, SMALLEST, STEPS, without

# The dissertation's table 3.1: MiB of a client and a server with TLS.
TABLE_3_1 = {
    "ngtcp2": (3.4, 4.3),
    "picoquic": (3.2, 3.9),
    "msquic": (3.2, 4.1),
    "quic-go": (8.7, 9.9),
    "Quinn": (9.1, 9.5),
    "Quiche": (7.8, 7.0),
    "mvfst": (11.1, 12.0),
}
# Of GnuTLS's dependencies, those that have no archive in Debian.
SHARED_YET = ["libp11-kit.so.0", "libunistring.so.2", "libffi.so.8"]


def kib(size):
    return "–" if size is None else number(size / 1024)


def mib(size):
    return f"{size / 1048576:.2f}"


def change(now, before):
    return f"{100 * (now / before - 1):+.1f} %" if now and before else ""


def shown(architecture):
    return os.uname().machine if architecture == "native" else architecture


class Builds:
    """The rows of builds, by architecture and name."""

    def __init__(self, rows):
        self._rows = {(row["key"]["architecture"], row["key"]["name"]): row
                      for row in select(rows, what="build")}
        self.architectures = [a for a in ["native", *ARCHITECTURES]
                              if any(key[0] == a for key in self._rows)]

    def row(self, architecture, name):
        return self._rows.get((architecture, name), {})

    def size(self, architecture, name, what="library"):
        measured = self.row(architecture, name).get(what)
        return loaded(measured) if measured else None

    def failures(self):
        return [[shown(a), name, row["failed"]] for (a, name), row in self._rows.items()
                if "failed" in row]


# ---- what there is


def component_rows(rows):
    parts = select(rows, what="component")
    for row in parts:
        yield [row["key"]["name"], kib(row["stripped"]), kib(row["text"]), kib(row["data"]),
               kib(row["bss"])]
    total = sum(r["stripped"] for r in parts if r["key"]["name"] != "plugin")
    yield ["all of a client's libraries (libc left out)", kib(total), "", "", ""]


def room_rows(rows):
    for row in select(rows, what="rooms"):
        for name in ("core", "tls", "quic", "mqtt", "session"):
            yield [name, kib(row[name])]
        yield ["QUIC half (core, tls, quic)", kib(row["core"] + row["tls"] + row["quic"])]
        yield ["MQTT half (mqtt)", kib(row["mqtt"])]
        yield ["session and relay", kib(row["session"])]


def clients(builds):
    """[(architecture, build)] of the clients in one file."""
    return [(a, name) for a in builds.architectures for name in (PACKAGED, APART, CLIENT)
            if "parts" in builds.row(a, name)]


def by_size(columns):
    """The names of all columns, ours and then the largest first."""
    return sorted({name for column in columns for name in column},
                  key=lambda name: (not name.startswith("libmquic"),
                                    -max(column.get(name, 0) for column in columns)))


def client_rows(rows):
    """A minimal MQTT client, as far as possible in one file, by component."""
    builds = Builds(rows)
    found = [builds.row(*one) for one in clients(builds)]
    columns = [row["parts"] for row in found]
    for name in by_size(columns):
        yield [name, *(kib(column.get(name)) for column in columns)]
    totals = [row["static"]["stripped"] for row in found]
    if totals:
        yield ["the loader's tables, padding",
               *(kib(total - sum(column.values())) for total, column in zip(totals, columns))]
        yield ["the program, stripped", *map(kib, totals)]


def client_head(rows):
    return ["KiB"] + [f"{shown(a)}, {label(name)}" for a, name in clients(Builds(rows))]


# ---- features


def feature_rows(rows):
    builds = Builds(rows)
    for architecture in builds.architectures:
        for base in (PACKAGED, SMALLEST):
            whole = builds.size(architecture, base)
            if whole is None:
                continue
            yield [shown(architecture), label(base), "everything in", kib(whole), "", ""]
            for feature in OFF:
                left = builds.size(architecture, without(base, feature))
                if left is not None:
                    yield [shown(architecture), label(base), f"{feature} off", kib(left),
                           kib(whole - left), f"{100 * (whole - left) / whole:.1f} %"]


def label(base):
    return {SMALLEST: "smallest", APART: "-Os, no LTO", CLIENT: "smallest client"}.get(base, base)


def inside_rows(rows):
    for row in select(rows, what="inside"):
        for feature, (size, count) in ((k, v) for k, v in row.items() if isinstance(v, list)):
            yield [feature, kib(size), count if count else "none apart: LTO has merged them"]


# ---- steps


def step_rows(rows):
    builds = Builds(rows)
    for architecture in builds.architectures:
        for name in (PACKAGED, *(step for step, *_ in STEPS)):
            row = builds.row(architecture, name)
            if "library" not in row:
                continue
            plugin = row.get("plugin")
            yield [shown(architecture), name, *_step(builds, architecture, name, "library"),
                   *_step(builds, architecture, name, "client"),
                   kib(loaded(plugin)) if plugin else "–"]


def _step(builds, architecture, name, what):
    """Size, gain over the step before, over the first step, and over the native build."""
    size = builds.size(architecture, name, what)
    steps = [step for step, *_ in STEPS]
    before = first = None
    if name in steps[1:]:
        before = builds.size(architecture, steps[steps.index(name) - 1], what)
        first = builds.size(architecture, steps[0], what)
    native = builds.size("native", name, what) if architecture != "native" else None
    return [kib(size), change(size, before), change(size, first), change(size, native)]


# ---- beside the dissertation


def table_3_1_rows(rows):
    shared = {r["key"]["name"]: r["stripped"] for r in select(rows, what="component")}
    yet = sum(shared.get(name, 0) for name in SHARED_YET)
    builds = Builds(rows)
    programs = builds.row("native", PACKAGED).get("programs")
    if not programs:
        return
    size = {probe: measured["stripped"] for probe, measured in programs.items()}
    yield ["mquic, QUIC alone, in one file but for what Debian has shared alone",
           mib(size["quic-client"]), mib(size["quic-server"])]
    yield ["mquic, MQTT over QUIC, the same", mib(size["mqtt-client"]), mib(size["mqtt-server"])]
    yield ["the last, and what it still loads but libc: p11-kit, libunistring, libffi",
           mib(size["mqtt-client"] + yet), mib(size["mqtt-server"] + yet)]
    for name, (client, server) in TABLE_3_1.items():
        yield [f"{name} (dissertation)", client, server]


# ---- inside libmquic.so


def section_rows(rows):
    builds = Builds(rows)
    columns = [builds.row(a, name).get("sections", {})
               for a in builds.architectures for name in (PACKAGED, SMALLEST)]
    for name in by_size(columns):
        yield [name, *(column.get(name, "–") for column in columns)]


def section_head(rows):
    return ["bytes in libmquic.so"] + [f"{shown(a)}, {label(name)}"
                                       for a in Builds(rows).architectures
                                       for name in (PACKAGED, SMALLEST)]


def symbol_rows(rows):
    for row in select(rows, what="symbols"):
        for name, size, kind in row["symbols"]:
            yield [name, size, "code" if kind in "tT" else "data"]


def tables(rows):
    """[(title, table)] of everything there is."""
    found = [
        ("Footprint: files", ["file", "KiB without symbols", "text", "data", "bss"],
         component_rows(rows)),
        ("Footprint: libmquic by room", ["room of libmquic", "KiB of code and data"],
         room_rows(rows)),
        ("Footprint: a minimal MQTT client in one file, by component",
         client_head(rows), client_rows(rows)),
        ("Footprint: features, by builds without them",
         ["architecture", "build", "libmquic.so", "KiB loaded", "the feature's KiB", "share"],
         feature_rows(rows)),
        ("Footprint: what is no option, by symbols that are for it alone",
         ["feature", "KiB", "symbols"], inside_rows(rows)),
        ("Footprint: steps to shrink, each on top of those before it",
         ["architecture", "step", "libmquic.so KiB", "gain", "in all", "32 bit",
          "client KiB", "gain", "in all", "32 bit", "plugin KiB"], step_rows(rows)),
        ("Footprint: beside the dissertation", ["table 3.1: MiB with TLS", "client", "server"],
         table_3_1_rows(rows)),
        ("Footprint: sections", section_head(rows), section_rows(rows)),
        ("Footprint: symbols", ["largest symbols of libmquic.so", "bytes", "kind"],
         symbol_rows(rows)),
        ("Footprint: builds that failed", ["architecture", "build", "why"],
         Builds(rows).failures()),
    ]
    made = [(title, table(head, lines)) for title, head, lines in found]
    return [(title, one) for title, one in made if one.rows]


def present(context, rows):
    for title, one in tables(rows):
        context.print_table(title, one)
    draw(context, rows)


# ---- pictures


def draw(context, rows):
    parts = {r["key"]["name"]: r["stripped"] / 1024 for r in select(rows, what="component")}
    ours = {name: size for name, size in parts.items() if name != "plugin"}
    stacked(context.out / "footprint-components", "A client and everything it loads, libc left out",
            ["client"], {name: [size] for name, size in ours.items()}, "KiB")
    builds = Builds(rows)
    if builds.architectures:
        draw_client(context, builds)
        draw_features(context, builds)
        draw_steps(context, builds)


def draw_client(context, builds):
    groups = clients(builds)
    whole = [builds.row(*group)["parts"] for group in groups]
    stacked(
        context.out / "footprint-client",
        "A minimal MQTT client in one file, by component",
        [f"{shown(a)}, {label(name)}" for a, name in groups],
        {name: [parts.get(name, 0) / 1024 for parts in whole] for name in by_size(whole)},
        "KiB",
    )


def draw_features(context, builds):
    def lost(architecture, base, feature):
        whole = builds.size(architecture, base)
        left = builds.size(architecture, without(base, feature))
        return (whole - left) / 1024 if whole and left else None

    bars(
        context.out / "footprint-features",
        "What libmquic.so loses with a feature",
        list(OFF),
        {
            f"{shown(a)}, {label(base)}": [lost(a, base, feature) for feature in OFF]
            for a in builds.architectures
            for base in (PACKAGED, SMALLEST)
        },
        "KiB",
    )


def draw_steps(context, builds):
    names = [PACKAGED, *(step for step, *_ in STEPS)]
    bars(
        context.out / "footprint-steps",
        "libmquic.so as loaded, each step after -O2 on top of those before it",
        names,
        {
            shown(a): [size / 1024 if (size := builds.size(a, name)) else None for name in names]
            for a in builds.architectures
        },
        "KiB",
    )
