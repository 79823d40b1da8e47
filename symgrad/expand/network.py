"""[networks.NAME] as data: inputs, layers, and which network it is a copy of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symgrad.catalog.activations import ACTIVATIONS
from symgrad.catalog.losses import LOSSES
from symgrad.errors import did_you_mean
from symgrad.expand.stage import EXAMPLE, Stage, read_stage
from symgrad.notation.declarations import Declared
from symgrad.notation.document import Document
from symgrad.notation.names import fault_of, shown
from symgrad.notation.places import Check
from symgrad.notation.syntax import Source

KEYS = ("input", "layers", "copy_of", "held")
DEEPEST = 10
LONGEST = 32
"""Letters of a network's name: those of its tensors begin with it."""


@dataclass(frozen=True)
class Residual:
    """x + stages(x)."""

    stages: tuple[Stage | Residual, ...]
    source: Source


Stages = tuple[Stage | Residual, ...]


@dataclass(frozen=True)
class Network:
    """inputs: tensors or networks, joined along the last axis; the others as in the spec."""

    name: str
    inputs: tuple[str, ...]
    stages: Stages
    copy_of: str | None
    held: bool
    source: Source

    @property
    def checks(self) -> tuple[Check, ...]:
        """What the sizes of its layers have to obey on entry."""
        return tuple(check for stage in _flat(self.stages) for check in stage.checks)


def _flat(stages: Stages) -> Iterator[Stage]:
    for stage in stages:
        if isinstance(stage, Residual):
            yield from _flat(stage.stages)
        else:
            yield stage


def read_networks(document: Document, declared: Declared) -> dict[str, Network]:
    """The networks of a spec; a copy has the layers of its original."""
    names = document.table("networks")
    for name in names:
        fault = fault_of(name) or _fault(document, name, declared)
        if fault:
            raise document.error(f"network {shown(name)} {fault}", "networks", name)
    found = {name: _network(document, name, declared) for name in names}
    return {name: _complete(document, network, found) for name, network in found.items()}


def _fault(document: Document, name: str, declared: Declared) -> str | None:
    """Why a name that would do elsewhere is none for a network."""
    if len(name) > LONGEST:
        return f"has {len(name)} characters; at most {LONGEST} are allowed"
    if name.endswith("_"):
        return "ends with an underscore; the names of its tensors would hold two in a row"
    if name in ACTIVATIONS or name in LOSSES:
        what = "an activation" if name in ACTIVATIONS else "a loss"
        return f"is the name of {what}; choose another name"
    if name in dict(declared.functions):
        return "is declared in [functions] too; rename one of them"
    if name in document.table("params"):
        return f"has the name of [params.{name}] or of a parameter; rename one of them"
    return None


def _network(document: Document, name: str, declared: Declared) -> Network:
    path = ("networks", name)
    document.only(KEYS, *path)
    table = document.table(*path)
    copy_of = document.text(*path, "copy_of")
    if copy_of is None:
        for key in ("input", "layers"):
            if key not in table:
                raise document.error(
                    f'network {shown(name)} has no {key}; it is like input = "obs", '
                    'layers = ["dense 64 tanh", "dense 2"]',
                    *path,
                )
    elif "layers" in table:
        raise document.error(
            f"network {shown(name)} is a copy of {shown(copy_of)}, whose layers it has; "
            "leave one of the two out",
            *path,
            "layers",
        )
    within = f"network {shown(name)}"
    source = Source("", within=within, places={0: document.place(*path)})
    stages: Stages = ()
    if copy_of is None:
        listed = document.typed(list, *path, "layers")
        strings = document.strings(*path, "layers")
        stages = tuple(_stages(listed, _Place(document, declared, path, within, strings)))
    held = bool(document.typed(bool, *path, "held"))
    return Network(name, _inputs(document, path), stages, copy_of, held, source)


def _inputs(document: Document, path: tuple[str, ...]) -> tuple[str, ...]:
    """input = "obs", or ["obs", "action"]."""
    given = document.table(*path).get("input")
    if isinstance(given, str):
        return (given,)
    if given is not None and not isinstance(given, list):
        raise document.error(
            f'input is a name or a list of names, as in input = "obs", and {ascii(given)[:40]} '
            "came",
            *path,
            "input",
        )
    names = document.names(*path, "input")
    if names == ():
        raise document.error('input names nothing; it is like input = "obs"', *path, "input")
    return names or ()


@dataclass(frozen=True)
class _Place:
    """Where layers are read: the network's table, how errors call it, and where strings stand."""

    document: Document
    declared: Declared
    path: tuple[str, ...]
    within: str
    strings: Iterator[Source]

    def source(self, text: str) -> Source:
        """The next string of the list."""
        at = next(self.strings, self.document.source("", *self.path, "layers"))
        return replace(at, text=text)


def _stages(given: Sequence[Any], at: _Place, depth: int = 0) -> Iterator[Stage | Residual]:
    document, path = at.document, (*at.path, "layers")
    if depth > DEEPEST:
        raise document.error(f"more than {DEEPEST} residual blocks in one another", *path)
    if not given:
        raise document.error(f"{at.within} has no layers here; a layer is {EXAMPLE}", *path)
    for one in given:
        if isinstance(one, str):
            yield read_stage(at.source(one), at.declared, at.within)
        elif isinstance(one, Mapping) and [*one] == ["residual"] and _is_list(one["residual"]):
            inner = tuple(_stages(one["residual"], at, depth + 1))
            yield Residual(inner, Source("", within=at.within, places={0: document.place(*path)}))
        else:
            raise document.error(
                f"{at.within}: a layer is {EXAMPLE}, and {ascii(one)[:40]} came", *path
            )


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _complete(document: Document, network: Network, known: Mapping[str, Network]) -> Network:
    """A copy with its original's layers, and its inputs where it has none of its own."""
    if network.copy_of is None:
        return network
    path = ("networks", network.name, "copy_of")
    original = known.get(network.copy_of)
    if original is None:
        near = did_you_mean(network.copy_of, known)
        raise document.error(f"copy_of: no network is named {shown(network.copy_of)}{near}", *path)
    if original is network:
        raise document.error(f"copy_of: {shown(network.name)} cannot copy itself", *path)
    if original.copy_of is not None:
        raise document.error(
            f"copy_of: {shown(original.name)} is a copy itself; name its original, "
            f"{shown(original.copy_of)}",
            *path,
        )
    return replace(network, inputs=network.inputs or original.inputs, stages=original.stages)
