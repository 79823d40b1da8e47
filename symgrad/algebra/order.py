"""The order in which equations can be evaluated: once each, or in a loop along one axis.

A cycle in the graph of equations is a recurrence, h[b,t+1,i] = ... h[b,t,j] ...: along one axis,
every cycle's shift is nonzero and of one sign. What does not stand on the cycle stays outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation, Program, bounds
from symgrad.algebra.sizes import ONE
from symgrad.errors import ProgramError


@dataclass(frozen=True)
class Step:
    """One equation in a loop: at iteration p its box index `index` has the value p + shift."""

    equation: Equation
    index: str
    shift: int


@dataclass(frozen=True)
class Loop:
    """The equations of a cycle, in the order of one iteration; iterations descend if `backward`."""

    steps: tuple[Step, ...]
    backward: bool


@dataclass(frozen=True)
class _Edge:
    """`reader` reads at its iteration p what `writer` writes at iteration p - lag."""

    writer: int
    reader: int
    lag: int


def schedule(program: Program) -> tuple[Equation | Loop, ...]:
    """The equations in an order that computes each tensor before it is read.

    Errors: ProgramError for a cycle whose shift is zero, of two signs, or not along one axis.
    """
    needs = dependencies(program)
    groups = components(needs)
    equations = program.equations
    return tuple(
        _loop([equations[n] for n in sorted(group)])
        if len(group) > 1 or group[0] in needs[group[0]]
        else equations[group[0]]
        for group in groups
    )


def dependencies(program: Program) -> list[tuple[int, ...]]:
    """For each equation, the numbers of those that write what it reads."""
    writers: dict[str, list[int]] = {}
    for number, equation in enumerate(program.equations):
        writers.setdefault(equation.target.tensor, []).append(number)
    return [
        tuple(
            dict.fromkeys(
                n
                for access in e.reads
                for n in writers.get(access.tensor, ())
                if _meet(program.equations[n], e, access)
            )
        )
        for e in program.equations
    ]


def _meet(writer: Equation, reader: Equation, access: Access) -> bool:
    """Whether `access` may read a place that `writer` writes: h[0] and h[t+1] are apart."""
    if access.padded or writer.target.padded:
        return True
    for written, read in zip(writer.target.subscripts, access.subscripts, strict=True):
        if (
            isinstance(written, Affine)
            and isinstance(read, Affine)
            and not (written.plain and read.plain)
        ):
            here, there = bounds(written, writer.range_of), bounds(read, reader.range_of)
            apart = here and there and (here[0] - there[1], there[0] - here[1])
            if apart and any(gap.is_positive() for gap in apart):
                return False
    return True


def components(needs: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """Strongly connected components, dependencies first (Tarjan 1972, without recursion)."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    waiting: set[int] = set()
    found: list[list[int]] = []
    for root in range(len(needs)):
        if root in order:
            continue
        work: list[tuple[int, Iterator[int]]] = [(root, iter(needs[root]))]
        while work:
            node, rest = work[-1]
            if node not in order:
                order[node] = low[node] = len(order)
                stack.append(node)
                waiting.add(node)
            for need in rest:
                if need not in order:
                    work.append((need, iter(needs[need])))
                    break
                if need in waiting:
                    low[node] = min(low[node], order[need])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    at = stack.index(node)
                    found.append(stack[at:])
                    waiting -= set(stack[at:])
                    del stack[at:]
    return found


def _loop(equations: list[Equation]) -> Loop:
    reads = [
        [
            access
            for access in reader.reads
            if any(w.target.tensor == access.tensor and _meet(w, reader, access) for w in equations)
        ]
        for reader in equations
    ]
    first = equations[0].target
    for axis in range(len(first.subscripts)):
        axes = _axes(equations, reads, {first.tensor: axis})
        if axes is None:
            continue
        edges = _edges(equations, reads, axes)
        if edges is None:
            continue
        for backward in (False, True):
            signed = [_Edge(e.writer, e.reader, -e.lag if backward else e.lag) for e in edges]
            shifts = _shifts(len(equations), signed)
            if shifts is None:
                continue
            order = _within(len(equations), signed, shifts)
            if order is None:
                continue
            sign = 1 if backward else -1
            return Loop(
                tuple(
                    Step(equations[n], _shifted(equations[n].target, axes)[0], sign * shifts[n])
                    for n in order
                ),
                backward,
            )
    cycle = " -> ".join(str(e.target) for e in equations)
    raise ProgramError(
        f"{cycle}: these equations need one another without a shift along one axis; "
        "a recurrence reads an earlier place, such as h[t+1] = ... h[t] ..."
    )


def _shifted(access: Access, axes: Mapping[str, int]) -> tuple[str, int]:
    """The index and the offset with which an access stands on its tensor's loop axis."""
    subscript = access.subscripts[axes[access.tensor]]
    if isinstance(subscript, Affine) and len(subscript.terms) == 1 and subscript.terms[0][1] == ONE:
        offset = subscript.offset.constant
        if offset is not None:
            return subscript.terms[0][0], offset
    return "", 0


def _axes(
    equations: list[Equation], reads: list[list[Access]], known: dict[str, int]
) -> dict[str, int] | None:
    """The loop axis of each tensor of the cycle, spread from one of them; None if they disagree."""
    axes = dict(known)
    changed = True
    while changed:
        changed = False
        for equation, read in zip(equations, reads, strict=True):
            accesses = [equation.target, *read]
            indices = {_shifted(a, axes)[0] for a in accesses if a.tensor in axes}
            if not indices:
                continue
            if len(indices) > 1 or "" in indices:
                return None
            index = indices.pop()
            for access in accesses:
                if access.tensor not in axes:
                    places = [
                        n
                        for n, s in enumerate(access.subscripts)
                        if isinstance(s, Affine) and index in s.indices
                    ]
                    if len(places) != 1:
                        return None
                    axes[access.tensor] = places[0]
                    changed = True
    return axes if set(axes) == {e.target.tensor for e in equations} else None


def _edges(
    equations: list[Equation], reads: list[list[Access]], axes: Mapping[str, int]
) -> list[_Edge] | None:
    edges = []
    for reader, equation in enumerate(equations):
        index, _ = _shifted(equation.target, axes)
        for access in reads[reader]:
            at, offset = _shifted(access, axes)
            if not index or at != index:
                return None
            for writer, other in enumerate(equations):
                if other.target.tensor == access.tensor:
                    edges.append(_Edge(writer, reader, _shifted(other.target, axes)[1] - offset))
    return edges


def _shifts(count: int, edges: list[_Edge]) -> list[int] | None:
    """s with lag + s[reader] - s[writer] >= 0 for every edge (Bellman-Ford); 0 where it can be."""
    shift = [0] * count
    for _ in range(count + 1):
        moved = False
        for edge in edges:
            if edge.lag + shift[edge.reader] - shift[edge.writer] < 0:
                shift[edge.reader] = shift[edge.writer] - edge.lag
                moved = True
        if not moved:
            return shift
    return None


def _within(count: int, edges: list[_Edge], shifts: list[int]) -> list[int] | None:
    """The order of one iteration; None if something there needs itself."""
    needs: list[tuple[int, ...]] = [
        tuple(
            e.writer for e in edges if e.reader == n and e.lag + shifts[n] - shifts[e.writer] == 0
        )
        for n in range(count)
    ]
    groups = components(needs)
    if any(len(group) > 1 or group[0] in needs[group[0]] for group in groups):
        return None
    return [group[0] for group in groups]
