"""The table of specs that `symgrad list` prints: one line each, or wrapped to a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from math import prod

from symgrad.algebra.sizes import ONE, ZERO
from symgrad.spec import Spec

TITLES = ("NAME", "PARAMETERS", "SIZES", "DESCRIPTION [SOURCE]")
NARROWEST = 40
"""Columns that a description needs beside the others; with fewer it stands below them."""

INDENT = "    "
Row = tuple[str, str, str, str]


def row_of(name: str, spec: Spec) -> Row:
    source = f" [{spec.origin}]" if spec.origin else ""
    return (name, count(spec), sizes(spec), f"{spec.description}{source}")


def count(spec: Spec) -> str:
    """How many parameters there are at the default sizes; a formula where a size has none."""
    shapes = [tensor.shape for tensor in spec.tensors if tensor.role == "param"]
    total = sum((prod(shape, start=ONE) for shape in shapes), ZERO)
    known = {name: value for name, value in spec.sizes if value is not None}
    return f"{total.evaluate(known):,}" if total.names <= known.keys() else str(total)


def sizes(spec: Spec) -> str:
    return " ".join(name if value is None else f"{name}={value}" for name, value in spec.sizes)


def table(rows: Sequence[Row], width: int | None = None) -> str:
    """Aligned columns. width: what no line exceeds if it can be helped; None: a line for each."""
    every = [TITLES, *rows]
    widths = [max(len(row[n]) for row in every) for n in range(3)]
    left = sum(widths) + 6
    stacked = width is not None and width - left < NARROWEST
    lines: list[str] = []
    for name, parameters, named, about in every:
        head = f"{name:{widths[0]}}  {parameters:>{widths[1]}}  {named:{widths[2]}}"
        if width is None:
            lines.append(f"{head}  {about}")
        elif stacked:
            lines += _stacked(head, f"{name}  {parameters}", named, width)
            lines += _wrapped(about, width, INDENT) if name != TITLES[0] else []
        else:
            first, *rest = _wrapped(about, width - left) or [""]
            lines += [f"{head}  {first}", *(" " * left + line for line in rest)]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _stacked(head: str, short: str, named: str, width: int) -> list[str]:
    """The name, and below it the sizes where they do not fit beside."""
    fits = len(head.rstrip()) <= width
    return [head] if fits else [short, *_wrapped(named, width, INDENT)]


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
