"""Gauss-Newton products: the Hessian of a loss in some outputs z alone, seen from its inputs X.

    G v = J' H J v        J = dz/dX, H: the Hessian of the loss in z

The program is cut at z: below the cut z is computed, above it z is data, and no sweep crosses it.

    z_dot  = J v          forward, below
    dz_dot = H z_dot      forward over reverse, above
    dX_dot = J' dz_dot    reverse, below

What of X reaches the loss past z, as a penalty on a weight does, is one of the outputs too. G is
positive semidefinite where the loss is convex in them. For a log-likelihood of softmax logits, and
for a divergence KL(old || new) at new = old, G is the Fisher information.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import S
from sympy.core.parameters import distribute

from symgrad.algebra.access import Access
from symgrad.algebra.derive import Derived, forward, reverse
from symgrad.algebra.heads import split_heads
from symgrad.algebra.live import drop_dead
from symgrad.algebra.program import Program, Tensor, fresh_name, make_equation, slot_symbol
from symgrad.algebra.second import inner_product, plain_box, renamed, with_directions
from symgrad.errors import ProgramError, did_you_mean

DAMPING = "damping"


@dataclass(frozen=True)
class GaussNewton:
    """derived: dX_dot of each X. along: the direction of each X. through: the outputs z met."""

    derived: Derived
    along: Mapping[str, str]
    through: tuple[str, ...]


def cut(program: Program, through: Sequence[str]) -> tuple[Program, Mapping[str, str]]:
    """The program with z as data above the cut, and the name of that datum for each z.

    What some z is computed from is below the cut; all other equations are above it.
    """
    for name in through:
        tensor = program.tensor_of.get(name)
        if tensor is None or tensor.role != "computed" or tensor.kind != "real":
            known = [t.name for t in program.tensors if t.role == "computed"]
            raise ProgramError(f'"{name}" is no computed real tensor{did_you_mean(name, known)}')
    below = {e.target.tensor for e in drop_dead(replace(program, outputs=tuple(through))).equations}
    above: dict[str, str] = {}
    for name in through:
        above[name] = program.fresh(f"{name}_cut")
        shape = program.tensor_of[name].shape
        program = program.extended([Tensor(above[name], shape, role="data")], (), program.outputs)
    with distribute(False):
        severed = program.map_equations(
            lambda e: e if e.target.tensor in below else e.renamed(lambda n: above.get(n, n))
        )
    return replace(severed, outputs=tuple(dict.fromkeys((*program.outputs, *through)))), above


def gauss_newton(
    program: Program, above: Mapping[str, str], value: str, wrt: Sequence[str]
) -> GaussNewton:
    """dX_dot = J' H J v for each X in wrt. program, above: as `cut` returns them.

    What comes back is joined again at the cut.
    """
    program, along = with_directions(program, wrt)
    below = forward(program, along, tuple(above))
    moved = {p.equation.target.tensor for p in below.partials}
    tangent = {**{above[z]: dot for z, dot in below.result.items() if z in moved}, **along}
    gradient = reverse(below.program, value, tuple(tangent))
    swept = forward(split_heads(gradient.program), tangent, tuple(gradient.result.values()))
    read = {p.read.tensor for p in gradient.partials}
    outputs = tuple(n for n in (*above, *wrt) if above.get(n, n) in read & tangent.keys())
    moving = {p.equation.target.tensor for p in swept.partials}
    cotangent = {}  # dz_dot of each z, and of each X that is one; what is 0 is left out
    for name in outputs:
        adjoint = gradient.result[above.get(name, name)]
        if adjoint in moving:
            cotangent[name] = swept.result[adjoint]
    program = swept.program
    held = {}
    for name, dot in cotangent.items():
        held[name] = program.fresh(f"{dot}_cut")
        shape = program.tensor_of[name].shape
        program = program.extended([Tensor(held[name], shape, role="data")], (), ())
    slope = program.fresh(f"{value}_dot")
    second = reverse(inner_product(program, held, slope), slope, wrt)
    join = {**{held[n]: cotangent[n] for n in held}, **{above[z]: z for z in above}}
    joined = drop_dead(_joined(second.program, join))
    taken, wanted = {*joined.names}, dict[str, str]()
    for x in wrt:
        wanted[second.result[x]] = fresh_name(f"d{x}_dot", taken - {second.result[x]})
        taken.add(wanted[second.result[x]])
    result = {x: wanted[second.result[x]] for x in wrt}
    name_of = {x: wanted.get(name, name) for x, name in second.name_of.items()}
    derived = Derived(renamed(joined, wanted), result, second.partials, name_of)
    return GaussNewton(derived, along, outputs)


def damped(found: GaussNewton) -> GaussNewton:
    """dX_dot + damping*v_X; damping is a datum, 0 where none is given."""
    program, own = found.derived.program, set(found.derived.result.values())
    name = program.fresh(DAMPING)
    damping = Tensor(name, role="data", default=S.Zero)
    program = program.map_equations(
        lambda e: replace(e, assigns=False) if e.target.tensor in own else e
    )
    equations = []
    for x, dot in found.derived.result.items():
        box = plain_box(program, x)
        read = Access.plain(found.along[x], tuple(r.index for r in box))
        body = slot_symbol(Access(name)) * slot_symbol(read)
        target, origin = read.of(dot), f"{name} times the direction of {x}"
        equations.append(make_equation(target, body, [Access(name), read], box, origin=origin))
    extended = program.extended([damping], equations, program.outputs)
    return replace(found, derived=replace(found.derived, program=extended))


def _joined(program: Program, names: Mapping[str, str]) -> Program:
    """The program with some data replaced by computed tensors of it."""
    kept = tuple(t for t in program.tensors if t.name not in names)
    with distribute(False):
        return replace(program, tensors=kept).map_equations(
            lambda e: e.renamed(lambda n: names.get(n, n))
        )
