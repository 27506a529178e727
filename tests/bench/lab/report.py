# SPDX-License-Identifier: MIT
"""One HTML page with every picture and table, and the document's tables, from kept results."""

import html
import re
from pathlib import Path

from harness.build import SOURCE

from . import crowded, emulator_check, footprint, loopback, lossy_tables, memory, summary, workers
from .table import table

COMMITTED = Path(__file__).resolve().parent.parent / "results"
DOCUMENT = SOURCE / "doc" / "performance.md"

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1240px; margin: 2em auto; color: #222;
       padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; font-size: 12px; }
td, th { padding: 2px 6px; border-bottom: 1px solid #ddd; text-align: right; }
td { white-space: nowrap; }
td.left, th.left { text-align: left; white-space: normal; }
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


# command, title, [(title of a table, what reproduces it, its head, rows → its lines, words)],
# pictures
SECTIONS = [
    (
        "lossy",
        "Lossy links",
        lossy_tables.TABLES,
        ["lossy-connect", "lossy-window", "lossy-one", "lossy-crowd", "lossy-synthetic",
         "lossy-trouble"],
    ),
    (
        "throughput",
        "Throughput and cost on loopback",
        [("Messages", "throughput", loopback.throughput_head, loopback.throughput_rows, "")],
        ["throughput-messages-s", "throughput-broker-us"],
    ),
    (
        "latency",
        "Latency on loopback",
        [("Publish to delivery", "latency", loopback.LATENCY_HEAD, loopback.latency_rows, "")],
        ["latency"],
    ),
    (
        "connections",
        "Connections",
        [("Connects", "connections", loopback.CONNECTIONS_HEAD, loopback.connections_rows,
          loopback.RESUMED)],
        ["connections"],
    ),
    (
        "memory",
        "Memory per idle connection",
        [("Memory", "memory", memory.HEAD, memory.table_rows, memory.words)],
        ["memory"],
    ),
    (
        "workers",
        "Workers",
        [("One worker and two", "workers", workers.HEAD, workers.table_rows, workers.WORDS)],
        [],
    ),
    (
        "storm",
        "Thousands at once",
        [("While they connect", "storm", crowded.STORM_HEAD, crowded.storm_rows,
          crowded.storm_words)],
        [],
    ),
    (
        "attacks",
        "Attacks",
        [("Good clients under attack", "attacks", crowded.ATTACKS_HEAD, crowded.attacks_rows,
          crowded.attacks_words)],
        [],
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
        [("Checks", "emulator-check", emulator_check.HEAD, emulator_check.rows_of_table, "")],
        ["emulator-check"],
    ),
]


def section_tables(command, rows, specs):
    """[(title, what reproduces it, table, words)]"""
    if command == "footprint":
        return [(title, "footprint", one, "") for title, one in footprint.tables(rows)]

    def of_rows(value):
        return value(rows) if callable(value) else value

    found = [(title, reproduce, table(of_rows(head), lines(rows)), of_rows(words))
             for title, reproduce, head, lines, words in specs]
    return [spec for spec in found if spec[2].rows]


def facts_lines(results):
    for facts in results.facts.values():
        packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
        yield (
            f"commit {facts['commit']}, {facts['cpus']} × {facts['cpu']}, "
            f"{facts['memory_mb']} MB, {facts['system']}, Linux {facts['kernel']}; {packages}; "
            f"built with {', '.join(f'{k}={v}' for k, v in facts['build'].items())}"
        )


def command_line(command):
    sudo = "sudo " if command.split()[0] in ("lossy", "emulator-check", "memory") else ""
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


def _section_html(context, results, command, title, specs, pictures):
    yield f"<h2>{html.escape(title)}</h2>"
    for line in facts_lines(results):
        yield f"<p><small>{html.escape(line)}</small></p>"
    for name in pictures:
        path = context.out / f"{name}.svg"
        if path.exists():
            yield f"<figure>{inline_svg(path)}</figure>"
    for subtitle, reproduce, one, words in section_tables(command, results.rows, specs):
        yield f"<h3>{html.escape(subtitle)}</h3>"
        yield f"<p>Reproduce: <code>{html.escape(command_line(reproduce))}</code></p>"
        yield one.html()
        if words:
            yield f"<p>{html.escape(words)}</p>"


def write_page(context):
    short, verdicts = summary.short_table(lambda command: context.kept(command).rows)
    parts = [f"<h2>In short</h2>\n{short.html()}"] if short.rows else []
    parts += [f"<p>{html.escape(words)}</p>" for words in verdicts]
    for command, title, specs, pictures in SECTIONS:
        results = context.kept(command)
        if results.rows:
            parts += _section_html(context, results, command, title, specs, pictures)
    page = context.out / "report.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>mquic: measurements</title><style>{STYLE}</style></head><body>\n"
        f"<h1>mquic: measurements</h1>\n<p>{html.escape(HOW)}</p>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )
    print(page)


# ---- the document

HOW = """mquic in an unmodified Mosquitto against the same broker's TCP and TLS 1.3 listeners, with
libmosquitto as their client and TCP_NODELAY on both ends. Variants took turns in every round, and
on lossy links met the same losses. Ratios are of medians, with a bootstrap interval of 95 %; below
1 is better for times and costs, above 1 for messages per second. p90: nine runs of ten were as
good or better. A run that did not finish in time is told of as not done and counts as its time
limit, so a median or p90 at the limit means that half, or a tenth, of them did not finish. mquic
is called ahead or behind where the whole interval is on one side of 1, by 5 % or more; one round
alone has no interval and decides nothing."""

INTRODUCTION = f"""# Performance

Written by `tests/bench/bench report --document` from `tests/bench/results/`; do not edit by hand.

{HOW}

On loopback a packet costs its sender and receiver processor time and nothing else, so there QUIC
has little to win; on lossy links it has. Differences smaller than 10 % are the machine's noise.
"""


def write_document(context):
    def rows_of(command):
        return context.kept(command, COMMITTED).rows

    short, verdicts = summary.short_table(rows_of)
    parts = [INTRODUCTION, f"## In short\n\n{short.markdown()}\n"]
    parts += [words + "\n" for words in verdicts]
    for command, title, specs, _ in SECTIONS:
        results = context.kept(command, COMMITTED)
        if results.rows:
            parts += _section_markdown(results, command, title, specs)
    DOCUMENT.parent.mkdir(parents=True, exist_ok=True)
    DOCUMENT.write_text("\n".join(parts))
    print(DOCUMENT)


def _section_markdown(results, command, title, specs):
    yield f"## {title}\n"
    for line in facts_lines(results):
        yield f"Measured with: {line}.\n"
    for subtitle, reproduce, one, words in section_tables(command, results.rows, specs):
        if subtitle.startswith(("Footprint: symbols", "Footprint: sections")):
            continue
        fence = "```sh not-run: it measures for minutes"
        yield f"### {subtitle}\n\n{fence}\n{command_line(reproduce)}\n```\n\n{one.markdown()}\n"
        if words:
            yield f"{words}\n"
