"""Random programs, compared with everything that knows better: `python -m benchmarks.fuzz`.

Each program is derived, emitted and run in float64 and float32, with and without a workspace whose
memory is poisoned, and compared with the naive evaluator, with autograd on an independent
translation of its equations, and with differences of 60 digits. `--products` compares H v instead,
by forward over reverse and by reverse over reverse. What disagrees is shrunk to a spec in a file.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.fuzzing.hunt import CHECKS, Failure, Found, Skipped, hunt, judged, saved

CHUNK = 20
"""Programs of one seed: one failure is found, and shrunk, in each."""


def counts(found: Found) -> Table:
    """How many programs held each thing that can be drawn, and how many numbers were compared."""
    table = Table(title="Random programs", title_justify="left")
    for column in ("", "what", "number"):
        table.add_column(column, justify="right" if column == "number" else "left")
    table.add_row("programs", "run", str(found.ran))
    sections = {
        "skipped": found.skipped,
        "holding": found.drawn,
        "entries compared with": found.compared,
        "parts refused": found.refused,
    }
    for title, counter in sections.items():
        table.add_section()
        for what, number in sorted(counter.items()):
            table.add_row(title, what, str(number))
            title = ""
    table.add_section()
    table.add_row("disagreements", "", str(len(found.failures)))
    return table


def written(failure: Failure, folder: Path) -> Path:
    """The failure as a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    number = 1 + len(list(folder.glob(f"{failure.kind}_*.toml")))
    path = folder / f"{failure.kind}_{number}.toml"
    path.write_text(failure.text(path), encoding="utf-8")
    return path


def replayed(path: Path, console: Console) -> int:
    case, kind = saved(path.read_text(encoding="utf-8"))
    try:
        tally = judged(case, CHECKS[kind])
    except (AssertionError, Skipped) as error:
        console.print(f"{type(error).__name__}: {error}", markup=False, highlight=False)
        return 1
    console.print(f"agrees in {tally.compared.total()} numbers")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.fuzz")
    parser.add_argument("--count", type=int, default=1000, help="programs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--products", action="store_true", help="compare H v, not gradients")
    parser.add_argument("--out", type=Path, default=Path("fuzz-failures"), help="for failures")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--replay", type=Path, help="a failure's file")
    given = parser.parse_args(arguments)
    console = Console(width=120)
    if given.replay:
        return replayed(given.replay, console)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the processes would fight over the cores
    sizes = [min(CHUNK, given.count - start) for start in range(0, given.count, CHUNK)]
    seeds = [given.seed * 1_000_003 + k for k in range(len(sizes))]
    chunk = partial(hunt, kind="products" if given.products else "gradients")
    found = Found()
    bar = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with (
        Progress(*bar, TimeElapsedColumn(), console=console, transient=True) as progress,
        ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool,
    ):
        task = progress.add_task("programs", total=given.count)
        pending = [pool.submit(chunk, seed, size) for seed, size in zip(seeds, sizes, strict=True)]
        try:
            for done in as_completed(pending):
                some = done.result()
                found.add(some)
                for failure in some.failures:
                    path = written(failure, given.out)
                    said = f"{path}: {failure.message}\n  symgrad check {path}"
                    console.print(said, markup=False, highlight=False, soft_wrap=True)
                progress.update(task, completed=found.ran)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            console.print("interrupted: the counts are those of what ran")
    console.print(counts(found))
    return 1 if found.failures or not found.ran else 0


if __name__ == "__main__":
    raise SystemExit(main())
