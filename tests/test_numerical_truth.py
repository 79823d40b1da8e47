"""docs/numerics.md: the tables are what comes, and each loss of symgrad's has its reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

import pytest

from benchmarks.numerical_truth import MARKED, PAGE, PARTS, Cell, Line, cell, lines
from benchmarks.numerics.formulas import ROWS

TEXT = PAGE.read_text(encoding="utf-8")
OWN = ("symgrad", "symgrad's own")


@cache
def computed(*columns: str) -> tuple[Line, ...]:
    return tuple(lines(columns))


def shown(part: str, page: str = TEXT) -> dict[tuple[str, str], dict[str, str]]:
    """The cells of a table of the page, by formula and point."""
    text = page.partition(f"\n## {part}\n\n")[2].partition("\n\n")[0]
    head, _, *body = ([c.strip() for c in row.split("|")[1:-1]] for row in text.splitlines())
    return {(row[0], row[1]): dict(zip(head[2:], row[2:], strict=True)) for row in body}


def alike(text: str, came: Cell | None) -> bool:
    """The same word, or errors of one size: the last digits are the machine's."""
    if came is None or not text:
        return came is None and not text
    bold, word = text.startswith("**"), text.strip("*")
    if came.word or not re.fullmatch(r"<?\d(\.\d+)?e[+-]\d+", word):
        return bold == came.lost and word == came.word
    error = max(came.error, 1e-15)
    return bold == came.lost and error / 100 <= float(word.strip("<")) <= error * 100


def lost_alike(text: str, came: Cell | None) -> bool:
    """Lost on the page and here, or on neither: how another library rounds is the machine's."""
    return bool(text) == (came is not None) and (came is None or came.lost == ("**" in text))


def stale(
    some: Sequence[Line],
    columns: Sequence[str],
    page: str = TEXT,
    same: Callable[[str, Cell | None], bool] = alike,
) -> list[str]:
    """What the page says otherwise."""
    found = []
    for part in PARTS:
        table = shown(part, page)
        assert [(line.row.name, line.at) for line in some] == list(table)
        for line in some:
            for name in columns:
                text, came = table[line.row.name, line.at][name], line.cells[part].get(name)
                if not same(text, came):
                    found.append(
                        f"{part}, {line.row.name} at {line.at}, {name}: {text}, now {came}"
                    )
    return found


def test_what_the_page_says_of_symgrad_is_what_comes() -> None:
    assert stale(computed(*OWN), OWN) == [], "run python -m benchmarks.numerical_truth --write"
    assert MARKED.search(TEXT)


def test_a_stale_page_is_told() -> None:
    page = TEXT.replace("| sigmoid | 40 | <1e-15", "| sigmoid | 40 | 1e-12", 1)
    page = page.replace(
        "| log of a softplus | -800 | **nan**", "| log of a softplus | -800 | <1e-15"
    )
    assert len(stale(computed(*OWN), OWN, page)) == 2


def stale_of(name: str) -> list[str]:
    """What the page says otherwise of a library in the release that it names; of another, nothing."""
    release = f"{name} {version(name.lower())}"
    if release not in TEXT.partition("Computed with ")[2].partition(".\n")[0].split(", "):
        pytest.skip(f"the page is not of {release}")
    columns = (name, f"{name}'s own")
    return stale(computed(*columns), columns, same=lost_alike)


def test_what_the_page_says_of_jax_is_what_comes(jax: Any) -> None:
    assert stale_of("JAX") == []


def test_what_the_page_says_of_torch_is_what_comes(torch: Any) -> None:
    assert stale_of("torch") == []


def test_symgrad_loses_where_it_says_why_and_nowhere_else() -> None:
    lost = {
        line.row.name
        for line in computed(*OWN)
        for cells in line.cells.values()
        if any(c.lost for c in cells.values())
    }
    assert lost == {row.name for row in ROWS if row.loses}


CELLS: list[tuple[float, Any, str]] = [
    (1.0, 1.0, "<1e-15"),
    (1.0 + 2e-13, 1.0, "2e-13"),
    (1.0 + 2e-9, 1.0, "**2e-09**"),
    (0.0, 4e-18, "**0**"),
    (0.0, 1e-400, "<1e-15"),
    (float("nan"), 1.0, "**nan**"),
    (float("-inf"), 1.0, "**-inf**"),
    (1e-20, 0.0, "**4e+287**"),
]


@pytest.mark.parametrize(("came", "true", "text"), CELLS)
def test_a_cell_says_how_wrong_a_number_is(came: float, true: float, text: str) -> None:
    assert str(cell(came, true)) == text
    assert cell(came, true).lost == text.startswith("**")
