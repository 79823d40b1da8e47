"""One kind of map at a time: a gather beside a window, a reversal or a pad is done in two.

y[b,i] = W[a[b],H-1-i]     ->   W_part[n,i] = W[n,H-1-i];  y[b,i] = W_part[a[b],i]
W[a[b],H-1-i] += y[b,i]    ->   W_part[a[b],i] += y[b,i];  W[n,H-1-i] += W_part[n,i]
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from symgrad.algebra.access import Access, Affine, Subscript
from symgrad.algebra.program import (
    Equation,
    Program,
    Range,
    Slot,
    Tensor,
    fresh_name,
    make_equation,
    slot_symbol,
)
from symgrad.algebra.sizes import ZERO


def separate(program: Program) -> Program:
    """The same program, with simple subscripts beside every gather."""
    work = _Work(program)
    equations = tuple(new for equation in program.equations for new in work.separated(equation))
    if not work.tensors:
        return program
    return replace(program, tensors=(*program.tensors, *work.tensors), equations=equations)


@dataclass
class _Work:
    program: Program
    tensors: list[Tensor] = field(default_factory=list)

    def separated(self, equation: Equation) -> list[Equation]:
        """The equation, between those that take its awkward reads and its awkward write apart."""
        before: list[Equation] = []
        after: list[Equation] = []
        renamed, slots = {}, {}
        for symbol, slot in equation.slots:
            if isinstance(slot, Access) and _awkward(slot):
                whole, part, box = self.parts(slot, equation)
                before.append(_copy(part, whole, box, assigns=True))
                slot = Access(part.tensor, _gathering(slot, part))
            renamed[symbol] = slot_symbol(slot)
            slots[slot_symbol(slot)] = slot
        target = equation.target
        if _awkward(target):
            whole, part, box = self.parts(target, equation)
            after.append(_copy(whole, part, box, assigns=False))
            target = Access(part.tensor, _gathering(target, part))
        if not before and not after:
            return [equation]
        ordered = tuple(sorted(slots.items(), key=lambda pair: pair[0].name))
        body = equation.body.xreplace(renamed)
        return [*before, replace(equation, target=target, body=body, slots=ordered), *after]

    def parts(self, access: Access, equation: Equation) -> tuple[Access, Access, list[Range]]:
        """(tensor[n,H-1-i], part[n,i], their box): gathered axes as they are, others mapped."""
        shape = self.program.tensor_of[access.tensor].shape
        kind = self.program.tensor_of[access.tensor].kind
        whole: list[Subscript] = []
        ranges: dict[str, Range] = {}
        for axis, (subscript, size) in enumerate(zip(access.subscripts, shape, strict=True)):
            if isinstance(subscript, Access):
                index = fresh_name(f"n{axis}", [*equation.range_of, *ranges])
                ranges[index] = Range(index, ZERO, size)
                whole.append(Affine.index(index))
            else:
                whole.append(subscript)
                ranges |= {i: equation.range_of[i] for i in sorted(subscript.indices)}
        taken = [*self.program.names, *(t.name for t in self.tensors)]
        name = fresh_name(f"{access.tensor}_part", taken)
        self.tensors.append(Tensor(name, tuple(r.hi for r in ranges.values()), kind))
        part = Access.plain(name, tuple(ranges))
        return Access(access.tensor, tuple(whole), access.padded), part, list(ranges.values())


def _copy(target: Access, source: Access, box: list[Range], *, assigns: bool) -> Equation:
    slots: tuple[Slot, ...] = (source,)
    return make_equation(target, slot_symbol(source), slots, box, assigns=assigns)


def _gathering(access: Access, part: Access) -> tuple[Subscript, ...]:
    """The subscripts of `part` at which it holds what the access speaks of."""
    gathers = iter([s for s in access.subscripts if isinstance(s, Access)])
    affine = frozenset().union(*(s.indices for s in access.subscripts if isinstance(s, Affine)))
    return tuple(s if s.indices <= affine else next(gathers) for s in part.subscripts)


def _awkward(access: Access) -> bool:
    """Whether the subscripts beside a gather are more than single indices, each on one axis."""
    keys = frozenset().union(*(s.indices for s in access.subscripts if isinstance(s, Access)))
    affine = [s for s in access.subscripts if isinstance(s, Affine)]
    indices = [i for s in affine for i, _ in s.terms]
    rest = [i for i in indices if i not in keys]
    simple = all(len(s.terms) <= 1 and all(c.is_positive() for _, c in s.terms) for s in affine)
    gathers = any(isinstance(s, Access) and s.subscripts for s in access.subscripts)
    return gathers and (access.padded or not simple or len(rest) != len(set(rest)))
