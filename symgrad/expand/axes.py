"""What is known of a tensor before its equations are elaborated: letters of its axes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from symgrad.algebra.program import Tensor
from symgrad.expand.layers import free_letter
from symgrad.notation.syntax import Name, Statement

OWN = frozenset("ijkuvxy")
"""What layers call their own indices; no leading axis is called so."""


def letters_from_shape(tensor: Tensor, taken: Collection[str]) -> tuple[str, ...]:
    """B is b, T is t; any other size gets a free letter."""
    found: list[str] = []
    for size in tensor.shape:
        text = str(size)
        wanted = text.lower() if text.isalpha() and len(text) == 1 else "n"
        found.append(free_letter(wanted, {*taken, *found, *OWN}))
    return tuple(found)


def letters_from_left(statement: Statement, taken: Collection[str]) -> tuple[str, ...]:
    """The letters that the statement itself uses."""
    found: list[str] = []
    for subscript in statement.left.subscripts:
        plain = isinstance(subscript, Name) and subscript.name not in {*found, *OWN}
        wanted = subscript.name if plain and isinstance(subscript, Name) else "n"
        found.append(free_letter(wanted, {*taken, *found, *OWN}))
    return tuple(found)


def distinct(letters: Sequence[str]) -> bool:
    return len(set(letters)) == len(letters)
