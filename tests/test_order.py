"""What stands on a cycle, and what stays outside of its loop."""

from __future__ import annotations

import types

import numpy as np

from symgrad.algebra.order import Loop, schedule
from symgrad.pipeline import derive, generate
from symgrad.spec import parse_spec
from symgrad.verify.evaluate import evaluate

FIXED_PLACE = '''
equations = """
h[b,0,i] = tanh(sum(j: A[i,j]*x[b,0,j]))
z[b,t,i] = sum(j: U[i,j]*h[b,t,j]) + x[b,t,i]
h[b,t+1,i] = tanh(z[b,t,i]) + h[b,0,i]
loss = mean(b: sum(t,i: h[b,t+1,i]**2)) + mean(b: sum(i: h[b,0,i]**3)) for t < T
"""
[sizes]
B = "batch"
T = "time"
[params]
A = "real[3, 3]"
U = "real[3, 3]"
[data]
x = "real[B, T, 3]"
'''


def test_a_read_of_a_fixed_place_is_no_part_of_the_cycle() -> None:
    program = parse_spec(FIXED_PLACE, "skip").losses[0].program
    (loop,) = (group for group in schedule(program) if isinstance(group, Loop))
    assert [str(step.equation.target) for step in loop.steps] == ["z[b,t,i]", "h[b,t+1,i]"]
    assert not loop.backward


def test_its_gradient_is_right_and_the_adjoint_of_the_fixed_place_is_outside_too() -> None:
    spec = parse_spec(FIXED_PLACE, "skip")
    gradient = derive(spec.losses[0])
    loops = [g for g in schedule(gradient.derived.program) if isinstance(g, Loop)]
    assert [loop.backward for loop in loops] == [False, True]
    assert all(s.equation.target.subscripts[1].terms for loop in loops for s in loop.steps)  # type: ignore[union-attr]
    rng = np.random.default_rng(0)
    values = {name: rng.normal(size=(3, 3)) for name in ("A", "U")}
    x = rng.normal(size=(2, 4, 3))
    module = types.ModuleType("skip")
    exec(generate(spec), module.__dict__)
    params = module.Params(np.concatenate([values["A"].ravel(), values["U"].ravel()]))
    _, grads = module.value_and_grad(params, x=x)
    exact = evaluate(gradient.derived.program, {**values, "x": x}, {"B": 2, "T": 4}).values
    for name, adjoint in gradient.derived.result.items():
        np.testing.assert_allclose(getattr(grads, name), exact[adjoint], rtol=1e-12)
