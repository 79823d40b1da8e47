"""An emitted module under test: seeded inputs in awkward layouts, poisoned memory, every function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from operator import attrgetter
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.fuzzing.writer import Case
from symgrad.spec import Loss, Spec

Arrays = Mapping[str, Any]


def drawn(spec: Spec, case: Case) -> dict[str, Any]:
    """Inputs that float32 holds exactly, so that one evaluation is the oracle of both precisions."""
    rng = np.random.default_rng(len(case.text))
    values: dict[str, Any] = {}
    for tensor in spec.tensors:
        shape = tuple(size.evaluate(case.sizes) for size in tensor.shape)
        if tensor.kind == "int":
            below = tensor.below.evaluate(case.sizes) if tensor.below is not None else 5
            values[tensor.name] = rng.integers(0, below, shape)
        elif tensor.kind == "bool":
            values[tensor.name] = rng.random(shape) < 0.5
        elif case.values == "grid":
            values[tensor.name] = rng.integers(-2, 3, shape) / 2
        else:
            values[tensor.name] = rng.normal(0, 0.7, shape).astype(np.float32).astype(np.float64)
    return values


def disguised(array: Any, rng: np.random.Generator) -> Any:
    """The same values: in Fortran's order, as every second entry backwards, or read-only."""
    array = np.asarray(array)
    form = rng.integers(4)
    if not array.ndim:
        return array.item()
    if form == 0:
        return np.asfortranarray(array)
    if form == 1:
        wide = np.zeros(tuple(2 * n for n in array.shape), array.dtype)
        view = wide[tuple(slice(None, None, -2) for _ in array.shape)]
        view[...] = array
        return view
    array = array.copy()
    array.flags.writeable = form == 2
    return array


def accepted(function: Callable[..., Any], values: Arrays) -> dict[str, Any]:
    """What the function has a parameter for."""
    return {n: v for n, v in values.items() if n in inspect.signature(function).parameters}


@contextmanager
def poisoned() -> Iterator[None]:
    """New memory holds nan, or an integer that is no place: what is read unwritten is seen."""

    def full(shape: Any, dtype: Any = float, **options: Any) -> Any:
        kind = np.dtype(dtype).kind
        poison = {"f": np.nan, "i": np.iinfo(np.int32).min, "b": True}[kind]
        return np.full(shape, poison, dtype, **options)

    with mock.patch.object(np, "empty", full):
        yield


def made(text: str) -> ModuleType:
    """A module's text, executed."""
    module = ModuleType("random")
    exec(compile(text, "random", "exec"), module.__dict__)
    return module


def called(
    module: ModuleType, name: str, spec: Spec, values: Arrays, sizes: Mapping[str, int], dtype: Any
) -> list[Any]:
    """What a function returns: with fresh memory, then twice with one workspace."""
    rng = np.random.default_rng(1)
    function = getattr(module, name)
    names = [t.name for t in spec.tensors if t.role == "param"]
    place = {n: attrgetter(spec.paths.get(n, n)) for n in names}
    first = []
    if "params" in inspect.signature(function).parameters:
        first = [module.init(np.random.default_rng(0), dtype=dtype, **accepted(module.init, sizes))]
        for n in names:
            place[n](first[0])[...] = values[n]
    data = {n: disguised(v, rng) for n, v in accepted(function, values).items()}
    if not first:  # then the data choose the precision
        reals = {t.name for t in spec.tensors if t.kind == "real"}
        data = {n: np.asarray(v, dtype) if n in reals else v for n, v in data.items()}
    before = {n: np.array(v) for n, v in data.items()}
    data |= accepted(function, sizes)
    workspace = module.Workspace(**accepted(module.Workspace, sizes))
    with poisoned(), np.errstate(all="raise", under="ignore"):
        found = [plain(function(*first, **data), spec)]
        found += [plain(function(*first, **data, workspace=workspace), spec) for _ in range(2)]
    for n, v in before.items():
        assert np.array_equal(v, data[n]), f"{name} changed its input {n}"
    if first:
        for n in names:
            assert np.array_equal(place[n](first[0]), values[n]), f"{name} changed {n}"
    return found


def plain(returned: Any, spec: Spec) -> Any:
    """(value, {aux}), grads: copied, and gradients by the names of their tensors."""
    if isinstance(returned, dict):
        return {n: plain(v, spec) for n, v in returned.items()}
    if isinstance(returned, tuple):
        return tuple(plain(part, spec) for part in returned)
    if isinstance(returned, (np.ndarray, np.generic, float, int)):
        return np.array(returned)
    found = {}
    for tensor in spec.tensors:
        try:
            found[tensor.name] = np.array(
                attrgetter(spec.paths.get(tensor.name, tensor.name))(returned)
            )
        except AttributeError:  # it is not differentiated by this one
            continue
    return found


def by_loss(spec: Spec, loss: Loss, function: str) -> str:
    """The name of a loss's function in the module."""
    return function if len(spec.losses) == 1 else f"{loss.name}_{function}"


def takes_reals(function: Any, spec: Spec) -> bool:
    """Whether anything chooses the precision: bools and ints alone leave it at float64."""
    known = inspect.signature(function).parameters
    return "params" in known or any(t.name in known for t in spec.tensors if t.kind == "real")
