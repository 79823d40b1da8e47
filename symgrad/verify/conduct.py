"""The rules that code under check keeps beside its numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symgrad.verify.arithmetic import Array
from symgrad.verify.cases import Case
from symgrad.verify.compare import fallback_scales
from symgrad.verify.subject import Answer
from symgrad.verify.verdict import Conduct

SINGLE = 1e-4
"""How far float32 numbers may be from float64 ones, as a part of S: loose, for any depth."""

RUNS = "it runs"


def conduct_of(case: Case, answer: Answer) -> list[Conduct]:
    """What the runner saw, and whether a workspace or float32 changes the numbers."""
    label = case.target.label
    if answer.error:
        return [Conduct(label, f"{RUNS} ({case.where})", "FAIL", answer.error)]
    found = dict(answer.conduct)
    if answer.again is not None:
        found["a workspace changes no number"] = apart(answer, *answer.again)
    if answer.single and case.same_sides:
        found[f"float32 is within {SINGLE:g} of float64"] = _rough(case, answer)
    return [
        Conduct(label, claim, "FAIL" if broken else "PASS", broken)
        for claim, broken in found.items()
    ]


def apart(answer: Answer, value: float, arrays: Mapping[str, Array]) -> str:
    """What differs with a workspace by more than rounding of a block's largest entry."""
    pairs = {"the value": (np.asarray(answer.value), np.asarray(value))}
    for name, array in {**answer.outputs, **answer.gradients}.items():
        what = f"the gradient by {name}" if name in answer.gradients else name
        pairs[what] = array, arrays.get(name, np.asarray(np.nan))
    for what, (first, second) in pairs.items():
        if first.shape != second.shape or not np.allclose(
            second,
            first,
            rtol=0,
            atol=1e-13 * float(np.abs(first[np.isfinite(first)]).max(initial=0.0)),
            equal_nan=True,
        ):
            return f"{what} differs"
    return ""


def _rough(case: Case, answer: Answer) -> str:
    """The first entry that float32 computes wrongly, measured by S: cancellation is not a fault."""
    scales = {**fallback_scales(answer.gradients, answer.value), **case.scales}
    scales |= {n: case.expected.magnitudes[n].astype(float) for n in answer.outputs}
    for name, double in {**answer.outputs, **answer.gradients}.items():
        single, what = answer.single[name], "the gradient by " * (name in answer.gradients) + name
        if single.shape != double.shape or scales[name].shape != double.shape:
            return f"{what} has shape {single.shape}, expected {double.shape}"
        with np.errstate(invalid="ignore"):
            far = ~(np.abs(single.astype(float) - double) <= SINGLE * scales[name])
        far &= np.isfinite(double) & (double.dtype.kind == "f")
        if far.any():
            at = tuple(int(i) for i in np.argwhere(far)[0])
            place = f"{what}{list(at)}" if at else what
            return f"{place} is {single[at]}, in float64 {double[at]}"
    return ""
