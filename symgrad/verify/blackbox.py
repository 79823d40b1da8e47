"""The slope of a function of which nothing is known but its values, along a line t -> f(x + t d).

Three oracles, each with a bound on how far it may be off:

    Ridders        (f(h) - f(-h)) / 2h for h, h/2, h/4, ... extrapolated to h = 0
    one-sided      (f(h) - f(0)) / h and (f(0) - f(-h)) / h, extrapolated: where they differ, a kink
    complex step   Im f(ih) / h, exact where f is analytic, and worthless where it is not

np.abs drops the imaginary part, comparisons and maximum look at the real part alone, a cast drops
one: so analytic is never believed. A function is analytic on a disc exactly if on its edge it has
no negative Fourier frequencies; what is found of them bounds the error of the complex step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

Line = Callable[[complex], complex]
"""f(x + t d) for real t and for complex; nan where f has no value."""

COLUMNS = 6  # steps of a table: h, h/2, ..., h/32
FIRST = tuple(0.137 / 2.0 ** (5 * k) for k in range(6))  # no power of 2: periods are that too
GOOD = 1e-9  # a bound below this part of the slopes' size needs no smaller steps
LOOSE = 1e-3  # one above this part did not converge, and its estimate is no bound either
UNSURE = 30  # so many times a bound that did not converge
JUMP = 1e-6  # one-sided slopes that differ by less of their size are no kink
RADII = (2.0**-4, 2.0**-9, 2.0**-14, 2.0**-20)
CORNERS = 16  # points on the edge of a disc
TINY = 1e-60  # the complex step
SPACING = tuple(2.0**-k for k in (44, 28, 21))  # of the points that show noise
NEAR = 13  # how many such points
EPS = 2.0**-52


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


@dataclass(frozen=True)
class _Table:
    """What one sequence of steps says: (value, bound) of the central and the one-sided slopes."""

    central: tuple[float, float]
    left: tuple[float, float]
    right: tuple[float, float]

    @property
    def jump(self) -> float:
        return self.right[0] - self.left[0]

    @property
    def smooth(self) -> bool:
        """Whether the sides agree as far as their bounds tell; not where one of them is unknown."""
        size = max(abs(self.left[0]), abs(self.right[0]))
        return abs(self.jump) <= self.left[1] + self.right[1] + JUMP * size

    @property
    def value(self) -> tuple[float, float]:
        """The central slope; a jump that is no kink may be one that is too small to tell."""
        beyond = abs(self.jump) - self.left[1] - self.right[1]
        return self.central[0], self.central[1] + max(0.0, beyond)


def black_slope(
    line: Line, value: float, noise: float, unit: float, size: float, analytic: bool
) -> BlackSlope:
    """The slope at t = 0.

    value:    f(x); noise: how far rounding moves it.
    unit:     the scale of steps; size: how large slopes are here.
    analytic: whether the complex step is worth a try.
    """
    exact = complex_step(line, value, noise, unit) if analytic else None
    if exact is not None:
        table = _table(line, value, noise, FIRST[1] * unit)
        apart = abs(exact.value - table.value[0])
        good = exact.bound <= GOOD * max(abs(exact.value), size)
        if table.smooth and apart <= table.value[1] and good:
            return exact
    steps = _by_steps(line, value, noise, unit, size)
    if exact is None or steps.sides is not None or abs(exact.value - steps.value) > steps.bound:
        return steps
    return min(exact, steps, key=lambda slope: slope.bound)


def _by_steps(line: Line, value: float, noise: float, unit: float, size: float) -> BlackSlope:
    """From large steps to small: until two sequences agree, or to the last one."""
    tables: list[_Table] = []
    for first in FIRST:
        tables.append(_table(line, value, noise, first * unit))
        if len(tables) > 1 and _settled(tables[-2], tables[-1], size):
            break
    smooth = [t.value for t in tables if t.smooth and math.isfinite(t.central[1])]
    kinked = [t for t in tables if not t.smooth and math.isfinite(t.left[1] + t.right[1])]
    if smooth and not (kinked and _sharper(kinked[-1], min(b for _, b in smooth), size)):
        found, bound = min(smooth, key=lambda pair: pair[1])
        others = [abs(v - found) - b for v, b in smooth]  # an estimate that others contradict
        bound = max(bound, *others)
        return _judged(BlackSlope(found, bound), size)
    if kinked:
        best = min(kinked, key=lambda t: t.left[1] + t.right[1])
        (left, a), (right, b) = best.left, best.right
        return _judged(BlackSlope((left + right) / 2, max(a, b), (left, right)), size)
    return BlackSlope(math.nan, math.inf)


def _settled(before: _Table, now: _Table, size: float) -> bool:
    """Two sequences that agree, without a jump, closely enough."""
    (a, first), (b, second) = before.value, now.value
    near = abs(a - b) <= first + second
    good = min(first, second) <= GOOD * max(abs(b), size)
    return before.smooth and now.smooth and near and good


def _sharper(kinked: _Table, smooth: float, size: float) -> bool:
    """Whether the smallest steps see a kink, and no sequence is convinced that there is none."""
    wide = abs(kinked.jump) > LOOSE * max(abs(kinked.left[0]), abs(kinked.right[0]))
    return wide and smooth > LOOSE * size


def _judged(slope: BlackSlope, size: float) -> BlackSlope:
    """An estimate of what did not converge is itself a guess."""
    loose = slope.bound > LOOSE * max(abs(slope.value), size)
    return replace(slope, bound=UNSURE * slope.bound) if loose else slope


def _table(line: Line, value: float, noise: float, first: float) -> _Table:
    steps = [first / 2**k for k in range(COLUMNS)]
    ends = [(h, line(-h).real, line(h).real) for h in steps]
    floor = 1e-12 * abs(value)
    central = _extrapolated([((r - le) / (2 * h), noise / h) for h, le, r in ends], 4, floor)
    left = _extrapolated([((value - le) / h, 2 * noise / h) for h, le, _ in ends], 2, floor)
    right = _extrapolated([((r - value) / h, 2 * noise / h) for h, _, r in ends], 2, floor)
    return _Table(central, left, right)


def _extrapolated(
    quotients: Sequence[tuple[float, float]], power: int, floor: float
) -> tuple[float, float]:
    """Richardson's table of quotients whose error falls by `power`, power**2, ... at half a step.

    The estimate of an entry's error is how far it is from its two sources (Ridders, 1982), never
    below its rounding; the bound is 10 times that and a floor: it missed none of 2,000 points.
    """
    best, estimate = math.nan, math.inf
    above: list[float] = []
    for quotient, rounding in quotients:
        row = [quotient]
        for column in range(len(above)):
            weight = float(power) ** (column + 1)
            row.append((row[column] * weight - above[column]) / (weight - 1))
            error = max(abs(row[-1] - row[column]), abs(row[-1] - above[column])) + 2 * rounding
            if error < estimate:
                best, estimate = row[-1], error
        above = row
    return best, 10 * estimate + floor + 1e-12 * abs(best)


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
            waves = np.abs(np.fft.fft(values)) / CORNERS
            wrong = max(float(waves[CORNERS // 2 :].max()), noise)
            bounds.append(8 * wrong / (radius * unit))
            if bounds[-1] <= GOOD * abs(found):
                break
    if not bounds:
        return None
    return BlackSlope(found, min(bounds) + 1e-14 * abs(found), method="complex step")


def noise_of(line: Line, value: float, unit: float) -> float:
    """How far rounding moves f: eighth differences of points too near for anything else to show.

    In float32 nothing moves at all at the smallest spacings: so several are looked at, and on
    either side alone, where a kink at x is not between the points.
    """
    found = EPS * abs(value)
    for spacing in SPACING:
        sides = []
        for sign in (-1, 1):
            values = [value, *(line(sign * k * spacing * unit).real for k in range(1, NEAR))]
            eighth = np.diff(values, 8) / math.sqrt(math.comb(16, 8))  # of noise 1 it is 1
            sides.append(float(np.sqrt(np.mean(eighth**2))))
        found = max(found, 2 * min(sides) if all(map(math.isfinite, sides)) else 0.0)
    return found
