"""Contributions as matrix expressions, by index sets alone; None where there is no such form.

Tensors of rank 2 are matrices, of rank 1 columns; (.) multiplies entry by entry; 1 is a column of
ones; functions act on each entry, and a number in a sum is added to each entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from sympy import Add, Expr, Integer, Mul, Pow, S, Symbol
from sympy.core.parameters import distribute

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Program, Slot
from symgrad.algebra.scalars import Equal, Less, LessEqual, Scalar, Select, Unknown
from symgrad.algebra.sizes import ZERO
from symgrad.explain.settle import Settled

Order = tuple[str, ...]


@dataclass(frozen=True)
class Matrix:
    """A node of a matrix expression.

    kind: tensor, ones, transpose, product, hadamard, sum, scaled, applied, mask or number.
    value: a tensor's name, a function, a comparison, or the number that scales.
    """

    kind: str
    parts: tuple[Matrix, ...] = ()
    value: object = None


ONES = Matrix("ones")


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
    inner = _contracted(out, tuple(r.index for r in settled.reduced), groups)
    if inner is None or scale == S.One:
        return inner
    return Matrix("scaled", (inner,), scale)


Groups = dict[frozenset[str], tuple[Order, Matrix]]


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
        groups[key] = (first, _hadamard(groups[key][1], node) if key in groups else node)
    with distribute(False):
        return Mul(*scalars), groups


def _by_name(factors: Sequence[Expr]) -> list[Expr]:
    return sorted(factors, key=lambda f: (not f.is_Symbol, not str(f).startswith("d"), str(f)))


def _hadamard(a: Matrix, b: Matrix) -> Matrix:
    left = a.parts if a.kind == "hadamard" else (a,)
    right = b.parts if b.kind == "hadamard" else (b,)
    return Matrix("hadamard", (*left, *right))


def _transposed(node: Matrix) -> Matrix:
    return node.parts[0] if node.kind == "transpose" else Matrix("transpose", (node,))


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
        return node if own == order else _transposed(node)
    if isinstance(expr, Pow):
        base = _entrywise(expr.base, order, scope)
        return _hadamard(base, base) if base is not None and expr.exp == 2 else None
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
    with distribute(False):
        scale = Mul(*numbers)
    return node if scale == S.One else Matrix("scaled", (node,), scale)


def _selected(expr: Select, order: Order, scope: Scope) -> Matrix | None:
    mask = _entrywise(expr.args[0], order, scope)
    if mask is None or expr.args[1] == S.One:
        return mask
    inner = _entrywise(expr.args[1], order, scope)
    return None if inner is None else _hadamard(mask, inner)


def _contracted(out: Order, reduced: Order, groups: Groups) -> Matrix | None:
    """The product of the groups, summed over the reduced indices."""
    inside = {key: g for key, g in groups.items() if key & set(reduced)}
    outside = {key: g for key, g in groups.items() if key not in inside}
    if not reduced:
        return _broadcast(out, list(outside.values()))
    if not set(reduced) <= set(chain.from_iterable(inside)):
        return None
    result = _chain(out, reduced, inside)
    if result is None or not outside:
        return result
    if list(outside) != [frozenset(out)]:
        return None
    return _hadamard(_turned(*outside[frozenset(out)], out), result)


def _turned(order: Order, node: Matrix, wanted: Order) -> Matrix:
    return node if order == wanted else _transposed(node)


def _broadcast(out: Order, groups: list[tuple[Order, Matrix]]) -> Matrix | None:
    """No sum: entry by entry, or the outer product of two columns."""
    if not out:
        return None if groups else Matrix("number", (), Integer(1))
    if not groups:
        return None
    by_set = {frozenset(order): (order, node) for order, node in groups}
    if list(by_set) == [frozenset(out)]:
        return _turned(*by_set[frozenset(out)], out)
    if any(len(key) != 1 for key in by_set):
        return None
    columns = [by_set[frozenset({i})][1] if frozenset({i}) in by_set else ONES for i in out]
    if len(out) == 1:
        return columns[0]
    return Matrix("product", (columns[0], _transposed(columns[1])))


def _chain(out: Order, reduced: Order, groups: Groups) -> Matrix | None:
    """One contracted index: A B, A v, A 1, u^T v; two of a scalar: 1^T A 1."""
    if len(reduced) == 2 and not out and list(groups) == [frozenset(reduced)]:
        return Matrix("product", (_transposed(ONES), groups[frozenset(reduced)][1], ONES))
    if len(reduced) != 1:
        return None
    (r,) = reduced
    ends = {key - {r}: _turned_to(g, r) for key, g in groups.items()}
    column = ends.pop(frozenset(), None)
    if any(len(end) != 1 or not end <= set(out) for end in ends):
        return None
    if len(out) == 2 and len(ends) == 2 and column is None:
        left, right = (ends[frozenset({i})] for i in out)
        return Matrix("product", (left, _transposed(right)))
    if len(out) == 1 and len(ends) == 1:
        return Matrix("product", (ends[frozenset(out)], column or ONES))
    if not out and not ends and column is not None:
        return _inner(column)
    return None


def _turned_to(group: tuple[Order, Matrix], r: str) -> Matrix:
    """With r as the second index."""
    order, node = group
    return node if len(order) == 1 or order[1] == r else _transposed(node)


def _inner(column: Matrix) -> Matrix:
    """u^T v, or 1^T u."""
    if column.kind == "hadamard":
        rest = column.parts[1:]
        right = rest[0] if len(rest) == 1 else Matrix("hadamard", rest)
        return Matrix("product", (_transposed(column.parts[0]), right))
    return Matrix("product", (_transposed(ONES), column))
