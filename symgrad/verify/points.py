"""Index grids: the points of a box, and reading and writing X[g(I)] at all of them.

A tensor may have one more axis in front, of nearby points: what reads it has it too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod

import numpy as np

from symgrad.algebra.access import Access, Affine, Subscript
from symgrad.algebra.program import Program, Range
from symgrad.algebra.sizes import Size
from symgrad.errors import ProgramError
from symgrad.verify.arithmetic import Array, Numbers
from symgrad.verify.graph import Node, Reads, groups, reads_of
from symgrad.verify.recurrence import Course, Writer, course_of


@dataclass(frozen=True)
class Places:
    """Flat positions in an array, and which of them lie inside it.

    everywhere: whether all do; in_order: whether they are all of its places, one after the other.
    apart: whether no two of them are known to be one place.
    """

    flat: Array
    inside: Array
    everywhere: bool
    in_order: bool
    apart: bool


@dataclass(frozen=True)
class Grid:
    """The points of a box: one axis for each index, in box order.

    shapes: of the tensors.
    known: places found before, by the identity of the access, since to hash one takes longer.
    """

    box: tuple[Range, ...]
    sizes: Mapping[str, int]
    shapes: Mapping[str, tuple[int, ...]]
    known: dict[int, tuple[Access, Places]] = field(default_factory=dict)
    numbers: dict[Affine, Array] = field(default_factory=dict)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        return tuple(max(0, r.count.evaluate(self.sizes)) for r in self.box)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(r.index for r in self.box)

    def axes(self, names: Collection[str]) -> tuple[int, ...]:
        """Of these indices, counted from the last one, -1."""
        return tuple(self.names.index(name) - len(self.box) for name in names)

    def around(self, values: Collection[Array]) -> tuple[int, ...]:
        """The box's shape; the nearby points before it, where a value differs between them."""
        ahead = [value.shape[: max(0, value.ndim - len(self.box))] for value in values]
        return (*max(ahead, key=len), *self.shape)

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
class Order:
    """The tensors to compute, group by group, and what each reads that is not known.

    courses: of the groups that read themselves, those that have an order along one axis.
    """

    groups: Sequence[tuple[str, ...]]
    reads: Mapping[str, tuple[str, ...]]
    courses: Mapping[tuple[str, ...], Course]


@dataclass(frozen=True)
class Layout:
    """What sizes alone decide of a program: grids, shapes, what reads what; made once."""

    program: Program
    sizes: Mapping[str, int]
    _grids: dict[int, Grid] = field(default_factory=dict)
    _slices: dict[tuple[Writer, int], Grid | None] = field(default_factory=dict)
    _reads: dict[frozenset[Node], Reads] = field(default_factory=dict)
    _orders: dict[tuple[object, ...], Order] = field(default_factory=dict)
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
            box = self.program.equations[number].box
            self._grids[number] = Grid(box, self.sizes, self.shapes)
        return self._grids[number]

    def slice(self, writer: Writer, place: int) -> Grid | None:
        """The points of an equation that write at one place; None where none do."""
        key = writer, place
        if key not in self._slices:
            self._slices[key] = _sliced(self.grid(writer.equation), writer, place)
        return self._slices[key]

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

    def order(
        self, wanted: tuple[str, ...], frozen: Collection[Node], known: Collection[str]
    ) -> Order:
        """What some tensors need, where others are known."""
        key = wanted, frozenset(frozen), frozenset(known)
        if key not in self._orders:
            every = self.reads(frozen).by_tensor
            reads = {name: sources for name, sources in every.items() if name not in known}
            found = groups(wanted, reads)
            sizes, program, numbers = self.sizes, self.program, self.writers
            courses = {
                group: course
                for group in found
                if len(group) > 1 or group[0] in reads.get(group[0], ())
                if (course := course_of(program, numbers, sizes, group, frozen)) is not None
            }
            self._orders[key] = Order(found, reads, courses)
        return self._orders[key]


def _sliced(grid: Grid, writer: Writer, place: int) -> Grid | None:
    if not writer.index:
        return grid if place == writer.offset else None
    value = place - writer.offset
    (old,) = (r for r in grid.box if r.index == writer.index)
    if not old.lo.evaluate(grid.sizes) <= value < old.hi.evaluate(grid.sizes):
        return None
    alone = replace(old, lo=Size.of(value), hi=Size.of(value + 1))
    return Grid(tuple(alone if r is old else r for r in grid.box), grid.sizes, grid.shapes)


@dataclass(frozen=True)
class Probes:
    """Nearby points that one evaluation is of: so many, and the tensors that differ between them.

    Those have an axis of them in front.
    """

    count: int = 0
    moving: frozenset[str] = frozenset()

    def shape(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (self.count, *shape) if name in self.moving else shape


def places(access: Access, grid: Grid, tensors: Mapping[str, Array]) -> Places:
    """Where an access lies; found once, unless integer tensors decide it."""
    before = grid.known.get(id(access))
    if before is not None and before[0] is access:
        return before[1]
    shape = grid.shapes[access.tensor]
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
    if not all(isinstance(form, Affine) for form in access.subscripts):
        return Places(flat, inside, everywhere, in_order and flat.ndim <= len(grid.box), False)
    apart = in_order or np.unique(flat).size == flat.size
    found = Places(flat, inside, everywhere, in_order, apart)
    grid.known[id(access)] = access, found
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
    at = places(access, grid, tensors)
    many = source.ndim > len(access.subscripts)
    shape = _with_probes(at, grid, len(source)) if many else at.flat.shape
    if at.in_order:
        return source.reshape(shape)
    if not source.size:
        return np.asarray(np.broadcast_to(zero, shape))
    if not many:
        values = source.reshape(-1)[at.flat.reshape(-1)]
    elif at.flat.ndim > len(grid.box):  # which place it is differs between the points too
        values = np.take_along_axis(
            source.reshape(len(source), -1), at.flat.reshape(len(source), -1), axis=1
        )
    else:
        values = source.reshape(len(source), -1)[:, at.flat.reshape(-1)]
    values = values.reshape(shape)
    return values if at.everywhere else np.where(at.inside, values, zero)


def _with_probes(at: Places, grid: Grid, count: int) -> tuple[int, ...]:
    """The shape of what stands there at so many points: theirs, then all axes of the box."""
    inner = at.flat.shape[max(0, at.flat.ndim - len(grid.box)) :]
    return (count, *(1,) * (len(grid.box) - len(inner)), *inner)


def add_at(
    total: Array, access: Access, grid: Grid, tensors: Mapping[str, Array], values: Array
) -> None:
    """total[f(I)] += values, one by one; what a padded write puts outside is dropped."""
    at = places(access, grid, tensors)
    many = total.ndim > len(access.subscripts)
    shape = _with_probes(at, grid, len(total)) if many else at.flat.shape
    if at.in_order and _within(values.shape, shape):
        total.reshape(shape)[...] += values
        return
    flat, inside, values = _everywhere(total, at, grid, many, values)
    if at.apart and flat.shape == shape:
        total.reshape(-1)[flat[inside]] += values[inside]
    else:
        np.add.at(total.reshape(-1), flat[inside], values[inside])


def _within(shape: tuple[int, ...], larger: tuple[int, ...]) -> bool:
    """Whether what has this shape can be broadcast to the larger one."""
    pairs = zip(reversed(shape), reversed(larger), strict=False)
    return len(shape) <= len(larger) and all(n in (1, m) for n, m in pairs)


def put(
    total: Array, access: Access, grid: Grid, tensors: Mapping[str, Array], values: Array
) -> None:
    """total[f(I)] = values."""
    at = places(access, grid, tensors)
    many = total.ndim > len(access.subscripts)
    flat, inside, values = _everywhere(total, at, grid, many, values)
    total.reshape(-1)[flat[inside]] = values[inside]


def _everywhere(
    total: Array, at: Places, grid: Grid, many: bool, values: Array
) -> tuple[Array, Array, Array]:
    """The places in the raveled total, which of them are inside, and the values, in one shape."""
    flat = at.flat
    if many:
        first = np.arange(len(total)) * (total.size // max(1, len(total)))
        flat = flat + first.reshape(-1, *(1,) * len(grid.box))
    flat, inside, values = np.broadcast_arrays(flat, at.inside, values)
    return flat, inside, values
