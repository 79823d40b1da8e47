"""Collects arrays and steps while a program is lowered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod

from sympy import Integer

from symgrad.algebra.access import Affine
from symgrad.algebra.program import Kind, Program, Range, fresh_name
from symgrad.algebra.sizes import Size
from symgrad.plan.steps import Copy, Scalar, Step
from symgrad.plan.views import (
    Array,
    Operand,
    Storage,
    Strided,
    View,
    each,
    plainly,
    whole,
)

Ranges = Mapping[str, Range]
SPARES = ("t", "at")
"""The stems of buffers that hold no tensor: values on the way, and positions."""
TYPICAL = 32
"""What a free size counts as when costs are compared."""


@dataclass
class Builder:
    """The state of one lowering.

    loops:  the indices that a loop around the next step fixes.
    places: the integers that are subscripts of their own: rank-0 tensors, reads that a loop fixes.
    """

    program: Program
    arrays: dict[str, Array] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    loops: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    cache: dict[object, View | Strided] = field(default_factory=dict)
    scalars: set[str] = field(default_factory=set)
    temporaries: int = 0

    @property
    def fixed(self) -> frozenset[str]:
        """What stands in subscripts as a single number."""
        return frozenset((*self.loops, *self.places))

    def fixes(self, subscript: Affine) -> bool:
        """Whether a subscript is a single number that moves with a loop or is data."""
        return bool(subscript.terms) and subscript.indices <= self.fixed

    def free(self, subscript: Affine) -> list[tuple[str, Size]]:
        """The terms of a subscript that are no single number."""
        return [(i, c) for i, c in subscript.terms if i not in self.fixed]

    def typical(self, size: Size) -> int:
        """A size as a number, for comparing costs."""
        known = {
            name: value if value is not None else TYPICAL for name, value in self.program.sizes
        }
        return max(1, size.evaluate(known))

    def cost(self, indices: Sequence[str] | frozenset[str], ranges: Ranges) -> int:
        return prod((self.typical(ranges[i].count) for i in indices), start=1)

    @contextmanager
    def at(self, *places: str) -> Iterator[None]:
        """Those integers are single numbers here."""
        outer = self.places
        self.places = (*outer, *places)
        yield
        self.places = outer

    @contextmanager
    def inside(self, *loops: str) -> Iterator[list[Step]]:
        """Steps added here go into the yielded list: the body of a loop."""
        outer = self.steps, self.cache, self.loops
        self.steps, self.cache, self.loops = [], dict(self.cache), (*self.loops, *loops)
        yield self.steps
        self.steps, self.cache, self.loops = outer

    def add(self, *steps: Step) -> None:
        self.steps.extend(steps)

    # ---- arrays -------------------------------------------------------------------------------

    def array(
        self,
        name: str,
        shape: tuple[Size, ...],
        kind: Kind = "real",
        storage: Storage = "buffer",
        spare: bool = False,
    ) -> Array:
        new = fresh_name(name, {*self.arrays, *self.program.names})
        made = Array(new, shape, kind, storage, local=bool(self.loops), spare=spare)
        self.arrays[made.name] = made
        return made

    def temporary(
        self, dims: Sequence[str], ranges: Ranges, kind: Kind = "real", stem: str = "t"
    ) -> Operand:
        """A new buffer over `dims`."""
        spare = stem in SPARES
        if spare:
            self.temporaries += 1
        shape = tuple(ranges[d].count for d in dims)
        name = f"{stem}_{self.temporaries}" if spare else stem
        return plainly(whole(self.array(name, shape, kind, spare=spare), dims))

    def constant(self, start: Size, count: Size, step: Size, kind: Kind) -> Array:
        """The array start, start + step, ... as numbers of that kind."""
        for array in self.arrays.values():
            if array.values == (start, step) and array.shape == (count,) and array.kind == kind:
                return array
        name = self.array("arange", (count,), kind, "constant").name
        self.arrays[name] = Array(name, (count,), kind, "constant", (start, step))
        return self.arrays[name]

    def scalar_name(self) -> str:
        """A new name for a rank-0 value."""
        known = {*self.arrays, *self.program.names, *self.scalars}
        made = fresh_name(f"s_{len(self.scalars) + 1}", known)
        self.scalars.add(made)
        return made


def fill(array: Array, value: int) -> Copy:
    """array = value, everywhere."""
    dims = [f"@{n}" for n in range(len(array.shape))]
    return Copy(Scalar(Integer(value)), plainly(whole(array, dims)))


def contiguous(builder: Builder, operand: Operand) -> Operand:
    """The operand, or a copy where it is not in one piece: `np.take` would make one each time."""
    lies_well = operand.view.is_dense and not operand.is_transposed
    return operand if lies_well else copied(builder, operand)


def copied(builder: Builder, operand: Operand) -> Operand:
    """The same dimensions, from a contiguous copy laid out for them."""
    return Operand(whole_copy(builder, operand), operand.layout)


def whole_copy(builder: Builder, operand: Operand) -> View:
    """A contiguous copy, its axes in the operand's order."""
    dims, sizes = operand.order, operand.view.sizes
    key = ("copy", operand.view, dims)
    if isinstance(found := builder.cache.get(key), View):
        return found
    of = builder.arrays[operand.array]
    what = "windows" if len(dims) > len(of.shape) else "copy"
    name = f"{of.name.removesuffix('_pad')}_{what}"
    out = whole(builder.array(name, tuple(sizes[d] for d in dims), of.kind), dims)
    builder.add(Copy(Operand(operand.view, each(dims)), plainly(out)))
    builder.cache[key] = out
    return out


def known_copies(builder: Builder, view: View | Strided) -> list[View | Strided]:
    """The view, and the contiguous copies of it that exist, however their axes are ordered."""
    copies = [
        made
        for key, made in builder.cache.items()
        if isinstance(key, tuple) and key[0] == "copy" and key[1] == view
    ]
    return [view, *copies]
