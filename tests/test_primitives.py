"""Each function, reduction and form of the notation: its gradient as emitted, and 60-digit differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from gradient_cases import Gradient, in_single

from symgrad.algebra.scalars import ROWS, Row
from symgrad.notation.operators import REDUCTIONS
from symgrad.notation.symbols import FORMS
from symgrad.spec import Spec, parse_spec
from symgrad.verify.evaluate import evaluate

N = 6
DECLARED = """
[sizes]
N = "points"
V = "summands"
[data]
u = "real[N]"
x = "real[N]"
y = "real[N]"
z = "real[N]"
w = "real[N, V]"
"""


@dataclass(frozen=True)
class Primitive:
    """value: an expression of x[n], y[n], z[n] and w[n,v]; by: what it is differentiated by."""

    name: str
    value: str
    by: tuple[str, ...]
    before: str = ""

    @property
    def spec(self) -> Spec:
        wrt = ", ".join(f'"{name}"' for name in ("u", *self.by))
        head = f"{self.before}\n" if self.before else ""
        return parse_spec(
            f"wrt = [{wrt}]\nequations = '''\n{head}loss = sum(n: u[n]*{self.value})\n'''\n{DECLARED}",
            "primitive",
        )


def of_row(row: Row) -> Primitive:
    by = ("x", "y", "z")[: row.arity]
    return Primitive(row.name, f"{row.name}({', '.join(f'{name}[n]' for name in by)})", by)


def of_reduction(name: str) -> Primitive:
    if name.startswith("arg"):  # a place has no derivative; what is read there has
        return Primitive(name, "w[n,k[n]]**2", ("w",), f"k[n] = {name}(v: w[n,v])")
    return Primitive(name, f"{name}(v: w[n,v]**3)", ("w",))


WRITTEN = (
    Primitive("where", "where(x[n] < y[n], x[n]**2, y[n]**3)", ("x", "y")),
    Primitive("stop", "(x[n] - stop(x[n]*y[n]))**2", ("x", "y")),
    Primitive("pad", "x[n]*pad(y[n-1])", ("x", "y")),
    Primitive("mask", "x[n]**2*[y[n] < x[n] and not z[n] < 0]", ("x",)),
    Primitive("+ - * /", "(x[n] + 2*y[n] - x[n]*z[n])/(1 + y[n]**2)", ("x", "y", "z")),
    Primitive("**", "(x[n]**3 + y[n]**-2 + (z[n]**2)**0.25)", ("x", "y", "z")),
)
EVERY = (*map(of_row, ROWS), *map(of_reduction, REDUCTIONS), *WRITTEN)


def ordinary(primitive: Primitive) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Seeded points of both signs at which the value is finite, off every kink."""
    rng = np.random.default_rng([5, *primitive.name.encode()])
    sizes = {"N": N, "V": 3}
    program = primitive.spec.losses[0].program
    for attempt in range(100):
        lower = 0.2 if attempt > 50 else -2.0  # such as log and power have no negative points
        x, y, z = (rng.uniform(lower, 2, N) for _ in range(3))
        y, z = (np.minimum(y, z), np.maximum(y, z)) if primitive.name == "clip" else (y, z)
        values = {"x": x, "y": y, "z": z, "u": rng.normal(size=N), "w": rng.normal(size=(N, 3))}
        found = evaluate(program, in_single(values), sizes, outputs=("loss",)).values["loss"]
        if np.isfinite(found):
            return in_single(values), sizes
    raise AssertionError(f"{primitive.name} is finite nowhere")


@pytest.mark.parametrize("primitive", EVERY, ids=lambda p: p.name)
def test_a_gradient_is_that_of_60_digit_differences(primitive: Primitive) -> None:
    """In float64 to 1e-12, in float32 to 1e-5."""
    spec, (values, sizes) = primitive.spec, ordinary(primitive)
    (loss,) = spec.losses
    known = {t.name for t in loss.program.tensors}
    given = {name: value for name, value in values.items() if name in known}
    gradient = Gradient(spec, loss, sizes, given)
    assert gradient.assert_exact(primitive.name) == 1 + 2 * 6 * (1 + len(primitive.by))


def test_nothing_of_the_notation_is_left_out() -> None:
    assert {p.name for p in EVERY} >= {*REDUCTIONS, *FORMS, *(row.name for row in ROWS)}
    assert len({p.name for p in EVERY}) == len(EVERY)
