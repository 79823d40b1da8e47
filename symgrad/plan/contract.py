"""Sums of products -> matrix products, by the indices that each factor carries.

    out[O] = sum over R of f1[I1] * f2[I2] * ...

Factors are grouped by index set. Two groups meet in a matrix product: the indices in both and in
out are its batch, those in both and not in out are contracted. Cost chooses order and orientation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations

import sympy
from sympy import Expr

from symgrad.algebra.access import Access
from symgrad.algebra.program import fresh_name
from symgrad.algebra.sizes import ONE
from symgrad.plan.builder import Builder, Ranges, copied, known_copies, laid_out, mergeable
from symgrad.plan.elementwise import Elementwise
from symgrad.plan.steps import (
    Copy,
    Layout,
    MatMul,
    Operand,
    Scalar,
    Slice,
    Strided,
    Sum,
    Total,
    Ufunc,
    View,
)

Names = frozenset[str]


@dataclass(frozen=True)
class Group:
    """Factors over one index set: still an expression, or already a view."""

    indices: Names
    expr: Expr | None = None
    view: View | Strided | None = None


@dataclass
class Contraction:
    """Lowers one sum of products of an equation."""

    lower: Elementwise
    scalars: list[Expr] = field(default_factory=list)

    @property
    def builder(self) -> Builder:
        return self.lower.builder

    @property
    def ranges(self) -> Ranges:
        return self.lower.ranges

    def order(self, indices: Names) -> tuple[str, ...]:
        return tuple(i for i in self.ranges if i in indices)

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

    def cost(self, indices: Names) -> int:
        return self.builder.cost(indices, self.ranges)

    def run(
        self, parts: Sequence[Expr], dims: tuple[str, ...], out: Operand | None
    ) -> Operand | str:
        """The sum over all that is not in dims, in `out` or a new buffer; a name where dims is ().

        What is found to carry no index on the way is left in `scalars`, as factors of the result.
        """
        groups = self.folded([Group(self.lower.indices(p), p) for p in parts])
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

    def folded(self, groups: list[Group]) -> list[Group]:
        """A group within another joins the smallest such: c[b]*dz[b,i]*x[b,j] -> (c*dz)*x.

        Two groups stay two: c[b]*dz[b,i] summed over b is a matrix times a vector.
        """
        merged: dict[Names, list[Group]] = {}
        for group in groups:
            merged.setdefault(group.indices, []).append(group)
        sets = sorted(merged, key=lambda names: (len(names), sorted(names)))
        for small in sets:
            hosts = [big for big in merged if small < big]
            if hosts and len(merged) > 2:
                host = min(hosts, key=lambda names: (self.cost(names), sorted(names)))
                merged[host] += merged.pop(small)
        return [
            Group(names, sympy.Mul(*(g.expr for g in members))) for names, members in merged.items()
        ]

    def view(self, group: Group, dims: tuple[str, ...] | None = None) -> View | Strided:
        if group.view is not None:
            return group.view
        source = self.lower.source(group.expr, dims or self.natural(group))
        if isinstance(source, Scalar):
            raise AssertionError("a group carries an index")
        return source.view

    def summed(self, groups: list[Group], keep: Names) -> list[Group]:
        """An index that one group alone carries, and the result does not, is summed at once."""
        if len(groups) == 1:
            return groups
        result = []
        for n, group in enumerate(groups):
            elsewhere = keep.union(*(g.indices for m, g in enumerate(groups) if m != n))
            if group.indices <= elsewhere:
                result.append(group)
                continue
            left = self.order(group.indices & elsewhere)
            made = self.single(group, left, None)
            if isinstance(made, str):
                self.scalars.append(self.lower.named(made))
            else:
                result.append(Group(frozenset(left), None, made.view))
        return result

    def joined(self, groups: list[Group], keep: Names) -> list[Group]:
        """The cheapest pair, as one group."""

        def price(a: int, b: int) -> tuple[int, int]:
            both = groups[a].indices | groups[b].indices
            rest = keep.union(*(g.indices for n, g in enumerate(groups) if n not in (a, b)))
            return self.cost(both & rest), self.cost(both)

        pairs = [(a, b) for b in range(len(groups)) for a in range(b)]
        a, b = min(pairs, key=lambda pair: price(*pair))
        rest = keep.union(*(g.indices for n, g in enumerate(groups) if n not in (a, b)))
        dims = self.order((groups[a].indices | groups[b].indices) & rest)
        made = self.pair(groups[a], groups[b], dims, None)
        others = [g for n, g in enumerate(groups) if n not in (a, b)]
        if isinstance(made, str):
            raise AssertionError("a scalar among several groups")
        return [*others, Group(frozenset(dims), None, made.view)]

    def target(self, dims: tuple[str, ...], out: Operand | None) -> Operand:
        return out if out is not None else laid_out(self.builder.temporary(dims, self.ranges), dims)

    def name(self) -> str:
        known = {*self.builder.arrays, *self.builder.program.names, *self.builder.scalars}
        made = fresh_name(f"s_{len(self.builder.scalars) + 1}", known)
        self.builder.scalars.add(made)
        return made

    def single(self, group: Group, dims: tuple[str, ...], out: Operand | None) -> Operand | str:
        """The sum of one group over what is not in dims."""
        if not dims:
            return self.total(group)
        gone = group.indices - set(dims)
        if not gone:
            out = self.target(dims, out)
            if group.expr is not None:
                self.lower.into(group.expr, dims, out)
            elif group.view is not None:
                self.builder.add(Copy(laid_out(group.view, dims), out))
            return out
        factors = (
            [p for p in sympy.Mul.make_args(group.expr) if self.lower.indices(p)]
            if group.expr is not None
            else []
        )
        rowwise = len(factors) == 2 and all(self.lower.indices(f) == group.indices for f in factors)
        last = (*dims, *self.order(gone)) if rowwise else self.natural(group)
        view = self.view(group, last)
        kept = tuple(d for d in view.dims if d not in gone)
        source = laid_out(
            view, view.dims if kept == dims else (*dims, *(d for d in view.dims if d in gone))
        )
        axes = tuple(n for n, (d,) in enumerate(source.layout) if d in gone)
        out = self.target(dims, out)
        self.builder.add(Sum(source, axes, out))
        return out

    def total(self, group: Group) -> str:
        """The sum of a group over all its indices; of a product of two, their dot product."""
        name = self.name()
        parts = list(sympy.Mul.make_args(group.expr)) if group.expr is not None else []
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
        view = self.view(group)
        self.builder.add(Total(name, laid_out(view, view.dims)))
        return name

    def flat(self, operand: Operand, dims: tuple[str, ...]) -> Operand:
        """All dimensions as one, for a dot product."""
        merged = Operand(operand.view, (dims,))
        return merged if mergeable(merged) else copied(self.builder, merged, self.ranges)

    def pair(self, a: Group, b: Group, dims: tuple[str, ...], out: Operand | None) -> Operand | str:
        keep = frozenset(dims)
        shared = a.indices & b.indices
        if not (shared - keep):
            out = self.target(dims, out)
            self.builder.add(
                Ufunc("multiply", (laid_out(self.view(a), dims), laid_out(self.view(b), dims)), out)
            )
            return out
        left, right = self.view(a), self.view(b)
        if not dims:
            name = self.name()
            order = self.order(shared)
            self.builder.add(
                Total(
                    name,
                    self.flat(laid_out(left, order), order),
                    self.flat(laid_out(right, order), order),
                )
            )
            return name
        if a.indices == b.indices:
            both = (*dims, *self.order(shared - keep))
            made = self.builder.temporary(both, self.ranges)
            self.builder.add(
                Ufunc(
                    "multiply", (laid_out(left, both), laid_out(right, both)), laid_out(made, both)
                )
            )
            out = self.target(dims, out)
            self.builder.add(Sum(laid_out(made, both), tuple(range(len(dims), len(both))), out))
            return out
        return self.product(left, right, dims, self.target(dims, out))

    def product(
        self, left: View | Strided, right: View | Strided, dims: tuple[str, ...], out: Operand
    ) -> Operand:
        pairs = [
            (a, b)
            for a in known_copies(self.builder, left)
            for b in known_copies(self.builder, right)
        ]
        every = (c for a, b in pairs for c in self.candidates(a, b, dims, out))
        best = min(every, key=lambda c: (c.price, c.turned))
        a, b = (
            o if mergeable(o) else copied(self.builder, o, self.ranges) for o in (best.a, best.b)
        )
        if best.direct:
            self.builder.add(MatMul(a, b, Operand(out.view, best.out)))
            return out
        order = [d for group in best.out for d in group]
        made = self.builder.temporary(order, self.ranges)
        self.builder.add(MatMul(a, b, Operand(made, best.out)), Copy(laid_out(made, dims), out))
        return out

    def candidates(
        self, a: View | Strided, b: View | Strided, dims: tuple[str, ...], out: Operand
    ) -> Iterator[_Candidate]:
        """Every way to see the sum as a matrix product, with what it costs to copy."""
        for left, right in ((a, b), (b, a)):
            summed = [i for i in left.dims if i in right.dims and i not in dims]
            only_left = frozenset(left.dims) - frozenset(right.dims)
            only_right = frozenset(right.dims) - frozenset(left.dims)
            batch = tuple(d for d in dims if d not in only_left and d not in only_right)
            sorted_dims = (
                *batch,
                *(d for d in dims if d in only_left),
                *(d for d in dims if d in only_right),
            )
            for order in dict.fromkeys((dims, sorted_dims)):
                for lead, rows, columns in _splits(order, only_left, only_right):
                    for inner in permutations(summed):
                        yield self.candidate(left, right, lead, rows, columns, inner, out)

    def candidate(
        self,
        left: View | Strided,
        right: View | Strided,
        lead: tuple[str, ...],
        rows: tuple[str, ...],
        columns: tuple[str, ...],
        inner: tuple[str, ...],
        out: Operand,
    ) -> _Candidate:
        vector = not lead and not (rows and columns)
        a = Operand(
            left,
            _stripped(
                (*_leading(lead, left.dims), *((rows,) if rows or not vector else ()), inner)
            ),
        )
        b = Operand(
            right,
            _stripped(
                (*_leading(lead, right.dims), inner, *((columns,) if columns or not vector else ()))
            ),
        )
        result: Layout = (
            *((d,) for d in lead),
            *((g for g in (rows, columns) if g) if vector else (rows, columns)),
        )
        direct = _writable(out.view, result)
        copies = sum(self.cost(frozenset(o.view.dims)) for o in (a, b) if not mergeable(o))
        copies += 0 if direct else 2 * self.cost(frozenset((*lead, *rows, *columns)))
        thin = not vector and (not rows or not columns)
        work = self.cost(frozenset((*left.dims, *right.dims)))
        calls = self.cost(frozenset(lead))
        price = copies + (work // 2 if thin and calls > 1 else 0) + (100 * calls if lead else 0)
        flat = [d for group in result for d in group]
        turned = (
            flat[-1] != out.view.dims[-1],
            flat != list(out.view.dims),
            _turned(a) + _turned(b),
        )
        return _Candidate(price, turned, a, b, result, direct)


@dataclass(frozen=True)
class _Candidate:
    """A matrix product: what it costs, and how far it is from reading its arrays as they lie."""

    price: int
    turned: tuple[bool, bool, int]
    a: Operand
    b: Operand
    out: Layout
    direct: bool


def _turned(operand: Operand) -> bool:
    """Whether the dimensions are transposed."""
    return [d for group in operand.layout for d in group] != list(operand.view.dims)


def _writable(out: View | Strided, layout: Layout) -> bool:
    """Whether a matrix product may be written there: one of its two axes lies densely in memory."""
    if isinstance(out, Strided) or not mergeable(Operand(out, layout)):
        return False
    last = out.picks[-1] if out.picks else None
    if not isinstance(last, Slice) or last.step != ONE:
        return False
    return any(group and group[-1] == last.index for group in layout[-2:])


def _splits(
    dims: tuple[str, ...], rows: Names, columns: Names
) -> Iterator[tuple[tuple[str, ...], ...]]:
    """dims = lead + P + Q with P only in the left operand and Q only in the right one."""
    for q in range(len(dims), -1, -1):
        if not set(dims[q:]) <= columns:
            break
        for p in range(q, -1, -1):
            if not set(dims[p:q]) <= rows:
                break
            if p < len(dims):
                yield dims[:p], dims[p:q], dims[q:]


def _leading(lead: tuple[str, ...], present: tuple[str, ...]) -> Layout:
    return tuple((d,) if d in present else () for d in lead)


def _stripped(layout: Layout) -> Layout:
    """Without leading new axes, which broadcasting supplies; the last two dimensions stay."""
    start = 0
    while len(layout) - start > 2 and layout[start] == ():
        start += 1
    return layout[start:]
