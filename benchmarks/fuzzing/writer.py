"""What a random program is written with: names, axes, reads; and what has been written so far."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from symgrad.spec import Spec, parse_spec

Draw = Callable[[Any], Any]
Dims = tuple[str, ...]

AXES = ("B", "H", "T", "K", "3", "2")
LETTERS = "ijklmnopqrs"
READS = ("{}", "{}", "{}", "{}", "{}-1", "{}+2", "2*{}-1", "gathered")  # the others are padded


@dataclass(frozen=True)
class Case:
    """A spec's text, and the sizes to run it at.

    values:  "ordinary", or "grid": multiples of 1/2, so that many stand at kinks and ties.
    drawn:   what it was made of; refused: what symgrad said to parts that were then left out.
    """

    text: str
    sizes: dict[str, int]
    values: str = "ordinary"
    drawn: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Case({self.sizes}, {self.values})\n{self.text}"


@dataclass(frozen=True)
class Template:
    """Equations over local names.

    reads: each real tensor read and its axes; "<" gives an int's bound, "#" an int without one,
    "?" a bool.
    gives: the tensors defined; those with "!" are declared in [tensors].
    """

    reads: dict[str, str]
    text: str
    gives: dict[str, str]


@dataclass(frozen=True)
class Network:
    """A table of [networks]: its lines, and the axes of its inputs.

    learned: whether a loss may be differentiated by it.
    """

    table: str
    inputs: tuple[Dims, ...]
    learned: bool


@dataclass
class Writer:
    """The program so far.

    tensors: what a production may read, real, with its axes.
    terms:   of the loss, beside those that read what is left.
    drawn, refused: as in a Case.
    """

    draw: Draw
    tensors: dict[str, Dims] = field(default_factory=dict)
    ints: dict[str, tuple[Dims, str]] = field(default_factory=dict)
    bools: dict[str, Dims] = field(default_factory=dict)
    declared: dict[str, dict[str, str]] = field(
        default_factory=lambda: {"params": {}, "data": {}, "tensors": {}}
    )
    lines: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    networks: dict[str, Network] = field(default_factory=dict)
    terms: list[str] = field(default_factory=list)
    drawn: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    # ---- drawing ------------------------------------------------------------------------------

    def chosen(self, options: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(list(options)))

    def chance(self) -> bool:
        return bool(self.draw(st.booleans()))

    def subset(self, items: Sequence[str], least: int = 0) -> list[str]:
        """Some of the items, in any order."""
        count = self.draw(st.integers(min(least, len(items)), len(items)))
        return list(self.draw(st.permutations(list(items))))[:count]

    def dims(self, least: int, most: int) -> Dims:
        return tuple(self.draw(st.lists(st.sampled_from(AXES), min_size=least, max_size=most)))

    # ---- what can be read ---------------------------------------------------------------------

    def name(self, stem: str) -> str:
        taken = [*self.tensors, *self.ints, *self.bools]
        return f"{stem}{sum(bool(re.match(rf'{stem}[0-9]', name)) for name in taken) + 1}"

    def leaf(self, dims: Dims) -> str:
        role = self.chosen(("params", "data"))
        name = self.name("w" if role == "params" else "x")
        self.declared[role][name] = type_of("real", dims)
        if role == "data" and not dims and self.chance():
            self.declared[role][name] += " = 0.75"
        self.tensors[name] = dims
        return name

    def tensor(self, dims: Dims) -> str:
        """A real tensor of that shape, there already or new."""
        known = [name for name, have in self.tensors.items() if have == dims]
        name = self.chosen([*reversed(known), ""]) or self.leaf(dims)
        self.unread = [n for n in self.unread if n != name]
        return str(name)

    def any_tensor(self, least: int, most: int = 4) -> tuple[str, Dims]:
        known = [n for n, have in self.tensors.items() if least <= len(have) <= most]
        name = self.chosen([*reversed(known), ""]) or self.leaf(self.dims(least, min(most, 3)))
        self.unread = [n for n in self.unread if n != name]
        return name, self.tensors[name]

    def integer(self, dims: Dims, bound: str = "") -> str:
        known = [n for n, have in self.ints.items() if have == (dims, bound)]
        name = self.chosen([*known, ""])
        if not name:
            name = self.name("a")
            self.declared["data"][name] = type_of("int", dims) + (f" < {bound}" if bound else "")
            self.ints[name] = (dims, bound)
        return str(name)

    def boolean(self, dims: Dims) -> str:
        known = [n for n, have in self.bools.items() if have == dims]
        name = self.chosen([*known, ""])
        if not name:
            name = self.name("f")
            self.declared["data"][name] = type_of("bool", dims)
            self.bools[name] = dims
        return str(name)

    def read(self, name: str, indices: dict[str, str], letters: Sequence[str]) -> tuple[str, bool]:
        """name[letters], and whether they all stand plain: or padded, or gathered along one axis."""
        at, form = list(letters), self.chosen(READS)
        if not letters or form == "{}":
            return read_of(name, at), True
        k = self.draw(st.integers(0, len(at) - 1))
        if form == "gathered":
            key = self.subset(list(indices))
            at[k] = read_of(self.integer(tuple(indices[i] for i in key), indices[at[k]]), key)
            return read_of(name, at), False
        at[k] = form.format(at[k])
        return f"pad({read_of(name, at)})", False

    # ---- what is written ----------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """What is written so far, for `restore`."""
        found = {k: copy(v) for k, v in vars(self).items() if isinstance(v, list | dict)}
        return found | {"declared": {k: dict(v) for k, v in self.declared.items()}}

    def restore(self, before: dict[str, Any]) -> None:
        vars(self).update(before)

    def declare(self, name: str, dims: Dims) -> None:
        """A tensor whose equations are there, and do not show its shape."""
        self.declared["tensors"][name] = type_of("real", dims)
        self.tensors[name] = dims
        self.unread.append(name)

    def define(self, dims: Dims, letters: Sequence[str], body: str, ranges: str = "") -> str:
        name = self.name("v")
        self.lines.append(f"{read_of(name, letters)} = {body}{ranges}")
        self.tensors[name] = dims
        self.unread.append(name)
        return name

    def template(self, row: Template) -> None:
        names: dict[str, str] = {}
        for local, axes in row.reads.items():
            text, _, bound = axes.partition("<")
            dims = dims_of(text.rstrip("?#"))
            if bound or text.endswith("#"):
                names[local] = self.integer(dims, bound.strip())
            else:
                names[local] = self.boolean(dims) if text.endswith("?") else self.tensor(dims)
        for local, axes in row.gives.items():
            dims = dims_of(axes.removesuffix("!"))
            names[local] = self.name("v")
            self.tensors[names[local]] = dims
            self.unread.append(names[local])
            if axes.endswith("!"):
                self.declared["tensors"][names[local]] = type_of("real", dims)
        pattern = rf"\b({'|'.join(names)})\b"
        text = re.sub(pattern, lambda m: names[m.group()], row.text)
        self.lines += [line.strip() for line in text.strip().splitlines()]


def dims_of(text: str) -> Dims:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def type_of(kind: str, dims: Dims) -> str:
    return f"{kind}[{', '.join(dims)}]" if dims else kind


def read_of(name: str, subscripts: Sequence[str]) -> str:
    return f"{name}[{','.join(subscripts)}]" if subscripts else name


def ranges_of(indices: dict[str, str], letters: Sequence[str]) -> str:
    """for i < H, j < 3"""
    return (" for " if letters else "") + ", ".join(f"{i} < {indices[i]}" for i in letters)


@lru_cache(maxsize=8)
def parsed(text: str) -> Spec:
    """The spec; a case is parsed as it is drawn, and again by what uses it."""
    return parse_spec(text, "random")
