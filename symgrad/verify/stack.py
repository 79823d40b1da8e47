"""Many nearby points in one evaluation: what moves gets one more axis, for the probes.

X[g(I)] -> X[p, g(I)] for every tensor that moves; the bodies stay as they are.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation, Program, Range, Slot, fresh_name
from symgrad.algebra.sizes import ZERO, Size


def stacked(program: Program, moving: Collection[str], count: int) -> Program:
    """The program over `count` probes; equations, stops and branches keep their numbers."""
    probe = fresh_name("probe", program.names)
    tensors = tuple(
        replace(t, shape=(Size.of(count), *t.shape)) if t.name in moving else t
        for t in program.tensors
    )
    equations = tuple(
        _stacked(e, moving, Range(probe, ZERO, Size.of(count))) if e.target.tensor in moving else e
        for e in program.equations
    )
    return replace(program, tensors=tensors, equations=equations)


def _stacked(equation: Equation, moving: Collection[str], probes: Range) -> Equation:
    def moved(slot: Slot) -> Slot:
        return _moved(slot, moving, probes.index) if isinstance(slot, Access) else slot

    return replace(
        equation,
        target=_moved(equation.target, moving, probes.index),
        slots=tuple((symbol, moved(slot)) for symbol, slot in equation.slots),
        box=(probes, *equation.box),
    )


def _moved(access: Access, moving: Collection[str], probe: str) -> Access:
    inner = tuple(
        _moved(s, moving, probe) if isinstance(s, Access) else s for s in access.subscripts
    )
    lead = (Affine.index(probe),) if access.tensor in moving else ()
    return replace(access, subscripts=(*lead, *inner))
