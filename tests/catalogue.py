"""The built-in specs that emit code, and arrays found by their tensors' names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import symgrad.catalog
from symgrad.spec import load

SPECS = Path(symgrad.catalog.__path__[0]) / "specs"
PATHS = tuple(path for path in sorted(SPECS.glob("*.toml")) if not load(path).functions)
NAMES = tuple(path.stem for path in PATHS)


def at(container: Any, name: str) -> Any:
    """The array of a tensor: q_W1, and q.W1 too, is container.q.W1 where q is a group.

    The longest group counts: actor_target_W1 is no array of the actor's.
    """
    if hasattr(container, name):
        return getattr(container, name)
    splits = [(name[:n], name[n + 1 :]) for n, sign in enumerate(name) if sign in "_."]
    group, rest = next((g, r) for g, r in reversed(splits) if hasattr(container, g))
    return at(getattr(container, group), rest)
