# SPDX-License-Identifier: MIT
"""The long runs of tests/soak, one short instance: what they look at holds, and they can fail."""

import importlib
import re
import sys

import pytest

from harness.build import SOURCE

SOAK = SOURCE / "tests" / "soak"
RUN = SOAK / "run"


@pytest.fixture
def soak(build):
    """Runs it with these arguments, if what it needs is there."""
    pytest.importorskip("paho.mqtt.client", reason="python3-paho-mqtt is not installed")
    if not (build.directory / "bindings" / "python" / "mquic").is_dir():
        pytest.skip("the Python module is not built: meson option python")
    if build.sanitizer:
        pytest.skip("this Python cannot load a module with sanitizers")

    def run(*argv):
        return build.run("env", f"MQUIC_BUILD={build.directory}", RUN, *argv, timeout=900)

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


def test_everything_at_once(soak):
    # Its verdict is for longer runs and for a machine that does nothing else; what may never be
    # lost is not lost in a short one either.
    done = soak("churn", "--minutes", 0.2, "--clients", 6, "--visitors", 3, "--seed", 1)
    for line in (
        r"ring at QoS 2 +\d+ sent, 0 missing, 0 came twice",
        r"ring at QoS 1 +\d+ sent, 0 missing",
        r"TCP and TLS cut off +none",
        r"lines of sanitizers +0",
    ):
        assert re.search(f"^ok +{line}", done.stdout, re.M), done


@pytest.fixture
def part(monkeypatch):
    """Imports a module of tests/soak."""
    monkeypatch.syspath_prepend(str(SOAK))
    yield importlib.import_module
    for name in ("gauges", "logbook"):
        sys.modules.pop(name, None)


def test_memory_that_grows_is_seen(part):
    gauges = part("gauges")
    assert gauges.slope([(0, 5), (1, 7), (2, 9)]) == pytest.approx(2)
    assert gauges.slope([(0, 5), (1, 9), (2, 5)]) == pytest.approx(0)
    assert gauges.slope([(1, 5)]) is None
    life = gauges.Life("broker", 1)
    # It warms up, and grows by 10 kB a minute of RSS after that.
    life.rows = [(minute, 5000 if minute > 4 else 0, 0, 0) for minute in range(10)]
    life.rows = [(minute, rss + 10 * minute, 0, 0) for minute, rss, *_ in life.rows]
    assert life.growth(5, 9) == ([pytest.approx(10), 0], 4)


def test_what_nobody_expects_in_a_log_is_seen(part, tmp_path):
    log = tmp_path / "log"
    log.write_text(
        "Warning: Mosquitto has one\n"
        "mquic: worker 1 was ended by signal 9 (SIGKILL); its clients have to connect anew\n"
        "mquic: worker 1 was ended by signal 31 (SIGSYS); its clients have to connect anew\n"
        "New client connected from /tmp/quic.sock:0 as guest-7 (p2, c1, k30).\n"
        "==1==ERROR: AddressSanitizer: heap-use-after-free\n"
        "mquic: ready for QUIC clients\nmquic: half a li"
    )
    book = part("logbook").Logbook(log)
    book.look()
    assert sorted(book.surprises.values()) == [1, 1]
    assert book.ended == {9: 1, 31: 1}
    assert book.let_in == {"guest": 1}
    assert len(book.sanitizer) == 1
    with open(log, "a") as file:
        file.write("ne\n")
    book.look()
    assert book.surprises["mquic: half a line"] == 1


def test_help_names_the_commands(soak):
    done = soak("--help")
    assert done.returncode == 0 and "deaths" in done.stdout and "churn" in done.stdout, done
    done = soak("deaths", "--clients", 4)
    assert done.returncode == 2 and "--clients must be a multiple of 3" in done.stderr, done
