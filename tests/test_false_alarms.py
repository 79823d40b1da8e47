"""No false alarms, on a small set: right gradients pass, and faults planted beside them do not.

`python -m benchmarks.false_alarms` makes 10,000 checks.
"""

from __future__ import annotations

import functools
from collections import Counter
from types import ModuleType

import numpy as np
import pytest

from benchmarks.alarms.callables import callables
from benchmarks.alarms.faults import FAULTS, leaves, planted
from benchmarks.alarms.modules import check_program, check_spec
from benchmarks.alarms.outcomes import Kind, Outcome, counts, holds, outcomes, reason
from symgrad.verify.verdict import Block, Conduct, Report

KINDS = callables()
SEEDS = range(90_000, 90_012)


@functools.cache
def found(kind: Kind) -> tuple[Outcome, ...]:
    return tuple(outcomes(kind, SEEDS))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_right_gradient_fails_and_no_planted_fault_passes(kind: Kind) -> None:
    right = Counter(o.verdict for o in found(kind) if not o.fault)
    wrong = Counter(o.verdict for o in found(kind) if o.fault)
    assert right.total() == len(SEEDS)
    assert not right["FAIL"], [o for o in found(kind) if o.verdict == "FAIL" and not o.fault]
    assert wrong["FAIL"] + wrong["no fault"] == wrong.total() > 0


def test_nothing_is_inconclusive_in_float64_and_little_in_float32() -> None:
    verdicts: dict[str, Counter[str]] = {}
    for kind in KINDS:
        count = verdicts.setdefault(kind.group, Counter())
        count.update(o.verdict for o in found(kind) if not o.fault)
    single = verdicts.pop("callable in float32")
    assert single["INCONCLUSIVE"] < single.total() / 10
    assert sum(count.total() for count in verdicts.values()) >= 180
    assert not any(count["INCONCLUSIVE"] for count in verdicts.values()), verdicts


@pytest.mark.parametrize("check", [check_spec, check_program])
def test_modules_pass_at_random_sizes_and_fail_with_a_fault(check: object) -> None:
    kind = Kind("module", "some", 0, check)  # type: ignore[arg-type]
    some = outcomes(kind, range(8, 10))
    assert {o.verdict for o in some if not o.fault} == {"PASS"}
    assert {o.verdict for o in some if o.fault} == {"FAIL"}


def test_a_torch_function_passes_in_either_precision(torch: ModuleType) -> None:
    from benchmarks.alarms.frameworks import TORCH, check_torch

    for name, made in TORCH.items():
        for single in (False, True):
            report = check_torch(made, single, 3, None)
            assert report is not None
            assert report.verdict == "PASS", f"{name}: {report}"
        wrong = check_torch(made, False, 3, FAULTS["1%"])
        assert wrong is not None
        assert wrong.verdict == "FAIL", name


def test_a_jax_function_passes_in_either_precision(jax: ModuleType) -> None:
    pytest.importorskip("torch")  # they stand in one module
    from benchmarks.alarms.frameworks import JAX, check_jax

    for double in (True, False):
        report = check_jax(JAX["mlp"], double, 3, None)
        assert report is not None
        assert report.verdict == "PASS", str(report)
    wrong = check_jax(JAX["mlp"], True, 3, FAULTS["1%"])
    assert wrong is not None
    assert wrong.verdict == "FAIL"


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_changes_a_gradient_of_any_structure(name: str) -> None:
    right = {"w": np.ones((2, 3)), "rest": [np.zeros(2), np.float32([1, 2])]}
    wrong = planted(right, FAULTS[name], 0)
    before, after = leaves(right), leaves(wrong)
    assert [a.shape for a in before] == [a.shape for a in after]
    assert [a.dtype for a in before] == [a.dtype for a in after]
    assert any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def outcome(verdict: str, fault: str = "") -> Outcome:
    return Outcome("callable", "k", 0, fault, verdict)


RIGHT = [outcome("PASS")] * 199


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ([outcome("PASS")], True),
        ([outcome("INCONCLUSIVE")], True),
        ([outcome("INCONCLUSIVE")] * 3, False),
        ([outcome("FAIL")], False),
        ([outcome("FAIL", "sign"), outcome("INCONCLUSIVE", "1%"), outcome("no fault", "1%")], True),
        ([outcome("PASS", "sign")], False),
    ],
)
def test_the_benchmark_fails_on_an_alarm_on_too_much_doubt_and_on_a_fault_that_passes(
    more: list[Outcome], expected: bool
) -> None:
    assert holds([*RIGHT, *more]) is expected
    assert not holds([])


def test_the_table_counts_what_it_is_given() -> None:
    some = [
        outcome("PASS"),
        outcome("INCONCLUSIVE"),
        outcome("FAIL", "1%"),
        outcome("no fault", "1%"),
    ]
    assert counts(some) == ["2", "1", "0", "1", "1", "1", "0", "0", "0"]


def test_a_reason_is_the_first_that_stands_in_the_report() -> None:
    rule = Conduct("f", "it has a value", "INCONCLUSIVE", "it is nan")
    assert reason(Report("f", (), (rule,))) == "it has a value: it is nan"
    block = Block("f", "x", "at x", 0, 0, 0, 0, None, "INCONCLUSIVE", note="no entry was compared")
    assert reason(Report("f", (block,), (rule,))) == "no entry was compared"
    assert reason(Report("f", ())) == "nothing was compared"
