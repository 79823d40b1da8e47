"""The gradient through a network's outputs: grad L = sum(m: coefficient*grad Q[m,u[m]]).

An adjoint equation dQ[g(I)] += coefficient says: for every point I, L moves with Q[g(I)] at that
rate. So grad L is the sum over I of the coefficient times grad Q[g(I)], and what stands in the
coefficient can be put in until only outputs and data are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sympy import Add, Expr, Mul, S

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation, Program, Slot, slot_symbol
from symgrad.algebra.scalars import Stop
from symgrad.explain.book import Book
from symgrad.explain.latex import LOSS, name_latex
from symgrad.explain.latex_scalars import ATOM
from symgrad.explain.spelled import product
from symgrad.explain.steps import Code, Formula, joined, plain
from symgrad.explain.substitute import inlined, with_body
from symgrad.notation.printer import Written, expression_text

GRADIENT = Code("grad", r"\nabla_{\theta}")


@dataclass(frozen=True)
class Term:
    """coefficient * grad output, summed over the equation's box."""

    equation: Equation
    output: Access


def outputs(book: Book, wrt: Sequence[str]) -> tuple[str, ...]:
    """The last tensors on the way to the loss that anything in `wrt` enters directly."""
    partials = book.derived.partials
    links = {(p.read.tensor, p.equation.target.tensor) for p in partials}
    entered = dict.fromkeys(p.equation.target.tensor for p in partials if p.read.tensor in wrt)
    last = {t for t in entered if not (_after(t, links) & entered.keys())}
    return tuple(t.name for t in book.program.tensors if t.name in last)


def _after(name: str, links: set[tuple[str, str]]) -> frozenset[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        at = waiting.pop()
        new = {b for a, b in links if a == at} - found
        found |= new
        waiting += sorted(new)
    return frozenset(found - {name})


def terms(book: Book, wrt: Sequence[str], whole: bool = True) -> list[Term]:
    """A term for each contribution to the adjoint of an output, with all adjoints put in.

    whole: forward values put in too.
    """
    program = book.program
    found = []
    ends = outputs(book, wrt)
    computed = [t.name for t in program.tensors if t.role == "computed" and t.name not in ends]
    names = [name for name in computed if whole or name in book.primal]
    for name in ends:
        adjoint = book.derived.name_of[name]
        for equation in program.writers.get(adjoint, ()):
            put = _opened(inlined(book.unseeded(equation), _unseeded(book), names))
            found.append(Term(put, put.target.of(name)))
    return found


def _unseeded(book: Book) -> Program:
    return book.program.map_equations(
        lambda e: e if e.target.tensor == book.seed else book.unseeded(e)
    )


def _opened(equation: Equation) -> Equation:
    """Values as they are: without stops, and with -(a + b) written as -a - b."""
    body = stripped(equation.body)
    slots = [slot for _, slot in equation.slots]
    return with_body(equation, open_sums(body), slots)


def stripped(expr: Expr) -> Expr:
    """The expression with each stop(f) replaced by f."""
    if expr.is_Atom or not expr.has(Stop):
        return expr
    args = [stripped(a) for a in expr.args]
    if isinstance(expr, Stop):
        return args[0]
    return expr.func(*args)


def open_sums(expr: Expr) -> Expr:
    """a - (b + c) -> a - b - c, everywhere."""
    if expr.is_Atom or not expr.has(Add):
        return expr
    whole = expr.func(*(open_sums(a) for a in expr.args))
    if not isinstance(whole, Add):
        return whole
    found: list[Expr] = []
    for term in whole.args:
        number, rest = term.as_coeff_Mul()
        parts = rest.args if isinstance(rest, Add) else (rest,)
        found += [number * part for part in parts]
    return Add(*found)


# ---- how they are printed -----------------------------------------------------------------------


def term_formula(
    book: Book, found: Sequence[Term], label: str = "", symbol: Code | None = None
) -> Formula:
    """grad L = the sum of the terms; symbol: what L is called."""
    loss = symbol or Code(book.symbol, LOSS)
    left = Code(f"{GRADIENT.text} {loss.text}", f"{GRADIENT.latex} {loss.latex}")
    return Formula(left, tuple(_addend(book, term) for term in found) or (plain("0"),), label=label)


def _addend(book: Book, term: Term) -> Code:
    equation = term.equation
    slots = [slot for _, slot in equation.slots]
    most = {slot_symbol(s): c for s in slots if (c := maximum(book, s)) is not None}
    put = {symbol: Written(c.text, c.latex, latex_tight=ATOM) for symbol, c in most.items()}
    body = equation.body.xreplace(put)
    outer, factors = _split(body, slots)
    inner = joined((GRADIENT, maximum(book, term.output) or book.code(term.output)), " ", " ")
    if factors:
        inner = joined((product(book, factors, slots), inner), "*", r"\,")
    if equation.box:
        letters = ",".join(name_latex(r.index) for r in equation.box)
        many = ",".join(r.index for r in equation.box)
        inner = Code(f"sum({many}: {inner.text})", rf"\sum_{{{letters}}} {inner.latex}")
    return book.expression(Mul(outer, Written(inner.text, inner.latex)), slots)


def _split(body: Expr, slots: Sequence[Slot]) -> tuple[Expr, list[Expr]]:
    """Numbers and sizes, which stand outside the sum; and the rest, sums in brackets last."""
    sizes = {slot_symbol(s) for s in slots if isinstance(s, Affine) and not s.indices}
    factors = Mul.make_args(body)
    outside = [f for f in factors if f.free_symbols <= sizes]
    inside = [f for f in factors if f not in outside]
    rest = Mul(*(f for f in inside if not f.is_Add))
    kept = [] if rest == S.One else [rest]
    sums = sorted((f for f in inside if f.is_Add), key=expression_text)
    return Mul(*outside), [*kept, *sums]


def maximum(book: Book, read: Slot) -> Code | None:
    """A read at its own argmax: q[b,best[b]], where best[b] = argmax(v: q[b,v]), is the max."""
    if not isinstance(read, Access):
        return None
    chosen = [s for s in read.subscripts if isinstance(s, Access)]
    writers = book.program.writers.get(chosen[0].tensor, ()) if len(chosen) == 1 else ()
    if len(writers) != 1 or writers[0].op != "argmax":
        return None
    (choice,) = writers
    sources = [slot for _, slot in choice.slots]
    source = sources[0] if len(sources) == 1 else None
    if not isinstance(source, Access) or source.tensor != read.tensor:
        return None
    name = {slot_symbol(source): "max", -slot_symbol(source): "min"}.get(choice.body)
    mapping = {
        own.plain: there
        for own, there in zip(choice.target.subscripts, chosen[0].subscripts, strict=True)
        if isinstance(own, Affine) and isinstance(there, Affine) and own.plain
    }
    (letter,) = choice.reduced
    at = source.substitute(mapping)
    agree = all(
        b == chosen[0] if a == Affine.index(letter) else a == b
        for a, b in zip(at.subscripts, read.subscripts, strict=True)
    )
    if name is None or not agree:
        return None
    below = name_latex(letter)
    return Code(f"{name}({letter}: {at})", rf"\{name}_{{{below}}} {book.code(at).latex}")
