"""Syntax trees rewritten: names replaced, texts put together, places kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
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

BATCH = "b"
"""What a catalogue's text calls all leading axes together."""

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
    flat:    new names of tensors that have no leading axes.
    """

    letters: Mapping[str, tuple[str, ...]]
    tensors: Mapping[str, str]
    values: Mapping[str, Node]
    flat: Collection[str] = ()

    def statement(self, statement: Statement) -> Statement:
        left = self.node(statement.left)
        if isinstance(left, Name):  # all of its axes were the leading ones, and there are none
            left = Read(left.at, left.name, (), height=1)
        ranges = tuple(
            r if r.index == BATCH else replace(r, index=self.letter(r.index))
            for r in statement.ranges
        )
        right = self.node(statement.right)
        return replace(statement, left=cast(Read, left), right=right, ranges=ranges)

    def node(self, node: Node) -> Node:
        match node:
            case Name(name=name) | Read(name=name) if name in self.values:
                return self.values[name]
            case Name(name=name):
                return replace(node, name=self.tensors.get(name, self.letter(name)))
            case Read():
                name = self.tensors.get(node.name, node.name)
                kept = node.subscripts[name in self.flat :]
                subscripts = tuple(s for n in kept for s in self.places(n))
                if not subscripts and not node.padded:
                    return Name(node.at, name, height=1)
                return replace(node, name=name, subscripts=subscripts)
            case Reduce():
                indices = tuple(i for n in node.indices for i in self.indices(n))
                body = self.node(node.body)
                return replace(node, indices=indices, body=body) if indices else body
        parts = [self.node(child) for child in children(node)]
        return with_children(node, parts) if parts else node

    def letter(self, name: str) -> str:
        letters = self.letters.get(name, (name,))
        return letters[0] if len(letters) == 1 else name

    def indices(self, node: Name) -> tuple[Name, ...]:
        """As many as a leading index stands for."""
        letters = self.letters.get(node.name, (node.name,))
        return tuple(replace(node, name=letter) for letter in letters)

    def places(self, node: Node) -> tuple[Node, ...]:
        """One subscript, or as many as a leading index stands for; a size keeps its name."""
        if isinstance(node, Name):
            return self.indices(node)
        if isinstance(node, Read):
            return (self.node(node),)
        return (mapped(node, self.inside),)

    def inside(self, node: Node) -> Node:
        return replace(node, name=self.letter(node.name)) if isinstance(node, Name) else node


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
    return letters_in(statement.left) | letters_in(statement.right)


def letters_in(tree: Node) -> set[str]:
    """The indices of an expression: in subscripts, and bound."""
    found: set[str] = set()
    for node in nodes(tree):
        if isinstance(node, Reduce):
            found |= {index.name for index in node.indices}
        if isinstance(node, Read):
            found |= {n.name for s in node.subscripts for n in nodes(s) if isinstance(n, Name)}
    return found
