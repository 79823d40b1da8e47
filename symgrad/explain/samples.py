"""A program over samples: f(x), summed over m: sum(m: f(x[m]))."""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, Symbol
from sympy.core.parameters import distribute

from symgrad.algebra.access import Access, Affine, Subscript
from symgrad.algebra.program import Equation, Program, Range, make_equation, slot_symbol
from symgrad.algebra.sizes import ZERO, Size


def over_samples(program: Program, value: str, index: str, size: str) -> Program:
    """Every value that is no parameter gets an axis of samples; `value` is summed over them.

    Data of rank 0 stay one number for all samples.
    """
    many = Size.of(size)
    each = {
        t.name
        for t in program.tensors
        if t.name != value and t.role != "param" and (t.shape or t.role == "computed")
    }

    def moved(access: Access) -> Access:
        subscripts = tuple(moved(s) if isinstance(s, Access) else s for s in access.subscripts)
        first: tuple[Subscript, ...] = (Affine.index(index),) if access.tensor in each else ()
        return replace(access, subscripts=(*first, *subscripts))

    def sampled(equation: Equation) -> Equation:
        slots = [moved(s) if isinstance(s, Access) else s for _, s in equation.slots]
        put: dict[Symbol, Symbol] = {
            s: slot_symbol(new) for (s, _), new in zip(equation.slots, slots, strict=True)
        }
        target = moved(equation.target)
        box = (Range(index, ZERO, many), *equation.box)
        with distribute(False):
            body: Expr = equation.body.xreplace(put)
        assigns = equation.assigns and target.tensor != value
        return make_equation(
            target, body, slots, box, equation.op, assigns=assigns, origin=equation.origin
        )

    tensors = tuple(
        replace(t, shape=(many, *t.shape)) if t.name in each else t for t in program.tensors
    )
    return replace(
        program,
        sizes=((size, None), *program.sizes),
        tensors=tensors,
        equations=tuple(sampled(e) for e in program.equations),
    )
