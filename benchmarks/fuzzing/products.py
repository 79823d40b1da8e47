"""Products with the Hessian: both sweeps and their modules, against autograd twice and 60 digits.

u . H v = (f(x+hu+hv) - f(x+hu-hv) - f(x-hu+hv) + f(x-hu-hv))/4h^2
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.fuzzing.agreement import FLOOR, TOLERANCE, Subject, Tally, moderate, subjects
from benchmarks.fuzzing.running import called, made, takes_reals
from benchmarks.fuzzing.translation import Translation
from benchmarks.fuzzing.writer import Case
from symgrad.algebra.derive import Derived
from symgrad.algebra.heads import split_heads
from symgrad.algebra.second import forward_over_reverse, reverse_over_reverse
from symgrad.api import as_spec
from symgrad.pipeline import generate
from symgrad.verify.arithmetic import FLOAT64, Numbers
from symgrad.verify.differences import rademacher
from symgrad.verify.evaluate import Result
from symgrad.verify.nearby import Point

ORDERS = {
    "forward over reverse": forward_over_reverse,
    "reverse over reverse": reverse_over_reverse,
}


def second_order(case: Case, tally: Tally, numbers: Numbers = FLOAT64) -> None:
    """H v by both sweeps, evaluated and emitted, against autograd and mixed differences."""
    for subject in subjects(case, tally, numbers):
        loss = subject.loss
        rng = np.random.default_rng(7)
        v = {
            x: rng.normal(0, 0.7, np.shape(subject.values[x])).astype(np.float32).astype(float)
            for x in loss.wrt
        }
        along = {f"v_{x}": by for x, by in v.items()}  # no drawn tensor has such a name
        translated = Translation(loss.program, subject.sizes, subject.values)
        expected = translated.hessian_vector(loss.value, loss.wrt, v)
        moderate([translated.value(loss.value), *expected.values()])
        turned = rademacher({x: np.shape(a) for x, a in v.items()}, rng)
        point = subject.point()
        mixed, bound = _mixed_difference(point, v, turned), FLOOR * max(1.0, point.scale)
        for order, sweep in ORDERS.items():
            hv = sweep(split_heads(loss.program), loss.value, loss.wrt)
            names = {x: hv.result[x] for x in loss.wrt}
            moved = replace(subject, values={**subject.values, **along})
            naive = moved.evaluated(hv.program, *dict.fromkeys(names.values()))
            for x, name in names.items():
                what, scale = f"{order}: (Hv)_{x}", naive.magnitudes[name]
                tally.same("autograd, twice", what, naive.values[name], expected[x], scale)
            dotted = sum(np.sum(naive.values[names[x]] * turned[x]) for x in loss.wrt)
            scale = sum(np.sum(naive.magnitudes[names[x]]) for x in loss.wrt)
            what = f"{order}: u . Hv"
            tally.same("60 digits, twice", what, dotted, mixed, scale, bound)
            _emitted_agrees(moved, order, hv, naive)


def _mixed_difference(point: Point, v: Mapping[str, Any], u: Mapping[str, Any]) -> Any:
    """u . H v from the loss alone: (f(u+v) - f(u-v) - f(v-u) + f(-u-v))/4h^2, branches held."""
    h = point.numbers.ratio(1, 10**15)[()]  # right to h**2, and to 1e-60/h**2
    both = {x: u[x] + v[x] for x in v}
    apart = {x: u[x] - v[x] for x in v}
    moves = [(both, h), (both, -h), (apart, h), (apart, -h)]
    pp, mm, pm, mp = (near.loss for near in point.probes(moves, held=True))
    return (pp + mm - pm - mp) / (4 * h**2)


def _emitted_agrees(subject: Subject, order: str, hv: Derived, naive: Result) -> None:
    """The product's own module, in both precisions."""
    outputs = tuple(dict.fromkeys(hv.result.values()))
    spec = as_spec(replace(hv.program, outputs=outputs), "product")
    module = made(generate(spec))
    for dtype in TOLERANCE:
        own = dtype if takes_reals(module.forward, spec) else np.float64
        for came in called(module, "forward", spec, subject.values, subject.sizes, dtype):
            parts = came if len(outputs) > 1 else (came,)
            for name, part in zip(outputs, parts, strict=True):
                what = f"{order}: the module's {name}"
                subject.tally.same(
                    "the evaluator, twice",
                    what,
                    part,
                    naive.values[name],
                    naive.magnitudes[name],
                    dtype=own,
                )
