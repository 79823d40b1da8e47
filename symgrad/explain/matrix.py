"""Contributions as matrix expressions, by index sets alone; None where there is no such form.

Tensors of rank 2 are matrices, of rank 1 columns; (.) multiplies entry by entry; 1 is a column of
ones; functions act on each entry, and a number in a sum is added to each entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from sympy import Add, Expr, Mul, Pow, S, Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Program, Slot
from symgrad.algebra.scalars import Equal, Less, LessEqual, Scalar, Select, Unknown
from symgrad.algebra.sizes import ZERO
from symgrad.explain.contractions import Groups, Matrix, Order, contracted, hadamard, transposed
from symgrad.explain.settle import Settled


@dataclass(frozen=True)
class Scope:
    """What symbols stand for, and which ranges are whole axes."""

    slots: Mapping[Symbol, Slot]
    program: Program
    whole: Mapping[str, object]

    def order(self, expr: Expr) -> Order | None:
        """The indices of an expression, as its first largest read orders them; None is unfit."""
        best: Order = ()
        found: set[str] = set()
        for symbol in sorted(expr.free_symbols, key=lambda s: str(s.name)):
            slot = self.slots.get(symbol)
            if isinstance(slot, Affine):
                if slot.indices:
                    return None
                continue
            order = self.read(slot) if slot is not None else None
            if order is None:
                return None
            found |= set(order)
            best = order if len(order) > len(best) else best
        return best if found == set(best) else None

    def read(self, access: Access) -> Order | None:
        """The indices of a plain read of whole axes."""
        if not access.is_plain or access.padded or len(access.subscripts) > 2:
            return None
        indices = tuple(s.plain or "" for s in access.subscripts if isinstance(s, Affine))
        shape = self.program.tensor_of[access.tensor].shape
        fits = all(self.whole.get(i) == n for i, n in zip(indices, shape, strict=True))
        return indices if fits else None


def matrix_form(settled: Sequence[Settled], program: Program) -> Matrix | None:
    """The sum of contributions to a tensor."""
    terms = [_contribution(s, program) for s in settled]
    found = [t for t in terms if t is not None]
    if not terms or len(found) < len(terms):
        return None
    return found[0] if len(found) == 1 else Matrix("sum", tuple(found))


def _contribution(settled: Settled, program: Program) -> Matrix | None:
    shape = program.tensor_of[settled.target.tensor].shape
    if settled.conditions or len(shape) > 2 or not settled.full(shape):
        return None
    slots = {Symbol(str(slot)): slot for slot in settled.slots}
    whole = {r.index: r.hi for r in settled.box if r.lo == ZERO}
    scope = Scope(slots, program, whole)
    out = tuple(s.plain or "" for s in settled.target.subscripts if isinstance(s, Affine))
    scale, groups = _factors(settled.body, scope)
    if groups is None:
        return None
    inner = contracted(out, tuple(r.index for r in settled.reduced), groups)
    if inner is None or scale == S.One:
        return inner
    return Matrix("scaled", (inner,), scale)


def _factors(body: Expr, scope: Scope) -> tuple[Expr, Groups | None]:
    """The scalar factor, and the rest multiplied entry by entry where the indices are the same."""
    coefficient, rest = body.as_coeff_Mul()
    scalars: list[Expr] = [coefficient]
    groups: Groups = {}
    for factor in _by_name(rest.args if isinstance(rest, Mul) else (rest,)):
        order = scope.order(factor)
        if order is None:
            return coefficient, None
        if not order:
            scalars.append(factor)
            continue
        key = frozenset(order)
        first = groups[key][0] if key in groups else order
        node = _entrywise(factor, first, scope)
        if node is None:
            return coefficient, None
        groups[key] = (first, hadamard(groups[key][1], node) if key in groups else node)
    return Mul(*scalars), groups


def _by_name(factors: Sequence[Expr]) -> list[Expr]:
    return sorted(factors, key=lambda f: (not f.is_Symbol, not str(f).startswith("d"), str(f)))


def _entrywise(expr: Expr, order: Order, scope: Scope) -> Matrix | None:
    """An expression whose reads carry all the indices of `order`, or none."""
    if not scope.order(expr):
        return Matrix("number", (), expr) if scope.order(expr) == () else None
    if isinstance(expr, Symbol):
        access = scope.slots[expr]
        if not isinstance(access, Access):
            return None
        own = scope.read(access)
        node = Matrix("tensor", (), access.tensor)
        return node if own == order else transposed(node)
    if isinstance(expr, Pow):
        base = _entrywise(expr.base, order, scope)
        return hadamard(base, base) if base is not None and expr.exp == 2 else None
    if isinstance(expr, Select) and expr.args[2] == S.Zero:
        return _selected(expr, order, scope)
    kinds = {Add: "sum", Mul: "hadamard", Less: "mask", LessEqual: "mask", Equal: "mask"}
    kind = next((k for t, k in kinds.items() if isinstance(expr, t)), None)
    if kind is None and isinstance(expr, (Scalar, Unknown)) and len(expr.args) == 1:
        kind = "applied"
    if kind is None:
        return None
    parts = [_entrywise(a, order, scope) for a in _in_order(expr)]
    found = tuple(p for p in parts if p is not None)
    if len(found) < len(parts):
        return None
    return _node(kind, found, expr)


def _in_order(expr: Expr) -> Sequence[Expr]:
    """Numbers first, then positive terms, where the order does not matter."""
    if isinstance(expr, (Add, Mul)):
        keyed = [(expr.is_Add and _is_minus(a), not a.is_number, str(a), a) for a in expr.args]
        return [k[-1] for k in sorted(keyed, key=lambda k: k[:-1])]
    return list(expr.args)


def _is_minus(expr: Expr) -> bool:
    return bool(expr.as_coeff_Mul()[0] < 0)


def _node(kind: str, parts: tuple[Matrix, ...], expr: Expr) -> Matrix | None:
    if kind != "hadamard":
        return Matrix(kind, parts, type(expr))
    numbers = [p.value for p in parts if p.kind == "number"]
    rest = [p for p in parts if p.kind != "number"]
    flat = tuple(chain.from_iterable(p.parts if p.kind == "hadamard" else (p,) for p in rest))
    node = flat[0] if len(flat) == 1 else Matrix("hadamard", flat)
    scale = Mul(*numbers)
    return node if scale == S.One else Matrix("scaled", (node,), scale)


def _selected(expr: Select, order: Order, scope: Scope) -> Matrix | None:
    mask = _entrywise(expr.args[0], order, scope)
    if mask is None or expr.args[1] == S.One:
        return mask
    inner = _entrywise(expr.args[1], order, scope)
    return None if inner is None else hadamard(mask, inner)
