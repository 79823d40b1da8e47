"""The table of scalar functions: slopes, kinks and tails, against SymPy's of the definitions."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from small import gradients, program_of
from sympy import Expr, Rational, Symbol

from symgrad.algebra.scalars import (
    FUNCTIONS,
    ROWS,
    Less,
    LessEqual,
    Row,
    Scalar,
    Select,
)


def own(row: Row) -> tuple[Scalar, list[Symbol]]:
    names = list(sympy.symbols(f"x0:{row.arity}", real=True))
    return FUNCTIONS[row.name](*names), names


def in_sympy(node: Expr) -> Expr:
    """Our functions by their definitions, selections as Piecewise: nothing of ours is left."""
    if isinstance(node, Select):
        condition, yes, no = node.args
        kind = {Less: sympy.StrictLessThan, LessEqual: sympy.LessThan}[type(condition)]
        holds = kind(*map(in_sympy, condition.args))
        return sympy.Piecewise((in_sympy(yes), holds), (in_sympy(no), True))
    if isinstance(node, Scalar):
        return in_sympy(node.row.definition(*map(in_sympy, node.args)))
    return node.func(*map(in_sympy, node.args)) if node.args else node


def points(row: Row) -> list[dict[Symbol, Rational]]:
    """Seeded points off the kinks at which the definition is real: of both signs where it can be."""
    function, names = own(row)
    definition = in_sympy(function)
    rng = np.random.default_rng([2, *row.name.encode()])
    found = []
    for _ in range(60):
        at = {
            n: Rational(int(k), 16)
            for n, k in zip(names, rng.permutation(np.arange(-31, 32, 2)), strict=False)
        }
        if row.name == "clip":
            low, high = sorted((at[names[1]], at[names[2]]))
            at |= {names[1]: low, names[2]: high}
        value = definition.subs(at).evalf(20)
        if value.is_real and value.is_finite:
            found.append(at)
    return found[:8]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_first_and_second_slopes_are_sympys_of_the_definition(row: Row) -> None:
    function, names = own(row)
    definition = in_sympy(function)
    places = points(row)
    assert len(places) == 8
    checked = 0
    for orders in [(n,) for n in names] + [(n, m) for n in names for m in names]:
        ours, theirs = in_sympy(function.diff(*orders)), definition.diff(*orders)
        for at in places:
            a, b = (sympy.N(e.subs(at), 40) for e in (ours, theirs))
            assert abs(a - b) <= Rational(1, 10**35) * (1 + abs(b)), f"{orders} at {at}"
            checked += 1
    assert checked == 8 * (row.arity + row.arity**2)


def slopes_at(row_name: str, *arguments: float) -> list[float]:
    """The naive values of the derivatives that `reverse` gives."""
    names = "abc"[: len(arguments)]
    declared = "[sizes]\nN = 'n'\n[data]\n" + "".join(f'{n} = "real"\n' for n in names)
    program = program_of(f"loss = {row_name}({', '.join(names)})", declared)
    given = dict(zip(names, arguments, strict=True))
    return [float(g) for g in gradients(program, names, given, N=1)]


# function, a point of the kink, the slopes there, the slopes below and above along the first argument
KINKS = [
    ("relu",       (0.0,),            [0],         0, 1),
    ("leaky_relu", (0.0, 0.25),       [0.25, 0],   0.25, 1),
    ("abs",        (0.0,),            [0],         -1, 1),
    ("sign",       (0.0,),            [0],         0, 0),
    ("minimum",    (2.0, 2.0),        [1, 0],      1, 0),
    ("maximum",    (2.0, 2.0),        [1, 0],      0, 1),
    ("clip",       (-0.5, -0.5, 0.5), [1, 0, 0],   0, 1),
    ("clip",       (0.5, -0.5, 0.5),  [1, 0, 0],   1, 0),
]  # fmt: skip


@pytest.mark.parametrize(("name", "at", "there", "below", "above"), KINKS)
def test_a_kink_has_the_slope_of_its_convention(
    name: str, at: tuple[float, ...], there: list[float], below: float, above: float
) -> None:
    assert slopes_at(name, *at) == there
    assert slopes_at(name, at[0] - 2.0**-20, *at[1:])[0] == below
    assert slopes_at(name, at[0] + 2.0**-20, *at[1:])[0] == above


def test_every_kinked_row_has_its_convention_tested() -> None:
    assert {row.name for row in ROWS if row.kink} == {name for name, *_ in KINKS}


TAILS = [
    ("sigmoid", 40.0, np.exp(-40.0)), ("sigmoid", -40.0, np.exp(-40.0)), ("sigmoid", 700.0, np.exp(-700.0)),
    ("softplus", -40.0, np.exp(-40.0)), ("softplus", 40.0, 1.0), ("exp", -700.0, np.exp(-700.0)),
    ("expm1", -40.0, np.exp(-40.0)), ("log1p", 1e-20, 1.0), ("erf", 6.0, 2 / np.sqrt(np.pi) * np.exp(-36.0)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "at", "expected"), TAILS)
def test_a_slope_keeps_its_tail(name: str, at: float, expected: float) -> None:
    """Relatively: sigmoid'(40) is 4.2e-18, where s*(1 - s) would give 0."""
    (came,) = slopes_at(name, at)
    assert abs(came / expected - 1) < 1e-14
