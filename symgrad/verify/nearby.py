"""A loss at a base point, and at points near it: stops held, branches held where asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symgrad.algebra.program import Program
from symgrad.verify.arithmetic import FLOAT64, Array, Float64, Numbers
from symgrad.verify.evaluate import Result, evaluate
from symgrad.verify.factored import work
from symgrad.verify.graph import downstream
from symgrad.verify.inputs import checked_sizes
from symgrad.verify.points import Layout, Probes
from symgrad.verify.rounding import EPS, spread

Direction = Mapping[str, Array]
"""How far each entry of each tensor moves in one unit of step."""

Move = tuple[Direction, Any]
"""A direction, and the step along it."""

ROOM = 3_000_000  # box points of one float64 evaluation of several probes
EXACT_ROOM = 100_000  # the same, of many digits
SPACING = (2.0**-46, 2.0**-14)  # of the points that show rounding


@dataclass(frozen=True)
class Near:
    """The loss at a nearby point, and whether every branch is taken there as it is at x."""

    loss: Any
    same_branches: bool


@dataclass(frozen=True)
class Point:
    """A loss at a base point.

    values: the inputs, as float64 arrays, integers and bools.
    made:   the program's layout at these sizes, where there is one.
    beside: what else is to be known at the point itself.
    """

    program: Program
    loss: str
    values: Mapping[str, Array]
    sizes: Mapping[str, int]
    numbers: Numbers = FLOAT64
    made: Layout | None = None
    beside: tuple[str, ...] = ()

    @cached_property
    def layout(self) -> Layout:
        if self.made is not None and self.made.program is self.program:
            return self.made
        return Layout(self.program, checked_sizes(self.program, self.sizes))

    @cached_property
    def base(self) -> Result:
        return evaluate(
            self.program,
            self.values,
            self.sizes,
            self.numbers,
            outputs=(self.loss, *self.beside),
            magnitude=True,
            layout=self.layout,
        )

    @property
    def value(self) -> Any:
        return self.base.values[self.loss][()]

    @property
    def scale(self) -> float:
        """The sum of the absolute contributions to the loss."""
        return float(self.base.magnitudes[self.loss][()])

    @cached_property
    def noise(self) -> float:
        """How far rounding moves the loss: eighth differences, where only rounding is left.

        Over tiny steps alone, 1 - p does not move where p is nearly 1.
        """
        rng = np.random.default_rng(0)
        inputs = [t for t in self.program.tensors if t.role != "computed" and t.kind == "real"]
        direction = {
            t.name: np.asarray(
                self.values[t.name] * rng.choice([-1.0, 1.0], self.layout.shapes[t.name])
            )
            for t in inputs
            if t.name in self.values
        }
        found = EPS * abs(float(self.value))
        for spacing in SPACING:
            losses = self.along(direction, [float(k) * spacing for k in range(-6, 7)])
            found += 2 * spread(losses)
        return found

    def moved(self, direction: Direction, step: Any, *, held: bool = False) -> Result:
        """The loss at x + step*direction; `held` takes every branch as it was at x."""
        values = dict(self.values)
        for name, by in direction.items():
            values[name] = self.numbers.array(self.values[name]) + step * self.numbers.array(by)
        changed = downstream(direction, self.layout.reads(self.base.stops))
        return evaluate(
            self.program,
            values,
            self.sizes,
            self.numbers,
            self.base.stops,
            held=self.base.branches if held else None,
            given=self._unmoved(changed),
            outputs=(self.loss,),
            layout=self.layout,
        )

    def at(self, direction: Direction, step: Any, *, held: bool = False) -> Any:
        return self.moved(direction, step, held=held).values[self.loss][()]

    def along(self, direction: Direction, steps: Sequence[float]) -> list[float]:
        """The loss at x + step*direction for each step, along the branches taken at x."""
        moves = [(direction, step) for step in steps]
        return [float(near.loss) for near in self.probes(moves, held=True)]

    def probes(self, moves: Sequence[Move], *, held: bool) -> list[Near]:
        """The loss at x + step*direction for many moves of the same tensors; `held` as in `moved`.

        One evaluation serves many: a probe alone costs little more than the calls to NumPy.
        """
        moving = self._moving(moves)
        if self.loss not in moving:
            return [Near(self.value, True)] * len(moves)
        found: list[Near] = []
        for some in self._at_once(moves, moving):
            result = self._together(some, moving, (self.loss,), held)
            same = np.ones(len(some), dtype=bool)
            for (number, node), taken in ({} if held else result.branches).items():
                if self.program.equations[number].target.tensor in moving:
                    differs = np.asarray(taken != self.base.branches[number, node])
                    rank = 1 + len(self.layout.grid(number).box)  # of stops alone: no probes
                    differs = differs[(np.newaxis,) * (rank - differs.ndim)]
                    same &= ~differs.any(axis=tuple(range(1, rank)))
            losses = result.values[self.loss]
            found += [Near(losses[k], bool(same[k])) for k in range(len(some))]
        return found

    def tensors(self, moves: Sequence[Move], names: Sequence[str]) -> dict[str, Array]:
        """Tensors behind the loss at each x + step*direction, along the branches taken at x.

        Their first axis is that of the moves.
        """
        moving = self._moving(moves)
        found: dict[str, list[Array]] = {name: [] for name in names}
        for some in self._at_once(moves, moving):
            result = self._together(some, moving, names, True)
            for name in names:
                shape = (len(some), *self.base.values[name].shape)
                found[name].append(np.broadcast_to(result.values[name], shape))
        return {name: np.concatenate(parts) for name, parts in found.items()}

    def _moving(self, moves: Sequence[Move]) -> frozenset[str]:
        """What moves, of all that the loss depends on."""
        names = moves[0][0] if moves else ()
        return downstream(names, self.layout.reads(self.base.stops)) & {*self.base.values}

    def _at_once(self, moves: Sequence[Move], moving: frozenset[str]) -> Iterator[Sequence[Move]]:
        """As many moves as one evaluation has room for."""
        points = max(1, work(self.program, self.layout.sizes, moving))
        room = ROOM if isinstance(self.numbers, Float64) else EXACT_ROOM
        at_once = max(1, room // points)
        for start in range(0, len(moves), at_once):
            yield moves[start : start + at_once]

    def _together(
        self, moves: Sequence[Move], moving: frozenset[str], names: Sequence[str], held: bool
    ) -> Result:
        """Some tensors at all of the moves, in one evaluation; what moves has one more axis."""
        moved = {}
        for name in moves[0][0]:
            far = [step * self.numbers.array(direction[name]) for direction, step in moves]
            moved[name] = self.numbers.array(self.values[name]) + np.stack(far)
        return evaluate(
            self.program,
            self.values,
            self.sizes,
            self.numbers,
            self.base.stops,
            held=self.base.branches if held else None,
            given={**self._unmoved(moving), **moved},
            outputs=names,
            layout=self.layout,
            probes=Probes(len(moves), moving),
        )

    def _unmoved(self, moving: frozenset[str]) -> dict[str, Array]:
        """The computed tensors that stay as they are."""
        computed = self.program.writers
        return {n: a for n, a in self.base.values.items() if n in computed and n not in moving}
