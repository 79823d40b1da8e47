"""What a read stands for: the body that defines a tensor, seen from a place where it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sympy import Expr, Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import (
    Equation,
    Program,
    Slot,
    Tensor,
    fresh_name,
    make_equation,
    slot_symbol,
)


@dataclass
class Meanings:
    """The definitions of a program.

    slots:            what the symbols of the body at hand stand for.
    tensors, pending: the logsumexps that were made; their equations stand before that body.
    sums:             the logsumexp of each sum, by its tensor.
    """

    program: Program
    slots: dict[Symbol, Slot] = field(default_factory=dict)
    tensors: list[Tensor] = field(default_factory=list)
    pending: list[Equation] = field(default_factory=list)
    sums: dict[str, str] = field(default_factory=dict)

    def definition(self, node: Expr) -> tuple[Access, Equation] | None:
        """The read, and the one equation that writes all of what it reads."""
        access = self.slots.get(node) if node.is_Symbol else None
        if not isinstance(access, Access) or access.padded:
            return None
        writers = self.program.writers.get(access.tensor, ())
        if len(writers) != 1 or writers[0].op != "sum" or not writers[0].target.is_plain:
            return None
        return access, writers[0]

    def of(self, node: Expr) -> Expr:
        """The defining expression of a read, in terms of this body's indices; else the node."""
        found = self.definition(node)
        if found is None or not found[1].assigns:
            return node
        access, writer = found
        places = {
            str(s): a for s, a in zip(writer.target.subscripts, access.subscripts, strict=True)
        }
        moved = {symbol: _through(slot, places) for symbol, slot in writer.slots}
        known = {symbol: slot for symbol, slot in moved.items() if slot is not None}
        if len(known) < len(moved):
            return node
        self.slots |= {slot_symbol(slot): slot for slot in known.values()}
        return writer.body.xreplace({symbol: slot_symbol(slot) for symbol, slot in known.items()})

    def log_of_sum_over(
        self, node: Expr, exponent_of: Callable[[Expr], Expr | None]
    ) -> Expr | None:
        """logsumexp over the same places, where `node` reads a sum of exponentials."""
        found = self.definition(node)
        if found is None or not found[1].reduced:
            return None
        access, writer = found
        if access.tensor not in self.sums:
            outer, self.slots = self.slots, dict(writer.slots)
            exponent = exponent_of(writer.body)
            inner, self.slots = self.slots, outer
            if exponent is None:
                return None
            self.sums[access.tensor] = self.made(writer, exponent, inner)
        read = access.of(self.sums[access.tensor])
        self.slots[slot_symbol(read)] = read
        return slot_symbol(read)

    def made(self, writer: Equation, exponent: Expr, slots: Mapping[Symbol, Slot]) -> str:
        """The name of a new logsumexp of this exponent, over the box of a sum."""
        summed = writer.target.tensor
        taken = {*self.program.names, *(t.name for t in self.tensors)}
        name = fresh_name(f"{summed}_lse", taken)
        self.tensors.append(Tensor(name, self.program.tensor_of[summed].shape))
        target, origin = writer.target.of(name), f"log of {summed}"
        self.pending.append(
            make_equation(target, exponent, slots.values(), writer.box, "logsumexp", origin=origin)
        )
        return name


def _through(slot: Slot, places: Mapping[str, Affine | Access]) -> Slot | None:
    """A slot of a definition, seen from a read of what it defines; None where that is no slot."""
    affine = {index: place for index, place in places.items() if isinstance(place, Affine)}
    if isinstance(slot, Affine):
        return slot.substitute(affine) if slot.indices <= set(affine) else None
    subscripts: list[Affine | Access] = []
    for subscript in slot.subscripts:
        place = (
            places.get(subscript.plain)
            if isinstance(subscript, Affine) and subscript.plain
            else None
        )
        moved = place if isinstance(place, Access) else _through(subscript, places)
        if moved is None:
            return None
        subscripts.append(moved)
    return Access(slot.tensor, tuple(subscripts), slot.padded)
