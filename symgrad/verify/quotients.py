"""Difference quotients of a function along a line, for steps from large to small.

    central (f(h) - f(-h)) / 2h,  left (f(0) - f(-h)) / h,  right (f(h) - f(0)) / h

extrapolated to h = 0 (Richardson), each with what it may be off by: what has not converged, which
is estimated, and rounding, which is known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from symgrad.verify.rounding import Line, Noise

RATIO = 1.9  # of steps; not 2: where h is a multiple of a period, so are h/2 and h/4
COLUMNS = 6  # how many steps an extrapolation uses
FIRST = 0.137  # the largest step
LAST = 1.5e-10  # the smallest, unless smaller ones may tell more
LEAST = 1e-14  # from here on x itself is rounded away
WIDER = 4  # how many steps more there are above the first where rounding is large
NOISY = 1e-12  # of f's value: rounding that is large
GOOD = 1e-9  # a bound below this part of the slopes' size needs no smaller steps
LOOSE = 1e-3  # one above this part did not converge, and its estimate is no bound either
UNSURE = 30  # so many times an estimate that did not converge
HIDDEN = 5  # so many times its rounding a slope is off at most where rounding hides that it is
MEASURED = 2  # rounding is measured from a few points: to about this factor
JUMP = 1e-6  # one-sided slopes that differ by less of their size are no kink
FLAT = 1e-6  # of f's value, over a step: slopes below it are 0
ANEW = 4  # so many steps further on, most of an extrapolation's sources are others
BESIDE = 2  # so many further on, its rounding is about the same


@dataclass(frozen=True)
class Estimate:
    """A slope, how far it is from converging, and how far rounding moves it."""

    value: float = math.nan
    off: float = math.inf
    rounding: float = math.inf

    @property
    def bound(self) -> float:
        return self.off + HIDDEN * self.rounding

    def judged(self, size: float) -> float:
        """The bound. An estimate of what did not converge is itself a guess."""
        loose = self.off > LOOSE * max(abs(self.value), size)
        return HIDDEN * self.rounding + (UNSURE if loose else 1) * self.off

    def vouched(self, other: Estimate) -> float:
        """How far this one may be off if the other is right: what is between, and its own doubt."""
        return abs(self.value - other.value) + other.off + MEASURED * other.rounding

    def beyond(self, other: Estimate) -> float:
        """How much farther two are apart than their bounds allow."""
        return abs(self.value - other.value) - self.bound - other.bound


@dataclass(frozen=True)
class Slopes:
    """What the steps down to one of them say of the central and the one-sided slopes."""

    central: Estimate
    left: Estimate
    right: Estimate

    @property
    def smooth(self) -> bool:
        """Whether the sides agree as far as their bounds tell; not where one of them is unknown."""
        size = max(abs(self.left.value), abs(self.right.value))
        return self.left.beyond(self.right) <= JUMP * size

    @property
    def sides(self) -> tuple[Estimate, Estimate]:
        """One slope, or two at a kink. A jump that is no kink may be one that is too small."""
        if not self.smooth:
            return self.left, self.right
        beyond = max(0.0, self.left.beyond(self.right))
        one = replace(self.central, off=self.central.off + beyond)
        return one, one

    def bound(self, size: float) -> float:
        """A central slope that the sides do not tell may have stepped over what is at x."""
        apart = 0.0
        if self.smooth and not self.told(size):
            hidden = HIDDEN * (self.left.rounding + self.right.rounding)
            apart = max(0.0, abs(self.left.value - self.right.value) - hidden)
        return max(side.judged(size) for side in self.sides) + apart

    def told(self, size: float) -> bool:
        """Whether the one-sided slopes converge as well."""
        sides = (self.left, self.right)
        least = LOOSE * max(size, *(abs(side.value) for side in sides))
        return max(side.off for side in sides) <= least

    def vouched(self, other: Slopes) -> float:
        """How far the slopes of this one may be off if those of the other are right."""
        return max(a.vouched(b) for a, b in zip(self.sides, other.sides, strict=True))

    def denies(self, other: Slopes) -> bool:
        """Whether both cannot be right. A central slope says nothing of the sides of a kink."""
        mine = self.sides if other.smooth else (self.left, self.right)
        return any(a.beyond(b) > 0 for a, b in zip(mine, other.sides, strict=True))


def slopes_by_steps(
    line: Line, value: float, noise: Noise, unit: float, size: float
) -> tuple[Slopes, float] | None:
    """The slopes at t = 0 and their bound; None where no step has a value.

    Smaller steps see a kink that is nearer, and waves that are shorter: so the closest bound counts
    that no smaller step denies. An estimate may be small by chance: it is no closer than the next
    ones vouch for, as far as they can tell themselves. The smallest steps alone may be the only
    ones that are small enough, unless rounding is large. Steps below the usual smallest are taken
    where that one denies the closest: f is another function there.
    """
    noisy = noise.here > NOISY * abs(value)
    found: list[Slopes] = []
    closest, least = Slopes(Estimate(), Estimate(), Estimate()), FLAT * abs(value) / unit
    for h, slopes in _ladder(line, value, noise, unit, noisy):
        found.append(slopes)
        settled = len(found) > ANEW and _settled(found[-1 - ANEW], slopes, size)
        if settled and slopes.told(least):
            break
        closest = min(closest, slopes, key=lambda s: s.central.bound)
        if h < LAST * unit and _told_all(closest, slopes, HIDDEN * noise.of(value) / h):
            break
    known = [s for s in found if all(math.isfinite(side.bound) for side in s.sides)]
    kept = [k for k, s in enumerate(known) if not any(u.denies(s) for u in known[k + 1 :])]
    alone = len(known) if noisy else len(known) - BESIDE
    bounds = {k: max(known[k].bound(size), _doubt(known, k) if k < alone else 0.0) for k in kept}
    if not bounds:
        return None
    best = min(bounds, key=bounds.__getitem__)
    return known[best], bounds[best]


def _settled(before: Slopes, now: Slopes, size: float) -> bool:
    """Two extrapolations that agree, without a jump, closely enough."""
    good = min(before.bound(size), now.bound(size)) <= GOOD * max(abs(now.central.value), size)
    return before.smooth and now.smooth and good and not now.denies(before)


def _told_all(closest: Slopes, now: Slopes, rounding: float) -> bool:
    """Whether smaller steps tell no more: the closest is a kink, or smaller ones are all rounding
    and do not deny it."""
    kink = not closest.smooth and math.isfinite(closest.central.bound)
    apart = abs(now.central.value - closest.central.value)
    return kink or (closest.central.bound < rounding and not apart > 2 * rounding)


def _doubt(known: Sequence[Slopes], k: int) -> float:
    """How far one may be off by what that neighbour says which says more."""
    around = [j for j in (k - BESIDE, k + BESIDE) if 0 <= j < len(known)]
    return min((known[k].vouched(known[j]) for j in around), default=math.inf)


def _ladder(
    line: Line, value: float, noise: Noise, unit: float, noisy: bool
) -> Iterator[tuple[float, Slopes]]:
    """Each step, and what it and those before it say."""
    ladders = (_Ladder(RATIO**2), _Ladder(RATIO), _Ladder(RATIO))
    floor, here = 1e-12 * abs(value) / unit, noise.of(value)
    h = FIRST * unit * RATIO ** (WIDER if noisy else 0)
    while h > LEAST * unit:
        before, after = line(-h).real, line(h).real
        off = noise.of(before), noise.of(after)
        quotients = (
            ((after - before) / (2 * h), (off[0] + off[1]) / (2 * h)),
            ((value - before) / h, (here + off[0]) / h),
            ((after - value) / h, (here + off[1]) / h),
        )
        steps = zip(ladders, quotients, strict=True)
        yield h, Slopes(*(ladder.extended(quotient, floor) for ladder, quotient in steps))
        h /= RATIO


class _Ladder:
    """Richardson's table of quotients whose error falls by `power`, power**2, ... at each step."""

    def __init__(self, power: float) -> None:
        self.power = power
        self.above: list[tuple[float, float]] = []

    def extended(self, quotient: tuple[float, float], floor: float) -> Estimate:
        """The best entry of the next row.

        An entry differs from its two sources by what they are off and by rounding. Ten times the
        one, the estimate of Ridders (1982), missed none of 2,000 points; the other is known, and
        where it hides the first, both are at most HIDDEN times as large.
        """
        best, row = Estimate(), [quotient]
        for column, (before, its) in enumerate(self.above[: COLUMNS - 1]):
            weight = self.power ** (column + 1)
            value, own = row[column]
            entry = (value * weight - before) / (weight - 1)
            rounding = (own * weight + its) / (weight - 1)
            row.append((entry, rounding))
            apart = max(abs(entry - value), abs(entry - before)) - rounding - max(own, its)
            off = 10 * max(0.0, apart) + floor + 1e-12 * abs(entry)
            found = Estimate(entry, off, rounding)
            if found.bound < best.bound:
                best = found
        self.above = row
        return best
