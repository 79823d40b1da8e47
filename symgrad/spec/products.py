"""The products that a module can hold beside a gradient: `with = ["hvp"]` in a spec, a row each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from symgrad.errors import SpecError, did_you_mean


@dataclass(frozen=True)
class Product:
    """A derivative of a loss along a direction v.

    name:    of the function; where a spec has several losses, LOSS_name.
    formula: what it is; X stands for each tensor that the loss is differentiated by.
    said:    what its docstring calls it, of a loss by names.
    through: whether it goes through the spec's outputs z, so that it needs some.
    """

    name: str
    formula: str
    said: str
    through: bool = False


ROWS = (
    Product(
        "jvp",
        "loss_dot = sum over X of (dL/dX) v_X",
        "The loss, and its slope by {wrt} along v",
    ),
    Product(
        "hvp",
        "dX_dot = sum over Y of (d2L/dX dY) v_Y",
        "H v: the Hessian of the loss by {wrt} times v",
    ),
    Product(
        "ggn",
        "dX_dot = J' H J v, J = dz/dX, H the Hessian of L in z = {through}",
        "G v: the Gauss-Newton matrix of the loss by {wrt} times v",
        through=True,
    ),
    Product(
        "fvp",
        "dX_dot = J' H J v + damping v, J = dz/dX, H the Hessian of L in z = {through}",
        "(F + damping) v: F is the Fisher information by {wrt}, at new = old of KL(old || new)",
        through=True,
    ),
)
PRODUCTS = {row.name: row for row in ROWS}

Chosen = tuple[tuple[str, Product], ...]
"""Losses by name, each with a product of it."""


def function_names(losses: Sequence[str], chosen: Chosen) -> tuple[str, ...]:
    """What the module calls them: hvp, or with several losses actor_hvp."""
    return tuple(p.name if len(losses) == 1 else f"{loss}_{p.name}" for loss, p in chosen)


def chosen_of(names: Iterable[str], losses: Sequence[str]) -> Chosen:
    """The products that some names mean, in the order of the losses and of the rows.

    `hvp` is that of every loss, `actor_hvp` that of one.
    Errors: SpecError for a name that means none.
    """
    wanted = list(names)
    every = tuple((loss, row) for loss in losses for row in ROWS)
    known = dict(zip(function_names(losses, every), every, strict=True))
    for name in wanted:
        if name not in known and (name not in PRODUCTS or not losses):
            there = did_you_mean(name, [*PRODUCTS, *known] if losses else ())
            why = there if losses else "; there is no loss to differentiate"
            raise SpecError(f'unknown product "{name}"{why}')
    found = {pair for name, pair in known.items() if name in wanted or pair[1].name in wanted}
    return tuple(pair for pair in every if pair in found)
