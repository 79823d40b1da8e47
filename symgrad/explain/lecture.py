"""Source C, a lecture on Q-learning with neural networks: what its reader came for.

Its notation beside this one's, neurons and their hyperplanes, the error times the gradient of Q,
the two squared errors, and the update. The recursions are told in layer_lesson, the paths in
path_lesson, the semi-gradient beside the full one in compare.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sympy import Expr, Mul, Pow

from symgrad.algebra.access import Access
from symgrad.algebra.derive import Partial
from symgrad.algebra.program import fresh_name, slot_symbol
from symgrad.explain.book import Book
from symgrad.explain.explained import Explained
from symgrad.explain.facts import named
from symgrad.explain.latex import name_latex
from symgrad.explain.settle import letters_of
from symgrad.explain.spelled import expression
from symgrad.explain.steps import Code, Formula, Prose, Section, Step, words
from symgrad.explain.through import GRADIENT, term_formula, terms

LAYER, SEMI, RESIDUAL = "lecture_layer", "lecture_q", "lecture_q_residual"
KIND = "lesson"
RATE = "beta"
"""The lecture's learning rate."""


def told_whole(explained: Explained) -> bool:
    """Whether the lecture's own gradient is asked for, and not that of one tensor."""
    return explained.spec.name in TRAPS and explained.wrt == explained.loss.wrt


# ---- its notation -------------------------------------------------------------------------------


DISCOUNT = (
    "`alpha|\\alpha` is the discount of what comes later, which is often called gamma, and no "
    "learning rate; the learning rate is `beta|\\beta`."
)
Q_TRAPS: tuple[Prose, ...] = (
    words(
        "`k` numbers the samples, the layers, and what a sum runs over. Here `m` numbers the "
        "samples; the number in a name, as in `x1|x^{(1)}`, is the layer; and sums run over i, j, "
        "v and m."
    ),
    words(
        "x is the state `x_k` and what enters a neuron's sigma, `x_li|x_{li}`. Here "
        "`s[m]|s_{m}` is the state `x_k`, `s_next[m]|\\mathrm{s\\_next}_{m}` the state `x_{k+1}`, "
        "and x only what enters sigma. The action `u_k` is `u[m]|u_{m}`, the reward `r_k` is "
        "`r[m]|r_{m}`."
    ),
    words(DISCOUNT),
    words(
        "`1/2|\\frac{1}{2}` stands in G, and not in the lecture's minibatch loss. Here it stands "
        "in the loss, which is the sum of G over the samples."
    ),
)
LAYER_TRAPS: tuple[Prose, ...] = (
    words(
        "`k` numbers the samples, the layers, and what a sum runs over. Here `l` numbers the "
        "layers, i and j the neurons of one layer and of the layer below it, `k` only the neurons "
        "of the layer above that a sum runs over, and `m` the samples."
    ),
    words(
        "x is the state `x_k` and what enters a neuron's sigma, `x_li|x_{li}`. Here "
        "`x[l,i]|x_{l,i}` is only that; the state enters as `y[0,i]|y_{0,i}`."
    ),
    words(f"{DISCOUNT} Of the two, only the learning rate occurs here."),
    words(
        "`1/2|\\frac{1}{2}` stands in G, and not in the lecture's minibatch loss. Here it stands "
        "in the loss; without it every derivative is twice as large."
    ),
)
TRAPS: Mapping[str, tuple[Prose, ...]] = {
    LAYER: LAYER_TRAPS,
    SEMI: Q_TRAPS,
    RESIDUAL: Q_TRAPS,
}
"""What the lecture writes with one letter, by spec."""


def notation(explained: Explained) -> Iterator[Section]:
    if told_whole(explained):
        yield Section("The lecture's letters, and these", TRAPS[explained.spec.name])


# ---- the error times a gradient -----------------------------------------------------------------


def errors(explained: Explained) -> Iterator[Section]:
    """grad L = sum(m: (Q - r - alpha max Q')*grad Q), and what the 1/2 does to it."""
    book = explained.book
    if not told_whole(explained) or explained.spec.name == LAYER:
        return
    steps = [
        Step(next(explained.numbers), KIND, (title,), (term_formula(book, found),))
        for title, whole in (("Adjoints put in", False), ("The error put in too", True))
        for found in [terms(book, explained.wrt, whole)]
    ]
    intro: Prose = (
        GRADIENT,
        " is the gradient by ",
        *named(book, explained.wrt),
        ", all of them together; an output of the network moves the loss at the rate of its "
        "adjoint.",
    )
    yield Section(
        "The error times a gradient", (intro,), tuple(steps), (HELD[explained.spec.name],)
    )
    found = [p for p in book.derived.partials if _square(p) is not None]
    if found:
        yield _two_squares(explained, found[0])


HELD: Mapping[str, Prose] = {
    SEMI: words(
        "The target is held constant, so there is no gradient of its maximum: this is the "
        "semi-gradient. With `--compare-full|\\texttt{-{}-compare-full}` the full gradient stands "
        "beside it."
    ),
    RESIDUAL: words(
        "Nothing is held constant, so the target's maximum has a gradient too: this is the "
        "residual gradient."
    ),
}


def _square(partial: Partial) -> Expr | None:
    """c, where the equation adds up c*e**2 and the partial is by e."""
    body = partial.equation.body
    square = Pow(slot_symbol(partial.read), 2)
    factors = Mul.make_args(body)
    if square not in factors:
        return None
    return Mul(*(f for f in factors if f != square))


def _two_squares(explained: Explained, partial: Partial) -> Section:
    """The slope of c*e**2, that of e**2 alone, and how often the one goes into the other."""
    book = explained.book
    e = slot_symbol(partial.read)
    error = book.code(partial.read)
    half = _square(partial)
    slots = [slot for _, slot in partial.equation.slots]
    rows = [(partial.equation.body, partial.slope), (e**2, (e**2).diff(e))]
    formulas = tuple(
        Formula(Code(f"d({body.text})/d({error.text})", left), (expression(book, slope, slots),))
        for expr, slope in rows
        for body in [expression(book, expr, slots)]
        for left in [rf"\frac{{d}}{{d\,{error.latex}}} {body.latex}"]
    )
    times = expression(book, rows[1][1] / rows[0][1], slots)
    title: Prose = (
        "A sample's loss by its error, with ",
        expression(book, half, slots),
        " and without",
    )
    steps = (Step(next(explained.numbers), KIND, title, formulas),)
    remark: Prose = (
        "The lecture's minibatch loss, the sum of ",
        expression(book, e**2, slots),
        " over the samples, has ",
        times,
        " times the gradient of this one. The update is the same where its ",
        Code(RATE, name_latex(RATE)),
        " is this one divided by ",
        times,
        ".",
    )
    return Section("Two squared errors", (), steps, (remark,))


# ---- the update ---------------------------------------------------------------------------------


def update(explained: Explained) -> Iterator[Section]:
    """w <- w - beta*dL/dw, for each parameter."""
    if not told_whole(explained):
        return
    book = explained.book
    rate = fresh_name(RATE, book.program.names)
    intro: Prose = (Code(rate, name_latex(rate)), " is the learning rate.")
    steps = [
        Step(next(explained.numbers), KIND, (), (_descent(book, name, rate),))
        for name in explained.wrt
    ]
    remarks = () if explained.spec.functions else TORCH
    yield Section("The update", (intro,), tuple(steps), remarks)


def _descent(book: Book, name: str, rate: str) -> Formula:
    place = Access.plain(name, letters_of(book.program, name))
    x, adjoint = book.code(place), book.adjoint(place.of(book.derived.result[name]))
    step = Code(f"-{rate}*{adjoint.text}", rf"-{name_latex(rate)}\,{adjoint.latex}")
    return Formula(x, (x, step), sign="<-")


TORCH: tuple[Prose, ...] = (
    words(
        "With the generated module m: "
        "`value, grads = m.value_and_grad(params, ...)"
        "|\\texttt{value, grads = m.value\\_and\\_grad(params, ...)}` and "
        "`params.flat -= beta * grads.flat|\\texttt{params.flat -= beta * grads.flat}`."
    ),
    words(
        "In PyTorch the same step is `optimizer.zero_grad()|\\texttt{optimizer.zero\\_grad()}`, "
        "`loss.backward()|\\texttt{loss.backward()}` and "
        "`optimizer.step()|\\texttt{optimizer.step()}` of SGD. There backward adds to the "
        "gradients of before, so they are set to zero first; here every call returns new ones."
    ),
)
