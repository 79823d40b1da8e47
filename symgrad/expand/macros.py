"""Activations as functions of scalars: gelu(z[b,i]) becomes its formula."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from symgrad.catalog.activations import ACTIVATIONS
from symgrad.expand.activation import Chosen, activated, chosen
from symgrad.expand.axes import axes_of, has_plain
from symgrad.expand.networks import Networks
from symgrad.expand.tensors import Here
from symgrad.notation.syntax import Call, Name, Node, Read, Reduce, nodes

SMALL = 12
LARGEST = 2_000
"""Nodes of an argument that is repeated as it stands, and of what comes of one that has to be."""


class Macros(Networks):
    """Writes activations out."""

    @abstractmethod
    def node(self, node: Node, here: Here) -> Node:
        """The expression, with what is named in it expanded."""

    def macro(self, call: Call, here: Here) -> Node:
        """An activation of scalars: its formula, with the argument in it."""
        row = ACTIVATIONS[call.name]
        shape = f"{row.name}({', '.join(['x', *(name for name, _ in row.options)])})"
        if not 1 <= len(call.arguments) <= 1 + len(row.options):
            most = f"1 to {1 + len(row.options)} arguments" if row.options else "1 argument"
            came = len(call.arguments)
            raise here.error(f"{row.name} takes {most}, and {came} came; it is {shape}", call.at)
        x, *options = (self.node(one, here) for one in call.arguments)
        named = [(name, self.node(value, here)) for name, value in call.options]
        setting = chosen(row, options, named, call.at, here.error)
        return self.written_out(setting, self.repeatable(x, call, here), call, here)

    def written_out(self, setting: Chosen, x: Node, call: Call, here: Here) -> Node:
        body = activated(setting, lambda place: x, call.at, self.bare)
        if _count(body) > LARGEST:
            raise here.error(
                f"the argument of {call.name} is long, and its formula repeats it; "
                "give the argument a name of its own",
                call.at,
            )
        return body

    def repeatable(self, x: Node, call: Call, here: Here) -> Node:
        """The argument, under a name of its own if it is long or reduces, and can have one.

        What a `where` guards stays inside it, and an index needs a range.
        """
        letters = axes_of(x, self.bare)
        is_short = _count(x) <= SMALL and not any(isinstance(n, Reduce) for n in nodes(x))
        if is_short or here.guarded or letters is None or not has_plain(x, letters):
            return x
        stem = here.statement.left.name
        name = here.scope.define(
            here.statement, f"{stem}_arg", letters, x, f"the argument of {call.name}"
        )
        return _read(call.at, name, letters)


def _count(node: Node) -> int:
    return sum(1 for _ in nodes(node))


def _read(at: int, name: str, letters: Sequence[str]) -> Node:
    """name[letters], or the bare name."""
    if not letters:
        return Name(at, name, height=1)
    return Read(at, name, tuple(Name(at, letter, height=1) for letter in letters), height=2)
