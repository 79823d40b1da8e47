"""Gradients against finite differences, block by block; a block is one tensor."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from symgrad.verify.arithmetic import Array
from symgrad.verify.diagnose import diagnosis
from symgrad.verify.differences import Slope, entry_direction, rademacher, slopes
from symgrad.verify.nearby import Direction, Point
from symgrad.verify.verdict import LOOSEST, Block, Entry, block_of

EPS = 2.0**-52
CANCELLED = 1e-40
"""What 60 digits leave of contributions that cancel is less than this part of their size."""
NOTHING = 1e-30
"""A difference no greater than this, where the gradient is 0, is rounding divided by its step."""
VANISHES = 1e-10
"""A gradient that is less than this part of its contributions is what they leave as they cancel."""


@dataclass(frozen=True)
class Effort:
    """A block of at most `entries` is compared one by one, all of it.

    Of a larger one so many are `sampled`, and so many +1/-1 `directions` see every entry.
    """

    entries: int = 64
    sampled: int = 64
    directions: int = 4


@dataclass(frozen=True)
class Rule:
    """|exact - numeric| <= tolerance*|numeric| + rounding*S + the difference's own bound."""

    tolerance: float = 1e-12
    rounding: float = 64 * EPS


@dataclass(frozen=True)
class Claim:
    """A gradient under check: the array, and S of each entry (how large its contributions are)."""

    name: str
    gradient: Array
    scales: Array
    equation: str = ""


@dataclass(frozen=True)
class Probe:
    """The finite differences of one block: at single entries, and along directions (place None)."""

    name: str
    shape: tuple[int, ...]
    places: tuple[tuple[int, ...] | None, ...]
    directions: tuple[Direction, ...]
    slopes: tuple[Slope, ...]

    @property
    def total(self) -> int:
        return prod(self.shape)


Oracle = Callable[[Sequence[Direction]], Sequence[Slope]]
"""What the entries of a block should be, summed along each direction."""


def probed(
    point: Point, name: str, effort: Effort, seed: int, oracle: Oracle | None = None
) -> Probe:
    """Single entries, all of them where there are few; else some, and directions over all.

    oracle: of another block of that shape than the gradient.
    """
    shape = np.shape(point.values[name])
    total = prod(shape)
    rng = np.random.default_rng([seed, *name.encode()])
    chosen: Sequence[int] = range(total)
    if total > effort.entries:
        chosen = sorted(rng.choice(total, size=min(effort.sampled, total), replace=False))
    indices = [tuple(int(i) for i in np.unravel_index(k, shape)) for k in chosen]
    places: list[tuple[int, ...] | None] = [*indices]
    directions = [entry_direction(name, shape, index) for index in indices]
    if total > effort.entries:
        places += [None] * effort.directions
        directions += [rademacher({name: shape}, rng) for _ in range(effort.directions)]
    found = slopes(point, directions) if oracle is None else oracle(directions)
    return Probe(name, shape, tuple(places), tuple(directions), tuple(found))


def probed_alone(name: str, oracle: Oracle) -> Probe:
    """A block that is one number."""
    by = {name: np.ones(())}
    return Probe(name, (), ((),), (by,), tuple(oracle([by])))


def compare(
    point: Point, claim: Claim, instance: str, probe: Probe, rule: Rule, scale: float = 0.0
) -> Block:
    """A gradient against the finite differences of its block.

    scale: what bounds are measured by where loss and gradient are 0, if anything.
    """
    if np.shape(claim.gradient) != probe.shape:
        came = f"the gradient has shape {np.shape(claim.gradient)}, expected {probe.shape}"
        return unmatched(point.loss, claim.name, instance, probe.total, claim.equation, came)
    with np.errstate(invalid="ignore", over="ignore"):  # whatever a gradient under check holds
        gradient = point.numbers.array(claim.gradient)
        left = _vanishing(gradient, claim.scales, probe)
        entries = [
            _entry(gradient, claim.scales, by[claim.name], index, found, rule)
            for by, index, found in zip(probe.directions, probe.places, probe.slopes, strict=True)
        ]
    return block_of(
        point.loss,
        claim.name,
        instance,
        probe.total,
        _tightened(entries, probe.slopes, rule),
        scale=left or abs(float(point.value)) or scale,
        vanishes=left > 0,
        equation=claim.equation,
        note=diagnosis(entries, probe.shape),
    )


def _vanishing(gradient: Array, scales: Array, probe: Probe) -> float:
    """S of the block, where its contributions cancel and nothing else is left; else 0.

    An entry that nothing contributes to, as of a unit that is off, may stand among them.
    """
    sizes, idle, largest = [], [], []
    for by, place, slope in zip(probe.directions, probe.places, probe.slopes, strict=True):
        size = float(np.sum(scales) if place is None else scales[place])
        came, numeric = float(abs(np.sum(by[probe.name] * gradient))), abs(float(slope.value))
        sizes.append(size)
        idle.append(size == came == 0 and numeric <= slope.bound)
        largest.append(max(came, numeric, slope.bound))
    small = np.array(largest) <= VANISHES * np.array(sizes)
    return max(sizes, default=0.0) if (small | idle).all() else 0.0


def _entry(
    gradient: Array,
    scales: Array,
    by: Array,
    index: tuple[int, ...] | None,
    found: Slope,
    rule: Rule,
) -> Entry:
    exact = np.sum(by * gradient) if index is None else gradient[index]
    size = float(np.sum(scales) if index is None else scales[index])
    bound = rule.tolerance * abs(float(found.value)) + rule.rounding * size + found.bound
    error = abs(float(exact - found.value))  # subtracted in the numbers, which may be 60 digits
    nothing = exact == 0 and abs(found.value) <= max(found.bound, NOTHING)
    numeric = 0.0 if nothing else float(found.value)
    return Entry(index, float(exact), numeric, error, bound, found.sides)


def _tightened(entries: Sequence[Entry], found: Sequence[Slope], rule: Rule) -> list[Entry]:
    """Where S is too large for a bound to say anything, as it grows with each layer, an entry that
    is right without it has a bound without it: rounding of the block's largest in its place.
    """
    sizes = [abs(v) for e in entries for v in (e.exact, e.numeric) if math.isfinite(v)]
    size = max(sizes, default=0.0)

    def tight(entry: Entry, slope: Slope) -> Entry:
        bound = rule.tolerance * abs(entry.numeric) + rule.rounding * size + slope.bound
        loose = entry.bound > LOOSEST * size
        return replace(entry, bound=bound) if loose and entry.error <= bound else entry

    return [tight(*pair) for pair in zip(entries, found, strict=True)]


def output_block(
    label: str,
    name: str,
    came: Array,
    expected: Array,
    scales: Array,
    instance: str,
    rule: Rule,
    equation: str,
) -> Block:
    """A value itself, all entries: |came - expected| <= tolerance*|expected| + rounding*S."""
    if came.shape != expected.shape:
        why = f"it has shape {came.shape}, expected {expected.shape}"
        return unmatched(label, name, instance, expected.size, equation, why)
    numeric, sizes, exact = (a.astype(float) for a in (expected, scales, came))
    numeric[abs(numeric) <= CANCELLED * sizes] = 0.0
    bounds = rule.tolerance * abs(numeric) + rule.rounding * sizes
    entries = [
        Entry(i, float(exact[i]), float(numeric[i]), float(abs(exact[i] - numeric[i])), float(b))
        for i, b in np.ndenumerate(bounds)
    ]
    scale = float(sizes.max(initial=0.0))
    return block_of(
        label,
        name,
        instance,
        expected.size,
        entries,
        scale=scale or 1.0,
        equation=equation,
        note=diagnosis(entries, expected.shape),
    )


def unmatched(loss: str, name: str, instance: str, total: int, equation: str, note: str) -> Block:
    """A block that cannot be compared entry by entry, and so is wrong."""
    return Block(loss, name, instance, total, 0, 0, 0, None, "FAIL", equation, note)


def unchecked(loss: str, name: str, reason: str) -> Block:
    """A block that nothing could be compared of."""
    return Block(loss, name, "not run", 0, 0, 0, 0, None, "INCONCLUSIVE", note=reason)


def fallback_scales(gradients: Mapping[str, Array], value: float) -> dict[str, Array]:
    """S where no gradient program tells it: the largest entry of all blocks, and the loss."""
    finite = [np.abs(g[np.isfinite(g)]).max(initial=0.0) for g in gradients.values()]
    size = max([abs(value) if math.isfinite(value) else 0.0, *map(float, finite)])
    return {name: np.full(np.shape(g), size) for name, g in gradients.items()}
