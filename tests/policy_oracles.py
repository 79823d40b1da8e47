"""The policies among the built-in specs, written without symgrad: each loss with what is beside it.

SPEC(xp, held, v) is {loss: (value, aux)}: xp is jax.numpy, held(x) is x taken as constant, and v has
the values of parameters and data by name. Choices at kinks and ties are the project's conventions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from loss_oracles import _at, _clip, _log_softmax

Losses = Mapping[str, tuple[Any, Mapping[str, Any]]]


def _relu(xp, x):
    return xp.where(x > 0, x, 0.0)


def _tanh(xp, x):
    return xp.tanh(x)


def _least(xp, a, b):
    return xp.where(a <= b, a, b)


def _mlp(xp, v, name, x, hidden, *, layers=3):
    """Dense layers, the last of them linear. A network that is alone has the plain names."""
    before = f"{name}_" if f"{name}_W1" in v else ""
    for n in range(1, layers + 1):
        x = x @ v[f"{before}W{n}"].T + v[f"{before}c{n}"]
        x = hidden(xp, x) if n < layers else x
    return x


def _normal_logp(xp, mu, log_std, x):
    """The density's logarithm, entry by entry, added up."""
    variance = xp.exp(2 * log_std)
    return xp.sum(-((x - mu) ** 2) / (2 * variance) - xp.log(2 * xp.pi * variance) / 2, axis=-1)


# ---- PPO, A2C, TRPO ----------------------------------------------------------------------------


def _explained(xp, ret, value):
    """1 - Var(ret - V)/Var(ret), and 0 where the returns are all alike."""
    spread = xp.var(ret)
    return xp.where(spread > 0, 1 - xp.var(ret - value) / xp.where(spread > 0, spread, 1), 0.0)


def _ppo(xp, held, v, logp, entropy, value) -> Losses:
    r, gain = xp.exp(logp - v["logp_old"]), v["advantage"]
    policy = -xp.mean(_least(xp, r * gain, _clip(xp, r, 1 - v["eps"], 1 + v["eps"]) * gain))
    near = v["v_old"] + _clip(xp, value - v["v_old"], -v["eps"], v["eps"])
    whole, inside = (value - v["ret"]) ** 2, (near - v["ret"]) ** 2
    critic = xp.mean(xp.where(whole >= inside, whole, inside)) / 2
    aux = {
        "entropy": entropy,
        "approx_kl": xp.mean((r - 1) - xp.log(r)),
        "clip_fraction": xp.mean(xp.where(abs(r - 1) > v["eps"], 1.0, 0.0)),
        "explained_variance": _explained(xp, v["ret"], value),
    }
    return {
        "ppo": (policy + v["value_weight"] * critic - v["entropy_weight"] * entropy, aux),
    }


def _discrete_ppo(xp, held, v, logits, value) -> Losses:
    every = _log_softmax(xp, held, logits)
    entropy = -xp.mean(xp.sum(xp.exp(every) * every, axis=-1))
    return _ppo(xp, held, v, _at(xp, every, v["action"]), entropy, value)


def cartpole_ppo(xp, held, v) -> Losses:
    value = _mlp(xp, v, "critic", v["obs"], _tanh)[:, 0]
    return _discrete_ppo(xp, held, v, _mlp(xp, v, "actor", v["obs"], _tanh), value)


def cartpole_ppo_shared(xp, held, v) -> Losses:
    h = xp.tanh(_mlp(xp, v, "trunk", v["obs"], _tanh, layers=2))
    logits, value = (_mlp(xp, v, head, h, _tanh, layers=1) for head in ("actor", "critic"))
    return _discrete_ppo(xp, held, v, logits, value[:, 0])


def _normal_entropy(xp, log_std):
    return xp.sum(log_std + xp.log(2 * xp.pi * xp.e) / 2)


def halfcheetah_ppo(xp, held, v) -> Losses:
    mu = _mlp(xp, v, "actor", v["obs"], _tanh)
    logp = _normal_logp(xp, mu, v["log_std"], v["action"])
    value = _mlp(xp, v, "critic", v["obs"], _tanh)[:, 0]
    return _ppo(xp, held, v, logp, _normal_entropy(xp, v["log_std"]), value)


def cartpole_a2c(xp, held, v) -> Losses:
    every = _log_softmax(xp, held, _mlp(xp, v, "actor", v["obs"], _tanh))
    value = _mlp(xp, v, "critic", v["obs"], _tanh)[:, 0]
    advantage = v["ret"] - value
    policy = -_at(xp, every, v["action"]) * held(advantage)
    entropy = -xp.sum(xp.exp(every) * every, axis=-1)
    weighted = v["value_weight"] * advantage**2 - v["entropy_weight"] * entropy
    aux = {
        "entropy": xp.mean(entropy),
        "explained_variance": _explained(xp, v["ret"], value),
    }
    return {"a2c": (xp.mean(policy + weighted), aux)}


def halfcheetah_trpo(xp, held, v) -> Losses:
    mu = _mlp(xp, v, "actor", v["obs"], _tanh)
    logp = _normal_logp(xp, mu, v["log_std"], v["action"])
    var, var_old = xp.exp(2 * v["log_std"]), xp.exp(2 * v["log_std_old"])
    kl = (xp.log(var / var_old) + (var_old + (v["mu_old"] - mu) ** 2) / var - 1) / 2
    error = _mlp(xp, v, "critic", v["obs"], _tanh)[:, 0] - v["ret"]
    return {
        "surrogate": (
            -xp.mean(xp.exp(logp - v["logp_old"]) * v["advantage"]),
            {"entropy": _normal_entropy(xp, v["log_std"])},
        ),
        "kl": (xp.mean(xp.sum(kl, axis=-1)), {}),
        "critic": (xp.mean(error**2), {}),
    }


# ---- DDPG, TD3, SAC -----------------------------------------------------------------------------


def _q(xp, v, name, obs, action):
    return _mlp(xp, v, name, xp.concatenate([obs, action], axis=-1), _relu)[:, 0]


def _learned(xp, held, v, after, *names):
    """The squared errors of critics that have one target, added up; one critic's TD errors."""
    target = held(v["reward"] + v["gamma"] * xp.where(v["done"], 0.0, after))
    errors = [_q(xp, v, name, v["obs"], v["action"]) - target for name in names]
    return sum(xp.mean(error**2) for error in errors), errors[0]


def halfcheetah_ddpg(xp, held, v) -> Losses:
    a_t = xp.tanh(_mlp(xp, v, "actor_target", v["next_obs"], _relu))
    after = _q(xp, v, "critic_target", v["next_obs"], a_t)
    critic, td = _learned(xp, held, v, after, "critic")
    action = xp.tanh(_mlp(xp, v, "actor", v["obs"], _relu))
    actor = -xp.mean(_q(xp, v, "critic", v["obs"], action))
    return {"critic": (critic, {"td": td}), "actor": (actor, {})}


def halfcheetah_td3(xp, held, v) -> Losses:
    noise = xp.clip(v["noise"] * v["noise_std"], -v["noise_clip"], v["noise_clip"])
    mu_t = xp.tanh(_mlp(xp, v, "actor_target", v["next_obs"], _relu))
    a_t = xp.clip(mu_t + noise, -1, 1)
    both = [_q(xp, v, f"critic_{n}_target", v["next_obs"], a_t) for n in (1, 2)]
    critic, _ = _learned(xp, held, v, xp.minimum(*both), "critic_1", "critic_2")
    action = xp.tanh(_mlp(xp, v, "actor", v["obs"], _relu))
    return {
        "critic": (critic, {}),
        "actor": (-xp.mean(_q(xp, v, "critic_1", v["obs"], action)), {}),
    }


def _squashed(xp, v, obs):
    """An action within -1 and 1, and its log-probability: that of u less log(1 - tanh(u)^2)."""
    mu, raw = xp.split(_mlp(xp, v, "actor", obs, _relu), 2, axis=-1)
    log_std = -5 + (2 + 5) * (xp.tanh(raw) + 1) / 2
    u = mu + xp.exp(log_std) * v["noise"]
    shrunk = xp.sum(xp.log(1 - xp.tanh(u) ** 2), axis=-1)
    return xp.tanh(u), _normal_logp(xp, mu, log_std, u) - shrunk


def halfcheetah_sac(xp, held, v) -> Losses:
    alpha = xp.exp(v["log_alpha"])
    a_t, logp_t = _squashed(xp, v, v["next_obs"])
    both = [_q(xp, v, f"critic_{n}_target", v["next_obs"], a_t) for n in (1, 2)]
    after = xp.minimum(*both) - alpha * logp_t
    critic, _ = _learned(xp, held, v, after, "critic_1", "critic_2")
    action, logp = _squashed(xp, v, v["obs"])
    least = _least(xp, *(_q(xp, v, f"critic_{n}", v["obs"], action) for n in (1, 2)))
    return {
        "critic": (critic, {}),
        "actor": (xp.mean(held(alpha) * logp - least), {"entropy": -xp.mean(logp)}),
        "temperature": (-xp.mean(alpha * held(logp - action.shape[-1])), {}),
    }


# ---- from data: BC, AWR, IQL, DPO ---------------------------------------------------------------


def halfcheetah_bc(xp, held, v) -> Losses:
    mu = xp.tanh(_mlp(xp, v, "actor", v["obs"], _relu))
    return {
        "squared": (xp.mean((mu - v["action"]) ** 2), {}),
        "likelihood": (-xp.mean(_normal_logp(xp, mu, v["log_std"], v["action"])), {}),
    }


def _weighted(xp, held, v, mu, advantage):
    """Log-probabilities times exponentiated advantages, none of them above w_max."""
    weight = xp.minimum(xp.exp(advantage / v["beta"]), v["w_max"])
    return -xp.mean(held(weight) * _normal_logp(xp, mu, v["log_std"], v["action"]))


def halfcheetah_awr(xp, held, v) -> Losses:
    gain = v["ret"] - _mlp(xp, v, "critic", v["obs"], _relu)[:, 0]
    mu = _mlp(xp, v, "actor", v["obs"], _relu)
    return {"critic": (xp.mean(gain**2), {}), "actor": (_weighted(xp, held, v, mu, gain), {})}


def halfcheetah_iql(xp, held, v) -> Losses:
    q = xp.minimum(
        *(_q(xp, v, f"critic_{n}_target", v["obs"], v["action"]) for n in (1, 2)),
    )
    now, after = (_mlp(xp, v, "value", v[obs], _relu)[:, 0] for obs in ("obs", "next_obs"))
    d = q - now
    critic, _ = _learned(xp, held, v, after, "critic_1", "critic_2")
    mu = xp.tanh(_mlp(xp, v, "actor", v["obs"], _relu))
    return {
        "value": (xp.mean(xp.where(d < 0, 1 - v["tau"], v["tau"]) * d**2), {}),
        "critic": (critic, {}),
        "actor": (_weighted(xp, held, v, mu, d), {}),
    }


def _normalised(xp, x, scale, shift):
    spread = xp.sqrt(xp.var(x, axis=-1, keepdims=True) + 1e-5)
    return scale * (x - xp.mean(x, axis=-1, keepdims=True)) / spread + shift


def _answered(xp, held, v, name, tokens, mask):
    """The log-probability of the tokens that the mask has, each after those before it."""
    w = {key.removeprefix(f"{name}_"): a for key, a in v.items() if key.startswith(f"{name}_")}
    x = w["W1"][tokens]
    n, (batch, times) = _normalised(xp, x, w["g2"], w["s2"]), tokens.shape
    q, k, value = (
        (n @ w[f"W{m}3"].T + w[f"c{m}3"]).reshape(batch, times, 2, 8).swapaxes(1, 2) for m in "qkv"
    )
    seen = xp.arange(times)[:, None] >= xp.arange(times)
    score = xp.where(seen, q @ k.swapaxes(-1, -2) / xp.sqrt(8.0), -1e300)
    mixed = (xp.exp(_log_softmax(xp, held, score)) @ value).swapaxes(1, 2)
    x = x + mixed.reshape(batch, times, 16) @ w["Wo3"].T + w["co3"]
    logits = _normalised(xp, x, w["g4"], w["s4"]) @ w["W5"].T + w["c5"]
    following = _at(xp, _log_softmax(xp, held, logits)[:, :-1], tokens[:, 1:])
    return xp.sum(xp.where(mask[:, 1:], following, 0.0), axis=1)


def dpo(xp, held, v) -> Losses:
    ratio = {
        kind: _answered(xp, held, v, "policy", v[kind], v[f"{kind}_mask"])
        - _answered(xp, held, v, "reference", v[kind], v[f"{kind}_mask"])
        for kind in ("chosen", "rejected")
    }
    margin = ratio["chosen"] - ratio["rejected"]
    return {"dpo": (xp.mean(xp.log1p(xp.exp(-v["beta"] * margin))), {"margin": margin})}


ORACLES: Mapping[str, Callable[..., Losses]] = {
    f.__name__: f
    for f in (
        cartpole_ppo,
        cartpole_ppo_shared,
        halfcheetah_ppo,
        cartpole_a2c,
        halfcheetah_trpo,
        halfcheetah_ddpg,
        halfcheetah_td3,
        halfcheetah_sac,
        halfcheetah_bc,
        halfcheetah_awr,
        halfcheetah_iql,
        dpo,
    )
}
