"""The last section of a derivation: what the gradient assumes, and what is done with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sympy import Mul

from symgrad.algebra.access import Access
from symgrad.algebra.heads import split_heads
from symgrad.algebra.program import Equation, Slot
from symgrad.algebra.scalars import Stop
from symgrad.algebra.stabilise import stabilise
from symgrad.explain.book import Book
from symgrad.explain.explained import Explained
from symgrad.explain.facts import (
    held,
    held_by_stop,
    kinks,
    listed,
    named,
    reduced_on_the_way,
    reductions,
)
from symgrad.explain.latex import name_latex
from symgrad.explain.steps import Code, Prose, Section, joined, plain, summed


def assumptions(
    explained: Explained, title: str = "What the gradient assumes", *, stops: bool = True
) -> Section:
    """Reductions, what is held, kinks, identities, and the update. stops: whether they count."""
    book, shown = explained.book, explained.shown
    targets = frozenset(e.target.tensor for e in shown)
    remarks = (
        *reductions(book),
        *held(book, shown, explained.wrt, targets),
        *(held_by_stop(book, shown) if stops else ()),
        *(kinks(shown) or (_no_kinks(explained),)),
        _identities(explained),
        *_updates(explained),
        *_unneeded(explained),
    )
    return Section(title, (), (), remarks)


def _no_kinks(explained: Explained) -> Prose:
    """An undefined function may have some."""
    if not explained.spec.functions:
        return ("Convention: none is needed; nothing here has a kink.",)
    unknown = _functions(explained)
    return ("Convention: none but what ", *unknown, " may need at a kink of its own.")


def _functions(explained: Explained) -> Prose:
    """The undefined ones."""
    return listed([Code(name, name_latex(name)) for name, _ in explained.spec.functions])


def _identities(explained: Explained) -> Prose:
    """Which stable forms the module differentiates in the place of these equations."""
    if explained.spec.functions:
        unknown = _functions(explained)
        return ("Nothing can be generated from it: ", *unknown, " has no value.")
    _, used = stabilise(split_heads(explained.loss.program))
    if not used:
        return ("Stable forms: none is needed; generate differentiates what stands above.",)
    codes = [Code(text, rf"\texttt{{{_typed(text)}}}") for text in used]
    return ("Stable forms, equal to these, that generate differentiates: ", *listed(codes), ".")


def _unneeded(explained: Explained) -> Iterator[Prose]:
    """What the spec holds for nothing: most often a slip."""
    names = [Code(name, name_latex(name)) for name, _ in explained.spec.unneeded]
    if names:
        yield "Nothing is computed from ", *listed(names), "."


def _typed(text: str) -> str:
    return text.replace("_", r"\_").replace("^", r"\textasciicircum{}")


def _updates(explained: Explained) -> Iterator[Prose]:
    """Descent; and ascent, for a loss that stands for minus what is to grow."""
    book = explained.book
    first, *others = explained.wrt
    adjoint = book.adjoint(Access(book.derived.result[first]))
    x, loss = book.code(Access(first)), book.code(Access(book.value))
    rest: Prose = ("; likewise ", *named(book, others)) if others else ()
    down = Code(
        f"{x.text} <- {x.text} - rate*{adjoint.text}",
        rf"{x.latex} \leftarrow {x.latex} - \eta\,{adjoint.latex}",
    )
    yield "Descent, which makes ", loss, " smaller: ", down, *rest, "."
    objective = _objective(explained)
    if objective is None:
        return
    slope = Code(f"dJ/d{x.text}", rf"\frac{{\partial J}}{{\partial {x.latex}}}")
    up = Code(
        f"{x.text} <- {x.text} + rate*{slope.text}",
        rf"{x.latex} \leftarrow {x.latex} + \eta\,{slope.latex}",
    )
    same = Code(f"{slope.text} = -{adjoint.text}", f"{slope.latex} = -{adjoint.latex}")
    yield "Ascent, the same step, which makes ", objective, " grow: ", up, ", since ", same, "."


def _objective(explained: Explained) -> Code | None:
    """J = -L, for a loss that is minus something or weighs what it adds up by data; else None.

    A policy gradient is both or one of them: -mean(b: advantage[b]*logp[b]), or a reward times a
    cross-entropy. What it is minus of, or what the weights reward, is meant to grow.
    """
    book, loss = explained.book, explained.loss
    if not any(_minus(e) or _weighted(e, book) for e in reduced_on_the_way(book)):
        return None
    terms = [book.addend(_negated(e)) for e in loss.program.writers[loss.value] if e.op == "sum"]
    return joined((plain("J"), summed(terms)), " = ", " = ")


def _negated(equation: Equation) -> Equation:
    return replace(equation, body=-equation.body)


def _minus(equation: Equation) -> bool:
    return bool(equation.body.as_coeff_Mul()[0] < 0)


def _weighted(equation: Equation, book: Book) -> bool:
    """Whether a sum's points are multiplied by real data, or by what is stopped, of their own."""
    rest = equation.body.as_coeff_Mul()[1]
    factors = rest.args if isinstance(rest, Mul) else (rest,)
    slots: list[Slot | None] = [equation.slot_of.get(f) for f in factors]
    reads = [s for s in slots if isinstance(s, Access) and s.indices & set(equation.reduced)]
    tensors = [book.program.tensor_of[a.tensor] for a in reads]
    weights = [t for t in tensors if t.role == "data" and t.kind == "real"]
    stopped = [f for f in factors if isinstance(f, Stop)]
    moving = [t for t in tensors if t.name in book.derived.name_of]
    return bool((weights or stopped) and moving)
