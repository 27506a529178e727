# SPDX-License-Identifier: MIT
"""The command lines of the tools: what is refused names the option and leads to --help."""

import pytest

TOOLS = ["mquic-pub", "mquic-sub", "mquic-tunnel"]
PUB = ["-t", "x", "-m", "y"]
SUB = ["-t", "x"]
TUNNEL = ["--connect", "mqtt-quic://localhost"]


def refused(build, tool, *args):
    """Runs a tool that must refuse its options; returns what it says."""
    done = build.run(build.tool(tool), *args, input="")
    assert done.returncode == 1, done
    assert done.stdout == "", done
    assert done.stderr.startswith("Error: "), done
    assert f"Use '{tool} --help' to see usage." in done.stderr
    return done.stderr.splitlines()[0]


@pytest.mark.parametrize("tool", TOOLS)
def test_help(build, tool):
    done = build.run(build.tool(tool), "--help")
    assert done.returncode == 0, done
    assert done.stderr == ""
    assert "Usage:" in done.stdout and "--cafile" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


@pytest.mark.parametrize("tool", TOOLS)
def test_version(build, tool):
    done = build.run(build.tool(tool), "--version")
    assert done.returncode == 0, done
    assert done.stdout.startswith(f"{tool} version ")


@pytest.mark.parametrize("tool", TOOLS)
def test_no_options_at_all(build, tool):
    assert "must" in refused(build, tool)


@pytest.mark.parametrize(
    "args, words",
    [
        (["-t", "x"], ["-m", "-l"]),
        (["-m", "x"], ["topic"]),
        ([*PUB, "-n"], ["-m", "-n", "one"]),
        ([*PUB, "-m", "z"], ["-m", "once"]),
        (["-t", "x", "-l", "-f", "file"], ["-l", "-f"]),
        (["-t", "x", "-s", "-l"], ["-s", "-l"]),
        (["-t", "x", "-m"], ["-m"]),
        (["-t", "a/#", "-m", "x"], ["a/#", "topic"]),
        (["-t", "", "-m", "x"], ["topic"]),
        ([*PUB, "-q", "3"], ["-q", "'3'"]),
        ([*PUB, "--congestion-control", "vegas"], ["cubic, reno or bbr", "'vegas'"]),
        ([*PUB, "--congestion-control"], ["--congestion-control"]),
        ([*PUB, "--redundancy", "twice"], ["handshake or off", "'twice'"]),
        ([*PUB, "-q", "-1"], ["-q", "'-1'"]),
        ([*PUB, "-p", "0"], ["-p", "65535", "'0'"]),
        ([*PUB, "-p", "70000"], ["-p", "'70000'"]),
        ([*PUB, "-p", "1x"], ["-p", "'1x'"]),
        ([*PUB, "-k", "3"], ["-k", "5"]),
        ([*PUB, "-V", "mqttv4"], ["-V", "mqttv4"]),
        ([*PUB, "-M", "0"], ["-M", "'0'"]),
        ([*PUB, "-D", "publish", "topic-alias", "0"], ["topic-alias", "'0'"]),
        ([*PUB, "-D", "disconnect", "content-type", "x"], ["content-type", "disconnect"]),
        ([*PUB, "-D", "unsubscribe", "user-property", "a", "b"], ["-D", "unsubscribe"]),
        ([*PUB, "-D", "connect", "request-problem-information", "2"], ["problem", "'2'"]),
        ([*PUB, "-V", "31", "-P", "z"], ["-P", "-u"]),
        ([*PUB, "-i", "a", "-I", "b"], ["-i", "-I"]),
        ([*PUB, "-c"], ["-c", "-i"]),
        ([*PUB, "-P", "z", "-V", "311"], ["-P", "-u"]),
        ([*PUB, "-x", "5", "-V", "mqttv311"], ["-x", "-V"]),
        ([*PUB, "-x", "soon"], ["-x", "'soon'"]),
        ([*PUB, "--cert", "c"], ["--cert", "--key"]),
        ([*PUB, "--key", "k"], ["--cert", "--key"]),
        ([*PUB, "--will-payload", "w"], ["--will-payload", "--will-topic"]),
        ([*PUB, "--will-qos", "1"], ["--will-qos", "--will-topic"]),
        ([*PUB, "--will-retain"], ["--will-retain", "--will-topic"]),
        ([*PUB, "--will-topic", "a/+"], ["--will-topic", "a/+"]),
        ([*PUB, "--will-topic", "a", "--will-qos", "3"], ["--will-qos", "'3'"]),
        ([*PUB, "--repeat", "0"], ["--repeat", "'0'"]),
        ([*PUB, "--repeat-delay", "1"], ["--repeat-delay", "--repeat"]),
        ([*PUB, "--repeat", "2", "--repeat-delay", "-1"], ["--repeat-delay", "'-1'"]),
        ([*PUB, "--repeat", "2", "--repeat-delay", "nan"], ["--repeat-delay", "'nan'"]),
        (["-t", "x", "-l", "--repeat", "2"], ["--repeat", "-l"]),
        ([*PUB, "--foo"], ["--foo"]),
        ([*PUB, "foo"], ["foo"]),
        ([*PUB, "-L", "mqtt://h/t"], ["-L", "mqtt-quic://"]),
        ([*PUB, "-L", "mqtt://h/t"], ["mqtt:// is MQTT over TCP", "14567"]),
        ([*PUB, "-L", "MQTTS://h/t"], ["mqtts:// is MQTT over TCP and TLS", "14567"]),
        (["-m", "y", "-L", "mqtt-quic://h"], ["topic"]),
        ([*PUB, "-L", "mqtt-quic://h/t"], ["-t", "-L"]),
        (["-m", "y", "-h", "g", "-L", "mqtt-quic://h/t"], ["-h", "-L"]),
        (["-m", "y", "-p", "1", "-L", "quic://h:2/t"], ["-p", "-L"]),
        (["-m", "y", "-u", "a", "-L", "quic://b@h/t"], ["-u", "-L"]),
        (["-m", "y", "-P", "a", "-L", "quic://b:c@h/t"], ["-P", "-L"]),
        (["-m", "y", "-L", "quic:///t"], ["-L", "host"]),
        (["-m", "y", "-L", "quic://h:x/t"], ["-L", "port"]),
        (["-m", "y", "-L", "quic://[::1/t"], ["-L", "brackets"]),
        (["-m", "y", "-L", "quic://h/%zz"], ["-L", "%"]),
        (["-m", "y", "-L", "quic://h/a%00b"], ["-L", "%"]),
        ([*PUB, "-D", "publish", "content-type"], ["-D"]),
        ([*PUB, "-D", "publish", "nonsense", "x"], ["-D", "nonsense"]),
        ([*PUB, "-D", "subscribe", "user-property", "a", "b"], ["-D", "subscribe"]),
        ([*PUB, "-D", "connect", "content-type", "x"], ["content-type", "connect"]),
        ([*PUB, "-D", "publish", "message-expiry-interval", "x"], ["message-expiry-interval"]),
        ([*PUB, "-D", "publish", "response-topic", "a/#"], ["response-topic", "a/#"]),
        ([*PUB, "-V", "311", "-D", "publish", "content-type", "x"], ["-D", "-V"]),
    ],
)
def test_pub_refuses(build, args, words):
    sentence = refused(build, "mquic-pub", *args)
    assert all(word in sentence for word in words), sentence


@pytest.mark.parametrize(
    "args, words",
    [
        (["-h", "localhost"], ["topic"]),
        (["-t", "a#"], ["a#", "wildcards"]),
        ([*SUB, "-U", "a/#/b"], ["a/#/b", "-U"]),
        ([*SUB, "-T", "b#"], ["b#", "-T", "wildcards"]),
        ([*SUB, "-C", "0"], ["-C", "'0'"]),
        ([*SUB, "--max-properties", "0"], ["--max-properties", "'0'"]),
        ([*SUB, "-W", "0"], ["-W", "'0'"]),
        ([*SUB, "-F", "%z"], ["-F", "%z"]),
        ([*SUB, "-F", "abc%"], ["-F", "%"]),
        ([*SUB, "-F", "abc%-05.3"], ["-F", "%-05.3"]),
        ([*SUB, "-F", "%--5t"], ["-F", "%--"]),
        ([*SUB, "-F", "%0-5t"], ["-F", "%0-"]),
        ([*SUB, "-F", "%10000t"], ["-F", "9999"]),
        ([*SUB, "-F", "%.99999999999999999999t"], ["-F", "9999"]),
        ([*SUB, "--random-filter", "0"], ["--random-filter", "'0'"]),
        ([*SUB, "--random-filter", "nan"], ["--random-filter", "'nan'"]),
        ([*SUB, "--random-filter", "101"], ["--random-filter", "100"]),
        ([*SUB, "-F", "\\q"], ["-F", "\\q"]),
        ([*SUB, "-R", "--retained-only"], ["-R", "--retained-only"]),
        ([*SUB, "--retain-as-published", "-V", "311"], ["--retain-as-published", "-V"]),
        ([*SUB, "-D", "subscribe", "subscription-identifier", "0"], ["subscription-identifier"]),
        ([*SUB, "-m", "x"], ["-m"]),
    ],
)
def test_sub_refuses(build, args, words):
    sentence = refused(build, "mquic-sub", *args)
    assert all(word in sentence for word in words), sentence


@pytest.mark.parametrize(
    "args, words",
    [
        (["--listen", "1884"], ["--connect"]),
        ([*TUNNEL, "--connect", "quic://h"], ["--connect", "once"]),
        (["--connect", "localhost:14567"], ["--connect", "mqtt-quic://"]),
        (["--connect", "mqtt-quic://me:secret@h"], ["user"]),
        (["--connect", "mqtt-quic://h/t"], ["topic"]),
        ([*TUNNEL, "--listen", "127.0.0.1"], ["--listen", "127.0.0.1"]),
        ([*TUNNEL, "--listen", "127.0.0.1:x"], ["--listen", "127.0.0.1:x"]),
        ([*TUNNEL, "--listen", "::1:1883"], ["--listen", "::1:1883"]),
        ([*TUNNEL, "--listen", "[::1]"], ["--listen", "[::1]"]),
        ([*TUNNEL, "--max-connections", "0"], ["--max-connections"]),
        ([*TUNNEL, "--cert", "c"], ["--cert", "--key"]),
        ([*TUNNEL, "-t", "x"], ["-t"]),
    ],
)
def test_tunnel_refuses(build, args, words):
    sentence = refused(build, "mquic-tunnel", *args)
    assert all(word in sentence for word in words), sentence


def test_a_missing_file_is_named(build, workdir):
    path = workdir / "nowhere"
    done = build.run(build.tool("mquic-pub"), "-t", "x", "-f", path)
    assert done.returncode == 1
    assert str(path) in done.stderr


def test_a_password_in_a_url_is_not_repeated(build):
    assert "secret" not in refused(build, "mquic-pub", *PUB, "-L", "mqtt://me:secret@h/t")


def test_quiet_says_nothing(build):
    done = build.run(build.tool("mquic-pub"), "--quiet", *PUB, "--cafile", "/nowhere")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
