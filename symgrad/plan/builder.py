"""Collects arrays and steps while a program is lowered, and turns reads into views."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod

from sympy import Integer

from symgrad.algebra.access import Affine
from symgrad.algebra.program import Kind, Program, Range, fresh_name
from symgrad.algebra.sizes import ONE, Size
from symgrad.plan.steps import (
    Array,
    Copy,
    Operand,
    Scalar,
    Slice,
    Step,
    Storage,
    Strided,
    View,
)

Ranges = Mapping[str, Range]
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

    def add(self, *steps: Step) -> None:
        self.steps.extend(steps)

    def array(
        self, name: str, shape: tuple[Size, ...], kind: Kind = "real", storage: Storage = "buffer"
    ) -> Array:
        made = Array(
            fresh_name(name, {*self.arrays, *self.program.names}),
            shape,
            kind,
            storage,
            local=bool(self.loops),
        )
        self.arrays[made.name] = made
        return made

    def temporary(
        self, dims: Sequence[str], ranges: Ranges, kind: Kind = "real", stem: str = "t"
    ) -> View:
        """A new buffer over `dims`."""
        if stem == "t":
            self.temporaries += 1
            stem = f"t_{self.temporaries}"
        return whole(self.array(stem, tuple(ranges[d].count for d in dims), kind), dims)

    def constant(self, start: Size, count: Size, step: Size, kind: Kind) -> str:
        """The array start, start + step, ... as numbers of that kind."""
        for array in self.arrays.values():
            if array.values == (start, step) and array.shape == (count,) and array.kind == kind:
                return array.name
        made = self.array("arange", (count,), kind, "constant")
        self.arrays[made.name] = Array(made.name, (count,), kind, "constant", (start, step))
        return made.name

    @contextmanager
    def inside(self, *loops: str) -> Iterator[list[Step]]:
        """Steps added here go into the yielded list: the body of a loop."""
        outer, cache = self.steps, self.cache
        self.steps, self.cache, self.loops = [], dict(cache), (*self.loops, *loops)
        yield self.steps
        self.steps, self.cache, self.loops = (
            outer,
            cache,
            self.loops[: len(self.loops) - len(loops)],
        )


def whole(array: Array, dims: Sequence[str]) -> View:
    """All of an array, its axes named."""
    picks = (Slice(d, Affine(), size, ONE, True) for d, size in zip(dims, array.shape, strict=True))
    return View(array.name, tuple(picks))


def laid_out(view: View | Strided, dims: Sequence[str]) -> Operand:
    """The view's dimensions in the order of `dims`, with new axes where it has none."""
    present = set(view.dims)
    layout = [(d,) if d in present else () for d in dims]
    while layout and layout[0] == ():
        layout.pop(0)
    return Operand(view, tuple(layout))


def fill(array: Array, value: int) -> Copy:
    """array = value, everywhere."""
    from_number = Scalar(Integer(value))
    dims = [f"@{n}" for n in range(len(array.shape))]
    return Copy(from_number, Operand(whole(array, dims), tuple((d,) for d in dims)))


def is_whole(operand: Operand) -> bool:
    """Whether the operand is an array as it lies, every place of it."""
    view = operand.view
    if not isinstance(view, View) or operand.layout != tuple((d,) for d in view.dims):
        return False
    return all(isinstance(p, Slice) and p.whole for p in view.picks)


def contiguous(builder: Builder, operand: Operand, ranges: Ranges) -> Operand:
    """The operand, or a copy where it is not a whole array: `np.take` would make one each time."""
    flat = tuple((d,) for group in operand.layout for d in group)
    lies_well = not operand.view.dims or is_whole(Operand(operand.view, flat))
    return operand if lies_well else copied(builder, operand, ranges)


def copied(builder: Builder, operand: Operand, ranges: Ranges) -> Operand:
    """The same dimensions, from a contiguous copy laid out for them."""
    dims = [d for group in operand.layout for d in group]
    sizes = (
        {p.index: p.count for p in operand.view.picks if isinstance(p, Slice)}
        if isinstance(operand.view, View)
        else dict(zip(operand.view.dims, operand.view.counts, strict=True))
    )
    key = ("copy", operand.view, tuple(dims))
    if key not in builder.cache:
        array = builder.array(
            f"{operand.array}_t", tuple(sizes[d] for d in dims), builder.arrays[operand.array].kind
        )
        out = whole(array, dims)
        flat = tuple((d,) for d in dims)
        builder.add(Copy(Operand(operand.view, flat), Operand(out, flat)))
        builder.cache[key] = out
    return Operand(builder.cache[key], operand.layout)


def known_copies(builder: Builder, view: View | Strided) -> list[View | Strided]:
    """The view, and the contiguous copies of it that exist, however their axes are ordered."""
    copies = [
        made
        for key, made in builder.cache.items()
        if isinstance(key, tuple) and key[0] == "copy" and key[1] == view
    ]
    return [view, *copies]


def mergeable(operand: Operand) -> bool:
    """Whether every merged group is a run of whole neighbouring axes: no copy to reshape."""
    groups = [g for g in operand.layout if len(g) > 1]
    if not groups:
        return True
    if isinstance(operand.view, Strided):
        return False
    place = {p.index: n for n, p in enumerate(operand.view.picks) if isinstance(p, Slice)}
    for group in groups:
        for outer, inner in pairwise(group):
            pick = operand.view.picks[place[inner]]
            if place[inner] != place[outer] + 1 or not (isinstance(pick, Slice) and pick.whole):
                return False
        first = operand.view.picks[place[group[0]]]
        if not (isinstance(first, Slice) and first.step == ONE):
            return False
    return True
