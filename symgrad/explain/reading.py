"""The first sections of a derivation: how to read it, and the numbers that go in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sympy import preorder_traversal

from symgrad.algebra.access import Access
from symgrad.algebra.program import Equation
from symgrad.algebra.scalars import FUNCTIONS, Select, Unknown
from symgrad.explain.book import Book
from symgrad.explain.facts import listed, named
from symgrad.explain.latex import name_latex
from symgrad.explain.latex_scalars import Printer
from symgrad.explain.steps import Code, Figure, Prose, Section, words
from symgrad.explain.terms import ranges_text
from symgrad.spec import Spec


def reading(book: Book, spec: Spec, shown: Sequence[Equation]) -> Section:
    """How to read what follows."""
    symbol, notes = book.symbol, dict(spec.notes)
    dx = Code(f"d{symbol}/dX", r"\frac{\partial \mathcal{L}}{\partial X}")
    loss = book.code(Access(book.value))
    said: list[Prose] = [
        (dx, " is the derivative of ", loss, " by X; in the notation, ", Code("dX", "dX"), "."),
        ADDING,
    ]
    shapes = {type(n) for e in book.printed.equations for n in preorder_traversal(e.body)}
    for kind, meaning in LEGEND.items():
        if any(issubclass(shape, kind) for shape in shapes):
            said.append(meaning)
    if FUNCTIONS["sigmoid"] in shapes:
        shown_as = Printer(book.latex, {}).command("sigmoid")
        said.append((Code("sigmoid(x)", f"{shown_as}(x)"), " is 1/(1 + exp(-x))."))
    ranges = dict.fromkeys(r for e in shown for r in e.box)
    if ranges:
        shown_ranges = sorted(ranges, key=lambda r: (r.index, str(r.hi)))
        codes = [Code(ranges_text([r]), book.latex.range(r)) for r in shown_ranges]
        said.append(("Indices: ", *listed(codes), "."))
    for name, _ in spec.sizes:
        if name in notes:
            said.append(("Size ", Code(name, name_latex(name)), f": {notes[name]}."))
    return Section("How to read this", tuple(said))


def point_section(book: Book, spec: Spec) -> tuple[Section, ...]:
    """The numbers that go in; none where the derivation is all symbols."""
    numbers = book.numbers
    if numbers is None:
        return ()
    at = numbers.at
    sizes = [f"{name} = {value}" for name, value in at.sizes.items()]
    intro: list[Prose] = [("An equals sign by itself stands before what a formula comes to.",)]
    if sizes:
        intro.append((f"Sizes: {', '.join(sizes)}.",))
    if at.drawn:
        intro.append((f"Drawn with seed {at.seed}: ", *named(book, at.drawn), "."))
    figures = tuple(
        Figure(at.tensors[t.name], book.code(Access(t.name)))
        for t in spec.tensors
        if t.name in at.tensors
    )
    return (Section("The numbers that go in", tuple(intro), (), (), figures),)


ADDING = words(
    "`sum(i: ...)|\\sum_{i} \\ldots` adds over every i; `+=|\\mathrel{+}=` adds a contribution to "
    "the others."
)
LEGEND: Mapping[type, Prose] = {
    Select: words(
        "`[p]|\\left[p\\right]` is 1 where p holds, else 0; what stands beside a false bracket "
        "does not count."
    ),
    FUNCTIONS["expdiff"]: words(
        "`expdiff(x, m)|e^{x - m}` is exp(x - m), and 0 where m is -inf: a softmax probability."
    ),
    Unknown: words("A prime is a derivative of an unknown function."),
}
"""What is explained where it occurs in a body."""
