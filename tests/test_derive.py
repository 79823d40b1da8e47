"""Derivatives as equations: what reverse, forward, split_heads and the passes of simplify produce."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import sympy
from programs import (
    NAMES,
    ORDERS,
    SPECS,
    assert_agree,
)
from small import gradients, new_equations, program_of, shapes_only
from sympy import Symbol

from symgrad.algebra.derive import forward, reverse
from symgrad.algebra.heads import split_heads
from symgrad.algebra.program import Program, Tensor
from symgrad.algebra.scalars import (
    Unknown,
    unknown,
)
from symgrad.errors import ProgramError
from symgrad.spec import load
from symgrad.verify.evaluate import evaluate

# ---- the six equations of the design ---------------------------------------------------------

POLICY = """
z1[b,i] += W1[i,j]*x[b,j]
z1[b,i] += c1[i] for b < B
h1[b,i] = tanh(z1[b,i])
q[b,a] += W2[a,i]*h1[b,i]
lse[b] = logsumexp(a: q[b,a])
loss += adv[b]*(lse[b] - q[b,act[b]])/B
"""
POLICY_DATA = """
[sizes]
B = "batch"
H = "hidden"
A = "actions"
D = "inputs"
[data]
W1 = "real[H, D]"
c1 = "real[H]"
W2 = "real[A, H]"
x = "real[B, D]"
act = "int[B] < A"
adv = "real[B]"
"""
ADJOINTS = """
dloss = 1
dlse[b] += dloss*adv[b]/B
dq[b,act[b]] += -dloss*adv[b]/B
dq[b,a] += dlse[b]*expdiff(q[b,a], lse[b])
dW2[a,i] += dq[b,a]*h1[b,i]
dh1[b,i] += dq[b,a]*W2[a,i]
dz1[b,i] += dh1[b,i]*(1 - h1[b,i]**2)
dc1[i] += dz1[b,i]
dW1[i,j] += dz1[b,i]*x[b,j]
"""


def test_the_six_equations_give_exactly_the_adjoint_equations_of_the_textbook() -> None:
    program = program_of(POLICY, POLICY_DATA)
    derived = reverse(program, "loss", ("W1", "c1", "W2"))
    shapes = '[tensors]\ndq = "real[B, A]"\n'
    written = program_of(POLICY + ADJOINTS, POLICY_DATA + shapes, ("dW1",))
    expected = written.equations[len(program.equations) :]
    came = new_equations(program, derived)
    assert {shapes_only(e) for e in came} == {shapes_only(e) for e in expected}
    assert len(came) == len(expected) == 9
    assert derived.program.equations[: len(program.equations)] == program.equations
    assert derived.result == {"W1": "dW1", "c1": "dc1", "W2": "dW2"}
    assert derived.program.outputs == ("dW1", "dc1", "dW2")


def test_their_tangents_are_the_same_lines_with_the_reads_left_where_they_are() -> None:
    program = program_of(POLICY, POLICY_DATA)
    derived = forward(program, {"W1": "v"}, ["loss"])
    tangents = """
    z1_dot[b,i] += v[i,j]*x[b,j]
    h1_dot[b,i] += z1_dot[b,i]*(1 - h1[b,i]**2)
    q_dot[b,a] += W2[a,i]*h1_dot[b,i]
    lse_dot[b] += q_dot[b,a]*expdiff(q[b,a], lse[b])
    loss_dot += adv[b]*lse_dot[b]/B
    loss_dot += -adv[b]*q_dot[b,act[b]]/B
    """
    data = POLICY_DATA + 'v = "real[H, D]"\n'
    written = program_of(POLICY + tangents, data, ("loss_dot",))
    came = new_equations(program, derived)
    expected = written.equations[len(program.equations) :]
    assert {shapes_only(e) for e in came} == {shapes_only(e) for e in expected}
    assert len(came) == 6


RECURSION = """
x[0,i] = start[i]
y[l,i] = sigma(x[l,i]) for l < L
x[l,i] += w[l,i,j]*y[l-1,j] for 1 <= l < L
loss += x[L-1,i]*goal[i]
"""
RECURSION_DATA = """
[functions]
sigma = 1
[sizes]
L = "layers"
H = "width"
[data]
start = "real[H]"
w = "real[L, H, H]"
goal = "real[H]"
"""


def test_a_symbolic_layer_with_a_declared_sigma_gives_the_textbook_recursion() -> None:
    program = program_of(RECURSION, RECURSION_DATA)
    came = {str(e.target): e for e in new_equations(program, reverse(program, "loss", ["w"]))}
    back, through, weight = came["dy[l-1,j]"], came["dx[l,i]"], came["dw[l,i,j]"]
    dx, w, dy, y = (Symbol(s) for s in ("dx[l,i]", "w[l,i,j]", "dy[l,i]", "y[l-1,j]"))
    assert back.body == dx * w
    assert weight.body == dx * y
    slope_ = through.body / dy
    assert isinstance(slope_, Unknown)
    assert (slope_.base, slope_.orders, slope_.args) == ("sigma", (1,), (Symbol("x[l,i]"),))
    assert back.box == weight.box
    assert {r.index: (str(r.lo), str(r.hi)) for r in back.box}["l"] == ("1", "L")


def test_partials_of_a_declared_function_are_numbered_and_commute() -> None:
    a, b = sympy.symbols("a b")
    f = unknown("f", (0, 0))(a, b)
    assert type(f.diff(a)).__name__ == "f'1"
    assert type(f.diff(b)).__name__ == "f'2"
    assert f.diff(a).diff(b) == f.diff(b).diff(a)
    assert type(unknown("sigma", (0,))(a).diff(a).diff(a)).__name__ == "sigma''"


# ---- which derivatives there are -------------------------------------------------------------


def test_what_the_loss_does_not_depend_on_has_gradient_zero() -> None:
    program = program_of(
        "h[i] = tanh(x[i])\nloss = sum(i: x[i]**2)", '[data]\nx = "real[N]"\nu = "real[N, M]"'
    )
    values = {"x": np.ones(3), "u": np.ones((3, 2))}
    by_u, by_x = gradients(program, ("u", "x"), values, N=3, M=2)
    assert by_u.shape == (3, 2)
    assert not by_u.any()
    assert (by_x == 2).all()
    tangent = forward(program, {"u": "v"}, ["loss", "h"])
    found = evaluate(tangent.program, {**values, "v": np.ones((3, 2))}, {"N": 3, "M": 2}).values
    assert not found[tangent.result["loss"]]
    assert found[tangent.result["h"]].shape == (3,)
    assert not found[tangent.result["h"]].any()


def test_nothing_is_derived_that_does_not_lie_between_the_loss_and_wrt() -> None:
    program = program_of(
        "a[i] = tanh(u[i])\nb[i] = tanh(x[i])\nside[i] = tanh(b[i])\nloss = sum(i: a[i]*b[i])",
        '[data]\nx = "real[N]"\nu = "real[N]"',
    )
    derived = reverse(program, "loss", ["x"])
    assert [e.target.tensor for e in new_equations(program, derived)] == ["dloss", "db", "dx"]
    assert set(derived.name_of) == {"loss", "b", "x"}


def test_the_loss_by_itself_is_one_and_by_a_named_intermediate_the_partial_there() -> None:
    program = program_of("h[i] = tanh(x[i])\nloss = sum(i: h[i]**3)", '[data]\nx = "real[N]"')
    x = np.array([0.5, -1.0])
    one, by_h = gradients(program, ("loss", "h"), {"x": x}, N=2)
    assert one == 1
    assert_agree("dh", by_h, 3 * np.tanh(x) ** 2, 1.0)


def test_names_that_are_taken_are_passed_over() -> None:
    program = program_of(
        "y[i] = x[i]**2 + dx_2[i] + y_dot[i]\nloss = sum(i: y[i])",
        '[sizes]\nN = "n"\ndy = "a size"\n[data]\nx = "real[N]"\ndx_2 = "real[N]"\ny_dot = "real[N]"',
    )
    taken = replace(program, tensors=(*program.tensors, Tensor("dx", (), role="data")))
    derived = reverse(taken, "loss", ["x"])
    assert derived.name_of == {"loss": "dloss", "y": "dy_2", "x": "dx_3"}
    assert forward(program, {"x": "v"}, ["y"]).result == {"y": "y_dot_2"}
    names = [t.name for t in derived.program.tensors]
    assert len(names) == len(set(names))
    again = reverse(derived.program, "loss", ["x"])
    names = [t.name for t in again.program.tensors]
    assert len(names) == len(set(names))
    values = {"x": np.array([2.0, 3.0]), "dx_2": np.ones(2), "y_dot": np.ones(2)}
    found = evaluate(again.program, values, {"N": 2, "dy": 1}, outputs=again.result.values())
    assert list(found.values[again.result["x"]]) == [4, 6]


def test_a_given_tangent_is_not_added_to() -> None:
    """h = x**2 and y = h*x, along v_x and v_h: y_dot = v_h*x + h*v_x."""
    program = program_of("h = x**2\ny = h*x", '[data]\nx = "real"', ("y",))
    derived = forward(program, {"x": "v_x", "h": "v_h"}, ["y"])
    given = {"x": 3.0, "v_x": 2.0, "v_h": 5.0}
    found = evaluate(derived.program, given, {}, outputs=derived.result.values())
    assert found.values[derived.result["y"]] == 5 * 3 + 9 * 2


def test_a_computed_tensor_can_be_a_direction() -> None:
    program = program_of("y = x**2\nv = sin(u)", '[data]\nx = "real"\nu = "real"', ("y", "v"))
    derived = forward(program, {"x": "v"}, ["y"])
    found = evaluate(derived.program, {"x": 3.0, "u": 1.0}, {}, outputs=derived.result.values())
    assert found.values[derived.result["y"]] == 6 * np.sin(1.0)


WRONG = [
    ("los", ("x",), r'unknown tensor "los"; did you mean "loss"\?'),
    ("loss", ("y",), 'unknown tensor "y"'),
    ("loss", ("k",), '"k" is int; only real tensors have derivatives'),
    ("h", ("x",), r'"h" has shape \(N\); only a scalar has a gradient'),
]


@pytest.mark.parametrize(("value", "wrt", "message"), WRONG)
def test_what_has_no_gradient_is_refused(value: str, wrt: tuple[str, ...], message: str) -> None:
    data = '[data]\nx = "real[N]"\nk = "int[N] < N"'
    program = program_of("h[i] = x[k[i]]\nloss = sum(i: h[i])", data)
    with pytest.raises(ProgramError, match=message):
        reverse(program, value, wrt)


# ---- cost and determinism --------------------------------------------------------------------


def chain(depth: int, skip: bool = True) -> Program:
    """h_{n+1} = h_n + tanh(W h_n): 2**depth paths from the last layer to the first."""
    lines = ["h0[i] = x[i]"]
    for n in range(depth):
        residual = f"h{n}[i] + " if skip else ""
        lines.append(f"z{n}[i] = sum(j: W[i,j]*h{n}[j])")
        lines.append(f"h{n + 1}[i] = {residual}tanh(z{n}[i])")
    lines.append(f"loss = sum(i: h{depth}[i])")
    return program_of("\n".join(lines), '[data]\nx = "real[N]"\nW = "real[N, N]"')


@pytest.mark.parametrize("order", [None, *ORDERS])
def test_the_number_of_equations_is_linear_in_depth(order: str | None) -> None:
    def count(depth: int) -> int:
        program = split_heads(chain(depth))
        if order is None:
            return len(reverse(program, "loss", ["W", "x"]).program.equations)
        return len(ORDERS[order](program, "loss", ["W", "x"]).program.equations)

    counts = [count(depth) for depth in (3, 6, 9, 30)]
    per_layer = (counts[1] - counts[0]) // 3
    assert counts == [counts[0] + per_layer * n for n in (0, 3, 6, 27)]
    assert per_layer <= (8 if order is None else 40)


def test_a_gradient_has_one_equation_for_each_local_partial_and_the_seed() -> None:
    program = split_heads(chain(5))
    derived = reverse(program, "loss", ["W", "x"])
    assert len(new_equations(program, derived)) == 1 + len(derived.partials)
    assert len({(p.equation.target, p.read, p.equation.body) for p in derived.partials}) == len(
        derived.partials
    )


PRINTS = """
import sys
from symgrad.algebra.second import forward_over_reverse, reverse_over_reverse
from symgrad.algebra.simplify import simplify
from symgrad.pipeline import derive_stable, optimised
from symgrad.spec import load
for path in sys.argv[1:]:
    for loss in load(path).losses:
        gradient = derive_stable(loss)
        print(optimised(gradient))
        print(gradient.derived)
        for order in (forward_over_reverse, reverse_over_reverse):
            print(simplify(order(gradient.program, loss.value, loss.wrt).program))
"""


def test_nothing_depends_on_the_order_of_sets() -> None:
    names = ("attention", "gru", "one_bias")
    paths = [str(SPECS / f"{name}.toml") for name in names]
    printed = set()
    for seed in ("0", "1", "271828"):
        path = os.pathsep.join(p for p in sys.path if p)
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path}
        command = [sys.executable, "-c", PRINTS, *paths]
        result = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        assert "Equation(" in result.stdout
        printed.add(result.stdout)
    assert len(printed) == 1


def test_nothing_depends_on_what_was_derived_before() -> None:
    first = reverse(program_of(POLICY, POLICY_DATA), "loss", ["W1"])
    for name in NAMES:
        reverse(load(SPECS / f"{name}.toml").losses[0].program, "loss", ["loss"])
    assert reverse(program_of(POLICY, POLICY_DATA), "loss", ["W1"]) == first
