"""A loss at a base point, and at points near it: stops held, branches held where asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from symgrad.algebra.program import Program
from symgrad.verify.arithmetic import FLOAT64, Array, Numbers
from symgrad.verify.evaluate import Result, evaluate
from symgrad.verify.graph import downstream
from symgrad.verify.inputs import checked_sizes
from symgrad.verify.points import Layout
from symgrad.verify.stack import stacked

Direction = Mapping[str, Array]
"""How far each entry of each tensor moves in one unit of step."""

ROOM = 3_000_000  # box points of one float64 evaluation of several probes
TINY = 2.0**-46  # a step that moves the loss by little more than rounding


@dataclass(frozen=True)
class Point:
    """A loss at a base point. values: the inputs, as float64 arrays, integers and bools."""

    program: Program
    loss: str
    values: Mapping[str, Array]
    sizes: Mapping[str, int]
    numbers: Numbers = FLOAT64
    _stacks: dict[tuple[frozenset[str], int], Layout] = field(default_factory=dict)

    @cached_property
    def layout(self) -> Layout:
        return Layout(self.program, checked_sizes(self.program, self.sizes))

    @cached_property
    def base(self) -> Result:
        return evaluate(
            self.program,
            self.values,
            self.sizes,
            self.numbers,
            outputs=(self.loss,),
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
        """How far rounding moves the loss: how far it is from a line over tiny steps."""
        rng = np.random.default_rng(0)
        inputs = [t for t in self.program.tensors if t.role != "computed" and t.kind == "real"]
        direction = {
            t.name: np.asarray(
                self.values[t.name] * rng.choice([-1.0, 1.0], self.layout.shapes[t.name])
            )
            for t in inputs
            if t.name in self.values
        }
        steps = np.arange(-4, 5)
        losses = self.along(direction, [float(k) * TINY for k in steps])
        line = np.polynomial.Polynomial.fit(steps, losses, 1)
        return float(np.max(np.abs(line(steps) - losses))) + 2.0**-52 * abs(float(self.value))

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
            given={
                n: a for n, a in self.base.values.items() if self._computed(n) and n not in changed
            },
            outputs=(self.loss,),
            layout=self.layout,
        )

    def at(self, direction: Direction, step: Any, *, held: bool = False) -> Any:
        return self.moved(direction, step, held=held).values[self.loss][()]

    def along(self, direction: Direction, steps: Sequence[float]) -> list[float]:
        """The loss at x + step*direction for each step, along the branches taken at x."""
        moving = downstream(direction, self.layout.reads(self.base.stops)) & {*self.base.values}
        if self.loss not in moving:
            return [float(self.value)] * len(steps)
        room = max(1, ROOM // sum(prod(self.layout.grid(n).shape) for n in self._equations))
        found: list[float] = []
        for start in range(0, len(steps), room):
            found += self._together(direction, steps[start : start + room], moving)
        return found

    @property
    def _equations(self) -> range:
        return range(len(self.program.equations))

    def _together(
        self, direction: Direction, steps: Sequence[float], moving: frozenset[str]
    ) -> list[float]:
        """The same, all steps in one evaluation."""
        key = moving, len(steps)
        if key not in self._stacks:
            program = stacked(self.program, moving, len(steps))
            self._stacks[key] = Layout(program, self.layout.sizes)
        layout = self._stacks[key]
        values = dict(self.values)
        for name, by in direction.items():
            far = np.asarray(steps).reshape([-1, *(1 for _ in np.shape(by))])
            values[name] = np.asarray(self.values[name]) + far * by
        result = evaluate(
            layout.program,
            values,
            layout.sizes,
            self.numbers,
            self.base.stops,
            held=self.base.branches,
            given={
                n: a for n, a in self.base.values.items() if self._computed(n) and n not in moving
            },
            outputs=(self.loss,),
            layout=layout,
        )
        return [float(value) for value in result.values[self.loss]]

    def _computed(self, name: str) -> bool:
        return name in self.program.writers

    def same_branches(self, result: Result) -> bool:
        return all(
            np.array_equal(self.base.branches[node], taken)
            for node, taken in result.branches.items()
        )
