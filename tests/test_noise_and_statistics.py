"""Layers that read noise or running statistics, which are data: how they start, learn and act."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from emitted import of_text

from symgrad.statistics import running_statistics

NOISY = """
loss = "q_learning(q, act, ret, gamma, target(next_obs))"
[sizes]
B = "batch"
H = 9
[networks.q]
input = "obs"
layers = ["noisy H tanh noise=e", "noisy 2 noise=f"]
[networks.target]
copy_of = "q"
held = true
instead = { e = "e_t", f = "f_t" }
[data]
obs = "real[B, 4]"
next_obs = "real[B, 4]"
act = "int[B] < 2"
ret = "real[B]"
gamma = "real = 0.9"
e = "real[4 + H]"
f = "real[H + 2]"
e_t = "real[4 + H]"
f_t = "real[H + 2]"
"""


def test_a_noisy_layer_starts_as_in_its_paper() -> None:
    """Fortunato et al. 2018, section 3.2: uniform in 1/sqrt(p), and 0.5/sqrt(p), of p inputs."""
    params = of_text(NOISY).module.init(np.random.default_rng(0), H=400).q
    for number, inputs in ((1, 4), (2, 400)):
        W, S, c, s = (getattr(params, f"{name}{number}") for name in "WScs")
        assert 0.99 / np.sqrt(inputs) < np.abs(W).max() <= 1 / np.sqrt(inputs)
        assert 0 < np.abs(c).max() <= 1 / np.sqrt(inputs)
        np.testing.assert_allclose(S, 0.5 / np.sqrt(inputs), rtol=1e-15)
        np.testing.assert_allclose(s, 0.5 / np.sqrt(inputs), rtol=1e-15)
    assert np.abs(params.c1).max() > 0.9 / 2


def test_without_noise_it_is_a_dense_layer_of_its_means() -> None:
    module = of_text(NOISY).module
    rng = np.random.default_rng(1)
    params, obs = module.init(rng), rng.normal(size=(5, 4))
    q = module.q_forward(params, obs, e=np.zeros(13), f=np.zeros(11))
    W1, c1, W2, c2 = (getattr(params.q, name) for name in ("W1", "c1", "W2", "c2"))
    np.testing.assert_allclose(q, np.tanh(obs @ W1.T + c1) @ W2.T + c2, rtol=1e-12)
    noise = {"e": rng.normal(size=13), "f": rng.normal(size=11)}
    assert np.abs(module.q_forward(params, obs, **noise) - q).max() > 0.01


def test_a_copy_may_read_other_tensors_than_its_original() -> None:
    """The target has noise of its own, and so no part in the gradient of the other's."""
    module = of_text(NOISY).module
    rng = np.random.default_rng(2)
    params = module.init(rng)
    data = {
        "obs": rng.normal(size=(5, 4)), "next_obs": rng.normal(size=(5, 4)), "act": rng.integers(0, 2, 5), "ret": rng.normal(size=5),
        "e": rng.normal(size=13), "f": rng.normal(size=11), "e_t": rng.normal(size=13), "f_t": rng.normal(size=11),
    }  # fmt: skip
    after = module.q_forward(params, data["next_obs"], e=data["e_t"], f=data["f_t"])
    q = module.q_forward(params, data["obs"], e=data["e"], f=data["f"])
    td = q[np.arange(5), data["act"]] - data["ret"] - 0.9 * after.max(axis=1)
    np.testing.assert_allclose(module.value(params, **data), np.mean(td**2), rtol=1e-12)


NORMED = {
    "batchnorm": "real[B, 4]",
    "batchnorm2d": "real[B, 4, 3, 2]",
}
NORM = """
equations = "loss = sum({axes}: q[{axes}]**3)"
wrt = ["q", "x"]
aux = ["m1", "v1"]
[sizes]
B = "batch"
[networks.q]
input = "x"
layers = ["{layer} running_mean=mean_r running_var=var_r training=training"]
[data]
x = "{shape}"
mean_r = "real[4]"
var_r = "real[4]"
training = "bool"
"""


def modes(layer: str) -> Any:
    shape = NORMED[layer]
    axes = "b,i,k,l"[: 2 * shape.count(",") + 1]
    return of_text(NORM.format(layer=layer, shape=shape, axes=axes)).module


def theirs(torch: Any, net: Any, x: np.ndarray) -> tuple[float, Mapping[str, np.ndarray]]:
    """PyTorch's loss and gradients, by the names of here."""
    net.zero_grad()
    given = torch.as_tensor(x).requires_grad_()
    loss = (net(given) ** 3).sum()
    loss.backward()
    return loss.item(), {"g1": net.weight.grad, "s1": net.bias.grad, "x": given.grad}


@pytest.mark.parametrize("layer", NORMED)
def test_training_evaluation_and_running_statistics_are_pytorchs(layer: str, torch: Any) -> None:
    """Three batches in training mode, and then two in evaluation, one of a single row."""
    torch.manual_seed(0)
    net = (torch.nn.BatchNorm2d if layer.endswith("2d") else torch.nn.BatchNorm1d)(4).double()
    module, rng = modes(layer), np.random.default_rng(1)
    with torch.no_grad():
        net.weight += torch.randn(4)
        net.bias += torch.randn(4)
    params = module.init(rng)
    module.load_state_dict(params, dict(net.named_parameters()))
    mean, var = np.zeros(4), np.ones(4)
    for training, batch in ((True, 5), (True, 7), (True, 2), (False, 6), (False, 1)):
        net.train(training)
        x = rng.normal(0.5, 2.0, (batch, *map(int, re.findall(r"\d+", NORMED[layer]))))
        expected, by = theirs(torch, net, x)
        (loss, aux), grads = module.value_and_grad(
            params, x=x, mean_r=mean, var_r=var, training=training
        )
        assert loss == pytest.approx(expected, rel=1e-12)
        for name, gradient in by.items():
            largest = np.abs(gradient.numpy()).max()
            np.testing.assert_allclose(
                getattr(grads, name), gradient, rtol=1e-10, atol=1e-13 * largest
            )
        if training:
            mean, var = running_statistics(mean, var, aux["m1"], aux["v1"], count=x.size // 4)
        np.testing.assert_allclose(mean, net.running_mean, rtol=1e-13)
        np.testing.assert_allclose(var, net.running_var, rtol=1e-13)


def test_at_given_statistics_rows_do_not_touch_one_another() -> None:
    text = NORM.replace(" training=training", "").replace('training = "bool"\n', "")
    text = text.replace('aux = ["m1", "v1"]\n', "")
    module = of_text(text.format(layer="batchnorm", shape="real[B, 4]", axes="b,i")).module
    rng = np.random.default_rng(2)
    params, x = module.init(rng), rng.normal(size=(6, 4))
    given = {"mean_r": rng.normal(size=4), "var_r": rng.random(4)}
    whole = module.forward(params, x, **given)
    rows = [module.forward(params, x[n : n + 1], **given) for n in range(6)]
    np.testing.assert_allclose(whole, np.concatenate(rows), rtol=1e-14)
    np.testing.assert_allclose(whole, (x - given["mean_r"]) / np.sqrt(given["var_r"] + 1e-5))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"count": 1}, "at least 2 entries"),
        ({"momentum": 1.5}, r"in \[0, 1\]"),
        ({"batch_var": np.ones(3)}, "expected one"),
    ],
)
def test_running_statistics_refuse_what_does_not_fit(wrong: Mapping[str, Any], said: str) -> None:
    given = {name: np.ones(4) for name in ("mean", "var", "batch_mean", "batch_var")}
    with pytest.raises(ValueError, match=said):
        running_statistics(**{**given, "count": 5, **wrong})
