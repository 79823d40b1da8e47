"""The gradient's entry as a limit: (L(w+h) - L(w))/h and (L(w+h) - L(w-h))/(2h) as h goes to 0.

The error of the first shrinks with h, of the second with h**2, until rounding in L, divided by h,
outweighs it. The quotients are computed in float64 by the naive evaluator, which knows nothing of
derivatives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symgrad.algebra.program import Program
from symgrad.errors import SpecError
from symgrad.explain.explained import Element, Explained
from symgrad.explain.factors import place_of
from symgrad.explain.figures import number
from symgrad.explain.numbers import Numbers
from symgrad.explain.steps import Cell, Formula, Prose, Section, Step, Table, plain, words
from symgrad.pipeline import derive_stable, optimised
from symgrad.plan.plan import plan
from symgrad.spec import Loss
from symgrad.verify.evaluate import Result, evaluate
from symgrad.verify.points import Layout

POWERS = range(1, 13)
SHOWN = 9
"""Significant digits of a quotient."""

BEST, ROUNDING, KINK = "best", "rounding", "kink"


@dataclass(frozen=True)
class Row:
    """One h: both quotients, their errors, and whether a branch was taken that was not at w."""

    h: float
    forward: float
    central: float
    forward_error: float
    central_error: float
    kinked: bool


def rows(loss: Loss, numbers: Numbers, element: Element, exact: float) -> list[Row]:
    """The quotients at h = 1e-1 ... 1e-12; what is stopped keeps its value."""
    program, sizes = loss.program, numbers.at.sizes
    layout = Layout(program, sizes)
    start = _run(program, loss.value, numbers.at.tensors, sizes, layout, None)
    found = []
    for power in POWERS:
        h = 10.0**-power
        up, down = (
            _run(program, loss.value, moved, sizes, layout, start)
            for moved in (_moved(numbers, element, h), _moved(numbers, element, -h))
        )
        at, above, below = (float(r.values[loss.value]) for r in (start, up, down))
        forward, central = (above - at) / h, (above - below) / (2 * h)
        kinked = any(
            not np.array_equal(taken, start.branches[node])
            for r in (up, down)  # which do not evaluate what is inside a stop
            for node, taken in r.branches.items()
        )
        errors = abs(forward - exact), abs(central - exact)
        found.append(Row(h, forward, central, *errors, kinked))
    return found


def _run(
    program: Program,
    value: str,
    tensors: Mapping[str, object],
    sizes: Mapping[str, int],
    layout: Layout,
    start: Result | None,
) -> Result:
    frozen = None if start is None else start.stops
    return evaluate(program, tensors, sizes, frozen=frozen, outputs=(value,), layout=layout)


def _moved(numbers: Numbers, element: Element, h: float) -> dict[str, object]:
    moved = np.array(numbers.at.tensors[element.tensor], dtype=np.float64)
    moved[element.places] += h
    return {**numbers.at.tensors, element.tensor: moved}


def limit(explained: Explained) -> Iterator[Section]:
    """The table of quotients, and what it would cost to find the whole gradient so."""
    numbers, element, book = explained.values, explained.element, explained.book
    if not explained.limit or numbers is None or element is None:
        return
    if book.program.tensor_of[element.tensor].role == "computed":
        raise SpecError(
            f"limit: {element.tensor} is computed, and only a parameter or a datum can be moved"
        )
    target = place_of(book, element)
    exact = float(numbers.values[target.tensor][element.places])
    found = rows(explained.loss, numbers, element, exact)
    shown = book.adjoint(target)
    formula = Formula(shown, (plain(number(exact, 16)),))
    step = Step(
        next(explained.numbers),
        "limit",
        (f"Move {element} by h, and nothing else; exactly, by the steps above,",),
        (formula,),
        tables=(_table(found),),
        remarks=tuple(_said(found)),
    )
    cost = Step(
        next(explained.numbers),
        "limit",
        ("The whole gradient that way, and by the backward pass",),
        tables=(_cost(explained.loss, numbers),),
        remarks=(COUNTED,),
    )
    yield Section(f"The difference quotient of {element}", INTRO, (step, cost))


INTRO: tuple[Prose, ...] = (
    words(
        "Forward is `(L(w+h) - L(w))/h|\\frac{L(w+h) - L(w)}{h}`, central "
        "`(L(w+h) - L(w-h))/(2*h)|\\frac{L(w+h) - L(w-h)}{2h}`, computed in float64 by an "
        "evaluator that knows no derivatives."
    ),
    words(
        "The error of the first shrinks with `h`, of the second with `h**2|h^{2}`; the rounding "
        "of L, divided by `h`, grows and takes over."
    ),
)
COUNTED: Prose = (
    "Operations are the multiply-adds and function values of the generated module; the backward "
    "pass includes the forward one.",
)


def _table(found: Sequence[Row]) -> Table:
    marks = [
        _marks([r.forward_error for r in found], found),
        _marks([r.central_error for r in found], found),
    ]
    lines: list[tuple[Cell, ...]] = []
    for k, row in enumerate(found):
        lines.append(
            (
                f"{row.h:.0e}",
                f"{row.forward:#.{SHOWN}g}",
                f"{row.forward_error:.1e}",
                marks[0][k],
                f"{row.central:#.{SHOWN}g}",
                f"{row.central_error:.1e}",
                marks[1][k],
            )
        )
    return Table(("h", "forward", "error", "", "central", "error", ""), tuple(lines))


def best_of(errors: Sequence[float]) -> int:
    """Where the error is least; of equals the greatest h."""
    return min(range(len(errors)), key=lambda k: (errors[k], k))


def _marks(errors: Sequence[float], found: Sequence[Row]) -> list[str]:
    """Best; after it, where the error has grown, rounding."""
    best = best_of(errors)
    return [
        BEST
        if k == best
        else KINK
        if found[k].kinked
        else ROUNDING
        if k > best and error > errors[best]
        else ""
        for k, error in enumerate(errors)
    ]


def _said(found: Sequence[Row]) -> Iterator[Prose]:
    for name, errors in (
        ("forward", [r.forward_error for r in found]),
        ("central", [r.central_error for r in found]),
    ):
        best = best_of(errors)
        h, least = found[best].h, errors[best]
        if max(errors) == 0:
            yield (f"The {name} quotient is exact at every h.",)
            continue
        yield (
            f"The {name} quotient is best at h = {h:.0e}, where its error is {least:.1e}; for a "
            f"smaller h rounding takes over, and at h = {found[-1].h:.0e} the error is "
            f"{errors[-1]:.1e}.",
        )
    if any(r.kinked for r in found):
        yield (f"Where {KINK} stands, a branch is taken at w+h or w-h that is not taken at w.",)


def _cost(loss: Loss, numbers: Numbers) -> Table:
    """2P forward passes beside one backward pass."""
    gradient = derive_stable(loss)
    sizes = numbers.at.sizes
    forward = int(plan(gradient.program).operations.evaluate(sizes))
    whole = plan(optimised(gradient), tuple(gradient.derived.result.values()))
    both = int(whole.operations.evaluate(sizes))
    tensors = [loss.program.tensor_of[name] for name in loss.wrt]
    count = sum(int(np.prod([n.evaluate(sizes) for n in t.shape], dtype=int)) for t in tensors)
    passes = 2 * count
    many = f"central differences, 2P, P = {count:,}"
    rows = (
        (many, f"{passes:,}", f"{forward:,}", f"{passes * forward:,}"),
        ("one backward pass", "1", f"{both:,}", f"{both:,}"),
        ("times as many", "", "", f"{passes * forward / both:,.1f}" if both else "-"),
    )
    return Table(("", "passes", "operations each", "operations"), rows, total=True)
