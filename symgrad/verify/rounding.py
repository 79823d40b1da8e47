"""How far rounding moves a function, measured: eighth differences of points near each other.

Of a smooth function they vanish; of noise of size 1, divided by sqrt(12870), they have size 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

ORDER = 8
NEAR = 13  # how many points
SPACING = tuple(1.37 * 2.0**-k for k in (44, 28, 21, 14, 7))
KINKED = 2.0**-20
"""From this spacing on, a side may well hold a kink."""
EPS = 2.0**-52

Line = Callable[[complex], complex]
"""f(x + t d) for real t and for complex; nan where f has no value."""


@dataclass(frozen=True)
class Noise:
    """How far rounding moves f: at x, and as a part of its value elsewhere."""

    here: float
    part: float = EPS

    def of(self, value: float) -> float:
        return max(self.here, self.part * abs(value))


def spread(values: Sequence[float]) -> float:
    """The size of what is noise in the values at equally spaced points."""
    eighth = np.diff(values, ORDER) / math.sqrt(math.comb(2 * ORDER, ORDER))
    return float(np.sqrt(np.mean(eighth**2)))


def noise_of(line: Line, value: float, unit: float) -> float:
    """Of f at t = 0, from points too near for anything else to show.

    Nothing moves at the smallest spacings in float32, or where rounding is in whole steps: the
    points have to give different values. On either side alone, where a kink at x is not between.
    """
    found = EPS * abs(value)
    for spacing in SPACING:
        sides, distinct = [], NEAR
        for sign in (-1, 1):
            values = [value, *(line(sign * k * spacing * unit).real for k in range(1, NEAR))]
            sides.append(spread(values))
            distinct = min(distinct, len(set(values)))
        noisier = max if spacing < KINKED else min  # by chance steps may lie on a line
        found = max(found, 2 * noisier(sides) if all(map(math.isfinite, sides)) else 0.0)
        if distinct == NEAR:
            break
    return found
