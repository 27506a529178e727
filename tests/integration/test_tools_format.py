# SPDX-License-Identifier: MIT
"""What mquic-sub prints, side by side with mosquitto_sub, and as JSON."""

import json
import re

import pytest

from harness import mqtt
from harness.build import broker_version
from harness.clients import RawServer
from harness.process import Process

# Flags, widths and precision where mosquitto_sub has them, and where it takes no notice of them.
SEQUENCES = """
%t %10t %-10t %010t %-010t %.2t %10.2t %-10.2t %.t %1t %p %20p %-20p %020p %.3p %x %X %l %5l
%05l %-5l %-05l %.1l %q %5q %r %05r %m %5m %05m %C %9C %-9C %.3C %09C %D %9D %.1D %A %5A %05A %F %5F
%05F %P %20P %R %9R %.2R %09R %S %5S %05S %% %5%
""".split()


def publish_all(broker):
    """A retained message with all properties that mosquitto_pub can give it."""
    words = ["-V", "mqttv5", "-t", "a/bc", "-m", '{"a":1.50}', "-r", "-q", "1"]
    for name, value in {
        "content-type": "text/x",
        "response-topic": "re/sp",
        "correlation-data": "corr",
        "payload-format-indicator": "1",
    }.items():
        words += ["-D", "publish", name, value]
    for value in ("v", "w 2"):
        words += ["-D", "publish", "user-property", "k", value]
    broker.tcp_pub(*words)


def both(broker, topic, *args):
    """The output of mosquitto_sub and of mquic-sub for one message."""
    words = ["-t", topic, "-C", "1", *args]
    theirs = broker.tcp_sub("-V", "mqttv5", *words)
    assert theirs.wait() == 0, theirs.errors
    ours = broker.sub(*words, ready=False)
    assert ours.wait() == 0, ours.errors
    return theirs.lines, ours.lines


def one(broker, payload, *args, encode=True):
    """Publishes a retained payload and prints it with mquic-sub; the Process, ended."""
    data = payload.encode() if encode else payload
    broker.tcp_pub("-t", "x", "-r", "-s", input=data, text=False)
    sub = broker.sub("-t", "x", "-C", "1", *args, ready=False)
    assert sub.wait() == 0, sub.errors
    return sub


@pytest.mark.parametrize("identifier", [[], ["-D", "subscribe", "subscription-identifier", "7"]])
def test_formats_are_mosquittos(broker, identifier):
    publish_all(broker)
    theirs, ours = both(broker, "a/#", "-F", "|".join(SEQUENCES), *identifier)
    pairs = zip(SEQUENCES, theirs[0].split("|"), ours[0].split("|"))
    assert [trio for trio in pairs if trio[1] != trio[2]] == []


IS_2_1 = broker_version() >= (2, 1, 0)
GROUPS = ["%.1x", "%.2x", "%.3x", "%.3X", "%.40x", "%.0x", "%.2:x", "%.4-X", "%.2.x", "%.x"]


@pytest.mark.skipif(not IS_2_1, reason="mosquitto_sub prints groups of digits from 2.1 on")
def test_groups_of_digits_are_mosquittos(broker):
    publish_all(broker)
    theirs, ours = both(broker, "a/#", "-F", "\\n".join(GROUPS))
    assert list(zip(GROUPS, ours)) == list(zip(GROUPS, theirs))


@pytest.mark.parametrize(
    "sequence, text",
    [("%.2x", "61 62 63"), ("%.3X", "616 263"), ("%.2:x", "61:62:63"), ("%9.4-x", "  6162-63")],
)
def test_digits_come_in_groups(broker, sequence, text):
    assert one(broker, "abc", "-F", f"<{sequence}>").lines == [f"<{text}>"]


@pytest.mark.parametrize("sequence", ["%.2:t", "%.2:", "%2:x"])
def test_a_separator_is_for_groups(build, sequence):
    done = build.run(build.tool("mquic-sub"), "-h", "localhost", "-t", "x", "-F", sequence)
    assert done.returncode == 1 and "format specifier" in done.stderr, done


def pairs_of(user_properties):
    """2.0 has one object for all, where of two with the same name a reader sees the last."""
    return user_properties if IS_2_1 else {k: v for one in user_properties for k, v in one.items()}


def test_json_is_mosquittos(broker):
    publish_all(broker)
    for sequence in ("%j", "%J"):
        theirs, ours = (json.loads(lines[0]) for lines in both(broker, "a/#", "-F", sequence))
        properties = ours["properties"]
        properties["user-properties"] = pairs_of(properties["user-properties"])
        assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d{6}[+-]\d{4}", ours.pop("tst"))
        theirs.pop("tst")
        assert ours == theirs
        assert list(ours) == list(theirs)


def test_empty_payloads_are_mosquittos(broker):
    for words in ([], ["-v"], ["-N"], ["-v", "-N"], ["-F", "%t <%p> %l"]):
        pair = [start("-t", "e/#", "-C", "2", *words) for start in (broker.tcp_sub, broker.sub)]
        broker.tcp_pub("-t", "e/1", "-n", "-q", "1")
        broker.tcp_pub("-t", "e/2", "-m", "x", "-q", "1")
        assert [child.wait() for child in pair] == [0, 0]
        assert pair[0].lines == pair[1].lines, words


def test_hexadecimal_is_padded_whole(broker):
    """mosquitto_sub cuts it."""
    assert one(broker, "abc", "-F", "<%8x|%-8x|%08X>").lines == ["<  616263|616263  |00616263>"]


def test_a_cut_leaves_no_half_character(broker):
    broker.tcp_pub("-t", "üx", "-m", "y", "-r", "-q", "1")
    sub = broker.sub("-t", "#", "-C", "1", "-F", "<%.1t|%.2t|%5.1t>", ready=False)
    assert sub.wait() == 0
    assert sub.lines == ["<|ü|     >"]


def test_format_wins_over_verbose(broker):
    assert one(broker, "y", "-v", "-F", "only %p").lines == ["only y"]


@pytest.mark.parametrize(
    "payload, text",
    [
        (b'quo"te \\ tab\t', 'quo"te \\ tab\t'),
        (b"\xff\xc3\xa9\xe2\x82 \xed\xa0\x80", "\ufffd\u00e9\ufffd\ufffd \ufffd\ufffd\ufffd"),
        (b"nul\0 and more", "nul\0 and more"),
        (b"\x1b[2J\x7f\n", "\x1b[2J\x7f\n"),
        ("\u2028\U0001f600/".encode(), "\u2028\U0001f600/"),
    ],
)
def test_any_payload_is_valid_json(broker, payload, text):
    lines = one(broker, payload, "-F", "%j", encode=False).lines
    assert len(lines) == 1
    assert json.loads(lines[0])["payload"] == text


@pytest.mark.parametrize(
    "payload",
    [
        '{"a": [1, 2.50, {"b": null}], "c": true}',
        '{"ns": 1795820282842492584, "big": 18446744073709551615, "small": -9223372036854775808}',
        "1.10",
        " 3 ",
        '"text\\u0000"',
        "null",
        "[]",
    ],
)
def test_json_payloads_come_through_exactly(broker, payload):
    line = one(broker, payload, "-F", "%J").lines[0]
    assert json.loads(line)["payload"] == json.loads(payload)
    assert line.endswith('"payload":' + "".join(payload.split()) + "}")


@pytest.mark.parametrize(
    "payload",
    ["plain", "{", '{"a":1} x', "'a'", "01", "[1,]", "NaN", "[Infinity]", "1\0", "[" * 100000],
)
def test_a_payload_that_is_no_json_is_told(broker, payload):
    sub = one(broker, payload, "-F", "<%J>")
    assert sub.errors == "Error: Message payload is not valid JSON on topic x."
    assert sub.lines == ["<>"]


def test_user_properties_may_be_there_twice(broker):
    publish_all(broker)
    sub = broker.sub("-t", "a/#", "-C", "1", "-F", "%j", ready=False)
    assert sub.wait() == 0
    assert '"user-properties":[{"k":"v"},{"k":"w 2"}]' in sub.lines[0]


def test_pretty(broker):
    lines = one(broker, '{"a":[1]}', "-F", "%J", "--pretty").lines
    assert len(lines) > 5
    assert lines[1].startswith('\t"tst":')
    assert json.loads("\n".join(lines))["payload"] == {"a": [1]}


def test_an_empty_payload_is_null(broker):
    sub = broker.sub("-t", "e", "-C", "1", "-F", "%j|%J")
    broker.tcp_pub("-t", "e", "-n", "-q", "1")
    assert sub.wait() == 0
    assert [json.loads(part)["payload"] for part in sub.lines[0].split("|")] == [None, None]


def test_a_topic_alias_is_shown(build, certs):
    """Mosquitto sends none; %A and JSON tell of one that another broker sends."""
    publish = mqtt.packet(0x30, mqtt.text("x") + b"\x03\x23\x00\x05" + b"y")
    again = mqtt.packet(0x30, mqtt.text("") + b"\x03\x23\x00\x05" + b"z")
    server = RawServer(build, certs, b"\x20\x03\0\0\0", publish, again)
    argv = [build.tool("mquic-sub"), "-h", "127.0.0.1", "-p", server.port, "--cafile", certs.ca]
    more = ["-i", "me", "-t", "x", "-F", "%t %3A %p %j", "-D", "connect", "topic-alias-maximum", "9"]
    sub = Process([*argv, *more], build.environment())
    lines = sub.wait_lines(2)
    sub.kill()
    server.kill()
    assert lines[0].startswith("x   5 y {") and lines[1].startswith("x   5 z {")
    assert all('"properties":{"topic-alias":5}' in line for line in lines)


def test_random_filter(broker):
    child = broker.sub("-t", "x", "--random-filter", "30", "-q", "1")
    broker.pub("-t", "x", "-l", "-q", "1", input="\n".join(map(str, range(1000))) + "\n")
    broker.wait_log(rf"Received PUBACK from {child.argv[child.argv.index('-i') + 1]} \(Mid: 1000")
    assert child.terminate() == 0
    # Were it true chance, one in a million would be outside.
    assert 200 < len(child.lines) < 400
