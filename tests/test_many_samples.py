"""A side of a branch that few samples take is taken by some: many are drawn at small sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from symgrad import pipeline
from symgrad.spec import parse_spec
from symgrad.verify.cases import KINDS
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
RIGHT, WRONG = "np.multiply(y_where_2, 3.0,", "np.multiply(y_where_2, 2.9,"


@pytest.mark.parametrize("edge", ["1.2", "2.5"])
def test_a_fault_on_the_side_that_few_samples_take_fails_among_many(
    edge: str, tmp_path: Path
) -> None:
    """y is drawn with a standard deviation of 0.7; TD3's clip is at 2.5 of them."""
    spec = parse_spec(SPEC.replace("1.2", edge), "rare")
    text = pipeline.generate(spec)
    path = tmp_path / "rare.py"
    path.write_text(text, encoding="utf-8")
    assert judged(prepared(spec), ModuleSubject(path)).verdict == "PASS"
    assert RIGHT in text
    path.write_text(text.replace(RIGHT, WRONG), encoding="utf-8")
    few = prepared(spec, kinds=[kind for kind in KINDS if kind != "many"])
    assert judged(few, ModuleSubject(path)).verdict == "PASS"
    report = judged(prepared(spec), ModuleSubject(path))
    assert {(b.name, b.instance) for b in report.failures} == {
        ("w", f"{CROWD}, float64: B={MANY}")
    }, text_of(report)


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
