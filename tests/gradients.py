"""Functions with gradients written by hand, at seeded points: smooth, kinked, badly scaled, of several arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Made = tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...]]
"""f, its gradient, and the arrays."""

# activation, derivative from (x, y); kinks at 0 where there are any
ACTIVATIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {
    "tanh":     (np.tanh,                                lambda x, y: 1 - y**2),
    "sin":      (np.sin,                                 lambda x, y: np.cos(x)),
    "softplus": (lambda x: np.logaddexp(0.0, x),         lambda x, y: 1 / (1 + np.exp(-x))),
    "relu":     (lambda x: np.maximum(x, 0.0),           lambda x, y: (x > 0) * 1.0),
    "leaky":    (lambda x: np.where(x > 0, x, 0.1 * x),  lambda x, y: np.where(x > 0, 1.0, 0.1)),
    "abs":      (np.abs,                                 lambda x, y: np.sign(x)),
    "clip":     (lambda x: np.clip(x, -1.0, 1.0),        lambda x, y: (np.abs(x) <= 1) * 1.0),
    "square":   (lambda x: x * x,                        lambda x, y: 2 * x),
}  # fmt: skip


def network(rng: np.random.Generator) -> Made:
    """Two layers and a squared error: mean over the batch of sum (W2 s(W1 x + c) - t)**2."""
    n, d, h, k = (int(v) for v in rng.integers(1, 5, 4))
    act, slope = ACTIVATIONS[str(rng.choice(list(ACTIVATIONS)))]
    x, t = rng.normal(size=(n, d)), rng.normal(size=(n, k))

    def run(w1: Any, c: Any, w2: Any) -> tuple[Any, Any, Any]:
        z = x @ w1.T + c
        y = act(z)
        return z, y, y @ w2.T - t

    def f(w1: Any, c: Any, w2: Any) -> Any:
        return np.sum(run(w1, c, w2)[2] ** 2) / n

    def grad(w1: Any, c: Any, w2: Any) -> Any:
        z, y, error = run(w1, c, w2)
        dout = 2 * error / n
        dz = (dout @ w2) * slope(z, y)
        return dz.T @ x, dz.sum(axis=0), dout.T @ y

    return f, grad, (rng.normal(size=(h, d)), rng.normal(size=h), rng.normal(size=(k, h)))


def policy(rng: np.random.Generator) -> Made:
    """-mean of advantage * log softmax(x W)[action]."""
    n, d, k = (int(v) for v in rng.integers(2, 6, 3))
    x, a, adv = rng.normal(size=(n, d)), rng.integers(0, k, n), rng.normal(size=n)

    def logp(w: Any) -> Any:
        z = x @ w
        z = z - z.max(axis=1, keepdims=True)
        return z - np.log(np.exp(z).sum(axis=1, keepdims=True))

    def f(w: Any) -> Any:
        return -np.mean(adv * logp(w)[np.arange(n), a])

    def grad(w: Any) -> Any:
        p = np.exp(logp(w))
        p[np.arange(n), a] -= 1
        return x.T @ (p * adv[:, None]) / n

    return f, grad, (rng.normal(size=(d, k)),)


def huber(rng: np.random.Generator) -> Made:
    """sum of the Huber loss of A x - b."""
    a, b = rng.normal(size=(6, 4)), rng.normal(size=6)

    def f(x: Any) -> Any:
        d = a @ x - b
        return np.sum(np.where(np.abs(d) <= 1, 0.5 * d * d, np.abs(d) - 0.5))

    return f, lambda x: a.T @ np.clip(a @ x - b, -1, 1), (rng.normal(size=4),)


def scaled(rng: np.random.Generator) -> Made:
    """sum of c tanh(s x): slopes and scales over eight orders of magnitude."""
    s, c = 10.0 ** rng.uniform(-4, 4, 5), 10.0 ** rng.uniform(-4, 4, 5)

    def f(x: Any) -> Any:
        return np.sum(c * np.tanh(s * x))

    return f, lambda x: c * s / np.cosh(np.clip(s * x, -300, 300)) ** 2, (rng.normal(size=5) / s,)


def rosenbrock(rng: np.random.Generator) -> Made:
    def f(x: Any) -> Any:
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    def grad(x: Any) -> Any:
        g = np.zeros_like(x)
        g[:-1] = -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
        g[1:] += 200 * (x[1:] - x[:-1] ** 2)
        return g

    return f, grad, (rng.normal(size=4) * 10.0 ** rng.uniform(-3, 3),)


def logarithm(rng: np.random.Generator) -> Made:
    """Entropy, with probabilities that come near 0, where the domain ends."""
    return (
        lambda p: -np.sum(p * np.log(p)),
        lambda p: -np.log(p) - 1,
        (10.0 ** rng.uniform(-8, 0, 5),),
    )


def greatest(rng: np.random.Generator) -> Made:
    """max of A x, and ties wherever two rows are the same."""
    a = rng.normal(size=(5, 3))
    a[3] = a[1] + rng.choice([0.0, 1e-3, 1e-7])

    def grad(x: Any) -> Any:
        return a[np.argmax(a @ x)]

    return lambda x: np.max(a @ x), grad, (rng.normal(size=3),)


def at_kinks(rng: np.random.Generator) -> Made:
    """relu at points of which some are 0 and some nearly; the first is not."""
    c = rng.normal(size=6)
    x = np.array([1.0, *rng.choice([0.0, 1e-12, 1e-9, 1e-7, 1e-5, -1e-8, -1e-3, 0.5], 5)])
    return lambda x: np.sum(c * np.maximum(x, 0)), lambda x: c * (x > 0), (x,)


def wavy(rng: np.random.Generator) -> Made:
    """sin(w x) with high frequencies, periods of powers of 2 among them."""
    w = 2 * np.pi * 2.0 ** rng.integers(0, 10, 3)
    return lambda x: np.sum(np.sin(w * x)), lambda x: w * np.cos(w * x), (rng.normal(size=3),)


def large(rng: np.random.Generator) -> Made:
    """A small slope on top of a large value, and of two numbers that nearly cancel."""
    big = 10.0 ** rng.uniform(0, 8)
    return lambda x: big + np.sum(x**3), lambda x: 3 * x**2, (rng.normal(size=4),)


def single(rng: np.random.Generator) -> Made:
    """A network that computes in float32, whatever comes."""
    f, grad, arrays = network(rng)

    def narrow(a: Any) -> Any:
        return np.asarray(a).astype(np.float32)

    return (
        lambda *x: np.float32(f(*map(narrow, x))),
        lambda *x: tuple(narrow(g) for g in grad(*map(narrow, x))),
        arrays,
    )


FAMILIES: dict[str, Callable[[np.random.Generator], Made]] = {
    "network": network, "policy": policy, "huber": huber, "scaled": scaled, "rosenbrock": rosenbrock,
    "logarithm": logarithm, "greatest": greatest, "at_kinks": at_kinks, "wavy": wavy, "large": large,
    "single": single,
}  # fmt: skip
