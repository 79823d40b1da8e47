"""What a lesson is told about the derivation that it stands in, and the entry it is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symgrad.algebra.program import Equation, Program
from symgrad.errors import SpecError, did_you_mean
from symgrad.explain.book import Book
from symgrad.explain.numbers import Numbers
from symgrad.notation.canonical import type_text
from symgrad.notation.names import shown
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


FORM = re.compile(r"\s*([A-Za-z][A-Za-z0-9_.]*)\s*(?:\[([\s\d,]*)\])?\s*", re.ASCII)

FORMAT = "is not of the form W1[0,2]: a tensor, and for each axis a number from 0"


def element_of(text: str, program: Program) -> Element:
    """W1[0,2], or q.W1[0,2] of the network q -> the tensor and the place.

    Errors: SpecError for another form, an unknown tensor and a wrong number of axes.
    """
    found = FORM.fullmatch(text)
    if found is None:
        raise _error(text, FORMAT)
    name, inner = found[1].replace(".", "_"), found[2]
    real = [t.name for t in program.tensors if t.kind == "real"]
    if name not in real:
        raise _error(text, f"{shown(name)} is not a real tensor{did_you_mean(name, real)}")
    parts = [] if inner is None or not inner.strip() else [p.strip() for p in inner.split(",")]
    if not all(p.isdigit() and len(p) <= 9 for p in parts):
        raise _error(text, FORMAT)
    tensor = program.tensor_of[name]
    if len(parts) != len(tensor.shape):
        axes = f"{len(tensor.shape) or 'no'} axes"
        came = f"{len(parts) or 'no'} number{'s' * (len(parts) != 1)} came"
        example = f"{name}[{','.join('0' for _ in tensor.shape)}]" if tensor.shape else name
        declared = type_text(tensor).split(" init=")[0]
        raise _error(text, f"{name} is {declared} and has {axes}, {came}; write {example}, say")
    return Element(name, tuple(int(p) for p in parts))


def _error(text: str, message: str) -> SpecError:
    return SpecError(f"element {shown(text)}: {message}")


def check_inside(element: Element, program: Program, sizes: Mapping[str, int]) -> None:
    """Errors: SpecError where the place lies outside the tensor at these sizes."""
    shape = program.tensor_of[element.tensor].shape
    for axis, (place, size) in enumerate(zip(element.places, shape, strict=True)):
        if size.names <= sizes.keys() and place >= size.evaluate(sizes):
            length = size.evaluate(sizes)
            raise _error(
                str(element),
                f"axis {axis + 1} of {element.tensor} has length {length}, "
                f"so its places are 0 to {length - 1}",
            )
