"""Specs that once went wrong: each module's gradient is that of the naive evaluation."""

from __future__ import annotations

import types

import numpy as np
import pytest

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
"""

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
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_the_gradient_is_that_of_the_naive_evaluation(case: str, dtype: type) -> None:
    spec = parse_spec(f'equations = """\n{CASES[case]}\n"""\n{DECLARED}', "case")
    data = {
        "x": np.array([1.0, 2.0, -0.5, 4.0]),
        "m": np.array([True, False, True, True]),
        "k": np.array([1, 2, 3, 4]),
    }
    params = {"b": np.array(1.5), "w": np.array([0.5, -1.0, 0.25, 2.0])}
    module = types.ModuleType("case")
    exec(generate(spec), module.__dict__)
    held = module.Params(np.dtype(dtype))
    for name, value in params.items():
        getattr(held, name)[...] = value
    function = module.value_and_grad
    used = {name: data[name] for name in data if name in function.__code__.co_varnames}
    value, grads = function(held, **used)
    gradient = derive(spec.losses[0])
    exact = evaluate(gradient.derived.program, {**params, **data}, {"N": 4}).values
    tolerance = 1e-12 if dtype is np.float64 else 1e-4
    np.testing.assert_allclose(value, exact["loss"], rtol=tolerance)
    for name, adjoint in gradient.derived.result.items():
        np.testing.assert_allclose(getattr(grads, name), exact[adjoint], rtol=tolerance)
        assert getattr(grads, name).dtype == dtype
