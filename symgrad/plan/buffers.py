"""Which buffers share memory: those of one shape and kind whose lives do not overlap.

A life reaches from the first step that writes a buffer to the last that touches it; a loop counts
as one step for what lives around it. At a step that works place by place, an input that dies there
may hand its memory to the output: the chain runs in place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

from symgrad.plan.steps import (
    OVERWRITES_EARLY,
    Guard,
    Loop,
    Note,
    Number,
    Scalar,
    Step,
    Ufunc,
)
from symgrad.plan.views import Array, Operand, View


@dataclass
class _Life:
    first: int
    last: int
    inherits: frozenset[str]


def shared(
    arrays: Sequence[Array], steps: Sequence[Step], kept: Iterable[str]
) -> tuple[tuple[str, str], ...]:
    """(buffer, the earlier one whose memory it takes); `kept` ones are read after the last step."""
    buffers = {a.name: a for a in arrays if a.storage == "buffer"}
    lives: dict[str, _Life] = {}
    end = _live(steps, 0, frozenset(n for n, a in buffers.items() if a.local), lives)
    for name in kept:
        if name in lives:
            lives[name].last = end
    pools: dict[object, list[tuple[str, int, str]]] = {}
    pairs = []
    position = {name: n for n, name in enumerate(buffers)}
    for name in sorted(
        (n for n in lives if n in buffers), key=lambda n: (lives[n].first, position[n])
    ):
        life, array = lives[name], buffers[name]
        pool = pools.setdefault((array.shape, array.kind), [])
        free = (
            n
            for n, (_, busy, holder) in enumerate(pool)
            if busy < life.first or (busy == life.first and holder in life.inherits)
        )
        chosen = next(free, None)
        if chosen is None:
            pool.append((name, life.last, name))
        else:
            pairs.append((name, pool[chosen][0]))
            pool[chosen] = (pool[chosen][0], life.last, name)
    return tuple(pairs)


def _live(steps: Sequence[Step], clock: int, local: frozenset[str], lives: dict[str, _Life]) -> int:
    """Fill `lives`; the time after the last step. What a loop carries around lives through it."""
    for step in steps:
        if isinstance(step, (Loop, Guard)):
            start = clock
            clock = _live(step.body, clock + 1, local, lives)
            for name in touched(step):
                if name not in local or lives[name].first < start:
                    lives[name].first = min(lives[name].first, start)
                    lives[name].last = clock
                    lives[name].inherits = (
                        frozenset() if lives[name].first == start else lives[name].inherits
                    )
        else:
            for name in touched(step):
                life = lives.setdefault(name, _Life(clock, clock, _inheritable(step, name)))
                life.last = clock
        clock += 1
    return clock


def _inheritable(step: Step, name: str) -> frozenset[str]:
    """The inputs whose memory the output may take: same places, read before they are written."""
    if not isinstance(step, Ufunc) or step.function in OVERWRITES_EARLY:
        return frozenset()
    if step.out.array != name or step.scratch or not step.out.is_whole:
        return frozenset()
    inputs = [i for i in step.inputs if isinstance(i, Operand)]
    same = {i.array for i in inputs if i.layout == step.out.layout and i.is_whole}
    others = {i.array for i in inputs if not (i.layout == step.out.layout and i.is_whole)}
    return frozenset(same - others)


def touched(step: Step) -> Iterator[str]:
    """The arrays that a step reads or writes, in a loop those of all its steps."""
    if isinstance(step, (Loop, Guard)):
        for inner in step.body:
            yield from touched(inner)
    elif not isinstance(step, Note):
        for item in fields(step):
            value = getattr(step, item.name)
            for part in value if isinstance(value, tuple) else (value,):
                if isinstance(part, (Operand, View)):
                    yield part.array
                elif isinstance(part, Scalar):
                    reads = (
                        slot.read if isinstance(slot, Number) else slot for _, slot in part.slots
                    )
                    yield from (slot.array for slot in reads if isinstance(slot, View))
