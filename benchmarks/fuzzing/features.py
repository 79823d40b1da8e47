"""The primitives that occur in a program, found in its equations."""

from __future__ import annotations

import sympy

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.order import Loop, schedule
from symgrad.algebra.program import Program
from symgrad.algebra.scalars import FUNCTIONS


def features(program: Program) -> set[str]:
    """The primitives that occur in a forward program."""
    found = {type(n).__name__ for e in program.equations for n in sympy.preorder_traversal(e.body)}
    names = {"where" for n in found if n == "Select"} | {"stop" for n in found if n == "Stop"}
    names |= {"elementwise" for n in found if n in FUNCTIONS}
    names |= {e.op for e in program.equations if e.op != "sum"}
    names |= {"self-read" for group in schedule(program) if isinstance(group, Loop)}
    for equation in program.equations:
        reads = equation.reads
        names |= {"contraction" for r in equation.reduced if sum(r in a.indices for a in reads) > 1}
        names |= {"reduction"} if equation.reduced and equation.op == "sum" else set()
        names |= {"scatter"} if any(equation.target.gathers()) else set()
        names |= {"gather" for a in reads if any(a.gathers())}
        names |= {"pad" for a in (*reads, equation.target) if a.padded}
        subscripts = [s for a in (*reads, equation.target) for s in a.subscripts]
        names |= {"affine" for s in subscripts if isinstance(s, Affine) and s.plain is None}
        names |= {"number" for _, slot in equation.slots if isinstance(slot, Affine)}
        data = [s for _, s in equation.slots if isinstance(s, Access)]
        kinds = {(program.tensor_of[a.tensor].kind, a.padded) for a in data} - {("real", False)}
        names |= {f"padded {kind}" if padded else kind for kind, padded in kinds}
    return names
