"""Equations put into one another, and a factor that several share given a name.

T[f(J)] = body(J), read as T[g(I)]:    T[g(I)]  ->  body(f^-1(g(I))).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations

from sympy import Expr, Mul, Symbol
from sympy.core.parameters import distribute

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import (
    Equation,
    Program,
    Range,
    Slot,
    bounds,
    make_equation,
    slot_symbol,
)
from symgrad.algebra.sizes import Size
from symgrad.notation.printer import expression_text

UNIT = (1, -1)
MOST_INDICES = 5
"""In a shared factor: every renaming of its indices is tried."""


def inlined(equation: Equation, program: Program, names: Collection[str]) -> Equation:
    """The equation with the tensors `names` replaced by what they are, as far as that goes.

    A tensor stays where several equations write it, where it is a sum, and where it is read
    outside what its equation writes.
    """
    found = equation
    for _ in range(len(names)):
        bodies = {
            symbol: put
            for symbol, slot in found.slots
            if isinstance(slot, Access) and slot.tensor in names
            if (put := _put(slot, found, program)) is not None
        }
        if not bodies:
            break
        slots = [slot for _, slot in found.slots]
        slots += [slot for _, used in bodies.values() for slot in used]
        with distribute(False):
            body = found.body.xreplace({symbol: put for symbol, (put, _) in bodies.items()})
        found = with_body(found, body, slots)
    return found


def with_body(equation: Equation, body: Expr, slots: Sequence[Slot]) -> Equation:
    return make_equation(
        equation.target,
        body,
        slots,
        equation.box,
        equation.op,
        assigns=equation.assigns,
        origin=equation.origin,
    )


def _put(read: Access, within: Equation, program: Program) -> tuple[Expr, list[Slot]] | None:
    """What stands at a place of a tensor that one equation writes, in the reader's indices."""
    writers = program.writers.get(read.tensor, ())
    if len(writers) != 1 or writers[0].op != "sum" or writers[0].reduced or read.padded:
        return None
    (writer,) = writers
    mapping: dict[str, Affine] = {}
    for written, wanted in zip(writer.target.subscripts, read.subscripts, strict=True):
        if not (isinstance(written, Affine) and isinstance(wanted, Affine)):
            return None
        if len(written.terms) != 1 or written.terms[0][1].constant not in UNIT:
            return None
        index, sign = written.terms[0]
        if index in mapping:
            return None
        mapping[index] = (wanted + Affine((), -written.offset)).scaled(sign)
        if not _inside(mapping[index], writer.range_of[index], within):
            return None
    return renamed_body(writer, mapping)


def _inside(place: Affine, wanted: Range, within: Equation) -> bool:
    reach = bounds(place, within.range_of)
    if reach is None:
        return False
    return (reach[0] - wanted.lo).is_nonnegative() and (wanted.hi - 1 - reach[1]).is_nonnegative()


def renamed_body(equation: Equation, mapping: Mapping[str, Affine]) -> tuple[Expr, list[Slot]]:
    """The body with its indices replaced, and the slots that it then has."""
    put = {symbol: slot.substitute(mapping) for symbol, slot in equation.slots}
    with distribute(False):
        body = equation.body.xreplace({symbol: slot_symbol(slot) for symbol, slot in put.items()})
    return body, list(put.values())


def relettered(equation: Equation, letters: Mapping[str, str]) -> Equation:
    """The same equation in other letters."""
    mapping = {old: Affine.index(new) for old, new in letters.items()}
    body, slots = renamed_body(equation, mapping)
    box = tuple(replace(r, index=letters.get(r.index, r.index)) for r in equation.box)
    return make_equation(
        equation.target.substitute(mapping),
        body,
        slots,
        box,
        equation.op,
        assigns=equation.assigns,
        origin=equation.origin,
    )


def shifted(equation: Equation, index: str, by: int) -> Equation:
    """The same equation with index + by in the place of index: t[l] = f(l)  ->  t[l-1] = f(l-1)."""
    mapping = {index: Affine.index(index) + Affine((), Size.of(by))}
    body, slots = renamed_body(equation, mapping)
    box = [replace(r, lo=r.lo - by, hi=r.hi - by) if r.index == index else r for r in equation.box]
    return make_equation(
        equation.target.substitute(mapping),
        body,
        slots,
        box,
        equation.op,
        assigns=equation.assigns,
        origin=equation.origin,
    )


# ---- a factor that several equations share ------------------------------------------------------


@dataclass(frozen=True)
class Shared:
    """name[letters] = body over `box`, and the equations with it in the place of its factors."""

    definition: Equation
    equations: tuple[Equation, ...]


@dataclass(frozen=True)
class _Part:
    """Some factors of an equation's body; `letters` are their indices in the order of the key."""

    equation: Equation
    factors: tuple[Expr, ...]
    letters: tuple[str, ...]

    @property
    def order(self) -> tuple[str, ...]:
        """The indices as the first of the longest reads has them."""
        slots = (self.equation.slot_of.get(s) for f in self.factors for s in _symbols(f))
        reads = [slot for slot in slots if isinstance(slot, Access) and slot.is_plain]
        longest = max(reads, key=lambda a: len(a.subscripts), default=None)
        if longest is None or longest.indices != set(self.letters):
            return self.letters
        return tuple(s.plain or "" for s in longest.subscripts if isinstance(s, Affine))


def common_factor(equations: Sequence[Equation], name: str) -> Shared | None:
    """The largest product that every right side holds, up to its letters, named; None if none."""
    if len(equations) < 2:
        return None
    found = [dict(_parts(e)) for e in equations]
    keys = [key for key in found[0] if all(key in other for other in found[1:])]
    if not keys:
        return None
    best = max(keys, key=lambda key: (len(key), key))
    parts = [each[best] for each in found]
    first = parts[0]
    order = [first.letters.index(i) for i in first.order]
    box = [first.equation.range_of[i] for i in first.order]
    slots = [slot for _, slot in first.equation.slots]
    with distribute(False):
        body = Mul(*first.factors)
    definition = make_equation(Access.plain(name, first.order), body, slots, box, assigns=True)
    return Shared(definition, tuple(_named(part, name, order) for part in parts))


def _named(part: _Part, name: str, order: Sequence[int]) -> Equation:
    read = Access.plain(name, tuple(part.letters[k] for k in order))
    rest = [f for f in Mul.make_args(part.equation.body) if f not in part.factors]
    slots = [read, *(slot for _, slot in part.equation.slots)]
    with distribute(False):
        return with_body(part.equation, Mul(slot_symbol(read), *rest), slots)


def _parts(equation: Equation) -> Iterator[tuple[tuple[str, ...], _Part]]:
    """Every product that is more than a read, with a key that does not depend on its letters."""
    factors = [f for f in Mul.make_args(equation.body) if f.free_symbols]
    for many in range(1, len(factors) + 1):
        for some in combinations(sorted(factors, key=expression_text), many):
            if many == 1 and some[0].is_Symbol:
                continue
            indices = sorted({i for f in some for i in _indices(f, equation)})
            if indices and len(indices) <= MOST_INDICES:
                key, letters = _key(some, indices, equation)
                yield key, _Part(equation, some, letters)


def _key(
    factors: Sequence[Expr], indices: Sequence[str], equation: Equation
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The least of the texts under all renamings to 0, 1, ...; and which index is which."""
    found = []
    for letters in permutations(indices):
        mapping = {i: Affine.index(f"i_{n}") for n, i in enumerate(letters)}
        put = {s: slot_symbol(slot.substitute(mapping)) for s, slot in equation.slots}
        with distribute(False):
            texts = sorted(expression_text(f.xreplace(put)) for f in factors)
        found.append((tuple(texts), letters))
    return min(found)


def _symbols(expr: Expr) -> list[Symbol]:
    return sorted(expr.free_symbols, key=lambda s: str(s.name))


def _indices(expr: Expr, equation: Equation) -> frozenset[str]:
    slots = (equation.slot_of.get(s) for s in _symbols(expr))
    return frozenset().union(*(slot.indices for slot in slots if slot is not None))
