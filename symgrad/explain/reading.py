"""The first sections of a derivation: how to read it, and the numbers that go in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from sympy import preorder_traversal

from symgrad.algebra.access import Access
from symgrad.algebra.program import Equation
from symgrad.algebra.scalars import FUNCTIONS, Select, Stop, Unknown
from symgrad.explain.book import Book
from symgrad.explain.facts import listed, named
from symgrad.explain.latex import name_latex
from symgrad.explain.latex_scalars import Printer
from symgrad.explain.steps import MATRICES, Code, Figure, Prose, Section, words
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
    if any(e.op == "logsumexp" for e in shown):
        said.append(LOGSUMEXP)
    shapes = {type(n) for e in book.printed.equations for n in preorder_traversal(e.body)}
    for kind, meaning in LEGEND.items():
        if any(issubclass(shape, kind) for shape in shapes):
            said.append(meaning)
    command = Printer(book.latex, {}).command
    for name, (given, formula) in FORMULAS.items():
        if FUNCTIONS[name] in shapes:
            code = Code(f"{name}({given})", rf"{command(name)}({given})")
            said.append((code, f" is {formula}."))
    ranges = dict.fromkeys(r for e in shown for r in e.box)
    if ranges:
        shown_ranges = sorted(ranges, key=lambda r: (r.index, str(r.hi)))
        codes = []
        for _, of_index in groupby(shown_ranges, key=lambda r: r.index):
            some = [(ranges_text([r]), book.latex.range(r)) for r in of_index]
            texts, formulas = zip(*some, strict=True)
            codes.append(Code(" or ".join(texts), r" \text{ or } ".join(formulas)))
        said.append(("Indices: ", *listed(codes), "."))
    for name, _ in spec.sizes:
        if name in notes:
            said.append(("Size ", Code(name, name_latex(name)), f": {notes[name]}."))
    return Section("How to read this", tuple(said))


def with_matrices(sections: Sequence[Section]) -> tuple[Section, ...]:
    """The first section says how matrix forms are read, where one of the others has some."""
    first, *others = sections
    formulas = (f for section in others for step in section.steps for f in step.formulas)
    if any(f.label == MATRICES for f in formulas):
        first = replace(first, intro=(*first.intro, IN_MATRICES))
    return (first, *others)


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
        "`[p]|\\left[p\\right]` is 1 where p holds, else 0; "
        "`where(p, x, y)|\\begin{cases} x & p \\\\ y & \\text{otherwise} \\end{cases}` is x where "
        "p holds, else y. What p leaves out does not count, even if it is infinite."
    ),
    Stop: words("`stop(x)|\\operatorname{stop}(x)` has the value of x and the derivative 0."),
    FUNCTIONS["expdiff"]: words(
        "`expdiff(x, m)|e^{x - m}` is exp(x - m), and 0 where m is -inf: a softmax probability."
    ),
    Unknown: words("A prime is a derivative of an unknown function."),
}
"""What is explained where it occurs in a body."""

FORMULAS: Mapping[str, tuple[str, str]] = {
    "sigmoid": ("x", "1/(1 + exp(-x))"),
    "softplus": ("x", "log(1 + exp(x))"),
    "erfc": ("x", "1 - erf(x), and erf the error function"),
    "relu": ("x", "x where x > 0, else 0"),
    "leaky_relu": ("x, s", "x where x > 0, else s*x"),
}
"""Functions that not every reader knows: of what, and what they are."""

LOGSUMEXP = words(
    "`logsumexp(i: ...)|\\log \\sum_{i} \\exp(\\ldots)` is the logarithm of the sum of exp(...) "
    "over every i."
)
IN_MATRICES = words(
    "In matrices `A B|A\\,B` is the matrix product, `A^T|A^{\\top}` the transpose, and "
    "`1|\\mathbf{1}` a column of ones; `(.)|\\odot` multiplies entry by entry."
)
