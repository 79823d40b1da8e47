"""What a layer is: a row of the table, what it reads and what it is built of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from symgrad.algebra.program import Kind
from symgrad.algebra.sizes import Size

UNSET = "none"
"""The default of an option that is the name of a tensor."""

GIVEN = "NAME"
"""The same of one that has to be given."""


@dataclass(frozen=True)
class Signal:
    """What flows between layers, as a layer sees it.

    lead:   the letters of the axes that it leaves as they are; around: their sizes.
    shape:  the sizes of those that it works on.
    below:  of integers, their bound.
    """

    lead: tuple[str, ...]
    around: tuple[Size, ...]
    shape: tuple[Size, ...]
    below: Size | None = None

    @property
    def size(self) -> Size:
        """Of the last axis."""
        return self.shape[-1]

    def over(self, *own: str) -> str:
        """The ranges of the axes that it leaves as they are, and others: for b < B, u < T."""
        ranges = [f"{i} < {size}" for i, size in zip(self.lead, self.around, strict=True)]
        return f"for {', '.join((*ranges, *own))}"


@dataclass(frozen=True)
class Built:
    """One layer at one place.

    params:    the type of each parameter.
    equations: what defines y.
    shape:     the sizes of y's last axes, those that stand where the layer's own stood.
    """

    params: Mapping[str, str]
    equations: str
    shape: tuple[Size, ...]


Options = Mapping[str, str]


@dataclass(frozen=True)
class Layer:
    """A row of the table.

    name:    as a spec writes it: "dense H tanh init=orthogonal(1.414)".
    sizes:   the sizes that follow the name.
    options: each with its default: an initialisation, true or false, a number, a whole number,
             whose default is its least value, or `none` or `NAME`, for the name of a tensor.
    letter:  what its output is called: z for z1, z2 ...
    formula: in one line.
    build:   the input, the sizes and the options -> parameters and equations.
    source:  where it was proposed.
    axes:    how many of the last axes it works on; None is all but the batch's.
    reads:   the kind of its input.
    also:    what other libraries call it, for errors.
    torch:   what PyTorch calls its parameters, where it is not what they are called here.
    """

    name: str
    sizes: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    letter: str
    formula: str
    build: Callable[[Signal, tuple[Size, ...], Options], Built]
    source: str = ""
    axes: int | None = 1
    reads: Kind = "real"
    also: tuple[str, ...] = ()
    torch: tuple[tuple[str, str], ...] = ()
