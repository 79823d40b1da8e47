"""A program's gradient with its stops, and with nothing held constant: which adjoints differ.

Both are derived from the same forward equations. An adjoint is the same in both where every
contribution to it is the same and comes from an adjoint that is the same. Where it is not, the full
gradient's is called dX_full, so that one program holds both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from sympy import Expr, S, expand

from symgrad.algebra.access import Access
from symgrad.algebra.derive import Derived, Partial, reverse
from symgrad.algebra.heads import split_heads
from symgrad.algebra.program import Equation, Program, Tensor, fresh_name
from symgrad.algebra.scalars import Stop
from symgrad.explain.book import Book
from symgrad.explain.latex import Latex
from symgrad.explain.numbers import ancestors
from symgrad.explain.steps import Code
from symgrad.explain.substitute import called, with_body
from symgrad.explain.through import stripped
from symgrad.spec import Loss

How = Literal["same", "passed on", "added", "other", "lost"]
"""How a contribution of the full gradient stands to the semi-gradient's.

same; passed on: the same slope times an adjoint that differs; added: it has none there; other:
another slope; lost: the semi-gradient's alone.
"""

Key = tuple[Access, Access, object, int]


@dataclass(frozen=True)
class Contribution:
    """full, semi: the adjoint equation in either, None where it has none.

    partial: the full gradient's, or the only one; before: the semi-gradient's, where there are two.
    """

    how: How
    partial: Partial
    full: Equation | None
    semi: Equation | None
    before: Partial | None = None


@dataclass(frozen=True)
class Two:
    """Both gradients.

    program:       forward equations, the semi-gradient's adjoints, and those of the full one that
                   differ.
    full_of:       the full gradient's adjoint of each tensor, in `program`.
    differing:     the tensors whose adjoints differ.
    contributions: in the order in which the full gradient has them.
    stopped:       the equations that hold something constant.
    source:        the forward equation of each of the full gradient's, which has no stops.
    """

    semi: Derived
    full: Derived
    program: Program
    full_of: Mapping[str, str]
    differing: frozenset[str]
    contributions: tuple[Contribution, ...]
    stopped: tuple[Equation, ...]
    source: Mapping[int, Equation]


def two_gradients(loss: Loss, wrt: Sequence[str]) -> Two:
    """Both gradients of a loss by `wrt`."""
    program = split_heads(loss.program)
    needed = ancestors(program, loss.value)
    shown = [e for e in program.equations if e.target.tensor in needed]
    bare = program.map_equations(_without_stops)
    source = dict(zip(map(id, bare.equations), program.equations, strict=True))
    semi, full = (reverse(p, loss.value, wrt) for p in (program, bare))
    found = _matched(*(Book(d, loss.value).pairs for d in (semi, full)))
    differing = _differing(found)
    full_of = _names(semi, full, differing)
    names = {adjoint: full_of[tensor] for tensor, adjoint in full.name_of.items()}
    renamed = {
        id(e): called(e, names)
        for e in full.program.equations
        if e.target.tensor in {full.name_of.get(t) for t in differing}
    }
    return Two(
        semi,
        full,
        _joined(semi, full, full_of, tuple(renamed.values())),
        full_of,
        differing,
        tuple(_settled(c, renamed, differing) for c in found),
        tuple(e for e in shown if e.body.has(Stop)),
        source,
    )


def _without_stops(equation: Equation) -> Equation:
    slots = [slot for _, slot in equation.slots]
    return with_body(equation, stripped(equation.body), slots)


def _matched(
    semi: Sequence[tuple[Partial, Equation]], full: Sequence[tuple[Partial, Equation]]
) -> list[Contribution]:
    left = dict(zip(_keys(semi), semi, strict=True))
    found = []
    for key, (partial, equation) in zip(_keys(full), full, strict=True):
        if key not in left:
            found.append(Contribution("added", partial, equation, None))
            continue
        before, own = left.pop(key)
        how: How = "same" if slope_gap(partial, before) == S.Zero else "other"
        found.append(Contribution(how, partial, equation, own, before))
    lost = [(p, e) for p, e in left.values() if stripped(p.slope) != S.Zero]
    return found + [Contribution("lost", p, None, e) for p, e in lost]


def slope_gap(full: Partial, semi: Partial) -> Expr:
    """The full gradient's slope minus the semi-gradient's, in value."""
    return expand(full.slope - stripped(semi.slope))


def _keys(pairs: Iterable[tuple[Partial, Equation]]) -> list[Key]:
    """The read and what reads it; numbered, where that happens more than once."""
    seen: Counter[object] = Counter()
    keys: list[Key] = []
    for partial, _ in pairs:
        place = (partial.read, partial.equation.target, partial.equation.box)
        keys.append((*place, seen[place]))
        seen[place] += 1
    return keys


def _differing(found: Sequence[Contribution]) -> frozenset[str]:
    """Tensors with a contribution of their own, and what they pass it on to."""
    differing = {c.partial.read.tensor for c in found if c.how != "same"}
    before = -1
    while len(differing) != before:
        before = len(differing)
        differing |= {
            c.partial.read.tensor
            for c in found
            if c.how == "same" and c.partial.equation.target.tensor in differing
        }
    return frozenset(differing)


def _names(semi: Derived, full: Derived, differing: frozenset[str]) -> dict[str, str]:
    taken = set(semi.program.names)
    found: dict[str, str] = {}
    for tensor, adjoint in full.name_of.items():
        found[tensor] = adjoint
        if tensor in differing:
            found[tensor] = fresh_name(f"d{tensor}_full", taken)
            taken.add(found[tensor])
    return found


def _joined(
    semi: Derived, full: Derived, full_of: Mapping[str, str], equations: Sequence[Equation]
) -> Program:
    """The semi-gradient's program with the adjoints of the full one that differ."""
    new = dict.fromkeys(e.target.tensor for e in equations)
    shape = {full_of[t]: full.program.tensor_of[a].shape for t, a in full.name_of.items()}
    outputs = dict.fromkeys((*semi.result.values(), *(full_of[n] for n in full.result)))
    return semi.program.extended([Tensor(n, shape[n]) for n in new], equations, tuple(outputs))


def _settled(
    found: Contribution, renamed: Mapping[int, Equation], differing: frozenset[str]
) -> Contribution:
    """With the final names; the same slope times an adjoint that differs is passed on."""
    passed = found.how == "same" and found.partial.equation.target.tensor in differing
    equation = None if found.full is None else renamed.get(id(found.full), found.full)
    return replace(found, how="passed on" if passed else found.how, full=equation)


# ---- how both are printed -----------------------------------------------------------------------


@dataclass(frozen=True)
class TwoLatex(Latex):
    """full: the tensor of each adjoint of the full gradient."""

    full: Mapping[str, str] = field(default_factory=dict)

    def access(self, access: Access) -> str:
        if access.tensor not in self.full:
            return super().access(access)
        inner = Access(self.full[access.tensor], access.subscripts, access.padded)
        return rf"\frac{{\partial {FULL.latex}}}{{\partial {self.access(inner)}}}"


FULL = Code("L_full", r"\mathcal{L}^{\mathrm{full}}")


@dataclass(frozen=True)
class TwoBook(Book):
    """A book in which dX_full is printed as dL_full/dX."""

    full: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def primal(self) -> Mapping[str, str]:
        own = {adjoint: name for name, adjoint in self.derived.name_of.items()}
        return {**own, **self.full}

    @cached_property
    def latex(self) -> Latex:
        names = frozenset([*self.program.tensor_of, *dict(self.program.functions)])
        own = {adjoint: name for name, adjoint in self.derived.name_of.items()}
        return TwoLatex(own, self.value, names, self.full)

    @property
    def full_symbol(self) -> str:
        return f"{self.symbol}_full"

    def adjoint(self, access: Access) -> Code:
        if access.tensor not in self.full:
            return super().adjoint(access)
        bare = replace(access, tensor=self.full[access.tensor], padded=False)
        shown = self.latex.access(replace(bare, tensor=access.tensor))
        return Code(f"d{self.full_symbol}/d{bare}", shown)


def book_of(two: Two, value: str) -> TwoBook:
    """The book of the program that holds both."""
    derived = replace(two.semi, program=two.program)
    full = {two.full_of[t]: t for t in two.full_of if t in two.differing}
    return TwoBook(derived, value, None, full)
