"""The plan of one function of the module: what it reads, its steps, its memory, what it returns."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.algebra.program import Program
from symgrad.plan.arrange import arrange
from symgrad.plan.buffers import shared, touched
from symgrad.plan.count import counted
from symgrad.plan.lower import lower
from symgrad.plan.numbers import numbered
from symgrad.plan.once import once
from symgrad.plan.separate import separate
from symgrad.plan.steps import Plan


def plan(program: Program, gradients: Sequence[str] = ()) -> Plan:
    """Steps for the outputs; `gradients` are those that lie in the vector of gradients."""
    return numbered(with_memory(program, gradients), program.names)


def with_memory(program: Program, gradients: Sequence[str] = ()) -> Plan:
    """The plan before spare buffers in one memory get one name."""
    arrays, steps = lower(arrange(separate(program)), gradients)
    arrays, steps = once(arrays, steps, (*program.outputs, *gradients))
    used = {name for step in steps for name in touched(step)}
    kept = tuple(a for a in arrays if a.name in used)
    shares = shared(kept, steps, [*program.outputs, *gradients])
    operations, memory = counted(kept, steps, dict(shares))
    return Plan(kept, steps, shares, operations, memory)
