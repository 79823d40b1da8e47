"""A derivation's numbers: what each of its formulas comes to, by the naive evaluator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sympy import Expr

from symgrad.algebra.access import Access
from symgrad.algebra.derive import Partial
from symgrad.algebra.program import (
    Equation,
    Program,
    Range,
    Slot,
    Tensor,
    make_equation,
)
from symgrad.errors import SpecError
from symgrad.explain.values import At, point
from symgrad.notation.values import Given
from symgrad.spec import Spec
from symgrad.verify.arithmetic import Array
from symgrad.verify.evaluate import evaluate


@dataclass(frozen=True)
class Numbers:
    """at: the point; values: every tensor that the loss or its gradient needs, there."""

    program: Program
    at: At
    values: Mapping[str, Array]

    def over(
        self, expr: Expr, slots: Iterable[Slot], box: Sequence[Range], kept: Sequence[str]
    ) -> Array:
        """An expression at every point of the kept ranges of a box; the others must not matter."""
        ranges = {r.index: r for r in box}
        own = [ranges[i] for i in kept]
        name = self.program.fresh("found")
        target = Access.plain(name, tuple(kept))
        tensor = Tensor(name, tuple(r.hi for r in own))
        equation = make_equation(target, expr, slots, own, assigns=True)
        whole = self._alone(equation, tensor)
        first = [r.lo.evaluate(self.at.sizes) for r in own]
        return whole[tuple(slice(n, None) for n in first)]

    def contribution(self, equation: Equation) -> Array:
        """What one equation adds to its target."""
        return self._alone(equation, self.program.tensor_of[equation.target.tensor])

    def _alone(self, equation: Equation, tensor: Tensor) -> Array:
        """The target of an equation, were it the only one that writes it."""
        name = self.program.fresh("alone")
        inputs = [replace(self.program.tensor_of[n], role="data") for n in _read(equation)]
        program = Program(
            self.program.sizes,
            (*inputs, replace(tensor, name=name, role="computed")),
            (replace(equation, target=equation.target.of(name)),),
            (name,),
        )
        values = {t.name: self.values[t.name] for t in inputs}
        return evaluate(program, values, self.at.sizes, outputs=(name,)).values[name]

    def slope(self, partial: Partial) -> Array:
        """A local partial, along the indices that it carries."""
        carried = frozenset[str]().union(*(slot.indices for slot in partial.slots))
        kept = [r.index for r in partial.equation.box if r.index in carried]
        return self.over(partial.slope, partial.slots, partial.equation.box, kept)


def _read(equation: Equation) -> list[str]:
    return list(dict.fromkeys(a.tensor for a in equation.reads))


def numbers_of(spec: Spec, given: Given, program: Program, wanted: Sequence[str]) -> Numbers:
    """The numbers of the wanted tensors of a program and of all that they are computed from."""
    if spec.functions:
        names = ", ".join(name for name, _ in spec.functions)
        raise SpecError(f"[functions] declares {names}, which has no value: there are no numbers")
    needed = frozenset[str]().union(*(ancestors(program, name) for name in wanted))
    at = point(spec, given, program, needed)
    kept = [t.name for t in program.tensors if t.name in needed and t.role == "computed"]
    values = evaluate(program, at.tensors, at.sizes, outputs=kept).values
    inputs = {name: np.asarray(values.get(name, array)) for name, array in at.tensors.items()}
    return Numbers(program, at, {**inputs, **values})


def ancestors(program: Program, value: str) -> frozenset[str]:
    """Every tensor that the value is computed from, itself included."""
    found, waiting = {value}, [value]
    while waiting:
        for equation in program.writers.get(waiting.pop(), ()):
            new = [a.tensor for a in equation.reads if a.tensor not in found]
            found |= set(new)
            waiting += new
    return frozenset(found)
