"""What the equations of a tensor add to it, and the magnitude of what they add."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, reduce
from itertools import product

import numpy as np
from sympy import Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation
from symgrad.errors import ProgramError
from symgrad.verify import magnitude
from symgrad.verify.arithmetic import Array, Numbers
from symgrad.verify.body import Body, Trace
from symgrad.verify.factored import Split, factors, grouped
from symgrad.verify.graph import Node, Reads
from symgrad.verify.points import Grid, Layout, Probes, add_at, put, read
from symgrad.verify.recurrence import Course, Writer


@dataclass
class Run:
    """One evaluation: the tensors known so far, the stops and the branches met.

    parts: the last contribution of each equation and the arrays it was made from.
    settling: tensors that read each other and did not come to rest by matrix products: those of the
              same numbers need not be the same to the last bit.
    """

    layout: Layout
    numbers: Numbers
    frozen: Mapping[Node, Array]
    held: Mapping[Node, Array]
    tensors: dict[str, Array]
    scales: dict[str, Array] = field(default_factory=dict)
    stops: dict[Node, Array] = field(default_factory=dict)
    branches: dict[Node, Array] = field(default_factory=dict)
    parts: dict[int, tuple[list[Array], Array]] = field(default_factory=dict)
    settling: set[str] = field(default_factory=set)
    probes: Probes = field(default_factory=Probes)

    @cached_property
    def reads(self) -> Reads:
        return self.layout.reads(self.frozen)

    def zeros(self, name: str) -> Array:
        shape = self.probes.shape(name, self.layout.shapes[name])
        if self.layout.program.tensor_of[name].kind != "real":
            return np.zeros(shape, dtype=np.int64)
        return np.full(shape, self.numbers.ratio(0, 1), self.numbers.dtype)

    def tensor(self, name: str) -> Array:
        """The contributions of every equation that writes a tensor, added up."""
        total = self.zeros(name)
        for number in self.layout.writers.get(name, ()):
            equation = self.layout.program.equations[number]
            with _placed(equation):
                self.write(total, equation, self.layout.grid(number), self.part(number, equation))
        return total

    def write(self, total: Array, equation: Equation, grid: Grid, part: Array) -> None:
        """total[f(I)] op= part."""
        if equation.op == "sum":
            rounded = part if total.dtype != np.int64 else _integers(part)
            add_at(total, equation.target, grid, self.tensors, rounded)
        else:
            put(total, equation.target, grid, self.tensors, part)

    def along(self, course: Course) -> None:
        """The tensors of a recurrence, place by place."""
        self.tensors.update({name: self.zeros(name) for name in course.names})
        left: dict[Writer, list[Trace]] = {}
        for place, name in product(course.places, course.names):
            for writer in course.writers[name]:
                grid = self.layout.slice(writer, place)
                if grid is None:
                    continue
                equation = self.layout.program.equations[writer.equation]
                trace = self.trace_at(writer, place)
                with _placed(equation):
                    part = self.reduced(equation, grid, trace)
                    self.write(self.tensors[name], equation, grid, part)
                left.setdefault(writer, []).append(trace)
        for writer, traces in left.items():
            if course.places.step < 0:
                traces.reverse()
            axis = self.axis(writer)
            for k in traces[0].stops:
                self.stops[writer.equation, k] = _joined([t.stops[k] for t in traces], axis)
            for k in traces[0].branches:
                self.branches[writer.equation, k] = _joined([t.branches[k] for t in traces], axis)

    def axis(self, writer: Writer) -> int:
        """Of the box, along which places follow each other, counted from the last; 0 for none."""
        grid = self.layout.grid(writer.equation)
        return grid.axes([writer.index])[0] if writer.index else 0

    def trace_at(self, writer: Writer, place: int) -> Trace:
        """What is held of an equation's stops and branches, at one place."""
        whole, axis = self.trace(writer.equation), self.axis(writer)
        if not axis:
            return whole
        low = self.layout.grid(writer.equation).box[axis].lo.evaluate(self.layout.sizes)
        at = place - writer.offset - low
        cut = [
            {k: v.take([at], axis) if _carries(v, axis) else v for k, v in held.items()}
            for held in (whole.frozen, whole.held)
        ]
        return Trace(*cut)

    def part(self, number: int, equation: Equation) -> Array:
        """One equation's contribution; not made again while what it reads stays the same."""
        made_from = [self.tensors[name] for name in self.reads.by_equation[number]]
        known = self.parts.get(number)
        if known is not None and all(a is b for a, b in zip(known[0], made_from, strict=True)):
            return known[1]
        trace = self.trace(number)
        part = self.reduced(equation, self.layout.grid(number), trace)
        self.parts[number] = made_from, part
        self.stops.update({(number, k): value for k, value in trace.stops.items()})
        self.branches.update({(number, k): value for k, value in trace.branches.items()})
        return part

    def reduced(self, equation: Equation, grid: Grid, trace: Trace) -> Array:
        """The body over the box, then op over the indices that the target does not carry."""
        body, axes = self.body(equation, grid, trace), grid.axes(equation.reduced)
        found = self.product(body, equation, grid, axes)
        if found is not None:
            part = found
        elif equation.op == "logsumexp":
            part = self.logsumexp(self.over(body, equation, grid), axes)
        elif equation.op == "argmax":
            part = self.argmax(self.over(body, equation, grid), axes, grid, trace)
        else:
            part = self.over(body, equation, grid)
            if axes:
                part = np.asarray(np.sum(part, axis=axes, keepdims=True))
        return part

    def over(self, body: Body, equation: Equation, grid: Grid) -> Array:
        """The body at every point of the box."""
        value = body.value(equation.body)
        shape = grid.around([value])
        return value if value.shape == shape else np.broadcast_to(value, shape)

    def product(
        self, body: Body, equation: Equation, grid: Grid, axes: tuple[int, ...]
    ) -> Array | None:
        """A sum of products of two groups of factors; None where it is none, or is not worth it."""
        if equation.op != "sum" or not axes or equation.target.tensor in self.settling:
            return None
        values = [body.value(part) for part in factors(equation.body)]
        shape = grid.around(values)
        parts = [_aligned(value, shape) for value in values]
        groups = grouped(tuple(_carried(part) for part in parts), shape)
        if groups is None:
            return None
        a, b = (_times(parts[n] for n in group) for group in groups)
        return Split(shape, axes).product(self.numbers, a, b)

    def logsumexp(self, values: Array, axes: tuple[int, ...]) -> Array:
        """log(sum exp): literally, so -inf for a row of -inf."""
        total = np.sum(self.numbers.elementary("exp", values), axis=axes, keepdims=True)
        return self.numbers.elementary("log", np.asarray(total + self.numbers.ratio(0, 1)))

    def argmax(self, values: Array, axes: tuple[int, ...], grid: Grid, trace: Trace) -> Array:
        """The lowest index at which the greatest value stands."""
        if len(axes) != 1 or not grid.shape[axes[0]]:
            raise ProgramError(
                f"argmax runs over one index with at least one value; came {len(axes)} indices"
            )
        first = np.argmax(values, axis=axes[0], keepdims=True)
        return trace.branch(first + grid.box[axes[0]].lo.evaluate(self.layout.sizes))

    def body(self, equation: Equation, grid: Grid, trace: Trace) -> Body:
        return Body(self.numbers, self.reader(equation, grid, self.tensors), trace, equation.body)

    def reader(
        self, equation: Equation, grid: Grid, sources: Mapping[str, Array]
    ) -> Callable[[Symbol], Array]:
        """The values of a slot over the box, read from `sources`."""

        def slot(symbol: Symbol) -> Array:
            stands_for = equation.slot_of.get(symbol)
            if stands_for is None:
                known = ", ".join(map(str, equation.slot_of))
                raise ProgramError(f'the symbol "{symbol}" stands for no slot; known: {known}')
            if isinstance(stands_for, Affine):
                return self.numbers.array(grid.affine(stands_for))
            return self.read(stands_for, grid, sources[stands_for.tensor])

        return slot

    def read(self, access: Access, grid: Grid, source: Array) -> Array:
        real = source.dtype == self.numbers.dtype
        zero = self.numbers.ratio(0, 1) if real else np.asarray(0)
        values = read(access, grid, self.tensors, source, zero)
        return values if real else self.numbers.array(values)

    def trace(self, number: int) -> Trace:
        return Trace(self.frozen_in.get(number, {}), self.held_in.get(number, {}))

    @cached_property
    def frozen_in(self) -> Mapping[int, Mapping[int, Array]]:
        return _by_equation(self.frozen)

    @cached_property
    def held_in(self) -> Mapping[int, Mapping[int, Array]]:
        return _by_equation(self.held)

    def scale(self, name: str) -> Array:
        """The magnitudes of every contribution to a tensor, added up."""
        if self.layout.program.tensor_of[name].kind != "real":
            return np.asarray(abs(self.tensors[name]))
        total = self.zeros(name)
        for number in self.layout.writers.get(name, ()):
            equation, grid = self.layout.program.equations[number], self.layout.grid(number)
            part = self.reduced_scale(number, equation, grid)
            add_at(total, equation.target, grid, self.tensors, part)
        return total

    def reduced_scale(self, number: int, equation: Equation, grid: Grid) -> Array:
        body = self.body(equation, grid, self.trace(number))
        sized = magnitude.Magnitude(body, self.reader(equation, grid, self.scales))
        axes = grid.axes(equation.reduced)
        product = self.scale_of_product(body, sized, equation, grid, axes)
        if product is not None:
            return product
        scale = np.broadcast_to(sized.scale(equation.body), grid.shape)
        if equation.op == "sum":
            return np.asarray(np.sum(scale, axis=axes, keepdims=True))
        values = self.over(body, equation, grid)
        total = self.logsumexp(values, axes)
        return magnitude.of_logsumexp(total, values, scale, axes, self.numbers)

    def scale_of_product(
        self,
        body: Body,
        sized: magnitude.Magnitude,
        equation: Equation,
        grid: Grid,
        axes: tuple[int, ...],
    ) -> Array | None:
        """|a| S(b) + S(a) |b| - |a b|, each summed as a product is."""
        if equation.op != "sum" or not axes or equation.target.tensor in self.settling:
            return None
        parts = factors(equation.body)
        carried = (_carried(_aligned(body.value(part), grid.shape)) for part in parts)
        groups = grouped(tuple(carried), grid.shape)
        if groups is None:
            return None
        a, b = (
            [_aligned(x, grid.shape) for x in sized.product([parts[n] for n in group])]
            for group in groups
        )
        split = Split(grid.shape, axes)
        terms = [
            split.product(self.numbers, *pair)
            for pair in ((a[0], b[1]), (a[1], b[0]), (a[0], b[0]))
        ]
        first, second, both = terms
        if first is None or second is None or both is None:
            return None
        return np.asarray(first + second - both)


def _carries(value: Array, axis: int) -> bool:
    """Whether a value varies along an axis, counted from the last."""
    return value.ndim >= -axis and value.shape[axis] > 1


def _joined(values: Sequence[Array], axis: int) -> Array:
    """What was found at one place after another, as one array."""
    if not axis or values[0].ndim < -axis:
        return values[0]
    return np.concatenate(values, axis)


def _by_equation(nodes: Mapping[Node, Array]) -> Mapping[int, Mapping[int, Array]]:
    found: dict[int, dict[int, Array]] = {}
    for (number, k), value in nodes.items():
        found.setdefault(number, {})[k] = value
    return found


def _aligned(part: Array, shape: tuple[int, ...]) -> Array:
    """With as many axes: a value held at one point lacks that of the probes."""
    return np.reshape(part, (1,) * (len(shape) - np.ndim(part)) + np.shape(part))


def _carried(part: Array) -> frozenset[int]:
    """The axes of a box along which a factor varies."""
    return frozenset(k for k, n in enumerate(part.shape) if n > 1)


def _times(parts: Iterable[Array]) -> Array:
    return reduce(lambda a, b: np.asarray(a * b), parts)


@contextmanager
def _placed(equation: Equation) -> Iterator[None]:
    """An error inside says which equation it came from."""
    try:
        yield
    except ProgramError as error:
        place = f" (in the equation of {equation.target})"
        raise ProgramError(error.message + place, error.place) from None


def _integers(values: Array) -> Array:
    """Rounded to int64; what is not a number yet counts as 0."""
    whole = [0 if v != v else round(v) for v in values.ravel()]
    return np.asarray(whole, dtype=np.int64).reshape(values.shape)
