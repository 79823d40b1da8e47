"""The equations of one network applied to given inputs: layer by layer, each from its row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symgrad.algebra.sizes import ZERO, Size
from symgrad.catalog.layers import Signal
from symgrad.errors import did_you_mean
from symgrad.expand.activations import Chosen, activated
from symgrad.expand.axes import clear, free_letter
from symgrad.expand.layer_text import LayerText
from symgrad.expand.layers import Layers, Residual
from symgrad.expand.trees import Naming, letters_of, moved, numbered, written
from symgrad.notation.names import shown
from symgrad.notation.sections import Names
from symgrad.notation.symbols import CONSTANTS
from symgrad.notation.syntax import Name, Node, Read, Source, Statement, nodes


@dataclass
class Equations:
    """A network applied to inputs: collects its equations, and the parameters that they need.

    network: its name.
    names:   what to call a thing of this application: z1 -> q_z1_next_obs.
    owned:   what to call a parameter, which all applications share: W1 -> q_W1.
    output:  what to call the last output.
    bare:    names that stand without subscripts, which no index may have.
    source, at: where the equations seem to stand, for errors.
    owners:  of each layer that has some, the parameters by the names that PyTorch has for them.
    """

    network: str
    names: Callable[[str], str]
    owned: Callable[[str], str]
    output: str
    bare: frozenset[str]
    source: Source
    at: int
    number: int = 0
    statements: list[Statement] = field(default_factory=list)
    params: dict[str, tuple[str, Source]] = field(default_factory=dict)
    owners: list[Names] = field(default_factory=list)

    def run(
        self,
        layers: Layers,
        inputs: Sequence[str],
        widths: Sequence[Size],
        lead: tuple[str, ...],
    ) -> Size:
        """The equations; returns the size of the output's last axis."""
        name = inputs[0] if len(inputs) == 1 else self.joined(inputs, widths, lead)
        _, after = self.layers(layers, name, Signal(lead, sum(widths, ZERO)), self.output)
        return after.size

    def joined(self, inputs: Sequence[str], widths: Sequence[Size], lead: tuple[str, ...]) -> str:
        """x0 = (input, input, ...) along the last axis."""
        output = self.names("x0")
        index = free_letter("i", {*self.bare, *lead})
        start = ZERO
        for name, width in zip(inputs, widths, strict=True):
            signal = Signal(lead, width)
            place = signal.at(index if start == ZERO else f"{index} + {start}")
            text = f"{output}{place} = {name}{signal.at(index)} for {index} < {width}"
            for statement in written(text, self.at, self.source):
                self.add(statement, f"{self.network}: the inputs, joined")
            start += width
        return output

    def layers(
        self, layers: Layers, name: str, signal: Signal, last: str | None
    ) -> tuple[str, Signal]:
        """The layers in turn; `last` is what the last output is called."""
        for place, layer in enumerate(layers):
            end = last if place == len(layers) - 1 else None
            if isinstance(layer, Residual):
                name = self.residual(layer, name, signal, end)
            else:
                name, signal = self.layer(layer, name, signal, end)
        return name, signal

    def layer(
        self, layer: LayerText, name: str, signal: Signal, last: str | None
    ) -> tuple[str, Signal]:
        """One layer, its activation behind it."""
        self.number += 1
        origin = f"{self.network}, layer {self.number}: {layer.text}"
        if layer.row is not None:
            built = layer.row.build(signal, layer.sizes, layer.options)
            is_last = last is not None and layer.activation is None
            output = last if is_last and last else self.names(f"{layer.row.letter}{self.number}")
            tensors = {"x": name, "y": output}
            for key, text in built.params.items():
                tensors[key] = self.owned(f"{key}{self.number}")
                self.params[tensors[key]] = (text, layer.source)
            if built.params:
                known = dict(layer.row.torch)
                self.owners.append(tuple((known.get(k, k), tensors[k]) for k in built.params))
            self.write(built.equations, tensors, origin)
            name, signal = output, Signal(signal.lead, built.size)
        if layer.activation is not None:
            output = last or self.names(f"h{self.number}")
            self.activate(layer.activation, name, output, signal, layer.source, origin)
            name = output
        return name, signal

    def activate(
        self,
        activation: Chosen,
        name: str,
        output: str,
        signal: Signal,
        source: Source,
        origin: str,
    ) -> None:
        """y = f(x)."""
        self.check_options(activation, source)
        values = {name: moved(value, self.at) for name, value in activation.values.items()}
        letters = (*signal.lead, free_letter("i", {*self.bare, *signal.lead}))
        lead = tuple(Name(self.at, letter, height=1) for letter in letters)

        def entry(last: tuple[Node, ...]) -> Node:
            return Read(self.at, name, (*lead[:-1], *last) if last else lead, height=2)

        body = activated(replace(activation, values=values), entry, self.at, self.bare)
        left = Read(self.at, output, lead, height=2)
        self.add(Statement(self.source, left, False, body, ()), origin)

    def check_options(self, activation: Chosen, source: Source) -> None:
        """An option of a layer's activation has rank 0."""
        for value in activation.values.values():
            for node in nodes(value):
                known = not isinstance(node, Name) or node.name in {*self.bare, *CONSTANTS}
                if isinstance(node, Read) or not known:
                    name = node.name if isinstance(node, Name | Read) else ""
                    raise source.error(
                        f"an option of {activation.row.name} is a number, a size or a tensor of "
                        f"rank 0, and {shown(name)} came{did_you_mean(name, self.bare)}",
                        0,
                    )

    def residual(self, block: Residual, name: str, signal: Signal, last: str | None) -> str:
        """y = x + block(x)."""
        inner, after = self.layers(block.layers, name, signal, None)
        if after.size != signal.size:
            raise block.source.error(
                f"a residual block adds its input, of size {signal.size}, to its output, "
                f"of size {after.size}; make both equal",
                0,
            )
        output = last or self.names(f"r{self.number}")
        place = signal.at("i")
        tensors = {"x": name, "y": output, "f": inner}
        self.write(f"y{place} = x{place} + f{place}", tensors, "the residual connection")
        return output

    def write(self, text: str, tensors: Mapping[str, str], origin: str) -> None:
        """The statements of a text, renamed: what it defines beside `y` gets the layer's number."""
        found = list(written(text, self.at, self.source))
        own = dict.fromkeys(s.left.name for s in found if s.left.name not in tensors)
        named = {**tensors, **{name: self.names(f"{name}{self.number}") for name in own}}
        used = set().union(*(letters_of(s) for s in found))
        naming = Naming(clear(used, self.bare), named, {})
        for statement in found:
            self.add(naming.statement(statement), origin)

    def add(self, statement: Statement, origin: str) -> None:
        self.statements.append(numbered(replace(statement, origin=origin)))
