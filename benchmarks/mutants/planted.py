"""The mutants of a spec: a seeded choice for each operator, in the source and in the program."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType

import symgrad.catalog
from benchmarks.mutants.edits import with_function, with_other_gradient
from benchmarks.mutants.judging import Bench, module_of, with_edit
from benchmarks.mutants.program import PROGRAM_FAULTS, program_faults
from benchmarks.mutants.source import BUFFER_FAULTS, SOURCE_FAULTS, source_faults
from symgrad import pipeline
from symgrad.algebra.program import Program
from symgrad.spec import Spec, load
from symgrad.verify.small import small_literals

FOLDERS = (Path(symgrad.catalog.__path__[0]) / "specs", Path(__file__).parent)
STOPS = ("removed stop", "added stop")


@functools.cache
def specs() -> Mapping[str, Callable[[], Spec]]:
    """Each loss of the built-in specs that emit one, and of those in this folder, as a spec."""
    found: dict[str, Callable[[], Spec]] = {}
    for path in (path for folder in FOLDERS for path in sorted(folder.glob("*.toml"))):
        spec = load(path)
        for k, loss in enumerate(() if spec.functions else spec.losses):
            name = path.stem if len(spec.losses) == 1 else f"{path.stem}.{loss.name}"
            found[name] = partial(_alone, path, k, name)
    return found


def _alone(path: Path, k: int, name: str) -> Spec:
    """One loss of a spec; where the checker can make literal sizes smaller, with small ones."""
    spec = load(path)
    one = replace(spec, name=name, losses=(spec.losses[k],))
    small = small_literals(one, pipeline.generate(one), pipeline.generate)
    return one if small is None else small.spec


@dataclass(frozen=True)
class Mutant:
    """way: source (an edit of the text) or program (an equation changed before derive)."""

    spec: str
    way: str
    operator: str
    what: str
    made: Callable[[], ModuleType]
    text: Callable[[], str]


def mutants(bench: Bench, most: int) -> Iterator[Mutant]:
    """At most so many of each operator in each way."""
    name = bench.spec.name
    for operator in (*SOURCE_FAULTS, *BUFFER_FAULTS):
        for fault in source_faults(bench.text, "value_and_grad", operator, most):
            yield Mutant(
                name,
                "source",
                operator,
                fault.what,
                lambda f=fault: with_edit(bench.module, f.function),
                lambda f=fault: with_function(bench.text, f.function),
            )
    for operator in PROGRAM_FAULTS:
        for found in program_faults(bench.spec.losses[0].program, operator, most):
            whole = lambda f=found: regenerated(bench.spec, f.program)  # noqa: E731
            yield _of_text(name, "program", operator, found.what, whole)
            if operator in STOPS:
                # The gradient alone: forward, value and SPEC stay.
                part = lambda w=whole: with_other_gradient(bench.text, w())  # noqa: E731
                yield _of_text(name, "source", operator, found.what, part)


def _of_text(name: str, way: str, operator: str, what: str, text: Callable[[], str]) -> Mutant:
    return Mutant(name, way, operator, what, lambda: module_of(text()), text)


def regenerated(spec: Spec, program: Program) -> str:
    """The module of another program."""
    loss = replace(spec.losses[0], program=program)
    return pipeline.generate(replace(spec, losses=(loss, *spec.losses[1:])))
