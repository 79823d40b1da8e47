"""Sections beside the derivation itself: a row each, told where what a spec holds calls for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from symgrad.explain.descent import one_step
from symgrad.explain.explained import Explained
from symgrad.explain.factors import factors
from symgrad.explain.inline import whole_network
from symgrad.explain.layer_lesson import layer_sections
from symgrad.explain.lecture import errors, notation, update
from symgrad.explain.limit import limit
from symgrad.explain.neuron import neuron
from symgrad.explain.one_bias_lesson import two_shops
from symgrad.explain.path_lesson import path_sections
from symgrad.explain.steps import Section

Part = Literal["forward", "backward", "gradient"]


@dataclass(frozen=True)
class Lesson:
    """after: the part of the derivation that it follows; tell: its sections, none where unfit."""

    after: Part
    tell: Callable[[Explained], Iterable[Section]]


LESSONS: tuple[Lesson, ...] = (
    Lesson("forward", whole_network),
    Lesson("forward", notation),
    Lesson("forward", neuron),
    Lesson("gradient", factors),
    Lesson("gradient", limit),
    Lesson("gradient", one_step),
    Lesson("gradient", two_shops),
    Lesson("gradient", layer_sections),
    Lesson("gradient", path_sections),
    Lesson("gradient", errors),
    Lesson("gradient", update),
)
"""In the order in which they are told."""


def told(after: Part, explained: Explained) -> Iterator[Section]:
    """The sections that follow a part."""
    for lesson in LESSONS:
        if lesson.after == after:
            yield from lesson.tell(explained)
