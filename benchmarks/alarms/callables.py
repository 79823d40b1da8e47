"""Kinds of checks that need NumPy and SciPy alone: callables, and objectives with their jac."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from scipy import optimize

import symgrad as sg
from benchmarks.alarms.faults import Fault, planted
from benchmarks.alarms.gradients import FAMILIES, Family
from benchmarks.alarms.outcomes import Kind
from symgrad.verify.verdict import Report


def rng_of(name: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, *name.encode()])


def callable_check(name: str, family: Family, seed: int, fault: Fault | None) -> Report | None:
    f, grad, x = family(rng_of(name, seed))
    return asked(f, grad, x, seed, fault)


def asked(
    f: Any, grad: Any, x: tuple[Any, ...], seed: int, fault: Fault | None, **more: Any
) -> Report | None:
    if fault is None:
        return sg.check_gradient(f, grad, *x, seed=seed, **more)
    changed: list[bool] = []

    def wrong(*a: Any) -> Any:
        right = grad(*a)
        found = planted(right, fault, seed)
        changed.append(repr(found) != repr(right))
        return found

    report = sg.check_gradient(f, wrong, *x, seed=seed, **more)
    return report if any(changed) else None


def held(seed: int, fault: Fault | None) -> Report | None:
    """The semi-gradient of a TD loss: the target is named with hold=."""
    rng = rng_of("held", seed)
    n, d = (int(k) for k in rng.integers(2, 12, 2))
    now, after = rng.normal(size=(n, d)), rng.normal(size=(n, d))
    reward, discount = rng.normal(size=n), rng.uniform(0.5, 1)

    def target(w: Any) -> Any:
        return reward + discount * np.tanh(after @ w)

    def loss(w: Any, goal: Any) -> Any:
        return 0.5 * np.mean((np.tanh(now @ w) - goal) ** 2)

    def grad(w: Any) -> Any:
        v = np.tanh(now @ w)
        return now.T @ ((v - target(w)) * (1 - v**2)) / n

    return asked(loss, grad, (rng.normal(size=d),), seed, fault, hold=target)


def scipy_objective(seed: int, fault: Fault | None) -> Report | None:
    """rosen, and least squares with args, as minimize takes them: jac, or jac=True."""
    rng = rng_of("scipy", seed)
    n, d = int(rng.integers(2, 40)), int(rng.integers(2, 30))
    if rng.random() < 0.3:
        x = rng.normal(size=d) * rng.choice([0.1, 1.0, 10.0])
        return asked(optimize.rosen, optimize.rosen_der, (x,), seed, fault)
    a, b, ridge = rng.normal(size=(n, d)), rng.normal(size=n), 10.0 ** rng.uniform(-6, 1)

    def fun(x: Any, a: Any, b: Any, ridge: float) -> Any:
        return np.sum((a @ x - b) ** 2) + ridge * x @ x

    def jac(x: Any, a: Any, b: Any, ridge: float) -> Any:
        return 2 * a.T @ (a @ x - b) + 2 * ridge * x

    point, args = (rng.normal(size=d),), (a, b, ridge)
    if fault is None and rng.random() < 0.5:
        both = lambda x, *args: (fun(x, *args), jac(x, *args))  # noqa: E731
        return sg.check_gradient(both, True, *point, args=args, seed=seed)
    return asked(fun, jac, point, seed, fault, args=args)


SINGLE = tuple(name for name in FAMILIES if name.startswith("single"))
SHARES = {"network": 700, "policy": 500, "at_kinks": 500, "wide": 200, "factors": 200}
"""How many of 10,000; of another family of callables 300, of one in float32 200."""


def callables() -> list[Kind]:
    """Of each family one, and what check_gradient takes beside f, its gradient and x."""
    found = [
        Kind(
            "callable in float32" if name in SINGLE else "callable",
            name,
            200 if name in SINGLE else SHARES.get(name, 300),
            partial(callable_check, name, family),
        )
        for name, family in FAMILIES.items()
    ]
    found.append(Kind("callable", "held", 300, held))
    found.append(Kind("SciPy", "objective and jac", 750, scipy_objective))
    return found
