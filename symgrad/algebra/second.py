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


def forward_over_reverse(program: Program, value: str, wrt: Sequence[str]) -> Derived:
    """dX_dot = sum over Y of (d dX / d Y) v_Y: the tangent of the gradient along v.

    Its result gives dX_dot for each X in wrt; the directions v_X are data.
    """
    gradient = reverse(program, value, wrt)
    swept = split_heads(gradient.program)
    named = gradient.result
    tangent = forward(swept, directions(swept, wrt), tuple(named.values()))
    return replace(tangent, result={x: tangent.result[named[x]] for x in wrt})


def reverse_over_reverse(program: Program, value: str, wrt: Sequence[str]) -> Derived:
    """dX_dot = d/dX of sum over Y of dY . v_Y: the gradient of the gradient's part along v.

    The same results under the same names as `forward_over_reverse`.
    """
    gradient = reverse(program, value, wrt)
    along = directions(gradient.program, wrt)
    slope = fresh_name(f"{value}_dot", {*gradient.program.names, *along.values()})
    inner = split_heads(_inner_product(gradient, along, slope))
    second = reverse(inner, slope, wrt)
    fresh = second.program.fresh
    wanted = {second.result[x]: fresh(f"{gradient.result[x]}_dot") for x in wrt}
    return replace(
        second,
        program=renamed(second.program, wanted),
        result={x: wanted[name] for x, name in second.result.items()},
        name_of={x: wanted.get(name, name) for x, name in second.name_of.items()},
    )


def _inner_product(gradient: Derived, along: Mapping[str, str], slope: str) -> Program:
    """slope += dX[i,...] * v_X[i,...] for each X; the v_X are declared as data."""
    program = gradient.program
    tensors = [Tensor(v, program.tensor_of[x].shape, role="data") for x, v in along.items()]
    letters = _letters(program, max((len(t.shape) for t in tensors), default=0))
    equations = []
    for x, v in along.items():
        shape = program.tensor_of[x].shape
        box = [Range(i, ZERO, size) for i, size in zip(letters, shape, strict=False)]
        reads = [
            Access.plain(name, tuple(r.index for r in box)) for name in (gradient.result[x], v)
        ]
        body = slot_symbol(reads[0]) * slot_symbol(reads[1])
        origin = f"the gradient by {x} along {v}"
        equations.append(make_equation(Access(slope), body, reads, box, origin=origin))
    return program.extended([*tensors, Tensor(slope)], equations, (slope,))


def _letters(program: Program, count: int) -> list[str]:
    """Index names that no tensor, size or function has."""
    taken = {*program.tensor_of, *dict(program.sizes), *dict(program.functions)}
    free = [letter for letter in "ijklmnpqrstuv" if letter not in taken]
    while len(free) < count:
        free.append(fresh_name("i", {*taken, *free, "i"}))
    return free


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
