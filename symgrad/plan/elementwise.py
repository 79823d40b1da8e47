"""A scalar expression over a box of indices -> ufunc steps into a buffer.

Sub-expressions that carry fewer indices are computed at their own, smaller size first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, S, Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Slot, slot_symbol
from symgrad.algebra.scalars import And, Equal, Less, LessEqual, Not, Or, Predicate, Select, Stop
from symgrad.algebra.scalars import Scalar as Row
from symgrad.errors import ProgramError
from symgrad.plan.builder import Builder, Ranges, laid_out, whole
from symgrad.plan.reads import gathered_into, read
from symgrad.plan.steps import (
    OVERWRITES_EARLY,
    Copy,
    Number,
    Operand,
    Scalar,
    Source,
    Strided,
    Ufunc,
    View,
)

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


@dataclass
class Elementwise:
    """Lowers bodies of one equation: what its symbols stand for, and its ranges."""

    builder: Builder
    slots: Mapping[Symbol, Slot]
    ranges: Ranges

    def indices(self, expr: Expr) -> frozenset[str]:
        """The indices that an expression carries, without those that a loop fixes."""
        found = (self.slots[s].indices for s in expr.free_symbols if s in self.slots)
        return frozenset().union(*found) - set(self.builder.fixed)

    def dims(self, expr: Expr, order: Sequence[str]) -> tuple[str, ...]:
        carried = self.indices(expr)
        return tuple(d for d in order if d in carried)

    def scalar(self, expr: Expr) -> Scalar:
        used = sorted((s for s in expr.free_symbols if s in self.slots), key=lambda s: s.name)
        return Scalar(expr, tuple((s, self.place(self.slots[s])) for s in used))

    def named(self, name: str) -> Symbol:
        """The symbol of a rank-0 value that the plan names."""
        symbol = slot_symbol(Access(name))
        self.slots = {**self.slots, symbol: Access(name)}
        return symbol

    def place(self, slot: Slot) -> Slot | View | Number:
        """What a rank-0 expression reads: a rank-0 tensor, a number, or one place of a tensor."""
        if isinstance(slot, Affine):
            return slot
        known = self.builder.program.tensor_of.get(slot.tensor)
        place = read(self.builder, slot, self.ranges) if slot.subscripts else slot
        if isinstance(place, Strided):
            raise ProgramError(f"{slot}: one place of a tensor was expected")
        return place if known is None or known.kind == "real" else Number(place)

    def source(self, expr: Expr, dims: Sequence[str]) -> Source:
        """An operand that broadcasts over `dims`: a view, a scalar, or a new buffer."""
        while isinstance(expr, Stop):
            expr = expr.args[0]
        carried = self.dims(expr, dims)
        if not carried:
            return self.scalar(expr)
        if expr.is_Symbol:
            return laid_out(self.leaf(self.slots[expr]), dims)
        if (flag := self.flag(expr)) is not None:
            return laid_out(read(self.builder, flag, self.ranges), dims)
        used = [self.slots[s] for s in expr.free_symbols if s in self.slots]
        key = ("numbers", expr, carried, tuple(self.ranges[d] for d in carried))
        if key in self.builder.cache:
            return laid_out(self.builder.cache[key], dims)
        out = self.builder.temporary(
            carried, self.ranges, "bool" if isinstance(expr, Predicate) else "real"
        )
        self.into(expr, carried, laid_out(out, carried))
        if all(isinstance(slot, Affine) for slot in used):  # indices and sizes: the same everywhere
            self.builder.cache[key] = out
        return laid_out(out, dims)

    def flag(self, expr: Expr) -> Access | None:
        """done[b] == 1, where done is bool: it is a mask already."""
        if not isinstance(expr, Equal) or expr.args[1] != S.One:
            return None
        slot = self.slots.get(expr.args[0])
        if (
            not isinstance(slot, Access)
            or self.builder.program.tensor_of[slot.tensor].kind != "bool"
        ):
            return None
        return slot

    def leaf(self, slot: Slot) -> View | Strided:
        """A read, as real numbers; or an index as the numbers that it runs through."""
        builder = self.builder
        if isinstance(slot, Affine):
            (index, step), *more = [(i, c) for i, c in slot.terms if i not in builder.fixed]
            if more or len(slot.terms) > 1:
                raise ProgramError(f"{slot}: as a number, write one index at a time")
            r = self.ranges[index]
            name = builder.constant(slot.offset + step * r.lo, r.count, step, "real")
            return whole(builder.arrays[name], (index,))
        view = read(builder, slot, self.ranges)
        if builder.arrays[view.array].kind == "real":
            return view
        key = ("real", slot, tuple(self.ranges[i] for i in view.dims))
        if key not in builder.cache:
            out = builder.temporary(view.dims, self.ranges, "real", f"{slot.tensor}_real")
            builder.add(Copy(laid_out(view, view.dims), laid_out(out, view.dims)))
            builder.cache[key] = out
        return builder.cache[key]

    def into(self, expr: Expr, dims: Sequence[str], out: Operand) -> None:
        """out = expr over dims."""
        slot = self.slots.get(expr)
        if isinstance(expr, Stop):
            self.into(expr.args[0], dims, out)
        elif isinstance(slot, Access) and gathered_into(self.builder, slot, self.ranges, out):
            return
        elif expr.is_Symbol or self.dims(expr, dims) != tuple(dims):
            self.builder.add(Copy(self.source(expr, dims), out))
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

    def call(self, function: str, args: Sequence[Expr], dims: Sequence[str], out: Operand) -> None:
        """out = function(*args); the argument that carries every index is computed in place."""
        inputs: list[Source] = []
        kind = self.builder.arrays[out.array].kind
        free = kind == "real" and function not in OVERWRITES_EARLY
        for arg in args:
            composite = (
                not arg.is_Symbol
                and not isinstance(arg, (Stop, Predicate))
                and self.dims(arg, dims) == tuple(dims)
            )
            if composite and free:
                self.into(arg, dims, out)
                inputs.append(out)
                free = False
            else:
                inputs.append(self.source(arg, dims))
        self.builder.add(self.ufunc(function, inputs, dims, out))

    def ufunc(
        self, function: str, inputs: Sequence[Source], dims: Sequence[str], out: Operand
    ) -> Ufunc:
        count = SCRATCH.get(function, 0)
        scratch = tuple(
            laid_out(self.builder.temporary(dims, self.ranges), dims) for _ in range(count)
        )
        return Ufunc(function, tuple(inputs), out, scratch)

    def add(self, expr: Expr, dims: Sequence[str], out: Operand) -> None:
        terms = [signed(t) for t in self.grouped(expr, dims)]
        terms.sort(key=lambda t: (t[1].is_Symbol or self.dims(t[1], dims) != tuple(dims), t[0] < 0))
        accumulated, sign = self.first(terms[0][1], dims, out), terms[0][0]
        for next_sign, term in terms[1:]:
            other = self.source(term, dims)
            if sign < 0 < next_sign:
                self.builder.add(Ufunc("subtract", (other, accumulated), out))
                sign = 1
            else:
                self.builder.add(
                    Ufunc("add" if sign == next_sign else "subtract", (accumulated, other), out)
                )
            accumulated = out
        if sign < 0:
            self.builder.add(Ufunc("negative", (accumulated,), out))

    def first(self, expr: Expr, dims: Sequence[str], out: Operand) -> Source:
        """A composite over all of dims is computed into `out`; anything else where it belongs."""
        if expr.is_Symbol or isinstance(expr, Stop) or self.dims(expr, dims) != tuple(dims):
            return self.source(expr, dims)
        self.into(expr, dims, out)
        return out

    def multiply(self, expr: Expr, dims: Sequence[str], out: Operand) -> None:
        above, below, number = factors(expr)
        scalars = [f for f in above if not self.indices(f)]
        divisors = [f for f in below if not self.indices(f)]
        above = self.regrouped([f for f in above if self.indices(f)], dims)
        below = [f for f in below if self.indices(f)]
        scale = sympy.Mul(number, *scalars)
        spread = sorted(above, key=lambda f: f.is_Symbol or self.dims(f, dims) != tuple(dims))
        small = min(
            above, key=lambda f: self.builder.cost(self.indices(f), self.ranges), default=None
        )
        if (
            small is not None
            and (scale not in (S.One, -S.One) or divisors)
            and self.dims(small, dims) != tuple(dims)
        ):
            scaled = sympy.Mul(scale, small, *(1 / d for d in divisors))
            spread[spread.index(small)] = scaled
            scale, divisors = S.One, []
        if spread:
            accumulated = self.first(spread[0], dims, out)
        else:
            accumulated, scale, divisors = self.scalar(scale / sympy.Mul(*divisors)), S.One, []
        sign = -1 if scale.could_extract_minus_sign() else 1
        for factor in spread[1:]:
            self.builder.add(Ufunc("multiply", (accumulated, self.source(factor, dims)), out))
            accumulated = out
        for factor in below:
            self.builder.add(Ufunc("divide", (accumulated, self.source(factor, dims)), out))
            accumulated = out
        self.finish(accumulated, sign * scale, sympy.Mul(*divisors), sign, out)

    def finish(self, value: Source, scale: Expr, divisor: Expr, sign: int, out: Operand) -> None:
        """out = sign * value * scale / divisor, where scale and divisor carry no index."""
        if scale == S.One and divisor == S.One:
            if sign < 0:
                self.builder.add(Ufunc("negative", (value,), out))
            elif value != out:
                self.builder.add(Copy(value, out))
        elif scale == S.One:
            self.builder.add(Ufunc("divide", (value, self.scalar(sign * divisor)), out))
        else:
            self.builder.add(Ufunc("multiply", (value, self.scalar(sign * scale / divisor)), out))

    def power(self, expr: Expr, dims: Sequence[str], out: Operand) -> None:
        base, exponent = expr.base, expr.exp
        value = self.first(base, dims, out)
        if exponent == S.Half:
            self.builder.add(Ufunc("sqrt", (value,), out))
        elif exponent == 2:
            self.builder.add(Ufunc("square", (value,), out))
        elif exponent.is_Integer and exponent <= 4 and value != out:
            self.builder.add(Ufunc("square", (value,), out))
            self.builder.add(
                Ufunc("multiply", (out, value), out)
                if exponent == 3
                else Ufunc("square", (out,), out)
            )
        else:
            self.builder.add(Ufunc("raise", (value, Scalar(exponent)), out))

    def select(self, expr: Select, dims: Sequence[str], out: Operand) -> None:
        condition, yes, no = expr.args
        mask = self.source(condition, dims)
        chosen = self.source(yes, dims)
        self.into(no, dims, out) if self.indices(no) else self.builder.add(
            Copy(self.scalar(no), out)
        )
        self.builder.add(Copy(chosen, out, mask))

    def grouped(self, expr: Expr, dims: Sequence[str]) -> list[Expr]:
        """The terms of a sum; those over the same smaller set of indices as one."""
        return self._merged(list(expr.args), dims, sympy.Add)

    def regrouped(self, parts: list[Expr], dims: Sequence[str]) -> list[Expr]:
        """The factors of a product; those over the same smaller set of indices as one."""
        return self._merged(parts, dims, sympy.Mul)

    def _merged(self, parts: list[Expr], dims: Sequence[str], join: type[Expr]) -> list[Expr]:
        groups: dict[tuple[str, ...], list[Expr]] = {}
        for part in parts:
            groups.setdefault(self.dims(part, dims), []).append(part)
        result: list[Expr] = []
        for key, members in groups.items():
            result += members if key == tuple(dims) else [join(*members)]
        return result


SCRATCH = {"sigmoid": 1, "erf": 3}
"""How many buffers of its result's size a function needs beside its result."""


def factors(expr: Expr) -> tuple[list[Expr], list[Expr], Expr]:
    """(factors above, factors below, number) of a product."""
    above: list[Expr] = []
    below: list[Expr] = []
    number: Expr = S.One
    for part in sympy.Mul.make_args(expr):
        if part.is_Number:
            number = number * part
        elif part.is_Pow and part.exp.is_Number and part.exp.is_negative:
            below.append(part.base**-part.exp)
        else:
            above.append(part)
    return above, below, number


def signed(term: Expr) -> tuple[int, Expr]:
    """(sign, the term without it)."""
    number, rest = term.as_coeff_Mul()
    if number.is_negative:
        return -1, -term if not rest.is_Add or number != -1 else rest
    return 1, term
