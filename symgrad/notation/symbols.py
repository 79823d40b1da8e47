"""The names that equations may read, and the indices in scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symgrad.algebra.program import Kind
from symgrad.algebra.sizes import Size

Env = Mapping[str, str]
"""The indices in scope, in order, each with the key of its range (siblings may share a letter)."""


CONSTANTS = ("PI", "inf")
VALUE = "loss"
"""The tensor that a loss's equations define."""
FORMS = ("where", "stop")
"""What is written like a function beside the table's rows."""


@dataclass(frozen=True)
class Signature:
    """What a subscripted name must fit: rank and kind; `bounded` says an int has an upper bound."""

    rank: int
    kind: Kind
    bounded: bool


@dataclass(frozen=True)
class Symbols:
    """The names that equations may read; calls: what is called like a function and is none."""

    tensors: Mapping[str, Signature]
    sizes: Mapping[str, Size]
    functions: Mapping[str, int]
    calls: tuple[str, ...] = ()

    def stands_bare(self, name: str) -> bool:
        """A size or a tensor of rank 0, which no index may share its name with."""
        return name in self.sizes or (name in self.tensors and self.tensors[name].rank == 0)
