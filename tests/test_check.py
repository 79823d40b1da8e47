"""The checker passes what is right, refuses what is wrong, and never passes what it did not look at."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sympy import Expr, Integer, Rational, Symbol

import symgrad as sg
from symgrad.algebra.access import Access, Affine
from symgrad.algebra.derive import reverse
from symgrad.algebra.program import (
    Equation,
    Program,
    Range,
    Slot,
    Tensor,
    make_equation,
    slot_symbol,
)
from symgrad.algebra.scalars import FUNCTIONS as F
from symgrad.algebra.scalars import Stop
from symgrad.algebra.sizes import Size
from symgrad.errors import SpecError
from symgrad.pipeline import generate
from symgrad.spec import Loss, Spec, parse_spec
from symgrad.verify.arithmetic import FLOAT64, Array, Digits
from symgrad.verify.check import check, check_module, check_program
from symgrad.verify.differences import Slope, entry_direction, rademacher, slope
from symgrad.verify.evaluate import evaluate
from symgrad.verify.instance import NoInstance, own_instance, small_instance
from symgrad.verify.nearby import Point
from symgrad.verify.report import text_of
from symgrad.verify.spec_text import spec_text
from symgrad.verify.subject import Answer, CallableSubject, Request
from symgrad.verify.verdict import Block, Conduct, Entry, Report, block_of

EXACT = Digits(60)


def y(slot: Slot) -> Symbol:
    return slot_symbol(slot)


def x(name: str, *indices: str) -> Access:
    return Access.plain(name, indices)


def scalar_loss(build: Callable[..., Expr], arity: int) -> Program:
    reads = [x(name) for name in "abc"[:arity]]
    return Program(
        (),
        (*(Tensor(name, role="param") for name in "abc"[:arity]), Tensor("loss")),
        (make_equation(x("loss"), build(*map(y, reads)), reads, (), assigns=True),),
    )


def slope_at(
    build: Callable[..., Expr],
    points: tuple[float, ...],
    by: str = "a",
    digits: Digits | None = EXACT,
) -> Slope:
    values = {name: np.asarray(v) for name, v in zip("abc", points, strict=False)}
    point = Point(scalar_loss(build, len(points)), "loss", values, {}, digits or FLOAT64)
    return slope(point, entry_direction(by, (), ()))


# ---------------------------------------------------------------- finite differences

SMOOTH = [
    ("a cube",        lambda a, b: a**3 * b,              (2.0, 3.0),   36.0),
    ("an exponential", lambda a, b: F["exp"](a * b),      (0.5, 2.0),   2 * math.e),
    ("a softplus",    lambda a, b: F["softplus"](a) + b,  (0.0, 1.0),   0.5),
    ("a quotient",    lambda a, b: a / b,                 (1.0, 4.0),   0.25),
    ("a flat point",  lambda a, b: (a - 1)**2 + b,        (1.0, 4.0),   0.0),
    ("a held factor", lambda a, b: a * Stop(a * b),       (3.0, 2.0),   6.0),
    ("a held target", lambda a, b: (a - Stop(a + b))**2,  (3.0, 2.0),   -4.0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "build", "points", "expected"), SMOOTH, ids=[row[0] for row in SMOOTH]
)
def test_a_difference_in_60_digits_is_right_to_the_last_bit_of_a_float(
    name: str, build: Callable[..., Expr], points: tuple[float, ...], expected: float
) -> None:
    found = slope_at(build, points)
    assert abs(float(found.value) - expected) <= 1e-15 * abs(expected) + found.bound
    assert found.bound <= 1e-27
    assert found.sides is None


@pytest.mark.parametrize(
    ("name", "build", "points", "expected"), SMOOTH, ids=[row[0] for row in SMOOTH]
)
def test_a_difference_in_float64_keeps_its_own_bound(
    name: str, build: Callable[..., Expr], points: tuple[float, ...], expected: float
) -> None:
    found = slope_at(build, points, digits=None)
    assert abs(found.value - expected) <= found.bound <= 1e-9
    assert found.sides is None


def test_the_float64_bound_misses_none_of_200_points() -> None:
    rng = np.random.default_rng(7)
    bodies: list[Callable[..., Expr]] = [
        lambda a, b: F["tanh"](3 * a) * F["exp"](b),
        lambda a, b: F["log"](a**2 + b**2 + Rational(1, 100)),
        lambda a, b: F["sin"](5 * a * b) / (1 + a**2),
        lambda a, b: (F["softplus"](4 * a) - b) ** 4,
    ]
    missed = 0
    for k in range(200):
        points = tuple(rng.normal(size=2))
        exact = float(slope_at(bodies[k % 4], points).value)
        found = slope_at(bodies[k % 4], points, digits=None)
        missed += abs(found.value - exact) > found.bound
        assert found.bound < 1e-6 * max(1.0, abs(exact))
    assert missed == 0


KINKS = [
    # the slope by the declared convention, and the slopes on either side
    ("relu",               lambda a: F["relu"](a),                            (0.0,),      0.0,  (0.0, 1.0)),
    ("leaky_relu",         lambda a: F["leaky_relu"](a, Rational(1, 8)),      (0.0,),      0.125, (0.125, 1.0)),
    ("abs",                lambda a: F["abs"](a),                             (0.0,),      0.0,  (-1.0, 1.0)),
    ("a tie of minimum",   lambda a, b: F["minimum"](2 * a, b),               (1.0, 2.0),  2.0,  (2.0, 0.0)),
    ("a tie of maximum",   lambda a, b: F["maximum"](b, 2 * a),               (1.0, 2.0),  0.0,  (0.0, 2.0)),
    ("clip at its top",    lambda a: F["clip"](a, 0, 1),                      (1.0,),      1.0,  (1.0, 0.0)),
    ("clip at its bottom", lambda a: F["clip"](a, 0, 1),                      (0.0,),      1.0,  (0.0, 1.0)),
    ("clipped surrogate",  lambda a, b: F["minimum"](a * b, F["clip"](a, Rational(3, 4), Rational(5, 4)) * b), (1.0, 2.0), 2.0, None),
]  # fmt: skip


@pytest.mark.parametrize("digits", [EXACT, None], ids=["60 digits", "float64"])
@pytest.mark.parametrize(
    ("name", "build", "points", "convention", "sides"), KINKS, ids=[row[0] for row in KINKS]
)
def test_a_kink_is_recognised_and_its_value_is_the_declared_convention(
    name: str,
    build: Callable[..., Expr],
    points: tuple[float, ...],
    convention: float,
    sides: tuple[float, float] | None,
    digits: Digits | None,
) -> None:
    found = slope_at(build, points, digits=digits)
    assert_allclose(float(found.value), convention, rtol=1e-12, atol=1e-12)
    assert (found.sides is None) == (sides is None)
    if found.sides and sides:
        assert_allclose(found.sides, sides, rtol=1e-4, atol=1e-4)


def test_a_tie_of_argmax_takes_the_lowest_index() -> None:
    i, q, best = Range("i", Size.of(0), Size.of(3)), x("q", "i"), x("best")
    top = Access("q", (best,))
    program = Program(
        (),
        (Tensor("q", (Size.of(3),), role="param"), Tensor("best", kind="int"), Tensor("loss")),
        (
            make_equation(best, y(q), [q], [i], "argmax"),
            make_equation(x("loss"), y(top), [top], (), assigns=True),
        ),
    )
    point = Point(program, "loss", {"q": np.array([1.0, 2.0, 2.0])}, {}, EXACT)
    found = [slope(point, entry_direction("q", (3,), (k,))) for k in range(3)]
    assert [float(s.value) for s in found] == [0.0, 1.0, 0.0]
    assert [s.sides for s in found] == [None, (0.0, 1.0), (0.0, 1.0)]


def test_a_point_close_to_a_kink_is_no_kink_with_a_smaller_step() -> None:
    found = slope_at(lambda a: F["relu"](a), (1e-22,))
    assert (float(found.value), found.sides) == (1.0, None)


def test_a_direction_of_signs_sees_one_wrong_entry_whole() -> None:
    shape = (40, 50)
    by = rademacher({"W": shape}, np.random.default_rng(3))["W"]
    assert set(np.unique(by)) == {-1.0, 1.0}
    wrong = np.zeros(shape)
    wrong[7, 9] = 1e-3
    assert abs(np.sum(by * wrong)) == 1e-3


# ---------------------------------------------------------------- gradient programs


def policy() -> Program:
    """A softmax policy gradient with one tanh layer, a gather, a held baseline and a shared weight."""
    B, H, A = (Size.of(n) for n in "BHA")
    b, i, j, a = (Range(n, Size.of(0), s) for n, s in (("b", B), ("i", H), ("j", H), ("a", A)))
    obs, W, V, c = x("obs", "b", "j"), x("W", "i", "j"), x("V", "a", "i"), x("c", "a")
    z, h, q, lse, adv = (
        x("z", "b", "i"),
        x("h", "b", "i"),
        x("q", "b", "a"),
        x("lse", "b"),
        x("adv", "b"),
    )
    chosen = Access("q", (Affine.index("b"), x("act", "b")))
    equations: tuple[Equation, ...] = (
        make_equation(z, y(W) * y(obs), [W, obs], [b, i, j]),
        make_equation(h, F["tanh"](y(z)), [z], [b, i], assigns=True),
        make_equation(q, y(V) * y(h), [V, h], [b, a, i]),
        make_equation(q, y(c), [c], [b, a]),
        make_equation(lse, y(q), [q], [b, a], "logsumexp"),
        make_equation(
            x("loss"), (y(adv) - Stop(y(lse))) * (y(lse) - y(chosen)), [adv, lse, chosen], [b]
        ),
    )
    tensors = (
        Tensor("W", (H, H), role="param"), Tensor("V", (A, H), role="param"), Tensor("c", (A,), role="param"),
        Tensor("obs", (B, H), role="data"), Tensor("act", (B,), "int", "data", below=A), Tensor("adv", (B,), role="data"),
        Tensor("z", (B, H)), Tensor("h", (B, H)), Tensor("q", (B, A)), Tensor("lse", (B,)), Tensor("loss"),
    )  # fmt: skip
    return Program((("B", None), ("H", 64), ("A", 2)), tensors, equations)


WRT = ("W", "V", "c")


def test_many_probes_in_one_evaluation_give_what_each_gives_alone() -> None:
    drawn = small_instance(policy(), "loss", (), 0)
    point = Point(policy(), "loss", drawn.values, drawn.sizes)
    rng = np.random.default_rng(4)
    for names in (("W",), ("c",), ("V", "c", "obs"), ("adv",)):
        direction = {name: rng.normal(size=drawn.values[name].shape) for name in names}
        steps = [-0.5, 1e-6, 0.0, 0.25]
        alone = [float(point.at(direction, step, held=True)) for step in steps]
        assert_allclose(point.along(direction, steps), alone, rtol=1e-14)
        assert len(set(alone)) == 4


def test_a_derived_gradient_passes_in_60_digits_at_every_entry() -> None:
    derived = reverse(policy(), "loss", WRT)
    report = check_program(policy(), "loss", derived.program, derived.result)
    assert (report.verdict, report.exit_code) == ("PASS", 0)
    assert [(b.name, b.entries, b.total) for b in report.blocks] == [
        ("W", 4, 4),
        ("V", 8, 8),
        ("c", 4, 4),
    ]
    assert all(b.worst is not None and b.worst.error < 1e-29 for b in report.blocks)


def test_a_gradient_program_is_checked_at_given_sizes_and_values() -> None:
    derived = reverse(policy(), "loss", ("c",))
    sizes = {"B": 2, "H": 3, "A": 5}
    drawn = small_instance(policy(), "loss", (), 0)
    at_sizes = check_program(policy(), "loss", derived.program, derived.result, sizes=sizes)
    at_values = check_program(
        policy(), "loss", derived.program, derived.result, sizes=drawn.sizes, values=drawn.values
    )
    assert (at_sizes.verdict, at_sizes.blocks[0].total) == ("PASS", 5)
    assert at_values.verdict == "PASS"


def planted(change: Callable[[Equation], Equation | None], target: str) -> Report:
    """The check of a derived gradient in which the equations of one target were changed."""
    derived = reverse(policy(), "loss", WRT)
    changed = [change(e) if e.target.tensor == target else e for e in derived.program.equations]
    broken = replace(derived.program, equations=tuple(e for e in changed if e is not None))
    return check_program(policy(), "loss", broken, derived.result)


def shifted_gather(equation: Equation) -> Equation:
    """act[b] -> 0 in the target."""
    gathers = any(isinstance(s, Access) for s in equation.target.subscripts)
    first = Access(equation.target.tensor, (Affine.index("b"), Affine()))
    return replace(equation, target=first) if gathers else equation


PROGRAM_FAULTS = [
    # what,                 target, change,                                                        blocks that fail
    ("a factor",            "dc",   lambda e: e.with_body(e.body * Rational(2001, 1000)),          {"c"}),
    ("a tiny factor",       "dW",   lambda e: e.with_body(e.body * (1 + Rational(1, 10**20))),     {"W"}),
    ("a sign",              "dV",   lambda e: e.with_body(-e.body),                                {"V"}),
    ("a dropped term",      "dlse", lambda e: None,                                                {"W", "V", "c"}),
    ("an off-by-one gather", "dq",  shifted_gather,                                                {"W", "V", "c"}),
    ("a wrong slope",       "dz",   lambda e: e.with_body(y(x("dh", "b", "i")) * 1, {y(x("dh", "b", "i")): x("dh", "b", "i")}), {"W"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "target", "change", "failing"), PROGRAM_FAULTS, ids=[row[0] for row in PROGRAM_FAULTS]
)
def test_a_fault_in_a_gradient_program_fails_and_names_the_block(
    what: str, target: str, change: Callable[[Equation], Equation | None], failing: set[str]
) -> None:
    report = planted(change, target)
    assert (report.verdict, report.exit_code) == ("FAIL", 1)
    assert {b.name for b in report.failures} == failing


def test_a_removed_stop_fails() -> None:
    program = policy()
    unstopped = program.map_equations(lambda e: e.with_body(e.body.replace(Stop, lambda f: f)))
    derived = reverse(unstopped, "loss", WRT)
    assert check_program(program, "loss", derived.program, derived.result).verdict == "FAIL"
    assert check_program(unstopped, "loss", derived.program, derived.result).verdict == "PASS"


# ---------------------------------------------------------------- specs and callables

TEXT = """
equations = \"\"\"
z[b,i] = sum(j: W[i,j]*obs[b,j]) + c[i]
loss = mean(b: sum(i: (tanh(z[b,i]) - target[b,i])**2))
\"\"\"

[sizes]
B = "batch"
H = 9
D = 8

[params]
W = "real[H, D]"
c = "real[H]"

[data]
obs = "real[B, D]"
target = "real[B, H]"
"""


LossAndGradients = tuple[float, dict[str, Array]]


def regression(values: Mapping[str, Array]) -> LossAndGradients:
    h = np.tanh(values["obs"] @ values["W"].T + values["c"])
    error = h - values["target"]
    dz = 2 * error * (1 - h**2) / len(h)
    return float(np.sum(error**2) / len(h)), {"W": dz.T @ values["obs"], "c": dz.sum(axis=0)}


def checked(
    function: Callable[[Mapping[str, Array]], LossAndGradients], text: str = TEXT
) -> Report:
    return check(parse_spec(text, "regression"), CallableSubject(function))


def test_a_right_callable_passes_at_small_and_at_own_sizes() -> None:
    report = checked(regression)
    assert report.verdict == "PASS", text_of(report)
    small = [b for b in report.blocks if b.instance.startswith("small")]
    own = [b for b in report.blocks if b.instance.startswith("own sizes")]
    assert [(b.name, b.compared) for b in small] == [
        ("loss", 1),
        ("W", small[1].total),
        ("c", small[2].total),
    ]
    assert [(b.name, b.total, b.directions) for b in own] == [
        ("loss", 1, 0),
        ("W", 72, 4),
        ("c", 9, 4),
    ]
    assert all(b.worst is not None and b.worst.bound < 1e-8 for b in report.blocks)


def faulty(
    change: Callable[[Mapping[str, Array], float, dict[str, Array]], LossAndGradients],
) -> Callable[[Mapping[str, Array]], LossAndGradients]:
    def function(values: Mapping[str, Array]) -> LossAndGradients:
        value, gradients = regression(values)
        return change(values, value, gradients)

    return function


def one_entry(gradient: Array) -> Array:
    wrong = gradient.copy()
    wrong.flat[-1] *= 1 + 1e-9
    return wrong


CALLABLE_FAULTS = [
    ("a factor",            lambda v, f, g: (f, {**g, "W": 2.001 * g["W"]}),                    {"W"}),
    ("a sign",              lambda v, f, g: (f, {**g, "c": -g["c"]}),                           {"c"}),
    ("one entry by 1e-9",   lambda v, f, g: (f, {**g, "W": one_entry(g["W"])}),                 {"W"}),
    ("a sum for a mean",    lambda v, f, g: (f, {n: len(v["obs"]) * a for n, a in g.items()}),  {"W", "c"}),
    ("a transpose",         lambda v, f, g: (f, {**g, "W": g["W"].T}),                          {"W"}),
    ("a rolled axis",       lambda v, f, g: (f, {**g, "c": np.roll(g["c"], 1)}),                {"c"}),
    ("nan",                 lambda v, f, g: (f, {**g, "c": g["c"] * np.nan}),                   {"c"}),
    ("zero",                lambda v, f, g: (f, {**g, "c": g["c"] * 0}),                        {"c"}),
    ("a missing gradient",  lambda v, f, g: (f, {"W": g["W"]}),                                 {"c"}),
    ("a wrong value",       lambda v, f, g: (f * (1 + 1e-9), g),                                {"loss"}),
    ("an infinite value",   lambda v, f, g: (math.inf, g),                                      {"loss"}),
    ("memory never written", lambda v, f, g: (f, {**g, "W": np.full_like(g["W"], 1e308)}),     {"W"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "change", "failing"), CALLABLE_FAULTS, ids=[row[0] for row in CALLABLE_FAULTS]
)
def test_a_fault_in_a_callable_fails_and_names_the_block(
    what: str, change: Callable[..., LossAndGradients], failing: set[str]
) -> None:
    report = checked(faulty(change))
    assert (report.verdict, report.exit_code) == ("FAIL", 1)
    assert {b.name for b in report.failures} == failing


def test_an_unstopped_target_fails_against_the_semi_gradient() -> None:
    text = """
equations = "loss = (w*s - stop(r + w*t))**2"
[params]
w = "real"
[data]
s = "real"
t = "real"
r = "real"
"""

    def td(values: Mapping[str, Array], stopped: bool) -> LossAndGradients:
        w, s, t, r = (float(values[n]) for n in "wstr")
        error = w * s - r - w * t
        return error**2, {"w": np.asarray(2 * error * (s if stopped else s - t))}

    assert checked(lambda v: td(v, True), text).verdict == "PASS"
    assert checked(lambda v: td(v, False), text).verdict == "FAIL"


def reversed_gradient(loss: Loss) -> tuple[Program, Mapping[str, str]]:
    derived = reverse(loss.program, loss.value, loss.wrt)
    return derived.program, derived.result


CANCELLING = """
equations = '''
z[a] = w[a] + c
loss = sum(a: exp(z[a] - logsumexp(i: z[i]))*r[a])
'''
[sizes]
A = "actions"
[params]
w = "real[A]"
c = "real"
[data]
r = "real[A]"
"""


@pytest.mark.parametrize(("slip", "verdict"), [(0.0, "PASS"), (1e-9, "FAIL")])
def test_a_gradient_whose_contributions_cancel_is_0_but_for_rounding(
    slip: float, verdict: str
) -> None:
    """A softmax does not see what is added to all of its logits."""

    def softmax(values: Mapping[str, Array]) -> LossAndGradients:
        p = np.exp(values["w"] - values["w"].max())
        p /= p.sum()
        value = float(p @ values["r"])
        dw = p * (values["r"] - value)
        return value, {"w": dw, "c": np.asarray(dw.sum() + 1e-18 + slip)}

    spec = parse_spec(CANCELLING, "cancelling")
    report = check(spec, CallableSubject(softmax), gradient=reversed_gradient)
    assert report.verdict == verdict, text_of(report)
    found = [block for block in report.blocks if block.name == "c"]
    assert [block.verdict for block in found] == [verdict] * len(found)
    assert all(block.note == "what contributes to it cancels" for block in found) == (slip == 0)


NORMALISED = """
loss = "squared_error(v[b,0], ret)"
[sizes]
B = "batch"
H = 8
[networks.v]
input = "obs"
layers = ["dense H", "batchnorm relu", "dense 1"]
[data]
obs = "real[B, 4]"
ret = "real[B]"
"""


@pytest.mark.parametrize(("slip", "verdict"), [("0", "PASS"), ("1e-9", "FAIL")])
def test_it_is_so_where_some_units_are_off(slip: str, verdict: str, tmp_path: Path) -> None:
    """Batch normalisation takes a bias below it away; of 8 units relu switches some off."""
    spec, right = parse_spec(NORMALISED, "normalised"), "np.sum(dz1, axis=0, out=grads.c1)"
    text, path = generate(spec), tmp_path / "normalised.py"
    assert right in text
    path.write_text(text.replace(right, f"{right}; grads.c1[-1] += {slip}"), encoding="utf-8")
    report = sg.check(path)
    assert report.verdict == verdict, text_of(report)
    assert {b.name for b in report.failures} == ({"c1"} if verdict == "FAIL" else set())


def test_an_unknown_loss_is_refused() -> None:
    with pytest.raises(SpecError, match='no loss "lost"; did you mean "loss"'):
        check(parse_spec(TEXT, "regression"), CallableSubject(regression), losses=["lost"])


def test_a_gradient_program_gives_the_scale_and_the_equation_behind_a_block() -> None:
    report = check(
        parse_spec(TEXT, "regression"), CallableSubject(regression), gradient=reversed_gradient
    )
    assert report.verdict == "PASS"
    assert {b.equation for b in report.blocks if b.name == "c"} == {"dc[i] += dz[b,i]"}


# ---------------------------------------------------------------- verdicts


def entry(exact: float, numeric: float, bound: float) -> Entry:
    return Entry((0,), exact, numeric, abs(exact - numeric), bound)


VERDICTS = [
    ("within a tight bound",          [entry(1.0, 1.0, 1e-12)],                          "PASS"),
    ("beyond the bound",              [entry(1.1, 1.0, 1e-12)],                          "FAIL"),
    ("a bound too loose",             [entry(1.0, 1.0, 1e-2)],                           "INCONCLUSIVE"),
    ("beyond even a loose bound",     [entry(2.0, 1.0, 1e-2)],                           "FAIL"),
    ("one loose among tight ones",    [entry(1.0, 1.0, 1e-12), entry(1.0, 1.0, 0.5)],    "INCONCLUSIVE"),
    ("no difference to be had",       [entry(1.0, math.nan, 1e-12)],                     "INCONCLUSIVE"),
    ("an infinite bound",             [entry(1.0, 1.0, math.inf)],                       "INCONCLUSIVE"),
    ("not a number",                  [entry(math.nan, 1.0, 1e-12)],                     "FAIL"),
    ("nothing compared",              [],                                                "INCONCLUSIVE"),
    ("zeros, with nothing to compare them with", [entry(0.0, 0.0, 1e-12)],               "INCONCLUSIVE"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "entries", "verdict"), VERDICTS, ids=[row[0] for row in VERDICTS])
def test_a_block_has_one_of_three_verdicts(what: str, entries: list[Entry], verdict: str) -> None:
    block = block_of("loss", "W", "small", 1, entries)
    assert block.verdict == verdict
    assert Report("m.py", (block,)).verdict == verdict
    assert Report("m.py", (block,)).exit_code == {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}[verdict]


def test_zeros_are_measured_against_the_loss() -> None:
    block = block_of("loss", "W", "small", 1, [entry(0.0, 0.0, 1e-12)], scale=2.0)
    assert (block.verdict, block.note) == ("PASS", "every entry compared is 0")


def test_zero_blocks_are_inconclusive_even_with_good_conduct() -> None:
    assert Report("m.py", ()).verdict == "INCONCLUSIVE"
    assert Report("m.py", (), (Conduct("loss", "inputs are unmodified", "PASS"),)).exit_code == 3


def test_a_broken_rule_of_conduct_fails_a_report_of_good_numbers() -> None:
    good = block_of("loss", "W", "small", 1, [entry(1.0, 1.0, 1e-12)])
    assert (
        Report("m.py", (good,), (Conduct("loss", "inputs are unmodified", "FAIL", "W"),)).verdict
        == "FAIL"
    )


def test_a_loss_that_is_never_finite_is_inconclusive() -> None:
    text = 'equations = "loss = log(w - w)"\n[params]\nw = "real"\n'
    report = checked(lambda values: (0.0, {"w": np.asarray(0.0)}), text)
    assert (report.verdict, report.exit_code) == ("INCONCLUSIVE", 3)
    assert {b.note for b in report.blocks} == {"the loss is -inf at every input drawn"}


def test_a_report_is_json_and_text() -> None:
    report = checked(faulty(lambda v, f, g: (f, {**g, "c": g["c"] * np.inf})))
    data = json.loads(report.to_json())
    assert (data["verdict"], data["exit_code"], data["subject"]) == ("FAIL", 1, "a callable")
    worst = next(b for b in data["blocks"] if b["verdict"] == "FAIL")
    assert worst["name"] == "c"
    assert worst["worst"]["exact"] in ("inf", "-inf")
    text = text_of(report)
    assert "FAIL a callable" in text
    assert "z[b,i] = " in text or "z[b,i] += " in text


def test_the_same_seed_gives_the_same_report() -> None:
    assert checked(regression).to_json() == checked(regression).to_json()


# ---------------------------------------------------------------- instances

CONVOLUTION = """
equations = \"\"\"
y[b,l] = sum(k: w[k]*x[b,2*l+k]) for l < U
loss = mean(b: sum(l: y[b,l]**2))
\"\"\"
[sizes]
B = "batch"
L = 30
K = 5
U = "(L - K)//2 + 1"
[params]
w = "real[K]"
[data]
x = "real[B, L]"
"""


def test_small_sizes_are_small_distinct_and_within_the_specs_limits() -> None:
    spec = parse_spec(CONVOLUTION, "convolution")
    loss = spec.losses[0]
    small = small_instance(loss.program, "loss", [size for size, _ in spec.checks], 0)
    own = own_instance(loss.program, "loss", [size for size, _ in spec.checks], 0)
    assert set(small.sizes.values()) == {2, 3, 4}
    assert small.sizes["L"] >= small.sizes["K"]
    assert dict(own.sizes) == {"L": 30, "K": 5, "B": 7}
    assert small.values["x"].shape == (small.sizes["B"], small.sizes["L"])


RELUS = """
[sizes]
B = "batch"

[networks.pi]
input = "x"
layers = ["dense 3 relu", "dense 3 relu", "dense 3 relu", "dense 1"]

[data]
x = "real[B, 2]"
y = "real[B, 1]"

[losses.loss]
equations = "loss = mean(b: (pi[b,0] - y[b,0])**2)"
"""


def test_small_inputs_are_drawn_again_where_all_relus_of_a_layer_are_off() -> None:
    (loss,) = parse_spec(RELUS, "relus").losses
    gradient = reverse(loss.program, "loss", loss.wrt)
    names = tuple(gradient.result.values())

    def has_zeros(seed: int, wrt: tuple[str, ...]) -> bool:
        small = small_instance(loss.program, "loss", (), seed, wrt)
        found = evaluate(gradient.program, small.values, small.sizes, outputs=names).values
        return any(not np.any(found[name]) for name in names)

    off = [seed for seed in range(20) if has_zeros(seed, ())]
    assert len(off) >= 2
    assert [seed for seed in range(20) if has_zeros(seed, loss.wrt)] == []


def test_sizes_that_cannot_be_had_say_why() -> None:
    i = Range("i", Size.of(0), Size.of("N") - 40)
    hopeless = Program(
        (("N", None),),
        (Tensor("a", (Size.of("N"),), role="param"), Tensor("loss")),
        (make_equation(x("loss"), y(x("a", "i")), [x("a", "i")], [i]),),
    )
    with pytest.raises(
        NoInstance, match="small: no sizes give every axis and range at least one place"
    ):
        small_instance(hopeless, "loss", (), 0)


# ---------------------------------------------------------------- modules, in a process of their own

MODULE = """
import sys
import numpy as np

if "symgrad" in sys.modules or "sympy" in sys.modules:
    raise RuntimeError("the checker's own code is in this process")

SPEC = %r


class Params:
    def __init__(self, flat, *, H=9, D=8):
        self.flat, self.sizes = flat, {"H": H, "D": D}
        self.W, self.c = flat[: H * D].reshape(H, D), flat[H * D :]


class Workspace:
    def __init__(self, *, B, H=9, D=8):
        self.memory = {}


def init(rng, *, H=9, D=8, dtype=np.float64):
    return Params(rng.normal(size=H * D + H).astype(dtype), H=H, D=D)


def value_and_grad(params, *, obs, target, workspace=None):
    h = np.tanh(obs @ params.W.T + params.c)
    error = h - target
    dz = 2 * error * (1 - h**2) / len(h)
    grads = Params(np.concatenate([(dz.T @ obs).ravel(), dz.sum(axis=0)]), **params.sizes)
    return np.sum(error**2) / len(h), grads
"""


def module(folder: Path, *changes: tuple[str, str]) -> Path:
    text = MODULE % (TEXT,)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "regression.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_right_module_passes_in_a_process_without_symgrad(tmp_path: Path) -> None:
    report = check_module(module(tmp_path))
    assert report.verdict == "PASS", text_of(report)
    assert (report.subject, len(report.blocks)) == ("regression.py", 9)
    assert {rule.claim for rule in report.conduct} >= {
        "inputs are unmodified",
        "a second call with one workspace gives the same bits",
        "a workspace changes no number",
    }


MODULE_FAULTS = [
    ("a factor",             ("dz = 2 *", "dz = 2.001 *"),                                         "W, c"),
    ("a modified input",     ("    dz =", "    obs *= 1.0000001\n    dz ="),                       "inputs are unmodified"),
    ("a modified parameter", ("    dz =", "    params.c[0] += 1e-9\n    dz ="),                    "inputs are unmodified"),
    ("a drifting workspace", ("    dz =", "    if workspace:\n        workspace.memory[len(workspace.memory)] = 0\n        error = error + 1e-9 * len(workspace.memory)\n    dz ="), "a second call with one workspace gives the same bits"),
    ("a wrong workspace",    ("    dz =", "    if workspace:\n        error = 1.001 * error\n    dz ="), "a workspace changes no number"),
    ("a random number",      ("    dz =", "    error = error + 1e-16 * np.random.default_rng().normal()\n    dz ="), "a second call gives the same bits"),
    ("single precision",     ("dz.sum(axis=0)])", "dz.sum(axis=0)]).astype(np.float32)"),          "gradients are float64, of the parameters' shapes"),
    ("a layout ignored",     ("    dz =", "    obs = np.asarray(obs).ravel('K').reshape(obs.shape)\n    dz ="), "Fortran-ordered inputs give the same numbers"),
    ("strides ignored",      ("    dz =", "    obs = np.ndarray(obs.shape, obs.dtype, buffer=obs.base if obs.base is not None else obs)\n    dz ="), "strided inputs give the same numbers"),
    ("a layout refused",     ("    dz =", "    obs = obs.view()\n    obs.shape = (-1,)\n    obs = obs.reshape(len(h), -1)\n    dz ="), "strided inputs give the same numbers"),
    ("an input as scratch",  ("    dz =", "    target += 1.0\n    target -= 1.0\n    dz ="),         "read-only inputs give the same numbers"),
    ("an exception",         ("    dz =", "    raise KeyError('dz')\n    dz ="),                   "it runs"),
    ("a module that is not", ("import sys\n", "import sys\nimport no_such_module\n"),              "it runs"),
    ("an exit",              ("    dz =", "    sys.exit(0)\n    dz ="),                            "it runs"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "change", "named"), MODULE_FAULTS, ids=[row[0] for row in MODULE_FAULTS]
)
def test_a_fault_in_a_module_fails_and_is_named(
    what: str, change: tuple[str, str], named: str, tmp_path: Path
) -> None:
    report = check_module(module(tmp_path, change))
    assert (report.verdict, report.exit_code) == ("FAIL", 1)
    broken = [rule.claim for rule in report.conduct if rule.verdict == "FAIL"]
    found = [", ".join(dict.fromkeys(b.name for b in report.failures)), *broken]
    assert any(claim.startswith(named) for claim in found), found


def test_a_missing_file_is_an_error_of_usage(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read: No such file"):
        check_module(tmp_path / "missing.py")


SPECS = [
    ('SPEC = "a\\nb"\n',                      "a\nb"),
    ("import os\nx = {'SPEC': 1}\nSPEC = r'''\na\\n'''\n", "\na\\n"),
    ("class A:\n    SPEC = 'inner'\nSPEC = 'outer'\n", "outer"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), SPECS)
def test_spec_is_read_without_running_the_file(source: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(source + "\nraise SystemExit('this file was run')\n", encoding="utf-8")
    assert spec_text(path) == expected


NO_SPECS = [
    (b"x = 1\n",                      "holds no SPEC"),
    (b"SPEC = f'{x}'\n",              "expected one plain string"),
    (b"SPEC = b'x'\n",                "expected one plain string"),
    (b"SPEC = 'x' 'y'\n",            "expected one plain string"),
    (b"SPEC = 'x' + y\n",            "expected one plain string"),
    (b"SPEC = open('x').read()\n",    "expected one plain string"),
    (b"SPEC = '\\N{nonsense}'\n",     "not a string that can be read"),
    (b"SPEC: str = 'x'\n",            "holds no SPEC"),
    (b"x = '''\n",                    "cannot be read as Python"),
    (b"\xff\xfe",                     "not UTF-8"),
    (b"(" * 300_000,                  "cannot be read as Python"),
    (b"x" * 8_000_001,                "larger than 8000000 bytes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "said"), NO_SPECS, ids=[row[1] + repr(row[0][:20]) for row in NO_SPECS]
)
def test_a_file_without_a_readable_spec_is_refused(
    source: bytes, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "m.py"
    path.write_bytes(source)
    with pytest.raises(SpecError, match=said):
        spec_text(path)


def test_several_losses_are_checked_each_by_its_own_function() -> None:
    text = """
[sizes]
B = "batch"
[params]
w = "real"
v = "real"
[data]
s = "real[B]"
[losses.actor]
wrt = ["w"]
equations = "loss = mean(b: w*v*s[b])"
[losses.critic]
wrt = ["v"]
equations = "loss = mean(b: (v - s[b])**2)"
"""
    asked: list[str] = []

    class Subject(CallableSubject):
        def answers(self, requests: Sequence[Request]) -> Sequence[Answer]:
            asked.extend(request.function for request in requests)
            return super().answers(requests)

    def both(values: Mapping[str, Array]) -> LossAndGradients:
        w, v, s = float(values["w"]), float(values["v"]), values["s"]
        if asked and asked[len(served)].startswith("actor"):
            served.append("actor")
            return float(np.mean(w * v * s)), {"w": np.asarray(np.mean(v * s))}
        served.append("critic")
        return float(np.mean((v - s) ** 2)), {"v": np.asarray(np.mean(2 * (v - s)))}

    served: list[str] = []
    spec: Spec = parse_spec(text, "both")
    report = check(spec, Subject(both))
    assert asked == ["actor_value_and_grad"] * 3 + ["critic_value_and_grad"] * 3
    assert report.verdict == "PASS", text_of(report)
    assert {(b.loss, b.name) for b in report.blocks} == {
        ("actor", "loss"),
        ("actor", "w"),
        ("critic", "loss"),
        ("critic", "v"),
    }


def test_block_and_entry_are_plain_frozen_data() -> None:
    block = block_of("loss", "W", "small", 1, [entry(1.0, 1.0, 1e-12)])
    assert isinstance(block, Block)
    with pytest.raises(AttributeError):
        block.verdict = "FAIL"  # type: ignore[misc]  # that it cannot be set is the claim
    assert Integer(block.compared) == 1
