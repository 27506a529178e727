# SPDX-License-Identifier: MIT
"""Where the tools get their password and their options from, beside the command line."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

import pytest

from harness.process import PATIENCE, Process, eventually

SECRET = "s e'cret"


@pytest.fixture
def broker(make_broker, workdir):
    """ann may log in."""
    path = workdir / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", path, "ann", SECRET], check=True)
    path.chmod(0o644)
    return make_broker(anonymous=False, listener=[f"password_file {path}"]).start()


class Runner:
    """Runs a tool with files of options and an environment of the test's."""

    def __init__(self, build, config):
        self.build = build
        self.config = config
        config.mkdir(exist_ok=True)

    def write(self, name, text):
        path = self.config / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def environment(self, **more):
        return {**self.build.environment(), "XDG_CONFIG_HOME": str(self.config), **more}

    def __call__(self, tool, *args, env=None, **options):
        return subprocess.run(
            [self.build.tool(tool), *map(str, args)],
            env=self.environment(**(env or {})),
            capture_output=True,
            text=True,
            timeout=60,
            **options,
        )


@pytest.fixture
def run(build, workdir):
    return Runner(build, workdir / "config")


def pub(run, broker, *args, **options):
    words = ["-t", "x", "-m", "y", "-q", "1"]
    return run("mquic-pub", *broker.address(), *words, *args, **options)


# ---- passwords


def test_password_of_a_file(run, broker):
    path = run.write("secret", f"{SECRET}\r\nsecond line\n")
    assert pub(run, broker, "-u", "ann", "--pw-file", path).returncode == 0
    assert pub(run, broker, "-u", "ann").returncode == 135


def test_password_and_messages_from_one_pipe(run, broker):
    sub = broker.tcp_sub("-t", "x")
    words = ["-u", "ann", "--pw-file", "/dev/stdin", "-t", "x", "-l", "-q", "1"]
    done = run("mquic-pub", *broker.address(), *words, input=f"{SECRET}\none\ntwo\n")
    assert done.returncode == 0, done
    assert sub.wait_lines(2) == ["one", "two"]


def test_password_of_the_environment(run, broker):
    secret = {"MQUIC_PASSWORD": SECRET}
    assert pub(run, broker, "-u", "ann", env=secret).returncode == 0
    # What is said more closely wins.
    assert pub(run, broker, "-u", "ann", "-P", "guess", env=secret).returncode == 135
    url = f"mqtt-quic://ann:{SECRET.replace(' ', '%20')}@127.0.0.1:{broker.port}/x"
    words = ["-L", url, "--cafile", broker.certs.ca, "-m", "y", "-q", "1"]
    wrong = {"MQUIC_PASSWORD": "guess"}
    assert run("mquic-pub", *words, env=wrong).returncode == 0


@pytest.mark.parametrize("text, words", [(None, "No such file"), ("", "empty"), ("x" * 65536, "65535")])
def test_a_password_file_that_is_wrong_is_named(run, build, workdir, text, words):
    path = workdir / "secret"
    if text is not None:
        path.write_text(text)
    done = run("mquic-pub", "-t", "x", "-m", "y", "-u", "ann", "--pw-file", path)
    assert done.returncode == 1
    assert str(path) in done.stderr and words in done.stderr


@pytest.mark.parametrize(
    "args",
    [
        ["-t", "x", "-P", "a", "--pw-file", "b"],
        ["-t", "x", "--pw-file", "b", "--pw-prompt"],
        ["-t", "x", "-P", "a", "--pw-prompt"],
        ["--pw-prompt", "-L", "quic://u:p@h/x"],
    ],
)
def test_one_password_is_enough(run, args):
    done = run("mquic-pub", "-m", "y", *args)
    assert done.returncode == 1
    assert "--pw-file" in done.stderr and "Use one of them" in done.stderr


@pytest.mark.parametrize("tool", ["mquic-pub", "mquic-sub"])
@pytest.mark.parametrize("in_url", [False, True])
def test_the_command_line_shows_no_password(run, broker, tool, in_url):
    secret = SECRET.replace(" ", "%20") if in_url else SECRET
    if in_url:
        words = ["-L", f"mqtt-quic://ann:{secret}@127.0.0.1:{broker.port}/x"]
        words += ["--cafile", broker.certs.ca]
    else:
        words = [*broker.address(), "-t", "x", "-u", "ann", "-P", secret]
    words += ["-d", *(["-l"] if tool == "mquic-pub" else [])]
    argv = [broker.build.tool(tool), *words]
    child = broker.adopt(Process(argv, broker.build.environment(), stdin=True))
    child.wait_line("received CONNACK (0)")
    with open(f"/proc/{child.pid}/cmdline", "rb") as file:
        shown = file.read()
    assert b"ann" in shown and b"cret" not in shown


class Terminal:
    """A tool that runs on a terminal of its own."""

    def __init__(self, argv, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(argv[0], list(map(str, argv)), env)
        self.text = ""

    def wait_text(self, text):
        def seen():
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.fd, 4096).decode()
                except OSError:  # the end of a terminal
                    return True
            return text in self.text

        eventually(seen, what=lambda: f"{text!r} in {self.text!r}")
        assert text in self.text, self.text

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            # A terminal that is full would keep it from ending.
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    self.text += os.read(self.fd, 4096).decode()
                except OSError:
                    continue
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise AssertionError(self.text)


def test_password_of_the_terminal(run, broker):
    words = ["-t", "x", "-m", "y", "-q", "1", "-u", "ann", "--pw-prompt"]
    argv = [broker.build.tool("mquic-pub"), *broker.address(), *words]
    terminal = Terminal(argv, run.environment())
    terminal.wait_text("Password of ann: ")
    eventually(lambda: not terminal.echoes(), what="the echo off")
    terminal.type(SECRET + "\n")
    assert terminal.wait() == 0, terminal.text
    assert "cret" not in terminal.text


def test_an_interrupted_prompt_brings_the_echo_back(run, build):
    argv = [build.tool("mquic-pub"), "-t", "x", "-m", "y", "-u", "ann", "--pw-prompt"]
    script = "import os, subprocess, sys; subprocess.run(sys.argv[1:]); print('after'); input()"
    # An interpreter in front, so that the terminal is still there afterwards.
    wrapper = "import signal; signal.signal(signal.SIGINT, lambda *a: None); " + script
    terminal = Terminal([sys.executable, "-c", wrapper, *argv], run.environment())
    terminal.wait_text("Password of ann: ")
    eventually(lambda: not terminal.echoes(), what="the echo off")
    terminal.type("half\x03")
    terminal.wait_text("after")
    assert terminal.echoes()
    terminal.type("\n")
    assert terminal.wait() == 0


def test_without_a_terminal_the_prompt_is_an_error(run, build):
    argv = ["-t", "x", "-m", "y", "-u", "ann", "--pw-prompt"]
    done = run("mquic-pub", *argv, input="", start_new_session=True)
    assert done.returncode == 1
    assert "terminal" in done.stderr


# ---- files of options


def test_own_file(run, broker):
    run.write("mosquitto_pub", "--nonsense\n")
    run.write(
        "mquic-pub",
        f"# a comment\n\n-h 127.0.0.1\r\n-p   {broker.port}\n  -u ann\n-P {SECRET}\n"
        f"--cafile {broker.certs.ca}\n-q 1\n-t from file\n"
        "-D publish user-property a key  and its value\n",
    )
    sub = broker.tcp_sub("-V", "mqttv5", "-t", "#", "-F", "%t|%p|%P", "-C", "2")
    done = run("mquic-pub", "-m", "two words", "-d")
    assert done.returncode == 0, done
    assert f"Options of {run.config}/mquic-pub" in done.stdout.splitlines()
    assert run("mquic-pub", "-m", "y", "-t", "another").returncode == 0
    assert sub.wait_lines(2) == [
        "from file|two words|a:key  and its value",
        "another|y|a:key  and its value",
    ]


def test_mosquittos_file(run, broker):
    run.write("mosquitto_pub", f"-u ann\n-P {SECRET}\n-p 1883\n--nodelay\n--ciphers ALL\n--psk 00\n")
    assert pub(run, broker).returncode == 0
    run.write("mosquitto_sub", f"-u ann\n-P {SECRET}\n-p 1\n-t from/file\n")
    sub = broker.adopt(
        Process(
            [broker.build.tool("mquic-sub"), *broker.address(), "-t", "x", "-i", "s", "-v"],
            run.environment(),
        )
    )
    broker.wait_suback("s", sub)
    broker.tcp_pub("-t", "x", "-m", "1")
    broker.tcp_pub("-t", "from/file", "-m", "2")
    assert sub.wait_lines(2) == ["x 1", "from/file 2"]


def test_home_is_looked_at(run, broker):
    (run.config / ".config").mkdir()
    run.write(".config/mquic-pub", f"-u ann\n-P {SECRET}\n")
    env = {"XDG_CONFIG_HOME": "", "HOME": str(run.config)}
    assert pub(run, broker, env=env).returncode == 0


def test_a_named_file_is_read_alone(run, broker):
    run.write("mquic-pub", "-u nobody\n-P nothing\n")
    path = run.write("other", f"-u ann\n-P {SECRET}\n")
    assert pub(run, broker).returncode == 135
    assert pub(run, broker, "-o", path).returncode == 0
    assert pub(run, broker, "-o", "/dev/null", "-u", "ann", "-P", SECRET).returncode == 0
    # A word that is a value is no option.
    done = run("mquic-pub", *broker.address(), "-o", path, "-q", "1", "-t", "-o", "-m", "-o")
    assert done.returncode == 0, done


def test_the_command_line_wins(run, broker):
    run.write("mquic-pub", f"-h nowhere.invalid\n-p 1\n-u ann\n-P {SECRET}\n-i file\n-q 0\n-V 311\n")
    done = pub(run, broker, "-I", "line", "-V", "5", "-d")
    assert done.returncode == 0, done
    assert re.match(r"Options of .*\nClient line\d+ sending CONNECT", done.stdout)
    url = f"mqtt-quic://127.0.0.1:{broker.port}/x"
    words = ["-m", "y", "-q", "1", "--cafile", broker.certs.ca]
    assert run("mquic-pub", "-L", url, *words).returncode == 0
    # The password in the file is ann's, and nobody else's business.
    run.write("mquic-pub", f"-u ann\n-P {SECRET}\n")
    done = pub(run, broker, "-u", "ben", "-V", "311", "-d")
    assert done.returncode == 5
    assert "received CONNACK" in done.stdout


def test_a_url_in_a_file(run, broker):
    secret = SECRET.replace(" ", "%20")
    run.write("mquic-pub", f"-L MQTT-QUIC://ann:{secret}@nowhere.invalid/from/url\n")
    sub = broker.tcp_sub("-t", "#", "-C", "2", "-F", "%t")
    words = [*broker.address(), "-m", "y", "-q", "1"]
    assert run("mquic-pub", *words).returncode == 0
    assert run("mquic-pub", *words, "-t", "t").returncode == 0
    assert sub.wait_lines(2) == ["from/url", "t"]


@pytest.mark.parametrize(
    "text, line, words",
    [
        ("-u ann\n--nonsense\n", 2, "--nonsense"),
        ("-q 7\n", 1, "-q"),
        ("# one\n\n-h\n", 3, "-h"),
        ("-r yes\n", 1, "'yes'"),
        ("-o other\n", 1, "-o"),
        ("-L mqtt://localhost/x\n", 1, "mqtt-quic://"),
        ("-D publish\n", 1, "-D"),
        ("--ciphers ALL\n", 1, "does not apply to QUIC"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(run, text, line, words):
    path = run.write("mquic-pub", text)
    done = run("mquic-pub", "-t", "x", "-m", "y")
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {path}, line {line}: ")
    assert words in done.stderr.splitlines()[0]


@pytest.mark.parametrize(
    "text, words", [(b"-u a\0b\n", "NUL"), (b"#" * 65537, "65536"), (None, "no such file")]
)
def test_a_file_that_cannot_be_one_is_named(run, text, words):
    path = run.config / "options"
    if text is not None:
        path.write_bytes(text)
    done = run("mquic-pub", "-t", "x", "-m", "y", "-o", path)
    assert done.returncode == 1
    assert str(path) in done.stderr and words in done.stderr


def test_mosquittos_file_leads_to_our_own(run):
    run.write("mosquitto_pub", "-L mqtts://localhost/x\n")
    done = run("mquic-pub", "-t", "x", "-m", "y")
    assert done.returncode == 1
    assert "mosquitto_pub, line 1: " in done.stderr and "one of ours" in done.stderr


def test_help_is_there_whatever_the_file_says(run):
    run.write("mquic-pub", "--nonsense\n")
    for word in ("--help", "--version"):
        assert run("mquic-pub", word).returncode == 0
    # But not where it is a value.
    assert run("mquic-pub", "-t", "x", "-m", "--help").returncode == 1
