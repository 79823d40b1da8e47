"""Emitted modules under test: made from a spec, written, imported, and fed with seeded inputs."""

from __future__ import annotations

import importlib.util
import inspect
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from catalogue import PATHS
from catalogue import at as array_at

from benchmarks.fuzzing.running import accepted
from symgrad.pipeline import derive, derive_stable, generate
from symgrad.products import Gradient
from symgrad.spec import Loss, Spec, load, parse_spec
from symgrad.verify.evaluate import evaluate
from symgrad.verify.small import Small, small_literals

SPECS = list(PATHS)
FOLDER = tempfile.TemporaryDirectory(prefix="symgrad-tests-")


def function_names(spec: Spec) -> list[str]:
    """What `Emitted.functions` finds in the module, without making it."""
    several = len(spec.losses) > 1
    made = ("value", "value_and_grad")
    own = [f"{x.name}_{n}" if several else n for x in spec.losses for n in made]
    return [*dict(spec.forwards), *own]


@dataclass(frozen=True)
class Emitted:
    """A spec, its module's text, and the module."""

    spec: Spec
    text: str
    module: ModuleType

    @cached_property
    def derived(self) -> Mapping[str, Gradient]:
        """Each loss's own program, differentiated."""
        return {loss.name: derive(loss) for loss in self.spec.losses}

    @cached_property
    def derived_stable(self) -> Mapping[str, Gradient]:
        """What the module computes: the stabilised programs, differentiated."""
        return {loss.name: derive_stable(loss) for loss in self.spec.losses}

    def sizes(self, **chosen: int) -> dict[str, int]:
        """Every size: chosen, its default, or a small number of its own."""
        return {
            name: chosen.get(name, default or 3 + n)
            for n, (name, default) in enumerate(self.spec.sizes)
        }

    def functions(self) -> list[str]:
        """The names of forward, value and value_and_grad, of every loss; products take more."""
        return [n for n in self.module.OPERATIONS if n not in self.spec.product_names]

    def call(self, name: str, at: Inputs, **extra: Any) -> Any:
        """The function at these inputs: parameters, the data that it takes, sizes that it asks for."""
        function = getattr(self.module, name)
        known = inspect.signature(function).parameters
        given = {n: v for n, v in {**at.data, **at.sizes}.items() if n in known}
        return function(*([at.params] if "params" in known else []), **{**given, **extra})

    def loss(self, name: str) -> Loss:
        """The loss behind a function."""
        return next(
            x
            for x in self.spec.losses
            if len(self.spec.losses) == 1 or name.startswith(f"{x.name}_value")
        )


@dataclass(frozen=True)
class Inputs:
    """Parameters as the module holds them, data and sizes by name."""

    params: Any
    data: Mapping[str, Any]
    sizes: Mapping[str, int]


def imported(text: str, name: str) -> ModuleType:
    """A module's text, as a file that is imported."""
    path = Path(FOLDER.name) / f"{name}_{abs(hash(text))}.py"
    path.write_text(text, encoding="utf-8")
    found = importlib.util.spec_from_file_location(path.stem, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _emitted(spec: Spec) -> Emitted:
    text = generate(spec)
    return Emitted(spec, text, imported(text, spec.name))


@cache
def of_file(path: Path) -> Emitted:
    """The module of a spec in the catalogue."""
    return _emitted(load(path))


@cache
def smaller(path: Path) -> Small | None:
    """The same with smaller literal sizes, where there are any that give the same code."""
    made = of_file(path)
    return small_literals(
        made.spec, made.text, lambda other: made.text if other is made.spec else generate(other)
    )


@cache
def of_text(text: str, name: str = "m") -> Emitted:
    """The module of a spec's text."""
    return _emitted(parse_spec(text, name))


def inputs(emitted: Emitted, dtype: Any = np.float64, seed: int = 0, **chosen: int) -> Inputs:
    """Seeded inputs of a type, at sizes of which some are chosen."""
    sizes, rng = emitted.sizes(**chosen), np.random.default_rng(seed)
    data: dict[str, Any] = {}
    drawn: dict[str, Any] = {}
    for tensor in emitted.spec.tensors:
        shape = tuple(size.evaluate(sizes) for size in tensor.shape)
        if tensor.kind == "int":
            below = 3 if tensor.below is None else tensor.below.evaluate(sizes)
            data[tensor.name] = rng.integers(0, below, shape)
        elif tensor.kind == "bool":
            data[tensor.name] = rng.random(shape) < 0.5 if shape else bool(rng.random() < 0.5)
        else:
            array = (0.5 * rng.normal(size=shape)).astype(dtype)
            array = np.abs(array) + dtype(0.5) if tensor.positive else array
            (drawn if tensor.role == "param" else data)[tensor.name] = (
                array if shape else dtype(array)
            )
    if not drawn:
        return Inputs(None, data, sizes)
    init = emitted.module.init
    params = init(np.random.default_rng(seed), dtype=dtype, **accepted(init, sizes))
    for name, array in drawn.items():
        array_at(params, name)[...] = array
    return Inputs(params, data, sizes)


def expected(emitted: Emitted, name: str, at: Inputs) -> dict[str, Any]:
    """Value, aux and gradients by the naive evaluator: `loss` and the names in wrt and aux."""
    loss = emitted.loss(name)
    derived = emitted.derived[loss.name].derived
    known = [t.name for t in emitted.spec.tensors if t.role == "param"]
    values = {**{n: array_at(at.params, n) for n in known}, **at.data}
    wanted = (*loss.program.outputs, *derived.result.values())
    found = evaluate(replace(derived.program, outputs=wanted), values, at.sizes).values
    gradients = {old: found[new] for old, new in derived.result.items()}
    return {n: np.asarray(v, float) for n, v in {**found, **gradients}.items()}


def same(first: Any, second: Any) -> bool:
    """Whether two results hold the same bits, containers taken apart."""
    if isinstance(first, (tuple, dict)):
        both = (
            zip(first.values(), second.values(), strict=True)
            if isinstance(first, dict)
            else zip(first, second, strict=True)
        )
        return all(same(a, b) for a, b in both)
    if hasattr(first, "_sizes"):
        names = [n for n in vars(first) if not n.startswith("_")]
        return all(same(vars(first)[n], vars(second)[n]) for n in names)
    return np.asarray(first).tobytes() == np.asarray(second).tobytes()
