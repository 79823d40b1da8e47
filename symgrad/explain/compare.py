"""The semi-gradient beside the full gradient, and what holding something constant removes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count

from sympy import preorder_traversal
from sympy.core.parameters import distribute

from symgrad.algebra.access import Access
from symgrad.algebra.program import Equation, slot_symbol
from symgrad.algebra.scalars import Stop
from symgrad.explain.backward import backward, step_numbers
from symgrad.explain.book import Book
from symgrad.explain.build import forward_steps
from symgrad.explain.derivation import Derivation
from symgrad.explain.explained import Explained
from symgrad.explain.facts import named
from symgrad.explain.latex import LOSS
from symgrad.explain.numbers import ancestors
from symgrad.explain.reading import reading, with_matrices
from symgrad.explain.remarks import assumptions
from symgrad.explain.removed import difference, stops_around, stops_on, way
from symgrad.explain.settle import letters_of, settle
from symgrad.explain.steps import ARROW, Code, Formula, Prose, Section, Step, joined, plain
from symgrad.explain.through import GRADIENT, outputs, term_formula, terms
from symgrad.explain.two import FULL, Contribution, How, Two, TwoBook, book_of, two_gradients
from symgrad.spec import Loss, Spec

MOST_TERMS = 6
"""Of a gradient written through the network's outputs."""

SEMI, BEYOND, REMOVED = "semi", "full", "removed"
"""The labels of what stands side by side."""


def compare_full(spec: Spec, loss: str | None = None) -> Derivation:
    """Both gradients of a loss; where nothing is stopped, that there is only one.

    loss: which loss, where the spec has several.
    """
    chosen = spec.loss(loss)
    with distribute(False):  # as in a derivation
        two = two_gradients(chosen, chosen.wrt)
        book = book_of(two, chosen.value)
        sections = tuple(_Told(spec, chosen, two, book).sections())
    title = f"{spec.name}: the semi-gradient and the full gradient of {chosen.name}"
    about = (title, spec.description, with_matrices(sections), book, spec.notes)
    return Derivation(spec.name, chosen.name, chosen.wrt, *about)


@dataclass(frozen=True)
class _Told:
    """One comparison in sections."""

    spec: Spec
    loss: Loss
    two: Two
    book: TwoBook

    def sections(self) -> Iterator[Section]:
        shown, book, wrt = self.shown, self.book, self.loss.wrt
        numbers = count(1)
        forward, number_of = forward_steps(book, shown, numbers)
        yield self.reading()
        yield Section("Forward equations", (), forward)
        yield Section("What is held constant", tuple(self.held(number_of)))
        if self.two.differing:
            given: dict[str, list[int]] = {}
            semi = backward(book, number_of, numbers, wrt, {})
            yield replace(semi, title="Backward from the loss: the semi-gradient")
            yield self.beyond(number_of, numbers, given)
            yield self.beside(numbers, given)
            yield from self.through(numbers)
        explained = Explained(self.spec, self.loss, book, wrt, shown, number_of, numbers, {})
        found = assumptions(explained, "What both assume", stops=False)
        yield replace(found, remarks=(*found.remarks, *self.other_step()))

    @cached_property
    def shown(self) -> tuple[Equation, ...]:
        """The forward equations that the loss is computed by, with their stops."""
        program = self.two.semi.program
        needed = ancestors(program, self.loss.value)
        return tuple(e for e in program.equations if e.target.tensor in needed)

    def reading(self) -> Section:
        """What both are called."""
        found = reading(self.book, self.spec, self.shown)
        symbol = self.book.full_symbol
        dx = Code(f"d{symbol}/dX", rf"\frac{{\partial {FULL.latex}}}{{\partial X}}")
        full: Prose = (
            dx,
            " is the same with nothing held constant, the full or residual gradient; in the "
            "notation, ",
            Code("dX_full", r"\mathrm{dX\_full}"),
            ". Where the two are equal, only the former is written.",
        )
        if not self.two.differing:
            return found
        return replace(found, intro=(found.intro[0], full, *found.intro[1:]))

    def other_step(self) -> Iterator[Prose]:
        """The update by the full gradient, which is the same step with its own adjoints."""
        if self.two.differing:
            full = Code(f"d{self.book.full_symbol}", rf"\partial {FULL.latex}")
            semi = Code(f"d{self.book.symbol}", rf"\partial {LOSS}")
            yield ("The full gradient's step has ", full, " in the place of ", semi, ".")

    def held(self, number_of: Mapping[int, int]) -> Iterator[Prose]:
        """What is stopped and where; that it makes no difference, where it makes none."""
        if not self.two.stopped:
            yield (
                f"Nothing: no equation of {self.spec.name} stops anything. Its gradient is the "
                "full one, and there is nothing to compare.",
            )
            return
        for equation in self.two.stopped:
            slots = [slot for _, slot in equation.slots]
            for node in dict.fromkeys(preorder_traversal(equation.body)):
                if isinstance(node, Stop):
                    yield (
                        self.book.expression(node, slots),
                        " in ",
                        self.book.code(equation.target),
                        f", equation ({number_of[id(equation)]}): its value is used, its "
                        "derivative is 0.",
                    )
        if not self.two.differing:
            yield (
                "This removes nothing: without it, too, no gradient by ",
                *named(self.book, self.loss.wrt),
                " would pass through it. The semi-gradient is the full gradient.",
            )

    # ---- step by step ---------------------------------------------------------------------------

    def beyond(
        self, number_of: Mapping[int, int], numbers: Iterator[int], given: dict[str, list[int]]
    ) -> Section:
        """The contributions that the full gradient has otherwise, and their sums."""
        steps: list[Step] = []
        found = [c for c in self.two.contributions if c.how != "same"]
        first = {c.how: n for n, c in reversed([*enumerate(found)])}
        for n, c in enumerate(found):
            tensor = c.partial.read.tensor
            said = n == first[c.how] or c.how != "passed on"  # which most of them are
            steps.append(self.contribution(c, next(numbers), number_of, said))
            given.setdefault(tensor, []).append(steps[-1].number)
            last = all(other.partial.read.tensor != tensor for other in found[n + 1 :])
            if last and tensor not in self.loss.wrt:
                steps += self.sum(tensor, numbers)
        return Section("Beyond the semi-gradient: what the full gradient has", (), tuple(steps))

    def contribution(
        self, c: Contribution, number: int, number_of: Mapping[int, int], said: bool
    ) -> Step:
        book, partial = self.book, c.partial
        equation = self.two.source.get(id(partial.equation), partial.equation)
        inside = any(stops_around(equation, slot_symbol(partial.read))) and c.how == "added"
        title: Prose = (
            book.code(partial.read),
            " is read by ",
            book.code(partial.equation.target),
            f", equation ({number_of[id(equation)]})",
            ", inside a stop" if inside else "",
        )
        formulas = [book.local(partial)]
        if c.full is not None:
            formulas += book.contribution(c.full)
        remarks = ((SAID[c.how],),) if c.how in SAID and said else ()
        return Step(number, "adjoint", title, tuple(formulas), remarks=remarks)

    def sum(self, tensor: str, numbers: Iterator[int]) -> Iterator[Step]:
        """The full gradient's contributions to an adjoint, where there are several."""
        name = self.two.full_of.get(tensor, "")
        if len(self.book.program.writers.get(name, ())) > 1:
            title: Prose = (self.book.adjoint(Access(name)), ": all its contributions added up")
            yield Step(next(numbers), "sum", title, (self.book.total(name),))

    # ---- side by side ---------------------------------------------------------------------------

    def beside(self, numbers: Iterator[int], given: Mapping[str, Sequence[int]]) -> Section:
        """Both gradients by each tensor, and their difference term by term."""
        steps = tuple(self.pair(name, next(numbers), given) for name in self.loss.wrt)
        intro: Prose = (
            "What is removed is the full gradient minus the semi-gradient. Under it stand the "
            "steps that its terms come from, and a way from there to the loss.",
        )
        return Section("Side by side", (intro,), steps)

    def pair(self, name: str, number: int, given: Mapping[str, Sequence[int]]) -> Step:
        book, two = self.book, self.two
        semi = self.total(two.semi.result[name], SEMI)
        title: Prose = ("By ", book.code(Access(name)))
        if name not in two.differing:
            same = replace(semi, label="")
            return Step(number, "both", (*title, ": both are the same"), (same,))
        full = self.total(two.full_of[name], BEYOND)
        own = [c for c in two.contributions if c.partial.read.tensor == name and c.how != "same"]
        left = joined((full.left, semi.left), " - ", " - ")
        removed = Formula(left, self.removed(own, name), label=REMOVED)
        remarks = tuple(
            ("From ", *step_numbers([step]), ": ", *self.way(c))
            for step, c in zip(given[name], own, strict=True)
        )
        return Step(number, "both", title, (semi, full, removed), remarks=remarks)

    def total(self, adjoint: str, label: str) -> Formula:
        """An adjoint as the sum of its contributions; 0 where it has none."""
        if self.book.program.writers[adjoint][0].body != 0:
            return self.book.total(adjoint, label)
        letters = letters_of(self.book.program, self.book.primal[adjoint])
        left = self.book.adjoint(Access.plain(adjoint, letters))
        return Formula(left, (plain("0"),), label=label)

    def removed(self, own: Sequence[Contribution], name: str) -> tuple[Code, ...]:
        """Full minus semi, for each contribution."""
        book = self.book
        letters = letters_of(book.program, name)
        equations = [book.unseeded(difference(c, self.two)) for c in own]
        settled = [settle(e, letters, book.program) for e in equations]
        return book.total_of(self.two.full_of[name], settled, "").terms

    def way(self, c: Contribution) -> Prose:
        """w1 -> x1 -> ... -> loss, and the stop that cuts it."""
        path = way(c, self.two)
        said: list[str | Code] = [joined((self.book.code(Access(name)) for name in path), *ARROW)]
        for equation, node in stops_on(path, self.two):
            stop = self.book.expression(node, [slot for _, slot in equation.slots])
            said += [", cut by ", stop]
        return tuple(said)

    # ---- through the outputs --------------------------------------------------------------------

    def through(self, numbers: Iterator[int]) -> Iterator[Section]:
        """grad L as errors times gradients of the network's outputs, for both."""
        intro: Prose = (
            GRADIENT,
            " is the gradient by ",
            *named(self.book, self.loss.wrt),
            ", all of them together.",
        )
        steps: dict[tuple[str, ...], tuple[Formula, ...]] = {}
        for whole in (False, True):
            rows = tuple(self.rows(whole))
            steps.setdefault(tuple(r.text for r in rows), rows)
        titles = ("Both, with all adjoints put in", "With the values before them put in too")
        told = tuple(
            Step(next(numbers), "both", (title,), rows)
            for title, rows in zip(titles, steps.values(), strict=False)
            if rows
        )
        if told:
            yield Section("As gradients of what the network puts out", (intro,), told)

    def rows(self, whole: bool) -> Iterator[Formula]:
        """The semi-gradient and the full one.

        None where an output's own gradient differs, or where the loss itself is an output.
        """
        rows = (
            (self.two.semi, Code(self.book.symbol, LOSS), SEMI),
            (self.two.full, Code(self.book.full_symbol, FULL.latex), BEYOND),
        )
        books = [Book(derived, self.loss.value) for derived, _, _ in rows]
        found = [terms(book, self.loss.wrt, whole) for book in books]
        ends = [outputs(book, self.loss.wrt) for book in books]
        inside = {t for end in ends[1] for t in ancestors(self.two.full.program, end)}
        deep = any(e.target.tensor in inside for e in self.two.stopped)
        if deep or not set(ends[0]) <= set(ends[1]) or self.loss.value in ends[1]:
            return
        if max(map(len, found)) > MOST_TERMS:
            return
        for book, own, (_, symbol, label) in zip(books, found, rows, strict=True):
            yield term_formula(book, own, label, symbol)


SAID: Mapping[How, str] = {
    "passed on": "The slope is the same in both, the adjoint that it multiplies is not; so too in "
    "each step below that both have.",
    "other": "The semi-gradient has another slope here, since a part of it is held constant.",
    "lost": "Only the semi-gradient has this: with nothing held constant it cancels.",
}
