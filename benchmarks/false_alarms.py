"""How often a right gradient is not passed: `python -m benchmarks.false_alarms` (extra `bench`).

10,000 seeded checks of right gradients at random sizes and points: none may FAIL, and fewer than 1%
may be INCONCLUSIVE. Beside every eighth of them a fault is planted, which may not PASS: a check
that passes everything raises no alarm either. The exit code is 1 where one of these does not hold.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.alarms.kinds import kinds
from benchmarks.alarms.outcomes import Outcome, counts, holds, outcomes

COUNT = 10_000
AT_ONCE = 50
"""Checks of one kind in one process, before another takes over."""


def table(found: Sequence[Outcome]) -> Table:
    """A row for each kind, and their sum."""
    out = Table(title="Right gradients, and faults planted beside them", title_justify="left")
    for column in ("checked by", "kind"):
        out.add_column(column)
    for column in ("right", "PASS", "FAIL", "INCONCLUSIVE", "faults", "FAIL", "INC.", "PASS", "s"):
        out.add_column(column, justify="right")
    for group in dict.fromkeys(o.group for o in found):
        for kind in dict.fromkeys(o.kind for o in found if o.group == group):
            some = [o for o in found if (o.group, o.kind) == (group, kind)]
            out.add_row(group, kind, *counts(some))
        out.add_section()
    out.add_row("all", "", *counts(found))
    return out


def report(found: Sequence[Outcome], console: Console) -> None:
    """The table, each alarm and each fault that passed, and the reasons counted."""
    console.print(table(found))
    odd = [o for o in found if o.verdict == ("PASS" if o.fault else "FAIL")]
    for o in odd:
        what = f"fault {o.fault} passed" if o.fault else f"FAIL: {o.reason}"
        console.print(f"{o.group}, {o.kind}, seed {o.seed}: {what}", markup=False, soft_wrap=True)
    undecided = [o for o in found if o.verdict == "INCONCLUSIVE" and not o.fault]
    console.print(f"{len(undecided)} right gradients INCONCLUSIVE")
    reasons = Counter((o.group, o.kind, o.reason) for o in undecided)
    for (group, kind, why), count in reasons.most_common():
        first = next(o.seed for o in undecided if (o.kind, o.reason) == (kind, why))
        line = f"  {count} {group}, {kind} (seed {first}): {why}"
        console.print(line, markup=False, soft_wrap=True)


def of_kind(number: int, seeds: Sequence[int]) -> list[Outcome]:
    """The checks of the kind with that number: what a process is asked for."""
    return outcomes(kinds()[number], seeds)


def units(count: int, seed: int, names: Sequence[str]) -> list[tuple[int, Sequence[int]]]:
    """What one process does at once: a kind's number, and seeds."""
    found: list[tuple[int, Sequence[int]]] = []
    for number, kind in enumerate(kinds()):
        if names and not {kind.name, kind.group} & {*names}:
            continue
        many = max(1, round(kind.share * count / COUNT))
        first = seed * COUNT
        every = range(first, first + many)
        found += [(number, every[k : k + AT_ONCE]) for k in range(0, many, AT_ONCE)]
    return found


def measured(count: int, seed: int, jobs: int, names: Sequence[str] = ()) -> list[Outcome]:
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")  # of the processes: they share the cores
    asked = units(count, seed, names)
    console = Console(stderr=True)
    bar = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    found: list[Outcome] = []
    with (
        Progress(*bar, TimeElapsedColumn(), console=console, transient=True) as progress,
        ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool,
    ):
        task = progress.add_task("checks", total=sum(len(seeds) for _, seeds in asked))
        for part in pool.map(of_kind, *zip(*asked, strict=True)):
            found += part
            progress.advance(task, sum(not o.fault for o in part))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.false_alarms")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="all of them if none is named")
    parser.add_argument("--count", type=int, default=COUNT, help="checks of all kinds together")
    parser.add_argument("--seed", type=int, default=0, help="another one gives other checks")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    given = parser.parse_args(arguments)
    found = measured(given.count, given.seed, given.jobs, given.kinds)
    report(found, Console(width=140))
    return 0 if holds(found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
