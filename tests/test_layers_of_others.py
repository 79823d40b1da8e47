"""Convolutions, embeddings, recurrences and attention are PyTorch's, in value and gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from emitted import of_text

Apply = Callable[[Any, Any, Any, Mapping[str, Any]], Any]


@dataclass(frozen=True)
class Case:
    """Layers over x, and the same in PyTorch.

    theirs: from torch to a module; its state_dict loads.
    apply:  its output, from (torch, module, x, data).
    data:   the types of what the layers name beside x.
    """

    name: str
    layers: str
    x: str
    theirs: Callable[[Any], Any]
    apply: Apply = lambda torch, net, x, data: net(x)
    data: Mapping[str, str] = field(default_factory=dict)


def started(torch: Any, net: Any, x: Any, data: Mapping[str, Any]) -> Any:
    """A recurrence from a given state."""
    first = data["h0"][None]
    return net(x, (first, data["c0"][None]) if "c0" in data else first)[0]


def anew(torch: Any, net: Any, x: Any, data: Mapping[str, Any]) -> Any:
    """A recurrence whose state is 0 again wherever a sequence begins, row by row."""
    rows = []
    for row, start in zip(x, data["start"], strict=True):
        cuts = [0, *(t for t in range(1, len(row)) if start[t]), len(row)]
        parts = [net(row[None, a:b])[0][0] for a, b in pairwise(cuts)]
        rows.append(torch.cat(parts))
    return torch.stack(rows)


def heads(torch: Any, net: Any, x: Any, data: Mapping[str, Any]) -> Any:
    """Two heads of width 3, by PyTorch's own function."""
    q, k, v = (f(x).reshape(*x.shape[:2], 2, 3).transpose(1, 2) for f in (net.q, net.k, net.v))
    seen = data["valid"][:, None, None, :] if "valid" in data else None
    attended = torch.nn.functional.scaled_dot_product_attention
    mixed = attended(q, k, v, attn_mask=seen, is_causal=seen is None)
    return net.o(mixed.transpose(1, 2).reshape(*x.shape[:2], 6))


def projections(torch: Any) -> Any:
    net = torch.nn.Module()
    for name in "qkv":
        setattr(net, name, torch.nn.Linear(4, 6))
    net.o = torch.nn.Linear(6, 4)
    return net


def noisy(torch: Any) -> Any:
    net = torch.nn.Module()
    for kind in ("mu", "sigma"):
        setattr(net, f"weight_{kind}", torch.nn.Parameter(torch.randn(3, 4)))
        setattr(net, f"bias_{kind}", torch.nn.Parameter(torch.randn(3)))
    return net


def disturbed(torch: Any, net: Any, x: Any, data: Mapping[str, Any]) -> Any:
    """A linear layer with the noise of its 4 inputs and its 3 outputs on every weight and bias."""
    inputs, outputs = (e.sign() * e.abs().sqrt() for e in (data["e"][:4], data["e"][4:]))
    weight = net.weight_mu + net.weight_sigma * torch.outer(outputs, inputs)
    return torch.nn.functional.linear(x, weight, net.bias_mu + net.bias_sigma * outputs)


CASES = (
    Case("a convolution", '"conv2d 3 2"', "real[B, 2, 5, 4]", lambda t: t.nn.Conv2d(2, 3, 2)),
    Case("strided, padded and dilated", '"conv2d 3 3 stride=2 padding=3 dilation=2"', "real[B, 2, 7, 8]", lambda t: t.nn.Conv2d(2, 3, 3, stride=2, padding=3, dilation=2)),
    Case("without a bias", '"conv2d 2 1 bias=false"', "real[B, 3, 2, 2]", lambda t: t.nn.Conv2d(3, 2, 1, bias=False)),
    Case("the layers of a Nature network", '"conv2d 3 4 stride=2 relu", "conv2d 4 3 relu", "flatten", "dense 6 relu", "dense 2"', "real[B, 2, 12, 12]", lambda t: t.nn.Sequential(t.nn.Conv2d(2, 3, 4, stride=2), t.nn.ReLU(), t.nn.Conv2d(3, 4, 3), t.nn.ReLU(), t.nn.Flatten(), t.nn.Linear(36, 6), t.nn.ReLU(), t.nn.Linear(6, 2))),
    Case("a noisy layer", '"noisy 3 noise=e"', "real[B, 4]", noisy, disturbed, {"e": "real[7]"}),
    Case("batch normalisation", '"batchnorm"', "real[B, 4]", lambda t: t.nn.BatchNorm1d(4)),
    Case("batch normalisation over time", '"batchnorm eps=1e-3"', "real[B, T, 4]", lambda t: t.nn.BatchNorm1d(4, eps=1e-3), lambda torch, net, x, data: net(x.mT).mT),
    Case("batch normalisation of images", '"conv2d 3 2", "batchnorm2d relu", "conv2d 2 2"', "real[B, 2, 5, 4]", lambda t: t.nn.Sequential(t.nn.Conv2d(2, 3, 2), t.nn.BatchNorm2d(3), t.nn.ReLU(), t.nn.Conv2d(3, 2, 2))),
    Case("an embedding", '"embedding 3"', "int[B, T] < 6", lambda t: t.nn.Embedding(6, 3)),
    Case("a GRU", '"gru 3"', "real[B, T, 2]", lambda t: t.nn.GRU(2, 3, batch_first=True), lambda t, net, x, data: net(x)[0]),
    Case("a GRU that is given its state", '"gru 3 state=h0"', "real[B, T, 2]", lambda t: t.nn.GRU(2, 3, batch_first=True), started, {"h0": "real[B, 3]"}),
    Case("a GRU that begins anew", '"gru 3 reset=start"', "real[B, T, 2]", lambda t: t.nn.GRU(2, 3, batch_first=True), anew, {"start": "bool[B, T]"}),
    Case("an LSTM", '"lstm 3"', "real[B, T, 2]", lambda t: t.nn.LSTM(2, 3, batch_first=True), lambda t, net, x, data: net(x)[0]),
    Case("an LSTM that is given its state", '"lstm 3 state=h0 cell=c0"', "real[B, T, 2]", lambda t: t.nn.LSTM(2, 3, batch_first=True), started, {"h0": "real[B, 3]", "c0": "real[B, 3]"}),
    Case("an LSTM that begins anew", '"lstm 3 reset=start"', "real[B, T, 2]", lambda t: t.nn.LSTM(2, 3, batch_first=True), anew, {"start": "bool[B, T]"}),
    Case("causal attention", '"attention 2 3 causal=true"', "real[B, T, 4]", projections, heads),
    Case("masked attention", '"attention 2 3 mask=valid"', "real[B, T, 4]", projections, heads, {"valid": "bool[B, T]"}),
)  # fmt: skip


def text_of(case: Case) -> str:
    data = "\n".join(f'{name} = "{of}"' for name, of in {"x": case.x, **case.data}.items())
    wrt = ["q"] if case.x.startswith("int") else ["q", "x"]
    wrt += [name for name, of in case.data.items() if of.startswith("real")]
    count = case.x.count(",") + (2 if case.x.startswith("int") else 1)
    axes = ",".join("bijkl"[: 2 if "flatten" in case.layers else count])
    free = "T" in " ".join([case.x, *case.data.values()])
    sizes = 'B = "batch"\nT = "times"' if free else 'B = "batch"'
    return f"""
equations = "loss = sum({axes}: q[{axes}]**3)"
wrt = {wrt}
[sizes]
{sizes}
[networks.q]
input = "x"
layers = [{case.layers}]
[data]
{data}
"""


def drawn(case: Case, rng: np.random.Generator) -> dict[str, Any]:
    """Inputs for 3 rows and 5 times; every row of a mask has a true place."""
    found = {}
    for name, of in {"x": case.x, **case.data}.items():
        kind, _, rest = of.partition("[")
        shape = [{"B": 3, "T": 5}.get(s) or int(s) for s in rest.partition("]")[0].split(", ")]
        if kind == "real":
            found[name] = rng.normal(size=shape)
        else:
            found[name] = rng.integers(0, 6, shape) if kind == "int" else rng.random(shape) < 0.5
    if "valid" in found:
        found["valid"][:, 2] = True
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_layer_is_pytorchs(case: Case, torch: Any) -> None:
    rng = np.random.default_rng(3)
    torch.manual_seed(3)
    net = case.theirs(torch).double()
    values = drawn(case, rng)
    module = of_text(text_of(case), "q").module
    params = module.init(np.random.default_rng(0))
    state = {name: p.detach() for name, p in net.named_parameters()}  # without running statistics
    for p in state.values():
        p += 0.1 * torch.randn_like(p)  # for some start at 1 or 0
    assert sum(a.numel() for a in state.values()) == params.flat.size
    if "attention" in case.layers:  # PyTorch keeps it in a module with another layout
        own = dict(
            zip(("Wq", "cq", "Wk", "ck", "Wv", "cv", "Wo", "co"), state.values(), strict=True)
        )
        for name, array in own.items():
            getattr(params, f"{name}1")[...] = array
    else:
        module.load_state_dict(params, state)
    loss, grads = module.value_and_grad(params, **values)
    given = {name: torch.as_tensor(value) for name, value in values.items()}
    for value in given.values():
        value.requires_grad_(value.is_floating_point())
    expected = (case.apply(torch, net, given["x"], given) ** 3).sum()
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    after = module.init(np.random.default_rng(0))
    after.flat[...] = 0.0
    gradients = {name: p.grad for name, p in net.named_parameters()}
    if "attention" in case.layers:
        for name, array in zip(own, gradients.values(), strict=True):
            getattr(after, f"{name}1")[...] = array
    else:
        module.load_state_dict(after, gradients)
    pairs = [(getattr(grads, name), getattr(after, name)) for name in module.PARAMETERS]
    pairs += [(getattr(grads, n), v.grad.numpy()) for n, v in given.items() if v.requires_grad]
    largest = max(float(np.abs(theirs).max()) for _, theirs in pairs)
    for came, theirs in pairs:  # what a softmax does not see has a gradient of 0 but for rounding
        np.testing.assert_allclose(came, theirs, rtol=1e-11, atol=1e-14 * largest)
