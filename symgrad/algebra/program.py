"""Equations and programs: target[f(I)] op= body(slots), for every point I of a box of indices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from typing import Literal

from sympy import Expr, Rational, Symbol
from sympy.core.parameters import distribute

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.sizes import ONE, ZERO, Size

Kind = Literal["real", "int", "bool"]
Role = Literal["param", "data", "computed"]
Op = Literal["sum", "logsumexp", "argmax"]
Slot = Access | Affine
"""What a symbol of a body stands for: a read, or an index or a size used as a number."""


@dataclass(frozen=True)
class Range:
    """lo <= index < hi."""

    index: str
    lo: Size
    hi: Size

    @property
    def count(self) -> Size:
        return self.hi - self.lo


@dataclass(frozen=True)
class Tensor:
    """A named array: its shape, kind and role.

    below:    an int's exclusive upper bound; ints are >= 0.
    positive: whether a real datum has to be above 0.
    default:  the value that a rank-0 datum takes where none is passed.
    init:     how a parameter is initialised, as written.
    """

    name: str
    shape: tuple[Size, ...] = ()
    kind: Kind = "real"
    role: Role = "computed"
    below: Size | None = None
    default: Rational | None = None
    init: str | None = None
    positive: bool = False


@dataclass(frozen=True)
class Equation:
    """target[f(I)] op= body(slots) for I in box.

    op:      sum, logsumexp or argmax, over the box indices that the target does not carry.
    assigns: written with `=`: a sum over nothing; no second equation may assign the same places.
    slots:   what each symbol of the body stands for, sorted by name.
    origin:  why the equation is there, for the reader of a derivation.
    """

    target: Access
    op: Op
    body: Expr
    slots: tuple[tuple[Symbol, Slot], ...]
    box: tuple[Range, ...]
    assigns: bool = False
    origin: str = field(default="", compare=False)

    @cached_property
    def slot_of(self) -> Mapping[Symbol, Slot]:
        return dict(self.slots)

    @cached_property
    def reads(self) -> tuple[Access, ...]:
        """Every read: of the body first, then of the subscripts of either side."""
        accesses = [slot for _, slot in self.slots if isinstance(slot, Access)]
        gathers = [g for a in (*accesses, self.target) for g in a.gathers()]
        return tuple(dict.fromkeys([*accesses, *gathers]))

    @cached_property
    def range_of(self) -> Mapping[str, Range]:
        return {r.index: r for r in self.box}

    @cached_property
    def reduced(self) -> tuple[str, ...]:
        """The indices that op runs over, in box order."""
        return tuple(r.index for r in self.box if r.index not in self.target.indices)

    def with_body(self, body: Expr, extra: Mapping[Symbol, Slot] | None = None) -> Equation:
        """The same equation with another body, whose symbols stand for the old slots or `extra`."""
        return replace(self, body=body, slots=used_slots(body, {**self.slot_of, **(extra or {})}))

    def renamed(self, name_of: Callable[[str], str]) -> Equation:
        """The same equation, its tensors by other names."""
        if all(name_of(a.tensor) == a.tensor for a in (self.target, *self.reads)):
            return self
        slots: dict[Symbol, Slot] = {
            symbol: slot.renamed(name_of) if isinstance(slot, Access) else slot
            for symbol, slot in self.slots
        }
        symbols = {old: slot_symbol(slot) for old, slot in slots.items()}
        body = rewritten(self.body, {old: new for old, new in symbols.items() if old != new})
        known = {symbols[old]: slot for old, slot in slots.items()}
        target = self.target.renamed(name_of)
        return replace(self, target=target, body=body, slots=used_slots(body, known))


@dataclass(frozen=True)
class Program:
    """Equations over declared and computed tensors. Their order carries no meaning.

    sizes:     each named size and its default (None: free, chosen by the data).
    functions: declared unknown functions and how many arguments each takes.
    """

    sizes: tuple[tuple[str, int | None], ...]
    tensors: tuple[Tensor, ...]
    equations: tuple[Equation, ...]
    outputs: tuple[str, ...] = ()
    functions: tuple[tuple[str, int], ...] = ()

    @cached_property
    def tensor_of(self) -> Mapping[str, Tensor]:
        return {t.name: t for t in self.tensors}

    @cached_property
    def writers(self) -> Mapping[str, tuple[Equation, ...]]:
        """The equations that write each tensor."""
        found: dict[str, tuple[Equation, ...]] = {}
        for equation in self.equations:
            found[equation.target.tensor] = (*found.get(equation.target.tensor, ()), equation)
        return found

    @cached_property
    def readers(self) -> Mapping[str, tuple[Access, ...]]:
        """The reads of each tensor."""
        found: dict[str, list[Access]] = {}
        for equation in self.equations:
            for access in equation.reads:
                found.setdefault(access.tensor, []).append(access)
        return {name: tuple(reads) for name, reads in found.items()}

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name that a new tensor may not take."""
        return frozenset([*self.tensor_of, *dict(self.sizes), *dict(self.functions), *self.indices])

    @cached_property
    def indices(self) -> frozenset[str]:
        return frozenset(r.index for e in self.equations for r in e.box)

    def extended(
        self, tensors: Iterable[Tensor], equations: Iterable[Equation], outputs: tuple[str, ...]
    ) -> Program:
        return replace(
            self,
            tensors=(*self.tensors, *tensors),
            equations=(*self.equations, *equations),
            outputs=outputs,
        )

    def map_equations(self, change: Callable[[Equation], Equation]) -> Program:
        return replace(self, equations=tuple(change(e) for e in self.equations))

    def fresh(self, name: str) -> str:
        """`name`, or with the first number that makes it new."""
        return fresh_name(name, self.names)


def fresh_name(name: str, taken: Iterable[str]) -> str:
    known = set(taken)
    if name not in known:
        return name
    number = 2
    while f"{name}_{number}" in known:
        number += 1
    return f"{name}_{number}"


def slot_symbol(slot: Slot) -> Symbol:
    """One plain Symbol for each slot, named as it is written: `W1[i,j]`, `q[b,act[b]]`, `B`."""
    return Symbol(str(slot))


def rewritten(body: Expr, symbols: Mapping[Symbol, Symbol]) -> Expr:
    """The body with other symbols, else as it is written: -(a + b) does not become -a - b."""
    with distribute(False):
        return body.xreplace(symbols)


def used_slots(body: Expr, slots: Mapping[Symbol, Slot]) -> tuple[tuple[Symbol, Slot], ...]:
    """The slots that the body's symbols stand for, sorted by name. `inf` stands for itself."""
    used = [s for s in body.free_symbols if s != INF]
    return tuple((s, slots[s]) for s in sorted(used, key=lambda s: s.name))


def make_equation(
    target: Access,
    body: Expr,
    slots: Iterable[Slot],
    box: Iterable[Range],
    op: Op = "sum",
    *,
    assigns: bool = False,
    origin: str = "",
) -> Equation:
    """An equation whose slots are those of `slots` that the body uses."""
    known = {slot_symbol(slot): slot for slot in slots}
    return Equation(target, op, body, used_slots(body, known), tuple(box), assigns, origin)


INF = Symbol("inf")
"""Infinity as an opaque constant: SymPy's own `oo` absorbs what is added to it."""


def count_of(ranges: Iterable[Range]) -> Size:
    """How many points a box has."""
    total = Size.of(1)
    for r in ranges:
        total = total * r.count
    return total


def bounds(form: Affine, box: Mapping[str, Range]) -> tuple[Size, Size] | None:
    """The least and the greatest value over the box; None where a coefficient's sign is unknown."""
    low, high = form.offset, form.offset
    for index, coefficient in form.terms:
        first, last = box[index].lo * coefficient, (box[index].hi - 1) * coefficient
        if coefficient.is_nonnegative():
            low, high = low + first, high + last
        elif (ZERO - coefficient).is_nonnegative():
            low, high = low + last, high + first
        else:
            return None
    return low, high


def digits(form: Affine, box: Mapping[str, Range]) -> tuple[str, ...] | None:
    """The indices that count the form's values from 0 on, one after the other, outermost first.

    12*c + 4*u + v  ->  (c, u, v), where u < 3 and v < 4;  i  ->  (i,);  2*i  ->  None
    """
    waiting, found, unit = dict(form.terms), [], ONE
    while waiting:
        index = next((i for i, coefficient in waiting.items() if coefficient == unit), None)
        if index is None or box[index].lo != ZERO:
            return None
        del waiting[index]
        found.append(index)
        unit *= box[index].hi
    return tuple(reversed(found)) if form.offset == ZERO else None


def covers(equation: Equation, program: Program) -> bool:
    """Whether the equation writes every place of its tensor."""
    ranges = equation.range_of
    seen: list[str] = []
    shape = program.tensor_of[equation.target.tensor].shape
    for subscript, size in zip(equation.target.subscripts, shape, strict=True):
        counted = digits(subscript, ranges) if isinstance(subscript, Affine) else None
        if counted is None or prod((ranges[i].hi for i in counted), start=ONE) != size:
            return False
        seen += counted
    return not equation.target.padded and len(seen) == len(set(seen))


def is_whole(equation: Equation, program: Program) -> bool:
    """Whether the equation alone writes its tensor, every place of it once."""
    alone = len(program.writers[equation.target.tensor]) == 1 and not equation.target.padded
    return alone and not equation.reduced and covers(equation, program)
