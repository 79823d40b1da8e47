"""Reads -> views: slices where they suffice, strides for windows, copies for pads and gathers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import bounds
from symgrad.algebra.sizes import ONE, ZERO, Size, largest
from symgrad.errors import ProgramError
from symgrad.plan.builder import (
    Builder,
    Ranges,
    contiguous,
    copied,
    fill,
    is_whole,
    laid_out,
    whole,
)
from symgrad.plan.steps import (
    Array,
    At,
    Copy,
    Guard,
    Layout,
    Operand,
    Positions,
    Slice,
    Step,
    Strided,
    Take,
    View,
)


def read(builder: Builder, access: Access, ranges: Ranges) -> View | Strided:
    """The view that an access of rank > 0 takes of its tensor; pads, gathers are copied first."""
    if any(isinstance(s, Access) for s in access.subscripts):
        return _gathered(builder, access, ranges)
    array, subscripts = builder.arrays[access.tensor], _affine(access)
    if access.padded:
        array, subscripts = _padded(builder, access, ranges)
    return affine_view(builder, array, subscripts, ranges)


def _affine(access: Access) -> tuple[Affine, ...]:
    return tuple(s for s in access.subscripts if isinstance(s, Affine))


def affine_view(
    builder: Builder, array: Array, subscripts: Sequence[Affine], ranges: Ranges
) -> View | Strided:
    """Slices where each index stands alone on one axis with a positive step, else strides."""
    free = [[(i, c) for i, c in s.terms if i not in builder.fixed] for s in subscripts]
    indices = [i for terms in free for i, _ in terms]
    starts = [_start(s, ranges, builder.fixed) for s in subscripts]
    simple = all(len(terms) <= 1 and all(c.is_positive() for _, c in terms) for terms in free)
    if simple and len(set(indices)) == len(indices):
        picks: list[Slice | At] = []
        for terms, start, size in zip(free, starts, array.shape, strict=True):
            if not terms:
                picks.append(At(start))
                continue
            (index, step), count = terms[0], ranges[terms[0][0]].count
            picks.append(
                Slice(
                    index, start, count, step, start == Affine() and step == ONE and count == size
                )
            )
        return View(array.name, tuple(picks))
    dims = tuple(dict.fromkeys(indices))
    steps = tuple(tuple(dict(terms).get(d, ZERO) for terms in free) for d in dims)
    return Strided(array.name, tuple(starts), dims, tuple(ranges[d].count for d in dims), steps)


def _start(subscript: Affine, ranges: Ranges, fixed: frozenset[str]) -> Affine:
    """The subscript's value where every index that is not fixed is at its lowest."""
    lows = {i: Affine((), ranges[i].lo) for i in subscript.indices if i not in fixed}
    return subscript.substitute(lows)


def margins(builder: Builder, access: Access, ranges: Ranges) -> list[tuple[Size, Size]]:
    """For each axis, how far the access reaches below 0 and beyond the end."""
    found = []
    for subscript, size in zip(
        _affine(access), builder.program.tensor_of[access.tensor].shape, strict=True
    ):
        if subscript.indices & set(builder.places):  # an integer's bound keeps it inside
            found.append((ZERO, ZERO))
            continue
        reach = bounds(subscript, ranges)
        if reach is None:
            raise ProgramError(f"{access}: the sign of a coefficient in {subscript} is not known")
        found.append((largest(ZERO, ZERO - reach[0]), largest(ZERO, reach[1] - size + 1)))
    return found


@dataclass(frozen=True)
class Border:
    """Room around a tensor for all that a padded access reaches.

    Of an axis on which a loop fixes the place, only that place is there.

    array:      the buffer; `middle` is its part that the tensor fills.
    tensor:     the part of the tensor that lies there.
    subscripts: the access's places in the buffer.
    outside:    the fixed places that may lie outside, each with its axis's size.
    """

    array: Array
    middle: View
    tensor: View
    subscripts: tuple[Affine, ...]
    outside: tuple[tuple[Affine, Size], ...]


def border(builder: Builder, access: Access, ranges: Ranges) -> Border:
    tensor, sides = builder.arrays[access.tensor], margins(builder, access, ranges)
    axes = list(enumerate(zip(_affine(access), tensor.shape, sides, strict=True)))
    free = [(n, *axis) for n, axis in axes if not builder.fixes(axis[0])]
    shape = tuple(low + size + high for _, _, size, (low, high) in free)
    array = builder.array(f"{access.tensor}_pad", shape, tensor.kind)
    middle = (
        Slice(f"@{n}", Affine((), low), size, ONE, low == high == ZERO)
        for n, _, size, (low, high) in free
    )
    places = (
        At(s) if builder.fixes(s) else Slice(f"@{n}", Affine(), size, ONE, True)
        for n, (s, size, _) in axes
    )
    return Border(
        array,
        View(array.name, tuple(middle)),
        View(tensor.name, tuple(places)),
        tuple(s + Affine((), low) for _, s, _, (low, _) in free),
        tuple(
            (s, size) for _, (s, size, side) in axes if builder.fixes(s) and side != (ZERO, ZERO)
        ),
    )


def _padded(builder: Builder, access: Access, ranges: Ranges) -> tuple[Array, tuple[Affine, ...]]:
    """A copy of the tensor with a border of zeros, and the subscripts into it."""
    sides = margins(builder, access, ranges)
    if all(side == (ZERO, ZERO) for side in sides):
        return builder.arrays[access.tensor], _affine(access)
    fixed = tuple(s if builder.fixes(s) else None for s in _affine(access))
    key = ("pad", access.tensor, tuple(sides), fixed)
    if key not in builder.cache:
        made = border(builder, access, ranges)
        step: Step = Copy(
            laid_out(made.tensor, made.tensor.dims), laid_out(made.middle, made.tensor.dims)
        )
        for place, size in made.outside:
            step = Guard(place, ZERO, size, (step,))
        builder.add(fill(made.array, 0), step)
        builder.cache[key] = made.middle
    lows = (low for s, (low, _) in zip(fixed, sides, strict=True) if s is None)
    free = (s for s, there in zip(_affine(access), fixed, strict=True) if there is None)
    moved = tuple(s + Affine((), low) for s, low in zip(free, lows, strict=True))
    return builder.arrays[builder.cache[key].array], moved


@dataclass(frozen=True)
class Keyed:
    """A gather's or scatter's axes: `source` merges the keyed ones into dimension `axis`."""

    source: Operand
    axis: int
    rest: tuple[str, ...]
    positions: Operand
    keys: tuple[str, ...]
    adjacent: bool


def keyed(builder: Builder, access: Access, ranges: Ranges, array: Array) -> Keyed:
    """How an access with integer reads goes through `array`: the axes they pick, the places."""
    keys = [
        i
        for s in access.subscripts
        if isinstance(s, Access)
        for i in sorted(s.indices)
        if i not in builder.fixed
    ]
    order = tuple(i for i in ranges if i in keys)
    axes = [
        n
        for n, s in enumerate(access.subscripts)
        if isinstance(s, Access) or (s.indices & set(order))
    ]
    picks: list[Slice | At] = []
    for n, subscript in enumerate(access.subscripts):
        if n in axes:
            picks.append(Slice(f"@{n}", Affine(), array.shape[n], ONE, True))
        elif isinstance(subscript, Affine):
            part = affine_view(builder, Array("", (array.shape[n],)), [subscript], ranges)
            if not isinstance(part, View):
                raise ProgramError(f"{access}: {subscript} beside a gather has more than one index")
            picks.append(part.picks[0])
    view = View(array.name, tuple(picks))
    merged = tuple(f"@{n}" for n in axes)
    rest = tuple(d for d in view.dims if d not in merged)
    first = view.dims.index(merged[0])
    adjacent = view.dims[first : first + len(merged)] == merged and axes == list(
        range(axes[0], axes[0] + len(axes))
    )
    axis = first if adjacent else 0
    layout: Layout = (*((d,) for d in rest[:axis]), merged, *((d,) for d in rest[axis:]))
    return Keyed(
        Operand(view, layout),
        axis,
        rest,
        _positions(builder, access, axes, order, ranges, array),
        order,
        adjacent,
    )


def _positions(
    builder: Builder,
    access: Access,
    axes: Sequence[int],
    keys: Sequence[str],
    ranges: Ranges,
    array: Array,
) -> Operand:
    """The integer array of places on the keyed axes, over the keys."""
    subscripts = [access.subscripts[n] for n in axes]
    if len(axes) == 1 and isinstance(subscripts[0], Access):
        return contiguous(builder, laid_out(read(builder, subscripts[0], ranges), keys), ranges)
    cached = (
        "at",
        tuple(subscripts),
        tuple(array.shape[n] for n in axes),
        tuple(ranges[k] for k in keys),
    )
    if cached not in builder.cache:
        terms: list[Operand | Affine] = []
        for subscript in subscripts:
            if isinstance(subscript, Access):
                terms.append(laid_out(read(builder, subscript, ranges), keys))
            else:
                terms += [_numbers(builder, subscript, keys, ranges)]
        out = builder.temporary(keys, ranges, "int", "at")
        builder.add(
            Positions(tuple(terms), tuple(array.shape[n] for n in axes), laid_out(out, keys))
        )
        builder.cache[cached] = out
    return laid_out(builder.cache[cached], keys)


def _numbers(
    builder: Builder, subscript: Affine, keys: Sequence[str], ranges: Ranges
) -> Operand | Affine:
    """An affine subscript as integers: a constant array, or a number where a loop fixes it."""
    free = [(i, c) for i, c in subscript.terms if i not in builder.fixed]
    if not free:
        return subscript
    if len(free) > 1 or len(subscript.terms) > 1:
        raise ProgramError(f"{subscript}: beside a gather only one index may stand on an axis")
    (index, step), r = free[0], ranges[free[0][0]]
    name = builder.constant(subscript.offset + step * r.lo, r.count, step, "int")
    return laid_out(whole(builder.arrays[name], (index,)), keys)


def _gathered(builder: Builder, access: Access, ranges: Ranges) -> View | Strided:
    """The gathered values in a buffer: keys where the keyed axes were."""
    if access.padded:
        raise ProgramError(f"{access}: pad does not go with a gather; mask the index instead")
    key = _gather_key(builder, access, ranges)
    if key not in builder.cache:
        source, at, dims = _take(builder, access, ranges)
        out = builder.temporary(
            dims, ranges, builder.arrays[access.tensor].kind, f"{access.tensor}_at"
        )
        builder.add(Take(source, at.positions, at.axis, laid_out(out, dims)))
        builder.cache[key] = out
    return builder.cache[key]


def gathered_into(builder: Builder, access: Access, ranges: Ranges, out: Operand) -> bool:
    """The gathered values written where they are wanted, if they can be: over all of an array."""
    if (
        not any(isinstance(s, Access) for s in access.subscripts)
        or access.padded
        or not is_whole(out)
    ):
        return False
    alike = builder.arrays[access.tensor].kind == builder.arrays[out.array].kind
    if not alike or _gather_key(builder, access, ranges) in builder.cache:
        return False
    source, at, dims = _take(builder, access, ranges)
    if out.layout != tuple((d,) for d in dims):
        return False
    builder.add(Take(source, at.positions, at.axis, out))
    return True


def _gather_key(builder: Builder, access: Access, ranges: Ranges) -> object:
    return access, tuple(ranges[i] for i in sorted(access.indices) if i not in builder.places)


def _take(
    builder: Builder, access: Access, ranges: Ranges
) -> tuple[Operand, Keyed, tuple[str, ...]]:
    """(source, how, dimensions of the result): keys where the keyed axes were."""
    at = keyed(builder, access, ranges, builder.arrays[access.tensor])
    source = (
        contiguous(builder, at.source, ranges)
        if at.adjacent
        else copied(builder, at.source, ranges)
    )
    return source, at, (*at.rest[: at.axis], *at.keys, *at.rest[at.axis :])
