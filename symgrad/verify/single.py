"""The gradient of float32 arguments, against that of the same numbers in float64."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from symgrad.verify.arithmetic import Array
from symgrad.verify.function import Arrays, Function, Stopped
from symgrad.verify.verdict import Conduct

NEAR = 1e-4
"""How far it may be off, as a part of the largest entry, and beyond what rounding does to it."""
ROUGH = 1e-2
"""If f's own value is farther off, in float32 it is another function: other random numbers, say."""
ULP = 2.0**-23
BESIDE = (1, -1, 2, -2, 3, -3)
"""So many ulp beside x rounding is another, and a fault is the same."""


def in_single(function: Function, gradients: Mapping[str, Array | str]) -> Iterator[Conduct]:
    """A rule of conduct where an argument came in float32; its rounding is no fault."""
    if not any(leaf.given.dtype == np.float32 for leaf in function.leaves):
        return
    claim = f"float32 arguments give a gradient within {NEAR:g} of the float64 one"
    given = {leaf.name: leaf.given for leaf in function.leaves}
    value, there = function.value(function.arrays).real, function.value(given).real
    if not abs(there - value) <= ROUGH * max(abs(value), abs(there)):
        why = f"f itself is {there:.6g} there, and {value:.6g} in float64"
        yield Conduct(function.name, claim, "INCONCLUSIVE", why)
        return
    try:
        wrong = _wrong(function, given, gradients)
    except Stopped as stopped:
        yield Conduct(function.name, claim, stopped.verdict, stopped.reason)
        return
    yield Conduct(function.name, claim, "FAIL" if wrong else "PASS", wrong)


def _wrong(function: Function, given: Arrays, gradients: Mapping[str, Array | str]) -> str:
    came = function.gradients(given)
    wrong = ""
    for name, double in gradients.items():
        single = came[name]
        if isinstance(double, str) or isinstance(single, str):
            continue
        if single.shape != double.shape:
            return f"{name} has shape {single.shape}, in float64 {double.shape}"
        off = single - double
        far, size = (float(np.max(np.abs(a), initial=0.0)) for a in (off, double))
        if not far <= NEAR * size and not far <= _rounding(function, given, name, off):
            wrong = f"{name} is off by {far:.1e}, and its largest entry is {size:.1e}"
    return wrong


def _rounding(function: Function, given: Arrays, name: str, off: Array) -> float:
    """How much what the gradient is off by changes from one point to those beside it."""
    points = [{n: _moved(array, steps) for n, array in given.items()} for steps in BESIDE]
    wide = [{n: array.astype(np.float64) for n, array in point.items()} for point in points]
    single = [function.gradients(point)[name] for point in points]
    double = [function.gradients(point)[name] for point in wide]
    changes = [
        float(np.max(np.abs(s - d - off), initial=0.0))
        for s, d in zip(single, double, strict=True)
        if not isinstance(s, str) and not isinstance(d, str)
    ]
    return 2 * max(changes, default=0.0)


def _moved(array: Array, steps: int) -> Array:
    if array.dtype != np.float32:
        return array
    return (array * np.float32(1 + steps * ULP)).astype(np.float32)
