"""Values of sizes, parameters and data, as TOML writes them: a spec's [values], or a file of them.

B = 2                                # a size; what the shapes below say need not be said
W1 = [[0.5, -0.25], [1.0, 0.0]]      # a tensor: numbers, nested as deeply as it has axes
done = [true, false]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symgrad.algebra.program import Tensor
from symgrad.errors import Place, did_you_mean
from symgrad.notation.document import Document
from symgrad.notation.names import shown

SEED, RATE = "seed", "rate"
"""What else may be said; a tensor or a size of that name takes its place."""

TABLES = ("sizes", "params", "data")
"""A file may say values under the headings that a spec declares them under."""

MOST_AXES = 16


@dataclass(frozen=True)
class Numbers:
    """Nested lists: their lengths, and the numbers in them, row by row. Reading needs no NumPy."""

    shape: tuple[int, ...]
    flat: tuple[float | int, ...]
    real: bool


@dataclass(frozen=True)
class Given:
    """Values by name, each with where it was written.

    seed: what draws the values that are not given; rate: of a step of gradient descent.
    """

    sizes: Mapping[str, int] = field(default_factory=dict)
    tensors: Mapping[str, Numbers] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    seed: int | None = None
    rate: float | None = None
    place: Place | None = None

    def __bool__(self) -> bool:
        return self.place is not None

    def over(self, other: Given) -> Given:
        """These values, and those of `other` that these do not name."""
        return Given(
            {**other.sizes, **self.sizes},
            {**other.tensors, **self.tensors},
            {**other.places, **self.places},
            other.seed if self.seed is None else self.seed,
            other.rate if self.rate is None else self.rate,
            self.place or other.place,
        )


def read_values(
    document: Document, tensors: Sequence[Tensor], sizes: Sequence[str], *path: str
) -> Given:
    """The values in a table of a document, or in the whole of it.

    Errors: SpecError, at its line, for an unknown name, a value of the wrong kind, and numbers that
    are not nested as the tensor's axes are.
    """
    declared = {t.name: t for t in tensors}
    found_sizes: dict[str, int] = {}
    found: dict[str, Numbers] = {}
    places: dict[str, Place] = {}
    seed: int | None = None
    rate: float | None = None
    for at, name, value in _entries(document, path):
        if name in declared:
            found[name] = _numbers(document, declared[name], value, at)
        elif name in sizes:
            found_sizes[name] = _whole(document, value, at, 1)
        elif name == SEED:
            seed = _whole(document, value, at, 0)
        elif name == RATE:
            rate = float(_number(document, Tensor(RATE), value, at))
        else:
            known = (*sizes, *declared)
            raise document.error(
                f"{shown(name)} is no size, parameter or datum of the spec"
                f"{did_you_mean(name, known)}",
                *at,
            )
        if name in places:
            raise document.error(f"{shown(name)} has a value twice", *at)
        places[name] = document.place(*at)
    return Given(found_sizes, found, places, seed, rate, document.place(*path))


def _entries(
    document: Document, path: tuple[str, ...]
) -> list[tuple[tuple[str, ...], str, object]]:
    """Each name and its value, out of the headings too."""
    found: list[tuple[tuple[str, ...], str, object]] = []
    for name, value in (document.table(*path) if path else document.data).items():
        if name in TABLES and isinstance(value, dict) and not path:
            found += [((name, inner), inner, v) for inner, v in value.items()]
        else:
            found.append(((*path, name), name, value))
    return found


def _whole(document: Document, value: object, at: tuple[str, ...], least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**31:
        came = ascii(value)[:40]
        raise document.error(
            f"{shown(at[-1])} is a whole number of at least {least}, and {came} came", *at
        )
    return value


def _numbers(document: Document, tensor: Tensor, value: object, at: tuple[str, ...]) -> Numbers:
    """The numbers of a tensor, each of its kind, in lists of equal length."""
    shape = _shape(document, value, at)
    if len(shape) != len(tensor.shape):
        axes = (
            f"[{', '.join(str(size) for size in tensor.shape)}]" if tensor.shape else "one number"
        )
        raise document.error(
            f"{shown(tensor.name)} is {axes}: numbers nested {len(tensor.shape)} deep, and they "
            f"came {len(shape)} deep",
            *at,
        )
    flat = tuple(_number(document, tensor, one, at) for one in _flat(value))
    return Numbers(shape, flat, tensor.kind == "real")


def _shape(document: Document, value: object, at: tuple[str, ...]) -> tuple[int, ...]:
    """The lengths of nested lists; a ragged one is an error."""
    shape: tuple[int, ...] = ()
    level: list[Any] = [value]
    while level and any(isinstance(one, list) for one in level) and len(shape) < MOST_AXES:
        lengths = {len(one) if isinstance(one, list) else None for one in level}
        if len(lengths) > 1:
            raise document.error(f"{shown(at[-1])}: its lists are not all of one length", *at)
        shape += (len(level[0]),)
        level = [inner for one in level for inner in one]
    return shape


def _flat(value: object) -> list[object]:
    level: list[object] = [value]
    while any(isinstance(one, list) for one in level):
        level = [i for one in level for i in (one if isinstance(one, list) else [one])]
    return level


def _number(document: Document, tensor: Tensor, value: Any, at: tuple[str, ...]) -> float | int:
    wanted = {"real": "real numbers", "int": "whole numbers from 0", "bool": "true or false"}
    if isinstance(value, bool):
        fits = tensor.kind == "bool"
    elif isinstance(value, int):
        fits = abs(value) < 2**53 and (
            tensor.kind == "real" or 0 <= value < (2 if tensor.kind == "bool" else 2**31)
        )
    else:
        fits = isinstance(value, float) and tensor.kind == "real" and value == value
    if not fits:
        came = ascii(value)[:40]
        raise document.error(
            f"{shown(tensor.name)} holds {wanted[tensor.kind]}, and {came} came", *at
        )
    number: float | int = value
    return number
