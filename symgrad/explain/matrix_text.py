"""Matrix expressions printed: dz1^T x, dh1 (.) (1 - h1 (.) h1); and the same in LaTeX."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr, Mul, Symbol

from symgrad.algebra.access import Access
from symgrad.algebra.program import Slot
from symgrad.algebra.scalars import Equal, Less, LessEqual
from symgrad.explain.contractions import Matrix
from symgrad.explain.latex import Latex, bracketed, name_latex
from symgrad.explain.latex_scalars import SIGNS, Printer, expression_latex
from symgrad.explain.steps import Code, joined, summed
from symgrad.notation.printer import Written, expression_text

TEXT_SIGNS: Mapping[type, str] = {Less: "<", LessEqual: "<=", Equal: "=="}
LOOSE = ("sum", "hadamard", "product", "scaled")
"""What stands in brackets inside a product."""


def matrix_code(node: Matrix, latex: Latex, slots: Mapping[Symbol, Slot]) -> Code:
    """slots: what the symbols of a scaling factor stand for."""
    parts = [matrix_code(p, latex, slots) for p in node.parts]
    held = [_held(p, c) for p, c in zip(node.parts, parts, strict=True)]
    if node.kind == "tensor":
        return Code(str(node.value), latex.access(Access(str(node.value))))
    if node.kind == "ones":
        return Code("1", r"\mathbf{1}")
    if node.kind == "number":
        return _expression(node.value, latex, slots)
    if node.kind == "sum":
        return summed(parts)
    if node.kind == "product":
        return joined(held, " ", r"\,")
    if node.kind == "hadamard":
        return joined(held, " (.) ", r" \odot ")
    if node.kind == "scaled":
        bare = node.value in (1, -1) and node.parts[0].kind != "sum"
        return _scaled(node.value, parts[0] if bare else held[0], latex, slots)
    if node.kind == "transpose":
        fraction = parts[0].latex.startswith(r"\frac")
        base = bracketed(parts[0].latex) if fraction else held[0].latex
        return Code(f"{held[0].text}^T", f"{{{base}}}^{{\\top}}")
    if node.kind == "applied":
        name = getattr(node.value, "__name__", "")
        stem = getattr(node.value, "base", None)  # of an unknown function, before its primes
        shown = Printer(latex, slots).command(name)
        shown = name_latex(stem) + name.removeprefix(stem) if stem else shown
        return Code(f"{name}({parts[0].text})", shown + bracketed(parts[0].latex))
    kind = next(kind for kind in TEXT_SIGNS if node.value is kind)
    inside = joined(parts, f" {TEXT_SIGNS[kind]} ", f" {SIGNS[kind]} ")
    return Code(f"[{inside.text}]", rf"\left[{inside.latex}\right]")


def _held(node: Matrix, code: Code) -> Code:
    return Code(f"({code.text})", bracketed(code.latex)) if node.kind in LOOSE else code


def _expression(expr: Expr, latex: Latex, slots: Mapping[Symbol, Slot]) -> Code:
    return Code(expression_text(expr), expression_latex(expr, latex, slots))


def _scaled(scale: Expr, inner: Code, latex: Latex, slots: Mapping[Symbol, Slot]) -> Code:
    return _expression(Mul(scale, Written(inner.text, inner.latex)), latex, slots)
