"""A right-hand side as a sum of terms, each c * sum(i: body) with c of numbers and sizes alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from symgrad.notation.sizes import names_in
from symgrad.notation.syntax import (
    Call,
    Floor,
    Name,
    Node,
    Number,
    Power,
    Product,
    Reduce,
    Sum,
    children,
)

LINEAR = ("sum", "mean")


@dataclass(frozen=True)
class Term:
    """sign * product of factor**power * sum over binders of body / count of `means`."""

    body: Node
    sign: int = 1
    factors: tuple[tuple[int, Node], ...] = ()
    binders: tuple[Name, ...] = ()
    means: tuple[Name, ...] = ()


def split(node: Node, sizes: Collection[str], needed: frozenset[str]) -> tuple[Term, ...]:
    """The terms; those that bind no index are one.

    needed: the indices that a reduction has to use to be a term; one that does not is worth a
    tensor of its own, or it would be summed again for each of their values.
    """
    match node:
        case Sum():
            bound = [(sign, n) for sign, n in node.terms if binds(n, sizes, needed)]
            rest = tuple((sign, n) for sign, n in node.terms if not binds(n, sizes, needed))
            if not bound:
                return (Term(node),)
            terms = [
                replace(t, sign=sign * t.sign) for sign, n in bound for t in split(n, sizes, needed)
            ]
            return (*terms, *((Term(_sum(node, rest)),) if rest else ()))
        case Product():
            factor = _reducing(node, sizes, needed)
            if factor is not None:
                others = tuple((p, n) for p, n in node.factors if n is not factor)
                terms = list(split(factor, sizes, needed))
                return tuple(replace(t, factors=(*others, *t.factors)) for t in terms)
        case Reduce(op=op) if binds(node, sizes, needed):
            means = node.indices if op == "mean" else ()
            return tuple(
                replace(t, binders=(*node.indices, *t.binders), means=(*means, *t.means))
                for t in split(node.body, sizes, needed | {b.name for b in node.indices})
            )
    return (Term(node),)


def _sum(node: Sum, terms: tuple[tuple[int, Node], ...]) -> Node:
    alone = len(terms) == 1 and terms[0][0] > 0
    return terms[0][1] if alone else replace(node, terms=terms)


def _reducing(node: Product, sizes: Collection[str], needed: frozenset[str]) -> Node | None:
    """The one factor that reduces, where all others are numbers and sizes."""
    found = [n for power, n in node.factors if power > 0 and binds(n, sizes, needed)]
    others = [n for _, n in node.factors if not found or n is not found[0]]
    return found[0] if found and all(is_constant(n, sizes) for n in others) else None


def binds(node: Node, sizes: Collection[str], needed: frozenset[str]) -> bool:
    """A sum or a mean that uses all `needed` indices stands at the top of one of its terms."""
    match node:
        case Sum():
            return any(binds(n, sizes, needed) for _, n in node.terms)
        case Product():
            return _reducing(node, sizes, needed) is not None
        case Reduce():
            return node.op in LINEAR and needed <= {n.name for n in names_in(node)}
    return False


def is_constant(node: Node, sizes: Collection[str]) -> bool:
    """Only numbers and sizes."""
    match node:
        case Number():
            return True
        case Name(name=name):
            return name in sizes or name == "PI"
        case Sum() | Product() | Power() | Floor() | Call():
            return all(is_constant(n, sizes) for n in children(node))
    return False
