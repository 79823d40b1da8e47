"""Sizes: integer polynomials in named sizes and floor quotients, such as (L + 2 - K)//4 + 1.

Every named size is an integer >= 1. Two sizes are equal exactly when their canonical terms are;
`is_nonnegative` proves p >= 0 for all sizes >= 1, or says that it cannot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from math import prod


@dataclass(frozen=True)
class FloorDiv:
    """numerator // divisor, with divisor >= 1."""

    numerator: Size
    divisor: Size

    def __str__(self) -> str:
        return f"{_wrapped(self.numerator)}//{_wrapped(self.divisor)}"


@dataclass(frozen=True)
class Largest:
    """max(first, second)."""

    first: Size
    second: Size

    def __str__(self) -> str:
        return f"max({self.first}, {self.second})"


Atom = str | FloorDiv | Largest
Monomial = tuple[Atom, ...]


@dataclass(frozen=True)
class Size:
    """sum of coefficient * product of atoms; `terms` is sorted, without zeros."""

    terms: tuple[tuple[Monomial, int], ...] = ()

    @staticmethod
    def of(value: int | str | Size) -> Size:
        if isinstance(value, Size):
            return value
        if isinstance(value, str):
            return Size((((value,), 1),))
        return Size((((), value),)) if value else Size()

    @staticmethod
    def collect(terms: Iterable[tuple[Monomial, int]]) -> Size:
        total: dict[Monomial, int] = defaultdict(int)
        for monomial, coefficient in terms:
            total[monomial if len(monomial) < 2 else tuple(sorted(monomial, key=str))] += (
                coefficient
            )
        kept = [(m, c) for m, c in total.items() if c]
        if len(kept) > 1:
            kept.sort(key=lambda term: (-len(term[0]), [str(a) for a in term[0]]))
        return Size(tuple(kept))

    def __add__(self, other: int | str | Size) -> Size:
        right = Size.of(other)
        if not right.terms:
            return self
        return Size.collect((*self.terms, *right.terms)) if self.terms else right

    __radd__ = __add__

    def __neg__(self) -> Size:
        return Size(tuple((m, -c) for m, c in self.terms))

    def __sub__(self, other: int | str | Size) -> Size:
        right = Size.of(other)
        return self + (-right) if right.terms else self

    def __rsub__(self, other: int | str | Size) -> Size:
        return Size.of(other) - self

    def __mul__(self, other: int | str | Size) -> Size:
        right = Size.of(other).terms
        if right == ONE.terms:
            return self
        return Size.collect((m + n, c * d) for m, c in self.terms for n, d in right)

    __rmul__ = __mul__

    def __floordiv__(self, divisor: int | str | Size) -> Size:
        by = Size.of(divisor)
        if by == ONE:
            return self
        a, b = self.constant, by.constant
        if a is not None and b:
            return Size.of(a // b)
        return Size((((FloorDiv(self, by),), 1),))

    @property
    def constant(self) -> int | None:
        """The value, where no named size occurs."""
        if not self.terms:
            return 0
        if len(self.terms) == 1 and self.terms[0][0] == ():
            return self.terms[0][1]
        return None

    @property
    def names(self) -> frozenset[str]:
        found: set[str] = set()
        for monomial, _ in self.terms:
            for atom in monomial:
                found |= (
                    {atom}
                    if isinstance(atom, str)
                    else frozenset().union(*(part.names for part in _parts(atom)))
                )
        return frozenset(found)

    def map(self, value: Callable[[str], Size]) -> Size:
        """Each named size replaced by a size."""
        return sum(
            (prod((_atom(a, value) for a in m), start=Size.of(c)) for m, c in self.terms), ZERO
        )

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        return sum(
            c * prod(sizes[a] if isinstance(a, str) else _number(a, sizes) for a in m)
            for m, c in self.terms
        )

    def __str__(self) -> str:
        text = ""
        for monomial, coefficient in sorted(self.terms, key=lambda term: term[1] < 0):
            number = [str(abs(coefficient))] * (abs(coefficient) != 1 or not monomial)
            # Python and the notation read 2*L//3 as (2*L)//3: a quotient stands bare only in front.
            bare = coefficient > 0 and not number
            factors = [_factor(a, bare and n == 0) for n, a in enumerate(monomial)]
            shown = "*".join(number + factors)
            text += ("-" if coefficient < 0 else "+" if text else "") + shown
        return text or "0"

    def is_nonnegative(self) -> bool:
        return is_nonnegative(self)

    def is_positive(self) -> bool:
        return is_nonnegative(self - 1)


def _factor(atom: Atom, bare: bool) -> str:
    return f"({atom})" if isinstance(atom, FloorDiv) and not bare else str(atom)


def _parts(atom: FloorDiv | Largest) -> tuple[Size, Size]:
    return (
        (atom.numerator, atom.divisor) if isinstance(atom, FloorDiv) else (atom.first, atom.second)
    )


def _atom(atom: Atom, value: Callable[[str], Size]) -> Size:
    if isinstance(atom, str):
        return value(atom)
    first, second = (part.map(value) for part in _parts(atom))
    return first // second if isinstance(atom, FloorDiv) else largest(first, second)


def _number(atom: FloorDiv | Largest, sizes: Mapping[str, int]) -> int:
    first, second = (part.evaluate(sizes) for part in _parts(atom))
    return first // second if isinstance(atom, FloorDiv) else max(first, second)


def largest(first: Size, second: Size) -> Size:
    """max(first, second), without the name where one is provably the larger."""
    if is_nonnegative(first - second):
        return first
    return second if is_nonnegative(second - first) else Size((((Largest(first, second),), 1),))


def _wrapped(size: Size) -> str:
    text = str(size)
    return text if text.isidentifier() or text.isdigit() else f"({text})"


def wrapped(size: Size) -> str:
    """As a factor: in brackets where it is a sum or a quotient."""
    return _wrapped(size)


ZERO = Size()
ONE = Size.of(1)


@cache
def is_nonnegative(size: Size) -> bool:
    """True only where size >= 0 for all named sizes >= 1.

    A quotient q = n//d obeys n - d + 1 <= q*d <= n, which eliminates it from d*size; a maximum is
    at least each of its parts. What is left is a polynomial, nonnegative for sizes >= 1 if every
    coefficient in the shifted names s - 1 is.
    """
    for monomial, _ in size.terms:
        for atom in monomial:
            if not isinstance(atom, str):
                return _without(size, atom)
    shifted = size.map(lambda name: Size.of(name) + 1)
    return all(coefficient >= 0 for _, coefficient in shifted.terms)


def _without(size: Size, q: FloorDiv | Largest) -> bool:
    rest: list[tuple[Monomial, int]] = []
    slope: list[tuple[Monomial, int]] = []
    for monomial, coefficient in size.terms:
        count = monomial.count(q)
        if count > 1:
            return False
        if count:
            left = list(monomial)
            left.remove(q)
            slope.append((tuple(left), coefficient))
        else:
            rest.append((monomial, coefficient))
    steep, base = Size.collect(slope), Size.collect(rest)
    rising = is_nonnegative(steep)
    if not rising and not is_nonnegative(-steep):
        return False
    if isinstance(q, FloorDiv):
        bound = q.numerator - q.divisor + 1 if rising else q.numerator
        return is_nonnegative(base * q.divisor + steep * bound)
    either = [is_nonnegative(base + steep * part) for part in (q.first, q.second)]
    return any(either) if rising else all(either)
