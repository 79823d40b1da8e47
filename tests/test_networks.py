"""Networks by name are the equations that they stand for, and what other libraries compute."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from emitted import of_text
from network_cases import CASES, SIZES, Case
from programs import assert_agree, emitted_gradient, fresh_values, run

from symgrad.catalog.layers import ROWS
from symgrad.pipeline import derive
from symgrad.spec import Loss, Spec, parse_spec

EVERY = [(case, loss) for case in CASES for loss in case.losses]
EACH = pytest.mark.parametrize(
    ("case", "loss_name"), EVERY, ids=[f"{c.name} {n}".strip() for c, n in EVERY]
)


@cache
def spec_of(case: Case) -> Spec:
    return parse_spec(case.text, "named")


def loss_of(spec: Spec, name: str) -> Loss:
    return spec.loss(name or None)


class Gradient:
    """The emitted module's value and gradient at seeded inputs, and S of each entry."""

    def __init__(self, spec: Spec, loss: Loss, values: Mapping[str, Any]) -> None:
        self.loss, self.values = loss, values
        self.value, self.by = emitted_gradient(spec, loss, values, SIZES)
        derived = derive(loss).derived
        naive = run(derived.program, values, SIZES, loss.value, *derived.result.values())
        self.scale = naive.magnitudes[loss.value]
        self.scales = {x: naive.magnitudes[derived.result[x]] for x in loss.wrt}

    def agrees_with(self, what: str, value: Any, by: Mapping[str, Any]) -> None:
        assert_agree(f"{what}: the loss", self.value, value, self.scale)
        assert set(by) >= set(self.loss.wrt)
        for x in self.loss.wrt:
            assert_agree(f"{what}: d{x}", self.by[x], by[x], self.scales[x])


@cache
def gradient(case: Case, loss_name: str) -> Gradient:
    loss = loss_of(spec_of(case), loss_name)
    return Gradient(spec_of(case), loss, fresh_values(loss.program, SIZES, seed=4))


# ---- the numbers -----------------------------------------------------------------------------


@EACH
def test_value_and_gradients_are_those_of_jax(case: Case, loss_name: str, jax: Any) -> None:
    found = gradient(case, loss_name)
    values = {n: jax.numpy.asarray(v) for n, v in found.values.items()}

    def loss(chosen: Mapping[str, Any]) -> Any:
        p = SimpleNamespace(**{**values, **chosen})
        return case.losses[loss_name](jax.numpy, jax.nn, jax.lax.stop_gradient, p)

    value, by = jax.value_and_grad(loss)({x: values[x] for x in found.loss.wrt})
    found.agrees_with("JAX", value, by)


@EACH
def test_the_same_program_in_equations_gives_the_same_numbers(case: Case, loss_name: str) -> None:
    named, found = spec_of(case), gradient(case, loss_name)
    wrt = {name: loss_of(named, name).wrt for name in case.losses}
    raw = parse_spec(case.raw(wrt), "raw")
    same = loss_of(raw, loss_name)
    assert same.wrt == found.loss.wrt
    value, by = emitted_gradient(raw, same, found.values, SIZES)
    found.agrees_with("equations", value, by)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_parameters_have_the_names_shapes_and_groups_of_the_case(case: Case) -> None:
    module = of_text(case.text, "named").module
    sizes = {"B": "B", "H": "H"}
    expected = {
        f"{group}.{name}".removeprefix("."): tuple(
            sizes.get(axis, axis) for axis in axes.split(", ")
        )
        for group, tensors in case.params.items()
        for name, axes in tensors.items()
    }
    came = {
        n: tuple(a.replace(" ", "") for a in row["axes"]) for n, row in module.PARAMETERS.items()
    }
    assert came == expected
    params = module.init(np.random.default_rng(0))
    for name, row in module.PARAMETERS.items():
        *group, last = name.split(".")
        holder = getattr(params, group[0]) if group else params
        array = getattr(holder, last)
        assert array.shape == row["shape"]
        assert np.shares_memory(array, params.flat)
        start = row["offset"]
        np.testing.assert_array_equal(params.flat[start : start + array.size], array.ravel())
    assert params.flat.size == sum(int(np.prod(r["shape"])) for r in module.PARAMETERS.values())


# ---- torch -----------------------------------------------------------------------------------


def test_a_sequential_network_is_torchs(torch: Any) -> None:
    """nn.Sequential with every layer that there is, its weights copied one by one."""
    text = """
loss = "squared_error(q[b,0], ret)"
[sizes]
B = "batch"
[networks.q]
input = "obs"
layers = ["dense 7 tanh", "layernorm", "dense 5 relu", "dense 3 elu(0.7)", "dense 1"]
[data]
obs = "real[B, 4]"
ret = "real[B]"
"""
    nn = torch.nn
    network = nn.Sequential(
        nn.Linear(4, 7), nn.Tanh(), nn.LayerNorm(7), nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 3), nn.ELU(0.7), nn.Linear(3, 1),
    ).double()  # fmt: skip
    assert {row.name for row in ROWS} == {"dense", "layernorm"}
    spec = parse_spec(text, "q")
    loss = spec.losses[0]
    values = {**fresh_values(loss.program, {"B": 6}, seed=1)}
    names = [t.name for t in spec.tensors if t.role == "param"]
    with torch.no_grad():
        for own, name in zip(network.parameters(), names, strict=True):
            own.copy_(torch.as_tensor(values[name]))
    obs, ret = (torch.as_tensor(values[n]) for n in ("obs", "ret"))
    value = ((network(obs)[:, 0] - ret) ** 2).mean()
    value.backward()
    by = {n: p.grad.numpy() for n, p in zip(names, network.parameters(), strict=True)}
    came, grads = emitted_gradient(spec, loss, values, {"B": 6})
    derived = derive(loss).derived
    scales = run(derived.program, values, {"B": 6}, *derived.result.values()).magnitudes
    assert came == pytest.approx(value.item(), rel=1e-12)
    for name in names:
        assert_agree(f"torch: d{name}", grads[name], by[name], scales[derived.result[name]])
