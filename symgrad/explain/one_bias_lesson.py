"""The one-bias lesson in print: the chain at its two visits, and the bias on its way.

Every number is what the derived equations come to at the visit's data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

from symgrad.algebra.derive import Derived, Partial
from symgrad.explain.explained import Explained
from symgrad.explain.figures import number
from symgrad.explain.numbers import Numbers
from symgrad.explain.one_bias import (
    CHAIN,
    ONE,
    RATE,
    RIGHT,
    START,
    Visit,
    derived_of,
    tells_of_two_shops,
    training,
    visits,
)
from symgrad.explain.steps import Code, Figure, Formula, Prose, Section, Step, Table, words
from symgrad.explain.values import At
from symgrad.spec import Spec

VISITS: tuple[tuple[float, float], ...] = ((0.0, 0.2), (0.0, 0.9))
"""The lesson's own: hunger, and what is drawn."""

SHOWN = (1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500)
HOVERING = 300
"""After this visit the bias is averaged."""


def two_shops(explained: Explained) -> Iterator[Section]:
    """The chain at the lesson's two visits, and the bias on its way."""
    spec, values = explained.spec, explained.values
    if explained.path_only or not tells_of_two_shops(spec):
        return
    w = None if values is None else values.at.tensors.get("w")
    derived = derived_of(spec)
    steps = [_visit(explained, derived, v) for v in visits(spec, VISITS, w=w)]
    yield Section("The lesson's two visits", INTRO, tuple(steps))
    yield _trained(explained, list(training(spec, w=w)))


INTRO: tuple[Prose, ...] = (
    words(
        "p is the probability of Norm. The visited shop is taken as the ideal, so C is "
        "`-log(p)|-\\log p` if Norm was visited, `-log(1 - p)|-\\log(1 - p)` if Squatch."
    ),
    words(
        "The chain comes to `-(1 - p)` for Norm and to `p` for Squatch, since "
        "`sigmoid(-X) = 1 - p|\\sigma(-X) = 1 - p`."
    ),
    words(
        "A draw below p(Squatch) leads to Squatch, else to Norm. Norm is right exactly if hunger "
        f"> {RIGHT:g}; the reward is 1 for the right shop and -1 for the other."
    ),
)


def _visit(explained: Explained, derived: Derived, visit: Visit) -> Step:
    """The chain in symbols and in numbers, and the update."""
    update = visit.update
    numbers = Numbers(
        derived.program,
        At(ONE, update.data),
        {**update.before, **update.data, **update.values},
    )
    slopes = [numbers.slope(_partial(derived, end, start)) for end, start in CHAIN]
    factors = [number(float(slope.reshape(-1)[0])) for slope in slopes]
    slope = prod(float(f.reshape(-1)[0]) for f in slopes)
    sign = "<" if visit.draw < visit.squatch else ">="
    right = "right" if visit.reward > 0 else "wrong"
    title = (
        f"Hunger {visit.hunger:g}: p = {number(1 - visit.squatch)}. Draw {visit.draw:g} {sign} "
        f"p(Squatch) = {number(visit.squatch)}: {visit.shop}, the {right} shop, "
        f"reward {visit.reward:+g}"
    )
    before, after = float(update.before["b"]), float(update.after["b"])
    rate, reward = number(RATE), number(visit.reward)
    held = f"({reward})" if visit.reward < 0 else reward
    shown = number(slope) if slope >= 0 else f"({number(slope)})"
    formulas = (
        _equal("dC/db", "dC/dp * dp/dX * dX/db", r"\,".join(_ratio(*pair) for pair in CHAIN)),
        _equal("dC/db", " * ".join(factors), r" \cdot ".join(factors), slope),
        Formula(
            Code("b", "b"),
            (
                Code(
                    f"{number(before)} - {rate} * {held} * {shown}",
                    rf"{number(before)} - {rate} \cdot {held} \cdot {shown}",
                ),
            ),
            sign="<-",
            figure=Figure(np.asarray(after)),
        ),
    )
    return Step(next(explained.numbers), "visit", (title,), formulas)


def _partial(derived: Derived, end: str, start: str) -> Partial:
    return next(
        p for p in derived.partials if p.equation.target.tensor == end and p.read.tensor == start
    )


def _ratio(end: str, start: str) -> str:
    return rf"\frac{{\partial {end}}}{{\partial {start}}}"


def _equal(left: str, text: str, latex: str, value: float | None = None) -> Formula:
    figure = None if value is None else Figure(np.asarray(value))
    return Formula(Code(left, _ratio("C", "b")), (Code(text, latex),), figure=figure)


def _trained(explained: Explained, lived: Sequence[Visit]) -> Section:
    """The bias after some visits, and where it hovers."""
    rows = tuple(
        (
            str(v.update.step),
            f"{v.hunger:.4f}",
            f"{v.draw:.4f}",
            v.shop,
            f"{v.reward:+g}",
            f"{float(v.update.after['b']):.4f}",
        )
        for v in lived
        if v.update.step in SHOWN
    )
    table = Table(("visit", "hunger", "draw", "shop", "reward", "b after it"), rows, left=0)
    late = np.array([float(v.update.after["b"]) for v in lived[HOVERING:]])
    w = float(lived[0].update.data.get("w", _default(explained.spec, "w")))
    said = (
        f"From visit {HOVERING + 1} on, b is {late.mean():.2f} on average, between "
        f"{late.min():.2f} and {late.max():.2f}: it hovers near -w/2 = {-w / 2:g}, where p is 1/2 "
        f"at a hunger of 1/2. The lesson does not say w; w = 20 is this project's reconstruction."
    )
    title: Prose = (
        f"{len(lived)} visits from b = {START:g} on, rate {RATE:g}, hunger and draw from [0,1) "
        "with seed 0",
    )
    step = Step(next(explained.numbers), "training", title, tables=(table,), remarks=((said,),))
    return Section("Training", (), (step,))


def _default(spec: Spec, name: str) -> float:
    (tensor,) = (t for t in spec.tensors if t.name == name)
    return float(tensor.default or 0)
