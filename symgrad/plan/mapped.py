"""One change, made to every part of a plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from functools import cache
from operator import is_
from typing import Any, TypeVar

T = TypeVar("T")


def mapped(thing: T, change: Callable[[Any], Any], leaves: tuple[type, ...] = ()) -> T:
    """Anything made of frozen dataclasses and tuples; `change` gives a part's place to another.

    What it returns as it came is looked into; what is of a type in `leaves` stays as it is.
    """
    found: T = _walk(thing, change, leaves)
    return found


def _walk(thing: Any, change: Callable[[Any], Any], leaves: tuple[type, ...]) -> Any:
    if isinstance(thing, leaves):
        return thing
    changed = change(thing)
    if changed is not thing:
        return changed
    if isinstance(thing, tuple):
        items = tuple([_walk(item, change, leaves) for item in thing])
        return thing if all(map(is_, items, thing)) else items
    new: dict[str, Any] = {}
    for name in _parts(thing.__class__):
        part = getattr(thing, name)
        if (found := _walk(part, change, leaves)) is not part:
            new[name] = found
    return replace(thing, **new) if new else thing


@cache
def _parts(kind: type) -> tuple[str, ...]:
    """The names of a dataclass's fields; nothing else has parts."""
    return tuple(f.name for f in fields(kind) if f.init) if is_dataclass(kind) else ()
