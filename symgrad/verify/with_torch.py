"""A PyTorch function against its own gradient: the extra `torch` lives here alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from symgrad.verify.gradient import check_gradient
from symgrad.verify.verdict import Report


def check_torch(
    f: Callable[..., Any], /, *x: Any, hold: Any = None, args: Sequence[Any] = (), **asked: Any
) -> Report:
    """What backward() leaves in x.grad, against finite differences of f in float64.

    f:    f(*x) takes tensors and returns a scalar one. x may be tensors or arrays.
    hold: what f takes after x and is held constant. A finite difference does not see detach() or
          no_grad(): what they freeze has to be named here.
    args, asked: as check_gradient has them.
    """
    count = len(x)
    given = [_array(one) for one in x]
    frozen = hold
    if callable(hold):
        with torch.no_grad():
            frozen = hold(*map(_tensor, given), *args)
    held = () if frozen is None else (frozen,)

    def value(*arrays: Any) -> Any:
        with torch.no_grad():
            came = f(*map(_tensor, arrays[:count]), *held, *args)
        return came.detach().cpu().numpy() if isinstance(came, torch.Tensor) else came

    def grad(*arrays: Any) -> Any:
        tensors = [_tensor(a).requires_grad_(True) for a in arrays[:count]]
        f(*tensors, *held, *args).backward()
        found = tuple(map(_gradient, tensors))
        return found if count > 1 else found[0]

    value.__name__ = getattr(f, "__name__", type(f).__name__)
    return check_gradient(value, grad, *given, hold=None if frozen is None else True, **asked)


def _tensor(array: Any) -> Any:
    return torch.from_numpy(np.array(array))


def _array(one: Any) -> Any:
    return one.detach().cpu().numpy() if isinstance(one, torch.Tensor) else np.asarray(one)


def _gradient(tensor: Any) -> Any:
    """0 where f does not depend on it, as PyTorch has it."""
    return np.zeros(tuple(tensor.shape)) if tensor.grad is None else tensor.grad.numpy()
