#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
with_broker.py BUILD COMMAND...: starts a real mosquitto with the plugin, runs the command with
its addresses in the environment, and takes the broker down. The exit code is the command's.

    MQUIC_URI       mqtt-quic://localhost:PORT          MQUIC_CA    the CA file to trust
    MQUIC_PORT      the same port                       MQUIC_TCP   the broker's plain TCP port
    MQUIC_CERTS     a directory with server.crt and server.key
    MQUIC_KEYGEN    the tool mquic-keygen
    MQUIC_SOCKET    a descriptor that is inherited: a UDP socket, bound to MQUIC_SOCKET_PORT
"""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
SOURCE = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(SOURCE / "tests" / "integration"))
os.environ["MQUIC_BUILD"] = sys.argv[1]

from harness.broker import Broker  # noqa: E402
from harness.build import Build, make_directory  # noqa: E402
from harness.certs import Certificates  # noqa: E402


def environment(build, broker, certs):
    """What the command needs to find the broker and our library."""
    env = build.environment(preload=True)
    env.update(
        MQUIC_URI=f"mqtt-quic://localhost:{broker.port}",
        MQUIC_PORT=str(broker.port),
        MQUIC_TCP=str(broker.tcp_port),
        MQUIC_CA=str(certs.ca),
        MQUIC_CERTS=str(Path(certs.server.cert).parent),
        MQUIC_KEYGEN=build.tool("mquic-keygen"),
    )
    if build.sanitizer:
        # A script must not leak, unlike the broker.
        # With LuaJIT the checker reads of thread-local data where there is none, and falls over.
        env["ASAN_OPTIONS"] = "exitcode=99:detect_leaks=1:intercept_tls_get_addr=0"
    return env


def run(command, env):
    """The exit code of the command, which also gets a socket as systemd hands them over."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        env.update(
            MQUIC_SOCKET=str(bound.fileno()), MQUIC_SOCKET_PORT=str(bound.getsockname()[1])
        )
        return subprocess.run(command, env=env, pass_fds=[bound.fileno()], check=False).returncode


def main():
    build = Build()
    certs = Certificates(build)
    # An account with a password, for those who log in.
    passwords = build.copies / "passwords"
    subprocess.run(
        ["mosquitto_passwd", "-c", "-b", str(passwords), "user", "secret"],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    passwords.chmod(0o644)
    broker = Broker(build, certs, make_directory(), listener=[f"password_file {passwords}"])
    try:
        broker.start()
        return run(sys.argv[2:], environment(build, broker, certs))
    finally:
        broker.close()
        for path in (broker.directory, certs.directory):
            shutil.rmtree(path, ignore_errors=True)
        build.close()


if __name__ == "__main__":
    sys.exit(main())
