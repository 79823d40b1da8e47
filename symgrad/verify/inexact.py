"""Two number systems that tell whether a gap is 0 for every honest evaluation, or for one only."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from symgrad.verify.arithmetic import Array, Digits, Float64

ULPS = 4.0


@dataclass(frozen=True)
class Doubles(Digits):
    """60 digits, in which a constant is the double that emitted code holds: 1.2, not 6/5."""

    def ratio(self, p: int, q: int) -> Array:
        return self.array(p / q)


@dataclass(frozen=True)
class Noisy(Float64):
    """float64 in which every inexact function is off by some ulps, at random.

    A round number is taken to be exact, and so is a quotient by a power of 2.
    """

    seed: int = 0
    rng: list[np.random.Generator] = field(default_factory=list, compare=False)

    def off(self, x: Array) -> Array:
        if not self.rng:
            self.rng.append(np.random.default_rng(self.seed))
        noise = self.rng[0].uniform(-ULPS, ULPS, np.shape(x)) * self.unit
        with np.errstate(all="ignore"):
            return np.where(np.mod(x * 2.0**20, 1.0) == 0, x, x * (1 + noise))

    def elementary(self, name: str, x: Array) -> Array:
        return self.off(super().elementary(name, x))

    def divide(self, a: Array, b: Array) -> Array:
        quotient = super().divide(a, b)
        return np.where(np.abs(np.frexp(b)[0]) == 0.5, quotient, self.off(quotient))

    def power(self, x: Array, y: Array) -> Array:
        return self.off(super().power(x, y))


EXACT = Doubles(60)
