"""[networks.NAME] as data: inputs, layers, and which network it is a copy of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from symgrad.algebra.program import Kind
from symgrad.catalog.activations import ACTIVATIONS
from symgrad.catalog.distributions import DISTRIBUTIONS
from symgrad.catalog.losses import LOSSES
from symgrad.errors import did_you_mean
from symgrad.expand.layers import Layers, checks_of, first_row, named, read_layers
from symgrad.notation.declarations import Declared
from symgrad.notation.document import Document
from symgrad.notation.names import fault_of, shown
from symgrad.notation.places import Check
from symgrad.notation.syntax import Source

KEYS = ("input", "layers", "copy_of", "held", "instead")
LONGEST = 32
"""Letters of a network's name: those of its tensors begin with it."""


@dataclass(frozen=True)
class Network:
    """inputs: tensors or networks, joined along the last axis; the others as in the spec.

    instead: what a copy's layers read in the place of tensors that the original's layers name.
    """

    name: str
    inputs: tuple[str, ...]
    layers: Layers
    copy_of: str | None
    held: bool
    source: Source
    instead: tuple[tuple[str, str], ...] = ()

    @property
    def reads(self) -> Kind:
        """The kind of its inputs."""
        row = first_row(self.layers)
        return "real" if row is None else row.reads

    @property
    def checks(self) -> tuple[Check, ...]:
        """What the sizes of its layers have to obey on entry."""
        return tuple(checks_of(self.layers))


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
    tables: Mapping[str, Collection[str]] = {
        "an activation": ACTIVATIONS,
        "a loss": LOSSES,
        "a distribution": DISTRIBUTIONS,
    }
    for what, table in tables.items():
        if name in table:
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
    layers = read_layers(document, declared, path, within) if copy_of is None else ()
    held = bool(document.typed(bool, *path, "held"))
    instead = _instead(document, path, copy_of)
    return Network(name, _inputs(document, path), layers, copy_of, held, source, instead)


def _instead(
    document: Document, path: tuple[str, ...], copy_of: str | None
) -> tuple[tuple[str, str], ...]:
    """instead = { noise = "noise_t" }."""
    if "instead" not in document.table(*path):
        return ()
    given = document.table(*path, "instead")
    if copy_of is None:
        raise document.error("instead is for a copy: a layer names its own", *path, "instead")
    for value in given.values():
        if not isinstance(value, str):
            raise document.error(
                f'instead has names, as in instead = {{ noise = "noise_t" }}, and '
                f"{ascii(value)[:40]} came",
                *path,
                "instead",
            )
    return tuple(given.items())


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
    read = dict.fromkeys(named(original.layers))
    for name, _ in network.instead:
        if name not in read:
            near = did_you_mean(name, read) if read else "; they name none"
            raise document.error(
                f"instead: no layer of {shown(original.name)} names the tensor {shown(name)}{near}",
                *path[:-1],
                "instead",
            )
    return replace(network, inputs=network.inputs or original.inputs, layers=original.layers)
