# SPDX-License-Identifier: MIT
"""README's program compiles as it stands, and the demo does what README says."""

import os
import re
import subprocess
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


def running():
    """Command lines of all processes."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            pass


def test_the_demo(build):
    if build.directory != (SOURCE / "build").resolve():
        pytest.skip("the demo builds in build/, and that is not what is tested here")
    done = build.run(SOURCE / "tools" / "demo", "--no-setup", timeout=300)
    assert done.returncode == 0, done
    lines = done.stdout.splitlines()
    assert sum("printed: demo/greeting: hello over QUIC" in line for line in lines) == 2
    assert sum(bool(re.search(r"CONNACK \d+\.\d ms", line)) for line in lines) == 2
    assert not any("mquic-demo" in line for line in running())


def test_the_demo_explains_itself(build):
    demo = SOURCE / "tools" / "demo"
    assert "--stay" in build.run(demo, "--help").stdout
    done = build.run(demo, "--nonsense")
    assert done.returncode == 1
    assert "--nonsense" in done.stderr
