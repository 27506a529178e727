# SPDX-License-Identifier: MIT
"""The programs of libmquic/examples do what their first lines promise."""

import socket
import subprocess

from harness import datagrams
from harness.ports import free_udp_port
from harness.process import Process, eventually


def example(build, name):
    return build.directory / "libmquic" / "examples" / name


def test_publish_and_subscribe(broker, build):
    url = f"mqtt-quic://localhost:{broker.port}"
    mark = len(broker.log())
    sub = broker.spawn(example(build, "subscribe"), url, broker.certs.ca, "a/#")
    broker.wait_log("Sending SUBACK", start=mark)
    done = build.run(example(build, "publish"), url, broker.certs.ca, "a/b", "hello")
    assert done.returncode == 0, done
    assert "hello" in sub.wait_line("hello")


def test_examples_say_why(build, certs):
    """What the library knows of a failure is what the user reads."""
    url = "mqtt-quic://127.0.0.1:1"
    for words, sentence in (
        (("publish", url, certs.ca, "a/#", "hello"), "a topic has 1 to 65535 bytes"),
        (("publish", url, "", "a", "hello"), "the name of the CA file is empty"),
        (("publish", "localhost", certs.ca, "a", "hello"), "the URL must start with"),
        (("subscribe", url, certs.ca, "a#"), "a topic filter has"),
        (("poll-loop", url, certs.ca, "#"), "a topic has"),
        (("echo-client", "127.0.0.1", 1, "", "hello"), "the name of the CA file is empty"),
        (("echo-server", "127.0.0.1", 0, "", ""), "the name of the certificate file is empty"),
        (("echo-server", *certs.server), "descriptor 3 is no UDP socket"),
    ):
        done = build.run(example(build, words[0]), *words[1:])
        assert done.returncode != 0 and sentence in done.stderr, done


def test_echo(build, certs):
    port = free_udp_port()
    server = Process(
        [example(build, "echo-server"), "127.0.0.1", port, *certs.server], build.environment()
    )
    try:
        eventually(lambda: datagrams.answers_quic(port), what="the echo server")
        done = build.run(example(build, "echo-client"), "127.0.0.1", port, certs.ca, "hello, world")
        assert done.returncode == 0, done
        assert "hello, world" in done.stdout
    finally:
        server.kill()


def test_echo_on_a_socket_of_systemd(build, certs):
    """Bound before the server is there, and handed over as descriptor 3."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        server = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{bound.fileno()}', "bash",
             example(build, "echo-server"), *certs.server],
            env=build.environment(), pass_fds=[bound.fileno()], stdout=subprocess.DEVNULL,
        )
        try:
            eventually(lambda: datagrams.answers_quic(port), what="the echo server")
            done = build.run(example(build, "echo-client"), "127.0.0.1", port, certs.ca, "hello")
            assert done.returncode == 0 and "hello" in done.stdout, done
        finally:
            server.kill()
            server.wait()


def test_poll_loop(broker, build):
    url = f"mqtt-quic://localhost:{broker.port}"
    argv = [example(build, "poll-loop"), url, broker.certs.ca, "chat"]
    chat = broker.adopt(Process(argv, build.environment(), stdin=True))
    broker.wait_log("Sending SUBACK")
    for line in ("one", "two"):
        chat.write(line + "\n")
        assert line in chat.wait_line(line)
    chat.close_stdin()
    assert chat.wait() == 0
