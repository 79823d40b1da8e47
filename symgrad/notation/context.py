"""What reading a program back would infer, so that the printer says no more than it must."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from symgrad.algebra.access import Affine
from symgrad.algebra.order import components
from symgrad.algebra.program import Equation, Program, Range
from symgrad.algebra.sizes import ZERO, Size
from symgrad.notation.ranges import Candidate, Conflict, extents, meet, union

MOST_SIMULATED = 40
"""Recurrences of more equations than this state every range that their outside does not give."""


@dataclass(frozen=True)
class Context:
    """declared: computed tensors whose shape [tensors] has to give.

    cycle: which recurrence a tensor is in; known: for each of its equations, by identity, the
    tensors of the recurrence that are complete when reading resolves it.
    """

    program: Program
    declared: frozenset[str]
    cycle: dict[str, int]
    known: dict[int, frozenset[str]]

    def unimplied(self, equation: Equation) -> list[Range]:
        """The ranges that have to be written."""
        known = self.known.get(id(equation), frozenset())
        return [
            r
            for r in equation.box
            if r.lo != ZERO or self.implied(equation, r.index, known) != r.hi
        ]

    def implied(self, equation: Equation, index: str, known: frozenset[str]) -> Size | None:
        """The size that reading infers where `known` tensors of the recurrence are complete."""
        size = meet(list(self.candidates(equation, index, known)))
        return None if isinstance(size, Conflict) else size

    def exact(self, name: str) -> bool:
        return name in self.declared or self.program.tensor_of[name].role != "computed"

    def candidates(
        self, equation: Equation, index: str, known: frozenset[str]
    ) -> Iterator[Candidate]:
        target = equation.target
        own = self.cycle.get(target.tensor)
        places = [(target, True), *((read, False) for read in equation.reads)]
        for access, writes in places:
            name = access.tensor
            waits = own is not None and self.cycle.get(name) == own and name not in known
            if not self.exact(name) and (waits or writes):
                continue
            for axis, subscript in enumerate(access.subscripts):
                if isinstance(subscript, Affine) and subscript.plain == index:
                    size = self.program.tensor_of[name].shape[axis]
                    yield Candidate(name, axis, size, self.exact(name), access.padded)

    def simulated(self, equations: list[Equation]) -> dict[int, frozenset[str]]:
        """For the equations of one recurrence, what is complete when reading resolves them.

        Those that would wait for ever, or infer another range, state theirs and resolve first.
        """
        stated: set[int] = set()
        while True:
            found, wrong = self._rounds(equations, stated)
            if wrong is None:
                return found
            stated.add(id(wrong))

    def _rounds(
        self, equations: list[Equation], stated: set[int]
    ) -> tuple[dict[int, frozenset[str]], Equation | None]:
        found: dict[int, frozenset[str]] = {}
        complete: frozenset[str] = frozenset()
        waiting = list(equations)
        while waiting:
            ready: dict[int, frozenset[str]] = {}
            for e in waiting:
                if id(e) in stated:
                    ready[id(e)] = frozenset()
                    continue
                sizes = [self.implied(e, r.index, complete) for r in e.box]
                if None not in sizes:
                    if any(r.lo != ZERO or r.hi != s for r, s in zip(e.box, sizes, strict=True)):
                        return found, e
                    ready[id(e)] = complete
            if not ready:
                return found, waiting[0]
            found |= ready
            waiting = [e for e in waiting if id(e) not in found]
            complete = frozenset(e.target.tensor for e in equations) - {
                e.target.tensor for e in waiting
            }
        return found, None


class _ById:
    """A program as a key by identity: its hash would walk through every equation."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def __hash__(self) -> int:
        return id(self.program)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and self.program is other.program


def context_of(program: Program) -> Context:
    return _context(_ById(program))


@lru_cache(maxsize=4)
def _context(key: _ById) -> Context:
    program = key.program
    cycle = _cycles(program)
    plain = Context(program, frozenset(_undetermined(program)), cycle, {})
    known: dict[int, frozenset[str]] = {}
    for number in sorted(set(cycle.values())):
        equations = [e for e in program.equations if cycle.get(e.target.tensor) == number]
        if len(equations) <= MOST_SIMULATED:
            known |= plain.simulated(equations)
    return replace(plain, known=known)


def _cycles(program: Program) -> dict[str, int]:
    """A number for each recurrence, by the tensors in it."""
    names = list(program.writers)
    number = {name: n for n, name in enumerate(names)}
    needs = [
        tuple(
            dict.fromkeys(
                number[a.tensor]
                for e in program.writers[name]
                for a in e.reads
                if a.tensor in number
            )
        )
        for name in names
    ]
    groups = [g for g in components(needs) if len(g) > 1 or g[0] in needs[g[0]]]
    return {names[n]: k for k, group in enumerate(groups) for n in group}


def _undetermined(program: Program) -> Iterator[str]:
    """The computed tensors whose shape is not the union of what is written."""
    for tensor in program.tensors:
        if tensor.role != "computed":
            continue
        if shape_written(program.writers.get(tensor.name, ())) != tensor.shape:
            yield tensor.name


def shape_written(equations: tuple[Equation, ...]) -> tuple[Size, ...] | None:
    """The union of the boxes, None where it is not known."""
    shape: tuple[Size, ...] | None = None
    for equation in equations:
        reach = extents(equation.target, equation.range_of)
        if reach is None:
            return None
        shape = reach if shape is None else union(shape, reach)
        if shape is None:
            return None
    return shape
