# SPDX-License-Identifier: MIT
"""The examples, and programs in the style of paho-mqtt's own, as they are."""

import difflib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BUILD

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"


@pytest.fixture
def python(build, broker):
    """python(path, *arguments) starts a program; the Process."""

    def start(path, *arguments, **options):
        from harness.process import Process

        env = dict(os.environ, PYTHONPATH=str(BUILD / "bindings" / "python"), PYTHONUNBUFFERED="1")
        env["PATH"] = f"{BUILD / 'tools'}:{env['PATH']}"
        # Whoever is started in the background by a shell is deaf to SIGINT.
        hears = ["env", "--default-signal=INT"]
        argv = [*hears, sys.executable, "-X", "dev", path, *arguments]
        return broker.adopt(Process(argv, env, **options))

    return start


def finished(process, timeout=90):
    assert process.wait(timeout) == 0, (process.lines, process.errors)
    return process.lines


# ---- paho-mqtt's style


@pytest.mark.parametrize(
    "name, expected",
    [
        (
            "sub_class",
            [
                "rc: Success",
                "Subscribed: 1 [ReasonCode(Suback, 'Granted QoS 0')]",
                "mid: 2",
                "class/topic 0 b'hello'",
                "rc: The client is not currently connected.",
            ],
        ),
        ("pub_wait", ["published 0 3"]),
        (
            "multiple_callback",
            [
                "MESSAGES: sys/messages/a b'1'",
                "BYTES: sys/bytes/b b'2'",
                "sys/other 0 b'3'",
            ],
        ),
        (
            "loop_asyncio",
            [
                "Socket opened",
                *["Got response with 200000 bytes"] * 3,
                "Socket closed",
                "Disconnected: Normal disconnection",
            ],
        ),
        (
            "loop_select",
            [
                "Connected with result code Success",
                *["Got message with len 200000"] * 3,
                "Disconnected: Normal disconnection",
            ],
        ),
        ("rpc_math", ["The answer: 42"]),
        ("session_present", ["session_present: False", "cleared kept/a", "session_present: True"]),
        (
            "one_call",
            [
                "paho/test/single b'boo'",
                "paho/test/single : b'boo'",
                "paho/test/multiple : b'test 1'",
                "paho/test/multiple : b'test 2'",
            ],
        ),
    ],
)
def test_paho_style(python, broker, certs, name, expected):
    lines = finished(python(HERE / "paho_style" / f"{name}.py", certs.ca, broker.port))
    assert lines == expected


def test_port_changes_import_and_port_only(python, broker, certs, tmp_path):
    before, after = (EXAMPLES / f"port_{word}.py" for word in ("before", "after"))
    changed = [
        line
        for line in difflib.ndiff(before.read_text().split("\n"), after.read_text().split("\n"))
        if line[0] in "+-" and '"""' not in line
    ]
    assert [re.sub(r"\s+", " ", line) for line in changed] == [
        "- import paho.mqtt.client as mqtt",
        "+ import mquic.client as mqtt",
        "- client.connect(sys.argv[1], 8883, 60)",
        "+ client.connect(sys.argv[1], 14567, 60)",
    ]
    program = tmp_path / "after.py"
    program.write_text(after.read_text().replace("14567", str(broker.port)))
    assert finished(python(program, "localhost", certs.ca)) == [
        "Broker granted: Granted QoS 1",
        "Broker granted: Granted QoS 0",
        "Received 'message 0' on paho/test/topic with QoS 1",
        "Received 'message 1' on paho/test/topic with QoS 1",
        "Received 'message 2' on paho/test/topic with QoS 1",
        "Disconnected: Normal disconnection",
    ]


def test_readme_is_true(python, broker, certs, tmp_path):
    """Its programs run, against this broker, and it shows the port as it is."""
    readme = (HERE.parent / "README.md").read_text()
    assert "-import paho.mqtt.client as mqtt\n+import mquic.client as mqtt" in readme
    blocks = re.findall(r"```python\n(.*?)```", readme, re.S)
    ran = 0
    for number, block in enumerate(blocks):
        if "broker.example.org" not in block:
            continue
        trust = f"tls=mquic.TLSSettings(ca_file={str(certs.ca)!r})"
        block = block.replace("mquic.Client()", f"mquic.Client({trust})")
        where = f'"localhost", {broker.port}' + (f", {trust}" if "aio" in block else "")
        program = tmp_path / f"readme{number}.py"
        program.write_text(block.replace('"broker.example.org"', where))
        mark = len(broker.log())
        running = python(program)
        broker.wait_log("Sending SUBACK", start=mark)
        broker.tcp_pub("-t", "sensors/1", "-m", "21.5")
        running.wait_line("sensors/1")
        running.kill()
        ran += 1
    assert ran == 2


# ---- examples


def test_sensor_and_dashboard(python, broker, certs):
    dashboard = python(EXAMPLES / "dashboard.py", broker.host, broker.port, certs.ca)
    broker.wait_log("Sending SUBACK")
    sensor = python(EXAMPLES / "sensor.py", broker.host, broker.port, certs.ca, 40)
    dashboard.wait_line("sensor 7 is here")
    dashboard.wait_line("7: ")
    broker.restart()
    sensor.wait_line("disconnected")
    finished(sensor)
    assert sum(line.startswith("connected: Success") for line in sensor.lines) == 2
    dashboard.wait_line("sensor 7 is away")
    dashboard.signal(2)
    finished(dashboard)


def test_fan_in(python, make_broker, certs):
    brokers = [make_broker().start() for _ in range(3)]
    where = [f"{one.host}:{one.port}" for one in brokers]
    program = python(EXAMPLES / "fan_in.py", certs.ca, 6, *where)
    program.wait_lines(3)
    for one in brokers:
        for n in range(2):
            one.tcp_pub("-t", f"machines/{n}", "-m", "on")
    lines = [line for line in finished(program) if "machines" in line]
    assert sorted(lines) == sorted(f"{server} machines/{n}: on" for server in where for n in (0, 1))


def test_request_response(python, broker, certs):
    program = python(EXAMPLES / "request_response.py", broker.host, broker.port, certs.ca)
    assert finished(program) == ["sums: 1 3 5 7 9"]


def test_provision(python, make_broker, certs, tmp_path):
    options = {
        "cafile": certs.ca,
        "require_certificate": "true",
        "use_identity_as_username": "true",
    }
    broker = make_broker(plugin_opts=options).start()
    program = python(
        EXAMPLES / "provision.py", broker.host, broker.port, certs.ca.parent, "lamp-1", "lamp-2"
    )
    lines = [line for line in finished(program) if "lamp" in line and "let in" in line]
    assert len(lines) == 2
    assert any("without a certificate" in line for line in program.lines)
    assert "u'lamp-1'" in broker.log()


# ---- types


def test_mypy_strict():
    mypy = pytest.importorskip("mypy.api")
    out, err, code = mypy.run(
        ["--strict", "--no-error-summary", "--cache-dir", os.devnull, str(HERE.parent / "mquic")]
    )
    assert code == 0, out + err


@pytest.fixture
def pyright():
    program = shutil.which("pyright")
    if program is None:
        pytest.skip("pyright is not installed; npm has it, Debian has not")

    def run(*arguments, **options):
        done = subprocess.run(
            [program, *arguments],
            capture_output=True,
            text=True,
            timeout=300,
            env=dict(os.environ, PYTHONPATH=str(BUILD / "bindings" / "python")),
            **options,
        )
        return done.returncode, done.stdout

    return run


def test_pyright(pyright):
    code, out = pyright(str(HERE.parent / "mquic"))
    assert code == 0, out


def test_pyright_knows_every_public_type(pyright, tmp_path):
    """Every public name has a type that needs no guessing, and a docstring."""
    code, out = pyright("--verifytypes", "mquic", "--ignoreexternal", cwd=tmp_path)
    assert code == 0, out
    assert "Type completeness score: 100%" in out, out
    assert "without docstring: 0\n  Functions without default param: 0\n" in out, out


def test_types_of_a_program(tmp_path, monkeypatch):
    """What a program sees: the package is typed, and wrong use is found."""
    mypy = pytest.importorskip("mypy.api")
    program = tmp_path / "program.py"
    program.write_text(
        "import mquic\n"
        "def on_message(client: mquic.Client, data: object, message: mquic.MQTTMessage) -> None:\n"
        "    reveal_type(message.payload)\n"
        "client = mquic.Client()\n"
        "client.on_message = on_message\n"
        "reveal_type(client.publish('a', 'b').mid)\n"
        "client.publish(7)\n"
    )
    monkeypatch.setenv("MYPYPATH", str(HERE.parent))
    out, err, code = mypy.run(["--strict", "--cache-dir", os.devnull, str(program)])
    assert '"builtins.bytes"' in out and '"builtins.int"' in out
    assert re.search(r"program.py:7: error: Argument 1 .*incompatible type .int", out), out
    assert "Found 1 error" in out, out
