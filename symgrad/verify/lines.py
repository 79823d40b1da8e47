"""The slopes of a black box along lines through x, in steps of 1 or of the size of x."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from symgrad.verify.arithmetic import Array
from symgrad.verify.blackbox import BlackSlope, black_slope, complex_step
from symgrad.verify.differences import rademacher
from symgrad.verify.function import Arrays, Function, single_precision
from symgrad.verify.rounding import EPS, Line, Noise, noise_of
from symgrad.verify.verdict import LOOSEST

EPS32 = 2.0**-23
PART = 0.01  # of a step
NEARER = 1e-3  # steps so much smaller see something else


@dataclass(frozen=True)
class Point:
    """A function at x, and its value there. noises: see `noise`, by `near`."""

    function: Function
    value: float
    seed: int
    noises: dict[bool, Noise] = field(default_factory=dict)

    def line(self, by: Arrays) -> Line:
        """f(x + t*by)."""
        base = self.function.arrays

        def at(t: complex) -> complex:
            step = t if t.imag else t.real
            return self.function.value({**base, **{n: base[n] + step * to for n, to in by.items()}})

        return at

    def noise(self, near: bool) -> Noise:
        """How far rounding moves f, along directions of all arrays together; found once."""
        if near not in self.noises:
            self.noises[near] = self._noise(near)
        return self.noises[near]

    def _noise(self, near: bool) -> Noise:
        rng = np.random.default_rng([self.seed, 2])
        base = self.function.arrays
        signs = rademacher({name: array.shape for name, array in base.items()}, rng)
        at = self.line({name: signs[name] * _reach(array, near) for name, array in base.items()})
        values = np.array([self.value, *(at(t).real for t in (-0.137, 0.137, 0.3))])
        part = EPS32 if single_precision(values) else EPS
        return Noise(max(part * abs(self.value), noise_of(at, self.value, 1.0)), part)


@dataclass(frozen=True)
class Lines:
    """Those along which one array moves.

    near:  whether in the lesser of a step of 1 and one of the size of x, or in the greater.
    found: of each slope its size, and how many entries moved.
    """

    point: Point
    name: str
    near: bool = False
    found: list[tuple[float, int]] = field(default_factory=lambda: [(0.0, 1)])

    @cached_property
    def array(self) -> Array:
        return self.point.function.arrays[self.name]

    @cached_property
    def signs(self) -> Array:
        rng = np.random.default_rng([self.point.seed, 1])
        return rademacher({self.name: self.array.shape}, rng)[self.name]

    def unit(self, by: Array) -> float:
        """The scale of what moves."""
        moved = np.abs(self.array[by != 0])
        moved = moved[moved != 0] if self.near else moved
        middle = float(np.median(moved)) if moved.size else 1.0
        return min(1.0, middle) if self.near else max(1.0, middle)

    def line(self, by: Array) -> Line:
        return self.point.line({self.name: by})

    @cached_property
    def across(self) -> Line:
        """Along all entries, each as far as it may be moved."""
        return self.line(self.signs * _reach(self.array, self.near))

    @cached_property
    def noise(self) -> Noise:
        of_all = self.point.noise(self.near)
        return replace(of_all, here=max(of_all.here, noise_of(self.across, self.point.value, 1.0)))

    @cached_property
    def analytic(self) -> bool:
        """Whether f takes complex steps: found once."""
        tried = complex_step(self.across, self.point.value, self.noise.here, 1.0)
        return tried is not None and tried.bound <= 1e-6 * max(abs(tried.value), self.span)

    @cached_property
    def span(self) -> float:
        """How much f changes over a step: what a gradient of 0 is small against."""
        by = np.ones(self.array.shape)
        unit, value = self.unit(by), self.point.value
        line, changes = self.line(by), []
        for step in (unit, PART * unit):
            moved = [abs(line(t).real - value) / step for t in (-step, step)]
            changes.append(max((m for m in moved if math.isfinite(m)), default=0.0))
        return max(PART * abs(value) / unit, min(changes))

    @property
    def size(self) -> float:
        """How large the slopes of entries are, as far as they were found in these steps."""
        return max(slope / math.sqrt(count) for slope, count in self.found)

    def slope(self, by: Array) -> BlackSlope:
        """Noise is measured anew, for what shows along this line alone: of log(1 - p), p near 1."""
        line, unit, value = self.line(by), self.unit(by), self.point.value
        own = replace(self.noise, here=max(self.noise.here, noise_of(line, value, unit)))
        one = max(PART * abs(value) / unit, self.span / math.sqrt(self.array.size))
        found = black_slope(line, value, own, unit, self.size, one, self.analytic)
        if math.isfinite(found.bound):
            self.found.append((abs(found.value), int(np.count_nonzero(by))))
        return found

    def told(self, slope: BlackSlope) -> bool:
        """Whether a slope is known, and no kink."""
        return slope.sides is None and slope.bound <= LOOSEST * max(abs(slope.value), self.size)


def slopes(wide: Lines, steps: Sequence[Array]) -> list[BlackSlope]:
    """Each along its own line, in nearer steps where wide ones do not tell, or meet a kink.

    How large slopes are is told by those found, never by the gradient under check: the first along
    a direction of all entries.
    """
    near, found = replace(wide, near=True, found=[(0.0, 1)]), []
    for by in (wide.signs, *steps):
        slope = wide.slope(by)
        if near.unit(by) < NEARER * wide.unit(by) and not wide.told(slope):
            closer = near.slope(by)
            slope = closer if near.told(closer) or closer.bound < slope.bound else slope
        found.append(slope)
    return found[1:]


def _reach(array: Array, near: bool) -> Array:
    """How far entries are moved: by 1, or by their size."""
    size = np.abs(array)
    return np.where(size == 0, 1.0, np.minimum(1.0, size) if near else np.maximum(1.0, size))
