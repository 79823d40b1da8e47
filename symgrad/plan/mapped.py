"""One change, made to every part of a plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from operator import is_
from typing import Any, TypeVar

T = TypeVar("T")


def mapped(thing: T, change: Callable[[Any], Any]) -> T:
    """Anything made of frozen dataclasses and tuples; `change` gives a part's place to another.

    What it returns as it came is looked into.
    """
    found: T = _walk(thing, change)
    return found


def _walk(thing: Any, change: Callable[[Any], Any]) -> Any:
    changed = change(thing)
    if changed is not thing:
        return changed
    if isinstance(thing, tuple):
        items = tuple(_walk(item, change) for item in thing)
        return thing if all(map(is_, items, thing)) else items
    if is_dataclass(thing) and not isinstance(thing, type):
        parts = {f.name: getattr(thing, f.name) for f in fields(thing) if f.init}
        new = {name: _walk(part, change) for name, part in parts.items()}
        return thing if all(new[n] is parts[n] for n in parts) else replace(thing, **new)
    return thing
