"""Functions of PyTorch and of JAX, at seeded sizes and points, against their own gradients.

A fault is planted by a term whose value is 0 and whose gradient is not: (x - stop(x)) * fault.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch

import symgrad as sg
from benchmarks.alarms.faults import Fault
from symgrad.verify.verdict import Report

Made = tuple[Callable[..., Any], tuple[Any, ...]]
Maker = Callable[[np.random.Generator, type], Made]
"""dtype: of the constants, as the user has them."""
F = torch.nn.functional

ACTIVATIONS = ("tanh", "relu", "gelu", "silu", "softplus", "elu", "leaky_relu", "sigmoid")


def sizes(rng: np.random.Generator, count: int, most: int = 6) -> list[int]:
    return [int(k) for k in rng.integers(1, most, count)]


def mlp(library: Any, where: Any) -> Maker:
    def made(rng: np.random.Generator, dtype: type) -> Made:
        n, d, h, k = sizes(rng, 4)
        act = getattr(where, str(rng.choice(ACTIVATIONS)))
        x, t = (library.asarray(rng.normal(size=s).astype(dtype)) for s in ((n, d), (n, k)))

        def f(w1: Any, c: Any, w2: Any) -> Any:
            return ((act(x @ w1.T + c) @ w2.T - t) ** 2).mean()

        return f, (rng.normal(size=(h, d)), rng.normal(size=h), rng.normal(size=(k, h)))

    return made


def attention(library: Any, where: Any) -> Maker:
    def made(rng: np.random.Generator, dtype: type) -> Made:
        t, d = sizes(rng, 2)

        def f(q: Any, k: Any, v: Any) -> Any:
            return ((where.softmax(q @ k.T / d**0.5, -1) @ v) ** 2).sum()

        return f, tuple(rng.normal(size=(t, d)) for _ in range(3))

    return made


def cross_entropy(library: Any, where: Any) -> Maker:
    def made(rng: np.random.Generator, dtype: type) -> Made:
        n, k = sizes(rng, 2)
        rows, y = np.arange(n), rng.integers(0, k + 1, n)
        return lambda z: -where.log_softmax(z, -1)[rows, y].mean(), (
            3 * rng.normal(size=(n, k + 1)),
        )

    return made


def solve(library: Any, where: Any) -> Maker:
    def made(rng: np.random.Generator, dtype: type) -> Made:
        (n,) = sizes(rng, 1)
        b = library.asarray(rng.normal(size=n).astype(dtype))
        return (
            lambda a: (library.linalg.solve(a, b) ** 2).sum(),
            (rng.normal(size=(n, n)) + 3 * np.eye(n),),
        )

    return made


def sorted_sum(library: Any, where: Any) -> Maker:
    """Order statistics: kinks where two are equal."""

    def made(rng: np.random.Generator, dtype: type) -> Made:
        n = 1 + sizes(rng, 1, 30)[0]
        w = library.asarray(rng.normal(size=n).astype(dtype))

        def f(x: Any) -> Any:
            s = library.sort(x)
            return (w * (s.values if library is torch else s)).sum() + library.max(x) ** 2

        return f, (rng.normal(size=n),)

    return made


def torch_convolution(rng: np.random.Generator, dtype: type) -> Made:
    n, c, o = sizes(rng, 3, 4)
    x = torch.asarray(rng.normal(size=(n, c, 9)).astype(dtype))
    stride, pad = int(rng.integers(1, 3)), int(rng.integers(0, 2))
    return (
        lambda w, b: F.conv1d(x, w, b, stride=stride, padding=pad).square().mean(),
        (rng.normal(size=(o, c, 3)), rng.normal(size=o)),
    )


def torch_layer_norm(rng: np.random.Generator, dtype: type) -> Made:
    n, d = 1 + sizes(rng, 1)[0], 2 + sizes(rng, 1)[0]
    t = torch.asarray(rng.normal(size=(n, d)).astype(dtype))
    return (
        lambda x, g: F.smooth_l1_loss(F.layer_norm(x, (d,), g), t),
        (rng.normal(size=(n, d)), rng.normal(size=d)),
    )


def jax_scan(rng: np.random.Generator, dtype: type) -> Made:
    t, d = sizes(rng, 2, 8)
    x = rng.normal(size=(t, d)).astype(dtype)

    def f(w: Any, u: Any) -> Any:
        step = lambda h, v: (jnp.tanh(w @ h + u * v), jnp.sum(h))  # noqa: E731
        h, sums = jax.lax.scan(step, jnp.zeros_like(u), jnp.asarray(x, u.dtype))
        return jnp.sum(h**2) + jnp.mean(sums)

    return f, (rng.normal(size=(d, d)), rng.normal(size=d))


def jax_batched(rng: np.random.Generator, dtype: type) -> Made:
    n, d = sizes(rng, 2)
    x = rng.normal(size=(n, d)).astype(dtype)
    one = lambda w, v: jax.nn.logsumexp(w * v) + jnp.where(w @ v > 0, w @ v, 0.1 * (w @ v))  # noqa: E731
    return lambda w: jnp.mean(jax.vmap(one, (None, 0))(w, x)), (rng.normal(size=d),)


TORCH: dict[str, Maker] = {
    "mlp": mlp(torch, F),
    "attention": attention(torch, F),
    "cross_entropy": cross_entropy(torch, F),
    "solve": solve(torch, F),
    "sorted_sum": sorted_sum(torch, F),
    "convolution": torch_convolution,
    "layer_norm": torch_layer_norm,
}
JAX: dict[str, Maker] = {
    "mlp": mlp(jnp, jax.nn),
    "attention": attention(jnp, jax.nn),
    "cross_entropy": cross_entropy(jnp, jax.nn),
    "solve": solve(jnp, jax.nn),
    "sorted_sum": sorted_sum(jnp, jax.nn),
    "scan": jax_scan,
    "batched": jax_batched,
}


def check_torch(maker: Maker, single: bool, seed: int, fault: Fault | None) -> Report | None:
    dtype = np.float32 if single else np.float64
    f, x = maker(np.random.default_rng([seed, 31]), dtype)
    given = [torch.asarray(a.astype(dtype)) for a in x]
    if fault is None:
        return sg.check_torch(f, *given, seed=seed)
    tensors = [torch.asarray(a.astype(dtype)).requires_grad_(True) for a in x]
    gradient = [g.numpy() for g in torch.autograd.grad(f(*tensors), tensors)]
    wrong = [torch.asarray(w) for w in fault(gradient, np.random.default_rng(seed))]
    if not any(w.any() for w in wrong):
        return None

    def off(*a: Any) -> Any:
        return f(*a) + sum(((v - v.detach()) * w).sum() for v, w in zip(a, wrong, strict=True))

    return sg.check_torch(off, *given, seed=seed)


def check_jax(maker: Maker, double: bool, seed: int, fault: Fault | None) -> Report | None:
    """double: with jax_enable_x64. Without it JAX computes in float32."""
    with jax.enable_x64(double):
        f, x = maker(np.random.default_rng([seed, 37]), np.float64)
        if fault is None:
            return sg.check_jax(jax.jit(f), *x, seed=seed)
        gradient = [np.asarray(g) for g in jax.grad(f, tuple(range(len(x))))(*x)]
        wrong = fault(gradient, np.random.default_rng(seed))
        if not any(np.any(w) for w in wrong):
            return None

        def off(*a: Any) -> Any:
            pairs = zip(a, wrong, strict=True)
            return f(*a) + sum(jnp.sum((v - jax.lax.stop_gradient(v)) * w) for v, w in pairs)

        return sg.check_jax(jax.jit(off), *x, seed=seed)
