"""Finite differences: (f(x + h d) - f(x - h d)) / 2h, with stop(...) held at the base point.

Kinks are known, not guessed: where a selection or an argmax goes another way at x - h, x and x + h,
the step is made smaller; where that does not help, x is at a kink. There the value is the slope of
the branch taken AT x, which is the declared convention (relu'(0) = 0, ties to the first argument),
and the one-sided slopes are reported beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.verify.arithmetic import Digits
from symgrad.verify.nearby import Direction, Point

COLUMNS = 6  # of Ridders' table: steps h, h/2, h/4, ...
FIRST = (2.0**-3, 2.0**-7)  # where the table starts; the better of the two is kept
FINEST = 2.0**-34  # the step at which a float64 direction counts as being at a kink


@dataclass(frozen=True)
class Slope:
    """The derivative of a loss along a direction.

    value: the difference quotient, in the numbers of the evaluation.
    bound: how far it may be from the derivative.
    sides: the slopes from the left and from the right, where the point is at a kink.
    """

    value: Any
    bound: float
    sides: tuple[float, float] | None = None


def slope(point: Point, direction: Direction) -> Slope:
    """The derivative along a direction, by the method that fits the numbers."""
    if isinstance(point.numbers, Digits):
        return exact_slope(point, direction, point.numbers)
    return ridders(point, direction)


def exact_slope(point: Point, direction: Direction, numbers: Digits) -> Slope:
    """A central difference with h = 1e-20 (of 60 digits): right to h**2 f'''/6 + 1e-60 f/h.

    The bound takes f''' to be at most 1e10 times as large as f, f' and f'' are.
    """
    third = numbers.digits // 3
    for digits in (third, third + 4, third + 8):
        h = numbers.ratio(1, 10**digits)[()]
        left, right = point.moved(direction, -h), point.moved(direction, h)
        if point.same_branches(left) and point.same_branches(right):
            return _central(point, left.values[point.loss][()], right.values[point.loss][()], h)
    sides = (
        float((point.value - left.values[point.loss][()]) / h),
        float((right.values[point.loss][()] - point.value) / h),
    )
    held = _central(point, point.at(direction, -h, held=True), point.at(direction, h, held=True), h)
    return Slope(held.value, held.bound, sides)


def _central(point: Point, left: Any, right: Any, h: Any) -> Slope:
    value = (right - left) / (2 * h)
    bend = (right - 2 * point.value + left) / h**2
    size = max(abs(float(value)), abs(float(bend)), abs(float(point.value)))
    return Slope(value, 1e10 * float(h) ** 2 * size)


def ridders(point: Point, direction: Direction) -> Slope:
    """Ridders' extrapolation (1982) in float64, along the branches taken at x.

    Holding the branches changes nothing at x, and lets the steps be large where the loss has kinks
    nearby. The method's own estimate alone is too low at 9% of points: two entries can agree by
    chance. So an entry's estimate is never below its rounding, noise/h, and the bound is 10 times
    the estimate, and a floor of 1e-12 of the loss and the slope.
    """
    reach = max((float(np.max(np.abs(by), initial=0.0)) for by in direction.values()), default=0.0)
    steps = [first / 2**row / max(reach, 1e-300) for first in FIRST for row in range(COLUMNS)]
    losses = point.along(direction, [*(-h for h in steps), *steps])
    pairs = list(zip(steps, losses[: len(steps)], losses[len(steps) :], strict=True))
    tables = [_table(point.noise, pairs[k : k + COLUMNS]) for k in range(0, len(pairs), COLUMNS)]
    value, estimate = min(tables, key=lambda table: table[1])
    bound = 10 * estimate + 1e-12 * max(abs(value), abs(float(point.value)))
    return Slope(value, bound, _sides(point, direction, FINEST / max(reach, 1e-300)))


def _table(noise: float, pairs: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """The best entry of one table, and the estimate of its error. pairs: h, f(x-hd), f(x+hd)."""
    best, estimate = np.nan, np.inf
    above: list[float] = []
    for h, left, right in pairs:
        entries = [(right - left) / (2 * h)]
        for column in range(len(above)):
            weight = 4.0 ** (column + 1)
            entries.append((entries[column] * weight - above[column]) / (weight - 1))
            error = max(abs(entries[-1] - entries[column]), abs(entries[-1] - above[column]))
            error += 2 * noise / h
            if error < estimate:
                best, estimate = entries[-1], error
        above = entries
    return best, estimate


def _sides(point: Point, direction: Direction, h: float) -> tuple[float, float] | None:
    """The one-sided slopes, where a branch changes within the finest step."""
    left, right = point.moved(direction, -h), point.moved(direction, h)
    if point.same_branches(left) and point.same_branches(right):
        return None
    return (
        float(point.value - left.values[point.loss][()]) / h,
        float(right.values[point.loss][()] - point.value) / h,
    )


def entry_direction(name: str, shape: tuple[int, ...], index: tuple[int, ...]) -> Direction:
    """One entry of one tensor."""
    by = np.zeros(shape)
    by[index] = 1.0
    return {name: by}


def rademacher(shapes: Mapping[str, tuple[int, ...]], rng: np.random.Generator) -> Direction:
    """+1 or -1 at every entry: it sees the whole error of each, where a unit vector sees a part."""
    return {name: np.asarray(rng.choice([-1.0, 1.0], size=shape)) for name, shape in shapes.items()}
