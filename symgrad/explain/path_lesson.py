"""One path told, and the proof that the sum over all paths is what the recursion gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sympy import Expr, Mul, S

from symgrad.algebra.access import Access
from symgrad.algebra.program import Program, Slot, slot_symbol
from symgrad.explain.book import Book
from symgrad.explain.explained import Explained
from symgrad.explain.layered import Layers, forward_of, layers_of
from symgrad.explain.paths import Path, Proof, Recursion, graph, proofs, recursion_of
from symgrad.explain.spelled import expression, product
from symgrad.explain.steps import ARROW, Code, Formula, Prose, Section, Step, joined, ratio

DEPTH, WIDTH = 3, 2
"""Layers of weights, and how many neurons each has, where paths are enumerated one by one."""

KIND = "path"


def path_sections(explained: Explained) -> Iterator[Section]:
    """None where there are no layers numbered by an index, or a place is chosen by data."""
    book = explained.book
    program = forward_of(book.derived)
    layers = layers_of(program)
    sizes = _sizes(program, layers) if layers else None
    if layers is None or sizes is None or explained.wrt != explained.loss.wrt:
        return
    names = [n for n in explained.wrt if n in {a.tensor for a in _entering(layers)}]
    found = proofs(program, book.derived, book.value, names, sizes)
    shown = _chosen(found, layers)
    if shown is not None:
        told = _Told(explained, layers, found, shown, sizes)
        yield told.one()
        yield told.all()


def _entering(layers: Layers) -> list[Access]:
    """What enters a layer: weights and biases, and what is below."""
    return [a for e in (layers.affine, *layers.others) for a in e.reads]


def _sizes(program: Program, layers: Layers) -> dict[str, int] | None:
    """DEPTH layers and WIDTH of everything else; None where the program is not followed."""
    axis = next(n for n, s in enumerate(layers.weight.subscripts) if layers.index in s.indices)
    count = program.tensor_of[layers.weight.tensor].shape[axis]
    sizes = {name: DEPTH + 1 if str(count) == name else WIDTH for name, _ in program.sizes}
    dimensions = [n.evaluate(sizes) for t in program.tensors for n in t.shape]
    followed = all(e.op == "sum" for e in program.equations) and not any(
        list(a.gathers()) for e in program.equations for a in (e.target, *e.reads)
    )
    small = len(layers.activation.target.subscripts) == 2 and max(dimensions) <= DEPTH + 1
    return sizes if followed and small and str(count) in sizes else None


def _chosen(found: Sequence[Proof], layers: Layers) -> Proof | None:
    """A weight from which there are as many paths as from any, and not the very first."""
    own = [p for p in found if p.place.tensor == layers.weight.tensor]
    most = [p for p in own if len(p.paths) == max(len(q.paths) for q in own)]
    return most[min(1, len(most) - 1)] if most else None


@dataclass(frozen=True)
class _Told:
    """The paths from one place, and those from all. shown: the proof that is spelled out."""

    explained: Explained
    layers: Layers
    found: tuple[Proof, ...]
    shown: Proof
    sizes: Mapping[str, int]

    @property
    def book(self) -> Book:
        return self.explained.book

    @cached_property
    def recursion(self) -> Recursion:
        return recursion_of(self.book.derived, self.sizes)

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        forward = graph(forward_of(self.book.derived), self.sizes).slots
        return (*forward.values(), *self.recursion.slots.values())

    @cached_property
    def ends(self) -> Mapping[Expr, Access]:
        """The slopes into the loss, each with the adjoint that is this slope and nothing else."""
        last = [path[-1] for path in self.shown.paths]
        found = {edge.slope: self.adjoint(edge.start) for edge in last}
        return {slope: a for slope, a in found.items() if self.recursion.value(a) == slope}

    def adjoint(self, place: Access) -> Access:
        return place.of(self.book.derived.name_of[place.tensor])

    def step(self, title: Prose, *formulas: Formula) -> Step:
        return Step(next(self.explained.numbers), KIND, title, formulas)

    def code(self, expr: Expr) -> Code:
        """An expression, with dL/dy in the place of what the loss gives."""
        put = expr.xreplace({slope: slot_symbol(a) for slope, a in self.ends.items()})
        return expression(self.book, put, self.slots)

    def formula(self, place: Access, *terms: Expr) -> Formula:
        return Formula(self.book.adjoint(self.adjoint(place)), tuple(map(self.code, terms)))

    def one(self) -> Section:
        book, shown = self.book, self.shown
        path = shown.paths[len(shown.paths) // 2]
        given = " and ".join(f"{name} = {value}" for name, value in self.sizes.items())
        intro: Prose = (
            f"With {given} there are {DEPTH} layers of weights. A path goes from a weight through "
            "one neuron of every layer above it to the loss; along it the slopes multiply.",
        )
        start = book.code(shown.place)
        left = book.adjoint(self.adjoint(shown.place))
        starts = [
            Formula(book.adjoint(a), (expression(book, slope, self.slots),))
            for slope, a in self.ends.items()
        ]
        steps = (
            self.step(("One neuron further along a path",), _edge(book, self.layers)),
            *([self.step(("At its end, the loss",), *starts)] if starts else []),
            self.step(
                (f"One of the {len(shown.paths)} paths from ", start, ": ", _way(book, path)),
                Formula(left, (self.along(path),), sign="+="),
            ),
        )
        return Section("Along one path", (intro,), steps)

    def along(self, path: Path) -> Code:
        """The product of the slopes, in the order of the path."""
        ends = {slope: slot_symbol(a) for slope, a in self.ends.items()}
        slopes = [ends.get(e.slope, e.slope) for e in path if e.slope != S.One]
        return product(self.book, slopes, self.slots)

    def all(self) -> Section:
        book, shown = self.book, self.shown
        left = book.adjoint(self.adjoint(shown.place))
        total = Formula(left, tuple(self.along(path) for path in shown.paths))
        difference = Formula(
            Code("the paths - the recursion", r"\text{the paths} - \text{the recursion}"),
            (self.code(shown.difference),),
        )
        start = book.code(shown.place)
        steps = (
            self.step((f"All {len(shown.paths)} paths from ", start, ", added up"), total),
            self.step(("The recursion, from the loss back to ", start), *self.backwards()),
            self.step(
                ("The same with one put into the other",),
                self.formula(shown.place, *_outermost(shown.recursion)),
            ),
            self.step(("Both sums multiplied out, and subtracted",), difference),
        )
        return Section("The sum over all paths", (), steps, tuple(self.counts()))

    def backwards(self) -> Iterator[Formula]:
        """The recursion's equations on the way, each neuron once, in the order of computation."""
        places = {edge.start: None for path in self.shown.paths for edge in path[:-1]}
        order = sorted(places, key=lambda a: _far(a, self.shown.paths))
        for place in order:
            if place.tensor != self.layers.post:
                yield self.formula(place, self.recursion.value(self.adjoint(place), self.put))

    def put(self, adjoint: Access) -> bool:
        """Whether an adjoint is put in: that of y, so that x follows x."""
        ends = set(self.ends.values())
        return self.book.primal[adjoint.tensor] == self.layers.post and adjoint not in ends

    def counts(self) -> Iterator[Prose]:
        """How many places and paths the proof covers, and how the number of paths grows."""
        total = sum(len(p.paths) for p in self.found)
        names = " and ".join(dict.fromkeys(p.place.tensor for p in self.found))
        yield (
            f"The same comes out for each of the {len(self.found)} entries of {names} in these "
            f"layers, along {total} paths in all: every difference is 0.",
        )
        weight, index = self.layers.weight, self.layers.index
        axis = next(n for n, s in enumerate(weight.subscripts) if index in s.indices)
        many = {
            str(one.place.subscripts[axis]): len(one.paths)
            for one in self.found
            if one.place.tensor == weight.tensor
        }
        said = ", ".join(f"{count} in layer {layer}" for layer, count in many.items())
        yield (
            f"Paths from one weight: {said}. Every layer more multiplies them by its number of "
            "neurons; the recursion goes through each neuron once.",
        )


def _outermost(expr: Expr) -> Iterator[Expr]:
    """a*b*(c + d): a*b*c and a*b*d; the sums inside c and d stay."""
    factors = Mul.make_args(expr)
    inner = next((f for f in factors if f.is_Add), None)
    if inner is None:
        yield expr
        return
    beside = Mul(*(f for f in factors if f is not inner))
    yield from (beside * term for term in inner.args)


def _far(place: Access, paths: Sequence[Path]) -> tuple[int, str]:
    """How many edges it is to the loss."""
    return (
        min(len(path) - n for path in paths for n, e in enumerate(path) if e.start == place),
        str(place),
    )


def _edge(book: Book, layers: Layers) -> Formula:
    """d y[l,i] / d y[l-1,j] = sigma'(x[l,i])*w[l,i,j], by this one read."""
    partials = book.derived.partials
    own = next(p for p in partials if p.read == layers.below and p.equation is layers.affine)
    last = next(p for p in partials if p.equation is layers.activation)
    code = product(book, (last.slope, own.slope), (*last.slots, *own.slots))
    above, below = book.code(layers.activation.target), book.code(layers.below)
    ranges = [r for r in layers.affine.box if r.index == layers.index]
    return Formula(ratio(above, below), (code,), conditions=book.ranges(ranges))


def _way(book: Book, path: Path) -> Code:
    places = (path[0].start, *(edge.end for edge in path))
    return joined(map(book.code, places), *ARROW)
