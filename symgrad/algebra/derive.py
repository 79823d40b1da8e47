"""Differentiation of programs. The adjoint of reading X[g(I)] is adding into it:

    dX[g(I)] += dT[f(I)] * w * (d body / d slot)        over the same box,

with w = 1 for a sum, expdiff(body, T[f(I)]) for logsumexp, 0 for argmax. The tangent is the same
line with the reads left where they are. Both return programs, so they can be applied again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Expr, S, Symbol
from sympy.core.parameters import distribute

from symgrad.algebra.access import Access
from symgrad.algebra.order import Loop, schedule
from symgrad.algebra.program import (
    Equation,
    Program,
    Range,
    Slot,
    Tensor,
    fresh_name,
    make_equation,
    slot_symbol,
)
from symgrad.algebra.scalars import FUNCTIONS, absorb
from symgrad.algebra.sizes import ZERO
from symgrad.errors import ProgramError, did_you_mean


@dataclass(frozen=True)
class Partial:
    """w * d body / d slot of one equation, with forward values reused: a factor of the chain."""

    equation: Equation
    read: Access
    slope: Expr
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class Derived:
    """A differentiated program.

    program:  forward equations, then the derivative's; its outputs are `result`'s values.
    result:   the derivative tensor of each name asked for.
    partials: the local partials, in the order in which they were used.
    name_of:  the derivative tensor of every tensor that has one.
    """

    program: Program
    result: Mapping[str, str]
    partials: tuple[Partial, ...]
    name_of: Mapping[str, str]


def partials(equation: Equation, program: Program) -> list[Partial]:
    """The nonzero local partials of an equation, by the real tensors that it reads."""
    if equation.op == "argmax":
        return []
    own = slot_symbol(equation.target)
    reuse = (
        equation.assigns
        and len(program.writers[equation.target.tensor]) == 1
        and not equation.body.is_Symbol
    )
    value = {**dict(equation.slots), own: equation.target}
    found = []
    for symbol, read in equation.slots:
        if not isinstance(read, Access) or program.tensor_of[read.tensor].kind != "real":
            continue
        slope = equation.body.diff(symbol)
        if equation.op == "logsumexp":
            slope = absorb(FUNCTIONS["expdiff"](equation.body, own), slope)
        elif reuse and not equation.body.is_number:
            slope = slope.xreplace({equation.body: own})
        if slope != S.Zero:
            found.append(
                Partial(equation, read, slope, tuple(value[s] for s in _ordered(slope, value)))
            )
    return found


def _ordered(expression: Expr, known: Mapping[Symbol, Slot]) -> list[Symbol]:
    return sorted((s for s in expression.free_symbols if s in known), key=lambda s: s.name)


def reverse(program: Program, value: str, wrt: Sequence[str]) -> Derived:
    """dvalue/dX for each X in wrt: reads turn into writes, equations in reverse order, once each.

    value: a rank-0 real tensor; wrt: real tensors. What value does not depend on gets zero.
    Cost: one equation for each nonzero local partial on a path from wrt to value.
    """
    _check(program, (value, *wrt))
    if program.tensor_of[value].shape:
        shape = ", ".join(str(size) for size in program.tensor_of[value].shape)
        raise ProgramError(
            f'"{value}" has shape ({shape}); only a scalar has a gradient: use sum or mean'
        )
    with distribute(False):
        local = [p for e in _backwards(program) for p in partials(e, program)]
        links = [(p.read.tensor, p.equation.target.tensor) for p in local]
        needed = _reached(wrt, links) & _reached((value,), [(b, a) for a, b in links])
        used = tuple(
            p for p in local if p.read.tensor in needed and p.equation.target.tensor in needed
        )
        name_of = _names(program, {*needed, *wrt}, "d{}")
        adjoints = [_adjoint(p, name_of) for p in used]
        if needed:
            seed = Access(name_of[value])
            adjoints.insert(
                0, make_equation(seed, S.One, (), (), assigns=True, origin=f"{value} by itself")
            )
    return _derived(program, adjoints, used, name_of, wrt)


def _adjoint(partial: Partial, name_of: Mapping[str, str]) -> Equation:
    equation = partial.equation
    upstream = equation.target.of(name_of[equation.target.tensor])
    return make_equation(
        partial.read.of(name_of[partial.read.tensor]),
        absorb(slot_symbol(upstream), partial.slope),
        (upstream, *partial.slots),
        equation.box,
        origin=f"{partial.read} is read by {equation.target}",
    )


def forward(program: Program, seeds: Mapping[str, str], of: Sequence[str]) -> Derived:
    """The tangents of `of` where the tangent of each X in `seeds` is the tensor seeds[X].

    T_dot[f(I)] += w * (d body / d slot) * X_dot[g(I)], over the same box, for each read of X.
    A seed that is not yet a tensor of the program is declared as data of X's shape.
    """
    _check(program, (*seeds, *of))
    with distribute(False):
        local = [p for e in program.equations for p in partials(e, program)]
        active = _reached(tuple(seeds), [(p.read.tensor, p.equation.target.tensor) for p in local])
        # The tangent of a seed is given, whatever the seed is computed from.
        used = tuple(
            p for p in local if p.read.tensor in active and p.equation.target.tensor not in seeds
        )
        name_of = {**_names(program, {*active, *of} - set(seeds), "{}_dot"), **seeds}
        tangents = [_tangent(p, name_of) for p in used]
    new = {name: Tensor(name, program.tensor_of[x].shape, role="data") for x, name in seeds.items()}
    declared = replace(
        program,
        tensors=(*program.tensors, *(t for n, t in new.items() if n not in program.tensor_of)),
    )
    return _derived(declared, tangents, used, name_of, of)


def _tangent(partial: Partial, name_of: Mapping[str, str]) -> Equation:
    equation = partial.equation
    inner = partial.read.of(name_of[partial.read.tensor])
    return make_equation(
        equation.target.of(name_of[equation.target.tensor]),
        absorb(slot_symbol(inner), partial.slope),
        (inner, *partial.slots),
        equation.box,
        origin=f"{equation.target} reads {partial.read}",
    )


def _derived(
    program: Program,
    equations: Sequence[Equation],
    used: tuple[Partial, ...],
    name_of: Mapping[str, str],
    asked: Sequence[str],
) -> Derived:
    """The program with its new tensors; a derivative that nothing contributes to is set to zero."""
    written = {e.target.tensor for e in equations} | set(program.tensor_of)
    zeros = [
        _zero(program.tensor_of[name], name_of[name], program)
        for name in asked
        if name_of[name] not in written
    ]
    shapes = {new: program.tensor_of[old].shape for old, new in name_of.items()}
    new = dict.fromkeys(e.target.tensor for e in (*equations, *zeros))
    result = {name: name_of[name] for name in asked}
    return Derived(
        program.extended(
            [Tensor(name, shapes[name]) for name in new],
            (*equations, *zeros),
            tuple(dict.fromkeys(result.values())),
        ),
        result,
        used,
        {old: name for old, name in name_of.items() if name in new},
    )


def _zero(tensor: Tensor, name: str, program: Program) -> Equation:
    taken = {*program.tensor_of, *dict(program.sizes)}
    letters = [i for i in "ijklmnpqrstuvwabcdefgh" if i not in taken] + [
        fresh_name("i", taken | {"i"})
    ]
    box = tuple(
        Range(index, ZERO, size) for index, size in zip(letters, tensor.shape, strict=False)
    )
    target = Access.plain(name, tuple(r.index for r in box))
    return make_equation(
        target, S.Zero, (), box, assigns=True, origin=f"nothing depends on {tensor.name}"
    )


def _backwards(program: Program) -> Iterator[Equation]:
    for group in reversed(schedule(program)):
        yield from (
            reversed([s.equation for s in group.steps]) if isinstance(group, Loop) else (group,)
        )


def _reached(start: Sequence[str], links: Sequence[tuple[str, str]]) -> set[str]:
    """Every name that the links lead to from `start`, itself included."""
    after: dict[str, list[str]] = {}
    for a, b in links:
        after.setdefault(a, []).append(b)
    found, waiting = set(start), list(start)
    while waiting:
        for name in after.get(waiting.pop(), ()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def _names(program: Program, tensors: set[str], pattern: str) -> dict[str, str]:
    """A new name for each tensor, in program order."""
    taken = set(program.names)
    names: dict[str, str] = {}
    for tensor in program.tensors:
        if tensor.name in tensors:
            names[tensor.name] = fresh_name(pattern.format(tensor.name), taken)
            taken.add(names[tensor.name])
    return names


def _check(program: Program, names: Sequence[str]) -> None:
    for name in names:
        if name not in program.tensor_of:
            raise ProgramError(f'unknown tensor "{name}"{did_you_mean(name, program.tensor_of)}')
        if program.tensor_of[name].kind != "real":
            raise ProgramError(
                f'"{name}" is {program.tensor_of[name].kind}; only real tensors have derivatives'
            )
