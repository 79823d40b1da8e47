"""The whole story: spec -> program -> stabilise -> derive -> simplify -> plan -> render."""

from __future__ import annotations

from dataclasses import replace

from symgrad.algebra.derive import reverse
from symgrad.algebra.heads import split_heads
from symgrad.algebra.program import Program
from symgrad.algebra.simplify import simplify
from symgrad.emit.backends import DEFAULT, backend_of
from symgrad.emit.module import Along, Function
from symgrad.notation.printer import equation_text
from symgrad.plan.plan import plan
from symgrad.products import Gradient, derive_product, stable
from symgrad.spec import Loss, Spec
from symgrad.spec.products import Product


def derive(loss: Loss) -> Gradient:
    """The user's own program, differentiated as it stands: what a derivation explains."""
    program = split_heads(loss.program)
    return Gradient(loss, program, reverse(program, loss.value, loss.wrt))


def derive_stable(loss: Loss) -> Gradient:
    """The stabilised program, differentiated: what a module computes."""
    program, identities = stable(loss.program)
    derived = reverse(program, loss.value, loss.wrt)
    return Gradient(loss, program, derived, identities, loss.program.outputs)


def optimised(gradient: Gradient) -> Program:
    """Value, aux and derivatives as one program, ready to be planned."""
    outputs = (*gradient.returned, *gradient.derived.result.values())
    return simplify(split_heads(replace(gradient.derived.program, outputs=outputs)))


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
        for product in (row for name, row in spec.products if name == loss.name):
            found = derive_product(spec, loss, product.name)
            identities |= dict.fromkeys(found.identities)
            functions.append(product_function(f"{prefix}{product.name}", found, product))
    row = backend_of(backend)
    return row.text(spec, functions, tuple(identities), row.printer)


def forward_function(name: str, shared: Program) -> Function:
    program, _ = stable(shared)
    return Function(name, program, plan(program), program.outputs)


def value_function(name: str, gradient: Gradient) -> Function:
    program = simplify(gradient.program)
    return Function(name, program, plan(program), program.outputs, loss=gradient.loss)


def gradient_function(name: str, gradient: Gradient) -> Function:
    program, result = optimised(gradient), gradient.derived.result
    shown = (f"Gradient ({name}); dX stands for dL/dX.", *equations_of(program))
    planned = plan(program, tuple(result.values()))
    return Function(name, program, planned, gradient.returned, result, shown, gradient.loss)


def product_function(name: str, found: Gradient, product: Product) -> Function:
    """The dX_dot, laid out as a gradient is; or loss_dot, which is returned as the loss is."""
    program, result = optimised(found), found.derived.result
    of_loss = found.loss.value in result
    results = program.outputs if of_loss else ()
    gradient = {} if of_loss else result
    formula = product.formula.format(through=", ".join(found.through))
    shown = (f"Product ({name}); {formula}.", *equations_of(program))
    planned = plan(program, tuple(gradient.values()))
    along = Along(found.along, product.said)
    return Function(name, program, planned, results, gradient, shown, found.loss, along)


def equations_of(program: Program) -> tuple[str, ...]:
    return tuple(equation_text(e, program) for e in program.equations)
