# SPDX-License-Identifier: MIT
"""Sizes: by component, by feature, by architecture, and what each way to shrink gains."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness.build import SOURCE

from .broker import BenchError
from .draw import bars, stacked
from .progress import Progress
from .results import select
from .sysroot import ARCHITECTURES, cross_file
from .table import number, table

PROBES = Path(__file__).resolve().parent.parent / "probes"
PROGRAMS = ["nothing", "quic-client", "quic-server", "mqtt-client", "mqtt-server"]
ROOMS = ["core", "tls", "quic", "mqtt", "session"]

# Each step keeps what the ones before it did.
SECTIONS = ["-ffunction-sections", "-fdata-sections"]
STEPS = [
    ("-O2, as packaged", {"buildtype": "debugoptimized"}, []),
    ("-Os", {"optimization": "s"}, []),
    ("LTO", {"b_lto": "true"}, []),
    ("gc-sections", {"c_link_args": "-Wl,--gc-sections"}, SECTIONS),
    ("no log lines", {}, 
     [f"-I{SOURCE}/libmquic", "-include", str(PROBES / "no-log.h")]),
]

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


def add_options(parser):
    parser.add_argument("--no-builds", action="store_true",
                        help="measure the present build only, make no other")
    parser.add_argument("--architectures", metavar="LIST", default=["native", *ARCHITECTURES],
                        type=lambda text: text.split(","),
                        help="of native, " + ", ".join(ARCHITECTURES))
    parser.set_defaults(seed=0)


# ---- measuring files


def output(*argv):
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"{' '.join(map(str, argv[:3]))}…: {done.stderr.strip()[-400:]}")
    return done.stdout


class Tools:
    """Compiler and binutils of one architecture."""

    def __init__(self, architecture):
        self.architecture = architecture
        prefix = ""
        if architecture != "native":
            prefix = ARCHITECTURES[architecture]["triplet"] + "-"
        self.gcc = prefix + "gcc"
        self.size = prefix + "size"
        self.strip = prefix + "strip"
        self.nm = prefix + "nm"

    def measure(self, path):
        """Size on disk without symbols, and in memory by kind."""
        with tempfile.TemporaryDirectory() as place:
            bare = Path(place) / "bare"
            output(self.strip, "-o", bare, path)
            text, data, bss = output(self.size, bare).splitlines()[1].split()[:3]
            return {"stripped": bare.stat().st_size, "text": int(text), "data": int(data),
                    "bss": int(bss)}

    def sections(self, path):
        found = {}
        for line in output(self.size, "-A", path).splitlines()[2:]:
            words = line.split()
            if len(words) == 3 and int(words[1]) > 0 and words[2] != "0":
                found[words[0]] = int(words[1])
        return found

    def largest_symbols(self, path, count):
        symbols = []
        for line in output(self.nm, "-S", "--size-sort", "-r", path).splitlines():
            words = line.split()
            if len(words) == 4 and words[2] in "tTrRdDbB":
                symbols.append([words[3], int(words[1], 16), words[2]])
        return symbols[:count]


# ---- builds


def setup(directory, tools, options, c_args):
    """Configures and compiles libmquic and the plugin alone."""
    words = ["-Dtests=false", "-Dexamples=false", "-Dbench=disabled", "-Dpython=disabled",
             "-Dlua="]
    args = list(c_args)
    links = [options["c_link_args"]] if "c_link_args" in options else []
    if tools.architecture != "native":
        cross = cross_file(tools.architecture, directory.parent / f"{tools.architecture}.cross")
        words.append(f"--cross-file={cross}")
        section = cross.read_text()
        args = re.findall(r"'([^']+)'", re.search(r"c_args = (.*)", section).group(1)) + args
        links = re.findall(r"'([^']+)'", re.search(r"c_link_args = (.*)", section).group(1)) + links
    words += [f"-D{name}={value}" for name, value in options.items() if name != "c_link_args"]
    words += [f"-Dc_args={args!r}", f"-Dc_link_args={links!r}"]
    shutil.rmtree(directory, ignore_errors=True)
    output("meson", "setup", directory, SOURCE, *words)
    output("ninja", "-C", directory, "-j2", "libmquic/libmquic.so.0.1.0",
           "libmquic/libmquic.a", "mosquitto-plugin/mosquitto_mquic.so")


def link_program(build, tools, name, place):
    """A probe linked with libmquic.a, where what it does not reach is left out."""
    extra, libraries = [], output("pkg-config", "--libs", "libngtcp2", "libngtcp2_crypto_gnutls",
                                  "gnutls").split()
    if tools.architecture != "native":
        cross = (build.parent / f"{tools.architecture}.cross").read_text()
        extra = re.findall(r"'([^']+)'", re.search(r"c_link_args = (.*)", cross).group(1))
    out = place / name
    output(tools.gcc, "-O2", *SECTIONS, f"-I{SOURCE}/libmquic", PROBES / f"{name}.c",
           build / "libmquic" / "libmquic.a", *extra, "-Wl,--gc-sections", "-Wl,--as-needed",
           *libraries, "-o", out)
    return out


def room_sizes(build, tools):
    """Code and data of each room of libmquic, from its objects."""
    rooms = dict.fromkeys(ROOMS, 0)
    objects = [p for p in (build / "libmquic").rglob("*.o")]
    for path in objects:
        room = path.name.split("_")[0]
        if room in rooms:
            text, data, bss = output(tools.size, path).splitlines()[1].split()[:3]
            rooms[room] += int(text) + int(data)
    return rooms


def shared_libraries(path):
    """{name: path} of everything a native program loads, libc and the loader left out."""
    found = {}
    for name, place in re.findall(r"(\S+) => (/\S+)", output("ldd", path)):
        if not re.match(r"lib(c|m|pthread|dl|rt)\.so", name):
            found[name] = Path(place)
    return found


# ---- rows


def run(context, args):
    results = context.results("footprint")
    native = Tools("native")
    present_build(context, results, native)
    if not args.no_builds:
        _builds(context, results, args)
    results.save()
    present(context, results.rows)


def present_build(context, results, tools):
    """Components: what a client of the present build loads."""
    build = context.build.directory
    library = build / "libmquic" / "libmquic.so.0.1.0"
    if not results.missing([{"what": "components"}]):
        return
    files = {
        "libmquic": library,
        "plugin": build / "mosquitto-plugin" / "mosquitto_mquic.so",
        **shared_libraries(library),
    }
    for name, path in files.items():
        results.add({"what": "component", "name": name}, **tools.measure(path.resolve()))
    results.add({"what": "rooms"}, **room_sizes(build, tools))
    results.add({"what": "sections"}, sections=tools.sections(library))
    results.add({"what": "symbols"}, symbols=tools.largest_symbols(library, 25))
    results.add({"what": "components"})


def _builds(context, results, args):
    work = []
    for architecture in args.architectures:
        for i, (step, _, _) in enumerate(STEPS):
            work.append({"what": "step", "architecture": architecture, "step": i, "name": step})
        work.append({"what": "programs", "architecture": architecture})
    work = results.missing(work)
    place = Path(tempfile.mkdtemp(prefix="mquic-footprint-"))
    try:
        with Progress("footprint", len(work)) as progress:
            for key in work:
                _build_row(results, place, key)
                progress.step(f"{key['architecture']} {key.get('name', 'programs')}")
    finally:
        shutil.rmtree(place, ignore_errors=True)
        results.save()


def _build_row(results, place, key):
    tools = Tools(key["architecture"])
    build = place / "build"
    try:
        if key["what"] == "programs":
            # One section per function, so that a program gets only what it reaches.
            setup(build, tools, {"buildtype": "debugoptimized"}, SECTIONS)
            sizes = {n: tools.measure(link_program(build, tools, n, place)) for n in PROGRAMS}
            results.add(key, sizes=sizes)
            return
        options, c_args = {}, []
        for _, more, args in STEPS[: key["step"] + 1]:
            options.update(more)
            c_args += args
        setup(build, tools, options, c_args)
        results.add(
            key,
            library=tools.measure(build / "libmquic" / "libmquic.so.0.1.0"),
            plugin=tools.measure(build / "mosquitto-plugin" / "mosquitto_mquic.so"),
        )
    except BenchError as error:
        results.add(key, failed=str(error))


# ---- tables


def kib(size):
    return number(size / 1024)


def component_rows(rows):
    parts = select(rows, what="component")
    for row in parts:
        yield [row["key"]["name"], kib(row["stripped"]), kib(row["text"]), kib(row["data"]),
               kib(row["bss"])]
    total = sum(r["stripped"] for r in parts if r["key"]["name"] != "plugin")
    yield ["all of a client's libraries (libc left out)", kib(total), "", "", ""]


COMPONENT_HEAD = ["file", "KiB without symbols", "text", "data", "bss"]


def room_rows(rows):
    for row in select(rows, what="rooms"):
        halves = {
            "QUIC half (core, tls, quic)": row["core"] + row["tls"] + row["quic"],
            "MQTT half (mqtt)": row["mqtt"],
            "session and relay": row["session"],
        }
        for name in ROOMS:
            yield [name, kib(row[name])]
        for name, size in halves.items():
            yield [name, kib(size)]


ROOM_HEAD = ["room of libmquic", "KiB of code and data"]


def step_rows(rows):
    for architecture in ["native", *ARCHITECTURES]:
        before = None
        for row in sorted(select(rows, what="step", architecture=architecture),
                          key=lambda row: row["key"]["step"]):
            if "failed" in row:
                yield [architecture, row["key"]["name"], "failed", row["failed"][:60], "", ""]
                continue
            size = row["library"]["stripped"]
            text = row["library"]["text"]
            gain = "" if before is None else f"{100 * (text / before - 1):+.1f} %"
            before = text
            yield [_arch(architecture), row["key"]["name"], kib(size), kib(text), gain,
                   kib(row["plugin"]["stripped"])]


STEP_HEAD = ["architecture", "step", "libmquic.so KiB", "text KiB", "gain in text", "plugin KiB"]


def _arch(architecture):
    return os.uname().machine if architecture == "native" else architecture


def feature_rows(rows):
    """What a program that uses a feature weighs more than one that does not."""
    for row in select(rows, what="programs"):
        if "failed" in row:
            continue
        text = {name: size["text"] + size["data"] for name, size in row["sizes"].items()}
        base = text["nothing"]
        arch = _arch(row["key"]["architecture"])
        yield [arch, "QUIC client", kib(text["quic-client"] - base)]
        yield [arch, "QUIC server in its place",
               kib(text["quic-server"] - text["quic-client"])]
        yield [arch, "MQTT client on top of QUIC", kib(text["mqtt-client"] - text["quic-client"])]
        yield [arch, "MQTT relay on top of a QUIC server",
               kib(text["mqtt-server"] - text["quic-server"])]


FEATURE_HEAD = ["architecture", "feature (difference of two linked programs)", "KiB"]


def table_3_1_rows(rows):
    """Ours in the dissertation's terms: everything but libc, in MiB."""
    parts = {r["key"]["name"]: r["stripped"] for r in select(rows, what="component")}
    shared = sum(v for k, v in parts.items() if k not in ("plugin", "libmquic"))
    programs = [r for r in select(rows, what="programs", architecture="native") if "sizes" in r]
    for row in programs:
        sizes = row["sizes"]
        yield ["mquic, QUIC alone, with GnuTLS", _mib(sizes["quic-client"]["stripped"] + shared),
               _mib(sizes["quic-server"]["stripped"] + shared)]
        yield ["mquic, MQTT over QUIC, with GnuTLS",
               _mib(sizes["mqtt-client"]["stripped"] + shared),
               _mib(sizes["mqtt-server"]["stripped"] + shared)]
    if programs:
        sizes = programs[0]["sizes"]
        quic = parts.get("libngtcp2.so.16", 0) + sum(
            v for k, v in parts.items() if k.startswith("libngtcp2_crypto"))
        yield ["mquic without the TLS library's files",
               _mib(sizes["mqtt-client"]["stripped"] + quic),
               _mib(sizes["mqtt-server"]["stripped"] + quic)]
    for name, (client, server) in TABLE_3_1.items():
        yield [f"{name} (dissertation)", client, server]


TABLE_3_1_HEAD = ["table 3.1: MiB with TLS", "client", "server"]


def _mib(size):
    return f"{size / 1048576:.2f}"


def symbol_rows(rows):
    for row in select(rows, what="symbols"):
        for name, size, kind in row["symbols"]:
            yield [name, size, "code" if kind in "tT" else "data"]


SYMBOL_HEAD = ["largest symbols of libmquic.so", "bytes", "kind"]


def section_rows(rows):
    for row in select(rows, what="sections"):
        for name, size in sorted(row["sections"].items(), key=lambda item: -item[1]):
            if not name.startswith((".debug", ".comment", ".gnu_debug")):
                yield [name, size]


SECTION_HEAD = ["sections of libmquic.so", "bytes"]


def tables(rows):
    """[(title, table)] of everything there is."""
    found = [
        ("Footprint: files", table(COMPONENT_HEAD, component_rows(rows))),
        ("Footprint: libmquic by room", table(ROOM_HEAD, room_rows(rows))),
        ("Footprint: features", table(FEATURE_HEAD, feature_rows(rows))),
        ("Footprint: steps to shrink", table(STEP_HEAD, step_rows(rows))),
        ("Footprint: beside the dissertation", table(TABLE_3_1_HEAD, table_3_1_rows(rows))),
        ("Footprint: sections", table(SECTION_HEAD, section_rows(rows))),
        ("Footprint: symbols", table(SYMBOL_HEAD, symbol_rows(rows))),
    ]
    return [(title, one) for title, one in found if one.rows]


def present(context, rows):
    for title, one in tables(rows):
        context.print_table(title, one)
    draw(context, rows)


def draw(context, rows):
    parts = {r["key"]["name"]: r["stripped"] / 1024 for r in select(rows, what="component")}
    ours = {name: size for name, size in parts.items() if name != "plugin"}
    stacked(context.out / "footprint-components", "A client and everything it loads, libc left out",
            ["client"], {name: [size] for name, size in ours.items()}, "KiB")
    steps = [row for row in select(rows, what="step") if "library" in row]
    architectures = [a for a in ["native", *ARCHITECTURES] if select(steps, architecture=a)]
    bars(
        context.out / "footprint-steps",
        "libmquic.so, text section, each step on top of those before it",
        [_arch(a) for a in architectures],
        {
            name: [
                next((row["library"]["text"] / 1024
                      for row in select(steps, architecture=a, step=i)), None)
                for a in architectures
            ]
            for i, (name, _, _) in enumerate(STEPS)
        }
        if architectures
        else {},
        "KiB",
    )
