"""One bias, two snack shops: the lesson's two visits, and the training that follows.

    draw u in [0,1):  Squatch if u < p(Squatch) = 1 - p, else Norm
    reward:           +1 for the right shop, else -1; Norm is right exactly if hunger > 1/2
    b <- b - rate * reward * dC/db,   dC/db = dC/dp * dp/dX * dX/db

Every number is what the derived equations come to at the visit's data; w is the spec's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import tee

import numpy as np

from symgrad.algebra.derive import Derived, reverse
from symgrad.algebra.heads import split_heads
from symgrad.explain.descent import Arrays, Batch, Update, descend
from symgrad.notation.canonical import type_text
from symgrad.spec import Spec

RIGHT = 0.5
"""Norm is right for a hunger above it."""

ONE = {"N": 1}
"""A visit at a time."""

RATE = 1.0
START = 0.0
TRAINING = 500

DECLARED = {"b": "real", "hunger": "real[N]", "norm": "bool[N]", "reward": "real[N]"}
COMPUTED = {"X": "real[N]", "p": "real[N]", "C": "real[N]", "loss": "real"}
CHAIN = (("C", "p"), ("p", "X"), ("X", "b"))
"""What reads what: the chain of the lesson."""


def tells_of_two_shops(spec: Spec) -> bool:
    """Whether a spec is the lesson's, with whatever w."""
    if [name for name, _ in spec.sizes] != list(ONE) or len(spec.losses) != 1:
        return False
    tensors = spec.losses[0].program.tensor_of
    types = {name: type_text(t).split(" init=")[0] for name, t in tensors.items()}
    if not {*DECLARED.items(), *COMPUTED.items()} <= types.items():
        return False
    weight = tensors.get("w")
    if set(tensors) != {*DECLARED, *COMPUTED, "w"} or weight is None or weight.default is None:
        return False
    return set(CHAIN) <= {
        (p.equation.target.tensor, p.read.tensor) for p in derived_of(spec).partials
    }


@dataclass(frozen=True)
class Visit:
    """A visit and the update that it led to. squatch: p(Squatch) before it."""

    hunger: float
    draw: float
    squatch: float
    update: Update

    @property
    def norm(self) -> bool:
        return bool(self.update.data["norm"][0])

    @property
    def reward(self) -> float:
        return float(self.update.data["reward"][0])

    @property
    def shop(self) -> str:
        return "Norm" if self.norm else "Squatch"


def lived(p: float, hunger: float, draw: float) -> Mapping[str, object]:
    """The data of one visit: the shop that the draw leads to, and its reward."""
    norm = not draw < 1 - p
    right = norm == (hunger > RIGHT)
    return {"hunger": [hunger], "norm": [norm], "reward": [1.0 if right else -1.0]}


def visits(
    spec: Spec,
    drawn: Iterable[tuple[float, float]],
    *,
    w: object = None,
    start: float = START,
    rate: float = RATE,
) -> Iterator[Visit]:
    """One visit and one update after another. drawn: the hunger and the draw of each.

    w: in the place of the spec's own.
    """
    weight = {} if w is None else {"w": w}

    def batch(hunger: float, draw: float) -> Batch:
        def make(ask: Callable[[Mapping[str, object]], Arrays]) -> Mapping[str, object]:
            p = float(ask({"hunger": [hunger], **weight})["p"][0])
            return {**lived(p, hunger, draw), **weight}

        return make

    drawn, told = tee(drawn)
    batches = (batch(hunger, draw) for hunger, draw in told)
    updates = descend(derived_of(spec), "p", {"b": start}, batches, ONE, rate)
    for (hunger, draw), update in zip(drawn, updates, strict=True):
        yield Visit(hunger, draw, 1 - float(update.values["p"][0]), update)


def derived_of(spec: Spec) -> Derived:
    """The loss, differentiated by b."""
    loss = spec.losses[0]
    return reverse(split_heads(loss.program), loss.value, ("b",))


def training(spec: Spec, count: int = TRAINING, seed: int = 0, w: object = None) -> Iterator[Visit]:
    """Visits with hunger and draw uniform in [0,1)."""
    rng = np.random.default_rng(seed)
    drawn = ((float(rng.random()), float(rng.random())) for _ in range(count))
    yield from visits(spec, drawn, w=w)
