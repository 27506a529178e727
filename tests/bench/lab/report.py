# SPDX-License-Identifier: MIT
"""One HTML page with every picture and table, and the document's tables, from kept results."""

import html
import re
from pathlib import Path

from harness.build import SOURCE

from . import emulator_check, footprint, loopback, lossy
from .table import table

COMMITTED = Path(__file__).resolve().parent.parent / "results"
DOCUMENT = SOURCE / "doc" / "performance.md"

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; color: #222;
       padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; font-size: 13px; display: block;
        overflow-x: auto; }
td, th { padding: 2px 10px; border-bottom: 1px solid #ddd; text-align: right; }
td:first-child, th:first-child { text-align: left; }
th { border-bottom: 2px solid #888; }
code, pre { background: #f3f3f3; padding: 1px 4px; }
svg { max-width: 100%; height: auto; }
h2 { margin-top: 2.2em; }
"""


def add_options(parser):
    parser.add_argument("--document", action="store_true",
                        help="write doc/performance.md from tests/bench/results instead")
    parser.add_argument("--keep", action="store_true",
                        help="copy the results, packed, to tests/bench/results first")
    parser.set_defaults(seed=0)


def steady(rows):
    return [row for row in rows if row["key"]["work"] != "trickle"]


def trouble(rows):
    return [row for row in rows if row["key"]["work"] == "trickle"]


# command, title, [(title of a table, its head, rows → its lines)], pictures
SECTIONS = [
    (
        "lossy",
        "Lossy links",
        [
            ("Steady loss", lossy.HEAD, lambda rows: lossy.table_rows(steady(rows))),
            ("Trouble on the way", lossy.TROUBLE_HEAD, lambda rows: lossy.trouble_rows(rows)),
        ],
        ["lossy-connect", "lossy-window", "lossy-one", "lossy-synthetic", "lossy-trouble"],
    ),
    (
        "throughput",
        "Throughput and cost on loopback",
        [("Messages", loopback.THROUGHPUT_HEAD, loopback.throughput_rows)],
        ["throughput-messages-s", "throughput-broker-us"],
    ),
    (
        "latency",
        "Latency on loopback",
        [("Publish to delivery", loopback.LATENCY_HEAD, loopback.latency_rows)],
        ["latency"],
    ),
    (
        "connections",
        "Connections",
        [("Connects", loopback.CONNECTIONS_HEAD, loopback.connections_rows)],
        ["connections"],
    ),
    (
        "memory",
        "Memory per idle connection",
        [("Memory", loopback.MEMORY_HEAD, loopback.memory_rows)],
        ["memory"],
    ),
    (
        "footprint",
        "Footprint",
        None,
        ["footprint-components", "footprint-client", "footprint-features", "footprint-steps"],
    ),
    (
        "emulator-check",
        "Accuracy of the link emulator",
        [("Checks", emulator_check.HEAD, emulator_check.rows_of_table)],
        ["emulator-check"],
    ),
]


def section_tables(command, rows, specs):
    if command == "footprint":
        return footprint.tables(rows)
    found = [(title, table(head, lines(rows))) for title, head, lines in specs]
    return [(title, one) for title, one in found if one.rows]


def facts_lines(results):
    for facts in results.facts.values():
        packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
        yield (
            f"commit {facts['commit']}, {facts['cpus']} × {facts['cpu']}, "
            f"{facts['memory_mb']} MB, {facts['system']}, Linux {facts['kernel']}; {packages}; "
            f"built with {', '.join(f'{k}={v}' for k, v in facts['build'].items())}"
        )


def command_line(command):
    sudo = "sudo " if command in ("lossy", "emulator-check") else ""
    return f"{sudo}tests/bench/bench {command}"


def run(context, args):
    if args.keep:
        for command, *_ in SECTIONS:
            results = context.kept(command)
            if results.rows:
                results.save_packed(COMMITTED)
    if args.document:
        write_document(context)
    else:
        write_page(context)


# ---- the page


def inline_svg(path):
    """A picture as part of the page; ids are made unique, since pages share one name space."""
    text = path.read_text()
    text = text[text.index("<svg"):]
    prefix = re.sub(r"\W", "-", path.stem)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', text)
    text = re.sub(r'(xlink:href|href)="#([^"]+)"', rf'\1="#{prefix}-\2"', text)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", text)


def write_page(context):
    parts = []
    for command, title, specs, pictures in SECTIONS:
        results = context.kept(command)
        if not results.rows:
            continue
        parts.append(f"<h2>{html.escape(title)}</h2>")
        parts.append(f"<p>Reproduce: <code>{command_line(command)}</code></p>")
        for line in facts_lines(results):
            parts.append(f"<p><small>{html.escape(line)}</small></p>")
        for name in pictures:
            path = context.out / f"{name}.svg"
            if path.exists():
                parts.append(f"<figure>{inline_svg(path)}</figure>")
        for subtitle, one in section_tables(command, results.rows, specs):
            parts.append(f"<h3>{html.escape(subtitle)}</h3>\n{one.html()}")
    page = context.out / "report.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>mquic: measurements</title><style>{STYLE}</style></head><body>\n"
        "<h1>mquic: measurements</h1>\n<p>mquic in an unmodified Mosquitto against the same "
        "broker's TCP and TLS 1.3 listeners, TCP_NODELAY on both ends. Ratios are of medians "
        "over the same rounds or seeds, with a bootstrap interval of 95 %.</p>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )
    print(page)


# ---- the document

INTRODUCTION = """# Performance

Written by `tests/bench/bench report --document` from `tests/bench/results/`; do not edit by hand.

mquic in an unmodified Mosquitto against the same broker's TCP and TLS 1.3 listeners, with
libmosquitto as their client and TCP_NODELAY on both ends. Variants took turns in every round, and
on lossy links met the same losses. Ratios are of medians, with a bootstrap interval of 95 %;
below 1 is better for times and costs, above 1 for messages per second. `done` counts runs that
finished in time; one that did not counts as its time limit.

On loopback a packet costs its sender and receiver processor time and nothing else, so there QUIC
has little to win; on lossy links it has. Sizes smaller than 10 % apart are the machine's noise.
"""


def write_document(context):
    parts = [INTRODUCTION]
    for command, title, specs, _ in SECTIONS:
        results = context.kept(command, COMMITTED)
        if not results.rows:
            continue
        fence = "```sh not-run: it measures for minutes"
        parts.append(f"## {title}\n\n{fence}\n{command_line(command)}\n```\n")
        parts += [f"Measured with: {line}.\n" for line in facts_lines(results)]
        for subtitle, one in section_tables(command, results.rows, specs):
            if subtitle.startswith(("Footprint: symbols", "Footprint: sections")):
                continue
            parts.append(f"### {subtitle}\n\n{one.markdown()}\n")
    DOCUMENT.parent.mkdir(parents=True, exist_ok=True)
    DOCUMENT.write_text("\n".join(parts))
    print(DOCUMENT)
