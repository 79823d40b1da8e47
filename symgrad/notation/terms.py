"""A right-hand side as a sum of terms, each c * sum(i: body) with c of numbers and sizes alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

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
    """sign * product of factor**power * sum over binders of body / count of the indices in `means`."""

    body: Node
    sign: int = 1
    factors: tuple[tuple[int, Node], ...] = ()
    binders: tuple[Name, ...] = ()
    means: tuple[Name, ...] = ()


def split(node: Node, sizes: Collection[str]) -> tuple[Term, ...]:
    """The terms; those that bind no index are one."""
    match node:
        case Sum():
            bound = [(sign, n) for sign, n in node.terms if binds(n, sizes)]
            rest = tuple((sign, n) for sign, n in node.terms if not binds(n, sizes))
            if not bound:
                return (Term(node),)
            terms = [replace(t, sign=sign * t.sign) for sign, n in bound for t in split(n, sizes)]
            return (*terms, *((Term(_sum(node, rest)),) if rest else ()))
        case Product():
            return _product(node, sizes)
        case Reduce(op=op) if op in LINEAR:
            means = node.indices if op == "mean" else ()
            return tuple(
                replace(t, binders=(*node.indices, *t.binders), means=(*means, *t.means))
                for t in split(node.body, sizes)
            )
    return (Term(node),)


def _sum(node: Sum, terms: tuple[tuple[int, Node], ...]) -> Node:
    return terms[0][1] if len(terms) == 1 and terms[0][0] > 0 else replace(node, terms=terms)


def _product(node: Product, sizes: Collection[str]) -> tuple[Term, ...]:
    reducing = [n for power, n in node.factors if power > 0 and binds(n, sizes)]
    others = tuple((p, n) for p, n in node.factors if not reducing or n is not reducing[0])
    if len(reducing) != 1 or not all(is_constant(n, sizes) for _, n in others):
        return (Term(node),)
    return tuple(replace(t, factors=(*others, *t.factors)) for t in split(reducing[0], sizes))


def binds(node: Node, sizes: Collection[str]) -> bool:
    """A sum or a mean stands at the top of one of its terms."""
    match node:
        case Sum():
            return any(binds(n, sizes) for _, n in node.terms)
        case Product():
            found = [n for p, n in node.factors if p > 0 and binds(n, sizes)]
            return len(found) == 1 and all(
                is_constant(n, sizes) for _, n in node.factors if n is not found[0]
            )
        case Reduce():
            return node.op in LINEAR
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
