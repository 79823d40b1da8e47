"""Several checks side by side, in processes: `symgrad check --all`, `symgrad check A.toml B.py`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from symgrad import api
from symgrad.catalog.builtin import names, spec_path
from symgrad.errors import Place, SymgradError
from symgrad.spec import load
from symgrad.verify.verdict import EXIT_CODES, Report, worst_of


def computing() -> tuple[str, ...]:
    """The built-in specs that have something to compute, so to check."""
    return tuple(name for name in names() if not load(spec_path(name)).functions)


def reports(sources: Sequence[str], seed: int) -> Iterator[Report]:
    """One report for each source, in their order: as many at a time as there are cores.

    Errors: SpecError of the first source that cannot be checked.
    """
    at_once = min(len(sources), os.cpu_count() or 1)
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_report, sources, [seed] * len(sources))


def _report(source: str, seed: int) -> Report:
    try:
        return api.check(source, seed=seed)
    except SymgradError as error:
        raise error.at(Place(source)) from None


def to_json(reports: Sequence[Report]) -> str:
    """One JSON object: the worst verdict, its exit code, and every report."""
    verdict = worst_of(report.verdict for report in reports)
    every = [json.loads(report.to_json()) for report in reports]
    head = {"verdict": verdict, "exit_code": EXIT_CODES[verdict]}
    return json.dumps({**head, "reports": every}, indent=2, allow_nan=False)
