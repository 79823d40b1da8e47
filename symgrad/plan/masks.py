"""Selections: each side is computed where it is selected, so that the other cannot overflow there.

out = where(x < 0, exp(x), 1)   ->   out = 1;  np.exp(x, out=out, where=x < 0)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sympy import Expr

from symgrad.algebra.access import Access
from symgrad.algebra.scalars import And, Not, Predicate, Select, Stop
from symgrad.algebra.scalars import Scalar as Row
from symgrad.plan.leaves import Leaves
from symgrad.plan.steps import Copy, Scalar, Source, Ufunc
from symgrad.plan.views import Operand, laid_out

QUIET = frozenset(
    {
        "tanh", "arctan", "sigmoid", "softplus", "erf", "erfc", "relu", "leaky_relu", "abs", "sign",
        "minimum", "maximum", "clip",
    }
)  # fmt: skip
"""Functions of which NumPy never warns, whatever their arguments."""


@dataclass
class Masks(Leaves):
    """where: the places that are computed, inside one side of a selection."""

    where: Source | None = None

    @contextmanager
    def only(self, where: Source | None) -> Iterator[None]:
        """Steps added here compute those places alone."""
        outer, self.where = self.where, where
        yield
        self.where = outer

    def apply(
        self,
        function: str,
        inputs: Sequence[Source],
        out: Operand,
        scratch: tuple[Operand, ...] = (),
    ) -> None:
        """out = function(*inputs), where it is computed."""
        self.builder.add(Ufunc(function, tuple(inputs), out, scratch, self.where))

    def copy(self, source: Source, out: Operand) -> None:
        """out = source, where it is computed."""
        self.builder.add(Copy(source, out, self.where))

    # ---- which places -------------------------------------------------------------------------

    def within(self, mask: Source, dims: Sequence[str]) -> Source:
        """The mask, among the places that are computed."""
        if self.where is None:
            return mask
        if isinstance(mask, Scalar) and isinstance(self.where, Scalar):
            slots = dict((*self.where.slots, *mask.slots))
            return Scalar(And(self.where.body, mask.body), tuple(slots.items()))
        return self._logical("logical_and", (self.where, mask), dims)

    def negated(self, mask: Source, dims: Sequence[str]) -> Source:
        """Where the mask does not hold. A comparison with nan does not hold: no other says it."""
        if isinstance(mask, Scalar):
            return Scalar(Not(mask.body), mask.slots)
        return self._logical("logical_not", (mask,), dims)

    def _logical(self, function: str, masks: tuple[Source, ...], dims: Sequence[str]) -> Operand:
        known = {d for mask in masks if isinstance(mask, Operand) for d in mask.order}
        carried = tuple(d for d in dims if d in known)
        inputs = (laid_out(m.view, carried) if isinstance(m, Operand) else m for m in masks)
        out = self.builder.temporary(carried, self.ranges, "bool")
        self.builder.add(Ufunc(function, tuple(inputs), out))
        return laid_out(out.view, dims)

    # ---- what has to be masked ----------------------------------------------------------------

    def is_masked(self, expr: Expr) -> bool:
        """Whether it is computed here place by place, and not for all of them before."""
        return self.where is not None and self.is_typed(expr) and self.is_loud(expr)

    def is_typed(self, expr: Expr) -> bool:
        """Whether it holds NumPy's real numbers: Python's own would make float32 wider."""
        slots = [self.slots[s] for s in expr.free_symbols if s in self.slots]
        known = self.builder.program.tensor_of
        reads = [slot.tensor for slot in slots if isinstance(slot, Access)]
        return bool(self.indices(expr)) or any(known[name].kind == "real" for name in reads)

    def is_loud(self, expr: Expr) -> bool:
        """Whether NumPy may warn of it: of an overflow, a division by 0, the log of -1."""
        if expr.is_Atom or not self.is_typed(expr):
            return False
        quiet = isinstance(expr, (Stop, Select, Predicate))
        if isinstance(expr, Row):
            quiet = expr.row.name in QUIET
        if expr.is_Add or expr.is_Mul:  # of numbers and one thing more
            quiet = sum(not a.is_Number for a in expr.args) == 1
        return not quiet or any(self.is_loud(a) for a in expr.args)
