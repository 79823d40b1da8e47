"""dL/dw = sum over the paths from w to the loss of the product of the slopes along the path.

At concrete sizes every place of every tensor is a node, and each read at each point is an edge
with the slope d body / d read. The paths are enumerated one by one, and their sum is compared with
what the adjoint equations give, both expanded as polynomials in the forward values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from sympy import Add, Expr, Mul, S, Symbol, expand

from symgrad.algebra.access import Access, Affine, Subscript
from symgrad.algebra.derive import Derived
from symgrad.algebra.program import Equation, Program, Slot, slot_symbol
from symgrad.algebra.sizes import Size
from symgrad.errors import ProgramError

Sizes = Mapping[str, int]


@dataclass(frozen=True)
class Edge:
    """`end` reads `start`: d end / d start = slope."""

    start: Access
    end: Access
    slope: Expr


Path = tuple[Edge, ...]


@dataclass(frozen=True)
class Graph:
    """The places of a program at these sizes. leaving: the edges out of each place."""

    leaving: Mapping[Access, tuple[Edge, ...]]
    slots: Mapping[Symbol, Slot]

    def paths(self, start: Access, end: Access) -> Iterator[Path]:
        """Every sequence of edges from start to end."""
        for edge in self.leaving.get(start, ()):
            if edge.end == end:
                yield (edge,)
            else:
                yield from ((edge, *rest) for rest in self.paths(edge.end, end))


def along(path: Path) -> Expr:
    """The product of the slopes."""
    return Mul(*(edge.slope for edge in path))


def graph(program: Program, sizes: Sizes) -> Graph:
    """Errors: ProgramError where an equation is no sum, or a place is chosen by data."""
    leaving: dict[Access, list[Edge]] = {}
    slots: dict[Symbol, Slot] = {}
    for equation in program.equations:
        if equation.op != "sum":
            raise ProgramError(f"{equation.target} is no sum: paths are enumerated through sums")
        slopes = {s: equation.body.diff(s) for s, a in equation.slots if isinstance(a, Access)}
        for end, put in unrolled(equation, sizes):
            slots |= {slot_symbol(slot): slot for slot in put.values()}
            symbols = {s: slot_symbol(slot) for s, slot in put.items()}
            for symbol, slope in slopes.items():
                start = put[symbol]
                if slope != S.Zero and isinstance(start, Access):
                    leaving.setdefault(start, []).append(Edge(start, end, slope.xreplace(symbols)))
    return Graph({start: tuple(edges) for start, edges in leaving.items()}, slots)


def unrolled(equation: Equation, sizes: Sizes) -> Iterator[tuple[Access, dict[Symbol, Slot]]]:
    """At every point of the box: the place that is written, and what each symbol stands for.

    Errors: ProgramError where a place is chosen by data.
    """
    ranges = [range(r.lo.evaluate(sizes), r.hi.evaluate(sizes)) for r in equation.box]
    for values in product(*ranges):
        point = dict(zip((r.index for r in equation.box), values, strict=True))

        def at(slot: Slot, point: Mapping[str, int] = point) -> Slot:
            if isinstance(slot, Affine):
                return _number(slot, point, sizes)
            return Access(slot.tensor, tuple(_number(s, point, sizes) for s in slot.subscripts))

        target = at(equation.target)
        if isinstance(target, Access):
            yield target, {s: at(slot) for s, slot in equation.slots}


def _number(subscript: Subscript, point: Mapping[str, int], sizes: Sizes) -> Affine:
    if isinstance(subscript, Access):
        raise ProgramError(f"the place {subscript} is chosen by data: there is no path to follow")
    total = subscript.offset.evaluate(sizes)
    total += sum(c.evaluate(sizes) * point[i] for i, c in subscript.terms)
    return Affine((), Size.of(total))


Term = tuple[Expr, tuple[Access, ...]]
"""What is added into a place, and the adjoints in it."""


@dataclass(frozen=True)
class Recursion:
    """The adjoint equations at these sizes: what each place of an adjoint is, by those above it."""

    terms: Mapping[Access, tuple[Term, ...]]
    slots: Mapping[Symbol, Slot]

    def value(self, place: Access, put: Callable[[Access], bool] = lambda above: True) -> Expr:
        """The adjoint of a place by those above it, put in where wanted, brackets as they are."""
        added = [
            body.xreplace({slot_symbol(a): self.value(a, put) for a in above if put(a)})
            for body, above in self.terms.get(place, ())
        ]
        return Add(*added)


def recursion_of(derived: Derived, sizes: Sizes) -> Recursion:
    adjoints = frozenset(derived.name_of.values())
    terms: dict[Access, tuple[Term, ...]] = {}
    slots: dict[Symbol, Slot] = {}
    for equation in derived.program.equations:
        if equation.target.tensor not in adjoints:
            continue
        for target, put in unrolled(equation, sizes):
            slots |= {slot_symbol(slot): slot for slot in put.values()}
            above = tuple(a for a in put.values() if isinstance(a, Access) and a.tensor in adjoints)
            body = equation.body.xreplace({s: slot_symbol(a) for s, a in put.items()})
            terms[target] = (*terms.get(target, ()), (body, above))
    return Recursion(terms, slots)


@dataclass(frozen=True)
class Proof:
    """sum over the paths of the products of slopes - the recursion's value = difference."""

    place: Access
    paths: tuple[Path, ...]
    recursion: Expr
    difference: Expr

    @property
    def holds(self) -> bool:
        return bool(self.difference == S.Zero)


def proof(place: Access, paths: Sequence[Path], recursion: Expr) -> Proof:
    """Both sides expanded, and subtracted."""
    total = Add(*(along(path) for path in paths))
    return Proof(place, tuple(paths), recursion, expand(total - recursion))


def proofs(
    program: Program, derived: Derived, value: str, names: Sequence[str], sizes: Sizes
) -> tuple[Proof, ...]:
    """A proof for every place of the tensors `names` from which a path leads to the value.

    Errors: ProgramError where the two sides differ.
    """
    edges = graph(program, sizes)
    recursion = recursion_of(derived, sizes)
    end = Access(value)
    found = []
    for name in names:
        shape = [n.evaluate(sizes) for n in program.tensor_of[name].shape]
        for numbers in product(*map(range, shape)):
            place = Access(name, tuple(Affine((), Size.of(n)) for n in numbers))
            paths = tuple(edges.paths(place, end))
            adjoint = place.of(derived.name_of[name])
            one = required(proof(place, paths, recursion.value(adjoint)))
            if paths:
                found.append(one)
    return tuple(found)


def required(found: Proof) -> Proof:
    """The proof, where it is one.

    Errors: ProgramError where the paths' sum is not the recursion's value.
    """
    if not found.holds:
        raise ProgramError(
            f"the sum over {len(found.paths)} paths from {found.place} to the loss is not what the"
            f" recursion gives; they differ by {found.difference}"
        )
    return found
