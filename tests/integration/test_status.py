# SPDX-License-Identifier: MIT
"""mquic-status: the clients of a broker at a glance, for the broker's user and root alone."""

import json
import os
import socket
import stat
import struct
import threading
from contextlib import ExitStack

import pytest

from harness.clients import SessionClient
from harness.process import Process, eventually

VERSION, LIST = 1, 1
ASKED, CLIENTS, DONE = 1, 2, 3  # answers
HEAD = struct.Struct("IIII")
FACTS = struct.Struct("8Q 64s 32s 128s 128s")


def path_of(broker):
    return f"{broker.socket}.control"


def ask(broker, *words):
    return broker.build.run(
        broker.build.tool("mquic-status"), "--socket", path_of(broker), *words
    )


def listed(broker):
    done = ask(broker, "--json")
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def wait_for_socket(broker):
    eventually(lambda: os.path.exists(path_of(broker)), what="the socket")


def knock(broker):
    """A visitor that speaks for itself."""
    visitor = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    visitor.connect(path_of(broker))
    visitor.settimeout(60)
    return visitor


def is_hung_up_on(visitor):
    try:
        return visitor.recv(65536) == b""
    except ConnectionResetError:  # what was sent has not been read
        return True


@pytest.fixture
def served(make_broker):
    broker = make_broker(plugin_opts={"workers": 2}).start()
    wait_for_socket(broker)
    return broker


def test_clients_of_all_workers_are_listed(served):
    assert listed(served) == []
    clients = [SessionClient(served, f"client-{i}", username="alice") for i in range(24)]
    for client in clients:
        client.connect()
    found = listed(served)
    assert sorted(one["id"] for one in found) == sorted(f"client-{i}" for i in range(24))
    assert {one["client"].split(".")[0] for one in found} == {"1", "2"}
    assert len({one["client"] for one in found}) == 24
    for one in found:
        assert one["user"] == "alice"
        assert one["address"].startswith("127.0.0.1:")
        assert one["rtt_us"] > 0 and one["memory_bytes"] > 1000
        assert one["datagrams_sent"] > 0 and one["datagrams_received"] > 0
        assert one["packets_lost"] >= 0 and one["queued_bytes"] >= 0 and one["age_ms"] >= 0
        assert "AES" in one["cipher"] or "CHACHA" in one["cipher"]


def test_more_clients_than_fit_into_a_packet(make_broker):
    broker = make_broker(plugin_opts={"workers": 1}).start()
    wait_for_socket(broker)
    crowd = [SessionClient(broker, f"crowd-{i}") for i in range(70)]
    for client in crowd:
        client.do("connect")
    for client in crowd:
        client.event("CONNECTED")
    found = listed(broker)
    assert [one["client"] for one in found] == [f"1.{i}" for i in range(1, 71)]
    assert {one["id"] for one in found} == {f"crowd-{i}" for i in range(70)}


def test_the_table_is_for_people(served):
    client = SessionClient(served, "kitchen", username="alice")
    client.connect()
    done = ask(served)
    assert done.returncode == 0, done
    head, line, last = done.stdout.splitlines()
    assert head.split()[:3] == ["CLIENT", "ADDRESS", "AGE"]
    assert line.split()[-2:] == ["alice", "kitchen"]
    assert last == "1 client"


def test_names_cannot_forge_lines(served):
    client = SessionClient(served, "right\u202eleft", username="x\u202ey")
    client.connect()
    line = ask(served).stdout.splitlines()[1]
    assert line.split()[-2:] == ["x?y", "right?left"], line
    assert listed(served)[0]["user"] == "x?y"


def test_a_client_is_closed(served):
    for name in ("stays", "goes"):
        client = SessionClient(served, name)
        client.connect()
        if name == "stays":
            stays = client
    number = next(one["client"] for one in listed(served) if one["id"] == "goes")
    done = ask(served, "--close", number)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    client.event("DISCONNECTED")
    assert [one["id"] for one in listed(served)] == ["stays"]
    assert not stays.events("DISCONNECTED")
    served.wait_log(r"id 'goes', .*: an operator has closed the connection")
    done = ask(served, "--close", number)
    assert done.returncode == 1
    assert done.stderr == f"Error: There is no client {number}.\n"
    assert "no client 9.1" in ask(served, "--close", "9.1").stderr


def test_it_is_watched(served):
    watch = Process(
        [served.build.tool("mquic-status"), "--socket", path_of(served), "--json", "-w", "1"],
        served.build.environment(),
    )
    served.adopt(watch)
    watch.wait_lines(1)
    client = SessionClient(served, "comes")
    client.connect()
    eventually(lambda: "comes" in watch.lines[-1], what="the client in a later line")
    served.stop()
    eventually(lambda: watch.returncode is not None, what="the end with the broker's")
    assert watch.returncode == 1
    assert not os.path.exists(path_of(served))


@pytest.mark.parametrize("words", [["1"], ["1."], ["x.1"], ["1.0"], ["1.4294967296"]])
def test_a_client_has_two_numbers(build, words):
    done = build.run(build.tool("mquic-status"), "--close", *words)
    assert done.returncode == 1
    assert "--close takes a client as the first column shows it, such as 1.17." in done.stderr


def test_nobody_is_there(build, workdir):
    done = build.run(build.tool("mquic-status"), "--socket", workdir / "none")
    assert done.returncode == 1
    assert "none: nobody is there. Does the broker run, with mquic's plugin?" in done.stderr


def test_others_may_not_ask(served):
    path = path_of(served)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    if os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    done = served.build.run(
        "/usr/bin/python3",
        "-c",
        "import socket, sys; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)"
        ".connect(sys.argv[1])",
        path,
        user=65534,
    )
    assert "PermissionError" in done.stderr
    # Whoever opens the door to others does not make them the broker's user.
    os.chmod(path, 0o666)
    os.chmod(served.directory, 0o755)
    done = served.build.run(
        "/usr/bin/python3",
        "-c",
        "import socket, struct, sys\n"
        "asks = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
        "asks.connect(sys.argv[1])\n"
        "try:\n"
        "    asks.send(struct.pack('IIII', 1, 1, 0, 0))\n"
        "    print(asks.recv(9999))\n"
        "except OSError:\n"
        "    print(b'')\n",
        path,
        user=65534,
    )
    assert done.stdout == "b''\n", done


@pytest.mark.parametrize(
    "request_",
    [
        b"x",
        HEAD.pack(VERSION, LIST, 0, 0) + b"x",
        HEAD.pack(VERSION + 1, LIST, 0, 0),
        HEAD.pack(VERSION, 3, 0, 0),
        bytes(60000),
    ],
    ids=["short", "long", "version", "wish", "huge"],
)
def test_nonsense_is_hung_up_on(served, request_):
    with knock(served) as visitor:
        visitor.send(request_)
        assert is_hung_up_on(visitor)
    assert listed(served) == []


def test_silent_visitors_keep_nobody_out(served):
    with ExitStack() as stack:
        silent = [stack.enter_context(knock(served)) for _ in range(4)]
        assert listed(served) == []
        assert all(map(is_hung_up_on, silent))


def test_a_visitor_that_asks_and_leaves(served):
    client = SessionClient(served, "here")
    client.connect()
    for _ in range(20):
        with knock(served) as visitor:
            visitor.send(HEAD.pack(VERSION, LIST, 0, 0))
    eventually(lambda: '"here"' in ask(served, "--json").stdout, what="an answer")
    client.publish("still/there", "!", qos=1)


def test_a_socket_left_over_is_replaced(make_broker):
    broker = make_broker()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as old:
        old.bind(path_of(broker))
    os.chown(path_of(broker), broker.directory.stat().st_uid, -1)
    broker.start()
    eventually(lambda: ask(broker, "--json").stdout == "[]\n", what="an answer")


def test_a_socket_that_cannot_be_made_is_told(make_broker):
    broker = make_broker(plugin_opts={"control": "/nonexistent/control"}).start()
    broker.wait_log(
        r"mquic-status will not work: the socket /nonexistent/control cannot be made: No such file"
    )
    broker.pub("-t", "x", "-m", "y")


# ---- Workers that were taken over answer what they want.


def head(kind, worker=1, count=0, version=VERSION):
    return HEAD.pack(version, kind, worker, count)


def facts(number, address=b"192.0.2.1:5", cipher=b"AES-128-GCM", name=b"id", user=b"user"):
    return FACTS.pack(number, 61000, 2500, 200, 100, 1, 7, 4096, address, cipher, name, user)


def show(build, workdir, answers, *words):
    """What the tool makes of these answers."""
    path = workdir / "control"

    def answer(listener):
        with listener.accept()[0] as visitor:
            visitor.recv(100)
            for packet in answers:
                try:
                    visitor.send(packet)
                except OSError:  # the tool has heard enough
                    return

    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(60)
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        done = build.run(build.tool("mquic-status"), "--socket", path, *words)
        thread.join()
    return done


def test_answers_come_in_any_order(build, workdir):
    answers = [
        head(CLIENTS, worker=2, count=1) + facts(9),
        head(DONE, worker=2),
        head(ASKED, count=2),
        head(CLIENTS, worker=1, count=2) + facts(10) + facts(2**64 - 1),
        head(DONE, worker=1),
    ]
    done = show(build, workdir, answers, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert [one["client"] for one in found] == ["1.10", f"1.{2**64 - 1}", "2.9"]
    assert found[0]["rtt_us"] == 2500 and found[0]["queued_bytes"] == 7


def test_an_answer_cannot_steer_a_terminal(build, workdir):
    evil = b"a\n1.1 \x1b[2J\xff"
    answers = [
        head(ASKED, count=1),
        head(CLIENTS, count=1) + facts(1, evil, evil, evil, evil),
        head(DONE),
    ]
    done = show(build, workdir, answers)
    assert done.returncode == 0, done
    assert len(done.stdout.splitlines()) == 3
    assert done.stdout.splitlines()[1].count("a?1.1 ?[2J?") == 4


@pytest.mark.parametrize(
    "packet",
    [
        b"x",
        head(ASKED, version=VERSION + 1),
        head(0),
        head(99),
        head(DONE) + b"x",
        head(CLIENTS, count=1),
        head(CLIENTS, count=0),
        head(CLIENTS, count=2) + facts(1),
        head(CLIENTS, count=2**32 - 1) + facts(1),
        head(CLIENTS, count=1) + facts(1, name=b"x" * 128),
        head(CLIENTS, count=1) + facts(1, user=b"x" * 128),
        bytes(100000),
    ],
    ids="short version none kind long empty zero fewer many id user huge".split(),
)
def test_answers_without_sense_are_refused(build, workdir, packet):
    done = show(build, workdir, [packet, head(ASKED, count=0)])
    assert done.returncode == 1
    assert done.stderr.startswith("Error: An answer that makes no sense"), done
    assert done.stdout == ""


def test_a_worker_that_does_not_answer_is_told(build, workdir):
    answers = [head(ASKED, count=2), head(CLIENTS, count=1) + facts(1), head(DONE)]
    done = show(build, workdir, answers)
    assert done.returncode == 1
    assert done.stderr == "Error: 1 of 2 workers have not answered.\n"
