"""Each value is computed once: what a later step would compute again is read where it is.

    np.tanh(x, out=a);  np.tanh(x, out=b);  b *= y
->  np.tanh(x, out=a);  np.multiply(a, y, out=b)

A value that is written over gets an array of its own; a place that must be filled gets a copy.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import count
from typing import Any, TypeGuard, TypeVar

from sympy import Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.plan.mapped import mapped
from symgrad.plan.steps import (
    ArgMax,
    Copy,
    Guard,
    LogSumExp,
    Loop,
    MatMul,
    Note,
    Number,
    Scalar,
    Step,
    Sum,
    Take,
    Total,
    Ufunc,
)
from symgrad.plan.views import Array, Operand, Slice, Strided, View, plainly, whole

WRITES = frozenset({"out", "scratch", "total", "target", "at", "name"})
"""The fields of a step that name what it writes."""
SYMMETRIC = frozenset(
    {"add", "multiply", "maximum", "minimum", "equal", "logical_and", "logical_or"}
)
T = TypeVar("T")
Computed = Ufunc | Copy | MatMul | Sum | Take | LogSumExp | ArgMax
Block = list[list[Step]]
"""Steps, each with what has come to stand in its place."""


def once(
    arrays: Sequence[Array], steps: Sequence[Step], kept: Iterable[str]
) -> tuple[tuple[Array, ...], tuple[Step, ...]]:
    """The same values in the arrays that are `kept`."""
    work = _Once({a.name: a for a in arrays}, frozenset(kept))
    made = work.block(steps, {}, inside=False)
    return tuple(work.arrays.values()), made


@dataclass(frozen=True)
class _Known:
    """Where a value was computed: in which block, at which place, into which array."""

    block: Block
    place: int
    array: str
    value: int


@dataclass
class _Once:
    """holds: the value that is in an array, as a number of its own."""

    arrays: dict[str, Array]
    kept: frozenset[str]
    holds: dict[str, int] = field(default_factory=dict)
    values: Iterator[int] = field(default_factory=lambda: count(1))

    def block(
        self, steps: Sequence[Step], known: Mapping[object, _Known], *, inside: bool
    ) -> tuple[Step, ...]:
        """The steps of a body; what is `known` around it still holds where it is not written."""
        block, found = [[step] for step in steps], dict(known)
        for place in range(len(block)):
            for step in tuple(block[place]):
                if isinstance(step, Loop | Guard):
                    self.write(_written(step))
                    body = self.block(step.body, found, inside=True)
                    block[place] = [replace(step, body=body)]
                    self.write(_written(step))
                else:
                    self.step(step, block, place, found, inside)
        return tuple(step for now in block for step in now)

    def step(
        self, step: Step, block: Block, place: int, known: dict[object, _Known], inside: bool
    ) -> None:
        result = _result(step)
        placed = step.out.view if _is_placed(step) else None
        outer = inside and result in self.arrays and not self.arrays[result].local
        keys = () if outer or (result is None and placed is None) else self.keys(step)
        self.write(_written(step))
        first = next((known[key] for key in keys if key in known), None)
        holder = None if first is None else self.holder(first, block)
        if first is not None and holder is not None:  # which may be an array of its own from now on
            known.update(dict.fromkeys(keys, replace(first, array=holder)))
        if placed is not None and holder is not None:
            block[place] = [self.copy(holder, placed)]
        if result is None or not keys:
            return
        if first is None or holder is None:
            at = _Known(block, place, result, self.holds[result])
        else:
            self.reuse(holder, result, block, place)
            self.holds[result] = first.value
            at = replace(first, array=holder)
        known.update(dict.fromkeys(keys, at))

    def write(self, names: Iterable[str]) -> None:
        """Something else is in those arrays now."""
        for name in names:
            self.holds[name] = next(self.values)

    # ---- reuse --------------------------------------------------------------------------------

    def holder(self, first: _Known, block: Block) -> str | None:
        """The array that has the value; a new one where that was written over in this body."""
        if self.holds[first.array] == first.value:
            return first.array
        return self.apart(first) if first.block is block else None

    def apart(self, first: _Known) -> str | None:
        """A new array for a value that is written over where it was computed."""
        block, place, old = first.block, first.place, self.arrays[first.array]
        step = block[place][0]
        if not isinstance(step, Computed):
            return None
        name = f"t_@{len(self.arrays)}"
        made = replace(old, name=name, storage="buffer", spare=True)
        before = list(self.arrays).index(old.name)
        pairs = list(self.arrays.items())
        self.arrays = dict([*pairs[:before], (name, made), *pairs[before:]])
        self.holds[name] = first.value
        block[place] = [replace(step, out=_instead(step.out, old.name, name))]
        if not _renamed(block, place + 1, old.name, name, self.kept):
            block[place].append(self.copy(name, self.whole(old.name)))
        return name

    def reuse(self, holder: str, result: str, block: Block, place: int) -> None:
        """The step goes: its readers read the holder, or its array becomes a copy of that."""
        gone = _renamed(block, place + 1, result, holder, self.kept)
        block[place] = [] if gone else [self.copy(holder, self.whole(result))]

    def copy(self, source: str, there: View | Strided) -> Copy:
        return Copy(plainly(whole(self.arrays[source], there.dims)), plainly(there))

    def whole(self, name: str) -> View:
        array = self.arrays[name]
        return whole(array, [f"@{n}" for n in range(len(array.shape))])

    # ---- what a step computes -----------------------------------------------------------------

    def keys(self, step: Step) -> list[object]:
        """What tells it from steps that compute something else, whatever its indices are called."""
        if isinstance(step, Ufunc) and step.function in SYMMETRIC:
            return [self.key(replace(step, inputs=i)) for i in (step.inputs, step.inputs[::-1])]
        return [self.key(step)]

    def key(self, step: Step) -> object:
        letters: dict[str, int] = {}
        parts = [self.canonical(p, letters) for name, p in _parts(step) if name not in WRITES]
        if not isinstance(step, Computed):
            return (type(step), *parts)
        view, kind = step.out.view, self.arrays[step.out.array].kind
        dims = tuple(letters.setdefault(d, len(letters)) for d in view.dims)
        layout = tuple(tuple(letters[d] for d in group) for group in step.out.layout)
        lengths = tuple(view.sizes[d] for d in view.dims)
        shape = view.shape if isinstance(view, View) else None
        return (type(step), *parts, lengths, shape, kind, dims, layout)

    def canonical(self, part: Any, letters: dict[str, int]) -> object:
        """A part of a step: its arrays by what they hold, its dimensions by numbers."""
        match part:
            case tuple():
                return tuple(self.canonical(item, letters) for item in part)
            case Operand():
                view = self.canonical(part.view, letters)
                return view, tuple(tuple(letters[d] for d in group) for group in part.layout)
            case View() | Strided():
                dims = tuple(letters.setdefault(d, len(letters)) for d in part.dims)
                places = (
                    (
                        part.shape,
                        *(replace(p, index="") if isinstance(p, Slice) else p for p in part.picks),
                    )
                    if isinstance(part, View)
                    else (part.starts, part.counts, part.steps)
                )
                return self.held(part.array), dims, places
            case Scalar():
                return part.body, tuple((s, self.canonical(v, letters)) for s, v in part.slots)
            case Number():
                return Number, self.canonical(part.read, letters)
            case Access():
                return part, self.held(part.tensor)
        return part

    def held(self, name: str) -> tuple[str, int] | int:
        """The value in an array; one that nothing has written yet is known by its name."""
        return self.holds.setdefault(name, next(self.values))


def _renamed(block: Block, start: int, old: str, new: str, kept: Container[str]) -> bool:
    """Whether all that reads `old` from there on, until it is written anew, now reads `new`."""
    changed: dict[int, list[Step]] = {}
    lost = False  # whether something else is in `new`
    for place in range(start, len(block)):
        for n, step in enumerate(block[place]):
            writes, reads = set(_written(step)), old in set(_read(step))
            if reads and (lost or new in writes):
                return False
            if reads:
                now = changed.setdefault(place, list(block[place]))
                now[n] = _reading(step, old, new)
            if old in writes:
                if _result(step) != old:
                    return False
                break
            lost = lost or new in writes
        else:
            continue
        break
    else:
        if old in kept:
            return False
    for place, steps in changed.items():
        block[place] = steps
    return True


def _result(step: Step) -> str | None:
    """The array that a step computes anew, every place of it, or the number."""
    if isinstance(step, Total):
        return step.name
    if not isinstance(step, Computed) or not _fills(step):
        return None
    return step.out.array if step.out.view.is_whole and step.out.view.dims else None


def _is_placed(step: Step) -> TypeGuard[Ufunc | MatMul | Sum | Take | LogSumExp | ArgMax]:
    """Whether it computes anew what is a part of an array: a column."""
    if not isinstance(step, Computed) or isinstance(step, Copy) or not _fills(step):
        return False
    reshaped = isinstance(step.out.view, View) and step.out.view.shape is not None
    return bool(step.out.view.dims) and not step.out.view.is_whole and not reshaped


def _fills(step: Computed) -> bool:
    """Whether it computes a value at every place that its output names."""
    if isinstance(step, Ufunc | Copy) and step.where is not None:
        return False
    return not isinstance(step, Copy) or isinstance(step.source, Operand)


def _written(step: Step) -> Iterator[str]:
    """The arrays and numbers that a step writes, in a loop those of all its steps."""
    for name, part in _parts(step):
        if name in WRITES:
            yield from [part] if isinstance(part, str) else _names(part)


def _read(step: Step) -> Iterator[str]:
    """The arrays and numbers that a step reads; what is added to is read too."""
    for name, part in _parts(step):
        if name not in WRITES or name == "target":
            yield from _names(part)


def _parts(step: Step) -> Iterator[tuple[str, Any]]:
    """(field, what it is) of a step, in a loop of all its steps."""
    if isinstance(step, Loop | Guard):
        for inner in step.body:
            yield from _parts(inner)
    elif not isinstance(step, Note):
        for f in fields(step):
            yield f.name, getattr(step, f.name)


def _names(part: Any) -> Iterator[str]:
    """The arrays and numbers in a part of a step."""
    match part:
        case tuple():
            for item in part:
                yield from _names(item)
        case Operand() | View() | Strided():
            yield part.array
        case Scalar():
            yield from _names(tuple(slot for _, slot in part.slots))
        case Number():
            yield from _names(part.read)
        case Access():
            yield part.tensor


def _reading(step: Step, old: str, new: str) -> Step:
    """The step where it reads `new` instead."""
    if isinstance(step, Loop | Guard):  # which do not write `old`
        return _instead(step, old, new)
    parts = {name: _instead(part, old, new) for name, part in _parts(step) if name not in WRITES}
    return replace(step, **parts)


def _instead(thing: T, old: str, new: str) -> T:
    """`new` wherever `old` stands."""

    def change(part: Any) -> Any:
        match part:
            case View() | Strided() if part.array == old:
                return replace(part, array=new)
            case Scalar() if old in set(_names(part)):
                slots = ((Symbol(new) if s.name == old else s, change(v)) for s, v in part.slots)
                return Scalar(part.body.xreplace({Symbol(old): Symbol(new)}), tuple(slots))
            case Number():
                return Number(change(part.read))
            case Access() if part.tensor == old:
                return replace(part, tensor=new)
        return part

    return mapped(thing, change, leaves=(Affine,))
