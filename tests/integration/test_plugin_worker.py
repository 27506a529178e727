# SPDX-License-Identifier: MIT
"""The program beside the broker: whatever becomes of it, the broker and its other clients go on."""

import os
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness import datagrams
from harness.build import give_to_broker
from harness.clients import SessionClient
from harness.process import eventually


def status_of(pid, name):
    return re.search(rf"^{name}:\s+(\S+)", Path(f"/proc/{pid}/status").read_text(), re.M)[1]


def is_there(pid):
    """Whether it is, and no mere entry for whoever wants to know how it ended."""
    try:
        return status_of(pid, "State") != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def is_gone(pid):
    return not is_there(pid)


def end_worker(broker, number=signal.SIGKILL):
    """Ends it, and waits until another one serves."""
    pid = broker.worker_pid()
    mark = len(broker.log())
    os.kill(pid, number)
    broker.wait_log(r"worker 1 was ended by .*started again", start=mark)
    eventually(lambda: datagrams.answers_quic(broker.port), what="another worker that answers")
    assert broker.worker_pid() != pid
    return broker.log()[mark:]


# ---- It ends


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGABRT"])
def test_a_worker_that_ends_is_started_again(broker, build, name):
    if build.sanitizer and name == "SIGSEGV":
        pytest.skip("a sanitizer has its own way with that signal")
    number = getattr(signal, name)
    witness = broker.tcp_sub("-t", "x", "-q", "1")
    client = SessionClient(broker, "before", keep_alive=0)
    client.connect()
    broker.tcp_pub("-t", "x", "-m", "1", "-q", "1")
    log = end_worker(broker, number)
    told = rf"mquic: worker 1 was ended by signal {int(number)} \({name}\).* again in 0\.\d s"
    assert re.search(told, log), log
    broker.tcp_pub("-t", "x", "-m", "2", "-q", "1")
    # Whoever was connected is told as soon as it says something, and comes back.
    client.command("publish", "x", 0, 0, "lost")
    assert "stateless reset" in client.event("DISCONNECTED")["text"]
    client.connect()
    client.publish("x", "3", qos=1)
    assert witness.wait_lines(3)[-1] == "3"
    assert witness.returncode is None
    assert "disconnected" not in "".join(re.findall("Client tcp.*", log))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_client_that_says_nothing_is_told_at_once(make_broker, workers):
    """Its next PING would come in a minute."""
    broker = make_broker(plugin_opts={"workers": workers, "idle_timeout": 600}).start()
    options = {"keep_alive": 0, "settings": {"keep-alive-ms": 60000}}
    clients = [SessionClient(broker, f"idle-{i}", **options) for i in range(8)]
    for client in clients:
        client.connect()
    # What a handshake leaves to be said is said by then.
    time.sleep(1)
    killed = time.monotonic()
    for pid in broker.worker_pids():
        os.kill(pid, signal.SIGKILL)
    for client in clients:
        assert "stateless reset" in client.event("DISCONNECTED")["text"]
    told = time.monotonic() - killed
    for client in clients:
        client.connect()
        client.publish("x", "y", qos=1)
    back = time.monotonic() - killed
    # The machine may be busy; what counts is that it took no minute.
    assert told < 20 and back < 40, (told, back)
    print(f"told after {told:.2f} s, back after {back:.2f} s")


def test_wills_are_published_when_the_worker_ends(broker):
    watcher = broker.tcp_sub("-t", "obituary", "-q", "1", "-C", "1")
    client = SessionClient(broker, "mourned")
    client.do("will", "obituary", 1, 0, 0, "gone")
    client.connect()
    end_worker(broker)
    assert watcher.wait() == 0
    assert watcher.lines == ["gone"]


def test_one_that_ends_at_once_rests_longer_each_time(broker):
    log = "".join(end_worker(broker) for _ in range(4))
    pauses = [float(text) for text in re.findall(r"started again in (\S+) s", log)]
    assert len(pauses) == 4
    assert pauses[0] < 0.2
    # Where the machine was too busy for a short life it rests no longer than before.
    assert max(pauses) <= 1.1


def test_messages_come_once_whenever_the_worker_ends(broker):
    """QoS 2 to a client over QUIC that comes back again and again."""
    client = SessionClient(broker, "steady", clean=0, protocol=4)
    client.connect()
    client.subscribe("count", 2)
    seen, sent = [], 0
    for _ in range(5):
        for _ in range(random.randrange(1, 20)):
            broker.tcp_pub("-t", "count", "-m", str(sent), "-q", "2")
            sent += 1
        end_worker(broker)
        client.command("publish", "other", 0, 0, "hello")
        client.event("DISCONNECTED")
        client.connect()
    broker.tcp_pub("-t", "count", "-m", "end", "-q", "2")
    while not seen or seen[-1] != "end":
        seen.append(client.message()["payload"])
    assert seen == [*map(str, range(sent)), "end"]


def test_a_stopped_worker_goes_on(broker):
    client = SessionClient(broker, "patient")
    client.connect()
    pid = broker.worker_pid()
    os.kill(pid, signal.SIGSTOP)
    broker.tcp_pub("-t", "x", "-m", "y", "-q", "1")
    broker.wait_log(r"worker 1 was stopped by signal 19 \(SIGSTOP\); it is told to go on")
    client.publish("x", "y", qos=1)
    assert client.events("DISCONNECTED") == []
    assert broker.worker_pid() == pid


def test_a_reload_while_no_worker_is_there(broker):
    mark = len(broker.log())
    os.kill(broker.worker_pid(), signal.SIGKILL)
    for _ in range(3):
        broker.signal(signal.SIGHUP)
    broker.wait_log(r"worker 1 was ended by .*started again", start=mark)
    eventually(lambda: datagrams.answers_quic(broker.port), what="another worker that answers")
    broker.sighup()
    broker.pub("-t", "x", "-m", "y", "-q", "1")


# ---- The broker ends


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
def test_no_worker_outlives_a_broker_that_is_killed(broker, stopped):
    pid = broker.worker_pid()
    client = SessionClient(broker, "left", keep_alive=0)
    client.connect()
    broker.expect_failure = True
    broker.signal(signal.SIGSTOP)
    if stopped:
        os.kill(pid, signal.SIGSTOP)
    broker.signal(signal.SIGKILL)
    # It does not go without a word.
    client.event("DISCONNECTED")
    eventually(lambda: is_gone(pid), what="the end of the worker")


def test_the_worker_ends_with_the_broker(broker):
    pid = broker.worker_pid()
    client = SessionClient(broker, "left", keep_alive=0)
    client.connect()
    assert broker.stop() == 0
    assert client.event("DISCONNECTED")
    assert is_gone(pid)


def test_a_broker_that_fails_to_start_leaves_no_worker(make_broker):
    broker = make_broker(tcp=["certfile /nowhere/server.crt", "keyfile /nowhere/server.key"])
    code, log = broker.refuse()
    assert code != 0
    directory = str(broker.build.worker)

    def workers():
        argv = ["pgrep", "-f", f"^{directory} --worker"]
        found = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.split()
        return [pid for pid in found if status_of(pid, "PPid") == "1"]

    eventually(lambda: not workers(), what=f"the end of the worker; the log:\n{log}")


# ---- What it is not


def test_the_plugin_is_linked_with_nothing_that_speaks_quic(build):
    env = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    done = subprocess.run(
        ["ldd", str(build.plugin)], env=env, capture_output=True, text=True, check=True
    )
    assert not re.search("gnutls|ngtcp2|nettle|libmquic", done.stdout), done.stdout


def test_the_worker_has_nothing_of_the_brokers(broker):
    client = SessionClient(broker, "guest")
    client.connect()
    pid = broker.worker_pid()
    targets = [os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()]
    files = [one for one in targets if one.startswith("/") and one != "/dev/null"]
    # What is left is the stream for last words, a file in these tests.
    assert files in ([], [str(broker.directory / "broker.log")]), targets
    inodes = set(re.findall(r"socket:\[(\d+)\]", " ".join(targets)))
    tcp = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    assert not inodes & {line.split()[9] for line in tcp}, targets
    assert status_of(pid, "Threads") == "1"
    assert status_of(pid, "Uid") == status_of(broker.pid, "Uid")


# What it may know of the broker's environment.
KEPT = r"LD_LIBRARY_PATH|LD_PRELOAD|GLIBC_TUNABLES|[ALT]SAN_OPTIONS|UBSAN_OPTIONS|(MALLOC|GNUTLS)_\w+"


def test_the_environment_stays_with_the_broker(make_broker, monkeypatch):
    """Whose it may hold secrets."""
    monkeypatch.setenv("OTHER_PLUGIN_PASSWORD", "hidden")
    monkeypatch.setenv("SSLKEYLOGFILE", "/nowhere")
    monkeypatch.setenv("GNUTLS_DEBUG_LEVEL", "0")
    # Without the sandbox it is there to be read.
    broker = make_broker(plugin_opts={"sandbox": "false"}).start()
    text = Path(f"/proc/{broker.worker_pid()}/environ").read_bytes().decode()
    names = {variable.split("=")[0] for variable in text.split("\0") if variable}
    assert "GNUTLS_DEBUG_LEVEL" in names
    assert all(re.fullmatch(KEPT, name) for name in names), names
    # The same for one that is started again.
    end_worker(broker)
    assert Path(f"/proc/{broker.worker_pid()}/environ").read_bytes().decode() == text


def test_the_descriptors_of_a_worker_are_its_own(broker):
    """Whatever the broker has open when one is started again, and marks close-on-exec or not."""
    clients = [broker.tcp_sub("-t", "x") for _ in range(3)]
    end_worker(broker)
    pid = broker.worker_pid()
    links = {int(fd.name): os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()}
    assert links[0] == links[1] == "/dev/null"
    assert links[2] == str(broker.directory / "broker.log")
    sockets = [link for link in links.values() if link.startswith("socket:")]
    others = [link for fd, link in links.items() if fd > 2 and not link.startswith("socket:")]
    # The channel and the UDP socket; what waits for them.
    assert len(sockets) == 2, links
    assert set(others) <= {
        "anon_inode:[eventpoll]",
        "anon_inode:[eventfd]",
        "anon_inode:[timerfd]",
    }, links
    assert all(client.returncode is None for client in clients)


def test_the_sandbox_is_closed(broker):
    pid = broker.worker_pid()
    assert status_of(pid, "NoNewPrivs") == "1"
    assert status_of(pid, "Seccomp") == "2"
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert re.search(r"Max core file size\s+0\s+0", limits), limits
    assert re.search(r"Max processes\s+0\s+0", limits), limits
    assert "system calls are not filtered" not in broker.log()


def test_the_sandbox_can_be_left_out(make_broker):
    broker = make_broker(plugin_opts={"sandbox": "false"}).start()
    pid = broker.worker_pid()
    assert status_of(pid, "NoNewPrivs") == "1"
    assert status_of(pid, "Seccomp") == "0"
    broker.pub("-t", "x", "-m", "y", "-q", "1")


def test_reloads_pass_the_sandbox(make_broker, workdir, certs):
    """All that may be read again, and the one file that is written."""
    keys = workdir / "keys.log"
    options = {"cafile": certs.ca, "capath": certs.ca.parent, "keylog_file": keys}
    broker = make_broker(plugin_opts=options).start()
    for _ in range(3):
        broker.sighup()
    assert "stay as they were" not in broker.log()
    broker.pub("-t", "x", "-m", "y", "-q", "1")
    assert "CLIENT_HANDSHAKE_TRAFFIC_SECRET" in keys.read_text()


def test_links_to_newer_files_pass_the_sandbox(make_broker, workdir, certs):
    """As certbot renews: the name stays, and leads to the next file of another directory."""
    archive, live = workdir / "archive", workdir / "live"
    for place in (archive, live):
        place.mkdir()

    def install(number, identity):
        for kind, source in (("fullchain", identity.cert), ("privkey", identity.key)):
            file = archive / f"{kind}{number}.pem"
            shutil.copy(source, file)
            give_to_broker(file)
            fresh = live / "next"
            fresh.symlink_to(f"../archive/{file.name}")
            fresh.replace(live / f"{kind}.pem")

    install(1, certs.server)
    names = {"certfile": live / "fullchain.pem", "keyfile": live / "privkey.pem"}
    broker = make_broker(plugin_opts=names).start()
    broker.pub("-t", "x", "-m", "y", "-q", "1")
    install(2, certs.other_server)
    broker.sighup()
    assert "stay as they were" not in broker.log()
    broker.pub("-t", "x", "-m", "y", "-q", "1", cafile=certs.other_ca)


def test_a_key_that_everybody_reads_is_complained_of(make_broker, certs, workdir):
    key = workdir / "server.key"
    shutil.copy(certs.server.key, key)
    give_to_broker(key)
    complaint = f"any user of this machine can get at the private key {key}: chmod o= {key}"
    for mode, expected in ((0o600, 0), (0o640, 0), (0o644, 1)):
        key.chmod(mode)
        broker = make_broker(plugin_opts={"keyfile": key}).start()
        assert broker.log().count(complaint) == expected
        assert broker.stop() == 0


# ---- It says what it may not


def test_a_program_that_is_no_worker_stops_the_broker(make_broker, workdir):
    babbler = workdir / "babbler"
    babbler.write_text("#!/usr/bin/python3\nimport os\nos.write(3, b'x' * 100)\nos.read(3, 9)\n")
    babbler.chmod(0o755)
    _, log = make_broker(plugin_opts={"worker": babbler}).refuse()
    assert f"mquic: plugin_opt_worker: {babbler} " in log, log


def test_the_broker_is_quick_while_the_worker_is_stuck(make_broker, workdir):
    """One that reads nothing and answers nothing costs TCP clients nothing."""
    broker = make_broker().start()
    pid = broker.worker_pid()
    for _ in range(20):
        os.kill(pid, signal.SIGSTOP)
        started = time.monotonic()
        broker.tcp_pub("-t", "x", "-m", "y", "-q", "1")
        broker.signal(signal.SIGHUP)
        assert time.monotonic() - started < 10
    broker.wait_log("told to go on")
    broker.sighup()
    broker.pub("-t", "x", "-m", "y", "-q", "1")


def test_a_plugin_in_a_build_tree_takes_the_program_of_that_tree(make_broker, build, workdir):
    for program in (build.plugin, build.worker):
        place = workdir / ("gateway" if program == build.worker else "mosquitto-plugin")
        place.mkdir()
        shutil.copy(program, place)
    broker = make_broker(plugin_opts={"worker": None})
    broker.plugin = workdir / "mosquitto-plugin" / Path(build.plugin).name
    broker.start().pub("-t", "x", "-m", "y", "-q", "1")
