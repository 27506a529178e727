# SPDX-License-Identifier: MIT
"""The Python and Lua programs of the README, with a broker that exists in place of the example's."""

import os
import shutil

import pytest

from harness import markdown
from harness.build import SOURCE

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


def test_python(broker, workdir):
    modules = broker.build.directory / "bindings" / "python"
    if not (modules / "mquic").is_dir():
        pytest.skip("the Python module is not built: meson option python")
    text = program("python").replace(
        f'client.connect("{HOST}")',
        f'client.tls_set("{broker.certs.ca}")\nclient.connect("{broker.host}", {broker.port})',
    )
    script = workdir / "readme.py"
    script.write_text(text)
    env = {"PYTHONPATH": str(modules), "PYTHONUNBUFFERED": "1"}
    hears_a_message(broker, ["/usr/bin/python3", script], env)


def test_lua(broker, workdir):
    lua = shutil.which("lua5.4")
    native = broker.build.directory / "bindings" / "lua" / "lua5.4"
    if lua is None or not native.is_dir():
        pytest.skip("the Lua module is not built for Lua 5.4: meson option lua")
    text = program("lua").replace(
        f'uri = "mqtt-quic://{HOST}"',
        f'uri = "mqtt-quic://{broker.host}:{broker.port}", ca_file = "{broker.certs.ca}"',
    )
    script = workdir / "readme.lua"
    script.write_text("io.stdout:setvbuf('line')\n" + text)
    source = SOURCE / "bindings" / "lua"
    env = {"LUA_PATH": f"{source}/?.lua;{source}/?/init.lua;;", "LUA_CPATH": f"{native}/?.so;;"}
    hears_a_message(broker, [lua, script], env)
