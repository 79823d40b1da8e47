"""Where an expansion stands: the statements that wait, are open or done, and the names taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from symgrad.algebra.program import Kind
from symgrad.algebra.sizes import Size
from symgrad.errors import SpecError
from symgrad.expand.trees import numbered
from symgrad.notation.syntax import Name, Node, Read, Statement, nodes

LONGEST = 48
"""Letters of a name that is put together from others; a longer one is cut."""


@dataclass(frozen=True)
class Whole:
    """A whole tensor, as what a network or a loss is given.

    letters: one for each axis, with which its places are read.
    sizes:   of the axes, None where one is not known yet.
    below:   an int's bound.
    """

    tensor: str
    letters: tuple[str, ...]
    sizes: tuple[Size | None, ...] = ()
    kind: Kind = "real"
    below: Size | None = None

    @property
    def size(self) -> Size | None:
        """Of the last axis."""
        return self.sizes[-1] if self.sizes else None


@dataclass
class Scope:
    """The shared statements, or those of one loss, which see the shared ones.

    taken:   every name that has a meaning.
    applied: what each network gives for each choice of inputs.
    open:    the statements being expanded, outermost first.
    aux:     what is returned beside the loss: such a name is that of a tensor.
    """

    taken: set[str]
    waiting: list[Statement]
    outer: Scope | None = None
    applied: dict[tuple[str, ...], Whole] = field(default_factory=dict)
    open: list[Statement] = field(default_factory=list)
    done: list[Statement] = field(default_factory=list)
    aux: frozenset[str] = frozenset()

    def inner(self, statements: Sequence[Statement], aux: frozenset[str]) -> Scope:
        """The scope of a loss."""
        return Scope(set(self.taken), list(statements), self, aux=aux | self.aux)

    @property
    def chain(self) -> Iterator[Scope]:
        yield self
        if self.outer is not None:
            yield from self.outer.chain

    def name(self, wanted: str) -> str:
        """A name that nobody has."""
        wanted = wanted[:LONGEST].rstrip("_")
        new, number = wanted, 2
        while new in self.taken:
            new, number = f"{wanted}_{number}", number + 1
        self.taken.add(new)
        return new

    def define(
        self, at: Statement, wanted: str, letters: Sequence[str], value: Node, origin: str
    ) -> str:
        """A new tensor with this value, where a statement needs it; its name."""
        name = self.name(wanted)
        subscripts = tuple(Name(value.at, letter, height=1) for letter in letters)
        left = Read(value.at, name, subscripts, height=2)
        ranges = tuple(r for r in at.ranges if r.index in letters)
        self.done.append(numbered(Statement(at.source, left, False, value, ranges, origin)))
        return name

    def find(self, key: tuple[str, ...]) -> Whole | None:
        """What the network gives that was applied to these inputs, if it was."""
        return next((s.applied[key] for s in self.chain if key in s.applied), None)

    def writer(self, name: str) -> Statement | None:
        """A statement that defines the tensor."""
        every = (s for scope in self.chain for s in (*scope.waiting, *scope.open, *scope.done))
        return next((s for s in every if s.left.name == name), None)

    def behind(self, name: str) -> list[Statement]:
        """What is done already of all that the tensor is computed from, itself included."""
        done = [s for scope in self.chain for s in scope.done]
        needed = ancestors(name, done)
        return [s for s in done if s.left.name in needed]

    def is_open(self, name: str) -> bool:
        """Whether the tensor is computed from what is being expanded right now."""
        every = [s for scope in self.chain for s in (*scope.open, *scope.done)]
        needed = ancestors(name, every)
        return any(s.left.name in needed for scope in self.chain for s in scope.open)


@dataclass(frozen=True)
class Here:
    """Where something is expanded: the statement that needs it, and its scope.

    bound:   the indices of the left side and of the reductions around.
    guarded: whether a `where` chooses if it counts.
    """

    statement: Statement
    scope: Scope
    bound: frozenset[str]
    guarded: bool = False

    def within(self, indices: Iterable[str]) -> Here:
        return replace(self, bound=self.bound | set(indices))

    def error(self, message: str, at: int) -> SpecError:
        return self.statement.error(message, at)


def ancestors(name: str, statements: Sequence[Statement]) -> set[str]:
    """The tensors that a tensor is computed from, itself included."""
    writers: dict[str, list[Statement]] = {}
    for statement in statements:
        writers.setdefault(statement.left.name, []).append(statement)
    found: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            for statement in writers.get(one, ()):
                waiting += [n.name for n in nodes(statement.right) if isinstance(n, Name | Read)]
                waiting += [
                    n.name
                    for s in statement.left.subscripts
                    for n in nodes(s)
                    if isinstance(n, Name | Read)
                ]
    return found
