"""Index grids: the points of a box, and reading and writing X[g(I)] at all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from symgrad.algebra.access import Access, Affine, Subscript
from symgrad.algebra.program import Equation, Range
from symgrad.errors import ProgramError
from symgrad.verify.arithmetic import Array


@dataclass(frozen=True)
class Grid:
    """The points of a box: one axis for each index, in box order."""

    box: tuple[Range, ...]
    sizes: Mapping[str, int]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(max(0, r.count.evaluate(self.sizes)) for r in self.box)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(r.index for r in self.box)

    def index(self, name: str) -> Array:
        """The values of an index, along its own axis."""
        if name not in self.names:
            raise ProgramError(
                f'index "{name}" is not in the box ({", ".join(self.names) or "empty"})'
            )
        axis = self.names.index(name)
        values = np.arange(self.shape[axis]) + self.box[axis].lo.evaluate(self.sizes)
        return values.reshape([-1 if k == axis else 1 for k in range(len(self.box))])

    def affine(self, form: Affine) -> Array:
        total: Array = np.asarray(form.offset.evaluate(self.sizes), dtype=np.int64)
        for name, coefficient in form.terms:
            total = total + coefficient.evaluate(self.sizes) * self.index(name)
        return total


def grid_of(equation: Equation, sizes: Mapping[str, int]) -> Grid:
    return Grid(equation.box, sizes)


def subscript(form: Subscript, grid: Grid, tensors: Mapping[str, Array]) -> Array:
    return (
        grid.affine(form)
        if isinstance(form, Affine)
        else read(form, grid, tensors, np.asarray(0)).astype(np.int64)
    )


def places(
    access: Access, grid: Grid, tensors: Mapping[str, Array], shape: tuple[int, ...]
) -> tuple[Array, Array]:
    """Flat positions in an array of this shape, and which of them lie inside it."""
    if len(access.subscripts) != len(shape):
        raise ProgramError(
            f"{access}: {len(access.subscripts)} subscripts, but the tensor has {len(shape)} axes"
        )
    flat: Array = np.asarray(0, dtype=np.int64)
    inside: Array = np.asarray(True)
    for axis, (form, size) in enumerate(zip(access.subscripts, shape, strict=True)):
        at = subscript(form, grid, tensors)
        fits = (at >= 0) & (at < size)
        if not access.padded and not fits.all():
            came = int(at[~fits].flat[0])
            raise ProgramError(
                f"{access}: subscript {axis + 1} takes the value {came}, but that axis has "
                f"{size} entries; limit the index with `for`, or read `pad(...)`"
            )
        inside = inside & fits
        flat = flat * size + np.clip(at, 0, max(0, size - 1))
    return flat, inside


def read(access: Access, grid: Grid, tensors: Mapping[str, Array], zero: Array) -> Array:
    """X[g(I)], with length 1 along each index that g does not carry; 0 outside a padded X."""
    array = tensors[access.tensor]
    flat, inside = places(access, grid, tensors, array.shape)
    if not array.size:
        return np.asarray(np.broadcast_to(zero, flat.shape))
    values = np.asarray(array.ravel()[flat.ravel()]).reshape(flat.shape)
    return values if inside.all() else np.where(inside, values, zero)


def add_at(
    total: Array, access: Access, grid: Grid, tensors: Mapping[str, Array], values: Array
) -> None:
    """total[f(I)] += values, one by one; what a padded write puts outside is dropped."""
    flat, inside = places(access, grid, tensors, total.shape)
    flat, inside, values = np.broadcast_arrays(flat, inside, values)
    np.add.at(total.reshape(-1), flat[inside], values[inside])


def put(
    total: Array, access: Access, grid: Grid, tensors: Mapping[str, Array], values: Array
) -> None:
    """total[f(I)] = values."""
    flat, inside = places(access, grid, tensors, total.shape)
    flat, inside, values = np.broadcast_arrays(flat, inside, values)
    total.reshape(-1)[flat[inside]] = values[inside]
