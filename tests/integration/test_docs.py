# SPDX-License-Identifier: MIT
"""
What the documentation shows is what happens: its commands are run, its configurations loaded,
its C compiled, its links followed. harness/markdown.py tells how blocks are marked.
"""

import re
import shlex
import shutil
import subprocess
import time

import pytest

from harness import markdown, sandbox
from harness.build import SOURCE, plugin_options
from harness.clients import raw
from harness.process import PATIENCE

PAGES = markdown.pages()
BLOCKS = [block for path in PAGES.values() for block in markdown.split(path)[1]]
NOT_RUN = "not-run:"

ROLES = {
    "sh": r"|fails|background|source|not-run: .+",
    "text": r"|output|background",
    "conf": r"part|fails|/\S+",
    "c": r"|part|\S+\.c",
    "python": r"",
    "lua": r"",
    "diff": r"",
}

# What stands around statements in C.
PREAMBLE = """
#include <mquic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern struct mquic_endpoint *endpoint;
extern struct mquic_settings *settings;
extern struct mquic_session *session;
extern struct mquic_connection *connection;
extern struct mquic_stream *stream;
extern struct mquic_message *message;
extern struct mquic_event *event;
extern enum mquic_status status;
extern const uint8_t *data;
extern size_t len, i;
extern uint16_t packet_id;
extern void work(void);

void part(void);
void part(void)
{
"""


def where(block):
    return f"{block.path.relative_to(SOURCE)}:{block.line}"


def is_run(block):
    return not block.role.startswith(NOT_RUN)


# ---- How pages are written


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    path = PAGES[name]
    wrong = []
    for number, target in markdown.links(path):
        if re.match(r"https?:", target):
            continue
        file, _, fragment = target.partition("#")
        to = (path.parent / file).resolve() if file else path
        if "bindings" in to.parts and not to.parent.exists():
            continue  # a binding comes with its page
        if not to.exists():
            wrong.append(f"{name}:{number}: there is no {target}")
        elif fragment and fragment not in markdown.anchors(to):
            wrong.append(f"{name}:{number}: {to.name} has no heading for #{fragment}")
    assert not wrong, "\n".join(wrong)


def test_every_page_of_doc_is_linked_from_the_readme():
    linked = {target for _, target in markdown.links(PAGES["README.md"])}
    assert [name for name in PAGES if name.startswith("doc/") and name not in linked] == []


@pytest.mark.parametrize("name", PAGES)
def test_blocks_say_what_is_to_be_done_with_them(name):
    wrong = []
    for block in markdown.split(PAGES[name])[1]:
        roles = ROLES.get(block.language, r"\S+")
        if not block.language or not re.fullmatch(roles, block.role):
            wrong.append(f"{where(block)}: ```{block.language} {block.role}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", [name for name in PAGES if not name.startswith("mosquitto")])
def test_code_is_fenced(name):
    assert [f"{name}:{number}" for number in markdown.indented(PAGES[name])] == []


# Each is shown once here, however many sections of a page begin with it.
ASIDE = {block.text: block for block in reversed(BLOCKS) if not is_run(block)}


@pytest.mark.parametrize("block", reversed(ASIDE.values()), ids=where)
def test_commands_that_are_not_run(block):
    """One for each, so that none is forgotten. Those of the source tree explain themselves."""
    for line in block.text.replace("\\\n", " ").splitlines():
        words = [word for word in shlex.split(line, comments=True) if word != "sudo"]
        if words and re.match(r"(\./)?(tools|tests)/", words[0]):
            argv = [SOURCE / words[0], *words[1:], "--help"]
            done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, f"{where(block)}: {done}"
    commands = " ; ".join(block.text.splitlines())
    pytest.skip(f"{block.role.removeprefix(NOT_RUN).strip()}: {commands}")


def test_operators_find_every_option():
    """The table of options has a row for each that the plugin knows, and no other."""
    page = PAGES["doc/operators.md"].read_text()
    assert set(re.findall(r"^\| `plugin_opt_(\w+)`", page, re.M)) == plugin_options()


CONNECT = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x"


def test_the_protocol_page_has_the_codes_that_are_sent(make_broker):
    page = PAGES["doc/protocol.md"].read_text()
    broker = make_broker(plugin_opts={"connect_timeout": 1}).start()
    ends = [
        (raw(broker, CONNECT, b"\xe0\x00"), "0"),
        (raw(broker, b"\xff" * 6), "1"),
        (raw(broker, CONNECT.replace(b"MQTT\x04", b"MQTT\x09")), "0"),
        (raw(broker, CONNECT.replace(b"MQTT\x04\x02", b"MQTT\x04\x03")), "0"),
        (raw(broker, b"\x10\xff\xff\x7f" + CONNECT[2:]), "1"),
        (raw(broker, CONNECT[:5]), "1"),
    ]
    for result, code in ends:
        assert result.closed["code"] == code, result
        reason = result.closed["text"].partition(": ")[2]
        assert f"*{reason}*" in page.replace("\n", " ") if reason else code == "0", result


# ---- What they show


@pytest.fixture(scope="module")
def staged(build):
    reason = sandbox.why_not()
    if reason:
        pytest.skip(f"no namespaces can be made: {reason}")
    if build.sanitizer:
        pytest.skip("what is installed is not built with sanitizers")
    value = sandbox.stage(build)
    yield value
    shutil.rmtree(value, ignore_errors=True)


@pytest.fixture
def machine(staged):
    value = sandbox.Sandbox(staged)
    yield value
    value.close()


def looks(block):
    """Whether it looks into a log: people do so again if what they wait for is not there."""
    return block.text.startswith(("tail ", "grep "))


class Reader:
    """Reads a page and does what it says, one block after the other."""

    def __init__(self, machine):
        self.machine = machine
        self.last = None  # the last command, and what came of it
        self.background = None
        self.fresh = False  # nothing has proved yet that the background program is ready

    def do(self, block):
        """Finds the method for do_LANGUAGE_ROLE, or do_LANGUAGE_file; else it is just written."""
        role = block.role or "run"
        role = role if role.isalpha() else "file"
        getattr(self, f"do_{block.language}_{role}", self.write)(block)

    def fail(self, block, why, output=()):
        log = self.machine.run("tail -n 30 /var/log/mosquitto/mosquitto.log 2>&1 || :").output
        text = "\n".join([*output, "--- the broker's log", *log])
        pytest.fail(f"{where(block)}: {why}\n{block.text}---\n{text}")

    def do_python_run(self, block):
        """test_readme_languages.py or the tests of the Python package run it, with a broker."""

    do_lua_run = do_python_run

    def do_diff_run(self, block):
        """The tests of the Python package compare the programs that differ so."""

    def write(self, block):
        text = block.text.replace("x86_64-linux-gnu", self.machine.triplet)
        self.machine.write(block.role, text)

    # -- sh

    def do_sh_run(self, block, timeout=120):
        done = self.machine.run(block.text, timeout)
        # A program that was just started in another terminal may need a moment, and logs do.
        for _ in range(80 if self.fresh or looks(block) else 0):
            if done.code == 0:
                break
            time.sleep(0.25)
            done = self.machine.run(block.text)
        self.fresh = False
        self.last = (block, done)
        if done.code != 0:
            self.fail(block, f"exit code {done.code}", done.output)

    def do_sh_fails(self, block):
        done = self.machine.run(block.text)
        self.last = (block, done)
        if done.code == 0:
            self.fail(block, "it succeeds", done.output)

    def do_sh_source(self, block):
        """It may build: nothing, in a tree that was built before, or all of it."""
        self.do_sh_run(block._replace(text=f"cd '{SOURCE}'\n{block.text}"), 900)

    def do_sh_background(self, block):
        self.background = self.machine.spawn(block.text)
        self.fresh = True
        time.sleep(0.5)
        if self.background.code is not None:
            self.fail(block, "it ended at once", self.background.output)

    # -- text

    def do_text_run(self, block):
        pass

    def do_text_output(self, block):
        command, done = self.last
        for _ in range(40 if looks(command) else 0):
            if markdown.matches(block.text, done.output):
                break
            time.sleep(0.5)
            done = self.machine.run(command.text)
        if not markdown.matches(block.text, done.output):
            self.fail(block, "that is not what was printed", done.output)

    def do_text_background(self, block):
        for _ in range(10):
            if self.background.eventually(lambda lines: markdown.matches(block.text, lines), 3):
                return
            self.machine.run(self.last[0].text)  # it may not have been subscribed yet
        self.fail(block, "that is not what it printed", self.background.output)

    # -- conf

    def load(self, block):
        """Restarts the broker with these lines for the plugin, alone; then as it was before."""
        directory = "/etc/mosquitto/conf.d"
        lines = [
            "listener 0 /run/mosquitto/quic.sock",
            f"plugin /usr/lib/{self.machine.triplet}/mosquitto/mosquitto_mquic.so",
        ]
        for name in ("certfile /etc/mosquitto/certs/server.crt",):
            if f"plugin_opt_{name.split()[0]} " not in block.text:
                lines.append(f"plugin_opt_{name}")
        text = "\n".join([*lines, block.text])
        self.machine.run(f"mkdir -p ~/aside; mv {directory}/*.conf ~/aside/")
        self.machine.write(f"{directory}/part.conf", text)
        done = self.machine.run("systemctl restart mosquitto")
        log = self.machine.run("tail -n 20 /var/log/mosquitto/mosquitto.log").output
        self.machine.run(f"rm {directory}/part.conf; mv ~/aside/*.conf {directory}/")
        self.machine.run("systemctl restart mosquitto")
        self.last = (block, type(done)(["printf", "%s\n", *log], {}))
        self.last[1].wait(PATIENCE)
        return done.code == 0 and any("ready for QUIC clients" in line for line in log)

    def do_conf_part(self, block):
        if not self.load(block):
            self.fail(block, "no broker starts with that", self.last[1].output)

    def do_conf_fails(self, block):
        if self.load(block):
            self.fail(block, "a broker starts with that", self.last[1].output)

    # -- c

    FLAGS = "-std=c11 -Wall -Wextra -Werror -Wno-unused $(pkg-config --cflags libmquic)"

    def do_c_part(self, block):
        self.machine.write("part.c", PREAMBLE + block.text + "}\n")
        done = self.machine.run(f"cc {self.FLAGS} -fsyntax-only part.c")
        if done.code != 0:
            self.fail(block, "it does not compile", done.output)

    def do_c_run(self, block):
        self.do_c_file(block._replace(role="program.c"))

    def do_c_file(self, block):
        self.write(block)
        libs = "$(pkg-config --libs libmquic)"
        done = self.machine.run(f"cc {self.FLAGS} {block.role} {libs} -o /dev/null")
        if done.code != 0:
            self.fail(block, "it does not compile", done.output)


@pytest.mark.parametrize(
    "name", [name for name in PAGES if any(map(is_run, markdown.split(PAGES[name])[1]))]
)
def test_what_a_page_shows(machine, name):
    reader = Reader(machine)
    for block in filter(is_run, markdown.before(PAGES[name])):
        reader.do(block)
    for block in filter(is_run, markdown.split(PAGES[name])[1]):
        reader.do(block)


# ---- Manual pages


MANUALS = sorted((SOURCE / "man").glob("*.[1-9]"))


def shown(page):
    """The command lines of a page's examples; what stands for a character is that character."""
    for line in re.findall(r"^\.Dl [$#] (.*)$", page.read_text(), re.M):
        yield line.replace(r"\(dq", '"').replace(r"\-", "-").replace(r"\&", "")


@pytest.fixture
def served(machine):
    """A broker that lets all in over QUIC alone, and that the machine trusts."""
    lines = [
        "listener 0 /run/mosquitto/quic.sock",
        f"plugin /usr/lib/{machine.triplet}/mosquitto/mosquitto_mquic.so",
        "plugin_opt_certfile /etc/mosquitto/certs/server.crt",
        "allow_anonymous true",
    ]
    machine.write("/etc/mosquitto/conf.d/00-mquic.conf", "\n".join(lines))
    done = machine.run(
        """mquic-keygen ca --dir authority
        mquic-keygen server --dir authority broker.example.org localhost
        install -m 644 authority/server.crt /etc/mosquitto/certs/
        install -m 400 -o mosquitto authority/server.key /etc/mosquitto/certs/
        cp authority/ca.crt /usr/local/share/ca-certificates/authority.crt
        update-ca-certificates
        for name in ca certs; do mkdir $name; cp authority/ca.* $name; done
        systemctl restart mosquitto"""
    )
    assert done.code == 0, done.output
    return machine


def runs_in_background(machine, command):
    """A subscriber prints what is published then; a tunnel does not end."""
    child = machine.spawn(command.rstrip("& "))
    topic = re.search(r" -t '?([^ ']+)", command)
    for _ in range(40):
        if topic:
            name = topic[1].replace("#", "sensors/attic" if topic[1] == "#" else "attic")
            machine.run(f"mquic-pub -h localhost --insecure -t {name} -m seventeen")
        if child.eventually(lambda lines: any("seventeen" in line for line in lines), 0.1):
            return
        assert child.code in (None, 0), (command, child.output)
        if not topic and child.code is None:
            return
    pytest.fail(f"{command}: {child.output}")


@pytest.mark.parametrize("page", MANUALS, ids=lambda page: page.name)
def test_what_a_manual_page_shows(served, page):
    """Its commands, one after the other, where certificates are as the page takes them to be."""
    if page.name in ("mquic-keygen.1", "mosquitto_mquic.5"):
        served.run("rm -r ca certs")  # it makes them itself
    for command in shown(page):
        if command.startswith("mquic-sub "):
            if page.name == "mosquitto_mquic.5":
                served.run("systemctl restart mosquitto")  # with the certificate of the page
            runs_in_background(served, command)
        elif command.endswith("&"):
            runs_in_background(served, command)
        else:
            done = served.run(command)
            for _ in range(20):  # a tunnel may need a moment
                if done.code == 0:
                    break
                time.sleep(0.25)
                done = served.run(command)
            assert done.code == 0, (command, done.output)


def test_the_program_of_the_manual_page(machine):
    text = (SOURCE / "man" / "libmquic.3").read_text()
    (program,) = re.findall(r"^\.Bd -literal.*?\n(#include.*?)^\.Ed", text, re.M | re.S)
    machine.write("program.c", program)
    (command,) = re.findall(r"^\.Dl (cc .*)$", text, re.M)
    done = machine.run(f"{command} -std=c11 -Wall -Wextra -Werror -o program && ! ./program")
    assert done.code == 0, done.output


# ---- The unit of the tunnel


UNIT = SOURCE / "tools" / "systemd" / "mquic-tunnel@.service"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_understands_the_unit(machine):
    machine.write("/etc/mquic/tunnel/cloud.conf", "OPTIONS=--connect mqtt-quic://localhost\n")
    done = machine.run(
        "SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no "
        "/usr/lib/systemd/system/mquic-tunnel@cloud.service 2>&1 || :"
    )
    about_it = [line for line in done.output if "mquic-tunnel" in line]
    assert about_it == [], done.output


def test_the_unit_starts_what_its_page_configures():
    page = PAGES["doc/bridging.md"].read_text()
    assert "OPTIONS=--listen" in page and "$OPTIONS" in UNIT.read_text()
    assert "EnvironmentFile=/etc/mquic/tunnel/%i.conf" in UNIT.read_text()
    assert "/etc/mquic/tunnel/cloud.conf" in page
