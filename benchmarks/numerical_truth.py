"""Relative errors where floats fail: `python -m benchmarks.numerical_truth` (extra `bench`).

Each formula of benchmarks/numerics/formulas.py is computed by symgrad, by SymPy with lambdify, by
torch and by JAX, in float64, as one writes it and by the library's own function. What comes is held
against a thousand digits. With --write the tables are written into docs/numerics.md.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markdown import Markdown

from benchmarks.numerics.formulas import ROWS, Formula
from benchmarks.numerics.libraries import COLUMNS, Answer, Point, truth

PAGE = Path(__file__).parents[1] / "docs" / "numerics.md"
MARKED = re.compile(
    r"(?<=<!-- written by python -m benchmarks\.numerical_truth --write -->\n).*", re.S
)
LIBRARIES = ("SymPy", "torch", "JAX")
LOST = 1e-12
"""A relative error above it counts as a loss."""
SMALLEST = 2.0**-1022
PARTS: Mapping[str, Callable[[Answer], tuple[Any, ...]]] = {
    "Gradients": lambda answer: answer.gradient,
    "Values": lambda answer: (answer.value,),
}


@dataclass(frozen=True)
class Cell:
    """The largest relative error of some numbers; nan where one of them is nan.

    word: what came where that says more than the error.
    """

    error: float
    word: str = ""

    @property
    def lost(self) -> bool:
        return not self.error <= LOST

    def __str__(self) -> str:
        text = self.word or ("<1e-15" if self.error < 1e-15 else f"{self.error:.0e}")
        return f"**{text}**" if self.lost else text


def cell(came: float, true: Any) -> Cell:
    """|came - true|/|true|; a number below the smallest float may be 0."""
    if not abs(came) < float("inf"):
        return Cell(float("nan"), str(came))
    error = float(abs(came - true) / max(abs(true), SMALLEST))
    return Cell(error, "0" if came == 0 and error > LOST else "")


def worst(came: Sequence[float], true: Sequence[Any]) -> Cell:
    cells = [cell(a, b) for a, b in zip(came, true, strict=True)]
    return max(cells, key=lambda c: (c.error != c.error, c.error))


@dataclass(frozen=True)
class Line:
    """A formula at a point. cells: of each part, for each library that computes it."""

    row: Formula
    x: Point
    cells: Mapping[str, Mapping[str, Cell]]

    @property
    def at(self) -> str:
        return ", ".join(re.sub(r"e([+-])0?", r"e\1", f"{v:.10g}") for v in self.x).replace(
            "e+", "e"
        )


def lines(columns: Sequence[str] = tuple(COLUMNS)) -> Iterator[Line]:
    """Every formula at every point, computed by some of the libraries."""
    for row in ROWS:
        made = {name: COLUMNS[name](row) for name in columns}
        for x in row.points:
            true = truth(row, x)
            with np.errstate(all="ignore"):
                came = {name: function(x) for name, function in made.items() if function}
            yield Line(
                row,
                x,
                {
                    part: {name: worst(of(answer), of(true)) for name, answer in came.items()}
                    for part, of in PARTS.items()
                },
            )


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def errors(part: str, some: Sequence[Line]) -> str:
    """A row for each formula and point."""
    return table(
        ("formula", "x", *COLUMNS),
        (
            [line.row.name, line.at, *(str(line.cells[part].get(n, "")) for n in COLUMNS)]
            for line in some
        ),
    )


def counts(some: Sequence[Line]) -> str:
    """How much each library loses."""

    def lost(part: str, name: str) -> str:
        cells = [line.cells[part][name] for line in some if name in line.cells[part]]
        return f"{sum(c.lost for c in cells)} of {len(cells)}"

    return table(("lost", *COLUMNS), ([part, *(lost(part, n) for n in COLUMNS)] for part in PARTS))


def page(some: Sequence[Line]) -> str:
    """What stands in the page below its mark."""
    pieces = [
        f"Computed with {', '.join(f'{n} {version(n.lower())}' for n in LIBRARIES)}.",
        counts(some),
        "## Where symgrad loses, and why",
        "\n".join(f"- {row.name}: {row.loses}." for row in ROWS if row.loses),
    ]
    for part in PARTS:
        pieces += [f"## {part}", errors(part, some)]
    formulas = ([row.name, _code(row.written), _code(row.own)] for row in ROWS)
    pieces += ["## The formulas", table(("formula", "as written", "symgrad's own"), formulas)]
    return "\n\n".join(pieces) + "\n"


def _code(equations: str) -> str:
    return "<br>".join(f"`{line}`" for line in equations.splitlines())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, prog="python -m benchmarks.numerical_truth"
    )
    parser.add_argument(
        "--write", action="store_true", help="write the tables into docs/numerics.md"
    )
    given = parser.parse_args(arguments)
    text = page(list(lines()))
    if given.write:
        PAGE.write_text(MARKED.sub(lambda _: text, PAGE.read_text("utf-8")), encoding="utf-8")
    else:
        Console().print(Markdown(text))


if __name__ == "__main__":
    main()
