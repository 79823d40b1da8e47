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
from symgrad.verify.graph import Node, groups
from symgrad.verify.inexact import EXACT, Noisy
from symgrad.verify.instance import Instance
from symgrad.verify.nearby import Direction
from symgrad.verify.selections import Gaps, Kink, Values, kinks_in
from symgrad.verify.starts import STARTS, reals

NAME = "at kinks"
INEXACT: tuple[Numbers, ...] = (FLOAT64, *(Noisy(seed=k) for k in range(3)))
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
    program: Program, outputs: tuple[str, ...], wrt: Sequence[str], instance: Instance, seed: int
) -> list[Instance]:
    """Instances at as many of a loss's kinks as can be had exactly, each at as many as it can be.

    A kink that does not show where it was met, since the slope behind it is 0, is sought again.
    """
    gaps, rng = Gaps(program, instance.sizes), np.random.default_rng([seed, 5])
    by = {name: rng.normal(size=instance.values[name].shape) for name in wrt}
    search = Search(gaps, outputs, by, seed)
    rest, met, found = kinks_in(program, outputs[0]), set[Kink](), list[Instance]()
    for start in STARTS:
        more = True
        while rest and more:
            values, moves = _placed(search, rest, start(program, wrt, instance.values))
            shown = {move.kink for move in moves if _shows(search, values, move)}
            zero = {kink for kink in rest if np.any(gaps.at(kink, values) == 0)}
            more = bool(shown or zero - met) and _settled(search, values)
            if more:
                name = f"{NAME} ({len(found) + 1})" if found else NAME
                found.append(Instance(name, instance.sizes, values, instance.drawn))
                met |= zero
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
    before, used = gaps.of(kink, known), {move.entry for move in moves}
    for entry in _entries(gaps, kink, values, rng):
        if entry in used:
            continue
        with np.errstate(all="ignore"):
            after = gaps.shifted(kink, _shifted(values, entry, 1.0), entry[0], known)
            slopes = (after - before) * FINE
            round_ = np.isfinite(slopes) & (np.abs(slopes - np.round(slopes)) < 1e-6)
        places = np.flatnonzero(round_ & (np.round(slopes) != 0))
        for place in rng.permutation(places)[:PLACES]:
            step = -float(before.flat[place]) / float(np.round(slopes.flat[place])) * FINE
            trial = _shifted(values, entry, step)
            if abs(step) > FARTHEST:
                continue
            if gaps.shifted(kink, trial, entry[0], known).flat[place] == 0:
                yield trial, Move(kink, int(place), entry)


def _entries(gaps: Gaps, kink: Kink, values: Values, rng: np.random.Generator) -> Iterator[Entry]:
    """Entries of the real inputs that a gap depends on: short tensors first, as biases are."""
    reads = gaps.layout.reads(()).by_tensor
    behind = {name for group in groups(gaps.reads([kink]), reads) for name in group}
    tensors = [t for t in reals(gaps.program) if t.name in behind and not t.positive]
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


def _settled(search: Search, values: Values) -> bool:
    """Whether values and slopes are the same with or without rounding, whatever sides it takes."""
    gaps, found = search.gaps, []
    for numbers in (EXACT, *INEXACT):
        result = gaps.evaluated(values, numbers, search.outputs)
        stops = {node: held.astype(float) for node, held in result.stops.items()}
        returned = [np.ravel(result.values[name].astype(float)) for name in search.outputs]
        found.append(np.concatenate([*returned, _line(search, values, result.branches, stops)]))
    finite = bool(np.all(np.isfinite(found)))
    return finite and np.allclose(found, found[0], rtol=1e-6, atol=1e-9)


def _shows(search: Search, values: Values, move: Move) -> bool:
    """Whether the loss has another slope, or value, with this selection alone on another side."""
    gaps, loss = search.gaps, search.outputs[:1]
    here = gaps.evaluated(values, FLOAT64, loss)
    target = gaps.program.equations[move.kink.equation].target.tensor
    lines = [_line(search, values, here.branches, here.stops)]
    for step in (-NEARBY, NEARBY):
        near = gaps.evaluated(_shifted(values, move.entry, step), FLOAT64, (target,)).branches
        own = {node: way for node, way in near.items() if node[0] == move.kink.equation}
        if any(not np.array_equal(way, here.branches[node]) for node, way in own.items()):
            lines.append(_line(search, values, {**here.branches, **own}, here.stops))
    with np.errstate(invalid="ignore"):  # what is not finite does not show
        apart = np.abs(np.subtract(lines, lines[0])).max()
    return bool(apart > 1e-6 * np.abs(lines).max())


def _line(
    search: Search, values: Values, branches: Mapping[Node, Array], stops: Mapping[Node, Array]
) -> tuple[float, float]:
    """The loss and its slope, along branches and with stops that are given."""
    loss = search.outputs[:1]

    def at(step: float) -> float:
        moved = {name: values[name] + step * far for name, far in search.by.items()}
        found = search.gaps.evaluated({**values, **moved}, FLOAT64, loss, stops, branches)
        return float(found.values[loss[0]][()])

    left, right = at(-NEARBY), at(NEARBY)
    return (left + right) / 2, (right - left) / (2 * NEARBY)


def _shifted(values: Values, entry: Entry, by: float) -> Values:
    name, place = entry
    moved = values[name].copy()
    moved.flat[place] += by
    return {**values, name: moved}
