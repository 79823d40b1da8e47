"""A neuron y = f(x), x = w'y + b, the hyperplane x = 0, and f' on its two sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sympy import Expr

from symgrad.algebra.access import Access
from symgrad.algebra.program import Equation, Program, slot_symbol
from symgrad.algebra.scalars import FUNCTIONS, Scalar, Unknown
from symgrad.algebra.sizes import ZERO
from symgrad.explain.book import Book
from symgrad.explain.explained import Explained
from symgrad.explain.latex import name_latex, upright
from symgrad.explain.layered import argument, layers_of
from symgrad.explain.lecture import told_whole
from symgrad.explain.spelled import expression
from symgrad.explain.steps import Code, Formula, Prose, Section, Step, plain, summed, words

KIND = "neuron"
NEURON = words(
    " is a neuron, `sigma(w'x + b)|\\sigma(w^{\\top} x + b)`, where `w'|w^{\\top}` is w "
    "transposed: "
)
SIDES = ("relu", "leaky_relu")
"""What an unknown activation may be: those whose slope the hyperplane decides."""

LETTERS = ("x", "slope")
"""What their arguments are called."""


def neuron(explained: Explained) -> Iterator[Section]:
    """Told for layers numbered by an index, and for the lecture's specs."""
    program, book, numbers = explained.book.program, explained.book, explained.numbers
    wanted = told_whole(explained) or layers_of(program) is not None
    found = next(_neurons(program), None) if wanted else None
    if found is None:
        return
    activation, inputs = found
    name, shown = _function(activation.body)
    pre = book.code(inputs[0].target)
    intro: Prose = (
        book.code(activation.target),
        *NEURON,
        pre,
        " weighs what comes in" + (" and adds a bias, and " if len(inputs) > 1 else ", and "),
        shown,
        " is applied to that.",
    )
    title: Prose = ("Its hyperplane, the inputs for which ", pre, " is 0")
    steps = [Step(next(numbers), KIND, title, (_plane(book, inputs),))]
    rows = SIDES if isinstance(activation.body, Unknown) else (name,)
    steps += [_sides(explained, row) for row in rows]
    yield Section("A neuron and its hyperplane", (intro,), tuple(steps))


def _neurons(program: Program) -> Iterator[tuple[Equation, tuple[Equation, ...]]]:
    """y = f(x), and the equations that make x, where one of them multiplies by a parameter."""
    for activation in program.equations:
        pre = argument(activation)
        inputs = program.writers.get(pre.tensor, ()) if pre else ()
        params = [a for e in inputs for a in e.reads if program.tensor_of[a.tensor].role == "param"]
        if params and all(e.op == "sum" for e in inputs):
            yield activation, inputs


def _plane(book: Book, inputs: tuple[Equation, ...]) -> Formula:
    """sum(j: w[l,i,j]*y[l-1,j]) + b[l,i] = 0."""
    terms = [book.addend(e) for e in inputs]
    ranges = [r for r in inputs[0].box if r.lo != ZERO]
    return Formula(summed(terms), (plain("0"),), conditions=book.ranges(ranges))


def _function(body: Expr) -> tuple[str, Code]:
    if isinstance(body, Unknown):
        return body.base, Code(body.base, name_latex(body.base))
    name = type(body).__name__
    return name, Code(name, upright(name))


def _sides(explained: Explained, name: str) -> Step:
    """f(x) and f'(x), from the table of functions, and the convention on the hyperplane itself."""
    book, function = explained.book, FUNCTIONS[name]
    letters = [Access(n) for n in LETTERS[: function.row.arity]]
    shown = Code(", ".join(map(str, letters)), ", ".join(name_latex(str(a)) for a in letters))
    formulas = tuple(
        Formula(
            Code(f"{name}{mark}({shown.text})", f"{upright(name)}{mark}({shown.latex})"),
            (expression(book, expr, letters),),
        )
        for mark, expr in _value_and_slope(function, letters)
    )
    kink = function.row.kink
    side: Prose = (f"On the hyperplane itself, by convention, {kink}.",)
    title: Prose = (f"{name} on the two sides of it" if kink else f"The slope of {name}",)
    return Step(next(explained.numbers), KIND, title, formulas, remarks=(side,) if kink else ())


def _value_and_slope(
    function: type[Scalar], letters: Sequence[Access]
) -> Iterator[tuple[str, Expr]]:
    """The value only where it says more than the function's name."""
    symbols = [slot_symbol(a) for a in letters]
    if not function.row.derivatives:
        yield "", function.row.definition(*symbols)
    yield "'", function(*symbols).fdiff(1)
