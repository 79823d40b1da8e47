"""Activations from their rows: f(x) as a tree, at the end of a layer or inside an equation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from symgrad.algebra.scalars import FUNCTIONS
from symgrad.catalog.activations import ACTIVATIONS, Activation
from symgrad.errors import SpecError, did_you_mean
from symgrad.expand.axes import axes_of, clear, has_plain
from symgrad.expand.scope import Here
from symgrad.expand.trees import Naming, letters_in, mapped, moved
from symgrad.notation.names import shown
from symgrad.notation.parser import parse_expression
from symgrad.notation.syntax import Call, Name, Node, Read, Reduce, Source, nodes

CALLED = tuple(n for n, row in ACTIVATIONS.items() if n not in FUNCTIONS and not row.reads_axis)
"""Activations that equations may call like functions."""

SMALL = 12
LARGEST = 2_000
"""Nodes of an argument that is repeated as it stands, and of what comes of one that has to be."""

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


def written_out(
    call: Call,
    arguments: Sequence[Node],
    options: Sequence[tuple[str, Node]],
    here: Here,
    bare: Collection[str],
) -> Node:
    """gelu(z[b,i]) inside an equation: its formula, with the argument in it."""
    row = ACTIVATIONS[call.name]
    if not 1 <= len(arguments) <= 1 + len(row.options):
        most = f"1 to {1 + len(row.options)} arguments" if row.options else "1 argument"
        shape = f"{row.name}({', '.join(['x', *(name for name, _ in row.options)])})"
        raise here.error(
            f"{row.name} takes {most}, and {len(arguments)} came; it is {shape}", call.at
        )
    setting = chosen(row, arguments[1:], options, call.at, here.error)
    x = _repeatable(arguments[0], call, here, bare)
    body = activated(setting, lambda place: x, call.at, bare)
    if _count(body) > LARGEST:
        raise here.error(
            f"the argument of {call.name} is long, and its formula repeats it; "
            "give the argument a name of its own",
            call.at,
        )
    return body


def _repeatable(x: Node, call: Call, here: Here, bare: Collection[str]) -> Node:
    """The argument, under a name of its own if it is long or reduces, and can have one.

    What a `where` guards stays inside it, and an index needs a range.
    """
    letters = axes_of(x, bare)
    is_short = _count(x) <= SMALL and not any(isinstance(n, Reduce) for n in nodes(x))
    if is_short or here.guarded or letters is None or not has_plain(x, letters):
        return x
    stem = here.statement.left.name
    origin = f"the argument of {call.name}"
    name = here.scope.define(here.statement, f"{stem}_arg", letters, x, origin)
    if not letters:
        return Name(call.at, name, height=1)
    return Read(call.at, name, tuple(Name(call.at, i, height=1) for i in letters), height=2)


def _count(node: Node) -> int:
    return sum(1 for _ in nodes(node))
