# SPDX-License-Identifier: MIT
"""README's program compiles as it stands, and the demo does what README says."""

import os
import re
import subprocess
import uuid
from pathlib import Path

import pytest

from harness.build import SOURCE


def readme():
    return (SOURCE / "README.md").read_text()


def program():
    return re.search(r"^```c\n(.*?)^```", readme(), re.M | re.S)[1]


def test_the_program_compiles(build, workdir):
    source = workdir / "program.c"
    source.write_text(program())
    words = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o", workdir / "program"]
    libmquic = build.directory / "libmquic"
    done = subprocess.run(
        ["cc", *words, source, f"-I{SOURCE}/libmquic", f"-L{libmquic}", "-lmquic"],
        capture_output=True,
        text=True,
        env=dict(os.environ, LD_LIBRARY_PATH=str(build.copies)),
    )
    assert done.returncode == 0, done.stderr


def test_the_program_is_short():
    assert len(program().splitlines()) <= 25


def test_the_first_screen_shows_both_commands():
    first = readme().splitlines()[:20]
    assert any("./tools/demo" in line for line in first)
    assert any("./tests/run" in line for line in first)


def test_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)#:]+)\)", readme())
    assert targets
    assert [target for target in targets if not (SOURCE / target).exists()] == []


def marked(mark):
    """The processes that have `mark` in their environment, as all children of ours do."""
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if int(entry.parent.name) != os.getpid() and mark.encode() in entry.read_bytes():
                yield (entry.parent / "cmdline").read_bytes()
        except OSError:
            pass


def test_the_demo(build, monkeypatch):
    if build.directory != (SOURCE / "build").resolve():
        pytest.skip("the demo builds in build/, and that is not what is tested here")
    mark = f"demo of {uuid.uuid4()}"
    monkeypatch.setenv("MQUIC_TEST_MARK", mark)
    done = build.run(SOURCE / "tools" / "demo", "--no-setup", timeout=300)
    assert done.returncode == 0, done
    lines = done.stdout.splitlines()
    assert sum("printed: demo/greeting: hello over QUIC" in line for line in lines) == 2
    assert sum(bool(re.search(r"CONNACK \d+\.\d ms", line)) for line in lines) == 2
    assert list(marked(mark)) == []


def test_the_demo_explains_itself(build):
    demo = SOURCE / "tools" / "demo"
    assert "--stay" in build.run(demo, "--help").stdout
    done = build.run(demo, "--nonsense")
    assert done.returncode == 1
    assert "--nonsense" in done.stderr
