"""The value of one equation's body, summed over what its target does not have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy
from sympy import Expr, S

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation, Range, count_of
from symgrad.algebra.sizes import ONE
from symgrad.errors import ProgramError
from symgrad.plan.builder import Builder
from symgrad.plan.contract import Contraction
from symgrad.plan.elementwise import Elementwise
from symgrad.plan.factors import factors, signed
from symgrad.plan.rewrite import terms
from symgrad.plan.steps import Assign, Copy, Scalar, Ufunc
from symgrad.plan.views import Operand, View, laid_out


def elementwise(builder: Builder, equation: Equation) -> Elementwise:
    return Elementwise(builder, equation.slot_of, equation.range_of)


def summed(builder: Builder, equation: Equation, dims: Sequence[str]) -> list[Range]:
    """The indices of the box that are neither in dims nor fixed by a loop."""
    return [r for r in equation.box if r.index not in dims and r.index not in builder.fixed]


def value(
    builder: Builder, equation: Equation, dims: tuple[str, ...], out: Operand | None = None
) -> Operand:
    """The body, summed over all that is not in dims: in `out`, or in a new buffer."""
    lower, over = elementwise(builder, equation), summed(builder, equation, dims)
    carried = lower.dims(equation.body, dims)
    if over and carried != dims:
        return _spread(builder, equation, dims, out)
    if over:
        return _contracted(lower, equation, over, dims, out)
    if out is None and equation.body.is_Symbol and carried == dims:
        leaf = lower.source(equation.body, dims)
        if isinstance(leaf, Operand):
            return leaf
    out = out or builder.temporary(dims, equation.range_of)
    lower.into(equation.body, dims, out)
    return out


def _spread(
    builder: Builder, equation: Equation, dims: tuple[str, ...], out: Operand | None
) -> Operand:
    """A sum that carries some of dims: computed at its own size, then copied over the rest."""
    out = out or builder.temporary(dims, equation.range_of)
    lower = elementwise(builder, equation)
    carried = lower.dims(equation.body, dims)
    if carried:
        box = tuple(r for r in equation.box if r.index in carried or r.index not in dims)
        made = value(builder, replace(equation, box=box), carried)
        builder.add(Copy(laid_out(made.view, dims), out))
    else:
        builder.add(Copy(total(builder, equation, dims), out))
    return out


def _contracted(
    lower: Elementwise,
    equation: Equation,
    over: Sequence[Range],
    dims: tuple[str, ...],
    out: Operand | None,
) -> Operand:
    """A sum of products; what carries no index multiplies the result."""
    scale, parts = _split(lower, equation.body, over)
    work = Contraction(lower, [scale])
    made = work.run(parts, dims, out)
    if isinstance(made, str):
        raise ProgramError(f"{equation.target}: nothing in the body carries {', '.join(dims)}")
    scale = sympy.Mul(*work.scalars)
    if scale == -S.One:
        lower.builder.add(Ufunc("negative", (made,), made))
    elif scale != S.One and sympy.numer(scale) == S.One:
        lower.builder.add(Ufunc("divide", (made, lower.scalar(sympy.denom(scale))), made))
    elif scale != S.One:
        lower.builder.add(Ufunc("multiply", (made, lower.scalar(scale)), made))
    return made


def _split(lower: Elementwise, body: Expr, over: Sequence[Range]) -> tuple[Expr, list[Expr]]:
    """(factor without an index, the other factors) of a body under a sum."""
    above, below, number = factors(body)
    parts = [*above, *(1 / f for f in below)]
    scale = sympy.Mul(number, *(p for p in parts if not lower.indices(p)))
    carried = lower.indices(body)
    idle = count_of(r for r in over if r.index not in carried)
    if idle != ONE:
        scale = scale * lower.named(Affine((), idle))
    return scale, [p for p in parts if lower.indices(p)]


def total(builder: Builder, equation: Equation, dims: Sequence[str] = ()) -> Scalar:
    """A body that carries nothing of dims, summed over all that is not in dims."""
    lower, over = elementwise(builder, equation), summed(builder, equation, dims)
    if not over:
        return lower.scalar(equation.body)
    scale, parts = _split(lower, equation.body, over)
    if not parts:
        return lower.scalar(scale)
    work = Contraction(lower, [scale])
    made = work.run(parts, (), None)
    return lower.scalar(sympy.Mul(*work.scalars, lower.named(Access(str(made)))))


def accumulate(builder: Builder, equation: Equation, dims: tuple[str, ...], out: Operand) -> None:
    """out += body."""
    sign, body = signed(equation.body)
    positive = equation.with_body(body)
    addend = (
        value(builder, positive, dims)
        if summed(builder, equation, dims)
        else elementwise(builder, positive).source(body, dims)
    )
    builder.add(Ufunc("add" if sign > 0 else "subtract", (out, addend), out))


def scalar(builder: Builder, equation: Equation, target: str | View, fresh: bool) -> None:
    """A rank-0 target, or one place: a Python-level expression, or totals."""
    for n, part in enumerate(terms(equation, builder.fixed)):
        builder.add(Assign(target, total(builder, part), accumulate=n > 0 or not fresh))
