"""Which literal sizes are one extent, and which of them may be smaller without another meaning.

`real[B, 64]` has no name for its 64, so nobody but the checker can shrink it. Axes, the ranges of
indices and the bounds of integers are tied where an equation makes them meet:

    z[b,i] += W[i,j]*x[b,j]      W's first axis, z's second and the range of i are one extent
    q[b,act[b]]                  q's second axis and the bound of act are one extent
    W2 = "... init=copy(W1)"     the axes of W2 are those of W1

An extent stays as it is where one of its indices stands in a form (`x[2*i+1]`, `pad(...)`), is used
as a number, or runs over a part of an axis. A constant subscript `x[b,3]` needs 4 places.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation, Program, Range, Tensor
from symgrad.algebra.sizes import ZERO, Size

Node = tuple[object, ...]
"""An axis ("axis", tensor, shape, k), a range ("range", program, equation, index), a bound."""

SMALLEST = 4
"""A literal that is no larger stays."""


@dataclass(frozen=True)
class Extent:
    """One literal size: everything that it is the size of. least: what constant subscripts need."""

    value: int
    nodes: frozenset[Node]
    least: int


@dataclass
class _Ties:
    """Union-find over nodes, with what is known of each."""

    parent: dict[Node, Node] = field(default_factory=dict)
    sizes: dict[Node, Size] = field(default_factory=dict)
    pinned: set[Node] = field(default_factory=set)
    needed: dict[Node, int] = field(default_factory=dict)

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
                yield Extent(value, frozenset(nodes), least)


def extents_of(programs: Sequence[Program]) -> list[Extent]:
    """The literal extents of more than SMALLEST places that may shrink, in order of appearance.

    Tensors of one name and shape in several programs are one.
    """
    ties = _Ties()
    for number, program in enumerate(programs):
        for tensor in program.tensors:
            _declare(ties, tensor, program)
        for place, equation in enumerate(program.equations):
            _Walk(ties, program, equation, (number, place)).all()
    return [extent for extent in ties.extents() if extent.value > max(SMALLEST, extent.least)]


def _axis(tensor: Tensor, k: int) -> Node:
    return "axis", tensor.name, tensor.shape, k


def _bound(tensor: Tensor) -> Node:
    return "bound", tensor.name, tensor.shape


def _declare(ties: _Ties, tensor: Tensor, program: Program) -> None:
    for k, size in enumerate(tensor.shape):
        ties.add(_axis(tensor, k), size)
    if tensor.kind != "real":
        ties.add(_bound(tensor), tensor.below)
    init = tensor.init or ""
    original = program.tensor_of.get(init.removeprefix("copy(").removesuffix(")"))
    if init.startswith("copy(") and original is not None:
        for k, size in enumerate(original.shape):
            ties.tie(ties.add(_axis(original, k), size), _axis(tensor, k))


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
            axis = _axis(tensor, k)
            if isinstance(subscript, Access):
                self.ties.tie(axis, _bound(self.program.tensor_of[subscript.tensor]))
            elif subscript.plain is not None:
                self.ties.tie(axis, self.range(subscript.plain))
            else:
                self.pin(subscript)
                constant = subscript.offset.constant
                if subscript.terms or constant is None:
                    self.ties.pinned.add(axis)
                else:
                    needed = self.ties.needed
                    needed[axis] = max(needed.get(axis, 1), constant + 1)
            if access.padded:
                self.ties.pinned.add(axis)


def shrunk(
    programs: Sequence[Program], chosen: Sequence[tuple[Extent, int]]
) -> tuple[Program, ...]:
    """The programs with each of these extents at another value."""
    sizes = {node: Size.of(value) for extent, value in chosen for node in extent.nodes}
    return tuple(_resized(number, program, sizes) for number, program in enumerate(programs))


def _resized(number: int, program: Program, sizes: Mapping[Node, Size]) -> Program:
    def tensor(old: Tensor) -> Tensor:
        shape = tuple(sizes.get(_axis(old, k), size) for k, size in enumerate(old.shape))
        below = None if old.below is None else sizes.get(_bound(old), old.below)
        return replace(old, shape=shape, below=below)

    def box(place: int, ranges: Sequence[Range]) -> tuple[Range, ...]:
        return tuple(
            replace(r, hi=sizes.get(("range", number, place, r.index), r.hi)) for r in ranges
        )

    equations = tuple(
        replace(equation, box=box(place, equation.box))
        for place, equation in enumerate(program.equations)
    )
    return replace(program, tensors=tuple(map(tensor, program.tensors)), equations=equations)
