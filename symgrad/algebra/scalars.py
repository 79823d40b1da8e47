"""The scalar functions that SymPy differentiates: one row each.

A row's `definition` says what the function is. The smooth rows carry a derivative in terms of the
function itself where that keeps the tail (sigmoid' = sigmoid(x) sigmoid(-x)); the kinked rows are
selections, and their derivative is the derivative of the definition, side by side. Nothing here
evaluates by itself: SymPy's own functions rewrite (`tanh(-x)` becomes `-tanh(x)`), ours do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import sympy
from sympy import Expr, Function, Rational, S, Symbol


class Scalar(Function):
    """A function of our own: no automatic evaluation, `fdiff` from its row."""

    row: Row

    def fdiff(self, argindex: int = 1) -> Expr:
        return self.row.partial(self, argindex - 1)


class Predicate(Function):
    """A condition: true or false, constant under differentiation."""

    def _eval_derivative(self, s: Symbol) -> Expr:
        return S.Zero


class Less(Predicate):
    """a < b."""

    nargs = 2


class LessEqual(Predicate):
    """a <= b."""

    nargs = 2


class Equal(Predicate):
    """a == b."""

    nargs = 2


class And(Predicate):
    """p and q."""

    nargs = 2


class Or(Predicate):
    """p or q."""

    nargs = 2


class Not(Predicate):
    """not p."""

    nargs = 1


class Select(Function):
    """where(p, a, b): a where p holds, else b. Its derivative selects, so 0 * inf cannot arise."""

    nargs = 3

    def _eval_derivative(self, s: Symbol) -> Expr:
        condition, yes, no = self.args
        return select(condition, yes.diff(s), no.diff(s))


class Stop(Function):
    """stop(f): the value of f, held constant."""

    nargs = 1

    def _eval_derivative(self, s: Symbol) -> Expr:
        return S.Zero


class Unknown(Function):
    """A declared, undefined function and its partial derivatives; subclassed by `unknown`."""

    base: str
    orders: tuple[int, ...]

    def fdiff(self, argindex: int = 1) -> Expr:
        orders = tuple(o + (k == argindex - 1) for k, o in enumerate(self.orders))
        return cast(Expr, unknown(self.base, orders)(*self.args))


@cache  # SymPy compares functions by their class, so there is one class for each
def unknown(base: str, orders: tuple[int, ...]) -> type[Unknown]:
    """The declared function `base`, differentiated orders[k] times by argument k.

    sigma, sigma', sigma''; of several arguments: f'1 by the first, f'1'2 by both.
    """
    marks = (
        "'" * orders[0]
        if len(orders) == 1
        else "".join(f"'{k + 1}" * o for k, o in enumerate(orders))
    )
    members = {"base": base, "orders": orders, "nargs": len(orders)}
    return cast(type[Unknown], cast(Any, type(Unknown))(base + marks, (Unknown,), members))


def select(condition: Expr, yes: Expr, no: Expr) -> Expr:
    """where(p, a, a) -> a."""
    return yes if yes == no else cast(Expr, Select(condition, yes, no))


Derivative = Callable[..., Expr]


@dataclass(frozen=True)
class Row:
    """name(x, y, ...) = definition.

    derivatives: one for each argument, of (f, x, y, ...), where f is the function's own value;
                 none: the definition is a selection, and is differentiated as it stands.
    kink:        the convention at the points where the derivative jumps, for docs and docstrings.
    """

    name: str
    arity: int
    definition: Callable[..., Expr]
    derivatives: tuple[Derivative, ...] = ()
    kink: str = ""
    formula: str = ""

    def partial(self, applied: Scalar, position: int) -> Expr:
        if self.derivatives:
            return self.derivatives[position](applied, *applied.args)
        names = sympy.symbols(f"_0:{self.arity}")
        slope = self.definition(*names).diff(names[position])
        return slope.xreplace(dict(zip(names, applied.args, strict=True)))


def f(name: str) -> Any:
    """The class of a row, by name; looked up late, since rows speak of one another."""
    return FUNCTIONS[name]


def _gt(a: Expr, b: Expr) -> Expr:
    return cast(Expr, Less(b, a))


# fmt: off
ROWS: tuple[Row, ...] = (
    Row("exp",      1, sympy.exp,                        (lambda y, x: y,), formula="e^x"),
    Row("expm1",    1, lambda x: sympy.exp(x) - 1,       (lambda y, x: f("exp")(x),), formula="e^x - 1"),
    Row("log",      1, sympy.log,                        (lambda y, x: 1 / x,), formula="natural logarithm"),
    Row("log1p",    1, lambda x: sympy.log(1 + x),       (lambda y, x: 1 / (1 + x),), formula="log(1 + x)"),
    Row("sqrt",     1, sympy.sqrt,                       (lambda y, x: Rational(1, 2) / y,), formula="square root"),
    Row("sin",      1, sympy.sin,                        (lambda y, x: f("cos")(x),), formula="sine, radians"),
    Row("cos",      1, sympy.cos,                        (lambda y, x: -f("sin")(x),), formula="cosine, radians"),
    Row("sinh",     1, sympy.sinh,                       (lambda y, x: f("cosh")(x),), formula="hyperbolic sine"),
    Row("cosh",     1, sympy.cosh,                       (lambda y, x: f("sinh")(x),), formula="hyperbolic cosine"),
    Row("tanh",     1, sympy.tanh,                       (lambda y, x: 1 - y**2,), formula="hyperbolic tangent"),
    Row("arctan",   1, sympy.atan,                       (lambda y, x: 1 / (1 + x**2),), formula="inverse tangent"),
    Row("sigmoid",  1, lambda x: 1 / (1 + sympy.exp(-x)), (lambda y, x: y * f("sigmoid")(-x),), formula="1/(1 + e^-x)"),
    Row("softplus", 1, lambda x: sympy.log(1 + sympy.exp(x)), (lambda y, x: f("sigmoid")(x),), formula="log(1 + e^x)"),
    Row("erf",      1, sympy.erf,                        (lambda y, x: 2 / sympy.sqrt(sympy.pi) * f("exp")(-x**2),), formula="error function"),
    Row("erfc",     1, sympy.erfc,                       (lambda y, x: -2 / sympy.sqrt(sympy.pi) * f("exp")(-x**2),), formula="1 - erf(x), with its tail"),
    Row("power",    2, lambda x, y: x**y,                (lambda p, x, y: y * f("power")(x, y - 1), lambda p, x, y: p * f("log")(x)), formula="x**y with a varying exponent; x > 0"),
    Row("expdiff",  2, lambda x, m: sympy.exp(x - m),    (lambda y, x, m: y, lambda y, x, m: -y), formula="e^(x - m), 0 where m = -inf: a softmax probability"),
    Row("relu",       1, lambda x: Select(_gt(x, S.Zero), x, S.Zero), kink="relu'(0) = 0", formula="x where x > 0, else 0"),
    Row("leaky_relu", 2, lambda x, s: Select(_gt(x, S.Zero), x, s * x), kink="leaky_relu'(0) = slope", formula="x where x > 0, else slope*x"),
    Row("abs",        1, lambda x: Select(_gt(x, S.Zero), x, Select(Less(x, S.Zero), -x, S.Zero)), kink="abs'(0) = 0", formula="absolute value"),
    Row("sign",       1, lambda x: Select(_gt(x, S.Zero), S.One, Select(Less(x, S.Zero), -S.One, S.Zero)), kink="sign'(x) = 0 everywhere", formula="1, 0 or -1"),
    Row("minimum",    2, lambda a, b: Select(LessEqual(a, b), a, b), kink="a tie of minimum takes the first argument's side", formula="the smaller of two"),
    Row("maximum",    2, lambda a, b: Select(LessEqual(b, a), a, b), kink="a tie of maximum takes the first argument's side", formula="the larger of two"),
    Row("clip",       3, lambda x, lo, hi: Select(Less(x, lo), lo, Select(_gt(x, hi), hi, x)), kink="clip passes 1 at its edges", formula="x limited to [lo, hi]"),
)
# fmt: on


def _class(row: Row) -> type[Scalar]:
    made = cast(Any, type(Scalar))(row.name, (Scalar,), {"row": row, "nargs": row.arity})
    return cast(type[Scalar], made)


FUNCTIONS: Mapping[str, type[Scalar]] = {row.name: _class(row) for row in ROWS}


def absorb(factor: Expr, slope: Expr) -> Expr:
    """factor * slope with the masks outside: where(p, 1, 0) * f -> where(p, f, 0).

    Multiplying by a mask would make nan of 0 * inf; a selection cannot.
    """
    if isinstance(slope, Select):
        condition, yes, no = slope.args
        return select(condition, absorb(factor, yes), absorb(factor, no))
    if slope.is_Add and slope.has(Select):
        return cast(Expr, sympy.Add(*(absorb(factor, term) for term in slope.args)))
    if slope.is_Mul:
        masks = [a for a in slope.args if isinstance(a, Select)]
        if masks:
            rest = sympy.Mul(*(a for a in slope.args if a is not masks[0]))
            return (
                absorb(cast(Expr, factor * rest), masks[0])
                if len(masks) == 1
                else absorb(factor, absorb(rest, masks[0]))
            )
    return S.Zero if slope == S.Zero else cast(Expr, factor * slope)


def kinks_in(body: Expr) -> tuple[str, ...]:
    """The conventions that a body relies on, in table order."""
    used = {type(node).__name__ for node in sympy.preorder_traversal(body)}
    return tuple(row.kink for row in ROWS if row.kink and row.name in used)
