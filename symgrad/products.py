"""What each row of spec.products is made by: derivatives of a loss along a direction, as programs.

jvp    forward                          ggn, fvp    cut at the outputs: see algebra.gauss_newton
hvp    forward over reverse
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from symgrad.algebra.derive import Derived, forward
from symgrad.algebra.gauss_newton import cut, damped, gauss_newton
from symgrad.algebra.heads import split_heads
from symgrad.algebra.program import Program
from symgrad.algebra.second import forward_over_reverse, with_directions
from symgrad.algebra.simplify import simplify
from symgrad.algebra.stabilise import stabilise
from symgrad.spec import Loss, Spec


@dataclass(frozen=True)
class Gradient:
    """A loss's derivative: the program that was differentiated, and what came of it.

    returned:       what is returned beside the derivatives.
    along, through: of a product, the direction of each X, and the outputs that it goes through.
    """

    loss: Loss
    program: Program
    derived: Derived
    identities: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    along: Mapping[str, str] = field(default_factory=dict)
    through: tuple[str, ...] = ()


def stable(program: Program) -> tuple[Program, tuple[str, ...]]:
    """The program in stable forms, each head its own equation, and the identities used."""
    program, identities = stabilise(split_heads(program))
    return simplify(split_heads(program)), identities


def derive_product(spec: Spec, loss: Loss, product: str) -> Gradient:
    """A product of the spec's loss along a direction v, of stabilised programs: a row of BUILDERS.

    Its result holds what each function returns: dX_dot for each X, or loss_dot.
    """
    return BUILDERS[product](loss, spec.through)


def _slope(loss: Loss, through: tuple[str, ...]) -> Gradient:
    program, identities = stable(loss.program)
    program, along = with_directions(program, loss.wrt)
    derived = forward(program, along, (loss.value,))
    return Gradient(loss, program, derived, identities, (loss.value,), along)


def _hessian(loss: Loss, through: tuple[str, ...]) -> Gradient:
    program, identities = stable(loss.program)
    program, along = with_directions(program, loss.wrt)
    derived = forward_over_reverse(program, loss.value, loss.wrt, along)
    return Gradient(loss, program, derived, identities, (), along)


def _gauss_newton(loss: Loss, through: tuple[str, ...], damp: bool = False) -> Gradient:
    """Cut before it is stabilised: an identity that reaches over z would lose it."""
    severed, above = cut(loss.program, [z for z in through if z != loss.value])
    program, identities = stable(severed)
    found = gauss_newton(program, above, loss.value, loss.wrt)
    derived = (damped(found) if damp else found).derived
    return Gradient(loss, program, derived, identities, (), found.along, found.through)


BUILDERS: Mapping[str, Callable[[Loss, tuple[str, ...]], Gradient]] = {
    "jvp": _slope,
    "hvp": _hessian,
    "ggn": _gauss_newton,
    "fvp": partial(_gauss_newton, damp=True),
}
"""What makes each row of spec.products."""
