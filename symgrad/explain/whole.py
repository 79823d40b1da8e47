"""The network as one expression, a section of a derivation."""

from __future__ import annotations

from collections.abc import Iterator

from symgrad.algebra.access import Access
from symgrad.explain.explained import Explained
from symgrad.explain.inline import TooMuch, output
from symgrad.explain.steps import Section, Step

ABOUT = (
    "Each equation put into the next, until only parameters and data are left. The derivation "
    "does not need it: it keeps every name.",
)


def whole_network(explained: Explained) -> Iterator[Section]:
    """Each output as one expression, where it is made of more than one equation."""
    spec, book = explained.spec, explained.book
    if explained.path_only and explained.element is None:
        return
    steps: list[Step] = []
    remarks = []
    for name in dict.fromkeys(n for _, program in spec.forwards for n in program.outputs):
        try:
            formula, count = output(spec.shared, book.latex, name)
        except TooMuch as reason:
            remarks.append(
                (book.code(Access(name)), f" is not written as one expression: {reason}.")
            )
            continue
        if count > 1:
            steps.append(Step(next(explained.numbers), "whole", (), (formula,)))
    if steps or remarks:
        title = "The network as one expression"
        yield Section(title, (ABOUT,) if steps else (), tuple(steps), tuple(remarks))
