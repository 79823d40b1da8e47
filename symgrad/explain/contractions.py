"""Matrix expressions, and sums of products as products of matrices, by index sets alone.

sum(j: A[i,j]*B[j,k]) is A B, sum(i: u[i]*A[i,j]) is A^T u, sum(j: A[i,j]) is A 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from sympy import Integer

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


Groups = dict[frozenset[str], tuple[Order, Matrix]]


def hadamard(a: Matrix, b: Matrix) -> Matrix:
    left = a.parts if a.kind == "hadamard" else (a,)
    right = b.parts if b.kind == "hadamard" else (b,)
    return Matrix("hadamard", (*left, *right))


def transposed(node: Matrix) -> Matrix:
    return node.parts[0] if node.kind == "transpose" else Matrix("transpose", (node,))


def contracted(out: Order, reduced: Order, groups: Groups) -> Matrix | None:
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
    return hadamard(_turned(*outside[frozenset(out)], out), result)


def _turned(order: Order, node: Matrix, wanted: Order) -> Matrix:
    return node if order == wanted else transposed(node)


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
    return Matrix("product", (columns[0], transposed(columns[1])))


def _chain(out: Order, reduced: Order, groups: Groups) -> Matrix | None:
    """One contracted index: A B, A v, A 1, u^T v; two of a scalar: 1^T A 1."""
    if len(reduced) == 2 and not out and list(groups) == [frozenset(reduced)]:
        return Matrix("product", (transposed(ONES), groups[frozenset(reduced)][1], ONES))
    if len(reduced) != 1:
        return None
    (r,) = reduced
    ends = {key - {r}: _turned_to(g, r) for key, g in groups.items()}
    column = ends.pop(frozenset(), None)
    if any(len(end) != 1 or not end <= set(out) for end in ends):
        return None
    if len(out) == 2 and len(ends) == 2 and column is None:
        left, right = (ends[frozenset({i})] for i in out)
        return Matrix("product", (left, transposed(right)))
    if len(out) == 1 and len(ends) == 1:
        return Matrix("product", (ends[frozenset(out)], column or ONES))
    if not out and not ends and column is not None:
        return _inner(column)
    return None


def _turned_to(group: tuple[Order, Matrix], r: str) -> Matrix:
    """With r as the second index."""
    order, node = group
    return node if len(order) == 1 or order[1] == r else transposed(node)


def _inner(column: Matrix) -> Matrix:
    """u^T v, or 1^T u."""
    if column.kind == "hadamard":
        rest = column.parts[1:]
        right = rest[0] if len(rest) == 1 else Matrix("hadamard", rest)
        return Matrix("product", (transposed(column.parts[0]), right))
    return Matrix("product", (transposed(ONES), column))
