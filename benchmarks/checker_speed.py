"""How long checking takes: `python -m benchmarks.checker_speed`.

Every built-in spec, as `symgrad check --all` does it; a spec of 100,000 parameters; and the
gradient of its module as a black box, along 8 directions. Processor time is that of all processes.
Above a limit, on two cores with nothing else to do, it ends with 1.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from types import ModuleType

import numpy as np
from rich.console import Console
from rich.table import Table

import symgrad as sg
from symgrad import several
from symgrad.verify.report import counts
from symgrad.verify.verdict import Report, worst_of

WIDE = """
[sizes]
B = "batch"
[data]
obs = "real[B, 17]"
ret = "real[B]"
[networks.v]
input = "obs"
layers = ["dense 283 tanh", "dense 333 tanh", "dense 1"]
[losses.fit]
wrt = ["v"]
equations = "loss = mean(b: (v[b,0] - ret[b])**2)"
"""
PARAMETERS = 100_000
DIRECTIONS = 8
BATCH = 32


def built_in() -> Sequence[Report]:
    return several.reports(several.computing(), seed=0)


def wide_spec() -> Sequence[Report]:
    return [sg.check(sg.parse(WIDE, "wide"))]


def black_box() -> Sequence[Report]:
    """The value and gradient of a module, of which nothing but its calls is known."""
    module, rng = ModuleType("wide"), np.random.default_rng(0)
    exec(sg.generate(sg.parse(WIDE, "wide")), module.__dict__)
    data = {"obs": rng.normal(size=(BATCH, 17)), "ret": rng.normal(size=BATCH)}
    flat = module.init(rng).flat
    if flat.size != PARAMETERS:
        raise ValueError(f"{flat.size} parameters, expected {PARAMETERS}")

    def value_and_grad(flat: object) -> tuple[float, object]:
        value, grads = module.value_and_grad(module.Params(flat), **data)
        return value, grads.flat

    return [sg.check_gradient(value_and_grad, True, flat, directions=DIRECTIONS)]


ROWS: tuple[tuple[str, Callable[[], Sequence[Report]], float], ...] = (
    ("all built-in specs", built_in, 60.0),
    (f"a spec of {PARAMETERS:,} parameters", wide_spec, 10.0),
    (f"check_gradient of {PARAMETERS:,} parameters", black_box, 10.0),
)
"""What is timed, and its limit in seconds."""


def processor() -> float:
    """Seconds of processor time so far, of this process and of those that it waited for."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def main() -> None:
    out = Table(title=f"Checking, on {os.cpu_count()} cores", title_justify="left")
    out.add_column("what")
    out.add_column("verdict")
    for title in ("reports", "entries", "directions", "seconds", "limit", "processor seconds"):
        out.add_column(title, justify="right")
    over = False
    for what, run, limit in ROWS:
        start, before = time.perf_counter(), processor()
        reports = run()
        taken, used = time.perf_counter() - start, processor() - before
        _, entries, directions, _ = map(sum, zip(*map(counts, reports), strict=True))
        over |= taken > limit
        figures = (len(reports), entries, directions, f"{taken:.1f}", f"{limit:g}", f"{used:.1f}")
        out.add_row(what, worst_of(r.verdict for r in reports), *map(str, figures))
    Console(width=120).print(out)
    sys.exit(over)


if __name__ == "__main__":
    main()
