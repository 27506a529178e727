# SPDX-License-Identifier: MIT
"""Lets the tests import the bench's modules."""

import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(BENCH), str(BENCH.parent / "integration")]
