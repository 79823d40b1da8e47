"""Networks by name are the equations that they stand for, and what other libraries compute."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from emitted import of_text
from network_cases import (
    CASES,
    DDPG,
    DOUBLE_DQN,
    HEAD,
    HEADS,
    MLP,
    RESIDUAL,
    SALIENCY,
    SCALARS,
    SIZES,
    Case,
    layer_spec,
    layer_text,
)
from programs import assert_agree, emitted_gradient, fresh_values, run

from symgrad import api
from symgrad.catalog.layer import GIVEN, UNSET, Layer
from symgrad.catalog.layers import ROWS
from symgrad.notation.initialisations import INITS
from symgrad.pipeline import derive
from symgrad.spec import Loss, Spec, define, parse_spec

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

    value, by = jax.jit(jax.value_and_grad(loss))({x: values[x] for x in found.loss.wrt})
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


# ---- what a spec's networks bring ------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_its_canonical_text_and_python_objects_say_the_same(case: Case) -> None:
    spec = spec_of(case)
    assert parse_spec(spec.canonical(), "named") == spec
    assert define("named", tomllib.loads(case.text)) == spec


@pytest.mark.parametrize("case", [RESIDUAL, DOUBLE_DQN, DDPG, SALIENCY], ids=lambda case: case.name)
def test_the_checker_passes_it(case: Case) -> None:
    report = api.check(spec_of(case))
    assert report.verdict == "PASS"
    assert all(block.entries > 0 for block in report.blocks)


def layer_texts(row: Layer) -> list[str]:
    """The layer as it stands, with an activation, and with each option at something else."""
    plain = layer_text(row)
    options = [
        f"{plain} {name}={other(name, default)}"
        for name, default in row.options
        if default != GIVEN
    ]
    return [plain, f"{plain} tanh", *options]


def other(name: str, default: str) -> str:
    """Another value for an option than its default."""
    if default == UNSET:
        return name
    if default.isdigit():
        return str(int(default) + 1)
    flags = {"true": "false", "false": "true"}
    return flags.get(
        default,
        "0.25"
        if default[0].isdigit()
        else "orthogonal(0.5)"
        if name == "init"
        else "constant(0.5)",
    )


def distinct() -> list[tuple[Layer, str]]:
    """Each layer text whose equations no other has: how parameters begin changes no gradient."""
    found = {
        parse_spec(layer_spec(row, text), "layer").losses[0].program.equations: (row, text)
        for row in ROWS
        for text in reversed(layer_texts(row))
    }
    return list(found.values())


LAYER_TEXTS = distinct()


@pytest.mark.parametrize(("row", "text"), LAYER_TEXTS, ids=[text for _, text in LAYER_TEXTS])
def test_the_checker_passes_every_layer_of_the_catalogue(row: Layer, text: str) -> None:
    """A row is picked up by itself; every gradient is that of 60-digit differences."""
    spec = parse_spec(layer_spec(row, text), "layer")
    report = api.check(spec)
    assert report.verdict == "PASS"
    assert {block.name for block in report.blocks} >= {*spec.losses[0].wrt}


def test_each_network_has_a_function_of_its_own() -> None:
    module = of_text(HEADS.text, "named").module
    params = module.init(np.random.default_rng(0))
    obs = np.random.default_rng(1).normal(size=(5, 4))
    trunk = np.tanh(obs @ params.trunk.W1.T + params.trunk.c1)
    np.testing.assert_allclose(module.trunk_forward(params, obs), trunk, rtol=1e-12)
    v = trunk @ params.v.W1.T + params.v.c1
    np.testing.assert_allclose(module.v_forward(params, obs), v, rtol=1e-12, atol=1e-15)
    assert not hasattr(module, "forward")
    single = of_text(MLP.text, "named").module
    assert "q" in single.OUTPUTS["forward"]
    assert not hasattr(single, "q_forward")


def test_networks_without_a_loss_are_a_module_to_run() -> None:
    text = HEADS.text[: HEADS.text.index("[losses")] + HEAD
    module = of_text(text, "named").module
    assert list(module.OPERATIONS) == ["trunk_forward", "pi_forward", "v_forward"]


def test_a_copy_starts_as_its_original_and_follows_it_no_further() -> None:
    module = of_text(DOUBLE_DQN.text, "named").module
    params = module.init(np.random.default_rng(0))
    np.testing.assert_array_equal(params.target.flat, params.q.flat)
    assert np.abs(params.q.flat).max() > 0
    params.q.W1[...] += 1
    assert (params.target.W1 != params.q.W1).all()
    params.target.flat += 0.5 * (params.q.flat - params.target.flat)
    np.testing.assert_allclose(params.q.W1 - params.target.W1, 0.5)


def test_a_held_network_is_in_no_gradient() -> None:
    module = of_text(DOUBLE_DQN.text, "named").module
    spec = spec_of(DOUBLE_DQN)
    assert spec.losses[0].wrt == ("q_W1", "q_c1", "q_W2", "q_c2")
    free = spec_of(replace(DOUBLE_DQN, named=DOUBLE_DQN.named.replace("held = true", "")))
    assert len(free.losses[0].wrt) == 8
    params = module.init(np.random.default_rng(0))
    rng = np.random.default_rng(2)
    data = {
        "obs": rng.normal(size=(5, 4)), "next_obs": rng.normal(size=(5, 4)), "act": rng.integers(0, 2, 5),
        "ret": rng.normal(size=5), "done": rng.random(5) < 0.5,
    }  # fmt: skip
    _, grads = module.value_and_grad(params, **data)
    assert grads.flat.size == params.q.flat.size
    assert not hasattr(grads, "target")


def test_scalars_have_their_defaults_and_can_be_given() -> None:
    module = of_text(SCALARS.text, "named").module
    params = module.init(np.random.default_rng(0))
    rng = np.random.default_rng(2)
    data = {"obs": rng.normal(size=(5, 4)), "ret": rng.normal(size=5)}
    default = module.value(params, **data)
    assert module.value(params, **data, gamma=0.99, slope=0.2, reach=0.1) == default
    assert module.value(params, **data, gamma=1.98) == pytest.approx(2 * default)
    for other in ({"slope": 0.9}, {"reach": 0.3}):
        assert module.value(params, **data, **other) != default


def test_sizes_can_be_chosen_when_parameters_are_made() -> None:
    module = of_text(MLP.text, "named").module
    params = module.init(np.random.default_rng(0), H=7)
    assert (params.W1.shape, params.W2.shape, params.W3.shape) == ((7, 4), (15, 7), (1, 15))
    assert module.forward(params, np.ones((2, 4))).shape == (2, 1)


def test_a_size_that_has_only_the_letter_of_a_transpose_is_not_asked_for() -> None:
    """T is a size of HEAD, and the code of a dense layer says W1.T."""
    module = of_text(MLP.text, "named").module
    assert "T" in module.SIZES
    for name in module.OPERATIONS:
        assert "T" not in inspect.signature(getattr(module, name)).parameters


INITIALISATIONS = [n for n in INITS if n not in ("constant", "orthogonal", "copy", "uniform")]
INITIALISATIONS += [
    "uniform(0.1)",
    "constant(0.25)",
    "constant(-3)",
    "orthogonal",
    "orthogonal(1.414)",
]


@pytest.mark.parametrize("init", INITIALISATIONS)
def test_a_layer_starts_as_a_parameter_of_the_same_init(init: str) -> None:
    named = f'[networks.q]\ninput = "obs"\nlayers = ["dense H tanh init={init}", "dense 2 bias_init=constant(0.5)"]\n'
    raw = f"""
outputs = ["q"]
equations = \"\"\"
z1[b,i] = sum(j: W1[i,j]*obs[b,j]) + c1[i]
h1[b,i] = tanh(z1[b,i])
q[b,i] = sum(j: W2[i,j]*h1[b,j]) + c2[i]
\"\"\"
[params]
W1 = "real[H, 4] init={init}"
c1 = "real[H]"
W2 = "real[2, H]"
c2 = "real[2] init=constant(0.5)"
"""
    one, other = (
        of_text(text + HEAD, "q").module.init(np.random.default_rng(5), H=6)
        for text in (named, raw)
    )
    np.testing.assert_array_equal(one.flat, other.flat)
    assert (one.c2 == 0.5).all()


def test_free_parameters_and_groups_by_hand_stand_beside_networks() -> None:
    text = (
        HEADS.text.replace("[losses.a2c]", "[losses.a2c]", 1)
        + """
[params]
log_std = "real[2] init=constant(-0.5)"
[params.scale]
middle = "real[4]"
spread = "real[4] init=constant(1)"
[losses.norm]
wrt = ["scale", "log_std", "v"]
equations = "loss = sum(i: scale_middle[i]**2 + scale_spread[i]) + exp(log_std[0]) + sum(b: v[b,0])"
"""
    )
    module = of_text(text, "named").module
    params = module.init(np.random.default_rng(0))
    assert params.log_std.tolist() == [-0.5, -0.5]
    assert params.scale.spread.tolist() == [1.0] * 4
    assert params.scale.flat.size == 8
    params.scale.middle = [1.0, 2.0, 3.0, 4.0]
    obs = np.ones((5, 4))
    value, grads = module.norm_value_and_grad(params, obs=obs)
    trunk = np.tanh(obs @ params.trunk.W1.T + params.trunk.c1)
    v = trunk @ params.v.W1.T + params.v.c1
    assert value == pytest.approx(30 + 4 + np.exp(-0.5) + v.sum(), rel=1e-12)
    np.testing.assert_allclose(grads.scale.middle, [2.0, 4.0, 6.0, 8.0])
    np.testing.assert_allclose(grads.log_std, [np.exp(-0.5), 0.0])
    np.testing.assert_allclose(grads.v.W1, trunk.sum(axis=0, keepdims=True), rtol=1e-12)
    assert grads.v.c1.tolist() == [5.0]
    assert not hasattr(grads, "trunk")


def test_an_input_gradient_goes_through_a_held_network() -> None:
    module = of_text(SALIENCY.text, "named").module
    params = module.init(np.random.default_rng(0))
    rng = np.random.default_rng(1)
    obs, act = rng.normal(size=(5, 4)), rng.integers(0, 2, 5)
    _, grads = module.value_and_grad(params, obs=obs, act=act)
    h = np.tanh(obs @ params.W1.T + params.c1)
    expected = (params.W2[act] * (1 - h**2)) @ params.W1
    np.testing.assert_allclose(grads.obs, expected, rtol=1e-12)


def test_an_application_is_computed_once_however_often_it_is_read() -> None:
    text = DOUBLE_DQN.text.replace(
        "loss = mean(b: (q[b,act[b]] - stop(y[b]))**2)",
        "loss = mean(b: (q[b,act[b]] - stop(y[b]))**2) + mean(b: q(next_obs)[b,0]*q(obs)[b,1])",
    )
    written = [e.target.tensor for e in parse_spec(text, "named").losses[0].program.equations]
    assert sum(name.startswith("q_h1") for name in written) == 2
