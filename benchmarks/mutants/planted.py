"""The mutants of a spec: a seeded choice for each operator, in the source and in the program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import symgrad.catalog
from benchmarks.mutants.edits import with_function, with_other_gradient
from benchmarks.mutants.judging import Bench, module_of, with_edit
from benchmarks.mutants.program import PROGRAM_FAULTS, program_faults
from benchmarks.mutants.source import BUFFER_FAULTS, SOURCE_FAULTS, source_faults
from symgrad import pipeline
from symgrad.algebra.program import Program
from symgrad.spec import Spec, load, parse_spec

PPO = '''
equations = """
z[b,i] = sum(j: W1[i,j]*obs[b,j]) + c1[i]
h[b,i] = where(z[b,i] < -1, -1, where(1 < z[b,i], 1, z[b,i]))
logit[b,a] = sum(i: W2[a,i]*h[b,i]) + c2[a]
logp[b] = logit[b,act[b]] - logsumexp(v: logit[b,v])
ratio[b] = exp(logp[b] - old[b])
v[b] = sum(i: u[i]*h[b,i])
adv[b] = ret[b] - stop(v[b])
actor = -mean(b: minimum(ratio[b]*adv[b], clip(ratio[b], 0.8, 1.2)*adv[b]))
loss = actor + mean(b: clip(v[b] - ret[b], -1, 1)*(v[b] - ret[b])) + mean(b: abs(v[b]))
"""
[sizes]
B = "batch"
H = 5
A = 3
[params]
W1 = "real[H, 4]"
c1 = "real[H]"
W2 = "real[A, H]"
c2 = "real[A]"
u = "real[H]"
[data]
obs = "real[B, 4]"
act = "int[B] < A"
old = "real[B]"
ret = "real[B]"
'''
"""Clips, minimum, abs and a stop in one loss: the built-in specs have few of them."""

FOLDER = Path(symgrad.catalog.__path__[0]) / "specs"
STOPS = ("removed stop", "added stop")


def specs() -> dict[str, Callable[[], Spec]]:
    """Every built-in spec that emits a loss, and the one above."""
    paths = {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}
    found = {name: load(path) for name, path in paths.items()}
    emit = [name for name, spec in found.items() if spec.losses and not spec.functions]
    return {
        **{name: (lambda path=paths[name]: load(path)) for name in emit},
        "ppo": lambda: parse_spec(PPO, "ppo"),
    }


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
