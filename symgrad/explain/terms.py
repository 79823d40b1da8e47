"""Contributions in index form, text and LaTeX: `dz1[b,i] = sum(j: dz2[b,j]*W2[j,i])` reads back.

A term is a sum over the indices that are not on the left. Its numbers and sizes stand outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sympy import Expr, Integer, Mul, S, Symbol

from symgrad.algebra.access import Affine
from symgrad.algebra.program import Equation, Program, Range, Slot
from symgrad.explain.latex import Latex, bracketed, name_latex
from symgrad.explain.latex_scalars import PRODUCT, Printer, expression_latex
from symgrad.explain.settle import Condition, needs_delta
from symgrad.explain.steps import Code, added
from symgrad.notation.context import context_of
from symgrad.notation.printer import Written, expression_text, range_text


@dataclass(frozen=True)
class Term:
    """outer * sum(reduced: inner), where outer has numbers and sizes only."""

    outer: Expr
    inner: Expr
    reduced: tuple[str, ...]

    def text(self) -> str:
        if not self.reduced:
            return expression_text(self.whole)
        return expression_text(self.around(expression_text(self.inner)))

    def around(self, inner: str, latex: str = "") -> Expr:
        """outer * sum(reduced: ...), with what is summed written already."""
        return Mul(self.outer, Written(f"sum({','.join(self.reduced)}: {inner})", latex))

    @property
    def whole(self) -> Expr:
        return Mul(self.outer, self.inner)


def term_of(equation: Equation) -> Term:
    """The body of an equation, split."""
    if not equation.reduced:
        return Term(Integer(1), equation.body, ())
    coefficient, rest = equation.body.as_coeff_Mul()
    factors = rest.args if isinstance(rest, Mul) else (rest,)
    sizes = {s for s, slot in equation.slots if isinstance(slot, Affine) and not slot.indices}
    outside = [f for f in factors if f.free_symbols and f.free_symbols <= sizes]
    inside = [f for f in factors if f not in outside]
    outer = Mul(coefficient, *outside)
    inner = Mul(*inside) if inside else S.One
    return Term(outer, inner, tuple(sorted(equation.reduced)))


def ranges_text(ranges: Iterable[Range]) -> str:
    return ", ".join(range_text(r) for r in ranges)


@dataclass(frozen=True)
class Group:
    """The equations that write one target; `whole` where they are all that write the tensor."""

    equations: tuple[Equation, ...]
    whole: bool

    @property
    def tensor(self) -> str:
        return self.equations[0].target.tensor

    @property
    def reads(self) -> frozenset[str]:
        return frozenset(a.tensor for e in self.equations for a in e.reads)


def groups(equations: Sequence[Equation], program: Program) -> list[Group]:
    """Sums into one and the same place over the same ranges, together, in order."""
    found: dict[object, list[Equation]] = {}
    for equation in equations:
        own = tuple(
            sorted((r for r in equation.box if r.index in equation.target.indices), key=str)
        )
        loose = equation.op == "sum" and not equation.assigns
        key = (equation.target, own) if loose else (equation.target, own, len(found))
        found.setdefault(key, []).append(equation)
    writers = program.writers
    return _in_order(
        [Group(tuple(g), len(g) == len(writers[g[0].target.tensor])) for g in found.values()]
    )


def _in_order(given: list[Group]) -> list[Group]:
    """Each after what it reads, as far as that goes, else as they came."""
    waiting, ordered = list(given), []
    while waiting:
        missing = {g.tensor for g in waiting}
        ready = (g for g in waiting if not (g.reads - {g.tensor}) & missing)
        ordered.append(next(ready, waiting[0]))
        waiting.remove(ordered[-1])
    return ordered


@dataclass(frozen=True)
class Line:
    """Some equations in one line; `stated` are the ranges that it has to say."""

    equations: tuple[Equation, ...]
    sign: str
    stated: tuple[Range, ...]

    @property
    def text(self) -> str:
        first = self.equations[0]
        if first.op == "sum":
            right = added(term_of(e).text() for e in self.equations)
        else:
            right = f"{first.op}({','.join(first.reduced)}: {expression_text(first.body)})"
        given = f" for {ranges_text(self.stated)}" if self.stated else ""
        return f"{first.target} {self.sign} {right}{given}"


def lines_of(group: Group, program: Program) -> list[Line]:
    """The group as one line of notation, or as several where ranges stand in the way."""
    first = group.equations[0]
    if first.op == "sum" and not first.assigns:
        stated = _stated(group, program)
        if stated is not None:
            once = group.whole and not needs_delta(first.target)
            return [Line(group.equations, "=" if once else "+=", tuple(stated))]
    context = context_of(program)
    return [
        Line((e,), "=" if e.assigns or e.op != "sum" else "+=", tuple(context.unimplied(e)))
        for e in group.equations
    ]


def _stated(group: Group, program: Program) -> list[Range] | None:
    """The ranges that one line for the whole group has to state; None where it cannot."""
    context = context_of(program)
    left = group.equations[0].target.indices
    inferred = {i for e in group.equations for i in left - {r.index for r in context.unimplied(e)}}
    cyclic = group.equations[0].target.tensor in context.cycle
    found: dict[str, Range] = {}
    bound: dict[str, set[Range]] = {}
    for equation in group.equations:
        for r in equation.box:
            bound.setdefault(r.index, set()).add(r)
        for r in context.unimplied(equation):
            known = context.known.get(id(equation), frozenset())
            silent = not list(context.candidates(equation, r.index, known))
            if cyclic or not (silent and r.index in inferred and len(group.equations) > 1):
                found[r.index] = r
    if any(len(bound[index]) > 1 for index in found):
        return None
    return list(found.values())


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
