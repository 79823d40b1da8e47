"""What is printed reads back to the same thing, and reads as a person would write it."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from catalogue import EVERY
from sympy import Add, Expr, Mul, Pow, Rational, S, Symbol, pi
from sympy.core.parameters import distribute

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.derive import Derived, forward, reverse
from symgrad.algebra.program import INF, Equation, Program, Range, make_equation
from symgrad.algebra.scalars import (
    FUNCTIONS,
    And,
    Equal,
    Less,
    LessEqual,
    Not,
    Or,
    Select,
    Stop,
    unknown,
)
from symgrad.algebra.sizes import ZERO, Size
from symgrad.notation.canonical import program_toml
from symgrad.notation.printer import equation_text, expression_text
from symgrad.spec import Loss, parse_spec

SPECS = list(EVERY)

HEAD = """
[sizes]
B = "batch"
T = 5
[functions]
sigma = 1
f = 2
[data]
x = "real[B, T]"
k = "int[B] < T"
dz = "real[B]"
g = "real"
h = "real"
"""
x, xk, dz, g, h = (Symbol(n) for n in ("x[b,t]", "pad(x[b,k[b]])", "dz[b]", "g", "h"))
B, t = Symbol("B"), Symbol("t")


def read_back(text: str) -> Expr:
    line = f"y[b,t] = {text} for b < B, t < T"
    with distribute(False):
        program = parse_spec(f'outputs = ["y"]\nwrt = []\nequations = "{line}"{HEAD}', "s").shared
    return program.equations[-1].body


# expression, its text
TEXTS = (
    (1 - h**2, "1 - h**2"),
    (-h + g, "g - h"),
    (-h - g, "-g - h"),
    (h - 1, "h - 1"),
    (g * dz * 2, "2*dz[b]*g"),
    (x * dz / B, "dz[b]*x[b,t]/B"),
    (g / (B * h), "g/(B*h)"),
    (1 / g, "1/g"),
    (g**-2, "1/g**2"),
    (Rational(1, 2) * g, "0.5*g"),
    (Rational(2, 3) * g, "2*g/3"),
    (-g / 3, "-g/3"),
    (Rational(1, 3) + g, "1/3 + g"),
    (g ** Rational(1, 2), "g**0.5"),
    (g ** Rational(-1, 2), "1/g**0.5"),
    (g ** Rational(1, 3), "g**(1/3)"),
    (2 / pi ** Rational(1, 2), "2/sqrt(PI)"),
    (Rational(1, 10**8) * g, "0.00000001*g"),
    (Rational(10**30), "1e30"),
    (Rational(1, 2**60), "1/1152921504606846976"),
    (-INF, "-inf"),
    (Mul(2, Add(g, h), evaluate=False), "2*(g + h)"),
    (Mul(-2, Add(g, h), evaluate=False) + x, "x[b,t] - 2*(g + h)"),
    (FUNCTIONS["tanh"](-g), "tanh(-g)"),
    (FUNCTIONS["power"](g, h), "power(g, h)"),
    (Stop(g) * g, "g*stop(g)"),
    (unknown("sigma", (2,))(g), "sigma''(g)"),
    (unknown("f", (1, 1))(g, h), "f'1'2(g, h)"),
    (Select(Less(g, h), S.One, S.Zero), "[g < h]"),
    (Select(LessEqual(g, h), g, h), "where(g <= h, g, h)"),
    (Select(Not(Equal(g, h)), g, h), "where(g != h, g, h)"),
    (Select(And(Less(g, h), Less(h, t)), g, h), "where(g < h < t, g, h)"),
    (Select(Or(Less(g, h), And(Less(h, g), Less(g, t))), g, h), "where(g < h or h < g < t, g, h)"),
    (
        Select(And(Or(Less(g, h), Less(h, g)), Less(t, g)), g, h),
        "where((g < h or h < g) and t < g, g, h)",
    ),
    (Select(Not(Or(Less(g, h), Less(h, g))), g, h), "where(not (g < h or h < g), g, h)"),
    (x * xk, "pad(x[b,k[b]])*x[b,t]"),
)


@pytest.mark.parametrize(("expression", "text"), TEXTS, ids=[text for _, text in TEXTS])
def test_an_expression_prints_as_a_person_would_write_it(expression: Expr, text: str) -> None:
    assert expression_text(expression) == text
    assert read_back(text) == expression


LEAVES = (
    x,
    xk,
    dz,
    g,
    h,
    B,
    t,
    S.Pi,
    INF,
    S.One,
    S.NegativeOne,
    Rational(1, 3),
    Rational(-7, 4),
    Rational(5),
)
UNARY = (
    *(FUNCTIONS[n] for n in ("exp", "log", "tanh", "relu", "abs")),
    Stop,
    unknown("sigma", (1,)),
)
POWERS = (Rational(2), Rational(-1), Rational(-2), Rational(1, 2), Rational(-1, 3))
COMPARED = (Less, LessEqual, Equal)


def random_condition(rng: random.Random, depth: int) -> Expr:
    kind = rng.choice((*COMPARED, And, Or, Not)) if depth > 0 else rng.choice(COMPARED)
    if kind is Not:
        return Not(random_condition(rng, depth - 1))
    build = random_expression if kind in COMPARED else random_condition
    return kind(build(rng, depth - 1), build(rng, depth - 1))


def random_expression(rng: random.Random, depth: int) -> Expr:
    """Of every kind of node, built as derivatives are."""
    if depth <= 0:
        return rng.choice(LEAVES)
    parts = [random_expression(rng, depth - 1 - rng.randrange(2)) for _ in range(3)]
    kind = rng.randrange(8)
    if kind < 2:
        return Add(*parts)
    if kind < 4:
        return Mul(*parts)
    if kind == 4:
        positive = FUNCTIONS["exp"](parts[0])
        return Pow(rng.choice((x, g, x + g, x * g, 3 * h + 1, positive)), rng.choice(POWERS))
    if kind == 5:
        return rng.choice(UNARY)(parts[0])
    if kind == 6:
        return FUNCTIONS["minimum"](parts[0], parts[1])
    return Select(random_condition(rng, 2), parts[0], parts[1])


def test_any_expression_reads_back() -> None:
    rng, seen = random.Random(0), 0
    with distribute(False):
        for _ in range(400):
            expression = random_expression(rng, rng.randrange(1, 5))
            text = expression_text(expression)
            assert read_back(text) == expression, text
            seen += bool(expression.args)
    assert seen > 300


def sorted_box(equation: Equation) -> Equation:
    return replace(equation, box=tuple(sorted(equation.box, key=lambda r: r.index)))


def assert_same(program: Program, other: Program) -> None:
    """Equal but for the order of box indices and of tensors, which means nothing."""
    assert [sorted_box(e) for e in program.equations] == [sorted_box(e) for e in other.equations]
    assert {t.name: t for t in program.tensors} == {t.name: t for t in other.tensors}
    assert (program.sizes, program.outputs, program.functions) == (
        other.sizes,
        other.outputs,
        other.functions,
    )


def gradient(loss: Loss) -> Derived:
    return reverse(loss.program, loss.value, loss.wrt)


@cache
def programs(path: Path) -> list[Program]:
    """The forward program, its gradient, and the Hessian-vector product both ways."""
    loss, *_ = EVERY[path].losses
    derived = gradient(loss)
    tangents = {name: f"{name}_v" for name in loss.wrt}
    over = forward(derived.program, tangents, tuple(derived.result.values()))
    along = forward(loss.program, tangents, (loss.value,))
    twice = reverse(along.program, along.result[loss.value], loss.wrt)
    return [loss.program, derived.program, over.program, twice.program]


EACH = pytest.mark.parametrize("path", SPECS, ids=[p.stem for p in SPECS])


@EACH
def test_a_program_and_its_derivatives_read_back(path: Path) -> None:
    for program in programs(path):
        assert_same(parse_spec(program_toml(program), "again").shared, program)


@EACH
def test_printing_twice_gives_the_same_text(path: Path) -> None:
    program = programs(path)[1]
    text = program_toml(program)
    assert program_toml(parse_spec(text, "again").shared) == text


def _program(*equations: Equation) -> Program:
    return replace(
        parse_spec(f'outputs = ["y"]\nwrt = []\nequations = "y[b] = dz[b]"{HEAD}', "s").shared,
        equations=equations,
    )


def _range(index: str, hi: str | int, lo: int = 0) -> Range:
    return Range(index, Size.of(lo) if lo else ZERO, Size.of(hi))


X, DZ = Access.plain("x", ("b", "t")), Access.plain("dz", ("b",))
Y = Access.plain("y", ("b",))

# equation, its text
EQUATIONS = (
    (make_equation(Y, dz, [DZ], [_range("b", "B")], assigns=True), "y[b] = dz[b]"),
    (make_equation(Y, dz, [DZ], [_range("b", "B")]), "y[b] += dz[b]"),
    (make_equation(Y, x, [X], [_range("b", "B"), _range("t", "T")]), "y[b] += x[b,t]"),
    (make_equation(Y, dz, [DZ], [_range("b", "B"), _range("t", "T")]), "y[b] += dz[b] for t < T"),
    (make_equation(Y, x, [X], [_range("b", "B"), _range("t", "T", 1)]), "y[b] += x[b,t] for 1 <= t < T"),
    (make_equation(Y, dz, [DZ], [_range("b", 3)], assigns=True), "y[b] = dz[b] for b < 3"),
    (make_equation(Y, x, [X], [_range("b", "B"), _range("t", "T")], "logsumexp", assigns=True), "y[b] = logsumexp(t: x[b,t])"),
    (make_equation(Y, -x, [X], [_range("b", "B"), _range("t", "T")], "argmax", assigns=True), "y[b] = argmax(t: -x[b,t])"),
    (
        make_equation(replace(Access("y", (Affine.index("b") + Affine((), Size.of(-1)),)), padded=True), dz, [DZ], [_range("b", "B")]),
        "pad(y[b-1]) += dz[b]",
    ),
    (make_equation(Access("y", (Access.plain("k", ("b",)),)), dz, [DZ], [_range("b", "B")]), "y[k[b]] += dz[b]"),
)  # fmt: skip


@pytest.mark.parametrize(("equation", "text"), EQUATIONS, ids=[text for _, text in EQUATIONS])
def test_an_equation_states_only_what_reading_would_not_infer(
    equation: Equation, text: str
) -> None:
    assert equation_text(equation, _program(equation)) == text


def test_a_deep_expression_prints() -> None:
    text = "exp(" * 150 + "g" + ")" * 150
    assert expression_text(read_back(text)) == text
