"""The equations of one network applied to given inputs: layer by layer, each from its row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symgrad.algebra.sizes import ZERO
from symgrad.catalog.layer import Built, Layer, Signal
from symgrad.errors import did_you_mean
from symgrad.expand.activations import Chosen, activated
from symgrad.expand.axes import OWN, clear, free_letter, fresh_letters
from symgrad.expand.layer_text import LayerText
from symgrad.expand.layers import Layers, Residual, first_row
from symgrad.expand.scope import Whole
from symgrad.expand.trees import BATCH, Naming, letters_of, moved, numbered, written
from symgrad.notation.lookup import axes
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
    exists:  whether a tensor of this name is there.
    bare:    names that stand without subscripts, which no index may have.
    instead: what its layers read in the place of tensors that they name.
    source, at: where the equations seem to stand, for errors.
    number:  of the last layer; batch: how many leading axes no layer works on.
    owners:  of each layer that has some, the parameters by the names that PyTorch has for them.
    """

    network: str
    names: Callable[[str], str]
    owned: Callable[[str], str]
    output: str
    exists: Callable[[str], bool]
    bare: frozenset[str]
    instead: Mapping[str, str]
    source: Source
    at: int
    number: int = 0
    batch: int = 0
    statements: list[Statement] = field(default_factory=list)
    params: dict[str, tuple[str, Source]] = field(default_factory=dict)
    owners: list[Names] = field(default_factory=list)

    def run(self, layers: Layers, inputs: Sequence[Whole]) -> Whole:
        """The equations; returns the output."""
        x = inputs[0] if len(inputs) == 1 else self.joined(inputs)
        row = first_row(layers)
        own = None if row is None else row.axes
        self.batch = min(1, len(x.letters) - 1) if own is None else len(x.letters) - own
        return replace(self.layers(layers, x, self.output), tensor=self.output)

    def joined(self, inputs: Sequence[Whole]) -> Whole:
        """x0 = (input, input, ...) along the last axis."""
        output, first = self.names("x0"), inputs[0]
        lead = first.letters[:-1]
        index = free_letter("i", {*self.bare, *lead})
        start = ZERO
        for whole in inputs:
            width = whole.size or ZERO
            at = ",".join([*lead, index if start == ZERO else f"{index} + {start}"])
            text = (
                f"{output}[{at}] = {whole.tensor}[{','.join([*lead, index])}] for {index} < {width}"
            )
            for statement in written(text, self.at, self.source):
                self.add(statement, f"{self.network}: the inputs, joined")
            start += width
        return replace(first, tensor=output, sizes=(*first.sizes[:-1], start))

    def layers(self, layers: Layers, x: Whole, last: str | None) -> Whole:
        """The layers in turn; `last` is what the last output is called."""
        for place, layer in enumerate(layers):
            end = last if place == len(layers) - 1 else None
            if isinstance(layer, Residual):
                x = self.residual(layer, x, end)
            else:
                x = self.layer(layer, x, end)
        return x

    def layer(self, layer: LayerText, x: Whole, last: str | None) -> Whole:
        """One layer, its activation behind it."""
        self.number += 1
        origin = f"{self.network}, layer {self.number}: {layer.text}"
        if layer.row is not None:
            signal = self.signal(layer, layer.row, x)
            built = layer.row.build(signal, layer.sizes, layer.options)
            is_last = last is not None and layer.activation is None
            output = last if is_last and last else self.names(f"{layer.row.letter}{self.number}")
            tensors = {"x": x.tensor, "y": output, **self.named(layer)}
            for key, text in built.params.items():
                tensors[key] = self.owned(f"{key}{self.number}")
                self.params[tensors[key]] = (text, layer.source)
            if built.params:
                known = dict(layer.row.torch)
                self.owners.append(tuple((known.get(k, k), tensors[k]) for k in built.params))
            self.write(built.equations, tensors, signal.lead, origin)
            x = self.after(x, signal, built, output)
        if layer.activation is not None:
            output = last or self.names(f"h{self.number}")
            self.activate(layer.activation, x, output, layer.source, origin)
            x = replace(x, tensor=output)
        return x

    def signal(self, layer: LayerText, row: Layer, x: Whole) -> Signal:
        """Its input as the layer sees it."""
        own = len(x.letters) - self.batch if row.axes is None else row.axes
        if x.kind != row.reads:
            raise layer.source.error(
                f"{row.name} reads {row.reads}s, and {x.tensor} is {x.kind}", 0
            )
        if len(x.letters) < own:
            raise layer.source.error(
                f"{row.name} works on the last {own} axes, and {x.tensor} has "
                f"{axes(len(x.letters))}",
                0,
            )
        sizes = tuple(size for size in x.sizes if size is not None)
        if own == 1 and len(sizes) < len(x.letters):  # then the others do not matter
            return Signal(x.letters[:-1], (), sizes[-1:], x.below)
        if len(sizes) < len(x.letters):
            raise layer.source.error(
                f"{row.name} needs all sizes of {x.tensor}, and here they cannot be told; "
                "give it a name with its shape in [tensors]",
                0,
            )
        lead = len(x.letters) - own
        return Signal(x.letters[:lead], sizes[:lead], sizes[lead:], x.below)

    def after(self, x: Whole, signal: Signal, built: Built, output: str) -> Whole:
        """The output of a layer, a letter for each of its axes."""
        letters = x.letters
        if len(built.shape) != len(signal.shape):
            letters = fresh_letters(signal.lead, len(built.shape), self.bare)
        return Whole(output, letters, (*x.sizes[: len(signal.lead)], *built.shape))

    def named(self, layer: LayerText) -> dict[str, str]:
        """The tensors that its options name, or what this network reads instead."""
        found = {key: self.instead.get(name, name) for key, name in layer.named.items()}
        for key, name in found.items():
            if not self.exists(name):
                raise layer.source.error(
                    f"{key} is the name of a tensor, and {shown(name)} is none", 0
                )
        return found

    def own_letters(self, x: Whole) -> tuple[str, ...]:
        """Letters for the places of a tensor, i on its last axis."""
        return (*x.letters[:-1], free_letter("i", {*self.bare, *x.letters[:-1]}))

    def activate(
        self, activation: Chosen, x: Whole, output: str, source: Source, origin: str
    ) -> None:
        """y = f(x)."""
        self.check_options(activation, source)
        values = {name: moved(value, self.at) for name, value in activation.values.items()}
        letters = self.own_letters(x)
        places = tuple(Name(self.at, letter, height=1) for letter in letters)

        def entry(last: tuple[Node, ...]) -> Node:
            return Read(self.at, x.tensor, (*places[:-1], *last) if last else places, height=2)

        body = activated(replace(activation, values=values), entry, self.at, self.bare)
        left = Read(self.at, output, places, height=2)
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

    def residual(self, block: Residual, x: Whole, last: str | None) -> Whole:
        """y = x + block(x)."""
        inner = self.layers(block.layers, x, None)
        if inner.size != x.size:
            raise block.source.error(
                f"a residual block adds its input, of size {x.size}, to its output, "
                f"of size {inner.size}; make both equal",
                0,
            )
        output = last or self.names(f"r{self.number}")
        tensors = {"x": x.tensor, "y": output, "f": inner.tensor}
        text = "y[b,i] = x[b,i] + f[b,i]"
        self.write(text, tensors, x.letters[:-1], "the residual connection")
        return replace(x, tensor=output)

    def write(
        self, text: str, tensors: Mapping[str, str], lead: tuple[str, ...], origin: str
    ) -> None:
        """The statements of a text, renamed: what it defines beside `y` gets the layer's number.

        lead: what `b` stands for in it.
        """
        found = list(written(text, self.at, self.source))
        own = dict.fromkeys(s.left.name for s in found if s.left.name not in tensors)
        named = {**tensors, **{name: self.names(f"{name}{self.number}") for name in own}}
        used = set().union(*(letters_of(s) for s in found))
        letters = {**clear(used & OWN, self.bare), BATCH: lead}  # others in subscripts are sizes
        naming = Naming(letters, named, {})
        for statement in found:
            self.add(naming.statement(statement), origin)

    def add(self, statement: Statement, origin: str) -> None:
        self.statements.append(numbered(replace(statement, origin=origin)))
