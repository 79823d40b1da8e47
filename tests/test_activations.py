"""Each row of the catalogue's activations: value, first and second derivative, kinks and tails.

A row is held against 60-digit differences of its formula, and against JAX and PyTorch where they
have a function of its name. A new row is picked up by itself.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
from emitted import Emitted, imported, of_text
from gradient_cases import ENTRIES, EXACT, Gradient, in_single
from mpmath import mp
from programs import assert_agree, run

from benchmarks.fuzzing.running import accepted
from symgrad import api
from symgrad.catalog.activations import ROWS, Activation
from symgrad.pipeline import derive
from symgrad.verify.arithmetic import Digits
from symgrad.verify.evaluate import evaluate

OTHER = "0.3"
"""What each option is set to in its turn, beside its default."""

WRITTEN = [(row, row.name) for row in ROWS]
WRITTEN += [(row, f"{row.name}({OTHER})") for row in ROWS if row.options]
POINTWISE = [case for case in WRITTEN if not case[0].reads_axis]
EACH = pytest.mark.parametrize(("row", "text"), WRITTEN, ids=[text for _, text in WRITTEN])
EACH_POINTWISE = pytest.mark.parametrize(
    ("row", "text"), POINTWISE, ids=[text for _, text in POINTWISE]
)

PROMISED = {
    "relu", "leaky_relu", "tanh", "sigmoid", "softplus", "elu", "selu", "silu", "gelu", "gelu_tanh",
    "mish", "softsign", "hardtanh", "identity", "softmax", "log_softmax",
}  # fmt: skip

DIGITS = Digits(150)
STEP = mp.mpf(10) ** -40
NOISE = 1e-60
"""What second differences of this step leave of the last digits, and more."""
SIZES = {"B": 3, "N": 4}

SMOOTH = np.array(
    [-30.0, -7.3, -3.0, -1.7, -0.9, -0.31, -1e-3, 1e-3, 0.2, 0.77, 1.3, 2.9, 8.1, 25.0]
)
FAR = np.array([-1e8, -1e3, -200.0, -38.0, 38.0, 200.0, 1e3, 1e8])

# The spec of the losses sum u f(x), by x: its gradient is u f', and H v is u f'' v.
SPEC = """
outputs = ["f"]
[sizes]
B = "batch"
N = "places"
[networks.f]
input = "x"
layers = ["{}"]
[data]
x = "real[B, N]"
u = "real[B, N]"
[losses.dotted]
wrt = ["x"]
equations = "loss = sum(b,i: u[b,i]*f[b,i])"
"""


@cache
def emitted(text: str) -> Emitted:
    return of_text(SPEC.format(text), "f")


@cache
def product(text: str) -> Any:
    """The module whose forward is H v."""
    return imported(api.generate(api.as_spec(api.hvp(emitted(text).spec), "hv")), "hv")


def computed(text: str, x: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, ...]:
    """f(x), u f'(x) and u f''(x) v as the emitted modules compute them."""
    module = emitted(text).module
    _, grads = module.value_and_grad(x=x, u=u)
    twice = product(text).forward
    sizes = dict(zip("BN", x.shape, strict=True))
    return module.forward(x), grads.x, twice(**accepted(twice, {"x": x, "u": u, "v_x": v, **sizes}))


def scales(text: str, x: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, ...]:
    """S of each of the three, from the evaluator."""
    loss = emitted(text).spec.losses[0]
    sizes = dict(zip("BN", x.shape, strict=True))
    first = derive(loss).derived
    found = run(first.program, {"x": x, "u": u}, sizes, "f", first.result["x"])
    second = api.hvp(emitted(text).spec)
    twice = run(second, {"x": x, "u": u, "v_x": v}, sizes, *second.outputs)
    by_x = found.magnitudes[first.result["x"]]
    return found.magnitudes["f"], by_x, twice.magnitudes[second.outputs[0]]


def formula(text: str, x: np.ndarray) -> np.ndarray:
    """f(x) in many digits, as the row writes it, point by point."""
    sizes = dict(zip("BN", x.shape, strict=True))
    program = emitted(text).spec.shared
    return evaluate(program, {"x": x}, sizes, DIGITS, outputs=["f"]).values["f"]


def differences(
    text: str, x: np.ndarray, u: np.ndarray, v: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """f, u f' and u f'' v from the formula's values alone, in many digits."""
    mp.dps = DIGITS.digits
    x, u, v = (DIGITS.array(a) for a in (x, u, v))

    def dotted(x: np.ndarray) -> Any:
        return np.sum(u * formula(text, x))

    first, second = np.zeros(x.shape), np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        e = np.zeros(x.shape, object)
        e[place] = STEP
        first[place] = (dotted(x + e) - dotted(x - e)) / (2 * STEP)
        w = STEP * v
        four = dotted(x + e + w) - dotted(x + e - w) - dotted(x - e + w) + dotted(x - e - w)
        second[place] = four / (4 * STEP**2)
    return formula(text, x).astype(float), first, second


def pointwise_differences(text: str, x: np.ndarray) -> tuple[np.ndarray, ...]:
    """f, f' and f'' at many points at once, where no entry reads another."""
    mp.dps = DIGITS.digits
    exact = DIGITS.array(x)
    before, at, after = (formula(text, exact + n * STEP) for n in (-1, 0, 1))
    first, second = (after - before) / (2 * STEP), (after - 2 * at + before) / STEP**2
    return tuple(a.astype(float) for a in (at, first, second))


@cache
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    x, u, v = (rng.normal(size=(SIZES["B"], SIZES["N"])) for _ in range(3))
    return 1.5 * x, u, v


def test_there_are_all_the_activations_that_the_project_promises() -> None:
    assert {row.name for row in ROWS} >= PROMISED
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert {row.name for row in ROWS if row.reads_axis} >= {"softmax", "log_softmax"}


@EACH
def test_value_and_derivatives_are_those_of_the_formulas_differences(
    row: Activation, text: str
) -> None:
    x, u, v = drawn()
    expected, bounds = differences(text, x, u, v), scales(text, x, u, v)
    for what, came, right, scale in zip(
        ("f", "f'", "f''"), computed(text, x, u, v), expected, bounds, strict=True
    ):
        assert_agree(f"{text}: {what}", came, right, scale, NOISE)


@EACH_POINTWISE
def test_they_are_so_over_a_wide_range(row: Activation, text: str) -> None:
    x = SMOOTH[:, None]
    ones = np.ones_like(x)
    expected, bounds = pointwise_differences(text, x), scales(text, x, ones, ones)
    for what, came, right, scale in zip(
        ("f", "f'", "f''"), computed(text, x, ones, ones), expected, bounds, strict=True
    ):
        assert_agree(f"{text}: {what}", came, right, scale, NOISE)


# ---- the tails -------------------------------------------------------------------------------


@EACH_POINTWISE
def test_the_far_tails_are_right(row: Activation, text: str) -> None:
    """Without a warning, which would be an error; a double ends at 1e-308."""
    x = FAR[:, None]
    ones = np.ones_like(x)
    for what, came, right, scale in zip(
        ("f", "f'"),
        computed(text, x, ones, ones)[:2],
        pointwise_differences(text, x)[:2],
        scales(text, x, ones, ones)[:2],
        strict=True,
    ):
        # The evaluator's log(1 + e^x) is inf from 710 on, and so is its S.
        bound = np.where(np.isfinite(scale), scale, np.abs(right))
        assert_agree(f"{text}: {what}", came, right, bound, 1e-300)


@EACH
def test_at_1e4_value_and_derivative_are_those_of_60_digits(row: Activation, text: str) -> None:
    x = np.array([[1e4, -1e4, 800.0, 0.25], [-1e4, 1e4, 1e4, 20.0], [-20.0, -1e4, 40.0, 0.25]])
    spec, u = emitted(text).spec, drawn()[1]
    found = Gradient(spec, spec.losses[0], SIZES, in_single({"x": x, "u": u}), EXACT)
    assert found.assert_exact(text) == 1 + 2 * ENTRIES


@EACH
def test_every_derivative_is_finite_in_the_far_tails(row: Activation, text: str) -> None:
    for dtype in (np.float64, np.float32):
        x = np.array([[-1e8, -1e3, 0.0, 1e3, 1e8], [1e8, 1e8, -1e8, -1e8, 0.0]], dtype)
        ones = np.ones_like(x)
        for what, came in zip(("f", "f'", "f''"), computed(text, x, ones, ones), strict=True):
            assert np.isfinite(came).all(), f"{text}, {dtype.__name__}: {what} {came}"


@pytest.mark.parametrize("x", [-3.0, -6.0, -10.0, -20.0, -30.0, -37.0])
def test_the_tail_of_gelu_is_relatively_right(x: float) -> None:
    """x/2 (1 + erf(x/sqrt 2)) would be 0 from -8.3 on."""
    at = np.array([[x]])
    value, slope, _ = computed("gelu", at, np.ones((1, 1)), np.ones((1, 1)))
    mp.dps = 60
    density = mp.exp(-(mp.mpf(x) ** 2) / 2) / mp.sqrt(2 * mp.pi)
    below = mp.erfc(-mp.mpf(x) / mp.sqrt(2)) / 2
    np.testing.assert_allclose(value, float(x * below), rtol=2e-13 * max(1, x * x / 10))
    np.testing.assert_allclose(slope, float(below + x * density), rtol=2e-13 * max(1, x * x / 10))


# ---- kinks -----------------------------------------------------------------------------------

DECLARED = {"scale": 1.0507009873554805, "alpha": 1.6732632423543772}
"""The letters of selu's convention; an option of a row goes before them."""


def conventions(row: Activation, options: Mapping[str, float]) -> Iterator[tuple[float, float]]:
    """hardtanh'(-1) = hardtanh'(1) = 0: each kink, and the derivative declared there."""
    *points, value = row.kink.split(" = ")
    known = {**DECLARED, **options}
    for point in points:
        found = re.fullmatch(rf"{row.name}'\((-?[\d.]+)\)", point)
        assert found, f"{row.name}: the kink reads {row.kink!r}"
        factors = [known[f] if f in known else float(f) for f in value.split("*")]
        yield float(found[1]), float(np.prod(factors))


def option_values(row: Activation, text: str) -> dict[str, float]:
    values = {name: float(default) for name, default in row.options}
    if "(" in text:
        values[row.options[0][0]] = float(OTHER)
    return values


@EACH_POINTWISE
def test_at_each_kink_the_derivative_is_the_declared_one(row: Activation, text: str) -> None:
    declared = dict(conventions(row, option_values(row, text))) if row.kink else {}
    for point, slope in declared.items():
        x = np.array([[point]])
        _, came, second = computed(text, x, np.ones((1, 1)), np.ones((1, 1)))
        assert came[0, 0] == pytest.approx(slope, rel=1e-15, abs=0)
        assert np.isfinite(second).all()


@pytest.mark.parametrize("row", [r for r in ROWS if not r.reads_axis], ids=lambda row: row.name)
def test_the_kinks_declared_are_all_there_are(row: Activation) -> None:
    """One-sided slopes of the formula differ there, at some setting, and at no other whole number."""
    mp.dps = DIGITS.digits
    found: set[float] = set()
    declared: set[float] = set()
    for text in (text for one, text in POINTWISE if one is row):
        kinks = dict(conventions(row, option_values(row, text))) if row.kink else {}
        declared |= {*kinks}
        at = np.array(sorted({*np.arange(-6.0, 7.0), *kinks}))[:, None]
        exact = DIGITS.array(at)
        before, here, after = (formula(text, exact + n * STEP) for n in (-1, 0, 1))
        jumps = abs((after - here) - (here - before)) / STEP > mp.mpf(10) ** -20
        found |= {*at[jumps.astype(bool)].tolist()}
    assert found == declared


# ---- other libraries -------------------------------------------------------------------------

JAX_NAMES = {"softsign": "soft_sign", "hardtanh": "hard_tanh"}
JAX_ALIKE: Mapping[str, Callable[[Any], Callable[..., Any]]] = {
    "gelu": lambda jax: lambda x: jax.nn.gelu(x, approximate=False),
    "gelu_tanh": lambda jax: lambda x: jax.nn.gelu(x, approximate=True),
    "tanh": lambda jax: jax.numpy.tanh,
}
TORCH_ALIKE: Mapping[str, Callable[[Any], Callable[..., Any]]] = {
    "gelu_tanh": lambda torch: lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
    "tanh": lambda torch: torch.tanh,
    "sigmoid": lambda torch: torch.sigmoid,
    "identity": lambda torch: lambda x: x * 1,
}


def in_jax(jax: Any, row: Activation) -> Callable[..., Any] | None:
    """jax.nn's function of the row's name, or of the name that it has there."""
    if row.name in JAX_ALIKE:
        return JAX_ALIKE[row.name](jax)
    found = getattr(jax.nn, JAX_NAMES.get(row.name, row.name), None)
    return found or getattr(jax.numpy, row.name, None)


def in_torch(torch: Any, row: Activation) -> Callable[..., Any] | None:
    """torch.nn.functional's function of the row's name."""
    if row.name in TORCH_ALIKE:
        return TORCH_ALIKE[row.name](torch)
    found = getattr(torch.nn.functional, row.name, None)
    return partial(found, dim=-1) if found and row.reads_axis else found


def test_jax_has_all_that_are_promised(jax: Any) -> None:
    assert {row.name for row in ROWS if in_jax(jax, row) is not None} >= PROMISED


def test_torch_has_all_that_are_promised(torch: Any) -> None:
    assert {row.name for row in ROWS if in_torch(torch, row) is not None} >= PROMISED


@EACH
def test_value_and_derivatives_are_those_of_jax(row: Activation, text: str, jax: Any) -> None:
    own = in_jax(jax, row)
    if own is None:
        pytest.skip(f"jax.nn has no {row.name}")
    x, u, v = drawn()
    options = [float(OTHER)] if "(" in text else []

    def f(x: Any) -> Any:
        return jax.numpy.sum(u * own(x, *options))

    second = jax.jvp(jax.grad(f), (x,), (v,))[1]
    expected = (own(x, *options), jax.grad(f)(x), second)
    for what, came, right, scale in zip(
        ("f", "f'", "f''"), computed(text, x, u, v), expected, scales(text, x, u, v), strict=True
    ):
        assert_agree(f"{text}, JAX: {what}", came, right, scale)


@EACH
def test_value_and_derivatives_are_those_of_torch(row: Activation, text: str, torch: Any) -> None:
    own = in_torch(torch, row)
    if own is None:
        pytest.skip(f"torch.nn.functional has no {row.name}")
    given = drawn()
    x, u, v = (torch.as_tensor(a) for a in given)
    x.requires_grad_()
    value = own(x, *([float(OTHER)] if "(" in text else []))
    (first,) = torch.autograd.grad((u * value).sum(), x, create_graph=True)
    # A function that is linear in pieces has no second derivative in torch: it is 0.
    (second,) = (
        torch.autograd.grad((first * v).sum(), x) if first.requires_grad else (torch.zeros_like(x),)
    )
    expected = [a.detach().numpy() for a in (value, first, second)]
    for what, came, right, scale in zip(
        ("f", "f'", "f''"), computed(text, *given), expected, scales(text, *given), strict=True
    ):
        assert_agree(f"{text}, torch: {what}", came, right, scale)


# ---- the other ways to write one -------------------------------------------------------------


@EACH_POINTWISE
def test_an_equation_calls_it_like_a_function(row: Activation, text: str) -> None:
    call = f"{row.name}(x[b,i]{', ' + OTHER if '(' in text else ''})"
    if row.name == "leaky_relu" and "(" not in text:
        call = f"leaky_relu(x[b,i], {row.options[0][1]})"  # a scalar function, without a default
    equations = SPEC.format(text)
    start, end = equations.index("[networks.f]"), equations.index("[data]")
    raw = equations[:start] + equations[end:]
    raw = raw.replace("[sizes]", f'equations = "f[b,i] = {call}"\n[sizes]', 1)
    module = of_text(raw, "f").module
    x, u, v = drawn()
    _, grads = module.value_and_grad(x=x, u=u)
    value, first, _ = computed(text, x, u, v)
    np.testing.assert_array_equal(module.forward(x), value)
    np.testing.assert_array_equal(grads.x, first)


@EACH
def test_float32_gives_float32_near_the_right_value(row: Activation, text: str) -> None:
    given = [a.astype(np.float32) for a in drawn()]
    exact = [a.astype(np.float64) for a in given]
    for what, came, right, scale in zip(
        ("f", "f'", "f''"),
        computed(text, *given),
        computed(text, *exact),
        scales(text, *exact),
        strict=True,
    ):
        typed = what != "f''" or "x" in inspect.signature(product(text).forward).parameters
        assert came.dtype == np.float32 or not typed, f"{text}: {what}"
        error = np.abs(came - right) / (np.abs(right) + np.asarray(scale, float) + 1e-30)
        assert error.max() < 16 * np.finfo(np.float32).eps, f"{text}: {what}"


def test_an_option_is_set_by_name_too() -> None:
    x, u, v = drawn()
    for row in ROWS:
        for name, _ in row.options:
            by_name = of_text(SPEC.format(f"{row.name}({name}={OTHER})"), "f").module
            np.testing.assert_array_equal(
                by_name.forward(x), computed(f"{row.name}({OTHER})", x, u, v)[0]
            )
