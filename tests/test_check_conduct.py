"""A module whose numbers are right, and which cannot be used as it says: a FAIL that names the rule."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from symgrad.pipeline import generate
from symgrad.spec import Spec, parse_spec
from symgrad.verify.check import Oracle, judged, prepared
from symgrad.verify.subject import ModuleSubject
from symgrad.verify.verdict import Report

TEXT = """
outputs = ["q"]
aux = ["surprise"]
equations = '''
q[b,a] = sum(j: W[a,j]*obs[b,j]) + c[a]
nll[b] = logsumexp(a: q[b,a]) - q[b,act[b]]
loss = mean(b: adv[b]*nll[b]) + decay*sum(a: c[a]**2)
surprise = mean(b: nll[b])
'''
[sizes]
B = "batch"
A = "actions"
N = "inputs"
[params]
W = "real[A, N]"
c = "real[A]"
[data]
obs = "real[B, N]"
act = "int[B] < A"
adv = "real[B]"
decay = "real = 0.01"
"""
DTYPE = "    dtype = _dtype_of(params)\n"
NEW = "    if workspace is None:\n        return kind(dtype, **sizes)\n"
KEPT = "    if workspace is None:\n        return _KEPT.setdefault((kind, np.dtype(dtype), *sizes.values()), kind(dtype, **sizes))\n"
RETURN = "    return (loss, "
APART = "    grads = type('', (), {'W': grads.W, 'c': grads.c, 'flat': 0 * grads.flat})\n"
AGAIN = f"{DTYPE}    if _SEEN.get('params') is params and workspace is None:\n        return _SEEN['result']\n"
SEEN = "    _SEEN.update(params=params, result=((loss, {'surprise': surprise}), grads))\n"

FAULTS = {
    # the function, what is replaced by what, and the rule that it breaks
    "another default":          ("value_and_grad", {"decay=0.01": "decay=0.1"}, "what is left out has its declared default"),
    "another default of value": ("value", {"decay=0.01": "decay=0.1"}, "value() returns the value of value_and_grad()"),
    "another aux of value":     ("value", {"np.sum(nll) / B": "np.sum(nll)"}, "value() returns the value of value_and_grad()"),
    "one memory for all calls": ("", {NEW: KEPT, "VERSION =": "_KEPT = {}\nVERSION ="}, "what came back stays as it is"),
    "the last result again":    ("value_and_grad", {DTYPE: AGAIN, RETURN: SEEN + RETURN, "\n\n\nclass ": "\n\n\n_SEEN = {}\n\n\nclass "}, "inputs changed in place count as they are"),
    "another vector":           ("value_and_grad", {RETURN: APART + RETURN}, "flat holds what its views hold"),
    "random numbers sown":      ("value_and_grad", {DTYPE: f"{DTYPE}    np.random.seed(0)\n"}, "NumPy's global state is untouched"),
    "errors silenced":          ("value_and_grad", {DTYPE: f"{DTYPE}    np.seterr(all='ignore')\n"}, "NumPy's global state is untouched"),
    "a wide output":            ("forward", {"    return q": "    return q.astype(np.float64)"}, "float32 parameters give float32 arrays"),
    "a memory for all types":   ("", {"key = kind, np.dtype(dtype)": "key = kind"}, "float32 parameters give float32 arrays"),
    "narrow positions":         ("", {"act = _fit(ws, \"act\", act, np.intp)": "act = act * act.dtype.type(100) // 100"}, "inputs of other types give the same numbers"),
    "whole numbers divided":    ("value_and_grad", {DTYPE: f"{DTYPE}    adv = np.asarray(adv)\n    adv = (adv // 2 if adv.dtype.kind in 'iu' else adv / 2) * 2\n"}, "inputs of other types give the same numbers"),
}  # fmt: skip


@cache
def spec() -> Spec:
    return parse_spec(TEXT, "conduct")


@cache
def oracle() -> Oracle:
    return prepared(spec(), kinds=("own",))


def verdict(text: str, folder: Path) -> Report:
    path = folder / "conduct.py"
    path.write_text(text, encoding="utf-8")
    return judged(oracle(), ModuleSubject(path))


def test_the_module_without_a_fault_passes(tmp_path: Path) -> None:
    assert verdict(generate(spec()), tmp_path).verdict == "PASS"


@pytest.mark.parametrize("what", FAULTS)
def test_a_broken_rule_is_named(what: str, tmp_path: Path) -> None:
    function, edits, rule = FAULTS[what]
    start = f"\ndef {function}(" if function else "\n"
    before, start, text = generate(spec()).partition(start)
    for old, new in edits.items():
        assert old in text, old
        text = text.replace(old, new, 1 if function else -1)
    report = verdict(before + start + text, tmp_path)
    broken = [c.claim for c in report.conduct if c.verdict == "FAIL"]
    assert (report.verdict, rule in broken) == ("FAIL", True), (broken, report.failures)


def test_a_type_that_is_refused_gives_no_wrong_number(tmp_path: Path) -> None:
    refused = "    if act.dtype != np.int64:\n        raise TypeError('act is not int64')\n"
    before, start, text = generate(spec()).partition("\ndef value_and_grad(")
    text = text.replace(DTYPE, DTYPE + refused, 1)
    report = verdict(before + start + text, tmp_path)
    assert report.verdict == "PASS", report.conduct


def test_without_parameters_the_data_say_what_to_compute_in(tmp_path: Path) -> None:
    free = parse_spec(
        'wrt = ["x"]\nequations = "loss = sum(b: sin(x[b])*n[b])"\n'
        '[sizes]\nB = "batch"\n[data]\nx = "real[B]"\nn = "int[B]"\n',
        "free",
    )
    path = tmp_path / "free.py"
    path.write_text(generate(free), encoding="utf-8")
    report = judged(prepared(free), ModuleSubject(path))
    assert report.verdict == "PASS", report.conduct
