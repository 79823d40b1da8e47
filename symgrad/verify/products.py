"""Products along a direction v, from differences of the loss and of its outputs alone.

    jvp    d/dt L(x + t v)
    hvp    d'H v = d2/ds dt L(x + s d + t v)
    ggn    d'J'H J v = d2/ds dt L(z + s Jd + t Jv), of the loss as a function of the outputs z
    fvp    the same, and damping d'v

z, and the inputs that reach the loss past it, move by themselves: what z is computed from stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from symgrad.algebra.program import Program, Tensor, fresh_name
from symgrad.verify.arithmetic import Array, Digits
from symgrad.verify.differences import Slope, best, heights, slope, unit_of
from symgrad.verify.graph import groups
from symgrad.verify.nearby import Direction, Point
from symgrad.verify.rounding import EPS
from symgrad.verify.second import second_slopes

DAMPING = 0.375
"""What a check passes for it: a number that float32 holds."""


@dataclass(frozen=True)
class Seen:
    """A direction and what it is of the outputs; how far these move, and may be off."""

    by: Direction
    far: float
    off: float


@dataclass(frozen=True)
class Along:
    """A product at a point, along a direction of every tensor in wrt. through: the outputs z."""

    point: Point
    along: Direction
    through: tuple[str, ...]

    def jvp(self, directions: Sequence[Direction]) -> list[Slope]:
        """The slope along v: it has no entries."""
        return [slope(self.point, self.along) for _ in directions]

    def hvp(self, directions: Sequence[Direction]) -> list[Slope]:
        return [*second_slopes(self.point, [(self.whole(d), self.along) for d in directions])]

    def ggn(self, directions: Sequence[Direction]) -> list[Slope]:
        v, *seen = self.seen([self.along, *map(self.whole, directions)])
        found = second_slopes(self.above, [(d.by, v.by) for d in seen])
        return [
            replace(s, bound=s.bound + 10 * max(v.off, d.off) * s.size / (max(v.far, d.far) or 1))
            for s, d in zip(found, seen, strict=True)
        ]

    def fvp(self, directions: Sequence[Direction]) -> list[Slope]:
        numbers = self.point.numbers
        found = []
        for d, one in zip(directions, self.ggn(directions), strict=True):
            inner = sum(np.sum(numbers.array(d[x] * self.along[x])) for x in d)
            found.append(replace(one, value=one.value + DAMPING * inner))
        return found

    def whole(self, direction: Direction) -> Direction:
        """0 for the tensors that it does not move."""
        return {x: direction.get(x, np.zeros_like(by)) for x, by in self.along.items()}

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The outputs that the loss depends on."""
        return tuple(z for z in self.through if z in self.point.base.values)

    @cached_property
    def data(self) -> Mapping[str, str]:
        """The name of each output as a datum."""
        return {z: fresh_name(f"{z}_given", self.point.program.names) for z in self.outputs}

    @cached_property
    def above(self) -> Point:
        """The loss as a function of z and of the inputs."""
        point, data = self.point, self.data
        reads = point.layout.reads(()).by_tensor
        below = {name for group in groups(self.outputs, reads) for name in group}
        program = point.program.map_equations(
            lambda e: (
                e if e.target.tensor in below else e.renamed(lambda name: data.get(name, name))
            )
        )
        given = tuple(Tensor(data[z], program.tensor_of[z].shape, role="data") for z in data)
        values = {**point.values, **{data[z]: point.base.values[z] for z in data}}
        program = replace(program, tensors=(*program.tensors, *given))
        return Point(program, point.loss, values, point.sizes, point.numbers)

    def seen(self, directions: Sequence[Direction]) -> list[Seen]:
        """J d of each output, by central differences, beside each d."""
        numbers = self.point.numbers
        if isinstance(numbers, Digits):
            h = numbers.ratio(1, 10 ** (numbers.digits // 3))[()]
            steps: list[list[Any]] = [[h]] * len(directions)
        else:
            steps = [[h * unit_of(d) for h in heights()] for d in directions]
        moves = [
            (d, side * step)
            for d, own in zip(directions, steps, strict=True)
            for step in own
            for side in (1, -1)
        ]
        after = self.point.tensors(moves, self.outputs) if self.outputs else {}
        found, count = [], 2 * len(steps[0])
        for k, (d, own) in enumerate(zip(directions, steps, strict=True)):
            mine = {z: array[k * count : (k + 1) * count] for z, array in after.items()}
            found.append(self.quotients(d, own, mine))
        return found

    def quotients(self, d: Direction, steps: Sequence[Any], after: Mapping[str, Array]) -> Seen:
        """after: each output at +step and at -step, for each step."""
        by, far, off = dict(d), 0.0, 0.0
        for z, array in after.items():
            noise = 8 * EPS * self.point.base.magnitudes[z]
            with np.errstate(invalid="ignore", over="ignore"):
                rows = [
                    ((array[2 * n] - array[2 * n + 1]) / (2 * step), noise / step)
                    for n, step in enumerate(steps)
                ]
                moved, error = best(rows) if len(rows) > 1 else (rows[0][0], np.zeros(()))
            by[self.data[z]] = moved
            far = max(far, float(np.max(np.abs(moved), initial=0.0)))
            off = max(off, float(np.max(error, initial=0.0)))
        return Seen(by, far, off)


ORACLES: Mapping[str, Callable[[Along, Sequence[Direction]], list[Slope]]] = {
    "jvp": Along.jvp,
    "hvp": Along.hvp,
    "ggn": Along.ggn,
    "fvp": Along.fvp,
}
"""The differences behind each product."""


def damping_name(program: Program, product: str) -> str:
    """The datum that a module's function takes beside the spec's; "" if none."""
    return fresh_name("damping", program.names) if product == "fvp" else ""
