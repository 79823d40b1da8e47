"""dX[g(I)] += body over a box, as dX[c] += sum over the rest of body * [c = g(I)].

A subscript that is one index, shifted or not, is solved for that index. Every other subscript (a
gather, 2*l+3*k-2, a repeated index, a padded place) becomes a condition: the delta of the textbook.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from sympy import Expr, Integer, Mul, S, Symbol

from symgrad.algebra.access import Access, Affine, Subscript
from symgrad.algebra.program import (
    Equation,
    Program,
    Range,
    Slot,
    count_of,
    make_equation,
    slot_symbol,
)
from symgrad.algebra.scalars import Equal, Select
from symgrad.algebra.sizes import ZERO, Size
from symgrad.explain.substitute import in_places

LETTERS = "stuvpqrijklmnabcdefghowxyz"
UNIT = (Size.of(1), Size.of(-1))


@dataclass(frozen=True)
class Condition:
    """index = place, where the index is on the left and the place is what is written."""

    index: str
    place: Subscript


@dataclass(frozen=True)
class Settled:
    """target[c] += sum over `reduced` of body where the conditions hold; the target is plain."""

    target: Access
    body: Expr
    slots: tuple[Slot, ...]
    box: tuple[Range, ...]
    conditions: tuple[Condition, ...] = ()

    @property
    def reduced(self) -> tuple[Range, ...]:
        return tuple(r for r in self.box if r.index not in self.target.indices)

    def full(self, shape: Sequence[Size]) -> bool:
        """Whether every place of a tensor of this shape gets this contribution."""
        range_of = {r.index: r for r in self.box}
        indices = (s.plain for s in self.target.subscripts if isinstance(s, Affine))
        own = [range_of[i] for i in indices if i is not None]
        return all(r.lo == ZERO and r.hi == n for r, n in zip(own, shape, strict=True))

    def equation(self) -> Equation:
        """The conditions as masks, so that the notation can say it."""
        slots = list(self.slots)
        body = self.body
        for condition in self.conditions:
            place, used = place_number(condition.place)
            left = Affine.index(condition.index)
            slots += [left, *used]
            mask = Select(Equal(slot_symbol(left), place), S.One, S.Zero)
            body = mask if body == S.One else Mul(body, mask)
        return make_equation(self.target, body, slots, self.box)


def with_conditions(equation: Equation, conditions: Sequence[Condition]) -> Equation:
    """The equation with conditions as masks."""
    slots = tuple(slot for _, slot in equation.slots)
    found = Settled(equation.target, equation.body, slots, equation.box, tuple(conditions))
    return found.equation()


def counted(equation: Equation, conditions: Sequence[Condition]) -> Equation:
    """sum(b: 1)/B -> 1: what an index that nothing reads is summed over is counted."""
    slots = [slot for _, slot in equation.slots]
    read = {i for s in (*slots, *(c.place for c in conditions)) for i in s.indices}
    idle = [r for r in equation.box if r.index in {*equation.reduced} - read]
    idle = [r for r in idle if r.count.is_nonnegative()]
    if equation.op != "sum" or not idle:
        return equation
    number, used = place_number(Affine((), count_of(idle)))
    box = [r for r in equation.box if r not in idle]
    return make_equation(equation.target, equation.body * number, [*slots, *used], box)


def place_number(place: Subscript) -> tuple[Expr, list[Slot]]:
    """A subscript as a number in a body, and the slots that it uses."""
    if isinstance(place, Access) or any(c.constant is None for _, c in place.terms):
        return slot_symbol(place), [place]
    used: list[Slot] = [Affine.index(i) for i, _ in place.terms]
    total: Expr = S.Zero
    for index, times in place.terms:
        total += Integer(times.constant or 0) * Symbol(index)
    if not all(isinstance(atom, str) for monomial, _ in place.offset.terms for atom in monomial):
        used.append(Affine((), place.offset))
        return total + slot_symbol(used[-1]), used
    for monomial, coefficient in place.offset.terms:
        names = [str(atom) for atom in monomial]
        used += [Affine((), Size.of(name)) for name in names]
        total += Mul(Integer(coefficient), *map(Symbol, names))
    return total, used


def needs_delta(target: Access) -> bool:
    """Whether a write is more than single indices, each once, shifted or not."""
    return target.padded or any(q is None for q, _ in _solvable(target))


def settle(equation: Equation, letters: Sequence[str], program: Program) -> Settled:
    """The contribution of an equation, with the letters on its left."""
    target = equation.target
    shape = program.tensor_of[target.tensor].shape
    solved, own, conditions = _solved(equation, letters, shape)
    mapping = {**_renamed(equation, letters, solved, program), **solved}
    used = (slot for _, slot in equation.slots)
    body, slots = in_places(equation.body, used, lambda slot: slot.substitute(mapping))
    rest = [
        Range(mapping[r.index].plain or r.index, r.lo, r.hi) if r.index in mapping else r
        for r in equation.box
        if r.index not in solved
    ]
    return Settled(
        Access.plain(target.tensor, tuple(letters)),
        body,
        tuple(slots),
        (*own, *sorted(rest, key=lambda r: r.index)),
        tuple(Condition(c.index, c.place.substitute(mapping)) for c in conditions),
    )


def _solved(
    equation: Equation, letters: Sequence[str], shape: Sequence[Size]
) -> tuple[dict[str, Affine], list[Range], list[Condition]]:
    """What each solved index is, the ranges on the left, and the conditions that stay."""
    solved: dict[str, Affine] = {}
    own: list[Range] = []
    conditions: list[Condition] = []
    axes = zip(letters, _solvable(equation.target), equation.target.subscripts, shape, strict=True)
    for letter, (index, sign), subscript, size in axes:
        given = equation.range_of[index] if index is not None else None
        reach = None
        if given is not None and isinstance(subscript, Affine):
            first, last = (given.lo, given.hi - 1) if sign == UNIT[0] else (1 - given.hi, -given.lo)
            reach = Range(letter, first + subscript.offset, last + subscript.offset + 1)
            reach = _clipped(reach, size) if equation.target.padded else reach
        if index is None or reach is None or not isinstance(subscript, Affine):
            own.append(Range(letter, ZERO, size))
            conditions.append(Condition(letter, subscript))
            continue
        solved[index] = (Affine.index(letter) + Affine((), -subscript.offset)).scaled(sign)
        own.append(reach)
    return solved, own, conditions


def _clipped(reach: Range, size: Size) -> Range | None:
    """What of a padded write falls into the tensor, where that can be said for all sizes."""
    lo = next(
        (a for a, b in ((ZERO, reach.lo), (reach.lo, ZERO)) if (a - b).is_nonnegative()), None
    )
    hi = next(
        (a for a, b in ((size, reach.hi), (reach.hi, size)) if (b - a).is_nonnegative()), None
    )
    if lo is None or hi is None or not (hi - lo).is_nonnegative():
        return None
    return Range(reach.index, lo, hi)


def _solvable(target: Access) -> Iterator[tuple[str | None, Size]]:
    """For each axis the index that its subscript can be solved for, and its sign."""
    seen: set[str] = set()
    for subscript in target.subscripts:
        if isinstance(subscript, Affine) and len(subscript.terms) == 1:
            index, coefficient = subscript.terms[0]
            if index not in seen and coefficient in UNIT:
                seen.add(index)
                yield index, coefficient
                continue
        yield None, UNIT[0]


def _renamed(
    equation: Equation, letters: Sequence[str], solved: dict[str, Affine], program: Program
) -> dict[str, Affine]:
    """Summed indices whose letter is wanted on the left take a letter that became free."""
    rest = [r.index for r in equation.box if r.index not in solved]
    taken = {*letters, *rest}
    fresh = (i for i in chain(solved, spare_letters(program)) if i not in taken)
    return {index: Affine.index(next(fresh)) for index in rest if index in letters}


def spare_letters(program: Program) -> Iterator[str]:
    """Letters that are neither tensors nor sizes, unused ones first."""
    names = {*program.tensor_of, *dict(program.sizes), *dict(program.functions)}
    free = [i for i in LETTERS if i not in names]
    yield from (i for i in free if i not in program.indices)
    yield from (i for i in free if i in program.indices)
    number = 1
    while True:
        if f"i_{number}" not in program.names:
            yield f"i_{number}"
        number += 1


def letters_of(
    program: Program, tensor: str, first: Access | None = None, last: Access | None = None
) -> tuple[str, ...]:
    """One letter for each axis: as the tensor is written, or read, else a spare one."""
    uses = [first] if first is not None else []
    uses += [e.target for e in program.writers.get(tensor, ())]
    uses += program.readers.get(tensor, ())
    uses += [last] if last is not None else []
    spare = spare_letters(program)
    found: list[str] = []
    for axis in range(len(program.tensor_of[tensor].shape)):
        named = (_letter(use.subscripts[axis], plain) for plain in (True, False) for use in uses)
        free = (i for i in named if i is not None and i not in found)
        found.append(next(free, None) or next(i for i in spare if i not in found))
    return tuple(found)


def _letter(subscript: Subscript, plain: bool) -> str | None:
    if not isinstance(subscript, Affine) or len(subscript.terms) != 1:
        return None
    return subscript.plain if plain else subscript.terms[0][0]
