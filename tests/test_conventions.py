"""At the very point of a kink a gradient has to be the declared one: every other one is refused.

Each row is a loss of two numbers, x by which it is differentiated, and y.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from symgrad import pipeline
from symgrad.spec import parse_spec
from symgrad.verify import kinks
from symgrad.verify.arithmetic import Array
from symgrad.verify.check import Oracle, judged, prepared
from symgrad.verify.inexact import EXACT
from symgrad.verify.report import text_of
from symgrad.verify.subject import CallableSubject, ModuleSubject

SPEC = """
equations = "{}"
[params]
x = "real"
[data]
y = "real"
"""
PPO = "loss = -minimum(x*y, clip(x, 0.8, 1.2)*y)"
LOGS = "r = exp(x - y)\\nloss = -minimum(2*r, clip(r, 0.8, 1.2)*2)"
VALUE_LOSS = "d = clip(x - y, -0.25, 0.25)\\nloss = maximum((x - 3)**2, (y + d - 3)**2)"
HUBER = "loss = where(abs(x - y) <= 1, (x - y)**2/2, abs(x - y) - 1/2)"
QUANTILE = (
    "loss = abs(0.25 - where(x < y, 1, 0))*where(abs(y - x) <= 1, (y - x)**2/2, abs(y - x) - 1/2)"
)
SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772

CONVENTIONS = [
    # loss,                             x,      y,    slope from the left, at x, from the right
    ("loss = relu(x)",                  0.0,   0.0,   0.0,    0.0,    1.0),
    ("loss = leaky_relu(x, 0.25)",      0.0,   0.0,   0.25,   0.25,   1.0),
    ("loss = elu(x, alpha=2)",          0.0,   0.0,   2.0,    2.0,    1.0),
    ("loss = selu(x)",                  0.0,   0.0,   SCALE*ALPHA, SCALE*ALPHA, SCALE),
    ("loss = hardtanh(x)",              1.0,   0.0,   1.0,    0.0,    0.0),
    ("loss = hardtanh(x)",             -1.0,   0.0,   0.0,    0.0,    1.0),
    ("loss = abs(x)",                   0.0,   0.0,  -1.0,    0.0,    1.0),
    ("loss = abs(x - y)",               0.5,   0.5,  -1.0,    0.0,    1.0),
    ("loss = minimum(x, y)",            0.5,   0.5,   1.0,    1.0,    0.0),
    ("loss = minimum(y, x)",            0.5,   0.5,   1.0,    0.0,    0.0),
    ("loss = maximum(x, y)",            0.5,   0.5,   0.0,    1.0,    1.0),
    ("loss = maximum(y, x)",            0.5,   0.5,   0.0,    0.0,    1.0),
    ("loss = maximum(0, 1 - x)",        1.0,   0.0,  -1.0,    0.0,    0.0),
    ("loss = clip(x, -0.5, 0.5)",       0.5,   0.0,   1.0,    1.0,    0.0),
    ("loss = clip(x, -0.5, 0.5)",      -0.5,   0.0,   0.0,    1.0,    1.0),
    (HUBER,                             1.5,   0.5,   1.0,    1.0,    1.0),
    (HUBER,                            -0.5,   0.5,  -1.0,   -1.0,   -1.0),
    (HUBER,                             0.5,   0.5,   0.0,    0.0,    0.0),
    (QUANTILE,                          1.5,   0.5,   0.25,   0.25,   0.25),
    (QUANTILE,                         -0.5,   0.5,  -0.75,  -0.75,  -0.75),
    (PPO,                               1.0,   2.0,  -2.0,   -2.0,   -2.0),
    (PPO,                               1.0,  -2.0,   2.0,    2.0,    2.0),
    (PPO,                               1.2,   2.0,  -2.0,   -2.0,    0.0),
    (PPO,                               1.2,  -2.0,   2.0,    2.0,    2.0),
    (PPO,                               0.8,   2.0,  -2.0,   -2.0,   -2.0),
    (PPO,                               0.8,  -2.0,   0.0,    2.0,    2.0),
    (LOGS,                              0.5,   0.5,  -2.0,   -2.0,   -2.0),
    (VALUE_LOSS,                        0.75,  0.5,  -4.5,   -4.5,    0.0),
    (VALUE_LOSS,                        0.5,   0.5,  -5.0,   -5.0,   -5.0),
    (VALUE_LOSS,                        0.25,  0.5,  -5.5,   -5.5,   -5.5),
]  # fmt: skip
IDS = [f"{row[0]} at {row[1]}, {row[2]}" for row in CONVENTIONS]


def placed(text: str, x: float, y: float) -> tuple[str, Oracle]:
    """A module's text, and the oracle of its one case, at the given numbers."""
    spec = parse_spec(SPEC.format(text), "point")
    oracle = prepared(spec, kinds=("small",))
    (case,) = oracle.cases
    values = {"x": np.asarray(x), "y": np.asarray(y)}
    at = replace(case.instance, name=kinks.NAME, values=values)
    here = replace(case, instance=at, numbers=EXACT)
    return pipeline.generate(spec), replace(oracle, cases=(here,))


@pytest.mark.parametrize(("text", "x", "y", "left", "at", "right"), CONVENTIONS, ids=IDS)
def test_emitted_code_has_the_declared_slope_and_those_on_either_side_are_reported(
    text: str, x: float, y: float, left: float, at: float, right: float, tmp_path: Path
) -> None:
    module, oracle = placed(text, x, y)
    path = tmp_path / "point.py"
    path.write_text(module, encoding="utf-8")
    report = judged(oracle, ModuleSubject(path))
    assert report.verdict == "PASS", text_of(report)
    (block,) = (block for block in report.blocks if block.name == "x")
    assert block.worst is not None
    assert block.worst.exact == pytest.approx(at, rel=1e-14, abs=0)
    if block.kinks:  # a branch changes here
        assert block.at_kinks[0].sides == pytest.approx((left, right), rel=1e-14, abs=1e-19)
    else:
        assert left == at == right


@pytest.mark.parametrize(("text", "x", "y", "left", "at", "right"), CONVENTIONS, ids=IDS)
def test_another_slope_at_the_same_point_is_refused(
    text: str, x: float, y: float, left: float, at: float, right: float
) -> None:
    _, oracle = placed(text, x, y)
    (case,) = oracle.cases
    loss = float(case.expected.values["loss"][()])
    others = {left, right, (left + right) / 2, 0.0, at / 2, 2 * at, -at, at + 1e-9} - {at}
    for slope in sorted(others):

        def wrong(
            values: Mapping[str, Array], slope: float = slope
        ) -> tuple[float, dict[str, Array]]:
            return loss, {"x": np.asarray(slope)}

        report = judged(oracle, CallableSubject(wrong))
        assert [block.name for block in report.failures] == ["x"], slope
