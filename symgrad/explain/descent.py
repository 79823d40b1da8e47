"""Gradient descent, theta <- theta - rate * dL/dtheta, by evaluating the derived equations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from symgrad.algebra.access import Access
from symgrad.algebra.derive import Derived
from symgrad.explain.explained import Explained
from symgrad.explain.figures import number
from symgrad.explain.steps import Code, Figure, Formula, Section, Step
from symgrad.verify.arithmetic import Array
from symgrad.verify.evaluate import evaluate
from symgrad.verify.points import Layout

Arrays = Mapping[str, Array]
Batch = Callable[[Callable[[Mapping[str, object]], Arrays]], Mapping[str, object]]
"""Makes the data of a step. It is given a function that evaluates the forward equations at the
present parameters and some data, since what is seen next may depend on what the network says."""


@dataclass(frozen=True)
class Update:
    """One step. before, after: the parameters; values: everything computed on the way."""

    step: int
    before: Arrays
    data: Arrays
    values: Arrays
    gradient: Arrays
    after: Arrays


def descend(
    derived: Derived,
    forward: str,
    parameters: Mapping[str, object],
    batches: Iterable[Batch],
    sizes: Mapping[str, int],
    rate: float,
) -> Iterator[Update]:
    """A step for each batch, all of these sizes. forward: the tensor that a batch may ask for."""
    program, result = derived.program, derived.result
    layout = Layout(program, sizes)
    theta: dict[str, Array] = {n: np.asarray(p, dtype=np.float64) for n, p in parameters.items()}
    wanted = tuple(dict.fromkeys([*derived.name_of, *result.values()]))
    for step, batch in enumerate(batches, 1):

        def ask(given: Mapping[str, object], theta: Arrays = theta) -> Arrays:
            inputs = {**theta, **given}
            return evaluate(program, inputs, sizes, outputs=(forward,), layout=layout).values

        data = {name: np.asarray(value) for name, value in batch(ask).items()}
        found = evaluate(program, {**theta, **data}, sizes, outputs=wanted, layout=layout).values
        gradient = {name: found[adjoint] for name, adjoint in result.items()}
        after = {**theta, **{n: np.asarray(theta[n] - rate * g) for n, g in gradient.items()}}
        yield Update(step, theta, data, found, gradient, after)
        theta = after


def one_step(explained: Explained) -> Iterator[Section]:
    """The parameters after one step, where the values give a rate."""
    numbers, book = explained.values, explained.book
    if numbers is None or numbers.at.rate is None:
        return
    rate = number(numbers.at.rate)
    steps = []
    for name in explained.wrt:
        if name not in numbers.at.tensors:
            continue
        adjoint = book.derived.result[name]
        x, slope = book.code(Access(name)), book.adjoint(Access(adjoint))
        after = numbers.at.tensors[name] - numbers.at.rate * numbers.values[adjoint]
        term = Code(f"{x.text} - {rate}*{slope.text}", rf"{x.latex} - {rate}\,{slope.latex}")
        formula = Formula(x, (term,), sign="<-", figure=Figure(np.asarray(after)))
        steps.append(Step(next(explained.numbers), "update", (), (formula,)))
    if steps:
        yield Section(f"One step of gradient descent, rate {rate}", (), tuple(steps))
