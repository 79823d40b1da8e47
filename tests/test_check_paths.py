"""A fault in one path of an emitted module, and in no other, is a FAIL that names the path."""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path

import pytest

from symgrad.pipeline import generate
from symgrad.spec import Spec, parse_spec
from symgrad.verify.check import Oracle, check_module, judged, prepared
from symgrad.verify.subject import ModuleSubject
from symgrad.verify.verdict import Report

TEXT = """
outputs = ["q"]
equations = '''
q[b,a] = tanh(sum(j: W[a,j]*obs[b,j]) + c[a])
loss = mean(b: adv[b]*(logsumexp(a: q[b,a]) - q[b,act[b]]))
'''
[sizes]
B = "batch"
[params]
W = "real[A, N]"
c = "real[A]"
[data]
obs = "real[B, N]"
act = "int[B] < A"
adv = "real[B]"
"""
TEXT = TEXT.replace('B = "batch"', 'B = "batch"\nA = "actions"\nN = "inputs"')

FUNCTIONS = {
    # what the fault does at the end of each function
    "forward": "q = q * 1.001",
    "value": "loss = loss * 1.001",
    "value_and_grad": "grads.W[...] *= 1.001",
}
LAYOUTS = {
    "": "obs.flags.c_contiguous and obs.flags.writeable",
    "strided": "not obs.flags.c_contiguous and not obs.flags.f_contiguous",
    "Fortran-ordered": "not obs.flags.c_contiguous and obs.flags.f_contiguous",
    "read-only": "not obs.flags.writeable",
}
MEMORY = {"": "workspace is None", "a workspace": "workspace is not None"}
TYPES = {"": "dtype == np.float64", "float32": "dtype == np.float32"}
PATHS = [
    ({"layout": layout, "memory": memory, "type": kind}, " and ".join([a, b, c]))
    for (layout, a), (memory, b), (kind, c) in itertools.product(
        LAYOUTS.items(), MEMORY.items(), TYPES.items()
    )
    if not (layout and kind)  # what is of another type or layout is copied by one and the same line
]


@cache
def spec() -> Spec:
    return parse_spec(TEXT, "paths")


@cache
def emitted() -> str:
    return generate(spec())


@cache
def oracle() -> Oracle:
    return prepared(spec())


def verdict(text: str, folder: Path) -> Report:
    path = folder / "paths.py"
    path.write_text(text, encoding="utf-8")
    return judged(oracle(), ModuleSubject(path))


def planted(function: str, condition: str, fault: str, text: str = "") -> str:
    """The module with a fault at the end of a function, where a condition holds on entry."""
    before, head, rest = (text or emitted()).partition(f"\ndef {function}(")
    body, end, after = rest.partition("\n    return ")
    body = body.replace("    obs = _real(", f"    wrong = {condition}\n    obs = _real(", 1)
    assert end
    assert "wrong = " in body
    return f"{before}{head}{body}\n    if wrong:\n        {fault}{end}{after}"


def said(report: Report) -> str:
    claims = [f"{c.claim}: {c.note}" for c in report.conduct if c.verdict == "FAIL"]
    return "\n".join([*(f"{b.loss} {b.name}" for b in report.failures), *claims])


def test_the_module_without_a_fault_passes(tmp_path: Path) -> None:
    report = verdict(emitted(), tmp_path)
    assert (report.verdict, said(report)) == ("PASS", "")


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("path", "condition"), PATHS, ids=[" ".join(p.values()).strip() or "plain" for p, _ in PATHS]
)
def test_a_fault_in_one_path_fails_and_the_path_is_named(
    function: str, path: dict[str, str], condition: str, tmp_path: Path
) -> None:
    report = verdict(planted(function, condition, FUNCTIONS[function]), tmp_path)
    assert report.verdict == "FAIL", path
    assert [word for word in path.values() if word not in said(report)] == [], said(report)


ELSEWHERE = {
    "the batch does not divide by 4": ("len(obs) % 4 != 0", "grads.c[...] *= 1.001"),
    "the first data stays in the workspace": ("workspace is not None", "grads.W[...] = workspace._memory.setdefault('kept', grads.W.copy())"),
    "the value alone": ("True", "loss = loss * 1.001"),
    "the value in float32": ("dtype == np.float32", "loss = loss * np.float32(1.001)"),
}  # fmt: skip


@pytest.mark.parametrize("what", ELSEWHERE)
def test_these_fail_too(what: str, tmp_path: Path) -> None:
    condition, fault = ELSEWHERE[what]
    report = verdict(planted("value_and_grad", condition, fault), tmp_path)
    assert report.verdict == "FAIL", said(report)
    assert "the module does not run" not in said(report)
    assert "it runs" not in said(report), said(report)


BLOCKS = "len(obs) > 64"


def listing(branches: str, text: str) -> str:
    assert "\nBRANCHES = ()\n" in text
    return text.replace("\nBRANCHES = ()\n", f"\nBRANCHES = {branches}\n")


def module_of(text: str, folder: Path) -> Report:
    path = folder / "paths.py"
    path.write_text(text, encoding="utf-8")
    return check_module(path)


@pytest.mark.parametrize(
    "condition", [BLOCKS, f"{BLOCKS} and len(obs) % 64"], ids=["large", "large, with a remainder"]
)
def test_a_path_of_large_sizes_that_the_module_lists_is_reached(
    condition: str, tmp_path: Path
) -> None:
    right = module_of(listing('("B > 64",)', emitted()), tmp_path)
    assert right.verdict == "PASS", said(right)
    assert any(block.instance.startswith("at B > 64") for block in right.blocks)
    wrong = planted("value_and_grad", condition, FUNCTIONS["value_and_grad"])
    report = module_of(listing('("B > 64",)', wrong), tmp_path)
    assert report.verdict == "FAIL"
    assert {block.instance.partition(",")[0] for block in report.failures} == {"at B > 64"}


@pytest.mark.parametrize(
    "branches", ['("many rows",)', '("K > 64",)', "TABLE", '("B > 999999999",)']
)
def test_a_path_that_cannot_be_reached_is_no_pass(branches: str, tmp_path: Path) -> None:
    text = listing(branches, emitted()).replace("\nBRANCHES", "\nTABLE = ()\nBRANCHES")
    report = module_of(text, tmp_path)
    assert report.verdict == "INCONCLUSIVE"
    (note,) = {block.note for block in report.blocks if block.verdict == "INCONCLUSIVE"}
    assert "BRANCHES" in note
    assert "was not reached" in note


UNSHOWN = """
equations = '''
v[i] = w*tanh(i) for i < K
loss = mean(i: v[i]**2)
'''
[sizes]
K = {size}
[params]
w = "real"
"""


@pytest.mark.parametrize("size", ['"free"', "2"])
def test_a_size_that_no_array_shows_is_passed_on(size: str, tmp_path: Path) -> None:
    unshown = parse_spec(UNSHOWN.format(size=size), "unshown")
    path = tmp_path / "unshown.py"
    path.write_text(generate(unshown), encoding="utf-8")
    report = judged(prepared(unshown, sizes={"K": 5}), ModuleSubject(path))
    assert report.verdict == "PASS", str(report)
    assert any("K=5" in block.instance for block in report.blocks)
