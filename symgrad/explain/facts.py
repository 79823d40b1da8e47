"""What a gradient assumes: what is held constant, conventions at kinks, how a batch is reduced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import prod

from sympy import Expr, Mul, Symbol, preorder_traversal

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation, count_of
from symgrad.algebra.scalars import Stop, kinks_in
from symgrad.algebra.sizes import ONE, ZERO, Size
from symgrad.explain.book import Book
from symgrad.explain.latex import affine_latex, size_latex
from symgrad.explain.steps import Code, Prose

ARGMAX = "argmax takes the lowest index where values are equal, and passes no gradient"


def listed(codes: Sequence[Code]) -> Prose:
    """a, b and c."""
    found: list[str | Code] = []
    for k, code in enumerate(codes):
        if k:
            found.append(" and " if k == len(codes) - 1 else ", ")
        found.append(code)
    return tuple(found)


def named(book: Book, names: Sequence[str]) -> Prose:
    return listed([book.code(Access(name)) for name in names])


def held(
    book: Book, equations: Sequence[Equation], wrt: Sequence[str], shown: frozenset[str]
) -> Iterator[Prose]:
    """Data, other parameters, and values off the path from wrt to the loss."""
    program = book.program
    read = dict.fromkeys(a.tensor for e in equations for a in e.reads)
    free = [n for n in read if n not in wrt and n not in book.derived.name_of]
    for what, role in (("data", "data"), ("parameters outside wrt", "param")):
        names = [n for n in free if program.tensor_of[n].role == role]
        if names:
            yield f"Held constant, {what}: ", *named(book, names), "."
    values = [n for n in free if program.tensor_of[n].role == "computed" and n not in shown]
    if values:
        one = len(values) == 1
        yield (
            "Held constant, values that lie off this path: ",
            *named(book, values),
            f". {'It is' if one else 'They are'} computed as in the whole derivation.",
        )


def held_by_stop(book: Book, equations: Sequence[Equation]) -> Iterator[Prose]:
    stops = list(dict.fromkeys(_stops(book, equations)))
    one = len(stops) == 1
    whose, are = (
        ("Its value is", "its derivative is")
        if one
        else ("Their values are", "their derivatives are")
    )
    if stops:
        yield "Held constant by stop: ", *listed(stops), f". {whose} used, {are} 0."


def _stops(book: Book, equations: Sequence[Equation]) -> Iterator[Code]:
    for equation in equations:
        slots = [slot for _, slot in equation.slots]
        for node in preorder_traversal(equation.body):
            if isinstance(node, Stop):
                yield book.expression(node, slots)


def kinks(equations: Sequence[Equation]) -> list[Prose]:
    """The conventions that the bodies rely on."""
    found = dict.fromkeys(k for e in equations for k in kinks_in(e.body))
    if any(e.op == "argmax" for e in equations):
        found[ARGMAX] = None
    return [("Convention: ", kink, ".") for kink in found]


def reduced_on_the_way(book: Book) -> list[Equation]:
    """The equations that make a scalar out of many points, or a scalar out of such scalars."""
    program, seen, waiting = book.program, set[str](), [book.value]
    found: list[Equation] = []
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        for equation in program.writers.get(name, ()):
            found.append(equation)
            if equation.op == "sum" and not equation.reduced:
                scalars = (a.tensor for a in equation.reads if not a.subscripts)
                waiting += [n for n in scalars if program.tensor_of[n].role == "computed"]
    return found


def reductions(book: Book) -> Iterator[Prose]:
    """How each scalar on the way to the loss adds up its points; each thing is said once."""
    of: dict[str, list[Equation]] = {}
    for equation in reduced_on_the_way(book):
        if equation.op == "sum" and equation.reduced:
            of.setdefault(equation.target.tensor, []).append(equation)
    for name, equations in of.items():
        said: dict[Prose, list[Equation]] = {}
        for equation in equations:
            said.setdefault(_reduction(equation), []).append(equation)
        target = book.code(Access(name))
        for what, same in said.items():
            codes = listed([book.addend(book.unseeded(e)) for e in same])
            one = len(codes) == 1
            yield (
                (target, " is ", *what)
                if len(said) == 1
                else ("In ", target, ", ", *codes, " is " if one else " are each ", *what)
            )
    if not of:
        yield book.code(Access(book.value)), " adds up nothing: it is a single value."


def _reduction(equation: Equation) -> Prose:
    """The mean over b: the sum divided by B; the sum over k."""
    averaged = averaged_indices(equation)
    summed = [i for i in equation.reduced if i not in averaged]
    if not averaged:
        return (f"the sum over {', '.join(summed)}, not divided by how many there are.",)
    divisor = _divisor([equation.range_of[i].count for i in averaged])
    rest = f". Over {', '.join(summed)} it is the plain sum." if summed else "."
    return f"the mean over {', '.join(averaged)}: the sum divided by ", divisor, rest


def _divisor(counts: Sequence[Size]) -> Code:
    """B*T, and (N-1)*(N-1): the product as a person writes it."""
    whole = Affine((), prod(counts, start=ONE))
    if len(counts) == 1 or all(len(count.terms) == 1 for count in counts):
        return Code(str(whole), affine_latex(whole))
    return Code("*".join(f"({n})" for n in counts), "".join(f"({size_latex(n)})" for n in counts))


def averaged_indices(equation: Equation) -> tuple[str, ...]:
    """The summed indices whose number of points is what the sum is divided by."""
    coefficient, rest = equation.body.as_coeff_Mul()
    divisor = ONE
    for factor in Mul.make_args(rest):
        base, exponent = factor.as_base_exp()
        size = _size(base, equation)
        if exponent.is_Integer and exponent < 0 and size is not None:
            divisor = divisor * prod([size] * -int(exponent), start=ONE)
    wanted = {divisor * int(coefficient.q), divisor} - {ONE}
    ranges = equation.range_of
    for many in range(len(equation.reduced), 0, -1):
        for some in combinations(equation.reduced, many):
            if count_of(ranges[i] for i in some) in wanted:
                return some
    return ()


def _size(expr: Expr, equation: Equation) -> Size | None:
    """A divisor as a size, None where it is none."""
    if expr.is_Integer:
        return Size.of(int(expr))
    if isinstance(expr, Symbol):
        slot = equation.slot_of.get(expr)
        return slot.offset if isinstance(slot, Affine) and not slot.terms else None
    if not expr.is_Add and not expr.is_Mul:
        return None
    parts = [_size(part, equation) for part in expr.args]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return prod(known, start=ONE) if expr.is_Mul else sum(known, start=ZERO)
