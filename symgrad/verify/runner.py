"""Runs a module under check, in a process of its own: `python -P runner.py MODULE.py FOLDER`.

It imports the standard library, NumPy and the module; nothing of symgrad. The folder holds
requests.json and in_*.npy; answers.json and out_*.npy are written beside them.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np


def run(module: ModuleType, folder: Path) -> None:
    """Answers every request of the folder."""
    asked = json.loads((folder / "requests.json").read_text(encoding="utf-8"))
    arrays = {
        name: np.load(folder / f"in_{number}.npy", allow_pickle=False)
        for number, name in enumerate(asked["arrays"])
    }
    out: dict[str, Any] = {}
    answers = []
    for k, request in enumerate(asked["requests"]):
        given = {
            role: {name: arrays[f"{k}/{role}/{name}"] for name in request[role]}
            for role in ("params", "data")
        }
        try:
            answers.append(answer(module, request, given, f"{k}/", out))
        except Exception as error:
            answers.append({"error": f"{type(error).__name__}: {error}"})
    for number, array in enumerate(out.values()):
        np.save(folder / f"out_{number}.npy", array, allow_pickle=False)
    text = json.dumps({"answers": answers, "arrays": list(out)})
    (folder / "answers.json").write_text(text, encoding="utf-8")


def answer(
    module: ModuleType,
    request: Mapping[str, Any],
    given: Mapping[str, Mapping[str, Any]],
    prefix: str,
    out: dict[str, Any],
) -> dict[str, Any]:
    """Value and gradients, with and without a workspace, and the rules that this shows."""
    function = getattr(module, request["function"])
    params = new_params(module, request["sizes"], given["params"])
    known = inspect.signature(function).parameters
    data = {name: pass_on(array) for name, array in given["data"].items() if name in known}
    arguments = [params] if "params" in known else []

    def call(**extra: object) -> tuple[float, dict[str, Any]]:
        value, *_, grads = function(*arguments, **data, **extra)
        return float(value), {n: np.array(getattr(grads, n)) for n in request["wrt"]}

    value, gradients = call()
    repeated = call()
    out |= {f"{prefix}first/{name}": g for name, g in gradients.items()}
    answered: dict[str, Any] = {"value": repr(value)}
    conduct = {"a second call gives the same bits": differs((value, gradients), repeated)}
    if "workspace" in known:
        workspace = module.Workspace(**accepted(module.Workspace, request["sizes"]))
        again = call(workspace=workspace)
        out |= {f"{prefix}again/{name}": g for name, g in again[1].items()}
        answered["again"] = repr(again[0])
        conduct["a second call with one workspace gives the same bits"] = differs(
            again, call(workspace=workspace)
        )
    conduct["inputs are unmodified"] = modified(params, data, given)
    conduct["gradients are float64, of the parameters' shapes"] = misshapen(gradients, given)
    value_only = getattr(module, request["function"].removesuffix("_and_grad"), None)
    if value_only is not None:
        came = value_only(
            *arguments, **{n: v for n, v in data.items() if n in parameters(value_only)}
        )
        alone = float(came[0] if isinstance(came, tuple) else came)
        conduct["value() returns the value of value_and_grad()"] = (
            ""
            if abs(alone - value) <= 1e-12 * abs(value) or alone == value
            else f"{alone!r}, not {value!r}"
        )
    answered["conduct"] = conduct
    return answered


def new_params(module: ModuleType, sizes: Mapping[str, int], given: Mapping[str, Any]) -> Any:
    """The module's own parameters, every view filled in."""
    if not given:
        return None
    params = module.init(np.random.default_rng(0), **accepted(module.init, sizes))
    for name, array in given.items():
        view = getattr(params, name)
        if view.shape != array.shape:
            raise ValueError(f"params.{name} has shape {view.shape}, expected {array.shape}")
        view[...] = array
    return params


def parameters(function: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(function).parameters)


def accepted(function: Callable[..., Any], sizes: Mapping[str, int]) -> dict[str, int]:
    known = parameters(function)
    return {name: size for name, size in sizes.items() if name in known}


def pass_on(array: Any) -> Any:
    """A copy; a rank-0 value as a plain number."""
    return array.copy() if array.ndim else array.item()


def differs(first: tuple[float, Mapping[str, Any]], second: tuple[float, Mapping[str, Any]]) -> str:
    """What is not the same, bit by bit."""
    if repr(first[0]) != repr(second[0]):
        return f"the value was {first[0]!r}, then {second[0]!r}"
    for name, array in first[1].items():
        if array.tobytes() != second[1][name].tobytes():
            return f"the gradient by {name} changed"
    return ""


def modified(params: Any, data: Mapping[str, Any], given: Mapping[str, Mapping[str, Any]]) -> str:
    now = {**{n: getattr(params, n) for n in given["params"]}, **data}
    for name, array in {**given["params"], **given["data"]}.items():
        if name in now and np.asarray(now[name], array.dtype).tobytes() != array.tobytes():
            return f"{name} was modified"
    return ""


def misshapen(gradients: Mapping[str, Any], given: Mapping[str, Mapping[str, Any]]) -> str:
    for name, array in gradients.items():
        shape = {**given["data"], **given["params"]}[name].shape
        if array.shape != shape or array.dtype != np.float64:
            return f"{name}: {array.dtype}{array.shape}, expected float64{shape}"
    return ""


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("module_under_check", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    run(load(Path(sys.argv[1])), Path(sys.argv[2]))
