"""Which literal sizes are one extent, and which of them may be smaller without another meaning.

`real[B, 64]` has no name for its 64, so nobody but the checker can shrink it. Axes, the ranges of
indices and the bounds of integers are tied where an equation makes them meet:

    z[b,i] += W[i,j]*x[b,j]      W's first axis, z's second and the range of i are one extent
    q[b,act[b]]                  q's second axis and the bound of act are one extent
    W2 = "... init=copy(W1)"     the axes of W2 are those of W1

    z[b,u] += W[k]*x[b,4*u+k]    x's second axis follows from the ranges of u and k
    f[b,7*j+k] = h[b,j,k]        f's second axis does, and so does the 7

An extent stays as it is where one of its indices stands in another form (`x[2*i+1]`), is used as a
number, or runs over a part of an axis. A constant subscript `x[b,3]` needs 4 places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

from symgrad.algebra.access import Access, Affine, Subscript
from symgrad.algebra.program import (
    Equation,
    Program,
    Range,
    Slot,
    Tensor,
    digits,
    rewritten,
    slot_symbol,
)
from symgrad.algebra.sizes import ONE, ZERO, Size

Node = tuple[object, ...]
"""An axis ("axis", tensor, shape, k), a range ("range", program, equation, index), a bound."""

SMALLEST = 4
"""A literal that is no larger stays, unless a window reads its index."""


@dataclass(frozen=True)
class Form:
    """Several indices on one axis: 4*u + k, or 7*j + k that counts its places.

    terms: of each index its range, its coefficient and its count.
    slack: how many places of the axis the greatest value leaves; less than 0 where it is padded.
    """

    terms: tuple[tuple[Node, int, int], ...]
    slack: int
    counts: bool

    def size(self, count: Callable[[Node, int], int]) -> int:
        """Of the axis, where the indices have other counts."""
        if self.counts:
            return prod(count(node, old) for node, _, old in self.terms) + self.slack
        reach = sum(step * (count(node, old) - 1) for node, step, old in self.terms)
        return reach + 1 + self.slack


@dataclass(frozen=True)
class Extent:
    """One literal size: everything that it is the size of.

    least:  what constant subscripts need.
    forms:  what it follows from, if from anything.
    inside: whether a window reads its index.
    """

    value: int
    nodes: frozenset[Node]
    least: int
    forms: tuple[Form, ...] = ()
    inside: bool = False


@dataclass
class _Ties:
    """Union-find over nodes, with what is known of each."""

    parent: dict[Node, Node] = field(default_factory=dict)
    sizes: dict[Node, Size] = field(default_factory=dict)
    pinned: set[Node] = field(default_factory=set)
    needed: dict[Node, int] = field(default_factory=dict)
    forms: list[tuple[Node, Form]] = field(default_factory=list)

    def add(self, node: Node, size: Size | None) -> Node:
        """A node without a known size stays as it is."""
        self.parent.setdefault(node, node)
        if size is None:
            self.pinned.add(node)
        else:
            self.sizes.setdefault(node, size)
        return node

    def root(self, node: Node) -> Node:
        while self.parent[node] != node:
            self.parent[node] = self.parent[self.parent[node]]
            node = self.parent[node]
        return node

    def tie(self, a: Node, b: Node) -> None:
        self.parent[self.root(a)] = self.root(b)

    def extents(self) -> Iterator[Extent]:
        groups: dict[Node, list[Node]] = {}
        for node in self.parent:
            groups.setdefault(self.root(node), []).append(node)
        for nodes in groups.values():
            found = {self.sizes[n].constant if n in self.sizes else None for n in nodes}
            value = found.pop() if len(found) == 1 else None
            axes = any(node[0] == "axis" for node in nodes)
            if value is not None and axes and self.pinned.isdisjoint(nodes):
                least = max((self.needed.get(n, 1) for n in nodes), default=1)
                forms = dict.fromkeys(form for axis, form in self.forms if axis in nodes)
                read = {node for _, f in self.forms if not f.counts for node, _, _ in f.terms}
                inside = not read.isdisjoint(nodes)
                yield Extent(value, frozenset(nodes), least, tuple(forms), inside)

    def settle(self) -> None:
        """The indices of a form stay as they are where its axis does."""
        while True:
            stay = {self.root(node) for node in self.pinned}
            held = {
                node
                for axis, form in self.forms
                for node, _, _ in form.terms
                if self.root(axis) in stay and self.root(node) not in stay
            }
            if not held:
                return
            self.pinned |= held


def extents_of(programs: Sequence[Program]) -> list[Extent]:
    """The literal extents that may shrink, in order of appearance.

    Tensors of one name and shape in several programs are one.
    """
    ties = _Ties()
    for number, program in enumerate(programs):
        for tensor in program.tensors:
            _declare(ties, tensor, program)
        for place, equation in enumerate(program.equations):
            _Walk(ties, program, equation, (number, place)).all()
    ties.settle()
    return [e for e in ties.extents() if e.value > max(1 if e.inside else SMALLEST, e.least)]


def axis_of(tensor: Tensor, k: int) -> Node:
    return "axis", tensor.name, tensor.shape, k


def _bound(tensor: Tensor) -> Node:
    return "bound", tensor.name, tensor.shape


def _declare(ties: _Ties, tensor: Tensor, program: Program) -> None:
    for k, size in enumerate(tensor.shape):
        ties.add(axis_of(tensor, k), size)
    if tensor.kind != "real":
        ties.add(_bound(tensor), tensor.below)
    init = tensor.init or ""
    original = program.tensor_of.get(init.removeprefix("copy(").removesuffix(")"))
    if init.startswith("copy(") and original is not None:
        for k, size in enumerate(original.shape):
            ties.tie(ties.add(axis_of(original, k), size), axis_of(tensor, k))


@dataclass(frozen=True)
class _Walk:
    """What one equation ties together and pins."""

    ties: _Ties
    program: Program
    equation: Equation
    place: tuple[int, int]

    def all(self) -> None:
        for r in self.equation.box:
            self.ties.add(self.range(r.index), r.hi if r.lo == ZERO else None)
        for _, slot in self.equation.slots:
            if isinstance(slot, Affine):
                self.pin(slot)
        for access in (self.equation.target, *self.equation.reads):
            self.access(access)
        if self.equation.op == "argmax":
            self.place_of_greatest()

    def range(self, index: str) -> Node:
        return "range", *self.place, index

    def pin(self, form: Affine) -> None:
        self.ties.pinned |= {self.range(index) for index in form.indices}

    def place_of_greatest(self) -> None:
        """An argmax is below the range that it runs over."""
        bound = _bound(self.program.tensor_of[self.equation.target.tensor])
        for index in self.equation.reduced:
            self.ties.tie(bound, self.range(index))

    def access(self, access: Access) -> None:
        tensor = self.program.tensor_of[access.tensor]
        for k, subscript in enumerate(access.subscripts):
            axis = axis_of(tensor, k)
            if isinstance(subscript, Access):
                self.ties.tie(axis, _bound(self.program.tensor_of[subscript.tensor]))
            elif subscript.plain is not None:  # a pad that reaches out ties two sizes: none shrinks
                self.ties.tie(axis, self.range(subscript.plain))
            elif (form := self.form(subscript, tensor.shape[k])) is not None:
                self.ties.forms.append((axis, form))
            else:
                self.pin(subscript)
                constant = subscript.offset.constant
                if subscript.terms or constant is None or access.padded:
                    self.ties.pinned.add(axis)
                else:
                    needed = self.ties.needed
                    needed[axis] = max(needed.get(axis, 1), constant + 1)

    def form(self, subscript: Affine, size: Size) -> Form | None:
        """Several indices from 0 on, in literal steps."""
        ranges, total, first = self.equation.range_of, size.constant, subscript.offset.constant
        terms = []
        for index, coefficient in subscript.terms:
            step, count = coefficient.constant, ranges[index].hi.constant
            if step is None or count is None or step < 1 or ranges[index].lo != ZERO:
                return None
            terms.append((self.range(index), step, count))
        if len(terms) < 2 or total is None or first is None:
            return None
        counted = digits(subscript, ranges)
        slack = total - 1 - sum(step * (count - 1) for _, step, count in terms)
        return Form(tuple(terms), slack, counted is not None)


def derived(extents: Sequence[Extent], free: Mapping[Extent, int]) -> dict[Extent, int] | None:
    """All extents, where those that follow from none have these values; None if they contradict."""
    extent_of = {node: extent for extent in extents for node in extent.nodes}
    found: dict[Extent, int] = dict(free)

    def value(extent: Extent, above: tuple[Extent, ...]) -> int:
        if extent not in found:
            if extent in above:  # it follows from itself
                raise _Contradiction

            def count(node: Node, old: int) -> int:
                inner = extent_of.get(node)
                return old if inner is None else value(inner, (*above, extent))

            sizes = {form.size(count) for form in extent.forms}
            if len(sizes) != 1:
                raise _Contradiction
            found[extent] = sizes.pop()
        return found[extent]

    try:
        return {extent: value(extent, ()) for extent in extents}
    except _Contradiction:
        return None


class _Contradiction(Exception):
    """Two forms give one axis two sizes."""


def shrunk(
    programs: Sequence[Program], chosen: Sequence[tuple[Extent, int]]
) -> tuple[Program, ...]:
    """The programs with each of these extents at another value."""
    sizes = {node: Size.of(value) for extent, value in chosen for node in extent.nodes}
    return tuple(_resized(number, program, sizes) for number, program in enumerate(programs))


def _resized(number: int, program: Program, sizes: Mapping[Node, Size]) -> Program:
    def tensor(old: Tensor) -> Tensor:
        shape = tuple(sizes.get(axis_of(old, k), size) for k, size in enumerate(old.shape))
        below = None if old.below is None else sizes.get(_bound(old), old.below)
        return replace(old, shape=shape, below=below)

    def box(place: int, ranges: Sequence[Range]) -> tuple[Range, ...]:
        return tuple(
            replace(r, hi=sizes.get(("range", number, place, r.index), r.hi)) for r in ranges
        )

    def resized(place: int, old: Equation) -> Equation:
        ranges = box(place, old.box)
        new = {r.index: r for r in ranges}

        def slot(s: Slot) -> Slot:
            return _counting(s, old.range_of, new) if isinstance(s, Access) else s

        slots = {symbol: slot(s) for symbol, s in old.slots}
        symbols = {symbol: slot_symbol(s) for symbol, s in slots.items()}
        return replace(
            old,
            target=_counting(old.target, old.range_of, new),
            body=rewritten(old.body, symbols),
            slots=tuple((symbols[symbol], s) for symbol, s in slots.items()),
            box=ranges,
        )

    equations = tuple(resized(place, old) for place, old in enumerate(program.equations))
    return replace(program, tensors=tuple(map(tensor, program.tensors)), equations=equations)


def _counting(access: Access, old: Mapping[str, Range], new: Mapping[str, Range]) -> Access:
    """7*j + k counts by the range of k: its 7 changes with it."""

    def moved(s: Subscript) -> Subscript:
        counted = digits(s, old) if isinstance(s, Affine) else None
        if counted is None:
            return s
        counts = [new[i].hi for i in counted]
        steps = {i: prod(counts[n + 1 :], start=ONE) for n, i in enumerate(counted)}
        return Affine.collect(steps, ZERO)

    return replace(access, subscripts=tuple(map(moved, access.subscripts)))
