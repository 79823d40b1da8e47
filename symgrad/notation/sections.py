"""The declaring sections of a spec: [sizes], [params], [data], [functions], [tensors]."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from symgrad.algebra.program import Role, Tensor
from symgrad.algebra.sizes import Size
from symgrad.notation.declarations import KINDS, Declared, size_text, tensor_type
from symgrad.notation.document import Document
from symgrad.notation.names import fault_of, shown
from symgrad.notation.parser import parse_expression
from symgrad.notation.places import Check, at_least, required
from symgrad.notation.sizes import size_of
from symgrad.notation.syntax import Compare

SECTIONS: tuple[tuple[str, Role], ...] = (
    ("params", "param"),
    ("data", "data"),
    ("tensors", "computed"),
)
Groups = tuple[tuple[str, tuple[str, ...]], ...]
"""Groups of parameters, each with its tensors' names."""
Names = tuple[tuple[str, str], ...]
"""The parameters of a layer: what PyTorch calls each, and its tensor."""
Layered = tuple[tuple[str, tuple[Names, ...]], ...]
"""Networks, each with the parameters of its layers."""
ABOVE = ("equations", "outputs", "aux", "wrt", "require", "with", "description")
LARGEST_DEFAULT = 2**31
MOST_ARGUMENTS = 9


@dataclass(frozen=True)
class Sections:
    """declared: what equations may speak of; notes: descriptions of sizes; checks: on entry.

    groups: the tables inside [params]; W of [params.q] is the tensor q_W.
    places: where each parameter is declared.
    """

    declared: Declared
    notes: tuple[tuple[str, str], ...]
    checks: tuple[Check, ...]
    groups: Groups = ()
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_sections(document: Document) -> Sections:
    """The declarations of a spec, each name given once."""
    _check_names(document)
    sizes, derived, notes = _sizes(document)
    partial = Declared(sizes, derived)
    tensors: dict[Role, tuple[Tensor, ...]] = {}
    for section, role in SECTIONS:
        tensors[role] = tuple(_tensors(document, section, role, partial))
    declared = Declared(
        sizes,
        derived,
        (*tensors["param"], *tensors["data"]),
        tensors["computed"],
        _functions(document),
    )
    checks = tuple(dict.fromkeys(_checks(document, declared)))
    places = dict(_keys(document, "params"))
    return Sections(declared, notes, checks, tuple(_groups(document)), places)


def _groups(document: Document) -> Iterator[tuple[str, tuple[str, ...]]]:
    for group, inner in document.table("params").items():
        if isinstance(inner, dict):
            yield group, tuple(f"{group}_{name}" for name in inner)


def _check_names(document: Document) -> None:
    where: dict[str, str] = {}
    for section in ("sizes", "params", "data", "tensors", "functions"):
        for name, path in _keys(document, section):
            value = document.table(*path[:-1])[path[-1]]
            for one in dict.fromkeys((path[-1], name)):
                fault = fault_of(one) or _misplaced(one, value)
                if fault:
                    raise document.error(f"{shown(one)} in [{section}] {fault}", *path)
            if name in where:
                raise document.error(
                    f"{shown(name)} is declared in [{where[name]}] and again in [{section}]", *path
                )
            where[name] = section


def _keys(document: Document, section: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each name that a section declares, and where; those of [params.q] after the plain ones."""
    table = document.table(section)
    grouped = [name for name in table if section == "params" and isinstance(table[name], dict)]
    yield from ((name, (section, name)) for name in table if name not in grouped)
    for group in grouped:
        fault = fault_of(group)
        if fault:
            raise document.error(f"group {shown(group)} in [params] {fault}", section, group)
        if group in document.table("data"):
            raise document.error(f"group {shown(group)} has the name of a datum", section, group)
        if not table[group]:
            raise document.error(f"[params.{shown(group)[1:-1]}] is empty", section, group)
        yield from ((f"{group}_{key}", (section, group, key)) for key in table[group])


def _misplaced(name: str, value: object) -> str | None:
    """Why a key of the whole spec cannot stand in a section; None for a declaration."""
    if name not in ABOVE or (isinstance(value, str) and value.lstrip().startswith(KINDS)):
        return None
    return "is a key of the whole spec: put it above the first [section]"


def _sizes(
    document: Document,
) -> tuple[
    tuple[tuple[str, int | None], ...], tuple[tuple[str, Size], ...], tuple[tuple[str, str], ...]
]:
    sizes: dict[str, int | None] = {}
    derived: dict[str, Size] = {}
    notes: dict[str, str] = {}
    for name, value in document.table("sizes").items():
        known = {**{n: Size.of(n) for n in sizes}, **derived}
        if isinstance(value, str):
            size = size_text(document.source(value, "sizes", name), known)
            if size is None:
                sizes[name] = None
                notes[name] = value
            else:
                derived[name] = size
        elif (
            isinstance(value, bool)
            or not isinstance(value, int)
            or not 1 <= value <= LARGEST_DEFAULT
        ):
            other = isinstance(value, float)
            hint = f'; other numbers are data: {name} = "real = {value}"' if other else ""
            raise document.error(
                f"size {shown(name)} is a whole number of at least 1, a description or an "
                f"expression, and {_came(value)} came{hint}",
                "sizes",
                name,
            )
        else:
            sizes[name] = value
    return tuple(sizes.items()), tuple(derived.items()), tuple(notes.items())


def _tensors(document: Document, section: str, role: Role, declared: Declared) -> Iterator[Tensor]:
    for name, path in _keys(document, section):
        value = document.table(*path[:-1])[path[-1]]
        if not isinstance(value, str):
            raise document.error(
                f"a declaration is a string, and {_came(value)} came for {shown(path[-1])}; "
                f"write {path[-1]} = {_meant(value)}",
                *path,
            )
        yield tensor_type(document.source(value, *path), name, role, declared.size_of)


def _came(value: object) -> str:
    return "a section" if isinstance(value, dict) else ascii(value)[:40]


def _meant(value: object) -> str:
    """The type that a value which is no string may stand for."""
    if isinstance(value, bool):
        return '"bool"'
    if isinstance(value, int | float):
        return f'"real = {value}"'
    if isinstance(value, list) and all(isinstance(v, str | int) for v in value):
        return f'"real[{", ".join(ascii(v).strip(chr(39)) for v in value[:6])}]"'
    return '"real[B, 4]"'


def _functions(document: Document) -> tuple[tuple[str, int], ...]:
    found = []
    for name in document.table("functions"):
        arity = document.typed(int, "functions", name)
        if not 1 <= arity <= MOST_ARGUMENTS:
            raise document.error(
                f"function {shown(name)} takes 1 to {MOST_ARGUMENTS} arguments, and {arity} came",
                "functions",
                name,
            )
        found.append((name, int(arity)))
    return tuple(found)


def _checks(document: Document, declared: Declared) -> Iterator[Check]:
    """Every size that is an expression is big enough."""
    defaults = declared.defaults
    for name, size in declared.derived:
        error = document.error(f"size {shown(name)} = {size} is below 1", "sizes", name)
        yield from required(size - 1, f"{name} = {size} must be at least 1", error, defaults)
    for tensor in (*declared.tensors, *declared.shapes):
        section = {"param": "params", "data": "data", "computed": "tensors"}[tensor.role]
        for axis, size in enumerate(tensor.shape):
            error = document.error(
                f"axis {axis + 1} of {tensor.name} has size {size}, which is below 0",
                section,
                tensor.name,
            )
            yield from required(
                size,
                f"axis {axis + 1} of {tensor.name} has size {size}, which must be at least 0",
                error,
                defaults,
            )
        if tensor.below is not None:
            error = document.error(
                f"{tensor.name} < {tensor.below} leaves no value", section, tensor.name
            )
            yield from at_least(tensor.below - 1, error, defaults)
    yield from _required(document, declared)


def _required(document: Document, declared: Declared) -> Iterator[Check]:
    """require = ["T >= 2"]."""
    for text in document.names("require") or ():
        source = document.source(text, "require")
        node = parse_expression(source)
        if not isinstance(node, Compare) or node.operators != (">=",):
            raise document.error(f'require: {shown(text)} is not of the form "T >= 2"', "require")
        left, right = (size_of(n, source, declared.size_of) for n in node.operands)
        yield from at_least(
            left - right,
            document.error(f"require: {shown(text)} does not hold", "require"),
            declared.defaults,
        )
