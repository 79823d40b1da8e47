"""Modules that symgrad emitted, at random sizes and points: float64, and float32 beside it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from benchmarks.alarms.faults import Fault, planted
from benchmarks.fuzzing.programs import programs
from benchmarks.fuzzing.writer import Case
from benchmarks.mutants.judging import Replay, answer, emitted, module_of
from benchmarks.mutants.planted import specs
from symgrad import pipeline
from symgrad.errors import SymgradError
from symgrad.spec import Spec, parse_spec
from symgrad.verify.cases import Kind
from symgrad.verify.check import Oracle, judged, prepared
from symgrad.verify.subject import Answer
from symgrad.verify.verdict import Report

LARGEST = 6  # of a size
ATTEMPTS = 50  # at sizes, or at a program: some have none
DRAWN = 5  # programs for each seed, of which the last is taken: the first ones are the least
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
WAYS: tuple[tuple[Kind, ...], ...] = ((), ("own",), ("kinks",))
"""Random sizes, its own, and at its kinks."""


@functools.cache
def module(name: str) -> tuple[Spec, ModuleType]:
    spec = specs()[name]()
    return spec, module_of(pipeline.generate(spec))


def check_spec(seed: int, fault: Fault | None) -> Report | None:
    """A built-in spec: at random sizes in 60 digits, at its own in float64, or at its kinks."""
    names = sorted(specs())
    spec, emitted_module = module(names[seed % len(names)])
    kinds = WAYS[seed // len(names) % len(WAYS)]
    oracle = oracle_of(spec, seed, kinds)
    return verdict(oracle, emitted_module, seed, fault)


def check_program(seed: int, fault: Fault | None) -> Report | None:
    """A random program, at random sizes and points in 60 digits."""
    for attempt in range(ATTEMPTS):
        try:
            case = program(seed + 100_003 * attempt)
            spec = parse_spec(case.text, "random")
            made = module_of(pipeline.generate(spec))
            oracle = prepared(spec, gradient=emitted, seed=seed, sizes=case.sizes, kinds=())
        except SymgradError:  # a draw that is no program
            continue
        if oracle.cases:
            return verdict(oracle, made, seed, fault)
    raise ValueError(f"seed {seed}: no program in {ATTEMPTS} draws")


def program(seed: int) -> Case:
    drawn: list[Case] = []

    @seeded(seed)
    @settings(
        max_examples=DRAWN, phases=(Phase.generate,), database=None, deadline=None,
        suppress_health_check=QUIET, derandomize=False,
    )  # fmt: skip
    @given(programs())
    def draw(case: Case) -> None:
        drawn.append(case)

    draw()
    return drawn[-1]


def oracle_of(spec: Spec, seed: int, kinds: tuple[Kind, ...]) -> Oracle:
    if kinds:
        oracle = prepared(spec, gradient=emitted, seed=seed, kinds=kinds)
        if oracle.cases:
            return oracle
    for attempt in range(ATTEMPTS):
        sizes = random_sizes(spec, np.random.default_rng([seed, attempt]))
        oracle = prepared(spec, gradient=emitted, seed=seed, sizes=sizes, kinds=())
        if oracle.cases and not oracle.doubts:
            return oracle
    raise ValueError(f"{spec.name}, seed {seed}: no sizes in {ATTEMPTS} draws")


def random_sizes(spec: Spec, rng: np.random.Generator) -> Mapping[str, int]:
    """Those that an input has as an axis; the others are computed from them or fixed."""
    axes = {
        n for t in spec.shared.tensors if t.role != "computed" for s in t.shape for n in s.names
    }
    return {
        name: int(rng.integers(1, LARGEST + 1)) if value is None or name in axes else value
        for name, value in spec.shared.sizes
    }


def verdict(oracle: Oracle, made: ModuleType, seed: int, fault: Fault | None) -> Report | None:
    answers = [answer(made, case.request) for case in oracle.cases]
    if fault is None:
        return judged(oracle, Replay(answers))
    wrong = [with_fault(one, fault, seed) for one in answers]
    if all(repr(a) == repr(b) for a, b in zip(answers, wrong, strict=True)):
        return None
    return judged(oracle, Replay(wrong))


def with_fault(right: Answer, fault: Fault, seed: int) -> Answer:
    """Wrong in the same way in float32, and with a workspace."""

    def off(gradients: Any) -> Any:
        return planted(dict(gradients), fault, seed)

    again = None if right.again is None else (right.again[0], off(right.again[1]))
    return replace(right, gradients=off(right.gradients), single=off(right.single), again=again)
