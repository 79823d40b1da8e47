"""Whether everything agrees on a random program: module, naive evaluator, autograd, 60 digits.

|a - b| <= 1e-12 |b| + 64 eps S, entry by entry, where S is the sum of the absolute contributions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.fuzzing.running import by_loss, called, drawn, made, takes_reals
from benchmarks.fuzzing.translation import Translation
from benchmarks.fuzzing.writer import Case, parsed
from symgrad.algebra.program import Program
from symgrad.pipeline import derive, generate
from symgrad.spec import Loss, Spec
from symgrad.verify.arithmetic import FLOAT64, Digits, Numbers
from symgrad.verify.differences import rademacher, slopes
from symgrad.verify.evaluate import Result, evaluate
from symgrad.verify.kinks import EXACT, Noisy
from symgrad.verify.nearby import Point

TOLERANCE = {np.float64: (1e-12, 64 * 2.0**-52), np.float32: (1e-4, 64 * 2.0**-23)}
"""(relative to the value, relative to the sum of absolute contributions)."""
LARGEST = 1e4
"""A program that grows beyond it (a square of a square of ...) tells nothing: sin(1e9) is noise."""


FLOOR = 1e-20
"""What a difference of 60 digits may be off by where loss and slope are 0: w**3 at 0 gives h**2."""


class Disagreement(AssertionError):
    """Two numbers that should be the same."""


class Skipped(Exception):
    """Why a program cannot be compared."""


def moderate(arrays: Iterable[Any]) -> None:
    """Errors: Skipped, where a number that the oracles agree on would be noise."""
    if not all((abs(np.asarray(a, float)) < LARGEST).all() for a in arrays):
        raise Skipped(f"a number is above {LARGEST:g}, or is none")


@dataclass
class Tally:
    """How many numbers were compared with what."""

    compared: Counter[str] = field(default_factory=Counter)

    def same(
        self,
        oracle: str,
        what: str,
        came: Any,
        expected: Any,
        scale: Any,
        bound: Any = 0.0,
        dtype: Any = np.float64,
    ) -> None:
        came, expected = np.asarray(came), np.asarray(expected, float)
        if came.shape != expected.shape:
            raise Disagreement(f"{what}: shape {came.shape}, {oracle}: {expected.shape}")
        if not np.isfinite(np.asarray(scale, float)).all():
            raise Skipped("what is added up is infinite in parts")
        relative, rounding = TOLERANCE[dtype]
        room = relative * abs(expected) + rounding * np.asarray(scale, float)
        room = room + bound + np.finfo(dtype).tiny
        wrong = ~(abs(came - expected) <= room) & ~(came == expected)
        if wrong.any():
            at = tuple(int(n) for n in np.argwhere(wrong)[0])
            raise Disagreement(
                f"{what}{list(at)} is {came[at]}, {oracle} says {expected[at]} "
                f"({int(wrong.sum())} of {wrong.size} entries)"
            )
        self.compared[oracle] += came.size


@dataclass(frozen=True)
class Subject:
    """One loss of a case, at its inputs."""

    case: Case
    spec: Spec
    loss: Loss
    values: Mapping[str, Any]
    tally: Tally
    numbers: Numbers

    @property
    def sizes(self) -> Mapping[str, int]:
        return self.case.sizes

    def evaluated(self, program: Program, *names: str) -> Result:
        return evaluate(
            program, self.values, self.sizes, self.numbers, outputs=names, magnitude=True
        )

    def point(self) -> Point:
        return Point(self.loss.program, self.loss.value, self.values, self.sizes, Digits(60))


def subjects(case: Case, tally: Tally, numbers: Numbers) -> list[Subject]:
    """numbers: those of the naive evaluation."""
    spec = parsed(case.text)
    values = drawn(spec, case)
    return [Subject(case, spec, loss, values, tally, numbers) for loss in spec.losses]


def first_order(case: Case, tally: Tally, numbers: Numbers = FLOAT64) -> None:
    """Every function of the module, and its gradients, against all oracles."""
    found = subjects(case, tally, numbers)
    oracles = [_gradient_agrees(subject) for subject in found]
    text = generate(parsed(case.text))
    module = made(text)
    for dtype in TOLERANCE:
        for subject, (naive, result, others) in zip(found, oracles, strict=True):
            spec, loss = subject.spec, subject.loss
            there = (module, spec, subject.values, subject.sizes, dtype)
            for came in _run(by_loss(spec, loss, "value"), there):
                _value_agrees(subject, came, naive, dtype)
            for came, grads in _run(by_loss(spec, loss, "value_and_grad"), there):
                _value_agrees(subject, came, naive, dtype)
                for x, adjoint in result.items():
                    what, scale = f"the module's d{x}", naive.magnitudes[adjoint]
                    tally.same(
                        "the evaluator", what, grads[x], naive.values[adjoint], scale, dtype=dtype
                    )
                    tally.same("autograd", what, grads[x], others[x], scale, dtype=dtype)
                    _precision(what, grads[x], dtype)
        if found:
            _forward_agrees(module, found[0], dtype)


def _run(name: str, there: tuple[Any, ...]) -> list[Any]:
    module, *rest = there
    return called(module, name, *rest)


def _gradient_agrees(subject: Subject) -> tuple[Result, Mapping[str, str], Mapping[str, Any]]:
    """The derivation by the evaluator, against autograd and against differences of 60 digits."""
    loss, tally = subject.loss, subject.tally
    derived, outputs = derive(loss).derived, loss.program.outputs
    naive = subject.evaluated(derived.program, *outputs, *derived.result.values())
    translated = Translation(loss.program, subject.sizes, subject.values)
    value, others = translated.value(loss.value), translated.gradient(loss.value, loss.wrt)
    moderate([value, *(naive.values[name] for name in outputs), *others.values()])
    tally.same("autograd", "loss", naive.values[loss.value], value, naive.magnitudes[loss.value])
    for x, adjoint in derived.result.items():
        tally.same("autograd", f"d{x}", naive.values[adjoint], others[x], naive.magnitudes[adjoint])
    shapes = {x: np.shape(subject.values[x]) for x in loss.wrt}
    moves = [rademacher(shapes, np.random.default_rng(k)) for k in range(2)]
    for move, found in zip(moves, slopes(subject.point(), moves), strict=True):
        along = sum(np.sum(naive.values[derived.result[x]] * move[x]) for x in loss.wrt)
        scale = sum(np.sum(naive.magnitudes[derived.result[x]]) for x in loss.wrt)
        tally.same("60 digits", "gradient . v", along, found.value, scale, found.bound + FLOOR)
    return naive, derived.result, others


def _value_agrees(subject: Subject, came: Any, naive: Result, dtype: Any) -> None:
    """A loss, or (loss, {aux})."""
    value, aux = came if isinstance(came, tuple) else (came, {})
    if list(aux) != list(subject.loss.program.outputs[1:]):
        raise Disagreement(f"aux is {list(aux)}, expected {subject.loss.program.outputs[1:]}")
    for name, part in {subject.loss.value: value, **aux}.items():
        what, expected, scale = f"the module's {name}", naive.values[name], naive.magnitudes[name]
        subject.tally.same("the evaluator", what, part, expected, scale, dtype=dtype)
        _precision(what, part, dtype)


def _precision(what: str, came: Any, dtype: Any) -> None:
    if came.dtype != dtype and came.dtype.kind == "f":
        raise Disagreement(f"{what} is {came.dtype}, expected {np.dtype(dtype)}")


def _forward_agrees(module: Any, subject: Subject, dtype: Any) -> None:
    """What `forward` and each network's own function return."""
    spec = subject.spec
    for name, program in spec.forwards:
        expected = subject.evaluated(program, *program.outputs)
        moderate(expected.values[output] for output in program.outputs)
        own = dtype if takes_reals(getattr(module, name), spec) else np.float64
        for came in called(module, name, spec, subject.values, subject.sizes, dtype):
            parts = came if len(program.outputs) > 1 else (came,)
            for output, part in zip(program.outputs, parts, strict=True):
                what, scale = f"{name}: {output}", expected.magnitudes[output]
                subject.tally.same(
                    "the evaluator", what, part, expected.values[output], scale, dtype=own
                )
                _precision(what, part, own)


def undecided(case: Case) -> bool:
    """Whether rounding decides a branch: the exact one is not that of a slightly wrong float64."""
    for subject in subjects(case, Tally(), FLOAT64):
        program, values = subject.loss.program, subject.values
        outputs = (subject.loss.value,)
        with np.errstate(all="ignore"):
            exact = evaluate(program, values, subject.sizes, EXACT, outputs=outputs).branches
            for seed in range(3):
                noisy = evaluate(
                    program, values, subject.sizes, Noisy(seed=seed), outputs=outputs
                ).branches
                if any((exact[k] != noisy[k]).any() for k in exact):
                    return True
    return False
