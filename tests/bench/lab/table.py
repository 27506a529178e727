# SPDX-License-Identifier: MIT
"""Tables, as plain text, Markdown and HTML."""

import html


class table:
    """A head and rows of text."""

    def __init__(self, head, rows):
        self.head = list(head)
        self.rows = [[str(cell) for cell in row] for row in rows]

    def _left(self, column):
        """Words stand on the left, figures on the right."""
        cells = [row[column] for row in self.rows if row[column] not in ("", "–")]
        return column == 0 or not any(cell[0].isdigit() or cell[0] in "+-" for cell in cells)

    def text(self):
        widths = [
            max(len(row[i]) for row in [self.head, *self.rows]) for i in range(len(self.head))
        ]
        lefts = [self._left(i) for i in range(len(self.head))]
        lines = [self.head, ["-" * width for width in widths], *self.rows]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if left else cell.rjust(width)
                for cell, width, left in zip(line, widths, lefts)
            ).rstrip()
            for line in lines
        )

    def markdown(self):
        marks = ["---" if self._left(i) else "---:" for i in range(len(self.head))]
        lines = [self.head, marks, *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)

    def html(self):
        def line(cells, tag):
            marks = [' class="left"' if left else "" for left in lefts]
            return "<tr>" + "".join(
                f"<{tag}{mark}>{html.escape(cell)}</{tag}>" for cell, mark in zip(cells, marks)
            ) + "</tr>"

        lefts = [self._left(i) for i in range(len(self.head))]
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
    """A ratio and its interval; the ratio alone where there were too few rounds for one."""
    if ratio is None:
        return "–"
    return f"{ratio:.2f}" if low is None else f"{ratio:.2f} [{low:.2f}, {high:.2f}]"
