"""What a module and its functions say of themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

from sympy import Expr, Mul

from symgrad.algebra.access import Affine
from symgrad.algebra.program import Equation, Program, Tensor
from symgrad.algebra.scalars import Stop, kinks_in
from symgrad.emit.layout import WIDTH, prose
from symgrad.emit.literals import size_expression
from symgrad.notation.canonical import type_text
from symgrad.notation.printer import equation_text
from symgrad.spec import Spec


def module_doc(
    spec: Spec, derived: Iterable[Sequence[str]], identities: Sequence[str]
) -> list[str]:
    """The lines of the module's docstring; `derived`: headings, each with equations under it."""
    lines = [*title(spec), "", *_forward(spec)]
    shown = set(lines)
    for heading, *equations in derived:
        new = [line for line in equations if f"    {line}" not in shown]
        lines += ["", heading, *(f"    {line}" for line in new)]
    lines += ["", "Shapes", *(f"    {t.name}: {declared(t)}" for t in spec.tensors)]
    lines += [f"    {name}: {note}" for name, note in spec.notes]
    lines += [f"    {name} = {size_expression(size)}" for name, size in spec.derived]
    programs = [spec.shared, *(loss.program for loss in spec.losses)]
    lines += ["", *_conventions(programs, identities)]
    return [_escaped(piece) for line in lines for piece in wrapped(line)]


def title(spec: Spec) -> list[str]:
    about = " ".join(spec.description.split())
    return prose(f"{spec.name}: {about}" if about else f"{spec.name}.", width=WIDTH - 3)


def declared(tensor: Tensor) -> str:
    """A tensor's type as a spec writes it, without how it starts."""
    return type_text(tensor).partition(" init=")[0]


def wrapped(line: str) -> list[str]:
    """A line over as many as it takes, those after the first deeper than it."""
    lead = " " * (len(line) - len(line.lstrip()))
    return prose(line.lstrip(), lead, "    ") or [""]


def _escaped(line: str) -> str:
    """As it may stand between three double quotes."""
    plain = "".join(c if c.isprintable() else "?" for c in line)
    return plain.replace("\\", "\\\\").replace('"', "'")


def _forward(spec: Spec) -> list[str]:
    lines = ["Forward", *(f"    {equation_text(e, spec.shared)}" for e in spec.shared.equations)]
    for loss in spec.losses:
        own = [e for e in loss.program.equations if e not in spec.shared.equations]
        if own:
            lines += ["", f"Loss {loss.name}"]
            lines += [f"    {equation_text(e, loss.program)}" for e in own]
    return lines


def _conventions(programs: Sequence[Program], identities: Sequence[str]) -> list[str]:
    """Kinks, what is held constant, how sums are divided, what was rewritten."""
    bodies = [e.body for p in programs for e in p.equations]
    kinks = list(dict.fromkeys(kink for body in bodies for kink in kinks_in(body)))
    pairs = [(e, p) for p in programs for e in p.equations]
    held = dict.fromkeys(equation_text(e, p) for e, p in pairs if e.body.has(Stop))
    divided = dict.fromkeys(line for e, _ in pairs for line in _divided(e))
    lines = ["At kinks: " + "; ".join(kinks) + "." if kinks else "At kinks: there are none."]
    stops = ", and what stop() holds in" if held else "."
    lines += [f"Held constant: what wrt does not name{stops}"]
    lines += [f"    {text}" for text in held]
    batch = "; ".join(divided) if divided else "sums stand as the equations write them, undivided"
    lines += [f"Reduction: {batch}."]
    rewritten = "; ".join(identities) if identities else "nothing"
    return [*lines, f"Rewritten to stay finite: {rewritten}."]


def _divided(equation: Equation) -> list[str]:
    """What a sum is divided by: `loss is summed over b and divided by B`."""
    number, rest = equation.body.as_coeff_Mul()
    below = [1 / factor for factor in Mul.make_args(rest) if _is_inverse_size(factor, equation)]
    literal = prod(equation.range_of[i].count.constant or 1 for i in equation.reduced)
    averages = below or (literal > 1 and number.q % literal == 0)
    if not (equation.reduced and averages):
        return []
    over, by = ", ".join(equation.reduced), Mul(number.q, *below)
    return [f"{equation.target.tensor} is summed over {over} and divided by {by}"]


def _is_inverse_size(factor: Expr, equation: Equation) -> bool:
    base, exponent = factor.as_base_exp()
    slots = [equation.slot_of.get(s) for s in base.free_symbols]
    sizes = [slot for slot in slots if isinstance(slot, Affine) and not slot.indices]
    return bool(exponent.is_negative and slots and len(sizes) == len(slots))


def function_doc(
    data: Sequence[Tensor],
    sizes: Sequence[str],
    results: Sequence[str],
    wrt: Sequence[str],
    outputs: bool,
    along: tuple[str, str] | None = None,
) -> list[str]:
    """The lines of a function's docstring. along: a product's direction, and what it is."""
    aux = results[1:]
    if along is not None:
        aux, first = (), f"{along[1].format(wrt=', '.join(wrt))}."
    elif outputs:
        first = f"The outputs {', '.join(results)}." if aux else f"The output {results[0]}."
    else:
        first = "The loss and its gradient" if wrt else "The loss"
        first += f" by {', '.join(wrt)}." if wrt else "."
    lines = prose(f'"""{first}', "    ", "    ")
    if along is not None:
        lines += ["", *prose(f"{along[0]}: {DIRECTION}", "    ", "    ")]
    if data:
        lines += [""] if along is None else []
        lines += [f"    {t.name}: {declared(t)}" for t in data]
    lines += [f"    {name}: a size that no array shows" for name in sizes]
    if aux and not outputs:
        shape = "((loss, aux), gradient)" if wrt else "(loss, aux)"
        lines += ["", *prose(f"Returns {shape}; aux is a dict of {', '.join(aux)}.", "    ")]
    lines += [
        "",
        *prose(FRESH + (COPIED if data else ""), "    "),
    ]
    return [*lines, '    """']


DIRECTION = "a direction: a gradient's like, or a vector laid out as its `flat`"
FRESH = "What comes back is new; with a workspace it lives there until this function's next call."
COPIED = " An array of another type or layout is copied first, with a workspace into it."
