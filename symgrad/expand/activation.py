"""An activation with its options set: f(x) as a tree, at the end of a layer or in an equation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from symgrad.algebra.scalars import FUNCTIONS
from symgrad.catalog.activations import ACTIVATIONS, Activation
from symgrad.errors import SpecError, did_you_mean
from symgrad.expand.axes import clear
from symgrad.expand.trees import Naming, letters_in, mapped, moved
from symgrad.notation.names import shown
from symgrad.notation.parser import parse_expression
from symgrad.notation.syntax import Name, Node, Read, Source

MACROS = tuple(n for n, row in ACTIVATIONS.items() if n not in FUNCTIONS and not row.reads_axis)
"""Activations that equations may call like functions."""

Entry = Callable[[tuple[Node, ...]], Node]
"""Subscripts of the last axis, or none, to the entry of an activation's argument there."""

Fault = Callable[[str, int], SpecError]
"""A message and an offset, as an error at its place."""


@dataclass(frozen=True)
class Chosen:
    """An activation with its options set."""

    row: Activation
    values: Mapping[str, Node]


def chosen(
    row: Activation,
    options: Sequence[Node],
    named: Sequence[tuple[str, Node]],
    at: int,
    error: Fault,
) -> Chosen:
    """elu(2) or elu(alpha=2), as written at an offset."""
    known = [name for name, _ in row.options]
    if len(options) > len(known):
        takes = f"takes {len(known)} option{'s' * (len(known) != 1)}"
        form = f": {', '.join(known)}" if known else ""
        raise error(f"{row.name} {takes}{form}, and {len(options)} came", at)
    values = dict(zip(known, options, strict=False))
    for name, value in named:
        if name not in known:
            near = did_you_mean(name, known)
            raise error(f"{row.name} has no option {shown(name)}{near}", value.at)
        if name in values:
            raise error(f"{row.name}: option {shown(name)} is given twice", value.at)
        values[name] = value
    return Chosen(row, values)


def activated(activation: Chosen, entry: Entry, at: int, bare: Collection[str]) -> Node:
    """f(entry), as if it stood at one offset; bare: names that none of its indices may have."""
    row = activation.row
    defaults = {name: moved(parse_expression(Source(text)), at) for name, text in row.options}
    values = {**defaults, **activation.values}
    formula = moved(parse_expression(Source(row.formula)), at)
    formula = Naming(clear(letters_in(formula), bare), {}, {}).node(formula)

    def one(node: Node) -> Node:
        if isinstance(node, Name):
            return entry(()) if node.name == "x" else values.get(node.name, node)
        if isinstance(node, Read) and node.name == "x":
            return entry(node.subscripts)
        return node

    return mapped(formula, one)
