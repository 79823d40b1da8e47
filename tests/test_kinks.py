"""At a kink itself the gradient is the declared convention, and any other one is refused."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

import numpy as np
import pytest
from emitted import of_file

from symgrad import pipeline
from symgrad.catalog.builtin import spec_path
from symgrad.spec import Spec, load, parse_spec
from symgrad.verify import kinks
from symgrad.verify.cases import Kind
from symgrad.verify.check import Oracle, check, judged, prepared
from symgrad.verify.report import text_of
from symgrad.verify.selections import Gaps, kinks_in
from symgrad.verify.subject import ModuleSubject
from symgrad.verify.verdict import Report

SPEC = '''
equations = """
z[b,i] = sum(j: W[i,j]*x[b,j]) + c[i]
{}
"""
[sizes]
B = "batch"
H = 3
D = 2
[params]
W = "real[H, D]"
c = "real[H]"
[data]
x = "real[B, D]"
y = "real[B, H]"
'''
HUBER = "where(abs(z[b,i] - y[b,i]) <= 1, (z[b,i] - y[b,i])**2/2, abs(z[b,i] - y[b,i]) - 1/2)"
PPO = "minimum(z[b,i]*y[b,i], clip(z[b,i], 0.8, 1.2)*y[b,i])"
QUOTIENT = "minimum(r[b,i]*x[b,0], clip(r[b,i], 0.75, 1.25)*x[b,0])"
NESTED = "where(z[b,i] < -1, -1, where(1 < z[b,i], 1, z[b,i]))"

KINKED = {
    "relu": "loss = mean(b: sum(i: relu(z[b,i])*y[b,i]))",
    "leaky_relu": "loss = mean(b: sum(i: leaky_relu(z[b,i], 0.1)*y[b,i]))",
    "abs": "loss = mean(b: sum(i: abs(z[b,i])*y[b,i]))",
    "maximum": "loss = mean(b: sum(i: maximum(z[b,i], y[b,i])**2))",
    "minimum": "loss = mean(b: sum(i: minimum(z[b,i], y[b,i])**2))",
    "max": "m[b] = max(i: z[b,i])\nloss = mean(b: m[b]*y[b,0])",
    "clip": "loss = mean(b: sum(i: clip(z[b,i], -0.5, 0.5)*y[b,i]))",
    "ppo": f"loss = mean(b: sum(i: {PPO}))",
    "ratio": f"r[b,i] = z[b,i]/y[b,i]\nloss = mean(b: sum(i: {QUOTIENT}))",
    "nested": f"loss = mean(b: sum(i: {NESTED}*y[b,i]))",
    "huber": f"loss = mean(b: sum(i: {HUBER}))",
    "relu after tanh": "h[b,i] = tanh(z[b,i])\nu[b,i] = h[b,i]*c[i]\nloss = mean(b: sum(i: relu(u[b,i] + c[i])*y[b,i]))",
}  # fmt: skip
SMOOTH = "loss = mean(b: sum(i: tanh(z[b,i])*y[b,i]))"

CONVENTIONS = [
    # a wrong one: what changes in value_and_grad; or where, and by what dz is multiplied there
    ("relu",       "relu'(0) = 1",        "np.greater(z, 0.0", "np.greater_equal(z, 0.0"),
    ("leaky_relu", "its slope at 0 is 1", "np.greater(z, 0.0", "np.greater_equal(z, 0.0"),
    ("abs",        "abs'(0) = 1",         "np.greater(z, 0.0", "np.greater_equal(z, 0.0"),
    ("abs",        "abs'(0) = -1",        "np.less(z, 0.0",    "np.less_equal(z, 0.0"),
    ("maximum",    "the second at a tie", "np.less_equal(y, z", "np.less(y, z"),
    ("minimum",    "the second at a tie", "np.less_equal(z, y", "np.less(z, y"),
    ("maximum",    "half at a tie",       "y == z", "0.5"),
    ("minimum",    "half at a tie",       "y == z", "0.5"),
    ("max",        "the last at a tie",   "m_argmax = np.argmax(z, axis=-1, out=ws.m_argmax)", "m_argmax = z.shape[1] - 1 - np.argmax(z[:, ::-1], axis=-1)"),
    ("clip",       "0 at its bottom",     "np.less(z, -0.5",   "np.less_equal(z, -0.5"),
    ("clip",       "0 at its top",        "np.greater(z, 0.5", "np.greater_equal(z, 0.5"),
    ("ppo",        "0 at ratio 1 + eps",  "z == 1.2", "0.0"),
    ("ppo",        "twice where ratio is within its range", "np.copyto(dy_arg_2, 0.0, where=t_1)", "np.copyto(dy_arg_2, 0.0, where=y_arg < y_arg_2)"),
    ("huber",      "0 at delta",          "abs(z - y) == 1.0", "0.0"),
    ("relu after tanh", "relu'(0) = 1",   "np.greater(", "np.greater_equal("),
]  # fmt: skip
FOUND_BEFORE = {"twice where ratio is within its range"}
"""Wrong not only at a kink: a tie over a whole range."""


def spec_of(name: str) -> Spec:
    return parse_spec(SPEC.format(KINKED[name]), "kinked")


@functools.cache
def oracle(name: str, *kinds: Kind) -> Oracle:
    return prepared(spec_of(name), kinds=kinds)


def written(folder: Path, name: str, old: str = "", new: str = "") -> ModuleSubject:
    """The module, with a change in value_and_grad."""
    text = pipeline.generate(spec_of(name))
    head, function = text.split("def value_and_grad", 1)
    edits = [(old, new)]
    if "==" in old:  # before a buffer of z is used again
        edits = [
            ("z += c\n", f"z += c\n    there = {old}\n"),
            ("np.sum(dz,", f"dz[there] *= {new}\n    np.sum(dz,"),
        ]
    for before, after in edits:
        assert before in function, function
        function = function.replace(before, after)
    path = folder / "kinked.py"
    path.write_text(f"{head}def value_and_grad{function}", encoding="utf-8")
    return ModuleSubject(path)


@pytest.mark.parametrize("name", KINKED)
def test_right_code_passes_at_its_kinks_and_they_are_counted(name: str, tmp_path: Path) -> None:
    report = judged(oracle(name, "kinks"), written(tmp_path, name))
    assert report.verdict == "PASS", text_of(report)
    assert {b.instance.split(",")[0] for b in report.blocks} >= {kinks.NAME}
    found = sum(b.kinks for b in report.blocks)
    assert found > 0
    assert json.loads(report.to_json())["at_kinks"] == report.at_kinks == found
    assert f"{found} at kinks" in report.summary


@pytest.mark.parametrize("name", KINKED)
def test_every_kink_of_a_loss_has_its_equality(name: str) -> None:
    cases = oracle(name, "kinks").cases
    program, sizes = cases[0].target.program, cases[0].instance.sizes
    every = kinks_in(program, cases[0].target.outputs)
    assert every
    for kink in every:
        found = [
            Gaps(program, sizes, case.instance.layout).at(kink, case.instance.values)
            for case in cases
        ]
        assert np.any(np.equal(found, 0)), kink


@pytest.mark.parametrize(
    ("name", "what", "old", "new"), CONVENTIONS, ids=[f"{r[0]}: {r[1]}" for r in CONVENTIONS]
)
def test_another_convention_fails_at_the_kink_and_nowhere_else(
    name: str, what: str, old: str, new: str, tmp_path: Path
) -> None:
    wrong = written(tmp_path, name, old, new)
    ordinary = judged(oracle(name, "small", "own"), wrong)
    assert ordinary.verdict == ("FAIL" if what in FOUND_BEFORE else "PASS"), text_of(ordinary)
    report = judged(oracle(name, "kinks"), wrong)
    assert report.exit_code == 1
    assert "c" in {block.name for block in report.failures}
    assert all(block.instance.startswith(kinks.NAME) for block in report.failures)


def test_a_loss_without_kinks_has_no_such_case() -> None:
    smooth = prepared(parse_spec(SPEC.format(SMOOTH), "smooth"))
    assert [case for case in smooth.cases if case.at_kinks] == [] != smooth.cases
    report = Report("smooth.py", ())
    assert "kinks" not in report.summary


def test_a_loss_that_is_0_at_its_kink_is_no_doubt(tmp_path: Path) -> None:
    spec = parse_spec('equations = "loss = relu(w)"\n[params]\nw = "real"\n', "single")
    path = tmp_path / "single.py"
    path.write_text(pipeline.generate(spec), encoding="utf-8")
    report = check(spec, ModuleSubject(path))
    assert (report.verdict, report.at_kinks) == ("PASS", 1), text_of(report)
    assert "slopes 0 and 1, gradient 0" in text_of(report)


def test_a_kink_inside_a_stop_needs_no_case() -> None:
    text = SPEC.format("loss = mean(b: sum(i: z[b,i]*stop(relu(z[b,i]))))")
    held = prepared(parse_spec(text, "held"))
    assert [case for case in held.cases if case.at_kinks] == [] != held.cases


def test_a_side_that_rounding_decides_is_no_kink() -> None:
    held = "loss = mean(b: sum(i: relu(sin(z[b,i]) - cos(z[b,i]))*y[b,i]))"
    assert prepared(parse_spec(SPEC.format(held), "held"), kinds=("kinks",)).cases == ()


KINKY = ("lecture_q", "lecture_q_residual", "cartpole_dqn", "digits_mlp")


@pytest.mark.parametrize("name", KINKY)
def test_built_in_specs_pass_at_their_kinks(name: str, tmp_path: Path) -> None:
    spec = load(spec_path(name))
    path = tmp_path / f"{name}.py"
    path.write_text(pipeline.generate(spec), encoding="utf-8")
    found = prepared(spec, kinds=("kinks",), sizes=None)
    assert found.cases
    report = judged(found, ModuleSubject(path))
    assert report.verdict == "PASS", text_of(report)
    assert report.at_kinks > 0


@pytest.mark.parametrize("name", ["halfcheetah_ddpg", "halfcheetah_td3", "halfcheetah_sac"])
def test_every_relu_that_an_actor_learns_through_shows_at_its_kink(
    name: str, tmp_path: Path
) -> None:
    emitted = of_file(spec_path(name))
    found = prepared(emitted.spec, losses=("actor",), kinds=("kinks",))
    head, actor = emitted.text.split("def actor_value_and_grad", 1)
    masks = [match.start() for match in re.finditer(r"np\.greater\(", actor)]
    assert len(masks) >= 4
    path = tmp_path / f"{name}.py"
    for at in (None, *masks):
        wrong = actor if at is None else actor[:at] + actor[at:].replace("er(", "er_equal(", 1)
        path.write_text(f"{head}def actor_value_and_grad{wrong}", encoding="utf-8")
        report = judged(found, ModuleSubject(path))
        assert report.verdict == ("PASS" if at is None else "FAIL"), text_of(report)


def test_a_value_beside_the_loss_is_compared_at_its_kink(tmp_path: Path) -> None:
    emitted = of_file(spec_path("cartpole_a2c"))
    found = prepared(emitted.spec, kinds=("kinks",))
    head, function = emitted.text.split("def value_and_grad", 1)
    assert "(var_ret > 0.0)" in function
    path = tmp_path / "cartpole_a2c.py"
    for right, way in ((True, ">"), (False, ">=")):
        text = function.replace("(var_ret > 0.0)", f"(var_ret {way} 0.0)")
        path.write_text(f"{head}def value_and_grad{text}", encoding="utf-8")
        report = judged(found, ModuleSubject(path))
        assert report.verdict == ("PASS" if right else "FAIL"), text_of(report)
        assert {b.name for b in report.failures} == (set() if right else {"explained_variance"})


GRADIENTS = [
    # the spec,          the module's,         verdict
    ("lecture_q",          "lecture_q",          "PASS"),
    ("lecture_q_residual", "lecture_q_residual", "PASS"),
    ("lecture_q",          "lecture_q_residual", "FAIL"),
    ("lecture_q_residual", "lecture_q",          "FAIL"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "module", "verdict"), GRADIENTS)
def test_a_semi_gradient_is_not_a_residual_gradient(
    name: str, module: str, verdict: str, tmp_path: Path
) -> None:
    path = tmp_path / "module.py"
    path.write_text(pipeline.generate(load(spec_path(module))), encoding="utf-8")
    report = check(load(spec_path(name)), ModuleSubject(path))
    assert report.verdict == verdict, text_of(report)
    failing = {block.name for block in report.failures}
    assert failing == ({"w1", "b1", "w2", "b2"} if verdict == "FAIL" else set())
