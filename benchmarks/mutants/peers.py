"""The same mutants before torch.autograd.gradcheck and jax.test_util.check_grads.

A wrapper gives each library the module's value as the function and its gradient as the backward
pass. They see the function that the module computes, not the equations: a value that is wrong
together with its gradient is right to them, and a stop is a wrong gradient.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax.test_util import check_grads

from benchmarks.mutants.judging import Bench
from symgrad.verify import runner
from symgrad.verify.arithmetic import Array

Call = Callable[..., tuple[float, list[Array]]]


def call_of(bench: Bench, module: ModuleType) -> tuple[Call, list[Array]]:
    """f(*parameters) -> (loss, gradients) at the small instance, and the parameters there."""
    request = bench.oracle.cases[0].request
    given: Mapping[str, Array] = {**request.params, **request.data}
    names = request.wrt

    def call(*arrays: Array) -> tuple[float, list[Array]]:
        values = {**given, **dict(zip(names, map(np.asarray, arrays), strict=True))}
        params = {n: values[n] for n in request.params}
        first = [runner.new_params(module, vars(request), params)] if params else []
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function = getattr(module, request.function)
            taken = runner.accepted(function, {n: values[n] for n in request.data})
            data = {n: runner.pass_on(a) for n, a in taken.items()}
            returned = function(*first, **runner.accepted(function, request.sizes), **data)
            came, grads = runner.parted(returned, vars(request))
        return float(came[request.outputs[0]]), [np.asarray(grads[n], float) for n in names]

    return call, [np.asarray(given[name], float) for name in names]


def torch_refuses(call: Call, at: list[Array], fast: bool) -> bool:
    class Wrapped(torch.autograd.Function):
        @staticmethod
        def forward(ctx: torch.autograd.function.FunctionCtx, *xs: torch.Tensor) -> torch.Tensor:
            value, grads = call(*(x.detach().numpy() for x in xs))
            ctx.save_for_backward(*(torch.from_numpy(g.copy()) for g in grads))
            return torch.tensor(value, dtype=torch.float64)

        @staticmethod
        def backward(ctx: torch.autograd.function.FunctionCtx, dy: torch.Tensor) -> object:
            return tuple(dy * g for g in ctx.saved_tensors)  # type: ignore[attr-defined]

    xs = [torch.from_numpy(x.copy()).requires_grad_() for x in at]
    try:
        return not torch.autograd.gradcheck(
            Wrapped.apply, xs, fast_mode=fast, raise_exception=False
        )
    except Exception:  # the module raised, or returned a wrong shape
        return True


def jax_refuses(call: Call, at: list[Array]) -> bool:
    shapes = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in at]
    scalar = jax.ShapeDtypeStruct((), np.dtype("float64"))

    @jax.custom_vjp
    def f(*xs: jax.Array) -> jax.Array:
        return jax.pure_callback(lambda *a: np.asarray(call(*a)[0]), scalar, *xs)

    def forward(*xs: jax.Array) -> tuple[jax.Array, list[jax.Array]]:
        return f(*xs), jax.pure_callback(lambda *a: call(*a)[1], shapes, *xs)

    def backward(grads: list[jax.Array], dy: jax.Array) -> tuple[jax.Array, ...]:
        return tuple(dy * g for g in grads)

    f.defvjp(forward, backward)
    try:
        check_grads(f, tuple(jnp.asarray(x) for x in at), order=1, modes=("rev",))
    except Exception:
        return True
    return False


PEERS = ("torch gradcheck", "torch gradcheck, fast", "JAX check_grads")


def refused(bench: Bench, module: ModuleType) -> dict[str, bool]:
    """Which of the peers refuse a module."""
    jax.config.update("jax_enable_x64", True)
    logging.getLogger("jax").setLevel(logging.CRITICAL)  # it prints what a mutant raises
    call, at = call_of(bench, module)
    found = (torch_refuses(call, at, False), torch_refuses(call, at, True), jax_refuses(call, at))
    return dict(zip(PEERS, found, strict=True))
