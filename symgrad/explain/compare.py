"""The semi-gradient beside the full gradient, and what holding something constant removes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count

from sympy import preorder_traversal
from sympy.core.parameters import distribute

from symgrad.algebra.access import Access
from symgrad.algebra.program import Equation, Symbol, slot_symbol
from symgrad.algebra.scalars import Stop
from symgrad.explain.backward import backward
from symgrad.explain.book import Book
from symgrad.explain.build import forward_steps
from symgrad.explain.derivation import Derivation
from symgrad.explain.facts import kinks, listed, named, reductions
from symgrad.explain.numbers import ancestors
from symgrad.explain.reading import reading
from symgrad.explain.steps import Addend, Code, Formula, Prose, Section, Step
from symgrad.explain.substitute import with_body
from symgrad.explain.through import GRADIENT, outputs, term_formula, terms
from symgrad.explain.two import FULL, Contribution, Two, TwoBook, book_of, two_gradients
from symgrad.spec import Loss, Spec

MOST_TERMS = 6
"""Of a gradient written through the network's outputs."""


def compare_full(spec: Spec, loss: str | None = None) -> Derivation:
    """Both gradients of a loss; where nothing is stopped, that there is only one.

    loss: which loss, where the spec has several.
    """
    chosen = spec.loss(loss)
    two = two_gradients(chosen, chosen.wrt)
    told = _Told(spec, chosen, two, book_of(two, chosen.value))
    title = f"{spec.name}: the semi-gradient and the full gradient of {chosen.name}"
    return Derivation(
        spec.name,
        chosen.name,
        chosen.wrt,
        title,
        spec.description,
        tuple(told.sections()),
        told.book,
        spec.notes,
    )
