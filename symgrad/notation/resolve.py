"""Ranges of indices and shapes of tensors, in dependency order.

Every read outside a recurrence has a known shape when ranges are inferred. Inside one, an equation
takes its ranges from the reads that are known, and waits while one of its indices has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symgrad.algebra.order import components
from symgrad.algebra.program import Range
from symgrad.algebra.sizes import ZERO, Size
from symgrad.notation.deadlock import check_unshifted, check_whole_assignments
from symgrad.notation.names import shown
from symgrad.notation.ranges import Candidate, Conflict, extents, meet, union
from symgrad.notation.scope import Scanned

Ranges = Mapping[str, tuple[Size, Size]]
Shapes = Mapping[str, tuple[Size, ...]]


@dataclass(frozen=True)
class Resolved:
    """ranges: of each statement, by key; shapes: by tensor; cycles: statements in recurrences."""

    ranges: tuple[Ranges, ...]
    shapes: Shapes
    cycles: tuple[tuple[int, ...], ...]


def resolve(scanned: Sequence[Scanned], known: Shapes, declared: frozenset[str]) -> Resolved:
    """known: the shapes there are before; declared: the tensors whose sizes must agree exactly."""
    shapes = dict(known)
    ranges: dict[int, Ranges] = {}
    cycles = []
    writers: dict[str, list[int]] = {}
    for number, one in enumerate(scanned):
        writers.setdefault(one.target.tensor, []).append(number)
    for names, recursive in groups(scanned, writers):
        numbers = sorted(n for name in names for n in writers[name])
        _resolve_group(
            scanned, {name: writers[name] for name in names}, numbers, shapes, ranges, declared
        )
        if recursive:
            cycles.append(tuple(numbers))
    return Resolved(tuple(ranges[n] for n in range(len(scanned))), shapes, tuple(cycles))


def groups(
    scanned: Sequence[Scanned], writers: Mapping[str, list[int]]
) -> list[tuple[list[str], bool]]:
    """The tensors in dependency order, those that need one another together; True if they do."""
    names = list(writers)
    number = {name: n for n, name in enumerate(names)}
    needs = [
        tuple(
            dict.fromkeys(number[r] for w in writers[name] for r in scanned[w].reads if r in number)
        )
        for name in names
    ]
    return [
        ([names[n] for n in sorted(group)], len(group) > 1 or group[0] in needs[group[0]])
        for group in components(needs)
    ]


def _resolve_group(
    scanned: Sequence[Scanned],
    writers: Mapping[str, list[int]],
    numbers: Sequence[int],
    shapes: dict[str, tuple[Size, ...]],
    ranges: dict[int, Ranges],
    declared: frozenset[str],
) -> None:
    waiting = list(numbers)
    while waiting:
        found = {n: inferred(scanned[n], shapes, declared) for n in waiting}
        ready = {n: r for n, r in found.items() if set(r) == set(scanned[n].keys)}
        if not ready:
            stuck = [scanned[n] for n in waiting]
            check_whole_assignments([scanned[n] for n in numbers])
            check_unshifted(stuck)
            _no_range(stuck[0], found[waiting[0]])
        ranges.update(ready)
        waiting = [n for n in waiting if n not in ready]
        for name, own in writers.items():
            if name not in shapes and all(n in ranges for n in own):
                shapes[name] = shape_of([scanned[n] for n in own], [ranges[n] for n in own])


def inferred(scanned: Scanned, shapes: Shapes, declared: frozenset[str]) -> Ranges:
    """The ranges of those keys that have one: from `for`, else from plain reads of known shape."""
    found: dict[str, tuple[Size, Size]] = {}
    for key, letter in scanned.keys.items():
        if letter in scanned.fixed:
            found[key] = scanned.fixed[letter]
            continue
        candidates = [
            Candidate(
                u.tensor, u.axis, shapes[u.tensor][u.axis], u.tensor in declared, u.padded, u.at
            )
            for u in scanned.uses
            if u.key == key and u.tensor in shapes and (not u.writes or u.tensor in declared)
        ]
        size = meet(candidates)
        if isinstance(size, Conflict):
            raise scanned.statement.error(_contradiction(letter, size, shapes), size.second.at)
        if size is not None:
            found[key] = (ZERO, size)
    return found


def _contradiction(letter: str, conflict: Conflict, shapes: Shapes) -> str:
    """Both declarations, and which axes may be swapped."""
    pair = (conflict.first, conflict.second)
    said = [f"{c.tensor}{_shown(shapes[c.tensor])} has {c.place}" for c in pair]
    message = f"contradicting sizes for index {shown(letter)}: {said[0]}, but {said[1]}; "
    for mine, other in (pair, pair[::-1]):
        rest = [s for k, s in enumerate(shapes[mine.tensor]) if k != mine.axis]
        if mine.tensor != other.tensor and other.size in rest:
            return f"{message}are two axes of {mine.tensor} swapped, here or where it is declared?"
    return f"{message}where that is meant, end the equation with `for {letter} < ...`"


def _no_range(scanned: Scanned, found: Ranges) -> None:
    key = next(k for k in scanned.keys if k not in found)
    letter = scanned.keys[key]
    upper = [a for a in scanned.access.values() if letter.upper() in map(str, a.subscripts)]
    hint = f"; is {letter} meant in {upper[0]}?" if upper and letter.islower() else ""
    raise scanned.statement.error(
        f"no range for index {shown(letter)}: no tensor of known size is read at {letter} alone; "
        f"end the equation with `for {letter} < ...`{hint}"
    )


def shape_of(writers: Sequence[Scanned], ranges: Sequence[Ranges]) -> tuple[Size, ...]:
    """The union of the boxes that are written."""
    shape: tuple[Size, ...] | None = None
    for scanned, own in zip(writers, ranges, strict=True):
        target = scanned.target
        reach = extents(target, {i: Range(i, *own[i]) for i in scanned.outer})
        if reach is None:
            why = "padded" if target.padded else "written at places that data choose"
            raise scanned.statement.error(
                f"{shown(target.tensor)} is {why}, so its shape has to be declared: "
                f'[tensors] {target.tensor} = "real[...]"'
            )
        joined = union(shape, reach) if shape is not None else reach
        if joined is None:
            raise scanned.statement.error(
                f"contradicting sizes for {shown(target.tensor)}: it reaches {_shown(reach)} here, "
                f"{_shown(shape or ())} before, and neither is always larger; "
                "declare its shape in [tensors]"
            )
        shape = joined
    return shape or ()


def _shown(shape: tuple[Size, ...]) -> str:
    return "[" + ", ".join(str(s) for s in shape) + "]"
