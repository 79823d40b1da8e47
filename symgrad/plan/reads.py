"""Reads -> views. What integer tensors pick is gathered into a buffer first."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from symgrad.algebra.access import Access, Affine, Subscript
from symgrad.algebra.sizes import ONE
from symgrad.errors import ProgramError
from symgrad.plan.builder import Builder, Ranges, contiguous, copied
from symgrad.plan.steps import Take
from symgrad.plan.views import (
    Array,
    At,
    Operand,
    Slice,
    Strided,
    View,
    each,
    laid_out,
    plainly,
    whole,
)
from symgrad.plan.windows import affine_subscripts, affine_view, padded


def read(builder: Builder, access: Access, ranges: Ranges) -> View | Strided:
    """The view that an access of rank > 0 takes of its tensor; pads, gathers are copied first."""
    if any(isinstance(s, Access) for s in access.subscripts):
        return _gathered(builder, access, ranges)
    array, subscripts = builder.arrays[access.tensor], affine_subscripts(access)
    if access.padded:
        array, subscripts = padded(builder, access, ranges)
    return affine_view(builder, array, subscripts, ranges)


@dataclass(frozen=True)
class Keyed:
    """A gather's or scatter's way through an array.

    view:   what it picks from, the keyed axes whole; `first` is where these begin.
    places: the integers on each of them, over `keys`; `rest` are the other dimensions.
    apart:  whether other dimensions stand between the keyed ones.
    """

    view: View
    first: int
    places: tuple[Operand, ...]
    keys: tuple[str, ...]
    rest: tuple[str, ...]
    apart: bool

    @property
    def merged(self) -> tuple[str, ...]:
        """The dimensions of the keyed axes."""
        return tuple(d for d in self.view.dims if d not in self.rest)


def keyed(builder: Builder, access: Access, ranges: Ranges, array: Array) -> Keyed:
    """How an access with integer reads goes through `array`."""
    gathers = [s for s in access.subscripts if isinstance(s, Access)]
    found = frozenset().union(*(s.indices for s in gathers)) - builder.fixed
    keys = tuple(i for i in ranges if i in found)
    axes = {
        n: s for n, s in enumerate(access.subscripts) if isinstance(s, Access) or s.indices & found
    }
    view = View(array.name, _picks(builder, access, axes, ranges, array))
    merged = tuple(f"@{n}" for n in axes)
    rest = tuple(d for d in view.dims if d not in merged)
    first = view.dims.index(merged[0])
    together = view.dims[first : first + len(axes)] == merged
    apart = not together or list(axes) != list(range(min(axes), min(axes) + len(axes)))
    places = tuple(_numbers(builder, s, keys, ranges) for s in axes.values())
    return Keyed(view, first, places, keys, rest, apart)


def room_for(builder: Builder, at: Keyed, ranges: Ranges) -> Operand | None:
    """Where positions on several axes go."""
    return builder.temporary(at.keys, ranges, "int", "at") if len(at.places) > 1 else None


def _picks(
    builder: Builder, access: Access, axes: Container[int], ranges: Ranges, array: Array
) -> tuple[Slice | At, ...]:
    """Whole axes where the keys go, and what the access reads of the others."""
    picks: list[Slice | At] = []
    for n, subscript in enumerate(access.subscripts):
        if n in axes:
            picks.append(Slice(f"@{n}", Affine(), array.shape[n], ONE, True))
        elif isinstance(subscript, Affine):
            part = affine_view(builder, Array("", (array.shape[n],)), [subscript], ranges)
            if not isinstance(part, View):
                raise ProgramError(f"{access}: {subscript} beside a gather has more than one index")
            picks.append(part.picks[0])
    return tuple(picks)


def _numbers(
    builder: Builder, subscript: Subscript, keys: Sequence[str], ranges: Ranges
) -> Operand:
    """The integers on one axis: what a read of them gives, or a constant array of an index's."""
    if isinstance(subscript, Access):
        return contiguous(builder, laid_out(read(builder, subscript, ranges), keys))
    (index, step), *more = builder.free(subscript)
    if more or len(subscript.terms) > 1:
        raise ProgramError(f"{subscript}: beside a gather only one index may stand on an axis")
    r = ranges[index]
    numbers = builder.constant(subscript.offset + step * r.lo, r.count, step, "int")
    return laid_out(whole(numbers, (index,)), keys)


def _gathered(builder: Builder, access: Access, ranges: Ranges) -> View | Strided:
    """The gathered values in a buffer: keys where the keyed axes were."""
    if access.padded:
        raise ProgramError(f"{access}: pad does not go with a gather; mask the index instead")
    source, at, dims = _source(builder, access, ranges)
    kind = builder.arrays[access.tensor].kind
    out = builder.temporary(dims, ranges, kind, f"{access.tensor}_at")
    _take(builder, ranges, source, at, out)
    return out.view


def gathered_into(builder: Builder, access: Access, ranges: Ranges, out: Operand) -> bool:
    """The gathered values written where they are wanted, if they can be: over all of an array."""
    gathers = any(isinstance(s, Access) for s in access.subscripts)
    if not gathers or access.padded or not out.is_whole:
        return False
    alike = builder.arrays[access.tensor].kind == builder.arrays[out.array].kind
    if not alike:
        return False
    source, at, dims = _source(builder, access, ranges)
    if out.layout != each(dims):
        return False
    _take(builder, ranges, source, at, out)
    return True


def _source(
    builder: Builder, access: Access, ranges: Ranges
) -> tuple[Operand, Keyed, tuple[str, ...]]:
    """(what is picked from, how, dimensions of the result): keys where the keyed axes were.

    Keyed axes that are apart come first, in a copy.
    """
    at = keyed(builder, access, ranges, builder.arrays[access.tensor])
    if at.apart:
        source = copied(builder, laid_out(at.view, (*at.merged, *at.rest)))
        return source, at, (*at.keys, *at.rest)
    source = contiguous(builder, plainly(at.view))
    return source, at, (*at.rest[: at.first], *at.keys, *at.rest[at.first :])


def _take(builder: Builder, ranges: Ranges, source: Operand, at: Keyed, out: Operand) -> None:
    axis = source.order.index(at.merged[0])
    builder.add(Take(source, at.places, room_for(builder, at, ranges), axis, out))
