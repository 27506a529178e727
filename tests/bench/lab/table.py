# SPDX-License-Identifier: MIT
"""Tables, as plain text, Markdown and HTML."""

import html


class table:
    """A head and rows of text."""

    def __init__(self, head, rows):
        self.head = list(head)
        self.rows = [[str(cell) for cell in row] for row in rows]

    def text(self):
        widths = [
            max(len(row[i]) for row in [self.head, *self.rows]) for i in range(len(self.head))
        ]
        lines = [self.head, ["-" * width for width in widths], *self.rows]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(line, widths))
            ).rstrip()
            for line in lines
        )

    def markdown(self):
        lines = [self.head, ["---"] + ["---:"] * (len(self.head) - 1), *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)

    def html(self):
        def line(cells, tag):
            return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"

        body = "\n".join(line(row, "td") for row in self.rows)
        return f"<table>\n{line(self.head, 'th')}\n{body}\n</table>"


def number(value, digits=3):
    """A figure for people: `digits` that count, thousands grouped, "–" for none."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def interval(ratio, low, high):
    if ratio is None:
        return "–"
    return f"{ratio:.2f} [{low:.2f}, {high:.2f}]"
