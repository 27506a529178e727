# SPDX-License-Identifier: MIT
"""What the other tests stand on."""

import subprocess
import sys

from harness.build import SOURCE
from harness.process import ENDING_SIGNALS

# A child that says which signals are at rest in it, as a mask.
CHILD = "grep SigIgn /proc/self/status"
PARENT = f"""
import subprocess, sys
from harness.process import heed_signals
subprocess.run({CHILD!r}, shell=True, check=True)
heed_signals()
subprocess.run({CHILD!r}, shell=True, check=True)
"""


def test_children_get_the_signals_that_nohup_and_shells_have_ignored():
    names = " ".join(number.name[3:] for number in ENDING_SIGNALS)
    done = subprocess.run(
        ["sh", "-c", f'trap "" {names}; exec "$0" "$@"', sys.executable, "-c", PARENT],
        env={"PYTHONPATH": str(SOURCE / "tests" / "integration")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done
    before, after = (int(line.split()[1], 16) for line in done.stdout.splitlines())
    mask = sum(1 << (number - 1) for number in ENDING_SIGNALS)
    assert before & mask == mask
    assert after & mask == 0
