"""The plan's data: arrays, views on them, and steps. Backend-neutral: an emitter prints them.

A View names an array and what each of its axes is picked at; an Operand lays the view's indices out
as the dimensions that a step sees: transposed, merged into one, or new axes of length 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from sympy import Expr, Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Kind, Slot
from symgrad.algebra.sizes import ZERO, Size

Storage = Literal["input", "param", "buffer", "gradient", "constant"]


@dataclass(frozen=True)
class Array:
    """A named array in memory, C-contiguous.

    values: of a constant: start + step * (0, 1, ..., n - 1).
    local:  made inside a loop: written anew in each iteration before it is read.
    """

    name: str
    shape: tuple[Size, ...]
    kind: Kind = "real"
    storage: Storage = "buffer"
    values: tuple[Size, Size] | None = None
    local: bool = False


@dataclass(frozen=True)
class Slice:
    """The places start, start + step, ... (`count` of them) of an axis; `whole` is all of it."""

    index: str
    start: Affine
    count: Size
    step: Size
    whole: bool


@dataclass(frozen=True)
class At:
    """One place of an axis."""

    place: Affine


@dataclass(frozen=True)
class View:
    """array[picks]: one dimension for each Slice, in the order of the axes."""

    array: str
    picks: tuple[Slice | At, ...]

    @cached_property
    def dims(self) -> tuple[str, ...]:
        return tuple(p.index for p in self.picks if isinstance(p, Slice))


@dataclass(frozen=True)
class Strided:
    """out[p] = array[start + sum of p[d] * steps[d]]: windows and diagonals, without a copy."""

    array: str
    starts: tuple[Affine, ...]
    dims: tuple[str, ...]
    counts: tuple[Size, ...]
    steps: tuple[tuple[Size, ...], ...]


Layout = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Operand:
    """A view as a step sees it: a dimension is a group of indices; () is a new axis of length 1."""

    view: View | Strided
    layout: Layout

    @property
    def array(self) -> str:
        return self.view.array


@dataclass(frozen=True)
class Number:
    """A rank-0 int or bool, or a place of an array of them, as a real number."""

    read: Access | View


@dataclass(frozen=True)
class Scalar:
    """A rank-0 value: an expression of rank-0 tensors, single places, sizes and loop indices."""

    body: Expr
    slots: tuple[tuple[Symbol, Slot | View | Number], ...] = ()


Source = Operand | Scalar


@dataclass(frozen=True)
class Ufunc:
    """out = function(*inputs), place by place."""

    function: str
    inputs: tuple[Source, ...]
    out: Operand
    scratch: tuple[Operand, ...] = ()


OVERWRITES_EARLY = frozenset({"expdiff"})
"""Functions that write their result before they have read every argument: never in place."""


@dataclass(frozen=True)
class Copy:
    """out = source, where `where` holds if there is one."""

    source: Source
    out: Operand
    where: Source | None = None


@dataclass(frozen=True)
class MatMul:
    """out = a @ b, over the trailing two dimensions."""

    a: Operand
    b: Operand
    out: Operand


@dataclass(frozen=True)
class Sum:
    """out = the sum of `source` over `axes`."""

    source: Operand
    axes: tuple[int, ...]
    out: Operand


@dataclass(frozen=True)
class Assign:
    """A rank-0 value or a single place: target = value, or target += value."""

    target: str | View
    value: Scalar
    accumulate: bool = False


@dataclass(frozen=True)
class Total:
    """A rank-0 value: name = sum of a, or of a * b."""

    name: str
    a: Operand
    b: Operand | None = None


@dataclass(frozen=True)
class Positions:
    """out = the row-major place of (terms) among `extents`: for gathers on several axes."""

    terms: tuple[Operand | Affine, ...]
    extents: tuple[Size, ...]
    out: Operand


@dataclass(frozen=True)
class Take:
    """out = what `source` has at `positions` of its dimension `axis`."""

    source: Operand
    positions: Operand
    axis: int
    out: Operand


@dataclass(frozen=True)
class Scatter:
    """target's rows at `positions` += value. injective: no place comes twice."""

    target: Operand
    positions: Operand
    value: Operand
    injective: bool
    scratch: Operand | None = None


@dataclass(frozen=True)
class LogSumExp:
    """out = log of the sum of exp(source) over its last dimension; -inf for a row of -inf."""

    source: Operand
    out: Operand
    scratch: Operand
    total: Operand


@dataclass(frozen=True)
class ArgMax:
    """out = the first place of the largest value along the last dimension, plus `start`."""

    source: Operand
    out: Operand
    start: Size


@dataclass(frozen=True)
class Loop:
    """for index in lo..hi (descending if backward): body."""

    index: str
    lo: Affine
    hi: Affine
    body: tuple[Step, ...]
    backward: bool = False


@dataclass(frozen=True)
class Guard:
    """if lo <= place < hi: body."""

    place: Affine
    lo: Size
    hi: Size
    body: tuple[Step, ...]


@dataclass(frozen=True)
class Note:
    """The equation that the next steps compute."""

    text: str


Step = (
    Ufunc
    | Copy
    | MatMul
    | Sum
    | Assign
    | Total
    | Positions
    | Take
    | Scatter
    | LogSumExp
    | ArgMax
    | Loop
    | Guard
    | Note
)


@dataclass(frozen=True)
class Plan:
    """Steps over arrays; `shares` maps a buffer to the earlier one whose memory it uses."""

    arrays: tuple[Array, ...]
    steps: tuple[Step, ...]
    shares: tuple[tuple[str, str], ...] = ()
    operations: Size = ZERO
    bytes: Size = ZERO
