"""The value of an equation's body at every point of its box, node by node, from definitions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import numpy as np
import sympy
from sympy import Expr, Symbol

from symgrad.algebra.program import INF
from symgrad.algebra.scalars import (
    And,
    Equal,
    Less,
    LessEqual,
    Not,
    Or,
    Predicate,
    Scalar,
    Select,
    Stop,
    Unknown,
)
from symgrad.errors import ProgramError
from symgrad.verify.arithmetic import TEXTBOOK, Array, Numbers
from symgrad.verify.graph import stops_in


@dataclass
class Trace:
    """What one equation's evaluation leaves behind, and what it is told to take as it was.

    frozen, stops:  the value of each stop node, by its number.
    held, branches: the truth of each selection's predicate and the place of each argmax, by number.
    """

    frozen: Mapping[int, Array] = field(default_factory=dict)
    held: Mapping[int, Array] = field(default_factory=dict)
    stops: dict[int, Array] = field(default_factory=dict)
    branches: dict[int, Array] = field(default_factory=dict)

    def branch(self, came: Array) -> Array:
        """The branch to take: the one held, if any is, else the one that came; recorded."""
        number = len(self.branches)
        taken = self.held.get(number, came)
        self.branches[number] = taken
        return taken


@dataclass
class Body:
    """A body under evaluation: each distinct node is evaluated once.

    slot: the values of a slot over the box, read when first needed.
    """

    numbers: Numbers
    slot: Callable[[Symbol], Array]
    trace: Trace
    root: Expr
    known: dict[Expr, Array] = field(default_factory=dict)

    def value(self, node: Expr) -> Array:
        if node not in self.known:
            rule = _rule(cast(Hashable, type(node)))
            if rule is None:
                raise ProgramError(f"{node}: no naive value for {type(node).__name__}")
            self.known[node] = np.asarray(rule(self, node))
        return self.known[node]

    def values(self, node: Expr) -> tuple[Array, ...]:
        return tuple(self.value(argument) for argument in node.args)

    def choose(self, condition: Array, yes: Array, no: Array) -> Array:
        return np.where(self.trace.branch(np.asarray(condition, dtype=bool)), yes, no)


def _number(body: Body, node: Any) -> Array:
    return body.numbers.ratio(int(node.p), int(node.q))


def _symbol(body: Body, node: Symbol) -> Array:
    return body.numbers.constant("inf") if node == INF else body.slot(node)


def _sum(body: Body, node: Expr) -> Array:
    first, *rest = body.values(node)
    for value in rest:
        first = first + value
    return first


def _product(body: Body, node: Expr) -> Array:
    first, *rest = body.values(node)
    for value in rest:
        first = first * value
    return first


def _power(body: Body, node: Expr) -> Array:
    """x**(p/q), with a numeric exponent."""
    base, exponent = node.args
    if not isinstance(exponent, sympy.Rational):
        raise ProgramError(f"{node}: the exponent is not a number; write power(x, y)")
    x, one = body.value(base), body.numbers.ratio(1, 1)
    p, q = int(exponent.p), int(exponent.q)
    if q == 1:
        return x**p if p >= 0 else body.numbers.divide(one, x**-p)
    if q == 2:
        root = body.numbers.elementary("sqrt", x)
        return root**p if p >= 0 else body.numbers.divide(one, root**-p)
    return body.numbers.power(x, body.numbers.ratio(p, q))


def _scalar(body: Body, node: Expr) -> Array:
    return TEXTBOOK[type(node).__name__](body, *body.values(node))


def _select(body: Body, node: Expr) -> Array:
    return body.choose(*body.values(node))


def _stop(body: Body, node: Stop) -> Array:
    """Held where it is frozen; its inside leaves no branches: nothing there is differentiated."""
    number = stops_in(body.root).index(node)
    if number not in body.trace.frozen:
        inside = Body(body.numbers, body.slot, Trace(), body.root)
        body.trace.stops[number] = inside.value(node.args[0])
    return body.trace.frozen.get(number, body.trace.stops.get(number, np.asarray(0)))


def _unknown(body: Body, node: Unknown) -> Array:
    raise ProgramError(
        f"{node}: a declared function has no values, so it cannot be checked; "
        f"use one of: {', '.join(TEXTBOOK)}"
    )


def _predicate(body: Body, node: Expr) -> Array:
    return cast(Array, CONDITIONS[type(node)](*body.values(node)))


CONDITIONS: Mapping[type[Predicate], Callable[..., Any]] = {
    Less: np.less,
    LessEqual: np.less_equal,
    Equal: np.equal,
    And: np.logical_and,
    Or: np.logical_or,
    Not: np.logical_not,
}

RULES: tuple[tuple[type[Any], Callable[..., Array]], ...] = (
    (sympy.Rational, _number),
    (type(sympy.pi), lambda body, node: body.numbers.constant("pi")),
    (sympy.Symbol, _symbol),
    (sympy.Add, _sum),
    (sympy.Mul, _product),
    (sympy.Pow, _power),
    (Stop, _stop),
    (Select, _select),
    (Predicate, _predicate),
    (Scalar, _scalar),
    (Unknown, _unknown),
)


@cache
def _rule(kind: Hashable) -> Callable[..., Array] | None:
    """The first rule for a type of node."""
    return next((rule for known, rule in RULES if issubclass(cast(type, kind), known)), None)
