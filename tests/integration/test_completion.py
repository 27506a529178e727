# SPDX-License-Identifier: MIT
"""What bash offers behind the names of our tools."""

import re
from pathlib import Path

import pytest

from harness.build import SOURCE

SCRIPT = SOURCE / "tools" / "completion" / "mquic.bash"
TOOLS = ["mquic-keygen", "mquic-pub", "mquic-status", "mquic-sub", "mquic-tunnel"]


def offered(build, tool, *words):
    """What there is for the last of these words."""
    script = (
        f'. "{SCRIPT}" && COMP_WORDS=("$@") && COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)) && '
        '_mquic "$1" "${@: -1}" "${@: -2:1}" && printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = build.run("bash", "-u", "-c", script, "bash", tool, *words)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.split("\n")[:-1]


def options_of(build, tool):
    """As the manual page of a tool has them: --help is what the script reads."""
    page = (build.directory / "man" / f"{Path(tool).name}.1").read_text()
    found = set()
    for line in re.findall(r"^\.It (?:Fl .*)$", page, re.MULTILINE):
        found |= {f"-{name}" for name in re.findall(r"Fl (\S+)", line)}
    return found


@pytest.mark.parametrize("name", TOOLS)
def test_all_options_are_offered(build, name):
    tool = build.tool(name)
    found = offered(build, tool, "--")
    assert len(found) == len(set(found))
    assert set(found) == {option for option in options_of(build, tool) if option[:2] == "--"}
    assert {option for option in offered(build, tool, "-")} >= set(found)


def test_the_gateways_options_are_offered(build):
    assert offered(build, build.worker, "--") == ["--help", "--version", "--worker"]


@pytest.mark.parametrize(
    "name, words, wanted",
    [
        ("mquic-status", ["--sort", "m"], ["memory"]),
        ("mquic-status", ["--clo"], ["--close", "--close-address", "--close-id"]),
        ("mquic-status", ["--id", ""], [""]),
        ("mquic-pub", ["-q", ""], ["0", "1", "2"]),
        ("mquic-pub", ["--congestion-control", "b"], ["bbr"]),
        ("mquic-sub", ["-D", "s"], ["subscribe"]),
        ("mquic-pub", ["-D", "will", "c"], ["content-type", "correlation-data"]),
        ("mquic-sub", ["-V", "mqttv3"], ["mqttv311", "mqttv31"]),
        ("mquic-keygen", [""], ["ca", "server", "client"]),
        ("mquic-keygen", ["server", "--da"], ["--days"]),
        ("mquic-tunnel", ["--connect", ""], [""]),
    ],
)
def test_values_are_offered(build, name, words, wanted):
    assert offered(build, build.tool(name), *words) == wanted


def test_files_and_directories_are_offered(build, workdir):
    (workdir / "a file.crt").touch()
    (workdir / "a folder").mkdir()
    tool = build.tool("mquic-pub")
    both = [f"{workdir}/a file.crt", f"{workdir}/a folder"]
    assert sorted(offered(build, tool, "--cafile", f"{workdir}/a")) == both
    assert offered(build, tool, "--capath", f"{workdir}/a") == both[1:]
