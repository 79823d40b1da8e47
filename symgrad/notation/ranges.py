"""Index ranges from positions: the meet of the ranges of plain reads.

Declared tensors must agree exactly; a computed tensor may be provably larger (T+1 beside T), and
then the smaller size is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Range, bounds
from symgrad.algebra.sizes import Size


@dataclass(frozen=True)
class Candidate:
    """One plain read's say: the size of axis `axis` of `tensor`."""

    tensor: str
    axis: int
    size: Size
    declared: bool
    padded: bool
    at: int = 0

    @property
    def place(self) -> str:
        return f"size {self.size} on axis {self.axis + 1}"


@dataclass(frozen=True)
class Conflict:
    """Two reads that do not fit together."""

    first: Candidate
    second: Candidate


def meet(candidates: Sequence[Candidate]) -> Size | Conflict | None:
    """The size that all reads allow; padded reads count only where there are no others."""
    plain = [c for c in candidates if not c.padded] or list(candidates)
    declared = [c for c in plain if c.declared]
    for other in declared[1:]:
        if other.size != declared[0].size:
            return Conflict(declared[0], other)
    smallest: Candidate | None = None
    for candidate in plain:
        if smallest is None or (smallest.size - candidate.size).is_nonnegative():
            smallest = candidate
        elif not (candidate.size - smallest.size).is_nonnegative():
            return Conflict(smallest, candidate)
    return smallest.size if smallest else None


def extents(target: Access, box: Mapping[str, Range]) -> tuple[Size, ...] | None:
    """How far a write reaches along each axis; None where that is not known (a scatter, a pad)."""
    if target.padded:
        return None
    found: list[Size] = []
    for subscript in target.subscripts:
        reach = bounds(subscript, box) if isinstance(subscript, Affine) else None
        if reach is None:
            return None
        found.append(reach[1] + 1)
    return tuple(found)


def union(a: tuple[Size, ...], b: tuple[Size, ...]) -> tuple[Size, ...] | None:
    """The larger size along each axis; None where neither is provably larger."""
    found: list[Size] = []
    for x, y in zip(a, b, strict=True):
        if (x - y).is_nonnegative():
            found.append(x)
        elif (y - x).is_nonnegative():
            found.append(y)
        else:
            return None
    return tuple(found)
