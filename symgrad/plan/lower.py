"""Program -> steps: each equation, in order, by the index sets of its reads and of its target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

from sympy.core.parameters import distribute

from symgrad.algebra.access import Affine
from symgrad.algebra.order import Loop as Recurrence
from symgrad.algebra.order import schedule
from symgrad.algebra.program import Equation, Program, Tensor, count_of, covers, fresh_name
from symgrad.algebra.sizes import ONE, ZERO
from symgrad.errors import ProgramError
from symgrad.notation.printer import equation_text
from symgrad.plan.builder import Builder, fill
from symgrad.plan.reductions import reduction
from symgrad.plan.rewrite import along, greatest, least, placed, terms, with_index
from symgrad.plan.steps import Guard, Loop, Note, Step
from symgrad.plan.values import scalar
from symgrad.plan.views import Array, Storage
from symgrad.plan.writes import write

STORAGE: Mapping[str, Storage] = {"param": "param", "data": "input", "computed": "buffer"}


def lower(
    program: Program, gradients: Sequence[str] = ()
) -> tuple[tuple[Array, ...], tuple[Step, ...]]:
    """Arrays and steps that compute the outputs; `gradients` are written where they are kept."""
    with distribute(False):
        work = _Lowering(Builder(program))
        for tensor in program.tensors:
            storage: Storage = "gradient" if tensor.name in gradients else STORAGE[tensor.role]
            if tensor.shape:
                made = Array(tensor.name, tensor.shape, tensor.kind, storage)
                work.builder.arrays[tensor.name] = made
        for group in schedule(program):
            if isinstance(group, Recurrence):
                work.recurrence(group)
            else:
                work.settle_reads(group)
                work.prepare(group, covers(group, program))
                work.equation(group)
        return tuple(work.builder.arrays.values()), tuple(work.builder.steps)


@dataclass
class _Lowering:
    """started: the tensors written so far; filled: those that were set to 0 first."""

    builder: Builder
    started: set[str] = field(default_factory=set)
    filled: set[str] = field(default_factory=set)

    @property
    def program(self) -> Program:
        return self.builder.program

    def equation(self, equation: Equation) -> None:
        self.builder.add(Note(equation_text(equation, self.program)))
        equation, places = placed(equation, self.program, self.builder.loops)
        name = equation.target.tensor
        with self.builder.at(*places):
            if equation.op != "sum":
                reduction(self.builder, equation)
            elif not equation.target.subscripts:
                scalar(self.builder, equation, name, self.assigns(equation))
            else:
                for part in terms(equation, self.builder.fixed):
                    assigns = self.assigns(part)
                    self.started.add(name)
                    write(self.builder, part, assigns)
        self.started.add(name)

    def settle_reads(self, equation: Equation) -> None:
        """Zeros in what is read before any of it is written: a place that nothing writes."""
        for access in equation.reads:
            if self.program.writers.get(access.tensor):
                self.zero(self.program.tensor_of[access.tensor])

    def prepare(self, equation: Equation, fresh: bool) -> None:
        """Zeros first, unless this equation (`fresh`) or all `=` together write every place."""
        if not fresh:
            self.zero(self.program.tensor_of[equation.target.tensor])

    def zero(self, tensor: Tensor) -> None:
        """tensor = 0, where nothing is written yet and not every place will be."""
        written = tensor.name in self.started | self.filled
        if tensor.shape and not written and not self.complete(tensor):
            self.builder.add(fill(self.builder.arrays[tensor.name], 0))
            self.filled.add(tensor.name)

    def complete(self, tensor: Tensor) -> bool:
        """Whether `=` writes every place: it writes none twice, so counting tells."""
        writers = self.program.writers[tensor.name]
        boxes = ([r for r in e.box if r.index not in e.reduced] for e in writers)
        written = sum(map(count_of, boxes), ZERO)
        once = all(e.assigns and not e.target.padded for e in writers)
        return once and written == prod(tensor.shape, start=ONE)

    def assigns(self, equation: Equation) -> bool:
        """Whether the places written hold nothing yet, or 0 where nothing else has been added."""
        name = equation.target.tensor
        first = name not in self.started and not (name in self.filled and self.builder.loops)
        return first or all(e.assigns for e in self.program.writers[name])

    def recurrence(self, loop: Recurrence) -> None:
        """The equations of a cycle, one iteration after the other."""
        for step in loop.steps:
            if not step.equation.target.subscripts:
                raise ProgramError(f"{step.equation.target} has no axis to loop along")
        known = {*self.builder.arrays, *self.program.tensor_of, *dict(self.program.sizes)}
        name = fresh_name(loop.steps[0].index, known)
        renamed = [with_index(s.equation, s.index, name, s.shift) for s in loop.steps]
        for step, equation in zip(loop.steps, renamed, strict=True):
            others = [e.target for e in renamed if e.target.tensor == equation.target.tensor]
            together = all(along(t, name) == along(equation.target, name) for t in others)
            self.prepare(step.equation, covers(step.equation, self.program) and together)
        ranges = [e.range_of[name] for e in renamed]
        lo, hi = least([r.lo for r in ranges]), greatest([r.hi for r in ranges])
        with self.builder.inside(name) as body:
            for equation, r in zip(renamed, ranges, strict=True):
                if (r.lo, r.hi) == (lo, hi):
                    self.equation(equation)
                    continue
                with self.builder.inside() as guarded:
                    self.equation(equation)
                ends = (r.lo if r.lo != lo else None, r.hi if r.hi != hi else None)
                self.builder.add(Guard(Affine.index(name), *ends, tuple(guarded)))
        self.builder.add(Loop(name, Affine((), lo), Affine((), hi), tuple(body), loop.backward))
