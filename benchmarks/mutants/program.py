"""Faults in the program, before it is differentiated: each changes or leaves out one equation.

An operator is a row of PROGRAM_FAULTS: it yields every way in which it applies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from sympy import Add, Expr, Rational

from benchmarks.mutants.bodies import (
    Change,
    added_stop,
    at_a_kink,
    one_over_n,
    other_clip,
    other_function,
    other_side,
    reaches,
)
from benchmarks.mutants.edits import choice
from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation, Program, Slot, slot_symbol, used_slots
from symgrad.algebra.scalars import Stop
from symgrad.algebra.sizes import Size


@dataclass(frozen=True)
class ProgramFault:
    """A program with one equation changed or left out."""

    operator: str
    what: str
    program: Program


def program_faults(program: Program, operator: str, most: int = 10**6) -> list[ProgramFault]:
    """The faults of one operator in a program; a seeded choice of `most`."""
    found = []
    for n, equation in enumerate(program.equations):
        if program.tensor_of[equation.target.tensor].kind != "real":
            continue
        for what, changed in PROGRAM_FAULTS[operator](equation, program):
            kept = list(program.equations)
            kept[n : n + 1] = [] if changed is None else [changed]
            mutant = replace(program, equations=tuple(kept))
            found.append(ProgramFault(operator, f"{equation.target}: {what}", mutant))
    return [found[k] for k in choice(len(found), most)]


def other_factor(equation: Equation, program: Program) -> Iterator[Change]:
    if equation.body != 0:
        for number in (Rational(2001, 1000), Rational(1, 2)):
            yield f"times {number}", equation.with_body(number * equation.body)


def other_sign(equation: Equation, program: Program) -> Iterator[Change]:
    """-body, and each term of a sum with the other sign."""
    if equation.body != 0:
        yield "negated", equation.with_body(-equation.body)
    for term in terms(equation.body):
        yield f"minus {term}", equation.with_body(equation.body.xreplace({term: -term}))


def terms(body: Expr) -> list[Expr]:
    """The terms of every sum in a body, in a fixed order."""
    sums = sorted(body.atoms(Add), key=str)
    return [term for found in sums for term in sorted(found.args, key=str)]


def lost_term(equation: Equation, program: Program) -> Iterator[Change]:
    """A contribution among several; a term of a sum."""
    if len(program.writers[equation.target.tensor]) > 1:
        yield "left out", None
    for found in sorted(equation.body.atoms(Add), key=str):
        for term in sorted(found.args, key=str):
            yield (
                f"without {term}",
                equation.with_body(equation.body.xreplace({found: found - term})),
            )


def with_slot(equation: Equation, old: Slot, new: Slot) -> Equation:
    """The body reads `new` where it read `old`."""
    symbol, fresh = slot_symbol(old), slot_symbol(new)
    body = equation.body.xreplace({symbol: fresh})
    slots = {**equation.slot_of, fresh: new}
    return replace(equation, body=body, slots=used_slots(body, slots))


def swapped_read(equation: Equation, program: Program) -> Iterator[Change]:
    """X[i,j] -> X[j,i], where both run over the same range."""
    for _, slot in equation.slots:
        if isinstance(slot, Access):
            for other in swaps(slot, equation):
                yield f"{slot} -> {other}", with_slot(equation, slot, other)


def swaps(access: Access, equation: Equation) -> Iterator[Access]:
    plain = [s.plain if isinstance(s, Affine) else None for s in access.subscripts]
    for a in range(len(plain)):
        for b in range(a + 1, len(plain)):
            if plain[a] and plain[b] and same_range(equation, plain[a], plain[b]):
                subscripts = list(access.subscripts)
                subscripts[a], subscripts[b] = subscripts[b], subscripts[a]
                yield replace(access, subscripts=tuple(subscripts))


def same_range(equation: Equation, i: str | None, j: str | None) -> bool:
    ranges = [equation.range_of[name] for name in (i, j) if name is not None]
    return ranges[0].lo == ranges[1].lo and ranges[0].hi == ranges[1].hi


def other_axis(equation: Equation, program: Program) -> Iterator[Change]:
    """The reduction runs over another index of the same range: target[..i..] -> target[..j..]."""
    for k, form in enumerate(equation.target.subscripts):
        i = form.plain if isinstance(form, Affine) else None
        for j in equation.reduced:
            if i is not None and same_range(equation, i, j):
                subscripts = list(equation.target.subscripts)
                subscripts[k] = Affine.index(j)
                target = replace(equation.target, subscripts=tuple(subscripts))
                yield f"summed over {i}, not {j}", replace(equation, target=target)


def removed_stop(equation: Equation, program: Program) -> Iterator[Change]:
    for node in sorted(equation.body.atoms(Stop), key=str):
        body = equation.body.xreplace({node: node.args[0]})
        yield f"no {node}", equation.with_body(body)


def shifted_gather(equation: Equation, program: Program) -> Iterator[Change]:
    """X[..i..] -> pad(X[..i-1..]); X[act[b]] -> X[act[b+1]], padded inside."""
    for _, slot in equation.slots:
        if not isinstance(slot, Access) or (
            program.writers.get(slot.tensor)
            and reaches(slot.tensor, equation.target.tensor, program)
        ):
            continue
        for k, form in enumerate(slot.subscripts):
            for less in shifted(form):
                subscripts = list(slot.subscripts)
                subscripts[k] = less
                padded = slot.padded or isinstance(form, Affine)
                other = replace(slot, subscripts=tuple(subscripts), padded=padded)
                yield f"{slot} -> {other}", with_slot(equation, slot, other)


def shifted(form: Affine | Access) -> Iterator[Affine | Access]:
    if isinstance(form, Affine):
        yield form + Affine((), Size.of(-1))
    elif all(isinstance(inner, Affine) for inner in form.subscripts):
        inner = form.subscripts[0]
        if isinstance(inner, Affine):
            later = (inner + Affine((), Size.of(1)), *form.subscripts[1:])
            yield replace(form, subscripts=later, padded=True)


def doubled_term(equation: Equation, program: Program) -> Iterator[Change]:
    """A contribution among several, twice; a term of a sum, twice."""
    if len(program.writers[equation.target.tensor]) > 1 and equation.op == "sum":
        yield "twice", equation.with_body(2 * equation.body)
    for term in terms(equation.body):
        yield f"twice {term}", equation.with_body(equation.body.xreplace({term: 2 * term}))


PROGRAM_FAULTS: Mapping[str, Callable[[Equation, Program], Iterator[Change]]] = {
    "factor": other_factor,
    "sign": other_sign,
    "transpose": swapped_read,
    "axis": other_axis,
    "dropped term": lost_term,
    "removed stop": removed_stop,
    "off-by-one gather": shifted_gather,
    "doubled term": doubled_term,
    "1/N": one_over_n,
    "activation for its derivative": other_function,
    "wrong side": other_side,
    "wrong clip side": other_clip,
    "side at a kink": at_a_kink,
    "added stop": added_stop,
}
