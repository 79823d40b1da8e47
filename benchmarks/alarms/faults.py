"""What is planted beside the right gradients: each fault is what is added to the gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Arrays = Sequence[Any]
Fault = Callable[[Arrays, np.random.Generator], list[Any]]
"""What is added to each array of a gradient."""


def one_entry(gradient: Arrays, rng: np.random.Generator) -> list[Any]:
    """A tenth of the largest entry, at one entry that is not 0, away from 0."""
    wrong = [np.zeros(np.shape(g)) for g in gradient]
    size = max((float(np.abs(g).max(initial=0.0)) for g in gradient), default=0.0)
    places = [(k, i) for k, g in enumerate(gradient) for i in np.flatnonzero(g)]
    if places:
        k, i = places[rng.integers(len(places))]
        wrong[k].flat[i] = 0.1 * size * np.sign(np.ravel(gradient[k])[i])
    return wrong


FAULTS: Mapping[str, Fault] = {
    "1%": lambda gradient, rng: [0.01 * g for g in gradient],
    "10%": lambda gradient, rng: [0.1 * g for g in gradient],
    "sign": lambda gradient, rng: [-2.0 * g for g in gradient],
    "one entry": one_entry,
}


def leaves(value: Any) -> list[Any]:
    """The arrays of a gradient, in order: it may be a dict, a tuple or a list of them."""
    if isinstance(value, Mapping):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    if isinstance(value, tuple | list) and not all(isinstance(v, float | int) for v in value):
        return [leaf for inner in value for leaf in leaves(inner)]
    return [np.asarray(value)]


def with_leaves(value: Any, arrays: list[Any]) -> Any:
    """The same structure with other arrays, which are taken from the front of the list."""
    if isinstance(value, Mapping):
        return {name: with_leaves(inner, arrays) for name, inner in value.items()}
    if isinstance(value, tuple | list) and not all(isinstance(v, float | int) for v in value):
        return type(value)(with_leaves(inner, arrays) for inner in value)
    return arrays.pop(0)


def planted(gradient: Any, fault: Fault, seed: int) -> Any:
    """A gradient with a fault; of float32 arrays it is float32."""
    found = leaves(gradient)
    wrong = fault(found, np.random.default_rng(seed))
    sums = [(g + w).astype(g.dtype) for g, w in zip(found, wrong, strict=True)]
    return with_leaves(gradient, sums)
