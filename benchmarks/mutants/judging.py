"""A mutant against the oracle of what it should compute: FAIL, or equivalent, or missed.

The finite differences are found once for each spec; every mutant of it is held against them.
"""

from __future__ import annotations

import ast
import functools
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np

from symgrad import pipeline
from symgrad.algebra.program import Program
from symgrad.errors import ProgramError
from symgrad.spec import Loss, Spec
from symgrad.verify import runner
from symgrad.verify.arithmetic import Array
from symgrad.verify.check import Oracle, judged, prepared
from symgrad.verify.instance import draw
from symgrad.verify.subject import Answer, Request

POINTS = 1000
AGREE = 1e-13
FREE = (1, 3, 5, 2, 7, 4)
"""Values of the free sizes at the points of equivalence: odd ones and 1 first."""


def emitted(loss: Loss) -> tuple[Program, Mapping[str, str]]:
    found = pipeline.derive_stable(loss)
    return pipeline.optimised(found), found.derived.result


def module_of(text: str) -> ModuleType:
    module = ModuleType("emitted")
    module.__file__ = "<emitted>"
    exec(compile(text, "<emitted>", "exec"), module.__dict__)
    return module


def with_edit(clean: ModuleType, function: ast.FunctionDef) -> ModuleType:
    """The module with one function in place of its own."""
    module = ModuleType("mutant")
    module.__dict__.update(clean.__dict__)
    tree = ast.Module([function], [])
    exec(compile(ast.fix_missing_locations(tree), "<mutant>", "exec"), module.__dict__)
    return module


def answer(module: ModuleType, request: Request) -> Answer:
    """What the runner would answer in a process of its own."""
    given = {role: dict(getattr(request, role)) for role in ("params", "data", "along")}
    out: dict[str, Array] = {}

    def group(run: str) -> dict[str, Array]:
        return {n.removeprefix(f"{run}/"): a for n, a in out.items() if n.startswith(f"{run}/")}

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            one = runner.answer(module, vars(request), given, "", out)
        except Exception as error:
            return Answer(error=f"{type(error).__name__}: {error}")
    value, again = float(one["value"]), (float(one["again"]), group("again"))
    return Answer(value, group("first"), group("outputs"), group("single"), again, one["conduct"])


@dataclass(frozen=True)
class Replay:
    """Answers that were given before: the truth and the verdict come from the same numbers."""

    given: Sequence[Answer]
    name: str = "mutant.py"

    def answers(self, requests: Sequence[Request]) -> Sequence[Answer]:
        assert len(requests) == len(self.given)
        return self.given


@dataclass(frozen=True, eq=False)
class Bench:
    """A program, its module, its oracle, and the module's own answers."""

    spec: Spec
    text: str
    module: ModuleType
    oracle: Oracle
    clean: tuple[Answer, ...]


def bench_of(spec: Spec, sizes: Mapping[str, int] | None = None) -> Bench:
    """Of a spec, at small sizes, at its own, and at others if given. What is right passes."""
    text = pipeline.generate(spec)
    module = module_of(text)
    losses = [loss.name for loss in spec.losses]
    oracle = prepared(spec, losses=losses, gradient=emitted, sizes=sizes)
    clean = tuple(answer(module, case.request) for case in oracle.cases)
    report = judged(oracle, Replay(clean))
    if report.verdict != "PASS":
        raise ValueError(f"{spec.name}: the clean module does not pass: {report}")
    return Bench(spec, text, module, oracle, clean)


def answers_of(bench: Bench, mutant: ModuleType) -> list[Answer]:
    return [answer(mutant, case.request) for case in bench.oracle.cases]


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: FAIL, equivalent or missed; refused, where none could be made.

    raised: nothing but an exception came of it. note: of one that is missed, where it shows.
    """

    kind: str
    raised: bool = False
    note: str = ""


def outcome_of(bench: Bench, mutant: ModuleType) -> Outcome:
    """The verdict; and of what is not a FAIL, whether it differs anywhere."""
    answers = answers_of(bench, mutant)
    report = judged(bench.oracle, Replay(answers))
    if report.verdict == "FAIL":
        return Outcome("FAIL", raised=all(came.error for came in answers))
    found = difference(bench, mutant)
    if not found:
        return Outcome("equivalent", note=f"agrees to {AGREE:g} at {POINTS} points")
    return Outcome("missed", note=f"{report.verdict}; {found}")


# ---------------------------------------------------------------- equivalence


CHANGES = (
    ("ordinary numbers", lambda a, rng: a),
    ("integers, ties and zeros", lambda a, rng: np.round(2 * a)),
    ("numbers of 1e4", lambda a, rng: 1e4 * a),
    ("zeros", lambda a, rng: 0 * a),
    ("numbers of 1e-5", lambda a, rng: 1e-5 * a),
    ("some entries of 1e3", lambda a, rng: np.where(rng.random(a.shape) < 0.2, 1e3 * a, a)),
    ("numbers of 3", lambda a, rng: 3 * a),
)
"""How the real inputs of a point are made of ordinary ones."""


def points(bench: Bench) -> Iterator[tuple[str, Request]]:
    """Seeded inputs: sizes small and the spec's own, batches odd and even, kinks, extremes."""
    case, rng = bench.oracle.cases[0], np.random.default_rng(11)
    program = bench.spec.losses[0].program
    kind = {t.name: t.kind for t in program.tensors}
    free = [name for name, default in program.sizes if default is None]
    for k in range(10 * POINTS):
        sizes = dict(bench.oracle.cases[k % len(bench.oracle.cases)].instance.sizes)
        if k % 3:
            sizes |= {name: FREE[(k + n) % len(FREE)] for n, name in enumerate(free)}
        what, change = CHANGES[k // 2 % len(CHANGES)]
        try:
            values = draw(program, sizes, case.instance.drawn, rng)
        except (ProgramError, ValueError):  # no program at these sizes
            continue
        values = {n: change(a, rng) if kind[n] == "real" else a for n, a in values.items()}
        instance = replace(case.instance, sizes=sizes, values=values)
        shown = ", ".join(f"{name}={size}" for name, size in sizes.items())
        yield f"{what} at {shown}", replace(case, instance=instance).request


def numbers(module: ModuleType, request: Request) -> Mapping[str, Array] | str:
    """The loss and the gradients, without and with a workspace; or the exception."""
    function = getattr(module, request.function)
    found: dict[str, Array] = {}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            workspace = module.Workspace(**runner.accepted(module.Workspace, request.sizes))
            sizes = runner.accepted(function, request.sizes)
            for way in ({}, {"workspace": workspace}):
                taken = runner.accepted(function, request.data)
                data = {n: runner.pass_on(a) for n, a in taken.items()}
                params = runner.new_params(module, vars(request), request.params)
                came = function(*([params] if request.params else []), **sizes, **data, **way)
                for group in runner.parted(came, vars(request)):
                    found |= {f"{name} {len(way)}": array for name, array in group.items()}
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return found


@functools.lru_cache(maxsize=1)  # of one spec after the other
def clean_points(bench: Bench) -> tuple[tuple[str, Request, Mapping[str, Array]], ...]:
    """What the clean module gives at the points: so many at which it gives anything."""
    found = []
    for where, request in points(bench):
        before = numbers(bench.module, request)
        if not isinstance(before, str):
            found.append((where, request, before))
        if len(found) == POINTS:
            return tuple(found)
    raise ValueError(f"{bench.spec.name}: {len(found)} points, expected {POINTS}")


def difference(bench: Bench, mutant: ModuleType) -> str:
    """Where loss or gradients differ by more than 1e-13 of a block's size; "" if nowhere."""
    for where, request, before in clean_points(bench):
        after = numbers(mutant, request)
        if isinstance(after, str):
            return f"raises ({where})"
        for name, array in before.items():
            size = float(np.abs(array[np.isfinite(array)]).max(initial=0.0))
            with np.errstate(all="ignore"):
                same = after[name].shape == array.shape and np.allclose(
                    after[name], array, rtol=0, atol=AGREE * size, equal_nan=True
                )
            if not same:
                return f"{name.split()[0]} differs with {where}"
    return ""
