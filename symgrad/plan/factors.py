"""A product's factors, a term's sign."""

from __future__ import annotations

import sympy
from sympy import Expr, S


def factors(expr: Expr) -> tuple[list[Expr], list[Expr], Expr]:
    """(factors above, factors below, number) of a product."""
    above: list[Expr] = []
    below: list[Expr] = []
    number: Expr = S.One
    for part in sympy.Mul.make_args(expr):
        if part.is_Number:
            number = number * part
        elif part.is_Pow and part.exp.is_Number and part.exp.is_negative:
            below.append(part.base**-part.exp)
        else:
            above.append(part)
    return above, below, number


def signed(term: Expr) -> tuple[int, Expr]:
    """(sign, the term without it)."""
    number, rest = term.as_coeff_Mul()
    if number.is_negative:
        return -1, -term if not rest.is_Add or number != -1 else rest
    return 1, term
