"""The whole story: spec -> program -> stabilise -> derive -> simplify -> plan -> render."""

from __future__ import annotations

from dataclasses import dataclass, replace

from symgrad.algebra.derive import Derived, reverse
from symgrad.algebra.heads import split_heads
from symgrad.algebra.program import Program
from symgrad.algebra.simplify import simplify
from symgrad.algebra.stabilise import stabilise
from symgrad.emit.backends import DEFAULT, backend_of
from symgrad.emit.module import Function
from symgrad.notation.printer import equation_text
from symgrad.plan.plan import plan
from symgrad.spec import Loss, Spec


@dataclass(frozen=True)
class Gradient:
    """A loss's derivative: the program that was differentiated, and what came of it."""

    loss: Loss
    program: Program
    derived: Derived
    identities: tuple[str, ...] = ()


def derive(loss: Loss) -> Gradient:
    """The user's own program, differentiated as it stands: what a derivation explains."""
    program = split_heads(loss.program)
    return Gradient(loss, program, reverse(program, loss.value, loss.wrt))


def derive_stable(loss: Loss) -> Gradient:
    """The stabilised program, differentiated: what a module computes."""
    program, identities = stabilise(split_heads(loss.program))
    program = simplify(split_heads(program))
    return Gradient(loss, program, reverse(program, loss.value, loss.wrt), identities)


def optimised(gradient: Gradient) -> Program:
    """Value, aux and gradient as one program, ready to be planned."""
    results = gradient.derived.result.values()
    program = replace(gradient.derived.program, outputs=(*gradient.loss.program.outputs, *results))
    return simplify(split_heads(program))


def generate(spec: Spec, backend: str = DEFAULT) -> str:
    """The text of the spec's module, as a backend writes it. Same spec, same bytes."""
    functions: list[Function] = []
    identities: dict[str, None] = {}
    functions += [forward_function(name, program) for name, program in spec.forwards]
    for loss in spec.losses:
        prefix = "" if len(spec.losses) == 1 else f"{loss.name}_"
        gradient = derive_stable(loss)
        identities |= dict.fromkeys(gradient.identities)
        functions.append(value_function(f"{prefix}value", gradient))
        functions.append(gradient_function(f"{prefix}value_and_grad", gradient))
    row = backend_of(backend)
    return row.text(spec, functions, tuple(identities), row.printer)


def forward_function(name: str, shared: Program) -> Function:
    program, _ = stabilise(split_heads(shared))
    program = simplify(split_heads(program))
    return Function(name, program, plan(program), program.outputs, {}, (), positional=True)


def value_function(name: str, gradient: Gradient) -> Function:
    program = simplify(gradient.program)
    return Function(name, program, plan(program), program.outputs, {}, ())


def gradient_function(name: str, gradient: Gradient) -> Function:
    program, result = optimised(gradient), gradient.derived.result
    shown = tuple(equation_text(e, program) for e in program.equations)
    planned = plan(program, tuple(result.values()))
    return Function(name, program, planned, gradient.loss.program.outputs, result, shown)
