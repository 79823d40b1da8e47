"""The class of buffers behind each function."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symgrad.algebra.program import fresh_name
from symgrad.algebra.sizes import ONE, ZERO
from symgrad.emit.entry import Entry
from symgrad.emit.layout import WIDTH, code, prose
from symgrad.emit.literals import camel, size_expression
from symgrad.emit.naming import definitions, shape_text
from symgrad.plan.steps import Plan


def memory_names(functions: Iterable[str]) -> dict[str, str]:
    """The name of each function's class of buffers."""
    names: dict[str, str] = {}
    for function in functions:
        names[function] = fresh_name(f"_{camel(function)}Memory", names.values())
    return names


def memory_class(
    entry: Entry, name: str, function: str, buffers: Sequence[str]
) -> dict[str, object]:
    lines = [*definitions(entry.spec, buffers), *buffers]
    arguments = ["self", "dtype", *(["*"] if entry.sizes else []), *entry.sizes]
    return {
        "name": name,
        "doc": prose(f'"""The buffers of {function}."""', "    "),
        "signature": code(f"def __init__({', '.join(arguments)}):", 4),
        "body": [piece for line in lines for piece in code(line, 8)],
    }


def _chained(names: Sequence[str], value: str) -> list[str]:
    """self.a = self.b = value; a long chain in several lines."""
    lines: list[str] = []
    first, *others = names
    left = f"self.{first}"
    for name in others:
        if len(f"{left} = self.{name} = {value}") > WIDTH - 8:
            lines.append(f"{left} = {value}")
            left, value = f"self.{name}", f"self.{first}"
        else:
            left = f"{left} = self.{name}"
    return [*lines, f"{left} = {value}"]


def buffers_of(plan: Plan) -> list[str]:
    """One array for all the buffers that share its memory; constants are filled in once."""
    owner_of = dict(plan.shares)
    lines = []
    for array in plan.arrays:
        if array.storage == "buffer" and array.name not in owner_of:
            dtype = {"real": "dtype", "int": "np.intp", "bool": "np.bool_"}[array.kind]
            names = [array.name, *(n for n, owner in owner_of.items() if owner == array.name)]
            lines += _chained(names, f"np.empty({shape_text(array.shape, {})}, {dtype})")
        elif array.storage == "constant" and array.values:
            start, step = array.values
            dtype = "dtype" if array.kind == "real" else "np.intp"
            ends = [start, start + step * array.shape[0], step]
            ends = ends[1:2] if (start, step) == (ZERO, ONE) else ends
            span = ", ".join(map(size_expression, ends))
            lines.append(f"self.{array.name} = np.arange({span}, dtype={dtype})")
    return lines
