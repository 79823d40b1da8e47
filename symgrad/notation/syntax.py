"""The syntax tree of one equation: target[...] = expression for lo <= i < hi.

Sums and products hold all their terms, so that a long expression is wide and never deep. `at` is
the offset in the source's text; `height` is the number of levels below, capped when it is built.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import cast

from symgrad.errors import Place, SpecError


@dataclass(frozen=True)
class Source:
    """Text that came from a place in a file: line and column are those of its first character.

    places: where each offset stands, for what was put together from several texts.
    within: what a text was expanded from, said in errors.
    """

    text: str
    file: str | None = None
    line: int = 1
    column: int = 1
    places: Mapping[int, Place] | None = None
    within: str = ""

    def place(self, at: int) -> Place:
        if self.places is not None:
            return self.places.get(at) or next(iter(self.places.values()))
        start = self.text.rfind("\n", 0, at) + 1
        column = at - start + (self.column if start == 0 else 1)
        return Place(self.file, self.line + self.text.count("\n", 0, at), column)

    def before(self, at: int) -> str:
        """The line up to an offset; nothing of what was put together from several texts."""
        return "" if self.places is not None else self.text[:at].rpartition("\n")[2]

    def error(self, message: str, at: int) -> SpecError:
        within = f"{self.within}: " if self.within else ""
        return SpecError(within + message, self.place(at))


@dataclass(frozen=True)
class Node:
    at: int
    height: int = field(default=0, compare=False, kw_only=True)


@dataclass(frozen=True)
class Number(Node):
    value: Fraction


@dataclass(frozen=True)
class Name(Node):
    name: str


@dataclass(frozen=True)
class Read(Node):
    """name[subscripts]; of rank 0 only inside pad(...) or on a left side."""

    name: str
    subscripts: tuple[Node, ...]
    padded: bool = False


@dataclass(frozen=True)
class Call(Node):
    """name(arguments, option=value); name may carry primes, and only losses have options."""

    name: str
    arguments: tuple[Node, ...]
    options: tuple[tuple[str, Node], ...] = ()


@dataclass(frozen=True)
class Apply(Node):
    """call[subscripts]: a place of what a network gives for these inputs."""

    call: Call
    subscripts: tuple[Node, ...]


@dataclass(frozen=True)
class Reduce(Node):
    """op(indices: body)."""

    op: str
    indices: tuple[Name, ...]
    body: Node


@dataclass(frozen=True)
class Sum(Node):
    """Signed terms: (+1, a), (-1, b)."""

    terms: tuple[tuple[int, Node], ...]


@dataclass(frozen=True)
class Product(Node):
    """Factors with their power: (+1, a), (-1, b) is a/b."""

    factors: tuple[tuple[int, Node], ...]


@dataclass(frozen=True)
class Floor(Node):
    """left // right, of sizes."""

    left: Node
    right: Node


@dataclass(frozen=True)
class Power(Node):
    base: Node
    exponent: Node


@dataclass(frozen=True)
class Compare(Node):
    """a < b <= c: operators stand between neighbouring operands."""

    operators: tuple[str, ...]
    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Junction(Node):
    """All operands joined by `and`, or all by `or`."""

    word: str
    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Invert(Node):
    """not operand."""

    operand: Node


@dataclass(frozen=True)
class Mask(Node):
    """[condition]: 1 where it holds, else 0."""

    condition: Node


@dataclass(frozen=True)
class For(Node):
    """lo <= index < hi."""

    index: str
    lo: Node | None
    hi: Node


@dataclass(frozen=True)
class Statement:
    """left = right, or left += right.

    origin: what it was expanded from, if from anything: its name, or `name: what that is`.
    """

    source: Source
    left: Read
    adds: bool
    right: Node
    ranges: tuple[For, ...]
    origin: str = ""

    def error(self, message: str, at: int | None = None) -> SpecError:
        return self.source.error(message, self.left.at if at is None else at)


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below."""
    match node:
        case Read():
            return node.subscripts
        case Call():
            return (*node.arguments, *(value for _, value in node.options))
        case Apply():
            return (node.call, *node.subscripts)
        case Reduce():
            return (node.body,)
        case Sum():
            return tuple(term for _, term in node.terms)
        case Product():
            return tuple(factor for _, factor in node.factors)
        case Floor():
            return (node.left, node.right)
        case Power():
            return (node.base, node.exponent)
        case Compare() | Junction():
            return node.operands
        case Invert():
            return (node.operand,)
        case Mask():
            return (node.condition,)
    return ()


def with_children(node: Node, parts: Sequence[Node]) -> Node:
    """The node with others right below, as many as before."""
    height = 1 + max((part.height for part in parts), default=0)
    match node:
        case Read():
            return replace(node, subscripts=tuple(parts), height=height)
        case Call():
            count = len(node.arguments)
            names = [name for name, _ in node.options]
            options = tuple(zip(names, parts[count:], strict=True))
            return replace(node, arguments=tuple(parts[:count]), options=options, height=height)
        case Apply():
            call, *subscripts = parts
            return Apply(node.at, cast(Call, call), tuple(subscripts), height=height)
        case Reduce():
            return replace(node, body=parts[0], height=height)
        case Sum():
            signs = [sign for sign, _ in node.terms]
            return replace(node, terms=tuple(zip(signs, parts, strict=True)), height=height)
        case Product():
            powers = [power for power, _ in node.factors]
            return replace(node, factors=tuple(zip(powers, parts, strict=True)), height=height)
        case Floor():
            return replace(node, left=parts[0], right=parts[1], height=height)
        case Power():
            return replace(node, base=parts[0], exponent=parts[1], height=height)
        case Compare() | Junction():
            return replace(node, operands=tuple(parts), height=height)
        case Invert():
            return replace(node, operand=parts[0], height=height)
        case Mask():
            return replace(node, condition=parts[0], height=height)
    return node


def nodes(node: Node) -> Iterator[Node]:
    """A tree's nodes, each before those below it."""
    waiting = [node]
    while waiting:
        top = waiting.pop()
        yield top
        waiting.extend(reversed(children(top)))
