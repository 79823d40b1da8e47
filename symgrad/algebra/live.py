"""What the outputs of a program need."""

from __future__ import annotations

from dataclasses import replace

from symgrad.algebra.program import Program


def drop_dead(program: Program) -> Program:
    """Equations that no output needs  ->  nothing."""
    needed, waiting = set(program.outputs), list(program.outputs)
    while waiting:
        for equation in program.writers.get(waiting.pop(), ()):
            for access in equation.reads:
                if access.tensor not in needed:
                    needed.add(access.tensor)
                    waiting.append(access.tensor)
    return replace(
        program,
        tensors=tuple(t for t in program.tensors if t.name in needed or t.role != "computed"),
        equations=tuple(e for e in program.equations if e.target.tensor in needed),
    )
