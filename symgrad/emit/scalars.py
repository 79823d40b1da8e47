"""Rank-0 expressions and sizes as Python text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sympy import Expr, Rational, S, Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import INF, Slot
from symgrad.algebra.scalars import And, Equal, Less, LessEqual, Not, Or, Select, Stop
from symgrad.algebra.scalars import Scalar as Row
from symgrad.algebra.sizes import Size
from symgrad.errors import ProgramError
from symgrad.plan.steps import Number, Scalar

NUMPY = {
    "exp": "np.exp", "expm1": "np.expm1", "log": "np.log", "log1p": "np.log1p", "sqrt": "np.sqrt",
    "sin": "np.sin", "cos": "np.cos", "sinh": "np.sinh", "cosh": "np.cosh", "tanh": "np.tanh",
    "arctan": "np.arctan", "sigmoid": "_sigmoid", "softplus": "_softplus", "erf": "_erf",
    "erfc": "_erfc", "power": "np.power", "expdiff": "_expdiff", "relu": "_relu", "abs": "np.abs",
    "sign": "np.sign", "minimum": "np.minimum", "maximum": "np.maximum", "clip": "np.clip",
}  # fmt: skip
"""Each function row in NumPy; `leaky_relu` is lowered as the selection that defines it."""

PLAIN = re.compile(r"\w+(\[[^\[\]]*\]|\([^()]*\)|\(\w+\[[^\[\]]*\]\))?")
"""A name, a number, a place of an array, or a call: what needs no brackets of its own."""

COMPARE = {Less: "<", LessEqual: "<=", Equal: "==", And: "and", Or: "or"}

TURNED = {"<": ">", "<=": ">=", "==": "=="}


def size_text(size: Size | Affine) -> str:
    """A size or a place as Python."""
    return str(size)


def scalar_text(scalar: Scalar) -> str:
    """A rank-0 value as one Python expression."""
    slots = {s: slot for s, slot in scalar.slots if isinstance(slot, Access | Affine)}
    return _text(scalar.body, slots, 0)


def is_weak(scalar: Scalar) -> bool:
    """Whether the value may be Python's own float, which NumPy's functions take as float64."""
    strong = {symbol for symbol, slot in scalar.slots if not isinstance(slot, (Affine, Number))}

    def weak(expr: Expr) -> bool:
        if isinstance(expr, Select):
            return weak(expr.args[1]) or weak(expr.args[2])
        if isinstance(expr, Row) and expr.row.name not in NUMPY:  # written as its definition
            return weak(expr.row.definition(*expr.args))
        if expr.args:
            return all(weak(argument) for argument in expr.args)
        return expr not in strong

    return weak(scalar.body)


def number_text(number: Expr) -> str:
    """A rational as the shortest double that reads back."""
    if number == S.Pi:
        return "np.pi"
    if number == INF:
        return "np.inf"
    if number.is_Integer:
        return f"{int(number)}.0" if abs(int(number)) < 10**15 else repr(float(number))
    if isinstance(number, Rational):
        return repr(float(number))
    raise ProgramError(f"{number} is not a number that can be emitted")


def _text(expr: Expr, slots: Mapping[Symbol, Slot], level: int) -> str:
    """Precedence levels: 0 anything, 1 a term of a sum, 2 a factor, 3 a base or an operand."""
    if expr.is_Number or expr in (S.Pi, INF):
        text = number_text(expr)
        return f"({text})" if level >= 2 and text.startswith("-") else text
    if expr.is_Symbol:
        slot = slots[expr]
        text = slot.tensor if isinstance(slot, Access) else size_text(slot)
        return text if PLAIN.fullmatch(text) else f"({text})"
    if expr.is_Add:
        text = _sum(expr, slots)
        return f"({text})" if level >= 1 else text
    if expr.is_Mul or expr.is_Pow:
        return _product(expr, slots, level)
    if isinstance(expr, Stop):
        return _text(expr.args[0], slots, level)
    if isinstance(expr, Select):
        condition, yes, no = (_text(a, slots, int(isinstance(a, Select))) for a in expr.args)
        text = f"{yes} if {condition} else {no}"
        return f"({text})" if level else text
    if type(expr) in COMPARE:
        return f"({_compared(expr, slots)})"
    if isinstance(expr, Not):
        return f"(not {_text(expr.args[0], slots, 3)})"
    if isinstance(expr, Row) and expr.row.name not in NUMPY:
        return _text(expr.row.definition(*expr.args), slots, level)
    if isinstance(expr, Row):
        text = f"{NUMPY[expr.row.name]}({', '.join(_text(a, slots, 0) for a in expr.args)})"
        weak = not any(_has_type(slots.get(s)) for s in expr.free_symbols)
        return f"float({text})" if weak else text
    raise ProgramError(
        f"{type(expr).__name__} is a declared, undefined function: it can be derived, not computed"
    )


def _compared(expr: Expr, slots: Mapping[Symbol, Slot]) -> str:
    """x > 0.0 for 0 < x: a number stands on the right."""
    left, right = expr.args
    sign = COMPARE[type(expr)]
    if left.is_number and not right.is_number and sign in TURNED:
        left, right, sign = right, left, TURNED[sign]
    return f"{_text(left, slots, 3)} {sign} {_text(right, slots, 3)}"


def _has_type(slot: Slot | None) -> bool:
    """Whether a slot's value is one of NumPy's numbers; those made Python's are not."""
    return isinstance(slot, Access) and not slot.tensor.startswith("float(")


def _sum(expr: Expr, slots: Mapping[Symbol, Slot]) -> str:
    terms = sorted(((_negative(t), t) for t in expr.args), key=lambda p: (p[0], str(p[1])))
    text = ""
    for negative, term in terms:
        shown = _text(-term if negative else term, slots, 1)
        text += (" - " if text else "-") + shown if negative else (" + " if text else "") + shown
    return text


def _negative(term: Expr) -> bool:
    return bool(term.as_coeff_Mul()[0].is_negative)


def _product(expr: Expr, slots: Mapping[Symbol, Slot], level: int) -> str:
    number, rest = expr.as_coeff_Mul()
    if number.is_negative:
        inner = _product(-expr, slots, 1) if not (-expr).is_Symbol else _text(-expr, slots, 2)
        return f"(-{inner})" if level >= 1 else f"-{inner}"
    above, below = [], []
    for factor in sorted(rest.args if rest.is_Mul else (rest,), key=str):
        if factor.is_Pow and factor.exp.is_number and factor.exp.is_negative:
            below.append(_power(factor.base, -factor.exp, slots))
        elif factor.is_Pow:
            above.append(_power(factor.base, factor.exp, slots))
        else:
            above.append(_text(factor, slots, 2))
    if number.is_Rational and number.p == 1 and number.q != 1 and (above or below):
        above, below = above or ["1.0"], [f"{number.q}.0", *below]
    elif number != S.One or not above:
        above.insert(0, number_text(number))
    divisor = " * ".join(below)
    text = " * ".join(above) + (
        f" / ({divisor})" if len(below) > 1 else f" / {divisor}" if below else ""
    )
    return f"({text})" if level >= 2 and (len(above) > 1 or below) else text


def _power(base: Expr, exponent: Expr, slots: Mapping[Symbol, Slot]) -> str:
    shown = _text(base, slots, 3)
    if exponent == S.One:
        return shown
    text = str(int(exponent)) if exponent.is_Integer else number_text(exponent)
    return f"{shown}**{text}"
