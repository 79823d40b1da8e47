"""The naive evaluator gives what the definitions say, in float64 and in 60 digits."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy
from numpy.testing import assert_allclose, assert_array_equal
from sympy import Expr, Rational, Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import (
    INF,
    Equation,
    Kind,
    Program,
    Range,
    Slot,
    Tensor,
    make_equation,
    slot_symbol,
)
from symgrad.algebra.scalars import FUNCTIONS as F
from symgrad.algebra.scalars import (
    ROWS,
    And,
    Equal,
    Less,
    LessEqual,
    Not,
    Or,
    Row,
    Select,
    Stop,
    unknown,
)
from symgrad.algebra.sizes import Size
from symgrad.errors import ProgramError, SpecError
from symgrad.spec import parse_spec
from symgrad.verify import evaluate as evaluator
from symgrad.verify import factored
from symgrad.verify.arithmetic import ELEMENTARY, FLOAT64, TEXTBOOK, Digits, Numbers
from symgrad.verify.evaluate import Result, evaluate

EXACT = Digits(60)
BOTH = pytest.mark.parametrize("numbers", [FLOAT64, EXACT], ids=["float64", "60 digits"])
INFINITY = float("inf")


def index(name: str, shift: int = 0, times: int = 1) -> Affine:
    return Affine.collect({name: Size.of(times)}, Size.of(shift))


def number(size: str | int) -> Affine:
    return Affine((), Size.of(size))


def x(tensor: str, *subscripts: str | Affine | Access, padded: bool = False) -> Access:
    return Access(tensor, tuple(index(s) if isinstance(s, str) else s for s in subscripts), padded)


def over(**ranges: str | int | tuple[int | str, int | str | Size]) -> tuple[Range, ...]:
    pairs = {name: r if isinstance(r, tuple) else (0, r) for name, r in ranges.items()}
    return tuple(Range(name, Size.of(lo), Size.of(hi)) for name, (lo, hi) in pairs.items())


def y(slot: Slot) -> Symbol:
    return slot_symbol(slot)


def real(name: str, *shape: str | int | Size, kind: Kind = "real") -> Tensor:
    return Tensor(name, tuple(Size.of(s) for s in shape), kind)


def data(name: str, *shape: str | int, kind: Kind = "real", below: int | None = None) -> Tensor:
    limit = None if below is None else Size.of(below)
    return Tensor(name, tuple(Size.of(s) for s in shape), kind, "data", limit)


def program(tensors: list[Tensor], *equations: Equation, sizes: str = "") -> Program:
    return Program(tuple((name, None) for name in sizes.split()), tuple(tensors), equations)


def floats(result: Result, name: str) -> np.ndarray:
    return result.values[name].astype(float)


def scalar_program(build: Callable[..., Expr], arity: int) -> Program:
    """out = build(a, b, ...) of rank-0 data."""
    reads = [x(name) for name in "abc"[:arity]]
    return program(
        [*(data(name) for name in "abc"[:arity]), real("out")],
        make_equation(x("out"), build(*map(y, reads)), reads, (), assigns=True),
    )


def value_of(build: Callable[..., Expr], *points: float, numbers: Numbers = FLOAT64) -> float:
    given = dict(zip("abc", points, strict=False))
    return float(evaluate(scalar_program(build, len(points)), given, {}, numbers).values["out"][()])


# name, arguments, value by hand
TABLE = [
    ("exp", (1.0,), 2.718281828459045), ("exp", (-INFINITY,), 0.0), ("exp", (0.0,), 1.0),
    ("expm1", (1e-20,), 1e-20), ("expm1", (1.0,), 1.718281828459045),
    ("log", (math.e,), 1.0), ("log", (0.0,), -INFINITY), ("log", (-1.0,), math.nan),
    ("log1p", (1e-20,), 1e-20), ("log1p", (-1.0,), -INFINITY), ("log1p", (-2.0,), math.nan),
    ("sqrt", (2.25,), 1.5), ("sqrt", (0.0,), 0.0), ("sqrt", (-1.0,), math.nan),
    ("sin", (math.pi / 6,), 0.5), ("cos", (math.pi / 3,), 0.5), ("sin", (INFINITY,), math.nan),
    ("sinh", (1.0,), 1.1752011936438014), ("cosh", (1.0,), 1.5430806348152437),
    ("tanh", (0.5,), 0.46211715726000973), ("tanh", (1e9,), 1.0), ("arctan", (1.0,), math.pi / 4),
    ("sigmoid", (0.0,), 0.5), ("sigmoid", (-750.0,), None), ("sigmoid", (1.0,), 0.7310585786300049),
    ("softplus", (0.0,), math.log(2)), ("softplus", (-INFINITY,), 0.0),
    ("erf", (0.5,), 0.5204998778130465), ("erf", (-INFINITY,), -1.0),
    ("erfc", (0.5,), 0.4795001221869535), ("erfc", (-INFINITY,), 2.0), ("erfc", (10.0,), 2.088487583762545e-45),
    ("power", (2.0, 0.5), math.sqrt(2)), ("power", (0.0, 0.0), 1.0), ("power", (0.0, -1.0), INFINITY), ("power", (-2.0, 3.0), -8.0),
    ("power", (-2.0, 0.5), math.nan), ("power", (0.0, 2.5), 0.0),
    ("expdiff", (1.0, 3.0), math.exp(-2)), ("expdiff", (-INFINITY, -INFINITY), 0.0), ("expdiff", (-INFINITY, 1.0), 0.0),
    ("relu", (2.0,), 2.0), ("relu", (-2.0,), 0.0), ("relu", (0.0,), 0.0),
    ("leaky_relu", (2.0, 0.1), 2.0), ("leaky_relu", (-2.0, 0.1), -0.2),
    ("abs", (-3.0,), 3.0), ("abs", (3.0,), 3.0), ("abs", (0.0,), 0.0),
    ("sign", (-3.0,), -1.0), ("sign", (0.0,), 0.0), ("sign", (4.0,), 1.0),
    ("minimum", (1.0, 2.0), 1.0), ("minimum", (2.0, 1.0), 1.0), ("maximum", (1.0, 2.0), 2.0), ("maximum", (2.0, 1.0), 2.0),
    ("clip", (0.5, 0.0, 1.0), 0.5), ("clip", (-1.0, 0.0, 1.0), 0.0), ("clip", (7.0, 0.0, 1.0), 1.0), ("clip", (1.0, 0.0, 1.0), 1.0),
]  # fmt: skip


@BOTH
@pytest.mark.parametrize(("name", "points", "expected"), TABLE)
def test_a_function_has_the_value_of_its_definition(
    name: str, points: tuple[float, ...], expected: float | None, numbers: Numbers
) -> None:
    came = value_of(F[name], *points, numbers=numbers)
    if expected is None:  # sigmoid(-750): float64's literal formula does not know the tail
        expected = 0.0 if numbers is FLOAT64 else math.exp(-700) * math.exp(-50)
    assert_allclose(came, expected, rtol=2e-15, atol=0)


def test_the_textbook_table_and_the_hand_computed_table_hold_every_row() -> None:
    assert set(TEXTBOOK) == {row.name for row in ROWS} == {name for name, _, _ in TABLE}


@BOTH
@pytest.mark.parametrize("name", F)
def test_the_evaluator_needs_no_definition_and_no_derivative_of_a_row(
    name: str, numbers: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its row a function is nothing but a name; value and S are those of the textbook."""
    points = next(points for n, points, value in TABLE if n == name and value is not None)
    given = dict(zip("abc", points, strict=False))
    made = scalar_program(F[name], len(points))

    def found() -> tuple[str, str]:
        out = evaluate(made, given, {}, numbers, magnitude=True)
        return str(out.values["out"]), str(out.magnitudes["out"])

    before = found()
    for kind in F.values():
        monkeypatch.delattr(kind, "row")
    assert found() == before


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_textbook_agrees_with_the_rows_definition_in_60_digits(row: Row) -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        points = [Rational(int(k), 8) for k in rng.integers(2, 17, size=row.arity)]
        by_sympy = selected(row.definition(*points)).evalf(60)
        given = dict(zip("abc", map(float, points), strict=False))
        came = evaluate(scalar_program(F[row.name], row.arity), given, {}, EXACT).values["out"]
        error = abs(sympy.Float(str(came[()]), 60) - by_sympy)
        assert error <= Rational(1, 10**57) * (1 + abs(by_sympy))


def selected(definition: Expr) -> Expr:
    """A definition at numbers: its selections made by exact comparison."""
    if isinstance(definition, Select):
        condition, yes, no = definition.args
        a, b = condition.args
        holds = {Less: a < b, LessEqual: a <= b}[type(condition)]
        return selected(yes if holds else no)
    return definition


def test_60_digits_do_not_overflow_where_floats_do_and_never_hang() -> None:
    assert value_of(lambda a: F["log"](F["exp"](a)), 1e6, numbers=EXACT) == 1e6
    assert value_of(lambda a: F["exp"](F["exp"](F["exp"](a))), 1e3, numbers=EXACT) == INFINITY
    assert (
        value_of(lambda a: F["power"](F["exp"](a), F["exp"](a)), 100.0, numbers=EXACT) == INFINITY
    )
    assert value_of(lambda a: F["softplus"](a), 750.0, numbers=EXACT) == 750.0


def test_60_digits_are_60_digits_and_leave_mpmaths_precision_alone() -> None:
    before = mpmath.mp.dps
    third = evaluate(scalar_program(lambda a: a / 3, 1), {"a": 1}, {}, EXACT).values["out"][()]
    assert str(third).startswith("0." + "3" * 59)
    assert before == mpmath.mp.dps


BODIES = [
    ("a sum",           lambda a, b: a + b - 3,                                    1.5),
    ("a product",       lambda a, b: 2 * a * b,                                    10.0),
    ("a quotient",      lambda a, b: a / b,                                        1.25),
    ("a power",         lambda a, b: a**3,                                         2.5**3),
    ("a root",          lambda a, b: b ** Rational(1, 2),                          math.sqrt(2)),
    ("a reciprocal root", lambda a, b: b ** Rational(-1, 2),                       1 / math.sqrt(2)),
    ("a third root",    lambda a, b: b ** Rational(2, 3),                          2 ** (2 / 3)),
    ("pi",              lambda a, b: sympy.pi * a,                                 2.5 * math.pi),
    ("infinity",        lambda a, b: F["exp"](a - INF),                            0.0),
    ("less",            lambda a, b: Select(Less(a, b), 1, 0),                     0.0),
    ("less or equal",   lambda a, b: Select(LessEqual(b, 2), a, 0),                2.5),
    ("equal",           lambda a, b: Select(Equal(b, 2), 1, 0),                    1.0),
    ("and",             lambda a, b: Select(And(Less(b, a), Equal(b, 3)), 1, 0),   0.0),
    ("or",              lambda a, b: Select(Or(Less(b, a), Equal(b, 3)), 1, 0),    1.0),
    ("not",             lambda a, b: Select(Not(Less(b, a)), 1, 7),                7.0),
    ("stop",            lambda a, b: Stop(a * b) + a,                              7.5),
    ("a selection of what is undefined", lambda a, b: Select(Less(0, a), b, F["log"](-a)), 2.0),
]  # fmt: skip


@BOTH
@pytest.mark.parametrize(("name", "build", "expected"), BODIES, ids=[row[0] for row in BODIES])
def test_a_body_has_its_value_node_by_node(
    name: str, build: Callable[..., Expr], expected: float, numbers: Numbers
) -> None:
    assert_allclose(
        value_of(build, 2.5, 2.0, numbers=numbers),
        expected,
        rtol=1e-15,
    )


def test_division_by_zero_is_infinite_or_nan_in_both_number_systems() -> None:
    for numbers in (FLOAT64, EXACT):
        assert value_of(lambda a, b: a / b, 2.0, 0.0, numbers=numbers) == INFINITY
        assert value_of(lambda a, b: a / b, -2.0, 0.0, numbers=numbers) == -INFINITY
        assert math.isnan(value_of(lambda a, b: a / b, 0.0, 0.0, numbers=numbers))


def test_a_declared_function_without_values_is_refused() -> None:
    sigma = unknown("sigma", (0,))
    with pytest.raises(ProgramError, match="declared function has no values"):
        value_of(lambda a: sigma(a), 1.0)


# ---------------------------------------------------------------- programs

RNG = np.random.default_rng(5)
A23, B34 = RNG.normal(size=(2, 3)), RNG.normal(size=(3, 4))


@BOTH
def test_contributions_of_several_equations_add_up(numbers: Numbers) -> None:
    a, b, c = x("A", "i", "j"), x("M", "j", "k"), x("c", "k")
    matmul = program(
        [data("A", "I", "J"), data("M", "J", "K"), data("c", "K"), real("out", "I", "K")],
        make_equation(x("out", "i", "k"), y(a) * y(b), [a, b], over(i="I", j="J", k="K")),
        make_equation(x("out", "i", "k"), -y(c), [c], over(i="I", k="K")),
        sizes="I J K",
    )
    given = {"A": A23, "M": B34, "c": np.arange(4.0)}
    came = floats(evaluate(matmul, given, {"I": 2, "J": 3, "K": 4}, numbers), "out")
    assert_allclose(came, A23 @ B34 - np.arange(4.0), rtol=1e-14)


@BOTH
def test_a_sum_runs_over_indices_that_the_body_does_not_carry_too(numbers: Numbers) -> None:
    a = x("a", "i")
    body = program(
        [data("a", "I"), real("s")], make_equation(x("s"), y(a), [a], over(i="I", j=5)), sizes="I"
    )
    assert floats(evaluate(body, {"a": [1.0, 2.0]}, {"I": 2}, numbers), "s") == 15


@BOTH
def test_gathers_read_and_scatters_collide(numbers: Numbers) -> None:
    act, q, w = x("act", "b"), x("q", "b", x("act", "b")), x("w", "b")
    both = program(
        [
            data("act", "B", kind="int", below=3),
            data("q", "B", 3),
            data("w", "B"),
            real("picked", "B"),
            real("count", 3),
        ],
        make_equation(x("picked", "b"), y(q), [q, act], over(b="B"), assigns=True),
        make_equation(x("count", act), y(w), [w], over(b="B")),
        sizes="B",
    )
    values = RNG.normal(size=(4, 3))
    result = evaluate(
        both, {"act": [2, 0, 2, 2], "q": values, "w": [1.0, 2.0, 4.0, 8.0]}, {"B": 4}, numbers
    )
    assert_allclose(floats(result, "picked"), values[range(4), [2, 0, 2, 2]], rtol=1e-15)
    assert_array_equal(floats(result, "count"), [2.0, 0.0, 13.0])


@BOTH
def test_padded_reads_give_zero_and_padded_writes_drop(numbers: Numbers) -> None:
    left, a = x("a", index("i", -1), padded=True), x("a", "i")
    shifted = program(
        [data("a", 4), real("right", 4), real("left", 4)],
        make_equation(x("right", "i"), y(left), [left], over(i=4), assigns=True),
        make_equation(x("left", index("i", -1), padded=True), y(a), [a], over(i=4)),
    )
    result = evaluate(shifted, {"a": [1.0, 2.0, 3.0, 4.0]}, {}, numbers)
    assert_array_equal(floats(result, "right"), [0.0, 1.0, 2.0, 3.0])
    assert_array_equal(floats(result, "left"), [2.0, 3.0, 4.0, 0.0])


@BOTH
def test_a_strided_padded_dilated_convolution_is_the_sum_over_its_window(numbers: Numbers) -> None:
    at = Affine.collect({"t": Size.of(2), "k": Size.of(3)}, Size.of(-1))
    w, v = x("w", "k"), x("v", at, padded=True)
    convolution = program(
        [data("w", "K"), data("v", "L"), real("out", 4)],
        make_equation(x("out", "t"), y(w) * y(v), [w, v], over(t=4, k="K")),
        sizes="K L",
    )
    weights, signal = np.array([1.0, 10.0, 100.0]), np.arange(1.0, 9.0)
    padded = {i: signal[i] if 0 <= i < 8 else 0.0 for i in range(-10, 20)}
    expected = [sum(weights[k] * padded[2 * t + 3 * k - 1] for k in range(3)) for t in range(4)]
    assert_array_equal(
        floats(
            evaluate(convolution, {"w": weights, "v": signal}, {"K": 3, "L": 8}, numbers), "out"
        ),
        expected,
    )


@BOTH
def test_a_read_out_of_range_without_pad_is_an_error(numbers: Numbers) -> None:
    a = x("a", index("i", 1))
    over_the_edge = program(
        [data("a", 4), real("out", 4)], make_equation(x("out", "i"), y(a), [a], over(i=4))
    )
    with pytest.raises(
        ProgramError,
        match=r"a\[i\+1\]: subscript 1 takes the value 4, but that axis has 4 entries.*\(in the equation of out\[i\]\)",
    ):
        evaluate(over_the_edge, {"a": np.ones(4)}, {}, numbers)


@BOTH
def test_logsumexp_of_a_row_of_minus_infinity_is_minus_infinity(numbers: Numbers) -> None:
    q = x("q", "b", "v")
    lse = program(
        [data("q", 3, 2), real("lse", 3)],
        make_equation(x("lse", "b"), y(q), [q], over(b=3, v=2), "logsumexp"),
    )
    rows = np.array([[0.0, 0.0], [-np.inf, -np.inf], [-np.inf, 2.0]])
    assert_allclose(
        floats(evaluate(lse, {"q": rows}, {}, numbers), "lse"),
        [math.log(2), -np.inf, 2.0],
        rtol=1e-15,
    )


@BOTH
def test_argmax_takes_the_lowest_index_on_a_tie_and_counts_from_its_range(numbers: Numbers) -> None:
    q = x("q", "b", "v")
    best = program(
        [data("q", 3, 4), real("best", 3, kind="int"), real("top", 3)],
        make_equation(x("best", "b"), y(q), [q], over(b=3, v=(1, 4)), "argmax"),
        make_equation(
            x("top", "b"),
            y(x("q", "b", x("best", "b"))),
            [x("q", "b", x("best", "b"))],
            over(b=3),
            assigns=True,
        ),
    )
    rows = np.array([[9.0, 1.0, 2.0, 2.0], [0.0, 5.0, 5.0, 5.0], [0.0, -1.0, -2.0, -0.5]])
    result = evaluate(best, {"q": rows}, {}, numbers)
    assert result.values["best"].dtype == np.int64
    assert_array_equal(result.values["best"], [2, 1, 3])
    assert_array_equal(floats(result, "top"), [2.0, 5.0, -0.5])


def recurrence(steps: str = "T") -> Program:
    """h[0] = 1, h[t+1] = tanh(w*h[t] + u[t]) + 1/h[t]: an unfinished 0 gives an infinity, then a nan."""
    h, u, w = x("h", "t"), x("u", "t"), x("w")
    step = F["tanh"](y(w) * y(h) + y(u)) + 1 / y(h) - 1 / y(h) ** 2
    return program(
        [data("u", steps), data("w"), real("h", Size.of(steps) + 1)],
        make_equation(x("h", index("t", 1)), step, [h, u, w], over(t=steps), assigns=True),
        make_equation(x("h", number(0)), sympy.Integer(1), [], (), assigns=True),
        sizes=steps,
    )


@BOTH
def test_a_recurrence_settles_and_unfinished_nans_do_not_stick(numbers: Numbers) -> None:
    u, h = RNG.normal(size=6), [1.0]
    for t in range(6):
        h.append(math.tanh(0.7 * h[t] + u[t]) + 1 / h[t] - 1 / h[t] ** 2)
    assert_allclose(
        floats(evaluate(recurrence(), {"u": u, "w": 0.7}, {"T": 6}, numbers), "h"), h, rtol=1e-11
    )


@BOTH
def test_tensors_that_read_each_other_along_a_recurrence_settle(numbers: Numbers) -> None:
    a, b = x("a", "t"), x("b", "t")
    pair = program(
        [real("a", 9), real("b", 9)],
        make_equation(x("b", "t"), y(a) + 1, [a], over(t=9), assigns=True),
        make_equation(x("a", index("t", -1)), 2 * y(b), [b], over(t=(1, 9)), assigns=True),
    )
    expected = [0.0]
    for _ in range(8):
        expected.append(2 * (expected[-1] + 1))
    assert_array_equal(floats(evaluate(pair, {}, {}, numbers), "a"), expected[::-1])


@BOTH
def test_a_cycle_without_a_shift_is_given_up_with_an_error(numbers: Numbers) -> None:
    a, b = x("a", "i"), x("b", "i")
    cycle = program(
        [real("a", 2), real("b", 2)],
        make_equation(x("a", "i"), y(b) + 1, [b], over(i=2), assigns=True),
        make_equation(x("b", "i"), 2 * y(a), [a], over(i=2), assigns=True),
    )
    with pytest.raises(ProgramError, match="none settles"):
        evaluate(cycle, {}, {}, numbers)


@BOTH
def test_indices_sizes_bools_and_defaults_stand_as_numbers(numbers: Numbers) -> None:
    done, i, n = x("done", "i"), index("i"), number("N")
    body = Select(Equal(y(done), 1), y(x("gamma")), y(i) / y(n))
    mixed = program(
        [
            data("done", "N", kind="bool"),
            Tensor("gamma", role="data", default=Rational(99, 100)),
            real("out", "N"),
        ],
        make_equation(x("out", "i"), body, [done, i, n, x("gamma")], over(i="N"), assigns=True),
        sizes="N",
    )
    came = floats(evaluate(mixed, {"done": [True, False, False, True]}, {"N": 4}, numbers), "out")
    assert_array_equal(
        came, [0.99 if numbers is FLOAT64 else float(Rational(99, 100)), 0.25, 0.5, 0.99]
    )


@BOTH
def test_places_that_nobody_writes_hold_zero(numbers: Numbers) -> None:
    half = program(
        [real("out", 4), real("never", 2)],
        make_equation(x("out", index("i", 0, 2)), sympy.Integer(3), [], over(i=2)),
    )
    result = evaluate(half, {}, {}, numbers)
    assert_array_equal(floats(result, "out"), [3.0, 0.0, 3.0, 0.0])
    assert_array_equal(floats(result, "never"), [0.0, 0.0])


@BOTH
def test_an_empty_range_writes_nothing(numbers: Numbers) -> None:
    a = x("a", index("t", 1))
    last = program(
        [data("a", "T"), real("s"), real("l")],
        make_equation(x("s"), y(a), [a], over(t=(0, Size.of("T") - 1))),
        make_equation(x("l"), y(a), [a], over(t=(0, Size.of("T") - 1)), "logsumexp"),
        sizes="T",
    )
    result = evaluate(last, {"a": [3.0]}, {"T": 1}, numbers)
    assert floats(result, "s") == 0
    assert floats(result, "l") == -INFINITY


# ---------------------------------------------------------------- what is held, and what is recorded


def semi_gradient() -> Program:
    """loss = (q - stop(r + gamma*t))**2 with t = w*w and q = w: one weight, a held target."""
    w, q, t, r = x("w"), x("q"), x("t"), x("r")
    return program(
        [data("w"), data("r"), real("q"), real("t"), real("loss")],
        make_equation(q, y(w), [w], (), assigns=True),
        make_equation(t, F["relu"](y(w)) ** 2, [w], (), assigns=True),
        make_equation(x("loss"), (y(q) - Stop(y(r) + y(t))) ** 2, [q, r, t], (), assigns=True),
    )


def test_a_frozen_stop_stays_at_the_base_point() -> None:
    base = evaluate(semi_gradient(), {"w": 2.0, "r": 1.0}, {})
    assert {node: float(v) for node, v in base.stops.items()} == {(2, 0): 5.0}
    moved = {"w": 3.0, "r": 1.0}
    assert evaluate(semi_gradient(), moved, {}).values["loss"] == (3 - 10) ** 2
    assert evaluate(semi_gradient(), moved, {}, frozen=base.stops).values["loss"] == (3 - 5) ** 2


def test_what_only_a_frozen_stop_needs_is_not_evaluated() -> None:
    base = evaluate(semi_gradient(), {"w": 2.0, "r": 1.0}, {}, outputs=["loss"])
    assert set(base.branches) == {(1, 0)}
    again = evaluate(semi_gradient(), {"w": 2.0}, {}, frozen=base.stops, outputs=["loss"])
    assert set(again.values) == {"w", "q", "loss"}
    assert not again.branches


def test_branches_record_predicates_and_argmax_and_can_be_held() -> None:
    q, best = x("q", "v"), x("best")
    top = program(
        [data("q", 3), real("best", kind="int"), real("out")],
        make_equation(best, y(q), [q], over(v=3), "argmax"),
        make_equation(x("out"), F["relu"](y(x("q", best))), [x("q", best)], (), assigns=True),
    )
    base = evaluate(top, {"q": [1.0, 3.0, 2.0]}, {})
    assert {node: v.tolist() for node, v in base.branches.items()} == {(0, 0): [1], (1, 0): True}
    held = evaluate(top, {"q": [9.0, -3.0, 2.0]}, {}, held=base.branches)
    assert held.values["out"] == -3.0


def test_known_tensors_are_taken_as_given() -> None:
    base = evaluate(semi_gradient(), {"w": 2.0, "r": 1.0}, {})
    again = evaluate(
        semi_gradient(),
        {"r": 1.0, "w": 2.0},
        {},
        given={"q": np.asarray(7.0), "t": base.values["t"]},
    )
    assert again.values["loss"] == (7 - 5) ** 2


MAGNITUDES = [
    ("a cancelling sum",   lambda a, b: a - b,              (3.0, 3.0),   6.0),
    ("a product of sums",  lambda a, b: (a - b) * (a + b),  (3.0, 2.0),   25.0),
    ("a square",           lambda a, b: (a - b) ** 2,       (3.0, 2.0),   1 * 2 * 5.0),
    ("a square of zero",   lambda a, b: (a - b) ** 2,       (3.0, 3.0),   36.0),
    ("a reciprocal",       lambda a, b: 1 / (a - b),        (3.0, 1.0),   0.5 * 4 / 2),
    ("a function",         lambda a, b: F["exp"](a - b),    (3.0, 3.0),   1.0 + 6.0),
    ("a selection",        lambda a, b: Select(Less(b, a), a, a - b), (3.0, 1.0), 3.0),
    ("a held constant",    lambda a, b: Stop(a - b),        (3.0, 1.0),   4.0),
]  # fmt: skip


@BOTH
@pytest.mark.parametrize(
    ("name", "build", "points", "expected"), MAGNITUDES, ids=[row[0] for row in MAGNITUDES]
)
def test_the_magnitude_is_the_recursive_sum_of_absolute_contributions(
    name: str,
    build: Callable[..., Expr],
    points: tuple[float, float],
    expected: float,
    numbers: Numbers,
) -> None:
    given = dict(zip("ab", points, strict=True))
    result = evaluate(scalar_program(build, 2), given, {}, numbers, magnitude=True)
    assert_allclose(float(result.magnitudes["out"][()]), expected, rtol=1e-5)


@BOTH
def test_the_magnitude_of_reductions_adds_that_of_their_parts(numbers: Numbers) -> None:
    a, h = x("a", "i"), x("h", "i")
    parts = program(
        [data("a", 3), real("h", 3), real("s"), real("l")],
        make_equation(h, y(a) - 1, [a], over(i=3), assigns=True),
        make_equation(x("s"), y(h), [h], over(i=3)),
        make_equation(x("l"), y(h), [h], over(i=3), "logsumexp"),
    )
    result = evaluate(parts, {"a": [1.0, 1.0, 1.0]}, {}, numbers, magnitude=True)
    assert floats(result, "s") == 0
    assert float(result.magnitudes["s"][()]) == 6.0
    assert_allclose(float(result.magnitudes["l"][()]), math.log(3) + 2.0, rtol=1e-14)


def test_the_magnitude_follows_a_recurrence() -> None:
    h = x("h", "t")
    doubling = program(
        [real("h", 4)],
        make_equation(x("h", index("t", 1)), 2 * y(h) - 1, [h], over(t=3), assigns=True),
        make_equation(x("h", number(0)), sympy.Integer(1), [], (), assigns=True),
    )
    result = evaluate(doubling, {}, {}, magnitude=True)
    assert_array_equal(result.values["h"], [1, 1, 1, 1])
    assert_array_equal(result.magnitudes["h"], [1, 3, 7, 15])


# ---------------------------------------------------------------- bad input, and independence

REFUSED = [
    ({"W": np.ones((2, 2))}, {"N": 3}, r'"W" came with shape \(2, 2\), expected \(3,\)'),
    ({}, {"N": 3}, 'no values for the data tensor "W"'),
    ({"W": np.ones(3)}, {}, 'size "N" is free'),
    ({"W": np.ones(3)}, {"N": 0}, 'size "N" came as 0; a size is at least 1'),
    ({"W": np.ones(3), "k": 1.5}, {"N": 3}, '"k" came as float64, expected ints'),
    ({"W": np.ones(3), "k": 5}, {"N": 3}, r'"k" came with values 5\.\.5, expected >= 0 and < 3'),
]


@pytest.mark.parametrize(("values", "sizes", "said"), REFUSED)
def test_wrong_values_are_refused(
    values: dict[str, object], sizes: dict[str, int], said: str
) -> None:
    read = x("W", x("k"))
    gather = program(
        [data("W", "N"), data("k", kind="int", below=3), real("out")],
        make_equation(x("out"), y(read), [read], ()),
        sizes="N",
    )
    with pytest.raises(SpecError, match=said):
        evaluate(gather, {"k": 0, **values} if values else values, sizes)


def test_an_unknown_output_is_refused() -> None:
    with pytest.raises(ProgramError, match='no tensor "lost"; did you mean "loss"'):
        evaluate(semi_gradient(), {"w": 1.0, "r": 1.0}, {}, outputs=["lost"])


def imported(module: str, package: Path) -> set[str]:
    """Every module of the package that comes along with one, read from the sources."""
    found: set[str] = set()
    pending = [module]
    while pending:
        name = pending.pop()
        path = package.joinpath(*name.split(".")[1:])
        source = (
            path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
        )
        if name in found or not source.exists():
            continue
        found.add(name)
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("symgrad"):
                pending += [
                    str(node.module),
                    *(f"{node.module}.{alias.name}" for alias in node.names),
                ]
            elif isinstance(node, ast.Import):
                pending += [alias.name for alias in node.names if alias.name.startswith("symgrad")]
    return found


def test_the_evaluator_reaches_only_the_types_of_programs() -> None:
    types = {f"symgrad.algebra.{name}" for name in ("sizes", "access", "program", "scalars")}
    reached = imported("symgrad.verify.evaluate", Path(evaluator.__file__).parents[1])
    own = {name for name in reached if name.startswith("symgrad.verify")}
    assert len(own) >= 6
    assert reached - own <= {"symgrad.errors", "symgrad.algebra", *types}
    assert types <= reached


@pytest.mark.parametrize("name", ELEMENTARY)
def test_every_elementary_function_is_in_both_number_systems(name: str) -> None:
    point = 0.3
    exact = EXACT.elementary(name, EXACT.array(point))
    assert_allclose(float(exact[()]), FLOAT64.elementary(name, FLOAT64.array(point)), rtol=1e-15)


# ---- sums of products ------------------------------------------------------------------------

PRODUCTS = """
loss = sum(i: s[i])
z[b,i] = sum(j: W[i,j]*x[b,j])
c[b,u] = sum(j,k: V[j,k]*x[b,2*u+k]*W[j,u]) for u < 2
s[i] = sum(b,j: exp(z[b,i])*x[b,j]*W[i,j]*y[b])
g[b] = sum(i: z[b,i]*W[i,k[b]]*y[b])
"""


@BOTH
def test_a_sum_of_products_has_the_same_value_and_scale_point_by_point(
    numbers: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"outputs = ['c', 'g']\nequations = '''{PRODUCTS}'''\n" + (
        "[sizes]\nB = 'batch'\n[params]\nW = 'real[4, 7]'\nV = 'real[4, 3]'\n"
        "[data]\nx = 'real[B, 7]'\ny = 'real[B]'\nk = 'int[B] < 7'\n"
    )
    spec, rng = parse_spec(text, "products"), np.random.default_rng(0)
    shapes = {"W": (4, 7), "V": (4, 3), "x": (5, 7), "y": (5,)}
    values = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    given = {**values, "k": rng.integers(0, 7, 5)}
    one = replace(spec.losses[0].program, outputs=("loss", "c", "g"))
    found = []
    for worth in (10**9, 0):
        monkeypatch.setattr(factored, "WORTH", worth)
        found.append(evaluate(one, given, {"B": 5}, numbers, magnitude=True))
    points, products = found
    for name in ("z", "c", "s", "g", "loss"):
        a, b = points.values[name], products.values[name]
        scale = np.asarray(points.magnitudes[name], float)
        assert np.all(np.abs(np.asarray(a - b, float)) <= 64 * numbers.unit * scale), name
        assert_allclose(
            np.asarray(products.magnitudes[name], float), scale, rtol=1e-6
        )  # of slopes by small steps
