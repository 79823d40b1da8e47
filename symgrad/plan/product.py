"""One matrix product of two views: every way to see it, and the one that copies and turns least.

out[lead, rows, columns] = sum over inner of a[lead, rows, inner] * b[lead, inner, columns]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

from symgrad.algebra.sizes import ONE
from symgrad.plan.builder import Builder, Ranges, copied, known_copies
from symgrad.plan.steps import Copy, MatMul
from symgrad.plan.views import (
    Layout,
    Operand,
    Slice,
    Strided,
    View,
    each,
    laid_out,
    mergeable,
)

Dims = tuple[str, ...]
Part = View | Strided


def product(builder: Builder, ranges: Ranges, left: Part, right: Part, out: Operand) -> Operand:
    """out = the sum of left * right over what `out` does not have."""
    ways = (
        way
        for a in known_copies(builder, left)
        for b in known_copies(builder, right)
        for way in _ways(builder, ranges, a, b, out)
    )
    best = min(ways, key=lambda way: (way.price, way.turned))
    a, b = (o if mergeable(o) else copied(builder, o) for o in (best.a, best.b))
    if best.direct:
        builder.add(MatMul(a, b, Operand(out.view, best.out)))
        return out
    made = builder.temporary([d for group in best.out for d in group], ranges).view
    builder.add(MatMul(a, b, Operand(made, best.out)), Copy(laid_out(made, out.order), out))
    return out


@dataclass(frozen=True)
class _Way:
    """A matrix product: what it costs, and how far it is from reading its arrays as they lie.

    direct: whether it can be written to its place at once.
    """

    price: int
    turned: tuple[bool, bool, int]
    a: Operand
    b: Operand
    out: Layout
    direct: bool


@dataclass(frozen=True)
class _Split:
    """The indices of a product: those of a batch, of the rows, of the columns, and those summed."""

    lead: Dims
    rows: Dims
    columns: Dims
    inner: Dims

    @property
    def is_vector(self) -> bool:
        """Whether it is a matrix times a vector."""
        return not self.lead and not (self.rows and self.columns)

    def layouts(self, left: Part, right: Part) -> tuple[Layout, Layout, Layout]:
        """The dimensions of both operands and of the result."""
        rows = () if self.is_vector and not self.rows else (self.rows,)
        columns = () if self.is_vector and not self.columns else (self.columns,)
        return (
            _stripped((*_leading(self.lead, left.dims), *rows, self.inner)),
            _stripped((*_leading(self.lead, right.dims), self.inner, *columns)),
            (*each(self.lead), *rows, *columns),
        )


def _ways(builder: Builder, ranges: Ranges, a: Part, b: Part, out: Operand) -> Iterator[_Way]:
    """Every way to see the sum as a matrix product."""
    dims = out.order
    for left, right in ((a, b), (b, a)):
        summed = [i for i in left.dims if i in right.dims and i not in dims]
        only_left = frozenset(left.dims) - frozenset(right.dims)
        only_right = frozenset(right.dims) - frozenset(left.dims)
        in_order = sorted(dims, key=lambda d: (d in only_left) + 2 * (d in only_right))
        for order in dict.fromkeys((dims, tuple(in_order))):
            for lead, rows, columns in _splits(order, only_left, only_right):
                for inner in permutations(summed):
                    split = _Split(lead, rows, columns, inner)
                    yield _way(builder, ranges, left, right, split, out)


def _way(
    builder: Builder, ranges: Ranges, left: Part, right: Part, split: _Split, out: Operand
) -> _Way:
    first, second, result = split.layouts(left, right)
    a, b, made = Operand(left, first), Operand(right, second), Operand(out.view, result)
    direct = _is_writable(made)
    price = sum(builder.cost(o.view.dims, ranges) for o in (a, b) if not mergeable(o))
    price += 0 if direct else 2 * builder.cost(made.order, ranges)
    calls = builder.cost(split.lead, ranges)
    if not split.is_vector and not (split.rows and split.columns) and calls > 1:
        price += builder.cost(frozenset((*left.dims, *right.dims)), ranges) // 2
    price += 100 * calls if split.lead else 0
    last = made.order[-1] != out.view.dims[-1]
    turned = (last, made.is_transposed, a.is_transposed + b.is_transposed)
    return _Way(price, turned, a, b, result, direct)


def _is_writable(out: Operand) -> bool:
    """Whether a matrix product may be written there: one of its two axes lies densely in memory."""
    if isinstance(out.view, Strided) or not mergeable(out):
        return False
    last = out.view.picks[-1] if out.view.picks else None
    if not isinstance(last, Slice) or last.step != ONE:
        return False
    return any(group and group[-1] == last.index for group in out.layout[-2:])


def _splits(
    dims: Dims, rows: frozenset[str], columns: frozenset[str]
) -> Iterator[tuple[Dims, Dims, Dims]]:
    """dims = lead + P + Q with P only in the left operand and Q only in the right one."""
    for q in range(len(dims), -1, -1):
        if not set(dims[q:]) <= columns:
            break
        for p in range(q, -1, -1):
            if not set(dims[p:q]) <= rows:
                break
            if p < len(dims):
                yield dims[:p], dims[p:q], dims[q:]


def _leading(lead: Dims, present: Dims) -> Layout:
    return tuple((d,) if d in present else () for d in lead)


def _stripped(layout: Layout) -> Layout:
    """Without leading new axes, which broadcasting supplies; the last two dimensions stay."""
    start = 0
    while len(layout) - start > 2 and layout[start] == ():
        start += 1
    return layout[start:]
