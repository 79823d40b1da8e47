"""What an evaluation is given: sizes and arrays, checked against a program's declarations."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

import numpy as np

from symgrad.algebra.program import Program, Tensor
from symgrad.errors import SpecError
from symgrad.verify.arithmetic import Array, Numbers
from symgrad.verify.points import Layout


def checked_sizes(program: Program, given: Mapping[str, int]) -> Mapping[str, int]:
    """The defaults, overridden; every named size known and at least 1."""
    sizes = {
        name: value for name, value in {**dict(program.sizes), **given}.items() if value is not None
    }
    for name, _ in program.sizes:
        if name not in sizes:
            raise SpecError(f'size "{name}" is free: give its value, as in sizes={{"{name}": 4}}')
        if sizes[name] < 1:
            raise SpecError(f'size "{name}" came as {sizes[name]}; a size is at least 1')
    return sizes


def checked_values(
    layout: Layout, values: Mapping[str, object], numbers: Numbers, needed: Collection[str]
) -> dict[str, Array]:
    """The declared tensors that are needed: arrays of the numbers; int64 for ints and bools."""
    found: dict[str, Array] = {}
    program = layout.program
    for tensor in program.tensors:
        if tensor.name not in needed or tensor.name in program.writers or tensor.role == "computed":
            continue
        if tensor.name in values:
            given = values[tensor.name]
            converted = partial(
                _checked, tensor, given, layout.shapes[tensor.name], layout.sizes, numbers
            )
            found[tensor.name] = layout.input(tensor.name, numbers, given, converted)
        elif tensor.default is not None:
            found[tensor.name] = numbers.ratio(int(tensor.default.p), int(tensor.default.q))
        else:
            known = ", ".join(sorted(values)) or "none"
            raise SpecError(
                f'no values for the {tensor.role} tensor "{tensor.name}"; given: {known}'
            )
    return found


def _checked(
    tensor: Tensor,
    given: object,
    shape: tuple[int, ...],
    sizes: Mapping[str, int],
    numbers: Numbers,
) -> Array:
    array = np.asarray(given)
    if array.shape != shape:
        raise SpecError(f'"{tensor.name}" came with shape {array.shape}, expected {shape}')
    if tensor.kind == "real":
        if tensor.positive and not all(value > 0 for value in array.flat):
            raise SpecError(f'"{tensor.name}" came with a value that is not above 0')
        return numbers.array(array)
    if array.dtype.kind not in "biu":
        raise SpecError(f'"{tensor.name}" came as {array.dtype}, expected {tensor.kind}s')
    array = array.astype(np.int64)
    below = (
        2
        if tensor.kind == "bool"
        else None
        if tensor.below is None
        else tensor.below.evaluate(sizes)
    )
    if array.size and (array.min() < 0 or (below is not None and array.max() >= below)):
        limit = "" if below is None else f" and < {below}"
        raise SpecError(
            f'"{tensor.name}" came with values {array.min()}..{array.max()}, expected >= 0{limit}'
        )
    return array
