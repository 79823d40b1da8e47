"""A side of a branch that few samples take is taken by some: many are drawn at small sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from symgrad import pipeline
from symgrad.spec import parse_spec
from symgrad.verify.check import judged, prepared
from symgrad.verify.instance import CROWD, MANY
from symgrad.verify.report import text_of
from symgrad.verify.subject import ModuleSubject

SPEC = """
equations = "loss = mean(b: where(1.2 < y[b], 3*w*y[b]**2, w*y[b]))"
[sizes]
B = "batch"
[params]
w = "real"
[data]
y = "real[B]"
"""
LOSS = SPEC.split('"')[1]

RARE = [
    # y is drawn with a standard deviation of 0.7, so that a side is one that
    ("few samples take",       "loss = mean(b: where(1.2 < y[b], 3*w*y[b]**2, w*y[b]))",           {"w"}),
    ("none does",              "loss = mean(b: where(9 < y[b], 3*w*y[b]**2, w*y[b]))",             {"w"}),
    ("none does, far below",   "loss = mean(b: where(y[b] < -40, 3*w*y[b]**2, w*y[b]))",           {"w"}),
    ("none does, of a ratio",  "loss = mean(b: where(1.2 < exp(y[b] - 9), 3*w*y[b]**2, w*y[b]))",  {"w"}),
    ("none does, and narrow",  "loss = mean(b: where(abs(y[b] + 9) < 1/4, 3*w*y[b]**2, w*y[b]))",  {"w"}),
    ("none does, in a stop",   "loss = mean(b: w*stop(where(9 < y[b], 3*y[b]**2, y[b])))",         {"w", "loss"}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "loss", "failing"), RARE, ids=[row[0] for row in RARE])
def test_a_fault_on_a_side_that_few_samples_take_fails_among_many(
    what: str, loss: str, failing: set[str], tmp_path: Path
) -> None:
    spec = parse_spec(SPEC.replace(LOSS, loss), "rare")
    text = pipeline.generate(spec)
    path = tmp_path / "rare.py"
    path.write_text(text, encoding="utf-8")
    assert judged(prepared(spec), ModuleSubject(path)).verdict == "PASS"
    before, factor, after = text.rpartition(" 3.0, out=")
    assert "def value_and_grad" in before
    path.write_text(f"{before}{factor.replace('3.0', '2.9')}{after}", encoding="utf-8")
    few = prepared(spec, kinds=("small", "own"))
    assert judged(few, ModuleSubject(path)).verdict == "PASS"
    report = judged(prepared(spec, kinds=("small", "many", "own")), ModuleSubject(path))
    assert {(b.name, b.instance) for b in report.failures} == {
        (name, f"{CROWD}, float64: B={MANY}") for name in failing
    }, text_of(report)


MASKED = """
n = sum(b: m[b])
loss = sum(b: w*m[b]*y[b])/maximum(n, 1) + where(n < 1, 2*w, w)
"""


def test_a_batch_of_zeros_takes_the_side_that_an_empty_mask_alone_does(tmp_path: Path) -> None:
    text = SPEC.replace(f'"{LOSS}"', f"'''{MASKED}'''") + 'm = "bool[B]"\n'
    spec = parse_spec(text, "masked")
    text = pipeline.generate(spec)
    path = tmp_path / "masked.py"
    path.write_text(text, encoding="utf-8")
    assert judged(prepared(spec), ModuleSubject(path)).verdict == "PASS"
    right = "2.0 if (n < 1.0) else 1.0"
    assert text.count(right) == 1
    path.write_text(text.replace(right, right.replace("2.0", "2.5")), encoding="utf-8")
    few = prepared(spec, kinds=("small", "many", "own"))
    assert judged(few, ModuleSubject(path)).verdict == "PASS"
    report = judged(prepared(spec), ModuleSubject(path))
    assert {block.name for block in report.failures} == {"w"}, text_of(report)


WITHOUT = [
    # what it is,              what stands in the spec,    what stands there instead
    ("no size is free",        'B = "batch"',              "B = 4"),
    ("no loss",                'equations = "loss = mean(b: where(1.2 < y[b], 3*w*y[b]**2, w*y[b]))"', 'outputs = ["v"]\nequations = "v[b] = w*y[b]"'),
]  # fmt: skip


@pytest.mark.parametrize(("what", "old", "new"), WITHOUT, ids=[row[0] for row in WITHOUT])
def test_without_a_batch_or_a_gradient_there_is_no_such_case(what: str, old: str, new: str) -> None:
    assert old in SPEC
    cases = prepared(parse_spec(SPEC.replace(old, new), "none")).cases
    assert cases
    assert [case for case in cases if case.instance.name == CROWD] == []
