"""Specs that once went wrong: each module's gradient is that of the naive evaluation."""

from __future__ import annotations

import re
import types

import numpy as np
import pytest

from benchmarks.fuzzing.running import accepted, poisoned
from symgrad.api import check
from symgrad.pipeline import derive, generate
from symgrad.spec import parse_spec
from symgrad.verify.evaluate import evaluate

DECLARED = """
[sizes]
N = 4
[params]
b = "real"
w = "real[N]"
[data]
x = "real[N]"
m = "bool[N]"
k = "int[N] < 5"
f = "real[2, 3]"
a = "real[3, 5]"
q = "int"
"""
TENSORS = {"l": "real[N]", "v": "real[5]"}
"""The shapes of computed tensors whose equations do not show them."""

# What went wrong, and the equations that showed it.
CASES = {
    "a padded bool was given a real buffer": (
        "loss = b*sum(n: w[n]) + sum(n: where(pad(m[n-1]) == 1, b*x[n], b*b*x[n]))"
    ),
    "a padded bool and a padded int as numbers": (
        "loss = sum(n: w[n]*pad(m[n-1])*pad(k[n+1])*b)"
    ),
    "a rank-0 tangent or adjoint was looked up as an array": (
        "s = sum(n: w[n])\nloss = b*s**2"
    ),
    "what a selection guards overflowed": (
        "loss = sum(n: b*w[n]*where(x[n] < 0, exp(1000*x[n]*w[n]) - 1, x[n]))"
    ),
    "nested polynomials were too deep for SymPy's recursion": (
        "loss = sum(n: b*" + "(0.5 - " * 45 + "w[n]" + ")**2*0.5" * 45 + ")"
    ),
    "a place that nothing writes was read before the zeros came": (
        "g[n] = tanh(h[n]) for 1 <= n < N\nh[0] = w[0]\nh[n+1] = g[n]/2 + w[n]\nloss = b*sum(n: g[n]**2 + w[n]*x[n])"
    ),
    "a logsumexp of some rows left the others as memory was": (
        "l[n] = logsumexp(i: x[i]*w[n]) for n < N-1\nloss = b*sum(n: l[n]*w[n])"
    ),
    "under a mask, a part without all of its axes was given the whole mask": (
        "g[i,l] = where(f[i,l] + b > 0, b*f[i,l] + tanh(b*a[l,0])/2, stop(f[i,l]))\nloss = sum(i,l: g[i,l]*a[l,i])"
    ),
    "a number that belongs to a smaller factor made it as large as the others": (
        "g[i,l] = where(f[i,l] + b > 0, b*f[i,l], (i/3)*(q/2))\nloss = b*sum(i,l: g[i,l]**2)"
    ),
    "no places of a gather were to be found in an array without a shape": (
        "r[n,t,c] = w[n]*a[t,c]\ne[n,t] = r[n,t+1,k[n]] for t < N-4\nloss = b*sum(n,t,c: r[n,t,c]) + sum(n,t: e[n,t])"
    ),
    "a sum at one place that is computed was given the axes of no array": (
        "d = argmax(n: x[n])\nv[k[d]] += w[n]**2\nloss = b*sum(n: v[n]**2) for n < N"
    ),
    "of three factors, two met in a number": (
        "loss = b*sum(l: sin(sum(i,j,k: f[j,l]*w[i]**2*a[l,k])))"
    ),
    "a selection's mask had more axes than what it selects": (
        "u[i,n] = f[0,i]*w[n] for i < 3\nloss = b*sum(i,n: where(u[i,n] < 0, 1 - w[n], w[n])*u[i,n]**2)"
    ),
    "leaky_relu of an int and a rank-0 tensor was float64": (
        "l0 = tanh(b)\nl1 = leaky_relu(q, l0)\nloss = sin(l1)"
    ),
    "expdiff of a number and a rank-0 tensor was float64": (
        "loss = sin(tanh(b) + tanh(expdiff(tanh(0.5/3), tanh(tanh(b)))))"
    ),
}  # fmt: skip


# What `check` could not do, though the gradient is right, and the equations that showed it.
CHECKED = {
    "a mask of stops alone does not move with the probes": (
        "v[n] = where(stop(w[n]) < b, stop(w[n])*b, w[n]**2)\nloss = sum(n: v[n]*x[n])"
    ),
}


@pytest.mark.parametrize("case", CHECKED)
def test_its_check_passes(case: str) -> None:
    text = f'equations = """\n{CHECKED[case]}\n"""\n{DECLARED}'
    report = check(parse_spec(text, "case"))
    assert report.verdict == "PASS", report


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_the_gradient_is_that_of_the_naive_evaluation(case: str, dtype: type) -> None:
    tensors = "".join(
        f'{n} = "{t}"\n' for n, t in TENSORS.items() if re.search(rf"\b{n}\[", CASES[case])
    )
    text = f'equations = """\n{CASES[case]}\n"""\n{DECLARED}[tensors]\n{tensors}'
    spec = parse_spec(text, "case")
    data = {
        "x": np.array([1.0, 2.0, -0.5, 4.0]),
        "m": np.array([True, False, True, True]),
        "k": np.array([1, 2, 3, 4]),
        "q": 3,
        "f": np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.5]]),
        "a": np.arange(15.0).reshape(3, 5) / 64,
    }
    params = {"b": np.array(1.5), "w": np.array([0.5, -1.0, 0.25, 2.0])}
    module = types.ModuleType("case")
    exec(generate(spec), module.__dict__)
    held = module.Params(np.dtype(dtype))
    for name, value in params.items():
        getattr(held, name)[...] = value
    function = module.value_and_grad
    with poisoned():
        value, grads = function(held, **accepted(function, data))
    gradient = derive(spec.losses[0])
    exact = evaluate(gradient.derived.program, {**params, **data}, {"N": 4}).values
    tolerance = 1e-12 if dtype is np.float64 else 1e-4
    np.testing.assert_allclose(value, exact["loss"], rtol=tolerance)
    assert np.asarray(value).dtype == dtype
    for name, adjoint in gradient.derived.result.items():
        np.testing.assert_allclose(getattr(grads, name), exact[adjoint], rtol=tolerance)
        assert getattr(grads, name).dtype == dtype


SHARED = """
wrt = []
outputs = ["u", "v", "y"]
equations = '''
u[n] = a[n]*b[n]*c[n]
v[n] += c[n] for n < 2
v[n+2] += a[n]*b[n]*d[n]
y[n] += sin(c[n])
y[n] += a[n]*b[n]*d[n]
'''
[data]
a = "real[2]"
b = "real[2]"
c = "real[2]"
d = "real[2]"
"""


def test_a_product_that_a_column_has_read_is_read_where_it_was_written() -> None:
    spec = parse_spec(SHARED, "shared")
    module = types.ModuleType("shared")
    exec(generate(spec), module.__dict__)
    data = {name: np.array([k + 0.5, 2.0 - k]) for k, name in enumerate("abcd")}
    with poisoned():
        found = module.forward(**data)
    exact = evaluate(spec.shared, data, {}).values
    for name, came in zip(spec.shared.outputs, found, strict=True):
        np.testing.assert_allclose(came, exact[name], rtol=1e-15, err_msg=name)
