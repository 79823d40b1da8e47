"""Finite differences: (f(x + h d) - f(x - h d)) / 2h, with stop(...) held at the base point.

Kinks are known, not guessed: where a selection or an argmax goes another way at x - h, x and x + h,
the step is made smaller; where that does not help, x is at a kink. There the value is the slope of
the branch taken AT x, which is the declared convention (relu'(0) = 0, ties to the first argument),
and the one-sided slopes are reported beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symgrad.verify.arithmetic import Array, Digits
from symgrad.verify.nearby import Direction, Near, Point

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
    """The derivative along one direction."""
    return slopes(point, [direction])[0]


def slopes(point: Point, directions: Sequence[Direction]) -> list[Slope]:
    """The derivatives along directions of the same tensors, by the method that fits the numbers."""
    if isinstance(point.numbers, Digits):
        return exact_slopes(point, directions, point.numbers, point.numbers.digits // 3)
    return ridders(point, directions)


def exact_slopes(
    point: Point, directions: Sequence[Direction], numbers: Digits, digits: int
) -> list[Slope]:
    """Central differences with h = 1e-20 (of 60 digits): right to h**2 f'''/6 + 1e-60 f/h.

    The bound takes f''' to be at most 1e10 times as large as f, f' and f'' are. Where a branch
    changes within h, the step is made smaller, twice; where one still does, x is at a kink.
    """
    h = numbers.ratio(1, 10**digits)[()]
    near = _either_side(point, directions, h, held=False)
    found: dict[int, Slope] = {}
    for k, (left, right) in enumerate(near):
        if left.same_branches and right.same_branches:
            found[k] = _central(point, left, right, h)
    rest = [k for k in range(len(directions)) if k not in found]
    chosen = [directions[k] for k in rest]
    if rest and digits < numbers.digits // 3 + 8:
        finer = exact_slopes(point, chosen, numbers, digits + 4)
        found |= dict(zip(rest, finer, strict=True))
    elif rest:
        held = _either_side(point, chosen, h, held=True)
        for k, (left, right) in zip(rest, held, strict=True):
            smooth = _central(point, left, right, h)
            found[k] = replace(smooth, sides=_sides(point, near[k], h))
    return [found[k] for k in range(len(directions))]


def _either_side(
    point: Point, directions: Sequence[Direction], h: Any, *, held: bool
) -> list[tuple[Near, Near]]:
    """The loss at x - h d and at x + h d, for each direction d."""
    moves = [(direction, step) for direction in directions for step in (-h, h)]
    near = point.probes(moves, held=held)
    return list(zip(near[::2], near[1::2], strict=True))


def _central(point: Point, left: Near, right: Near, h: Any) -> Slope:
    value = (right.loss - left.loss) / (2 * h)
    bend = (right.loss - 2 * point.value + left.loss) / h**2
    size = max(abs(value), abs(bend), abs(point.value))
    return Slope(value, float(10**10 * h**2 * size))


def _sides(point: Point, near: tuple[Near, Near], h: Any) -> tuple[float, float]:
    """The one-sided slopes."""
    left, right = near
    return float((point.value - left.loss) / h), float((right.loss - point.value) / h)


def ridders(point: Point, directions: Sequence[Direction]) -> list[Slope]:
    """Ridders' extrapolation (1982) in float64, along the branches taken at x.

    Holding the branches changes nothing at x, and lets the steps be large where the loss has kinks
    nearby. The method's own estimate alone is too low at 9% of points: two entries can agree by
    chance. So an entry's estimate is never below its rounding, noise/h, and the bound is 10 times
    the estimate, and a floor of 1e-12 of the loss and the slope.
    """
    units, tall = [unit_of(direction) for direction in directions], heights()
    held = point.probes(_moves(directions, units, tall), held=True)
    near = point.probes(_moves(directions, units, [FINEST]), held=False)
    found = []
    for k, unit in enumerate(units):
        mine = held[2 * len(tall) * k : 2 * len(tall) * (k + 1)]
        triples = [
            (h * unit, float(left.loss), float(right.loss))
            for h, left, right in zip(tall, mine[::2], mine[1::2], strict=True)
        ]
        smooth = _extrapolated(point, triples)
        left, right = near[2 * k : 2 * k + 2]
        if not (left.same_branches and right.same_branches):
            smooth = replace(smooth, sides=_sides(point, (left, right), FINEST * unit))
        found.append(smooth)
    return found


def _moves(
    directions: Sequence[Direction], units: Sequence[float], heights: Sequence[float]
) -> list[tuple[Direction, float]]:
    """-h and +h for each height, along each direction."""
    return [
        (direction, sign * height * unit)
        for direction, unit in zip(directions, units, strict=True)
        for height in heights
        for sign in (-1, 1)
    ]


def heights() -> list[float]:
    """The steps of both tables, for a direction whose largest entry is 1."""
    return [first / 2**row for first in FIRST for row in range(COLUMNS)]


def unit_of(direction: Direction) -> float:
    """The step at which the entry that moves most moves by 1."""
    reach = max((float(np.max(np.abs(by), initial=0.0)) for by in direction.values()), default=0.0)
    return 1 / max(reach, 1e-300)


def _extrapolated(point: Point, triples: Sequence[tuple[float, float, float]]) -> Slope:
    """The better of the two tables, and its bound. triples: h, f(x - h d), f(x + h d)."""
    rows = [((right - left) / (2 * h), 2 * point.noise / h) for h, left, right in triples]
    value, estimate = (float(x) for x in best(rows))
    bound = 10 * estimate + 1e-12 * max(abs(value), abs(float(point.value)))
    return Slope(value, bound)


def best(rows: Sequence[tuple[Any, Any]]) -> tuple[Array, Array]:
    """The better of the two tables, entry by entry, and the estimate of its error.

    rows: at each of `heights()`, quotients whose error is even in h, and how far rounding moves
          them.
    """
    (first, error), (second, other) = (
        _table(rows[k : k + COLUMNS]) for k in range(0, len(rows), COLUMNS)
    )
    return np.where(other < error, second, first), np.minimum(error, other)


def _table(rows: Sequence[tuple[Any, Any]]) -> tuple[Array, Array]:
    """The best entries of one table, and the estimates of their errors."""
    value, estimate = np.asarray(np.nan), np.asarray(np.inf)
    above: list[Any] = []
    for quotient, rounding in rows:
        entries = [quotient]
        for column in range(len(above)):
            weight = 4.0 ** (column + 1)
            entries.append((entries[column] * weight - above[column]) / (weight - 1))
            error = np.maximum(abs(entries[-1] - entries[column]), abs(entries[-1] - above[column]))
            error = error + rounding
            value = np.where(error < estimate, entries[-1], value)
            estimate = np.where(error < estimate, error, estimate)
        above = entries
    return value, estimate


def entry_direction(name: str, shape: tuple[int, ...], index: tuple[int, ...]) -> Direction:
    """One entry of one tensor."""
    by = np.zeros(shape)
    by[index] = 1.0
    return {name: by}


def rademacher(shapes: Mapping[str, tuple[int, ...]], rng: np.random.Generator) -> Direction:
    """+1 or -1 at every entry: it sees the whole error of each, where a unit vector sees a part."""
    return {name: np.asarray(rng.choice([-1.0, 1.0], size=shape)) for name, shape in shapes.items()}
