"""The selections of a loss, and how far each is from its kink.

A gap is `lhs - rhs` of a predicate, or the greatest value of an argmax less the next, at every
point of its box. Where it is 0 the selection is at a kink: relu at 0, a tie, a ratio of 1.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sympy import Expr, Symbol

from symgrad.algebra.access import Access
from symgrad.algebra.program import INF, Equation, Program
from symgrad.algebra.scalars import FUNCTIONS, ROWS, Equal, Less, LessEqual, Stop
from symgrad.verify.arithmetic import FLOAT64, Array, Numbers
from symgrad.verify.body import Trace
from symgrad.verify.contributions import Run
from symgrad.verify.evaluate import Result, evaluate
from symgrad.verify.graph import Node, downstream, groups, stops_in
from symgrad.verify.points import Layout, Probes

SELECTIONS = {FUNCTIONS[row.name]: row.definition for row in ROWS if row.kink}
"""relu, minimum, ...: what each is a selection of."""

Values = Mapping[str, Array]


@dataclass(frozen=True)
class Kink:
    """equation: its number; sides: the two of one of its predicates, None of its argmax."""

    equation: int
    sides: tuple[Expr, Expr] | None = None


def kinks_in(program: Program, outputs: Sequence[str], *, inside_stops: bool = False) -> list[Kink]:
    """The comparisons of reals, and the argmaxes, that the outputs meet; inside stops if asked for.

    None with infinity: no gap to it is 0.
    Of a clip the middle too: PPO begins at a ratio of 1, where no convention may show.
    """
    equations = enumerate(program.equations)
    stops = [(n, k) for n, e in equations for k, _ in enumerate(stops_in(e.body))]
    reads = Layout(program, {}).reads(() if inside_stops else stops).by_tensor
    live = {name for group in groups(outputs, reads) for name in group}
    found: list[Kink] = []
    for number, equation in enumerate(program.equations):
        if equation.target.tensor not in live:
            continue
        if equation.op == "argmax":
            found.append(Kink(number))
        real = _reals(equation, program)
        pairs: dict[frozenset[Expr], Kink] = {}
        for left, right in _compared(equation.body, inside_stops):
            finite = not (left.has(INF) or right.has(INF))
            if finite and (left.free_symbols | right.free_symbols) & real:
                pairs.setdefault(frozenset((left, right)), Kink(number, (left, right)))
        found += pairs.values()
    return found


def _reals(equation: Equation, program: Program) -> set[Symbol]:
    """The slots that read real tensors."""
    return {
        symbol
        for symbol, slot in equation.slots
        if isinstance(slot, Access) and program.tensor_of[slot.tensor].kind == "real"
    }


def _compared(body: Expr, inside_stops: bool) -> Iterator[tuple[Expr, Expr]]:
    """The sides of every comparison in preorder; those inside stops if asked for."""
    pending = [body]
    while pending:
        node = pending.pop()
        if isinstance(node, Less | LessEqual | Equal):
            left, right = node.args
            yield left, right
        if isinstance(node, FUNCTIONS["clip"]):
            x, low, high = node.args
            yield x, (low + high) / 2
        if type(node) in SELECTIONS:
            pending.append(SELECTIONS[type(node)](*node.args))
        if inside_stops or not isinstance(node, Stop):
            pending.extend(reversed(node.args))


@dataclass(frozen=True)
class Gaps:
    """The gaps of a program at given sizes."""

    program: Program
    sizes: Mapping[str, int]
    layout: Layout
    _moving: dict[str, frozenset[str]] = field(default_factory=dict)

    def moving(self, name: str) -> frozenset[str]:
        """What may change when an input does."""
        if name not in self._moving:
            self._moving[name] = downstream([name], self.layout.reads(()))
        return self._moving[name]

    def reads(self, kinks: Sequence[Kink]) -> tuple[str, ...]:
        """The tensors that must be known for some gaps."""
        reads = (r for k in kinks for r in self.program.equations[k.equation].reads)
        return tuple(dict.fromkeys(a.tensor for r in reads for a in (r, *r.gathers())))

    def tensors(self, values: Values, numbers: Numbers, wanted: Sequence[str]) -> dict[str, Array]:
        return dict(self.evaluated(values, numbers, wanted).values)

    def evaluated(
        self,
        values: Values,
        numbers: Numbers,
        wanted: Sequence[str],
        stops: Mapping[Node, Array] | None = None,
        branches: Mapping[Node, Array] | None = None,
        *,
        several: Values | None = None,
        beside: Sequence[str] = (),
    ) -> Result:
        """The tensors that are wanted; with stops and branches as they are given.

        several: inputs at several points, one row each.
        beside:  what else differs between them, a branch of it being given for each.
        """
        several = several or {}
        count = max(map(len, several.values()), default=0)
        moving = frozenset().union(*map(self.moving, (*several, *beside))) if several else ()
        return evaluate(
            self.program,
            values,
            self.sizes,
            numbers,
            stops,
            held=branches,
            given=several,
            outputs=wanted,
            layout=self.layout,
            probes=Probes(count, frozenset(moving)),
        )

    def at(self, kink: Kink, values: Values) -> Array:
        return self.of(kink, self.tensors(values, FLOAT64, self.reads([kink])))

    def shifted(
        self, kink: Kink, values: Values, name: str, shifted: Array, before: Values
    ) -> Array:
        """The gaps at several values of one input; of what else there is, `before` is known.

        One row for each value, raveled.
        """
        moving, computed = self.moving(name), self.layout.writers
        given = {n: a for n, a in before.items() if n in computed and n not in moving}
        found = evaluate(
            self.program,
            values,
            self.sizes,
            given={**given, name: shifted},
            outputs=self.reads([kink]),
            layout=self.layout,
            probes=Probes(len(shifted), moving),
        )
        return self.each(kink, dict(found.values), len(shifted))

    def each(
        self, kink: Kink, tensors: dict[str, Array], count: int, numbers: Numbers = FLOAT64
    ) -> Array:
        """The gaps at each of so many points, raveled."""
        found = self.of(kink, tensors, numbers)
        rank = len(self.layout.grid(kink.equation).box) - (kink.sides is None)
        rows = found.reshape(len(found) if found.ndim > rank else 1, -1)
        return np.broadcast_to(rows, (count, rows.shape[1]))

    def of(self, kink: Kink, tensors: dict[str, Array], numbers: Numbers = FLOAT64) -> Array:
        """The gap over the box; of an argmax over the rest of it, inf where there is one value."""
        equation, grid = self.program.equations[kink.equation], self.layout.grid(kink.equation)
        body = Run(self.layout, numbers, {}, {}, tensors).body(equation, grid, Trace())
        with np.errstate(all="ignore"):
            if kink.sides is not None:
                return np.asarray(body.value(kink.sides[0]) - body.value(kink.sides[1]))
            value = body.value(equation.body)
            found = np.broadcast_to(value, grid.around([value]))
            (axis,) = grid.axes(equation.reduced)
            if found.shape[axis] < 2:
                return np.asarray(np.inf)
            ordered = np.sort(found, axis=axis)
            return np.asarray(ordered.take(-1, axis) - ordered.take(-2, axis))
