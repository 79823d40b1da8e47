"""The identities of `stabilise`, by name, and those of them that are a row of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sympy import Expr, Integer

from symgrad.algebra.scalars import FUNCTIONS

IDENTITIES = {
    "exp": "log(exp(x)) = x",
    "sigmoid": "log(sigmoid(x)) = -softplus(-x)",
    "one minus sigmoid": "1 - sigmoid(x) = sigmoid(-x)",
    "log one minus sigmoid": "log(1 - sigmoid(x)) = -softplus(x)",
    "one plus exp": "log(1 + exp(x)) = softplus(x)",
    "exp plus exp": "log(exp(x) + exp(y)) = x + softplus(y - x)",
    "one minus exp": "log(1 - exp(x)) = where(x > -log(2), log(-expm1(x)), log1p(-exp(x)))",
    "one plus any": "log(1 + x) = log1p(x)",
    "sum exp": "log(sum(v: exp(x[v]))) = logsumexp(v: x[v])",
    "softmax": "exp(x)/sum(v: exp(x[v])) = expdiff(x, logsumexp(v: x[v]))",
    "over two exp": "exp(x)/(exp(x) + exp(y)) = sigmoid(x - y)",
    "over exp": "1/exp(x) = exp(-x)",
    "exp minus one": "exp(x) - 1 = expm1(x)",
    "one minus erf": "1 - erf(x) = erfc(x)",
    "one plus erf": "1 + erf(x) = erfc(-x)",
    "one minus tanh": "1 - tanh(x) = 2*sigmoid(-2*x)",
    "one plus tanh": "1 + tanh(x) = 2*sigmoid(2*x)",
    "one minus tanh squared": "1 - tanh(x)**2 = 4*sigmoid(2*x)*sigmoid(-2*x)",
    "log one minus tanh squared": "log(1 - tanh(x)**2) = 2*(log(2) - x - softplus(-2*x))",
}
"""What each identity says, by name."""


def applied(name: str, *args: Expr) -> Expr:
    return FUNCTIONS[name](*args)


def log_two() -> Expr:
    return applied("log", Integer(2))


Rules = Mapping[str, tuple[str, Callable[[Expr], Expr]]]

BESIDE_ONE: Rules = {
    "-sigmoid": ("one minus sigmoid", lambda x: applied("sigmoid", -x)),
    "-erf": ("one minus erf", lambda x: applied("erfc", x)),
    "+erf": ("one plus erf", lambda x: applied("erfc", -x)),
    "-tanh": ("one minus tanh", lambda x: 2 * applied("sigmoid", -2 * x)),
    "+tanh": ("one plus tanh", lambda x: 2 * applied("sigmoid", 2 * x)),
    "-tanh**2": (
        "one minus tanh squared",
        lambda x: 4 * applied("sigmoid", 2 * x) * applied("sigmoid", -2 * x),
    ),
}
"""1 - sigmoid(x) and the like, by sign and function."""

LOG_BESIDE_ONE: Rules = {
    "+exp": ("one plus exp", lambda x: applied("softplus", x)),
    "-sigmoid": ("log one minus sigmoid", lambda x: -applied("softplus", x)),
    "-tanh": ("one minus tanh", lambda x: log_two() - applied("softplus", 2 * x)),
    "+tanh": ("one plus tanh", lambda x: log_two() - applied("softplus", -2 * x)),
    "-tanh**2": (
        "log one minus tanh squared",
        lambda x: 2 * (log_two() - x - applied("softplus", -2 * x)),
    ),
}
"""Their logarithms, where they are positive for every x."""
