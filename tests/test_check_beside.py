"""A file that symgrad did not write fails where it differs from what symgrad emits, oracle or not."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

import symgrad as sg
from symgrad.pipeline import generate
from symgrad.spec import Spec, parse_spec
from symgrad.verify.beside import CLAIM, beside
from symgrad.verify.cases import Target
from symgrad.verify.check import prepared
from symgrad.verify.subject import ModuleSubject
from symgrad.verify.verdict import Report

TEXT = """
outputs = ["y"]
equations = '''
y[b] = sum(t,i: where(mask[b,t], E[tok[b,t],i]*w[i], 0))*exp(clip(s[0], -20, 2))
loss = scale*mean(b: softplus(y[b] - target[b]))
'''
[sizes]
B = "batch"
T = "steps"
V = "tokens"
N = "width"
[params]
E = "real[V, N]"
w = "real[N]"
s = "real[1]"
[data]
tok = "int[B, T] < V"
mask = "bool[B, T]"
target = "real[B]"
scale = "real = 0.5"
"""
RETURN = "    return loss, grads"
WRONG = "        grads.w[...] += 1\n"


def where(condition: str) -> dict[str, str]:
    return {RETURN: f"    if {condition}:\n{WRONG}{RETURN}"}


FAULTS = {
    # what is replaced by what in value_and_grad, and where it shows
    "one sample":              (where("B == 1"), "one sample"),
    "an even batch":           (where("B % 2 == 0"), "two samples"),
    "a large batch":           (where("B > 1024"), "1,030 samples"),
    "an axis of one":          (where("N == 1"), "all sizes 1"),
    "a wide axis":             (where("N > 32"), "all sizes 40"),
    "all masks off":           (where("not mask.any()"), "off"),
    "all masks on":            (where("mask.all() and B > 2"), "on"),
    "one token alone":         (where("(tok == 0).all() and B > 2"), "off"),
    "another default ignored": ({"    ws = _memory": "    scale = dtype.type(0.5)\n    ws = _memory"}, "overridden"),
    "an overflow":             ({"np.logaddexp(y_arg, 0.0, out=ws.y_arg_softplus)": "np.log1p(np.exp(y_arg))"}, "data"),
    "a clip far out":          ({"np.clip(s[0], -20.0, 2.0": "np.clip(s[0], -20.0, 9.0"}, "parameters"),
}  # fmt: skip


@cache
def spec() -> Spec:
    return parse_spec(TEXT, "by_hand")


@cache
def emitted() -> str:
    return generate(spec())


@cache
def target() -> Target:
    return prepared(spec(), losses=["loss"], kinds=("own",)).cases[0].target


def checked(text: str, folder: Path) -> Report:
    path = folder / "by_hand.py"
    path.write_text(text, encoding="utf-8")
    return sg.check(path)


def test_a_right_rewrite_passes(tmp_path: Path) -> None:
    head, text = emitted().split("def value_and_grad(")
    other = text.replace("np.sum(y_arg_softplus) / B", "np.einsum('b->', y_arg_softplus[::-1]) / B")
    assert other != text
    report = checked(f"{head}def value_and_grad({other}", tmp_path)
    assert report.verdict == "PASS", report
    assert CLAIM in [rule.claim for rule in report.conduct]


def test_what_symgrad_emits_is_not_run_beside_itself(tmp_path: Path) -> None:
    assert CLAIM not in [rule.claim for rule in checked(emitted(), tmp_path).conduct]


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_fails_where_no_oracle_looks(what: str, tmp_path: Path) -> None:
    edits, place = FAULTS[what]
    head, text = emitted().split("def value_and_grad(")
    for old, new in edits.items():
        assert old in text
        text = text.replace(old, new, 1)
    mine, usual = tmp_path / "by_hand.py", tmp_path / "emitted.py"
    mine.write_text(f"{head}def value_and_grad({text}", encoding="utf-8")
    usual.write_text(emitted(), encoding="utf-8")
    [rule] = beside([target()], (), ModuleSubject(mine), ModuleSubject(usual), 0)
    assert (rule.verdict, place in rule.note) == ("FAIL", True), rule.note
