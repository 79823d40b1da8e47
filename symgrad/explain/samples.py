"""A program over samples: f(x), summed over m: sum(m: f(x[m]))."""

from __future__ import annotations

from dataclasses import replace

from symgrad.algebra.access import Access, Affine, Subscript
from symgrad.algebra.program import Equation, Program, Range, Slot
from symgrad.algebra.sizes import ZERO, Size
from symgrad.explain.substitute import moved


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

    def sampled(slot: Slot) -> Slot:
        if isinstance(slot, Affine):
            return slot
        subscripts = tuple(sampled(s) if isinstance(s, Access) else s for s in slot.subscripts)
        first: tuple[Subscript, ...] = (Affine.index(index),) if slot.tensor in each else ()
        return replace(slot, subscripts=(*first, *subscripts))

    def each_sample(equation: Equation) -> Equation:
        found = moved(equation, sampled, (Range(index, ZERO, many), *equation.box))
        return replace(found, assigns=equation.assigns and equation.target.tensor != value)

    tensors = tuple(
        replace(t, shape=(many, *t.shape)) if t.name in each else t for t in program.tensors
    )
    return replace(
        program,
        sizes=((size, None), *program.sizes),
        tensors=tensors,
        equations=tuple(each_sample(e) for e in program.equations),
    )
