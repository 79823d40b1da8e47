"""Arrays of numbers, and tables, in every format; what is left out is said.

[ 0.5   -0.25]      rows in brackets, a block for each place of the axes before the last two
[ 1e-05  3   ]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from symgrad.explain.steps import Cell, Code, Table
from symgrad.verify.arithmetic import Array

ALONE, AMONG = 7, 5
"""Significant digits of a number by itself, and of one among others."""

LARGE = 1e5
"""From here on a number by itself has no more digits than the others."""

ROWS, COLUMNS, BLOCKS = 8, 8, 2
"""The most that are printed."""

GAP = "  "


def number(value: Any, digits: int = ALONE) -> str:
    """0.3775407, -1.1224593, -3, 1e-05, inf: so many digits, or so many behind the point."""
    if isinstance(value, (bool, int, np.integer, np.bool_)):
        return str(int(value))
    found = float(value)
    before = len(str(int(abs(found)))) if 1 <= abs(found) < LARGE else 0
    text = f"{found:.{digits + before * (digits == ALONE)}g}"
    return "0" if text == "-0" else text


def number_latex(text: str) -> str:
    r"""1e-05 -> 10^{-5} with its factor, inf -> \infty."""
    if text.lstrip("-") in ("inf", "nan"):
        return text.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
    digits, mark, power = text.partition("e")
    if not mark:
        return digits
    factor = {"1": "", "-1": "-"}.get(digits, rf"{digits} \cdot ")
    return f"{factor}10^{{{int(power)}}}"


def figure_lines(values: Array, room: int) -> Iterator[str]:
    """Lines of at most `room` characters, the brackets under one another."""
    if values.ndim == 0:
        yield number(values[()])
        return
    if not values.size:
        yield "[]"
        return
    blocks = list(_blocks(values))
    for place, block in blocks[:BLOCKS]:
        yield from _block(place, block, room)
    if len(blocks) > BLOCKS:
        yield f"({BLOCKS} of {len(blocks)} blocks shown)"


def _blocks(values: Array) -> Iterator[tuple[tuple[int, ...], Array]]:
    """A matrix for each place of the axes before the last two."""
    if values.ndim <= 2:
        yield (), values.reshape(1, -1) if values.ndim == 1 else values
        return
    for place in product(*(range(n) for n in values.shape[:-2])):
        yield place, values[place]


def _block(place: tuple[int, ...], block: Array, room: int) -> Iterator[str]:
    head = f"[{','.join(map(str, place))}]: " if place else ""
    cells = _cells(block)
    columns = [_aligned([row[k] for row in cells]) for k in range(len(cells[0]))]
    fit = _fitting([len(column[0]) for column in columns], room - len(head) - 2)
    more = f"{GAP}..." if fit < block.shape[1] else ""
    for k in range(len(cells)):
        shown = GAP.join(column[k] for column in columns[:fit])
        yield f"{head if k == 0 else ' ' * len(head)}[{shown}{more}]"
    said = _left_out(block.shape, len(cells), fit)
    if said:
        yield f"({said})"


def _cells(block: Array) -> list[list[str]]:
    """The rows and columns that are shown, as text."""
    digits = ALONE if block.size == 1 else AMONG
    return [[number(v, digits) for v in row[:COLUMNS]] for row in block[:ROWS]]


def _aligned(texts: Sequence[str]) -> list[str]:
    """Numbers of equal length, their points under one another."""
    parts = [text.partition(".") for text in texts]
    before = max(len(whole) for whole, _, _ in parts)
    after = max(len(point + rest) for _, point, rest in parts)
    return [whole.rjust(before) + (point + rest).ljust(after) for whole, point, rest in parts]


def _fitting(widths: Sequence[int], room: int) -> int:
    """How many columns there is room for, with `...` behind where that is not all; at least one."""
    for count in range(len(widths), 1, -1):
        used = sum(widths[:count]) + len(GAP) * (count - 1)
        if used + (0 if count == len(widths) and count < COLUMNS else len(GAP) + 3) <= room:
            return count
    return 1


def _left_out(shape: tuple[int, ...], rows: int, columns: int) -> str:
    """`8 of 64 rows and 6 of 10 columns shown`; nothing where all are."""
    if shape[0] == 1:
        return f"{columns} of {shape[1]} shown" if columns < shape[1] else ""
    parts = [
        f"{shown} of {all_} {what}"
        for shown, all_, what in ((rows, shape[0], "rows"), (columns, shape[1], "columns"))
        if shown < all_
    ]
    return f"{' and '.join(parts)} shown" if parts else ""


def figure_latex(values: Array) -> str:
    r"""A number, (a, b, c), or \begin{bmatrix}."""
    if values.ndim == 0:
        return number_latex(number(values[()]))
    if not values.size:
        return "()"
    blocks = list(_blocks(values))
    shown = [_matrix(place, block, values.ndim) for place, block in blocks[:BLOCKS]]
    return r",\quad ".join([*shown, r"\ldots"] if len(blocks) > BLOCKS else shown)


def _matrix(place: tuple[int, ...], block: Array, rank: int) -> str:
    rows = [[number_latex(text) for text in row] for row in _cells(block)]
    if block.shape[1] > COLUMNS:
        rows = [[*row, r"\cdots"] for row in rows]
    if rank == 1:
        return r"\left(" + r",\ ".join(rows[0]) + r"\right)"
    lines = [" & ".join(row) for row in rows]
    if block.shape[0] > ROWS:
        lines.append(" & ".join([r"\vdots"] * len(rows[0])))
    body = r" \\ ".join(lines)
    head = rf"[{','.join(map(str, place))}]\colon\ " if place else ""
    return rf"{head}\begin{{bmatrix}} {body} \end{{bmatrix}}"


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
