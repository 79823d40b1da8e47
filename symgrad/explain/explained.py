"""What a lesson is told about the derivation that it stands in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symgrad.algebra.program import Equation
from symgrad.explain.book import Book
from symgrad.explain.numbers import Numbers
from symgrad.spec import Loss, Spec


@dataclass(frozen=True)
class Element:
    """One entry of a tensor: W1[0,2]."""

    tensor: str
    places: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.tensor}[{','.join(map(str, self.places))}]" if self.places else self.tensor


@dataclass(frozen=True)
class Explained:
    """A derivation on its way.

    book:      the differentiated program and how its formulas are printed.
    wrt:       what is differentiated by; the loss's own, or the one tensor that was asked for.
    shown:     the forward equations that are printed.
    number_of: the step of each of them, by `id(equation)`.
    numbers:   the numbers of the steps to come: a lesson's step takes `next(numbers)`.
    given:     the backward steps that contribute to each adjoint, once they are told.
    element:   the one entry that was asked for; limit: and its difference quotient.
    """

    spec: Spec
    loss: Loss
    book: Book
    wrt: tuple[str, ...]
    shown: tuple[Equation, ...]
    number_of: Mapping[int, int]
    numbers: Iterator[int]
    given: Mapping[str, list[int]]
    element: Element | None = None
    limit: bool = False

    @property
    def path_only(self) -> bool:
        """Whether one tensor was asked for, so that only what leads from it is told."""
        return self.element is not None or self.wrt != self.loss.wrt

    @property
    def values(self) -> Numbers | None:
        """What everything comes to, where the derivation stands at a point."""
        return self.book.numbers
