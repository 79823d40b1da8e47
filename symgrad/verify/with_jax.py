"""A JAX function against its own gradient: the extra `jax` lives here alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from symgrad.verify.gradient import check_gradient
from symgrad.verify.verdict import Report


def check_jax(
    f: Callable[..., Any], /, *x: Any, hold: Any = None, args: Sequence[Any] = (), **asked: Any
) -> Report:
    """What jax.grad(f) returns, against finite differences of f.

    f:    f(*x) returns a scalar. It computes in float32 unless jax_enable_x64 is set, and a
          difference of float32 numbers says little: set it, or expect loose bounds.
    hold: what f takes after x and is held constant. A finite difference does not see
          stop_gradient: what it freezes has to be named here.
    args, asked: as check_gradient has them.
    """
    count = len(x)
    given = [np.asarray(one) for one in x]
    frozen = hold(*given, *args) if callable(hold) else hold
    held = () if frozen is None else (frozen,)
    gradient = jax.grad(f, argnums=tuple(range(count)))

    def value(*arrays: Any) -> Any:
        return np.asarray(f(*arrays[:count], *held, *args))

    def grad(*arrays: Any) -> Any:
        found = tuple(map(np.asarray, gradient(*arrays[:count], *held, *args)))
        return found if count > 1 else found[0]

    value.__name__ = getattr(f, "__name__", type(f).__name__)
    return check_gradient(value, grad, *given, hold=None if frozen is None else True, **asked)
