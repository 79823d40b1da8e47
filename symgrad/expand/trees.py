"""Syntax trees rewritten: names replaced, texts put together, places kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import cast

from symgrad.errors import Place
from symgrad.notation.parser import parse
from symgrad.notation.syntax import (
    For,
    Name,
    Node,
    Read,
    Reduce,
    Source,
    Statement,
    children,
    nodes,
    with_children,
)

Rewrite = Callable[[Node], Node]


def mapped(node: Node, rewrite: Rewrite) -> Node:
    """The tree with `rewrite` applied to every node, to those below first."""
    parts = [mapped(child, rewrite) for child in children(node)]
    return rewrite(with_children(node, parts) if parts else node)


@dataclass(frozen=True)
class Naming:
    """What the names of a catalogue's text become.

    letters: what an index stands for: `b` for all leading axes, or for none.
    tensors: the name that a tensor gets.
    values:  what a tensor of rank 0 stands for, whatever its subscripts in the text.
    """

    letters: Mapping[str, tuple[str, ...]]
    tensors: Mapping[str, str]
    values: Mapping[str, Node]

    def statement(self, statement: Statement) -> Statement:
        return replace(
            statement, left=cast(Read, self.node(statement.left)), right=self.node(statement.right)
        )

    def node(self, node: Node) -> Node:
        return mapped(node, self.one)

    def one(self, node: Node) -> Node:
        match node:
            case Name(name=name) | Read(name=name) if name in self.values:
                return self.values[name]
            case Name(name=name):
                letters = self.letters.get(name, (name,))
                new = letters[0] if letters else name
                return replace(node, name=self.tensors.get(name, new))
            case Read():
                subscripts = tuple(s for n in node.subscripts for s in self.places(n))
                name = self.tensors.get(node.name, node.name)
                return self.bare(replace(node, name=name, subscripts=subscripts))
            case Reduce():
                indices = tuple(i for n in node.indices for i in self.places(n))
                named = tuple(i for i in indices if isinstance(i, Name))
                return replace(node, indices=named) if named else node.body
        return node

    def places(self, node: Node) -> tuple[Node, ...]:
        """One subscript, or as many as a leading index stands for."""
        if isinstance(node, Name) and node.name in self.letters:
            return tuple(replace(node, name=letter) for letter in self.letters[node.name])
        return (node,)

    def bare(self, read: Read) -> Node:
        """A tensor that has lost all its axes stands without brackets."""
        return read if read.subscripts or read.padded else Name(read.at, read.name, height=1)


def written(text: str, at: int, source: Source) -> Iterator[Statement]:
    """The statements of a catalogue's text, as if they stood at one offset of the user's."""
    lines = "\n".join(line.strip() for line in text.strip().splitlines())
    for statement in parse(Source(lines)):
        left = cast(Read, moved(statement.left, at))
        ranges = tuple(_range_at(r, at) for r in statement.ranges)
        right = moved(statement.right, at)
        yield replace(statement, source=source, left=left, right=right, ranges=ranges)


def _range_at(given: For, at: int) -> For:
    return replace(
        given, at=at, lo=moved(given.lo, at) if given.lo else None, hi=moved(given.hi, at)
    )


def moved(node: Node, at: int) -> Node:
    """The tree as if all of it stood at one offset."""

    def here(node: Node) -> Node:
        if isinstance(node, Reduce):
            node = replace(node, indices=tuple(replace(i, at=at) for i in node.indices))
        return replace(node, at=at)

    return mapped(node, here)


def numbered(statement: Statement) -> Statement:
    """The statement with an offset of its own for every node, each at the place it had."""
    numbers = count()
    places: dict[int, Place] = {}
    source = statement.source

    def anew(node: Node) -> Node:
        new = next(numbers)
        places[new] = source.place(node.at)
        return replace(node, at=new)

    def one(node: Node) -> Node:
        if isinstance(node, Reduce):
            indices = tuple(anew(i) for i in node.indices)
            node = replace(node, indices=tuple(i for i in indices if isinstance(i, Name)))
        return anew(node)

    left, right = cast(Read, mapped(statement.left, one)), mapped(statement.right, one)
    ranges = tuple(_range_numbered(r, one, anew) for r in statement.ranges)
    return replace(
        statement, source=replace(source, places=places), left=left, right=right, ranges=ranges
    )


def _range_numbered(given: For, one: Rewrite, anew: Rewrite) -> For:
    lo = mapped(given.lo, one) if given.lo else None
    found = replace(given, lo=lo, hi=mapped(given.hi, one))
    return cast(For, anew(found))


def letters_of(statement: Statement) -> set[str]:
    """The indices of a statement: in subscripts, and bound."""
    found: set[str] = set()
    for top in (statement.left, statement.right):
        for node in nodes(top):
            if isinstance(node, Reduce):
                found |= {index.name for index in node.indices}
            if isinstance(node, Read):
                found |= {n.name for s in node.subscripts for n in nodes(s) if isinstance(n, Name)}
    return found
