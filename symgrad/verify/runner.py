"""Runs a module under check, in a process of its own: `python -P runner.py MODULE.py FOLDER`.

It imports the standard library, NumPy and the module; nothing of symgrad. The folder holds
requests.json and in.bin; answers.json and out.bin are written beside them.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import math
import sys
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

LONGEST = 300
"""Characters of an exception's text."""
ROUNDING = 450
"""How many units of rounding of the largest entry another order of summing may move an entry."""
Results = tuple[Mapping[str, Any], Mapping[str, Any]]
"""Values and gradients, by name."""


def run(module: ModuleType, folder: Path) -> None:
    """Answers every request of the folder."""
    asked = json.loads((folder / "requests.json").read_text(encoding="utf-8"))
    arrays = unpacked(folder / "in.bin", asked["arrays"])
    out: dict[str, Any] = {}
    answers = []
    for k, request in enumerate(asked["requests"]):
        given = {
            role: {name: arrays[f"{k}/{role}/{name}"] for name in request[role]}
            for role in ("params", "data", "along")
        }
        try:
            answers.append(answer(module, request, given, f"{k}/", out))
        except Exception as error:  # whatever the module raises is its answer, and a FAIL
            answers.append({"error": fault(error, str(module.__file__))})
    text = json.dumps({"answers": answers, "arrays": packed(folder / "out.bin", out)})
    (folder / "answers.json").write_text(text, encoding="utf-8")


def packed(path: Path, arrays: Mapping[str, Any]) -> list[tuple[str, str, list[int]]]:
    """All arrays in one file, one after the other; of each its name, type and shape."""
    rows = []
    with path.open("wb") as stream:
        for name, array in arrays.items():
            if array.dtype.hasobject:
                raise ValueError(f"{name} holds {array.dtype}, which is no number")
            rows.append((name, array.dtype.str, list(array.shape)))
            stream.write(array.tobytes())
    return rows


def unpacked(path: Path, rows: Sequence[tuple[str, str, Sequence[int]]]) -> dict[str, Any]:
    """The arrays of `packed`, each with memory of its own."""
    found, start, held = {}, 0, path.read_bytes()
    for name, kind, shape in rows:
        dtype, count = np.dtype(kind), math.prod(shape)
        found[name] = np.frombuffer(held, dtype, count, start).reshape(shape).copy()
        start += count * dtype.itemsize
    return found


def fault(error: BaseException, file: str) -> str:
    """`policy.py:42: ValueError: ...`: the module's last line on the way to it, and one of text."""
    lines = [at.lineno for at in traceback.extract_tb(error.__traceback__) if at.filename == file]
    if isinstance(error, SyntaxError) and error.filename == file:
        lines.append(error.lineno)
    where = f"{Path(file).name}:{lines[-1]}: " if lines else ""
    text = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
    return f"{where}{type(error).__name__}: {text[:LONGEST]}"


def answer(
    module: ModuleType,
    request: Mapping[str, Any],
    given: Mapping[str, Mapping[str, Any]],
    prefix: str,
    out: dict[str, Any],
) -> dict[str, Any]:
    """Values and gradients, with and without a workspace, and the rules that this shows."""
    function = getattr(module, request["function"])
    params = new_params(module, request, given["params"])
    known = parameters(function)
    data = {name: pass_on(array) for name, array in accepted(function, given["data"]).items()}
    along = direction(module, request, given, params)
    sizes = accepted(function, request["sizes"])  # those that no array shows

    def made(by: Any = params, v: Any = along, /, **more: object) -> Any:  # a datum may be called v
        first = [*handed(known, by), *([] if v is None else [v])]
        return function(*first, **sizes, **{**data, **more})

    def call(*by: Any, **more: object) -> tuple[dict[str, Any], dict[str, Any]]:
        return parted(made(*by, **more), request)

    state = numpy_state()
    first = values, gradients = call()
    out |= {f"{prefix}first/{name}": g for name, g in gradients.items()}
    out |= {f"{prefix}outputs/{name}": v for name, v in values.items()}
    answered: dict[str, Any] = {"value": value_of(values, request)}
    if request["plain"]:
        return answered
    conduct = {"a second call gives the same bits": differs(first, call())}
    untouched = numpy_state() == state
    conduct["NumPy's global state is untouched"] = "" if untouched else "it was changed"
    conduct["what is left out has its declared default"] = defaults(function, request)
    workspace = new_workspace(module, request, known)
    other = otherwise(module, request, given)
    if workspace is not None:
        call(other[0], along, **accepted(function, other[1]), workspace=workspace)
        again = call(workspace=workspace)
        out |= {f"{prefix}again/{name}": g for name, g in {**again[0], **again[1]}.items()}
        answered["again"] = value_of(again[0], request)
        conduct["a second call with one workspace gives the same bits"] = differs(
            again, call(workspace=workspace)
        )
    for path, layout, more in paths(data, workspace):
        if layout:
            claim = f"{layout} inputs give the same numbers"
            found = by_layout(partial(call, **more), first, more, data, module)
            conduct[claim] = conduct.get(claim) or (found and f"{path}: {found}")
    conduct["inputs of other types give the same numbers"] = by_type(call, data, params, module)
    conduct["inputs are unmodified"] = modified(params, data, given, request["paths"])
    conduct |= lasting(made, (params, data), other, request)
    if along is not None:
        conduct |= directed(partial(call, params), first, along, given["along"], request)
    if request["wrt"]:
        conduct["gradients are float64, of the parameters' shapes"] = misshapen(gradients, given)
        conduct |= value_alone(module, request, (params, data), values, workspace, other=other)
    if params is None or "dtype" in parameters(module.init):
        single = new_params(module, request, given["params"], dtype=np.float32)
        half = {name: halved(value) for name, value in data.items()}
        v = direction(module, request, given, single)
        rough = call(single, v, **half)
        out |= {f"{prefix}single/{name}": g for name, g in {**rough[0], **rough[1]}.items()}
        within = rough
        if workspace is not None:
            within = call(single, v, **half, workspace=workspace)
            conduct["a workspace changes no number in float32"] = unlike(rough, within, np.float32)
        if params is not None:
            conduct["float32 parameters give float32 arrays"] = wide(rough) or wide(within)
        if request["wrt"] and params is not None:
            both = single, half
            conduct |= value_alone(module, request, both, rough[0], workspace, before=conduct)
    answered["conduct"] = conduct
    return answered


def direction(
    module: ModuleType,
    request: Mapping[str, Any],
    given: Mapping[str, Mapping[str, Any]],
    params: Any,
) -> Any:
    """The direction of a product, laid out as a gradient; None where there is none."""
    if not given["along"]:
        return None
    function = getattr(module, request["like"])
    known = parameters(function)
    data = {name: pass_on(array) for name, array in accepted(function, given["data"]).items()}
    _, v = function(*handed(known, params), **accepted(function, request["sizes"]), **data)
    for name, array in given["along"].items():
        at(v, name, request["paths"])[...] = array
    return v


def directed(
    call: Callable[..., Results],
    first: Results,
    v: Any,
    given: Mapping[str, Any],
    request: Mapping[str, Any],
) -> dict[str, str]:
    """That the direction stays as it is; and that it may be one vector, where one holds it all."""
    flat = vars(v)["flat"]
    changed = [n for n, a in given.items() if at(v, n, request["paths"]).tobytes() != a.tobytes()]
    found = {"the direction is unmodified": ", ".join(changed)}
    if flat.size == sum(array.size for array in given.values()):
        found["a direction may be one vector"] = differs(first, call(flat))
    return found


def handed(known: Collection[str], params: Any) -> list[Any]:
    """What is passed by position."""
    return [params] if "params" in known else []


def new_workspace(module: ModuleType, request: Mapping[str, Any], known: Collection[str]) -> Any:
    if "workspace" not in known:
        return None
    return module.Workspace(**accepted(module.Workspace, request["sizes"]))


def otherwise(
    module: ModuleType, request: Mapping[str, Any], given: Mapping[str, Mapping[str, Any]]
) -> tuple[Any, dict[str, Any]]:
    """Other numbers, half as large: what a call with them leaves behind must not matter."""
    params = {name: array / 2 for name, array in given["params"].items()}
    data = {n: pass_on(a / 2) for n, a in given["data"].items() if a.dtype.kind == "f"}
    return new_params(module, request, params), data


def lasting(
    made: Callable[..., Any],
    given: tuple[Any, Mapping[str, Any]],
    other: tuple[Any, Mapping[str, Any]],
    request: Mapping[str, Any],
) -> dict[str, str]:
    """That a result is the caller's own, and that arrays changed in place count as they then are.

    given: the parameters and arrays of every call so far; they are changed here, and put back.
    """
    (params, data), (others, halves) = given, other
    arrays = {n: a for n, a in data.items() if n in halves and np.ndim(a)}
    held = [*arrays.values(), *(at(params, n, request["paths"]) for n in request["params"])]
    there = parted(made(others, **{n: halves[n] for n in arrays}), request)
    mine, saved = made(), [array.copy() for array in held]
    before = parted(mine, request)
    for array in held:
        array /= 2
    found = parted(made(), request)
    changed = differs(before, parted(mine, request))
    for array, old in zip(held, saved, strict=True):
        array[...] = old
    return {
        "what came back stays as it is": changed,
        "inputs changed in place count as they are": differs(there, found),
        "flat holds what its views hold": flattened(mine, request),
    }


def by_type(
    call: Callable[..., Results], data: Mapping[str, Any], params: Any, module: ModuleType
) -> str:
    """What is not the same where whole numbers come in other types.

    Without parameters the data say in what to compute: float32 is then no other type.
    """
    arrays = {n: a for n, a in data.items() if np.ndim(a) and a.dtype.kind in "fiu"}
    real = {n: np.ceil(4 * abs(a)).clip(max=255) for n, a in arrays.items() if a.dtype.kind == "f"}
    first = call(**real) if arrays else ({}, {})
    for index, number in TYPES if arrays else ():
        kind = np.float64 if params is None and number is np.float32 else number
        whole = {n: a for n, a in {**arrays, **real}.items() if a.max() <= np.iinfo(index).max}
        typed = {n: array.astype(kind if n in real else index) for n, array in whole.items()}
        try:
            found = unlike(first, call(**typed))
        except (TypeError, ValueError):  # a type that the module refuses: no wrong number
            continue
        except Exception as error:  # a type that it takes, and then fails with, as an index does
            found = fault(error, str(module.__file__))
        if found:
            return f"with {np.dtype(kind)} for real numbers, {np.dtype(index)}: {found}"
    return ""


TYPES = ((np.int32, np.float32), (np.uint8, np.uint8))
"""For whole numbers, and for real ones that are whole."""


def flattened(returned: Any, request: Mapping[str, Any]) -> str:
    """Whether the vector behind a gradient's arrays does not hold, in any order, what they hold."""
    of_both = request["function"].endswith("value_and_grad")
    views: Any = returned[1] if of_both else None
    if not hasattr(views, "flat"):
        return ""
    arrays = [np.ravel(at(views, name, request["paths"])) for name in request["wrt"]]
    joined, flat = np.sort(np.concatenate(arrays)), np.sort(views.flat)
    same = joined.size != flat.size or np.array_equal(joined, flat, equal_nan=True)
    return "" if same else "it does not"


def defaults(function: Callable[..., Any], request: Mapping[str, Any]) -> str:
    """The first datum that has another default than the declared one."""
    for name, given in inspect.signature(function).parameters.items():
        expected = request["defaults"].get(name, given.default)
        if given.default is not expected and given.default != expected:
            return f"{name} = {given.default}, expected {expected}"
    return ""


def numpy_state() -> tuple[Any, ...]:
    """What belongs to the whole process."""
    state = np.random.get_state(legacy=False)  # noqa: NPY002  the one that all of it shares
    return repr(state), tuple(np.geterr().values())


def paths(data: Mapping[str, Any], workspace: Any) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Each way through a function: its name, the layout of inputs in it, and what it is given."""
    for layout, lay in {"": None, **LAYOUTS}.items():
        laid = {name: lay(value) for name, value in data.items() if lay and np.ndim(value)}
        inputs = f"with {layout} inputs" if layout else "as it is"
        yield inputs, layout, laid
        if workspace is not None:
            where = f"{inputs} and a workspace" if layout else "with a workspace"
            yield where, layout, {**laid, "workspace": workspace}


def strided(array: Any) -> Any:
    """Every second place of a wider array, from its end; what lies between is no number."""
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    if array.dtype.kind == "f":
        wide.fill(np.nan)
    view = wide[..., ::-2]
    view[...] = array
    return view


def read_only(array: Any) -> Any:
    fixed = array.copy()
    fixed.flags.writeable = False
    return fixed


LAYOUTS: Mapping[str, Callable[[Any], Any]] = {
    "strided": strided,
    "Fortran-ordered": np.asfortranarray,
    "read-only": read_only,
}


def by_layout(
    call: Callable[[], Any],
    first: Results,
    laid: Mapping[str, Any],
    data: Mapping[str, Any],
    module: ModuleType,
) -> str:
    """What is not the same, but for rounding, with inputs laid out otherwise."""
    try:
        second = call()
    except Exception as error:  # a layout that the module refuses, or cannot write to
        return fault(error, str(module.__file__))
    for name, array in laid.items():
        if name in data and np.asarray(array).tobytes() != data[name].tobytes():
            return f"{name} was modified"
    return unlike(first, second)


def unlike(first: Results, second: Results, dtype: Any = np.float64) -> str:
    """What is not the same but for rounding of the largest entry: sums may run in another order."""
    for what, before, after in zip(("", "the gradient by "), first, second, strict=True):
        for name, array in before.items():
            if not close(after[name], array, ROUNDING, dtype):
                return f"{what}{name} differs"
    return ""


def close(came: Any, expected: Any, units: float, dtype: Any) -> bool:
    """Equal, but for so many units of rounding of the largest entry."""
    size = float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0))
    near = units * float(np.finfo(dtype).eps) * size
    return came.shape == expected.shape and np.allclose(
        came, expected, rtol=0, atol=near, equal_nan=True
    )


def parted(returned: Any, request: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values and gradients by name, copied, from what a function returns.

    forward: output, or (output, ...);  value_and_grad: (loss, grads), or ((loss, aux), grads).
    jvp: (loss, loss_dot);  another product: grads.
    """
    names, gradients = request["outputs"], {}
    if request["along"] and names:
        values, gradients = [returned[0]], {request["wrt"][0]: np.array(returned[1])}
    elif request["wrt"]:
        returned, grads = returned if names else ((), returned)
        gradients = {name: np.array(at(grads, name, request["paths"])) for name in request["wrt"]}
        loss, aux = returned if isinstance(returned, tuple) and names else (returned, {})
        values = [loss, *(aux[name] for name in names[1:])] if names else []
    else:
        values = [*returned] if isinstance(returned, tuple) else [returned]
    return dict(zip(names, map(np.array, values), strict=True)), gradients


def value_of(values: Mapping[str, Any], request: Mapping[str, Any]) -> str:
    """The loss, to the last bit, where it is returned."""
    named = request["wrt"] and request["outputs"]
    return repr(float(values[request["outputs"][0]])) if named else "nan"


def value_alone(
    module: ModuleType,
    request: Mapping[str, Any],
    given: tuple[Any, Mapping[str, Any]],
    values: Mapping[str, Any],
    workspace: Any,
    *,
    other: tuple[Any, Mapping[str, Any]] | None = None,
    before: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """That value() returns what value_and_grad() returns beside the gradients, in each way.

    workspace: one that value_and_grad() has used.
    other:     parameters and data to use it with first.
    before:    what was found so already, in float64.
    """
    of_both = request["function"].endswith("value_and_grad")
    function = getattr(module, request["function"].removesuffix("_and_grad"), None)
    claim = "value() returns the value of value_and_grad()"
    if not of_both or function is None or (before and before[claim]):
        return {}
    known, sizes = parameters(function), accepted(function, request["sizes"])
    params, data = given[0], accepted(function, given[1])
    dtype, single = (np.float32, " in float32") if before else (np.float64, "")
    if workspace is not None and other is not None:
        more = {**data, **accepted(function, other[1])}
        function(*handed(known, other[0]), **sizes, **more, workspace=workspace)
    for path, _, laid in paths(data, workspace):
        try:
            came = function(*handed(known, params), **sizes, **{**data, **laid})
        except Exception as error:  # a layout that the module refuses, or cannot write to
            return {claim: f"{path}: {fault(error, str(module.__file__))}"}
        loss, *aux = came if isinstance(came, tuple) else (came,)
        for name, array in values.items():
            alone = np.asarray(loss if name == request["outputs"][0] else aux[0][name])
            if not close(alone, array, 10 * ROUNDING, dtype):
                return {claim: f"{path}{single}: {name} is {alone}, not {array}"}
    defaulted = defaults(function, request)
    return {claim: defaulted and f"its default {defaulted}"}


def wide(results: Results) -> str:
    values = {name: array for name, array in results[0].items() if array.ndim}
    for what, arrays in (("", values), ("the gradient by ", results[1])):
        for name, array in arrays.items():
            if array.dtype == np.float64:
                return f"{what}{name} is {array.dtype}"
    return ""


def new_params(
    module: ModuleType, request: Mapping[str, Any], given: Mapping[str, Any], **extra: object
) -> Any:
    """The module's own parameters, every view filled in."""
    if not given:
        return None
    sizes = accepted(module.init, request["sizes"])
    params = module.init(np.random.default_rng(0), **sizes, **extra)
    for name, array in given.items():
        view = at(params, name, request["paths"])
        if view.shape != array.shape:
            raise ValueError(f"params.{name} has shape {view.shape}, expected {array.shape}")
        view[...] = array
    return params


def at(container: Any, name: str, paths: Mapping[str, str]) -> Any:
    """The array of a tensor: an attribute, or one of a group."""
    for part in paths.get(name, name).split("."):
        container = getattr(container, part)
    return container


def parameters(function: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(function).parameters)


def accepted(function: Callable[..., Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """Those of some sizes or data that a function takes."""
    known = parameters(function)
    return {name: given for name, given in named.items() if name in known}


def pass_on(array: Any) -> Any:
    """A copy; a rank-0 value as a plain number."""
    return array.copy() if array.ndim else array.item()


def halved(value: Any) -> Any:
    """Real arrays in float32; the rest as it is."""
    real = isinstance(value, np.ndarray) and value.dtype == np.float64
    return value.astype(np.float32) if real else value


def differs(first: Results, second: Results) -> str:
    """What is not the same, bit by bit."""
    for what, before, after in zip(("", "the gradient by "), first, second, strict=True):
        for name, array in before.items():
            if array.tobytes() != after[name].tobytes():
                shown = f" was {array[()]!r}, then {after[name][()]!r}" if not array.ndim else ""
                return f"{what}{name}{shown or ' changed'}"
    return ""


def modified(
    params: Any,
    data: Mapping[str, Any],
    given: Mapping[str, Mapping[str, Any]],
    paths: Mapping[str, str],
) -> str:
    now = {**{n: at(params, n, paths) for n in given["params"]}, **data}
    for name, array in {**given["params"], **given["data"]}.items():
        if name in now and np.asarray(now[name], array.dtype).tobytes() != array.tobytes():
            return f"{name} was modified"
    return ""


def misshapen(gradients: Mapping[str, Any], given: Mapping[str, Mapping[str, Any]]) -> str:
    for name, array in gradients.items():
        shape = np.shape({**given["data"], **given["params"]}.get(name, 0.0))  # loss_dot: a number
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
    try:
        loaded = load(Path(sys.argv[1]))
    except Exception as error:  # the reason goes to whoever asked, in one line
        sys.exit(fault(error, sys.argv[1]))
    run(loaded, Path(sys.argv[2]))
