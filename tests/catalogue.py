"""The built-in specs that emit code, and arrays found by their tensors' names."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import symgrad.catalog
from symgrad.spec import Spec, load

SPECS = Path(symgrad.catalog.__path__[0]) / "specs"
EVERY = {path: load(path) for path in sorted(SPECS.glob("*.toml"))}
PATHS = tuple(path for path, spec in EVERY.items() if not spec.functions)
NAMES = tuple(path.stem for path in PATHS)

MOST = 5_000
"""Numbers in the parameters that 60 digits, and an evaluation at every point, can take."""


def is_large(spec: Spec) -> bool:
    """Whether parameters have too many numbers where every size with a name is 2."""
    sizes = {size: 2 for size, _ in spec.sizes}
    shapes = [t.shape for t in spec.tensors if t.role == "param"]
    return sum(prod(n.evaluate(sizes) for n in shape) for shape in shapes) > MOST


def at(container: Any, name: str) -> Any:
    """The array of a tensor: q_W1, and q.W1 too, is container.q.W1 where q is a group.

    The longest group counts: actor_target_W1 is no array of the actor's.
    """
    if hasattr(container, name):
        return getattr(container, name)
    splits = [(name[:n], name[n + 1 :]) for n, sign in enumerate(name) if sign in "_."]
    group, rest = next((g, r) for g, r in reversed(splits) if hasattr(container, g))
    return at(getattr(container, group), rest)
