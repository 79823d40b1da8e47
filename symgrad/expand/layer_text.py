"""The text of one layer as data: "dense 64 tanh init=orthogonal(1.414)"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from symgrad.algebra.sizes import Size
from symgrad.catalog.activations import ACTIVATIONS, Activation
from symgrad.catalog.layer import GIVEN, UNSET, Layer
from symgrad.catalog.layers import LAYERS
from symgrad.errors import did_you_mean
from symgrad.expand.activations import Chosen, chosen
from symgrad.notation import hints
from symgrad.notation.cursor import run
from symgrad.notation.declarations import Declared
from symgrad.notation.initialisations import initialisation
from symgrad.notation.lexer import Token, single
from symgrad.notation.names import shown
from symgrad.notation.operators import ADD
from symgrad.notation.parser import Parser
from symgrad.notation.places import Check, at_least
from symgrad.notation.sizes import size_of
from symgrad.notation.syntax import Node, Source

Arguments = tuple[tuple[Node, ...], tuple[tuple[str, Node], ...]]
FLAGS = ("true", "false")
BIASES = ("zeros", "constant", "uniform", "normal")
"""How a vector can start: the others need a fan-in, and a vector has none."""

SIZES = {"channels": "32", "kernel": "3", "heads": "4"}
"""An example of a size; of another it is 64."""
EXAMPLE = '"dense 64 tanh", "layernorm", "relu" or { residual = ["dense 64 relu"] }'


@dataclass(frozen=True)
class LayerText:
    """One layer as written: its row, or only an activation.

    source: the text it came from; checks: what its sizes have to obey on entry.
    """

    row: Layer | None
    sizes: tuple[Size, ...]
    options: Mapping[str, str]
    activation: Chosen | None
    source: Source
    checks: tuple[Check, ...] = ()

    @property
    def named(self) -> dict[str, str]:
        """The tensors that its options name."""
        of = dict(self.row.options) if self.row else {}
        names = [key for key, default in of.items() if default in (UNSET, GIVEN)]
        return {key: self.options[key] for key in names if self.options[key] != UNSET}

    @property
    def text(self) -> str:
        return " ".join(self.source.text.split())


def read_layer(text: Source, declared: Declared, within: str) -> LayerText:
    """NAME SIZE ... [ACTIVATION] [option=value ...], in one string of the spec."""
    source = replace(text, within=f"{within}, layer {shown(text.text.strip())}")
    if "\n" in source.text:
        raise source.error("a layer is one line; each has a string of its own", 0)
    return _LayerParser(source, single(source)).layer(declared)


class _LayerParser(Parser):
    """Reads one layer."""

    def layer(self, declared: Declared) -> LayerText:
        token = self.name("a layer")
        if token.text in ACTIVATIONS:
            alone = self.activation(token)
            self.finish("the end of the layer")
            return LayerText(None, (), {}, alone, self.source)
        if token.text not in LAYERS:
            near = _near(token.text, {**LAYERS, **ACTIVATIONS})
            raise self.error(f"unknown layer {shown(token.text)}{near}", token.at)
        row = LAYERS[token.text]
        sizes: list[Size] = []
        checks: list[Check] = []
        for what in row.sizes:
            size, checked = self.size(row, what, declared)
            sizes.append(size)
            checks += checked
        activation, options = self.rest(row, declared)
        return LayerText(row, tuple(sizes), options, activation, self.source, tuple(checks))

    def size(self, row: Layer, what: str, declared: Declared) -> tuple[Size, tuple[Check, ...]]:
        token = self.next
        named = token.kind == "name" and self.tokens[self.position + 1].text == "="
        if token.kind == "end" or token.text in ACTIVATIONS or named:
            example = " ".join((row.name, *(SIZES.get(size, "64") for size in row.sizes)))
            sizes = " and ".join(row.sizes)
            raise self.error(f"{row.name} needs its {sizes} first, as in {example}")
        size = size_of(self.expression_from(ADD), self.source, declared.size_of)
        error = self.error(f"{row.name}: the {what} is at least 1, and {size} came", token.at)
        return size, at_least(size - 1, error, declared.defaults)

    def rest(self, row: Layer, declared: Declared) -> tuple[Chosen | None, dict[str, str]]:
        """What follows the sizes: one activation, and options, each once."""
        activation: Chosen | None = None
        options = dict(row.options)
        given: set[str] = set()
        while self.next.kind != "end":
            token = self.name("an activation or an option")
            if self.take("="):
                if token.text not in options:
                    word = self.next.text
                    near = f"; write {word} alone" if word in ACTIVATIONS else ""
                    near = near or did_you_mean(token.text, options)
                    raise self.error(
                        f"{row.name} has no option {shown(token.text)}{near}", token.at
                    )
                if token.text in given:
                    raise self.error(f"option {shown(token.text)} is given twice", token.at)
                given.add(token.text)
                options[token.text] = self.value(token.text, options[token.text], declared)
            elif activation is not None:
                raise self.error(
                    f"a layer has one activation, and {shown(token.text)} is the second; "
                    "give it a string of its own",
                    token.at,
                )
            elif token.text in options:
                raise self.error(
                    f"an option has a value: {token.text}={options[token.text]}", token.at
                )
            else:
                activation = self.activation(token)
        for name, default in row.options:
            if default == GIVEN and name not in given:
                raise self.error(f"{row.name} needs {name}=NAME, the name of a tensor")
        return activation, options

    def activation(self, token: Token) -> Chosen:
        """An activation, whose name was just read."""
        if token.text not in ACTIVATIONS:
            near = _near(token.text, ACTIVATIONS)
            raise self.error(f"unknown activation {shown(token.text)}{near}", token.at)
        row = ACTIVATIONS[token.text]
        found = run(self.call_arguments(token, 1)) if self.take("(") else ((), ())
        given, named = cast(Arguments, found)
        return chosen(row, given, named, token.at, self.error)

    def hint(self) -> str:
        """A number behind an activation is meant for one of its options."""
        before = self.tokens[self.position - 1].text if self.position else ""
        if self.next.kind == "number" and before in ACTIVATIONS and ACTIVATIONS[before].options:
            return f"; an option stands in brackets: {before}({self.next.text})"
        return f"; each layer is a text of its own{hints.form(('layers',))}"

    def value(self, name: str, default: str, declared: Declared) -> str:
        """An initialisation, a flag, the name of a tensor or a number."""
        token = self.next
        if name.endswith("init"):
            found = initialisation(self, self.source, declared.size_of)
            kind = found.partition("(")[0]
            if name == "bias_init" and kind not in BIASES:
                raise self.error(
                    f"bias_init is zeros, constant(x), uniform(x) or normal(x), and {kind} came; "
                    "a vector has no fan-in",
                    token.at,
                )
            if kind == "copy":
                raise self.error("a layer has no copy; a network has copy_of", token.at)
            return found
        whole = token.text.isdigit() and default.isdigit() and int(token.text) >= int(default)
        if default in FLAGS:
            fits, what = token.text in FLAGS, "true or false"
        elif default in (UNSET, GIVEN):
            fits, what = token.kind == "name", "the name of a tensor"
        elif default.isdigit():
            fits, what = whole, f"a whole number of at least {default}"
        else:
            fits, what = token.kind == "number", "a number"
        if not fits:
            raise self.error(f"{name} is {what}, and {self.shown()} came")
        self.position += 1
        return token.text


def _near(word: str, rows: Mapping[str, Layer | Activation]) -> str:
    """The row that other libraries call so, or that is spelt nearly so."""
    for row in rows.values():
        if word.lower() in row.also:
            return f"; write {row.name}"
    return did_you_mean(word, rows)
