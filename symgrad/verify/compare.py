"""Gradients against finite differences, block by block; a block is one tensor."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from symgrad.verify.arithmetic import Array
from symgrad.verify.differences import entry_direction, rademacher, slope
from symgrad.verify.nearby import Direction, Point
from symgrad.verify.verdict import Block, Entry, block_of

EPS = 2.0**-52


@dataclass(frozen=True)
class Effort:
    """At most so many entries of a block one by one; beyond them, so many +1/-1 directions."""

    entries: int = 64
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


def compare(
    point: Point, claim: Claim, instance: str, effort: Effort, rule: Rule, seed: int
) -> Block:
    """Single entries, all of them where there are few; directions over every entry otherwise."""
    shape = np.shape(point.values[claim.name])
    total = int(np.prod(shape, dtype=int))
    if np.shape(claim.gradient) != shape:
        return _misshapen(point, claim, instance, total, shape)
    rng = np.random.default_rng([seed, *claim.name.encode()])
    every = list(np.ndindex(shape))
    chosen = every
    if total > effort.entries:
        picks = rng.choice(total, size=effort.entries, replace=False)
        chosen = [every[k] for k in sorted(picks)]
    entries = [
        _entry(point, claim, entry_direction(claim.name, shape, index), index, rule)
        for index in chosen
    ]
    if total > effort.entries:
        for _ in range(effort.directions):
            entries.append(_entry(point, claim, rademacher({claim.name: shape}, rng), None, rule))
    return block_of(
        point.loss,
        claim.name,
        instance,
        total,
        entries,
        scale=abs(float(point.value)),
        equation=claim.equation,
    )


def _entry(
    point: Point, claim: Claim, direction: Direction, index: tuple[int, ...] | None, rule: Rule
) -> Entry:
    found, by = slope(point, direction), direction[claim.name]
    with np.errstate(invalid="ignore"):  # a gradient under check may hold inf and nan
        gradient = point.numbers.array(claim.gradient)
        exact = np.sum(by * gradient) if index is None else gradient[index]
    size = float(np.sum(claim.scales) if index is None else claim.scales[index])
    bound = rule.tolerance * abs(float(found.value)) + rule.rounding * size + found.bound
    error = abs(float(exact - found.value))  # subtracted in the numbers, which may be 60 digits
    return Entry(index, float(exact), float(found.value), error, bound, found.sides)


def value_block(point: Point, value: float, instance: str, rule: Rule, equation: str) -> Block:
    """The loss itself, as a block of one entry."""
    numeric = float(point.value)
    bound = rule.tolerance * abs(numeric) + rule.rounding * point.scale
    entry = Entry((), float(value), numeric, abs(float(value) - numeric), bound)
    return block_of(
        point.loss, point.loss, instance, 1, [entry], scale=point.scale, equation=equation
    )


def _misshapen(
    point: Point, claim: Claim, instance: str, total: int, shape: tuple[int, ...]
) -> Block:
    note = f"the gradient has shape {np.shape(claim.gradient)}, expected {shape}"
    return Block(
        point.loss, claim.name, instance, total, 0, 0, 0, None, "FAIL", claim.equation, note
    )


def fallback_scales(gradients: Mapping[str, Array], value: float) -> dict[str, Array]:
    """S where no gradient program tells it: the largest entry of all blocks, and the loss."""
    finite = [np.abs(g[np.isfinite(g)]).max(initial=0.0) for g in gradients.values()]
    size = max([abs(value) if math.isfinite(value) else 0.0, *map(float, finite)])
    return {name: np.full(np.shape(g), size) for name, g in gradients.items()}
