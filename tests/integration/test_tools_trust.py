# SPDX-License-Identifier: MIT
"""What the tools say and offer about certificates: every setting that is named is an option."""

import re
import subprocess

import pytest

from harness.build import SOURCE
from harness.process import PATIENCE, Process

NAME = "elsewhere.example"  # of certs.wrong_host
LITERALS = re.compile(r'"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*')
# Not for users of the tools: a program's own doing, the other side's, or no setting at all.
NOT_OURS = [
    "set one",
    "set both",
    "set IPV6_V6ONLY",
    "set before connecting",
    "set the clock here right",
    "none is set",
    "set but no",
    "set a CA file or path",
    "setting up a UDP socket",
    "setting differs from ours",
]


@pytest.fixture
def broker(make_broker, certs):
    return make_broker(identity=certs.wrong_host).start()


def test_a_name_that_differs_leads_to_the_option(broker):
    done = broker.pub("-t", "x", "-m", "y", "-q", "1", check=False)
    assert done.returncode == 1
    assert "(--server-name)" in done.stderr
    broker.pub("-t", "x", "-m", "y", "-q", "1", "--server-name", NAME)
    done = broker.pub("-t", "x", "-m", "y", "--server-name", "other.example", check=False)
    assert done.returncode == 1 and "other.example" in done.stderr


def test_sub_has_a_server_name(broker):
    broker.tcp_pub("-t", "x", "-m", "y", "-r", "-q", "1")
    sub = broker.sub("-t", "x", "-C", "1", "--server-name", NAME, ready=False)
    assert sub.wait() == 0, sub.errors
    assert sub.lines == ["y"]


def test_tunnel_has_a_server_name(broker):
    url = f"mqtt-quic://{broker.host}:{broker.port}"
    words = ["--listen", "127.0.0.1:0", "--connect", url, "--cafile", broker.certs.ca]
    tool = broker.build.tool("mquic-tunnel")
    tunnel = broker.adopt(
        Process([tool, "-d", *words, "--server-name", NAME], broker.build.environment())
    )
    port = re.search(r"127\.0\.0\.1:(\d+)", tunnel.wait_line("Listening"))[1]
    subprocess.run(
        ["mosquitto_pub", "-h", "127.0.0.1", "-p", port, "-t", "x", "-m", "y", "-q", "1"],
        check=True,
        timeout=PATIENCE,
    )


def test_an_unknown_authority_leads_to_the_option(make_broker, certs):
    broker = make_broker().start()
    done = broker.pub("-t", "x", "-m", "y", cafile=certs.other_ca, check=False)
    assert "(--cafile)" in done.stderr


def test_a_certificate_that_is_wanted_leads_to_the_options(make_broker, certs):
    broker = make_broker(
        plugin_opts={"require_certificate": "true", "cafile": certs.ca}
    ).start()
    done = broker.pub("-t", "x", "-m", "y", "-q", "1", check=False)
    assert done.returncode == 1
    assert "(--cert and --key)" in done.stderr


def test_a_broker_that_is_trusted_no_longer_is_not_tried_for_ever(make_broker, certs):
    """Once connected, it comes back after a loss; but not to somebody else."""
    broker = make_broker().start()
    sub = broker.sub("-t", "x")
    assert broker.stop() == 0
    sub.wait_error("Trying again")
    broker.identity = certs.other_server
    broker.start()
    assert sub.wait() == 1
    assert "(--cafile)" in sub.errors.splitlines()[-1], sub.errors


@pytest.mark.parametrize("name", ["", "x" * 256])
def test_a_server_name_has_a_length(build, name):
    done = build.run(build.tool("mquic-pub"), "-t", "x", "-m", "y", "--server-name", name)
    assert done.returncode == 1
    assert "--server-name" in done.stderr and "255" in done.stderr


def sentences():
    """The literals of the library, those that stand in a row joined."""
    for path in sorted((SOURCE / "libmquic").glob("[!e]*/*.c")):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        for found in LITERALS.finditer(text):
            yield "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', found[0]))


def test_every_setting_that_the_library_names_is_an_option(build):
    source = (SOURCE / "tools" / "common" / "hint.c").read_text()
    known = dict(re.findall(r'\{"([^"]+)", "([^"]+)"\}', source))
    text = build.run(build.tool("mquic-pub"), "--help").stdout
    for option in known.values():
        for name in option.split(" and "):
            assert f" {name} :" in text or f"{name} : " in text
    named = [s for s in sentences() if re.search(r"\bset\b|\bsetting\b", s)]
    assert any("server name" in s for s in named)
    lost = [s for s in named if not any(words in s for words in [*known, *NOT_OURS])]
    assert not lost, lost
