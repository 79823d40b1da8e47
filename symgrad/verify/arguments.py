"""The arguments of a user's function: arrays, alone or in dicts, lists and tuples."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.errors import SpecError
from symgrad.verify.arithmetic import Array

Key = tuple[Any, ...]
"""Where an array is: the argument's number, then keys or places inside it."""


@dataclass(frozen=True)
class Leaf:
    """One array to be differentiated by."""

    name: str
    key: Key
    given: Array

    @property
    def array(self) -> Array:
        """In float64, fresh: the caller's own is never handed out."""
        return np.array(self.given, dtype=np.float64)


def leaves_of(function: Callable[..., Any], arguments: Sequence[object]) -> tuple[Leaf, ...]:
    """Every array of the arguments, named as the function names them."""
    if not arguments:
        raise SpecError("check_gradient: no array to differentiate by; give x after the gradient")
    names = argument_names(function, len(arguments))
    found: list[Leaf] = []
    for number, (name, argument) in enumerate(zip(names, arguments, strict=True)):
        found += _leaves(name, (number,), argument)
    return tuple(found)


def argument_names(function: Callable[..., Any], count: int) -> list[str]:
    """The function's own names of its first arguments, or x, x1, x2."""
    plain = ["x" if k == 0 else f"x{k}" for k in range(count)]
    try:
        known = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # a builtin need not say
        return plain
    named = [p.name for p in known if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [*named[:count], *plain[len(named) :]]


def _leaves(name: str, key: Key, value: Any) -> Iterator[Leaf]:
    if isinstance(value, Mapping):
        for k, inner in value.items():
            yield from _leaves(f"{name}.{k}", (*key, k), inner)
    elif _holds_arrays(value):
        for k, inner in enumerate(value):
            yield from _leaves(f"{name}[{k}]", (*key, k), inner)
    else:
        yield Leaf(name, key, _real(name, value))


def _holds_arrays(value: object) -> bool:
    """A list of arrays is a structure; a list of numbers is an array."""
    if not isinstance(value, list | tuple) or _is_numbers(value):
        return False
    return any(isinstance(v, Mapping | list | tuple) or np.ndim(v) > 0 for v in value)


def _is_numbers(value: object) -> bool:
    """A number, or nested lists of them."""
    if isinstance(value, list | tuple):
        return all(_is_numbers(v) for v in value)
    return isinstance(value, int | float)


def _real(name: str, value: object) -> Array:
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.empty(0, dtype=object)  # rows of several lengths
    if array.dtype.kind not in "fiu":
        raise SpecError(
            f"check_gradient: {name} came as {named(value)}, expected real numbers;"
            " give what is not differentiated by args="
        )
    if not np.all(np.isfinite(array)):
        raise SpecError(f"check_gradient: {name} holds values that are not finite")
    return array


def named(value: object) -> str:
    """What came, for a message: the type of an object, the dtype of an array."""
    try:
        array = np.asarray(value)
    except ValueError:
        return "lists of several lengths"
    return type(value).__name__ if array.dtype.kind == "O" else str(array.dtype)


def filled(arguments: Sequence[object], arrays: Mapping[Key, object]) -> list[Any]:
    """The arguments with other arrays in their places."""
    return [_filled(argument, (number,), arrays) for number, argument in enumerate(arguments)]


def _filled(value: Any, key: Key, arrays: Mapping[Key, object]) -> Any:
    if key in arrays:
        return arrays[key]
    if isinstance(value, Mapping):
        items = {k: _filled(inner, (*key, k), arrays) for k, inner in value.items()}
        if not isinstance(value, MutableMapping):
            return items
        same = copy(value)  # an OrderedDict, a dict with attributes
        same.update(items)
        return same
    inner = [_filled(v, (*key, k), arrays) for k, v in enumerate(value)]
    if hasattr(value, "_make"):  # a named tuple
        return value._make(inner)
    return inner if isinstance(value, list) else tuple(inner)


def picked(results: Sequence[Any], key: Key) -> Any:
    """What stands where an argument's array stands; LookupError where nothing does."""
    found: Any = results
    for k in key:
        found = found[k]
    return found
