"""Networks and statements -> statements without names from the catalogue, and the parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from symgrad.expand.expander import CALLS, Expander
from symgrad.expand.networks import Network
from symgrad.expand.scope import Scope
from symgrad.expand.trees import letters_of
from symgrad.notation.declarations import Declared
from symgrad.notation.elaborate import Elaborated
from symgrad.notation.sections import Groups, Layered
from symgrad.notation.syntax import Statement


@dataclass(frozen=True)
class Expanded:
    """What the names of a spec stand for.

    shared:   the shared statements; own: those of each loss.
    declared: with the networks' parameters among the others.
    owned:    the parameters of each network that has some; held: those held constant.
    groups:   the parameters that stand together, a network's as well.
    layers:   those of each network, layer by layer.
    check:    raises the error of an input that turned out to have another size.
    """

    shared: tuple[Statement, ...]
    own: Mapping[str, tuple[Statement, ...]]
    declared: Declared
    owned: Groups
    held: frozenset[str]
    groups: Groups
    layers: Layered
    check: Callable[[Elaborated], None]


def expand(
    declared: Declared,
    groups: Groups,
    networks: Mapping[str, Network],
    shared: Sequence[Statement],
    own: Mapping[str, Sequence[Statement]],
    aux: Mapping[str, Sequence[str]],
) -> Expanded:
    """Every network, activation and named loss written out; aux: of each loss, and "" of all."""
    expander = _expander(declared, networks, shared, own.values(), frozenset(aux[""]))
    written = expander.shared()
    of_losses = {name: expander.own(own[name], frozenset(aux[name])) for name in own}
    applied = expander.applied
    owned = tuple((name, names) for name, names in applied.owned.items() if names)
    params = [applied.tensors.params[name] for _, names in owned for name in names]
    grouped = {name for _, names in groups for name in names}
    free = [t for t in declared.tensors if t.role == "param" and t.name not in grouped]
    rest = [t for t in declared.tensors if t.name in grouped]
    data = [t for t in declared.tensors if t.role == "data"]
    return Expanded(
        shared=written,
        own=of_losses,
        declared=replace(declared, tensors=(*free, *params, *rest, *data), calls=CALLS),
        owned=owned,
        held=frozenset(t for name, names in owned if networks[name].held for t in names),
        groups=(*owned, *groups) if applied.prefixed else groups,
        layers=tuple((name, applied.layers[name]) for name, _ in owned),
        check=applied.tensors.check,
    )


def _expander(
    declared: Declared,
    networks: Mapping[str, Network],
    shared: Sequence[Statement],
    own: Iterable[Sequence[Statement]],
    aux: frozenset[str],
) -> Expander:
    """The expander of a spec's statements: the shared ones, and those of each loss."""
    every = [*shared, *(s for statements in own for s in statements)]
    known = {t.name: t for t in (*declared.tensors, *declared.shapes)}
    lefts = {s.left.name for s in every}
    flat = [t.name for t in known.values() if not t.shape]
    flat += [s.left.name for s in every if not s.left.subscripts]
    names = {*declared.size_of, *known, *lefts}
    _check_names(networks, names)
    letters = set().union(*(letters_of(s) for s in every))
    taken = {*names, *dict(declared.functions), *networks, *letters}
    bare = frozenset({*declared.size_of, *flat})
    return Expander(declared, networks, known, bare, Scope(taken, list(shared), aux=aux))


def _check_names(networks: Mapping[str, Network], names: set[str]) -> None:
    """A network has no tensor's or size's name, and none that an adjoint would have."""
    for network in networks.values():
        if network.name in names:
            raise network.source.error("a tensor or a size has this name too; rename one", 0)
        of = network.name[1:]
        if network.name[0] == "d" and of in {*names, *networks}:
            raise network.source.error(f'it has the name of the adjoint of "{of}"; rename one', 0)
