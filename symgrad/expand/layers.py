"""The layers of a network as data: each string of the list read, residual blocks inside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symgrad.catalog.layer import Layer
from symgrad.expand.layer_text import EXAMPLE, LayerText, read_layer
from symgrad.notation.declarations import Declared
from symgrad.notation.document import Document
from symgrad.notation.places import Check
from symgrad.notation.syntax import Source

DEEPEST = 10
"""Residual blocks in one another."""


@dataclass(frozen=True)
class Residual:
    """x + layers(x)."""

    layers: Layers
    source: Source


Layers = tuple[LayerText | Residual, ...]


def checks_of(layers: Layers) -> Iterator[Check]:
    """What the sizes of the layers have to obey on entry."""
    for layer in layers:
        yield from checks_of(layer.layers) if isinstance(layer, Residual) else layer.checks


def named(layers: Layers) -> Iterator[str]:
    """The tensors that their options name."""
    for layer in layers:
        yield from named(layer.layers) if isinstance(layer, Residual) else layer.named.values()


def first_row(layers: Layers) -> Layer | None:
    """The row of the first layer that is more than an activation."""
    for layer in layers:
        row = first_row(layer.layers) if isinstance(layer, Residual) else layer.row
        if row is not None:
            return row
    return None


def read_layers(
    document: Document, declared: Declared, path: tuple[str, ...], within: str
) -> Layers:
    """The list at a network's path; `within` is how errors call the network."""
    listed = document.typed(list, *path, "layers")
    strings = document.strings(*path, "layers")
    return _Reader(document, declared, (*path, "layers"), within, strings).layers(listed)


@dataclass(frozen=True)
class _Reader:
    """strings: where each string of the list stands, in order."""

    document: Document
    declared: Declared
    path: tuple[str, ...]
    within: str
    strings: Iterator[Source]

    def layers(self, given: Sequence[Any], depth: int = 0) -> Layers:
        if depth > DEEPEST:
            raise self.document.error(
                f"more than {DEEPEST} residual blocks in one another", *self.path
            )
        if not given:
            raise self.document.error(
                f"{self.within} has no layers here; a layer is {EXAMPLE}", *self.path
            )
        return tuple(self.layer(one, depth) for one in given)

    def layer(self, one: Any, depth: int) -> LayerText | Residual:
        if isinstance(one, str):
            at = next(self.strings, self.document.source("", *self.path))
            return read_layer(replace(at, text=one), self.declared, self.within)
        block = one["residual"] if isinstance(one, Mapping) and [*one] == ["residual"] else None
        if isinstance(block, Sequence) and not isinstance(block, str):
            source = Source("", within=self.within, places={0: self.document.place(*self.path)})
            return Residual(self.layers(block, depth + 1), source)
        raise self.document.error(
            f"{self.within}: a layer is {EXAMPLE}, and {ascii(one)[:40]} came", *self.path
        )
