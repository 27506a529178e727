# SPDX-License-Identifier: MIT
"""A short life of broker and worker under valgrind: no error, nothing lost, in our code."""

import re
import shutil

import pytest

from harness import datagrams, mqtt
from harness.clients import SessionClient, raw

OURS = ("mosquitto_mquic", "libmquic", "mquic_", "mquic-gateway")
OPTIONS = [
    "--vgdb=no",  # it leaves pipes behind in a process that changes its user
    "--leak-check=full",
    "--show-leak-kinds=definite,indirect",
    "--keep-debuginfo=yes",  # the broker unloads the plugin before valgrind reports
    "--num-callers=30",
]


def records(text):
    """The reports of valgrind, each a paragraph that has a stack."""
    text = re.sub(r"^==\d+== ?", "", text, flags=re.M)
    return [part for part in re.split(r"\n\s*\n", text) if re.search(r"^\s+(at|by) 0x", part, re.M)]


def scenario(broker, certs):
    client = SessionClient(broker, "good")
    client.do("will", "w", 1, 0, 0, "gone")
    client.connect()
    client.subscribe("t/#", 2)
    for qos in (0, 1, 2):
        client.publish("t/x", "payload " * 100, qos=qos)
        client.message()
    client.do("property", "user", "a", "b")
    client.publish("t/big", "y" * 60000, qos=1)
    client.message()
    broker.sighup()
    client.disconnect()
    lost = SessionClient(broker, "lost", keep_alive=0, settings={"idle_timeout_ms": 4000})
    lost.connect()
    lost.kill()
    raw(broker, mqtt.connect("bad", name="MQTZ"))
    raw(broker, b"\0" * 50)
    raw(broker, b"\0", alpn="h3")
    raw(broker, b"\0", cafile=certs.other_ca)
    datagrams.send(broker.port, [datagrams.long_header(), datagrams.short_header()] * 20)
    datagrams.send(broker.port, [datagrams.long_header(version=1)] * 20)
    broker.wait_log(r"Client lost |client lost")
    left = SessionClient(broker, "left")
    left.connect()


@pytest.fixture(autouse=True)
def valgrind(build):
    if not shutil.which("valgrind"):
        pytest.skip("valgrind is not installed")
    if build.sanitizer:
        pytest.skip("valgrind cannot run what was built with sanitizers")


def check(report):
    text = report.read_text()
    assert "ERROR SUMMARY" in text, text
    bad = [part for part in records(text) if any(word in part for word in OURS)]
    assert not bad, "\n\n".join(bad)


def test_the_plugin_leaks_nothing_under_valgrind(make_broker, certs, workdir):
    report = workdir / "valgrind.log"
    wrapper = ["valgrind", *OPTIONS, f"--log-file={report}"]
    broker = make_broker(wrapper=wrapper).start(timeout=120)
    scenario(broker, certs)
    assert broker.stop(60) == 0
    check(report)


def test_the_worker_leaks_nothing_under_valgrind(make_broker, build, certs, workdir):
    """Without the sandbox, which knows nothing of what valgrind needs."""
    report = workdir / "valgrind.log"
    script = workdir / "worker"
    words = ["valgrind", *OPTIONS, f"--log-file={report}", str(build.worker)]
    script.write_text(f'#!/bin/sh\nexec {" ".join(words)} "$@"\n')
    script.chmod(0o755)
    options = {"worker": script, "sandbox": "false"}
    broker = make_broker(plugin_opts=options).start(timeout=120)
    scenario(broker, certs)
    assert broker.stop(60) == 0
    check(report)
