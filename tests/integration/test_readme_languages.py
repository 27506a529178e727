# SPDX-License-Identifier: MIT
"""
The Python and Lua programs of the README and of the bindings' pages, with a server that exists in
place of the example's.
"""

import os
import shutil

import pytest

from harness import datagrams, markdown
from harness.build import SOURCE
from harness.ports import free_udp_port
from harness.process import Process, eventually

HOST = "broker.example.org"


def program(language):
    blocks = markdown.split(SOURCE / "README.md")[1]
    texts = [block.text for block in blocks if block.language == language]
    assert len(texts) == 1
    assert texts[0].count(HOST) == 1
    return texts[0]


def hears_a_message(broker, argv, env):
    os.environ.update(env)
    try:
        child = broker.spawn(*argv)
    finally:
        for name in env:
            del os.environ[name]
    broker.wait_log("Sending SUBACK")
    broker.pub("-t", "sensors/attic", "-m", "17 degrees")
    assert child.wait_lines(1)[0].split() == ["sensors/attic", "17", "degrees"]


@pytest.fixture
def modules(build):
    """Where Python finds the package."""
    path = build.directory / "bindings" / "python"
    if not (path / "mquic").is_dir():
        pytest.skip("the Python module is not built: meson option python")
    return path


def test_python(broker, workdir, modules):
    text = program("python").replace(
        f'client.connect("{HOST}")',
        f'client.tls_set("{broker.certs.ca}")\nclient.connect("{broker.host}", {broker.port})',
    )
    script = workdir / "readme.py"
    script.write_text(text)
    env = {"PYTHONPATH": str(modules), "PYTHONUNBUFFERED": "1"}
    hears_a_message(broker, ["/usr/bin/python3", script], env)


@pytest.fixture
def lua(build):
    """(interpreter, environment) in which the module is found."""
    program = shutil.which("lua5.4")
    native = build.directory / "bindings" / "lua" / "lua5.4"
    if program is None or not native.is_dir():
        pytest.skip("the Lua module is not built for Lua 5.4: meson option lua")
    source = SOURCE / "bindings" / "lua"
    paths = {"LUA_PATH": f"{source}/?.lua;{source}/?/init.lua;;", "LUA_CPATH": f"{native}/?.so;;"}
    return program, paths


def test_lua(broker, workdir, lua):
    text = program("lua").replace(
        f'uri = "mqtt-quic://{HOST}"',
        f'uri = "mqtt-quic://{broker.host}:{broker.port}", ca_file = "{broker.certs.ca}"',
    )
    script = workdir / "readme.lua"
    script.write_text("io.stdout:setvbuf('line')\n" + text)
    interpreter, paths = lua
    hears_a_message(broker, [interpreter, script], paths)


# ---- The page of the Lua module


def lua_block(start):
    """The block of that page that starts so."""
    blocks = markdown.split(SOURCE / "bindings" / "lua" / "README.md")[1]
    (text,) = [one.text for one in blocks if one.language == "lua" and one.text.startswith(start)]
    return text


def run_lua(build, lua, workdir, text):
    """Runs it to its end; what it prints."""
    interpreter, paths = lua
    script = workdir / "page.lua"
    script.write_text(text)
    words = [f"{name}={value}" for name, value in paths.items()]
    done = build.run("env", *words, interpreter, script)
    assert done.returncode == 0, done
    return done.stdout


def at(broker, text):
    """With the address of a broker that exists, and what vouches for it."""
    text = text.replace("mqtt-quic://localhost", f"mqtt-quic://{broker.host}:{broker.port}")
    return text.replace('"ca.crt"', f'"{broker.certs.ca}"')


def test_lua_page_greets(build, broker, workdir, lua):
    text = at(broker, lua_block('local mquic = require("mquic")'))
    assert run_lua(build, lua, workdir, text) == "greetings/lua\thello\n"


def test_lua_page_attaches(build, broker, workdir, lua):
    """Its two lines, each in the program that they were taken from."""
    program = at(broker, lua_block('local mquic = require("mquic")'))
    program = program[: program.index("assert(client:run())")]
    cqueues, luv = lua_block('require("mquic.cqueues")').splitlines()
    for before, line, after in (
        ('local controller = require("cqueues").new()', cqueues, "assert(controller:loop())"),
        ("local function on_error(...) error(...) end", luv, 'require("luv").run()'),
    ):
        text = "\n".join([program, before, line, after])
        assert run_lua(build, lua, workdir, text) == "greetings/lua\thello\n"


@pytest.fixture
def echo_port(build, certs):
    """Where libmquic's example of a server sends back what it gets."""
    port = free_udp_port()
    program = build.directory / "libmquic" / "examples" / "echo-server"
    server = Process([program, "127.0.0.1", port, *certs.server], build.environment())
    eventually(lambda: datagrams.answers_quic(port), what="the echo server")
    yield port
    server.kill()


def test_lua_page_has_streams(build, certs, workdir, lua, echo_port):
    text = lua_block("local endpoint").replace("port = 4433", f"port = {echo_port}")
    text = text.replace('"ca.crt"', f'"{certs.ca}"')
    wait = "while stream:bytes_received() < 5 do endpoint:run(0.1) end"
    text = text.replace("endpoint:run(5)", f"{wait} endpoint:run(0.1)")
    text = 'local mquic = require("mquic")\n' + text
    assert run_lua(build, lua, workdir, text) == "hello\n"


# ---- The page of the Python package, but for what its own tests run


def test_python_page_has_streams(build, certs, workdir, modules, echo_port):
    blocks = markdown.split(SOURCE / "bindings" / "python" / "README.md")[1]
    (text,) = [one.text for one in blocks if one.text.startswith("from mquic import quic")]
    address = '"echo.example.org", 4433'
    assert address in text
    trust = f"tls=mquic.TLSSettings(ca_file={str(certs.ca)!r})"
    script = workdir / "page.py"
    text = text.replace(address, f'"localhost", {echo_port}, {trust}')
    script.write_text("import mquic\n" + text)
    done = build.run("env", f"PYTHONPATH={modules}", "/usr/bin/python3", script)
    assert (done.returncode, done.stdout) == (0, "b'hello'\n"), done
