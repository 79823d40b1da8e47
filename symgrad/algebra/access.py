"""Accesses: a tensor under a map from a box of indices, X[g(I)].

A subscript is data, never SymPy: an affine form of indices, or the value of an integer tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from symgrad.algebra.sizes import ONE, ZERO, Size, wrapped


@dataclass(frozen=True)
class Affine:
    """sum of coefficient * index, plus an offset: 2*t + 3*k - 1. `terms` is sorted by index."""

    terms: tuple[tuple[str, Size], ...] = ()
    offset: Size = ZERO

    @staticmethod
    def index(name: str) -> Affine:
        return Affine(((name, ONE),))

    @staticmethod
    def collect(terms: Mapping[str, Size], offset: Size) -> Affine:
        return Affine(tuple(sorted((i, c) for i, c in terms.items() if c != ZERO)), offset)

    @property
    def plain(self) -> str | None:
        """The index, where the form is nothing but one index."""
        if self.offset == ZERO and len(self.terms) == 1 and self.terms[0][1] == ONE:
            return self.terms[0][0]
        return None

    @property
    def indices(self) -> frozenset[str]:
        return frozenset(index for index, _ in self.terms)

    def coefficient(self, index: str) -> Size:
        return dict(self.terms).get(index, ZERO)

    def __add__(self, other: Affine) -> Affine:
        terms = dict(self.terms)
        for index, coefficient in other.terms:
            terms[index] = terms.get(index, ZERO) + coefficient
        return Affine.collect(terms, self.offset + other.offset)

    def scaled(self, factor: Size) -> Affine:
        return Affine.collect({i: c * factor for i, c in self.terms}, self.offset * factor)

    def substitute(self, mapping: Mapping[str, Affine]) -> Affine:
        result = Affine((), self.offset)
        for index, coefficient in self.terms:
            result += mapping.get(index, Affine.index(index)).scaled(coefficient)
        return result

    def __str__(self) -> str:
        text = ""
        for index, coefficient in self.terms:
            value = coefficient.constant
            if value is None:
                text += f"+{wrapped(coefficient)}*{index}"
            else:
                times = "" if abs(value) == 1 else f"{abs(value)}*"
                text += ("-" if value < 0 else "+") + times + index
        if self.offset != ZERO or not text:
            offset = str(self.offset)
            text += offset if offset.startswith("-") else f"+{offset}"
        return text.removeprefix("+")


@dataclass(frozen=True)
class Access:
    """tensor[subscripts]; `padded` reads 0 outside the tensor and drops what is written there."""

    tensor: str
    subscripts: tuple[Subscript, ...] = ()
    padded: bool = False

    @staticmethod
    def plain(tensor: str, indices: tuple[str, ...]) -> Access:
        return Access(tensor, tuple(Affine.index(i) for i in indices))

    @property
    def indices(self) -> frozenset[str]:
        return frozenset().union(*(s.indices for s in self.subscripts))

    @property
    def is_plain(self) -> bool:
        """Every subscript is one index, and no index comes twice."""
        names = [s.plain if isinstance(s, Affine) else None for s in self.subscripts]
        return None not in names and len(set(names)) == len(names)

    def gathers(self) -> Iterator[Access]:
        """The integer reads inside, innermost first."""
        for subscript in self.subscripts:
            if isinstance(subscript, Access):
                yield from subscript.gathers()
                yield subscript

    def substitute(self, mapping: Mapping[str, Affine]) -> Access:
        return Access(
            self.tensor, tuple(s.substitute(mapping) for s in self.subscripts), self.padded
        )

    def renamed(self, name_of: Callable[[str], str]) -> Access:
        """The same read or write, its tensor and those in its subscripts by other names."""
        inner = (s.renamed(name_of) if isinstance(s, Access) else s for s in self.subscripts)
        return Access(name_of(self.tensor), tuple(inner), self.padded)

    def of(self, tensor: str) -> Access:
        """The same map, of another tensor."""
        return Access(tensor, self.subscripts, self.padded)

    def __str__(self) -> str:
        text = self.tensor
        if self.subscripts:
            text += "[" + ",".join(str(s) for s in self.subscripts) + "]"
        return f"pad({text})" if self.padded else text


Subscript = Affine | Access
