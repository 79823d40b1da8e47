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
from symgrad.verify.evaluate import evaluate
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
        v, seen = self.seen, [self.moved(self.whole(d)) for d in directions]
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

    @cached_property
    def seen(self) -> Seen:
        """J v, beside v itself."""
        return self.moved(self.along)

    def moved(self, direction: Direction) -> Seen:
        """J d of each output, beside d itself."""
        numbers, off = self.point.numbers, 0.0
        if isinstance(numbers, Digits):
            found = self.quotient(direction, numbers.ratio(1, 10 ** (numbers.digits // 3))[()])
        else:
            found, off = self.extrapolated(direction)
        far = max((float(np.max(np.abs(by), initial=0.0)) for by in found.values()), default=0.0)
        return Seen({**direction, **{self.data[z]: by for z, by in found.items()}}, far, off)

    def extrapolated(self, direction: Direction) -> tuple[dict[str, Array], float]:
        unit = unit_of(direction)
        steps = [height * unit for height in heights()]
        quotients = [self.quotient(direction, step) for step in steps]
        found, off = {}, 0.0
        for z in self.outputs:
            noise = 8 * EPS * self.point.base.magnitudes[z]
            rows = [(q[z], noise / step) for q, step in zip(quotients, steps, strict=True)]
            with np.errstate(invalid="ignore", over="ignore"):
                found[z], error = best(rows)
            off = max(off, float(np.max(error, initial=0.0)))
        return found, off

    def quotient(self, direction: Direction, step: Any) -> dict[str, Array]:
        """(z(x + step d) - z(x - step d))/2 step, stops and branches held."""
        point, sides = self.point, []
        for side in (step, -step):
            values = dict(point.values)
            for name, by in direction.items():
                moved = side * point.numbers.array(by)
                values[name] = point.numbers.array(point.values[name]) + moved
            found = evaluate(
                point.program,
                values,
                point.sizes,
                point.numbers,
                point.base.stops,
                held=point.base.branches,
                outputs=self.outputs,
                layout=point.layout,
            )
            sides.append(found.values)
        return {z: (sides[0][z] - sides[1][z]) / (2 * step) for z in self.outputs}


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
