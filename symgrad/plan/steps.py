"""The plan's data: steps over arrays. Backend-neutral: an emitter prints them."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Slot
from symgrad.algebra.sizes import ZERO, Size
from symgrad.plan.views import Array, Operand, View


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
    """out = function(*inputs), place by place, where `where` holds if there is one."""

    function: str
    inputs: tuple[Source, ...]
    out: Operand
    scratch: tuple[Operand, ...] = ()
    where: Source | None = None


OVERWRITES_EARLY = frozenset({"erf", "erfc", "expdiff"})
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
class Take:
    """out = source[places], from the dimension `axis` on.

    at: room for positions among the dimensions of several places as one.
    """

    source: Operand
    places: tuple[Operand, ...]
    at: Operand | None
    axis: int
    out: Operand


@dataclass(frozen=True)
class Scatter:
    """target[places] += value.

    at:      room for positions, as in Take.
    scratch: room for as many values, where no place comes twice.
    """

    target: Operand
    places: tuple[Operand, ...]
    at: Operand | None
    value: Source
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
    """if lo <= place < hi: body. None for a side on which the place never lies outside."""

    place: Affine
    lo: Size | None
    hi: Size | None
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
