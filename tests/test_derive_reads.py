"""Reads turn into writes: recurrences, stop, argmax, masks, gathers, padding."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy
from programs import (
    CASES,
    ORDERS,
    assert_agree,
    fresh_values,
)
from small import assert_differences, gradients, new_equations, program_of
from sympy import Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.derive import forward, reverse
from symgrad.algebra.heads import split_heads
from symgrad.algebra.order import Loop, schedule
from symgrad.algebra.program import Equation, Program, Range, Tensor, make_equation, slot_symbol
from symgrad.algebra.scalars import (
    FUNCTIONS,
    Less,
    LessEqual,
    Select,
    absorb,
)
from symgrad.algebra.sizes import Size
from symgrad.errors import ProgramError
from symgrad.verify.evaluate import evaluate

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
