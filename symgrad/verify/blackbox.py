"""The slope of a function of which nothing is known but its values, along a line t -> f(x + t d).

Three oracles, each with a bound on how far it may be off:

    Ridders        (f(h) - f(-h)) / 2h for smaller and smaller h, extrapolated to h = 0
    one-sided      (f(h) - f(0)) / h and (f(0) - f(-h)) / h, extrapolated: where they differ, a kink
    complex step   Im f(ih) / h, exact where f is analytic, and worthless where it is not

np.abs drops the imaginary part, comparisons and maximum look at the real part alone, a cast drops
one: so analytic is never believed. A function is analytic on a disc exactly if on its edge it has
no negative Fourier frequencies; what is found of them bounds the error of the complex step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from symgrad.verify.quotients import GOOD, slopes_by_steps
from symgrad.verify.rounding import Line, Noise

RADII = (2.0**-4, 2.0**-9, 2.0**-14, 2.0**-20)
CORNERS = 16  # points on the edge of a disc
TINY = 1e-60  # the complex step
UNKNOWN = 0.1  # a bound above this part of what slopes are here denies nothing


@dataclass(frozen=True)
class BlackSlope:
    """A derivative along a line, and how far it may be off.

    sides:  the one-sided slopes, where the point is at a kink, or so near that no step is smaller.
    method: which oracle found it.
    """

    value: float
    bound: float
    sides: tuple[float, float] | None = None
    method: str = "Ridders"


def black_slope(
    line: Line, value: float, noise: Noise, unit: float, size: float, span: float, analytic: bool
) -> BlackSlope:
    """The slope at t = 0.

    value:    f(x); noise: how far rounding moves it.
    unit:     the scale of steps; size: how large other slopes are that were found.
    span:     how much f changes over a step: a slope unknown by that much is unknown.
    analytic: whether the complex step is worth a try.
    """
    steps = _by_steps(line, value, noise, unit, size)
    if steps.bound > UNKNOWN * max(abs(steps.value), size, span):
        return replace(steps, bound=math.inf)
    exact = complex_step(line, value, noise.here, unit) if analytic else None
    if exact is None or exact.bound > GOOD * max(abs(exact.value), size) or steps.sides is not None:
        return steps
    apart = abs(exact.value - steps.value)
    if apart > steps.bound + exact.bound:  # two oracles that deny each other decide nothing
        return replace(steps, bound=apart)
    return exact if apart <= steps.bound else steps


def _by_steps(line: Line, value: float, noise: Noise, unit: float, size: float) -> BlackSlope:
    found = slopes_by_steps(line, value, noise, unit, size)
    if found is None:
        return BlackSlope(math.nan, math.inf)
    slopes, bound = found
    left, right = (side.value for side in slopes.sides)
    return BlackSlope((left + right) / 2, bound, None if slopes.smooth else (left, right))


def complex_step(line: Line, value: float, noise: float, unit: float) -> BlackSlope | None:
    """Im f(ih)/h, and as its bound what non-analytic parts may make of it; None where it fails.

    On t = r e^(ia), f = sum over k of c_k e^(ika); c_k = 0 for k < 0 where f is analytic. A part
    such as np.abs has c_-1 as large as c_1, and its complex step is off by 2 c_-1 / r.
    """
    step = line(1j * TINY * unit)
    found = step.imag / (TINY * unit)
    if not math.isfinite(found) or abs(step.real - value) > 100 * noise:
        return None
    bounds = []
    for radius in RADII:
        around = radius * unit * np.exp(2j * np.pi * np.arange(CORNERS) / CORNERS)
        values = np.array([line(complex(t)) for t in around])
        if np.all(np.isfinite(values)):
            waves = np.fft.fft(values) / CORNERS
            wrong = max(float(np.abs(waves[CORNERS // 2 :]).max()), noise)
            apart = abs(found - waves[1] / (radius * unit))  # TINY may be lost on the way
            bounds.append(max(8 * wrong / (radius * unit), float(apart)))
            if bounds[-1] <= GOOD * abs(found):
                break
    if not bounds:
        return None
    return BlackSlope(found, min(bounds) + 1e-14 * abs(found), method="complex step")
