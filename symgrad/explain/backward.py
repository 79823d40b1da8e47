"""The backward steps of a derivation: the seed, each contribution as it arises, and their sums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from symgrad.algebra.access import Access, Affine
from symgrad.explain.book import Book
from symgrad.explain.facts import listed
from symgrad.explain.steps import Code, Formula, Prose, Section, Step, plain
from symgrad.notation.context import context_of
from symgrad.notation.printer import equation_text


def backward(
    book: Book,
    number_of: Mapping[int, int],
    numbers: Iterator[int],
    wrt: Sequence[str],
    given: dict[str, list[int]],
) -> Section:
    """The seed, each contribution as it arises, and their sums; `given` notes each one's step."""
    if not book.pairs:
        return Section("Backward from the loss", (("No equation contributes.",),))
    steps = [_seed(book, next(numbers))]
    for partial, equation in book.pairs:
        name = equation.target.tensor
        number = next(numbers)
        given.setdefault(name, []).append(number)
        done = len(given[name]) == len(book.program.writers[name])
        formulas = [book.local(partial), *book.contribution(equation)]
        if done and len(given[name]) == 1 and book.primal[name] not in wrt:
            formulas += matrices(book, name)
        title: Prose = (
            book.code(partial.read),
            " is read by ",
            book.code(partial.equation.target),
            f", equation ({number_of[id(partial.equation)]})",
        )
        steps.append(Step(number, "adjoint", title, tuple(formulas)))
        if done and len(given[name]) > 1 and book.primal[name] not in wrt:
            steps.append(_sum(book, name, given[name], next(numbers)))
    return Section("Backward from the loss", tuple(_recurrences(book)), tuple(steps))


def _seed(book: Book, number: int) -> Step:
    (equation, *_) = (e for e in book.program.equations if e.target.tensor == book.seed)
    line = equation_text(equation, book.program)
    formula = Formula(book.adjoint(equation.target), (plain("1"),), (line,))
    return Step(number, "seed", ("The loss by itself",), (formula,))


def _sum(book: Book, name: str, steps: Sequence[int], number: int) -> Step:
    of = book.adjoint(Access(name))
    title: Prose = (of, ": the contributions of ", *step_numbers(steps), " added up")
    formulas = (book.total(name), *matrices(book, name))
    return Step(number, "sum", title, formulas)


def step_numbers(steps: Sequence[int]) -> Prose:
    """(11) and (13)."""
    return listed([Code(f"({n})", f"({n})") for n in steps])


def matrices(book: Book, name: str) -> tuple[Formula, ...]:
    """The matrix form, where there is one."""
    found = book.matrix(name)
    return () if found is None else (found,)


def _recurrences(book: Book) -> Iterator[Prose]:
    """Adjoints that read one another at a shift are computed along the axis, one after another."""
    context = context_of(book.printed)
    found: dict[tuple[int, str, bool], dict[str, None]] = {}
    for equation in book.printed.equations:
        name = equation.target.tensor
        cycle = context.cycle.get(name)
        if cycle is None or name not in book.primal:
            continue
        for read in equation.reads:
            if context.cycle.get(read.tensor) == cycle:
                for index, later in _shifts(equation.target, read):
                    found.setdefault((cycle, index, later), {})[name] = None
    for (cycle, index, later), _ in found.items():
        names = [n for n in book.adjoints if context.cycle.get(n) == cycle]
        order = "from the last to the first" if later else "from the first to the last"
        codes = [book.adjoint(Access(n)) for n in names]
        yield "Along ", index, ", ", *listed(codes), f" are computed {order}, together."


def _shifts(target: Access, read: Access) -> Iterator[tuple[str, bool]]:
    for a, b in zip(target.subscripts, read.subscripts, strict=False):
        if isinstance(a, Affine) and isinstance(b, Affine) and a.plain and a.terms == b.terms:
            gap = (b.offset - a.offset).constant
            if gap:
                yield a.plain, gap > 0
