"""check: emitted code, or a gradient program, against finite differences of the user's own program.

The oracle evaluates the equations as they are written, point by point; what is under check was
differentiated, rewritten, planned and printed. They share nothing but the equations.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from symgrad.algebra.program import Program
from symgrad.errors import SpecError, did_you_mean
from symgrad.notation.printer import equation_text
from symgrad.spec import Loss, Spec, parse_spec
from symgrad.verify.arithmetic import Array
from symgrad.verify.beside import beside
from symgrad.verify.branches import Branch
from symgrad.verify.cases import (
    DIGITS,
    KINDS,
    SMALL_EACH,
    SMALL_EFFORT,
    Case,
    Kind,
    Target,
    affordable,
    branching,
    instances,
    numbers_of,
)
from symgrad.verify.compare import (
    Claim,
    Rule,
    compare,
    fallback_scales,
    output_block,
    probed,
    unchecked,
)
from symgrad.verify.conduct import RUNS, conduct_of
from symgrad.verify.curves import Worst, curves
from symgrad.verify.evaluate import evaluate
from symgrad.verify.graph import behind
from symgrad.verify.inputs import checked_sizes
from symgrad.verify.instance import Instance, NoInstance, instance_at, small_instance
from symgrad.verify.nearby import Point
from symgrad.verify.points import Layout
from symgrad.verify.small import Small
from symgrad.verify.spec_text import spec_text
from symgrad.verify.subject import Answer, ModuleSubject, Subject
from symgrad.verify.verdict import Block, Conduct, Report

Gradient = Callable[[Loss], tuple[Program, Mapping[str, str]]]
"""A loss's gradient program, and its derivative tensor for each name in wrt. It serves the scale S
of rounding and the equation to print, never the number that is compared with."""


Product = Callable[[Loss, str], tuple[Program, Mapping[str, str], Mapping[str, str]]]
"""The same for a product by its name, and the direction of each name in wrt."""

Watch = Callable[[int, str], None]
"""Told of the work: (n, "") when n more blocks are to be compared, (-1, "W1") when one was."""


@dataclass(frozen=True)
class Oracle:
    """The cases of a spec. Their finite differences are found once; any subject can be judged.

    doubts: blocks that no instance could be had for; notes: what else was not checked.
    """

    cases: tuple[Case, ...]
    equations: Mapping[str, Mapping[str, str]]
    doubts: tuple[Block, ...]
    notes: tuple[str, ...]


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
    product: Product | None = None,
    seed: int = 0,
    rule: Rule | None = None,
    sizes: Mapping[str, int] | None = None,
    small: tuple[Small, Subject] | None = None,
    emitted: Subject | None = None,
    draw: bool = False,
    watch: Watch | None = None,
) -> Report:
    """Every block of every loss, at small sizes in 60 digits and at the spec's own in float64.

    sizes: other sizes to check at too, in 60 digits.
    small: the spec with smaller literals, and what was emitted for it: checked in 60 digits.
    emitted: what is emitted for the spec, where the subject is another: see verify.beside.
    draw:  also the errors of the worst entries against the step.
    An exception in what is under check is a FAIL; a wrong argument of this function a SpecError.
    """
    look = partial(judged, rule=rule, draw=draw, watch=watch)
    shared = partial(prepared, losses=losses, gradient=gradient, product=product, seed=seed)
    if small is None:
        found = look(shared(spec, sizes=sizes, branches=subject.branches), subject)
        if emitted is None or any(rule.claim.startswith(RUNS) for rule in found.conduct):
            return found
        targets, checks = [t for t, _ in _targets(spec, losses)], [size for size, _ in spec.checks]
        rules = beside(targets, checks, subject, emitted, seed)
        return replace(found, conduct=(*found.conduct, *rules))
    anew = shared(small[0].spec, kinds=KINDS[:-1], literals=small[0].said)
    own = shared(spec, sizes=sizes, kinds=KINDS[-1:], branches=subject.branches)
    first, second = look(anew, small[1]), look(own, subject)
    same = Conduct("sizes", "emitted with smaller literals, it is the same code", "PASS")
    return Report(
        subject.name,
        (*first.blocks, *second.blocks),
        (*dict.fromkeys((*first.conduct, *second.conduct)), same),
        (*first.notes, *second.notes),
        (*first.curves, *second.curves),
    )


def prepared(
    spec: Spec,
    *,
    losses: Sequence[str] | None = None,
    gradient: Gradient | None = None,
    product: Product | None = None,
    seed: int = 0,
    sizes: Mapping[str, int] | None = None,
    kinds: Collection[Kind] = KINDS,
    literals: str = "",
    branches: Sequence[Branch] = (),
) -> Oracle:
    """The oracle of a spec, to judge one subject or many.

    literals: which ones were shrunk, `64 -> 5`.
    branches: the size-dependent paths of what is under check.
    """
    cases: list[Case] = []
    doubts: list[Block] = []
    notes: list[str] = []
    equations: dict[str, Mapping[str, str]] = {}
    bounds = [size for size, _ in spec.checks]
    for target, loss in _targets(spec, losses):
        behind, tangents = _behind(target, loss, gradient, product)
        equations[target.label] = _equations(target, behind)
        if not target.product:  # which is looked at where its loss is
            found, missing, said = instances(target, bounds, seed, sizes, kinds)
            beyond, unreached = branching(target, bounds, seed, branches)
            found, missing = [*found, *beyond], [*missing, *unreached]
            notes += said
        for instance, numbers, effort in found:
            chosen = numbers_of(target, instance, numbers)
            cases.append(Case(target, instance, chosen, effort, seed, behind, literals, tangents))
        doubts += [
            unchecked(target.label, name, reason)
            for reason in missing
            for name in target.derivatives or target.outputs
        ]
    return Oracle(tuple(cases), equations, tuple(doubts), tuple(notes))


def _behind(
    target: Target, loss: Loss | None, gradient: Gradient | None, product: Product | None
) -> tuple[tuple[Program, Mapping[str, str]] | None, Mapping[str, str]]:
    """The program of a target's derivatives, where it is known, and the directions in it."""
    if loss is not None and target.product:
        program, dots, tangents = product(loss, target.product) if product else (None, {}, {})
        return (program, dots) if program else None, tangents
    return gradient(loss) if gradient is not None and loss is not None else None, {}


def judged(
    oracle: Oracle,
    subject: Subject,
    rule: Rule | None = None,
    *,
    draw: bool = False,
    watch: Watch | None = None,
) -> Report:
    """What a subject returns, held against an oracle."""
    rule, watch = rule or Rule(), watch or _unwatched
    requests, targets = [c.request for c in oracle.cases], [c.target for c in oracle.cases]
    watch(sum(len((*t.returned, *t.derivatives)) for t in targets), "")
    answers = subject.answers(requests) if requests else []
    found: list[Worst] = []
    conduct: list[Conduct] = []
    for case, answer in zip(oracle.cases, answers, strict=True):
        if not answer.error:
            for block in _blocks(case, answer, oracle.equations[case.target.label], rule):
                watch(-1, block.name)
                found.append(Worst(case, block))
        conduct += conduct_of(case, answer)
    blocks = (*(one.block for one in found), *oracle.doubts)
    lines = tuple(curves(found)) if draw else ()
    return Report(subject.name, blocks, tuple(dict.fromkeys(conduct)), oracle.notes, lines)


def _unwatched(_: int, __: str) -> None:
    """Nobody looks on."""


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
            layout = Layout(program, checked_sizes(program, sizes or {}))
            instance = Instance("given inputs", sizes or {}, values, "as given", layout)
        elif sizes is not None:
            instance = instance_at(program, loss, sizes, seed)
        else:
            instance = small_instance(program, loss, (), seed)
    except NoInstance as reason:
        return Report(loss, (), notes=(str(reason),))
    point = Point(program, loss, instance.values, instance.sizes, DIGITS, instance.layout)
    exact = evaluate(gradient, instance.values, instance.sizes, DIGITS, outputs=tuple(wrt.values()))
    rule = Rule(tolerance=1e-28, rounding=1e-50)
    blocks = []
    for name, derivative in wrt.items():
        array = exact.values[derivative]
        scales = np.abs(array.astype(float))
        claim = Claim(name, array, scales, _defining(gradient, derivative))
        effort = affordable(program, instance, SMALL_EFFORT, SMALL_EACH)
        probe = probed(point, name, effort, seed)
        blocks.append(compare(point, claim, instance.name, probe, rule))
    return Report(loss, tuple(blocks))


def _targets(spec: Spec, names: Sequence[str] | None) -> list[tuple[Target, Loss | None]]:
    """The losses that are named, or all of them and what `forward` returns."""
    known = {loss.name: loss for loss in spec.losses}
    for name in names or ():
        if name not in known:
            raise SpecError(f'no loss "{name}"{did_you_mean(name, known)}')
    found: list[tuple[Target, Loss | None]] = []
    paths = spec.paths
    for function, program in spec.forwards if names is None else ():
        part = behind(program, program.outputs)
        found.append((Target(function, function, part, program.outputs, paths=paths), None))
    for loss in spec.losses if names is None else [known[name] for name in names]:
        prefix = "" if len(spec.losses) == 1 else f"{loss.name}_"
        outputs = (loss.value, *(o for o in loss.program.outputs if o != loss.value))
        function = f"{prefix}value_and_grad"
        part = behind(loss.program, outputs)
        target = Target(loss.name, function, part, outputs, loss.wrt, paths)
        found.append((target, loss))
        for row in (row for name, row in spec.products if name == loss.name):
            along = replace(
                target,
                label=f"{loss.name} {row.name}",
                function=f"{prefix}{row.name}",
                outputs=outputs[:1],
                product=row.name,
                through=tuple(z for z in spec.through if z != loss.value),
                like=function,
            )
            found.append((along, loss))
    return found


def _blocks(
    case: Case, answer: Answer, equations: Mapping[str, str], rule: Rule
) -> Iterator[Block]:
    """The values, then every tensor in wrt."""
    target, expected = case.target, case.expected
    for name in target.outputs:
        if name in answer.outputs:
            yield output_block(
                target.label,
                name,
                answer.outputs[name],
                expected.values[name],
                expected.magnitudes[name],
                case.where,
                rule,
                equations[name],
            )
    scales = {**fallback_scales(answer.gradients, answer.value), **case.scales}
    for name in target.derivatives:
        if name not in answer.gradients:
            missing = unchecked(target.label, name, "no such gradient came back")
            yield replace(missing, instance=case.where, verdict="FAIL")
            continue
        claim = Claim(name, answer.gradients[name], scales[name], equations[name])
        size = 1.0 if case.at_kinks else 0.0  # as inputs are there: relu(w) is 0, and its slope
        block = compare(case.point, claim, case.where, case.probes[name], rule, size)
        yield replace(block, loss=target.label)


def _equations(target: Target, behind: tuple[Program, Mapping[str, str]] | None) -> dict[str, str]:
    """The equations that write each output and each gradient, as far as they are known."""
    found = {name: _defining(target.program, name) for name in target.outputs}
    dots = dict(zip(target.derivatives, behind[1].values(), strict=True)) if behind else {}
    for name in target.derivatives:
        if behind is None:
            found[name] = _reading(target.program, name)
        else:
            found[name] = _defining(behind[0], dots[name])
    return found


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
