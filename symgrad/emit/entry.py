"""The first and last lines of a function: signature, checks, sizes, memory, what is returned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sympy import Integer

from symgrad.algebra.access import Access
from symgrad.algebra.program import Program, Tensor
from symgrad.algebra.sizes import ZERO, Size
from symgrad.emit.containers import by_keyword, checks, sizes_in
from symgrad.emit.layout import assigned, code
from symgrad.emit.literals import keywords, quoted, size_expression
from symgrad.emit.naming import atoms, definitions, shape_text, words_in
from symgrad.emit.scalars import number_text
from symgrad.spec import Spec

Measure = tuple[Tensor, int, int, Size]


@dataclass(frozen=True)
class Entry:
    """How a function begins.

    params: all of the module's; data: what the function takes; read: which of them its steps name.
    given:  sizes that no array shows: keywords of the function.
    found:  for each size that a datum's axis shows, the tensor, the axis, and (times, plus):
            the axis is times * size + plus long.
    sizes:  all of them, in declared order.
    picked: for each integer tensor, the sizes of the axes that it picks places of.
    direction, along: the argument that holds a direction, and the tensor of each of its parts.
    """

    spec: Spec
    params: tuple[Tensor, ...]
    data: tuple[Tensor, ...]
    read: frozenset[str]
    given: tuple[str, ...]
    found: Mapping[str, Measure]
    sizes: tuple[str, ...]
    picked: Mapping[str, tuple[Size, ...]]
    direction: str = ""
    along: Mapping[str, str] = field(default_factory=dict)


def make_entry(spec: Spec, data: Sequence[Tensor], program: Program, body: Iterable[str]) -> Entry:
    """`body` holds the lines of the function and of its memory, which tell what sizes they use."""
    params = tuple(t for t in spec.tensors if t.role == "param")
    words = words_in(body)
    shown = {*sizes_in(spec, (*params, *data)), *(n for n, _ in spec.sizes if n in words)}
    shown |= {n for name, size in spec.derived if name in words for n in size.names}
    picked = _picked(program)
    limits = [t.below for t in data if t.below is not None]
    limits += [size for t in data for size in picked.get(t.name, ())]
    shown |= {name for size in limits for name in size.names}
    known = set(sizes_in(spec, params))
    found = _found(data, known)
    sizes = tuple(name for name, _ in spec.sizes if name in shown)
    given = tuple(n for n in sizes if n not in known and n not in found)
    read = {a.tensor for e in program.equations for a in e.reads}
    return Entry(spec, params, tuple(data), frozenset(read), given, found, sizes, picked)


def _found(
    data: Sequence[Tensor], known: Iterable[str]
) -> dict[str, tuple[Tensor, int, int, Size]]:
    """Sizes read off axes: those that are one alone first, then those in times * size + plus."""
    found: dict[str, Measure] = {}
    done = set(known)
    axes = [(t, axis, size) for t in data for axis, size in enumerate(t.shape)]
    for tensor, axis, size in axes:
        for name in size.names - done:
            if size == Size.of(name):
                found[name] = (tensor, axis, 1, ZERO)
                done.add(name)
    growing = True
    while growing:
        growing = False
        for tensor, axis, size in axes:
            missing = size.names - done
            if len(missing) == 1:
                (name,) = missing
                times = next((c for m, c in size.terms if m == (name,)), 0)
                plus = size - Size.of(name) * times
                if times > 0 and name not in plus.names:
                    found[name] = (tensor, axis, times, plus)
                    done.add(name)
                    growing = True
    return found


def signature(entry: Entry, name: str, positional: bool) -> list[str]:
    """def name(params, *, x, y=0.5, B, workspace=None): data without a default come first."""
    plain = [t.name for t in entry.data if t.default is None]
    defaults = [f"{t.name}={_default(t)}" for t in entry.data if t.default is not None]
    sizes = by_keyword(entry.spec, entry.given)
    free, given = [s for s in sizes if "=" not in s], [s for s in sizes if "=" in s]
    words = [*plain, "*", *free] if positional else ["*", *plain, *free]
    params = ["params"] if entry.params else []
    params += [entry.direction] if entry.direction else []
    arguments = [*params, *words, *defaults, *given, "workspace=None"]
    return code(f"def {name}({', '.join(arguments)}):", 0)


def _default(tensor: Tensor) -> str:
    number = tensor.default or Integer(0)
    return str(int(number)) if tensor.kind == "int" else number_text(number)


def opening(entry: Entry, memory: str, steps: Sequence[str], gradient: bool) -> list[str]:
    """Checks of every argument, the sizes, the memory, and the parameters by their names."""
    lines = [_dtype(entry)]
    lines += [_checked(t) for t in entry.data]
    lines += _from_params(sizes_in(entry.spec, entry.params))
    lines += [f'{name} = _size("{name}", {name})' for name in entry.given]
    lines += [_measured(name, *entry.found[name]) for name in entry.found]
    checked = _shapes(entry) + _below(entry)
    checked += [f'_positive("{t.name}", {t.name})' for t in entry.data if t.positive]
    checked = [*checks(entry.spec, entry.sizes), *checked]
    lines += [*definitions(entry.spec, [*checked, *steps]), *checked]
    call = f"_memory(workspace, {memory}, dtype{keywords(entry.sizes)})"
    fitted = [t for t in entry.data if t.shape and t.name in entry.read]
    used = gradient or entry.along or fitted or any("ws." in line for line in steps)
    lines.append(f"ws = {call}" if used else call)
    for t in fitted:
        kind = {"real": "dtype", "int": "np.intp", "bool": "np.bool_"}[t.kind]
        lines.append(f'{t.name} = _fit(ws, "{t.name}", {t.name}, {kind})')
    if gradient:
        lines.append("grads = ws.grads")
    bound = [t for t in entry.params if t.name in entry.read]
    paths = entry.spec.paths
    views = [f"params.{paths.get(t.name, t.name)}" + ("" if t.shape else "[()]") for t in bound]
    lines += assigned([t.name for t in bound], views, 4)
    lines += _direction(entry)
    return [piece for line in lines for piece in code(line, 4)]


def _direction(entry: Entry) -> list[str]:
    """The direction laid out as a gradient, and its parts by their names."""
    if not entry.direction:
        return []
    v, paths = entry.direction, entry.spec.paths
    read = [t for t in entry.spec.tensors if entry.along.get(t.name) in entry.read]
    parts = [f"{v}.{paths.get(t.name, t.name)}" + ("" if t.shape else "[()]") for t in read]
    names = [entry.along[t.name] for t in read]
    inputs = [f', "{t.name}"' for t in entry.data if t.name in entry.along]
    laid = f'{v} = _along("{v}", {v}, ws._along{"".join(inputs)})'
    return [laid, *assigned(names, parts, 4)]


def _from_params(names: Sequence[str]) -> list[str]:
    """The sizes that the parameters know."""
    if len(names) == 1:
        return [f'{names[0]} = params._sizes["{names[0]}"]']
    return [f"{', '.join(names)} = params._sizes.values()"] if names else []


def _dtype(entry: Entry) -> str:
    if entry.params:
        return "dtype = _dtype_of(params)"
    real = [t for t in entry.data if t.kind == "real"]
    arrays = [t.name for t in real if t.shape] or [t.name for t in real]
    return f"dtype = _dtype_among({', '.join(arrays)})"


def _checked(tensor: Tensor) -> str:
    name, kind = tensor.name, {"real": "_real", "int": "_integer", "bool": "_boolean"}[tensor.kind]
    if tensor.shape:
        return f'{name} = {kind}("{name}", {name}, {len(tensor.shape)})'
    scalar = {"real": "dtype.type", "int": "int", "bool": "bool"}[tensor.kind]
    return f'{name} = {scalar}({kind}("{name}", {name}, 0))'


def _measured(name: str, tensor: Tensor, axis: int, times: int, plus: Size) -> str:
    extra = "" if (times, plus) == (1, ZERO) else f", {times}, {size_expression(plus)}"
    return f'{name} = _length("{name}", "{tensor.name}", {tensor.name}, {axis}{extra})'


def _shapes(entry: Entry) -> list[str]:
    """Every shape that the sizes did not come from whole."""
    known = atoms(entry.spec)
    rest = [t for t in entry.data if not _told(entry, t)]
    return [f'_shape("{t.name}", {t.name}, {shape_text(t.shape, known)})' for t in rest]


def _told(entry: Entry, tensor: Tensor) -> bool:
    """Whether its shape was used whole to find sizes, so that there is nothing left to compare."""
    used = {axis for t, axis, _, _ in entry.found.values() if t.name == tensor.name}
    return not tensor.shape or len(used) == len(tensor.shape)


def _below(entry: Entry) -> list[str]:
    """Every integer below its bound; one that picks places of an axis, inside it."""
    lines = []
    for tensor in entry.data:
        if tensor.kind == "int":
            sizes = [tensor.below] if tensor.below is not None else []
            sizes += entry.picked.get(tensor.name, ())
            texts = list(dict.fromkeys(size_expression(s) for s in sizes))
            limit = f"min({', '.join(texts)})" if len(texts) > 1 else texts[0] if texts else "None"
            lines.append(f'_below("{tensor.name}", {tensor.name}, {limit})')
    return lines


def _picked(program: Program) -> dict[str, tuple[Size, ...]]:
    """For each integer tensor, the sizes of the axes that it picks places of."""
    found: dict[str, tuple[Size, ...]] = {}
    for equation in program.equations:
        for access in (*equation.reads, equation.target):
            shape = program.tensor_of[access.tensor].shape
            for subscript, size in zip(access.subscripts, shape, strict=True):
                if isinstance(subscript, Access):
                    found[subscript.tensor] = (*found.get(subscript.tensor, ()), size)
    return found


def closing(
    results: Sequence[str], gradient: Mapping[str, str], scalars: Mapping[str, str], outputs: bool
) -> list[str]:
    """What is returned: outputs; or the loss, with a dict of aux beside it, and the gradients."""
    lines = [f"    grads.{place}[()] = {gradient[name]}" for name, place in scalars.items()]
    if outputs:
        return [*lines, *code(f"return {', '.join(results)}", 4)]
    if not results:
        return [*lines, "    return grads"]
    value, *aux = results
    shown = f"{value}, {{{', '.join(f'{quoted(a)}: {a}' for a in aux)}}}" if aux else value
    if gradient:
        shown = f"({shown}), grads" if aux else f"{shown}, grads"
    return [*lines, *code(f"return {shown}", 4)]
