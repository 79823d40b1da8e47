"""Inputs from which kinks are looked for: multiples of 1/8, whose products add up exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symgrad.algebra.program import Program, Tensor
from symgrad.verify.selections import Values

GRID = 8


def reals(program: Program) -> list[Tensor]:
    """The real inputs."""
    return [t for t in program.tensors if t.role != "computed" and t.kind == "real"]


def rounded(program: Program, wrt: Sequence[str], values: Values) -> Values:
    """Parameters as multiples of 1/8, data as powers of 2, none of them 0."""
    found = dict(values)
    for tensor in reals(program):
        sign = np.where(values[tensor.name] < 0, -1.0, 1.0)
        size = np.maximum(np.abs(values[tensor.name]), 1 / GRID)
        if tensor.role == "data":
            size = np.exp2(np.clip(np.round(np.log2(size)), -2, 1))
        size = np.round(size * GRID) / GRID
        found[tensor.name] = np.asarray(sign * size)
    return found


def copied(program: Program, wrt: Sequence[str], values: Values) -> Values:
    """The same, and what is held equals what is learned: an old policy is the policy, ratio 1."""
    found = dict(rounded(program, wrt, values))
    learned = [t for t in reals(program) if t.name in wrt]
    for tensor in reals(program):
        same = [t for t in learned if t.shape == tensor.shape]
        if tensor.role == "param" and tensor.name not in wrt and same:
            ending = [t for t in same if t.name.split("_")[-1] == tensor.name.split("_")[-1]]
            found[tensor.name] = found[(ending or same)[0].name].copy()
    return found


def zeroed(program: Program, wrt: Sequence[str], values: Values) -> Values:
    """The same, and half the rows of data and what is learned and short 0: tanh(0) = 0 is exact."""
    found = dict(copied(program, wrt, values))
    for tensor in reals(program):
        if tensor.name in wrt and len(tensor.shape) == 1:
            found[tensor.name] = np.zeros_like(found[tensor.name])
        if tensor.role == "data" and len(tensor.shape) > 1:
            found[tensor.name][: (len(found[tensor.name]) + 1) // 2] = 0.0
    return found


def traded(program: Program, wrt: Sequence[str], values: Values) -> Values:
    """The same, and parameters that are held trade places: a minimum takes the other critic."""
    before = zeroed(program, wrt, values)
    held = [t for t in reals(program) if t.role == "param" and t.name not in wrt]
    alike = {tensor.name: [t.name for t in held if t.shape == tensor.shape] for tensor in held}
    after = {name: some[some.index(name) - 1] for name, some in alike.items()}
    return {**before, **{name: before[other] for name, other in after.items()}}


def blank(program: Program, wrt: Sequence[str], values: Values) -> Values:
    """Rounded, and all samples 0: a variance is 0, whatever rounds, and so is the sum of a mask."""
    found = rounded(program, wrt, values)
    samples = [t.name for t in program.tensors if t.role == "data" and t.shape]
    return {**found, **{name: np.zeros_like(found[name]) for name in samples}}


STARTS = (rounded, copied, zeroed, traded, blank)


def starts(program: Program, wrt: Sequence[str], values: Values) -> list[Values]:
    """All that differ: where nothing is held, nothing is copied."""
    found: list[Values] = []
    for start in STARTS:
        one = start(program, wrt, values)
        if not any(all(np.array_equal(one[n], other[n]) for n in one) for other in found):
            found.append(one)
    return found
