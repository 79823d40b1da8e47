"""Index grids: the points of a box, and reading and writing X[g(I)] at all of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

import numpy as np

from symgrad.algebra.access import Access, Affine, Subscript
from symgrad.algebra.program import Program, Range
from symgrad.errors import ProgramError
from symgrad.verify.arithmetic import Array, Numbers
from symgrad.verify.graph import Node, Reads, reads_of


@dataclass(frozen=True)
class Places:
    """Flat positions in an array, and which of them lie inside it.

    everywhere: whether all do; in_order: whether they are all of its places, one after the other.
    """

    flat: Array
    inside: Array
    everywhere: bool
    in_order: bool


@dataclass(frozen=True)
class Grid:
    """The points of a box: one axis for each index, in box order.

    known: places found before, by the identity of the access, since to hash one takes longer.
    """

    box: tuple[Range, ...]
    sizes: Mapping[str, int]
    known: dict[tuple[int, tuple[int, ...]], tuple[Access, Places]] = field(default_factory=dict)
    numbers: dict[Affine, Array] = field(default_factory=dict)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        return tuple(max(0, r.count.evaluate(self.sizes)) for r in self.box)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(r.index for r in self.box)

    def index(self, name: str) -> Array:
        """The values of an index, along its own axis."""
        if name not in self.names:
            listed = ", ".join(self.names) or "none"
            raise ProgramError(f'index "{name}" is not in the box; its indices: {listed}')
        axis = self.names.index(name)
        values = np.arange(self.shape[axis]) + self.box[axis].lo.evaluate(self.sizes)
        return values.reshape([-1 if k == axis else 1 for k in range(len(self.box))])

    def affine(self, form: Affine) -> Array:
        """A form of indices and sizes, as integers."""
        if form not in self.numbers:
            total: Array = np.asarray(form.offset.evaluate(self.sizes), dtype=np.int64)
            for name, coefficient in form.terms:
                total = total + coefficient.evaluate(self.sizes) * self.index(name)
            self.numbers[form] = total
        return self.numbers[form]


@dataclass(frozen=True)
class Layout:
    """What sizes alone decide of a program: grids, shapes, what reads what; made once."""

    program: Program
    sizes: Mapping[str, int]
    _grids: dict[int, Grid] = field(default_factory=dict)
    _reads: dict[frozenset[Node], Reads] = field(default_factory=dict)
    _inputs: dict[tuple[str, Numbers], tuple[object, Array]] = field(default_factory=dict)

    @cached_property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {
            t.name: tuple(s.evaluate(self.sizes) for s in t.shape) for t in self.program.tensors
        }

    @cached_property
    def writers(self) -> Mapping[str, tuple[int, ...]]:
        """The numbers of the equations that write each tensor."""
        found: dict[str, tuple[int, ...]] = {}
        for number, equation in enumerate(self.program.equations):
            found[equation.target.tensor] = (*found.get(equation.target.tensor, ()), number)
        return found

    def grid(self, number: int) -> Grid:
        """The grid of an equation."""
        if number not in self._grids:
            self._grids[number] = Grid(self.program.equations[number].box, self.sizes)
        return self._grids[number]

    def input(
        self, name: str, numbers: Numbers, given: object, found: Callable[[], Array]
    ) -> Array:
        """An input in these numbers; found anew where it is another array than before."""
        known = self._inputs.get((name, numbers))
        if known is None or known[0] is not given:
            known = self._inputs[name, numbers] = given, found()
        return known[1]

    def reads(self, frozen: Collection[Node]) -> Reads:
        key = frozenset(frozen)
        if key not in self._reads:
            self._reads[key] = reads_of(self.program, key)
        return self._reads[key]


def places(
    access: Access, grid: Grid, tensors: Mapping[str, Array], shape: tuple[int, ...]
) -> Places:
    """Where an access lies; found once, unless integer tensors decide it."""
    before = grid.known.get((id(access), shape))
    if before is not None and before[0] is access:
        return before[1]
    if len(access.subscripts) != len(shape):
        raise ProgramError(
            f"{access}: {len(access.subscripts)} subscripts, but the tensor has {len(shape)} axes"
        )
    flat: Array = np.asarray(0, dtype=np.int64)
    inside: Array = np.asarray(True)
    for axis, (form, size) in enumerate(zip(access.subscripts, shape, strict=True)):
        at = _subscript(form, grid, tensors)
        fits = (at >= 0) & (at < size)
        if not access.padded and not fits.all():
            came = int(at[~fits].flat[0])
            raise ProgramError(
                f"{access}: subscript {axis + 1} takes the value {came}, but that "
                f"axis has {size} entries; limit the index with `for`, or read `pad(...)`"
            )
        inside = inside & fits
        flat = flat * size + np.clip(at, 0, max(0, size - 1))
    everywhere = bool(inside.all())
    every = flat.size == prod(shape) and everywhere
    in_order = every and bool((flat.reshape(-1) == np.arange(flat.size)).all())
    found = Places(flat, inside, everywhere, in_order)
    if all(isinstance(form, Affine) for form in access.subscripts):
        grid.known[id(access), shape] = access, found
    return found


def _subscript(form: Subscript, grid: Grid, tensors: Mapping[str, Array]) -> Array:
    if isinstance(form, Affine):
        return grid.affine(form)
    return read(form, grid, tensors, tensors[form.tensor], np.asarray(0)).astype(np.int64)


def read(
    access: Access, grid: Grid, tensors: Mapping[str, Array], source: Array, zero: Array
) -> Array:
    """X[g(I)], with length 1 along each index that g does not carry; 0 outside a padded X.

    tensors: the integers that subscripts read; source: the array X.
    """
    at = places(access, grid, tensors, source.shape)
    if at.in_order:
        return source.reshape(at.flat.shape)
    if not source.size:
        return np.asarray(np.broadcast_to(zero, at.flat.shape))
    values = source.reshape(-1)[at.flat.reshape(-1)].reshape(at.flat.shape)
    return values if at.everywhere else np.where(at.inside, values, zero)


def add_at(
    total: Array, access: Access, grid: Grid, tensors: Mapping[str, Array], values: Array
) -> None:
    """total[f(I)] += values, one by one; what a padded write puts outside is dropped."""
    at = places(access, grid, tensors, total.shape)
    if at.in_order and np.broadcast_shapes(at.flat.shape, values.shape) == at.flat.shape:
        total.reshape(at.flat.shape)[...] += values
        return
    if at.everywhere and at.flat.shape == values.shape:
        np.add.at(total.reshape(-1), at.flat, values)
        return
    flat, inside, values = np.broadcast_arrays(at.flat, at.inside, values)
    np.add.at(total.reshape(-1), flat[inside], values[inside])


def put(
    total: Array, access: Access, grid: Grid, tensors: Mapping[str, Array], values: Array
) -> None:
    """total[f(I)] = values."""
    at = places(access, grid, tensors, total.shape)
    flat, inside, values = np.broadcast_arrays(at.flat, at.inside, values)
    total.reshape(-1)[flat[inside]] = values[inside]
