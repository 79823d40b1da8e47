"""Names of spare buffers: one for all that lie in the same memory, t_1, t_2, ... in their order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

from symgrad.algebra.access import Affine
from symgrad.plan.mapped import mapped
from symgrad.plan.steps import Guard, Loop, Plan, Step
from symgrad.plan.views import Array, Strided, View


def numbered(plan: Plan, taken: Iterable[str]) -> Plan:
    """The same plan. `taken`: names that a buffer may not have."""
    names = _names(plan, taken)

    def renamed(part: Any) -> Any:
        if isinstance(part, View | Strided) and part.array in names:
            return replace(part, array=names[part.array])
        return part

    arrays = {a.name: a for a in (_called(a, names) for a in plan.arrays)}
    pairs = {(names.get(a, a), names.get(b, b)): None for a, b in plan.shares}
    return replace(
        plan,
        arrays=tuple(arrays.values()),
        steps=mapped(plan.steps, renamed, leaves=(Affine,)),
        shares=tuple(pair for pair in pairs if pair[0] != pair[1]),
    )


def _called(array: Array, names: dict[str, str]) -> Array:
    return replace(array, name=names.get(array.name, array.name))


def _names(plan: Plan, taken: Iterable[str]) -> dict[str, str]:
    """The new name of each spare buffer."""
    owner = dict(plan.shares)
    known = {*taken, *_indices(plan.steps), *(a.name for a in plan.arrays if not a.spare)}
    found: dict[str, str] = {}
    of_memory: dict[str, str] = {}
    numbers = {stem: count(1) for stem in {_stem(a) for a in plan.arrays if a.spare}}
    for array in plan.arrays:
        if array.spare:
            memory, stem = owner.get(array.name, array.name), _stem(array)
            if memory not in of_memory:
                made = (_name(stem, n) for n in numbers[stem])
                of_memory[memory] = next(name for name in made if name not in known)
            found[array.name] = of_memory[memory]
    return found


def _indices(steps: Iterable[Step]) -> Iterator[str]:
    """The indices of all loops."""
    for step in steps:
        if isinstance(step, Loop | Guard):
            yield from _indices(step.body)
        if isinstance(step, Loop):
            yield step.index


def _name(stem: str, number: int) -> str:
    """t_1, t_2, ...; but at, at_2, ..., of which there is seldom more than one."""
    return stem if stem == "at" and number == 1 else f"{stem}_{number}"


def _stem(array: Array) -> str:
    return array.name.partition("_")[0]
