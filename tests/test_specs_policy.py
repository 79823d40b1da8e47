"""The built-in specs of policies: their parameters, and every loss against policy_oracles.py.

A new spec is a row of COUNTS and a function there. Draws are ordinary numbers, and awkward ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import prod
from typing import Any

import numpy as np
import pytest
from catalogue import EVERY, SPECS, at
from emitted import of_file
from policy_oracles import ORACLES
from programs import assert_agree, called, params_of

from symgrad.spec import Spec
from symgrad.verify.evaluate import evaluate

# Parameters of each network at the sizes that the spec is named for, those of copies left out. A network
# that is the only one has no group.
COUNTS: Mapping[str, Mapping[str, int]] = {
    "cartpole_ppo": {"actor": 4_610, "critic": 4_545},
    "cartpole_ppo_shared": {"trunk": 4_480, "actor": 130, "critic": 65},
    "halfcheetah_ppo": {"actor": 5_702, "log_std": 6, "critic": 5_377},
    "cartpole_a2c": {"actor": 4_610, "critic": 4_545},
    "halfcheetah_trpo": {"actor": 5_702, "log_std": 6, "critic": 5_377},
    "halfcheetah_ddpg": {"actor": 71_942, "critic": 72_193},
    "halfcheetah_td3": {"actor": 71_942, "critic_1": 72_193, "critic_2": 72_193},
    "halfcheetah_sac": {"log_alpha": 1, "actor": 73_484, "critic_1": 72_193, "critic_2": 72_193},
    "halfcheetah_bc": {"log_std": 6, "alone": 71_942},
    "halfcheetah_awr": {"log_std": 6, "actor": 10_950, "critic": 10_625},
    "halfcheetah_iql": {
        "log_std": 6,
        "actor": 71_942,
        "value": 70_657,
        "critic_1": 72_193,
        "critic_2": 72_193,
    },
    "dpo": {"policy": 2_208},
}
SIZES = {"B": 6, "S": 3, "A": 2, "H": 4, "H1": 4, "H2": 3, "T": 4, "V": 5, "D": 3}
DRAWS = ("ordinary", "one", "grid", "twins")


def spec_of(name: str) -> Spec:
    return EVERY[SPECS / f"{name}.toml"]


def drawn(spec: Spec, how: str) -> tuple[dict[str, Any], dict[str, int]]:
    """ordinary: normal numbers; one: a batch of one, and done; grid: parameters of 0, so that what
    is computed ties and meets its kinks, and data of -1, 0 and 1; twins: arrays of one shape are
    equal, so that two critics tie.
    """
    sizes = {name: SIZES[name] for name, _ in spec.sizes} | ({"B": 1} if how == "one" else {})
    rng = np.random.default_rng([5, *f"{spec.name} {how}".encode()])
    values: dict[str, Any] = {}
    for tensor in spec.tensors:
        shape = tuple(size.evaluate(sizes) for size in tensor.shape)
        if tensor.kind == "int":
            assert tensor.below is not None
            values[tensor.name] = rng.integers(0, tensor.below.evaluate(sizes), shape)
        elif tensor.kind == "bool":
            values[tensor.name] = rng.random(shape) < (1 if how == "one" else 0.5)
        elif tensor.default is not None:
            edge = how == "grid" and tensor.positive
            values[tensor.name] = np.float64(1 if edge else tensor.default)
        elif how == "grid":
            grid = rng.integers(-1, 2, shape).astype(float)
            values[tensor.name] = grid * (tensor.role == "data")
        else:
            seed = [6, *map(int, shape)] if how == "twins" and tensor.role == "param" else rng
            values[tensor.name] = 0.7 * np.random.default_rng(seed).normal(size=shape)
    return values, sizes


@cache
def oracle(jax: Any, name: str, loss: str) -> Any:
    """Value and aux of a loss, and the gradient by the first argument, which is by name."""

    def value(wrt: Any, others: Any) -> Any:
        return ORACLES[name](jax.numpy, jax.lax.stop_gradient, {**others, **wrt})[loss]

    return jax.jit(jax.value_and_grad(value, has_aux=True))


def compared(name: str, values: Mapping[str, Any], sizes: Mapping[str, int], jax: Any) -> int:
    """Each loss of the spec, its aux and its gradient are the oracle's: how many numbers."""
    emitted, count = of_file(SPECS / f"{name}.toml"), 0
    spec, module = emitted.spec, emitted.module
    params = params_of(module, spec, values, sizes)
    for loss in spec.losses:
        wrt = {x: values[x] for x in loss.wrt}
        others = {x: v for x, v in values.items() if x not in wrt}
        (value, aux), by = oracle(jax, name, loss.name)(wrt, others)
        prefix = "" if len(spec.losses) == 1 else f"{loss.name}_"
        came, grads = called(module, f"{prefix}value_and_grad", params, spec, values)
        came, beside = came if isinstance(came, tuple) else (came, {})
        derived = emitted.derived_stable[loss.name].derived
        names = (*loss.program.outputs, *derived.result.values())
        scale = evaluate(derived.program, values, sizes, outputs=names, magnitude=True).magnitudes
        what = f"{name}, {loss.name}"
        count += assert_agree(what, came, value, scale[loss.value])
        assert {*beside} == {*aux}
        for x, number in aux.items():
            count += assert_agree(f"{what}: {x}", beside[x], number, scale[x])
        for x in loss.wrt:
            count += assert_agree(f"{what}: d{x}", at(grads, x), by[x], scale[derived.result[x]])
    return count


def test_every_spec_of_a_policy_has_a_row_and_an_oracle() -> None:
    assert [*COUNTS] == [*ORACLES]


@pytest.mark.parametrize("name", COUNTS)
def test_a_spec_has_the_parameters_of_its_standard_size(name: str) -> None:
    spec, counts = spec_of(name), dict.fromkeys(COUNTS[name], 0)
    defaults = {size: default or 1 for size, default in spec.sizes}
    group_of = {tensor: group for group, names in spec.groups for tensor in names}
    for tensor in spec.tensors:
        if tensor.role == "param" and not str(tensor.init).startswith("copy"):
            size = prod(size.evaluate(defaults) for size in tensor.shape)
            group = group_of.get(tensor.name, tensor.name)
            counts[group if group in counts else "alone"] += size
    assert counts == COUNTS[name]


@pytest.mark.parametrize("how", DRAWS)
@pytest.mark.parametrize("name", ORACLES)
def test_losses_aux_and_gradients_are_those_of_jax(name: str, how: str, jax: Any) -> None:
    spec = spec_of(name)
    assert compared(name, *drawn(spec, how), jax) >= 1 + sum(len(x.wrt) for x in spec.losses)


# ---- PPO ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cartpole_ppo", "cartpole_ppo_shared"])
def test_at_the_edge_of_the_clip_the_ratio_is_learned_and_beyond_it_is_not(name: str) -> None:
    """Logits of 0 and a ratio of exactly 1 + eps: a tie of min, whose first side counts."""
    spec = spec_of(name)
    values, sizes = drawn(spec, "grid")
    logp = -np.log(np.full(sizes["B"], 2.0))
    values |= {"logp_old": logp - 0.5, "advantage": np.ones(sizes["B"])}
    edge = np.exp(logp - values["logp_old"])[0] - 1
    module = of_file(SPECS / f"{name}.toml").module
    params = params_of(module, spec, values, sizes)
    biases = {}
    for eps in (edge, 10.0, np.nextafter(edge, 0)):
        _, grads = called(module, "value_and_grad", params, spec, values | {"eps": eps})
        biases[eps] = np.array(grads.actor.c3 if name == "cartpole_ppo" else grads.actor.c1)
    at_the_edge, never_clipped, beyond = biases.values()
    np.testing.assert_array_equal(at_the_edge, never_clipped)
    assert (at_the_edge != 0).all()
    assert (beyond == 0).all()
