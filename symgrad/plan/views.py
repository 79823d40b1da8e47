"""Arrays and the parts of them that a step sees. Backend-neutral: an emitter prints them.

A View names an array and what each of its axes is picked at; an Operand lays the view's indices out
as the dimensions that a step sees: transposed, merged into one, or new axes of length 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import dropwhile, pairwise
from typing import Literal

from symgrad.algebra.access import Affine
from symgrad.algebra.program import Kind
from symgrad.algebra.sizes import ONE, Size

Storage = Literal["input", "param", "buffer", "gradient", "constant"]


@dataclass(frozen=True)
class Array:
    """A named array in memory, C-contiguous.

    values: of a constant: start + step * (0, 1, ..., n - 1).
    local:  made inside a loop: written anew in each iteration before it is read.
    spare:  it holds no tensor; its name is a number.
    """

    name: str
    shape: tuple[Size, ...]
    kind: Kind = "real"
    storage: Storage = "buffer"
    values: tuple[Size, Size] | None = None
    local: bool = False
    spare: bool = False


@dataclass(frozen=True)
class Slice:
    """The places start, start + step, ... (`count` of them) of an axis; `whole` is all of it."""

    index: str
    start: Affine
    count: Size
    step: Size
    whole: bool


@dataclass(frozen=True)
class At:
    """One place of an axis."""

    place: Affine


@dataclass(frozen=True)
class View:
    """array[picks]: one dimension for each Slice, in the order of the axes.

    shape: the axes that are picked from, where these are not the array's own: it is reshaped.
    """

    array: str
    picks: tuple[Slice | At, ...]
    shape: tuple[Size, ...] | None = None

    @cached_property
    def dims(self) -> tuple[str, ...]:
        return tuple(p.index for p in self.picks if isinstance(p, Slice))

    @cached_property
    def sizes(self) -> Mapping[str, Size]:
        """How long each dimension is."""
        return {p.index: p.count for p in self.picks if isinstance(p, Slice)}

    @cached_property
    def is_whole(self) -> bool:
        """Whether it is every place of the array."""
        return all(isinstance(p, Slice) and p.whole for p in self.picks)

    @cached_property
    def is_dense(self) -> bool:
        """Whether it is one piece of memory in order: single places, then whole axes."""
        rest = dropwhile(lambda pick: isinstance(pick, At), self.picks)
        return all(isinstance(p, Slice) and p.whole for p in rest)


@dataclass(frozen=True)
class Strided:
    """out[p] = array[start + sum of p[d] * steps[d]]: windows and diagonals, without a copy."""

    array: str
    starts: tuple[Affine, ...]
    dims: tuple[str, ...]
    counts: tuple[Size, ...]
    steps: tuple[tuple[Size, ...], ...]

    @cached_property
    def sizes(self) -> Mapping[str, Size]:
        """How long each dimension is."""
        return dict(zip(self.dims, self.counts, strict=True))

    @property
    def is_whole(self) -> bool:
        return False

    @property
    def is_dense(self) -> bool:
        return False


Layout = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Operand:
    """A view as a step sees it: a dimension is a group of indices; () is a new axis of length 1."""

    view: View | Strided
    layout: Layout

    @property
    def array(self) -> str:
        return self.view.array

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The indices, outermost first."""
        return tuple(d for group in self.layout for d in group)

    @property
    def is_transposed(self) -> bool:
        return self.order != self.view.dims

    @cached_property
    def is_whole(self) -> bool:
        """Whether the operand is an array as it lies, every place of it."""
        reshaped = isinstance(self.view, View) and self.view.shape is not None
        return self.view.is_whole and not reshaped and self.layout == each(self.view.dims)


def each(dims: Sequence[str]) -> Layout:
    """Every index a dimension of its own."""
    return tuple((d,) for d in dims)


def whole(array: Array, dims: Sequence[str]) -> View:
    """All of an array, its axes named."""
    picks = (Slice(d, Affine(), size, ONE, True) for d, size in zip(dims, array.shape, strict=True))
    return View(array.name, tuple(picks))


def plainly(view: View | Strided) -> Operand:
    """The view's dimensions as they are."""
    return Operand(view, each(view.dims))


def laid_out(view: View | Strided, dims: Sequence[str]) -> Operand:
    """The view's dimensions in the order of `dims`, with new axes where it has none."""
    present = set(view.dims)
    layout = [(d,) if d in present else () for d in dims]
    while layout and layout[0] == ():
        layout.pop(0)
    return Operand(view, tuple(layout))


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
