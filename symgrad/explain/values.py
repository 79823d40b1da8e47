"""The point at which a derivation has numbers: every size and every declared tensor it needs.

What is not given is a default, or drawn where there is a seed, else an error that names it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from symgrad.algebra.program import Program, Tensor
from symgrad.algebra.sizes import Size
from symgrad.errors import Place, SpecError
from symgrad.notation.canonical import type_text
from symgrad.notation.document import read
from symgrad.notation.lexer import FILE_CAP
from symgrad.notation.names import shown
from symgrad.notation.values import Given, Numbers, read_values
from symgrad.spec import Spec
from symgrad.verify.arithmetic import Array
from symgrad.verify.instance import DRAWS, draw


@dataclass(frozen=True)
class At:
    """A point. drawn: the tensors whose values were drawn; seed: by what."""

    sizes: Mapping[str, int]
    tensors: Mapping[str, Array]
    drawn: tuple[str, ...] = ()
    seed: int | None = None
    rate: float | None = None


def load_values(path: Path, spec: Spec) -> Given:
    """The values in a file."""
    shown_path = ascii(str(path))[1:-1]
    try:
        with path.open("rb") as stream:
            text = stream.read(FILE_CAP + 1).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8, which TOML is; save it as UTF-8"
        raise SpecError(f"cannot be read: {reason}", Place(shown_path)) from None
    return values_text(text, spec, shown_path)


def values_text(text: str, spec: Spec, file: str | None = None) -> Given:
    """The values that a TOML text writes."""
    return read_values(read(text, file), spec.tensors, [name for name, _ in spec.sizes])


def point(spec: Spec, given: Given, program: Program, needed: Collection[str]) -> At:
    """Sizes and arrays for the needed tensors of a program.

    Errors: SpecError for lengths that disagree, for integers out of their range, for a size that
    breaks a rule of the spec, and for what is missing.
    """
    sizes = _sizes(spec, given)
    for size, message in spec.checks:
        if size.evaluate(sizes) < 0:
            raise _error(given, f"at these sizes {message}")
    known = {t.name: t for t in spec.tensors}
    for name, numbers in given.tensors.items():
        _check(known[name], numbers, sizes, given)
    missing = [t for t in spec.tensors if t.name in needed and t.name not in given.tensors]
    tensors = {name: _array(found) for name, found in given.tensors.items() if name in needed}
    for tensor in missing:
        if tensor.default is not None:
            tensors[tensor.name] = np.asarray(float(tensor.default))
    absent = [t for t in missing if t.name not in tensors]
    if absent and given.seed is None:
        raise _error(given, _absent(absent))
    if absent:
        found = draw(program, sizes, DRAWS[0], np.random.default_rng([given.seed or 0, 4]))
        tensors |= {t.name: found[t.name] for t in absent}
    drawn = tuple(t.name for t in absent)
    return At(sizes, tensors, drawn, given.seed if absent else None, given.rate)


def _error(given: Given, message: str, name: str | None = None) -> SpecError:
    place = given.places.get(name) if name is not None else given.place
    return SpecError(message, place or given.place)


def _absent(tensors: list[Tensor]) -> str:
    names = ", ".join(t.name for t in tensors)
    first = tensors[0]
    example = _example(len(first.shape), first.kind)
    return (
        f"no values for {names}; write them, as in {first.name} = {example} for "
        f"{type_text(first).split(' init=')[0]}, or seed = 0, which draws what is not given"
    )


def _example(rank: int, kind: str) -> str:
    text = {"real": "0.5", "int": "0", "bool": "true"}[kind]
    for _ in range(rank):
        text = f"[{text}, ...]"
    return text


def _sizes(spec: Spec, given: Given) -> Mapping[str, int]:
    """What is said, else what the tensors' lengths say, else the defaults."""
    sizes = dict(given.sizes)
    source = {name: f"{name} = {value}" for name, value in sizes.items()}
    for tensor in spec.tensors:
        array = given.tensors.get(tensor.name)
        if array is None:
            continue
        for axis, (size, length) in enumerate(zip(tensor.shape, array.shape, strict=True)):
            (name,) = size.names if size.names and size == _alone(size) else ("",)
            if not name:
                continue
            if sizes.setdefault(name, length) != length:
                raise _error(
                    given,
                    f"{shown(tensor.name)} has length {length} along {name} (axis {axis + 1}), "
                    f"and {source[name]}",
                    tensor.name,
                )
            source.setdefault(name, f"{shown(tensor.name)} has {length}")
    for name, default in spec.sizes:
        if name not in sizes:
            if default is None:
                raise _error(given, f"size {name} has no value; write {name} = 2, say")
            sizes[name] = default
        if sizes[name] < 1:
            raise _error(given, f"size {name} is {sizes[name]}; a size is at least 1", name)
    return {name: sizes[name] for name, _ in spec.sizes}


def _alone(size: Size) -> Size:
    """The size that is one of its names and nothing else."""
    return Size.of(min(size.names))


def _array(numbers: Numbers) -> Array:
    kind = np.float64 if numbers.real else np.int64
    return np.array(numbers.flat, kind).reshape(numbers.shape)


def _check(tensor: Tensor, array: Numbers, sizes: Mapping[str, int], given: Given) -> None:
    shape = tuple(size.evaluate(sizes) for size in tensor.shape)
    if array.shape != shape:
        raise _error(
            given,
            f"{shown(tensor.name)} came with shape {array.shape}, expected {shape}: "
            f"{type_text(tensor).split(' init=')[0]}{_where(tensor, sizes)}",
            tensor.name,
        )
    if tensor.positive and min(array.flat) <= 0:
        message = f"{shown(tensor.name)} holds {min(array.flat)}, expected {type_text(tensor)}"
        raise _error(given, message, tensor.name)
    if tensor.below is None or tensor.kind != "int" or not array.flat:
        return
    below = tensor.below.evaluate(sizes)
    if max(array.flat) >= below:
        raise _error(
            given,
            f"{shown(tensor.name)} holds {max(array.flat)}, expected 0 to {below - 1}",
            tensor.name,
        )


def _where(tensor: Tensor, sizes: Mapping[str, int]) -> str:
    names = sorted({name for size in tensor.shape for name in size.names})
    return f" with {', '.join(f'{n} = {sizes[n]}' for n in names)}" if names else ""
