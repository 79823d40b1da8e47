"""What a derivation consists of: sections of numbered steps, each with formulas in every format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """A formula inside a sentence: as text, which is ASCII, and as LaTeX."""

    text: str
    latex: str


MATRICES = "in matrices"
"""The label of a matrix form."""

LOCAL = "local"
"""The label of a local partial, which is no equation of a program."""

Prose = tuple[str | Code, ...]
"""A sentence; its formulas are set apart, so that each format prints them in its own way."""


@dataclass(frozen=True)
class Addend:
    """One term of a right side. when: the range in which it counts, if that is not everywhere."""

    text: str
    latex: str
    when: Code | None = None


@dataclass(frozen=True)
class Formula:
    """left sign terms, for ranges.

    terms:      the right side as (text, LaTeX); terms that are added up come one by one.
    notation:   lines that read back; none where the formula is no equation of a program.
    conditions: the ranges that hold, printed behind.
    label:      what the formula is, where a step has several.
    """

    left: Code
    terms: tuple[Addend, ...]
    notation: tuple[str, ...] = ()
    sign: str = "="
    conditions: Code | None = None
    label: str = ""

    @property
    def text(self) -> str:
        right = added(f"{t.text} {t.when.text}" if t.when else t.text for t in self.terms)
        shown = f"{self.left.text} {self.sign} {right}"
        gap = "   " if self.label == LOCAL else " "
        return f"{shown}{gap}{self.conditions.text}" if self.conditions else shown

    @property
    def latex(self) -> str:
        """One line, without alignment."""
        right = added(rf"{t.latex} \quad {t.when.latex}" if t.when else t.latex for t in self.terms)
        behind = rf"\qquad {self.conditions.latex}" if self.conditions else ""
        return f"{self.left.latex} {latex_sign(self.sign)} {right}{behind}"


def latex_sign(sign: str) -> str:
    r"""+= stands apart, since TeX sets + as a binary operator."""
    return r"\mathrel{+}=" if sign == "+=" else sign


def added(terms: Iterable[str]) -> str:
    """a + b - c."""
    total = ""
    for term in terms:
        if not total:
            total = term
        else:
            total += f" - {term[1:]}" if term.startswith("-") else f" + {term}"
    return total or "0"


@dataclass(frozen=True)
class Step:
    """One numbered step: what is done, and the formulas that say it."""

    number: int
    kind: str
    title: Prose
    formulas: tuple[Formula, ...] = ()
    notes: tuple[Prose, ...] = ()


@dataclass(frozen=True)
class Section:
    """A heading, an introduction, steps, and remarks."""

    title: str
    intro: tuple[Prose, ...] = ()
    steps: tuple[Step, ...] = ()
    remarks: tuple[Prose, ...] = ()
