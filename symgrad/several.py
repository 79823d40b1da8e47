"""Several checks side by side, in processes: `symgrad check --all`, `symgrad check A.toml B.py`."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from symgrad import api
from symgrad.catalog.builtin import names, spec_path
from symgrad.errors import Place, SymgradError
from symgrad.spec import load, parse_spec
from symgrad.verify.check import Watch
from symgrad.verify.spec_text import spec_text
from symgrad.verify.subject import ONE_THREAD
from symgrad.verify.verdict import EXIT_CODES, Report, worst_of


def computing() -> tuple[str, ...]:
    """The built-in specs that have something to compute, so to check."""
    texts = {name: spec_path(name).read_text("utf-8") for name in names()}
    return tuple(name for name, text in texts.items() if "functions" not in tomllib.loads(text))


def reports(sources: Sequence[str], seed: int, watch: Watch | None = None) -> list[Report]:
    """One report for each source, in their order: as many at a time as there are cores.

    watch:  told of each that ends, for a progress bar.
    Errors: SpecError of a source that cannot be checked.
    """
    at_once = min(len(sources), os.cpu_count() or 1)
    dearest_first = sorted(range(len(sources)), key=lambda k: -_cost(sources[k]))
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:
        try:
            with one_thread():
                asked = {pool.submit(_report, sources[k], seed): k for k in dearest_first}
            for done in as_completed(asked):
                report = done.result()
                if watch is not None:
                    watch(-1, report.subject)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [done.result() for done in sorted(asked, key=asked.__getitem__)]


@contextmanager
def one_thread() -> Iterator[None]:
    """Processes that are started here compute in one thread each: there is one for every core."""
    missing = ONE_THREAD.keys() - os.environ.keys()  # a user's own choice stays
    os.environ.update({name: ONE_THREAD[name] for name in missing})
    try:
        yield
    finally:
        for name in missing:
            del os.environ[name]


def _cost(source: str) -> int:
    """Equations times gradients, of all losses: a check takes about in proportion."""
    try:
        path = Path(source)
        module = source.endswith(".py")
        spec = parse_spec(spec_text(path), path.stem) if module else load(spec_path(source))
    except SymgradError:  # which its check will say
        return 0
    return sum(len(loss.program.equations) * len(loss.wrt) for loss in spec.losses)


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
