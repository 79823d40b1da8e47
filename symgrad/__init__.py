"""Neural networks and losses, written as equations: a derivation, a NumPy module and a check.

    import symgrad as sg
    spec = sg.load("policy.toml")
    print(sg.derive(spec).text())
    source = sg.generate(spec)
    report = sg.check(spec)

What a name needs is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from symgrad.version import VERSION as __version__

if TYPE_CHECKING:
    from symgrad import returns as returns
    from symgrad.algebra.program import Program as Program
    from symgrad.api import as_spec as as_spec
    from symgrad.api import check as check
    from symgrad.api import define as define
    from symgrad.api import derive as derive
    from symgrad.api import fisher_vector_product as fisher_vector_product
    from symgrad.api import gauss_newton_product as gauss_newton_product
    from symgrad.api import generate as generate
    from symgrad.api import gradient as gradient
    from symgrad.api import hvp as hvp
    from symgrad.api import jvp as jvp
    from symgrad.api import load as load
    from symgrad.api import parse as parse
    from symgrad.errors import ProgramError as ProgramError
    from symgrad.errors import SpecError as SpecError
    from symgrad.errors import SymgradError as SymgradError
    from symgrad.explain.derivation import Derivation as Derivation
    from symgrad.spec import Loss as Loss
    from symgrad.spec import Spec as Spec
    from symgrad.verify.gradient import check_gradient as check_gradient
    from symgrad.verify.verdict import Report as Report
    from symgrad.verify.with_jax import check_jax as check_jax
    from symgrad.verify.with_torch import check_torch as check_torch

__all__ = [
    "Derivation",
    "Loss",
    "Program",
    "ProgramError",
    "Report",
    "Spec",
    "SpecError",
    "SymgradError",
    "__version__",
    "as_spec",
    "check",
    "check_gradient",
    "define",
    "derive",
    "fisher_vector_product",
    "gauss_newton_product",
    "generate",
    "gradient",
    "hvp",
    "jvp",
    "load",
    "parse",
    "returns",
]

_HOMES = {
    "Derivation": "symgrad.explain.derivation",
    "Loss": "symgrad.spec",
    "Program": "symgrad.algebra.program",
    "ProgramError": "symgrad.errors",
    "Report": "symgrad.verify.verdict",
    "Spec": "symgrad.spec",
    "SpecError": "symgrad.errors",
    "SymgradError": "symgrad.errors",
    "as_spec": "symgrad.api",
    "check": "symgrad.api",
    "check_gradient": "symgrad.verify.gradient",
    "check_jax": "symgrad.verify.with_jax",
    "check_torch": "symgrad.verify.with_torch",
    "define": "symgrad.api",
    "derive": "symgrad.api",
    "fisher_vector_product": "symgrad.api",
    "gauss_newton_product": "symgrad.api",
    "generate": "symgrad.api",
    "gradient": "symgrad.api",
    "hvp": "symgrad.api",
    "jvp": "symgrad.api",
    "load": "symgrad.api",
    "parse": "symgrad.api",
    "returns": "symgrad",
}
"""Where each public name lives; `returns` is a module of the package itself. check_jax and
check_torch need a library that symgrad does not bring: they are no part of __all__, so that
`from symgrad import *` does without it."""

if not TYPE_CHECKING:  # a type checker would take every attribute for known

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = _HOMES[name]
        if home == __name__:  # a module of the package
            return import_module(f"{home}.{name}")
        value = getattr(import_module(home), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
