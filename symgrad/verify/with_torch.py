"""A PyTorch function against its own gradient: the extra `torch` lives here alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from symgrad.verify.gradient import check_gradient
from symgrad.verify.verdict import Report


def check_torch(
    f: Callable[..., Any], /, *x: Any, hold: Any = None, args: Sequence[Any] = (), **asked: Any
) -> Report:
    """What backward() leaves in x.grad, against finite differences of f in float64.

    f:    f(*x) takes tensors and returns a scalar one. x may be tensors or arrays. What f holds in
          float32, such as the weights of a module, is taken in float64 too; where x is float32, the
          gradient that f has as it is has to be near the float64 one.
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
        tensors = [_tensor(a).requires_grad_(True) for a in arrays[:count]]  # f may ask for slopes
        with _precision(arrays[:count]):
            came = f(*tensors, *held, *args)
        return _array(came) if isinstance(came, torch.Tensor) else came

    def grad(*arrays: Any) -> Any:
        tensors = [_tensor(a).requires_grad_(True) for a in arrays[:count]]
        with _precision(arrays[:count]):
            f(*tensors, *held, *args).backward()
        found = tuple(map(_gradient, tensors))
        return found if count > 1 else found[0]

    value.__name__ = getattr(f, "__name__", type(f).__name__)
    return check_gradient(value, grad, *given, hold=None if frozen is None else True, **asked)


class _Doubled(TorchFunctionMode):
    """Whatever is float32 is taken in float64: weights of a module, a cast, a new tensor.

    twins: of each float32 tensor the one in float64, so that what is written into it stays there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.twins: dict[int, tuple[Any, Any]] = {}

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        function = torch.Tensor.double if func is torch.Tensor.float else func
        return self.doubled(function(*self.doubled(args), **self.doubled(kwargs or {})))

    def doubled(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return self.twin(value) if value.dtype == torch.float32 else value
        if isinstance(value, dict):
            return {name: self.doubled(inner) for name, inner in value.items()}
        if type(value) in (tuple, list):
            return type(value)(self.doubled(inner) for inner in value)
        return torch.float64 if value is torch.float32 else value

    def twin(self, tensor: Any) -> Any:
        if id(tensor) not in self.twins:
            self.twins[id(tensor)] = tensor, tensor.double()
        return self.twins[id(tensor)][1]


def _precision(arrays: Sequence[Any]) -> AbstractContextManager[Any]:
    """float64 throughout, unless the arguments themselves are float32."""
    return nullcontext() if any(a.dtype == np.float32 for a in arrays) else _Doubled()


def _tensor(array: Any) -> Any:
    return torch.from_numpy(np.array(array))


def _array(one: Any) -> Any:
    if not isinstance(one, torch.Tensor):
        return np.asarray(one)
    plain = one.detach().cpu()
    return (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy()


def _gradient(tensor: Any) -> Any:
    """0 where f does not depend on it, as PyTorch has it."""
    return np.zeros(tuple(tensor.shape)) if tensor.grad is None else tensor.grad.numpy()
