"""Equations rewritten for one place in the plan: split into terms, or over a loop's iterations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import sympy

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation, Program, Range, Slot, slot_symbol
from symgrad.algebra.sizes import ZERO, Size
from symgrad.errors import ProgramError


def placed(
    equation: Equation, program: Program, loops: Sequence[str]
) -> tuple[Equation, tuple[str, ...]]:
    """Integers that are a single number (rank-0, or fixed by a loop) as subscripts; their names.

    x[best,i] is then a row of x, not a gather.
    """
    found: dict[str, None] = {}

    def single(access: Access) -> bool:
        given = all(program.tensor_of[a.tensor].role == "data" for a in (access, *access.gathers()))
        return not access.subscripts or (given and access.indices <= set(loops))

    def changed(access: Access) -> Access:
        subscripts: list[Affine | Access] = []
        for s in access.subscripts:
            if isinstance(s, Access) and single(s):
                found[str(s)] = None
                subscripts.append(Affine.index(str(s)))
            else:
                subscripts.append(changed(s) if isinstance(s, Access) else s)
        return Access(access.tensor, tuple(subscripts), access.padded)

    slots = tuple(
        (symbol, changed(s) if isinstance(s, Access) else s) for symbol, s in equation.slots
    )
    return replace(equation, target=changed(equation.target), slots=slots), tuple(found)


def along(access: Access, index: str) -> tuple[str, ...]:
    """The subscripts that move with a loop."""
    return tuple(str(s) for s in access.subscripts if index in s.indices)


def terms(equation: Equation, fixed: frozenset[str]) -> list[Equation]:
    """A sum under a reduction, one equation for each term, where the terms carry different indices.

    sum over j of (W[i,j]*x[j] + c[i])  ->  a matrix product and a sum; (lse[b] - q[b]) stays whole.
    """
    body = equation.body
    if not body.is_Add or not equation.reduced:
        return [equation]
    slots = equation.slot_of

    def carried(expr: sympy.Expr) -> frozenset[str]:
        return (
            frozenset().union(*(slots[s].indices for s in expr.free_symbols if s in slots)) - fixed
        )

    reads = [frozenset(slots[s].indices) - fixed for s in body.free_symbols if s in slots]
    if carried(body) in reads:
        return [equation]
    ordered = sorted(body.args, key=lambda t: (sorted(carried(t)), str(t)))
    groups = [list(g) for _, g in groupby(ordered, key=lambda t: sorted(carried(t)))]
    return [equation.with_body(sympy.Add(*g)) for g in groups]


def with_index(equation: Equation, old: str, new: str, shift: int) -> Equation:
    """The equation over iterations: its index `old` is new + shift."""
    if old == new and shift == 0:
        return equation
    if new != old and new in equation.range_of:
        spare = next(f"{new}{n}" for n in range(2, 100) if f"{new}{n}" not in equation.range_of)
        equation = substituted(equation, {new: Affine.index(spare)}, {new: spare}, 0)
    return substituted(
        equation, {old: Affine.index(new) + Affine((), Size.of(shift))}, {old: new}, shift
    )


def substituted(
    equation: Equation, mapping: Mapping[str, Affine], letters: Mapping[str, str], shift: int
) -> Equation:
    slots: dict[sympy.Symbol, Slot] = {s: slot.substitute(mapping) for s, slot in equation.slots}
    rename = {s: slot_symbol(slot) for s, slot in slots.items()}
    box = tuple(
        Range(letters[r.index], r.lo - shift, r.hi - shift) if r.index in letters else r
        for r in equation.box
    )
    new_slots = sorted({rename[s]: slots[s] for s in slots}.items(), key=lambda p: p[0].name)
    return replace(
        equation,
        target=equation.target.substitute(mapping),
        body=equation.body.xreplace(rename),
        slots=tuple(new_slots),
        box=box,
    )


def least(sizes: Sequence[Size]) -> Size:
    best = sizes[0]
    for size in sizes[1:]:
        if (best - size).is_nonnegative():
            best = size
        elif not (size - best).is_nonnegative():
            raise ProgramError(f"the start of a loop is not known: {best} or {size}")
    return best


def greatest(sizes: Sequence[Size]) -> Size:
    return ZERO - least([ZERO - s for s in sizes])
