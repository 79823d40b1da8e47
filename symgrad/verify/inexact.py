"""Two number systems that tell whether a gap is 0 for every honest evaluation, or for one only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symgrad.verify.arithmetic import Array, Digits, Float64

ULPS = 4.0
MIX = tuple(np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
"""Steele, Lea, Flood 2014: SplitMix64."""


@dataclass(frozen=True)
class Doubles(Digits):
    """60 digits, in which a constant is the double that emitted code holds: 1.2, not 6/5."""

    def ratio(self, p: int, q: int) -> Array:
        return self.array(p / q)


@dataclass(frozen=True)
class Noisy(Float64):
    """float64 in which every inexact function is off by some ulps, as it were at random.

    What it is off by follows from the number, its place and the seed: a recurrence that is found by
    going over it until nothing changes comes to rest. A round number is taken to be exact, and so
    is a quotient by a power of 2.
    """

    seed: int = 0

    def off(self, x: Array) -> Array:
        x = np.ascontiguousarray(x, dtype=np.float64).reshape(np.shape(x))
        place = np.arange(1, x.size + 1, dtype=np.uint64).reshape(x.shape)
        with np.errstate(all="ignore"):
            mixed = (x.view(np.uint64) ^ place * MIX[0] ^ np.uint64(self.seed + 1) * MIX[1]) * MIX[
                2
            ]
            mixed = (mixed ^ mixed >> np.uint64(32)) * MIX[0]
            noise = (mixed >> np.uint64(11)) * 2.0**-52 - 1
            exact = np.mod(x * 2.0**20, 1.0) == 0
            return np.where(exact, x, x * (1 + noise * ULPS * self.unit))

    def elementary(self, name: str, x: Array) -> Array:
        return self.off(super().elementary(name, x))

    def divide(self, a: Array, b: Array) -> Array:
        quotient = super().divide(a, b)
        return np.where(np.abs(np.frexp(b)[0]) == 0.5, quotient, self.off(quotient))

    def power(self, x: Array, y: Array) -> Array:
        return self.off(super().power(x, y))


EXACT = Doubles(60)
