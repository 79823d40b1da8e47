"""Planted bugs before symgrad and its peers: `python -m benchmarks.checker_peers` (extra `bench`).

The mutants of `python -m benchmarks.checker_power`, the equivalent ones left out. A peer that
refuses the right module of a spec says nothing about its mutants: those count as not found.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.mutants.judging import bench_of, outcome_of
from benchmarks.mutants.peers import PEERS, call_of, refused
from benchmarks.mutants.planted import mutants, specs
from symgrad.errors import SymgradError

GROUPS: Mapping[str, Callable[[str, str], bool]] = {
    "an edit of the source": lambda way, operator: way == "source",
    "... a stop in it, added or removed": lambda way, operator: (
        way == "source" and operator.endswith("stop")
    ),
    "the program before derive": lambda way, operator: way == "program",
    "all": lambda way, operator: True,
}


@dataclass(frozen=True)
class Found:
    """A mutant, and who refused it."""

    way: str
    operator: str
    by: Mapping[str, bool]


def judged_by_all(name: str, most: int) -> tuple[list[Found], dict[str, bool]]:
    """The mutants of one spec, and which peers refuse its right module."""
    bench = bench_of(specs()[name]())
    right, at = call_of(bench, bench.module)
    right(*at)  # whatever a peer is to refuse, the right module raises nothing
    alarms = refused(bench, bench.module)
    found = []
    for mutant in mutants(bench, most):
        try:
            module = mutant.made()
        except SymgradError:
            continue  # the program is refused: no module to check
        outcome = outcome_of(bench, module)
        if outcome.kind != "equivalent":
            by = {n: no and not alarms[n] for n, no in refused(bench, module).items()}
            mine = {"symgrad": outcome.kind == "FAIL"}
            found.append(Found(mutant.way, mutant.operator, mine | by))
    return found, alarms


def table(found: Sequence[Found]) -> Table:
    """Kill rates: a row for each group of mutants, a column for each checker."""
    out = Table(title="Planted bugs that are refused", title_justify="left", box=box.MARKDOWN)
    out.add_column("planted in")
    for column in ("mutants", "symgrad", *PEERS):
        out.add_column(column, justify="right")
    for title, belongs in GROUPS.items():
        some = [f for f in found if belongs(f.way, f.operator)]
        rates = [sum(f.by[n] for f in some) / max(1, len(some)) for n in ("symgrad", *PEERS)]
        out.add_row(title, str(len(some)), *(f"{100 * rate:.1f}%" for rate in rates))
    return out


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.checker_peers")
    parser.add_argument("specs", nargs="*", metavar="SPEC", help="all of them if none is named")
    parser.add_argument("--most", type=int, default=1, help="mutants of one operator in a spec")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    given = parser.parse_args(arguments)
    names = given.specs or list(specs())
    console, found, alarms = Console(width=120), [], dict[str, list[str]]()
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool:
        judged = zip(names, pool.map(judged_by_all, names, [given.most] * len(names)), strict=True)
        for name, (some, refusing) in track(
            judged, "specs", total=len(names), console=console, transient=True
        ):
            found += some
            for peer, no in refusing.items():
                alarms.setdefault(peer, []).extend([name] if no else [])
    console.print(table(found))
    for peer, right in alarms.items():
        console.print(f"right modules refused by {peer}: {', '.join(right) or 'none'}")


if __name__ == "__main__":
    main()
