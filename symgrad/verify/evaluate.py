"""The naive evaluator: target[f(I)] op= body(slots), at every point I of the box, as it is written.

It knows nothing of derivatives, stable forms, plans or emitted code: they are held against it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from sympy import Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation, Program
from symgrad.errors import ProgramError, did_you_mean
from symgrad.verify import magnitude as scales
from symgrad.verify.arithmetic import FLOAT64, Array, Numbers
from symgrad.verify.body import Body, Trace
from symgrad.verify.graph import Node, groups, reads_of
from symgrad.verify.inputs import checked_sizes, checked_values
from symgrad.verify.points import Grid, add_at, grid_of, put, read


@dataclass(frozen=True)
class Result:
    """What an evaluation found.

    values:     each tensor needed: the numbers' dtype, int64 for ints and bools.
    stops:      the value of each stop node, by (equation number, node number).
    branches:   the truth of each selection's predicate and the place of each argmax, by number.
    magnitudes: the sum of absolute contributions behind each value, where asked for.
    """

    values: Mapping[str, Array]
    stops: Mapping[Node, Array]
    branches: Mapping[Node, Array]
    magnitudes: Mapping[str, Array] = field(default_factory=dict)


def evaluate(
    program: Program,
    values: Mapping[str, object],
    sizes: Mapping[str, int],
    numbers: Numbers = FLOAT64,
    frozen: Mapping[Node, Array] | None = None,
    *,
    held: Mapping[Node, Array] | None = None,
    given: Mapping[str, Array] | None = None,
    outputs: Iterable[str] | None = None,
    magnitude: bool = False,
) -> Result:
    """Every tensor of a program, or those that `outputs` need.

    frozen: the stops of another evaluation, taken as they were there.
    held:   the branches of another evaluation, taken as they were there.
    given:  computed tensors that are known already.
    """
    all_sizes = checked_sizes(program, sizes)
    wanted = tuple(t.name for t in program.tensors) if outputs is None else tuple(outputs)
    for name in wanted:
        if name not in program.tensor_of:
            raise ProgramError(f'no tensor "{name}"{did_you_mean(name, program.tensor_of)}')
    ready = dict(given or {})
    reads = {k: v for k, v in reads_of(program, frozen or {}).items() if k not in ready}
    order = groups(wanted, reads)
    needed = {name for group in order for name in group}
    inputs = checked_values(program, values, all_sizes, numbers, needed - set(ready))
    run = _Run(program, all_sizes, numbers, frozen or {}, held or {}, {**inputs, **ready})
    with np.errstate(all="ignore"):
        run.solve(order, reads, run.tensors, run.tensor)
        magnitudes: Mapping[str, Array] = {}
        if magnitude:
            run.scales.update(scales.of_inputs(run.tensors))
            run.solve(order, reads, run.scales, run.scale)
            magnitudes = {name: run.scales[name] for name in needed}
    return Result(run.tensors, run.stops, run.branches, magnitudes)


@dataclass
class _Run:
    """One evaluation: the tensors known so far, the stops and the branches met."""

    program: Program
    sizes: Mapping[str, int]
    numbers: Numbers
    frozen: Mapping[Node, Array]
    held: Mapping[Node, Array]
    tensors: dict[str, Array]
    scales: dict[str, Array] = field(default_factory=dict)
    stops: dict[Node, Array] = field(default_factory=dict)
    branches: dict[Node, Array] = field(default_factory=dict)

    @cached_property
    def writers(self) -> Mapping[str, list[tuple[int, Equation]]]:
        """The equations that write each tensor, with their numbers."""
        found: dict[str, list[tuple[int, Equation]]] = {}
        for number, equation in enumerate(self.program.equations):
            found.setdefault(equation.target.tensor, []).append((number, equation))
        return found

    def solve(
        self,
        order: Iterable[tuple[str, ...]],
        reads: Mapping[str, Collection[str]],
        known: dict[str, Array],
        compute: Callable[[str], Array],
    ) -> None:
        """Each group after what it reads; a group that reads itself, until nothing changes.

        Starting from any values, the entries that are d reads deep are right after d rounds: so the
        number of entries bounds the rounds, and what is unfinished is overwritten, nan or not.
        """
        for group in order:
            if len(group) == 1 and group[0] not in reads.get(group[0], ()):
                if group[0] in reads or group[0] not in known:
                    known[group[0]] = compute(group[0])
                continue
            for name in group:
                known[name] = self.zeros(name)
            for _ in range(sum(known[name].size for name in group) + 2):
                before = {name: known[name] for name in group}
                for name in reversed(group):
                    known[name] = compute(name)
                if all(self.same(before[name], known[name]) for name in group):
                    break
            else:
                raise ProgramError(
                    f"{', '.join(group)}: each needs the other at the same place, so none settles; "
                    f"shift one of the reads, as in h[t+1] = f(h[t])"
                )

    def same(self, a: Array, b: Array) -> bool:
        nan = self.numbers.isnan if a.dtype == self.numbers.dtype else np.zeros_like
        return bool(np.all((a == b) | (np.asarray(nan(a), bool) & np.asarray(nan(b), bool))))

    def zeros(self, name: str) -> Array:
        tensor = self.program.tensor_of[name]
        shape = tuple(size.evaluate(self.sizes) for size in tensor.shape)
        if tensor.kind != "real":
            return np.zeros(shape, dtype=np.int64)
        return np.array(np.broadcast_to(self.numbers.ratio(0, 1), shape))

    def tensor(self, name: str) -> Array:
        """The contributions of every equation that writes a tensor, added up."""
        total = self.zeros(name)
        for number, equation in self.writers.get(name, ()):
            with _placed(equation):
                self.contribute(number, equation, total)
        return total

    def contribute(self, number: int, equation: Equation, total: Array) -> None:
        grid, trace = grid_of(equation, self.sizes), self.trace(number)
        body = self.body(equation, grid, trace)
        values = np.broadcast_to(body.value(equation.body), grid.shape)
        axes = tuple(grid.names.index(i) for i in equation.reduced)
        if equation.op == "sum":
            part = np.asarray(np.sum(values, axis=axes, keepdims=True))
            add_at(
                total,
                equation.target,
                grid,
                self.tensors,
                part if total.dtype != np.int64 else _integers(part),
            )
        elif equation.op == "logsumexp":
            put(total, equation.target, grid, self.tensors, self.logsumexp(values, axes))
        else:
            put(total, equation.target, grid, self.tensors, self.argmax(values, axes, grid, trace))
        self.stops.update({(number, k): value for k, value in trace.stops.items()})
        self.branches.update({(number, k): value for k, value in trace.branches.items()})

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
        return trace.branch(first + grid.box[axes[0]].lo.evaluate(self.sizes))

    def body(self, equation: Equation, grid: Grid, trace: Trace) -> Body:
        return Body(self.numbers, self.reader(equation, grid, self.tensors), trace, equation.body)

    def reader(
        self, equation: Equation, grid: Grid, tensors: Mapping[str, Array]
    ) -> Callable[[Symbol], Array]:
        def slot(symbol: Symbol) -> Array:
            stands_for = equation.slot_of.get(symbol)
            if stands_for is None:
                raise ProgramError(
                    f'the symbol "{symbol}" stands for no slot; known: '
                    + ", ".join(map(str, equation.slot_of))
                )
            if isinstance(stands_for, Affine):
                return self.numbers.array(grid.affine(stands_for))
            return self.read(stands_for, grid, tensors)

        return slot

    def read(self, access: Access, grid: Grid, tensors: Mapping[str, Array]) -> Array:
        zero = self.numbers.ratio(0, 1)
        source = {**self.tensors, access.tensor: tensors[access.tensor]}
        values = read(
            access,
            grid,
            source,
            zero if source[access.tensor].dtype == self.numbers.dtype else np.asarray(0),
        )
        return values if values.dtype == self.numbers.dtype else self.numbers.array(values)

    def trace(self, number: int) -> Trace:
        def own(nodes: Mapping[Node, Array]) -> Mapping[int, Array]:
            return {k: value for (n, k), value in nodes.items() if n == number}

        return Trace(own(self.frozen), own(self.held))

    def scale(self, name: str) -> Array:
        """The magnitudes of every contribution to a tensor, added up."""
        if self.program.tensor_of[name].kind != "real":
            return np.asarray(abs(self.tensors[name]))
        total = self.zeros(name)
        for number, equation in self.writers.get(name, ()):
            self.contribute_scale(number, equation, total)
        return total

    def contribute_scale(self, number: int, equation: Equation, total: Array) -> None:
        grid = grid_of(equation, self.sizes)
        body = self.body(equation, grid, self.trace(number))
        sized = scales.Magnitude(body, self.reader(equation, grid, self.scales))
        scale = np.broadcast_to(sized.scale(equation.body), grid.shape)
        axes = tuple(grid.names.index(i) for i in equation.reduced)
        if equation.op == "logsumexp":
            values = np.broadcast_to(body.value(equation.body), grid.shape)
            part = scales.of_logsumexp(
                self.logsumexp(values, axes), values, scale, axes, self.numbers
            )
            put(total, equation.target, grid, self.tensors, part)
        else:
            add_at(
                total,
                equation.target,
                grid,
                self.tensors,
                np.asarray(np.sum(scale, axis=axes, keepdims=True)),
            )


@contextmanager
def _placed(equation: Equation) -> Iterator[None]:
    """An error inside says which equation it came from."""
    try:
        yield
    except ProgramError as error:
        if error.message.endswith(_named(equation)):
            raise
        raise ProgramError(error.message + _named(equation), error.place) from None


def _named(equation: Equation) -> str:
    return f" (in the equation of {equation.target})"


def _integers(values: Array) -> Array:
    """Rounded to int64; what is not a number yet counts as 0."""
    return np.asarray([0 if v != v else round(v) for v in values.ravel()], dtype=np.int64).reshape(
        values.shape
    )
