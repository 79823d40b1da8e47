"""A scalar expression over a box of indices -> ufunc steps into a buffer.

Sub-expressions that carry fewer indices are computed at their own, smaller size first; but not
inside a selection, where each side is computed only at the places that select it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, S

from symgrad.algebra.access import Access
from symgrad.algebra.program import Kind
from symgrad.algebra.scalars import And, Equal, Less, LessEqual, Not, Or, Predicate, Select, Stop
from symgrad.algebra.scalars import Scalar as Row
from symgrad.errors import ProgramError
from symgrad.plan.factors import factors, signed
from symgrad.plan.masks import Masks
from symgrad.plan.reads import gathered_into, read
from symgrad.plan.steps import OVERWRITES_EARLY, Scalar, Source
from symgrad.plan.views import Operand, laid_out

DEFINED = ("leaky_relu",)
"""Kinked functions that are lowered as the selection that defines them."""

LOGIC = {
    Less: "less",
    LessEqual: "less_equal",
    Equal: "equal",
    And: "logical_and",
    Or: "logical_or",
    Not: "logical_not",
}

SCRATCH = {"sigmoid": 1, "erf": 3, "erfc": 3}
"""How many buffers of its result's size a function needs beside its result."""


@dataclass
class Elementwise(Masks):
    """Lowers bodies of one equation."""

    def source(self, expr: Expr, dims: Sequence[str]) -> Source:
        """An operand that broadcasts over `dims`: a view, a scalar, or a new buffer."""
        while isinstance(expr, Stop):
            expr = expr.args[0]
        masked = self.is_masked(expr)
        carried = tuple(dims) if masked else self.dims(expr, dims)
        if not carried:
            return self.scalar(expr)
        if expr.is_Symbol:
            return laid_out(self.leaf(self.slots[expr]), dims)
        if (flag := self.flag(expr)) is not None:
            return laid_out(read(self.builder, flag, self.ranges), dims)
        kind: Kind = "bool" if isinstance(expr, Predicate) else "real"
        out = self.builder.temporary(carried, self.ranges, kind)
        with self.only(self.where if masked else None):  # a mask has all of dims, not these alone
            self.into(expr, carried, out)
        return laid_out(out.view, dims)

    def into(self, expr: Expr, dims: Sequence[str], out: Operand) -> None:
        """out = expr over dims."""
        slot = self.slots.get(expr)
        if isinstance(expr, Stop):
            self.into(expr.args[0], dims, out)
        elif isinstance(slot, Access) and self.gathered(slot, out):
            return
        elif expr.is_Symbol or self.is_smaller(expr, dims):
            self.copy(self.source(expr, dims), out)
        elif expr.is_Add:
            self.add(expr, dims, out)
        elif expr.is_Mul or (expr.is_Pow and expr.exp.is_negative):
            self.multiply(expr, dims, out)
        elif expr.is_Pow:
            self.power(expr, dims, out)
        elif isinstance(expr, Select):
            self.select(expr, dims, out)
        elif isinstance(expr, Predicate):
            self.call(LOGIC[type(expr)], expr.args, dims, out)
        elif isinstance(expr, Row) and expr.row.name in DEFINED:
            self.into(expr.row.definition(*expr.args), dims, out)
        elif isinstance(expr, Row):
            self.call(expr.row.name, expr.args, dims, out)
        else:
            raise ProgramError(
                f"{type(expr).__name__} is a declared, undefined function: "
                "it can be derived, not computed"
            )

    def is_smaller(self, expr: Expr, dims: Sequence[str]) -> bool:
        """Whether an expression broadcasts over some of dims."""
        return self.dims(expr, dims) != tuple(dims) and not self.is_masked(expr)

    def gathered(self, slot: Access, out: Operand) -> bool:
        """Whether a gather could go straight to `out`, and now has."""
        return self.where is None and gathered_into(self.builder, slot, self.ranges, out)

    def is_elsewhere(self, expr: Expr, dims: Sequence[str]) -> bool:
        """Whether the value is not computed over dims, but is there or is smaller."""
        return expr.is_Symbol or isinstance(expr, Stop) or self.is_smaller(expr, dims)

    def first(self, expr: Expr, dims: Sequence[str], out: Operand) -> Source:
        """A composite over all of dims is computed into `out`; anything else where it belongs."""
        if self.is_elsewhere(expr, dims):
            return self.source(expr, dims)
        self.into(expr, dims, out)
        return out

    # ---- one kind of expression each ----------------------------------------------------------

    def call(self, function: str, args: Sequence[Expr], dims: Sequence[str], out: Operand) -> None:
        """out = function(*args); the argument that carries every index is computed in place."""
        inputs: list[Source] = []
        kind = self.builder.arrays[out.array].kind
        free = kind == "real" and function not in OVERWRITES_EARLY
        for arg in args:
            if free and not isinstance(arg, Predicate) and not self.is_elsewhere(arg, dims):
                self.into(arg, dims, out)
                inputs.append(out)
                free = False
            else:
                inputs.append(self.source(arg, dims))
        count = SCRATCH.get(function, 0)
        scratch = tuple(self.builder.temporary(dims, self.ranges) for _ in range(count))
        self.apply(function, inputs, out, scratch)

    def add(self, expr: Expr, dims: Sequence[str], out: Operand) -> None:
        terms = [signed(t) for t in self.merged(expr.args, dims, sympy.Add)]
        terms.sort(key=lambda t: (t[1].is_Symbol or self.is_smaller(t[1], dims), t[0] < 0))
        accumulated, sign = self.first(terms[0][1], dims, out), terms[0][0]
        for next_sign, term in terms[1:]:
            other = self.source(term, dims)
            if sign < 0 < next_sign:
                self.apply("subtract", (other, accumulated), out)
                sign = 1
            else:
                function = "add" if sign == next_sign else "subtract"
                self.apply(function, (accumulated, other), out)
            accumulated = out
        if sign < 0:
            self.apply("negative", (accumulated,), out)

    def multiply(self, expr: Expr, dims: Sequence[str], out: Operand) -> None:
        above, below, number = factors(expr)
        scale = sympy.Mul(number, *(f for f in above if self.is_number(f)))
        divisor = sympy.Mul(*(f for f in below if self.is_number(f)))
        above = self.merged([f for f in above if not self.is_number(f)], dims, sympy.Mul)
        spread = sorted(above, key=lambda f: f.is_Symbol or self.is_smaller(f, dims))
        small = min(above, key=self.cost, default=None)
        plain = scale in (S.One, -S.One) and divisor == S.One
        if small is not None and not plain:
            scaled = sympy.Mul(scale, small, 1 / divisor)
            if self.is_smaller(small, dims) and self.is_smaller(scaled, dims):
                spread[spread.index(small)] = scaled
                scale = divisor = S.One
        if spread:
            accumulated = self.first(spread.pop(0), dims, out)
        else:
            accumulated = self.scalar(scale / divisor)
            scale = divisor = S.One
        for function, others in (("multiply", spread), ("divide", below)):
            for factor in others:
                if not self.is_number(factor):
                    self.apply(function, (accumulated, self.source(factor, dims)), out)
                    accumulated = out
        self.finish(accumulated, scale, divisor, out)

    def is_number(self, factor: Expr) -> bool:
        """Whether a factor is one number; on one side of a selection, one that nothing guards."""
        return not self.indices(factor) and not (self.where is not None and self.is_typed(factor))

    def finish(self, value: Source, scale: Expr, divisor: Expr, out: Operand) -> None:
        """out = value * scale / divisor, where scale and divisor carry no index."""
        if scale == divisor == S.One:
            if value != out:
                self.copy(value, out)
        elif divisor == S.One and scale == -S.One:
            self.apply("negative", (value,), out)
        elif scale in (S.One, -S.One):
            self.apply("divide", (value, self.scalar(scale * divisor)), out)
        else:
            self.apply("multiply", (value, self.scalar(scale / divisor)), out)

    def power(self, expr: Expr, dims: Sequence[str], out: Operand) -> None:
        base, exponent = expr.base, expr.exp
        value = self.first(base, dims, out)
        if exponent == S.Half:
            self.apply("sqrt", (value,), out)
        elif exponent == 2:
            self.apply("square", (value,), out)
        elif exponent.is_Integer and exponent <= 4 and value != out:
            self.apply("square", (value,), out)
            if exponent == 3:
                self.apply("multiply", (out, value), out)
            else:
                self.apply("square", (out,), out)
        else:
            self.apply("raise", (value, Scalar(exponent)), out)

    def select(self, expr: Select, dims: Sequence[str], out: Operand) -> None:
        """A side that is quiet goes everywhere first; the other over it, where it is selected."""
        condition, yes, no = expr.args
        mask = self.source(condition, dims)
        first = next((side for side in (no, yes) if not self.is_loud(side)), None)
        if first is not None:
            self.side(first, dims, out, self.where)
        if yes is not first:
            self.side(yes, dims, out, self.within(mask, dims))
        if no is not first:
            self.side(no, dims, out, self.within(self.negated(mask, dims), dims))

    def side(self, expr: Expr, dims: Sequence[str], out: Operand, where: Source | None) -> None:
        """out = one side of a selection, at its places."""
        with self.only(where):
            if self.indices(expr) or self.is_masked(expr):
                self.into(expr, dims, out)
            else:
                self.copy(self.scalar(expr), out)

    def merged(self, parts: Sequence[Expr], dims: Sequence[str], join: type[Expr]) -> list[Expr]:
        """Terms or factors; those over the same smaller set of indices as one."""
        if self.where is not None:
            return list(parts)
        groups: dict[tuple[str, ...], list[Expr]] = {}
        for part in parts:
            groups.setdefault(self.dims(part, dims), []).append(part)
        result: list[Expr] = []
        for key, members in groups.items():
            result += members if key == tuple(dims) else [join(*members)]
        return result
