r"""Expressions as LaTeX mathematics: numbers and divisors first, then adjoints, then by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sympy import Add, Expr, Function, Integer, Mul, Pow, Rational, S, Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import INF, Slot
from symgrad.algebra.scalars import And, Equal, Less, LessEqual, Not, Or, Select, Stop, Unknown
from symgrad.explain.latex import Latex, bracketed, name_latex
from symgrad.notation.printer import Written, expression_text, number_text

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4
COMMANDS = {
    **{n: rf"\{n}" for n in ("exp", "log", "sin", "cos", "sinh", "cosh", "tanh", "arctan")},
    "minimum": r"\min",
    "maximum": r"\max",
}
SIGNS: Mapping[type, str] = {Less: "<", LessEqual: r"\leq", Equal: "="}
JOINS = {And: r"\wedge", Or: r"\vee"}
MOST_OF_A_FRACTION = 12

Text = tuple[str, int]
"""A text, and how tightly its outermost operator binds."""


def expression_latex(expr: Expr, latex: Latex, slots: Mapping[Symbol, Slot]) -> str:
    return Printer(latex, slots).text(expr)[0]


@dataclass(frozen=True)
class Printer:
    """Expressions over slots."""

    latex: Latex
    slots: Mapping[Symbol, Slot]

    def text(self, expr: Expr) -> Text:
        if isinstance(expr, Rational):
            return _number(expr)
        if expr is S.Pi:
            return r"\pi", ATOM
        if expr == INF:
            return r"\infty", ATOM
        if isinstance(expr, Symbol):
            return self.symbol(expr)
        for kind, printed in KINDS.items():
            if isinstance(expr, kind):
                return printed(self, expr)
        raise TypeError(f"no LaTeX for {type(expr).__name__}")

    def symbol(self, symbol: Symbol) -> Text:
        slot = self.slots[symbol]
        sums = isinstance(slot, Affine) and len(slot.terms) + len(slot.offset.terms) > 1
        return self.latex.slot(slot), SUM if sums else ATOM

    def within(self, expr: Expr, level: int) -> str:
        text, own = self.text(expr)
        return text if own >= level else bracketed(text)

    def sum(self, expr: Expr) -> Text:
        """Positive terms first, numbers first among them: the notation's order."""
        terms = [(_negative(t), -t if _negative(t) else t) for t in expr.args]
        keyed = [(n, expression_text(t), t) for n, t in terms]
        keyed.sort(key=lambda k: (k[0], not k[1][0].isdigit(), k[1]))
        text = ""
        for negative, _, term in keyed:
            shown, level = self.text(term)
            if negative:
                text += f" - {shown if level > SUM else bracketed(shown)}"
            else:
                text += f" + {shown}" if text else shown
        return text.strip(), SUM

    def product(self, expr: Expr) -> Text:
        r"""\frac{number}{what divides} first, then adjoints, then the rest by name."""
        coefficient, rest = expr.as_coeff_Mul()
        above: list[Expr] = []
        below: list[Expr] = []
        for factor in rest.args if isinstance(rest, Mul) else (rest,):
            base, exponent = factor.as_base_exp() if isinstance(factor, Pow) else (factor, S.One)
            divides = isinstance(exponent, Rational) and exponent < 0
            (below if divides else above).append(
                Pow(base, -exponent, evaluate=exponent == -1) if divides else factor
            )
        shown = [self.within(f, PRODUCT) for f in sorted(above, key=self.order)]
        number = abs(coefficient)
        if below:
            whole = number.q if r"\frac" in _number(number)[0] else 1
            top = _number(number * whole)[0]
            under = ([str(whole)] if whole != 1 else []) + self.factors(below)
            if top == "1" and len(above) == 1 and self.fits_above(above[0]):
                top = shown.pop()
            shown.insert(0, rf"\frac{{{top}}}{{{_times_all(under)}}}")
        elif number != 1:
            shown.insert(0, _number(number)[0])
        text = _times_all(shown) or "1"
        return (f"-{text}", PRODUCT) if coefficient < 0 else (text, PRODUCT)

    def fits_above(self, factor: Expr) -> bool:
        """What stands well in a numerator: no sum, which reaches further, and no fraction."""
        text, level = self.text(factor)
        return level == ATOM and not text.startswith(r"\frac")

    def factors(self, below: list[Expr]) -> list[str]:
        if len(below) == 1:
            return [self.text(below[0])[0]]
        return [self.within(f, PRODUCT) for f in sorted(below, key=self.order)]

    def order(self, factor: Expr) -> tuple[bool, bool, bool, str]:
        text = expression_text(factor)
        slot = self.slots.get(factor) if isinstance(factor, Symbol) else None
        adjoint = isinstance(slot, Access) and slot.tensor in self.latex.primal
        return ": " in text, not text[0].isalpha(), not adjoint, text

    def power(self, expr: Pow) -> Text:
        base, exponent = expr.base, expr.exp
        if isinstance(exponent, Rational) and exponent < 0:
            below = base if exponent == -1 else Pow(base, -exponent, evaluate=False)
            return rf"\frac{{1}}{{{self.text(below)[0]}}}", PRODUCT
        if exponent == S.Half:
            return rf"\sqrt{{{self.text(base)[0]}}}", ATOM
        return self.raised(base, self.text(exponent)[0])

    def raised(self, base: Expr, exponent: str) -> Text:
        """A base with marks of its own stands in brackets: (z^{(1)}_{b,i})^{2}."""
        text, level = self.text(base)
        bare = level == ATOM and not any(mark in text for mark in ("^", "\\frac", "(", "\\sqrt"))
        return f"{text if bare else bracketed(text)}^{{{exponent}}}", POWER

    def call(self, expr: Function) -> Text:
        name, args = type(expr).__name__, expr.args
        if name == "sqrt":
            return rf"\sqrt{{{self.text(args[0])[0]}}}", ATOM
        if name == "abs":
            return rf"\left|{self.text(args[0])[0]}\right|", ATOM
        if name == "expdiff":
            return f"e^{{{self.text(args[0])[0]} - {self.within(args[1], PRODUCT)}}}", POWER
        if name == "power":
            return self.raised(args[0], self.text(args[1])[0])
        return self.command(name) + bracketed(", ".join(self.text(a)[0] for a in args)), ATOM

    def command(self, name: str) -> str:
        if name in COMMANDS:
            return COMMANDS[name]
        if name == "sigmoid" and "sigma" not in self.latex.names:
            return r"\sigma"
        return rf"\operatorname{{{name.replace('_', chr(92) + '_')}}}"

    def unknown(self, expr: Unknown) -> Text:
        r"""\sigma'(x); of several arguments \partial_{1} f(x, y)."""
        shown = name_latex(expr.base)
        if len(expr.orders) == 1:
            shown += "'" * expr.orders[0]
        elif any(expr.orders):
            which = ",".join(str(k + 1) for k, o in enumerate(expr.orders) for _ in range(o))
            shown = rf"\partial_{{{which}}} {shown}"
        return shown + bracketed(", ".join(self.text(a)[0] for a in expr.args)), ATOM

    def select(self, expr: Select) -> Text:
        """[p], [p] f, or cases."""
        condition, yes, no = expr.args
        when = self.text(condition)[0]
        if no == S.Zero:
            mask = rf"\left[{when}\right]"
            if yes == S.One:
                return mask, ATOM
            inner = self.within(yes, PRODUCT)
            if inner.startswith("-"):
                return f"-{mask}" if inner == "-1" else rf"-{mask}\,{inner[1:]}", PRODUCT
            return _times_all([mask, inner]), PRODUCT
        rows = (rf"{self.text(yes)[0]} & {when} \\", rf"{self.text(no)[0]} & \text{{otherwise}}")
        return rf"\begin{{cases}} {' '.join(rows)} \end{{cases}}", ATOM

    def stop(self, expr: Stop) -> Text:
        return r"\operatorname{stop}" + bracketed(self.text(expr.args[0])[0]), ATOM

    def compare(self, expr: Expr) -> Text:
        left, right = (self.within(a, SUM) for a in expr.args)
        return f"{left} {SIGNS[type(expr)]} {right}", SUM

    def join(self, expr: Expr) -> Text:
        left, right = (self.text(a)[0] for a in expr.args)
        return rf"({left} {JOINS[type(expr)]} {right})", ATOM

    def negation(self, expr: Not) -> Text:
        return rf"\neg ({self.text(expr.args[0])[0]})", ATOM


KINDS: Mapping[type, Callable[..., Text]] = {
    Written: lambda _, expr: (expr.latex, expr.latex_tight),
    Add: Printer.sum,
    Mul: Printer.product,
    Pow: Printer.power,
    Select: Printer.select,
    Stop: Printer.stop,
    Less: Printer.compare,
    LessEqual: Printer.compare,
    Equal: Printer.compare,
    And: Printer.join,
    Or: Printer.join,
    Not: Printer.negation,
    Unknown: Printer.unknown,
    Function: Printer.call,
}
"""How each kind is printed; the first that fits is taken."""


def _number(value: Rational) -> Text:
    if isinstance(value, Integer):
        return str(value), ATOM if value >= 0 else PRODUCT
    sign, size = "-" if value < 0 else "", abs(value)
    text = number_text(size)
    if "/" in text or size.q < MOST_OF_A_FRACTION:
        return rf"{sign}\frac{{{size.p}}}{{{size.q}}}", PRODUCT
    digits, _, power = text.partition("e")
    shown = rf"{digits} \cdot 10^{{{power}}}" if power else digits
    return sign + shown, PRODUCT if power or sign else ATOM


def _negative(expr: Expr) -> bool:
    coefficient = expr.as_coeff_Mul()[0]
    return bool(isinstance(coefficient, Rational) and coefficient < 0)


def _times_all(factors: list[str]) -> str:
    """Side by side; with a dot where a bracket or a digit could be read as something else."""
    text = ""
    for factor in factors:
        if not text:
            text = factor
        elif factor[0].isdigit() or factor.startswith(("(", r"\left(")):
            text += rf" \cdot {factor}"
        else:
            text += rf"\,{factor}"
    return text
