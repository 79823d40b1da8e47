"""`stabilise` keeps the mathematics and mends the numbers: each identity, across equations."""

from __future__ import annotations

import inspect
import math
import types
from dataclasses import dataclass, replace

import mpmath
import numpy as np
import pytest

from symgrad.algebra.heads import split_heads
from symgrad.algebra.identities import IDENTITIES
from symgrad.algebra.program import Program
from symgrad.algebra.stabilise import stabilise
from symgrad.pipeline import generate
from symgrad.spec import Spec, parse_spec
from symgrad.verify.arithmetic import Digits
from symgrad.verify.evaluate import evaluate


@dataclass(frozen=True)
class Case:
    """identity, equations, a logit where the plain form fails in float32, and value and slope there."""

    identity: str
    equations: str
    extreme: float
    value: float
    slope: float


ERFC_6 = math.erfc(6)
SLOPE_6 = -2 / math.sqrt(math.pi) * math.exp(-36)

# b is the parameter, x[n] the data; the extreme stands in x, so that the argument is x + b at b = 0.
CASES = [
    Case("exp", "e[n] = exp(x[n] + b)\nloss = mean(n: log(e[n]))", 1e4, 1e4, 1.0),
    Case("sigmoid", "p[n] = sigmoid(x[n] + b)\nloss = -mean(n: log(p[n]))", -1e4, 1e4, -1.0),
    Case(
        "log one minus sigmoid",
        "p[n] = sigmoid(x[n] + b)\nloss = -mean(n: log(1 - p[n]))",
        1e4,
        1e4,
        1.0,
    ),
    Case(
        "one minus sigmoid", "p[n] = sigmoid(x[n] + b)\nloss = sum(n: 1 - p[n])/B", 80.0, 0.0, 0.0
    ),
    Case("one plus exp", "loss = mean(n: log(1 + exp(x[n] + b)))", 1e4, 1e4, 1.0),
    Case(
        "exp plus exp",
        "f[n] = exp(x[n] + b)\ng[n] = exp(b) for n < B\nloss = mean(n: log(f[n] + g[n]))",
        1e4,
        1e4,
        1.0,
    ),
    Case(
        "sum exp",
        "s[n] = sum(v: exp(x[n]*(1 + b)*w[v]))\nloss = mean(n: log(s[n]))",
        1e4,
        1e4,
        1e4,
    ),
    Case(
        "softmax",
        "e[n,v] = exp(x[n]*(1 + b)*w[v])\ns[n] = sum(v: e[n,v])\np[n,v] = e[n,v]/s[n]\nloss = mean(n: p[n,0])",
        1e4,
        1.0,
        0.0,
    ),
    Case(
        "log one minus tanh squared",
        "a[n] = tanh(x[n] + b)\nloss = mean(n: log(1 - a[n]**2))",
        40.0,
        2 * (np.log(2) - 40),
        -2.0,
    ),
    Case(
        "one minus exp",
        "s[n] = softplus(x[n] + b)\nloss = mean(n: log(1 - exp(-s[n])))",
        40.0,
        -np.exp(-40.0),
        np.exp(-40.0),
    ),
    Case(
        "one plus any",
        "u[n] = 1 + (x[n] + b)**2\nloss = mean(n: log(u[n]))",
        1e-6,
        np.log1p(1e-12),
        2e-6 / (1 + 1e-12),
    ),
    Case("over two exp", "f[n] = exp(x[n] + b)\nloss = mean(n: f[n]/(1 + f[n]))", 1e4, 1.0, 0.0),
    Case("over exp", "s[n] = exp(x[n] + b)\nloss = mean(n: exp(x[n])/s[n])", 1e4, 1.0, -1.0),
    Case(
        "exp minus one",
        "loss = mean(n: 2*exp(x[n] + b) - 2)",
        1e-10,
        2 * np.expm1(1e-10),
        2 * np.exp(1e-10),
    ),
    Case(
        "one minus tanh",
        "h[n] = tanh(x[n] + b)\nloss = mean(n: 1 - h[n])",
        20.0,
        2 * np.exp(-40.0),
        -4 * np.exp(-40.0),
    ),
    Case(
        "one plus tanh",
        "h[n] = tanh(x[n] + b)\nloss = mean(n: 1 + h[n])",
        -20.0,
        2 * np.exp(-40.0),
        4 * np.exp(-40.0),
    ),
    Case("one minus erf", "e[n] = erf(x[n] + b)\nloss = mean(n: 1 - e[n])", 6.0, ERFC_6, SLOPE_6),
    Case("one plus erf", "loss = mean(n: (1 + erf(x[n] + b))*w[0])", -6.0, ERFC_6, -SLOPE_6),
    Case(
        "one minus tanh squared",
        "a[n] = tanh(x[n] + b)\nloss = mean(n: 1 - a[n]**2)",
        20.0,
        4 * np.exp(-40.0),
        -8 * np.exp(-40.0),
    ),
]
EACH = pytest.mark.parametrize("case", CASES, ids=[c.identity for c in CASES])


def spec_of(equations: str) -> Spec:
    return parse_spec(
        f'equations = """\n{equations}\n"""\n[sizes]\nB = "batch"\n'
        '[params]\nb = "real"\n[data]\nx = "real[B]"\nw = "real[2]"\nact = "int[B] < 2"\n',
        "case",
    )


def used(program: Program) -> tuple[Program, tuple[str, ...]]:
    return stabilise(split_heads(program))


def test_every_identity_has_a_case() -> None:
    assert {c.identity for c in CASES} == set(IDENTITIES)


@EACH
def test_the_identity_is_used_and_named(case: Case) -> None:
    _, names = used(spec_of(case.equations).losses[0].program)
    assert IDENTITIES[case.identity] in names


@EACH
def test_both_sides_are_equal_at_sixty_digits(case: Case) -> None:
    program = spec_of(case.equations).losses[0].program
    stable, _ = used(program)
    rng = np.random.default_rng(3)
    for _ in range(5):
        values = {
            "b": rng.normal(),
            "x": 2 * rng.normal(size=3),
            "w": rng.normal(size=2),
            "act": [0, 1, 1],
        }
        plain, rewritten = (
            evaluate(replace(p, outputs=("loss",)), values, {"B": 3}, Digits(60)).values["loss"]
            for p in (program, stable)
        )
        assert abs(plain[()] - rewritten[()]) <= mpmath.mpf(10) ** -50 * (1 + abs(plain[()]))


@EACH
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_value_and_gradient_are_right_where_the_plain_form_fails(case: Case, dtype: type) -> None:
    module = types.ModuleType("case")
    exec(generate(spec_of(case.equations)), module.__dict__)
    data = {"x": np.full(3, case.extreme, dtype), "w": np.array([1.0, -1.0], dtype)}
    taken = {
        name: data[name]
        for name in inspect.signature(module.value_and_grad).parameters
        if name in data
    }
    value, grads = module.value_and_grad(module.Params(np.zeros(1, dtype)), **taken)
    tolerance = 1e-12 if dtype is np.float64 else 1e-5
    assert np.isclose(value, case.value, rtol=tolerance, atol=1e-30)
    assert np.isclose(grads.flat[0], case.slope, rtol=tolerance, atol=1e-30)


def test_a_gathered_softmax_becomes_a_log_softmax() -> None:
    equations = (
        "e[n,v] = exp(x[n]*w[v]*b)\ns[n] = sum(v: e[n,v])\np[n,v] = e[n,v]/s[n]\n"
        "loss = -mean(n: log(p[n,act[n]]))"
    )
    stable, names = used(spec_of(equations).losses[0].program)
    needed = {e.op for e in stable.equations}
    assert "logsumexp" in needed
    assert IDENTITIES["sum exp"] in names


def test_a_sum_that_is_not_of_exponentials_is_left_alone() -> None:
    program = spec_of("s[n] = sum(v: x[n]*w[v]*b)\nloss = mean(n: log(s[n]))").losses[0].program
    stable, names = used(program)
    assert names == ()
    assert stable.equations == split_heads(program).equations


def test_a_product_of_two_unknown_signs_is_left_alone() -> None:
    _, names = used(spec_of("loss = mean(n: log(x[n]*b))").losses[0].program)
    assert names == ()


LAYERED = [
    # equations, x, the loss and its slope by b: one form shows itself only after another
    ("p[n] = 1/(1 + exp(-x[n] - b))\nloss = -mean(n: log(1 - p[n]))", 1e4, 1e4, 1.0),
    ("p[n] = 1/(1 + exp(-x[n] - b))\nq[n] = 1 - p[n]\nloss = mean(n: log(q[n]))", 1e4, -1e4, -1.0),
    ("e[n] = exp(x[n] + b)\nf[n] = e[n]/exp(2*b)\nloss = mean(n: log(f[n]*w[0]))", 1e4, 1e4, -1.0),
]  # fmt: skip


@pytest.mark.parametrize(("equations", "x", "value", "slope"), LAYERED)
def test_forms_are_found_behind_forms(equations: str, x: float, value: float, slope: float) -> None:
    module = types.ModuleType("case")
    exec(generate(spec_of(equations)), module.__dict__)
    known = inspect.signature(module.value_and_grad).parameters
    data = {n: v for n, v in {"x": np.full(3, x), "w": np.ones(2)}.items() if n in known}
    came, grads = module.value_and_grad(module.Params(np.zeros(1)), **data)
    assert (float(came), float(grads.flat[0])) == pytest.approx((value, slope), rel=1e-12)


def test_log1p_stands_for_the_logarithm_of_no_summand() -> None:
    """1 + x[v] may be negative: a sum of such is no sum of exponentials."""
    equations = "s[n] = sum(v: 1 + x[n]*w[v])\nloss = mean(n: b*log(s[n]))"
    _, names = used(spec_of(equations).losses[0].program)
    assert IDENTITIES["sum exp"] not in names
