# SPDX-License-Identifier: MIT
"""What tests/run says at its end, and whether it says that all is well."""

import subprocess
import sys

import pytest

from harness.build import SOURCE

PASSED = '<testcase classname="a" name="good"/>'
FAILED = '<testcase classname="a" name="bad"><failure message="no">line 1\nline 2</failure></testcase>'


def retried(first):
    value = f'<property name="failed" value="{first}"/>'
    return f'<testcase classname="a" name="odd"><properties>{value}</properties></testcase>'


@pytest.fixture
def summed_up(tmp_path):
    """summed_up(case…, code=…): exit code and output for a report with these cases."""

    def run(*cases, code=0):
        report = tmp_path / "report.xml"
        suite = f'<testsuite name="pytest">{"".join(cases)}</testsuite>'
        report.write_text(f"<testsuites>{suite}</testsuites>")
        (tmp_path / "list").write_text(f"{code}\tpart\t{report}\n")
        argv = [sys.executable, SOURCE / "tests/summary.py", tmp_path / "list"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout

    return run


def test_all_is_well(summed_up):
    assert summed_up(PASSED, PASSED) == (0, "part: 2 passed, 0 failed\n2 passed, 0 failed\n")


def test_a_failure_is_shown_with_its_reason(summed_up):
    code, text = summed_up(PASSED, FAILED, code=1)
    assert code == 1
    assert text.startswith("FAILED  a: bad\nno\nline 1\nline 2\n")
    assert text.endswith("1 passed, 1 failed\n")


def test_a_failure_nobody_names_is_one(summed_up):
    code, text = summed_up(PASSED, code=1)
    assert code == 1 and "exit code 1, though no test is named" in text


def test_nothing_at_all_is_not_well(summed_up):
    assert summed_up() == (1, "part: 0 passed, 0 failed\n0 passed, 0 failed\n")


def test_a_second_try_counts_and_is_told(summed_up):
    code, text = summed_up(PASSED, retried("no line within 40 s"))
    assert code == 0
    assert "UNSTABLE a: odd: passed at the second try. The first:\nno line within 40 s\n" in text
    assert text.endswith("2 passed, 0 failed\n")


@pytest.mark.parametrize(
    "first",
    ["ERROR: AddressSanitizer: x", "a.c:1: runtime error: x", "the broker's exit code is -6: x"],
)
def test_no_second_try_undoes_a_crash(summed_up, first):
    code, text = summed_up(PASSED, retried(first))
    assert code == 1
    assert first in text and text.endswith("1 passed, 1 failed\n")
