# SPDX-License-Identifier: MIT
"""mquic-status: the clients of a broker at a glance, for the broker's user and root alone."""

import fcntl
import json
import os
import pty
import socket
import stat
import struct
import subprocess
import termios
import threading
from contextlib import ExitStack

import pytest

from harness.clients import SessionClient
from harness.process import Process, eventually
from harness.streams import Client

VERSION, LIST = 2, 1
ASKED, CLIENTS, DONE = 1, 2, 3  # answers
HEAD = struct.Struct("IIII")
FACTS = struct.Struct("10Q 4I 64s 32s 128s 128s")


COLUMNS = "CLIENT ADDRESS AGE RTT/MS LOSS/% STREAMS QUEUED MEMORY CIPHER EARLY USER ID".split()
NAMES = [
    *("client", "worker", "address", "id", "user", "cipher", "mqtt_level", "resumed"),
    *("early_data", "age_ms", "rtt_us", "datagrams_sent", "datagrams_received", "packets_lost"),
    *("bytes_sent", "bytes_received", "streams", "queued_bytes", "memory_bytes"),
]


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
        assert one["client"].startswith(f"{one['worker']}.")
        assert one["bytes_sent"] > 1200 and one["bytes_received"] > 1200
        assert one["streams"] == 1 and one["mqtt_level"] == 5
        assert one["resumed"] is False and one["early_data"] is False
        # Programs read them: whoever takes one away breaks those.
        assert list(one) == NAMES


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
    assert head.split() == COLUMNS
    assert line.split()[-3] == "no"
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


def test_a_client_is_told_in_its_protocols_words(served):
    """MQTT 5 has a reason for that (3.14.2.1); 3.1.1 ends with the connection."""
    clients = {level: SessionClient(served, f"of-{level}", protocol=level) for level in (4, 5)}
    for client in clients.values():
        client.connect()
    for level, client in clients.items():
        assert ask(served, "--close-id", f"of-{level}").returncode == 0
        ended = client.event("DISCONNECTED")
        if level == 5:
            assert (ended["origin"], ended["code"]) == ("4", str(0x98)), ended
        served.wait_log(rf"id 'of-{level}', .*: an operator has closed the connection")
        client.connect()
    assert len(listed(served)) == 2


def test_one_of_several_streams_is_told_on_the_first(served, mquic):
    client = Client(mquic, served, level=5)
    try:
        streams = [client.open(), client.open()]
        for number, stream in enumerate(streams):
            stream.subscribed(f"of/{number}", 1)
        assert [one["streams"] for one in listed(served)] == [3]
        assert ask(served, "--close-id", "streams").returncode == 0
        last = client.control.packet()
        assert (last.type, last.body) == (14, b"\x98\0")
        for stream in streams:
            assert stream.lost()
    finally:
        client.close()


def test_a_client_that_was_sent_away_has_its_will_sent(served):
    sub = served.sub("-t", "will/#", "-C", "1")
    client = SessionClient(served, "mortal")
    client.do("will", "will/of", 1, 0, 0, "gone")
    client.connect()
    assert ask(served, "--close-id", "mortal").returncode == 0
    assert sub.wait() == 0
    assert sub.lines == ["gone"]


def test_clients_are_closed_by_what_is_known_of_them(served):
    clients = {name: SessionClient(served, name) for name in ("one", "two", "three")}
    for client in clients.values():
        client.connect()
    address = next(one["address"] for one in listed(served) if one["id"] == "two")
    assert ask(served, "--close-address", address).returncode == 0
    clients["two"].event("DISCONNECTED")
    assert {one["id"] for one in listed(served)} == {"one", "three"}
    done = ask(served, "--close-address", address)
    assert (done.returncode, done.stderr) == (1, "Error: There is no such client.\n")
    assert ask(served, "--close-id", "on").returncode == 1
    assert ask(served, "--close-address", "127.0.0.1", "--id", "one").returncode == 0
    clients["one"].event("DISCONNECTED")
    assert {one["id"] for one in listed(served)} == {"three"}
    assert ask(served, "--close-address", "127.0.0.1").returncode == 0
    clients["three"].event("DISCONNECTED")
    assert listed(served) == []


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


WRONG = [
    (["--sort", "colour"], "--sort takes client, address, age, rtt, "),
    (["--address", "here"], "--address takes an address, with or without a port"),
    (["--address", "192.0.2.1:"], "--address takes an address"),
    (["--close-address", "[192.0.2.1]:1"], "--close-address takes an address"),
    (["--id", "x" * 128], "--id: workers tell of no more than 127 bytes"),
    (["--close", "1.1", "--close-id", "x"], "only one of --close, --close-id and --close-address"),
    (["--close", "1.1", "--user", "x"], "leave --id, --user and --address out"),
    (["--close-id", "x", "--json"], "goes with neither --json nor --watch"),
]


@pytest.mark.parametrize("words, sentence", WRONG)
def test_wrong_options_are_told(build, words, sentence):
    done = build.run(build.tool("mquic-status"), *words)
    assert done.returncode == 1
    assert sentence in done.stderr


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
        "    asks.send(struct.pack('IIII', 2, 1, 0, 0))\n"
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
        HEAD.pack(VERSION, 99, 0, 0),
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


def facts(
    number, address=b"192.0.2.1:5", cipher=b"AES-128-GCM", name=b"id", user=b"user", rtt=2500
):
    counts = (61000, rtt, 200, 100, 1, 7, 4096, 5000, 6000, 3, 5, 0, 0)
    return FACTS.pack(number, *counts, address, cipher, name, user)


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


CROWD = [
    head(ASKED, count=1),
    head(CLIENTS, count=3)
    + facts(1, b"[2001:db8::1]:9", name=b"b", user=b"alice", rtt=30)
    + facts(2, b"192.0.2.7:40112", name=b"a", user=b"", rtt=9000)
    + facts(3, b"192.0.2.7:40113", name=b"\xc3\xa4", user=b"bob", rtt=200),
    head(DONE),
]
SHOWN = [
    ([], "123"),
    (["--sort", "rtt"], "231"),
    (["--sort", "id"], "213"),
    (["--sort", "memory"], "123"),
    (["--sort", "user"], "213"),
    (["--user", "bob"], "3"),
    (["--id", "ä"], "3"),
    (["--id", "b", "--user", "bob"], ""),
    (["--address", "192.0.2.7"], "23"),
    (["--address", "192.0.2.7:40113"], "3"),
    (["--address", "192.0.2.7:4011"], ""),
    (["--address", "2001:0db8:0::1"], "1"),
    (["--address", "[2001:db8::1]:9"], "1"),
]


@pytest.mark.parametrize("words, numbers", SHOWN)
def test_clients_are_chosen_and_sorted(build, workdir, words, numbers):
    done = show(build, workdir, CROWD, "--json", *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert [one["client"] for one in json.loads(done.stdout)] == [f"1.{n}" for n in numbers]


def test_columns_are_as_wide_as_what_is_in_them(build, workdir):
    long = b"[2001:db8:1111:2222:3333:4444:5555:6666]:65535"
    answers = [
        head(ASKED, count=1),
        head(CLIENTS, count=2)
        + facts(1, name=b"a", user=b"\xc3\xa4\xc3\xb6")
        + facts(2, long, name=b"b", user=b"xyz"),
        head(DONE),
    ]
    lines = show(build, workdir, answers).stdout.splitlines()
    ends = {line.rindex(word) for line, word in zip(lines, (" ID", " a", " b"))}
    assert len(ends) == 1, lines


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


# ---- A terminal.


def on_terminal(broker, rows, *words, term="xterm"):
    """The tool on a terminal of so many rows; what it has written so far, by calling."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 40, 0, 0))
    argv = [str(broker.build.tool("mquic-status")), "--socket", path_of(broker), *words]
    environment = {**broker.build.environment(), "TERM": term}
    child = subprocess.Popen(argv, stdout=slave, stdin=slave, env=environment)
    os.close(slave)
    os.set_blocking(master, False)
    seen = bytearray()

    def read():
        try:
            while block := os.read(master, 65536):
                seen.extend(block)
        except (BlockingIOError, OSError):
            pass
        return bytes(seen)

    return child, read


def test_a_terminal_is_drawn_on(served):
    clients = [SessionClient(served, f"client-{i}") for i in range(6)]
    for client in clients:
        client.connect()
    child, read = on_terminal(served, 5, "--watch", "1")
    try:
        eventually(lambda: read().count(b"6 clients") >= 2, what="a second time")
        clients[0].disconnect()
        eventually(lambda: b"5 clients" in read(), what="the change")
    finally:
        child.kill()
        child.wait()
    first, *others = read().split(b"\x1b[J\x1b[?7h")
    assert first.startswith(b"\x1b[?7l\x1b[H\x1b[2JCLIENT ")
    assert others[0].startswith(b"\x1b[?7l\x1b[HCLIENT ")
    # No more than there is room for, and the last line of all.
    assert first.count(b"\n") == 4
    assert first.splitlines()[-1] == b"6 clients\x1b[K"


@pytest.mark.parametrize("words, term", [(["-w", "1"], "dumb"), (["-w", "1", "--json"], "xterm")])
def test_what_is_no_screen_gets_lines(served, words, term):
    child, read = on_terminal(served, 24, *words, term=term)
    end = b"]" if "--json" in words else b"0 clients"
    try:
        eventually(lambda: read().count(end) >= 2, what="a second time")
    finally:
        child.kill()
        child.wait()
    assert b"\x1b" not in read()
