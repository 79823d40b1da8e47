"""[networks.NAME] as data: inputs, layers, and which network it is a copy of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symgrad.algebra.sizes import Size
from symgrad.catalog.activations import ACTIVATIONS, Activation
from symgrad.catalog.layers import LAYERS, Layer
from symgrad.errors import did_you_mean
from symgrad.notation.declarations import initialisation
from symgrad.notation.document import Document
from symgrad.notation.lexer import single
from symgrad.notation.names import fault_of, shown
from symgrad.notation.operators import ADD
from symgrad.notation.parser import Parser
from symgrad.notation.sizes import size_of
from symgrad.notation.syntax import Node, Source

KEYS = ("input", "layers", "copy_of", "held")
DEEPEST = 10
FLAGS = ("true", "false")
EXAMPLE = '"dense 64 tanh", "layernorm", "relu" or { residual = ["dense 64 relu"] }'


@dataclass(frozen=True)
class Chosen:
    """An activation with its options set."""

    row: Activation
    values: Mapping[str, Node]


@dataclass(frozen=True)
class Stage:
    """One layer as written: its row, or only an activation; source: the text it came from."""

    row: Layer | None
    sizes: tuple[Size, ...]
    options: Mapping[str, str]
    activation: Chosen | None
    source: Source


@dataclass(frozen=True)
class Residual:
    """x + stages(x)."""

    stages: tuple[Stage | Residual, ...]
    source: Source


@dataclass(frozen=True)
class Network:
    """inputs: tensors or networks, joined along the last axis; the others as in the spec."""

    name: str
    inputs: tuple[str, ...]
    stages: tuple[Stage | Residual, ...]
    copy_of: str | None
    held: bool
    source: Source


def read_networks(document: Document, sizes: Mapping[str, Size]) -> dict[str, Network]:
    """The networks of a spec; a copy has the layers of its original."""
    found: dict[str, Network] = {}
    for name in document.table("networks"):
        fault = fault_of(name)
        if fault:
            raise document.error(f"network {shown(name)} {fault}", "networks", name)
        document.only(KEYS, "networks", name)
        found[name] = _network(document, name, sizes)
    return {name: _complete(document, network, found) for name, network in found.items()}


def _network(document: Document, name: str, sizes: Mapping[str, Size]) -> Network:
    path = ("networks", name)
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
            "leave one of both out",
            *path,
        )
    stages: tuple[Stage | Residual, ...] = ()
    if copy_of is None:
        given = document.typed(list, *path, "layers")
        source = document.source("", *path, "layers")
        stages = tuple(_stages(document, given, source, sizes, path))
    held = bool(document.typed(bool, *path, "held"))
    source = Source("", None, within=f"network {shown(name)}", places={0: document.place(*path)})
    return Network(name, _inputs(document, path), stages, copy_of, held, source)


def _inputs(document: Document, path: tuple[str, ...]) -> tuple[str, ...]:
    """input = "obs", or ["obs", "action"]."""
    given = document.table(*path).get("input", ())
    if isinstance(given, str):
        return (given,)
    return document.names(*path, "input") or ()


def _stages(
    document: Document,
    given: Sequence[Any],
    source: Source,
    sizes: Mapping[str, Size],
    path: tuple[str, ...],
    depth: int = 0,
) -> Iterator[Stage | Residual]:
    if depth > DEEPEST:
        raise document.error(f"more than {DEEPEST} residual blocks in one another", *path)
    if not given:
        raise document.error(f"layers is empty; a layer is {EXAMPLE}", *path, "layers")
    for one in given:
        where = {0: source.place(0)}
        if isinstance(one, str):
            yield _stage(Source(one, source.file, source.line, source.column), sizes)
        elif (
            isinstance(one, dict) and set(one) == {"residual"} and isinstance(one["residual"], list)
        ):
            inner = tuple(_stages(document, one["residual"], source, sizes, path, depth + 1))
            yield Residual(inner, Source("", None, places=where))
        else:
            raise document.error(
                f"a layer is {EXAMPLE}, and {ascii(one)[:40]} came", *path, "layers"
            )


def _stage(text: Source, sizes: Mapping[str, Size]) -> Stage:
    """NAME SIZE ... [ACTIVATION] [option=value ...]"""
    source = Source(
        text.text,
        within=f"layer {shown(text.text.strip())}",
        places=dict.fromkeys(range(len(text.text) + 1), text.place(0)),
    )
    parser = Parser(source, single(source))
    token = parser.name(f"a layer such as {EXAMPLE}")
    if token.text in ACTIVATIONS:
        parser.position -= 1
        alone = _activation(parser)
        parser.finish("the end of the layer")
        return Stage(None, (), {}, alone, source)
    if token.text not in LAYERS:
        known = [*LAYERS, *ACTIVATIONS]
        raise parser.error(f"unknown layer {shown(token.text)}{did_you_mean(token.text, known)}", 0)
    row = LAYERS[token.text]
    counts = []
    for what in row.sizes:
        if parser.next.kind == "end":
            raise parser.error(f"{row.name} needs its {what}: {row.name} 64")
        size = size_of(parser.expression_from(ADD), source, sizes)
        if not size.is_positive():
            raise parser.error(f"{row.name}: the {what} is at least 1, and {size} came")
        counts.append(size)
    activation = _activation(parser) if _names_activation(parser) else None
    options = _options(parser, row)
    parser.finish("an activation, an option or the end of the layer")
    return Stage(row, tuple(counts), options, activation, source)


def _names_activation(parser: Parser) -> bool:
    """Whether a name comes that is no option."""
    return parser.next.kind == "name" and parser.tokens[parser.position + 1].text != "="


def _activation(parser: Parser) -> Chosen:
    token = parser.name("an activation")
    if token.text not in ACTIVATIONS:
        raise parser.error(
            f"unknown activation {shown(token.text)}{did_you_mean(token.text, ACTIVATIONS)}",
            token.at,
        )
    row = ACTIVATIONS[token.text]
    values = parser.arguments_after("the activation's options") if parser.take("(") else ()
    if len(values) > len(row.options):
        raise parser.error(f"{row.name} takes {len(row.options)} options, and {len(values)} came")
    return Chosen(row, dict(zip((name for name, _ in row.options), values, strict=False)))


def _options(parser: Parser, row: Layer) -> dict[str, str]:
    """name=value; a value is an initialisation, a flag or a number."""
    found = dict(row.options)
    given: set[str] = set()
    while parser.next.kind == "name":
        token = parser.name("an option")
        if token.text not in found:
            known = did_you_mean(token.text, found)
            raise parser.error(f"{row.name} has no option {shown(token.text)}{known}", token.at)
        if token.text in given:
            raise parser.error(f"option {shown(token.text)} is given twice", token.at)
        given.add(token.text)
        parser.expect("=", f"after {token.text}")
        found[token.text] = _value(parser, found[token.text], token.text)
    return found


def _value(parser: Parser, default: str, name: str) -> str:
    if name.endswith("init"):
        return initialisation(parser, parser.source)
    token = parser.next
    parser.position += token.kind != "end"
    flag = default in ("true", "false")
    if token.kind != ("name" if flag else "number") or (flag and token.text not in FLAGS):
        what = "true or false" if flag else "a number"
        raise parser.error(f"{name} is {what}, and {shown(token.text)} came", token.at)
    return token.text


def _complete(document: Document, network: Network, known: Mapping[str, Network]) -> Network:
    """A copy with its original's layers, and its inputs where it has none of its own."""
    if network.copy_of is None:
        return network
    path = ("networks", network.name, "copy_of")
    original = known.get(network.copy_of)
    if original is None:
        near = did_you_mean(network.copy_of, known)
        raise document.error(f"copy_of: no network is named {shown(network.copy_of)}{near}", *path)
    if original.copy_of is not None:
        raise document.error(
            f"copy_of: {shown(original.name)} is a copy itself; name its original", *path
        )
    return Network(
        network.name,
        network.inputs or original.inputs,
        original.stages,
        original.name,
        network.held,
        network.source,
    )
