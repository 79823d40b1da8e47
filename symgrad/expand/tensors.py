"""What is known of a tensor while statements are expanded: its axes, its last size, its kind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symgrad.algebra.program import Tensor
from symgrad.algebra.sizes import Size
from symgrad.errors import SpecError, did_you_mean
from symgrad.expand.axes import letters_from_left, letters_from_shape
from symgrad.expand.scope import Scope, Whole, ancestors
from symgrad.notation.declarations import Declared
from symgrad.notation.elaborate import Elaborated, elaborate
from symgrad.notation.syntax import Statement


@dataclass
class Tensors:
    """The tensors of one spec.

    known:    the declared ones; params: those of the networks, as they come.
    bare:     names that stand without subscripts, which no index may have.
    emit:     expands a statement into what is done of its scope.
    expected: the size that the last axis of a computed tensor has to have, and the error if not.
    """

    declared: Declared
    known: Mapping[str, Tensor]
    bare: frozenset[str]
    emit: Callable[[Statement, Scope], None]
    params: dict[str, Tensor] = field(default_factory=dict)
    expected: list[tuple[str, Size, SpecError]] = field(default_factory=list)

    def whole(self, name: str, scope: Scope) -> Whole | None:
        """A tensor by name: one that is declared, or one that an equation computes."""
        tensor = self.known.get(name) or self.params.get(name)
        if tensor is not None:
            letters = letters_from_shape(tensor, self.bare)
            return Whole(name, letters, tensor.shape, tensor.kind, tensor.below)
        statement = scope.writer(name)
        return Whole(name, letters_from_left(statement, self.bare)) if statement else None

    def measured(self, whole: Whole, scope: Scope) -> Whole:
        """With size and kind, if they can be told: of what a recurrence computes they cannot."""
        name = whole.tensor
        if whole.size is not None or name in self.known or name in self.params:
            return whole
        tensor = self.described([name], scope).get(name)
        if tensor is None:
            return whole
        return replace(whole, sizes=tensor.shape, kind=tensor.kind, below=tensor.below)

    def described(self, names: Sequence[str], scope: Scope) -> dict[str, Tensor]:
        """Each with its shape and kind, if they can be told."""
        tensors = {t.name: t for t in (*self.known.values(), *self.params.values())}
        computed = [name for name in names if name not in tensors]
        for one in scope.chain:
            for name in computed:
                self._require(name, one)
        behind = {
            id(statement): statement
            for name in computed
            if not scope.is_open(name)
            for statement in scope.behind(name)
        }
        if behind:
            declared = (*self.declared.tensors, *self.params.values())
            found = elaborate([*behind.values()], replace(self.declared, tensors=declared))
            tensors |= {t.name: t for t in found.tensors}
        return {name: tensors[name] for name in names if name in tensors}

    def _require(self, name: str, scope: Scope) -> None:
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

    def near(self, name: str, scope: Scope, others: Collection[str]) -> str:
        """The tensors that there are, the nearest first, for an error to offer."""

        def lefts() -> Iterator[str]:
            for one in scope.chain:
                yield from (s.left.name for s in (*one.waiting, *one.open, *one.done))

        return did_you_mean(name, [*self.known, *self.params, *others, *lefts()])
