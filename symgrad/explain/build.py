"""explain: spec -> derivative -> numbered steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from sympy import preorder_traversal

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.derive import reverse
from symgrad.algebra.heads import split_heads
from symgrad.algebra.program import Equation, Program
from symgrad.algebra.scalars import FUNCTIONS, Select, Unknown
from symgrad.errors import SpecError, did_you_mean
from symgrad.explain.book import Book
from symgrad.explain.derivation import Derivation
from symgrad.explain.facts import ancestors, held, kinks, listed, named, reductions
from symgrad.explain.latex import name_latex
from symgrad.explain.latex_scalars import Printer
from symgrad.explain.steps import Addend, Code, Formula, Prose, Section, Step
from symgrad.explain.terms import groups, lines_of, ranges_text
from symgrad.notation.context import context_of
from symgrad.notation.printer import equation_text
from symgrad.spec import Spec


def explain(spec: Spec, loss: str | None = None, wrt: str | None = None) -> Derivation:
    """The derivation of a loss's gradient, of the user's own program, as it stands.

    loss: which loss, where the spec has several.
    wrt:  one real tensor, which may be an intermediate one; only the path to it is shown.
    """
    chosen = spec.loss(loss)
    program = split_heads(chosen.program)
    names = chosen.wrt if wrt is None else (_real(program, wrt),)
    book = Book(reverse(program, chosen.value, names), chosen.value)
    shown = _shown(book, program, wrt is not None)
    numbers = count(1)
    forward, number_of = _forward(book, shown, numbers)
    given: dict[str, list[int]] = {}
    sections = (
        _reading(book, spec, shown),
        Section("Forward equations", _path_note(book, wrt), forward),
        _backward(book, number_of, numbers, names, given),
        Section("The gradient", (), tuple(_gradients(book, names, given, numbers))),
        _assumptions(book, shown, names),
    )
    title = f"{spec.name}: the gradient of {chosen.name} by {', '.join(names)}"
    return Derivation(spec.name, chosen.name, names, title, spec.description, sections, book)


def _real(program: Program, name: str) -> str:
    real = [t.name for t in program.tensors if t.kind == "real"]
    if name not in real:
        raise SpecError(f'wrt: "{name}" is not a real tensor{did_you_mean(name, real)}')
    return name


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


def _reading(book: Book, spec: Spec, shown: Sequence[Equation]) -> Section:
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


ADDING: Prose = (
    Code("sum(i: ...)", r"\sum_{i} \ldots"),
    " adds over every i; ",
    Code("+=", r"\mathrel{+}="),
    " adds a contribution to the others.",
)
LEGEND: Mapping[type, Prose] = {
    Select: (
        Code("[p]", r"\left[p\right]"),
        " is 1 where p holds, else 0; what stands beside a false bracket does not count.",
    ),
    FUNCTIONS["expdiff"]: (
        Code("expdiff(x, m)", "e^{x - m}"),
        " is exp(x - m), and 0 where m is -inf: a softmax probability.",
    ),
    Unknown: ("A prime is a derivative of an unknown function.",),
}
"""What is explained where it occurs in a body."""


def _forward(
    book: Book, shown: Sequence[Equation], numbers: Iterator[int]
) -> tuple[tuple[Step, ...], dict[int, int]]:
    """A step for each line, and the step of each equation."""
    steps: list[Step] = []
    number_of: dict[int, int] = {}
    for group in groups(shown, book.program):
        number = next(numbers)
        number_of |= {id(e): number for e in group.equations}
        origin = group.equations[0].origin
        formulas = tuple(book.equation(line) for line in lines_of(group, book.program))
        notes: tuple[Prose, ...] = (((origin,)),) if origin else ()
        steps.append(Step(number, "forward", (), formulas, notes))
    return tuple(steps), number_of


def _backward(
    book: Book,
    number_of: Mapping[int, int],
    numbers: Iterator[int],
    wrt: Sequence[str],
    given: dict[str, list[int]],
) -> Section:
    """The seed, each contribution as it arises, and their sums; `given` notes each one's step."""
    derived = book.derived
    if not derived.partials:
        return Section("Backward from the loss", (("No equation contributes.",),))
    start = next(i for i, e in enumerate(book.program.equations) if e.target.tensor == book.seed)
    equations = book.program.equations[start : start + 1 + len(derived.partials)]
    steps = [_seed(book, equations[0], next(numbers))]
    for partial, equation in zip(derived.partials, equations[1:], strict=True):
        name = equation.target.tensor
        number = next(numbers)
        given.setdefault(name, []).append(number)
        done = len(given[name]) == len(book.program.writers[name])
        formulas = [book.local(partial), *book.contribution(equation)]
        if done and len(given[name]) == 1 and book.primal[name] not in wrt:
            formulas += _matrices(book, name)
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


def _seed(book: Book, equation: Equation, number: int) -> Step:
    line = equation_text(equation, book.program)
    formula = Formula(book.adjoint(equation.target), (Addend("1", "1"),), (line,))
    return Step(number, "seed", ("The loss by itself",), (formula,))


def _sum(book: Book, name: str, steps: Sequence[int], number: int) -> Step:
    of = book.adjoint(Access(name))
    title: Prose = (of, ": the contributions of ", *_numbers(steps), " added up")
    formulas = (book.total(name), *_matrices(book, name))
    return Step(number, "sum", title, formulas)


def _numbers(steps: Sequence[int]) -> Prose:
    return listed([Code(f"({n})", f"({n})") for n in steps])


def _matrices(book: Book, name: str) -> tuple[Formula, ...]:
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


def _gradients(
    book: Book, wrt: Sequence[str], given: Mapping[str, Sequence[int]], numbers: Iterator[int]
) -> Iterator[Step]:
    """Index form, the lines that read back, and the matrix form where there is one."""
    for name in wrt:
        adjoint = book.derived.result[name]
        lines = [e for e in book.program.equations if e.target.tensor == adjoint]
        notation = tuple(equation_text(e, book.program) for e in lines)
        if adjoint == book.seed:
            formula = Formula(book.adjoint(Access(adjoint)), (Addend("1", "1"),), notation)
        else:
            total = book.total(adjoint)
            formula = Formula(total.left, total.terms, notation)
        nothing = name not in {p.read.tensor for p in book.derived.partials}
        notes: tuple[Prose, ...] = (("the loss does not depend on it",),) if nothing else ()
        if len(given.get(adjoint, ())) > 1:
            notes = (("the contributions of ", *_numbers(given[adjoint]), " added up"),)
        formulas = (formula, *(_matrices(book, adjoint) if not nothing else ()))
        yield Step(next(numbers), "gradient", (), formulas, notes)


def _assumptions(book: Book, shown: Sequence[Equation], wrt: Sequence[str]) -> Section:
    targets = frozenset(e.target.tensor for e in shown)
    remarks = (*reductions(book), *held(book, shown, wrt, targets), *kinks(shown))
    return Section("What the gradient assumes", (), (), remarks)
