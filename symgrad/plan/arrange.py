"""The order of contributions: what writes all of a tensor comes first, and needs no zeros below it.

dq[b,act[b]] += f[b];  dq[b,a] += g[b,a]   ->   dq[b,a] += g[b,a];  dq[b,act[b]] += f[b]
y[b,i] += x[b,i];  y[b,i] += W[i,j]*h[b,j]   ->   y[b,i] += W[i,j]*h[b,j];  y[b,i] += x[b,i]
"""

from __future__ import annotations

from dataclasses import replace

from symgrad.algebra.program import Equation, Program, covers


def arrange(program: Program) -> Program:
    """The same equations; the others come right after the one that a tensor starts from.

    That is the first that writes everything, best one that computes something: what is only read
    can be added without an array of its own, where a start would have to copy it.
    """
    start: dict[str, Equation] = {}
    for equation in program.equations:
        known = start.setdefault(equation.target.tensor, equation)
        if _rank(equation, program) < _rank(known, program):
            start[equation.target.tensor] = equation
    late: dict[str, list[Equation]] = {}
    order: list[Equation] = []
    for equation in program.equations:
        name = equation.target.tensor
        first = start.get(name)
        if equation is first:
            order += [equation, *late.pop(name, ())]
            del start[name]
        elif first is not None:
            late.setdefault(name, []).append(equation)
        else:
            order.append(equation)
    return replace(program, equations=tuple(order))


def _rank(equation: Equation, program: Program) -> tuple[bool, bool]:
    """(whether it leaves places unwritten, whether it only adds what is read)."""
    bare = equation.body.is_Symbol or (-equation.body).is_Symbol
    return not covers(equation, program), bare and not equation.reduced and not equation.assigns
