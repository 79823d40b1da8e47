"""Functions with gradients written by hand, at seeded sizes and points.

Smooth ones and kinked ones, badly scaled, of several arrays or many entries, in float32.
"""

from __future__ import annotations

import math
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


def entropy_of_sigmoids(rng: np.random.Generator) -> Made:
    """-log(1 - p) as a beginner writes it: where p is nearly 1, rounding takes most digits."""
    x = rng.normal(size=4) * 6
    return (
        lambda x: -np.sum(np.log(1 - 1 / (1 + np.exp(-x)))),
        lambda x: 1 / (1 + np.exp(-x)),
        (x,),
    )


def wide(rng: np.random.Generator) -> Made:
    """Up to 20,000 entries, seen along directions: sum of softplus(b x)."""
    n = int(10 ** rng.uniform(2, 4.3))
    shape = (n,) if rng.random() < 0.5 else (n // 9, 9)
    b, x = rng.normal(size=shape), rng.normal(size=shape)
    return (
        lambda x: np.sum(np.logaddexp(0.0, b * x)),
        lambda x: b / (1 + np.exp(-b * x)),
        (x,),
    )


def factors(rng: np.random.Generator) -> Made:
    """|U V - M|^2 of a low-rank factorisation, hundreds of entries in two arrays."""
    n, m, r = (int(k) for k in (*rng.integers(5, 40, 2), rng.integers(1, 6)))
    target = rng.normal(size=(n, m))

    def grad(u: Any, v: Any) -> Any:
        error = u @ v - target
        return 2 * error @ v.T, 2 * u.T @ error

    return (
        lambda u, v: np.sum((u @ v - target) ** 2),
        grad,
        (rng.normal(size=(n, r)), rng.normal(size=(r, m))),
    )


def nested(rng: np.random.Generator) -> Made:
    """Parameters in a dict, one of them in a list; f depends on no entry of `unused`."""
    f, grad, (w1, c, w2) = network(rng)

    def of_all(p: Any) -> Any:
        g = grad(p["w1"], p["c"], p["out"][0])
        return {"w1": g[0], "c": g[1], "out": [g[2]], "unused": np.zeros(2)}

    given = {"w1": w1, "c": c, "out": [w2], "unused": rng.normal(size=2)}
    return lambda p: f(p["w1"], p["c"], p["out"][0]), of_all, (given,)


def plain_python(rng: np.random.Generator) -> Made:
    """Loops and math.sin: no complex numbers."""
    w = [float(v) for v in rng.normal(size=int(rng.integers(1, 8)))]

    def f(x: Any) -> float:
        return sum(
            math.sin(a * float(v)) * math.exp(-0.1 * float(v) ** 2)
            for a, v in zip(w, x, strict=True)
        )

    def grad(x: Any) -> list[float]:
        pairs = [(a, float(v)) for a, v in zip(w, x, strict=True)]
        waves = [(a * math.cos(a * v) - 0.2 * v * math.sin(a * v), v) for a, v in pairs]
        return [slope * math.exp(-0.1 * v**2) for slope, v in waves]

    return f, grad, (rng.normal(size=len(w)),)


def recurrence(rng: np.random.Generator) -> Made:
    """h <- tanh(w h + u x_t + b) over up to 30 steps; backpropagation through time by hand."""
    x = rng.normal(size=int(rng.integers(2, 30)))

    def run(p: Any) -> list[Any]:
        h = [p[0] * 0]
        for v in x:
            h.append(np.tanh(p[0] * h[-1] + p[1] * v + p[2]))
        return h

    def grad(p: Any) -> Any:
        h, g, dh = run(p), np.zeros(3), 1.0
        for t in range(len(x), 0, -1):
            dz = dh * (1 - h[t] ** 2)
            g += dz * np.array([h[t - 1], x[t - 1], 1.0])
            dh = dz * p[0]
        return g

    return lambda p: run(p)[-1], grad, (rng.normal(size=3),)


def piecewise(rng: np.random.Generator) -> Made:
    """Hinge losses and quantile losses of A x: kinks along many planes."""
    n, d = (int(k) for k in rng.integers(2, 30, 2))
    a, y, tau = rng.normal(size=(n, d)), rng.normal(size=n), rng.uniform(0.05, 0.95)

    def f(x: Any) -> Any:
        u = y - a @ x
        return np.mean(np.maximum(tau * u, (tau - 1) * u)) + np.mean(np.maximum(0, 1 - a @ x))

    def grad(x: Any) -> Any:
        z = a @ x
        return a.T @ (-np.where(y > z, tau, tau - 1) - 1.0 * (z < 1)) / n

    return f, grad, (rng.normal(size=d),)


def sizes_apart(rng: np.random.Generator) -> Made:
    """Points from 1e-12 to 1e12, and values from 1e-20 to 1e20."""
    x = rng.normal(size=3) * 10.0 ** rng.uniform(-12, 12)
    size, s = 10.0 ** rng.uniform(-20, 20), 1 / max(1.0, float(np.abs(x).max()))
    return (
        lambda x: size * np.sum(np.exp(s * x)),
        lambda x: size * s * np.exp(s * x),
        (x,),
    )


def rational(rng: np.random.Generator) -> Made:
    """sum of p(x)/(1 + x^2) for a random polynomial p: analytic, with poles at +-i."""
    p = np.polynomial.Polynomial(rng.normal(size=int(rng.integers(2, 7))))
    slope = p.deriv()

    def grad(x: Any) -> Any:
        return slope(x) / (1 + x**2) - 2 * x * p(x) / (1 + x**2) ** 2

    return lambda x: np.sum(p(x) / (1 + x**2)), grad, (rng.normal(size=5) * 3,)


def constant(rng: np.random.Generator) -> Made:
    """f depends on the first array alone."""
    return (
        lambda x, y: np.sum(np.sin(x)),
        lambda x, y: (np.cos(x), np.zeros_like(y)),
        (rng.normal(size=3), rng.normal(size=(2, 2))),
    )


def _narrow(a: Any) -> Any:
    return np.asarray(a).astype(np.float32)


def narrowed(family: Callable[[np.random.Generator], Made]) -> Callable[..., Made]:
    """The same, computed in float32, whatever comes."""

    def made(rng: np.random.Generator) -> Made:
        f, grad, arrays = family(rng)

        def of_narrow(*x: Any) -> Any:
            found = grad(*map(_narrow, x))
            return tuple(map(_narrow, found)) if isinstance(found, tuple) else _narrow(found)

        return lambda *x: np.float32(f(*map(_narrow, x))), of_narrow, arrays

    return made


def cast_within(rng: np.random.Generator) -> Made:
    """A float64 loss of a float32 network."""
    f, grad, arrays = network(rng)

    def of_narrow(*x: Any) -> Any:
        return tuple(_narrow(g) for g in grad(*map(_narrow, x)))

    return lambda *x: float(f(*map(_narrow, x))) / 3 * 3, of_narrow, arrays


Family = Callable[[np.random.Generator], Made]
FAMILIES: dict[str, Family] = {
    "network": network,
    "policy": policy,
    "huber": huber,
    "scaled": scaled,
    "rosenbrock": rosenbrock,
    "logarithm": logarithm,
    "greatest": greatest,
    "at_kinks": at_kinks,
    "wavy": wavy,
    "large": large,
    "entropy_of_sigmoids": entropy_of_sigmoids,
    "wide": wide,
    "factors": factors,
    "nested": nested,
    "plain_python": plain_python,
    "recurrence": recurrence,
    "piecewise": piecewise,
    "sizes_apart": sizes_apart,
    "rational": rational,
    "constant": constant,
    "single": narrowed(network),
    "single_policy": narrowed(policy),
    "single_wide": narrowed(wide),
    "single_within": cast_within,
}
