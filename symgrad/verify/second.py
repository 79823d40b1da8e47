"""Second differences: d'H v = (f(h(d+v)) + f(-h(d+v)) - f(h(d-v)) - f(-h(d-v)))/4h^2, f = L(x + .).

Stops and branches are held as they are at x: at a kink that is the declared convention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symgrad.verify.arithmetic import Digits
from symgrad.verify.differences import Slope, best, heights, unit_of
from symgrad.verify.nearby import Direction, Point


@dataclass(frozen=True)
class Curvature(Slope):
    """d'H v. size: of the second differences that it is a difference of."""

    size: float = 0.0


def second_slopes(point: Point, pairs: Sequence[tuple[Direction, Direction]]) -> list[Curvature]:
    """d'H v for each pair (d, v); all of them move the same tensors."""
    numbers = point.numbers
    if isinstance(numbers, Digits):
        h = numbers.ratio(1, 10 ** (numbers.digits // 4))[()]
        return [_exact(point, *q[0], h) for q in _quotients(point, pairs, [[h]] * len(pairs))]
    steps = []
    for d, v in pairs:
        unit = min(unit_of(_sum(d, v, 1)), unit_of(_sum(d, v, -1)))
        steps.append([height * unit for height in heights()])
    return [
        _extrapolated(point, found, sizes)
        for found, sizes in zip(_quotients(point, pairs, steps), steps, strict=True)
    ]


def _sum(d: Direction, v: Direction, sign: int) -> Direction:
    return {name: d[name] + sign * v[name] for name in d}


def _quotients(
    point: Point, pairs: Sequence[tuple[Direction, Direction]], steps: Sequence[Sequence[Any]]
) -> list[list[tuple[Any, Any]]]:
    """For each pair and each step, the second differences along d+v and along d-v, a quarter."""
    moves = [
        (_sum(d, v, sign), side * step)
        for (d, v), own in zip(pairs, steps, strict=True)
        for step in own
        for sign in (1, -1)
        for side in (1, -1)
    ]
    losses = iter([near.loss for near in point.probes(moves, held=True)])
    return [
        [
            (
                (next(losses) + next(losses) - 2 * point.value) / (4 * step**2),
                (next(losses) + next(losses) - 2 * point.value) / (4 * step**2),
            )
            for step in own
        ]
        for own in steps
    ]


def _exact(point: Point, plus: Any, minus: Any, h: Any) -> Curvature:
    """With h = 1e-15 of 60 digits, right to h**2 f''''/12 + 1e-60 f/h**2."""
    size = float(max(abs(plus), abs(minus), abs(point.value)))
    return Curvature(plus - minus, float(10**10 * h**2) * size, size=size)


def _extrapolated(
    point: Point, found: Sequence[tuple[Any, Any]], steps: Sequence[float]
) -> Curvature:
    rows = [
        (float(plus - minus), 2 * point.noise / step**2)
        for (plus, minus), step in zip(found, steps, strict=True)
    ]
    value, estimate = (float(x) for x in best(rows))
    size = float(max(*map(abs, found[0]), abs(point.value)))
    return Curvature(value, 10 * estimate + 1e-12 * max(abs(value), size), size=size)
