"""Derived sizes by name: U, where the spec says U = (L + 6 - 3*K)//2 + 1."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import prod

from symgrad.algebra.program import Tensor
from symgrad.algebra.sizes import ONE, ZERO, Atom, FloorDiv, Largest, Size
from symgrad.emit.literals import size_expression, tuple_text
from symgrad.plan.mapped import mapped
from symgrad.plan.steps import Plan
from symgrad.spec import Spec


def atoms(spec: Spec) -> Mapping[Atom, Size]:
    """Each quotient or maximum that is a derived size, but for a rest, in terms of that size."""
    found: dict[Atom, Size] = {}
    for name, size in spec.derived:
        for monomial, coefficient in size.terms:
            if (
                len(monomial) == 1
                and coefficient == 1
                and isinstance(monomial[0], FloorDiv | Largest)
            ):
                rest = size - Size(((monomial, 1),))
                found.setdefault(monomial[0], Size.of(name) - rest)
    return found


def named(size: Size, known: Mapping[Atom, Size]) -> Size:
    """The size with its quotients by name."""
    if not known:
        return size
    terms = (
        prod((_atom(atom, known) for atom in monomial), start=Size.of(coefficient))
        for monomial, coefficient in size.terms
    )
    return sum(terms, Size())


def _atom(atom: Atom, known: Mapping[Atom, Size]) -> Size:
    if isinstance(atom, str) or atom in known:
        return Size.of(atom) if isinstance(atom, str) else known[atom]
    return Size((((atom,), 1),))


def shape_text(shape: Iterable[Size], known: Mapping[Atom, Size]) -> str:
    return tuple_text(size_expression(named(size, known)) for size in shape)


def total(tensors: Iterable[Tensor], known: Mapping[Atom, Size]) -> str:
    """How many numbers the tensors hold together."""
    numbers = (prod((named(s, known) for s in t.shape), start=ONE) for t in tensors)
    return size_expression(sum(numbers, ZERO))


def named_in(plan: Plan, known: Mapping[Atom, Size]) -> Plan:
    """The plan, each size in it named."""
    if not known:
        return plan
    return mapped(plan, lambda part: named(part, known) if isinstance(part, Size) else part)


def definitions(spec: Spec, lines: Iterable[str]) -> list[str]:
    """`U = ...` for each derived size that some lines of code name."""
    words = words_in(lines)
    return [f"{name} = {size_expression(size)}" for name, size in spec.derived if name in words]


def words_in(lines: Iterable[str]) -> set[str]:
    """The names in some lines of code, comments and attributes left out: W1.T speaks of no T."""
    return {word for line in lines for word in re.findall(r"(?<![\w.])\w+", line.partition("#")[0])}


def needed(spec: Spec, names: Sequence[str]) -> set[str]:
    """The sizes that some derived ones are made of."""
    return {n for name, size in spec.derived if name in names for n in size.names}
