"""Inputs that stand exactly at kinks: where a selection's sides are equal, or a maximum is tied.

Where a gap moves with one entry of an input, that entry is moved until the gap is 0:

    t' = t - gap/slope        relu(z), z = W x + c:  c moves by -z

What counts is exactly 0, in 60 digits and in float64 alike, so inputs are multiples of 1/8; and it
has to stay 0 when every inexact function is off by some ulps, as emitted code may be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from symgrad.algebra.program import Program
from symgrad.errors import ProgramError
from symgrad.verify.arithmetic import FLOAT64, Array, Numbers
from symgrad.verify.evaluate import evaluate
from symgrad.verify.graph import Node, groups
from symgrad.verify.inexact import EXACT, Noisy
from symgrad.verify.instance import Instance
from symgrad.verify.nearby import Direction, Point
from symgrad.verify.selections import Gaps, Kink, Values, kinks_in
from symgrad.verify.starts import STARTS, reals

NAME = "at kinks"
INEXACT: tuple[Numbers, ...] = (FLOAT64, *(Noisy(seed=k) for k in range(3)))
PLACES = 4  # of one gap that are tried with one entry
TRIES = 40  # entries that are tried for one gap
MOVES = 12  # of one gap that are evaluated
FARTHEST = 16.0  # that an entry is moved
FINE = 2.0**20
NEARBY = 2.0**-20  # a step to either side, for slopes

Entry = tuple[str, int]
"""An entry of an input: the tensor, and the place in its raveled values."""


@dataclass(frozen=True)
class Move:
    """An entry that was moved to where a gap is 0 at one place of its box."""

    kink: Kink
    place: int
    entry: Entry


def at_kinks(
    program: Program, outputs: tuple[str, ...], wrt: Sequence[str], instance: Instance, seed: int
) -> list[Instance]:
    """Instances at as many of a loss's kinks as can be had exactly, each at as many as it can be.

    A kink that does not show where it was met, since the slope behind it is 0, is sought again.
    """
    gaps, loss = Gaps(program, instance.sizes), outputs[0]
    rest, met, found = kinks_in(program, loss), set[Kink](), list[Instance]()
    for start in STARTS:
        if not rest:
            break
        rng = np.random.default_rng([seed, 4])
        values, moves = _placed(gaps, loss, rest, start(program, wrt, instance.values), rng)
        shown = {move.kink for move in moves if _shows(gaps, loss, values, move)}
        zero = {kink for kink in rest if np.any(gaps.at(kink, values) == 0)}
        if (shown or zero - met) and _settled(gaps, outputs, values):
            name = f"{NAME} ({len(found) + 1})" if found else NAME
            found.append(Instance(name, instance.sizes, values, instance.drawn))
            met |= zero
            rest = [kink for kink in rest if kink not in shown]
    return found


def _placed(
    gaps: Gaps, loss: str, kinks: Sequence[Kink], values: Values, rng: np.random.Generator
) -> tuple[Values, list[Move]]:
    """The inputs, moved to one kink after another."""
    moves: list[Move] = []
    for kink in kinks:
        try:
            found = _moved(gaps, loss, kink, values, moves, rng)
        except ProgramError:  # such as a subscript out of range
            continue
        if found is not None:
            values = found[0]
            moves.append(found[1])
    return values, moves


def _moved(
    gaps: Gaps,
    loss: str,
    kink: Kink,
    values: Values,
    moves: Sequence[Move],
    rng: np.random.Generator,
) -> tuple[Values, Move] | None:
    """One entry moved to where the gap is 0: one whose kink the loss shows, if there is any."""
    spare = None
    for trial, move in islice(_candidates(gaps, kink, values, moves, rng), MOVES):
        if not _holds(gaps, [*moves, move], trial):
            continue
        if _shows(gaps, loss, trial, move):
            return trial, move
        spare = spare or (trial, move)
    return spare


def _candidates(
    gaps: Gaps, kink: Kink, values: Values, moves: Sequence[Move], rng: np.random.Generator
) -> Iterator[tuple[Values, Move]]:
    """Moves that make a gap 0 if it is affine and float64 holds the number."""
    before, used = gaps.at(kink, values), {move.entry for move in moves}
    for entry in _entries(gaps, kink, values, rng):
        if entry in used:
            continue
        with np.errstate(invalid="ignore"):
            slopes = gaps.at(kink, _shifted(values, entry, 1.0)) - before
        slopes = np.round(slopes * FINE) / FINE  # of an affine gap it is such a number
        moving = np.flatnonzero(np.isfinite(slopes) & (slopes != 0))
        for place in rng.permutation(moving)[:PLACES]:
            step = -float(before.flat[place]) / float(slopes.flat[place])
            if abs(step) <= FARTHEST:
                yield _shifted(values, entry, step), Move(kink, int(place), entry)


def _entries(gaps: Gaps, kink: Kink, values: Values, rng: np.random.Generator) -> Iterator[Entry]:
    """Entries of the real inputs that a gap depends on: short tensors first, as biases are."""
    reads = gaps.layout.reads(()).by_tensor
    behind = {name for group in groups(gaps.reads([kink]), reads) for name in group}
    tensors = [t for t in reals(gaps.program) if t.name in behind]
    tensors.sort(key=lambda t: (len(t.shape), t.role == "data"))
    every = (
        (tensor.name, int(entry))
        for tensor in tensors
        for entry in rng.permutation(values[tensor.name].size)[: max(4, TRIES // len(tensors))]
    )
    yield from islice(every, TRIES)


def _holds(gaps: Gaps, moves: Sequence[Move], values: Values) -> bool:
    """Whether every gap so far is 0 at its place, whatever inexact functions are off by."""
    wanted = gaps.reads([move.kink for move in moves])
    for numbers in (*INEXACT, EXACT):
        tensors = gaps.tensors(values, numbers, wanted)
        if any(gaps.of(move.kink, tensors, numbers).flat[move.place] != 0 for move in moves):
            return False
    return True


def _settled(gaps: Gaps, outputs: Sequence[str], values: Values) -> bool:
    """Whether the outputs are finite, and every side is what it is with or without rounding."""
    every = kinks_in(gaps.program)
    wanted = tuple(dict.fromkeys((*outputs, *gaps.reads(every))))
    exact = gaps.tensors(values, EXACT, wanted)
    if not all(np.all(np.isfinite(exact[name].astype(float))) for name in outputs):
        return False
    signs = [np.sign(gaps.of(kink, exact, EXACT).astype(float)) for kink in every]
    for numbers in INEXACT:
        tensors = gaps.tensors(values, numbers, wanted)
        for kink, sign in zip(every, signs, strict=True):
            if np.any(np.sign(gaps.of(kink, tensors, numbers)) != sign):
                return False
    return True


def _shows(gaps: Gaps, loss: str, values: Values, move: Move) -> bool:
    """Whether the loss has another slope, or value, with this selection alone on another side."""
    point = Point(gaps.program, loss, values, gaps.sizes)
    name, entry = move.entry
    by = np.zeros(values[name].shape)
    by.flat[entry] = 1.0
    here = point.base.branches
    lines = [_line(point, {name: by}, here)]
    for step in (-NEARBY, NEARBY):
        near = point.moved({name: by}, step).branches
        own = {node: way for node, way in near.items() if node[0] == move.kink.equation}
        lines.append(_line(point, {name: by}, {**here, **own}))
    apart = np.abs(np.subtract(lines[1:], lines[0])).max()
    return bool(apart > 1e-6 * np.abs(lines).max())


def _line(point: Point, by: Direction, branches: Mapping[Node, Array]) -> tuple[float, float]:
    """The loss and its slope, along branches that are given."""
    ((name, far),) = by.items()
    left, right = (
        float(
            evaluate(
                point.program,
                {**point.values, name: point.values[name] + step * far},
                point.sizes,
                frozen=point.base.stops,
                held=branches,
                outputs=(point.loss,),
                layout=point.layout,
            ).values[point.loss][()]
        )
        for step in (-NEARBY, NEARBY)
    )
    return (left + right) / 2, (right - left) / (2 * NEARBY)


def _shifted(values: Values, entry: Entry, by: float) -> Values:
    name, place = entry
    moved = values[name].copy()
    moved.flat[place] += by
    return {**values, name: moved}
