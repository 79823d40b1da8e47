"""Statements with networks, activations and losses by name -> plain statements and parameters.

An expansion happens where the name is first used: its equations stand before the statement that
needs them. A network is applied once to each choice of inputs; all applications share parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from symgrad.algebra.program import Tensor
from symgrad.algebra.scalars import FUNCTIONS
from symgrad.algebra.sizes import Size
from symgrad.catalog.activations import ACTIVATIONS
from symgrad.catalog.losses import LOSSES
from symgrad.errors import did_you_mean
from symgrad.expand.axes import letters_from_left, letters_from_shape
from symgrad.expand.calls import Value, bind, expand_call, free_indices
from symgrad.expand.layers import Application, activated
from symgrad.expand.network import Network
from symgrad.expand.trees import numbered
from symgrad.notation.declarations import Declared, tensor_type
from symgrad.notation.elaborate import elaborate
from symgrad.notation.names import shown
from symgrad.notation.syntax import (
    Apply,
    Call,
    Name,
    Node,
    Read,
    Source,
    Statement,
    children,
    nodes,
    with_children,
)

MACROS = tuple(n for n, row in ACTIVATIONS.items() if n not in FUNCTIONS and not row.reads_axis)
"""Activations that equations may call like functions."""

CALLS = (*MACROS, *LOSSES)
"""All that is called like a function and is none; errors offer them too."""


@dataclass(frozen=True)
class Output:
    """What an application gives: a tensor, the letters of its axes, the size of the last one."""

    tensor: str
    letters: tuple[str, ...]
    size: Size


@dataclass
class Scope:
    """Expansions that some statements share: the applications and names of one spec or loss."""

    taken: set[str]
    applied: dict[tuple[str, ...], Output] = field(default_factory=dict)
    done: list[Statement] = field(default_factory=list)

    def name(self, wanted: str) -> str:
        """A name that nobody has."""
        new, number = wanted, 2
        while new in self.taken:
            new, number = f"{wanted}_{number}", number + 1
        self.taken.add(new)
        return new

    def inner(self) -> Scope:
        """The scope of a loss, which sees what the shared equations applied."""
        return Scope(set(self.taken), dict(self.applied))


class Expander:
    """Expands the statements of one spec, the shared ones first.

    params: the parameters of the networks, in the order of the networks.
    """

    def __init__(
        self,
        declared: Declared,
        networks: Mapping[str, Network],
        shared: Sequence[Statement],
        every: Sequence[Statement],
    ) -> None:
        self.declared, self.networks = declared, networks
        self.known = {t.name: t for t in (*declared.tensors, *declared.shapes)}
        lefts = {s.left.name for s in every}
        self.bare = frozenset(
            {
                *declared.size_of,
                *(t.name for t in self.known.values() if not t.shape),
                *(s.left.name for s in every if not s.left.subscripts),
            }
        )
        self.prefixed = len(networks) > 1
        self.params: dict[str, Tensor] = {}
        self.owner: dict[str, str] = {}
        self.widths: dict[str, tuple[Size, ...]] = {}
        self.open: list[str] = []
        self.waiting = list(shared)
        self.top = Scope({*declared.size_of, *self.known, *lefts, *networks})
        for network in networks.values():
            if network.name in {*declared.size_of, *self.known, *lefts}:
                raise network.source.error("a tensor or a size has this name too; rename one", 0)

    def shared(self) -> tuple[Statement, ...]:
        """The shared equations, with every network applied to its own input."""
        while self.waiting:
            self.emit(self.waiting.pop(0), self.top)
        for network in self.networks.values():
            self.default(network, self.top)
        ordered = [name for names in self.owned.values() for name in names]
        self.params = {name: self.params[name] for name in ordered}
        return tuple(self.top.done)

    @property
    def owned(self) -> dict[str, tuple[str, ...]]:
        """Each network's parameters."""
        of = self.owner.items()
        return {n: tuple(name for name, owner in of if owner == n) for n in self.networks}

    def own(self, statements: Sequence[Statement]) -> tuple[Statement, ...]:
        """The equations of one loss."""
        scope = self.top.inner()
        for statement in statements:
            self.emit(statement, scope, statements)
        return tuple(scope.done)

    def emit(self, statement: Statement, scope: Scope, local: Sequence[Statement] = ()) -> None:
        """The statement, after what its names are expanded to."""
        walk = _Rewriter(self, statement, scope, {s.left.name: s for s in local})
        right, left = walk.whole(), cast(Read, walk.node(statement.left))
        if right is not None:
            new = replace(statement, left=left, right=right)
            changed = (new.left, new.right) != (statement.left, statement.right)
            scope.done.append(numbered(new) if changed else statement)

    def default(self, network: Network, scope: Scope) -> Output:
        """The network applied to its own input; shared by all losses."""
        key = (network.name, *network.inputs)
        if key not in scope.applied:
            if network.name in self.open:
                chain = " -> ".join([*self.open[self.open.index(network.name) :], network.name])
                raise network.source.error(f"it needs its own output: {chain}", 0)
            self.open.append(network.name)
            inputs = [self.input(network, name) for name in network.inputs]
            self.widths[network.name] = tuple(o.size for o in inputs)
            output = self.apply(network, inputs, self.top, network.name, "")
            self.open.pop()
            self.top.applied[key] = scope.applied[key] = output
        return scope.applied[key]

    def input(self, network: Network, name: str) -> Output:
        """A network's own input: data, a network, or what the shared equations compute."""
        source = network.source
        if name in self.networks:
            return self.default(self.networks[name], self.top)
        if name in self.known:
            tensor = self.known[name]
            if tensor.kind != "real" or not tensor.shape:
                what = f"{tensor.kind} of rank {len(tensor.shape)}"
                raise source.error(
                    f"input {shown(name)} is {what}; a network reads a real tensor, "
                    "whose last axis are the features",
                    0,
                )
            return Output(name, letters_from_shape(tensor, self.bare), tensor.shape[-1])
        self.require(name)
        found = {s.left.name: s for s in self.top.done}
        if name not in found:
            near = did_you_mean(name, [*self.known, *self.networks, *found])
            raise source.error(f"input {shown(name)} is not a tensor{near}", 0)
        size = self.computed_size(name)
        if size is None:
            raise source.error(f"input {shown(name)} has rank 0; it needs an axis of features", 0)
        return Output(name, letters_from_left(found[name], self.bare), size)

    def require(self, name: str) -> None:
        """The shared equations that a tensor needs, now."""
        needed = _ancestors(name, self.waiting)
        now = [s for s in self.waiting if s.left.name in needed]
        self.waiting = [s for s in self.waiting if s.left.name not in needed]
        for statement in now:
            self.emit(statement, self.top)

    def computed_size(self, name: str) -> Size | None:
        """The size of the last axis of what the equations so far compute."""
        needed = _ancestors(name, self.top.done)
        statements = [s for s in self.top.done if s.left.name in needed]
        tensors = (*self.params.values(), *self.declared.tensors)
        found = elaborate(statements, replace(self.declared, tensors=tensors))
        shape = next(t.shape for t in found.tensors if t.name == name)
        return shape[-1] if shape else None

    def apply(
        self, network: Network, inputs: Sequence[Output], scope: Scope, output: str, suffix: str
    ) -> Output:
        """The equations of an application, whose names end in `suffix`."""
        prefix = f"{network.name}_" if self.prefixed else ""
        lead = inputs[0].letters[:-1]
        build = Application(
            network,
            names=lambda name: scope.name(f"{prefix}{name}{suffix}"),
            owned=lambda name: f"{prefix}{name}",
            output=output,
            bare=self.bare,
        )
        size = build.run([o.tensor for o in inputs], self.widths[network.name], lead)
        for name, (text, source) in build.params.items():
            self.parameter(network, name, text, source)
        scope.done += build.statements
        return Output(output, (*lead, "i"), size)

    def parameter(self, network: Network, name: str, text: str, source: Source) -> None:
        if name in self.params:
            return
        if name in self.top.taken:
            raise network.source.error(
                f"its parameter {shown(name)} has the name of a tensor or a size of yours; "
                "rename yours",
                0,
            )
        self.top.taken.add(name)
        typed = Source(text, within=source.within, places={0: source.place(0)})
        tensor = tensor_type(typed, name, "param", self.declared.size_of)
        if network.copy_of is not None:
            of = name.removeprefix(network.name)
            tensor = replace(tensor, init=f"copy({network.copy_of}{of})")
        self.params[name] = tensor
        self.owner[name] = network.name


class _Rewriter:
    """One statement: what it needs goes to the scope, and the rest of it comes back."""

    def __init__(
        self, expander: Expander, statement: Statement, scope: Scope, local: Mapping[str, Statement]
    ) -> None:
        self.expander, self.statement, self.scope, self.local = expander, statement, scope, local

    def whole(self) -> Node | None:
        """The right side; None where it is one named loss, which then defines the left itself."""
        statement = self.statement
        right = statement.right
        if isinstance(right, Call) and right.name in LOSSES and not statement.left.subscripts:
            self.loss(right, statement.left)
            return None
        return self.node(right)

    def node(self, node: Node) -> Node:
        expander = self.expander
        if isinstance(node, Apply):
            if node.call.name not in expander.networks:
                near = did_you_mean(node.call.name, expander.networks)
                raise self.statement.error(
                    f"{shown(node.call.name)} is applied as a network and is none{near}", node.at
                )
            output = self.application(node.call)
            return Read(node.at, output.tensor, self.nodes(node.subscripts), height=node.height)
        if isinstance(node, Call):
            return self.call(node)
        if isinstance(node, Read) and node.name in expander.networks:
            expander.default(expander.networks[node.name], self.scope)
        parts = children(node)
        return with_children(node, self.nodes(parts)) if parts else node

    def nodes(self, given: Iterable[Node]) -> tuple[Node, ...]:
        return tuple(self.node(one) for one in given)

    def call(self, call: Call) -> Node:
        if call.name in self.expander.networks:
            raise self.statement.error(
                f"{call.name}(...) is a whole tensor; read its places, as in {call.name}(...)[b,i]",
                call.at,
            )
        if call.name in LOSSES:
            left = Read(call.at, self.scope.name(call.name), (), height=1)
            self.loss(call, left)
            return Name(call.at, left.name, height=1)
        if call.options:
            raise self.statement.error(
                f"{shown(call.name)} takes no options; equality in a condition is ==",
                call.options[0][1].at,
            )
        if call.name in MACROS:
            return self.macro(call)
        return with_children(call, self.nodes(call.arguments))

    def macro(self, call: Call) -> Node:
        """An activation as a function of scalars."""
        row = ACTIVATIONS[call.name]
        most = 1 + len(row.options)
        if not 1 <= len(call.arguments) <= most:
            form = ", ".join(["x", *(name for name, _ in row.options)])
            raise self.statement.error(
                f"{row.name} takes {'1' if most == 1 else f'1 to {most}'} arguments, "
                f"and {len(call.arguments)} came; it is {row.name}({form})",
                call.at,
            )
        x, *options = self.nodes(call.arguments)
        values = dict(zip((name for name, _ in row.options), options, strict=False))
        return activated(row, values, lambda place: x, call.at)

    def application(self, call: Call) -> Output:
        """A network at these inputs."""
        expander, network = self.expander, self.expander.networks[call.name]
        expander.default(network, self.scope)
        if len(call.arguments) != len(network.inputs) or call.options:
            raise self.statement.error(
                f"{call.name} takes {len(network.inputs)} inputs ({', '.join(network.inputs)}), "
                f"and {len(call.arguments)} came",
                call.at,
            )
        inputs = [self.tensor(a, call.name) for a in call.arguments]
        key = (network.name, *(o.tensor for o in inputs))
        if key not in self.scope.applied:
            ranks = {len(o.letters) for o in inputs}
            if len(ranks) > 1 or 0 in ranks:
                shapes = ", ".join(f"{o.tensor} has {len(o.letters)}" for o in inputs)
                raise self.statement.error(
                    f"the inputs of {call.name} need the same number of axes, at least 1: {shapes}",
                    call.at,
                )
            suffix = "_" + "_".join(o.tensor for o in inputs)
            output = self.scope.name(f"{network.name}{suffix}")
            self.scope.applied[key] = expander.apply(network, inputs, self.scope, output, suffix)
        return self.scope.applied[key]

    def tensor(self, node: Node, what: str) -> Output:
        """A whole tensor as an argument: a name, or a network applied to others."""
        expander = self.expander
        if isinstance(node, Call) and node.name in expander.networks:
            return self.application(node)
        if isinstance(node, Name):
            found = self.letters(node.name)
            if found is not None:
                return found
            near = did_you_mean(node.name, [*expander.known, *expander.networks, *self.local])
            raise self.statement.error(f"unknown tensor {shown(node.name)}{near}", node.at)
        raise self.statement.error(
            f"an input of {what} is the name of a tensor or a network applied to one, as in "
            f"{what}(next_obs); give anything else a name",
            node.at,
        )

    def letters(self, name: str) -> Output | None:
        """What is known of a tensor by name; its size is not needed here."""
        expander = self.expander
        size = Size()
        if name in expander.networks:
            return expander.default(expander.networks[name], self.scope)
        if name in expander.known:
            return Output(name, letters_from_shape(expander.known[name], expander.bare), size)
        lefts = {s.left.name: s for s in (*expander.waiting, *self.scope.done, *expander.top.done)}
        statement = self.local.get(name) or lefts.get(name)
        if statement is None:
            return None
        return Output(name, letters_from_left(statement, expander.bare), size)

    def loss(self, call: Call, left: Read) -> None:
        """The equations of a named loss."""
        bound = bind(call, self.statement, lambda node, what: self.value(node, what, call.name))
        expander = self.expander
        self.scope.done += expand_call(
            bound, call, self.statement, left, self.scope.name, expander.bare
        )

    def value(self, node: Node, what: str, loss: str) -> Value:
        """An argument of a loss: a whole tensor, a scalar, or an expression, which gets a name."""
        if isinstance(node, Call) and node.name in self.expander.networks:
            found = self.application(node)
            return Value(found.tensor, found.letters)
        if isinstance(node, Name):
            known = self.letters(node.name)
            if known is not None and known.letters:
                return Value(known.tensor, known.letters)
        value = self.node(node)
        letters = free_indices(value, self.expander.bare)
        if not letters:
            return Value("", (), value)
        if isinstance(value, Read) and _plain(value) == letters:
            return Value(value.name, letters)
        name = self.scope.name(what)
        subscripts = tuple(Name(node.at, letter, height=1) for letter in letters)
        left = Read(node.at, name, subscripts, height=2)
        defined = Statement(self.statement.source, left, False, value, ())
        origin = f"{loss}: its argument {what}"
        self.scope.done.append(numbered(replace(defined, origin=origin)))
        return Value(name, letters)


def _plain(read: Read) -> tuple[str, ...]:
    """The indices of a read that is its whole tensor; of others, nothing."""
    names = tuple(s.name for s in read.subscripts if isinstance(s, Name))
    return () if read.padded or len(names) < len(read.subscripts) else names


def _ancestors(name: str, statements: Sequence[Statement]) -> set[str]:
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
    return found
