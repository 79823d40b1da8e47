"""The table of factors of one entry: upstream, local and downstream, for each point of its sum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from sympy import Expr

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Slot
from symgrad.algebra.sizes import ZERO, Size
from symgrad.explain.backward import step_numbers
from symgrad.explain.book import Book
from symgrad.explain.chain import Link, Product, products, put, total_at
from symgrad.explain.explained import Element, Explained
from symgrad.explain.figures import number
from symgrad.explain.latex import size_latex
from symgrad.explain.numbers import Numbers
from symgrad.explain.steps import (
    LOCAL,
    Cell,
    Code,
    Figure,
    Formula,
    Prose,
    Section,
    Step,
    Table,
    ratio,
)
from symgrad.verify.arithmetic import Array

ROWS = 12
"""Points of a sum that get a row of their own; the others are added up in one."""

UPSTREAM, DOWNSTREAM, PRODUCT = "upstream", "downstream", "product"


def factors(explained: Explained) -> Iterator[Section]:
    """The gradient by the entry that was asked for."""
    element, book = explained.element, explained.book
    if element is None:
        return
    target = place_of(book, element)
    adjoint = book.derived.result[element.tensor]
    found = [p for p in products(book, element) if _reaches(explained, p, target) is not False]
    if adjoint == book.seed or not found:
        said = (
            "It is the loss itself: 1." if adjoint == book.seed else "Nothing leads to the loss: 0."
        )
        yield Section(f"One entry: {element}", ((said,),))
        return
    steps = [_step(explained, target, one, len(found)) for one in found]
    entry = book.numbers.values[adjoint][element.places] if book.numbers else None
    if len(found) > 1:
        title: Prose = (
            book.adjoint(target),
            ": the contributions of ",
            *step_numbers([s.number for s in steps]),
            " added up",
        )
        terms = [_term(explained, one, target) for one in found]
        whole = Formula(book.adjoint(target), tuple(terms), figure=_figure(entry))
        steps.append(Step(next(explained.numbers), "entry", title, (whole,)))
    yield Section(f"One entry: {element}", INTRO, tuple(steps))


INTRO: tuple[Prose, ...] = (
    (
        "Upstream is what the entry is multiplied by, local the slopes between, downstream the "
        "adjoint that comes back from the loss; the product is added up over what is summed.",
    ),
)


def place_of(book: Book, element: Element) -> Access:
    """The entry of the adjoint."""
    places = tuple(Affine((), Size.of(n)) for n in element.places)
    return Access(book.derived.result[element.tensor], places)


def _reaches(explained: Explained, one: Product, target: Access) -> bool | None:
    """Whether a contribution has a point at the entry; None where that depends on a free size."""
    numbers, program = explained.values, explained.book.program
    known = {name: size for name, size in program.sizes if size is not None}
    sizes = known if numbers is None else numbers.at.sizes
    reach = one.reach(target)
    if not all(r.lo.names | r.hi.names <= sizes.keys() for r, _ in reach):
        return None
    return all(r.lo.evaluate(sizes) <= at < r.hi.evaluate(sizes) for r, at in reach)


def _term(explained: Explained, one: Product, target: Access) -> Code:
    """What a contribution adds to the entry."""
    term = explained.book.addend(one.equation(target))
    return replace(term, when=_where(explained, one, target))


def _where(explained: Explained, one: Product, target: Access) -> Code | None:
    """The condition that a free size has to fulfil for it to be there."""
    if _reaches(explained, one, target) is not None:
        return None
    shape = explained.book.program.tensor_of[target.tensor].shape
    reach = zip(one.reach(target), shape, strict=True)
    parts = [(r, at) for (r, at), n in reach if (r.lo, r.hi) != (ZERO, n)]
    if not parts:
        return None
    text = " and ".join(f"{r.lo} <= {at} < {r.hi}" for r, at in parts)
    latex = [rf"{size_latex(r.lo)} \leq {at} < {size_latex(r.hi)}" for r, at in parts]
    return Code(f"where {text}", r"\text{where } " + r",\ ".join(latex))


def _figure(value: object) -> Figure | None:
    return None if value is None else Figure(np.asarray(value))


def _step(explained: Explained, target: Access, one: Product, many: int) -> Step:
    """The chain as formulas, and as a table where there are numbers."""
    book = explained.book
    first = one.links[0]
    of = explained.number_of[id(first.equation)]
    title: Prose = (
        book.adjoint(target),
        *((" through ", book.code(first.end)) if many > 1 else ()),
        f": the chain from equation ({of}) on",
    )
    formulas = [_local(book, link, LOCAL if k else UPSTREAM) for k, link in enumerate(one.links)]
    formulas += list(_downstream(explained, one))
    term = _term(explained, one, target)
    formulas.append(
        Formula(book.adjoint(target), (term,), sign="+=" if many > 1 else "=", label=PRODUCT)
    )
    tables = () if book.numbers is None else _tables(book, book.numbers, one, target)
    return Step(next(explained.numbers), "entry", title, tuple(formulas), tables=tables)


def _local(book: Book, link: Link, label: str) -> Formula:
    """d end / d start = slope."""
    end, start = book.code(link.end), book.code(link.start)
    slope = book.expression(link.slope, link.slots)
    return Formula(ratio(end, start), (slope,), label=label)


def _downstream(explained: Explained, one: Product) -> Iterator[Formula]:
    """What the chain ends with, and the steps that say it."""
    book, place = explained.book, one.adjoint
    if place is None:
        return
    found = total_at(book, place)
    known = book.code(place)
    terms = [known]
    if found is not None:
        terms = [book.addend(e) for e in found]
    steps = explained.given.get(place.tensor, [])
    where = "".join(p if isinstance(p, str) else p.text for p in step_numbers(steps))
    behind = f"step{'s' * (len(steps) > 1)} {where}"
    yield Formula(
        book.adjoint(place),
        tuple(terms),
        conditions=Code(f"by {behind}", rf"\text{{by {behind}}}"),
        label=DOWNSTREAM,
    )


def _tables(book: Book, numbers: Numbers, one: Product, target: Access) -> tuple[Table, ...]:
    """A row for each point of the sum, a column for each factor, and their product."""
    kept = [r.index for r in one.box]
    columns = [numbers.over(f, slots, one.box, kept) for f, slots in one.factors]
    whole = numbers.over(*_whole(one, target), one.box, kept)
    heads = [book.expression(f, slots) for f, slots in one.factors]
    if not all(np.isfinite(c).all() for c in columns):
        columns, heads = [], []
    low = [r.lo.evaluate(numbers.at.sizes) for r in one.box]
    points = list(product(*(range(n) for n in whole.shape)))
    rows = [_row(low, at, [*columns, whole]) for at in points[:ROWS]]
    if len(points) > ROWS:
        rest = sum(float(whole[at]) for at in points[ROWS:])
        blank = [""] * len(columns)
        rows.append((f"{len(points) - ROWS} more", *[""] * (len(low) - 1), *blank, number(rest)))
    if low:
        total = float(whole.sum())
        rows.append(("sum", *[""] * (len(low) - 1 + len(columns)), number(total)))
    indices: list[Cell] = [Code(i, i) for i in kept]
    table = Table((*indices, *heads, "product"), tuple(rows), len(indices), bool(low))
    return (table,)


def _row(low: Sequence[int], at: Sequence[int], arrays: Sequence[Array]) -> tuple[str, ...]:
    places = [str(n + k) for n, k in zip(low, at, strict=True)]
    return (*places, *(number(a[tuple(at)]) for a in arrays))


def _whole(one: Product, target: Access) -> tuple[Expr, list[Slot]]:
    """The contribution as the gradient program has it, with its masks, at the entry."""
    equation = one.whole.equation()
    letters = [s.plain or "" for s in one.whole.target.subscripts if isinstance(s, Affine)]
    places = dict(zip(letters, target.subscripts, strict=True))
    fixed = {i: p for i, p in places.items() if isinstance(p, Affine)}
    body, slots = put(equation.body, [slot for _, slot in equation.slots], fixed)
    return body, list(slots)
