"""What a derivation consists of: sections of numbered steps, each with formulas in every format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from symgrad.verify.arithmetic import Array


@dataclass(frozen=True)
class Code:
    """A formula inside a sentence, or a term of one: as text, which is ASCII, and as LaTeX.

    when: of a term, the range in which it counts, if that is not everywhere.
    """

    text: str
    latex: str
    when: Code | None = None


MATRICES = "in matrices"
"""The label of a matrix form."""

LOCAL = "local"
"""The label of a local partial, which is no equation of a program."""

CHAIN = "chain rule"
"""The label of an adjoint equation as it arises."""

Prose = tuple[str | Code, ...]
"""A sentence; its formulas are set apart, so that each format prints them in its own way."""


def words(text: str) -> Prose:
    """A sentence; what stands between backticks is a formula: `x_li|x_{li}` is text|LaTeX."""
    found: list[str | Code] = []
    for k, part in enumerate(text.split("`")):
        shown, _, latex = part.partition("|")
        found.append(Code(shown, latex or shown) if k % 2 else part)
    return tuple(part for part in found if part)


ARROW = (" -> ", r" \to ")
"""What stands between the places of a way, as text and as LaTeX."""


def plain(text: str) -> Code:
    """What is the same in LaTeX."""
    return Code(text, text)


def joined(codes: Iterable[Code], text: str, latex: str) -> Code:
    """Formulas with something between them."""
    found = list(codes)
    return Code(text.join(c.text for c in found), latex.join(c.latex for c in found))


def ratio(above: Code, below: Code) -> Code:
    """d(above)/d(below)."""
    latex = rf"\frac{{\partial {above.latex}}}{{\partial {below.latex}}}"
    return Code(f"d({above.text})/d({below.text})", latex)


def summed(terms: Iterable[Code]) -> Code:
    """a + b - c."""
    found = list(terms)
    return Code(added(t.text for t in found), added(t.latex for t in found))


@dataclass(frozen=True)
class Figure:
    """What a formula comes to in numbers; `name` where that is not its left side."""

    values: Array = field(compare=False)
    name: Code | None = None


@dataclass(frozen=True)
class Formula:
    """left sign terms, for ranges.

    terms:      the right side as (text, LaTeX); terms that are added up come one by one.
    notation:   lines that read back; none where the formula is no equation of a program.
    conditions: the ranges that hold, printed behind.
    label:      what the formula is, where a step has several.
    figure:     what it comes to, where the derivation has numbers.
    """

    left: Code
    terms: tuple[Code, ...]
    notation: tuple[str, ...] = ()
    sign: str = "="
    conditions: Code | None = None
    label: str = ""
    figure: Figure | None = None

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
    return {"+=": r"\mathrel{+}=", "<-": r"\leftarrow"}.get(sign, sign)


def added(terms: Iterable[str]) -> str:
    """a + b - c."""
    total = ""
    for term in terms:
        if not total:
            total = term
        else:
            total += f" - {term[1:]}" if term.startswith("-") else f" + {term}"
    return total or "0"


Cell = str | Code
"""What stands in a table: words and numbers as they are, formulas in each format's own way."""


@dataclass(frozen=True)
class Table:
    """Columns under their headings; the first `left` of them stand to the left, the rest right.

    total: whether the last row is a sum, which a line sets apart.
    """

    heads: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left: int = 1
    total: bool = False


@dataclass(frozen=True)
class Step:
    """One numbered step: what is done, and the formulas that say it, then tables, then words."""

    number: int
    kind: str
    title: Prose
    formulas: tuple[Formula, ...] = ()
    notes: tuple[Prose, ...] = ()
    tables: tuple[Table, ...] = ()
    remarks: tuple[Prose, ...] = ()


@dataclass(frozen=True)
class Section:
    """A heading, an introduction, the numbers that come in, steps, and remarks."""

    title: str
    intro: tuple[Prose, ...] = ()
    steps: tuple[Step, ...] = ()
    remarks: tuple[Prose, ...] = ()
    figures: tuple[Figure, ...] = ()
