# SPDX-License-Identifier: MIT
"""What the checks of the house's shape read in a C file: comments, and functions in our style."""

import re

COMMENT = re.compile(r"/\*.*?\*/", re.S)
LITERAL = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'')
NAME = re.compile(r"\b([a-z_][a-z_0-9]*)\s*\(")
BRANCH = re.compile(r"(\t+)(?:\} else )?(?:if|for|while|do|switch)\b")
WORDS = {"if", "for", "while", "switch", "return", "sizeof", "defined"}


def without_comments(text):
    """Comments and literals become blank, lines stay where they are."""
    text = COMMENT.sub(lambda match: "\n" * match.group().count("\n"), text)
    return LITERAL.sub('""', text)


class Function:
    """A function: `signature` in one line, `body` the lines between its braces."""

    def __init__(self, line, signature, body):
        self.line = line
        self.signature = signature
        self.body = body

    @property
    def name(self):
        return NAME.search(self.signature).group(1)

    @property
    def is_static(self):
        return self.signature.startswith("static ")

    @property
    def parameters(self):
        inside = self.signature[self.signature.index("(", NAME.search(self.signature).start()) :]
        return 0 if inside.strip() == "(void)" else inside.count(",") + 1

    @property
    def depth(self):
        """How deep its branches and loops lie in one another."""
        branches = (BRANCH.match(line) for line in self.body)
        return max((len(branch.group(1)) for branch in branches if branch), default=0)

    def calls(self):
        """Names that are followed by a parenthesis."""
        return set(NAME.findall("\n".join(self.body))) - WORDS


def functions(text):
    """The functions of a file: a line `{` of its own begins a body, a line `}` ends it."""
    lines = without_comments(text).split("\n")
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            yield Function(start, signature_above(lines, start), lines[start + 1 : number])
            start = None


def signature_above(lines, brace):
    first = brace
    while first > 0 and lines[first - 1].strip() and lines[first - 1][-1] not in ";}":
        first -= 1
    return " ".join(line.strip() for line in lines[first:brace])
