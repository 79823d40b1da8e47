"""Source C, a lecture on Q-learning with neural networks: what its reader came for.

Its notation beside this one's, neurons and their hyperplanes, the error times the gradient of Q,
the two squared errors, and the update. The recursions are told in layer_lesson, the paths in
path_lesson, the semi-gradient beside the full one in compare.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sympy import Expr, Mul, Pow
from sympy.core.parameters import distribute

from symgrad.algebra.access import Access
from symgrad.algebra.derive import Partial
from symgrad.algebra.program import fresh_name, slot_symbol
from symgrad.explain.book import Book
from symgrad.explain.explained import Explained
from symgrad.explain.facts import named
from symgrad.explain.latex import name_latex
from symgrad.explain.settle import letters_of
from symgrad.explain.spelled import addend, expression
from symgrad.explain.steps import Addend, Code, Formula, Prose, Section, Step
from symgrad.explain.through import GRADIENT, term_formula, terms

LAYER, SEMI, RESIDUAL = "lecture_layer", "lecture_q", "lecture_q_residual"
KIND = "lesson"
RATE = "beta"
"""The lecture's learning rate."""


def told_whole(explained: Explained) -> bool:
    """Whether the lecture's own gradient is asked for, and not that of one tensor."""
    return explained.spec.name in TRAPS and explained.wrt == explained.loss.wrt


def typed(text: str) -> Code:
    return Code(text, rf"\texttt{{{text.replace('_', chr(92) + '_').replace('--', '-{}-')}}}")


# ---- its notation -------------------------------------------------------------------------------


STATE = Code("x_k", "x_k")
NEXT = Code("x_{k+1}", "x_{k+1}")
PRE = Code("x_li", "x_{li}")
HALF = Code("1/2", r"\frac{1}{2}")
ALPHA, BETA = Code("alpha", r"\alpha"), Code("beta", r"\beta")
K, M, L = (Code(name, name) for name in "kml")

DISCOUNT: Prose = (
    ALPHA,
    " is the discount of what comes later, which is often called gamma, and no learning rate; "
    "the learning rate is ",
    BETA,
    ".",
)
Q_TRAPS: tuple[Prose, ...] = (
    (
        K,
        " numbers the samples, the layers, and what a sum runs over. Here ",
        M,
        " numbers the samples; the number in a name, as in ",
        Code("x1", "x^{(1)}"),
        ", is the layer; and sums run over i, j, v and m.",
    ),
    (
        "x is the state ",
        STATE,
        " and what enters a neuron's sigma, ",
        PRE,
        ". Here ",
        Code("s[m]", "s_{m}"),
        " is the state ",
        STATE,
        ", ",
        Code("s_next[m]", r"\mathrm{s\_next}_{m}"),
        " the state ",
        NEXT,
        ", and x only what enters sigma. The action ",
        Code("u_k", "u_k"),
        " is ",
        Code("u[m]", "u_{m}"),
        ", the reward ",
        Code("r_k", "r_k"),
        " is ",
        Code("r[m]", "r_{m}"),
        ".",
    ),
    DISCOUNT,
    (
        HALF,
        " stands in G, and not in the lecture's minibatch loss. Here it stands in the loss, which "
        "is the sum of G over the samples.",
    ),
)
LAYER_TRAPS: tuple[Prose, ...] = (
    (
        K,
        " numbers the samples, the layers, and what a sum runs over. Here ",
        L,
        " numbers the layers, i and j the neurons of one layer and of the layer below it, ",
        K,
        " only the neurons of the layer above that a sum runs over, and ",
        M,
        " the samples.",
    ),
    (
        "x is the state ",
        STATE,
        " and what enters a neuron's sigma, ",
        PRE,
        ". Here ",
        Code("x[l,i]", "x_{l,i}"),
        " is only that; the state enters as ",
        Code("y[0,i]", "y_{0,i}"),
        ".",
    ),
    (*DISCOUNT[:-1], ". Of the two, only the learning rate occurs here."),
    (
        HALF,
        " stands in G, and not in the lecture's minibatch loss. Here it stands in the loss; "
        "without it every derivative is twice as large.",
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
    short, long = (terms(book, explained.wrt, whole) for whole in (False, True))
    steps = [
        Step(next(explained.numbers), KIND, ("Adjoints put in",), (term_formula(book, short),)),
        Step(
            next(explained.numbers),
            KIND,
            ("The error put in too",),
            (term_formula(book, long),),
        ),
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
    SEMI: (
        "The target is held constant, so there is no gradient of its maximum: this is the ",
        "semi-gradient. With ",
        typed("--compare-full"),
        " the full gradient stands beside it.",
    ),
    RESIDUAL: (
        "Nothing is held constant, so the target's maximum has a gradient too: this is the ",
        "residual gradient.",
    ),
}


def _square(partial: Partial) -> Expr | None:
    """c, where the equation adds up c*e**2 and the partial is by e."""
    body = partial.equation.body
    square = Pow(slot_symbol(partial.read), 2)
    factors = Mul.make_args(body)
    if square not in factors:
        return None
    with distribute(False):
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
        Formula(
            Code(
                f"d({body.text})/d({error.text})", rf"\frac{{d}}{{d\,{error.latex}}} {body.latex}"
            ),
            (addend(expression(book, slope, slots)),),
        )
        for expr, slope in rows
        for body in [expression(book, expr, slots)]
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
    step = Addend(f"-{rate}*{adjoint.text}", rf"-{name_latex(rate)}\,{adjoint.latex}")
    return Formula(x, (Addend(x.text, x.latex), step), sign="<-")


TORCH: tuple[Prose, ...] = (
    (
        "With the generated module m: ",
        typed("value, grads = m.value_and_grad(params, ...)"),
        " and ",
        typed("params.flat -= beta * grads.flat"),
        ".",
    ),
    (
        "In PyTorch the same step is ",
        typed("optimizer.zero_grad()"),
        ", ",
        typed("loss.backward()"),
        " and ",
        typed("optimizer.step()"),
        " of SGD. There backward adds to the gradients of before, so they are set to zero first; "
        "here every call returns new ones.",
    ),
)
