# SPDX-License-Identifier: MIT
"""What the rows of the lossy links say: tables and pictures."""

from collections import namedtuple

from .broker import TRANSPORTS
from .draw import NAMES, bars, distributions
from .links import CONDITIONS, LINKS, SCENARIOS, WORK, cell_loss, round_trip_ms
from .results import select
from .stats import bootstrap_ratio, median, pairs, quantile
from .table import interval, number, table

# What every row of a cell shares.
Cell = namedtuple("Cell", "scenario link work condition senders network")


def cell_of(row):
    key = row["key"]
    return Cell(key["scenario"], key["link"], key["work"], key.get("condition", "steady"),
                key.get("senders", 1), key.get("network", "emulator"))


def cells(rows):
    """The distinct cells in the order of the dissertation's table."""
    order = {name: i for i, name in enumerate([*SCENARIOS, *LINKS, *WORK, *CONDITIONS])}
    return sorted({cell_of(row) for row in rows},
                  key=lambda cell: [order[name] for name in cell[:4]] + list(cell[4:]))


def of_cell(rows, cell, transport=None):
    rows = [row for row in rows if cell_of(row) == cell]
    return rows if transport is None else select(rows, transport=transport)


def steady(rows):
    """One host sends, nothing happens on the way."""
    return [row for row in rows if row["key"]["work"] != "trickle" and cell_of(row).senders == 1]


def lifelike(rows):
    return [row for row in steady(rows) if row["key"]["scenario"] != "synthetic"]


def synthetic(rows):
    return select(steady(rows), scenario="synthetic")


def trouble(rows):
    return [row for row in rows if row["key"]["work"] == "trickle"]


def crowds(rows):
    return [row for row in rows if cell_of(row).senders > 1]


def place(cell):
    other = f" ({cell.network})" if cell.network != "emulator" else ""
    return f"{SCENARIOS[cell.scenario]['name']}, {LINKS[cell.link]['name']}{other}"


def measured(rows, measure):
    """{seed: value}; a run that did not get there counts as its time limit."""
    return {
        row["key"]["seed"]: row[measure] if row.get(measure) is not None else limit_ms(row)
        for row in rows
    }


def limit_ms(row):
    return WORK[row["key"]["work"]]["timeout_ms"]


def share_done(rows, measure):
    done = sum(row.get(measure) is not None for row in rows)
    return f"{done}/{len(rows)}"


MEASURE = {"connect": "connack_ms", "window": "done_ms", "one": "done_ms", "trickle": "done_ms"}
LABEL = {
    "connect": "connect to CONNACK",
    "window": "100 messages, window 20",
    "one": "100 messages, one at a time",
    "trickle": "20 messages/s for 5 s",
}


def transports_of(rows):
    return sorted({row["key"]["transport"] for row in rows},
                  key=lambda name: (TRANSPORTS.index(name.partition("-")[0]), name))


def shown(name):
    return NAMES.get(name, name)


def head(rows):
    """A column for each transport, and its ratio to TLS for each kind of ours."""
    names = transports_of(rows)
    return ["scenario, link", "RTT ms", "path loss", "what",
            *(f"{shown(name)}: median / p90" for name in names),
            *(f"{shown(name)} / TLS [95 %]" for name in names if name.startswith("quic"))]


def table_rows(rows):
    names = transports_of(rows)
    for cell in cells(rows):
        counted = cell.scenario == "synthetic"
        measure = "acked" if counted else MEASURE[cell.work]
        mine = of_cell(rows, cell)
        yield [
            place(cell),
            round_trip_ms(cell.link),
            f"{100 * cell_loss(cell.link, cell.scenario):.1f} %",
            "16 KiB messages of 100 in 60 s" if counted else LABEL[cell.work],
            *(_middle_and_tail(select(mine, transport=name), measure) for name in names),
            *(interval(*_to_tls(mine, name, measure)) for name in names if name.startswith("quic")),
        ]


def _middle_and_tail(rows, measure):
    """Median and p90, and how many ended in time unless all did."""
    if not rows:
        return "–"
    values = list(measured(rows, measure).values())
    counted = measure == "acked"
    text = f"{number(median(values))} / {number(quantile(values, 0.1 if counted else 0.9))}"
    text += "" if counted else " ms"
    done = share_done(rows, MEASURE[rows[0]["key"]["work"]])
    return text if counted or done == f"{len(rows)}/{len(rows)}" else f"{text} ({done} done)"


def _to_tls(rows, name, measure):
    ours, theirs = (measured(select(rows, transport=one), measure) for one in (name, "tls"))
    return bootstrap_ratio(pairs(ours, theirs))


TROUBLE_HEAD = ["trouble at 60 ms RTT, 5.9 % loss", "variant", "all delivered", "median ms",
                "longest silence, median ms"]


def trouble_rows(rows):
    for cell in cells(trouble(rows)):
        for name in transports_of(of_cell(rows, cell)):
            mine = of_cell(rows, cell, name)
            yield [
                cell.condition,
                shown(name),
                share_done(mine, "done_ms"),
                number(median(measured(mine, "done_ms").values())),
                number(median(row.get("longest_gap_ms") or 0 for row in mine)),
            ]


CROWD_HEAD = ["scenario, link; ten hosts", "variant", "to CONNACK, median", "p90",
              "100 messages, median", "p90", "last host done", "ratio to TLS [95 %]", "fairness",
              "hosts done"]


def each_host(rows, measure):
    """The values of every host of every row; the limit for those that did not get there."""
    return [limit_ms(row) if value is None else value for row in rows for value in row[measure]]


def crowd_rows(rows):
    for cell in cells(crowds(rows)):
        theirs = measured(of_cell(rows, cell, "tls"), "done_ms")
        for name in transports_of(of_cell(rows, cell)):
            mine = of_cell(rows, cell, name)
            connacks, dones = each_host(mine, "connacks_ms"), each_host(mine, "dones_ms")
            last = measured(mine, "done_ms")
            ratio = bootstrap_ratio(pairs(last, theirs)) if name != "tls" else (None,) * 3
            there = sum(value is not None for row in mine for value in row["dones_ms"])
            yield [
                place(cell),
                shown(name),
                f"{number(median(connacks))} ms",
                f"{number(quantile(connacks, 0.9))} ms",
                f"{number(median(dones))} ms",
                f"{number(quantile(dones, 0.9))} ms",
                f"{number(median(last.values()))} ms",
                interval(*ratio),
                number(median(row["fairness"] or 0 for row in mine), 2),
                f"{there}/{len(dones)}",
            ]


ADDRESS_CHANGE = ("libmquic moves its connection when the system's addresses change; a TCP "
                  "connection ends with its address, and its client has to connect anew")

SYNTHETIC = ("Median and p90 are counts of messages: in nine runs of ten that many or more were "
             "acknowledged. CUBIC is the default of mquic; BBR is a choice.")

# Title of each table, what reproduces it, its head, its lines, what is to be said about it.
TABLES = [
    ("Steady loss", "lossy --scenarios home,farm --senders one --conditions ''",
     lambda rows: head(lifelike(rows)), lambda rows: table_rows(lifelike(rows)), ""),
    ("The synthetic scenario",
     "lossy --scenarios synthetic --transports quic,quic-bbr,tls,tcp --senders one --conditions ''",
     lambda rows: head(synthetic(rows)), lambda rows: table_rows(synthetic(rows)), SYNTHETIC),
    ("All ten hosts send at once", "lossy --senders all", CROWD_HEAD, crowd_rows,
     "Fairness is Jain's index of the hosts' rates: 1 if all are served alike."),
    ("Trouble on the way", "lossy --senders one --work ''", TROUBLE_HEAD, trouble_rows,
     f"Address change: {ADDRESS_CHANGE}. A transfer that did not end counts 20 s; the longest "
     "silence of one whose connection the peer reset is short, since it ended there. The mesh has "
     "cycles; its links fail and return on a schedule."),
]


def present(context, rows):
    for title, _, names, lines, words in TABLES:
        one = table(names(rows) if callable(names) else names, lines(rows))
        if one.rows:
            context.print_table(f"Lossy links: {title.lower()}", one)
            said = words(rows) if callable(words) else words
            if said:
                context.print_text(said)
    draw(context, rows)


def draw(context, rows):
    for work in ("connect", "window", "one"):
        panels = {
            place(cell): {
                name: list(measured(of_cell(rows, cell, name), MEASURE[work]).values())
                for name in TRANSPORTS
                if of_cell(rows, cell, name)
            }
            for cell in cells(steady(rows))
            if cell.work == work and cell.scenario != "synthetic"
        }
        distributions(context.out / f"lossy-{work}", f"{LABEL[work]}: share done by then",
                      panels, "ms")
    _draw_synthetic(context, steady(rows))
    _draw_crowds(context, crowds(rows))
    _draw_trouble(context, trouble(rows))


def _draw_synthetic(context, rows):
    found = [cell for cell in cells(rows) if cell.scenario == "synthetic"]
    bars(
        context.out / "lossy-synthetic",
        "Synthetic scenario: 16 KiB messages of 100 acknowledged within 60 s, median",
        [LINKS[cell.link]["name"] for cell in found],
        {
            name: [median(row["acked"] for row in of_cell(rows, cell, name)) for cell in found]
            for name in TRANSPORTS
        },
        "messages",
    )


def _draw_crowds(context, rows):
    distributions(
        context.out / "lossy-crowd",
        "Ten hosts send 100 messages each at once: share of hosts done by then",
        {
            place(cell): {
                name: each_host(of_cell(rows, cell, name), "dones_ms")
                for name in TRANSPORTS
                if of_cell(rows, cell, name)
            }
            for cell in cells(rows)
        },
        "ms",
    )


def _draw_trouble(context, rows):
    found = cells(rows)

    def silence(row):
        return (row.get("longest_gap_ms") or 0) if row.get("done_ms") else limit_ms(row)

    bars(
        context.out / "lossy-trouble",
        "Trouble on the way: longest silence in a steady trickle, median (20 s: never recovered)",
        [cell.condition for cell in found],
        {
            name: [median(map(silence, of_cell(rows, cell, name))) for cell in found]
            for name in TRANSPORTS
        },
        "ms",
        log=True,
    )
