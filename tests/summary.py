#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
Sums up what tests/run ran.

The argument is a list with one `exit code<TAB>name<TAB>file` a line. A file that ends in
.xml is a JUnit report with one testcase per check; any other is the log of one check. A
runner that failed without naming a failed test counts as a failure, and so does a report
that is missing: nothing may pass by not being there. An exit code `skipped` makes the last
field a reason. A test that passed at its second try only is counted, and named with what went
wrong at the first; unless that was a crash or a sanitizer's word, which no second try undoes.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


class Sum:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")


def words(element):
    """What a report says about a test: its message and all output."""
    return "\n".join(filter(None, [element.get("message"), (element.text or "").strip()]))


# As much of what went wrong as names the cause; all of it is in the output above.
MOST_LINES = 30

# What is a fault, however seldom it comes.
NEVER_BY_CHANCE = re.compile(r"Sanitizer|runtime error:|the broker's exit code|Assertion .* failed")


def shorten(text):
    lines = text.rstrip().splitlines()
    left_out = len(lines) - MOST_LINES
    return "\n".join(lines[:MOST_LINES] + ([f"[and {left_out} lines]"] if left_out > 0 else []))


def first_failure(case):
    """What a test failed of before it passed, or None."""
    found = case.find("properties/property[@name='failed']")
    return None if found is None else found.get("value")


def label(suite, case):
    """The name of a test, after that of its file or suite."""
    return f"{case.get('classname') or suite.get('name')}: {case.get('name')}"


def count_unstable(name, first):
    """A test that failed first, and passed then."""
    total = Sum()
    if NEVER_BY_CHANCE.search(first):
        total.failed = 1
        print(f"FAILED  {name}: passed at the second try, but the first showed a fault:")
    else:
        total.passed = 1
        print(f"UNSTABLE {name}: passed at the second try. The first:")
    print(shorten(first))
    return total


def count_suite(suite, show_output):
    total = Sum()
    for case in suite.findall("testcase"):
        bad = case.find("failure") if case.find("failure") is not None else case.find("error")
        skipped = case.find("skipped")
        if bad is not None:
            total.failed += 1
            print(f"FAILED  {label(suite, case)}")
            print(words(bad) if show_output else shorten(words(bad)))
        elif skipped is not None:
            total.skipped += 1
            reason = skipped.get("message") or (skipped.text or "").strip() or "no reason given"
            print(f"SKIPPED {label(suite, case)}: {reason}")
        elif first := first_failure(case):
            total.add(count_unstable(label(suite, case), first))
        else:
            total.passed += 1
    if total.failed and show_output:
        for tag in ("system-out", "system-err"):
            for element in suite.iter(tag):
                print((element.text or "").rstrip())
    return total


def count_report(code, name, path):
    """Counts a JUnit report."""
    total = Sum()
    if not path.exists():
        print(f"FAILED  {name}: it left no report, exit code {code}")
        total.failed = 1
        return total
    # pytest has shown its failures in full already; meson, the last lines only.
    for suite in ElementTree.parse(path).getroot().iter("testsuite"):
        total.add(count_suite(suite, show_output=suite.get("name") != "pytest"))
    if code != 0 and total.failed == 0:
        print(f"FAILED  {name}: exit code {code}, though no test is named")
        total.failed += 1
    return total


def count_check(code, name, path):
    """Counts a single check of tests/run itself."""
    total = Sum()
    if code:
        total.failed = 1
        print(f"FAILED  {name}; see {path}")
    else:
        total.passed = 1
    return total


def count_skipped(name, reason):
    total = Sum()
    total.skipped = 1
    print(f"SKIPPED {name}: {reason}")
    return total


def count(code, name, last):
    if code == "skipped":
        return count_skipped(name, last)
    if last.endswith(".xml"):
        return count_report(int(code), name, Path(last))
    return count_check(int(code), name, last)


def main():
    total = Sum()
    lines = []
    for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
        code, name, last = line.split("\t")
        part = count(code, name, last)
        total.add(part)
        lines.append(f"{name}: {part}")
    print("\n".join(lines))
    print(total)
    return 0 if total.failed == 0 and total.passed > 0 else 1


sys.exit(main())
