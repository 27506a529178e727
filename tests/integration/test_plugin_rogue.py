# SPDX-License-Identifier: MIT
"""A worker that was taken over says what it likes; the broker goes on."""

import re
import shutil
from pathlib import Path

import pytest

from harness.broker import RUNNING
from harness.build import SOURCE
from harness.process import eventually

PROGRAM = SOURCE / "tests" / "integration" / "rogue_worker.py"


def message_types():
    """What messages are called, in their order."""
    header = (SOURCE / "gateway" / "channel.h").read_text()
    names = header.split("enum channel_type {")[1].split("};")[0]
    return re.findall(r"^\tCHANNEL_(\w+),", names, re.M)


def head_fields():
    """The numbers that every packet begins with, in their order."""
    source = (SOURCE / "gateway" / "channel.c").read_text()
    fields = source.split("struct head {")[1].split("struct token token;")[0]
    return re.findall(r"uint32_t (\w+);", fields)


@pytest.fixture
def start(make_broker, workdir):
    """A broker with this program, which does its deed as soon as it is to serve."""

    def start(deed, **options):
        program = workdir / "rogue_worker.py"
        shutil.copy(PROGRAM, program)
        program.chmod(0o755)
        (workdir / "deed").write_text(deed)
        (workdir / "fields").write_text(" ".join(head_fields()))
        (workdir / "types").write_text(" ".join(message_types()))
        options = {"worker": program, "sandbox": "false", **options}
        broker = make_broker(plugin_opts=options).launch()
        broker.wait_log(RUNNING)
        return broker

    return start


def is_served(broker):
    broker.tcp_pub("-t", "x", "-m", "y", "-q", "1")


def descriptors(broker):
    return len(list(Path(f"/proc/{broker.pid}/fd").iterdir()))


@pytest.mark.parametrize(
    "deed", ["garbage", "endless", "plugin", "descriptor", "descriptors", "certificate"]
)
def test_what_no_worker_says_ends_it(start, deed):
    broker = start(deed)
    broker.wait_log("worker 1 says what no worker says; it is taken for one that was taken over")
    broker.wait_log(r"worker 1 was ended by signal 9 \(SIGKILL\).*started again")
    is_served(broker)
    # What came along with it is closed.
    before = descriptors(broker)
    broker.wait_log(r"(?s)(was ended by signal 9.*){3}")
    eventually(lambda: descriptors(broker) <= before + 1, what="no more descriptors")


def test_lines_are_limited_and_forge_none(start):
    broker = start("lines")
    broker.wait_log(r"mquic: \d+ log lines were dropped")
    is_served(broker)
    assert "mquic: forged?Client nobody closed" in broker.log()
    assert "\nClient nobody" not in broker.log()


@pytest.mark.parametrize("deed", ["tokens", "files"])
def test_announcements_are_no_burden(start, deed):
    broker = start(deed)
    broker.wait_log("it is over")
    is_served(broker)
    assert descriptors(broker) < 50
