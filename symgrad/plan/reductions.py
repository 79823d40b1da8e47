"""logsumexp and argmax over the last dimension, and what they read laid out for it."""

from __future__ import annotations

from symgrad.algebra.program import Equation
from symgrad.errors import ProgramError
from symgrad.plan.builder import Builder, copied
from symgrad.plan.steps import ArgMax, LogSumExp
from symgrad.plan.values import elementwise
from symgrad.plan.views import Operand, View, each, plainly
from symgrad.plan.writes import direct


def reduction(builder: Builder, equation: Equation) -> None:
    """out = logsumexp or argmax of the body over the indices that the target does not have."""
    dims, out = _target(builder, equation)
    inner = tuple(i for i in equation.reduced if i not in builder.fixed)
    source = _source(builder, equation, dims, inner)
    if equation.op == "argmax":
        (index,) = equation.reduced
        builder.add(ArgMax(source, out, equation.range_of[index].lo))
        return
    scratch = builder.temporary(source.order, equation.range_of)
    total = builder.temporary(dims, equation.range_of)
    builder.add(LogSumExp(source, out, Operand(scratch.view, source.layout), total))


def _target(builder: Builder, equation: Equation) -> tuple[tuple[str, ...], Operand]:
    """(its indices, the target): of a rank-0 one only the name."""
    array = builder.arrays.get(equation.target.tensor)
    if array is None:
        return (), Operand(View(equation.target.tensor, ()), ())
    view = direct(builder, equation, array)
    if view is None:
        raise ProgramError(f"{equation.target}: {equation.op} writes plain places")
    return view.dims, plainly(view)


def _source(
    builder: Builder, equation: Equation, dims: tuple[str, ...], inner: tuple[str, ...]
) -> Operand:
    """The body, contiguous, the reduced indices last and merged."""
    lower, everything = elementwise(builder, equation), (*dims, *inner)
    made = lower.source(equation.body, everything)
    if not isinstance(made, Operand) or set(made.view.dims) != set(everything):
        made = builder.temporary(everything, equation.range_of)
        lower.into(equation.body, everything, made)
    merged = Operand(made.view, (*each(dims), inner))
    lies_well = made.view.dims == everything and made.view.is_dense
    return merged if lies_well else copied(builder, merged)
