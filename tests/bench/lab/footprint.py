# SPDX-License-Identifier: MIT
"""Sizes: by component, by feature, by architecture, and what each way to shrink gains."""

import re
import shutil
import tempfile
from pathlib import Path

from . import footprint_tables
from .broker import BenchError
from .progress import Progress
from .sizes import Tools, output
from .sysroot import ARCHITECTURES
from .variants import APART, CLIENT, PACKAGED, SMALLEST, Variant, names

ROOMS = ["core", "tls", "quic", "mqtt", "session"]
PROBES = ["quic-client", "quic-server", "mqtt-client", "mqtt-server"]
WITH_PARTS = [PACKAGED, APART, CLIENT]

# Functions and tables that would go with a feature, for those that are no meson option.
INSIDE = {
    "MQTT 5": [
        r"mqtt_(properties_|pairs?_|alias_|reason_valid)",
        r"(rules|valid_codes|read_value|write_section|pair_walk_next|reasons\.\d+)$",
        r"(fill_auth_event|handle_auth|engine_write_auth|mqtt_engine_auth|mqtt_disconnect_read)$",
        r"(mqtt_settings|mquic_\w+?)_(set_authentication|add_user_property|user_property|auth)$",
        r"(mqtt_settings|mquic_session)_set_(topic_alias|receive_maximum|maximum_packet|expiry)",
        r"mquic_message_(set_)?(content|correlation|response|expiry|utf8|subscription)",
        r"mquic_subscription_set_id$",
        r"mquic_event_(auth_data|user_property)$",
    ],
    "QoS 2": [r"(handle_pubrel|mqtt_inflight_(taken|released|absent))$"],
}


def add_options(parser):
    parser.add_argument("--no-builds", action="store_true",
                        help="measure the present build only, make no other")
    parser.add_argument("--architectures", metavar="LIST", default=["native", *ARCHITECTURES],
                        type=lambda text: text.split(","),
                        help="of native, " + ", ".join(ARCHITECTURES))
    parser.set_defaults(seed=0)


def run(context, args):
    results = context.results("footprint")
    present_build(context, results, Tools("native"))
    if not args.no_builds:
        _builds(results, args.architectures)
    results.save()
    footprint_tables.present(context, results.rows)


# ---- the build that is there


def present_build(context, results, tools):
    """What a client of it loads, and what libmquic consists of."""
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
    symbols = tools.symbols(library)
    results.add({"what": "rooms"}, **room_sizes(build, tools))
    results.add({"what": "symbols"}, symbols=symbols[:25])
    results.add({"what": "inside"}, **inside(symbols))
    results.add({"what": "components"})


def shared_libraries(path):
    """{name: path} of everything a native program loads, libc and the loader left out."""
    found = {}
    for name, place in re.findall(r"(\S+) => (/\S+)", output("ldd", path)):
        if not re.match(r"lib(c|m|pthread|dl|rt)\.so", name):
            found[name] = Path(place)
    return found


def room_sizes(build, tools):
    """Code and data of each room of libmquic, from its objects."""
    rooms = dict.fromkeys(ROOMS, 0)
    for path in (build / "libmquic").rglob("*.o"):
        room = path.name.split("_")[0]
        if room in rooms:
            text, data = output(tools.size, path).splitlines()[1].split()[:2]
            rooms[room] += int(text) + int(data)
    return rooms


def inside(symbols):
    """{feature: [bytes, how many]} of the symbols that are for it alone."""
    found = {}
    for feature, patterns in INSIDE.items():
        sizes = [size for name, size, _ in symbols if any(re.match(p, name) for p in patterns)]
        found[feature] = [sum(sizes), len(sizes)]
    return found


# ---- builds of their own


def _builds(results, architectures):
    keys = results.missing([
        {"what": "build", "architecture": architecture, "name": name}
        for architecture in architectures
        for name in names()
    ])
    place = Path(tempfile.mkdtemp(prefix="mquic-footprint-"))
    try:
        with Progress("footprint", len(keys)) as progress:
            for key in keys:
                try:
                    values = measure_build(place / "build", key["architecture"], key["name"])
                except BenchError as error:
                    values = {"failed": str(error)}
                results.add(key, **values)
                progress.step(f"{key['architecture']} {key['name']}")
    finally:
        shutil.rmtree(place, ignore_errors=True)
        results.save()


def measure_build(directory, architecture, name):
    tools = Tools(architecture)
    variant = Variant(directory, tools, name)
    variant.make()
    client = "mqtt-client" if variant.has("mqtt") else "quic-client"
    values = {
        "library": tools.measure(variant.shared_object),
        "client": tools.measure(variant.link(client)[0]),
    }
    if variant.complete:
        values["plugin"] = tools.measure(variant.plugin)
    if name in (PACKAGED, SMALLEST):
        values["sections"] = tools.sections(variant.shared_object)
    if name in WITH_PARTS:
        values["parts"], values["static"] = variant.parts(client)
    if name == PACKAGED:
        values["programs"] = {probe: variant.parts(probe)[1] for probe in PROBES}
    return values


tables = footprint_tables.tables
