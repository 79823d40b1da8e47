"""Equations as textbooks write them: dL/dX on the right side too, where the notation has dX."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sympy import Expr

from symgrad.algebra.program import Equation, Program, Slot
from symgrad.explain.book import Book
from symgrad.explain.steps import Code, Formula
from symgrad.notation.printer import expression_text

NAME = re.compile(r"[A-Za-z]\w*")


def spelled(text: str, book: Book) -> str:
    """dy[l,i]*w[l,i,j] -> dL/dy[l,i]*w[l,i,j]."""
    return NAME.sub(lambda m: _spelled(m.group(), book), text)


def _spelled(name: str, book: Book) -> str:
    return f"d{book.symbol}/d{book.primal[name]}" if name in book.primal else name


def formula(book: Book, program: Program, equation: Equation, sign: str = "") -> Formula:
    """An equation of `program`, with the ranges that it needs; `sign` where it is not its own."""
    found = book.line(equation, program, sign or ("=" if equation.assigns else "+="))
    (term,) = found.terms
    return replace(found, terms=(Code(spelled(term.text, book), term.latex),))


def expression(book: Book, expr: Expr, slots: Sequence[Slot]) -> Code:
    """An expression over slots."""
    return Code(spelled(expression_text(expr), book), book.expression(expr, slots).latex)


def product(book: Book, factors: Sequence[Expr], slots: Sequence[Slot]) -> Code:
    """Factors in the order in which they come."""
    parts = [expression(book, f, slots) for f in factors]
    texts = [f"({p.text})" if f.is_Add else p.text for f, p in zip(factors, parts, strict=True)]
    latexs = [f"({p.latex})" if f.is_Add else p.latex for f, p in zip(factors, parts, strict=True)]
    return Code("*".join(texts) or "1", r"\,".join(latexs) or "1")
