"""Random programs: what is emitted agrees with the naive evaluation of the gradient program.

Each program is derived, emitted and run in float64 and float32, with fresh memory and twice with one
workspace, on arrays that are contiguous or not, in any order, read-only or not.
"""

from __future__ import annotations

import importlib.util
import inspect
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, reject, settings
from strategies import Case, programs

from symgrad.pipeline import derive, generate
from symgrad.spec import Loss, Spec, parse_spec
from symgrad.verify.evaluate import Result, evaluate

Arrays = Mapping[str, Any]
EXAMPLES = 50
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
TOLERANCE = {np.float64: (1e-12, 64 * 2.0**-52), np.float32: (1e-4, 64 * 2.0**-23)}
"""(relative to the value, relative to the sum of absolute contributions)."""
LARGEST = 1e4
"""A program that grows beyond it (a square of a square of ...) tells nothing: sin(1e9) is noise."""


def drawn(spec: Spec, sizes: Mapping[str, int], rng: np.random.Generator) -> dict[str, Any]:
    """Inputs that float32 holds exactly, so that one evaluation is the oracle of both precisions."""
    values: dict[str, Any] = {}
    for tensor in spec.tensors:
        shape = tuple(size.evaluate(sizes) for size in tensor.shape)
        if tensor.kind == "int":
            below = tensor.below.evaluate(sizes) if tensor.below is not None else 5
            values[tensor.name] = rng.integers(0, below, shape)
        elif tensor.kind == "bool":
            values[tensor.name] = rng.random(shape) < 0.5
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


def imported(text: str) -> ModuleType:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "emitted.py"
        path.write_text(text, encoding="utf-8")
        found = importlib.util.spec_from_file_location("emitted", path)
        assert found is not None and found.loader is not None
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
    return module


def accepted(function: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    return {n: values[n] for n in inspect.signature(function).parameters if n in values}


def called(
    module: ModuleType, name: str, spec: Spec, values: Arrays, sizes: Mapping[str, int], dtype: Any
) -> list[Any]:
    """What a function returns: with fresh memory, then twice with one workspace."""
    rng = np.random.default_rng(1)
    function, first = getattr(module, name), []
    names = [t.name for t in spec.tensors if t.role == "param"]
    if names:
        flat = np.empty(sum(values[n].size for n in names), dtype)
        params = module.Params(flat, **accepted(module.Params, sizes))
        for n in names:
            getattr(params, n)[...] = values[n]
        first = [params]
    data = {n: disguised(v, rng) for n, v in accepted(function, values).items()}
    if not names:  # then the data choose the precision
        data = {n: np.asarray(v, dtype) if np.asarray(v).dtype.kind == "f" else v for n, v in data.items()}
    before = {n: np.array(v) for n, v in data.items()}
    data |= accepted(function, sizes)
    workspace = module.Workspace(**accepted(module.Workspace, sizes))
    with np.errstate(all="raise", under="ignore"):
        found = [flattened(function(*first, **data))]
        found += [flattened(function(*first, **data, workspace=workspace)) for _ in range(2)]
    for n, v in before.items():
        assert np.array_equal(v, data[n]), f"{name} changed its input {n}"
    for n in names:
        assert np.array_equal(getattr(first[0], n), values[n]), f"{name} changed {n}"
    return found


def flattened(returned: Any) -> Any:
    """(value, {aux}), grads, copied."""
    if isinstance(returned, dict):
        return {n: flattened(v) for n, v in returned.items()}
    if isinstance(returned, tuple):
        return tuple(flattened(part) for part in returned)
    if hasattr(returned, "_sizes"):
        return {n: np.array(v) for n, v in vars(returned).items() if isinstance(v, np.ndarray)}
    return np.array(returned)


def agrees(came: Any, name: str, oracle: Result, dtype: Any) -> None:
    expected, scale = oracle.values[name].astype(float), oracle.magnitudes[name].astype(float)
    relative, rounding = TOLERANCE[dtype]
    assert came.shape == expected.shape, f"{name}: {came.shape}, expected {expected.shape}"
    assert came.dtype == dtype or came.dtype.kind != "f", f"{name} is {came.dtype}"
    bound = relative * abs(expected) + rounding * scale
    wrong = ~(abs(came - expected) <= bound) & ~(came == expected)
    assert not wrong.any(), f"{name}: {came[wrong]}, expected {expected[wrong]}"


def oracle_of(loss: Loss, values: Arrays, sizes: Mapping[str, int]) -> tuple[Result, dict[str, str]]:
    derived = derive(loss).derived
    wanted = (*loss.program.outputs, *derived.result.values())
    found = evaluate(derived.program, values, sizes, outputs=wanted, magnitude=True)
    return found, dict(derived.result)


def holds(case: Case) -> None:
    """Every function of the module agrees with the oracle."""
    spec = parse_spec(case.text, "random")
    values = drawn(spec, case.sizes, np.random.default_rng(len(case.text)))
    oracles = {loss.name: oracle_of(loss, values, case.sizes) for loss in spec.losses}
    for oracle, _ in oracles.values():
        if not all((abs(v.astype(float)) < LARGEST).all() for v in oracle.values.values()):
            reject()
    module = imported(generate(spec))
    for dtype in TOLERANCE:
        for loss in spec.losses:
            oracle, result = oracles[loss.name]
            prefix = "" if len(spec.losses) == 1 else f"{loss.name}_"
            for came in called(module, f"{prefix}value", spec, values, case.sizes, dtype):
                shown(came, loss, oracle, dtype)
            for came, grads in called(
                module, f"{prefix}value_and_grad", spec, values, case.sizes, dtype
            ):
                shown(came, loss, oracle, dtype)
                for name, adjoint in result.items():
                    agrees(grads[name], adjoint, oracle, dtype)
        if spec.forward is not None:
            expected = evaluate(
                spec.forward, values, case.sizes, outputs=spec.forward.outputs, magnitude=True
            )
            for came in called(module, "forward", spec, values, case.sizes, dtype):
                parts = came if isinstance(came, tuple) else (came,)
                for name, part in zip(spec.forward.outputs, parts, strict=True):
                    agrees(part, name, expected, dtype)


def shown(came: Any, loss: Loss, oracle: Result, dtype: Any) -> None:
    """A loss, or (loss, {aux})."""
    value, aux = came if isinstance(came, tuple) else (came, {})
    assert list(aux) == list(loss.program.outputs[1:])
    for name, part in {loss.value: value, **aux}.items():
        agrees(part, name, oracle, dtype)


@settings(max_examples=EXAMPLES, suppress_health_check=QUIET, print_blob=False)
@given(programs())
def check(case: Case) -> None:
    holds(case)


def test_emitted_programs_agree_with_the_naive_evaluation() -> None:
    check()
