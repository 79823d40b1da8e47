"""A recurrence that is evaluated place by place has the values that it settles at."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from symgrad.algebra.derive import reverse
from symgrad.algebra.program import Program
from symgrad.catalog.builtin import spec_path
from symgrad.spec import load, parse_spec
from symgrad.verify import points
from symgrad.verify.arithmetic import FLOAT64, Array, Digits, Numbers
from symgrad.verify.evaluate import Result, evaluate
from symgrad.verify.graph import Node
from symgrad.verify.instance import small_instance
from symgrad.verify.nearby import Point
from symgrad.verify.points import Layout

DATA = '[sizes]\nN = 5\n[data]\nx = "real[N]"\n'
IN_ORDER = {
    "upwards": "h[0] = x[0]\nh[t+1] = tanh(x[t]*h[t])\nloss = sum(t: h[t]**2)",
    "downwards": "h[N-1] = x[N-1]\nh[t] = sin(h[t+1]*x[t]) for t < N - 1\nloss = h[0]**2",
    "two back": "h[t] = sin(pad(h[t-1])) + pad(h[t-2])*x[t] + x[t] for t < N\nloss = h[N-1]*h[1]",
    "two tensors": "h[0] = x[0]\nh[t+1] = sin(c[t]) + x[t+1] for t < N - 1\nc[t] = h[t]*x[t] for t < N\nloss = sum(t: h[t]*c[t])",
    "branches and a stop": "h[0] = x[0]\nh[t+1] = relu(h[t] + x[t]) - abs(x[t])*stop(h[t]**2) for t < N - 1\nloss = sum(t: h[t]**2)",
    "a sum at each place": "h[0,j] = x[j]\nh[t+1,i] = tanh(sum(j: x[i]*h[t,j]*x[j])) for t < N - 1, i < N\nloss = sum(t, j: h[t,j]**2)",
    "an argmax at each place": "h[0,j] = x[j]\nk[t] = argmax(j: h[t,j] + 0*x[j]) for t < N\nh[t+1,j] = sin(2*h[t,j]) + x[k[t]] for t < N - 1, j < N\nloss = sum(t, j: h[t,j]**2)",
    "a pad": "h[t] = x[t] + pad(h[t-1])*x[t] for t < N\nloss = h[N-1]**2",
    "pads and a branch": "h[t,i] = relu(pad(g[t-1]) + pad(h[t-1,i]) + 0*x[i]) + x[t] for t < N\ng[t] = tanh(logsumexp(i: pad(h[t-1,i]))) + x[t] for t < N, i < N\nloss = sum(t, i: h[t,i]**2) + g[N-1]",
}  # fmt: skip


def program(text: str) -> Program:
    return (
        parse_spec(f'{DATA}[losses.l]\nwrt = ["x"]\nequations = """\n{text}\n"""', "r")
        .losses[0]
        .program
    )


def courses(one: Program, sizes: Mapping[str, int]) -> int:
    return len(Layout(one, sizes).order(one.outputs, (), ()).courses)


def nothing(*_: object) -> None:
    """No recurrence has an order."""


@pytest.mark.parametrize("numbers", [FLOAT64, Digits(60)], ids=["float64", "60 digits"])
@pytest.mark.parametrize("case", IN_ORDER)
def test_place_by_place_it_has_the_values_stops_and_branches_at_which_it_settles(
    case: str, numbers: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, x = program(IN_ORDER[case]), np.array([0.7, -0.4, 0.9, -1.1, 0.3])
    assert courses(one, {"N": 5}) == 1

    def found() -> Result:
        return evaluate(one, {"x": x}, {"N": 5}, numbers)

    ordered = found()
    held = evaluate(one, {"x": x + 0.5}, {"N": 5}, numbers, ordered.stops, held=ordered.branches)
    monkeypatch.setattr(points, "course_of", nothing)
    settled = found()
    again = evaluate(one, {"x": x + 0.5}, {"N": 5}, numbers, settled.stops, held=settled.branches)
    pairs = [(ordered.values, settled.values), (ordered.stops, settled.stops)]
    pairs += [(ordered.branches, settled.branches), (held.values, again.values)]
    for a, b in pairs:
        same(a, b)


@pytest.mark.parametrize("case", IN_ORDER)
def test_a_gradient_place_by_place_has_the_values_and_sizes_at_which_it_settles(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the loss reads with `pad`, its gradient writes so: places outside are met too."""
    one, x = program(IN_ORDER[case]), np.array([0.7, -0.4, 0.9, -1.1, 0.3])
    derived = reverse(one, "loss", ["x"])
    outputs = (derived.result["x"],)

    def found() -> Result:
        return evaluate(
            derived.program, {"x": x}, {"N": 5}, FLOAT64, outputs=outputs, magnitude=True
        )

    ordered = found()
    monkeypatch.setattr(points, "course_of", nothing)
    settled = found()
    for what in ("values", "stops", "branches"):
        same(getattr(ordered, what), getattr(settled, what))
    same(ordered.magnitudes, settled.magnitudes, 1e-9)  # a few digits are all that they need


def same(
    a: Mapping[str, Array] | Mapping[Node, Array], b: Mapping[object, Array], to: float = 1e-14
) -> None:
    assert a.keys() == b.keys()
    for name, array in a.items():
        there = b[name]
        assert np.allclose(array.astype(float), there.astype(float), rtol=to, atol=to), name


@pytest.mark.parametrize("name", ["gru", "lstm_policy"])
def test_the_recurrences_of_the_specs_have_an_order_and_probes_find_what_one_point_does(
    name: str,
) -> None:
    loss = load(spec_path(name)).losses[0]
    at = small_instance(loss.program, loss.value, (), 0)
    assert courses(loss.program, at.sizes)
    point = Point(loss.program, loss.value, at.values, at.sizes)
    rng = np.random.default_rng(0)
    by = {x: rng.normal(size=at.values[x].shape) for x in loss.wrt}
    steps = [-0.3, 1e-3, 0.7]
    near = point.probes([(by, step) for step in steps], held=False)
    for step, one in zip(steps, near, strict=True):
        assert float(one.loss) == pytest.approx(float(point.at(by, step)), rel=1e-13)
