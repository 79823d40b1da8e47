"""What is known of a tensor while statements are expanded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from symgrad.algebra.program import Tensor
from symgrad.algebra.sizes import Size
from symgrad.errors import SpecError, did_you_mean
from symgrad.expand.axes import letters_from_left, letters_from_shape
from symgrad.expand.network import Network
from symgrad.expand.scope import Scope, Whole, ancestors
from symgrad.notation.declarations import Declared
from symgrad.notation.elaborate import Elaborated, elaborate
from symgrad.notation.syntax import Statement


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


@dataclass
class Tensors(ABC):
    """The tensors of one spec.

    known:    the declared ones; params: those of the networks.
    bare:     names that stand without subscripts, which no index may have.
    top:      the scope of the shared statements.
    expected: the size that the last axis of a computed tensor has to have, and the error if not.
    """

    declared: Declared
    networks: Mapping[str, Network]
    known: Mapping[str, Tensor]
    bare: frozenset[str]
    top: Scope
    params: dict[str, Tensor] = field(default_factory=dict)
    expected: list[tuple[str, Size, SpecError]] = field(default_factory=list)

    @abstractmethod
    def emit(self, statement: Statement, scope: Scope) -> None:
        """Expands a statement into what is done of the scope."""

    @abstractmethod
    def default(self, network: Network) -> Whole:
        """The network applied to its own input."""

    def whole(self, name: str, scope: Scope) -> Whole | None:
        """A tensor by name: a network's own output, what is declared, or what is computed."""
        if name in self.networks:
            return self.default(self.networks[name])
        tensor = self.known.get(name) or self.params.get(name)
        if tensor is not None:
            letters = letters_from_shape(tensor, self.bare)
            return Whole(name, letters, tensor.shape[-1] if tensor.shape else None, tensor.kind)
        statement = scope.writer(name)
        if statement is None:
            return None
        return Whole(name, letters_from_left(statement, self.bare))

    def measured(self, whole: Whole, scope: Scope) -> Whole:
        """With size and kind, if they can be told: of what a recurrence computes they cannot."""
        name = whole.tensor
        if whole.size is not None or name in self.known or name in self.params:
            return whole
        for one in scope.chain:
            self.require(name, one)
        if scope.is_open(name):
            return whole
        tensors = (*self.declared.tensors, *self.params.values())
        found = elaborate(scope.behind(name), replace(self.declared, tensors=tensors))
        tensor = next(t for t in found.tensors if t.name == name)
        return replace(whole, size=tensor.shape[-1] if tensor.shape else None, kind=tensor.kind)

    def require(self, name: str, scope: Scope) -> None:
        """Expands the statements that a tensor needs, now."""
        needed = ancestors(name, scope.waiting)
        while ready := [s for s in scope.waiting if s.left.name in needed]:
            scope.waiting.remove(ready[0])
            self.emit(ready[0], scope)

    def check(self, found: Elaborated) -> None:
        """What was given to networks while its size could not be told fits."""
        shapes = {t.name: t.shape for t in found.tensors}
        for name, size, error in self.expected:
            if name in shapes and shapes[name][-1] != size:
                raise error

    def near(self, name: str, scope: Scope) -> str:
        """The tensors that there are, the nearest first, for an error to offer."""
        every = (s for one in scope.chain for s in (*one.waiting, *one.open, *one.done))
        lefts = [s.left.name for s in every]
        return did_you_mean(name, [*self.known, *self.params, *self.networks, *lefts])
