"""A gradient program is a program: Hessian-vector products in every order, and third derivatives.

Each program of programs.py goes through something that a second sweep could get wrong: logsumexp,
argmax and max, gathers with act == best, stop, relu and clip at their kinks, minimum at a tie, skip
connections, a strided, padded and dilated convolution, recurrences, masks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import oracles
import pytest
import sympy
from emitted import imported
from programs import (
    CASES,
    ORDERS,
    Case,
    assert_agree,
    called,
    dotted,
    gradient_dotted,
    params_of,
    run,
)

from symgrad.algebra.derive import Derived, reverse
from symgrad.algebra.heads import split_heads
from symgrad.algebra.program import Program
from symgrad.algebra.scalars import Stop
from symgrad.algebra.simplify import simplify
from symgrad.pipeline import generate
from symgrad.verify.arithmetic import Digits
from symgrad.verify.differences import entry_direction, rademacher, slope
from symgrad.verify.evaluate import evaluate
from symgrad.verify.nearby import Point

EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
IN_ORDER = pytest.mark.parametrize("order", ORDERS)
THIRD = [case for case in CASES if case.name in ("softmax_policy", "kinks", "ppo", "deep")]
ENTRIES = 2  # of each tensor, differenced one by one; two directions see the rest


def at(case: Case) -> dict[str, Any]:
    """The case's inputs, and directions v_X and u_X."""
    rng = np.random.default_rng(11)
    shapes = {x: np.shape(case.values[x]) for x in case.loss.wrt}
    return {
        **case.values,
        **{f"{k}_{x}": rng.normal(size=shape) for k in "vu" for x, shape in shapes.items()},
    }


@cache
def product(name: str, order: str) -> Derived:
    """H v of a case, from the program with each head as its own equation."""
    case = next(c for c in CASES if c.name == name)
    return ORDERS[order](split_heads(case.loss.program), "loss", case.loss.wrt)


@cache
def expected(name: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """H v and its S, naively evaluated, forward over reverse: what the others are held against."""
    case = next(c for c in CASES if c.name == name)
    return values_of(product(name, "forward over reverse"), case)


def values_of(hv: Derived, case: Case) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    found = run(hv.program, at(case), case.sizes, *hv.result.values())
    return (
        {x: found.values[name] for x, name in hv.result.items()},
        {x: found.magnitudes[name] for x, name in hv.result.items()},
    )


def assert_same(what: str, case: Case, came: Mapping[str, Any], scales: Mapping[str, Any]) -> None:
    """`came` against the forward-over-reverse product; S is the smaller of the two."""
    values, own = expected(case.name)
    for x in case.loss.wrt:
        scale = np.minimum(np.asarray(scales[x], float), np.asarray(own[x], float))
        assert_agree(f"{case.name}, {what}: H v by {x}", came[x], values[x], scale)


# ---- the programs are what they are said to be -----------------------------------------------


def test_the_programs_go_through_every_primitive() -> None:
    programs = {case.name: case.loss.program for case in CASES}
    equations = [e for p in programs.values() for e in p.equations]
    assert {e.op for e in equations} == {"sum", "logsumexp", "argmax"}
    assert any(a.padded for e in equations for a in e.reads)
    assert any(list(a.gathers()) for e in equations for a in e.reads)
    assert any(e.target.tensor in {a.tensor for a in e.reads} for e in equations)
    functions = {type(n).__name__ for e in equations for n in sympy.preorder_traversal(e.body)}
    assert {"relu", "minimum", "maximum", "clip", "abs", "Select", "Stop", "tanh"} <= functions


def test_the_ties_kinks_and_collisions_are_met() -> None:
    found = {
        name: evaluate(c.loss.program, c.values, c.sizes).values
        for name, c in {c.name: c for c in CASES}.items()
    }
    dqn = found["double_dqn"]
    assert (dqn["q"][:, 0] == dqn["q"][:, 1]).all()
    assert set(dqn["greedy"]) == {0, 2}
    assert 0 < (dqn["greedy"] == dqn["act"]).sum() < len(dqn["act"])
    assert 0 < (dqn["best"] == dqn["act"]).sum() < len(dqn["act"])
    kinks = found["kinks"]
    w, x, c = kinks["w"], kinks["x"], kinks["c"]
    assert (kinks["u"] == 0).sum() >= 3 <= (w**2 * x == c * w).sum()
    assert (w * x == 0.5).any()
    assert (w * x == -0.5).any()
    assert (found["ppo"]["ratio"] == 1).all()
    flat = found["residual"]["t2"] @ found["residual"]["W2"].T
    assert (flat == 0).any()
    s = found["attention"]["s"]
    assert np.isneginf(s.astype(float)).any()


# ---- Hessian-vector products -----------------------------------------------------------------


@EACH
@IN_ORDER
def test_every_order_gives_the_same_hessian_vector_product(case: Case, order: str) -> None:
    assert_same(order, case, *values_of(product(case.name, order), case))


@EACH
@IN_ORDER
def test_heads_need_not_be_split_for_it(case: Case, order: str) -> None:
    hv = ORDERS[order](case.loss.program, "loss", case.loss.wrt)
    assert_same(f"{order}, unsplit", case, *values_of(hv, case))


@EACH
@IN_ORDER
def test_simplifying_changes_no_value(case: Case, order: str) -> None:
    hv = product(case.name, order)
    split = split_heads(replace(hv.program, outputs=tuple(dict.fromkeys(hv.result.values()))))
    assert len(simplify(split).equations) < len(split.equations)
    assert_same(f"{order}, simplified", case, *values_of(replace(hv, program=simplified(hv)), case))


def simplified(hv: Derived) -> Program:
    """As a module computes it: heads split, and simplified with H v as its outputs."""
    outputs = tuple(dict.fromkeys(hv.result.values()))
    return simplify(split_heads(replace(hv.program, outputs=outputs)))


@EACH
def test_the_product_is_the_60_digit_difference_of_the_gradient(case: Case) -> None:
    values, scales = expected(case.name)
    program = gradient_dotted(case.loss.program, case.loss.wrt)
    point = Point(program, "along", at(case), case.sizes, Digits(60))
    rng = np.random.default_rng(5)
    for x in case.loss.wrt:
        shape = np.shape(values[x])
        every = list(np.ndindex(shape))
        picked = rng.permutation(len(every))[:ENTRIES]
        directions = [entry_direction(x, shape, every[k]) for k in picked]
        directions += [rademacher({x: shape}, rng) for _ in range(2)]
        for direction in directions:
            found = slope(point, direction)
            by = direction[x]
            came = float(np.sum(by * np.asarray(values[x], float)))
            scale = float(np.sum(np.abs(by) * np.asarray(scales[x], float)))
            what = f"{case.name}: H v by {x}"
            assert_agree(what, came, found.value, scale, found.bound)


@EACH
def test_the_product_is_that_of_jax(case: Case, jax: Any) -> None:
    values, scales = expected(case.name)
    found = oracles.jax_hessian_vector(jax, case.mathematics, case.loss.wrt, only(case, "v"))
    for x in case.loss.wrt:
        assert_agree(f"{case.name}, JAX: H v by {x}", values[x], found[x], scales[x])


@EACH
def test_the_gradient_is_that_of_autograd(case: Case) -> None:
    g = reverse(case.loss.program, "loss", case.loss.wrt)
    naive = run(g.program, case.values, case.sizes, *g.result.values())
    found = oracles.autograd_gradient(case.mathematics, case.loss.wrt, case.values)
    for x in case.loss.wrt:
        name = g.result[x]
        what = f"{case.name}, autograd: d{x}"
        assert_agree(what, naive.values[name], found[x], naive.magnitudes[name])


@EACH
@IN_ORDER
def test_the_emitted_code_of_a_product_gives_it_too(case: Case, order: str) -> None:
    """Planned and printed like any program: a module whose outputs are H v."""
    hv = product(case.name, order)
    program = simplified(hv)
    declared = tuple(t for t in program.tensors if t.role != "computed")
    spec = replace(
        case.spec,
        tensors=declared,
        shared=program,
        outputs=program.outputs,
        losses=(),
        aux=(),
    )
    module = imported(generate(spec), spec.name)
    inputs = at(case)
    params = params_of(module, spec, inputs, case.sizes) if hasattr(module, "init") else None
    came = called(module, "forward", params, spec, inputs, quiet=case.overflows)
    found = dict(zip(spec.outputs, came if len(spec.outputs) > 1 else (came,), strict=True))
    _, scales = expected(case.name)
    by_name = {x: found[name] for x, name in hv.result.items()}
    assert_same(f"{order}, emitted", case, by_name, scales)


def only(case: Case, *kinds: str) -> dict[str, Any]:
    """The inputs, with the directions of some kinds only."""
    unwanted = tuple(f"{k}_" for k in "vu" if k not in kinds)
    own = set(case.values)
    return {n: v for n, v in at(case).items() if n in own or not n.startswith(unwanted)}


# ---- third order -----------------------------------------------------------------------------


def third(case: Case) -> tuple[Program, Derived]:
    """u . H v, and its gradient."""
    hv = product(case.name, "forward over reverse")
    pairs = {hv.result[x]: f"u_{x}" for x in case.loss.wrt}
    program = dotted(hv.program, pairs, "third")
    return program, reverse(program, "third", case.loss.wrt)


@pytest.mark.parametrize("case", THIRD, ids=lambda case: case.name)
def test_third_derivatives_are_those_of_60_digit_differences_and_of_jax(
    case: Case, jax: Any
) -> None:
    program, t = third(case)
    found = run(t.program, at(case), case.sizes, *t.result.values())
    by_jax = oracles.jax_third(jax, case.mathematics, case.loss.wrt, only(case, "v", "u"))
    point = Point(program, "third", at(case), case.sizes, Digits(60))
    rng = np.random.default_rng(6)
    for x in case.loss.wrt:
        value, scale = found.values[t.result[x]], found.magnitudes[t.result[x]]
        assert np.any(value != 0)
        assert_agree(f"{case.name}, JAX: third by {x}", value, by_jax[x], scale)
        direction = rademacher({x: np.shape(value)}, rng)
        difference = slope(point, direction)
        came = float(np.sum(direction[x] * value))
        what = f"{case.name}, differences: third by {x}"
        assert_agree(what, came, difference.value, float(np.sum(scale)), difference.bound)


# ---- the comparison itself -------------------------------------------------------------------


def test_a_flipped_sign_of_a_small_entry_is_not_agreement() -> None:
    with pytest.raises(AssertionError, match="1 of 2 entries differ"):
        assert_agree("planted", [1e6, 1e-9], [1e6, -1e-9], [1e6, 1e-9])
    with pytest.raises(AssertionError, match="nothing was compared"):
        assert_agree("planted", np.zeros(0), np.zeros(0), np.zeros(0))
    with pytest.raises(AssertionError, match="shape"):
        assert_agree("planted", np.zeros(2), np.zeros((2, 1)), np.ones(2))
    with pytest.raises(AssertionError, match="differ"):
        assert_agree("planted", [np.nan], [1.0], [1.0])
    with pytest.raises(AssertionError, match="not finite"):
        assert_agree("planted", [1.0], [1.0], [np.inf])


def test_a_wrong_convention_at_a_kink_or_a_removed_stop_would_be_seen() -> None:
    case = next(c for c in CASES if c.name == "double_dqn")
    values, scales = expected(case.name)

    def unstopped(program: Program) -> Program:
        return program.map_equations(
            lambda e: e.with_body(e.body.replace(Stop, lambda inner: inner))
        )

    hv = ORDERS["forward over reverse"](unstopped(case.loss.program), "loss", case.loss.wrt)
    wrong, _ = values_of(hv, case)
    with pytest.raises(AssertionError, match="entries differ"):
        assert_agree("without stop", wrong["W"], values["W"], scales["W"])
