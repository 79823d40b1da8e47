"""Program -> steps: each equation, in order, by the index sets of its reads and of its target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

import sympy
from sympy import S
from sympy.core.parameters import distribute

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.order import Loop as Recurrence
from symgrad.algebra.order import schedule
from symgrad.algebra.program import (
    Equation,
    Program,
    Range,
    Tensor,
    count_of,
    fresh_name,
    slot_symbol,
)
from symgrad.algebra.sizes import ONE, ZERO
from symgrad.errors import ProgramError
from symgrad.notation.printer import equation_text
from symgrad.plan.arrange import covers
from symgrad.plan.builder import Builder, copied, fill, laid_out, whole
from symgrad.plan.contract import Contraction
from symgrad.plan.elementwise import Elementwise, factors, signed
from symgrad.plan.reads import affine_view, border, keyed, margins
from symgrad.plan.rewrite import along, at, greatest, least, terms, with_index
from symgrad.plan.steps import (
    ArgMax,
    Array,
    Assign,
    Copy,
    Guard,
    LogSumExp,
    Loop,
    Note,
    Operand,
    Scalar,
    Scatter,
    Slice,
    Step,
    Storage,
    Strided,
    Ufunc,
    View,
)

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
                work.prepare(group, covers(group, program))
                work.equation(group)
        return tuple(work.builder.arrays.values()), tuple(work.builder.steps)


@dataclass
class _Lowering:
    builder: Builder
    started: set[str] = field(default_factory=set)
    filled: set[str] = field(default_factory=set)

    @property
    def program(self) -> Program:
        return self.builder.program

    # ---- one equation -------------------------------------------------------------------------

    def equation(self, equation: Equation) -> None:
        self.builder.add(Note(equation_text(equation, self.program)))
        placed, places = self.placed(equation)
        with self.builder.at(*places):
            if placed.op == "logsumexp":
                self.logsumexp(placed)
            elif placed.op == "argmax":
                self.argmax(placed)
            elif not placed.target.subscripts:
                self.scalar(placed, placed.target.tensor)
            else:
                self.array(placed)
        self.started.add(placed.target.tensor)

    def placed(self, equation: Equation) -> tuple[Equation, tuple[str, ...]]:
        """Integers that are a single number here (rank-0, fixed by a loop) as subscripts.

        x[best,i] is then a row of x, not a gather.
        """
        found: dict[str, None] = {}

        def single(access: Access) -> bool:
            given = all(
                self.program.tensor_of[a.tensor].role == "data" for a in (access, *access.gathers())
            )
            return not access.subscripts or (given and access.indices <= set(self.builder.loops))

        def changed(access: Access) -> Access:
            subscripts: list[Affine | Access] = []
            for s in access.subscripts:
                if isinstance(s, Access) and single(s):
                    found[str(s)] = None
                    subscripts.append(Affine.index(str(s)))
                else:
                    subscripts.append(changed(s) if isinstance(s, Access) else s)
            return Access(access.tensor, tuple(subscripts), access.padded)

        slots = tuple(
            (symbol, changed(s) if isinstance(s, Access) else s) for symbol, s in equation.slots
        )
        return replace(equation, target=changed(equation.target), slots=slots), tuple(found)

    def prepare(self, equation: Equation, fresh: bool) -> None:
        """Zeros first, unless this equation (`fresh`) or all `=` together write every place."""
        tensor = self.program.tensor_of[equation.target.tensor]
        if tensor.name in self.started | self.filled or not tensor.shape or equation.op != "sum":
            return
        if not fresh and not self.complete(tensor):
            self.builder.add(fill(self.builder.arrays[tensor.name], 0))
            self.filled.add(tensor.name)

    def complete(self, tensor: Tensor) -> bool:
        """Whether `=` writes every place: it writes none twice, so counting tells."""
        writers = self.program.writers[tensor.name]
        written = sum((count_of(e.box) for e in writers), ZERO)
        return all(e.assigns and not e.target.padded for e in writers) and written == prod(
            tensor.shape, start=ONE
        )

    def assigns(self, equation: Equation) -> bool:
        """Whether the places written hold nothing yet, or 0 where nothing else has been added."""
        name = equation.target.tensor
        first = name not in self.started and not (name in self.filled and self.builder.loops)
        return first or all(e.assigns for e in self.program.writers[name])

    def elementwise(self, equation: Equation) -> Elementwise:
        return Elementwise(self.builder, equation.slot_of, equation.range_of)

    def array(self, equation: Equation) -> None:
        for part in terms(equation, self.builder.fixed):
            self.part(part)

    def part(self, equation: Equation) -> None:
        target = self.builder.arrays[equation.target.tensor]
        assigns = self.assigns(equation)
        self.started.add(target.name)
        scatters = any(isinstance(s, Access) for s in equation.target.subscripts)
        if scatters:
            self.scatter(equation, target)
            return
        if equation.target.padded:
            self.padded(equation, target, assigns)
        else:
            self.affine(equation, target, assigns)

    def padded(self, equation: Equation, target: Array, assigns: bool) -> None:
        """Where a loop fixes a place that may be outside: only if it is inside."""
        sides = margins(self.builder, equation.target, equation.range_of)
        outside = [
            (s, size)
            for s, size, side in zip(equation.target.subscripts, target.shape, sides, strict=True)
            if isinstance(s, Affine) and self.builder.fixes(s) and side != (ZERO, ZERO)
        ]
        if not outside:
            self.affine(equation, target, assigns)
            return
        with self.builder.inside() as body:
            self.affine(equation, target, assigns)
        for s, size in outside:
            body = [Guard(s, ZERO, size, tuple(body))]
        self.builder.add(*body)

    def affine(self, equation: Equation, target: Array, assigns: bool) -> None:
        view = (
            None
            if equation.target.padded and self.reaches_out(equation)
            else self.direct(equation, target)
        )
        if view is None:
            self.slices(equation, target)
            return
        dims = view.dims
        if not dims and isinstance(view, View):
            self.scalar(equation, view, assigns)
        elif assigns:
            self.value(equation, dims, laid_out(view, dims))
        else:
            self.accumulate(equation, dims, laid_out(view, dims))

    def reaches_out(self, equation: Equation) -> bool:
        sides = margins(self.builder, equation.target, equation.range_of)
        pairs = zip(equation.target.subscripts, sides, strict=True)
        return any(
            side != (ZERO, ZERO)
            for s, side in pairs
            if not (isinstance(s, Affine) and self.builder.fixes(s))
        )

    def direct(self, equation: Equation, target: Array) -> View | Strided | None:
        """The target's places as one view, where every axis carries at most one index."""
        subscripts = [s for s in equation.target.subscripts if isinstance(s, Affine)]
        free = [[i for i, _ in s.terms if i not in self.builder.fixed] for s in subscripts]
        if any(len(indices) > 1 for indices in free):
            return None
        return affine_view(self.builder, target, subscripts, equation.range_of)

    # ---- values -------------------------------------------------------------------------------

    def value(self, equation: Equation, dims: tuple[str, ...], out: Operand | None) -> Operand:
        """The body, summed over all that is not in dims: in `out`, or in a new buffer."""
        lower = self.elementwise(equation)
        reduced = [
            r for r in equation.box if r.index not in dims and r.index not in self.builder.fixed
        ]
        carried = lower.dims(equation.body, dims)
        if reduced and carried != dims:  # the rest of dims broadcasts
            out = self.target(equation, dims, out)
            if carried:
                box = tuple(r for r in equation.box if r.index in carried or r.index not in dims)
                made = self.value(replace(equation, box=box), carried, None)
                self.builder.add(Copy(laid_out(made.view, dims), out))
            else:
                self.builder.add(Copy(self.total(equation, lower, reduced), out))
            return out
        if not reduced:
            if out is None and equation.body.is_Symbol and lower.dims(equation.body, dims) == dims:
                leaf = lower.source(equation.body, dims)
                if isinstance(leaf, Operand):
                    return leaf
            out = self.target(equation, dims, out)
            lower.into(equation.body, dims, out)
            return out
        scale, parts, below = self.split(equation, reduced, lower)
        work = Contraction(lower)
        found = work.run([*parts, *(1 / b for b in below)], dims, out)
        if isinstance(found, str):
            raise ProgramError(f"{equation.target}: nothing in the body carries {', '.join(dims)}")
        made = found
        scale = sympy.Mul(scale, *work.scalars)
        divisor = sympy.denom(scale)
        if scale != S.One:
            negative = scale == -S.One
            inverse = sympy.numer(scale) == S.One and divisor != S.One
            step = (
                Ufunc("negative", (made,), made)
                if negative
                else Ufunc("divide", (made, lower.scalar(divisor)), made)
                if inverse
                else Ufunc("multiply", (made, lower.scalar(scale)), made)
            )
            self.builder.add(step)
        return made

    def target(self, equation: Equation, dims: tuple[str, ...], out: Operand | None) -> Operand:
        return out or laid_out(self.builder.temporary(dims, equation.range_of), dims)

    def split(
        self, equation: Equation, reduced: Sequence[Range], lower: Elementwise
    ) -> tuple[sympy.Expr, list[sympy.Expr], list[sympy.Expr]]:
        """(factor without an index, factors above, factors below) of a body under a sum."""
        above, below, number = factors(equation.body)
        carried = lower.indices(equation.body)
        idle = count_of(r for r in reduced if r.index not in carried)
        scale = sympy.Mul(
            number,
            *(f for f in above if not lower.indices(f)),
            *(1 / f for f in below if not lower.indices(f)),
        )
        if idle != ONE:
            symbol = slot_symbol(Affine((), idle))
            lower.slots = {**lower.slots, symbol: Affine((), idle)}
            scale = scale * symbol
        return scale, [f for f in above if lower.indices(f)], [f for f in below if lower.indices(f)]

    def accumulate(self, equation: Equation, dims: tuple[str, ...], out: Operand) -> None:
        sign, body = signed(equation.body)
        positive = equation.with_body(body)
        lower = self.elementwise(positive)
        reduced = [
            r for r in equation.box if r.index not in dims and r.index not in self.builder.fixed
        ]
        addend = self.value(positive, dims, None) if reduced else lower.source(body, dims)
        self.builder.add(Ufunc("add" if sign > 0 else "subtract", (out, addend), out))

    def scalar(self, equation: Equation, target: str | View, fresh: bool | None = None) -> None:
        """A rank-0 target, or one place: a Python-level expression, or totals."""
        accumulate = not (self.assigns(equation) if fresh is None else fresh)
        for part in terms(equation, self.builder.fixed):
            lower = self.elementwise(part)
            reduced = [r for r in part.box if r.index not in self.builder.fixed]
            value = self.total(part, lower, reduced) if reduced else lower.scalar(part.body)
            self.builder.add(Assign(target, value, accumulate))
            accumulate = True

    def total(self, equation: Equation, lower: Elementwise, reduced: Sequence[Range]) -> Scalar:
        """The body, summed over every index."""
        scale, parts, below = self.split(equation, reduced, lower)
        if not parts and not below:
            return lower.scalar(scale)
        work = Contraction(lower)
        made = work.run([*parts, *(1 / b for b in below)], (), None)
        return lower.scalar(sympy.Mul(scale, *work.scalars, lower.named(str(made))))

    # ---- other targets ------------------------------------------------------------------------

    def logsumexp(self, equation: Equation) -> None:
        source, dims, out = self.reduction(equation)
        scratch = self.builder.temporary([d for g in source.layout for d in g], equation.range_of)
        total = self.builder.temporary(dims, equation.range_of)
        self.builder.add(
            LogSumExp(source, out, Operand(scratch, source.layout), laid_out(total, dims))
        )

    def argmax(self, equation: Equation) -> None:
        source, _, out = self.reduction(equation)
        (index,) = equation.reduced
        self.builder.add(ArgMax(source, out, equation.range_of[index].lo))

    def reduction(self, equation: Equation) -> tuple[Operand, tuple[str, ...], Operand]:
        """(source with the reduced indices last and merged, target indices, target)."""
        target = self.builder.arrays.get(equation.target.tensor)
        lower = self.elementwise(equation)
        if target is None:
            dims: tuple[str, ...] = ()
            out = Operand(View(equation.target.tensor, ()), ())
        else:
            view = self.direct(equation, target)
            if view is None:
                raise ProgramError(f"{equation.target}: {equation.op} writes plain places")
            dims, out = view.dims, laid_out(view, view.dims)
        inner = tuple(i for i in equation.reduced if i not in self.builder.fixed)
        everything = (*dims, *inner)
        made = lower.source(equation.body, everything)
        if not isinstance(made, Operand) or set(made.view.dims) != set(everything):
            buffer = self.builder.temporary(everything, equation.range_of)
            lower.into(equation.body, everything, laid_out(buffer, everything))
            made = laid_out(buffer, everything)
        merged = Operand(made.view, (*((d,) for d in dims), inner))
        contiguous = (
            isinstance(made.view, View)
            and made.view.dims == everything
            and all(isinstance(p, Slice) and p.whole for p in made.view.picks)
        )
        return (
            (merged if contiguous else copied(self.builder, merged, equation.range_of)),
            dims,
            out,
        )

    def scatter(self, equation: Equation, target: Array) -> None:
        """Values at places that integer tensors name: added there."""
        at = keyed(self.builder, equation.target, equation.range_of, target)
        dims = (*at.keys, *at.rest)
        value = self.value(equation, dims, None)
        plain = {s.plain for s in equation.target.subscripts if isinstance(s, Affine)}
        injective = set(dims) <= plain
        merged = at.source.layout[at.axis]
        layout = (merged, *((d,) for d in at.rest))
        scratch = (
            laid_out(self.builder.temporary(dims, equation.range_of), dims) if injective else None
        )
        source = Operand(at.source.view, layout)
        if at.adjacent:
            self.builder.add(Scatter(source, at.positions, value, injective, scratch))
            return
        flat = [d for group in layout for d in group]
        sizes = (
            {p.index: p.count for p in at.source.view.picks if isinstance(p, Slice)}
            if isinstance(at.source.view, View)
            else {}
        )
        room = self.builder.array(f"{target.name}_t", tuple(sizes[d] for d in flat))
        self.builder.add(
            fill(room, 0),
            Scatter(Operand(whole(room, flat), layout), at.positions, value, injective, scratch),
        )
        there = laid_out(at.source.view, at.source.view.dims)
        self.builder.add(
            Ufunc("add", (there, laid_out(whole(room, flat), at.source.view.dims)), there)
        )

    def slices(self, equation: Equation, target: Array) -> None:
        """Several indices on an axis, or places outside: slice-adds, over the smaller one."""
        ranges = equation.range_of
        subscripts = [s for s in equation.target.subscripts if isinstance(s, Affine)]
        carried = frozenset().union(*(s.indices for s in subscripts)) - self.builder.fixed
        dims = tuple(i for i in ranges if i in carried)
        value = self.value(equation, dims, None)
        if not isinstance(value.view, View):
            value = copied(self.builder, value, ranges)
        array, room = target, None
        if equation.target.padded and self.reaches_out(equation):
            room = border(self.builder, equation.target, ranges)
            array, subscripts = room.array, list(room.subscripts)
            self.builder.add(fill(array, 0))
        looped: list[str] = []
        for subscript in subscripts:
            free = [i for i, _ in subscript.terms if i not in self.builder.fixed]
            longest = max(
                free, key=lambda i: (self.builder.typical(ranges[i].count), i), default=None
            )
            looped += [i for i in free if i != longest and i not in looped]
        self.nest(tuple(looped), equation, array, subscripts, value, self.builder.loops)
        if room is not None:
            there = laid_out(room.tensor, room.tensor.dims)
            self.builder.add(Ufunc("add", (there, laid_out(room.middle, room.tensor.dims)), there))

    def nest(
        self,
        looped: tuple[str, ...],
        equation: Equation,
        array: Array,
        subscripts: Sequence[Affine],
        value: Operand,
        outer: tuple[str, ...],
    ) -> None:
        if looped:
            first, *rest = looped
            r = equation.range_of[first]
            with self.builder.inside(first) as body:
                self.nest(tuple(rest), equation, array, subscripts, value, outer)
            self.builder.add(Loop(first, Affine((), r.lo), Affine((), r.hi), tuple(body)))
            return
        there = affine_view(self.builder, array, subscripts, equation.range_of)
        fixed = set(self.builder.loops) - set(outer)
        if not isinstance(value.view, View):
            raise ProgramError(f"{equation.target}: a value without a buffer")
        picks = tuple(
            at(p, equation.range_of[p.index].lo) if isinstance(p, Slice) and p.index in fixed else p
            for p in value.view.picks
        )
        dims, part = there.dims, View(value.view.array, picks)
        if not dims and isinstance(there, View):
            symbol = sympy.Symbol(part.array)
            self.builder.add(Assign(there, Scalar(symbol, ((symbol, part),)), accumulate=True))
        else:
            self.builder.add(
                Ufunc("add", (laid_out(there, dims), laid_out(part, dims)), laid_out(there, dims))
            )

    # ---- recurrences --------------------------------------------------------------------------

    def recurrence(self, loop: Recurrence) -> None:
        """The equations of a cycle, one iteration after the other."""
        for step in loop.steps:
            if not step.equation.target.subscripts:
                raise ProgramError(f"{step.equation.target} has no axis to loop along")
        name = fresh_name(
            loop.steps[0].index,
            {*self.builder.arrays, *self.program.tensor_of, *dict(self.program.sizes)},
        )
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
                self.builder.add(Guard(Affine.index(name), r.lo, r.hi, tuple(guarded)))
        self.builder.add(Loop(name, Affine((), lo), Affine((), hi), tuple(body), loop.backward))
