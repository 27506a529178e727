# SPDX-License-Identifier: MIT
"""An upgrade replaces mquic-gateway while a broker runs that has the plugin of before."""

import os
import signal
import socket
import subprocess

import pytest

from harness import datagrams
from harness.process import eventually
from harness.workers import CHANNEL_FD, greeting, install_python, install_real

OTHER = 4711


def greets_as(version):
    """A program of another version: it greets, looks at the plugin's greeting, and ends."""
    return f"channel.send({greeting(version, b'9.9.9')!r})\nchannel.recv(100)\nraise SystemExit(1)\n"


def test_a_broker_does_not_start_with_a_program_of_another_version(make_broker, workdir):
    program = install_python(workdir / "worker", greets_as(OTHER))
    _, log = make_broker(plugin_opts={"worker": program}).refuse()
    told = f"plugin_opt_worker: {program}: it is of mquic 9.9.9 and speaks version {OTHER} of the"
    assert told in log, log
    assert "install both from the same version" in log, log


def test_a_broker_that_runs_is_to_be_restarted(make_broker, build, workdir):
    program = install_real(workdir / "worker", build)
    broker = make_broker(plugin_opts={"worker": program}).start()
    install_python(program, greets_as(OTHER))
    os.kill(broker.worker_pid(), signal.SIGKILL)
    broker.wait_log(
        rf"worker 1 ended with exit status 1: it is of mquic 9\.9\.9 and speaks version {OTHER} .*"
        r"; restart the broker; .* started again in"
    )
    # The others are served, and whoever puts the right one back needs no restart.
    broker.tcp_pub("-t", "x", "-m", "y", "-q", "1")
    install_real(program, build)
    eventually(lambda: datagrams.answers_quic(broker.port), what="a worker that answers")


@pytest.mark.parametrize("packet", [greeting(OTHER, b"9.9.9"), b"what?"], ids=["other", "none"])
def test_the_program_does_not_serve_a_plugin_of_another_version(build, packet):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.send(packet)

    def hand_over():
        os.dup2(theirs.fileno(), CHANNEL_FD)
        os.set_inheritable(CHANNEL_FD, True)

    with subprocess.Popen(
        [str(build.worker), "--worker"],
        env=build.environment(),
        stderr=subprocess.PIPE,
        text=True,
        close_fds=False,
        preexec_fn=hand_over,  # noqa: PLW1509
    ) as worker:
        theirs.close()
        _, errors = worker.communicate(timeout=60)
    assert worker.returncode == 1
    if packet == b"what?":
        assert "mquic-gateway: no plugin of mquic is at the other end" in errors
    else:
        assert f"the plugin of mquic 9.9.9 in its memory, which speaks version {OTHER}" in errors
        assert "restart the broker" in errors
    # It has said what it is, and nothing else.
    assert ours.recv(100)[:8] == greeting()[:8]
    assert ours.recv(100) == b""
    ours.close()
