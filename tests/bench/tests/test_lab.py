# SPDX-License-Identifier: MIT
import argparse
import json

import pytest
from lab import cli, links, lossy, results, table
from lab.report import inline_svg


def test_rows_are_kept_and_not_asked_for_again(tmp_path):
    kept = results.Results(tmp_path, "latency", {"cpu": "one"}, "f1")
    kept.add({"qos": 0, "seed": 1}, p50_us=1.234567891)
    kept.save()
    again = results.Results(tmp_path, "latency", {"cpu": "two"}, "f2")
    assert again.rows[0]["p50_us"] == 1.2346
    assert again.others == 1
    keys = [{"qos": 0, "seed": 1}, {"seed": 2, "qos": 0}]
    assert again.missing(keys) == [keys[1]]
    again.add(keys[1], p50_us=2)
    again.save()
    text = (tmp_path / "latency.json").read_text()
    assert set(json.loads(text)["facts"]) == {"f1", "f2"}
    assert text.count("\n") == 4  # a line for each row


def test_fresh_results_forget_rows_and_facts(tmp_path):
    kept = results.Results(tmp_path, "memory", {"cpu": "one"}, "f1")
    kept.add({"seed": 1}, kb_each=3)
    kept.forget()
    kept.save()
    assert json.loads((tmp_path / "memory.json").read_text())["rows"] == []


def test_packed_rows_come_back():
    rows = [
        {"key": {"qos": 0, "transport": "tls", "seed": 1}, "facts": "f", "p50_us": 1.5},
        {"key": {"qos": 0, "transport": "tls", "seed": 2}, "facts": "f", "p50_us": 2, "load": 1},
        {"key": {"qos": 1, "transport": "tls", "seed": 1}, "facts": "f", "p50_us": 3},
        {"key": {"what": "rooms"}, "facts": "f", "core": 4},
    ]
    packed = results.pack(rows)
    assert len(packed) == 3
    back = results.unpack(packed)
    assert [row["key"] for row in back] == [row["key"] for row in rows]
    assert [row.get("p50_us") for row in back] == [1.5, 2, 3, None]
    assert back[0]["load"] is None and back[1]["load"] == 1


def test_tables_in_three_forms():
    one = table.table(["what", "n"], [["a<b", 12], ["c", 3]])
    assert one.text().splitlines()[2] == "a<b   12"
    assert "| a<b | 12 |" in one.markdown()
    assert "<td>a&lt;b</td>" in one.html()


def test_numbers_for_people():
    assert table.number(None) == "–"
    assert table.number(1234567.8) == "1,234,568"
    assert table.number(0.012345) == "0.0123"
    assert table.interval(None, None, None) == "–"
    assert table.interval(1.234, 1, 2) == "1.23 [1.00, 2.00]"


@pytest.mark.parametrize("name", links.TOPOLOGIES)
@pytest.mark.parametrize("clients", [1, 10])
def test_every_client_reaches_the_broker(name, clients):
    switches, joined, hosts = links.TOPOLOGIES[name](clients)
    assert len(hosts) == clients
    reached = {links.BROKER_HOST}
    for _ in joined:
        reached |= {b for a, b in joined if a in reached} | {a for a, b in joined if b in reached}
    assert reached == {links.BROKER_HOST, *switches, *hosts}


def test_troubles_name_links_and_nodes_that_exist():
    for condition in links.CONDITIONS.values():
        switches, joined, hosts = links.TOPOLOGIES[condition.get("topology", "dumbbell")](1)
        names = {f"{a}-{b}" for a, b in joined} | set(switches) | set(hosts)
        assert {name for _, _, name in condition.get("plan", ())} <= names


def lossy_arguments(*words):
    parser = argparse.ArgumentParser()
    cli._add_lossy(parser)
    return parser.parse_args(words)


def test_transports_of_a_seed_run_one_after_the_other():
    args = lossy_arguments("--scenarios", "home", "--links", "wifi", "--work", "window",
                           "--repeats", "2", "--conditions", "outage", "--trouble", "1")
    groups = lossy.plan_keys(args)
    assert len(groups) == 3
    for group in groups:
        assert [key["transport"] for key in group] == ["quic", "tls", "tcp"]
        assert len({json.dumps({**key, "transport": ""}) for key in group}) == 1


def test_a_run_that_did_not_finish_counts_as_its_limit():
    key = {"scenario": "home", "link": "wifi", "work": "window", "transport": "tls"}
    rows = [{"key": {**key, "seed": 1}, "done_ms": 800.0}, {"key": {**key, "seed": 2}, "acked": 7}]
    assert lossy.measured(rows, "done_ms") == {1: 800.0, 2: 60000}
    assert lossy.share_done(rows, "done_ms") == "1/2"


def test_unknown_links_and_transports_are_refused_by_name(capsys):
    with pytest.raises(SystemExit):
        lossy_arguments("--links", "wifi,carrier-pigeon")
    assert "carrier-pigeon" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        lossy_arguments("--transports", "quic-vegas")


def test_pictures_on_one_page_keep_their_ids_apart(tmp_path):
    path = tmp_path / "a b.svg"
    path.write_text('<?xml?><svg><g id="x"/><use xlink:href="#x" style="fill: url(#x)"/></svg>')
    assert inline_svg(path) == (
        '<svg><g id="a-b-x"/><use xlink:href="#a-b-x" style="fill: url(#a-b-x)"/></svg>'
    )
