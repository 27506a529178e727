# SPDX-License-Identifier: MIT
"""
A library with a part left out: the same symbols, refusals in words, and the rest works.

Each option of meson.options that leaves something out is turned off in a build of its own.
"""

import ctypes
import os
import subprocess
import sys

import pytest

from harness import datagrams
from harness.build import SOURCE
from harness.ports import free_udp_port
from harness.process import Process, eventually

# With pytest-xdist each build is made once, not by every worker.
pytestmark = pytest.mark.xdist_group("build_options")

UNSUPPORTED = -14
ABI = SOURCE / "tests" / "abi"
EXAMPLES = ["publish", "echo-client", "echo-server"]
HEADER = SOURCE / "libmquic" / "mquic.h"


def meson_setup(directory, *options):
    return subprocess.run(
        ["meson", "setup", directory, SOURCE, "-Dbench=disabled", "-Dpython=disabled", "-Dlua=",
         *options],
        capture_output=True, text=True, check=False,
    )


@pytest.fixture(scope="module")
def without(tmp_path_factory):
    """without("server") is the build directory of a library without it, made once."""
    made = {}

    def build(option):
        if option not in made:
            place = tmp_path_factory.mktemp("without") / option
            done = meson_setup(place, f"-D{option}=false", "-Dtests=false", "--werror",
                               "-Dmosquitto_plugin=false", "--buildtype=plain")
            assert done.returncode == 0, done.stdout + done.stderr
            targets = [f"libmquic/examples/{name}" for name in EXAMPLES]
            subprocess.run(["ninja", "-C", place, *targets], check=True, stdout=subprocess.DEVNULL)
            made[option] = place
        return made[option]

    return build


def library(place):
    return place / "libmquic" / "libmquic.so.0"


class Endpoint:
    """An endpoint by ctypes; texts are bytes, handles numbers."""

    def __init__(self, place):
        self.lib = ctypes.CDLL(str(library(place)))
        self.lib.mquic_endpoint_error.restype = ctypes.c_char_p
        handle = ctypes.c_void_p()
        assert self.lib.mquic_endpoint_new(ctypes.byref(handle)) == 0
        self.handle = handle

    def error(self):
        return self.lib.mquic_endpoint_error(self.handle).decode()

    def close(self):
        self.lib.mquic_endpoint_free(self.handle)


@pytest.fixture
def endpoint():
    made = []

    def make(place):
        made.append(Endpoint(place))
        return made[-1]

    yield make
    for one in made:
        one.close()


def example(place, name, *arguments):
    """Runs an example with the library that it was built with."""
    env = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    argv = [str(word) for word in (place / "libmquic" / "examples" / name, *arguments)]
    return subprocess.run(argv, env=env, timeout=60, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("option", ["server", "mqtt", "log"])
def test_symbols_stay_and_take_null(without, option):
    place = without(option)
    shared = library(place)
    for argv in (
        ["check_symbols.py", HEADER, HEADER.with_suffix(".map"), shared,
         SOURCE / "debian" / "libmquic0.symbols"],
        ["check_null.py", HEADER, shared],
    ):
        done = subprocess.run([sys.executable, *map(str, argv)], cwd=ABI, capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_without_server_listening_is_refused(without, endpoint):
    one = endpoint(without("server"))
    out = ctypes.c_void_p()
    lib = one.lib
    assert lib.mquic_endpoint_listen(one.handle, None, b"127.0.0.1", 0, None) == UNSUPPORTED
    assert lib.mquic_endpoint_listen_fd(one.handle, None, 0, None) == UNSUPPORTED
    assert "-Dserver=true" in one.error()
    assert lib.mquic_endpoint_accept(one.handle, ctypes.byref(out)) == UNSUPPORTED
    assert lib.mquic_endpoint_reload(one.handle) == UNSUPPORTED
    assert lib.mquic_relay_new(ctypes.byref(out), one.handle, 1000, 1000) == UNSUPPORTED


def test_without_server_a_client_works(without, broker):
    url = f"mqtt-quic://localhost:{broker.port}"
    done = example(without("server"), "publish", url, broker.certs.ca, "a/b", "hello")
    assert done.returncode == 0, done
    broker.wait_log("Received PUBLISH")


def test_without_mqtt_sessions_are_refused(without, endpoint):
    one = endpoint(without("mqtt"))
    out = ctypes.c_void_p()
    lib = one.lib
    assert lib.mquic_session_new(ctypes.byref(out), one.handle, None) == UNSUPPORTED
    assert "-Dmqtt=true" in one.error()
    assert lib.mquic_message_new(ctypes.byref(out)) == UNSUPPORTED
    assert lib.mquic_subscription_new(ctypes.byref(out)) == UNSUPPORTED
    assert lib.mquic_relay_new(ctypes.byref(out), one.handle, 1000, 1000) == UNSUPPORTED
    lib.mquic_status_text.restype = ctypes.c_char_p
    assert b"not in this build" in lib.mquic_status_text(UNSUPPORTED)


def test_without_mqtt_quic_streams_work(without, certs, build):
    place = without("mqtt")
    port = free_udp_port()
    env = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    server = Process(
        [place / "libmquic" / "examples" / "echo-server", "127.0.0.1", port, *certs.server], env
    )
    try:
        eventually(lambda: datagrams.answers_quic(port), what="the echo server")
        done = example(place, "echo-client", "127.0.0.1", port, certs.ca, "hello, world")
        assert done.returncode == 0, done
        assert "hello, world" in done.stdout
    finally:
        server.kill()


def test_without_log_no_line_is_left(without, broker, build):
    line = b"%s: connected, %s %s"
    assert line in library(build.directory).read_bytes()
    assert line not in library(without("log")).read_bytes()
    url = f"mqtt-quic://localhost:{broker.port}"
    done = example(without("log"), "publish", url, broker.certs.ca, "a/b", "hello")
    assert done.returncode == 0, done


@pytest.mark.parametrize(
    "option, sentence",
    [
        ("-Dserver=false", "add -Dmosquitto_plugin=false"),
        ("-Dlog=false", "add -Dtests=false"),
    ],
)
def test_meson_says_what_else_to_leave_out(tmp_path, option, sentence):
    done = meson_setup(tmp_path / "build", option)
    assert done.returncode != 0
    assert sentence in done.stdout
