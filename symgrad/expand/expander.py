"""The walk: every statement with what its names stand for written out, where it is first needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard, cast

from symgrad.algebra.program import Tensor
from symgrad.algebra.scalars import FUNCTIONS
from symgrad.catalog.distributions import FORMULAS
from symgrad.catalog.losses import LOSSES
from symgrad.errors import did_you_mean, nearest
from symgrad.expand.activations import CALLED, written_out
from symgrad.expand.applied import Applied
from symgrad.expand.arguments import Arguments, inside
from symgrad.expand.losses import expand_call
from symgrad.expand.networks import Network
from symgrad.expand.scope import Here, Scope, Whole
from symgrad.expand.tensors import Tensors
from symgrad.expand.trees import letters_in, numbered
from symgrad.notation import hints
from symgrad.notation.declarations import Declared
from symgrad.notation.names import shown
from symgrad.notation.symbols import FORMS
from symgrad.notation.syntax import (
    Apply,
    Call,
    Name,
    Node,
    Read,
    Reduce,
    Statement,
    children,
    with_children,
)

CALLS = (*CALLED, *FORMULAS)
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
        self.arguments = Arguments(self.node, self.apply, self.applied, bare)

    def shared(self) -> tuple[Statement, ...]:
        """The shared equations, with every network applied to its own input."""
        while self.top.waiting:
            self.emit(self.top.waiting.pop(0), self.top)
        for network in self.applied.networks.values():
            self.applied.default(network)
        return tuple(self.top.done)

    def own(self, statements: Sequence[Statement], aux: frozenset[str]) -> tuple[Statement, ...]:
        """The equations of one loss."""
        scope = self.top.inner(statements, aux)
        while scope.waiting:
            self.emit(scope.waiting.pop(0), scope)
        return tuple(scope.done)

    def emit(self, statement: Statement, scope: Scope) -> None:
        """The statement, after what its names are expanded to."""
        scope.open.append(statement)
        here = Here(statement, scope, frozenset(letters_in(statement.left)))
        left, right = cast(Read, self.node(statement.left, here)), statement.right
        if self.is_loss(right) and here.bound:
            raise inside(right, min(here.bound), right.at, here)
        if self.is_loss(right) and not left.subscripts:
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
            output = (self.each if self.is_formula(node.call) else self.apply)(node.call, here)
            subscripts = self.nodes(node.subscripts, here)
            return Read(node.at, output.tensor, subscripts, height=node.height)
        if isinstance(node, Call):
            return self.call(node, here)
        if isinstance(node, Read) and node.name in self.applied.networks:
            self.applied.default(self.applied.networks[node.name])
        if isinstance(node, Reduce):
            if self.is_loss(node.body):
                raise inside(node.body, node.indices[0].name, node.body.at, here)
            here = here.within(index.name for index in node.indices)
        parts = children(node)
        return with_children(node, self.nodes(parts, here)) if parts else node

    def check_network(self, call: Call, here: Here) -> None:
        """What is called and then read at places is a network, a distribution's, or a loss's."""
        name = call.name
        if self.is_formula(call):
            return
        if name in {*FUNCTIONS, *CALLED, *self.functions}:
            inner = call.arguments[0] if call.arguments else None
            example = f"{inner.name if isinstance(inner, Name) else 'x'}[b,i]"
            raise here.error(
                f"{name} is a function of a number, and {name}(...)[...] applies a network; "
                f"write {name}({example})",
                call.at,
            )
        if name not in self.applied.networks:
            networks = self.applied.networks
            known = networks if nearest(name, networks) else [*networks, *FORMULAS]
            near = hints.call(name) or did_you_mean(name, known)
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
        if self.is_formula(call):
            return self.single(call, here)
        if name in CALLED and name not in self.functions:
            options = [(option, self.node(value, here)) for option, value in call.options]
            return written_out(call, self.nodes(call.arguments, here), options, here, self.bare)
        if name.partition("'")[0] not in {*FUNCTIONS, *FORMS, *self.functions}:
            return call  # an error, but not yet of its arguments
        if call.options:
            raise here.error(
                f"{shown(name)} takes no options; equality in a condition is ==",
                call.options[0][1].at,
            )
        guarded = replace(here, guarded=True) if name == "where" else here
        return with_children(call, self.nodes(call.arguments, guarded))

    def is_loss(self, node: Node) -> TypeGuard[Call]:
        return isinstance(node, Call) and node.name in LOSSES and node.name not in self.functions

    def is_formula(self, node: Call) -> bool:
        return node.name in FORMULAS and node.name not in self.functions

    def loss(self, call: Call, left: Read, here: Here) -> None:
        """The equations of a named loss."""
        bound = self.arguments.bound(call, here, whole=False)
        _, done = expand_call(bound, call, here.statement, left, here.scope, self.bare)
        here.scope.done += done

    def each(self, call: Call, here: Here) -> Whole:
        """A named loss before it is reduced: what is bound around it does not reach inside."""
        here = replace(here, bound=frozenset())
        bound = self.arguments.bound(call, here, whole=True)
        whole, done = expand_call(bound, call, here.statement, None, here.scope, self.bare)
        here.scope.done += done
        return whole

    def single(self, call: Call, here: Here) -> Node:
        """What a distribution has one of, without a batch."""
        whole = self.each(call, here)
        if whole.letters:
            place = f"{call.name}(...)[{','.join(whole.letters)}]"
            raise here.error(f"{call.name} has one value for each place; read it: {place}", call.at)
        return Name(call.at, whole.tensor, height=1)

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
