"""check: emitted code, or a gradient program, against finite differences of the user's own program.

The oracle evaluates the equations as they are written, point by point; what is under check was
differentiated, rewritten, planned and printed. They share nothing but the equations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from symgrad.algebra.program import Program
from symgrad.errors import SpecError, did_you_mean
from symgrad.notation.printer import equation_text
from symgrad.spec import Loss, Spec, parse_spec
from symgrad.verify.arithmetic import FLOAT64, Array, Digits, Numbers
from symgrad.verify.compare import Claim, Effort, Rule, compare, fallback_scales, value_block
from symgrad.verify.evaluate import evaluate
from symgrad.verify.instance import (
    Instance,
    NoInstance,
    box_points,
    instance_at,
    own_instance,
    small_instance,
)
from symgrad.verify.nearby import Point
from symgrad.verify.spec_text import spec_text
from symgrad.verify.subject import Answer, ModuleSubject, Request, Subject
from symgrad.verify.verdict import Block, Conduct, Report

DIGITS = Digits(60)
SMALL_EFFORT = Effort(entries=64, directions=4)
OWN_EFFORT = Effort(entries=1, directions=4)
SMALL_COST = 400_000  # box points of all 60-digit evaluations of one block
OWN_COST = 30_000_000  # box points of one float64 evaluation

KINDS = ((small_instance, DIGITS, SMALL_EFFORT), (own_instance, FLOAT64, OWN_EFFORT))

Gradient = Callable[[Loss], tuple[Program, Mapping[str, str]]]
"""A loss's gradient program, and its derivative tensor for each name in wrt. It serves the scale S
of rounding and the equation to print, never the number that is compared with."""


@dataclass(frozen=True)
class Case:
    """One loss at one instance."""

    loss: Loss
    instance: Instance
    numbers: Numbers
    effort: Effort

    @property
    def point(self) -> Point:
        return Point(
            self.loss.program,
            self.loss.value,
            self.instance.values,
            self.instance.sizes,
            self.numbers,
        )

    @property
    def where(self) -> str:
        digits = "60 digits" if isinstance(self.numbers, Digits) else "float64"
        sizes = ", ".join(f"{name}={value}" for name, value in self.instance.sizes.items())
        return f"{self.instance.name}, {digits}" + (f": {sizes}" if sizes else "")


def check_module(path: Path, *, gradient: Gradient | None = None, seed: int = 0) -> Report:
    """A generated file against the spec that it states itself. It is run, in its own process."""
    spec = parse_spec(spec_text(path), path.stem, f"{path} (SPEC)")
    return check(spec, ModuleSubject(path), gradient=gradient, seed=seed)


def check(
    spec: Spec,
    subject: Subject,
    *,
    losses: Sequence[str] | None = None,
    gradient: Gradient | None = None,
    seed: int = 0,
    rule: Rule | None = None,
) -> Report:
    """Every block of every loss, at small sizes in 60 digits and at the spec's own in float64."""
    cases, blocks, notes = _cases(spec, _chosen(spec, losses), seed)
    prefix = {loss.name: "" if len(spec.losses) == 1 else f"{loss.name}_" for loss in spec.losses}
    requests = [_request(case, f"{prefix[case.loss.name]}value_and_grad") for case in cases]
    answers = subject.answers(requests) if requests else []
    conduct: list[Conduct] = []
    for case, answer in zip(cases, answers, strict=True):
        blocks += _blocks(case, answer, gradient, rule or Rule(), seed)
        conduct += _conduct(case, answer)
    return Report(subject.name, tuple(blocks), tuple(dict.fromkeys(conduct)), tuple(notes))


def check_program(
    program: Program,
    loss: str,
    gradient: Program,
    wrt: Mapping[str, str],
    *,
    sizes: Mapping[str, int] | None = None,
    values: Mapping[str, Array] | None = None,
    seed: int = 0,
) -> Report:
    """A gradient program, evaluated in 60 digits, against differences of the program it came from.

    wrt: the derivative tensor of each name, as `reverse` returns it.
    """
    try:
        if values is not None:
            instance = Instance("given inputs", sizes or {}, values, "as given")
        elif sizes is not None:
            instance = instance_at(program, loss, sizes, seed)
        else:
            instance = small_instance(program, loss, (), seed)
    except NoInstance as reason:
        return Report(loss, (), notes=(str(reason),))
    point = Point(program, loss, instance.values, instance.sizes, DIGITS)
    exact = evaluate(gradient, instance.values, instance.sizes, DIGITS, outputs=tuple(wrt.values()))
    rule = Rule(tolerance=1e-28, rounding=1e-50)
    blocks = []
    for name, derivative in wrt.items():
        array = exact.values[derivative]
        scales = np.abs(array.astype(float))
        claim = Claim(name, array, scales, _defining(gradient, derivative))
        effort = _affordable(program, instance, SMALL_EFFORT)
        blocks.append(compare(point, claim, instance.name, effort, rule, seed))
    return Report(loss, tuple(blocks))


def _chosen(spec: Spec, names: Sequence[str] | None) -> tuple[Loss, ...]:
    known = {loss.name: loss for loss in spec.losses}
    for name in names or ():
        if name not in known:
            raise SpecError(f'no loss "{name}"{did_you_mean(name, known)}')
    return spec.losses if names is None else tuple(known[name] for name in names)


def _cases(
    spec: Spec, losses: Sequence[Loss], seed: int
) -> tuple[list[Case], list[Block], list[str]]:
    """Both instances of every loss; in place of one that cannot be had, blocks left in doubt."""
    cases: list[Case] = []
    doubts: list[Block] = []
    notes: list[str] = []
    checks = [size for size, _ in spec.checks]
    for loss in losses:
        for make, numbers, effort in KINDS:
            try:
                instance = make(loss.program, loss.value, checks, seed)
            except NoInstance as reason:
                doubts += [_unchecked(loss, name, str(reason)) for name in loss.wrt]
                continue
            points = box_points(loss.program, instance.sizes)
            if points > OWN_COST:
                notes.append(f"{loss.name}: not checked at its {instance.name}: {points} points")
            else:
                effort = _affordable(loss.program, instance, effort)
                cases.append(Case(loss, instance, numbers, effort))
    return cases, doubts, notes


def _unchecked(loss: Loss, name: str, reason: str) -> Block:
    return Block(loss.name, name, "not run", 0, 0, 0, 0, None, "INCONCLUSIVE", note=reason)


def _affordable(program: Program, instance: Instance, effort: Effort) -> Effort:
    """Fewer entries where each costs much; at least 8."""
    points = max(1, box_points(program, instance.sizes))
    return replace(effort, entries=min(effort.entries, max(8, SMALL_COST // (2 * points))))


def _request(case: Case, function: str) -> Request:
    role = {t.name: t.role for t in case.loss.program.tensors}
    values = case.instance.values
    return Request(
        function,
        {name: array for name, array in values.items() if role[name] == "param"},
        {name: array for name, array in values.items() if role[name] == "data"},
        case.instance.sizes,
        case.loss.wrt,
    )


def _blocks(
    case: Case, answer: Answer, gradient: Gradient | None, rule: Rule, seed: int
) -> list[Block]:
    """The value, then every tensor in wrt."""
    if answer.error:
        return []
    point, loss = case.point, case.loss
    scales = fallback_scales(answer.gradients, answer.value)
    equations = {name: _reading(loss.program, name) for name in loss.wrt}
    if gradient is not None:
        program, derivative = gradient(loss)
        equations = {name: _defining(program, derivative[name]) for name in loss.wrt}
        scales |= _scales(case, program, derivative)
    written = _defining(loss.program, loss.value)
    blocks = [value_block(point, answer.value, case.where, rule, written)]
    for name in loss.wrt:
        array = answer.gradients.get(name)
        if array is None:
            missing = _unchecked(loss, name, "no such gradient came back")
            blocks.append(replace(missing, instance=case.where, verdict="FAIL"))
            continue
        claim = Claim(name, array, scales[name], equations[name])
        blocks.append(compare(point, claim, case.where, case.effort, rule, seed))
    return [replace(block, loss=loss.name) for block in blocks]


def _scales(case: Case, program: Program, derivative: Mapping[str, str]) -> dict[str, Array]:
    """S of every gradient entry, where it is finite."""
    found = evaluate(
        program,
        case.instance.values,
        case.instance.sizes,
        case.numbers,
        outputs=tuple(derivative[name] for name in case.loss.wrt),
        magnitude=True,
    )
    arrays = {name: found.magnitudes[derivative[name]].astype(float) for name in case.loss.wrt}
    return {name: array for name, array in arrays.items() if np.all(np.isfinite(array))}


def _conduct(case: Case, answer: Answer) -> list[Conduct]:
    """What the runner saw, and whether the workspace changes the numbers."""
    name = case.loss.name
    if answer.error:
        return [Conduct(name, f"it runs ({case.where})", "FAIL", answer.error)]
    found = [
        Conduct(name, claim, "FAIL" if broken else "PASS", broken)
        for claim, broken in answer.conduct.items()
    ]
    if answer.again is not None:
        broken = _apart(answer, *answer.again)
        claim = "a workspace changes no number"
        found.append(Conduct(name, claim, "FAIL" if broken else "PASS", broken))
    return found


def _apart(answer: Answer, value: float, gradients: Mapping[str, Array]) -> str:
    """What differs with a workspace by more than rounding of a block's largest entry."""
    pairs = {"the value": (np.asarray(answer.value), np.asarray(value))}
    pairs |= {
        f"the gradient by {name}": (array, gradients.get(name, np.asarray(np.nan)))
        for name, array in answer.gradients.items()
    }
    for what, (first, second) in pairs.items():
        if first.shape != second.shape or not np.allclose(
            second,
            first,
            rtol=0,
            atol=1e-13 * float(np.abs(first).max(initial=0.0)),
            equal_nan=True,
        ):
            return f"{what} differs"
    return ""


def _defining(program: Program, name: str) -> str:
    """The equations that write a tensor."""
    written = program.writers.get(name, ())
    return "; ".join(equation_text(equation, program) for equation in written)


def _reading(program: Program, name: str) -> str:
    """The first equation that reads a tensor."""
    for equation in program.equations:
        if any(access.tensor == name for access in equation.reads):
            return equation_text(equation, program)
    return ""
