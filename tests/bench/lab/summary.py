# SPDX-License-Identifier: MIT
"""The short table: what a user gains or pays, one line each, from the kept results."""

from . import loopback, lossy_tables
from .results import select
from .stats import ROUNDS_MIN, bootstrap_ratio, median, pairs, quantile
from .table import interval, number, table

HEAD = ["work", "mquic", "TLS 1.3", "TCP", "mquic / TLS [95 %]", "next to TLS", "next to TCP",
        "why"]
ORDER = ["quic", "tls", "tcp"]
OTHERS = {"tls": "TLS", "tcp": "TCP, which secures nothing"}


def verdict(ratio, low, high, more_is_better=False):
    """Ahead or behind only if the whole interval says so, and by more than the machine's noise."""
    if low is None:
        return "–"
    if more_is_better:
        ratio, low, high = (1 / max(value, 1e-9) for value in (ratio, high, low))
    if high < 1 and ratio < 0.95:
        return "ahead"
    if low > 1 and ratio > 1.05:
        return "behind"
    return "even"


class Line:
    """A line of the table: text for each transport, how mquic stands to the others and why."""

    def __init__(self, work, texts, ratio, verdicts, why):
        self.work = work.removesuffix(", median / p90")
        self.verdicts = verdicts
        words = [verdicts.get(name, "–") for name in OTHERS]
        self.cells = [work, *texts, interval(*ratio), *words, why]


def _judged(ratio_to, more_is_better):
    """(ratio to TLS, {other: verdict}) of a function that gives ratio and interval."""
    ratios = {name: ratio_to(name) for name in OTHERS}
    return ratios["tls"], {name: verdict(*ratio, more_is_better) for name, ratio in ratios.items()}


def _lossy_line(rows, work, cell, measure, why, unit=" ms"):
    wanted = {"condition": "steady", "senders": 1, "network": "emulator", **cell}
    mine = lossy_tables.of_cell(rows, lossy_tables.Cell(**wanted))
    if not mine:
        return None
    texts = []
    for name in ORDER:
        values = list(lossy_tables.measured(select(mine, transport=name), measure).values())
        tail = "" if measure == "acked" else f" / {number(quantile(values, 0.9))}"
        texts.append(f"{number(median(values))}{tail}{unit}" if values else "–")

    def ratio_to(other):
        ours, theirs = (lossy_tables.measured(select(mine, transport=name), measure)
                        for name in ("quic", other))
        return bootstrap_ratio(pairs(ours, theirs))

    return Line(work, texts, *_judged(ratio_to, measure == "acked"), why)


def _trouble_line(rows, work, condition, why):
    mine = select(rows, condition=condition)
    if not mine:
        return None
    done, seeds = {}, {}
    for name in ORDER:
        runs = select(mine, transport=name)
        done[name] = sum(row.get("done_ms") is not None for row in runs)
        seeds[name] = len(runs)
    texts = [f"{done[name]} of {seeds[name]}" for name in ORDER]
    few = min(seeds.values()) < ROUNDS_MIN
    words = {
        name: "–" if few else "ahead" if done["quic"] > done[name] else "behind" if done["quic"] < done[name]
        else "even"
        for name in OTHERS
    }
    return Line(work, texts, (None,) * 3, words, why)


def _loopback_line(rows, work, wanted, measure, why, unit, scale=1.0, more_is_better=False):
    mine = select(rows, **wanted)
    if not mine:
        return None
    texts = [
        number(median(row[measure] * scale for row in select(mine, transport=name))) + unit
        for name in ORDER
    ]
    judged = _judged(lambda other: loopback.compare(mine, measure, "quic", other), more_is_better)
    return Line(work, texts, *judged, why)


LESS_ROUND_TRIPS = ("before CONNECT, QUIC with TLS takes one round trip, TCP and then TLS two, TCP "
                    "alone one")
SOONER = "one round trip less to begin with, and what is lost is noticed and sent again sooner"
USER_SPACE = ("on loopback only processor time counts: QUIC does in user space what the kernel "
              "does for TCP")


def lines(rows_of):
    """Every line there are results for; `rows_of(command)` gives rows."""
    lossy = rows_of("lossy")
    home, farm = {"scenario": "home", "link": "wifi"}, {"scenario": "farm", "link": "wifi"}
    found = [
        _lossy_line(lossy, "connect to CONNACK, smart home Wi-Fi (5.9 % loss), median / p90",
                    {**home, "work": "connect"}, "connack_ms", LESS_ROUND_TRIPS),
        _lossy_line(lossy, "connect to CONNACK, printer farm Wi-Fi (14.3 % loss), median / p90",
                    {**farm, "work": "connect"}, "connack_ms", LESS_ROUND_TRIPS),
        _lossy_line(lossy, "connect and 100 messages, smart home Wi-Fi, median / p90",
                    {**home, "work": "window"}, "done_ms", SOONER),
        _lossy_line(lossy, "connect and 100 messages, printer farm 3G, median / p90",
                    {**farm, "link": "3g", "work": "window"}, "done_ms", SOONER),
        _lossy_line(lossy, "until the last of ten hosts has sent 100 messages, printer farm Wi-Fi, "
                    "median / p90", {**farm, "work": "window", "senders": 10}, "done_ms",
                    SOONER),
        _lossy_line(lossy, "16 KiB messages of 100 through 38.6 % loss in 60 s (Wi-Fi)",
                    {"scenario": "synthetic", "link": "wifi", "work": "window"}, "acked",
                    "all transports take such loss for a full network and send little", ""),
        _trouble_line(lossy, "transfers that end well although the NAT forgets its ports",
                      "NAT rebinding", "QUIC knows connections by an id, not by address and port"),
        _trouble_line(lossy, "transfers that end well although the client's address changes",
                      "address change", lossy_tables.ADDRESS_CHANGE),
    ]
    for qos in (0, 1):
        found.append(_loopback_line(
            rows_of("throughput"), f"messages/s, 64 B, QoS {qos}, one to one",
            {"shape": "1→1", "qos": qos, "size": 64}, "messages_s",
            "messages that wait share a packet and a system call", "", 1, True))
    for qos in (0, 1):
        found.append(_loopback_line(
            rows_of("throughput"), f"broker's processor time per message, 64 B, QoS {qos}, one to one",
            {"shape": "1→1", "qos": qos, "size": 64}, "broker_us", USER_SPACE, " µs"))
    found += [
        _loopback_line(
            rows_of("throughput"), "broker's processor time per message, 64 B, QoS 0, one to ten",
            {"shape": "1→10", "qos": 0, "size": 64}, "broker_us", USER_SPACE, " µs"),
        _loopback_line(
            rows_of("throughput"), "messages/s, 16 KiB, QoS 0, one to one",
            {"shape": "1→1", "qos": 0, "size": 16384}, "messages_s",
            "large messages are many packets, each with its own cost", "", 1, True),
        _loopback_line(
            rows_of("latency"), "publish to delivery on loopback, 64 B, QoS 0, p50",
            {"qos": 0}, "p50_us",
            "a message passes the worker on its way in and on its way out", " µs"),
        _loopback_line(
            rows_of("connections"), "broker's processor time per connect",
            {"at_once": 1}, "broker_us",
            "signature and key exchange, as in TLS, and QUIC's own packets", " µs"),
        _loopback_line(
            rows_of("memory"), "broker's memory per idle client, 1,000 clients",
            {"clients": 1000}, "kb_each",
            "a QUIC connection keeps its keys, timers and buffers in the worker, TCP's are the "
            "kernel's and are not counted", " kB"),
    ]
    return [line for line in found if line]


def short_table(rows_of):
    found = lines(rows_of)
    return table(HEAD, [line.cells for line in found]), verdicts(found)


def verdicts(found):
    """A sentence each for what is ahead, even and behind, against TLS and against TCP."""
    words = {"ahead": "Ahead of {}", "even": "No clear difference to {}", "behind": "Behind {}"}
    return [
        f"{text.format(called)}: " + "; ".join(works) + "."
        for other, called in OTHERS.items()
        for name, text in words.items()
        if (works := [line.work for line in found if line.verdicts.get(other) == name])
    ]
