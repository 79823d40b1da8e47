"""A JAX function against its own gradient: the extra `jax` lives here alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.experimental
import numpy as np

from symgrad.verify.gradient import check_gradient
from symgrad.verify.verdict import Report

ANY: Any = jax  # JAX's own functions have no types
HOME: Any = ANY if hasattr(jax, "enable_x64") else ANY.experimental
"""Where enable_x64 lives, by the version of JAX."""


def check_jax(
    f: Callable[..., Any], /, *x: Any, hold: Any = None, args: Sequence[Any] = (), **asked: Any
) -> Report:
    """What jax.grad(f) returns, against finite differences of f in float64.

    f:    f(*x) returns a scalar. Where JAX computes in float32, as it does unless jax_enable_x64 is
          set, f is checked in float64 all the same, and its gradient in float32 has to be near.
    hold: what f takes after x and is held constant. A finite difference does not see
          stop_gradient: what it freezes has to be named here.
    args, asked: as check_gradient has them.
    """
    count = len(x)
    precision = _Precision()
    widest = np.float64 if precision.double else np.float32
    given = [_in(np.asarray(one), widest) for one in x]
    frozen = hold(*given, *args) if callable(hold) else hold
    held = () if frozen is None else (frozen,)
    gradient = jax.grad(f, argnums=tuple(range(count)))

    def value(*arrays: Any) -> Any:
        with precision.of(arrays[:count]):
            return np.asarray(f(*arrays[:count], *held, *args))

    def grad(*arrays: Any) -> Any:
        with precision.of(arrays[:count]):
            found = tuple(map(np.asarray, gradient(*arrays[:count], *held, *args)))
        return found if count > 1 else found[0]

    value.__name__ = getattr(f, "__name__", type(f).__name__)
    try:
        return check_gradient(value, grad, *given, hold=None if frozen is None else True, **asked)
    finally:
        precision.as_before()


def _in(array: Any, widest: Any) -> Any:
    return array.astype(widest) if array.dtype == np.float64 else array


class _Precision:
    """float64 for float64 arguments, whatever jax_enable_x64 says; and as it says for float32 ones.

    JAX keeps what it traced, constants of the other precision in it: so it is told to forget it.
    """

    def __init__(self) -> None:
        self.double = self.now = jax.numpy.result_type(float) == np.float64

    def of(self, arrays: Sequence[Any]) -> Any:
        self._set(self.double or not any(a.dtype == np.float32 for a in arrays))
        return HOME.enable_x64(self.now)

    def as_before(self) -> None:
        self._set(self.double)

    def _set(self, double: bool) -> None:
        if double != self.now:
            ANY.clear_caches()
        self.now = double
