# SPDX-License-Identifier: MIT
"""mquic-sub against the real broker: what is printed, when it ends, with which exit code."""

import re
import signal
import subprocess
import time

import pytest

from harness.process import ENDING_SIGNALS, PATIENCE, eventually


def publish(broker, topic, payload, *more):
    broker.tcp_pub("-t", topic, "-m", payload, "-q", "1", *more)


@pytest.mark.parametrize("protocol", ["mqttv311", "mqttv5"])
def test_messages_of_some_megabytes_come_and_larger_ones_when_asked_for(
    make_broker, workdir, protocol
):
    broker = make_broker().start()
    middle, large = workdir / "middle", workdir / "large"
    middle.write_bytes(b"m" * 15_000_000)
    large.write_bytes(b"l" * 20_000_000)
    words = ["-V", protocol, "-t", "t", "-q", "1", "-F", "%l"]
    sub = broker.sub(*words, "-C", "1")
    generous = broker.sub(*words, "-C", "2", "--max-packet-size", "30000000")
    broker.tcp_pub("-t", "t", "-q", "1", "-f", large)
    if protocol == "mqttv311":
        assert sub.wait() == 1
        assert "messages may have 16777216 bytes (set the maximum" in sub.errors
        assert "(--max-packet-size)" in sub.errors
        assert generous.wait_lines(1) == ["20000000"]
        return
    broker.tcp_pub("-t", "t", "-q", "1", "-f", middle)
    assert sub.wait() == generous.wait() == 0
    assert sub.lines == ["15000000"]
    assert generous.lines == ["20000000", "15000000"]


def test_count_ends_it(broker):
    sub = broker.sub("-t", "x/#", "-v", "-C", "2")
    for number in range(3):
        publish(broker, f"x/{number}", "y")
    assert sub.wait() == 0
    assert sub.lines == ["x/0 y", "x/1 y"]


def test_what_count_leaves_stays_with_the_broker(broker):
    """Messages are acknowledged when they are printed, not when they come."""
    words = ["-t", "x", "-q", "1", "-c", "-C", "2"]
    sub = broker.sub(*words, client_id="keeper")
    sub.signal(signal.SIGSTOP)
    for number in range(6):
        publish(broker, "x", str(number))
    sub.signal(signal.SIGCONT)
    seen = []
    for _ in range(3):
        assert sub.wait() == 0, sub.errors
        seen += sub.lines
        sub = broker.sub(*words, client_id="keeper", ready=False)
    assert seen == [str(number) for number in range(6)]


@pytest.mark.parametrize("qos", [0, 1])
def test_a_full_disk_is_told(broker, qos):
    publish(broker, "held", "y", "-r")
    with open("/dev/full", "w") as full:
        sub = broker.sub("-t", "held", "-C", "1", "-q", qos, ready=False, stdout=full)
        assert sub.wait() == 1
    assert "Cannot print: No space left on device." in sub.errors


def test_closed_output_is_told_and_nothing_is_sent_in_its_place(broker):
    """The socket must not get the number of standard output, and the payload on to the wire."""
    publish(broker, "held", "y", "-r")
    words = [broker.build.tool("mquic-sub"), *broker.address(), "-t", "held", "-C", "1"]
    done = broker.build.run("sh", "-c", 'exec "$@" >&-', "sh", *words)
    assert done.returncode == 1
    assert done.stderr == "Error: Cannot print: Bad file descriptor.\n"


def test_timeout_has_its_exit_code(broker):
    started = time.monotonic()
    sub = broker.sub("-t", "x", "-W", "3", client_id="patient")
    assert sub.wait() == 27
    assert time.monotonic() - started > 2.9
    assert "Timed out" in sub.errors
    broker.wait_log("Received DISCONNECT from patient")


def test_timeout_counts_while_nobody_answers(broker, make_proxy):
    proxy = make_proxy(broker)
    proxy.blackhole = True
    sub = broker.sub("-t", "x", "-W", "1", port=proxy.port, ready=False)
    assert sub.wait(9) == 27  # the handshake alone would take ten seconds


def test_exit_when_subscribed(broker):
    sub = broker.sub("-t", "x", "-E", ready=False)
    assert sub.wait() == 0
    assert sub.lines == []


def test_filters(broker):
    sub = broker.sub("-t", "a/#", "-t", "b", "-T", "a/+/noise", "-T", "a/x/#", "-v", "-C", "3")
    for topic in ("a/1/noise", "a", "a/x", "a/x/y", "a/1/noise/more", "b"):
        publish(broker, topic, "z")
    assert sub.wait() == 0
    assert sub.lines == ["a z", "a/1/noise/more z", "b z"]


def test_unsubscribe(broker):
    broker.sub("-t", "x", "-q", "1", "-c", "-E", client_id="moody", ready=False).wait()
    other = broker.sub("-t", "other", "-U", "x", "-c", client_id="moody")
    broker.wait_log("Sending UNSUBACK to moody")
    assert other.terminate() == 0
    publish(broker, "x", "unwanted")
    sub = broker.sub("-t", "other", "-c", "-C", "1", client_id="moody")
    publish(broker, "other", "wanted")
    assert sub.wait() == 0
    assert sub.lines == ["wanted"]


def test_retained(broker):
    publish(broker, "old", "stale", "-r")
    fresh = broker.sub("-t", "old", "-R", "-C", "1")
    publish(broker, "old", "new")
    assert fresh.wait() == 0
    assert fresh.lines == ["new"]
    only = broker.sub("-t", "#", "--retained-only", ready=False)
    only.wait_lines(1)
    publish(broker, "other", "x")
    assert only.wait() == 0
    assert only.lines == ["stale"]


@pytest.mark.parametrize("published", [[], ["--retain-as-published"]])
def test_remove_retained(broker, published):
    """More than may be on their way at once, and what is filtered out stays."""
    broker.pub("-t", "keep/x", "-m", "y", "-r", "-q", "1")
    for number in range(100):
        broker.tcp_pub("-t", f"old/{number}", "-m", "y", "-r", "-q", "0")
    words = ["-t", "old/#", "-t", "keep/#", "-T", "keep/#", "-C", "100", *published]
    sub = broker.sub(*words, "--remove-retained", "-d", ready=False)
    assert sub.wait() == 0, sub.errors
    assert sum(line == "y" for line in sub.lines) == 100
    left = broker.sub("-t", "#", "-W", "1", "-v", ready=False)
    assert left.wait() == 27
    assert left.lines == ["keep/x y"]


def test_a_retained_message_that_stays_is_told(make_broker, workdir):
    rules = workdir / "acl"
    rules.write_text("topic read #\n")
    rules.chmod(0o644)
    broker = make_broker(listener=[f"acl_file {rules}"]).start()
    publish(broker, "old", "y", "-r")
    sub = broker.sub("-t", "old", "-C", "1", "--remove-retained", ready=False)
    assert sub.wait() == 0
    assert sub.errors == "Warning: A retained message is not removed: not authorized."


def test_format(broker):
    words = r"%t|%p|%x|%X|%l|%q|%r|%m|%%|@@|\t\\|%C|%R|%P|%E|%F"
    sub = broker.sub("-t", "a/b", "-q", "1", "-C", "1", "-F", words)
    broker.pub(
        "-t", "a/b", "-m", "Jürgen", "-q", "1",
        "-D", "publish", "content-type", "text/plain",
        "-D", "publish", "user-property", "k", "v",
        "-D", "publish", "user-property", "k", "w",
    )  # fmt: skip
    assert sub.wait() == 0
    assert sub.lines[0] == (
        "a/b|Jürgen|4ac3bc7267656e|4AC3BC7267656E|7|1|0|1|%|@|\t\\|text/plain||k:v k:w||"
    )


def test_format_of_time(broker):
    sub = broker.sub("-t", "x", "-C", "1", "-F", "%I %U @Y-@m-@d @N")
    publish(broker, "x", "y")
    assert sub.wait() == 0
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} \d+\.\d{9} \d{4}-\d\d-\d\d \d{9}", sub.lines[0]
    )


def test_no_newline(broker):
    sub = broker.sub("-t", "x", "-N", "-C", "2")
    publish(broker, "x", "ab")
    publish(broker, "x", "cd")
    assert sub.wait() == 0
    assert sub.lines == ["abcd"]


@pytest.mark.parametrize("number", ENDING_SIGNALS)
def test_a_signal_ends_it_with_disconnect(broker, number):
    sub = broker.sub("-t", "x", client_id="stopped")
    sub.signal(number)
    assert sub.wait() == 0
    broker.wait_log("Received DISCONNECT from stopped")


def test_a_signal_ignored_from_the_start_stays_so(broker):
    """nohup: the terminal may be closed. SIGINT is meant, though a shell's & ignores it."""
    argv = [broker.build.tool("mquic-sub"), *broker.address(), "-t", "x", "-i", "nohup"]
    script = "trap '' HUP INT; exec \"$@\""
    sub = broker.spawn("sh", "-c", script, "sh", *argv)
    broker.wait_suback("nohup", sub)
    sub.signal(signal.SIGHUP)
    publish(broker, "x", "still here")
    sub.wait_line("still here")
    sub.signal(signal.SIGINT)
    assert sub.wait() == 0
    broker.wait_log("Received DISCONNECT from nohup")


def test_a_closed_pipe_ends_it_with_disconnect(broker):
    command = f"{broker.build.tool('mquic-sub')} {' '.join(map(str, broker.address()))}"
    shell = subprocess.Popen(
        ["sh", "-c", f"{command} -t x -i piped | head -n 1"],
        env=broker.build.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    broker.wait_log("Sending SUBACK to piped")
    publish(broker, "x", "first")
    assert shell.stdout.readline() == "first\n"

    def parted():
        # The pipe is closed some time after its line, so more than one message may fit in.
        publish(broker, "x", "another")
        return "Received DISCONNECT from piped" in broker.log()

    eventually(parted, what="the end")
    assert shell.communicate(timeout=PATIENCE)[1] == ""
    assert shell.returncode == 0


def test_one_taken_over_does_not_fight_for_its_session(broker):
    first = broker.sub("-t", "x", client_id="twin")
    second = broker.sub("-t", "x", client_id="twin")
    assert first.wait() == 1
    assert "take" in first.errors, first.errors
    publish(broker, "x", "y")
    assert second.wait_lines(1) == ["y"]


def test_debug_tells_the_time_to_connack(broker):
    sub = broker.sub("-t", "x", "-d", "-C", "1", client_id="me")
    publish(broker, "x", "y")
    assert sub.wait() == 0
    assert sub.lines[0] == "Client me sending CONNECT"
    assert any(re.match(r"Connected to 127\.0\.0\.1:\d+ in \d+\.\d ms", li) for li in sub.lines)
    assert any(li.startswith("Subscribed (mid: ") for li in sub.lines)
    assert "Client me received PUBLISH (d0, q0, r0, m0, 'x', ... (1 byte))" in sub.lines
