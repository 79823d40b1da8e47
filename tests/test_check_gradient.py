"""check_gradient: right gradients pass, wrong ones fail, and what cannot be decided is not called either."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

import symgrad as sg
from benchmarks.alarms.gradients import FAMILIES, network
from symgrad.errors import SpecError
from symgrad.verify.blackbox import black_slope, complex_step
from symgrad.verify.report import text_of
from symgrad.verify.rounding import Noise, noise_of

X = np.array([0.7, -1.3, 0.4, 2.1])
A = np.array([[1.0, -2.0, 0.5, 0.3], [0.2, 1.5, -0.7, 1.1], [-1.2, 0.4, 0.9, -0.6]])


def quadratic(x: Any) -> Any:
    return np.sum((A @ x - 1) ** 2) / 3


def of_quadratic(x: Any) -> Any:
    return 2 * A.T @ (A @ x - 1) / 3


def matrix(w: Any) -> Any:
    return np.sum(np.tanh(w @ X[:3]) ** 2)


def of_matrix(w: Any) -> Any:
    h = np.tanh(w @ X[:3])
    return np.outer(2 * h * (1 - h**2), X[:3])


W = np.linspace(-1, 1, 9).reshape(3, 3) ** 3 + 0.1


def relu(x: Any) -> Any:
    return np.sum(np.maximum(x, 0.0))


def modifying(x: Any) -> Any:
    x *= 2
    return np.sum(x)


def in_place(x: Any) -> Any:
    g = of_quadratic(x)
    x += 1
    return g


def with_entry(place: int, value: float) -> Callable[[Any], Any]:
    def grad(x: Any) -> Any:
        g = of_quadratic(x)
        g[place] = value
        return g

    return grad


def raises(x: Any) -> Any:
    raise KeyError("W")


def loop(x: Any) -> float:
    """Plain Python, which takes no complex numbers."""
    return sum(math.exp(math.sin(float(v))) for v in x)


def of_loop(x: Any) -> list[float]:
    return [math.exp(math.sin(float(v))) * math.cos(float(v)) for v in x]


def float32(x: Any) -> Any:
    return np.sum(np.tanh(x.astype(np.float32)) ** 2)


def of_float32(x: Any) -> Any:
    y = np.tanh(x.astype(np.float32))
    return 2 * y * (1 - y**2)


PEAKED = 1.7e9 + X


def peak(t: Any) -> Any:
    """At a time in seconds since 1970."""
    return np.sum(np.exp(-((t - 1.7e9) ** 2) / 2))


def of_peak(t: Any) -> Any:
    return -(t - 1.7e9) * np.exp(-((t - 1.7e9) ** 2) / 2)


class Weights(NamedTuple):
    w: Any


class Named(dict[str, Any]):
    __getattr__ = dict.__getitem__


TIED = np.array([1.0, 1.0, 0.5])
AT_0 = np.array([0.0, 1.0, -2.0])

# f, its gradient, the point, and a phrase of the report
RIGHT = [
    ("a quadratic",            quadratic, of_quadratic,                                 X, "complex step"),
    ("a matrix",               matrix, of_matrix,                                       W, "complex step"),
    ("value and gradient",     lambda x: (quadratic(x), of_quadratic(x)), True,         X, "complex step"),
    ("both in a list",         lambda x: [quadratic(x), of_quadratic(x)], True,         X, "complex step"),
    ("the gradient itself",    quadratic, of_quadratic(X),                              X, "PASS"),
    ("SciPy's own",            rosen, rosen_der,                                        X, "PASS"),
    ("a list of numbers",      loop, of_loop,                                           [0.5, 1.5], "Ridders"),
    ("integers",               quadratic, of_quadratic,                                 np.array([1, 2, 3, 4]), "PASS"),
    ("one number",             lambda x: np.sin(x), np.cos,                             0.3, "PASS"),
    ("an array of one",        lambda x: x**2, lambda x: 2 * x,                         np.array([3.0]), "PASS"),
    ("a tuple of one",         quadratic, lambda x: (of_quadratic(x),),                 X, "PASS"),
    ("a huge point",           lambda x: np.sum(x**2), lambda x: 2 * x,                 X * 1e150, "PASS"),
    ("a tiny f",               lambda x: 1e-300 * np.sum(x**2), lambda x: 2e-300 * x,   X, "PASS"),
    ("no entry matters",       lambda x: 3.0, lambda x: 0 * x,                          X, "PASS"),
    ("a jump nearby",          lambda x: np.sum(x**2 + (x > 0.4001)), lambda x: 2 * x,  X, "PASS"),
    ("a flat point",           lambda x: np.sum(x**2), lambda x: 2 * x,                 np.zeros(3), "PASS"),
    ("np.abs",                 lambda x: np.sum(np.abs(x)), np.sign,                    X, "Ridders"),
    ("a weak np.abs",          lambda x: np.sum(x**2) + 1e-9 * np.sum(np.abs(x)), lambda x: 2 * x + 1e-9 * np.sign(x), X, "Ridders"),
    ("np.logaddexp",           lambda x: np.sum(np.logaddexp(0, x)), lambda x: 1 / (1 + np.exp(-x)), X, "Ridders"),
    ("clip",                   lambda x: np.sum(np.clip(x, -1, 1)), lambda x: (np.abs(x) <= 1) * 1.0, X, "PASS"),
    ("a real part",            lambda x: np.sum(np.real(x) ** 2), lambda x: 2 * x,      X, "Ridders"),
    ("a cast",                 lambda x: np.sum(np.asarray(x, float) ** 2), lambda x: 2 * x, X, "Ridders"),
    ("a comparison",           lambda x: np.sum(np.where(x > 0, x**2, x**3)), lambda x: np.where(x > 0, 2 * x, 3 * x**2), X, "PASS"),
    ("relu at 0",              relu, lambda x: (x > 0) * 1.0,                           AT_0, "PASS"),
    ("relu at 0, from above",  relu, lambda x: (x >= 0) * 1.0,                          AT_0, "PASS"),
    ("relu at 0, half",        relu, lambda x: np.heaviside(x, 0.5),                    AT_0, "PASS"),
    ("a tie of max, one",      np.max, lambda x: np.array([1.0, 0, 0]),                 TIED, "PASS"),
    ("a tie of max, shared",   np.max, lambda x: np.array([0.5, 0.5, 0]),               TIED, "PASS"),
    ("clip at its edge",       lambda x: np.sum(np.clip(x, -2, 2)), lambda x: np.ones(3), AT_0, "PASS"),
    ("float32",                float32, of_float32,                                     X, "Ridders"),
    ("float32 kept in float64", float32, lambda x: of_float32(x).astype(float),         X, "Ridders"),
    ("a large offset",         lambda x: 1e8 + np.sum(x**3), lambda x: 3 * x**2,        X, "PASS"),
    ("a log near 0",           lambda x: np.sum(np.log(x)), lambda x: 1 / x,              np.array([1e-30, 1e-12, 0.5]), "PASS"),
    ("a log of huge numbers",  lambda x: np.sum(np.log(x)), lambda x: 1 / x,              np.array([1e200, 3e200]), "PASS"),
    ("a norm near 0",          np.linalg.norm, lambda x: x / np.linalg.norm(x),           X * 1e-9, "PASS"),
    ("steps wider than tanh",  lambda x: np.sum(np.tanh(1e12 * x)), lambda x: 1e12 / np.cosh(1e12 * x) ** 2, X * 1e-12, "PASS"),
    ("steps wider than a peak", peak, of_peak,                                            PEAKED, "PASS"),
    ("a saturated ratio",      lambda x: np.sum(x / (x + 1e-30)), lambda x: 1e-30 / (x + 1e-30) ** 2, np.array([1e-30, 3e-30]), "PASS"),
    ("a fast wave",            lambda x: np.sum(np.sin(1e9 * x)), lambda x: 1e9 * np.cos(1e9 * x), X, "PASS"),
    ("one array in a tuple",   lambda p: quadratic(p[0]), lambda p: (of_quadratic(p[0]),), (X,), "PASS"),
    ("a named tuple",          lambda p: quadratic(p.w), lambda p: Weights(of_quadratic(p.w)), Weights(X), "PASS"),
    ("a dict of its own kind", lambda p: quadratic(p.w), lambda p: {"w": of_quadratic(p.w)}, Named(w=X), "PASS"),
    ("scales apart",           lambda x: np.sum(np.array([1e6, 1, 1e-6, 1]) * np.sin(x)), lambda x: np.array([1e6, 1, 1e-6, 1]) * np.cos(x), X, "PASS"),
]  # fmt: skip

WRONG = [
    ("the sign",               quadratic, lambda x: -of_quadratic(x),                   X, "the opposite sign of the finite difference"),
    ("a factor 2",             quadratic, lambda x: of_quadratic(x) / 2,                X, "0.5 times the finite difference"),
    ("sum for mean",           quadratic, lambda x: 3 * of_quadratic(x),                X, "3 times the finite difference"),
    ("a transpose",            matrix, lambda w: of_matrix(w).T,                        W, "the transpose"),
    ("a transpose of (3, 4)",  lambda w: np.sum((w @ X) ** 2), lambda w: np.outer(X, 2 * w @ X), A, "shape (4, 3), expected (3, 4)"),
    ("(N,1) for (N,)",         quadratic, lambda x: of_quadratic(x)[:, None],           X, "shape (4, 1), expected (4,)"),
    ("a dropped term",         lambda x: np.sum(x**2) + 1e-3 * np.sum(x**3), lambda x: 2 * x, X, "4 of 4 comparisons are wrong"),
    ("zeros",                  quadratic, lambda x: 0 * x,                              X, "every entry is 0"),
    ("one entry",              quadratic, with_entry(2, 1.0),                           X, "x[2]"),
    ("one entry in 1e6",       quadratic, lambda x: of_quadratic(x) + np.array([0, 1e-6, 0, 0]), X, "1 of 4 comparisons"),
    ("nan",                    quadratic, with_entry(1, math.nan),                      X, "1 of them not finite"),
    ("inf",                    quadratic, with_entry(1, math.inf),                      X, "1 of them not finite"),
    ("None",                   quadratic, lambda x: None,                               X, "no gradient came back"),
    ("text",                   quadratic, lambda x: "gradient",                         X, "expected real numbers"),
    ("ragged",                 quadratic, lambda x: [1, [2, 3]],                        X, "the gradient is no array"),
    ("complex",                quadratic, lambda x: of_quadratic(x) + 0j,               X, "expected real numbers"),
    ("float16",                quadratic, lambda x: of_quadratic(x).astype(np.float16), X, "float16, which holds three digits"),
    ("a dict",                 quadratic, lambda x: {"x": of_quadratic(x)},             X, "the gradient is dict"),
    ("it raises",              quadratic, raises,                                       X, "KeyError: 'W'"),
    ("in place",               quadratic, in_place,                                     X, "x was modified"),
    ("f works in place",       modifying, lambda x: np.full(4, 2.0),                    X, "x was modified"),
    ("np.abs as if analytic",  lambda x: np.sum(np.abs(x)), lambda x: np.zeros(4),      X, "every entry is 0"),
    ("a weak np.abs dropped",  lambda x: np.sum(x**2) + 1e-5 * np.sum(np.abs(x)), lambda x: 2 * x, X, "4 of 4"),
    ("a real part dropped",    lambda x: np.sum(x.real**2 + x), lambda x: np.ones(4),   X, "4 of 4"),
    ("beyond a kink",          relu, lambda x: np.array([2.0, 1, 0]),                   AT_0, "a kink, with slopes 0"),
    ("before a kink",          relu, lambda x: np.array([-0.01, 1, 0]),                 AT_0, "a kink, with slopes 0"),
    ("a tie of max, both",     np.max, lambda x: np.array([1.5, 1, 0]),                 TIED, "a[0]"),
    ("clip passes all",        lambda x: np.sum(np.clip(x, -1, 1)), np.ones_like,       X, "2 of 4"),
    ("float32, off by 1e-3",   float32, lambda x: of_float32(x) * np.float32(1.001),    X, "comparisons are wrong"),
    ("a peak denied",          peak, np.zeros_like,                                     PEAKED, "every entry is 0"),
    ("relu off, just above 0", relu, np.zeros_like,                                     np.array([1e-8, -1.0]), "1 of 2"),
    ("a log near 0, doubled",  lambda x: np.sum(np.log(x)), lambda x: 2 / x,             np.array([1e-30, 2e-30]), "2 times"),
    ("a stair",                lambda x: np.sum(np.round(x)), np.ones_like,             X, "4 of 4"),
    ("tanh for its derivative", lambda x: np.sum(np.tanh(x)), np.tanh,                  X, "4 of 4"),
    ("plain Python",           loop, lambda x: [v * 1.0001 for v in of_loop(x)],        X, "4 of 4"),
]  # fmt: skip

random = np.random.default_rng(0)


def chaotic(x: Any) -> Any:
    """The logistic map, 100 times: its slope is about 2**100."""
    for _ in range(100):
        x = 3.99 * x * (1 - x)
    return np.sum(x)


class Drifting:
    calls = 0

    def __call__(self, x: Any) -> Any:
        self.calls += 1
        return quadratic(x) * (1 if self.calls < 30 else 2)


def moves_its_target(x: Any, target: Any) -> Any:
    target += 1
    return 2 * (x - target + 1)


UNDECIDED = [
    ("chaos",                  chaotic, lambda x: np.full(2, 1e25),                     np.array([0.3, 0.4]), "no step converges"),
    ("constant in pieces",     lambda x: np.sum(np.floor(10 * x)), np.zeros_like,        X, "no step converges"),
    ("f drifts",               Drifting(), of_quadratic,                                X, "after it was called at other points"),
    ("f is random",            lambda x: np.sum(x**2) + random.normal(), lambda x: 2 * x, X, "fix its random numbers"),
    ("f raises",               raises, of_quadratic,                                    X, "it raises KeyError"),
    ("f is nan",               lambda x: np.sum(x) * math.nan, np.ones_like,            X, "it is nan"),
    ("f is inf",               lambda x: np.inf, np.ones_like,                          X, "it is inf"),
    ("f is complex",           lambda x: np.sum(x) + 1j, np.ones_like,                  X, "it is"),
    ("no entries",             lambda x: 1.0, lambda x: x,                              np.zeros(0), "no entry was compared"),
    ("at kinks alone",         lambda x: np.sum(np.abs(x)), np.sign,                    np.zeros(3), "at a kink; check at another point"),
    ("at the domain's edge",   lambda x: np.sum(np.sqrt(x)), lambda x: np.full(1, 1e9), np.zeros(1), "x"),
    ("a jump at x",            lambda x: np.sum(np.where(x >= 0.7, 1.0, 0.0)) + np.sum(x), lambda x: np.ones(4), X, "no step converges"),
    ("noise",                  lambda x: np.sum(x) + 0.1 * np.sum(np.sin(1e14 * x)), np.ones_like, X, "no step converges"),
    ("1e9 in float32",         lambda x: np.float32(1e9) + np.sum(np.sin(x)).astype(np.float32), np.cos, X, "x"),
]  # fmt: skip


# what a check has been wrong about: a family of gradients.py, and the seed of a right gradient
REGRESSIONS = [
    ("wavy",     (52, 99)),   # steps h, h/2, h/4 that are multiples of a period: they agreed on 5.7 for 1504
    ("scaled",   (70, 99)),   # a steep entry's own values were taken for noise
    ("scaled",   (99, 99)),   # a bound that was small by chance
    ("at_kinks", (260, 99)),  # an extrapolation across a kink that was right by chance
    ("at_kinks", (214, 99)),  # a kink so weak that the smallest steps do not see it
    ("single",   (23, 99)),   # float32, and a gradient of 0
    ("single",   (13, 99)),   # float32, and a kink within the larger steps
]  # fmt: skip


def report_of(f: Any, grad: Any, x: Any) -> tuple[str, str]:
    report = sg.check_gradient(f, grad, x)
    assert report.exit_code == {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}[report.verdict]
    return report.verdict, text_of(report, 200)


def ids(rows: Any) -> list[str]:
    return [row[0] for row in rows]


@pytest.mark.parametrize(("f", "grad", "x", "said"), [r[1:] for r in RIGHT], ids=ids(RIGHT))
def test_a_right_gradient_passes(f: Any, grad: Any, x: Any, said: str) -> None:
    verdict, text = report_of(f, grad, x)
    assert verdict == "PASS", text
    assert said in text


@pytest.mark.parametrize(("f", "grad", "x", "said"), [r[1:] for r in WRONG], ids=ids(WRONG))
def test_a_wrong_gradient_fails_and_the_report_says_how(
    f: Any, grad: Any, x: Any, said: str
) -> None:
    verdict, text = report_of(f, grad, x)
    assert verdict == "FAIL", text
    assert said in text


@pytest.mark.parametrize(("f", "grad", "x", "said"), [r[1:] for r in UNDECIDED], ids=ids(UNDECIDED))
def test_what_cannot_be_decided_is_inconclusive_with_its_reason(
    f: Any, grad: Any, x: Any, said: str
) -> None:
    verdict, text = report_of(f, grad, x)
    assert verdict == "INCONCLUSIVE", text
    assert said in text


@pytest.mark.parametrize(("name", "seed"), REGRESSIONS)
def test_what_was_called_wrong_once_passes(name: str, seed: tuple[int, int]) -> None:
    f, grad, x = FAMILIES[name](np.random.default_rng(seed))
    report = sg.check_gradient(f, grad, *x, seed=seed[0])
    assert report.verdict == "PASS", str(report)


def test_tables_are_not_empty() -> None:
    assert min(len(RIGHT), len(WRONG), len(UNDECIDED)) >= 10


# ---------------------------------------------------------------- several arrays, and what is held


def two_layers() -> tuple[Any, Any, tuple[Any, ...]]:
    return network(np.random.default_rng(3))


def test_each_of_several_arrays_is_a_block_by_its_own_name() -> None:
    f, grad, x = two_layers()
    report = sg.check_gradient(f, grad, *x)
    assert report.verdict == "PASS"
    assert [b.name for b in report.blocks] == ["w1", "c", "w2"]
    assert [b.total for b in report.blocks] == [a.size for a in x]
    wrong = sg.check_gradient(f, lambda *a: (grad(*a)[0], 2 * grad(*a)[1], grad(*a)[2]), *x)
    assert [b.name for b in wrong.failures] == ["c"]


def test_too_few_gradients_are_a_fail_of_what_is_missing() -> None:
    f, grad, x = two_layers()
    report = sg.check_gradient(f, lambda *a: grad(*a)[:2], *x)
    assert [(b.name, b.note) for b in report.failures] == [("w2", "no gradient came back")]


@pytest.mark.parametrize("kind", ["dict", "list", "nested"])
def test_parameters_may_stand_in_a_dict_or_a_list(kind: str) -> None:
    f, grad, x = two_layers()
    names = ("w1", "c", "w2")
    made: dict[str, tuple[Any, Callable[[Any], Any], Callable[[Any], Any]]] = {
        "dict": (dict(zip(names, x, strict=True)), lambda p: [p[n] for n in names], lambda g: dict(zip(names, g, strict=True))),
        "list": (list(x), list, list),
        "nested": ({"first": {"w": x[0], "c": x[1]}, "second": [x[2]]}, lambda p: [p["first"]["w"], p["first"]["c"], p["second"][0]],
                   lambda g: {"first": {"w": g[0], "c": g[1]}, "second": [g[2]]}),
    }  # fmt: skip
    params, apart, together = made[kind]
    report = sg.check_gradient(lambda p: f(*apart(p)), lambda p: together(grad(*apart(p))), params)
    assert report.verdict == "PASS"
    assert len(report.blocks) == 3
    assert len({b.name for b in report.blocks}) == 3


def test_one_array_for_two_arguments_is_said_to_be_one() -> None:
    report = sg.check_gradient(
        lambda x, y: quadratic(x) + quadratic(y), lambda x, y: of_quadratic(x), X, X
    )
    assert [b.note for b in report.failures] == [
        "one ndarray came back, expected a gradient for each argument"
    ] * 2


def test_what_hold_raises_is_said_of_hold() -> None:
    report = sg.check_gradient(value, semi, X, hold=lambda x: 1 / 0)
    assert report.verdict == "INCONCLUSIVE"
    assert "hold has a value at x: it raises ZeroDivisionError" in str(report)


def test_what_modifies_its_arguments_is_not_told_of_stops() -> None:
    report = sg.check_gradient(modifying, of_quadratic, X)
    assert report.verdict == "FAIL"
    assert report.notes == ()


def value(x: Any, target: Any) -> Any:
    return 0.5 * np.sum((A @ x - target) ** 2)


def bootstrap(x: Any) -> Any:
    return 0.9 * (A @ x)[::-1]


def semi(x: Any) -> Any:
    return A.T @ (A @ x - bootstrap(x))


def full(x: Any) -> Any:
    return (A - 0.9 * A[::-1]).T @ (A @ x - bootstrap(x))


def test_what_hold_names_is_frozen_and_what_it_does_not_is_not() -> None:
    whole = lambda x: value(x, bootstrap(x))  # noqa: E731
    assert sg.check_gradient(whole, full, X).verdict == "PASS"
    assert sg.check_gradient(value, semi, X, hold=bootstrap).verdict == "PASS"
    assert sg.check_gradient(value, semi, X, hold=bootstrap(X)).verdict == "PASS"
    assert (
        sg.check_gradient(value, lambda x, t: A.T @ (A @ x - t), X, hold=bootstrap).verdict
        == "PASS"
    )
    assert sg.check_gradient(value, full, X, hold=bootstrap).verdict == "FAIL"
    wrong = sg.check_gradient(whole, semi, X)
    assert wrong.verdict == "FAIL"
    assert "hold=" in text_of(wrong)
    assert "hold=" not in text_of(sg.check_gradient(value, full, X, hold=bootstrap))


def of_scaled(x: Any, scale: float) -> Any:
    return 2 * scale * (x - X[::-1])


TAKING_HELD = [
    ("what is held",  lambda x, t, scale: 2 * scale * (x - t)),
    ("it alone",      lambda x, scale: 2 * scale * (x - X[::-1])),
    ("anything",      lambda *given: 2 * given[2] * (given[0] - given[1])),
    ("anything, and x and scale alone", lambda *given: of_scaled(*given)),
]  # fmt: skip


@pytest.mark.parametrize("grad", [row[1] for row in TAKING_HELD], ids=ids(TAKING_HELD))
def test_a_gradient_gets_what_is_held_where_it_asks_for_it_beside_args(grad: Any) -> None:
    report = sg.check_gradient(
        lambda x, t, scale: scale * np.sum((x - t) ** 2), grad, X, hold=X[::-1], args=(2.0,)
    )
    assert report.verdict == "PASS", str(report)


def test_a_gradient_that_moves_what_is_held_is_said_to() -> None:
    report = sg.check_gradient(
        lambda x, t: np.sum((x - t) ** 2), moves_its_target, X, hold=np.zeros(4)
    )
    assert report.verdict == "INCONCLUSIVE"
    assert "after the gradient was called" in str(report)


def test_an_objective_and_its_jac_are_taken_as_scipy_takes_them() -> None:
    def fun(x: Any, scale: float, shift: float) -> Any:
        return scale * np.sum((x - shift) ** 4)

    def jac(x: Any, scale: float, shift: float) -> Any:
        return 4 * scale * (x - shift) ** 3

    def both(x: Any, *args: float) -> Any:
        return fun(x, *args), jac(x, *args)

    assert sg.check_gradient(fun, jac, X, args=(2.0, 0.5)).verdict == "PASS"
    assert sg.check_gradient(both, True, X, args=(2.0, 0.5)).verdict == "PASS"
    assert (
        sg.check_gradient(
            lambda x, k: k * fun(x, 1, 0), lambda x, k: k * jac(x, 1, 0), X, args=2.0
        ).verdict
        == "PASS"
    )
    assert sg.check_gradient(fun, partial(jac, scale=1.0), X, args=(2.0, 0.5)).verdict == "FAIL"
    wrong = sg.check_gradient(
        fun, lambda x, scale, shift: jac(x, 2 * scale, shift), X, args=(2.0, 0.5)
    )
    assert "2 times" in text_of(wrong)


USAGE = [
    ("no arrays",           lambda: sg.check_gradient(quadratic, of_quadratic),                  "give x after the gradient"),
    ("a vector",            lambda: sg.check_gradient(lambda x: x, of_quadratic, X),             "expected one number"),
    ("both, unannounced",   lambda: sg.check_gradient(lambda x: (1.0, x), of_quadratic, X),      "give True as gradient"),
    ("one, as both",        lambda: sg.check_gradient(quadratic, True, X),                       "expected (value, gradient)"),
    ("text",                lambda: sg.check_gradient(quadratic, of_quadratic, "x"),             "expected real numbers"),
    ("ragged rows",         lambda: sg.check_gradient(quadratic, of_quadratic, [[1.0], [2.0, 3.0]]), "lists of several lengths"),
    ("complex x",           lambda: sg.check_gradient(quadratic, of_quadratic, X + 1j),          "expected real numbers"),
    ("f and grad, swapped",    lambda: sg.check_gradient(quadratic, X, of_quadratic),            "x came as function"),
    ("f is no function",       lambda: sg.check_gradient(3.0, of_quadratic, X),                  "expected a function"),
    ("f returns None",         lambda: sg.check_gradient(lambda x: None, of_quadratic, X),       "returned NoneType"),
    ("too few arguments",      lambda: sg.check_gradient(value, semi, X),                        "missing a required argument: 'target'"),
    ("hold for no argument",   lambda: sg.check_gradient(quadratic, of_quadratic, X, hold=1.0),  "too many positional arguments"),
    ("no directions",          lambda: sg.check_gradient(quadratic, of_quadratic, X, directions=0), "directions came as 0"),
    ("no entries",             lambda: sg.check_gradient(quadratic, of_quadratic, X, entries=0), "entries came as 0"),
    ("a seed below 0",         lambda: sg.check_gradient(quadratic, of_quadratic, X, seed=-1),   "seed came as -1"),
    ("tolerance nan",          lambda: sg.check_gradient(quadratic, of_quadratic, X, tolerance=math.nan), "tolerance came as nan"),
    ("tolerance 1",            lambda: sg.check_gradient(quadratic, of_quadratic, X, tolerance=1.0), "a looser check says nothing"),
    ("nan in x",            lambda: sg.check_gradient(quadratic, of_quadratic, X * math.nan),    "not finite"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "said"), [r[1:] for r in USAGE], ids=ids(USAGE))
def test_a_wrong_call_is_an_error_that_says_what_to_give(
    call: Callable[[], Any], said: str
) -> None:
    with pytest.raises(SpecError) as raised:
        call()
    assert said in str(raised.value)


# ---------------------------------------------------------------- power, false alarms, float32


def test_one_wrong_entry_among_10000_is_always_found() -> None:
    rng = np.random.default_rng(11)
    b, x = rng.normal(size=10_000), rng.normal(size=10_000)

    def f(x: Any) -> Any:
        return np.sum(np.logaddexp(0, b * x))

    def grad(x: Any) -> Any:
        return b / (1 + np.exp(-b * x))

    right = sg.check_gradient(f, grad, x)
    assert right.verdict == "PASS"
    (block,) = right.blocks
    assert (block.entries, block.directions, block.total) == (16, 8, 10_000)
    for place in rng.integers(0, 10_000, 5):
        wrong = np.zeros(10_000)
        wrong[place] = 1e-3
        report = sg.check_gradient(f, lambda x, wrong=wrong: grad(x) + wrong, x)
        assert report.verdict == "FAIL", place
        assert report.blocks[0].worst is not None


def test_float32_arguments_are_judged_in_float64_and_their_rounding_apart() -> None:
    single = X.astype(np.float32)
    report = sg.check_gradient(quadratic, of_quadratic, single)
    assert report.verdict == "PASS"
    assert report.blocks[0].worst is not None
    assert report.blocks[0].worst.bound < 1e-6
    assert any("float32 arguments" in rule.claim for rule in report.conduct)

    def rough(x: Any) -> Any:
        return of_quadratic(x) * (1 if x.dtype == np.float64 else 1.01)

    report = sg.check_gradient(quadratic, rough, single)
    assert report.verdict == "FAIL"
    assert not report.failures
    assert "is off by" in text_of(report)


def test_rounding_of_a_float32_gradient_is_no_fault_and_a_fault_of_its_size_is() -> None:
    x = np.float32([1.0, 2.0])

    def f(x: Any) -> Any:  # the two terms nearly cancel
        return np.sum(1e3 * x - 1e3 * np.sin(x) * (x / np.sin(x)) + 1e-2 * x**2)

    def grad(x: Any) -> Any:
        ratio = x.dtype.type(1e3)
        return ratio * x / x * (1 + x) - ratio * (1 + x) + x.dtype.type(2e-2) * x

    noisy = sg.check_gradient(f, grad, x)
    assert noisy.verdict == "PASS", str(noisy)
    off = sg.check_gradient(f, lambda x: grad(x) * (1 if x.dtype == np.float64 else 1.05), x)
    assert off.verdict == "FAIL"


@pytest.mark.parametrize("seed", [123, 1804, 4405])
def test_wide_steps_that_agree_by_chance_are_no_closer_than_their_neighbours_can_tell(
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    b, x = (rng.normal(size=3) * 4).astype(np.float32), rng.normal(size=3)

    def f(x: Any) -> Any:
        return np.float32(1000) + np.sum(np.logaddexp(np.float32(0), b * x.astype(np.float32)))

    def grad(x: Any) -> Any:
        return b / (1 + np.exp(-b * x.astype(np.float32)))

    worst = sg.check_gradient(f, grad, x).blocks[0].worst
    assert worst is not None
    assert worst.error > 1e-3  # so far the wide steps are off
    assert worst.error < 0.7 * worst.bound  # 1.8 to 2.1 where their agreement alone counts


def test_where_f_is_another_function_in_float32_its_gradient_is_not_blamed() -> None:
    def f(x: Any) -> Any:
        return np.sum(x**2) * (1 if x.dtype == np.float64 else 2)

    report = sg.check_gradient(f, lambda x: 2 * x, X.astype(np.float32))
    assert report.verdict == "INCONCLUSIVE"
    assert "f itself is" in str(report)


def test_the_arguments_are_never_touched_and_no_warning_escapes() -> None:
    x = X.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sg.check_gradient(modifying, in_place, x)
        sg.check_gradient(lambda x: np.sum(np.log(x)), lambda x: 1 / x, np.array([1e-5, 1.0]))
    assert np.array_equal(x, X)


def test_the_slopes_on_either_side_of_a_kink_are_reported() -> None:
    report = sg.check_gradient(relu, lambda x: (x > 0) * 3.0, np.array([0.0, 1.0, -2.0, 0.0]))
    assert report.blocks[0].kinks == 2
    wrong = sg.check_gradient(relu, lambda x: (x > 0) * 1.0, np.array([0.0] * 5 + [1.0]))
    said = "x[0]: slopes 0 and 1, gradient 0; x[1]: slopes 0 and 1, gradient 0"
    assert said in str(wrong)
    assert "and 2 more" in str(wrong)
    assert said in text_of(wrong, 400)
    assert "kinks of" not in text_of(sg.check_gradient(relu, lambda x: (x > 0) * 1.0, X))


def test_the_same_seed_gives_the_same_report() -> None:
    f, grad, x = FAMILIES["policy"](np.random.default_rng(0))
    assert sg.check_gradient(f, grad, *x) == sg.check_gradient(f, grad, *x)


# ---------------------------------------------------------------- the oracles by themselves

LINES: Mapping[str, tuple[Callable[[Any], Any], bool]] = {
    # t -> f, and whether it is analytic near 0
    "exp":            (np.exp, True),
    "tanh(3t + 1)":   (lambda t: np.tanh(3 * t + 1), True),
    "abs(1 + t)":     (lambda t: np.abs(1 + t), False),
    "real part":      (lambda t: np.exp(np.real(t)), False),
    "conjugate":      (lambda t: np.exp(np.conj(t)), False),
    "abs squared":    (lambda t: np.abs(1 + t) ** 2, False),
    "max at a branch": (lambda t: np.maximum(1 + t, 0.5), True),
    "1e-60 lost":     (lambda t: np.exp(t + 0j) + (0 if abs(np.imag(t)) > 1e-9 else -1j * np.imag(t)), False),
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_a_complex_step_knows_where_it_is_worthless(name: str) -> None:
    f, analytic = LINES[name]

    def line(t: complex) -> complex:
        return complex(f(np.complex128(t) if t.imag else np.float64(t.real)))

    value = line(0).real
    noise = noise_of(line, value, 1.0)
    found = complex_step(line, value, noise, 1.0)
    assert (found is not None and found.bound < 1e-9) == analytic
    slope = black_slope(line, value, Noise(noise), 1.0, 1.0, 1.0, True)
    assert slope.method == ("complex step" if analytic else "Ridders")
    central = (line(1e-6) - line(-1e-6)).real / 2e-6
    assert abs(slope.value - central) <= 1e-8 + slope.bound


# ---------------------------------------------------------------- PyTorch and JAX


def test_a_torch_function_is_checked_against_its_own_gradient(torch: ModuleType) -> None:
    weights = torch.tensor(A)

    def loss(x: Any) -> Any:
        return torch.nn.functional.softplus(weights @ x).sum()

    def stopped(x: Any) -> Any:
        return ((weights @ x - (0.9 * weights @ x).detach()) ** 2).sum()

    def held(x: Any, target: Any) -> Any:
        return ((weights @ x - target) ** 2).sum()

    assert sg.check_torch(loss, X).verdict == "PASS"
    assert sg.check_torch(loss, torch.tensor(X)).verdict == "PASS"
    assert sg.check_torch(stopped, X).verdict == "FAIL"
    assert sg.check_torch(held, X, hold=lambda x: 0.9 * weights @ x).verdict == "PASS"
    narrow = torch.nn.Linear(4, 3)
    assert sg.check_torch(lambda x: narrow(x).float().square().sum(), X).verdict == "PASS"
    report = sg.check_torch(lambda x: narrow(x).square().sum(), torch.tensor(X).float())
    assert report.verdict == "PASS"
    assert any("float32 arguments" in rule.claim for rule in report.conduct)
    assert narrow.weight.dtype == torch.float32
    two = sg.check_torch(lambda x, w: (torch.tanh(w @ x) ** 2).sum(), X, A)
    assert two.verdict == "PASS"
    assert len(two.blocks) == 2

    class Wrong(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.saved_tensors[0]

    report = sg.check_torch(lambda x: Wrong.apply(x).sum(), X)
    assert report.verdict == "FAIL"
    assert "0.5 times" in text_of(report)


def test_a_torch_function_may_write_into_tensors_ask_for_slopes_and_be_strided(
    torch: ModuleType,
) -> None:
    class Contiguous(torch.autograd.Function):  # type: ignore[misc]
        """Its backward forgets how x lies in memory."""

        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return (x**2).sum()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 2 * g * x.as_strided(x.shape, (x.shape[1], 1))

    def filled(x: Any) -> Any:
        out = torch.zeros(4)
        out[0] = x[0] ** 2
        out[1:] = x[1:]
        return out.sum()

    def penalty(x: Any) -> Any:
        (slope,) = torch.autograd.grad(torch.tanh(x).sum(), x, create_graph=True)
        return (slope**2).sum()

    rows = [
        ("written into", filled, X, "PASS"),
        ("written into, float32", filled, torch.tensor(X).float(), "PASS"),
        ("a gradient penalty", penalty, X, "PASS"),
        ("bfloat16", lambda x: (x**2).sum(), torch.tensor(X).bfloat16(), "PASS"),
        ("in rows", Contiguous.apply, torch.tensor(A), "PASS"),
        ("in columns", Contiguous.apply, torch.tensor(A).T, "FAIL"),
    ]
    for name, f, x, verdict in rows:
        assert sg.check_torch(f, x).verdict == verdict, name


def test_a_jax_function_is_checked_against_its_own_gradient(jax: ModuleType) -> None:
    from symgrad.verify import with_jax

    jnp = jax.numpy

    def loss(x: Any) -> Any:
        return jax.nn.softplus(jnp.asarray(A) @ x).sum()

    def stopped(x: Any) -> Any:
        return ((A @ x - jax.lax.stop_gradient(0.9 * A @ x)) ** 2).sum()

    assert sg.check_jax(loss, X).verdict == "PASS"
    assert sg.check_jax(stopped, X).verdict == "FAIL"
    assert (
        sg.check_jax(lambda x, t: ((A @ x - t) ** 2).sum(), X, hold=lambda x: 0.9 * A @ x).verdict
        == "PASS"
    )
    assert sg.check_jax(lambda x, w: (jnp.tanh(w @ x) ** 2).sum(), X, A).verdict == "PASS"
    with with_jax.HOME.enable_x64(False):
        report = sg.check_jax(jax.jit(loss), X)
        assert jnp.asarray(X).dtype == jnp.float32
    assert report.verdict == "PASS"
    assert report.blocks[0].worst is not None
    assert report.blocks[0].worst.bound < 1e-6
    assert any("float32 arguments" in rule.claim for rule in report.conduct)
