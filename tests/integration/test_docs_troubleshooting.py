# SPDX-License-Identifier: MIT
"""
doc/troubleshooting.md has each sentence that the plugin and its worker can say when something is
wrong; doc/operators.md has the lines of a broker where all is well. They are taken from the sources, whatever function says them, so that none is forgotten.
"""

import re

from harness import markdown
from harness.build import SOURCE

ROOMS = ("server", "gateway", "mosquitto-plugin")
PAGE = SOURCE / "doc" / "troubleshooting.md"
OPERATORS = SOURCE / "doc" / "operators.md"

# What is told to others than readers of the log: what is counted, answers in HTTP, how the program
# is used.
NO_LINES = {"server/counters.c", "server/http.c"}
NO_SENTENCE = re.compile(r"Usage: mquic-gateway|(%s)?text/plain;")
# The advice behind "does not apply to QUIC": doc/tls-and-quic.md has it option by option.
ADVICE = "gateway/option-names.c"

TOKEN = re.compile(r'"((?:[^"\\\n]|\\.)*)"|\b([A-Z][A-Z0-9_]{3,})\b|(\s+)|.', re.S)
COMMENT = re.compile(r'/\*.*?\*/|"(?:[^"\\\n]|\\.)*"', re.S)
# Nobody but a developer sees these: the steps at debug level, and what is checked by the compiler.
DEBUG = re.compile(r"(?:speaker_say|log_now|_Static_assert|say)\w*\((?:[^;\"]*LOG_DEBUG|[^;\"]*==|[^;\"]*<=)[^;]*;")


def without_comments(text):
    return COMMENT.sub(lambda found: found[0] if found[0].startswith('"') else " ", text)


def texts(source):
    """The texts of a C file, adjacent ones joined; a macro between two is a %s."""
    parts, found = [], []
    for token in TOKEN.finditer(source):
        literal, macro, space = token.groups()
        if literal is not None:
            parts.append(literal)
        elif macro:
            parts.append("%s")
        elif not space:
            found.append("".join(parts))
            parts = []
    return [text.replace('\\"', '"') for text in found if re.search(r"[a-z]", text)]


def sentences():
    """(file, text) of all that has three words or more."""
    for path in [path for room in ROOMS for path in sorted((SOURCE / room).glob("*.c"))]:
        name = str(path.relative_to(SOURCE))
        source = DEBUG.sub(";", without_comments(path.read_text()))
        for text in texts(source) if name not in NO_LINES else []:
            if name == ADVICE and not text.startswith("plugin_opt_%s "):
                continue
            words = re.findall(r"[A-Za-z]{2,}", re.sub(r"%\S*", "", text))
            if len(words) >= 3 and " " in text and not NO_SENTENCE.match(text):
                yield name, text


def pattern(text):
    """What a line must have: the parts between variable ones, up to advice behind a semicolon."""
    text = text.removeprefix("mquic: ").removeprefix("; ").removesuffix("\\n")
    parts = re.split(r"%[-.*\d]*(?:ll|z)?[a-z]", text.split(";")[0])
    return ".*".join(map(re.escape, parts))


def test_each_sentence_is_explained():
    pages = PAGE.read_text() + OPERATORS.read_text()
    found = list(sentences())
    assert len(found) > 100
    missing = [(name, text) for name, text in found if not re.search(pattern(text), pages)]
    assert missing == [], f"neither in {PAGE.name} nor in {OPERATORS.name}"


def shown():
    """The sentences that the page shows: the code in the first cell of each row of a table."""
    inside = False
    for _, line in markdown.split(PAGE)[0]:
        if line.startswith("|---"):
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside:
            yield from re.findall(r"`([^`]+)`", line.split(" | ")[0])


# Sentences of the library, which it says through the worker, and of the system.
OF_OTHERS = ["handshake failed", "expires on DATE", "signal 11", "signal 31", "6 (SIGABRT)", "reset key file"]
OF_OTHERS += ["small frames", "plugin_opt_NAME: SENTENCE", "refused: too many"]


def test_no_sentence_is_explained_that_nobody_says():
    """Each row has words of the sources, and so is thrown out with its sentence."""
    patterns = [re.compile(pattern(text)) for _, text in sentences()]
    idle = [
        text
        for text in shown()
        if not any(other in text for other in OF_OTHERS)
        and not any(one.search(text) for one in patterns)
    ]
    assert idle == []


def test_rows_say_what_to_do():
    rows = [line for _, line in markdown.split(PAGE)[0] if line.startswith("| ")]
    assert len(rows) > 80
    for row in rows:
        assert all(cell.strip() for cell in row.strip("| ").split(" | ")), row
