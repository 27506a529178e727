# SPDX-License-Identifier: MIT
"""The long runs of tests/soak, one short instance: what they look at holds, and they can fail."""

import re

import pytest

from harness.build import SOURCE

RUN = SOURCE / "tests" / "soak" / "run"


@pytest.fixture
def soak(build):
    """Runs it with these arguments, if what it needs is there."""
    pytest.importorskip("paho.mqtt.client", reason="python3-paho-mqtt is not installed")
    if not (build.directory / "bindings" / "python" / "mquic").is_dir():
        pytest.skip("the Python module is not built: meson option python")
    if build.sanitizer:
        pytest.skip("this Python cannot load a module with sanitizers")

    def run(*argv):
        return build.run("env", f"MQUIC_BUILD={build.directory}", RUN, *argv, timeout=300)

    return run


def test_nothing_is_lost_when_workers_die(soak):
    # How quick clients are back is for a machine that has nothing else to do.
    done = soak("deaths", "--rounds", 3, "--clients", 12, "--seed", 1, "--limit", 60)
    assert done.returncode == 0, done
    assert re.search(r"messages: \d+ at QoS 2, 0 missing\ncame twice: 0\n", done.stdout), done


def test_clients_that_are_late_are_a_failure(soak):
    done = soak("deaths", "--rounds", 1, "--clients", 3, "--seed", 1, "--limit", 0)
    assert done.returncode == 1, done
    assert re.search(r"FAILED: \d+ of \d+ took more than 0\S* s", done.stdout), done


def test_help_names_the_commands(soak):
    done = soak("--help")
    assert done.returncode == 0 and "deaths" in done.stdout, done
    done = soak("deaths", "--clients", 4)
    assert done.returncode == 2 and "--clients must be a multiple of 3" in done.stderr, done
