"""What `symgrad list` prints: a table for each kind, a line each, or wrapped to a terminal."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

from symgrad.algebra.sizes import ONE, ZERO
from symgrad.catalog.activations import ROWS as ACTIVATIONS
from symgrad.catalog.builtin import names, spec_path
from symgrad.catalog.distributions import ROWS as DISTRIBUTIONS
from symgrad.catalog.formula import NamedLoss
from symgrad.catalog.layers import ROWS as LAYERS
from symgrad.catalog.losses import ROWS as LOSSES
from symgrad.notation.hints import SOUGHT
from symgrad.spec import Spec, load

NARROWEST = 40
"""Columns that the last one needs beside the others; with fewer it stands below them."""

INDENT = "    "


@dataclass(frozen=True)
class Entry:
    """A row of any kind.

    cells: what stands between its name and its formula.
    about: the formula, or a description, in one line.
    more:  what JSON says beside that.
    """

    name: str
    cells: tuple[str, ...]
    about: str
    source: str
    more: Mapping[str, object] = field(default_factory=dict)

    @property
    def row(self) -> tuple[str, ...]:
        source = f" [{self.source}]" if self.source else ""
        return (self.name, *self.cells, f"{self.about}{source}")


@dataclass(frozen=True)
class Kind:
    """A table: its titles, and where its rows come from. sought: words that stand for rows."""

    titles: tuple[str, ...]
    entries: Callable[[], Iterator[Entry]]
    sought: Mapping[str, str] = field(default_factory=dict)


# ---- the kinds ----------------------------------------------------------------------------------


def formulas(rows: Sequence[NamedLoss]) -> Iterator[Entry]:
    for row in rows:
        more = {
            "arguments": row.arguments,
            "options": {option.name: option.default for option in row.options},
            "held": row.held,
            "elsewhere": row.elsewhere,
        }
        arguments = row.form.removeprefix(row.name)
        yield Entry(row.name, (arguments,), row.formula, row.source, more)


def layers() -> Iterator[Entry]:
    for row in LAYERS:
        options = [f"{name}={default}" for name, default in row.options]
        more = {"sizes": row.sizes, "options": dict(row.options)}
        yield Entry(row.name, (" ".join((*row.sizes, *options)),), row.formula, row.source, more)


def activations() -> Iterator[Entry]:
    for row in ACTIVATIONS:
        options = ", ".join(f"{name}={default}" for name, default in row.options)
        about = f"{row.formula}; {row.kink}" if row.kink else row.formula
        more = {"options": dict(row.options)}
        yield Entry(row.name, (f"({options})" if options else "",), about, row.source, more)


def specs() -> Iterator[Entry]:
    for name in names():
        spec = load(spec_path(name))
        more = {"parameters": parameters(spec), "sizes": dict(spec.sizes)}
        yield Entry(name, (count(spec), sizes(spec)), spec.description, spec.origin, more)


def count(spec: Spec) -> str:
    """1,234, or a formula."""
    found = parameters(spec)
    return f"{found:,}" if isinstance(found, int) else found


def parameters(spec: Spec) -> int | str:
    """How many there are at the default sizes; a formula where a size has none."""
    shapes = [tensor.shape for tensor in spec.tensors if tensor.role == "param"]
    total = sum((prod(shape, start=ONE) for shape in shapes), ZERO)
    known = {name: value for name, value in spec.sizes if value is not None}
    return total.evaluate(known) if total.names <= known.keys() else str(total)


def sizes(spec: Spec) -> str:
    return " ".join(name if value is None else f"{name}={value}" for name, value in spec.sizes)


CALLED = ("NAME", "ARGUMENTS AND OPTIONS", "FORMULA [SOURCE]")
TITLES = ("NAME", "PARAMETERS", "SIZES", "DESCRIPTION [SOURCE]")
RIGHT = ("PARAMETERS",)
"""The columns of numbers."""

KINDS = {
    "losses": Kind(CALLED, lambda: formulas(LOSSES), SOUGHT),
    "layers": Kind(("NAME", "SIZES AND OPTIONS", "FORMULA [SOURCE]"), layers),
    "activations": Kind(("NAME", "OPTIONS", "FORMULA [SOURCE]"), activations),
    "distributions": Kind(CALLED, lambda: formulas(DISTRIBUTIONS)),
    "specs": Kind(TITLES, specs),
}


def listing(kind: str, width: int | None = None) -> str:
    """All rows of a kind; what they are sought by elsewhere stands below them."""
    chosen = KINDS[kind]
    text = table(chosen.titles, [entry.row for entry in chosen.entries()], width)
    if chosen.sought:
        sought = [(", ".join(words.split()), hint) for words, hint in chosen.sought.items()]
        text += "\n" + table(("ELSEWHERE", "HERE"), sought, width)
    return text


def to_json(kind: str) -> str:
    """The rows as a list of objects."""
    about = KINDS[kind].titles[-1].split()[0].lower()
    rows = [
        {"name": e.name, about: e.about, "source": e.source, **e.more}
        for e in KINDS[kind].entries()
    ]
    return json.dumps(rows, indent=2)


# ---- tables -------------------------------------------------------------------------------------


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> str:
    """Aligned columns. width: what no line exceeds if it can be helped; None: a line for each."""
    every = [titles, *rows]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)][:-1]
    left = sum(widths) + 2 * len(widths)
    stacked = width is not None and width - left < NARROWEST
    lines: list[str] = []
    for *cells, about in every:
        head = "  ".join(
            f"{cell:>{wide}}" if title in RIGHT else f"{cell:{wide}}"
            for cell, wide, title in zip(cells, widths, titles, strict=False)
        )
        if width is None:
            lines.append(f"{head}  {about}")
        elif stacked:
            lines += _stacked(head, cells, width)
            lines += _wrapped(about, width, INDENT) if cells[0] != titles[0] else []
        else:
            first, *rest = _wrapped(about, width - left) or [""]
            lines += [f"{head}  {first}", *(" " * left + line for line in rest)]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _stacked(head: str, cells: Sequence[str], width: int) -> list[str]:
    """What stands on the left, on a line; where that is too narrow, its end below the rest."""
    if len(head.rstrip()) <= width:
        return [head]
    if len(cells) == 1:
        return _wrapped(cells[0], width)
    return [*_wrapped("  ".join(cells[:-1]), width), *_wrapped(cells[-1], width, INDENT)]


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
