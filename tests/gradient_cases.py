"""Gradients of emitted modules at given inputs, in float64 and float32, and what bounds their errors."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from programs import assert_agree, emitted_gradient, fresh_values, run

from symgrad.errors import ProgramError
from symgrad.pipeline import derive_stable
from symgrad.spec import Loss, Spec
from symgrad.verify.arithmetic import FLOAT64, Digits, Numbers
from symgrad.verify.differences import entry_direction, slope
from symgrad.verify.evaluate import evaluate
from symgrad.verify.nearby import Point

EXACT = Digits(60)
MORE = Digits(9_000)
"""1 - sigmoid(1e4) is 1e-4343: what 60 digits round to 0, these keep, and a difference of it."""
ENTRIES = 6  # of a tensor, compared with SymPy and with 60-digit differences


@cache
def tiny(spec: Spec) -> Mapping[str, int]:
    """Sizes of 2, or the next that make every range of the spec proper."""
    names = [n for n, _ in spec.sizes]
    for size in itertools.product((2, 3, 4, 1), repeat=len(names)):
        sizes = dict(zip(names, size, strict=True))
        try:
            for loss in spec.losses:
                values = fresh_values(loss.program, sizes)
                assert np.isfinite(run(loss.program, values, sizes, loss.value).values[loss.value])
        except (ProgramError, ValueError):
            continue
        return sizes
    raise AssertionError(f"{spec.name}: no tiny sizes; add a row to SIZES")


def chosen(name: str, shape: tuple[int, ...], most: int = ENTRIES) -> list[tuple[int, ...]]:
    """Every entry of a small tensor, seeded ones of a large one."""
    every = list(np.ndindex(shape))
    if len(every) <= most:
        return every
    rng = np.random.default_rng([7, *name.encode()])
    return [every[k] for k in sorted(rng.choice(len(every), most, replace=False))]


def in_single(values: Mapping[str, Any], dtype: Any = np.float64) -> dict[str, np.ndarray]:
    """Reals rounded to what float32 holds: both types can be given the same numbers."""
    return {
        n: np.asarray(v, np.float32).astype(dtype) if np.asarray(v).dtype.kind == "f" else v
        for n, v in values.items()
    }


def digits_for(loss: Loss, values: Mapping[str, Any], sizes: Mapping[str, int]) -> Digits:
    """60 digits, or as many as the loss as it is written needs to be finite."""
    found = evaluate(loss.program, values, sizes, EXACT, outputs=(loss.value,)).values[loss.value]
    return EXACT if np.isfinite(float(found[()])) else MORE


class Gradient:
    """The emitted module's gradient at some inputs, and S of each entry in the form it computes.

    numbers: what the naive evaluator computes the loss in.
    """

    def __init__(
        self,
        spec: Spec,
        loss: Loss,
        sizes: Mapping[str, int],
        values: Mapping[str, Any],
        numbers: Numbers = FLOAT64,
    ) -> None:
        self.spec, self.loss, self.sizes, self.values = spec, loss, sizes, values
        self.value, self.by = emitted_gradient(spec, loss, values, sizes)
        derived = derive_stable(loss).derived
        outputs = (loss.value, *derived.result.values())
        scales = run(derived.program, values, sizes, *outputs, numbers=EXACT).magnitudes
        self.scales = {x: scales[derived.result[x]] for x in loss.wrt}
        self.scale = scales[loss.value]
        naive = evaluate(loss.program, values, sizes, numbers, outputs=(loss.value,)).values
        assert_agree(f"{spec.name}: the loss", self.value, naive[loss.value], self.scale)

    def agrees_with(self, what: str, oracle: Mapping[str, Any]) -> None:
        for x in self.loss.wrt:
            assert_agree(f"{what}: d{x}", self.by[x], oracle[x], self.scales[x])

    def assert_exact(self, what: str, numbers: Digits = EXACT, most: int = ENTRIES) -> int:
        """float64 and float32 are near the exact differences; how many numbers were compared.

        At a kink the difference is the slope of the branch taken there, which is the convention.
        """
        given = in_single(self.values, np.float32)
        value, by = emitted_gradient(self.spec, self.loss, given, self.sizes, np.float32)
        point = Point(self.loss.program, self.loss.value, self.values, self.sizes, numbers)
        count = assert_agree(
            f"{what}, float32: the loss", value, point.value, self.scale, dtype=np.float32
        )
        for x in self.loss.wrt:
            for index in chosen(x, np.shape(self.by[x]), most):
                difference = slope(point, entry_direction(x, np.shape(self.by[x]), index))
                for came, dtype in ((self.by, np.float64), (by, np.float32)):
                    assert came[x].dtype == dtype
                    count += assert_agree(
                        f"{what}, {dtype.__name__}: d{x}{list(index)}",
                        came[x][index],
                        difference.value,
                        self.scales[x][index],
                        difference.bound,
                        dtype,
                    )
        return count
