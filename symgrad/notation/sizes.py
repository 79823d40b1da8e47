"""Sizes and subscripts from the syntax tree: (L + 2 - K)//4 + 1, 2*t + 3*k - 1, act[b].

Caps on degree, terms and digits keep the exact arithmetic of sizes small whatever is typed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symgrad.algebra.access import Affine
from symgrad.algebra.sizes import FloorDiv, Size
from symgrad.errors import did_you_mean
from symgrad.notation.syntax import Floor, Name, Node, Number, Product, Read, Source, Sum, nodes

MOST_TERMS = 64
HIGHEST_DEGREE = 6
DEEPEST_QUOTIENT = 3
LARGEST = 2**53


def size_of(node: Node, source: Source, sizes: Mapping[str, Size]) -> Size:
    """A size expression: integers, named sizes, + - * and //."""
    form = affine_of(node, source, sizes, frozenset())
    return form.offset


def affine_of(
    node: Node, source: Source, sizes: Mapping[str, Size], indices: frozenset[str]
) -> Affine:
    """An affine form of indices whose coefficients are sizes."""
    match node:
        case Number(value=value):
            if value.denominator != 1:
                raise source.error("a whole number was expected in a size or a subscript", node.at)
            return _capped(Affine((), Size.of(value.numerator)), node, source)
        case Name(name=name):
            if name in indices:
                return Affine.index(name)
            if name not in sizes:
                near = did_you_mean(name, [*sizes, *indices])
                raise source.error(
                    f'unknown size "{name}"{near}; sizes are declared in [sizes]', node.at
                )
            return Affine((), sizes[name])
        case Sum():
            total = Affine()
            for sign, term in node.terms:
                total += affine_of(term, source, sizes, indices).scaled(Size.of(sign))
            return _capped(total, node, source)
        case Product():
            return _product(node, source, sizes, indices)
        case Floor():
            parts = [affine_of(n, source, sizes, indices) for n in (node.left, node.right)]
            if any(part.terms for part in parts):
                raise source.error("// divides sizes; an index cannot stand in it", node.at)
            top, by = parts[0].offset, parts[1].offset
            if not by.is_positive():
                raise source.error(
                    f"// needs a divisor of at least 1 for all sizes, and {by} came", node.at
                )
            return _capped(Affine((), top // by), node, source)
    what = "an affine form of indices" if indices else "a size"
    kinds = "whole numbers, names, + - * and // of sizes"
    divide = "; what is no size divides with /" if isinstance(node, Read) else ""
    raise source.error(f"{what} was expected: {kinds}{divide}", node.at)


def _product(
    node: Product, source: Source, sizes: Mapping[str, Size], indices: frozenset[str]
) -> Affine:
    result = Affine((), Size.of(1))
    for power, factor in node.factors:
        if power < 0:
            raise source.error(
                "sizes divide with //, which rounds down; / is for numbers", factor.at
            )
        form = affine_of(factor, source, sizes, indices)
        if result.terms and form.terms:
            raise source.error("a product of two indices is not affine", factor.at)
        varying, constant = (result, form) if result.terms else (form, result)
        result = _capped(varying.scaled(constant.offset), node, source)
    return result


def _capped(form: Affine, node: Node, source: Source) -> Affine:
    for size in (form.offset, *(c for _, c in form.terms)):
        if len(size.terms) > MOST_TERMS or any(len(m) > HIGHEST_DEGREE for m, _ in size.terms):
            raise source.error(
                f"a size of more than {MOST_TERMS} terms or of a degree above {HIGHEST_DEGREE}",
                node.at,
            )
        if any(abs(c) > LARGEST for _, c in size.terms):
            raise source.error("a whole number beyond 2**53 in a size or a subscript", node.at)
        if _quotient_depth(size) > DEEPEST_QUOTIENT or len(quotients(size)) > DEEPEST_QUOTIENT:
            raise source.error(
                f"more than {DEEPEST_QUOTIENT} quotients // in one size; name it a size of its own",
                node.at,
            )
    return form


def quotients(size: Size) -> list[FloorDiv]:
    return [atom for monomial, _ in size.terms for atom in monomial if isinstance(atom, FloorDiv)]


def _quotient_depth(size: Size) -> int:
    return max(
        (
            1 + max(_quotient_depth(q.numerator), _quotient_depth(q.divisor))
            for q in quotients(size)
        ),
        default=0,
    )


def names_in(node: Node) -> Iterator[Name]:
    """Every bare name of an expression."""
    yield from (n for n in nodes(node) if isinstance(n, Name))
