"""How many planted bugs `symgrad check` finds: `python -m benchmarks.checker_power`.

Bugs are planted in the emitted source and in the program before it is differentiated. Each mutant
is held against the oracle of what it should compute. One that does not FAIL is compared with the
clean module at 1,000 seeded points: if they agree to 1e-13 it is equivalent, else it was missed.
A program that symgrad refuses to compile is no mutant, and is listed beside them.
All seeds are fixed: the same mutants and the same figures each time.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.mutants.judging import Bench, Outcome, bench_of, outcome_of
from benchmarks.mutants.planted import Mutant, mutants, specs
from symgrad.errors import SymgradError
from symgrad.verify.check import judged
from symgrad.verify.subject import ModuleSubject

MOST = 1
"""Mutants of one operator, in one spec, in one way."""
SAMPLE = 40
"""Of so many mutants one is checked as a file too, in a process of its own."""


@dataclass(frozen=True)
class Row:
    """A mutant and what became of it. alone: the verdict of its file, where it was asked for."""

    spec: str
    way: str
    operator: str
    what: str
    outcome: Outcome
    alone: str = ""


def power(name: str, most: int = MOST, sample: int = SAMPLE) -> list[Row]:
    """Every mutant of one spec, judged."""
    return list(judgements(bench_of(specs()[name]()), most, sample))


def judgements(bench: Bench, most: int, sample: int = 0) -> Iterator[Row]:
    for number, mutant in enumerate(mutants(bench, most)):
        try:
            module = mutant.made()
        except SymgradError as error:  # there is no module to check
            outcome = Outcome("refused", note=str(error))
        else:
            outcome = outcome_of(bench, module)
        alone = sample and number % sample == 0 and outcome.kind != "refused"
        yield Row(
            mutant.spec,
            mutant.way,
            mutant.operator,
            mutant.what,
            outcome,
            in_a_process(bench, mutant) if alone else "",
        )


def in_a_process(bench: Bench, mutant: Mutant) -> str:
    """The verdict of the mutant's file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{bench.spec.name}.py"
        path.write_text(mutant.text(), encoding="utf-8")
        return judged(bench.oracle, ModuleSubject(path)).verdict


def table(rows: Sequence[Row]) -> Table:
    """A row for each operator in each way, and their sum."""
    out = Table(title="Planted bugs", title_justify="left", box=box.MARKDOWN)
    for column in ("operator", "planted in"):
        out.add_column(column)
    for column in ("mutants", "FAIL", "of them raised", "equivalent", "missed"):
        out.add_column(column, justify="right")
    for way, operator in sorted({(r.way, r.operator) for r in rows}):
        some = [r for r in rows if (r.way, r.operator) == (way, operator)]
        out.add_row(operator, way, *counts(some))
    out.add_row("all", "", *counts(rows))
    return out


def counts(rows: Sequence[Row]) -> list[str]:
    kinds = Counter(row.outcome.kind for row in rows)
    raised = sum(row.outcome.raised for row in rows)
    cells = (len(rows), kinds["FAIL"], raised, kinds["equivalent"], kinds["missed"])
    return [str(cell) for cell in cells]


def killed(rows: Sequence[Row]) -> float:
    """The part of the mutants that are not equivalent that FAIL."""
    kinds = Counter(row.outcome.kind for row in rows)
    return kinds["FAIL"] / max(1, kinds["FAIL"] + kinds["missed"])


def report(rows: Sequence[Row], console: Console) -> None:
    """The table, every mutant that did not FAIL with its reason, and the part that did."""
    console.print(table([row for row in rows if row.outcome.kind != "refused"]))
    for kind in ("missed", "equivalent", "refused"):
        some = [row for row in rows if row.outcome.kind == kind]
        console.print(f"{len(some)} {kind}")
        for row in some:
            line = f"  {row.spec}, {row.way}, {row.operator}: {row.what}\n    {row.outcome.note}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    files = [row for row in rows if row.alone]
    same = sum((row.alone == "FAIL") == (row.outcome.kind == "FAIL") for row in files)
    console.print(f"checked as files too: {len(files)}, the same verdict for {same}")
    console.print(f"FAIL, of the mutants that are not equivalent: {100 * killed(rows):.2f}%")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.checker_power")
    parser.add_argument("specs", nargs="*", metavar="SPEC", help="all of them if none is named")
    parser.add_argument("--most", type=int, default=MOST, help="mutants of one operator in a spec")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    given = parser.parse_args(arguments)
    names = given.specs or list(specs())
    console = Console(width=120)
    bar = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    found: list[Row] = []
    with (
        Progress(*bar, TimeElapsedColumn(), console=console, transient=True) as progress,
        ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool,
    ):
        task = progress.add_task("specs", total=len(names))
        for rows in pool.map(power, names, [given.most] * len(names)):
            found += rows
            progress.advance(task)
    report(found, console)


if __name__ == "__main__":
    main()
