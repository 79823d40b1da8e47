"""What the symbols of a body stand for: views, rank-0 values, indices and sizes as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sympy import Expr, S, Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Slot, slot_symbol
from symgrad.algebra.scalars import Equal
from symgrad.errors import ProgramError
from symgrad.plan.builder import Builder, Ranges
from symgrad.plan.reads import read
from symgrad.plan.steps import Copy, Number, Scalar
from symgrad.plan.views import Strided, View, plainly, whole


@dataclass
class Leaves:
    """The slots of one equation, and its ranges."""

    builder: Builder
    slots: Mapping[Symbol, Slot]
    ranges: Ranges

    def indices(self, expr: Expr) -> frozenset[str]:
        """The indices that an expression carries, without those that a loop fixes."""
        found = (self.slots[s].indices for s in expr.free_symbols if s in self.slots)
        return frozenset().union(*found) - self.builder.fixed

    def dims(self, expr: Expr, order: Sequence[str]) -> tuple[str, ...]:
        carried = self.indices(expr)
        return tuple(d for d in order if d in carried)

    def cost(self, expr: Expr) -> int:
        """How many values an expression has."""
        return self.builder.cost(self.indices(expr), self.ranges)

    def named(self, slot: Slot) -> Symbol:
        """The symbol of a slot that the plan brings in."""
        symbol = slot_symbol(slot)
        self.slots = {**self.slots, symbol: slot}
        return symbol

    def scalar(self, expr: Expr) -> Scalar:
        """An expression that carries no index."""
        used = sorted((s for s in expr.free_symbols if s in self.slots), key=lambda s: s.name)
        return Scalar(expr, tuple((s, self._place(self.slots[s])) for s in used))

    def _place(self, slot: Slot) -> Slot | View | Number:
        """What a rank-0 expression reads: a rank-0 tensor, a number, or one place of a tensor."""
        if isinstance(slot, Affine):
            return slot
        known = self.builder.program.tensor_of.get(slot.tensor)
        place = read(self.builder, slot, self.ranges) if slot.subscripts else slot
        if isinstance(place, Strided):
            raise ProgramError(f"{slot}: one place of a tensor was expected")
        return place if known is None or known.kind == "real" else Number(place)

    def flag(self, expr: Expr) -> Access | None:
        """done[b] == 1, where done is bool: it is a mask already."""
        if not isinstance(expr, Equal) or expr.args[1] != S.One:
            return None
        slot = self.slots.get(expr.args[0])
        known = self.builder.program.tensor_of
        is_bool = isinstance(slot, Access) and known[slot.tensor].kind == "bool"
        return slot if isinstance(slot, Access) and is_bool else None

    def leaf(self, slot: Slot) -> View | Strided:
        """A read, as real numbers; or an index as the numbers that it runs through."""
        builder = self.builder
        if isinstance(slot, Affine):
            (index, step), *more = builder.free(slot)
            if more or len(slot.terms) > 1:
                raise ProgramError(f"{slot}: as a number, write one index at a time")
            r = self.ranges[index]
            return whole(
                builder.constant(slot.offset + step * r.lo, r.count, step, "real"), (index,)
            )
        view = read(builder, slot, self.ranges)
        if builder.arrays[view.array].kind == "real":
            return view
        out = builder.temporary(view.dims, self.ranges, "real", f"{slot.tensor}_real")
        builder.add(Copy(plainly(view), out))
        return out.view
