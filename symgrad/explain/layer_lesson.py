"""What a layer passes on, told: the recursions, the factor that they share, matrices, samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from symgrad.algebra.access import Access
from symgrad.algebra.derive import reverse
from symgrad.algebra.program import Equation, Program, fresh_name
from symgrad.explain.book import Book
from symgrad.explain.explained import Explained
from symgrad.explain.layered import (
    Layers,
    Recursions,
    disjoint,
    forward_of,
    layers_of,
    recursions,
)
from symgrad.explain.settle import spare_letters
from symgrad.explain.slices import fixed, layer_matrix
from symgrad.explain.spelled import expression, formula, spelled
from symgrad.explain.steps import Code, Formula, Prose, Section, Step
from symgrad.explain.substitute import over_samples, shifted
from symgrad.notation.printer import Written

KIND = "layer"
FACTOR = "delta"
"""What the shared factor is called, as in textbooks."""


def layer_sections(explained: Explained) -> Iterator[Section]:
    """None where the program has no layers numbered by an index."""
    layers = layers_of(explained.book.program)
    found = recursions(layers, explained.book.derived, explained.book.value) if layers else None
    if layers is None or found is None or len(found.equations) < 2:
        return
    teller = _Teller(explained, layers, found, explained.book)
    yield teller.plain()
    named = recursions(layers, explained.book.derived, explained.book.value, FACTOR)
    if named is not None and named.factor is not None:
        yield teller.named(named, named.factor)
        yield from teller.matrices(named, named.factor)
        yield from _batch(explained)


class _Teller:
    """One program's recursions in sentences and steps."""

    def __init__(self, explained: Explained, layers: Layers, found: Recursions, book: Book) -> None:
        self.explained, self.layers, self.found, self.book = explained, layers, found, book

    def step(self, *formulas: Formula, title: Prose = (), notes: tuple[Prose, ...] = ()) -> Step:
        return Step(next(self.explained.numbers), KIND, title, formulas, notes)

    def sign(self, equation: Equation) -> str:
        """= where nothing else is added to the same places."""
        apart = disjoint(self.found, self.layers)
        alone = len(self.found.program.writers[equation.target.tensor]) == 1
        return "=" if alone or apart else "+="

    def lines(self, found: Recursions) -> list[Formula]:
        return [formula(self.book, found.program, e, self.sign(e)) for e in found.equations]

    def plain(self) -> Section:
        """The recursions with the adjoint of x put in, and where they start."""
        book, layers = self.book, self.layers
        adjoint = layers.activation.target.of(layers.pre)
        name = book.derived.name_of[layers.pre]
        intro: Prose = (
            "What a layer passes on, with ",
            book.adjoint(adjoint.of(name)),
            f" put in. It holds for every layer {layers.index} at once.",
        )
        steps = [self.step(line) for line in self.lines(self.found)]
        for start in self.found.starts:
            line = formula(book, self.found.program, start, self.sign(start))
            steps.append(self.step(line, notes=(("where it starts: at the loss",),)))
        return Section("Layer by layer", (intro,), tuple(steps))

    def named(self, named: Recursions, factor: Equation) -> Section:
        book = self.book
        many = {2: "both", 3: "all three"}.get(len(named.equations), "all")
        above = factor.target.of(book.derived.name_of[self.layers.pre])
        note: Prose = ("this is ", book.adjoint(above))
        steps = [self.step(formula(book, named.program, factor), notes=(note,))]
        steps += [self.step(line) for line in self.lines(named)]
        steps += self.next_factor(named, factor)
        name = book.code(Access(factor.target.tensor))
        intro: Prose = (
            f"What {many} hold is ",
            book.adjoint(above),
            "; it gets a name, ",
            name,
            ".",
        )
        return Section(f"The factor that {many} share", (intro,), tuple(steps))

    def next_factor(self, named: Recursions, factor: Equation) -> Iterator[Step]:
        """delta[l-1,i] = sigma'(x[l-1,i])*sum(k: delta[l,k]*w[l,k,i]), where that is all of it."""
        layers, book = self.layers, self.book
        passed = [e for e in named.equations if e.target.tensor == named.passed]
        if len(passed) != 1 or not disjoint(self.found, layers):
            return
        (passing,) = passed
        one_below = shifted(factor, layers.index, -1)
        above = {s: slot for s, slot in one_below.slots if slot == passing.target}
        if len(above) != 1:
            return
        total = book.addend(passing)
        body = one_below.body.xreplace(dict.fromkeys(above, Written(total.text, total.latex)))
        slots = [slot for s, slot in one_below.slots if s not in above]
        code = expression(book, body, slots)
        low, high = one_below.range_of[layers.index], passing.range_of[layers.index]
        if not ((low.lo - high.lo).is_nonnegative() and (low.hi - high.hi).is_nonnegative()):
            return
        yield self.step(
            Formula(
                book.code(one_below.target),
                (code,),
                conditions=book.ranges([replace(low, hi=high.hi)]),
            ),
            notes=(("from layer to layer",),),
        )

    def matrices(self, named: Recursions, factor: Equation) -> Iterator[Section]:
        """For one layer: columns, or a row for each place of a third axis."""
        found = [f for e in (factor, *named.equations) if (f := self.matrix(e, named.program))]
        if len(found) <= len(named.equations):
            return
        index = self.layers.index
        weight = self.book.code(fixed(self.layers.weight, index))
        rows = len(factor.target.subscripts) > 2
        shape = "the others have a row for each sample" if rows else "the others are columns"
        intro: Prose = (
            f"For one layer {index}: ",
            weight,
            f" is a matrix, {shape}; ",
            Code("(.)", r"\odot"),
            " multiplies entry by entry.",
        )
        title = "A layer in matrices, a row for each sample" if rows else "A layer in matrices"
        yield Section(title, (intro,), tuple(self.step(f) for f in found))

    def matrix(self, equation: Equation, program: Program) -> Formula | None:
        index = self.layers.index
        left = self.book.place(fixed(equation.target, index))
        found = layer_matrix(self.book.unseeded(equation), program, index, self.book.latex, left)
        if found is None:
            return None
        terms = tuple(replace(t, text=spelled(t.text, self.book)) for t in found.terms)
        return replace(found, terms=terms, label="")


def _batch(explained: Explained) -> Iterator[Section]:
    """The same over samples, where the program has no axis but layers and neurons."""
    book = explained.book
    loss = explained.loss
    layers = layers_of(book.program)
    if layers is None or len(layers.activation.target.subscripts) != 2:
        return
    forward = forward_of(book.derived)
    names = forward.names
    index = next(i for i in chain(("m",), spare_letters(forward)) if i not in names)
    size = fresh_name("M", names)
    program = over_samples(forward, loss.value, index, size)
    derived = reverse(program, loss.value, explained.wrt)
    again = layers_of(program)
    named = recursions(again, derived, loss.value, FACTOR) if again else None
    if again is None or named is None or named.factor is None:
        return
    teller = _Teller(explained, again, named, Book(derived, loss.value))
    factor = formula(teller.book, named.program, named.factor)
    intro: Prose = (
        f"{index} < {size} numbers the samples, and the loss is the sum of theirs. "
        "The parameters are the same for all, so their gradients are sums over the samples.",
    )
    starts = [formula(teller.book, named.program, e, teller.sign(e)) for e in named.starts]
    lines = [factor, *teller.lines(named), *starts]
    yield Section("Over a minibatch", (intro,), tuple(teller.step(line) for line in lines))
    yield from teller.matrices(named, named.factor)
