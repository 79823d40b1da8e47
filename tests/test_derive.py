"""Derivatives as equations: what reverse, forward, split_heads and the passes of simplify produce."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy
from emitted import imported
from programs import (
    CASES,
    NAMES,
    ORDERS,
    SPECS,
    assert_agree,
    called,
    fresh_values,
    run,
)
from sympy import Expr, Rational, Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.derive import Derived, forward, reverse
from symgrad.algebra.heads import split_heads
from symgrad.algebra.order import Loop, schedule
from symgrad.algebra.program import Equation, Program, Range, Tensor, make_equation, slot_symbol
from symgrad.algebra.scalars import (
    FUNCTIONS,
    ROWS,
    Less,
    LessEqual,
    Row,
    Scalar,
    Select,
    Unknown,
    absorb,
    unknown,
)
from symgrad.algebra.sharing import share_parts
from symgrad.algebra.simplify import PASSES, simplify
from symgrad.algebra.sizes import Size
from symgrad.errors import ProgramError
from symgrad.pipeline import generate
from symgrad.spec import Spec, load, parse_spec
from symgrad.verify.arithmetic import Digits
from symgrad.verify.differences import Point, entry_direction, slope
from symgrad.verify.evaluate import evaluate

# ---- helpers ---------------------------------------------------------------------------------


def spec_of(equations: str, declared: str, outputs: Iterable[str] = ("loss",)) -> Spec:
    """A program written in the notation; N and M are free sizes where none are declared."""
    free = "".join(f'{size} = "free"\n' for size in "NM" if size in equations + declared)
    head = "" if "[sizes]" in declared else f"[sizes]\n{free}"
    text = (
        f"wrt = []\noutputs = {list(outputs)}\nequations = '''\n{equations}\n'''\n{head}{declared}"
    )
    return parse_spec(text, "small")


def program_of(equations: str, declared: str, outputs: Iterable[str] = ("loss",)) -> Program:
    return spec_of(equations, declared, outputs).shared


def shapes_only(equation: Equation) -> object:
    """What an equation says, whatever the order of its box and its origin."""
    return (equation.target, equation.op, equation.body, equation.slots, frozenset(equation.box))


def new_equations(before: Program, derived: Derived) -> list[Equation]:
    return list(derived.program.equations[len(before.equations) :])


def gradients(program: Program, wrt: Iterable[str], values: Mapping[str, Any], **sizes: int) -> Any:
    """The naive values of dloss/dX, in order."""
    derived = reverse(program, "loss", tuple(wrt))
    found = evaluate(derived.program, values, sizes, outputs=derived.result.values())
    return [found.values[derived.result[x]] for x in wrt]


def assert_differences(
    program: Program, wrt: Iterable[str], values: Mapping[str, Any], sizes: Mapping[str, int]
) -> None:
    """Every entry of the gradient is the 60-digit difference."""
    derived = reverse(program, "loss", tuple(wrt))
    found = run(derived.program, values, sizes, *derived.result.values())
    point = Point(program, "loss", values, sizes, Digits(60))
    for x in wrt:
        came, scale = (part[derived.result[x]] for part in (found.values, found.magnitudes))
        for index in np.ndindex(np.shape(came)):
            by = slope(point, entry_direction(x, np.shape(came), index))
            assert_agree(f"d{x}{list(index)}", came[index], by.value, scale[index], by.bound)


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


# ---- recurrences -----------------------------------------------------------------------------


def test_a_self_read_runs_backwards() -> None:
    """h[t+1] = tanh(w h[t]): dh[t] = dh[t+1] (1 - h[t+1]**2) w."""
    program = program_of(
        "h[0] = x\nh[t+1] = tanh(w[t]*h[t])\nloss = h[N]**2",
        '[data]\nx = "real"\nw = "real[N]"',
    )
    w, x = np.array([0.5, -1.5, 0.75, 2.0]), 0.8
    h = [x]
    for weight in w:
        h.append(np.tanh(weight * h[-1]))
    back, by_w = 2 * h[-1], np.zeros(4)
    for t in reversed(range(4)):
        before = back * (1 - h[t + 1] ** 2)
        by_w[t], back = before * h[t], before * w[t]
    came_w, came_x = gradients(program, ("w", "x"), {"x": x, "w": w}, N=4)
    assert_agree("dw", came_w, by_w, 1.0)
    assert_agree("dx", came_x, back, 1.0)
    (loop,) = (g for g in schedule(program) if isinstance(g, Loop))
    assert not loop.backward
    derived = reverse(split_heads(program), "loss", ["w", "x"])
    loops = [g for g in schedule(derived.program) if isinstance(g, Loop)]
    assert [loop.backward for loop in loops] == [False, True]
    inside = {s.equation.target.tensor for loop in loops for s in loop.steps}
    assert "dw" not in inside


RECURRENCES = {
    "downwards": "h[N-1] = x[N-1]\nh[t] = sin(h[t+1]*x[t]) for t < N - 1\nloss = h[0]**2",
    "two back": "h[0] = x[0]\nh[1] = x[1]**2\nh[t+2] = sin(h[t+1]) + h[t]*x[t+2] for t < N - 2\nloss = h[N-1]*h[1]",
    "two tensors": "h[0] = x[0]\nh[t+1] = sin(c[t]) + x[t+1] for t < N - 1\nc[t] = h[t]*x[t] for t < N\nloss = sum(t: h[t]*c[t])",
    "every other": "h[0,i] = x[i]\nh[t+1,i] = tanh(sum(j: x[i]*x[j]*h[t,j])) for t < M\nloss = sum(t,i: h[t,i]**2)",
    "leaps": "a[0] = x[0]\na[t] = b[t+1]*x[t] for 1 <= t < N\nb[t] = sin(a[t-2]) for 2 <= t < N + 1\nloss = a[N-1]*b[N]",
    "a sum so far": "c[0] = x[0]\nc[t+1] = c[t] + x[t+1] for t < N - 1\nloss = sum(t: exp(c[t]))",
}


def recurrence(name: str) -> Program:
    shape = '\n[tensors]\nh = "real[N]"' if name == "two back" else ""
    shape = '\n[tensors]\na = "real[N]"\nb = "real[N + 1]"' if name == "leaps" else shape
    return program_of(RECURRENCES[name], '[data]\nx = "real[N]"' + shape)


@pytest.mark.parametrize("name", RECURRENCES)
def test_recurrences_of_every_shape_have_the_right_gradient(name: str) -> None:
    program = recurrence(name)
    values, sizes = {"x": np.array([0.5, -0.25, 1.25, 0.75])}, {"N": 4, "M": 3}
    assert any(isinstance(group, Loop) for group in schedule(program))
    assert_differences(program, ["x"], values, sizes)


def test_a_cycle_without_a_shift_or_with_two_is_refused() -> None:
    for body in ("h[t] + x[t]", "h[t+1] + x[t]"):
        program = program_of("h[t] = x[t]\nloss = sum(t: h[t])", '[data]\nx = "real[N]"')
        first = program.equations[0]
        t = Symbol("h[t]"), Access("h", (Affine.index("t"),))
        back = Symbol("h[t-1]"), Access("h", (Affine((("t", Size.of(1)),), Size.of(-1)),))
        ahead = Symbol("h[t+1]"), Access("h", (Affine((("t", Size.of(1)),), Size.of(1)),))
        reads = [t] if body.startswith("h[t] ") else [back, ahead]
        cyclic = replace(
            first,
            body=sympy.Add(*(symbol for symbol, _ in reads)),
            slots=tuple(sorted(reads, key=lambda pair: pair[0].name)),
        )
        with pytest.raises(ProgramError, match="without a shift along one axis"):
            schedule(replace(program, equations=(cyclic, *program.equations[1:])))


class Walk:
    """Runs a schedule place by place, and demands that what is read has been written in full."""

    def __init__(self, program: Program, sizes: Mapping[str, int]) -> None:
        self.program = program
        self.sizes = {**{n: v for n, v in program.sizes if v is not None}, **sizes}
        self.left: Counter[tuple[str, tuple[int, ...]]] = Counter()
        self.reads = 0
        for equation in program.equations:
            self.left.update(self.places(equation.target, point) for point in self.box(equation))

    def box(self, equation: Equation, index: str = "", at: int = 0) -> Iterator[dict[str, int]]:
        """The points of the box; of an index the one value, if it has it."""
        spans = []
        for r in equation.box:
            span = range(r.lo.evaluate(self.sizes), r.hi.evaluate(self.sizes))
            spans.append([v for v in span if r.index != index or v == at])
        for values in itertools.product(*spans):
            yield dict(zip((r.index for r in equation.box), values, strict=True))

    def places(self, access: Access, point: Mapping[str, int]) -> tuple[str, tuple[int, ...]]:
        """Where an access points; a gathered axis counts as place 0."""
        at = [0 if isinstance(s, Access) else self.value(s, point) for s in access.subscripts]
        return access.tensor, tuple(at)

    def value(self, form: Affine, point: Mapping[str, int]) -> int:
        steps = (c.evaluate(self.sizes) * point[i] for i, c in form.terms)
        return form.offset.evaluate(self.sizes) + sum(steps)

    def run(self, equation: Equation, index: str = "", at: int = 0) -> None:
        points = list(self.box(equation, index, at))
        for read in equation.reads:
            if not list(read.gathers()):
                for point in points:
                    place = self.places(read, point)
                    assert not self.left[place], f"{equation.target} reads {place} too early"
                    self.reads += 1
        self.left.subtract(self.places(equation.target, point) for point in points)

    def walk(self) -> None:
        for group in schedule(self.program):
            if isinstance(group, Equation):
                self.run(group)
                continue
            spans = []
            for step in group.steps:
                r = step.equation.range_of[step.index]
                lo, hi = r.lo.evaluate(self.sizes), r.hi.evaluate(self.sizes)
                spans += [lo - step.shift, hi - step.shift]
            iterations = range(min(spans), max(spans))
            for p in reversed(iterations) if group.backward else iterations:
                for step in group.steps:
                    self.run(step.equation, step.index, p + step.shift)
        assert not any(self.left.values()), "an equation was left out, or came twice"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_schedule_writes_everything_once_and_before_it_is_read(case: Any) -> None:
    for program in (
        case.loss.program,
        ORDERS["reverse over reverse"](case.loss.program, "loss", case.loss.wrt).program,
    ):
        walk = Walk(program, case.sizes)
        walk.walk()
        assert walk.reads > 0


@pytest.mark.parametrize("name", RECURRENCES)
def test_a_loop_runs_each_equation_at_the_right_iteration(name: str) -> None:
    program = recurrence(name)
    derived = reverse(program, "loss", ["x"])
    for one in (program, derived.program, split_heads(derived.program)):
        walk = Walk(one, {"N": 5, "M": 3})
        walk.walk()
        assert walk.reads > 5
    loops = [group for group in schedule(derived.program) if isinstance(group, Loop)]
    assert sorted(loop.backward for loop in loops) == [False, True]


def test_a_loop_shifts_the_equations_that_write_ahead() -> None:
    """a[t] needs b[t+1], which needs a[t-1]: b[t+1] is written in the iteration of a[t]."""
    program = recurrence("leaps")
    (loop,) = (group for group in schedule(program) if isinstance(group, Loop))
    assert len({step.shift for step in loop.steps}) > 1
    assert_differences(program, ["x"], {"x": np.array([0.5, -0.25, 1.25, 0.75])}, {"N": 4})


# ---- stop, argmax, masks, gathers, padding ---------------------------------------------------


def test_stop_blocks_and_its_value_stays() -> None:
    program = program_of(
        "loss = sum(i: stop(x[i]**2)*x[i] + stop(exp(x[i])))", '[data]\nx = "real[N]"'
    )
    (by_x,) = gradients(program, ["x"], {"x": np.array([2.0, 3.0])}, N=2)
    assert list(by_x) == [4, 9]
    only = program_of("loss = sum(i: stop(x[i]))", '[data]\nx = "real[N]"')
    derived = reverse(only, "loss", ["x"])
    assert [str(e.target) for e in new_equations(only, derived)] == ["dx[i]"]
    assert not gradients(only, ["x"], {"x": np.ones(2)}, N=2)[0].any()


def test_argmax_blocks_and_the_read_at_the_place_found_passes() -> None:
    program = program_of(
        "best[i] = argmax(j: q[i,j]*w[i])\nloss = sum(i: q[i,best[i]]*best[i])",
        '[data]\nq = "real[N, M]"\nw = "real[N]"',
    )
    derived = reverse(program, "loss", ["q", "w"])
    assert "dbest" not in derived.program.tensor_of
    assert "best_dot" not in forward(program, {"q": "v"}, ["loss"]).program.tensor_of
    q = np.array([[1.0, 3.0, 3.0], [2.0, 1.0, 2.5]])
    by_q, by_w = gradients(program, ("q", "w"), {"q": q, "w": np.ones(2)}, N=2, M=3)
    assert by_q.tolist() == [[0, 1, 0], [0, 0, 2]]
    assert not by_w.any()


def test_masks_and_whole_numbers_have_no_gradient() -> None:
    program = program_of(
        "loss = sum(i: [x[i] < 1]*x[i]**2 + where(done[i], 0, x[i]) + i*k[i])",
        '[data]\nx = "real[N]"\ndone = "bool[N]"\nk = "int[N]"',
    )
    x, done = np.array([0.5, 2.0, -1.0]), np.array([1, 0, 1])
    (by_x,) = gradients(program, ["x"], {"x": x, "done": done, "k": np.arange(3)}, N=3)
    assert list(by_x) == [1, 1, -2]


def test_a_row_of_minus_infinity_has_gradient_zero_twice() -> None:
    program = program_of(
        "l[i] = logsumexp(j: q[i,j])\nloss = sum(i: w[i]*l[i])",
        '[data]\nq = "real[N, M]"\nw = "real[N]"',
    )
    q = np.array([[-np.inf, -np.inf], [-np.inf, 0.5], [1.0, 2.0]])
    v = np.ones((3, 2))
    (by_q,) = gradients(program, ["q"], {"q": q, "w": np.ones(3)}, N=3, M=2)
    assert_agree("dq", by_q[2], np.exp(q[2]) / np.exp(q[2]).sum(), 1.0)
    assert by_q[:2].tolist() == [[0, 0], [0, 1]]
    for order in ORDERS.values():
        hv = order(program, "loss", ["q"])
        given = {"q": q, "w": np.ones(3), "v_q": v * [[1.0, 2.0]]}
        found = evaluate(hv.program, given, {"N": 3, "M": 2}, outputs=hv.result.values())
        assert not found.values[hv.result["q"]][:2].any()


GUARDS = {
    "where(x[i] < 0, exp(x[i]) - 1, x[i])": (800.0, 1.0),
    "where(x[i] < 0, x[i], exp(-x[i]))": (-800.0, 1.0),
    "where(0 < x[i], log(x[i]), 0)": (0.0, 0.0),
    "where(0 < x[i], sqrt(x[i]), x[i])": (0.0, 1.0),
    "where(0 < x[i], sqrt(x[i]), x[i])**2": (-2.0, -4.0),
    "where(0 < x[i], 1/x[i], 3*x[i])": (0.0, 3.0),
    "where(x[i] < 0, exp(exp(x[i])), where(x[i] < 900, x[i], tanh(exp(x[i]))))": (800.0, 1.0),
    "[x[i] < 900]*x[i] + where(x[i] < 0, tanh(exp(x[i])), 0)": (800.0, 1.0),
}


@pytest.mark.parametrize("body", GUARDS)
@pytest.mark.parametrize("change", [lambda p: p, split_heads], ids=["as it stands", "split"])
def test_what_a_selection_does_not_take_cannot_make_a_gradient_nan(body: str, change: Any) -> None:
    """0 * inf cannot arise: where(x < 0, exp(x) - 1, x) at 800 has slope 1."""
    point, expected = GUARDS[body]
    program = change(program_of(f"loss = sum(i: {body})", '[data]\nx = "real[N]"'))
    (by_x,) = gradients(program, ["x"], {"x": np.array([point])}, N=1)
    assert by_x[0] == expected
    for order in ORDERS.values():
        hv = order(program, "loss", ["x"])
        given = {"x": np.array([point]), "v_x": np.ones(1)}
        found = evaluate(hv.program, given, {"N": 1}, outputs=hv.result.values())
        assert np.isfinite(found.values[hv.result["x"]]).all()


def test_a_factor_is_selected_never_multiplied_by_a_mask() -> None:
    d, a, b = sympy.symbols("d a b")
    mask = Select(Less(a, b), sympy.S.One, sympy.S.Zero)
    assert absorb(d, mask) == Select(Less(a, b), d, sympy.S.Zero)
    assert absorb(d, a * mask) == Select(Less(a, b), a * d, sympy.S.Zero)
    other = Select(LessEqual(a, b), sympy.S.One, sympy.S.Zero)
    twice = absorb(d, a * mask * other)
    assert not any(
        isinstance(n, sympy.Mul) and n.has(Select) for n in sympy.preorder_traversal(twice)
    )
    added = absorb(d, mask + b)
    assert added == Select(Less(a, b), d, sympy.S.Zero) + b * d
    assert absorb(d, Select(Less(a, b), a, a)) == absorb(d, a)


PLACES = {
    "a transpose": "loss = sum(i,j: q[i,j]*q[j,i]**2)",
    "a diagonal": "loss = sum(i: q[i,i]**3) + sum(i,j: q[i,j]*q[i,i])",
    "a gather on two axes": "loss = sum(i: q[k[i],i]*q[i,k[i]]*q[k[i],k[i]])",
    "a gather of a gather": "loss = sum(i: q[k[k[i]],i]**2)",
    "a reversal": "loss = sum(i,j: q[N-1-i,j]**2*q[i,j])",
    "windows": "y[i] = sum(a: pad(q[i,2*i+a-1])*w[a]) for a < 3\nloss = sum(i: y[i]**2)",
    "a padded gather": "y[i] = pad(q[i-1,k[i]]) for i < N\nloss = sum(i: y[i]**2)",
    "a scatter": "y[k[i]] += q[i,i]**2\ny[i] += q[i,0]\nloss = sum(i: y[i]**3)",
    "a strided target": "y[2*i] = tanh(q[i,0])\ny[2*i+1] = q[i,1]**2\nloss = sum(t: y[t]**2)\nloss += y[2*i]*y[2*i+1] for i < N",
    "an index as a number": "loss = sum(i,j: (i + 1)*q[i,j]**2/(N + j))",
    "a shared read": "h[i] = exp(q[i,0])\nloss = sum(i: h[i]*h[i]) + sum(i,j: h[i]*h[j]) + h[0]",
    "more beside a function": "y[i] = tanh(q[i,0])\ny[i] += q[i,1]**2\nloss = sum(i: y[i]**2)",
    "rank 0 between": "m = mean(i, j: q[i,j])\nloss = sum(i,j: (q[i,j] - m)**2*m)",
    "an outer loss": "a = sum(i: q[i,0]**2)\nloss = log(1 + a)*a + sqrt(a)",
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_reads_of_every_shape_turn_into_the_right_writes(name: str) -> None:
    data = '[sizes]\nN = "n"\n[data]\nq = "real[N, N]"\nk = "int[N] < N"\nw = "real[3]"'
    shape = '\n[tensors]\ny = "real[N]"' if name == "a scatter" else ""
    program = program_of(PLACES[name], data + shape)
    values = fresh_values(program, {"N": 4}, seed=1) | {"k": np.array([2, 0, 2, 3])}
    read = {a.tensor for e in program.equations for a in e.reads}
    assert_differences(program, [n for n in ("q", "w") if n in read], values, {"N": 4})
    assert_differences(split_heads(program), ["q"], values, {"N": 4})


def test_a_forward_value_is_reused_where_the_write_is_strided_padded_or_in_part() -> None:
    """y[2i-1] = tanh(x[i]), what falls outside dropped: its slope reads y at the same places."""
    n, i = Size.of("N"), Affine.index("i")
    place = Affine.collect({"i": Size.of(2)}, Size.of(-1))
    x, y = Access("x", (i,)), Access("y", (place,), padded=True)
    box = (Range("i", Size.of(0), n),)
    whole = Access("y", (Affine.index("t"),))
    equations = (
        make_equation(y, FUNCTIONS["tanh"](slot_symbol(x)), [x], box, assigns=True),
        make_equation(
            Access("loss"), slot_symbol(whole) ** 3, [whole], (Range("t", Size.of(0), n),)
        ),
    )
    tensors = (Tensor("x", (n,), role="data"), Tensor("y", (n,)), Tensor("loss"))
    program = Program((("N", None),), tensors, equations, ("loss",))
    (dx,) = (
        e
        for e in new_equations(program, reverse(program, "loss", ["x"]))
        if e.target.tensor == "dx"
    )
    assert not dx.body.has(FUNCTIONS["tanh"])
    assert_differences(program, ["x"], {"x": np.array([0.5, -1.0, 0.25, 2.0])}, {"N": 4})


# ---- the table of scalars --------------------------------------------------------------------


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


# ---- split_heads -----------------------------------------------------------------------------


def all_programs() -> dict[str, tuple[Program, Mapping[str, Any], Mapping[str, int]]]:
    """Every spec and case: its own equations, its gradient, its Hessian-vector product."""
    found = {}
    for case in CASES:
        rng = np.random.default_rng(4)
        given = {
            **case.values,
            **{f"v_{x}": rng.normal(size=np.shape(case.values[x])) for x in case.loss.wrt},
        }
        wrt = case.loss.wrt
        found[case.name] = case.loss.program, given, case.sizes
        g = reverse(split_heads(case.loss.program), "loss", wrt)
        outputs = ("loss", *g.result.values())
        found[f"{case.name}, gradient"] = replace(g.program, outputs=outputs), given, case.sizes
        hv = ORDERS["reverse over forward"](case.loss.program, "loss", wrt)
        found[f"{case.name}, product"] = hv.program, given, case.sizes
    for name in NAMES:
        spec = load(SPECS / f"{name}.toml")
        if name not in found and not spec.functions:
            for loss in spec.losses:
                sizes = {n: 3 for n, _ in loss.program.sizes}
                given = fresh_values(loss.program, sizes)
                g = reverse(split_heads(loss.program), loss.value, loss.wrt)
                key = f"{name}, {loss.name}"
                found[key] = replace(loss.program, outputs=(loss.value,)), given, sizes
                found[f"{key}, gradient"] = g.program, given, sizes
    return found


PROGRAMS = all_programs()
EACH = pytest.mark.parametrize("name", PROGRAMS)


@cache
def values_before(name: str) -> Any:
    program, given, sizes = PROGRAMS[name]
    return run(program, given, sizes, *program.outputs)


def assert_preserved(name: str, changed: Program) -> None:
    program, given, sizes = PROGRAMS[name]
    assert changed.outputs == program.outputs
    before = values_before(name)
    after = run(changed, given, sizes, *program.outputs)
    for output in program.outputs:
        scale = before.magnitudes[output]
        assert_agree(f"{name}: {output}", after.values[output], before.values[output], scale)


def test_every_spec_is_among_the_programs_but_what_has_no_values() -> None:
    there = {key.split(",")[0] for key in PROGRAMS}
    assert {n for n in NAMES if not load(SPECS / f"{n}.toml").functions} <= there


@EACH
def test_splitting_heads_changes_no_value_and_does_nothing_twice(name: str) -> None:
    once = split_heads(PROGRAMS[name][0])
    assert_preserved(name, once)
    assert len(split_heads(once).equations) == len(once.equations)


def heads_inside(node: Expr, top: bool = True) -> Iterable[Expr]:
    """The functions of a body that are not its own top; what a selection guards is let be."""
    for argument in node.args[:1] if isinstance(node, Select) else node.args:
        if isinstance(argument, (Scalar, Unknown)):
            yield argument
        yield from heads_inside(argument, False)


@EACH
def test_after_splitting_every_function_of_a_read_stands_alone(name: str) -> None:
    program = split_heads(PROGRAMS[name][0])
    for equation in program.equations:
        reads = {s for s, slot in equation.slots if isinstance(slot, Access)}
        inside = [h for h in heads_inside(equation.body) if h.free_symbols & reads]
        assert not inside, f"{equation.target}: {inside}"
        if equation.op != "sum":
            assert equation.body.is_Symbol


def test_forward_values_are_reused_by_construction() -> None:
    program = split_heads(
        program_of("loss = sum(i: log(1 + exp(x[i]))*tanh(x[i]))", '[data]\nx = "real[N]"')
    )
    derived = reverse(program, "loss", ["x"])
    functions = [
        type(n)
        for e in new_equations(program, derived)
        for n in sympy.preorder_traversal(e.body)
        if isinstance(n, Scalar)
    ]
    assert functions == []


def test_an_argument_that_the_slope_names_is_a_tensor_too() -> None:
    data = '[data]\nx = "real[N]"'
    program = split_heads(program_of("loss = sum(i: log(1 + x[i]**2))", data))
    assert [str(e.body) for e in program.equations if e.assigns] == ["x[i]**2 + 1", "log(x_arg[i])"]
    program = split_heads(program_of("loss = sum(i: tanh(1 + x[i]**2))", data))
    assert [str(e.body) for e in program.equations if e.assigns] == ["tanh(x[i]**2 + 1)"]


def test_equal_heads_of_equal_boxes_are_one_tensor() -> None:
    body = "loss = sum(i: exp(x[i])*exp(x[i])*2 + exp(x[i])) + sum(i: exp(x[i]))"
    program = split_heads(program_of(body, '[data]\nx = "real[N]"'))
    assert sum(e.body.has(FUNCTIONS["exp"]) for e in program.equations) == 1


# ---- the passes of simplify ------------------------------------------------------------------

# pass: equations, outputs, and the tensors that nothing reads or writes any more
EXAMPLES: Mapping[str, tuple[str, tuple[str, ...], Callable[[Program, Program], bool]]] = {
    "fold constants": (
        "c = 2\ny[i] = c*x[i]\nloss = sum(i: y[i])", ("loss",),
        lambda before, after: "c" in reads_of(before) and "c" not in reads_of(after),
    ),
    "drop zeros": (
        "y[i] = x[i]\ny[i] += 0 for i < N\nloss = sum(i: y[i]**2)", ("loss",),
        lambda before, after: [e for e in before.equations if e.body != 0] == list(after.equations),
    ),
    "join copies": (
        "y[i] = x[i]\nz[i] = y[i]\nloss = sum(i: z[i]**2*y[i])", ("loss",),
        lambda before, after: {"y", "z"} <= reads_of(before) and reads_of(after) == {"x"},
    ),
    "cancel signs": (
        "a[i] = -x[i]\nb[i] = -a[i]\nloss = sum(i: tanh(b[i])*a[i])", ("loss",),
        lambda before, after: "b" in reads_of(before) and reads_of(after) == {"x", "a"},
    ),
    "share": (
        "a[i] = tanh(x[i])\nb[j] = tanh(x[j])\nc[i] = a[i]**2\nd[k] = b[k]**2\nloss = sum(i: c[i]*d[i])", ("loss",),
        lambda before, after: "d" in reads_of(before) and reads_of(after) == {"x", "a", "c"},
    ),
    "drop dead": (
        "a[i] = tanh(x[i])\nb[i] = a[i]**2\nloss = sum(i: x[i])", ("loss",),
        lambda before, after: [e.target.tensor for e in after.equations] == ["loss"],
    ),
    "share parts": (
        "h[i] = tanh(x[i])\na[i] = exp(h[i] - x[i])\nb[j] = x[j]*(h[j] - x[j])\nloss = sum(i: a[i]*b[i])", ("loss",),
        lambda before, after: [str(e.body) for e in after.equations[1:4]] == ["h[i] - x[i]", "exp(h_minus_x[i])", "h_minus_x[j]*x[j]"],
    ),
}  # fmt: skip

# What looks like a pass's form, and is not.
TRAPS = {
    "a constant written twice": "c = 2\nc += 3\nloss = sum(i: c*x[i])",
    "a constant that is an output": "c = 2\nloss = sum(i: c*x[i])",
    "a zero alone": "c[i] = 0 for i < N\nloss = sum(i: (c[i] + x[i])**2)",
    "zeros only": "c[i] = 0 for i < N\nc[i] += 0 for i < N\nloss = sum(i: (c[i] + x[i])**2)",
    "a transposed copy": "c[i,j] = q[j,i]\nloss = sum(i,j: c[i,j]*q[i,j]**2)",
    "a reversed copy": "c[i] = x[N-1-i] for i < N\nloss = sum(i: c[i]*x[i]**2)",
    "a shifted copy": "c[i] = pad(x[i-1]) for i < N\nloss = sum(i: c[i]*x[i]**2)",
    "a copy in part": "c[i] = x[i] for i < N - 1\nc[N-1] = 1\nloss = sum(i: c[i]*x[i])",
    "a copy and more": "c[i] = x[i]\nc[i] += 1 for i < N\nloss = sum(i: c[i]**2)",
    "a copy along an axis": "c[i,j] = x[i] for i < N, j < N\nloss = sum(i,j: c[i,j]*q[i,j])",
    "a copy of integers": "c[i] = k[i]\nloss = sum(i: c[i]*x[i]/2)",
    "a gathered copy": "c[i] = x[k[i]]\nloss = sum(i: c[i]*x[i])",
    "the same but for a stop": "a[i] = stop(x[i])**2\nb[i] = x[i]**2\nloss = sum(i: a[i]*b[i])",
    "the same but for a transpose": "a[i,j] = q[i,j]**2\nb[i,j] = q[j,i]**2\nloss = sum(i,j: a[i,j]*b[i,j]*q[i,j])",
    "the same but for an axis": "a[i] = sum(j: q[i,j])\nb[i] = sum(j: q[j,i])\nloss = sum(i: a[i]*b[i]**2)",
    "the same but for a range": "a = sum(i: x[i])\nb = sum(i: x[i]) for i < N - 1\nloss = a*b",
    "the same but for the op": "a = sum(i: x[i])\nb = logsumexp(i: x[i])\nloss = a*b",
    "the same function over less": "a = sum(i: exp(x[i])) for i < N - 1\nb = sum(i: exp(x[i])) for i < N\nloss = a*b",
    "the same function over other places": "a = sum(i: exp(x[i])) for 1 <= i < N\nb = sum(i: exp(x[i])) for i < N - 1\nloss = a*b",
    "two that become one and cancel": "a[i] = x[i]**2\nb[i] = x[i]**2\nloss = sum(i: (a[i] - b[i])*x[i] + a[i])",
    "signs at other places": "a[i] = -x[N-1-i] for i < N\nb[i] = -a[i]\nloss = sum(i: b[i]*x[i])",
    "signs of a part": "a[i] = -x[i] for i < N - 1\na[N-1] = 1\nb[i] = -a[i]\nloss = sum(i: b[i]*x[i])",
    "recurrences alike": "a[0] = 1\na[i+1] = a[i]*x[i]\nb[0] = 1\nb[i+1] = b[i]*x[i]\nloss = a[N]*b[N-1]",
    "signs three deep": "r[i] = -x[i]\nt[i] = -r[i]\nu[i] = -t[i]\nloss = sum(i: r[i]*t[i]**2*u[i]**3)",
    "signs of an output": "r[i] = -x[i]\nt[i] = -r[i]\nloss = sum(i: t[i]**3*r[i])",
    "signs of a transpose": "r[i,j] = -q[i,j]\nt[i,j] = -r[j,i]\nloss = sum(i,j: t[i,j]*q[i,j]**2)",
    "signs in part": "r[i] = -x[i]\nt[i] = -r[i] for i < N - 1\nt[N-1] = 2\nloss = sum(i: t[i]**3)",
    "signs of integers": "r[i] = -k[i]/1\nt[i] = -r[i]\nloss = sum(i: t[i]*x[i]/2)",
    "a copy of an output": "y[i] = x[i]**2\nz[i] = y[i]\nloss = sum(i: z[i]*y[i])",
}  # fmt: skip
TRAP_DATA = '[sizes]\nN = "n"\n[data]\nx = "real[N]"\nq = "real[N, N]"\nk = "int[N] < N"'
TRAP_OUTPUTS = {
    "a constant that is an output": ("c", "loss"),
    "zeros only": ("c", "loss"),
    "two that become one and cancel": ("a", "b", "loss"),
    "a copy of an output": ("z", "y", "loss"),
    "signs of an output": ("t", "loss"),
}


def reads_of(program: Program) -> set[str]:
    return {a.tensor for e in program.equations for a in e.reads}


def test_every_pass_has_an_example() -> None:
    assert [name for name, _ in PASSES] == list(EXAMPLES)


@pytest.mark.parametrize(("name", "rewrite"), PASSES, ids=[name for name, _ in PASSES])
def test_a_pass_does_what_its_name_says(name: str, rewrite: Callable[[Program], Program]) -> None:
    equations, outputs, does = EXAMPLES[name]
    program = program_of(equations, '[sizes]\nN = "n"\n[data]\nx = "real[N]"', outputs)
    changed = rewrite(program)
    assert does(program, changed), [str(e.body) for e in changed.equations]
    x = np.array([0.5, -1.0, 2.0])
    before, after = (evaluate(p, {"x": x}, {"N": 3}).values["loss"] for p in (program, changed))
    assert_agree(name, after, before, 1.0)


@EACH
@pytest.mark.parametrize(("step", "rewrite"), PASSES, ids=[name for name, _ in PASSES])
def test_a_pass_changes_no_value(
    name: str, step: str, rewrite: Callable[[Program], Program]
) -> None:
    program = PROGRAMS[name][0]
    changed = rewrite(program)
    assert len(changed.equations) <= len(program.equations) or rewrite is share_parts
    if changed != program:
        assert_preserved(name, changed)


RARE = {"drop zeros", "cancel signs"}
"""The passes that no spec of the catalogue and no case calls for by itself."""


def test_every_pass_finds_something_in_some_gradient() -> None:
    """Where it stands in the list, that is, after the passes before it."""
    busy = set()
    for program, _, _ in PROGRAMS.values():
        for step, rewrite in PASSES:
            changed = rewrite(program)
            busy |= {step} if changed != program else set()
            program = changed
    assert busy >= {step for step, _ in PASSES} - RARE


@EACH
def test_all_passes_together_change_no_value_and_no_pass_finds_more(name: str) -> None:
    program = PROGRAMS[name][0]
    small = simplify(split_heads(program))
    assert_preserved(name, small)
    fewer = simplify(split_heads(program), parts=False)
    assert len(fewer.equations) <= len(split_heads(program).equations)
    assert simplify(small) == small


def trap_values() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(8)
    return {"x": rng.normal(size=4), "q": rng.normal(size=(4, 4)), "k": np.array([3, 1, 1, 0])}


def test_of_zeros_alone_one_stays_so_that_something_writes_the_tensor() -> None:
    program = program_of(TRAPS["zeros only"], TRAP_DATA, ("c", "loss"))
    assert [e.body for e in simplify(program).writers["c"]] == [0]


@pytest.mark.parametrize("trap", TRAPS)
def test_what_only_looks_like_a_form_is_emitted_right(trap: str) -> None:
    outputs = TRAP_OUTPUTS.get(trap, ("loss",))
    spec, given = spec_of(TRAPS[trap], TRAP_DATA, outputs), trap_values()
    came = called(imported(generate(spec), spec.name), "forward", None, spec, given)
    expected = evaluate(spec.shared, given, {"N": 4}).values
    for name, value in zip(outputs, came if len(outputs) > 1 else (came,), strict=True):
        assert_agree(f"{trap}: {name}", value, expected[name], 10.0)


@pytest.mark.parametrize("trap", TRAPS)
def test_what_only_looks_like_a_form_is_left_right(trap: str) -> None:
    outputs = TRAP_OUTPUTS.get(trap, ("loss",))
    program = program_of(TRAPS[trap], TRAP_DATA, outputs)
    given = trap_values()
    before = evaluate(program, given, {"N": 4}).values
    rewrites = [*(rewrite for _, rewrite in PASSES), simplify, lambda p: simplify(split_heads(p))]
    for rewrite in rewrites:
        after = evaluate(rewrite(program), given, {"N": 4}, outputs=outputs).values
        for name in outputs:
            assert_agree(f"{trap}: {name}", after[name], before[name], 10.0)
    grads = [reverse(p, "loss", ["x", "q"]) for p in (program, simplify(program))]
    expected, came = (
        evaluate(g.program, given, {"N": 4}, outputs=g.result.values()).values for g in grads
    )
    for x in ("x", "q"):
        assert_agree(f"{trap}: d{x}", came[grads[1].result[x]], expected[grads[0].result[x]], 10.0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_gradient_of_the_simplified_program_is_the_gradient(case: Any) -> None:
    program = replace(case.loss.program, outputs=("loss",))
    g, small = (
        reverse(p, "loss", case.loss.wrt)
        for p in (program, simplify(split_heads(simplify(program))))
    )
    before = run(g.program, case.values, case.sizes, *g.result.values())
    after = run(small.program, case.values, case.sizes, *small.result.values())
    for x in case.loss.wrt:
        value, scale = (part[g.result[x]] for part in (before.values, before.magnitudes))
        assert_agree(f"{case.name}: d{x}", after.values[small.result[x]], value, scale)
