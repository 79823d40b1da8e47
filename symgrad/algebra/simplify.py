"""Smaller programs with the same outputs: an ordered list of named passes.

No pass inlines one layer into the next: names that the user knows stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from sympy import Expr, S, Symbol
from sympy.core.parameters import distribute

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.live import drop_dead
from symgrad.algebra.program import Equation, Program, Range, is_whole, slot_symbol


def simplify(program: Program) -> Program:
    """All passes, in order."""
    with distribute(False):
        for _, rewrite in PASSES:
            program = rewrite(program)
    return program


def fold_constants(program: Program) -> Program:
    """dloss = 1; dlse = dloss; dp[b] += dlse*adv[b]  ->  dp[b] += adv[b]."""
    known: dict[Symbol, Expr] = {}
    while (found := _constants(program)) != known:
        known = found
        program = _substituted(program, known)
    return program


def _substituted(program: Program, values: Mapping[Symbol, Expr]) -> Program:
    """Every slot's symbol in a body by its value."""

    def substituted(equation: Equation) -> Equation:
        if values.keys().isdisjoint(equation.slot_of):
            return equation
        return equation.with_body(equation.body.xreplace(values))

    return program.map_equations(substituted)


def _constants(program: Program) -> dict[Symbol, Expr]:
    """The scalars that one equation sets to a number, by the symbol of a slot that reads them."""
    return {
        Symbol(e.target.tensor): e.body
        for e in program.equations
        if e.op == "sum"
        and not e.box
        and not e.target.subscripts
        and e.body.is_Number
        and len(program.writers[e.target.tensor]) == 1
    }


def drop_zeros(program: Program) -> Program:
    """T += 0 beside other contributions  ->  nothing; where all are 0, the first stays."""

    def is_zero(equation: Equation) -> bool:
        return equation.op == "sum" and equation.body == S.Zero

    def kept(equation: Equation) -> bool:
        others = program.writers[equation.target.tensor]
        return not is_zero(equation) or (equation is others[0] and all(map(is_zero, others)))

    return replace(program, equations=tuple(e for e in program.equations if kept(e)))


def join_copies(program: Program) -> Program:
    """T[b,i] += R[b,i] and nothing else into T  ->  R wherever T is read."""
    alias: dict[str, str] = {}
    for equation in program.equations:
        slot = equation.slot_of.get(equation.body) if equation.body.is_Symbol else None
        target = equation.target.tensor
        if (
            equation.op == "sum"
            and isinstance(slot, Access)
            and slot.subscripts == equation.target.subscripts
            and is_whole(equation, program)
            and program.tensor_of[slot.tensor].shape == program.tensor_of[target].shape
            and program.tensor_of[slot.tensor].kind == "real"
            and target not in program.outputs
        ):
            alias[target] = slot.tensor
    return _renamed(program, alias)


def cancel_signs(program: Program) -> Program:
    """R[b] = -Q[b], T[b] = -R[b]  ->  Q wherever T is read."""
    negated: dict[str, Access] = {}
    for equation in program.equations:
        slot = equation.slot_of.get(-equation.body) if (-equation.body).is_Symbol else None
        if (
            equation.op == "sum"
            and isinstance(slot, Access)
            and slot.is_plain
            and not slot.padded
            and program.tensor_of[slot.tensor].kind == "real"
            and slot.subscripts == equation.target.subscripts
            and is_whole(equation, program)
            and program.tensor_of[slot.tensor].shape
            == program.tensor_of[equation.target.tensor].shape
        ):
            negated[equation.target.tensor] = slot
    alias = {
        name: negated[slot.tensor].tensor
        for name, slot in negated.items()
        if slot.tensor in negated and name not in program.outputs
    }
    return _renamed(program, alias)


def share(program: Program) -> Program:
    """T[b] = f(x[b]), U[i] = f(x[i])  ->  T wherever U is read."""
    while True:
        first: dict[object, str] = {}
        alias: dict[str, str] = {}
        rough = {
            name: (program.tensor_of[name].shape, program.tensor_of[name].kind, _outline(equations))
            for name, equations in program.writers.items()
            if all(e.target.is_plain for e in equations)
        }
        alike = Counter(rough.values())
        for name, outline in rough.items():
            if alike[outline] > 1:
                key = (outline, tuple(_canonical(e) for e in program.writers[name]))
                if key in first and name not in program.outputs:
                    alias[name] = first[key]
                else:
                    first.setdefault(key, name)
        if not alias:
            return program
        program = _renamed(program, alias)


PASSES: tuple[tuple[str, Callable[[Program], Program]], ...] = (
    ("fold constants", fold_constants),
    ("drop zeros", drop_zeros),
    ("join copies", join_copies),
    ("cancel signs", cancel_signs),
    ("share", share),
    ("drop dead", drop_dead),
)


def _outline(equations: Iterable[Equation]) -> object:
    """What is the same in all equations that are, and is found at once."""
    return tuple(
        (e.op, len(e.body.args), len(e.box), tuple(sorted(a.tensor for a in e.reads)))
        for e in equations
    )


def _canonical(equation: Equation) -> object:
    """The equation without its target's name and without its letters."""
    rename = {r.index: Affine.index(f"_{n}") for n, r in enumerate(_by_target(equation))}
    slots = {symbol: slot.substitute(rename) for symbol, slot in equation.slots}
    body = equation.body.xreplace({symbol: slot_symbol(slot) for symbol, slot in slots.items()})
    box = tuple((str(rename[r.index]), r.lo, r.hi) for r in _by_target(equation))
    return (equation.op, body, tuple(s.substitute(rename) for s in equation.target.subscripts), box)


def _by_target(equation: Equation) -> list[Range]:
    order = [str(s) for s in equation.target.subscripts]
    return sorted(
        equation.box, key=lambda r: order.index(r.index) if r.index in order else len(order)
    )


def _renamed(program: Program, alias: Mapping[str, str]) -> Program:
    """Reads of each alias become reads of what it stands for; the alias's equations go."""

    def final(name: str) -> str:
        while name in alias:
            name = alias[name]
        return name

    if not alias:
        return program
    kept = tuple(e for e in program.equations if e.target.tensor not in alias)
    return replace(program, equations=kept).map_equations(lambda e: e.renamed(final))
