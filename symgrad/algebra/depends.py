"""Whether a gradient can be anything but 0."""

from __future__ import annotations

from collections.abc import Collection

from symgrad.algebra.derive import partials
from symgrad.algebra.heads import split_heads
from symgrad.algebra.program import Program


def depends(program: Program, value: str, wrt: Collection[str]) -> bool:
    """Whether nonzero local partials lead from `value` back to one of `wrt`."""
    swept = split_heads(program)
    seen, waiting = {value}, [value]
    while waiting and seen.isdisjoint(wrt):
        for equation in swept.writers.get(waiting.pop(), ()):
            read = {p.read.tensor for p in partials(equation, swept)} - seen
            seen |= read
            waiting += sorted(read)
    return not seen.isdisjoint(wrt)
