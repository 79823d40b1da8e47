"""Equations put into one another, in other letters, with other names, and over samples.

T[f(J)] = body(J), read as T[g(I)]:    T[g(I)]  ->  body(f^-1(g(I))).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from sympy import Expr

from symgrad.algebra.access import Access, Affine, Subscript
from symgrad.algebra.program import (
    Equation,
    Program,
    Range,
    Slot,
    bounds,
    make_equation,
    slot_symbol,
)
from symgrad.algebra.sizes import ZERO, Size

UNIT = (1, -1)


def inlined(equation: Equation, program: Program, names: Collection[str]) -> Equation:
    """The equation with the tensors `names` replaced by what they are, as far as that goes.

    A tensor stays where several equations write it, where it is a sum, and where it is read
    outside what its equation writes.
    """
    found = equation
    for _ in range(len(names)):
        bodies = {
            symbol: put
            for symbol, slot in found.slots
            if isinstance(slot, Access) and slot.tensor in names
            if (put := _put(slot, found, program)) is not None
        }
        if not bodies:
            break
        slots = [slot for _, slot in found.slots]
        slots += [slot for _, used in bodies.values() for slot in used]
        body = found.body.xreplace({symbol: put for symbol, (put, _) in bodies.items()})
        found = with_body(found, body, slots)
    return found


def with_body(equation: Equation, body: Expr, slots: Iterable[Slot]) -> Equation:
    """The equation with another body, whose symbols stand for `slots`."""
    return equation.with_body(body, {slot_symbol(slot): slot for slot in slots})


def in_places(
    body: Expr, slots: Iterable[Slot], change: Callable[[Slot], Slot]
) -> tuple[Expr, list[Slot]]:
    """An expression with each slot replaced, and the slots that it then has."""
    found = {slot_symbol(slot): change(slot) for slot in slots}
    moved = body.xreplace({symbol: slot_symbol(slot) for symbol, slot in found.items()})
    return moved, list(found.values())


def moved(
    equation: Equation, change: Callable[[Slot], Slot], box: Iterable[Range] | None = None
) -> Equation:
    """The equation with what it reads and what it writes replaced."""
    body, slots = in_places(equation.body, (slot for _, slot in equation.slots), change)
    target = change(equation.target)
    if not isinstance(target, Access):
        raise TypeError(f"{target} is no place")
    return make_equation(
        target,
        body,
        slots,
        equation.box if box is None else box,
        equation.op,
        assigns=equation.assigns,
        origin=equation.origin,
    )


def called(equation: Equation, names: Mapping[str, str]) -> Equation:
    """The equation with tensors called by other names."""

    def change(slot: Slot) -> Slot:
        return slot.of(names.get(slot.tensor, slot.tensor)) if isinstance(slot, Access) else slot

    return moved(equation, change)


def _put(read: Access, within: Equation, program: Program) -> tuple[Expr, list[Slot]] | None:
    """What stands at a place of a tensor that one equation writes, in the reader's indices."""
    writers = program.writers.get(read.tensor, ())
    if len(writers) != 1 or writers[0].op != "sum" or writers[0].reduced or read.padded:
        return None
    (writer,) = writers
    mapping: dict[str, Affine] = {}
    for written, wanted in zip(writer.target.subscripts, read.subscripts, strict=True):
        if not (isinstance(written, Affine) and isinstance(wanted, Affine)):
            return None
        if len(written.terms) != 1 or written.terms[0][1].constant not in UNIT:
            return None
        index, sign = written.terms[0]
        if index in mapping:
            return None
        mapping[index] = (wanted + Affine((), -written.offset)).scaled(sign)
        if not _inside(mapping[index], writer.range_of[index], within):
            return None
    slots = (slot for _, slot in writer.slots)
    return in_places(writer.body, slots, lambda slot: slot.substitute(mapping))


def _inside(place: Affine, wanted: Range, within: Equation) -> bool:
    reach = bounds(place, within.range_of)
    if reach is None:
        return False
    return (reach[0] - wanted.lo).is_nonnegative() and (wanted.hi - 1 - reach[1]).is_nonnegative()


def relettered(equation: Equation, letters: Mapping[str, str]) -> Equation:
    """The same equation in other letters."""
    mapping = {old: Affine.index(new) for old, new in letters.items()}
    box = [replace(r, index=letters.get(r.index, r.index)) for r in equation.box]
    return moved(equation, lambda slot: slot.substitute(mapping), box)


def shifted(equation: Equation, index: str, by: int) -> Equation:
    """The same equation with index + by in the place of index: t[l] = f(l)  ->  t[l-1] = f(l-1)."""
    mapping = {index: Affine.index(index) + Affine((), Size.of(by))}
    box = [replace(r, lo=r.lo - by, hi=r.hi - by) if r.index == index else r for r in equation.box]
    return moved(equation, lambda slot: slot.substitute(mapping), box)


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
