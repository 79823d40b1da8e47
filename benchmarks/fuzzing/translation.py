"""A program in autograd's numpy, read off its equations anew: of symgrad, only their data is used.

An equation's box is a list of points. A cycle of tensors is run place by place: a place is one step
deeper than those that it reads, and places of one depth are computed together. Derivatives are
autograd's; a second one is its gradient of its gradient.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval

from benchmarks.fuzzing.points import Arrays, Body, logsumexp, scattered
from symgrad.algebra.access import Access
from symgrad.algebra.program import Equation, Program


@dataclass(frozen=True)
class Translation:
    """A program at sizes. values: every declared tensor; ints choose places, so they are data."""

    program: Program
    sizes: Mapping[str, int]
    values: Arrays
    shapes: dict[str, tuple[int, ...]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for t in self.program.tensors:
            self.shapes[t.name] = tuple(s.evaluate(self.sizes) for s in t.shape)

    # ---- derivatives --------------------------------------------------------------------------

    def value(self, name: str) -> Any:
        with quiet():
            return self.tensors({}, name)[name]

    def gradient(self, name: str, wrt: Sequence[str]) -> dict[str, Any]:
        """dX for each X."""
        with quiet():
            return dict(autograd.grad(self.along(name))(self.at(wrt, self.values)))

    def hessian_vector(self, name: str, wrt: Sequence[str], v: Arrays) -> dict[str, Any]:
        """The gradient of (gradient . v)."""
        gradient, along = autograd.grad(self.along(name)), self.at(wrt, v)

        def slope(x: Any) -> Any:
            found = gradient(x)
            return sum(anp.sum(found[n] * along[n]) for n in wrt)

        with quiet():
            return dict(autograd.grad(slope)(self.at(wrt, self.values)))

    def at(self, wrt: Sequence[str], values: Arrays) -> dict[str, Any]:
        return {n: np.array(values[n], float) for n in wrt}

    def along(self, name: str) -> Callable[[Any], Any]:
        return lambda moved: self.tensors(moved, name)[name]

    # ---- tensors ------------------------------------------------------------------------------

    def tensors(self, moved: Any, wanted: str) -> dict[str, Any]:
        """Every tensor that `wanted` needs."""
        found = {n: np.asarray(v) for n, v in self.values.items()}
        found |= {n: moved[n] for n in moved}
        for group in self.groups(wanted):
            for name in group:
                whole = self.program.tensor_of[name].kind != "real"
                found[name] = np.zeros(self.shapes[name], int if whole else float)
            for equation, points in self.ordered(group, found):
                if len(points):
                    target = equation.target.tensor
                    found[target] = found[target] + self.part(equation, points, found)
        return found

    def groups(self, wanted: str) -> list[tuple[str, ...]]:
        """The tensors that read one another, after those that they read."""
        reads = {
            n: {a.tensor for e in es for a in e.reads} for n, es in self.program.writers.items()
        }
        below: dict[str, set[str]] = {}
        for name in reads:
            known: set[str] = set()
            front = [name]
            while front:
                more = reads.get(front.pop(), set()) - known
                known |= more
                front += more
            below[name] = known & {*reads}
        needed = [n for n in reads if n == wanted or n in below[wanted]]
        groups = {tuple(sorted({n, *(m for m in below[n] if n in below[m])})) for n in needed}
        return sorted(groups, key=lambda g: (len(below[g[0]] | {*g}), g))

    def ordered(self, group: Sequence[str], found: Arrays) -> Iterator[tuple[Equation, Any]]:
        """Each equation with points that may be computed next; in a cycle, depth after depth.

        The points are those of the outer box: of the indices that the target carries.
        """
        equations = [e for name in group for e in self.program.writers[name]]
        outer = [self.points(e, reduced=False) for e in equations]
        if not any(a.tensor in group for e in equations for a in e.reads):
            yield from zip(equations, outer, strict=True)
            return
        depth = {name: np.zeros(self.shapes[name], int) for name in group}
        deep = [np.zeros(len(points), int) for points in outer]
        settled = False
        while not settled:
            pairs = zip(equations, outer, strict=True)
            now = [self.deepened(e, points, depth, found) for e, points in pairs]
            settled = all((a == b).all() for a, b in zip(deep, now, strict=True))
            deep = now
        for level in range(max(int(d.max(initial=0)) for d in deep) + 1):
            for e, points, mine in zip(equations, outer, deep, strict=True):
                yield e, points[mine == level]

    def body(self, equation: Equation, found: Arrays, box: Arrays, count: int) -> Body:
        return Body(self.shapes, self.sizes, equation, found, box, count)

    def points(self, equation: Equation, reduced: bool) -> Any:
        """The outer points of a box, or those that are reduced over: (points, their indices)."""
        ranges = [r for r in equation.box if (r.index in equation.reduced) == reduced]
        spans = [range(r.lo.evaluate(self.sizes), r.hi.evaluate(self.sizes)) for r in ranges]
        return np.array(list(product(*spans)), int).reshape(prod(map(len, spans)), len(spans))

    def box(self, equation: Equation, outer: Any) -> dict[str, Any]:
        """Each index at each point: outer points times reduced points, in a row."""
        inner = self.points(equation, reduced=True)
        kept = [r.index for r in equation.box if r.index not in equation.reduced]
        found = {i: np.repeat(outer[:, k], len(inner)) for k, i in enumerate(kept)}
        return found | {i: np.tile(inner[:, k], len(outer)) for k, i in enumerate(equation.reduced)}

    def deepened(self, equation: Equation, outer: Any, depth: Arrays, found: Arrays) -> Any:
        """The depth of each outer point's target, at least one more than what the point reads."""
        inner = len(self.points(equation, reduced=True))
        body = self.body(equation, found, self.box(equation, outer), len(outer) * inner)
        known = np.zeros(len(outer) * inner, int)
        for access in equation.reads:
            if access.tensor in depth:
                below, at, inside = depth[access.tensor], [], np.ones(len(known), bool)
                for axis, form in enumerate(access.subscripts):
                    if isinstance(form, Access) and form.tensor in self.program.writers:
                        below = below.max(axis=axis, keepdims=True)  # computed: any place
                        at.append(np.zeros(len(known), int))
                        continue
                    place, size = body.place(form), below.shape[axis]
                    inside &= (place >= 0) & (place < size)
                    at.append(np.clip(place, 0, size - 1))
                known = np.maximum(known, np.where(inside, below[tuple(at)] + 1, 0))
        own = depth[equation.target.tensor]
        at, inside = self.written(equation, outer, found)
        most = known.reshape(len(outer), inner).max(axis=1, initial=0)
        np.maximum.at(own, at, np.where(inside, most, 0))
        return np.where(inside, own[at], 0)

    def written(self, equation: Equation, outer: Any, found: Arrays) -> tuple[Any, Any]:
        """The place of each outer point in the target, and whether it is inside."""
        kept = [r.index for r in equation.box if r.index not in equation.reduced]
        box = {i: outer[:, k] for k, i in enumerate(kept)}
        return self.body(equation, found, box, len(outer)).places(equation.target)

    def part(self, equation: Equation, outer: Any, found: Arrays) -> Any:
        """What an equation adds to its target at some points."""
        inner = self.points(equation, reduced=True)
        body = self.body(equation, found, self.box(equation, outer), len(outer) * len(inner))
        values = anp.reshape(body.value(equation.body), (len(outer), len(inner)))
        if equation.op == "sum":
            values = anp.sum(values, axis=1)
        elif equation.op == "logsumexp":
            values = logsumexp(values)
        else:
            values = np.argmax(getval(values), axis=1) + inner[0, 0]
        at, inside = self.written(equation, outer, found)
        shape = self.shapes[equation.target.tensor]
        return scattered(values[inside], tuple(a[inside] for a in at), shape)


@contextmanager
def quiet() -> Iterator[None]:
    """autograd warns where a loss does not depend on an input, and its formulas may overflow."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield
