# SPDX-License-Identifier: MIT
"""Options that those who come from mosquitto_pub and mosquitto_sub bring along."""

import pytest

from harness import mqtt
from harness.clients import RawServer
from harness.process import Process

CONNACK = mqtt.packet(0x20, b"\0\0\0")
PUB = ["-t", "topic", "-m", "y", "-q", "1"]


@pytest.fixture
def talk(build, certs):
    """Runs a tool against a server that answers CONNECT with bytes; the bytes that it sent."""

    def run(tool, *args, answer=(CONNACK,), code=None):
        server = RawServer(build, certs, *answer)
        argv = [build.tool(tool), "-h", "127.0.0.1", "-p", server.port, "--cafile", certs.ca, "-i", "me"]
        child = Process([*argv, *args], build.environment())
        assert child.wait() == code, child.errors
        server.process.wait_line("closed ")
        received = server.received()
        server.kill()
        return received

    return run


def test_properties_of_connect_and_disconnect(talk):
    words = ["-t", "topic", "-m", "y"]
    for command, *rest in (
        ("connect", "request-problem-information", "0"),
        ("connect", "request-response-information", "1"),
        ("connect", "authentication-method", "plain"),
        ("connect", "authentication-data", "data"),
        ("disconnect", "reason-string", "tired"),
        ("disconnect", "session-expiry-interval", "5"),
        ("disconnect", "user-property", "key", "value"),
    ):
        words += ["-D", command, *rest]
    accepted = mqtt.packet(0x20, b"\0\0\x08\x15\0\5plain")
    sent = talk("mquic-pub", *words, answer=[accepted], code=0)
    for part in (b"\x17\0", b"\x19\x01", b"\x15\0\5plain", b"\x16\0\4data"):
        assert part in sent
    # The session has to last in CONNECT for DISCONNECT to say how long.
    assert sent.count(b"\x11\0\0\0\5") == 2
    goodbye = sent[sent.rindex(b"\xe0") :]
    assert b"\x1f\0\5tired" in goodbye and b"\x26\0\3key\0\5value" in goodbye


def test_an_authentication_of_several_steps_is_told(build, certs):
    asked = mqtt.packet(0xF0, b"\x18\x08\x15\0\5plain")
    server = RawServer(build, certs, asked)
    argv = [build.tool("mquic-pub"), "-h", "127.0.0.1", "-p", server.port, "--cafile", certs.ca]
    words = [*PUB, "-i", "me", "-D", "connect", "authentication-method", "plain"]
    done = build.run(*argv, *words)
    server.kill()
    assert done.returncode == 1
    assert "authentication" in done.stderr


def test_properties_of_unsubscribe(talk):
    words = ["-t", "a", "-U", "b", "-D", "unsubscribe", "user-property", "key", "value", "-W", "1"]
    sent = talk("mquic-sub", *words, code=27)
    unsubscribe = sent[sent.index(b"\xa2") :]
    assert b"\x26\0\3key\0\5value\0\1b" in unsubscribe
    assert b"key" not in sent[: sent.index(b"\xa2")]


def test_a_topic_alias(talk):
    """The second message goes without its topic, if the broker takes aliases."""
    words = ["-t", "a/long/topic", "-m", "y", "--repeat", "2", "--repeat-delay", "1"]
    alias = ["-D", "publish", "topic-alias", "7"]
    takes = mqtt.packet(0x20, b"\0\0\3\x22\0\5")
    assert talk("mquic-pub", *words, *alias, answer=[takes], code=0).count(b"a/long/topic") == 1
    assert talk("mquic-pub", *words, *alias, code=0).count(b"a/long/topic") == 2
    assert talk("mquic-pub", *words, answer=[takes], code=0).count(b"a/long/topic") == 2


def test_few_messages_on_their_way(broker):
    lines = "\n".join(map(str, range(200))) + "\n"
    done = broker.pub("-t", "x", "-l", "-q", "1", "-M", "3", "-d", input=lines)
    out = most = 0
    for line in done.stdout.splitlines():
        out += "sending PUBLISH" in line
        out -= "received PUBACK" in line
        most = max(most, out)
    assert done.stdout.count("sending PUBLISH") == 200 and most == 3


@pytest.mark.parametrize("version", ["mqttv31", "31"])
def test_the_oldest_protocol(broker, version):
    sub = broker.sub("-t", "x", "-V", version, "-q", "1", "-C", "2", client_id="old")
    # 2.0 has numbers of its own for versions, 2.1 those of the protocol.
    broker.wait_log(r"as old \(p[13],")
    # 3.1 has no client without a name.
    broker.pub("-t", "x", "-m", "1", "-q", "2", "-V", version)
    broker.pub("-t", "x", "-m", "2", "-q", "1", "-V", version, "-I", "mine-")
    broker.wait_log(r"as mquic-\d+ \(p[13],")
    assert sub.wait() == 0
    assert sub.lines == ["1", "2"]


def test_an_address_to_dial_from(broker):
    for tool, words in (("mquic-pub", PUB), ("mquic-sub", ["-t", "x", "-E"])):
        address = [*broker.address(), "-A", "127.0.0.9"]
        done = broker.build.run(broker.build.tool(tool), *address, *words)
        assert done.returncode == 0, done
    assert len(broker.wait_log(r"(?s)(127\.0\.0\.9:\d+.*){2}")[0]) > 0
    done = broker.pub(*PUB, "-A", "192.0.2.1", check=False)
    assert done.returncode == 1 and "192.0.2.1" in done.stderr
    done = broker.pub(*PUB, "-A", "::1", check=False)
    assert done.returncode == 1 and "::1" in done.stderr and "(-A)" in done.stderr
    done = broker.pub(*PUB, "-A", "eth0", check=False)
    assert done.returncode == 1 and "numeric" in done.stderr and "(-A)" in done.stderr


def test_what_quic_does_anyway_is_taken(broker):
    words = ["--nodelay", "--tls-use-os-certs", "--tls-version", "tlsv1.3", "--keyform", "pem"]
    broker.pub(*PUB, *words)


@pytest.mark.parametrize("tool", ["mquic-pub", "mquic-sub", "mquic-tunnel"])
@pytest.mark.parametrize(
    "args, words",
    [
        (["--ciphers", "ALL"], "not selectable"),
        (["--psk", "00"], "--cafile"),
        (["--psk-identity", "me"], "--cafile"),
        (["--tls-engine", "pkcs11"], "--key"),
        (["--tls-engine-kpass-sha1", "00"], "--key"),
        (["--proxy", "socks5h://h"], "UDP"),
        (["--unix", "/s"], "mosquitto_pub"),
        (["-S"], "-h"),
        (["--no-tls"], "always encrypted"),
        (["--ws"], "WebSockets"),
        (["--tls-version", "tlsv1.2"], "TLS 1.3"),
        (["--keyform", "engine"], "PEM"),
    ],
)
def test_what_is_for_tcp_gets_advice(build, tool, args, words):
    done = build.run(build.tool(tool), *args)
    assert done.returncode == 1
    sentence = done.stderr.splitlines()[0]
    assert args[0] in sentence and words in sentence
