"""The tables in docs/checking.md are what the benchmarks print: their columns, their rows, sums."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from rich.table import Table

from benchmarks import checker_power
from benchmarks.mutants.program import PROGRAM_FAULTS
from benchmarks.mutants.source import BUFFER_FAULTS, SOURCE_FAULTS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "checking.md"


def titles(table: Table) -> list[str]:
    return [str(column.header) for column in table.columns]


def printed(command: str) -> list[list[str]]:
    """The cells of the table that follows a command on the page, its titles first."""
    after = PAGE.read_text(encoding="utf-8").split(f"$ {command}\n", 1)[1].split("```")[0]
    rows = [line.strip().strip("|").split("|") for line in after.splitlines() if "|" in line]
    return [[cell.strip() for cell in row] for row in rows if set("".join(row)) - set("-: ")]


def test_the_page_has_a_row_for_every_operator_and_the_sum_of_them() -> None:
    head, *rows, total = printed("python -m benchmarks.checker_power")
    assert head == titles(checker_power.table([]))
    ways = {"source": (*SOURCE_FAULTS, *BUFFER_FAULTS), "program": tuple(PROGRAM_FAULTS)}
    stops = {("removed stop", "source"), ("added stop", "source")}
    expected = {(name, way) for way, names in ways.items() for name in names} | stops
    assert {(row[0], row[1]) for row in rows} == expected
    assert len(rows) == len(expected)
    figures = [[int(cell) for cell in row[2:]] for row in (*rows, total)]
    assert [sum(column) for column in zip(*figures[:-1], strict=True)] == figures[-1]
    for mutants, fail, raised, equivalent, missed in figures:
        assert mutants == fail + equivalent + missed
        assert raised <= fail
    mutants, fail, _, equivalent, _ = figures[-1]
    assert mutants >= 300
    assert fail >= 0.99 * (mutants - equivalent)


def test_the_page_compares_with_every_peer(jax: ModuleType, torch: ModuleType) -> None:
    from benchmarks import checker_peers

    head, *rows = printed("python -m benchmarks.checker_peers")
    assert head == titles(checker_peers.table([]))
    assert [row[0] for row in rows] == list(checker_peers.GROUPS)
    assert all(cell.endswith("%") for row in rows for cell in row[2:])
