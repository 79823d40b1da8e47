"""Inputs that stand exactly at kinks: where a selection's sides are equal, or a maximum is tied.

Where a gap moves with one entry of an input, that entry is moved until the gap is 0:

    t' = t - gap/slope        relu(z), z = W x + c:  c moves by -z

What counts is exactly 0, in 60 digits and in float64 alike, so inputs are multiples of 1/8; and it
has to stay 0 when every inexact function is off by some ulps, as emitted code may be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from symgrad.algebra.program import Program
from symgrad.errors import ProgramError
from symgrad.verify.arithmetic import FLOAT64, Array, Numbers
from symgrad.verify.graph import Node, groups
from symgrad.verify.inexact import EXACT, Noisy
from symgrad.verify.instance import Instance
from symgrad.verify.nearby import Direction
from symgrad.verify.selections import Gaps, Kink, Values, kinks_in
from symgrad.verify.sides import Side, taken
from symgrad.verify.starts import reals, starts

NAME = "at kinks"
NOISES = 3
INEXACT: tuple[Numbers, ...] = (FLOAT64, *(Noisy(seed=k) for k in range(NOISES)))
PLACES = 4  # of one gap that are tried with one entry
TRIES = 40  # entries that are tried for one gap
MOVES = 12  # of one gap that are evaluated
FARTHEST = 16.0  # that an entry is moved
FINE = 2.0**12  # slopes of affine gaps are whole multiples of its inverse, few others are
NEARBY = 2.0**-20  # a step to either side, for slopes

Entry = tuple[str, int]
"""An entry of an input: the tensor, and the place in its raveled values."""


@dataclass(frozen=True)
class Move:
    """An entry that was moved to where a gap is 0 at one place of its box."""

    kink: Kink
    place: int
    entry: Entry


@dataclass(frozen=True)
class Search:
    """What kinks are looked for in. by: the direction along which a kink has to show."""

    gaps: Gaps
    outputs: tuple[str, ...]
    by: Direction
    seed: int

    @property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng([self.seed, 4])


def at_kinks(
    program: Program,
    outputs: tuple[str, ...],
    wrt: Sequence[str],
    instance: Instance,
    seed: int,
    others: Sequence[Instance] = (),
) -> list[Instance]:
    """Instances at as many of a loss's kinks as can be had exactly, each at as many as it can be;
    and on sides of a selection that neither this one nor the others take.

    A kink that does not show where it was met, since the slope behind it is 0, is sought again.
    """
    gaps, rng = Gaps(program, instance.sizes, instance.layout), np.random.default_rng([seed, 5])
    by = {name: rng.normal(size=instance.values[name].shape) for name in wrt}
    search = Search(gaps, outputs, by, seed)
    kinks = kinks_in(program, outputs)
    rest, met, found, seen = kinks, set[Kink](), list[Instance](), set[Side]()
    for one in (instance, *others):
        seen |= taken(Gaps(program, one.sizes, one.layout), kinks, one.values)
    for start in starts(program, wrt, instance.values) if kinks else ():
        more = True
        while more:
            values, moves = _placed(search, rest, start)
            shown = {move.kink for move in moves if _shows(search, values, move)}
            zero = {kink for kink in rest if np.any(gaps.at(kink, values) == 0)}
            sides = taken(gaps, kinks, values)
            more = bool(shown or zero - met or sides - seen) and _settled(search, values)
            if more:
                name = f"{NAME} ({len(found) + 1})" if found else NAME
                found.append(replace(instance, name=name, values=values))
                met |= zero
                seen |= sides
                rest = [kink for kink in rest if kink not in shown]
    return found


def _placed(search: Search, kinks: Sequence[Kink], values: Values) -> tuple[Values, list[Move]]:
    """The inputs, moved to one kink after another."""
    moves: list[Move] = []
    for kink in kinks:
        try:
            found = _moved(search, kink, values, moves)
        except ProgramError:  # such as a subscript out of range
            continue
        if found is not None:
            values = found[0]
            moves.append(found[1])
    return values, moves


def _moved(
    search: Search, kink: Kink, values: Values, moves: Sequence[Move]
) -> tuple[Values, Move] | None:
    """One entry moved to where the gap is 0: one whose kink the loss shows, if there is any."""
    spare = None
    for trial, move in islice(_candidates(search, kink, values, moves), MOVES):
        if not _holds(search.gaps, [*moves, move], trial):
            continue
        if _shows(search, trial, move):
            return trial, move
        spare = spare or (trial, move)
    return spare


def _candidates(
    search: Search, kink: Kink, values: Values, moves: Sequence[Move]
) -> Iterator[tuple[Values, Move]]:
    """Moves that make a gap 0: where it is affine, and float64 holds the number."""
    gaps, rng = search.gaps, search.rng
    known = gaps.tensors(values, FLOAT64, gaps.reads([kink]))
    before, used = gaps.of(kink, known).ravel(), {move.entry for move in moves}
    for name, entries in _entries(gaps, kink, values, rng):
        free = [entry for entry in entries if (name, entry) not in used]
        if not free:
            continue
        with np.errstate(all="ignore"):
            moved = _rows(values[name], free, 1.0)
            slopes = (gaps.shifted(kink, values, name, moved, known) - before) * FINE
            round_ = np.isfinite(slopes) & (np.abs(slopes - np.round(slopes)) < 1e-6)
        slopes = np.where(round_, np.round(slopes), 0)
        for entry, slope in zip(free, slopes, strict=True):
            places = rng.permutation(np.flatnonzero(slope))[:PLACES]
            steps = -before[places] / slope[places] * FINE
            places, steps = (x[abs(steps) <= FARTHEST] for x in (places, steps))
            if places.size:
                moved = _rows(values[name], [entry] * len(places), steps)
                found = gaps.shifted(kink, values, name, moved, known)
                for row, place, gap in zip(moved, places, found, strict=True):
                    if gap[place] == 0:
                        yield {**values, name: row}, Move(kink, int(place), (name, entry))


def _rows(array: Array, entries: Sequence[int], by: float | Array) -> Array:
    """The array so many times, in each another entry moved."""
    rows = np.repeat(array[np.newaxis], len(entries), axis=0)
    rows.reshape(len(entries), -1)[np.arange(len(entries)), entries] += by
    return rows


def _entries(
    gaps: Gaps, kink: Kink, values: Values, rng: np.random.Generator
) -> Iterator[tuple[str, list[int]]]:
    """Entries of the real inputs that a gap depends on: short tensors first, as biases are."""
    reads = gaps.layout.reads(()).by_tensor
    behind = {name for group in groups(gaps.reads([kink]), reads) for name in group}
    tensors = [t for t in reals(gaps.program) if t.name in behind and not t.positive]
    tensors.sort(key=lambda t: (len(t.shape), t.role == "data"))
    left = TRIES
    for tensor in tensors:
        most = min(left, max(4, TRIES // len(tensors)))
        found = [int(entry) for entry in rng.permutation(values[tensor.name].size)[:most]]
        left -= len(found)
        yield tensor.name, found


def _holds(gaps: Gaps, moves: Sequence[Move], values: Values) -> bool:
    """Whether every gap so far is 0 at its place, whatever inexact functions are off by.

    Only those that the last move can change.
    """
    moving = gaps.moving(moves[-1].entry[0])
    some = [move for move in moves if not moving.isdisjoint(gaps.reads([move.kink]))]
    wanted = gaps.reads([move.kink for move in some])
    real = [t.name for t in reals(gaps.program)]
    several = {name: np.repeat(values[name][np.newaxis], NOISES, axis=0) for name in real}
    for numbers, points in ((FLOAT64, None), (Noisy(), several), (EXACT, None)):
        found = gaps.evaluated(values, numbers, wanted, several=points).values
        for move in some:
            gap = gaps.each(move.kink, dict(found), NOISES if points else 1, numbers)
            if any(row[move.place] != 0 for row in gap):
                return False
    return True


def _settled(search: Search, values: Values) -> bool:
    """Whether values and slopes are the same with or without rounding, whatever sides it takes."""
    gaps, found = search.gaps, []
    for numbers in (EXACT, *INEXACT):
        result = gaps.evaluated(values, numbers, search.outputs)
        stops = {node: held.astype(float) for node, held in result.stops.items()}
        returned = [np.ravel(result.values[name].astype(float)) for name in search.outputs]
        found.append(np.concatenate([*returned, *_lines(search, values, result.branches, stops)]))
    finite = bool(np.all(np.isfinite(found)))
    return finite and np.allclose(found, found[0], rtol=1e-6, atol=1e-9)


def _shows(search: Search, values: Values, move: Move) -> bool:
    """Whether an output has another value, or the loss another slope, with this selection alone
    on another side."""
    gaps, (name, entry) = search.gaps, move.entry
    here = gaps.evaluated(values, FLOAT64, search.outputs)
    number = move.kink.equation
    beside = {name: _rows(values[name], [entry, entry], np.array([-NEARBY, NEARBY]))}
    target = (gaps.program.equations[number].target.tensor,)
    near = gaps.evaluated(values, FLOAT64, target, several=beside).branches
    rank = len(gaps.layout.grid(number).box)
    as_here = {node: here.branches[node] for node in near if node[0] == number}
    ways = [as_here]
    for k in range(2):
        way = {
            node: (near[node][k] if near[node].ndim > rank else near[node]).reshape(taken.shape)
            for node, taken in as_here.items()
        }
        if any(not np.array_equal(way[node], taken) for node, taken in as_here.items()):
            ways.append(way)
    held = {
        node: np.stack([way[node] for way in ways for _ in range(2)]).reshape(
            2 * len(ways), *(1,) * (rank - taken.ndim), *taken.shape
        )
        for node, taken in as_here.items()
    }
    lines = _lines(search, values, {**here.branches, **held}, here.stops, len(ways), target)
    with np.errstate(invalid="ignore"):  # what is not finite does not show
        apart = np.abs(np.subtract(lines, lines[0])).max()
    return bool(apart > 1e-6 * np.abs(lines).max())


def _lines(
    search: Search,
    values: Values,
    branches: Mapping[Node, Array],
    stops: Mapping[Node, Array],
    count: int = 1,
    beside: Sequence[str] = (),
) -> Array:
    """The outputs and the loss's slope, along branches and with stops that are given: so many rows.

    branches: two rows of them for each, of what is `beside`.
    """
    steps = np.tile([-NEARBY, NEARBY], count)
    several = {
        name: values[name] + steps.reshape(-1, *(1,) * far.ndim) * far
        for name, far in search.by.items()
    }
    found = search.gaps.evaluated(
        values, FLOAT64, search.outputs, stops, branches, several=several, beside=beside
    )
    rows = []
    for name in search.outputs:
        came, shape = found.values[name], search.gaps.layout.shapes[name]
        rows.append(np.broadcast_to(came, (len(steps), *shape)).reshape(count, 2, -1))
    left, right = np.moveaxis(np.concatenate(rows, axis=2), 1, 0)
    with np.errstate(invalid="ignore"):  # infinities may be left where there is no value
        return np.concatenate([(left + right) / 2, (right - left)[:, :1] / (2 * NEARBY)], axis=1)
