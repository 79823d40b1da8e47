"""One entry of a gradient as products along the chain, added up over what is summed:

dL/dW[i,j] = sum(b: x[b,j] * s'(z[b,i]) * dL/dh[b,i])    upstream, local, downstream
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sympy import Expr, Integer, Mul, S, Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.derive import Partial
from symgrad.algebra.program import Equation, Range, Slot, make_equation, slot_symbol
from symgrad.algebra.scalars import Equal, Select
from symgrad.algebra.sizes import ZERO, Size
from symgrad.explain.book import Book
from symgrad.explain.explained import Element
from symgrad.explain.settle import Settled, letters_of, place_number, settle, spare_letters

MOST_LINKS = 8


@dataclass(frozen=True)
class Link:
    """d end / d start = slope, in the indices of the sum; `equation` is the one that reads."""

    equation: Equation
    start: Access
    end: Access
    slope: Expr
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class Product:
    """One contribution to an entry: sum over `box` of the slopes of the links times the adjoint.

    masks:   conditions under which it reaches the entry: the deltas.
    adjoint: what stands at the end of the chain; None where that is the loss.
    whole:   the contribution as the gradient program has it.
    """

    links: tuple[Link, ...]
    masks: tuple[tuple[Expr, tuple[Slot, ...]], ...]
    adjoint: Access | None
    box: tuple[Range, ...]
    whole: Settled

    @property
    def factors(self) -> list[tuple[Expr, tuple[Slot, ...]]]:
        """Everything that is multiplied, the slopes first."""
        ends = [] if self.adjoint is None else [(slot_symbol(self.adjoint), (self.adjoint,))]
        return [*((link.slope, link.slots) for link in self.links), *self.masks, *ends]

    def reach(self, place: Access) -> list[tuple[Range, int]]:
        """The ranges in which it contributes at all, and where in them the place lies."""
        own = {r.index: r for r in self.whole.box}
        pairs = zip(self.whole.target.subscripts, place.subscripts, strict=True)
        return [
            (own[s.plain or ""], at.offset.constant or 0)
            for s, at in pairs
            if isinstance(s, Affine) and isinstance(at, Affine)
        ]

    def equation(self, target: Access) -> Equation:
        """The factors multiplied."""
        body = Mul(*(factor for factor, _ in self.factors))
        slots = [slot for _, used in self.factors for slot in used]
        return make_equation(target, body, slots, self.box)


def products(book: Book, element: Element) -> Iterator[Product]:
    """The contributions to an entry, in the order of the backward steps."""
    for partial, equation in book.contributions(element.tensor):
        letters = letters_of(book.program, element.tensor, equation.target)
        places = dict(zip(letters, map(_constant, element.places), strict=True))
        whole = settle(book.unseeded(equation), letters, book.program)
        yield _product(book, partial, equation, whole, places)


def _constant(place: int) -> Affine:
    return Affine((), Size.of(place))


def _product(
    book: Book,
    partial: Partial,
    equation: Equation,
    whole: Settled,
    places: Mapping[str, Affine],
) -> Product:
    """The first link is the read itself; more follow while an adjoint is one product of its own."""
    letters = tuple(places)

    def placed(slot: Access) -> Access:
        """A read of the equation, in the letters of the settled contribution, at the entry."""
        moved = settle(_reading(equation, slot), letters, book.program)
        (found,) = moved.slots
        return found.substitute(places) if isinstance(found, Access) else slot

    slope = settle(_having(equation, partial), letters, book.program)
    first = Link(
        partial.equation,
        placed(partial.read),
        placed(partial.equation.target),
        *put(slope.body, slope.slots, places),
    )
    masks = tuple(_mask(c.index, c.place.substitute(places), places) for c in whole.conditions)
    links = [first]
    while len(links) < MOST_LINKS:
        link = _next(book, links[-1].end)
        if link is None:
            break
        links.append(link)
    end = book.derived.name_of[links[-1].end.tensor]
    adjoint = None if end == book.seed else links[-1].end.of(end)
    return Product(tuple(links), masks, adjoint, whole.reduced, whole)


def _reading(equation: Equation, slot: Access) -> Equation:
    return make_equation(equation.target, slot_symbol(slot), [slot], equation.box)


def _having(equation: Equation, partial: Partial) -> Equation:
    return make_equation(equation.target, partial.slope, partial.slots, equation.box)


def put(
    body: Expr,
    slots: Sequence[Slot],
    mapping: Mapping[str, Affine],
    more: Mapping[Symbol, Expr] | None = None,
) -> tuple[Expr, tuple[Slot, ...]]:
    """An expression with its indices replaced; an index that becomes a number is that number.

    more: what else is put in, in the same pass.
    """
    moved = {slot_symbol(slot): slot.substitute(mapping) for slot in slots}
    symbols: dict[Symbol, Expr] = dict(more or {})
    for symbol, slot in moved.items():
        fixed = slot.offset.constant if isinstance(slot, Affine) and not slot.terms else None
        symbols[symbol] = slot_symbol(slot) if fixed is None else Integer(fixed)
    found = body.xreplace(symbols)
    return found, tuple(s for s in moved.values() if slot_symbol(s) in found.free_symbols)


def _mask(
    index: str, place: Affine | Access, places: Mapping[str, Affine]
) -> tuple[Expr, tuple[Slot, ...]]:
    """[2 == tok[b]]."""
    number, used = place_number(place)
    left = places[index].offset.constant or 0
    return Select(Equal(Integer(left), number), S.One, S.Zero), tuple(used)


def _next(book: Book, end: Access) -> Link | None:
    """The link above, where the adjoint of what was reached is one product, without a sum."""
    pairs = book.contributions(end.tensor)
    if len(pairs) != 1 or end.padded:
        return None
    ((partial, _),) = pairs
    equation, read = partial.equation, partial.read
    shape = book.program.tensor_of[end.tensor].shape
    if not read.is_plain or read.padded or {r.index for r in equation.box} != read.indices:
        return None
    mapping: dict[str, Affine] = {}
    for subscript, wanted, size in zip(read.subscripts, end.subscripts, shape, strict=True):
        index = subscript.plain if isinstance(subscript, Affine) else None
        if index is None or not isinstance(wanted, Affine):
            return None
        if equation.range_of[index].lo != ZERO or equation.range_of[index].hi != size:
            return None
        mapping[index] = wanted
    slope = put(partial.slope, partial.slots, mapping)
    return Link(equation, end, equation.target.substitute(mapping), *slope)


def total_at(book: Book, place: Access) -> list[Equation] | None:
    """dX at a place as its own sum; None where a contribution does not reach all of X."""
    name = place.tensor
    shape = book.program.tensor_of[name].shape
    found = []
    for settled in book.adjoints[name]:
        if not settled.full(shape):
            return None
        own = [s.plain or "" for s in settled.target.subscripts if isinstance(s, Affine)]
        taken = {*place.indices, *own, *(r.index for r in settled.reduced)}
        spare = (i for i in spare_letters(book.program) if i not in taken)
        summed = {
            r.index: next(spare) if r.index in place.indices else r.index for r in settled.reduced
        }
        mapping = {index: Affine.index(letter) for index, letter in summed.items()}
        mapping |= {
            i: to for i, to in zip(own, place.subscripts, strict=True) if isinstance(to, Affine)
        }
        masked = settled.equation()
        body, slots = put(masked.body, [slot for _, slot in masked.slots], mapping)
        box = [Range(summed[r.index], r.lo, r.hi) for r in settled.reduced]
        found.append(make_equation(place, body, slots, box))
    return found
