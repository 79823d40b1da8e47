"""The mathematics of the tests' programs, written without symgrad, in other libraries' arrays.

Each function is a loss: f(xp, held, **inputs), where xp is autograd.numpy or jax.numpy and
held(x) is x taken as constant. Each mask is written out by the project's conventions: `ties` of
minimum take the first argument's side, relu'(0) = 0, clip passes 1 at its edges. torch has its own
functions at the end, which use its library of layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Loss = Callable[..., Any]


# ---- the conventions at kinks ----------------------------------------------------------------


def relu(xp, x):
    return xp.where(x > 0, x, 0.0)


def leaky_relu(xp, x, slope):
    return xp.where(x > 0, x, slope * x)


def absolute(xp, x):
    return xp.where(x > 0, x, xp.where(x < 0, -x, 0.0))


def minimum(xp, a, b):
    return xp.where(a <= b, a, b)


def maximum(xp, a, b):
    return xp.where(a >= b, a, b)


def clip(xp, x, low, high):
    return xp.where(x < low, low, xp.where(x > high, high, x))


def logsumexp(xp, x):
    """Over the last axis; the tests' numbers are small."""
    return xp.log(xp.sum(xp.exp(x), axis=-1))


def sigmoid(xp, x):
    return 1 / (1 + xp.exp(-x))


def picked(xp, x, at):
    """x[b, at[b]]."""
    return x[np.arange(len(at)), at]


# ---- the catalogue's specs -------------------------------------------------------------------


def one_bias(xp, held, *, b, w, hunger, norm, reward):
    p = sigmoid(xp, w * hunger + b)
    return xp.mean(reward * -xp.where(norm == 1, xp.log(p), xp.log(1 - p)))


def softmax_policy(xp, held, *, W1, c1, W2, c2, W3, c3, obs, action, advantage):
    h = xp.tanh(xp.dot(xp.tanh(xp.dot(obs, W1.T) + c1), W2.T) + c2)
    logits = xp.dot(h, W3.T) + c3
    return -xp.mean(advantage * (picked(xp, logits, action) - logsumexp(xp, logits)))


def attention(xp, held, *, Wq, Wk, Wv, Wo, x, target):
    q, k, v = (xp.einsum("hid,btd->bthi", W, x) for W in (Wq, Wk, Wv))
    score = xp.einsum("bthi,buhi->bhtu", q, k) / np.sqrt(Wq.shape[1])
    seen = np.tril(np.ones(score.shape[-2:])) == 1
    weight = xp.where(seen, xp.exp(score), 0.0)
    p = weight / xp.sum(weight, axis=-1, keepdims=True)
    y = x + xp.einsum("dhi,bthi->btd", Wo, xp.einsum("bhtu,buhi->bthi", p, v))
    return xp.mean(xp.sum((y - target) ** 2, axis=-1))


def convolution(xp, held, *, W, w0, V, v0, x, target):
    length, taps = x.shape[-1], W.shape[-1]
    places = (length + 4 - 3 * (taps - 1) - 1) // 2 + 1
    padded = xp.concatenate(
        [np.zeros((*x.shape[:-1], 2)), x, np.zeros((*x.shape[:-1], 2 + 3 * taps))], axis=-1
    )
    tap = [padded[:, :, 3 * k : 3 * k + 2 * places - 1 : 2] for k in range(taps)]
    z = sum(xp.einsum("oc,bcl->bol", W[:, :, k], tap[k]) for k in range(taps)) + w0[:, None]
    y = xp.einsum("mol,bol->bm", V, relu(xp, z)) + v0
    return xp.mean(xp.sum((y - target) ** 2, axis=-1))


def gru(xp, held, *, Wr, Ur, cr, Wz, Uz, cz, Wn, Un, cn, en, V, v0, x, target):
    h, total = np.zeros((x.shape[0], Ur.shape[0])), 0.0
    for t in range(x.shape[1]):
        now = x[:, t]
        r = sigmoid(xp, xp.dot(now, Wr.T) + xp.dot(h, Ur.T) + cr)
        z = sigmoid(xp, xp.dot(now, Wz.T) + xp.dot(h, Uz.T) + cz)
        n = xp.tanh(xp.dot(now, Wn.T) + cn + r * (xp.dot(h, Un.T) + en))
        h = (1 - z) * n + z * h
        total = total + xp.sum((xp.dot(h, V.T) + v0 - target[:, t]) ** 2)
    return total / (x.shape[0] * x.shape[1])


def digits_mlp(xp, held, *, W1, c1, W2, c2, pixels, digit):
    logits = xp.dot(relu(xp, xp.dot(pixels, W1.T) + c1), W2.T) + c2
    return xp.mean(logsumexp(xp, logits) - picked(xp, logits, digit))


def actor_weight(xp, held, *, W1, c1, W2, c2, obs, action, advantage):
    e = xp.exp(xp.dot(xp.tanh(xp.dot(obs, W1.T) + c1), W2.T) + c2)
    return -xp.mean(advantage * xp.log(picked(xp, e, action) / xp.sum(e, axis=-1)))


def layered(xp, x, values, network):
    """Three layers, relu between them: x of the weights network_W1, network_c1 and so on."""
    for n in (1, 2, 3):
        x = xp.dot(x, values[f"{network}_W{n}"].T) + values[f"{network}_c{n}"]
        x = relu(xp, x) if n < 3 else x
    return x


def cartpole_dqn(xp, held, *, obs, action, reward, next_obs, done, gamma, **weights):
    after = held(xp.max(layered(xp, next_obs, weights, "target"), axis=-1))
    td = picked(xp, layered(xp, obs, weights, "q"), action) - reward - gamma * (1 - done) * after
    return xp.mean(td**2)


def lecture_q_residual(xp, held, *, w1, b1, w2, b2, s, u, r, s_next, alpha):
    q, after = (xp.dot(relu(xp, xp.dot(x, w1.T) + b1), w2.T) + b2 for x in (s, s_next))
    target = r + alpha * xp.max(after, axis=-1)
    return xp.sum((picked(xp, q, u) - target) ** 2) / 2


def lecture_q(xp, held, *, w1, b1, w2, b2, s, u, r, s_next, alpha):
    q, after = (xp.dot(relu(xp, xp.dot(x, w1.T) + b1), w2.T) + b2 for x in (s, s_next))
    target = held(r + alpha * xp.max(after, axis=-1))
    return xp.sum((picked(xp, q, u) - target) ** 2) / 2


SPECS: Mapping[str, Loss] = {
    **{f.__name__: f for f in (one_bias, softmax_policy, attention, convolution, gru, digits_mlp)},
    "actor_weight": actor_weight,
    "cartpole_dqn": cartpole_dqn,
    "cartpole_reinforce": softmax_policy,
    "lecture_q": lecture_q,
    "lecture_q_residual": lecture_q_residual,
}


# ---- the programs of programs.py -------------------------------------------------------------


def double_dqn(xp, held, *, W, obs, after, act, reward, gamma):
    q, n = xp.dot(obs, W.T), xp.dot(after, W.T)
    best, greedy = np.argmax(held(n), axis=-1), np.argmax(held(q), axis=-1)
    td = reward + gamma * held(picked(xp, n, best)) - picked(xp, q, act)
    margin = picked(xp, q, greedy) - picked(xp, q, act)
    return xp.mean(td**2 + xp.exp(picked(xp, q, greedy) / 4) * margin)


def kinks(xp, held, *, w, x, c):
    u = w * x - c
    total = relu(xp, u) * w**2 + leaky_relu(xp, u, 0.25) * xp.exp(w)
    total = total + absolute(xp, u) * xp.tanh(w) + held(xp.sign(u)) * w**3
    total = total + minimum(xp, w**2 * x, c * w) * x + maximum(xp, w**2 * x, c * w) * w * c
    total = total + clip(xp, w * x, -0.5, 0.5) * w**2
    return xp.sum(total + xp.where(u <= 0, w**2 * x, w * x**3))


def ppo(xp, held, *, W, c, obs, act, advantage):
    logits = xp.dot(xp.tanh(obs), W.T) + c
    logp = picked(xp, logits, act) - logsumexp(xp, logits)
    ratio = xp.exp(logp - held(logp))
    surrogate = minimum(xp, ratio * advantage, clip(xp, ratio, 0.8, 1.2) * advantage)
    return -xp.mean(surrogate)


def residual(xp, held, *, W1, W2, x, target):
    h = x
    for W in (W1, W2, W1):
        h = h + relu(xp, xp.dot(xp.tanh(h), W.T))
    return xp.mean((h - target) ** 2)


def curved_convolution(xp, held, *, W, x, y):
    padded = xp.concatenate(
        [np.zeros((*x.shape[:-1], 1)), x, np.zeros((*x.shape[:-1], 6))], axis=-1
    )
    places = (x.shape[-1] + 1) // 2
    tap = [padded[:, 3 * k : 3 * k + 2 * places - 1 : 2] for k in range(W.shape[0])]
    z = xp.tanh(sum(W[k] * tap[k] for k in range(W.shape[0])))
    return xp.sum(z**2 * y)


def normalised(xp, held, *, x, scale, shift, target):
    centred = x - xp.mean(x, axis=0)
    z = centred / xp.sqrt(xp.mean(centred**2, axis=0) + 1e-5) * scale + shift
    return xp.mean(xp.log(1 + xp.exp(z)) * target)


def flattened(xp, held, *, W, Q, x):
    g = xp.tanh(x)
    f = xp.transpose(g * x, (0, 2, 3, 1))
    y = xp.dot(g.reshape(len(x), -1), W.T) + xp.dot(f.reshape(len(x), -1), Q.T)
    return xp.sum(y**2) / len(x) + xp.sum(logsumexp(xp, f)) / len(x)


def contrast(xp, held, *, W, x):
    z = xp.dot(x, W.T)
    s = xp.dot(z, z.T)
    return xp.mean(logsumexp(xp, s) - s[np.arange(len(x)), np.arange(len(x))])


def embedding(xp, held, *, E, token, following):
    h = xp.tanh(xp.sum(E[token], axis=1))
    logits = xp.dot(h, E.T)
    return xp.mean(logsumexp(xp, logits) - picked(xp, logits, following))


def deep(xp, held, *, w, start):
    x = start
    for matrix in w:
        x = xp.tanh(xp.dot(matrix, x))
    return xp.sum(x**3)


def leaps(xp, held, *, w, x):
    a, b = {0: w[0]}, {0: 0.0, 1: 0.0}
    for t in range(1, len(x)):
        b[t + 1] = xp.sin(a[t - 1] * w[t + 1])
        a[t] = b[t + 1] * x[t] + b[t]
    return a[len(x) - 1] * b[len(x)]


def smooth(xp, held, *, x, y):
    total = xp.sin(x * y) * xp.cos(y) + xp.sinh(x) * xp.cosh(x * y) + xp.arctan(x * y)
    total = total + xp.log1p(x**2 * y**2) + xp.expm1(x * y) + (1 + x**2) ** (y + x)
    return xp.sum(total + xp.sqrt(1 + y**2) / (1 + xp.exp(-x * y)))


def two_sided(xp, held, *, x, y):
    """where(x < 0, exp(x) y, log(1 + x) y) with each side evaluated where it is finite."""
    left, right = xp.where(x < 0, x, 0.0), xp.where(x < 0, 0.0, x)
    return xp.sum(xp.where(x < 0, xp.exp(left) * y**2, xp.log(1 + right) * y))


# ---- autograd and JAX ------------------------------------------------------------------------


def autograd_gradient(loss: Loss, wrt: tuple[str, ...], values: Mapping[str, Any]):
    """dloss/dX for each X in wrt, by HIPS autograd."""
    import autograd
    import autograd.numpy as anp
    from autograd.tracer import getval

    def f(chosen):
        return loss(anp, getval, **{**values, **chosen})

    return autograd.grad(f)({name: np.asarray(values[name], float) for name in wrt})


def _jax_loss(jax, loss: Loss, values: Mapping[str, Any]):
    def f(chosen):
        return loss(jax.numpy, jax.lax.stop_gradient, **{**values, **chosen})

    return f


def _jax_inputs(jax, names, values):
    return {name: jax.numpy.asarray(np.asarray(values[name], float)) for name in names}


def jax_gradient(jax, loss: Loss, wrt: tuple[str, ...], values: Mapping[str, Any]):
    """dloss/dX for each X in wrt."""
    f = _jax_loss(jax, loss, values)
    return jax.jit(jax.grad(f))(_jax_inputs(jax, wrt, values))


def jax_hessian_vector(jax, loss: Loss, wrt: tuple[str, ...], values: Mapping[str, Any]):
    """H v, where v is values["v_X"], forward over reverse."""
    f = _jax_loss(jax, loss, {n: v for n, v in values.items() if not n.startswith("v_")})
    x = _jax_inputs(jax, wrt, values)
    v = {n: jax.numpy.asarray(np.asarray(values[f"v_{n}"], float)) for n in wrt}
    return jax.jit(lambda x, v: jax.jvp(jax.grad(f), (x,), (v,))[1])(x, v)


def jax_third(jax, loss: Loss, wrt: tuple[str, ...], values: Mapping[str, Any]):
    """The gradient of u.H(x)v, where u is values["u_X"]."""
    plain = {n: v for n, v in values.items() if n[:2] not in ("v_", "u_")}
    f = _jax_loss(jax, loss, plain)
    x = _jax_inputs(jax, wrt, values)
    v, u = ({n: np.asarray(values[f"{k}_{n}"], float) for n in wrt} for k in "vu")

    def product(x):
        hv = jax.jvp(jax.grad(f), (x,), (v,))[1]
        return sum(jax.numpy.sum(hv[n] * u[n]) for n in wrt)

    return jax.jit(jax.grad(product))(x)


# ---- torch, with its own layers --------------------------------------------------------------


def _torch_one_bias(torch, *, b, w, hunger, norm, reward):
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    return (reward * bce(w * hunger + b, norm.double(), reduction="none")).mean()


def _torch_softmax_policy(torch, *, W1, c1, W2, c2, W3, c3, obs, action, advantage):
    linear = torch.nn.functional.linear
    logits = linear(torch.tanh(linear(torch.tanh(linear(obs, W1, c1)), W2, c2)), W3, c3)
    return -(advantage * torch.distributions.Categorical(logits=logits).log_prob(action)).mean()


def _torch_attention(torch, *, Wq, Wk, Wv, Wo, x, target):
    q, k, v = (torch.einsum("hid,btd->bhti", W, x) for W in (Wq, Wk, Wv))
    o = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    y = x + torch.einsum("dhi,bhti->btd", Wo, o)
    return ((y - target) ** 2).sum(-1).mean()


def _torch_convolution(torch, *, W, w0, V, v0, x, target):
    z = torch.nn.functional.conv1d(x, W, w0, stride=2, padding=2, dilation=3)
    y = torch.einsum("mol,bol->bm", V, torch.relu(z)) + v0
    return ((y - target) ** 2).sum(-1).mean()


def _torch_gru(torch, *, Wr, Ur, cr, Wz, Uz, cz, Wn, Un, cn, en, V, v0, x, target):
    layer = torch.nn.GRU(x.shape[-1], Ur.shape[0], batch_first=True, dtype=torch.float64)
    weights = {
        "weight_ih_l0": torch.cat([Wr, Wz, Wn]),
        "weight_hh_l0": torch.cat([Ur, Uz, Un]),
        "bias_ih_l0": torch.cat([cr, cz, cn]),
        "bias_hh_l0": torch.cat([torch.zeros_like(cr), torch.zeros_like(cz), en]),
    }
    h, _ = torch.func.functional_call(layer, weights, (x,))
    y = torch.nn.functional.linear(h, V, v0)
    return ((y - target) ** 2).sum(-1).mean()


def _torch_digits_mlp(torch, *, W1, c1, W2, c2, pixels, digit):
    linear = torch.nn.functional.linear
    return torch.nn.functional.cross_entropy(
        linear(torch.relu(linear(pixels, W1, c1)), W2, c2), digit
    )


TORCH: Mapping[str, Loss] = {
    f.__name__.removeprefix("_torch_"): f
    for f in (
        _torch_one_bias,
        _torch_softmax_policy,
        _torch_attention,
        _torch_convolution,
        _torch_gru,
        _torch_digits_mlp,
    )
}


def torch_gradient(torch, loss: Loss, wrt: tuple[str, ...], values: Mapping[str, Any]):
    """dloss/dX for each X in wrt."""
    inputs = {name: torch.as_tensor(np.asarray(value)) for name, value in values.items()}
    for name in wrt:
        inputs[name] = inputs[name].double().requires_grad_()
    loss(torch, **inputs).backward()
    return {name: inputs[name].grad.numpy() for name in wrt}
