"""S: the recursive sum of the absolute contributions to a value, which scales its rounding error.

S(input) = |input|,  S(a + b) = S(a) + S(b),  S(f(x)) = |f(x)| + |f'(x)| S(x),
S(a b) = |a| S(b) + |b| S(a) - |a b|, which is S(a) S(b) where a or b is free of cancellation.
(S(a) S(b) everywhere would square S at each step of a recurrence that multiplies two states.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Symbol

from symgrad.algebra.program import INF
from symgrad.algebra.scalars import Scalar, Select, Stop
from symgrad.verify.arithmetic import TEXTBOOK, Array, Numbers
from symgrad.verify.body import Body, Trace

STEP = 2.0**-20  # of a slope: a scale needs no more than a few digits


@dataclass
class Magnitude:
    """The S of each node of a body whose values are known. slot: the S of a slot over the box."""

    body: Body
    slot: Callable[[Symbol], Array]
    known: dict[Expr, Array] = field(default_factory=dict)

    def scale(self, node: Expr) -> Array:
        if node not in self.known:
            for kind, rule in RULES:
                if isinstance(node, kind):
                    self.known[node] = np.asarray(rule(self, node))
                    break
        return self.known[node]

    def product(self, arguments: Sequence[Any]) -> tuple[Array, Array]:
        """|a b ...| and |a| S(b) + |b| S(a) - |a b|, factor by factor."""
        value = scale = self.body.numbers.ratio(1, 1)
        for argument in arguments:
            b = abs(self.body.value(argument))
            scale = value * self.scale(argument) + b * scale - value * b
            value = value * b
        return value, scale

    def scales(self, node: Expr) -> tuple[Array, ...]:
        return tuple(self.scale(argument) for argument in node.args)


def _symbol(m: Magnitude, node: Symbol) -> Array:
    """Infinity is exact: it rounds nothing."""
    return m.body.numbers.ratio(0, 1) if node == INF else m.slot(node)


def _sum(m: Magnitude, node: Expr) -> Array:
    first, *rest = m.scales(node)
    for scale in rest:
        first = first + scale
    return first


def _product(m: Magnitude, node: Expr) -> Array:
    """S of a product; what is infinite is a product, and exact."""
    value, scale = m.product(node.args)
    finite = np.less(value, m.body.numbers.constant("inf"))
    return np.where(finite, scale, m.body.numbers.ratio(0, 1))


def _power(m: Magnitude, node: Expr) -> Array:
    """|x**n| max(1, |n| S(x)/|x|); where x is 0, S(x)**n bounds what cancelled."""
    base, exponent = node.args
    x, scale, numbers = abs(m.body.value(base)), m.scale(base), m.body.numbers
    n = numbers.ratio(int(exponent.p), int(exponent.q))
    ratio = abs(n) * numbers.divide(scale, x)
    at_zero = numbers.power(scale, n) if n > 0 else np.asarray(0)
    return np.where(
        x == 0, at_zero, abs(m.body.value(node)) * np.where(ratio > 1, ratio, numbers.ratio(1, 1))
    )


def _scalar(m: Magnitude, node: Expr) -> Array:
    total = abs(m.body.value(node))
    points = m.body.values(node)
    for position, scale in enumerate(m.scales(node)):
        total = total + _slope(type(node).__name__, points, position, m.body.numbers) * scale
    return total


def _slope(name: str, points: tuple[Array, ...], position: int, numbers: Numbers) -> Array:
    """|df/dx| by a small difference, and 0 where it cannot be had."""
    plain = Body(numbers, lambda s: np.asarray(0), Trace(), sympy.S.Zero)
    step = numbers.array(STEP)
    x = points[position]
    size = np.where(x == 0, step, abs(x) * step)

    def moved(delta: Array) -> Array:
        return TEXTBOOK[name](plain, *points[:position], x + delta, *points[position + 1 :])

    slope = abs(numbers.divide(moved(size) - moved(-size), 2 * size))
    return np.where(np.less(slope, numbers.constant("inf")), slope, numbers.ratio(0, 1))


RULES: tuple[tuple[type[Any], Callable[..., Any]], ...] = (
    (sympy.Symbol, _symbol),
    (sympy.Add, _sum),
    (sympy.Mul, _product),
    (sympy.Pow, _power),
    (Stop, lambda m, node: m.scale(node.args[0])),
    (
        Select,
        lambda m, node: np.where(
            m.body.value(node.args[0]), m.scale(node.args[1]), m.scale(node.args[2])
        ),
    ),
    (Scalar, _scalar),
    (sympy.Expr, lambda m, node: abs(m.body.value(node))),
)


def of_logsumexp(
    value: Array, body: Array, scale: Array, axes: tuple[int, ...], numbers: Numbers
) -> Array:
    """|value| + sum over j of softmax_j S(body_j); 0 where the value is not finite."""
    finite = np.less(abs(value), numbers.constant("inf"))
    zero = numbers.ratio(0, 1)
    share = numbers.elementary("exp", np.where(finite, body, zero) - np.where(finite, value, zero))
    weighted = np.where(share == 0, zero, share * scale)
    total = np.sum(weighted, axis=axes, keepdims=True)
    return np.where(finite, abs(value) + total, zero)
