"""Inputs that stand exactly at kinks: where a selection's sides are equal, or a maximum is tied.

A gap is `lhs - rhs` of a predicate, or the first less the second of an argmax, at every point of
its box. Where it moves with one entry of an input, that entry is moved until the gap is 0:

    t' = t - gap/slope        relu(z), z = W x + c:  c moves by -z

What counts is exactly 0, in 60 digits and in float64 alike, so inputs are multiples of 1/8; and it
has to stay 0 when every inexact function is off by some ulps, as emitted code may be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np
from sympy import Expr

from symgrad.algebra.access import Access
from symgrad.algebra.program import Program, Tensor
from symgrad.algebra.scalars import FUNCTIONS, ROWS, Equal, Less, LessEqual, Stop
from symgrad.errors import ProgramError
from symgrad.verify.arithmetic import FLOAT64, Array, Digits, Float64, Numbers
from symgrad.verify.body import Trace
from symgrad.verify.contributions import Run
from symgrad.verify.evaluate import evaluate
from symgrad.verify.graph import groups, stops_in
from symgrad.verify.inputs import checked_sizes
from symgrad.verify.instance import Instance
from symgrad.verify.nearby import Point
from symgrad.verify.points import Layout

NAME = "at kinks"
GRID = 8  # inputs are multiples of 1/8: sums of their products are exact in any order
ULPS = 4.0
NOISES = 3
PLACES = 4  # of one gap that are tried with one entry
TRIES = 40  # entries that are tried for one gap
MOVES = 12  # of one gap that are evaluated
NEARBY = 2.0**-20  # the step whose slopes on either side tell whether a kink shows in the loss

SELECTIONS = {FUNCTIONS[row.name]: row.definition for row in ROWS if row.kink}
"""relu, minimum, ...: what each is a selection of."""

Values = Mapping[str, Array]
Sides = tuple[int, tuple[Expr, Expr] | None]
"""An equation's number, and the two sides of one of its predicates; None of its argmax."""


@dataclass(frozen=True)
class Doubles(Digits):
    """60 digits, in which a constant is the double that emitted code holds: 1.2, not 6/5."""

    def ratio(self, p: int, q: int) -> Array:
        return self.array(p / q)


@dataclass(frozen=True)
class Noisy(Float64):
    """float64 in which what is not a round number is off by some ulps, at random."""

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
        return self.off(super().divide(a, b))

    def power(self, x: Array, y: Array) -> Array:
        return self.off(super().power(x, y))


EXACT = Doubles(60)


@dataclass(frozen=True)
class Search:
    """A loss whose kinks are looked for, at the sizes of an instance."""

    program: Program
    outputs: tuple[str, ...]
    sizes: Mapping[str, int]

    @cached_property
    def layout(self) -> Layout:
        return Layout(self.program, checked_sizes(self.program, self.sizes))

    def tensors(self, values: Values, numbers: Numbers, wanted: Sequence[str]) -> dict[str, Array]:
        found = evaluate(self.program, values, self.sizes, numbers, outputs=wanted)
        return dict(found.values)

    def gap(self, sides: Sides, tensors: dict[str, Array], numbers: Numbers = FLOAT64) -> Array:
        """lhs - rhs over the box; of an argmax: the greatest value less the next, else inf."""
        number, pair = sides
        equation, layout = self.program.equations[number], self.layout
        run, grid = Run(layout, numbers, {}, {}, tensors), layout.grid(number)
        body = run.body(equation, grid, Trace())
        with np.errstate(all="ignore"):
            if pair is not None:
                return np.asarray(body.value(pair[0]) - body.value(pair[1]))
            found = np.broadcast_to(body.value(equation.body), grid.shape)
            axis = grid.names.index(equation.reduced[0])
            if found.shape[axis] < 2:
                return np.asarray(np.inf)
            ordered = np.sort(found, axis=axis)
            return np.asarray(ordered.take(-1, axis) - ordered.take(-2, axis))

    def reads(self, sides: Sides) -> tuple[str, ...]:
        """The tensors that must be known for a gap."""
        equation = self.program.equations[sides[0]]
        names = (a.tensor for r in equation.reads for a in (r, *r.gathers()))
        return tuple(dict.fromkeys(names))

    def gap_at(self, sides: Sides, values: Values) -> Array:
        return self.gap(sides, self.tensors(values, FLOAT64, self.reads(sides)))


def kinks_in(program: Program, loss: str | None = None) -> list[Sides]:
    """The comparisons of reals, and the argmaxes; with `loss` those that its gradient meets."""
    live = {tensor.name for tensor in program.tensors}
    if loss is not None:
        stops = [(n, k) for n, e in enumerate(program.equations) for k in _stops(e.body)]
        reads = Layout(program, {}).reads(stops).by_tensor
        live = {name for group in groups([loss], reads) for name in group}
    found: list[Sides] = []
    for number, equation in enumerate(program.equations):
        if equation.target.tensor not in live:
            continue
        if equation.op == "argmax":
            found.append((number, None))
        real = {
            symbol
            for symbol, slot in equation.slots
            if isinstance(slot, Access) and program.tensor_of[slot.tensor].kind == "real"
        }
        pairs: dict[frozenset[Expr], tuple[Expr, Expr]] = {}
        for node in _predicates(equation.body, inside=loss is None):
            if node.free_symbols & real:
                pairs.setdefault(frozenset(node.args), node.args)
        found += [(number, pair) for pair in pairs.values()]
    return found


def _stops(body: Expr) -> range:
    return range(len(stops_in(body)))


def _predicates(body: Expr, inside: bool) -> Iterator[Expr]:
    """The comparisons in preorder, those inside stops too where asked for."""
    pending = [body]
    while pending:
        node = pending.pop()
        if isinstance(node, Less | LessEqual | Equal):
            yield node
        if type(node) in SELECTIONS:
            pending.append(SELECTIONS[type(node)](*node.args))
        if inside or not isinstance(node, Stop):
            pending.extend(reversed(node.args))


def at_kinks(
    program: Program, outputs: tuple[str, ...], wrt: Sequence[str], instance: Instance, seed: int
) -> Instance | None:
    """An instance at as many of a loss's kinks as can be had exactly; None where there is none."""
    every = kinks_in(program, outputs[0])
    search = Search(program, outputs, instance.sizes)
    best: tuple[int, Instance] | None = None
    for drawn in STARTS if every else ():
        values = drawn(program, wrt, instance.values)
        count, values = _placed(search, every, values, np.random.default_rng([seed, 4]))
        if count > (best[0] if best else 0) and _settled(search, values):
            best = count, Instance(NAME, instance.sizes, values, instance.drawn)
        if count == len(every):
            break
    return best[1] if best else None


def _placed(
    search: Search, every: Sequence[Sides], values: Values, rng: np.random.Generator
) -> tuple[int, Values]:
    """How many of the kinks the inputs stand at, and the inputs, moved there one after another."""
    held: list[tuple[Sides, int]] = []
    used: set[tuple[str, int]] = set()
    at: set[Sides] = set()
    for sides in every:
        try:
            found = _moved(search, sides, values, used, held, rng)
        except ProgramError:  # such as a subscript out of range
            continue
        if found is not None:
            values, place, entry = found
            held.append((sides, place))
            used.add(entry)
            at.add(sides)
        elif np.any(search.gap_at(sides, values) == 0):
            at.add(sides)
    return len(at), values


def _moved(
    search: Search,
    sides: Sides,
    values: Values,
    used: set[tuple[str, int]],
    held: Sequence[tuple[Sides, int]],
    rng: np.random.Generator,
) -> tuple[Values, int, tuple[str, int]] | None:
    """One entry moved to where the gap is 0: one whose kink the loss shows, if there is any."""
    before = search.gap_at(sides, values)
    spare, left = None, MOVES
    for name, entry in _entries(search, sides, values, used, rng):
        slopes = search.gap_at(sides, _shifted(values, name, entry, 1.0)) - before
        moving = np.flatnonzero(np.isfinite(slopes) & (slopes != 0))
        for place in rng.permutation(moving)[:PLACES]:
            step = float(-before.flat[place] / slopes.flat[place])
            if not np.isfinite(step):
                continue
            trial = _shifted(values, name, entry, step)
            exact = Fraction(step) * Fraction(slopes.flat[place]) == -Fraction(before.flat[place])
            if not exact or abs(step) > 16:
                continue
            if not left:
                return spare
            left -= 1
            if not _holds(search, [*held, (sides, int(place))], trial):
                continue
            found = trial, int(place), (name, entry)
            if _shows(search, trial, name, entry):
                return found
            spare = spare or found
    return spare


def _entries(
    search: Search,
    sides: Sides,
    values: Values,
    used: set[tuple[str, int]],
    rng: np.random.Generator,
) -> Iterator[tuple[str, int]]:
    """Entries of the real inputs that a gap depends on: short tensors first, as biases are."""
    reads = search.layout.reads(()).by_tensor
    behind = {name for group in groups(search.reads(sides), reads) for name in group}
    tensors = [t for t in _inputs(search.program) if t.name in behind]
    tensors.sort(key=lambda t: (len(t.shape), t.role == "data"))
    left = TRIES
    for tensor in tensors:
        for entry in rng.permutation(values[tensor.name].size)[: max(4, TRIES // len(tensors))]:
            if left and (tensor.name, int(entry)) not in used:
                left -= 1
                yield tensor.name, int(entry)


def _holds(search: Search, held: Sequence[tuple[Sides, int]], values: Values) -> bool:
    """Whether every gap so far is 0 at its place, whatever inexact functions are off by."""
    wanted = tuple({name: None for sides, _ in held for name in search.reads(sides)})
    for numbers in (FLOAT64, *(Noisy(seed=k) for k in range(NOISES))):
        tensors = search.tensors(values, numbers, wanted)
        if any(search.gap(sides, tensors, numbers).flat[place] != 0 for sides, place in held):
            return False
    return True


def _shows(search: Search, values: Values, name: str, entry: int) -> bool:
    """Whether the loss has another slope, or another value, on either side."""
    loss = search.outputs[0]
    point = Point(search.program, loss, values, search.sizes)
    by = np.zeros(values[name].shape)
    by.flat[entry] = 1.0
    left, right = (float(point.at({name: by}, s * NEARBY)) for s in (-1, 1))
    here = float(point.value)
    slopes = (here - left) / NEARBY, (right - here) / NEARBY
    return abs(slopes[1] - slopes[0]) > 1e-4 * max(abs(slopes[0]), abs(slopes[1]))


def _settled(search: Search, values: Values) -> bool:
    """Whether the outputs are finite, and every side is what it is with or without rounding."""
    every = kinks_in(search.program)
    wanted = (*search.outputs, *dict.fromkeys(n for s in every for n in search.reads(s)))
    exact = search.tensors(values, EXACT, wanted)
    if not all(np.all(np.isfinite(exact[name].astype(float))) for name in search.outputs):
        return False
    for numbers in (FLOAT64, *(Noisy(seed=k) for k in range(NOISES))):
        tensors = search.tensors(values, numbers, wanted)
        for sides in every:
            gaps = search.gap(sides, exact, EXACT), search.gap(sides, tensors, numbers)
            if np.any(np.sign(gaps[0].astype(float)) != np.sign(gaps[1])):
                return False
    return True


def _inputs(program: Program) -> list[Tensor]:
    return [t for t in program.tensors if t.role != "computed" and t.kind == "real"]


def _shifted(values: Values, name: str, entry: int, by: float) -> Values:
    moved = values[name].copy()
    moved.flat[entry] += by
    return {**values, name: moved}


def _rounded(program: Program, wrt: Sequence[str], values: Values) -> Values:
    """Multiples of 1/8, none of them 0."""
    found = dict(values)
    for tensor in _inputs(program):
        sign = np.where(values[tensor.name] < 0, -1.0, 1.0)
        size = np.maximum(np.round(np.abs(values[tensor.name]) * GRID), 1.0) / GRID
        found[tensor.name] = np.asarray(sign * size)
    return found


def _copied(program: Program, wrt: Sequence[str], values: Values) -> Values:
    """The same, and what is held equals what is learned: an old policy is the policy, ratio 1."""
    found = dict(_rounded(program, wrt, values))
    learned = [t for t in _inputs(program) if t.name in wrt]
    for tensor in _inputs(program):
        same = [t for t in learned if t.shape == tensor.shape]
        if tensor.role == "param" and tensor.name not in wrt and same:
            ending = [t for t in same if t.name.split("_")[-1] == tensor.name.split("_")[-1]]
            found[tensor.name] = found[(ending or same)[0].name].copy()
    return found


def _zeroed(program: Program, wrt: Sequence[str], values: Values) -> Values:
    """The same, and the first row of data and all short parameters 0: tanh(0) = 0 is exact."""
    found = dict(_copied(program, wrt, values))
    for tensor in _inputs(program):
        if tensor.role == "param" and len(tensor.shape) == 1:
            found[tensor.name] = np.zeros_like(found[tensor.name])
        if tensor.role == "data" and len(tensor.shape) > 1:
            found[tensor.name][0] = 0.0
    return found


STARTS = (_rounded, _copied, _zeroed)
