"""explain: spec -> derivative -> numbered steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from sympy.core.parameters import distribute

from symgrad.algebra.access import Access
from symgrad.algebra.derive import Derived, reverse
from symgrad.algebra.heads import split_heads
from symgrad.algebra.program import Equation, Program
from symgrad.errors import SpecError, did_you_mean
from symgrad.explain.backward import backward, matrices, step_numbers
from symgrad.explain.book import Book
from symgrad.explain.derivation import Derivation
from symgrad.explain.explained import Element, Explained, check_inside, element_of
from symgrad.explain.facts import named
from symgrad.explain.lessons import told
from symgrad.explain.numbers import Numbers, ancestors, numbers_of
from symgrad.explain.reading import point_section, reading, with_matrices
from symgrad.explain.remarks import assumptions
from symgrad.explain.steps import Formula, Prose, Section, Step, plain
from symgrad.explain.terms import groups, lines_of
from symgrad.notation.printer import equation_text
from symgrad.notation.values import Given
from symgrad.spec import Loss, Spec


def explain(
    spec: Spec,
    loss: str | None = None,
    wrt: str | None = None,
    *,
    at: Given | None = None,
    element: str | None = None,
    limit: bool = False,
) -> Derivation:
    """The derivation of a loss's gradient, of the user's own program, as it stands.

    loss:    which loss, where the spec has several.
    wrt:     one real tensor, which may be an intermediate one; only the path to it is shown.
    at:      values, which go before the spec's own; with them every step has its numbers.
    element: one entry, such as W1[0,2]: its gradient as a table of factors.
    limit:   and as the limit of difference quotients, which takes numbers.
    """
    with distribute(False):  # a product stays as it is written: 2*(a + b) is not 2*a + 2*b
        return _explain(spec, spec.loss(loss), wrt, at, element, limit)


def _explain(
    spec: Spec, chosen: Loss, wrt: str | None, at: Given | None, element: str | None, limit: bool
) -> Derivation:
    program = split_heads(chosen.program)
    entry = None if element is None else element_of(element, program)
    wrt = _asked(wrt, entry, limit)
    names = chosen.wrt if wrt is None else (_real(program, wrt),)
    derived = reverse(program, chosen.value, names)
    book = Book(derived, chosen.value, _numbers(spec, chosen, derived, at, limit))
    if entry is not None:
        known = {name: size for name, size in program.sizes if size is not None}
        check_inside(entry, program, book.numbers.at.sizes if book.numbers else known)
    shown = _shown(book, program, wrt is not None)
    numbers = count(1)
    point = point_section(book, spec)
    forward, number_of = forward_steps(book, shown, numbers)
    given: dict[str, list[int]] = {}
    explained = Explained(spec, chosen, book, names, shown, number_of, numbers, given, entry, limit)
    sections = (
        reading(book, spec, shown),
        *point,
        Section("Forward equations", _path_note(book, wrt), forward),
        *told("forward", explained),
        backward(book, number_of, numbers, names, given),
        *told("backward", explained),
        Section("The gradient", (), tuple(_gradients(book, names, given, numbers))),
        *told("gradient", explained),
        assumptions(explained),
    )
    title = f"{spec.name}: the gradient of {chosen.name} by {', '.join(names)}"
    about = (title, spec.description, with_matrices(sections), book, spec.notes)
    return Derivation(spec.name, chosen.name, names, *about)


def _asked(wrt: str | None, element: Element | None, limit: bool) -> str | None:
    """The one tensor whose path is shown."""
    if limit and element is None:
        raise SpecError("limit: name the entry too, as in element W1[0,2]")
    if element is None:
        return wrt
    if wrt is not None and wrt != element.tensor:
        raise SpecError(f"element {element} is of {element.tensor}, and wrt says {wrt}")
    return element.tensor


def _real(program: Program, name: str) -> str:
    real = [t.name for t in program.tensors if t.kind == "real"]
    if name not in real:
        raise SpecError(f'wrt: "{name}" is not a real tensor{did_you_mean(name, real)}')
    return name


def _numbers(
    spec: Spec, loss: Loss, derived: Derived, at: Given | None, limit: bool
) -> Numbers | None:
    """What all of it comes to at the given values, or at the spec's own; None without any."""
    given = spec.values if at is None else at.over(spec.values)
    if given:
        return numbers_of(spec, given, derived.program, [loss.value, *derived.name_of.values()])
    if limit:
        raise SpecError(NO_NUMBERS)
    return None


NO_NUMBERS = (
    "limit: there are no numbers; give VALUES.toml (seed = 0 in it draws what it does not name), "
    "or write [values] in the spec"
)


def _shown(book: Book, program: Program, path_only: bool) -> tuple[Equation, ...]:
    """The equations that the loss is computed by; or only those between wrt and the loss."""
    used = {id(p.equation) for p in book.derived.partials}
    needed = ancestors(program, book.value)
    if path_only and used:
        needed = frozenset(e.target.tensor for e in program.equations if id(e) in used)
    return tuple(e for e in program.equations if e.target.tensor in needed)


def _path_note(book: Book, wrt: str | None) -> tuple[Prose, ...]:
    if wrt is None:
        return ()
    if not book.derived.partials:
        return (("Nothing leads from ", *named(book, [wrt]), " to the loss."),)
    return (("Only what lies between ", *named(book, [wrt]), " and the loss is shown."),)


def forward_steps(
    book: Book, shown: Sequence[Equation], numbers: Iterator[int]
) -> tuple[tuple[Step, ...], dict[int, int]]:
    """A step for each line, and the step of each equation."""
    steps: list[Step] = []
    number_of: dict[int, int] = {}
    found = groups(shown, book.program)
    last = {group.tensor: group for group in found}
    said: set[str] = set()
    for group in found:
        number = next(numbers)
        number_of |= {id(e): number for e in group.equations}
        origin = _origin(group.equations[0], said)
        lines = lines_of(group, book.program)
        ends = [last[group.tensor] is group and line is lines[-1] for line in lines]
        formulas = tuple(book.equation(line, end) for line, end in zip(lines, ends, strict=True))
        notes: tuple[Prose, ...] = (((origin,)),) if origin else ()
        steps.append(Step(number, "forward", (), formulas, notes))
    return tuple(steps), number_of


def _origin(equation: Equation, said: set[str]) -> str:
    """What it came from; said once, `huber: mean of d^2/2 ...` becomes `huber`."""
    name = equation.origin.partition(": ")[0]
    shown = name if equation.origin in said else equation.origin
    said.add(equation.origin)
    return shown


def _gradients(
    book: Book, wrt: Sequence[str], given: Mapping[str, Sequence[int]], numbers: Iterator[int]
) -> Iterator[Step]:
    """Index form, the lines that read back, and the matrix form where there is one."""
    read = {p.read.tensor for p in book.derived.partials}
    for name in wrt:
        adjoint = book.derived.result[name]
        lines = book.program.writers.get(adjoint, ())
        notation = tuple(equation_text(e, book.program) for e in lines)
        if adjoint == book.seed:
            formula = Formula(book.adjoint(Access(adjoint)), (plain("1"),), notation)
        else:
            total = book.total(adjoint)
            formula = Formula(total.left, total.terms, notation, figure=total.figure)
        nothing = name not in read
        notes: tuple[Prose, ...] = (("the loss does not depend on it",),) if nothing else ()
        if len(given.get(adjoint, ())) > 1:
            notes = (("the contributions of ", *step_numbers(given[adjoint]), " added up"),)
        formulas = (formula, *(matrices(book, adjoint) if not nothing else ()))
        yield Step(next(numbers), "gradient", (), formulas, notes)
