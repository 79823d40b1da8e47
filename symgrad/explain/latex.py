r"""Names, reads, subscripts and sizes as LaTeX mathematics.

A name of one letter is italic, a longer one upright, a Greek one Greek; its final number stands
above it in brackets: z1[b,i] is z^{(1)}_{b,i}. dX, the adjoint of X, is a fraction of partials.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from symgrad.algebra.access import Access, Affine, Subscript
from symgrad.algebra.program import Range, Slot
from symgrad.algebra.sizes import ZERO, FloorDiv, Size

LOSS = r"\mathcal{L}"
GREEK = re.compile(
    "(alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|rho|sigma|tau"
    "|upsilon|phi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega)"
)
"""`pi` is not here: it would look like the circle constant."""

NAME = re.compile(r"([A-Za-z]+)(\d*)")


def name_latex(name: str) -> str:
    r"""W1 -> W^{(1)}, logits -> \mathrm{logits}, gamma -> \gamma."""
    found = NAME.fullmatch(name)
    stem, number = found.groups() if found else (name, "")
    greek = GREEK.fullmatch(stem)
    shown = stem if len(stem) == 1 else rf"\{stem}" if greek else upright(stem)
    return f"{shown}^{{({number})}}" if number else shown


def upright(text: str) -> str:
    return rf"\mathrm{{{text.replace('_', chr(92) + '_')}}}"


def bracketed(text: str) -> str:
    tall = any(word in text for word in (r"\frac", r"\sum", r"\begin"))
    return rf"\left({text}\right)" if tall else f"({text})"


@dataclass(frozen=True)
class Latex:
    """How a program's names are printed. primal: the tensor of each adjoint; value: the loss."""

    primal: Mapping[str, str]
    value: str
    names: frozenset[str] = frozenset()

    def access(self, access: Access) -> str:
        """X_{i,j}; of an adjoint, dL/dX_{i,j}."""
        if access.tensor in self.primal:
            inner = Access(self.primal[access.tensor], access.subscripts, access.padded)
            return rf"\frac{{\partial {LOSS}}}{{\partial {self.access(inner)}}}"
        shown = LOSS if access.tensor == self.value else name_latex(access.tensor)
        if access.subscripts:
            shown += f"_{{{','.join(self.subscript(s) for s in access.subscripts)}}}"
        return rf"\operatorname{{pad}}({shown})" if access.padded else shown

    def subscript(self, subscript: Subscript) -> str:
        return self.access(subscript) if isinstance(subscript, Access) else affine_latex(subscript)

    def slot(self, slot: Slot) -> str:
        return self.subscript(slot)

    def range(self, given: Range) -> str:
        low = "" if given.lo == ZERO else rf"{size_latex(given.lo)} \leq "
        return f"{low}{name_latex(given.index)} < {size_latex(given.hi)}"


def affine_latex(form: Affine) -> str:
    text = ""
    for index, coefficient in form.terms:
        text = _joined(text, _times(coefficient, name_latex(index)))
    if form.offset != ZERO or not text:
        text = _joined(text, size_latex(form.offset))
    return text


def size_latex(size: Size) -> str:
    text = ""
    for monomial, coefficient in sorted(size.terms, key=lambda term: term[1] < 0):
        atoms = [_atom(a) for a in monomial]
        text = _joined(text, _times(Size.of(coefficient), r"\,".join(atoms)))
    return text or "0"


def _times(coefficient: Size, shown: str) -> str:
    value = coefficient.constant
    if value is None:
        factor = size_latex(coefficient)
        return rf"{factor if factor.isalnum() else f'({factor})'}\,{shown}"
    if not shown:
        return str(value)
    return shown if value == 1 else f"-{shown}" if value == -1 else f"{value}{shown}"


def _atom(atom: object) -> str:
    if isinstance(atom, str):
        return name_latex(atom)
    if isinstance(atom, FloorDiv):
        top, below = size_latex(atom.numerator), size_latex(atom.divisor)
        return rf"\left\lfloor \frac{{{top}}}{{{below}}} \right\rfloor"
    first, second = (size_latex(getattr(atom, part)) for part in ("first", "second"))
    return rf"\max({first}, {second})"


def _joined(text: str, more: str) -> str:
    return text + more if not text or more.startswith("-") else f"{text}+{more}"
