"""Params and its like: named views on one vector, how they are drawn, saved and loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod, sqrt

from symgrad.algebra.program import Tensor
from symgrad.algebra.sizes import Atom, Size
from symgrad.emit.layout import WIDTH, code, prose, split_arguments
from symgrad.emit.literals import (
    dict_text,
    keywords,
    quoted,
    raising,
    size_expression,
    tuple_text,
)
from symgrad.emit.naming import atoms, definitions, named, shape_text, total
from symgrad.notation.initialisations import argument_of
from symgrad.notation.places import bound_text
from symgrad.spec import Spec


@dataclass(frozen=True)
class Container:
    """A class whose attributes are the tensors: parameters as views on `flat`, inputs as arrays."""

    name: str
    params: tuple[Tensor, ...]
    inputs: tuple[Tensor, ...] = ()

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return (*self.params, *self.inputs)


def sizes_in(spec: Spec, tensors: Sequence[Tensor]) -> list[str]:
    """The named sizes of some shapes, in declared order."""
    used = frozenset().union(*(size.names for t in tensors for size in t.shape))
    return [name for name, _ in spec.sizes if name in used]


def by_keyword(spec: Spec, names: Sequence[str]) -> list[str]:
    """`B, H=64`: the free sizes first, then those with a default."""
    defaults = dict(spec.sizes)
    free = [name for name in names if defaults[name] is None]
    return [*free, *(f"{n}={defaults[n]}" for n in names if defaults[n] is not None)]


def class_of(spec: Spec, container: Container) -> dict[str, object]:
    """What the template lays out as one class."""
    names = sizes_in(spec, container.tensors)
    known = atoms(spec)
    body = [f"self.flat = _vector(flat, {total(container.params, known)})"]
    body += _views(spec, container.params, known)
    for tensor in container.inputs:
        shape = shape_text(tensor.shape, known)
        body += [f"self.{tensor.name} = np.zeros({shape}, self.flat.dtype)"]
    sizes = f"self._sizes = _sizes({', '.join(f'{n}={n}' for n in names)})"
    checked = checks(spec, names)
    body = [sizes, *definitions(spec, [*checked, *body]), *checked, *body]
    signature = ", ".join(["self", "flat", *(["*"] if names else []), *by_keyword(spec, names)])
    return {
        "name": container.name,
        "doc": _about(spec, container),
        "signature": code(f"def __init__({signature}):", 4),
        "body": [piece for line in body for piece in code(line, 8)],
        "lone": _lone(spec, container),
    }


def _views(spec: Spec, params: Sequence[Tensor], known: Mapping[Atom, Size]) -> list[str]:
    """The next part of the vector for each parameter and for each group."""
    free, groups = _parts(spec, params)
    lines = ["_part = _parts(self.flat)"] if params else []
    for tensor in free:
        shape = split_arguments(shape_text(tensor.shape, known)[1:-1])
        lines.append(f"self.{tensor.name} = _part({', '.join(filter(None, shape))})")
    for group, own in groups.items():
        shapes = ", ".join(f"{_short(group, t)}={shape_text(t.shape, known)}" for t in own)
        lines.append(f"self.{group} = _Group(_part({total(own, known)}), {shapes})")
    return lines


def _lone(spec: Spec, container: Container) -> list[str]:
    """The refusal of `flat`, where a gradient by some parameters may be one number."""
    ones = dict.fromkeys((name for name, _ in spec.sizes), 1)
    least = sum(prod(size.evaluate(ones) for size in t.shape) for t in container.params)
    if container.name == "Params" or not container.params or least > 1:
        return []
    name = container.params[0].name
    said = f"the gradient is one number, with no flat of its own: use {spec.paths.get(name, name)}"
    return code(f"raise AttributeError({quoted(said)})", 12)


def _parts(
    spec: Spec, params: Sequence[Tensor]
) -> tuple[tuple[Tensor, ...], dict[str, tuple[Tensor, ...]]]:
    """The parameters that stand alone, and those of each group; so they lie in the vector."""
    free = tuple(t for t in params if t.name not in spec.paths)
    found = {g: tuple(t for t in params if t.name in names) for g, names in spec.groups}
    return free, {group: own for group, own in found.items() if own}


def _short(group: str, tensor: Tensor) -> str:
    return tensor.name.removeprefix(f"{group}_")


def _about(spec: Spec, container: Container) -> list[str]:
    paths = spec.paths
    views = ", ".join(
        _unbroken(f"{paths.get(t.name, t.name)} {_plain(t)}") for t in container.params
    )
    arrays = ", ".join(_unbroken(f"{t.name} {_plain(t)}") for t in container.inputs)
    said = f"Views on one vector `flat`: {views}." if views else "By inputs alone: `flat` is empty."
    said += f" Arrays of their own: {arrays}." if arrays else ""
    lines = [line.replace(UNBROKEN, " ") for line in prose(f'"""{said}', "    ")]
    fits = len(lines) == 1 and len(lines[0]) + 3 <= WIDTH
    return [lines[0] + '"""'] if fits else [*lines, '    """']


UNBROKEN = "\0"
"""Stands for a space at which no line ends."""


def _unbroken(text: str) -> str:
    return text.replace(" ", UNBROKEN)


def _plain(tensor: Tensor) -> str:
    return tuple_text(str(size) for size in tensor.shape)


def checks(spec: Spec, names: Sequence[str]) -> list[str]:
    """What the sizes must obey, where all of them are known."""
    lines = []
    for size, message in spec.checks:
        if size.names and size.names <= set(names):
            varying, least = bound_text(named(size, atoms(spec)))
            lines += [f"if {size_expression(varying)} < {least}:"]
            lines += ["    " + line for line in raising("ValueError", message)]
    return lines


def parameters(spec: Spec, params: Sequence[Tensor]) -> list[str]:
    """Axes, and offset, shape and strides in numbers: None where a size has no default."""
    known = {name: value for name, value in spec.sizes if value is not None}
    fixed = all(size.names <= set(known) for t in params for size in t.shape)
    lines, offset = [], 0
    for tensor in params:
        shape = [size.evaluate(known) for size in tensor.shape] if fixed else []
        strides = [prod(shape[n + 1 :]) for n in range(len(shape))]
        places: dict[str, str] = {"offset": "None", "shape": "None", "strides": "None"}
        if fixed:
            numbers = (str(offset), tuple_text(map(str, shape)), tuple_text(map(str, strides)))
            places = dict(zip(places, numbers, strict=True))
        axes = tuple_text(quoted(str(s)) for s in tensor.shape)
        entries = ", ".join(f'"{key}": {text}' for key, text in {"axes": axes, **places}.items())
        lines += code(f"{quoted(spec.paths.get(tensor.name, tensor.name))}: {{{entries}}}", 4)
        lines[-1] += ","
        offset += prod(shape)
    return lines


def layers(spec: Spec) -> list[str]:
    """Of each network, layer after layer, what PyTorch calls a parameter and what it is here."""
    lines = []
    for network, own in spec.layers:
        each = [[(torch, quoted(spec.paths.get(n, n))) for torch, n in names] for names in own]
        lines += code(f"{quoted(network)}: {tuple_text(map(dict_text, each))}", 4)
        lines[-1] += ","
    return lines


def init(spec: Spec, params: Sequence[Tensor]) -> dict[str, object]:
    """The function that draws new parameters."""
    names, known = sizes_in(spec, params), atoms(spec)
    body = [f"params = Params(np.dtype(dtype){keywords(names)})"]
    free, groups = _parts(spec, params)
    body += [f"params.{t.name}[...] = {_drawn(spec, t, known)}" for t in free]
    for group, own in groups.items():
        of = _original(spec, group, own)
        if of is not None:
            body += [f"params.{group}.flat[...] = params.{of}.flat"]
        else:
            places = [(f"params.{spec.paths[t.name]}", t) for t in own]
            body += [f"{place}[...] = {_drawn(spec, t, known)}" for place, t in places]
    body = [*definitions(spec, body), *body]
    every = [name for name, _ in spec.sizes if name in {*names, *_in_starts(spec, params)}]
    signature = ", ".join(["rng", "*", *by_keyword(spec, every), "dtype=np.float64"])
    return {
        "signature": code(f"def init({signature}):", 0),
        "body": [piece for line in body for piece in code(line, 4)],
    }


def _original(spec: Spec, group: str, own: Sequence[Tensor]) -> str | None:
    """The group that every parameter of this one starts as."""
    for of, names in spec.groups:
        starts = [f"copy({of}_{_short(group, t)})" for t in own]
        if [t.init for t in own] == starts and len(own) == len(names):
            return of
    return None


def _drawn(spec: Spec, tensor: Tensor, known: Mapping[Atom, Size]) -> str:
    """How a parameter starts: as its init says; else matrices as PyTorch does, and vectors at 0."""
    how = tensor.init or ("uniform_fan_in" if len(tensor.shape) > 1 else "zeros")
    name, _, argument = how.removesuffix(")").partition("(")
    if name == "copy":
        return f"params.{spec.paths.get(argument, argument)}"
    value = _number(spec, how, known)
    if name in ("zeros", "constant"):
        return value or "0.0"
    extra = f", {value or '1.0'}" if name in ("orthogonal", "normal", "uniform") else ""
    return f"_{name}(rng, {shape_text(tensor.shape, known)}{extra})"


def _number(spec: Spec, how: str, known: Mapping[Atom, Size]) -> str:
    """The argument of an initialisation as Python; empty if it has none."""
    argument = argument_of(how, _sizes(spec))
    if argument is None:
        return ""
    number, over = float(argument.number), argument.over
    if over is None or over.constant is not None:
        return repr(number / sqrt(1 if over is None else over.constant or 1))
    return f"{number!r} / np.sqrt({size_expression(named(over, known))})"


def _in_starts(spec: Spec, params: Sequence[Tensor]) -> set[str]:
    """The sizes that initialisations name."""
    found = (argument_of(t.init or "", _sizes(spec)) for t in params)
    return {name for one in found if one and one.over for name in one.over.names}


def _sizes(spec: Spec) -> Mapping[str, Size]:
    return {**{name: Size.of(name) for name, _ in spec.sizes}, **dict(spec.derived)}


def _shown(spec: Spec, params: Sequence[Tensor]) -> Mapping[str, tuple[Tensor, int]]:
    """The axis of a parameter that each size is; a file must hold the sizes that are none."""
    seen = {}
    for name in sizes_in(spec, params):
        for tensor in params:
            axes = [n for n, size in enumerate(tensor.shape) if size == Size.of(name)]
            if axes:
                seen[name] = (tensor, axes[0])
                break
    return seen


def save_and_load(spec: Spec, params: Sequence[Tensor]) -> dict[str, object]:
    """The bodies of `save` and `load`."""
    seen = _shown(spec, params)
    kept = [name for name in sizes_in(spec, params) if name not in seen]
    sizes = "".join(f', {name}=params._sizes["{name}"]' for name in kept)
    view = "_place(params, name)" if spec.groups else "getattr(params, name)"
    views = f"{{name: {view} for name in PARAMETERS}}"
    load = [f"arrays = _arrays(path{''.join(f', {quoted(name)}' for name in kept)})"]
    arguments = ["np.result_type(*(arrays[name] for name in PARAMETERS))"]
    for name in sizes_in(spec, params):
        if name in seen:
            tensor, axis = seen[name]
            path = spec.paths.get(tensor.name, tensor.name)
            arguments.append(f'{name}=_extent(arrays["{path}"], {axis})')
        else:
            arguments.append(f'{name}=int(arrays["{name}"])')
    load += [f"params = Params({', '.join(arguments)})"]
    return {
        "save": code(f"np.savez(file, **{views}{sizes})", 8),
        "load": [piece for line in load for piece in code(line, 4)],
        "assign": "_put(params, name, arrays[name])" if spec.groups else SETATTR,
    }


SETATTR = "setattr(params, name, arrays[name])"
