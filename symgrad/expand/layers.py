"""The equations of one network applied to given inputs: layer by layer, each from its row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symgrad.algebra.sizes import ZERO, Size
from symgrad.catalog.activations import Activation
from symgrad.catalog.layers import Signal
from symgrad.expand.network import Chosen, Network, Residual, Stage
from symgrad.expand.trees import Naming, letters_of, mapped, moved, numbered, written
from symgrad.notation.parser import parse_expression
from symgrad.notation.syntax import Name, Node, Read, Source, Statement

Entry = Callable[[tuple[Node, ...]], Node]
"""Subscripts of the last axis, or none, to the entry of an activation's argument there."""


def activated(row: Activation, values: Mapping[str, Node], entry: Entry, at: int) -> Node:
    """f(entry), as if it stood at one offset; values: the options that are set."""
    known = {name: moved(parse_expression(Source(text)), at) for name, text in row.options}
    known |= values

    def one(node: Node) -> Node:
        if isinstance(node, Name):
            return entry(()) if node.name == "x" else known.get(node.name, node)
        if isinstance(node, Read) and node.name == "x":
            return entry(node.subscripts)
        return node

    return mapped(moved(parse_expression(Source(row.formula)), at), one)


@dataclass
class Application:
    """A network applied to inputs: collects its equations, and the parameters that they need.

    names:  what to call a thing of this application: z1 -> q_z1_next_obs.
    owned:  what to call a parameter, which all applications share: W1 -> q_W1.
    output: what to call the last output.
    bare:   names that no index may have.
    """

    network: Network
    names: Callable[[str], str]
    owned: Callable[[str], str]
    output: str
    bare: frozenset[str]
    number: int = 0
    statements: list[Statement] = field(default_factory=list)
    params: dict[str, tuple[str, Source]] = field(default_factory=dict)

    def run(self, inputs: Sequence[str], widths: Sequence[Size], lead: tuple[str, ...]) -> Size:
        """The equations; returns the size of the output's last axis."""
        name = inputs[0] if len(inputs) == 1 else self.joined(inputs, widths, lead)
        signal = Signal(lead, sum(widths, ZERO))
        _, after = self.stages(self.network.stages, name, signal, self.output)
        return after.size

    def joined(self, inputs: Sequence[str], widths: Sequence[Size], lead: tuple[str, ...]) -> str:
        """x0 = (input, input, ...) along the last axis."""
        output = self.names("x0")
        start = ZERO
        for name, width in zip(inputs, widths, strict=True):
            signal = Signal(lead, width)
            place = signal.at("i" if start == ZERO else f"i + {start}")
            text = f"y{place} = x{signal.at('i')} for i < {width}"
            self.write(text, {"x": name, "y": output}, "the inputs, joined")
            start += width
        return output

    def stages(
        self, stages: Sequence[Stage | Residual], name: str, signal: Signal, last: str | None
    ) -> tuple[str, Signal]:
        """The layers in turn; `last` is what the last output is called."""
        for place, stage in enumerate(stages):
            end = last if place == len(stages) - 1 else None
            if isinstance(stage, Residual):
                name = self.residual(stage, name, signal, end)
            else:
                name, signal = self.stage(stage, name, signal, end)
        return name, signal

    def stage(
        self, stage: Stage, name: str, signal: Signal, last: str | None
    ) -> tuple[str, Signal]:
        """One layer, its activation behind it."""
        self.number += 1
        origin = f"layer {self.number}, {stage.source.text.strip()}"
        if stage.row is not None:
            built = stage.row.build(signal, stage.sizes, stage.options)
            whole = stage.activation is None and last is not None
            output = last if whole and last else self.names(f"{stage.row.letter}{self.number}")
            tensors = {"x": name, "y": output}
            for key, text in built.params.items():
                tensors[key] = self.owned(f"{key}{self.number}")
                self.params[tensors[key]] = (text, stage.source)
            self.write(built.equations, tensors, origin)
            name, signal = output, Signal(signal.lead, built.size)
        if stage.activation is not None:
            output = last or self.names(f"h{self.number}")
            self.activate(stage.activation, name, output, signal, origin)
            name = output
        return name, signal

    def activate(self, chosen: Chosen, name: str, output: str, signal: Signal, origin: str) -> None:
        """y = f(x)."""
        lead = tuple(Name(0, letter, height=1) for letter in signal.lead)

        def entry(last: tuple[Node, ...]) -> Node:
            place = (*lead, *(last or (Name(0, "i", height=1),)))
            return Read(0, "x", place, height=2)

        body = activated(chosen.row, chosen.values, entry, 0)
        self.write(f"y{signal.at('i')} = 0", {"x": name, "y": output}, origin, body)

    def residual(self, block: Residual, name: str, signal: Signal, last: str | None) -> str:
        """y = x + block(x)."""
        inner, after = self.stages(block.stages, name, signal, None)
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

    def write(
        self, text: str, tensors: Mapping[str, str], origin: str, body: Node | None = None
    ) -> None:
        """The statements of a text, renamed; `body` stands for the right side, where it is given.

        Whatever a text defines beside `y` gets the layer's number.
        """
        found = list(written(text, 0, self.network.source))
        if body is not None:
            found = [replace(statement, right=body) for statement in found]
        own = dict.fromkeys(s.left.name for s in found if s.left.name not in tensors)
        named = {**tensors, **{name: self.names(f"{name}{self.number}") for name in own}}
        naming = Naming(clear(found, self.bare), named, {})
        origin = f"{self.network.name}: {origin}"
        for statement in found:
            self.statements.append(numbered(replace(naming.statement(statement), origin=origin)))


def clear(statements: Iterable[Statement], bare: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """New letters for the indices that would be taken for a size or a tensor of rank 0."""
    used = set().union(*(letters_of(s) for s in statements))
    found: dict[str, tuple[str, ...]] = {}
    for letter in sorted(used & bare):
        found[letter] = (free_letter(f"{letter}1", used | bare),)
        used.add(found[letter][0])
    return found


def free_letter(wanted: str, taken: Iterable[str]) -> str:
    """An index of its own: the wanted letter, or the first of a row that is free."""
    known = set(taken)
    for letter in (wanted, *LETTERS):
        if letter not in known:
            return letter
    return next(f"{wanted}{n}" for n in range(2, len(known) + 3) if f"{wanted}{n}" not in known)


LETTERS = ("b", "t", "n", "m", "p", "q", "r", "s")
"""What leading axes are called where nothing suggests a letter."""
