"""Writes: views of the target where they suffice, scatters, slice-adds, borders for pads."""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation, Range
from symgrad.plan.builder import Builder, Ranges, fill, whole_copy
from symgrad.plan.reads import keyed, room_for
from symgrad.plan.steps import Assign, Loop, Scalar, Scatter, Ufunc
from symgrad.plan.values import accumulate, elementwise, scalar, summed, total, value
from symgrad.plan.views import Array, Slice, Strided, View, laid_out, plainly, whole
from symgrad.plan.windows import (
    affine_subscripts,
    affine_view,
    border,
    guarded,
    place_along,
    reaches_out,
)


def write(builder: Builder, equation: Equation, assigns: bool) -> None:
    """target[f(I)] = body, or += body; places that a loop fixes only where they are inside."""
    target = builder.arrays[equation.target.tensor]
    if any(isinstance(s, Access) for s in equation.target.subscripts):
        _scatter(builder, equation, target)
        return
    if not equation.target.padded:
        _affine(builder, equation, target, assigns)
        return
    with builder.inside() as body:
        _affine(builder, equation, target, assigns)
    builder.add(*guarded(builder, equation.target, equation.range_of, body))


def _affine(builder: Builder, equation: Equation, target: Array, assigns: bool) -> None:
    away = reaches_out(builder, equation.target, equation.range_of)
    view = None if away else direct(builder, equation, target)
    if view is None:
        _slices(builder, equation, target, away)
    elif not view.dims and isinstance(view, View):
        scalar(builder, equation, view, assigns)
    elif assigns:
        value(builder, equation, view.dims, plainly(view))
    else:
        accumulate(builder, equation, view.dims, plainly(view))


def direct(builder: Builder, equation: Equation, target: Array) -> View | Strided | None:
    """The target's places as one view, where no two points share a place of an axis."""
    subscripts = affine_subscripts(equation.target)
    view = affine_view(builder, target, subscripts, equation.range_of)
    alone = all(len(builder.free(s)) <= 1 for s in subscripts)
    return view if alone or isinstance(view, View) else None


def _scatter(builder: Builder, equation: Equation, target: Array) -> None:
    """Values at places that integer tensors name: added there."""
    ranges = equation.range_of
    at = keyed(builder, equation.target, ranges, target)
    dims, order = (*at.keys, *at.rest), (*at.merged, *at.rest)
    lower = elementwise(builder, equation)
    constant = not dims or not (lower.indices(equation.body) or summed(builder, equation, dims))
    added = total(builder, equation, dims) if constant else value(builder, equation, dims)
    injective = set(dims) <= {s.plain for s in affine_subscripts(equation.target)}
    room, view = room_for(builder, at, ranges), plainly(at.view)
    scratch = builder.temporary(dims, ranges) if injective and room else None
    if not at.apart:
        there = laid_out(at.view, order)
        builder.add(Scatter(there, at.places, room, added, scratch))
        return
    spread = builder.array(f"{target.name}_spread", tuple(at.view.sizes[d] for d in order))
    there = plainly(whole(spread, order))
    builder.add(fill(spread, 0), Scatter(there, at.places, room, added, scratch))
    builder.add(Ufunc("add", (view, laid_out(there.view, at.view.dims)), view))


def _slices(builder: Builder, equation: Equation, target: Array, away: bool) -> None:
    """Several indices on an axis, or places outside: slice-adds, over the smaller one."""
    ranges, subscripts = equation.range_of, affine_subscripts(equation.target)
    carried = frozenset().union(*(s.indices for s in subscripts)) - builder.fixed
    added = value(builder, equation, tuple(i for i in ranges if i in carried))
    part = added.view if isinstance(added.view, View) else whole_copy(builder, added)
    array, room = target, border(builder, equation.target, ranges) if away else None
    if room is not None:
        array, subscripts = room.array, room.subscripts
        builder.add(fill(array, 0))
    looped: dict[str, None] = {}
    for subscript in subscripts:
        free = [i for i, _ in builder.free(subscript)]
        longest = max(free, key=lambda i: (builder.typical(ranges[i].count), i), default=None)
        looped |= {i: None for i in free if i != longest}
    _nest(builder, [ranges[i] for i in looped], ranges, array, subscripts, part)
    if room is not None:
        there = plainly(room.tensor)
        builder.add(Ufunc("add", (there, laid_out(room.middle, room.tensor.dims)), there))


def _nest(
    builder: Builder,
    looped: Sequence[Range],
    ranges: Ranges,
    array: Array,
    subscripts: Sequence[Affine],
    part: View,
) -> None:
    """array[subscripts] += part, in loops over some of the indices."""
    if looped:
        r, *rest = looped
        with builder.inside(r.index) as body:
            picks = tuple(
                place_along(p, r.lo) if isinstance(p, Slice) and p.index == r.index else p
                for p in part.picks
            )
            _nest(builder, rest, ranges, array, subscripts, View(part.array, picks))
        builder.add(Loop(r.index, Affine((), r.lo), Affine((), r.hi), tuple(body)))
        return
    there = affine_view(builder, array, subscripts, ranges)
    if not there.dims and isinstance(there, View):
        symbol = Symbol(part.array)
        builder.add(Assign(there, Scalar(symbol, ((symbol, part),)), accumulate=True))
    else:
        out = plainly(there)
        builder.add(Ufunc("add", (out, laid_out(part, there.dims)), out))
