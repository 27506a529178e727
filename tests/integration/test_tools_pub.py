# SPDX-License-Identifier: MIT
"""mquic-pub against the real broker: sources of payloads, exit codes, interruption."""

import re
import signal
import socket
import struct
import subprocess

import pytest

from harness.process import ENDING_SIGNALS, Process


@pytest.fixture
def users(workdir):
    """A password file: ann may log in."""
    path = workdir / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", path, "ann", "secret"], check=True)
    path.chmod(0o644)
    return path


@pytest.fixture
def rules(workdir):
    """An ACL: everybody may publish to open/ only."""
    path = workdir / "acl"
    path.write_text("topic readwrite open/#\n")
    path.chmod(0o644)
    return path


def test_a_payload_may_look_like_an_option(broker):
    listener = broker.tcp_sub("-t", "x", "-C", "2")
    for payload in ("--help", "--version"):
        done = broker.pub("-t", "x", "-m", payload, "-q", "1")
        assert done.stdout == ""
    assert listener.wait_lines(2) == ["--help", "--version"]


def test_closed_input_is_told_and_no_socket_is_read_in_its_place(broker):
    for source in ("-l", "-s"):
        words = [broker.build.tool("mquic-pub"), *broker.address(), "-t", "x", source]
        done = broker.build.run("sh", "-c", 'exec "$@" <&-', "sh", *words)
        assert done.returncode == 1
        assert done.stderr == "Error: Cannot read the input: Bad file descriptor.\n"


@pytest.mark.parametrize("library, version", [("ngtcp2", "1.10.0"), ("gnutls", "3.6.0")])
def test_a_library_that_is_too_old_is_told(build, library, version):
    """ngtcp2 would abort the program, broker and all."""
    env = build.environment(preload=True)
    env["LD_PRELOAD"] = f"{env.get('LD_PRELOAD', '')} {build.preload(f'old-{library}')}"
    done = subprocess.run(
        [build.tool("mquic-pub"), "-t", "x", "-m", "y"],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert f"is version {version}, and libmquic" in done.stderr


def test_lines_are_messages(broker):
    sub = broker.tcp_sub("-t", "x", "-F", "<%p>", "-C", "4")
    broker.pub("-t", "x", "-l", input="one\n\ntwo\nlast without newline")
    assert sub.wait_lines(4) == ["<one>", "<>", "<two>", "<last without newline>"]


def test_no_lines_at_all(broker):
    broker.pub("-t", "x", "-l", "-q", "1", input="")


@pytest.mark.parametrize("words", [["-s"], ["-f", "/dev/null"], ["-f", "/dev/stdin"]])
def test_empty_input_clears_nothing(broker, words):
    """The command in front of the pipe has failed: what is retained must stay."""
    broker.tcp_pub("-t", "kept", "-m", "value", "-r", "-q", "1")
    done = broker.pub("-t", "kept", "-r", "-q", "1", *words, input="", check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: Zero length input: ")
    assert "-n" in done.stderr
    assert broker.tcp_sub("-t", "kept", "-C", "1").wait_lines(1) == ["value"]
    # What asks for it in so many words does clear it.
    for asked in (["-n"], ["-m", ""]):
        broker.tcp_pub("-t", "kept", "-m", "value", "-r", "-q", "1")
        broker.pub("-t", "kept", "-r", "-q", "1", *asked)
        assert broker.tcp_sub("-t", "kept", "-t", "end", "-C", "1", "-W", "1").wait() == 27


@pytest.fixture
def breaking_input():
    """A socket to be standard input, and a function that makes reading it fail."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs = server.accept()[0]

    def break_it():
        # Closed like this, TCP sends a reset.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        ours.close()

    yield ours, theirs, break_it
    ours.close()
    theirs.close()


def test_input_that_breaks_publishes_no_half_line(broker, breaking_input):
    ours, theirs, break_it = breaking_input
    sub = broker.tcp_sub("-t", "x")
    argv = [broker.build.tool("mquic-pub"), *broker.address(), "-t", "x", "-l", "-q", "1"]
    pub = broker.adopt(Process(argv, broker.build.environment(), stdin=theirs))
    ours.sendall(b"one\ntwo\nhal")
    sub.wait_lines(2)
    break_it()
    assert pub.wait() == 1
    assert pub.errors == "Error: Cannot read the input: Connection reset by peer."
    broker.tcp_pub("-t", "x", "-m", "end")
    sub.wait_line("end")
    assert sub.lines == ["one", "two", "end"]


def test_input_that_breaks_publishes_no_half_payload(broker, breaking_input):
    ours, theirs, break_it = breaking_input
    sub = broker.tcp_sub("-t", "x")
    argv = [broker.build.tool("mquic-pub"), *broker.address(), "-t", "x", "-s", "-q", "1"]
    pub = broker.adopt(Process(argv, broker.build.environment(), stdin=theirs))
    ours.sendall(b"half of a payload")
    break_it()
    assert pub.wait() == 1
    assert pub.errors == "Error: Cannot read the input: Connection reset by peer."
    broker.tcp_pub("-t", "x", "-m", "end")
    assert sub.wait_lines(1) == ["end"]


def test_a_line_goes_out_before_the_next_is_typed(broker):
    sub = broker.tcp_sub("-t", "x")
    tool = broker.build.tool("mquic-pub")
    argv = [tool, *broker.address(), "-t", "x", "-l", "-q", "1"]
    pub = broker.adopt(Process(argv, broker.build.environment(), stdin=True))
    for number in range(3):
        pub.write(f"line {number}\n")
        sub.wait_line(f"line {number}")
    pub.close_stdin()
    assert pub.wait() == 0


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_lines_beyond_every_buffer(make_broker, qos):
    # By default the broker drops what a subscriber is too slow for.
    broker = make_broker(top=["max_queued_messages 0"]).start()
    lines = [f"{number:06d} " + "x" * 93 for number in range(30000)]
    sub = broker.tcp_sub("-t", "x", "-q", "0", "-C", len(lines))
    broker.pub("-t", "x", "-l", "-q", qos, input="\n".join(lines) + "\n", timeout=120)
    if qos:
        assert sub.wait_lines(len(lines), timeout=120) == lines


def test_one_very_long_line(broker, workdir):
    line = "y" * 3_000_000
    sub = broker.tcp_sub("-t", "x", "-F", "%l", "-C", "2")
    broker.pub("-t", "x", "-l", "-q", "1", input=f"{line}\nz\n")
    assert sub.wait_lines(2) == ["3000000", "1"]


def test_other_sources(broker, workdir):
    sub = broker.tcp_sub("-t", "x", "-F", "<%p>", "-C", "4")
    path = workdir / "payload"
    path.write_text("from\na file")
    broker.pub("-t", "x", "-f", path)
    broker.pub("-t", "x", "-s", input="all of\nstdin\n")
    broker.pub("-t", "x", "-n")
    assert sub.wait_lines(6)[:5] == ["<from", "a file>", "<all of", "stdin", ">"]
    assert sub.lines[5] == "<>"


def test_repeat(broker):
    sub = broker.tcp_sub("-t", "x", "-C", "3")
    done = broker.pub("-t", "x", "-m", "y", "--repeat", "3", "--repeat-delay", "0.2", "-d")
    assert sub.wait_lines(3) == ["y"] * 3
    assert done.stdout.count("sending PUBLISH") == 3


@pytest.mark.parametrize("scheme", ["mqtt-quic", "quic"])
def test_everything_in_a_url(make_broker, users, scheme):
    broker = make_broker(anonymous=False, listener=[f"password_file {users}"]).start()
    sub = broker.tcp_sub("-t", "a/b c", "-C", "1")
    url = f"{scheme}://ann:secre%74@localhost:{broker.port}/a/b%20c"
    tool = broker.build.tool("mquic-pub")
    done = broker.build.run(tool, "-L", url, "--cafile", broker.certs.ca, "-m", "y", "-q", "1")
    assert done.returncode == 0, done
    assert sub.wait_lines(1) == ["y"]


@pytest.mark.parametrize("protocol, code", [("mqttv311", 5), ("mqttv5", 135)])
def test_a_refused_login_is_the_exit_code(make_broker, users, protocol, code):
    broker = make_broker(anonymous=False, listener=[f"password_file {users}"]).start()
    words = ["-V", protocol, "-t", "x", "-m", "y"]
    assert broker.pub(*words, "-u", "ann", "-P", "secret").returncode == 0
    done = broker.pub(*words, "-u", "ann", "-P", "guess", "-d", check=False)
    assert done.returncode == code, done
    assert "authori" in done.stderr, done
    assert f"received CONNACK ({code})" in done.stdout, done
    assert ("(return code 5)" if code == 5 else "(0x87)") in done.stderr, done


def test_a_publish_the_broker_denies_is_told(make_broker, rules):
    broker = make_broker(listener=[f"acl_file {rules}"]).start()
    broker.pub("-t", "open/x", "-m", "y", "-q", "1")
    done = broker.pub("-t", "closed/x", "-m", "y", "-q", "1", check=False)
    assert done.returncode == 1
    assert "not authorized" in done.stderr


@pytest.mark.parametrize("qos", ["1", "2"])
def test_a_message_at_which_the_broker_hangs_up_is_given_up(make_broker, workdir, qos):
    """MQTT 3.1.1 cannot be told of max_packet_size: the broker closes the connection."""
    broker = make_broker(top=["max_packet_size 200"]).start()
    sub = broker.tcp_sub("-t", "t", "-q", qos, "-C", 2)
    path = workdir / "lines"
    path.write_text("one\n" + "x" * 300 + "\ntwo\n")
    options = ["-V", "mqttv311", "-i", "stubborn", "-c", "-t", "t", "-q", qos, "-l"]
    with path.open() as lines:
        done = broker.pub(*options, stdin=lines, check=False)
    assert done.returncode == 1, done
    assert done.stderr.count("Trying again") == 3, done
    assert "the server has ended three connections at this message" in done.stderr, done
    assert "not acknowledged" not in done.stderr, done
    assert sub.wait() == 0
    assert sub.lines == ["one", "two"]


def test_properties_travel(broker):
    sub = broker.tcp_sub(
        "-V", "mqttv5", "-t", "x", "-C", "1", "-F", "%C|%R|%P|%D|%F|%E"
    )
    broker.pub(
        "-t", "x", "-m", "y", "-q", "1",
        "-D", "publish", "content-type", "text/plain",
        "-D", "publish", "response-topic", "answer",
        "-D", "PUBLISH", "user-property", "colour", "green",
        "-D", "publish", "correlation-data", "42",
        "-D", "publish", "payload-format-indicator", "1",
        "-D", "publish", "message-expiry-interval", "600",
    )  # fmt: skip
    content, answer, user, correlation, utf8, expiry = sub.wait_lines(1)[0].split("|")
    assert (content, answer, correlation, utf8) == ("text/plain", "answer", "42", "1")
    assert user == "colour:green"
    assert 590 <= int(expiry) <= 600


def test_debug_tells_the_time_to_connack(broker):
    done = broker.pub("-t", "x", "-m", "y", "-q", "2", "-i", "me", "-d")
    lines = done.stdout.splitlines()
    assert lines[0] == "Client me sending CONNECT"
    assert "Client me received CONNACK (0)" in lines
    assert any(re.match(r"Connected to 127\.0\.0\.1:\d+ in \d+\.\d ms \(QUIC", li) for li in lines)
    assert any(li.startswith("Client me received PUBCOMP (Mid: ") for li in lines)
    assert lines[-1] == "Client me sending DISCONNECT"
    broker.wait_log(r"Client me( \[\S+\])? disconnected")


def test_lines_survive_a_restart_of_the_broker(broker):
    tool = broker.build.tool("mquic-pub")
    argv = [tool, *broker.address(), "-t", "x", "-l", "-q", "1", "-i", "stubborn"]
    pub = broker.adopt(Process(argv, broker.build.environment(), stdin=True))
    pub.write("before\n")
    broker.wait_log("Received PUBLISH from stubborn")
    assert broker.stop() == 0
    assert re.search(r"[.?!] Trying again", pub.wait_error("Trying again"))
    broker.start()
    mark = len(broker.log())
    pub.write("after\n")
    pub.close_stdin()
    assert pub.wait() == 0
    broker.wait_log("Received PUBLISH from stubborn", start=mark)


@pytest.mark.parametrize("number", ENDING_SIGNALS)
def test_a_signal_ends_it_with_disconnect(broker, number):
    tool = broker.build.tool("mquic-pub")
    argv = [tool, *broker.address(), "-t", "x", "-l", "-i", "stopped", "-d"]
    pub = broker.adopt(Process(argv, broker.build.environment(), stdin=True))
    pub.wait_line("received CONNACK")
    pub.signal(number)
    assert pub.wait() == 1
    broker.wait_log("Received DISCONNECT from stopped")
