"""Tables in every format: text in columns, pipes in Markdown, a tabular in LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symgrad.explain.steps import Cell, Code, Table

GAP = "  "


def cell_text(cell: Cell) -> str:
    return cell.text if isinstance(cell, Code) else cell


def table_lines(table: Table, room: int) -> Iterator[str]:
    """Columns under their headings; a block of lines for each row where they are too wide."""
    rows = [[cell_text(c) for c in row] for row in (table.heads, *table.rows)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(table.heads))]
    if sum(widths) + len(GAP) * (len(widths) - 1) > room:
        yield from _stacked(rows)
        return
    for n, row in enumerate(rows):
        if n == 1 or (table.total and n == len(rows) - 1):
            yield GAP.join("-" * w for w in widths)
        cells = [
            text.ljust(w) if k < table.left else text.rjust(w)
            for k, (text, w) in enumerate(zip(row, widths, strict=True))
        ]
        yield GAP.join(cells).rstrip()


def _stacked(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """head: cell, line by line."""
    heads, *rest = rows
    wide = max(len(head) for head in heads) + 1
    for row in rest:
        yield ""
        for head, text in zip(heads, row, strict=True):
            if text:
                yield f"{head}:".ljust(wide) + f" {text}" if head else text


def table_markdown(table: Table) -> Iterator[str]:
    def shown(cell: Cell) -> str:
        text = f"`{cell.text}`" if isinstance(cell, Code) else cell
        return text.replace("|", "\\|")

    yield f"| {' | '.join(shown(h) for h in table.heads)} |"
    marks = ["---" if k < table.left else "---:" for k in range(len(table.heads))]
    yield f"| {' | '.join(marks)} |"
    for row in table.rows:
        yield f"| {' | '.join(shown(c) for c in row)} |"


def table_latex(table: Table, escaped: Sequence[Sequence[str]]) -> Iterator[str]:
    """`escaped`: the cells, the headings first, as LaTeX."""
    columns = "".join("l" if k < table.left else "r" for k in range(len(table.heads)))
    yield rf"\begin{{tabular}}{{{columns}}}"
    for n, row in enumerate(escaped):
        if n == 1 or (table.total and n == len(escaped) - 1):
            yield r"\hline"
        yield " & ".join(row) + r" \\"
    yield r"\end{tabular}"
