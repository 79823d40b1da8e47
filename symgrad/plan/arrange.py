"""The order of contributions: what writes all of a tensor comes first, and needs no zeros below it.

dq[b,act[b]] += f[b];  dq[b,a] += g[b,a]   ->   dq[b,a] += g[b,a];  dq[b,act[b]] += f[b]
"""

from __future__ import annotations

from dataclasses import replace

from symgrad.algebra.program import Equation, Program
from symgrad.algebra.sizes import ZERO


def arrange(program: Program) -> Program:
    """The same equations; a partial writer comes right after the first that writes everything."""
    covering: dict[str, Equation] = {}
    for equation in program.equations:
        if covers(equation, program):
            covering.setdefault(equation.target.tensor, equation)
    late: dict[str, list[Equation]] = {}
    order: list[Equation] = []
    for equation in program.equations:
        name = equation.target.tensor
        first = covering.get(name)
        if equation is first:
            order += [equation, *late.pop(name, ())]
            del covering[name]
        elif first is not None:
            late.setdefault(name, []).append(equation)
        else:
            order.append(equation)
    return replace(program, equations=tuple(order))


def covers(equation: Equation, program: Program) -> bool:
    """Whether the equation writes every place of its tensor."""
    target = equation.target
    shape = program.tensor_of[target.tensor].shape
    ranges = equation.range_of
    return target.is_plain and all(
        ranges[str(s)].lo == ZERO and ranges[str(s)].hi == size
        for s, size in zip(target.subscripts, shape, strict=True)
    )
