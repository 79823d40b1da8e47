"""The walk: every statement with what its names stand for written out, where it is first needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from symgrad.algebra.program import Tensor
from symgrad.algebra.scalars import FUNCTIONS
from symgrad.catalog.losses import LOSSES
from symgrad.errors import did_you_mean
from symgrad.expand.activations import CALLED, written_out
from symgrad.expand.applied import Applied
from symgrad.expand.axes import axes_of, free_indices
from symgrad.expand.losses import Value, bind, expand_call, form
from symgrad.expand.networks import Network
from symgrad.expand.scope import Here, Scope, Whole
from symgrad.expand.tensors import Tensors
from symgrad.expand.trees import letters_in, numbered
from symgrad.notation.declarations import Declared
from symgrad.notation.names import shown
from symgrad.notation.syntax import (
    Apply,
    Call,
    Name,
    Node,
    Read,
    Reduce,
    Statement,
    children,
    nodes,
    with_children,
)

CALLS = (*CALLED, *LOSSES)
"""All that is called like a function and is none; errors offer them too."""


class Expander:
    """Expands the statements of one spec, the shared ones first.

    bare: names that stand without subscripts, which no index may have.
    top:  the scope of the shared statements.
    """

    def __init__(
        self,
        declared: Declared,
        networks: Mapping[str, Network],
        known: Mapping[str, Tensor],
        bare: frozenset[str],
        top: Scope,
    ) -> None:
        self.bare, self.top = bare, top
        self.functions = frozenset(dict(declared.functions))
        self.tensors = Tensors(declared, known, bare, self.emit)
        self.applied = Applied(networks, self.tensors, top)

    def shared(self) -> tuple[Statement, ...]:
        """The shared equations, with every network applied to its own input."""
        while self.top.waiting:
            self.emit(self.top.waiting.pop(0), self.top)
        for network in self.applied.networks.values():
            self.applied.default(network)
        return tuple(self.top.done)

    def own(self, statements: Sequence[Statement]) -> tuple[Statement, ...]:
        """The equations of one loss."""
        scope = self.top.inner(statements)
        while scope.waiting:
            self.emit(scope.waiting.pop(0), scope)
        return tuple(scope.done)

    def emit(self, statement: Statement, scope: Scope) -> None:
        """The statement, after what its names are expanded to."""
        scope.open.append(statement)
        here = Here(statement, scope, frozenset(letters_in(statement.left)))
        left, right = cast(Read, self.node(statement.left, here)), statement.right
        if isinstance(right, Call) and self.is_loss(right) and not left.subscripts:
            self.loss(right, statement.left, here)
        else:
            new = replace(statement, left=left, right=self.node(right, here))
            changed = (new.left, new.right) != (statement.left, statement.right)
            scope.done.append(numbered(new) if changed else statement)
        scope.open.pop()

    # ---- expressions --------------------------------------------------------------------------

    def node(self, node: Node, here: Here) -> Node:
        """The expression, with what is named in it expanded."""
        if isinstance(node, Apply):
            self.check_network(node.call, here)
            output = self.apply(node.call, here)
            subscripts = self.nodes(node.subscripts, here)
            return Read(node.at, output.tensor, subscripts, height=node.height)
        if isinstance(node, Call):
            return self.call(node, here)
        if isinstance(node, Read) and node.name in self.applied.networks:
            self.applied.default(self.applied.networks[node.name])
        if isinstance(node, Reduce):
            here = here.within(index.name for index in node.indices)
        parts = children(node)
        return with_children(node, self.nodes(parts, here)) if parts else node

    def check_network(self, call: Call, here: Here) -> None:
        """What is called and then read at places is a network."""
        name = call.name
        if name in {*FUNCTIONS, *CALLED, *self.functions}:
            inner = call.arguments[0] if call.arguments else None
            example = f"{inner.name if isinstance(inner, Name) else 'x'}[b,i]"
            raise here.error(
                f"{name} is a function of a number, and {name}(...)[...] applies a network; "
                f"write {name}({example})",
                call.at,
            )
        if name not in self.applied.networks:
            near = did_you_mean(name, self.applied.networks)
            what = f"{name}(...)[...] applies a network, and there is none of this name"
            raise here.error(f"{what}{near}", call.at)

    def nodes(self, given: Iterable[Node], here: Here) -> tuple[Node, ...]:
        return tuple(self.node(one, here) for one in given)

    def call(self, call: Call, here: Here) -> Node:
        name = call.name
        if name in self.applied.networks:
            inner = ", ".join(a.name if isinstance(a, Name) else "..." for a in call.arguments)
            shape = f"{name}({inner})"
            raise here.error(f"{shape} is a whole tensor; read its places: {shape}[b,i]", call.at)
        if self.is_loss(call):
            left = Read(call.at, here.scope.name(name), (), height=1)
            self.loss(call, left, here)
            return Name(call.at, left.name, height=1)
        if name in CALLED and name not in self.functions:
            options = [(option, self.node(value, here)) for option, value in call.options]
            return written_out(call, self.nodes(call.arguments, here), options, here, self.bare)
        if call.options:
            raise here.error(
                f"{shown(name)} takes no options; equality in a condition is ==",
                call.options[0][1].at,
            )
        guarded = replace(here, guarded=True) if name == "where" else here
        return with_children(call, self.nodes(call.arguments, guarded))

    def is_loss(self, call: Call) -> bool:
        return call.name in LOSSES and call.name not in self.functions

    # ---- networks -----------------------------------------------------------------------------

    def apply(self, call: Call, here: Here) -> Whole:
        """A network at these inputs."""
        network = self.applied.networks[call.name]
        self.applied.default(network)
        if call.options:
            name, value = call.options[0]
            raise here.error(f"{call.name} is a network and has no option {shown(name)}", value.at)
        if len(call.arguments) != len(network.inputs):
            count = len(network.inputs)
            raise here.error(
                f"{call.name} takes {count} input{'s' * (count != 1)} "
                f"({', '.join(network.inputs)}), and {len(call.arguments)} came",
                call.at,
            )
        inputs = [self.given(argument, call.name, here) for argument in call.arguments]
        return self.applied.application(call, inputs, here)

    def given(self, node: Node, network: str, here: Here) -> Whole:
        """A whole tensor as an argument: a name, or a network applied to others."""
        if isinstance(node, Call) and node.name in self.applied.networks:
            return self.apply(node, here)
        if isinstance(node, Name):
            found = self.applied.whole(node.name, here.scope)
            if found is not None:
                return found
            near = self.applied.near(node.name, here.scope)
            raise here.error(f"unknown tensor {shown(node.name)}{near}", node.at)
        raise here.error(
            f"an input of {network} is the name of a tensor or a network applied to one, as in "
            f"{network}(next_obs); give anything else a name",
            node.at,
        )

    # ---- losses -------------------------------------------------------------------------------

    def loss(self, call: Call, left: Read, here: Here) -> None:
        """The equations of a named loss."""
        bound = bind(call, here.statement, lambda node, what: self.value(node, what, call, here))
        here.scope.done += expand_call(bound, call, here.statement, left, here.scope, self.bare)

    def value(self, node: Node, what: str, call: Call, here: Here) -> Value:
        """An argument of a loss: a whole tensor, a scalar, or an expression, which gets a name."""
        if isinstance(node, Call) and node.name in self.applied.networks:
            found = self.apply(node, here)
            return Value(found.tensor, found.letters)
        if isinstance(node, Name):
            known = self.applied.whole(node.name, here.scope)
            if known is not None and known.letters:
                return Value(known.tensor, known.letters)
        value = self.node(node, here)
        self.check_places(value, here)
        inner = [i for i in free_indices(value, self.bare) if i in here.bound]
        if inner:
            raise here.error(
                f"{form(LOSSES[call.name])} takes whole tensors and is the mean already; "
                f'"{inner[0]}" is bound around it: write it outside of all sums and means',
                node.at,
            )
        letters = axes_of(value, self.bare)
        if letters is None:
            raise here.error(
                f"no read in the argument {what} of {call.name} has all its axes, so their order "
                "is open; give it a name with its axes on the left",
                node.at,
            )
        reduces = any(isinstance(n, Reduce) for n in nodes(value))
        if not letters and not reduces:
            return Value("", (), value)
        if isinstance(value, Read) and _is_plain(value):
            return Value(value.name, letters)
        origin = f"the argument {what} of {call.name}"
        return Value(here.scope.define(here.statement, what, letters, value, origin), letters)

    def check_places(self, value: Node, here: Here) -> None:
        """Inside an expression a tensor is read place by place."""
        for node in nodes(value):
            known = self.applied.whole(node.name, here.scope) if isinstance(node, Name) else None
            inside = {id(s) for n in nodes(value) if isinstance(n, Read) for s in n.subscripts}
            if known is not None and known.letters and id(node) not in inside:
                shape = f"{known.tensor}[{','.join(known.letters)}]"
                raise here.error(
                    f"{shown(known.tensor)} is a whole tensor inside an expression; read its "
                    f"places, as in {shape}",
                    node.at,
                )


def _is_plain(read: Read) -> bool:
    """Whether a read is its whole tensor: an index of its own for each axis."""
    names = {s.name for s in read.subscripts if isinstance(s, Name)}
    return not read.padded and len(names) == len(read.subscripts)
