"""The specs of values and of large networks: a step's loss, aux and gradient as PyTorch has them.

Each oracle is the paper's formula, written for PyTorch without symgrad; at the awkward points too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from catalogue import SPECS, at
from emitted import Emitted, Inputs, inputs, of_file
from programs import assert_agree

Params = Mapping[str, Any]
Data = dict[str, Any]
Found = tuple[Any, dict[str, Any]]


def mlp(torch: Any, p: Params, net: str, x: Any, act: str, layers: int) -> Any:
    """Dense layers W1, W2, ..., an activation behind all but the last."""
    for n in range(1, layers + 1):
        x = x @ p[f"{net}W{n}"].T + p[f"{net}c{n}"]
        x = x if n == layers else getattr(torch, act)(x)
    return x


def read(q: Any, index: Any) -> Any:
    """q[b, index[b]], or q[b, index[b], :]."""
    return q[range(len(q)), index]


def greedy(q: Any) -> Any:
    """The lowest index of the greatest value."""
    return q.detach().numpy().argmax(-1)


def huber(torch: Any, d: Any) -> Any:
    return torch.where(d.abs() <= 1, d**2 / 2, d.abs() - 0.5)


def discounts(d: Data) -> Any:
    return d["gamma"] * (1 - d["done"].double())


def double_dqn(torch: Any, p: Params, d: Data) -> Found:
    def net(name: str, x: Any) -> Any:
        return mlp(torch, p, name, x, "relu", 3)

    best = greedy(net("q_", d["next_obs"]))
    y = d["reward"] + discounts(d) * read(net("target_", d["next_obs"]), best)
    td = read(net("q_", d["obs"]), d["action"]) - y.detach()
    return (d["weight"] * huber(torch, td)).mean(), {"td": td}


def dueling(torch: Any, p: Params, d: Data) -> Found:
    def net(which: str, x: Any) -> Any:
        h = mlp(torch, p, f"{which}trunk_", x, "relu", 1).relu()
        v, adv = (mlp(torch, p, f"{which}{head}_", h, "relu", 2) for head in ("v", "adv"))
        return v + adv - adv.mean(-1, keepdim=True)

    y = d["reward"] + discounts(d) * net("target_", d["next_obs"]).max(-1).values
    td = read(net("", d["obs"]), d["action"]) - y.detach()
    return (d["weight"] * td**2).mean(), {"td": td}


def c51(torch: Any, p: Params, d: Data) -> Found:
    logits = mlp(torch, p, "", d["obs"], "relu", 3)
    logits = read(logits.reshape(len(logits), 2, -1), d["action"])
    error = -(d["target"] * logits.log_softmax(-1)).sum(-1)
    return (d["weight"] * error).mean(), {"error": error}


def qr_dqn(torch: Any, p: Params, d: Data) -> Found:
    def net(name: str, x: Any) -> Any:
        return mlp(torch, p, name, x, "relu", 3).reshape(len(x), 2, -1)

    after = net("target_", d["next_obs"])
    aim = d["reward"][:, None] + discounts(d)[:, None] * read(after, greedy(after.mean(-1)))
    u = aim.detach()[:, None, :] - read(net("net_", d["obs"]), d["action"])[:, :, None]
    side = (d["tau"][:, None] - (u < 0).double()).abs()
    error = (side * huber(torch, u)).mean(2).sum(1)
    return (d["weight"] * error).mean(), {"error": error}


def td_lambda(torch: Any, p: Params, d: Data) -> Found:
    td = mlp(torch, p, "", d["obs"], "tanh", 3)[:, 0] - d["ret"]
    return (d["weight"] * td**2 / 2).mean(), {"td": td}


def residual(torch: Any, p: Params, d: Data) -> Found:
    q, after = (mlp(torch, p, "", d[x], "relu", 3) for x in ("obs", "next_obs"))
    td = read(q, d["action"]) - d["reward"] - discounts(d) * read(after, greedy(after))
    return (td**2).mean(), {"td": td}


def nature(torch: Any, p: Params, d: Data) -> Found:
    def net(name: str, x: Any) -> Any:
        for n, stride in ((1, 4), (2, 2), (3, 1)):
            x = torch.conv2d(x, p[f"{name}W{n}"], p[f"{name}c{n}"], stride).relu()
        x = (x.flatten(1) @ p[f"{name}W5"].T + p[f"{name}c5"]).relu()
        return x @ p[f"{name}W6"].T + p[f"{name}c6"]

    y = d["reward"] + discounts(d) * net("target_", d["next_obs"]).max(-1).values
    td = read(net("q_", d["obs"]), d["action"]) - y.detach()
    return huber(torch, td).mean(), {"td": td}


def lstm(torch: Any, p: Params, d: Data) -> Found:
    x, h, s, outs = (d["obs"] @ p["core_W1"].T + p["core_c1"]).tanh(), d["h0"], d["c0"], []
    cell = [p[f"core_{name}2"] for name in ("W", "U", "c", "e")]
    for t in range(x.shape[1]):
        kept = 1 - d["start"][:, t, None].double()
        h, s = torch.lstm_cell(x[:, t], (h * kept, s * kept), *cell)
        outs.append(h)
    core, inside = torch.stack(outs, 1), d["inside"].double()
    every = (core @ p["policy_W1"].T + p["policy_c1"]).log_softmax(-1)
    v = (core @ p["v_W1"].T + p["v_c1"])[..., 0]
    logp = every.gather(2, torch.as_tensor(d["action"])[..., None])[..., 0]
    far, reach, adv = logp - d["old_logp"], d["reach"], d["advantage"]
    ratio, steps = far.exp(), inside.sum().clamp(min=1)
    clipped = ratio.clamp(1 - reach, 1 + reach)
    gain = torch.where(ratio * adv <= clipped * adv, ratio * adv, clipped * adv)
    near = d["old_v"] + (v - d["old_v"]).clamp(-reach, reach)
    first, second = (v - d["ret"]) ** 2, (near - d["ret"]) ** 2
    worst = torch.where(first >= second, first, second) / 2
    entropy = -(every.exp() * every).sum(-1)
    each = -gain + d["c_v"] * worst - d["c_entropy"] * entropy
    kl, share = ratio - 1 - far, ((ratio - 1).abs() > reach).double()
    aux = {
        "approx_kl": (kl * inside).sum() / steps,
        "clip_fraction": (share * inside).sum() / steps,
    }
    return (each * inside).sum() / steps, aux


def attention(torch: Any, p: Params, d: Data) -> Found:
    present = torch.as_tensor(d["present"])
    x = p["word_W1"][d["token"]] + p["place"]
    q, k, v = (
        (x @ p[f"block_W{n}1"].T + p[f"block_c{n}1"]).unflatten(-1, (4, 4)).transpose(1, 2)
        for n in "qkv"
    )
    score = (q @ k.mT / 4**0.5).masked_fill(~present[:, None, None, :], -1e30)
    share = score.softmax(-1) * present.any(-1)[:, None, None, None].double()
    seen = (share @ v).transpose(1, 2).flatten(2)
    y = x + seen @ p["block_Wo1"].T + p["block_co1"]

    def norm(x: Any, n: int) -> Any:
        return torch.layer_norm(x, x.shape[-1:], p[f"block_g{n}"], p[f"block_s{n}"])

    y = norm(y, 2)
    hidden = torch.nn.functional.gelu(y @ p["block_W3"].T + p["block_c3"])
    y = norm(y + hidden @ p["block_W4"].T + p["block_c4"], 5)
    count = present.sum(1, keepdim=True).clamp(min=1)
    pooled = (y * present[..., None]).sum(1) / count
    logits = pooled @ p["logits_W1"].T + p["logits_c1"]
    return -read(logits.log_softmax(-1), d["label"]).mean(), {}


# ---- awkward points ------------------------------------------------------------------------------


def usual(params: Any, data: Data) -> None:
    """As drawn."""


def over(params: Any, data: Data) -> None:
    data["done"][...] = True


def running(params: Any, data: Data) -> None:
    data["done"][...] = False


def tied(params: Any, data: Data) -> None:
    """All actions have one value, in every network."""
    for group in ("q", "target", "adv", "target_adv", ""):
        of = getattr(params, group, None) if group else params
        last = next((n for n in ("W6", "W3", "W2") if hasattr(of, n)), None)
        if last is not None:
            getattr(of, last)[...] = getattr(of, last)[:1]
            getattr(of, f"c{last[1:]}")[...] = 0.25


def unweighted(params: Any, data: Data) -> None:
    data["weight"][...] = 0


def certain(params: Any, data: Data) -> None:
    """All of the target at one return."""
    data["target"][...] = 0
    data["target"][:, 7] = 1


def same_policy(params: Any, data: Data) -> None:
    """Nothing to gain, and values at the edge of the clip."""
    data["advantage"][...] = 0
    data["old_v"][...] = data["ret"]


def padded(params: Any, data: Data) -> None:
    """One sequence is all padding, and one has a single step."""
    data["inside"][0] = False
    data["inside"][1] = False
    data["inside"][1, 0] = True


def all_padded(params: Any, data: Data) -> None:
    data["inside"][...] = False


def anew(params: Any, data: Data) -> None:
    """Episodes of one step each."""
    data["start"][...] = True


def absent(params: Any, data: Data) -> None:
    """A row without tokens, and one with a single token."""
    data["present"][0] = False
    data["present"][1] = False
    data["present"][1, 3] = True


Point = Callable[[Any, Data], None]
TD: tuple[Point, ...] = (usual, over, running, tied)


@dataclass(frozen=True)
class Row:
    """A spec, what PyTorch makes of it, where it is looked at, and how many parameters it learns."""

    name: str
    oracle: Callable[[Any, Params, Data], Found]
    points: tuple[Point, ...]
    learned: int
    sizes: tuple[tuple[str, int], ...] = (("B", 5),)


# the counts of nature_dqn and cartpole_c51, and 10,934 of DQN, are those of the papers' networks as
# PyTorch counts them; the others are sums of in*out + out
ROWS = (
    Row("cartpole_double_dqn", double_dqn, (*TD, unweighted), 10_934),
    Row("cartpole_dueling", dueling, (*TD, unweighted), 21_183),
    Row("cartpole_c51", c51, (usual, certain, unweighted), 27_934),
    Row("cartpole_qr_dqn", qr_dqn, (usual, over, running, unweighted), 19_434),
    Row("cartpole_td_lambda", td_lambda, (usual, unweighted), 4_545),
    Row("cartpole_dqn_residual", residual, TD, 10_934),
    Row("nature_dqn", nature, (usual, over, tied), 1_687_206, (("B", 2),)),
    Row("lstm_policy", lstm, (usual, same_policy, padded, all_padded, anew), 8_707, (("B", 3), ("T", 4))),
    Row("lstm_policy", lstm, (usual, anew), 8_707, (("B", 2), ("T", 1))),
    Row("attention_classifier", attention, (usual, absent), 4_148),
)  # fmt: skip
EACH = [(row, point) for row in ROWS for point in row.points]


def agrees(name: str, came: Any, expected: Any, largest: float = 0.0) -> None:
    """To 64 units of rounding of the largest entry, or of what contributes to it."""
    sizes = (np.abs(array).max(initial=0.0) for array in (came, expected))
    assert_agree(name, came, expected, max(largest, *sizes))


def emitted_of(row: Row) -> Emitted:
    return of_file(SPECS / f"{row.name}.toml")


def drawn(row: Row, point: Point) -> tuple[Emitted, Inputs]:
    emitted = emitted_of(row)
    found = inputs(emitted, seed=3, **dict(row.sizes))
    data = dict(found.data)
    if "target" in data:  # a distribution
        data["target"] = np.abs(data["target"]) / np.abs(data["target"]).sum(-1, keepdims=True)
    if "tau" in data:
        data["tau"] = (np.arange(data["tau"].size) + 0.5) / data["tau"].size
    data |= {n: v for n, v in (("gamma", 0.99), ("reach", 0.2)) if n in data}
    point(found.params, data)
    return emitted, Inputs(found.params, data, found.sizes)


@pytest.mark.parametrize(
    ("row", "point"), EACH, ids=[f"{r.name} {dict(r.sizes)} {p.__name__}" for r, p in EACH]
)
def test_a_step_has_the_loss_the_aux_and_the_gradient_of_pytorch(
    row: Row, point: Point, torch: Any
) -> None:
    emitted, given = drawn(row, point)
    names = [t.name for t in emitted.spec.tensors if t.role == "param"]
    (loss,) = emitted.spec.losses
    p = {name: torch.tensor(at(given.params, name)) for name in names}
    for name in loss.wrt:
        p[name].requires_grad_(True)
    real = {
        n: torch.tensor(v) if np.ndim(v) and np.asarray(v).dtype != np.int64 else v
        for n, v in given.data.items()
    }
    theirs, more = row.oracle(torch, p, real)
    theirs.backward()
    came, grads = emitted.call("value_and_grad", given)
    ours, aux = came if isinstance(came, tuple) else (came, {})
    assert aux.keys() == more.keys()
    for name, value in {"loss": theirs, **more}.items():
        agrees(name, aux.get(name, ours), value.detach().numpy())
    largest = np.abs(grads.flat).max()
    for name in loss.wrt:
        expected = p[name].grad
        expected = np.zeros(p[name].shape) if expected is None else expected.numpy()
        agrees(name, at(grads, name), expected, largest)


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.name} {dict(row.sizes)}" for row in ROWS])
def test_it_learns_as_many_parameters_as_its_network_has(row: Row) -> None:
    emitted, given = drawn(row, usual)
    _, grads = emitted.call("value_and_grad", given)
    assert grads.flat.size == row.learned


def test_a_step_by_step_lstm_acts_as_it_does_on_the_whole_sequence() -> None:
    emitted, given = drawn(next(r for r in ROWS if r.name == "lstm_policy"), usual)
    data, module = SimpleNamespace(**given.data), emitted.module
    whole = module.forward(given.params, data.obs, data.start, data.h0, data.c0)
    state, cell, logits = data.h0, data.c0, []
    for t in range(data.obs.shape[1]):
        one = slice(t, t + 1)
        policy, _, state, cell = module.forward(
            given.params, data.obs[:, one], data.start[:, one], state, cell
        )
        logits.append(policy)
    agrees("logits", np.concatenate(logits, axis=1), whole[0])
    agrees("state", state, whole[2])
    agrees("cell", cell, whole[3])
