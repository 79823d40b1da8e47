"""The body of an equation at a list of points, in autograd's numpy.

A mask chooses points: each side is computed where it is selected, and nowhere else. The conventions
at kinks are those of the docs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import autograd.numpy as anp
import numpy as np
import sympy
from autograd.extend import defvjp, primitive
from autograd.tracer import getval

from symgrad.algebra import scalars
from symgrad.algebra.access import Access, Affine, Subscript
from symgrad.algebra.program import INF, Equation

Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Body:
    """A body at some points. box: each index at each of them; there are `count`."""

    shapes: Mapping[str, tuple[int, ...]]
    sizes: Mapping[str, int]
    equation: Equation
    found: Arrays
    box: Mapping[str, Any]
    count: int

    def place(self, form: Subscript) -> Any:
        """A subscript at each point."""
        if isinstance(form, Access):
            return getval(self.read(form))
        total = np.full(self.count, form.offset.evaluate(self.sizes))
        for index, coefficient in form.terms:
            total += coefficient.evaluate(self.sizes) * self.box[index]
        return total

    def places(self, access: Access) -> tuple[tuple[Any, ...], Any]:
        """The subscripts at each point, moved inside, and whether they were inside."""
        inside, at = np.ones(self.count, bool), []
        for form, size in zip(access.subscripts, self.shapes[access.tensor], strict=True):
            place = self.place(form)
            inside &= (place >= 0) & (place < size)
            at.append(np.clip(place, 0, size - 1))
        if not access.padded and not inside.all():
            raise IndexError(f"{access} is out of range")
        return tuple(at), inside

    def read(self, access: Access) -> Any:
        source = self.found[access.tensor]
        at, inside = self.places(access)
        if not at:
            return source * np.ones(self.count, getval(source).dtype)
        if inside.all():
            return source[at]
        taken = source[tuple(a[inside] for a in at)]
        return scattered(taken, (np.flatnonzero(inside),), (self.count,))

    def at(self, chosen: Any) -> Body:
        """The same at some of the points."""
        box = {i: values[chosen] for i, values in self.box.items()}
        return replace(self, box=box, count=len(chosen))

    def value(self, node: Any) -> Any:
        """A node of the body at each point."""
        if node == INF:
            return np.full(self.count, np.inf)
        if node.is_Symbol:
            slot = self.equation.slot_of[node]
            return 1.0 * (self.place(slot) if isinstance(slot, Affine) else self.read(slot))
        if isinstance(node, sympy.Rational):
            return np.full(self.count, int(node.p) / int(node.q))
        if node == sympy.pi:
            return np.full(self.count, np.pi)
        if isinstance(node, sympy.Pow):
            power = node.exp
            exponent = int(power) if power.is_Integer else int(power.p) / int(power.q)
            return self.value(node.base) ** exponent
        if isinstance(node, sympy.Add):
            return sum(self.value(a) for a in node.args)
        if isinstance(node, sympy.Mul):
            return prod(self.value(a) for a in node.args)
        if isinstance(node, scalars.Select):
            return self.selected(*node.args)
        name = node.row.name if isinstance(node, scalars.Scalar) else type(node).__name__
        if name in KINKED:
            return self.selected(*KINKED[name](*node.args))
        return RULES[name](*(self.value(a) for a in node.args))

    def selected(self, condition: Any, yes: Any, no: Any) -> Any:
        holds = np.broadcast_to(getval(self.value(condition)), self.count)
        sides = [(np.flatnonzero(holds), yes), (np.flatnonzero(~holds), no)]
        parts = [(at, self.at(at).value(node)) for at, node in sides if len(at)]
        return sum((scattered(v, (at,), (self.count,)) for at, v in parts), np.zeros(self.count))


def scattered(values: Any, at: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """Zeros of a shape, with values added at places."""
    return _scattered(values, at, shape) if at else anp.sum(values)


@primitive
def _scattered(values: Any, at: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    whole = np.asarray(values).dtype.kind in "iub"
    out = np.zeros(shape, int if whole else float)
    np.add.at(out, at, values)
    return out


defvjp(_scattered, lambda _, values, at, shape: lambda g: g[at], argnums=(0,))


def logsumexp(values: Any) -> Any:
    """log(sum exp) of each row; -inf for a row of -inf, with derivative 0."""
    if not values.shape[1]:
        return np.full(values.shape[0], -np.inf)
    top = np.max(getval(values), axis=1)
    live = np.flatnonzero(top > -np.inf)
    shifted = anp.log(anp.sum(anp.exp(values[live] - top[live, None]), axis=1)) + top[live]
    dead = np.where(top > -np.inf, 0.0, -np.inf)
    return scattered(shifted, (live,), (len(top),)) + dead


def _error_function(f: Callable[[float], float], sign: int) -> Any:
    made = primitive(np.vectorize(f, otypes=[float]))
    slope = sign * 2 / math.sqrt(math.pi)
    defvjp(made, lambda _, x: lambda g: g * slope * anp.exp(-(x**2)))
    return made


def _select(condition: Any, yes: Any, no: Any) -> tuple[Any, Any, Any]:
    return condition, yes, no


def _below(a: Any, b: Any) -> Any:
    return scalars.Less(a, b)


ZERO, ONE = sympy.S.Zero, sympy.S.One
KINKED: Mapping[str, Callable[..., tuple[Any, Any, Any]]] = {
    "relu": lambda x: (_below(ZERO, x), x, ZERO),
    "leaky_relu": lambda x, slope: (_below(ZERO, x), x, slope * x),
    "abs": lambda x: (_below(ZERO, x), x, scalars.Select(_below(x, ZERO), -x, ZERO)),
    "sign": lambda x: (_below(ZERO, x), ONE, scalars.Select(_below(x, ZERO), -ONE, ZERO)),
    "minimum": lambda a, b: (scalars.LessEqual(a, b), a, b),
    "maximum": lambda a, b: (scalars.LessEqual(b, a), a, b),
    "clip": lambda x, low, high: (
        _below(x, low), low, scalars.Select(_below(high, x), high, x),
    ),
}  # fmt: skip
"""The sides of each mask: relu'(0) = 0, a tie takes the first argument, clip passes 1 at its edges."""

RULES: Mapping[str, Callable[..., Any]] = {
    **{
        name: getattr(anp, name)
        for name in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "sinh", "cosh", "tanh", "arctan")
    },
    "sigmoid": lambda x: 1 / (1 + anp.exp(-x)),
    "softplus": lambda x: anp.logaddexp(x, 0.0),
    "erf": _error_function(math.erf, 1),
    "erfc": _error_function(math.erfc, -1),
    "power": lambda x, y: anp.exp(y * anp.log(x)),
    "expdiff": lambda x, m: anp.exp(x - anp.where(getval(m) > -np.inf, m, np.inf)),
    "Stop": getval,
    "Less": lambda a, b: getval(a) < getval(b),
    "LessEqual": lambda a, b: getval(a) <= getval(b),
    "Equal": lambda a, b: getval(a) == getval(b),
    "And": np.logical_and,
    "Or": np.logical_or,
    "Not": np.logical_not,
}  # fmt: skip
"""Each function from the docs' table."""
