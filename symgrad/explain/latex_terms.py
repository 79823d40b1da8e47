"""Right sides of equations in LaTeX: sums over what is not on the left, with their conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sympy import Expr, Symbol

from symgrad.algebra.program import Equation, Range, Slot
from symgrad.explain.latex import Latex, bracketed, name_latex
from symgrad.explain.latex_scalars import PRODUCT, Printer, expression_latex
from symgrad.explain.settle import Condition
from symgrad.explain.steps import Code
from symgrad.explain.terms import ranges_text, term_of
from symgrad.notation.printer import expression_text


def ranges_code(ranges: Sequence[Range], latex: Latex) -> Code | None:
    """for i < 3, 1 <= l < N; None for no range."""
    if not ranges:
        return None
    shown = r",\ ".join(latex.range(r) for r in ranges)
    return Code(f"for {ranges_text(ranges)}", rf"\text{{for }} {shown}")


def reduction_latex(equation: Equation, latex: Latex) -> str:
    """logsumexp and argmax."""
    body = expression_latex(equation.body, latex, equation.slot_of)
    below = ",".join(name_latex(i) for i in equation.reduced)
    if equation.op == "argmax":
        return rf"\operatorname{{argmax}}_{{{below}}} {bracketed(body)}"
    return rf"\log \sum_{{{below}}} \exp{bracketed(body)}"


def term_latex(equation: Equation, conditions: Sequence[Condition], latex: Latex) -> str:
    """A condition on what is summed stands under the sum, another as a bracket before it."""
    term = term_of(equation)
    slots = equation.slot_of
    masks, under = [], []
    for c in conditions:
        place, index = latex.subscript(c.place), name_latex(c.index)
        summed = c.place.indices & set(term.reduced)
        if summed:
            under.append(f"{place} = {index}")
        else:
            masks.append(rf"\left[{index} = {place}\right]")
    if term.reduced:
        inner = term_inner_latex(term.inner, latex, slots)
        below = ",".join([*map(name_latex, term.reduced)])
        below += r":\ " + r",\ ".join(under) if under else ""
        whole = term.around(expression_text(term.inner), rf"\sum_{{{below}}} {inner}")
        shown, level = Printer(latex, slots).text(whole)
    else:
        shown, level = Printer(latex, slots).text(term.whole)
    return shown if not masks else _masked(shown, level, r"\,".join(masks))


def term_inner_latex(expr: Expr, latex: Latex, slots: Mapping[Symbol, Slot]) -> str:
    """What stands behind a sum's sign, which reaches to the next + or -."""
    inner, level = Printer(latex, slots).text(expr)
    return bracketed(inner) if level < PRODUCT or inner.startswith("-") else inner


def _masked(shown: str, level: int, mask: str) -> str:
    if shown == "1":
        return mask
    if shown.startswith("-") and level >= PRODUCT:
        return rf"-{mask}\,{shown[1:]}"
    return rf"{mask}\,{shown if level >= PRODUCT else bracketed(shown)}"
