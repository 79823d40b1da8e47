"""Affine reads and writes as views: slices where they suffice, else strides; borders for pads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import bounds, digits
from symgrad.algebra.sizes import ONE, ZERO, Size, largest
from symgrad.errors import ProgramError
from symgrad.plan.builder import Builder, Ranges, fill
from symgrad.plan.steps import Copy, Guard, Step
from symgrad.plan.views import Array, At, Slice, Strided, View, laid_out, plainly


def affine_subscripts(access: Access) -> tuple[Affine, ...]:
    return tuple(s for s in access.subscripts if isinstance(s, Affine))


def affine_view(
    builder: Builder, array: Array, subscripts: Sequence[Affine], ranges: Ranges
) -> View | Strided:
    """Slices where each index is alone on its axis with a positive step, else strides.

    An axis that several indices count, as in x[b,12*c+4*u+v], is reshaped: one axis for each.
    """
    axes = zip(subscripts, array.shape, strict=True)
    parts = [_picks(builder, subscript, size, ranges) for subscript, size in axes]
    picks = [pick for part in parts for pick, _ in part]
    indices = [pick.index for pick in picks if isinstance(pick, Slice)]
    if all(parts) and len(set(indices)) == len(indices):
        shape = tuple(size for part in parts for _, size in part)
        return View(array.name, tuple(picks), shape if len(shape) > len(parts) else None)
    free = [builder.free(s) for s in subscripts]
    starts = tuple(_start(s, ranges, builder.fixed) for s in subscripts)
    dims = tuple(dict.fromkeys(i for terms in free for i, _ in terms))
    steps = tuple(tuple(dict(terms).get(d, ZERO) for terms in free) for d in dims)
    return Strided(array.name, starts, dims, tuple(ranges[d].count for d in dims), steps)


def _picks(
    builder: Builder, subscript: Affine, size: Size, ranges: Ranges
) -> list[tuple[Slice | At, Size]]:
    """What is picked of one axis, or of those that it is split into; [] where strides are needed.

    With each pick comes the size of the axis that it is made from.
    """
    terms, start = builder.free(subscript), _start(subscript, ranges, builder.fixed)
    if not terms:
        return [(At(start), size)]
    if len(terms) == 1:
        ((index, step),) = terms
        count = ranges[index].count
        everything = start == Affine() and step == ONE and count == size
        pick = Slice(index, start, count, step, everything)
        return [(pick, size)] if step.is_positive() else []
    counted = None if subscript.indices & builder.fixed else digits(subscript, ranges)
    counts = [ranges[index].hi for index in counted or ()]
    if counted is None or prod(counts, start=ONE) != size:
        return []
    pairs = zip(counted, counts, strict=True)
    return [(Slice(index, Affine(), count, ONE, True), count) for index, count in pairs]


def _start(subscript: Affine, ranges: Ranges, fixed: frozenset[str]) -> Affine:
    """The subscript's value where every index that is not fixed is at its lowest."""
    lows = {i: Affine((), ranges[i].lo) for i in subscript.indices if i not in fixed}
    return subscript.substitute(lows)


def place_along(pick: Slice, lo: Size) -> At:
    """The place that a slice has at its index, as the index runs from lo."""
    along = Affine.index(pick.index) + Affine((), ZERO - lo)
    return At(pick.start + along.scaled(pick.step))


# ---- beyond the ends -----------------------------------------------------------------------------


def margins(builder: Builder, access: Access, ranges: Ranges) -> list[tuple[Size, Size]]:
    """For each axis, how far the access reaches below 0 and beyond the end."""
    found = []
    shape = builder.program.tensor_of[access.tensor].shape
    for subscript, size in zip(affine_subscripts(access), shape, strict=True):
        if subscript.indices & set(builder.places):  # an integer's bound keeps it inside
            found.append((ZERO, ZERO))
            continue
        reach = bounds(subscript, ranges)
        if reach is None:
            raise ProgramError(f"{access}: the sign of a coefficient in {subscript} is not known")
        found.append((largest(ZERO, ZERO - reach[0]), largest(ZERO, reach[1] - size + 1)))
    return found


def guarded(builder: Builder, access: Access, ranges: Ranges, body: Sequence[Step]) -> list[Step]:
    """The body, done only where the places that a loop fixes lie inside."""
    shape = builder.program.tensor_of[access.tensor].shape
    sides = margins(builder, access, ranges)
    steps = list(body)
    for place, size, (low, high) in zip(affine_subscripts(access), shape, sides, strict=True):
        if builder.fixes(place) and (low, high) != (ZERO, ZERO):
            ends = (ZERO if low != ZERO else None, size if high != ZERO else None)
            steps = [Guard(place, *ends, tuple(steps))]
    return steps


def reaches_out(builder: Builder, access: Access, ranges: Ranges) -> bool:
    """Whether a padded access leaves the tensor on an axis that no loop fixes."""
    if not access.padded:
        return False
    sides = zip(affine_subscripts(access), margins(builder, access, ranges), strict=True)
    return any(side != (ZERO, ZERO) and not builder.fixes(s) for s, side in sides)


@dataclass(frozen=True)
class Border:
    """Room around a tensor for all that a padded access reaches.

    Of an axis on which a loop fixes the place, only that place is there.

    array:      the buffer; `middle` is its part that the tensor fills.
    tensor:     the part of the tensor that lies there.
    subscripts: the access's places in the buffer.
    """

    array: Array
    middle: View
    tensor: View
    subscripts: tuple[Affine, ...]


def border(builder: Builder, access: Access, ranges: Ranges) -> Border:
    tensor, sides = builder.arrays[access.tensor], margins(builder, access, ranges)
    axes = list(enumerate(zip(affine_subscripts(access), tensor.shape, sides, strict=True)))
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
    )


def padded(builder: Builder, access: Access, ranges: Ranges) -> tuple[Array, tuple[Affine, ...]]:
    """A copy of the tensor with a border of zeros, and the subscripts into it."""
    sides, subscripts = margins(builder, access, ranges), affine_subscripts(access)
    if all(side == (ZERO, ZERO) for side in sides):
        return builder.arrays[access.tensor], subscripts
    fixed = tuple(s if builder.fixes(s) else None for s in subscripts)
    key = ("pad", access.tensor, tuple(sides), fixed)
    if key not in builder.cache:
        made = border(builder, access, ranges)
        middle = Copy(plainly(made.tensor), laid_out(made.middle, made.tensor.dims))
        builder.add(fill(made.array, 0), *guarded(builder, access, ranges, [middle]))
        builder.cache[key] = made.middle
    moved = tuple(
        s + Affine((), low)
        for s, (low, _) in zip(subscripts, sides, strict=True)
        if not builder.fixes(s)
    )
    return builder.arrays[builder.cache[key].array], moved
