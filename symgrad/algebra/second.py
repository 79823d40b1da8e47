"""Second derivatives, by differentiating a gradient program again:

    H v = d/de grad L(w + e*v) at e = 0 = grad (grad L(w) . v)

The first form is a tangent of the gradient (forward over reverse), the second a gradient of a
scalar (reverse over reverse). Both are programs again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sympy.core.parameters import distribute

from symgrad.algebra.access import Access
from symgrad.algebra.derive import Derived, forward, reverse
from symgrad.algebra.heads import split_heads
from symgrad.algebra.program import (
    Program,
    Range,
    Tensor,
    fresh_name,
    make_equation,
    slot_symbol,
)
from symgrad.algebra.sizes import ZERO


def directions(program: Program, names: Sequence[str]) -> dict[str, str]:
    """The direction of each tensor X: v_X, or with the first number that makes it new."""
    taken = set(program.names)
    found: dict[str, str] = {}
    for name in names:
        found[name] = fresh_name(f"v_{name}", taken)
        taken.add(found[name])
    return found


def with_directions(program: Program, names: Sequence[str]) -> tuple[Program, dict[str, str]]:
    """The program with a direction of each tensor among its data, so that no new name meets one."""
    along = directions(program, names)
    new = [Tensor(v, program.tensor_of[x].shape, role="data") for x, v in along.items()]
    return program.extended(new, (), program.outputs), along


def forward_over_reverse(
    program: Program, value: str, wrt: Sequence[str], along: Mapping[str, str] | None = None
) -> Derived:
    """dX_dot = sum over Y of (d dX / d Y) v_Y: the tangent of the gradient along v.

    Its result gives dX_dot for each X in wrt; the directions v_X are data. along: their names.
    """
    gradient = reverse(program, value, wrt)
    swept = split_heads(gradient.program)
    named = gradient.result
    tangent = forward(swept, along or directions(swept, wrt), tuple(named.values()))
    return replace(tangent, result={x: tangent.result[named[x]] for x in wrt})


def reverse_over_reverse(program: Program, value: str, wrt: Sequence[str]) -> Derived:
    """dX_dot = d/dX of sum over Y of dY . v_Y: the gradient of the gradient's part along v.

    The same results under the same names as `forward_over_reverse`.
    """
    gradient = reverse(program, value, wrt)
    swept, along = with_directions(gradient.program, wrt)
    slope = swept.fresh(f"{value}_dot")
    pairs = {gradient.result[x]: v for x, v in along.items()}
    inner = split_heads(inner_product(swept, pairs, slope))
    second = reverse(inner, slope, wrt)
    fresh = second.program.fresh
    wanted = {second.result[x]: fresh(f"{gradient.result[x]}_dot") for x in wrt}
    return replace(
        second,
        program=renamed(second.program, wanted),
        result={x: wanted[name] for x, name in second.result.items()},
        name_of={x: wanted.get(name, name) for x, name in second.name_of.items()},
    )


def inner_product(program: Program, pairs: Mapping[str, str], slope: str) -> Program:
    """slope += X[i,...] * Y[i,...] for each X: Y of the pairs, which have one shape."""
    equations = []
    for x, y in pairs.items():
        box = plain_box(program, x)
        reads = [Access.plain(name, tuple(r.index for r in box)) for name in (x, y)]
        body = slot_symbol(reads[0]) * slot_symbol(reads[1])
        equations.append(make_equation(Access(slope), body, reads, box, origin=f"{x} along {y}"))
    return program.extended([Tensor(slope)], equations, (slope,))


def plain_box(program: Program, name: str) -> list[Range]:
    """An index for each axis of a tensor, whose names no tensor, size or function has."""
    taken = {*program.tensor_of, *dict(program.sizes), *dict(program.functions)}
    shape = program.tensor_of[name].shape
    free = [letter for letter in "ijklmnpqrstuv" if letter not in taken]
    while len(free) < len(shape):
        free.append(fresh_name("i", {*taken, *free, "i"}))
    return [Range(i, ZERO, size) for i, size in zip(free, shape, strict=False)]


def renamed(program: Program, names: Mapping[str, str]) -> Program:
    """The program with some tensors under new names, which nothing in it has yet."""

    def new(name: str) -> str:
        return names.get(name, name)

    with distribute(False):
        program = program.map_equations(lambda e: e.renamed(new))
    return replace(
        program,
        tensors=tuple(replace(t, name=new(t.name)) for t in program.tensors),
        outputs=tuple(map(new, program.outputs)),
    )
