"""Value and gradient of a formula: in a thousand digits, and as each library computes them."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from mpmath.ctx_mp import MPContext

from benchmarks.numerics.formulas import Formula, Maths
from symgrad.pipeline import generate
from symgrad.spec import parse_spec

Point = tuple[float, ...]
DIGITS = (1000, 20_000)
"""1 - tanh(300)**2 is 1e-260; where the fewer digits leave nan or inf, the more are taken."""


@dataclass(frozen=True)
class Answer:
    """A value and its gradient; of numbers of any kind."""

    value: Any
    gradient: tuple[Any, ...]


def truth(row: Formula, x: Point) -> Answer:
    """The formula and its central differences, right to more digits than a float has."""
    answers = (_in_digits(row, x, digits) for digits in DIGITS)
    found = next((a for a in answers if all(map(_finite, (a.value, *a.gradient)))), None)
    if found is None:
        raise ValueError(f"{row.name} has no finite value and gradient at {x}")
    return found


def _finite(number: Any) -> bool:
    return bool(abs(number) < float("inf"))


def _in_digits(row: Formula, x: Point, digits: int) -> Answer:
    mp = MPContext()
    mp.dps = digits
    maths = Maths(
        mp.exp, mp.log, mp.tanh, mp.erf, mp.sqrt, abs,
        lambda holds, yes, no: yes if holds else no, lambda c: mp.mpf(repr(c)), mp.pi,
    )  # fmt: skip
    at, formula = [mp.mpf(v) for v in x], row.truth or row.plain

    def moved(k: int, step: Any) -> Any:
        return formula(maths, [v + step if n == k else v for n, v in enumerate(at)])

    def slope(k: int) -> Any:
        h = (abs(at[k]) or 1) * mp.mpf(10) ** (-digits // 3)
        return (moved(k, h) - moved(k, -h)) / (2 * h)

    return Answer(formula(maths, at), tuple(slope(k) for k in range(len(x))))


def symgrad_of(equations: str, width: int) -> Callable[[Point], Answer]:
    """The emitted module of `loss` by x."""
    text = f'wrt = ["x"]\nequations = """\n{equations}\n"""\n[data]\nx = "real[{width}]"\n'
    module = types.ModuleType("formula")
    exec(generate(parse_spec(text, "formula")), module.__dict__)

    def answer(x: Point) -> Answer:
        value, grads = module.value_and_grad(x=np.array(x))
        return Answer(float(value), tuple(map(float, grads.x)))

    return answer


def by_symgrad(row: Formula) -> Callable[[Point], Answer]:
    return symgrad_of(row.written, len(row.points[0]))


def by_symgrads_own(row: Formula) -> Callable[[Point], Answer] | None:
    return symgrad_of(row.own, len(row.points[0])) if row.own else None


def by_sympy(row: Formula) -> Callable[[Point], Answer]:
    """The plain formula of symbols, `diff`, and `lambdify` as it is by itself."""
    maths = Maths(
        sympy.exp, sympy.log, sympy.tanh, sympy.erf, sympy.sqrt, sympy.Abs,
        lambda holds, yes, no: sympy.Piecewise((yes, holds), (no, True)), sympy.nsimplify, sympy.pi,
    )  # fmt: skip
    x = sympy.symbols(f"x:{len(row.points[0])}", real=True)
    value = row.plain(maths, x)
    functions = [sympy.lambdify(x, e) for e in (value, *(value.diff(v) for v in x))]

    def answer(at: Point) -> Answer:
        numbers = [np.float64(v) for v in at]
        found = [float(f(*numbers)) for f in functions]
        return Answer(found[0], tuple(found[1:]))

    return answer


def of_torch(function: Callable[[Any, Any], Any]) -> Callable[[Point], Answer]:
    """function(torch, x) and its gradient by autograd, in float64."""
    import torch

    def answer(at: Point) -> Answer:
        x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
        value = function(torch, x)
        (gradient,) = torch.autograd.grad(value, x)
        return Answer(value.item(), tuple(gradient.tolist()))

    return answer


def by_torch(row: Formula) -> Callable[[Point], Answer]:
    import torch

    def real(c: float) -> Any:
        return torch.tensor(c, dtype=torch.float64)

    maths = Maths(
        torch.exp, torch.log, torch.tanh, torch.erf, torch.sqrt, torch.abs, torch.where,
        real, real(np.pi),
    )  # fmt: skip
    return of_torch(lambda _, x: row.plain(maths, x))


def by_torchs_own(row: Formula) -> Callable[[Point], Answer] | None:
    return of_torch(row.torch) if row.torch else None


def of_jax(function: Callable[[Any, Any], Any]) -> Callable[[Point], Answer]:
    """function(jax, x) and its gradient by jax.grad, in float64."""
    import jax

    jax.config.update("jax_enable_x64", True)
    found = jax.value_and_grad(lambda x: function(jax, x))

    def answer(at: Point) -> Answer:
        value, gradient = found(jax.numpy.array(at))
        return Answer(float(value), tuple(map(float, gradient)))

    return answer


def by_jax(row: Formula) -> Callable[[Point], Answer]:
    import jax

    jnp = jax.numpy
    maths = Maths(
        jnp.exp, jnp.log, jnp.tanh, jax.scipy.special.erf, jnp.sqrt, jnp.abs, jnp.where,
        lambda c: jnp.array(c, float), np.pi,
    )  # fmt: skip
    return of_jax(lambda _, x: row.plain(maths, x))


def by_jaxs_own(row: Formula) -> Callable[[Point], Answer] | None:
    return of_jax(row.jax) if row.jax else None


COLUMNS: Mapping[str, Callable[[Formula], Callable[[Point], Answer] | None]] = {
    "symgrad": by_symgrad,
    "symgrad's own": by_symgrads_own,
    "SymPy": by_sympy,
    "torch": by_torch,
    "torch's own": by_torchs_own,
    "JAX": by_jax,
    "JAX's own": by_jaxs_own,
}
"""Who computes it, as written and by a function of its own."""
