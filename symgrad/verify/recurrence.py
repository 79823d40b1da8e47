"""A recurrence in its order, place by place: h[t+1] = f(h[t]) where h[t] is known.

Tensors that read each other share one axis, on which each equation writes at i + c and reads at
i + c', i being one of its indices; or it writes at c and reads at c'. Where all c' - c have one
sign, what each place needs is known before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Program
from symgrad.verify.graph import Node, groups, live_accesses


@dataclass(frozen=True)
class Writer:
    """An equation that writes at place `index + offset`; at `offset` alone where index is ""."""

    equation: int
    index: str
    offset: int


@dataclass(frozen=True)
class Course:
    """The places in order; at each of them these tensors in order, and what writes each.

    They are all places at which something is written, those that `pad` drops among them.
    """

    places: range
    names: tuple[str, ...]
    writers: Mapping[str, tuple[Writer, ...]]


def course_of(
    program: Program,
    numbers: Mapping[str, Sequence[int]],
    sizes: Mapping[str, int],
    group: Sequence[str],
    frozen: Collection[Node],
) -> Course | None:
    """The order of tensors that read each other; None where they have none along one axis.

    numbers: of the equations that write each tensor.
    """
    search = _Search(program, numbers, sizes, frozenset(group), frozen)
    for axis in range(len(program.tensor_of[group[0]].shape)):
        found = search.course(group[0], axis)
        if found is not None:
            return found
    return None


@dataclass(frozen=True)
class _Search:
    program: Program
    numbers: Mapping[str, Sequence[int]]
    sizes: Mapping[str, int]
    group: frozenset[str]
    frozen: Collection[Node]

    def course(self, first: str, axis: int) -> Course | None:
        axes, pending = {first: axis}, [first]
        writers: dict[str, tuple[Writer, ...]] = {}
        shifts: dict[tuple[str, str], set[int]] = {}
        while pending:
            name = pending.pop()
            writers[name] = ()
            for number in self.numbers.get(name, ()):
                writer = self.writer(number, axes[name])
                if writer is None:
                    return None
                writers[name] = (*writers[name], writer)
                for read in self.reads(number):
                    place = self.read(read, writer, axes.get(read.tensor))
                    if place is None:
                        return None
                    if read.tensor not in axes:
                        axes[read.tensor] = place[0]
                        pending.append(read.tensor)
                    shifts.setdefault((name, read.tensor), set()).add(place[1] - writer.offset)
        return self.ordered(axes, writers, shifts)

    def reads(self, number: int) -> Iterator[Access]:
        """What an equation reads of the group, subscripts included."""
        equation = self.program.equations[number]
        for access in live_accesses(equation, number, self.frozen):
            yield from (a for a in (access, *access.gathers()) if a.tensor in self.group)
        yield from (a for a in equation.target.gathers() if a.tensor in self.group)

    def ordered(
        self,
        axes: Mapping[str, int],
        writers: Mapping[str, tuple[Writer, ...]],
        shifts: Mapping[tuple[str, str], set[int]],
    ) -> Course | None:
        every = {shift for some in shifts.values() for shift in some}
        if axes.keys() != self.group or (min(every) < 0 < max(every)):
            return None
        at_once: dict[str, tuple[str, ...]] = {}
        for (name, source), some in shifts.items():
            if 0 in some:
                at_once[name] = (*at_once.get(name, ()), source)
        order = groups(sorted(self.group), at_once)
        if any(len(some) > 1 or some[0] in at_once.get(some[0], ()) for some in order):
            return None
        spans = [self.span(writer) for some in writers.values() for writer in some]
        places = range(min(lo for lo, _ in spans), max(hi for _, hi in spans))
        forward = max(every) <= 0
        return Course(places if forward else places[::-1], tuple(n for (n,) in order), writers)

    def span(self, writer: Writer) -> tuple[int, int]:
        """From where to where an equation writes; with `pad` also outside of the tensor."""
        if not writer.index:
            return writer.offset, writer.offset + 1
        box = self.program.equations[writer.equation].box
        (found,) = (r for r in box if r.index == writer.index)
        lo, hi = (size.evaluate(self.sizes) + writer.offset for size in (found.lo, found.hi))
        return lo, hi

    def writer(self, number: int, axis: int) -> Writer | None:
        form = self.form(self.program.equations[number].target, axis)
        return None if form is None else Writer(number, *form)

    def read(self, access: Access, writer: Writer, axis: int | None) -> tuple[int, int] | None:
        """The axis along which an access follows the writer's index, and its offset there."""
        for k in range(len(access.subscripts)) if axis is None else [axis]:
            form = self.form(access, k)
            if form is not None and form[0] == writer.index:
                return k, form[1]
        return None

    def form(self, access: Access, axis: int) -> tuple[str, int] | None:
        """index + offset, or an offset alone."""
        subscript = access.subscripts[axis]
        if not isinstance(subscript, Affine) or len(subscript.terms) > 1:
            return None
        if any(step.evaluate(self.sizes) != 1 for _, step in subscript.terms):
            return None
        index = subscript.terms[0][0] if subscript.terms else ""
        return index, subscript.offset.evaluate(self.sizes)
