# SPDX-License-Identifier: MIT
import argparse
import json
import os
import subprocess

import pytest
from lab import cli, draw, ledger, links, lossy, lossy_tables, memory, netem, results, summary, table
from lab.errors import BenchError
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
    assert "| --- | ---: |" in one.markdown()
    assert '<td class="left">a&lt;b</td><td>12</td>' in one.html()


def test_numbers_for_people():
    assert table.number(None) == "–"
    assert table.number(1234567.8) == "1,234,568"
    assert table.number(0.012345) == "0.0123"
    assert table.interval(None, None, None) == "–"
    assert table.interval(1.234, 1, 2) == "1.23 [1.00, 2.00]"
    assert table.interval(1.234, None, None) == "1.23"


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
                           "--repeats", "2", "--conditions", "outage", "--trouble", "1",
                           "--crowds", "1")
    groups = lossy.plan_keys(args)
    assert [group[0].get("senders", 1) for group in groups].count(10) == 1
    assert len(groups) == 4
    assert len({group[0]["transport"] for group in groups}) == 2
    for group in groups:
        assert sorted(key["transport"] for key in group) == ["quic", "tcp", "tls"]
        assert len({json.dumps({**key, "transport": ""}) for key in group}) == 1


def test_a_run_that_did_not_finish_counts_as_its_limit():
    key = {"scenario": "home", "link": "wifi", "work": "window", "transport": "tls"}
    rows = [{"key": {**key, "seed": 1}, "done_ms": 800.0}, {"key": {**key, "seed": 2}, "acked": 7}]
    assert lossy_tables.measured(rows, "done_ms") == {1: 800.0, 2: 60000}
    assert lossy_tables.share_done(rows, "done_ms") == "1/2"


@pytest.mark.parametrize("ends", [(1, 1000), (1700, 3800), (45, 72), (199, 20001), (0.5, 0.9)])
def test_axes_have_a_few_round_ticks_wherever_they_begin(ends):
    found = draw.ticks(*ends)
    assert 2 <= len(found) <= 5
    assert all(ends[0] <= tick <= ends[1] for tick in found) and found == sorted(found)


def test_unknown_links_and_transports_are_refused_by_name(capsys):
    with pytest.raises(SystemExit):
        lossy_arguments("--links", "wifi,carrier-pigeon")
    assert "carrier-pigeon" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        lossy_arguments("--transports", "quic-vegas")


def trouble_rows(seeds):
    return [{"key": {"condition": "outage", "transport": name, "seed": seed}, "done_ms": done}
            for name, done in (("quic", 5.0), ("tls", None), ("tcp", None)) for seed in range(seeds)]


@pytest.mark.parametrize(("seeds", "word"), [(1, "–"), (3, "ahead")])
def test_one_run_decides_nothing(seeds, word):
    line = summary._trouble_line(trouble_rows(seeds), "work", "outage", "why")
    assert set(line.verdicts.values()) == {word}


@pytest.mark.parametrize("words", [["--out", "there", "latency"], ["latency", "--out", "there"]])
def test_options_for_all_stand_on_either_side_of_the_command(words):
    args = cli._parser().parse_args([*words, "--fresh"])
    assert str(args.out) == "there" and args.fresh and not args.packaged
    assert args.build == cli.SOURCE / "build"


def test_long_titles_are_folded():
    title = "processor time of the broker per connect, " * 4
    assert draw._folded(title, 6).replace("\n", " ") == title.strip()
    assert max(map(len, draw._folded(title, 6).splitlines())) <= 72


def test_pictures_on_one_page_keep_their_ids_apart(tmp_path):
    path = tmp_path / "a b.svg"
    path.write_text('<?xml?><svg><g id="x"/><use xlink:href="#x" style="fill: url(#x)"/></svg>')
    assert inline_svg(path) == (
        '<svg><g id="a-b-x"/><use xlink:href="#a-b-x" style="fill: url(#a-b-x)"/></svg>'
    )


# ---- netem, whether or not this kernel has it


def netem_network(clients=10, seeds=True):
    return netem.NetemNetwork("0", links.dumbbell(clients), seeds)


def test_netem_shapes_both_ends_of_every_link():
    network = netem_network()
    lines = list(network.qdisc_commands(7, links.parameters("wifi", "home")))
    assert len(lines) == 2 * 13
    assert lines[0] == ("qdisc add dev l0a root netem limit 1000 delay 10000us loss random 2% "
                        "rate 30000000bit seed 7000")
    assert len({line.split()[3] for line in lines}) == 26
    assert len({line.split()[-1] for line in lines}) == 26


def test_netem_of_older_tools_gets_no_seed_and_no_loss_of_zero():
    line = next(netem_network(seeds=False).qdisc_commands(1, {
        "rate_bps": 250e3, "delay_ms": 5, "loss": 0, "queue": 100000}))
    assert line == "qdisc add dev l0a root netem limit 100000 delay 5000us rate 250000bit"


def test_netem_links_join_the_bridges_of_the_dumbbell():
    lines = list(netem_network().bridge_commands())
    masters = dict(line.split()[2:5:2] for line in lines if " master " in line)
    joined = {frozenset((masters[f"l{i}a"], masters[f"l{i}b"])) for i in range(13)}
    assert joined == {frozenset(link) for link in links.dumbbell(10)[1]}
    for name in masters.values():
        assert f"link set {name} up" in lines


def test_netem_hosts_know_each_other_without_arp():
    network = netem_network(2)
    lines = list(network.neighbour_commands("h00"))
    assert "neigh replace 10.77.9.1 lladdr 02:00:0a:4d:09:01 dev bench0 nud permanent" in lines
    assert not any("10.77.100." in line for line in lines)


def test_netem_refuses_what_only_the_emulator_does():
    network = netem_network(1)
    with pytest.raises(BenchError, match="reorder"):
        list(network.qdisc_commands(1, {**links.parameters("wifi", "home"), "reorder": 0.1}))
    with pytest.raises(BenchError, match="no plan"):
        network.prepare(1, links.parameters("wifi", "home"), [(1000, "down", "s0-s9")])


def test_netem_rows_are_marked_and_troubles_stay_with_the_emulator():
    args = lossy_arguments("--links", "wifi", "--scenarios", "home", "--work", "connect",
                           "--connects", "1", "--conditions", "outage", "--trouble", "1",
                           "--crowds", "1")
    places = {group[0]["work"]: lossy.place_of(group[0])
              for group in lossy.plan_keys(args, {"network": "netem"})}
    assert places["connect"].network == "netem" and places["window"].network == "netem"
    assert places["window"].clients == 10
    assert places["trickle"].network == "emulator"


# ---- memory, ledger, crowds, the short table


def test_the_smallest_limit_ends_the_crowd_and_is_named():
    assert memory.least({"ports": 500, "descriptors": 300}) == (300, "descriptors")
    assert memory.shares(10, 4) == [4, 3, 3]
    assert memory.shares(3, 4) == [3]


def test_a_killed_bench_is_cleaned_up_after(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger.tempfile, "gettempdir", lambda: str(tmp_path))
    left = tmp_path / "mquic-left"
    other = tmp_path / "other"
    left.mkdir()
    other.mkdir()
    sleeper = subprocess.Popen(["sleep", "60"])
    started = ledger._started(sleeper.pid)
    path = tmp_path / "lock"
    path.write_text(f"process {sleeper.pid} {started}\nprocess {os.getpid()} 1\n"
                    f"directory {left}\ndirectory {other}\n")
    with ledger.Ledger(path):
        assert sleeper.wait(5) == -9
        assert not left.exists() and other.exists()
        with pytest.raises(BenchError, match="another bench"), ledger.Ledger(path):
            pass
        ledger.note_directory(other)
        assert path.read_text() == f"directory {other}\n"
    assert path.read_text() == ""


def test_a_crowd_is_done_when_its_last_host_is():
    row = {"handshake_ms": 1.0, "connack_ms": 2.0, "done_ms": 100.0, "acked": 100}
    slow = {**row, "done_ms": 300.0}
    both = lossy.crowd_row([row, slow], 60000)
    assert both["done_ms"] == 300 and both["acked"] == 200
    assert both["fairness"] == pytest.approx(0.8)
    assert lossy.crowd_row([row, {**row, "done_ms": None, "acked": 3}], 60000)["done_ms"] is None


@pytest.mark.parametrize(
    ("ratio", "more", "word"),
    [((0.5, 0.4, 0.6), False, "ahead"), ((0.5, 0.4, 1.1), False, "even"),
     ((2, 1.5, 3), False, "behind"), ((2, 1.5, 3), True, "ahead"),
     ((0.98, 0.97, 0.99), False, "even"), ((None, None, None), True, "–"),
     ((0.1, None, None), False, "–"),
     ((0, 0, 0), True, "behind")],
)
def test_ahead_only_if_the_whole_interval_is(ratio, more, word):
    assert summary.verdict(*ratio, more) == word
