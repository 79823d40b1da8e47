"""The checker's power, on a small set: of each operator one planted bug in every spec.

`python -m benchmarks.checker_power` plants hundreds.
"""

from __future__ import annotations

import ast
import functools
from types import ModuleType

import pytest

from benchmarks import checker_power
from benchmarks.mutants import judging
from benchmarks.mutants.edits import SourceFault, function_of
from benchmarks.mutants.judging import (
    Bench,
    Outcome,
    bench_of,
    clean_points,
    outcome_of,
    with_edit,
)
from benchmarks.mutants.planted import mutants, specs
from benchmarks.mutants.program import PROGRAM_FAULTS
from benchmarks.mutants.source import BUFFER_FAULTS, SOURCE_FAULTS
from symgrad import pipeline

QUICK = ("one_bias", "ppo", "softmax_policy")


@functools.cache
def bench(name: str) -> Bench:
    return bench_of(specs()[name]())


@functools.cache
def rows(name: str) -> tuple[checker_power.Row, ...]:
    return tuple(checker_power.judgements(bench(name), 1))


@pytest.mark.parametrize("name", QUICK)
def test_every_planted_bug_that_changes_a_number_fails(name: str) -> None:
    assert [row for row in rows(name) if row.outcome.kind == "missed"] == []
    assert sum(row.outcome.kind == "FAIL" for row in rows(name)) >= 10


def test_every_operator_plants_a_bug_that_fails() -> None:
    found = {
        (row.way, row.operator)
        for name in QUICK
        for row in rows(name)
        if row.outcome.kind == "FAIL"
    }
    source = {("source", operator) for operator in (*SOURCE_FAULTS, *BUFFER_FAULTS)}
    program = {("program", operator) for operator in PROGRAM_FAULTS}
    assert found >= source | program


def test_each_loss_of_a_spec_that_has_several_is_a_spec_of_its_own() -> None:
    several = [name for name in specs() if "." in name]
    assert {"halfcheetah_trpo.surrogate", "halfcheetah_trpo.kl"} <= {*several}
    spec = specs()["halfcheetah_trpo.kl"]()
    assert [loss.name for loss in spec.losses] == ["kl"]
    assert function_of(pipeline.generate(spec), "value_and_grad")


def test_a_mutant_in_a_process_of_its_own_gets_the_same_verdict() -> None:
    made = next(m for m in mutants(bench("ppo"), 1) if m.operator == "remainder dropped")
    assert checker_power.in_a_process(bench("ppo"), made) == "FAIL"


def edited(name: str, line: str) -> Outcome:
    """What becomes of a module with one more line before its return."""
    function = function_of(bench(name).text, "value_and_grad")
    function.body.insert(-1, ast.parse(line).body[0])
    fault = SourceFault("by hand", line, function)
    return outcome_of(bench(name), with_edit(bench(name).module, fault.function))


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("grads.c1[...] = grads.c1", "equivalent"),
        ("grads.c1[...] *= 1 + 1e-15", "equivalent"),
        ("grads.c1[...] *= 1 + 1e-7", "FAIL"),
        ("if B == 5: grads.c1[...] *= 1 + 1e-10", "missed"),
        ("if workspace is not None and B == 5: loss = loss + 1.0", "missed"),
        ("if np.all(obs == 0): grads.c1[...] = 1.0", "missed"),
        ("if np.any(np.abs(obs) > 1000): grads.c1[...] = 1.0", "missed"),
    ],
)
def test_equivalent_is_what_agrees_at_odd_batches_with_a_workspace_at_kinks_and_extremes(
    line: str, kind: str
) -> None:
    assert edited("softmax_policy", line).kind == kind


def test_what_is_equivalent_is_so_where_the_right_module_gives_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of several losses each has a function that takes its own data alone."""
    monkeypatch.setattr(judging, "POINTS", 28)
    found = clean_points(bench("cartpole_trpo.kl"))
    assert len(found) == 28
    assert all(before.keys() == found[0][2].keys() for *_, before in found)


def test_a_table_counts_what_it_is_given() -> None:
    outcomes = ("FAIL", "FAIL", "FAIL", "equivalent", "missed")
    some = [checker_power.Row("s", "source", "sign", "x", Outcome(kind)) for kind in outcomes]
    assert checker_power.counts(some) == ["5", "3", "0", "1", "1"]
    assert checker_power.killed(some) == 0.75


def test_the_peers_accept_a_right_module_and_refuse_a_wrong_one(
    jax: ModuleType, torch: ModuleType
) -> None:
    from benchmarks.mutants.peers import PEERS, refused

    right = bench("one_bias")
    function = function_of(right.text, "value_and_grad")
    function.body.insert(-1, ast.parse("grads.flat[...] *= -1").body[0])
    assert refused(right, right.module) == dict.fromkeys(PEERS, False)
    assert refused(right, with_edit(right.module, function)) == dict.fromkeys(PEERS, True)
