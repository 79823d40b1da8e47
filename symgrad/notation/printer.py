"""Equations and expressions in the notation: what is printed here reads back to the same thing.

The order is for people and does not depend on SymPy's: positive terms first, numbers first in a
product, then adjoints, then the rest by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import cast

from sympy import Add, AtomicExpr, Expr, Function, Mul, Pow, Rational, S, Symbol

from symgrad.algebra.program import Equation, Program, Range
from symgrad.algebra.scalars import And, Equal, Less, LessEqual, Not, Or, Select, Stop
from symgrad.algebra.sizes import ZERO
from symgrad.notation.context import Context, context_of
from symgrad.notation.operators import ADD, AND, COMPARE, MULTIPLY, NOT, OR, POWER, UNARY

ATOM = POWER + 1
COMPARED = {Less: "<", LessEqual: "<=", Equal: "=="}
JOINED = {And: (AND, "and"), Or: (OR, "or")}
MOST_DIGITS = 17

Text = tuple[str, int]
"""A text, and how tightly its outermost operator binds."""


class Written(AtomicExpr):
    """A part of an expression that is written already, as text and as LaTeX: sum(j: w[i,j]*x[j]).

    tight: how tightly the text binds; latex_tight: how tightly the LaTeX does. It is printed only;
    what it is made of is not looked into.
    """

    text: str
    latex: str
    tight: int
    latex_tight: int
    is_commutative = True

    def __new__(cls, text: str, latex: str, tight: int = ATOM, latex_tight: int = 2) -> Written:
        found = super().__new__(cls)
        found.text, found.latex = text, latex
        found.tight, found.latex_tight = tight, latex_tight
        return cast(Written, found)

    def _hashable_content(self) -> tuple[object, ...]:
        return self.text, self.latex, self.tight, self.latex_tight

    def _sympystr(self, printer: object) -> str:
        return self.text


def expression_text(expr: Expr) -> str:
    """The expression in the notation."""
    for part in _inside_out(expr):
        _text(part)
    return _text(expr)[0]


def _inside_out(expr: Expr) -> list[Expr]:
    """Every part after its own parts, so that printing one never goes deep."""
    found, waiting = [], [expr]
    while waiting:
        found.append(waiting.pop())
        waiting.extend(a for a in found[-1].args if a.args)
    return found[::-1]


def number_text(value: Rational) -> str:
    """An exact decimal where there is a short one, else p/q."""
    return _number(value)[0]


def equation_text(equation: Equation, program: Program) -> str:
    """One line; `for` ends it where the reads alone would not give a range."""
    return equation_line(equation, context_of(program))


def equation_line(equation: Equation, context: Context) -> str:
    body, sign = expression_text(equation.body), "="
    if equation.op == "sum":
        sign = "=" if equation.assigns else "+="
    else:
        body = f"{equation.op}({','.join(equation.reduced)}: {body})"
    ranges = [range_text(r) for r in context.unimplied(equation)]
    return f"{equation.target} {sign} {body}" + (f" for {', '.join(ranges)}" if ranges else "")


def range_text(given: Range) -> str:
    """lo <= i < hi, or i < hi from 0."""
    return (
        f"{given.index} < {given.hi}"
        if given.lo == ZERO
        else f"{given.lo} <= {given.index} < {given.hi}"
    )


@lru_cache(maxsize=65536)
def _text(expr: Expr) -> Text:
    if isinstance(expr, Rational):
        return _number(expr)
    if isinstance(expr, Symbol):
        return (expr.name, ATOM) if _reads_as_one(expr.name) else (f"({expr.name})", ATOM)
    if expr is S.Pi:
        return "PI", ATOM
    for kind, printed in _KINDS.items():
        if isinstance(expr, kind):
            return printed(expr)
    raise TypeError(f"no notation for {type(expr).__name__}")


def _reads_as_one(name: str) -> bool:
    return name.isidentifier() or name.endswith("]") or name.startswith("pad(")


def _within(expr: Expr, level: int) -> str:
    """In brackets where its outermost operator binds less tightly than `level`."""
    text, own = _text(expr)
    return text if own >= level else f"({text})"


def _number(value: Rational) -> Text:
    text = _decimal(abs(value)) or f"{abs(value.p)}/{value.q}"
    level = MULTIPLY if "/" in text else ATOM
    return (f"-{text}", min(level, UNARY)) if value < 0 else (text, level)


def _decimal(value: Rational) -> str | None:
    """The digits of a terminating decimal, None where there are too many."""
    if value.q == 1:
        return str(value.p) if len(str(value.p)) <= MOST_DIGITS else _scientific(value.p)
    twos, fives, rest = 0, 0, int(value.q)
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    digits = str(value.p * 10**places // value.q)
    if rest != 1 or len(digits) > MOST_DIGITS:
        return None
    if places > MOST_DIGITS:
        return f"{digits}e-{places}"
    digits = digits.rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}"


def _scientific(value: int) -> str:
    digits = str(value)
    short = digits.rstrip("0")
    zeros = len(digits) - len(short)
    return f"{short}e{zeros}" if zeros > 3 else digits


def _sum(expr: Add) -> Text:
    terms = [(_negative(t), _text(t)[0].removeprefix("-"), _text(t)[1]) for t in expr.args]
    text = ""
    for negative, term, level in sorted(terms, key=_rank):
        if level < ADD:
            term = f"({term})"
        if text:
            text += f" - {term}" if negative else f" + {term}"
        else:
            text = f"-{term}" if negative else term
    return text, ADD


def _rank(term: tuple[bool, str, int]) -> tuple[bool, bool, str, str]:
    """Positive before negative, numbers before others, these by name whatever their factor."""
    negative, text, _ = term
    factor, star, rest = text.partition("*")
    named = rest if star and factor[0].isdigit() else text
    return negative, not (text[0].isdigit() and named is text), named, text


def _negative(expr: Expr) -> bool:
    coefficient = expr.as_coeff_Mul()[0]
    return bool(isinstance(coefficient, Rational) and coefficient < 0)


def _product(expr: Mul) -> Text:
    """number * adjoints * others / denominators."""
    above: list[str] = []
    below: list[str] = []
    coefficient, rest = expr.as_coeff_Mul()
    factors = rest.args if isinstance(rest, Mul) else (rest,)
    for factor in factors:
        base, exponent = factor.as_base_exp() if isinstance(factor, Pow) else (factor, S.One)
        if isinstance(exponent, Rational) and exponent < 0:
            below.append(_power(base, -exponent)[0] if exponent != -1 else _within(base, POWER))
        else:
            above.append(_within(factor, UNARY))
    number = abs(coefficient)
    if _decimal(number) is None:
        above, below = (
            ([str(number.p)] if number.p != 1 else []) + _ordered(above),
            [str(number.q), *_ordered(below)],
        )
    else:
        above, below = (
            ([_decimal(number) or ""] if number != 1 else []) + _ordered(above),
            _ordered(below),
        )
    text = "*".join(above) or "1"
    if below:
        text += f"/{below[0]}" if len(below) == 1 else f"/({'*'.join(below)})"
    return (f"-{text}", MULTIPLY) if coefficient < 0 else (text, MULTIPLY)


def _ordered(factors: list[str]) -> list[str]:
    """Adjoints first, then by name; sums in brackets and masks last, and after them reductions."""
    return sorted(factors, key=lambda f: (": " in f, not f[0].isalpha(), not _is_adjoint(f), f))


def _is_adjoint(factor: str) -> bool:
    return factor[0] == "d" and factor.split("[")[0].isidentifier()


def _power(base: Expr, exponent: Expr) -> Text:
    if isinstance(exponent, Rational) and exponent < 0:
        below = _within(base, POWER) if exponent == -1 else _power(base, -exponent)[0]
        return f"1/{below}", MULTIPLY
    if exponent == S.Half and not base.free_symbols and not base.has(Function):
        return f"sqrt({_text(base)[0]})", ATOM
    power, level = _text(exponent)
    return f"{_within(base, ATOM)}**{power if level == ATOM else f'({power})'}", POWER


def _call(expr: Function) -> Text:
    return f"{type(expr).__name__}({', '.join(_text(a)[0] for a in expr.args)})", ATOM


def _select(expr: Select) -> Text:
    condition, yes, no = (_text(a)[0] for a in expr.args)
    if expr.args[1:] == (S.One, S.Zero):
        return f"[{condition}]", ATOM
    return f"where({condition}, {yes}, {no})", ATOM


def _compare(expr: Expr) -> Text:
    left, right = (_within(a, ADD) for a in expr.args)
    return f"{left} {COMPARED[type(expr)]} {right}", COMPARE


def _join(expr: Expr) -> Text:
    level, word = JOINED[type(expr)]
    left, right = expr.args
    compared = {type(left), type(right)} <= set(COMPARED)
    if isinstance(expr, And) and compared and left.args[1] == right.args[0]:
        last = f"{COMPARED[type(right)]} {_within(right.args[1], ADD)}"
        return f"{_compare(left)[0]} {last}", COMPARE
    return f"{_within(left, level)} {word} {_within(right, level + 1)}", level


def _not(expr: Not) -> Text:
    if isinstance(expr.args[0], Equal):
        left, right = (_within(a, ADD) for a in expr.args[0].args)
        return f"{left} != {right}", COMPARE
    return f"not {_within(expr.args[0], COMPARE)}", NOT


_KINDS: Mapping[type, Callable[..., Text]] = {
    Written: lambda expr: (expr.text, expr.tight),
    Add: _sum,
    Mul: _product,
    Pow: lambda expr: _power(expr.base, expr.exp),
    Select: _select,
    Stop: lambda expr: (f"stop({_text(expr.args[0])[0]})", ATOM),
    Less: _compare,
    LessEqual: _compare,
    Equal: _compare,
    And: _join,
    Or: _join,
    Not: _not,
    Function: _call,
}
"""How each kind of expression is printed; the first that fits is taken, so Function stands last."""
