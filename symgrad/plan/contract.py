"""Sums of products -> matrix products, by the indices that each factor carries.

    out[O] = sum over R of f1[I1] * f2[I2] * ...

Factors are grouped by index set. Two groups meet in a matrix product: the indices in both and in
out are its batch, those in both and not in out are contracted. Cost chooses order and orientation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import sympy
from sympy import Expr

from symgrad.algebra.access import Access
from symgrad.plan.builder import Builder, Ranges, copied
from symgrad.plan.elementwise import Elementwise
from symgrad.plan.product import product
from symgrad.plan.steps import Scalar, Sum, Total, Ufunc
from symgrad.plan.views import Operand, Strided, View, laid_out, mergeable, plainly

Names = frozenset[str]


@dataclass(frozen=True)
class Group:
    """Factors over one index set: still an expression, or already a view."""

    indices: Names
    content: Expr | View | Strided

    @property
    def expr(self) -> Expr | None:
        return None if isinstance(self.content, View | Strided) else self.content


@dataclass
class Contraction:
    """Lowers one sum of products of an equation.

    scalars: what carries no index: factors that the result is still to be multiplied by.
    """

    lower: Elementwise
    scalars: list[Expr] = field(default_factory=list)

    @property
    def builder(self) -> Builder:
        return self.lower.builder

    @property
    def ranges(self) -> Ranges:
        return self.lower.ranges

    def run(
        self, parts: Sequence[Expr], dims: tuple[str, ...], out: Operand | None
    ) -> Operand | str:
        """The sum over all that is not in dims, in `out` or a new buffer; a name where dims is ().

        It is still to be multiplied by the `scalars` that are left.
        """
        groups = self.folded(parts)
        keep = frozenset(dims)
        while True:
            groups = self.summed(groups, keep)
            if len(groups) <= 2:
                break
            groups = self.joined(groups, keep)
        if not groups:
            return str(self.scalars.pop())
        if len(groups) == 1:
            return self.single(groups[0], dims, out)
        return self.pair(groups[0], groups[1], dims, out)

    # ---- indices, views, buffers --------------------------------------------------------------

    def order(self, indices: Names) -> tuple[str, ...]:
        return tuple(i for i in self.ranges if i in indices)

    def cost(self, indices: Names) -> int:
        return self.builder.cost(indices, self.ranges)

    def natural(self, group: Group) -> tuple[str, ...]:
        """The order in which a read of the group has its indices, so that nothing is transposed."""
        symbols = group.expr.free_symbols if group.expr is not None else ()
        for symbol in sorted(symbols, key=lambda s: s.name):
            slot = self.lower.slots.get(symbol)
            found = slot.subscripts if isinstance(slot, Access) else ()
            order = tuple(i for s in found for i in sorted(s.indices) if i in group.indices)
            if len(order) == len(set(order)) == len(group.indices):
                return order
        return self.order(group.indices)

    def view(self, group: Group, dims: tuple[str, ...] | None = None) -> View | Strided:
        if group.expr is None:
            return group.content
        source = self.lower.source(group.expr, dims or self.natural(group))
        if isinstance(source, Scalar):
            raise AssertionError("a group carries an index")
        return source.view

    def parts(self, group: Group) -> tuple[Expr, ...]:
        """The factors of an expression."""
        return () if group.expr is None else tuple(sympy.Mul.make_args(group.expr))

    def target(self, dims: tuple[str, ...], out: Operand | None) -> Operand:
        return out if out is not None else self.builder.temporary(dims, self.ranges)

    # ---- many groups --------------------------------------------------------------------------

    def folded(self, parts: Iterable[Expr]) -> list[Group]:
        """A group within another joins the smallest such: c[b]*dz[b,i]*x[b,j] -> (c*dz)*x.

        Two groups stay two: c[b]*dz[b,i] summed over b is a matrix times a vector.
        """
        merged: dict[Names, list[Expr]] = {}
        for part in parts:
            merged.setdefault(self.lower.indices(part), []).append(part)
        sets = sorted(merged, key=lambda names: (len(names), sorted(names)))
        for small in sets:
            hosts = [big for big in merged if small < big]
            if hosts and len(merged) > 2:
                host = min(hosts, key=lambda names: (self.cost(names), sorted(names)))
                merged[host] += merged.pop(small)
        return [Group(names, sympy.Mul(*members)) for names, members in merged.items()]

    def summed(self, groups: list[Group], keep: Names) -> list[Group]:
        """An index that one group alone carries, and the result does not, is summed at once."""
        if len(groups) == 1:
            return groups
        result = []
        for n, group in enumerate(groups):
            elsewhere = _elsewhere(groups, keep, n)
            if group.indices <= elsewhere:
                result.append(group)
                continue
            left = self.order(group.indices & elsewhere)
            result += self.found(self.single(group, left, None), left)
        return result

    def joined(self, groups: list[Group], keep: Names) -> list[Group]:
        """The cheapest pair, as one group."""

        def price(pair: tuple[int, int]) -> tuple[int, int]:
            both = groups[pair[0]].indices | groups[pair[1]].indices
            return self.cost(both & _elsewhere(groups, keep, *pair)), self.cost(both)

        a, b = min(((a, b) for b in range(len(groups)) for a in range(b)), key=price)
        both = groups[a].indices | groups[b].indices
        dims = self.order(both & _elsewhere(groups, keep, a, b))
        made = self.pair(groups[a], groups[b], dims, None)
        return [*(g for n, g in enumerate(groups) if n not in (a, b)), *self.found(made, dims)]

    def found(self, made: Operand | str, dims: tuple[str, ...]) -> list[Group]:
        """What was computed on the way, as a group; without an index it is one of the scalars."""
        if isinstance(made, str):
            self.scalars.append(self.lower.named(Access(made)))
            return []
        return [Group(frozenset(dims), made.view)]

    # ---- one group ----------------------------------------------------------------------------

    def single(self, group: Group, dims: tuple[str, ...], out: Operand | None) -> Operand | str:
        """The sum of one group over what is not in dims."""
        if not dims:
            return self.total(group)
        gone = group.indices - set(dims)
        if not gone:
            out = self.target(dims, out)
            scale, self.scalars = sympy.Mul(*self.scalars), []
            if group.expr is not None:
                self.lower.into(scale * group.expr, dims, out)
            else:
                above, below = scale.as_numer_denom()
                self.lower.finish(laid_out(self.view(group), dims), above, below, out)
            return out
        parts = self.parts(group)
        rowwise = len(parts) == 2 and all(self.lower.indices(p) == group.indices for p in parts)
        last = (*dims, *self.order(gone)) if rowwise else self.natural(group)
        view = self.view(group, last)
        kept = tuple(d for d in view.dims if d not in gone)
        in_order = kept == dims
        seen = view.dims if in_order else (*dims, *(d for d in view.dims if d in gone))
        axes = tuple(n for n, d in enumerate(seen) if d in gone)
        out = self.target(dims, out)
        self.builder.add(Sum(laid_out(view, seen), axes, out))
        return out

    def total(self, group: Group) -> str:
        """The sum of a group over all its indices; of a product of two, their dot product."""
        name = self.builder.scalar_name()
        parts = self.parts(group)
        everywhere = [p for p in parts if self.lower.indices(p) == group.indices and not p.is_Pow]
        if everywhere and len(parts) > 1:
            first = everywhere[0]
            rest = sympy.Mul(*(p for p in parts if p is not first))
            dims = self.natural(group)
            if self.lower.indices(rest) == group.indices:
                a, b = self.lower.source(first, dims), self.lower.source(rest, dims)
                if isinstance(a, Operand) and isinstance(b, Operand):
                    self.builder.add(Total(name, self.flat(a, dims), self.flat(b, dims)))
                    return name
        self.builder.add(Total(name, plainly(self.view(group))))
        return name

    def flat(self, operand: Operand, dims: tuple[str, ...]) -> Operand:
        """All dimensions as one, for a dot product."""
        merged = Operand(operand.view, (dims,))
        return merged if mergeable(merged) else copied(self.builder, merged)

    # ---- two groups ---------------------------------------------------------------------------

    def pair(self, a: Group, b: Group, dims: tuple[str, ...], out: Operand | None) -> Operand | str:
        """The sum of the product of two groups over what is not in dims."""
        shared = a.indices & b.indices
        gone = self.order(shared - set(dims))
        if not gone:
            out = self.target(dims, out)
            left, right = laid_out(self.view(a), dims), laid_out(self.view(b), dims)
            self.builder.add(Ufunc("multiply", (left, right), out))
            return out
        first, second = self.view(a), self.view(b)
        if not dims:
            name, order = self.builder.scalar_name(), self.order(shared)
            left, right = laid_out(first, order), laid_out(second, order)
            self.builder.add(Total(name, self.flat(left, order), self.flat(right, order)))
            return name
        if a.indices == b.indices:
            both = (*dims, *gone)
            made = self.builder.temporary(both, self.ranges)
            left, right = laid_out(first, both), laid_out(second, both)
            self.builder.add(Ufunc("multiply", (left, right), made))
            out = self.target(dims, out)
            self.builder.add(Sum(made, tuple(range(len(dims), len(both))), out))
            return out
        return product(self.builder, self.ranges, first, second, self.target(dims, out))


def _elsewhere(groups: Sequence[Group], keep: Names, *but: int) -> Names:
    """The indices of the result and of every other group."""
    return keep.union(*(g.indices for n, g in enumerate(groups) if n not in but))
