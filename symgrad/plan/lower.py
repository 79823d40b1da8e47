"""Program -> steps: each equation, in order, by the index sets of its reads and of its target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import sympy
from sympy import S
from sympy.core.parameters import distribute

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.order import Loop as Recurrence
from symgrad.algebra.order import schedule
from symgrad.algebra.program import Equation, Program, Range, Slot, Tensor, count_of, fresh_name, slot_symbol
from symgrad.algebra.sizes import ONE, ZERO, Size
from symgrad.errors import ProgramError
from symgrad.notation.printer import equation_text
from symgrad.plan.arrange import covers
from symgrad.plan.builder import Builder, affine_view, bordered, copied, fill, keyed, laid_out, margins, whole
from symgrad.plan.contract import Contraction
from symgrad.plan.elementwise import Elementwise, factors, signed
from symgrad.plan.steps import (
    ArgMax,
    Array,
    Assign,
    At,
    Copy,
    Guard,
    LogSumExp,
    Loop,
    Note,
    Operand,
    Scatter,
    Slice,
    Step,
    Strided,
    Ufunc,
    View,
)

STORAGE = {"param": "param", "data": "input", "computed": "buffer"}


def lower(program: Program, gradients: Sequence[str] = ()) -> tuple[tuple[Array, ...], tuple[Step, ...]]:
    """Arrays and steps that compute the program's outputs; `gradients` are written where they are kept."""
    with distribute(False):
        work = _Lowering(Builder(program))
        for tensor in program.tensors:
            storage = "gradient" if tensor.name in gradients else STORAGE[tensor.role]
            if tensor.shape:
                work.builder.arrays[tensor.name] = Array(tensor.name, tensor.shape, tensor.kind, storage)  # type: ignore[arg-type]
        for group in schedule(program):
            if isinstance(group, Recurrence):
                work.recurrence(group)
            else:
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
        self.prepare(equation)
        if equation.op == "logsumexp":
            self.logsumexp(equation)
        elif equation.op == "argmax":
            self.argmax(equation)
        elif not equation.target.subscripts:
            self.scalar(equation)
        else:
            self.array(equation)
        self.started.add(equation.target.tensor)

    def prepare(self, equation: Equation) -> None:
        """Zeros first, where no equation yet has written every place."""
        tensor = self.program.tensor_of[equation.target.tensor]
        if tensor.name in self.started | self.filled or not tensor.shape or equation.op != "sum":
            return
        if not covers(equation, self.program):
            self.builder.add(fill(self.builder.arrays[tensor.name], 0))
            self.filled.add(tensor.name)

    def assigns(self, equation: Equation) -> bool:
        """Whether the places written hold nothing yet."""
        tensor = self.program.tensor_of[equation.target.tensor]
        first = tensor.name not in self.started and covers(equation, self.program)
        return first or all(e.assigns for e in self.program.writers[tensor.name])

    def elementwise(self, equation: Equation) -> Elementwise:
        return Elementwise(self.builder, equation.slot_of, equation.range_of)

    def array(self, equation: Equation) -> None:
        for part in _terms(equation, self.builder.loops):
            self.part(part)

    def part(self, equation: Equation) -> None:
        target = self.builder.arrays[equation.target.tensor]
        assigns = self.assigns(equation)
        self.started.add(target.name)
        scatters = any(isinstance(s, Access) for s in equation.target.subscripts)
        if scatters:
            self.scatter(equation, target)
            return
        view = None if equation.target.padded and self.reaches_out(equation) else self.direct(equation, target)
        if view is None:
            self.slices(equation, target)
            return
        dims = view.dims
        if assigns:
            self.value(equation, dims, laid_out(view, dims))
        else:
            self.accumulate(equation, dims, laid_out(view, dims))

    def reaches_out(self, equation: Equation) -> bool:
        sides = margins(self.builder, equation.target, equation.range_of)
        return any(side != (ZERO, ZERO) for side in sides)

    def direct(self, equation: Equation, target: Array) -> View | Strided | None:
        """The target's places as one view, where every axis carries at most one index."""
        subscripts = [s for s in equation.target.subscripts if isinstance(s, Affine)]
        free = [[i for i, _ in s.terms if i not in self.builder.loops] for s in subscripts]
        if any(len(indices) > 1 for indices in free):
            return None
        return affine_view(self.builder, target, subscripts, equation.range_of)

    # ---- values -------------------------------------------------------------------------------

    def value(self, equation: Equation, dims: tuple[str, ...], out: Operand | None) -> Operand:
        """The body, summed over all that is not in dims: in `out`, or in a new buffer."""
        lower = self.elementwise(equation)
        reduced = [r for r in equation.box if r.index not in dims and r.index not in self.builder.loops]
        if not reduced:
            if out is None and equation.body.is_Symbol and lower.dims(equation.body, dims) == dims:
                leaf = lower.source(equation.body, dims)
                if isinstance(leaf, Operand):
                    return leaf
            out = out or laid_out(self.builder.temporary(dims, equation.range_of), dims)
            lower.into(equation.body, dims, out)
            return out
        scale, parts, below = self.split(equation, reduced, lower)
        made = Contraction(lower).run([*parts, *(1 / b for b in below)], dims, out) if parts or below else None
        if made is None or isinstance(made, str):
            raise ProgramError(f"{equation.target}: nothing in the body carries {', '.join(dims)}")
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

    def split(self, equation: Equation, reduced: Sequence[Range], lower: Elementwise) -> tuple[sympy.Expr, list[sympy.Expr], list[sympy.Expr]]:
        """(factor without an index, factors above, factors below) of a body under a sum."""
        above, below, number = factors(equation.body)
        carried = lower.indices(equation.body)
        idle = count_of(r for r in reduced if r.index not in carried)
        scale = sympy.Mul(number, *(f for f in above if not lower.indices(f)), *(1 / f for f in below if not lower.indices(f)))
        if idle != ONE:
            symbol = slot_symbol(Affine((), idle))
            lower.slots = {**lower.slots, symbol: Affine((), idle)}
            scale = scale * symbol
        return scale, [f for f in above if lower.indices(f)], [f for f in below if lower.indices(f)]

    def accumulate(self, equation: Equation, dims: tuple[str, ...], out: Operand) -> None:
        sign, body = signed(equation.body)
        positive = equation.with_body(body)
        lower = self.elementwise(positive)
        reduced = [r for r in equation.box if r.index not in dims and r.index not in self.builder.loops]
        addend = self.value(positive, dims, None) if reduced else lower.source(body, dims)
        self.builder.add(Ufunc("add" if sign > 0 else "subtract", (out, addend), out))

    def scalar(self, equation: Equation) -> None:
        """A rank-0 target: a Python-level expression, or totals."""
        tensor = equation.target.tensor
        accumulate = not self.assigns(equation)
        for part in _terms(equation, self.builder.loops):
            lower = self.elementwise(part)
            reduced = [r for r in part.box if r.index not in self.builder.loops]
            if not reduced:
                self.builder.add(Assign(tensor, lower.scalar(part.body), accumulate))
            else:
                scale, parts, below = self.split(part, reduced, lower)
                total = scale
                if parts or below:
                    made = Contraction(lower).run([*parts, *(1 / b for b in below)], (), None)
                    access = Access(str(made))
                    lower.slots = {**lower.slots, slot_symbol(access): access}
                    total = scale * slot_symbol(access)
                self.builder.add(Assign(tensor, lower.scalar(total), accumulate))
            accumulate = True

    # ---- other targets ------------------------------------------------------------------------

    def logsumexp(self, equation: Equation) -> None:
        source, dims, out = self.reduction(equation)
        scratch = self.builder.temporary([d for g in source.layout for d in g], equation.range_of)
        total = self.builder.temporary(dims, equation.range_of)
        self.builder.add(LogSumExp(source, out, Operand(scratch, source.layout), laid_out(total, dims)))

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
        inner = tuple(i for i in equation.reduced if i not in self.builder.loops)
        everything = (*dims, *inner)
        made = lower.source(equation.body, everything)
        if not isinstance(made, Operand) or set(made.view.dims) != set(everything):
            buffer = self.builder.temporary(everything, equation.range_of)
            lower.into(equation.body, everything, laid_out(buffer, everything))
            made = laid_out(buffer, everything)
        merged = Operand(made.view, (*((d,) for d in dims), inner))
        contiguous = isinstance(made.view, View) and made.view.dims == everything and all(
            isinstance(p, Slice) and p.whole for p in made.view.picks
        )
        return (merged if contiguous else copied(self.builder, merged, equation.range_of)), dims, out

    def scatter(self, equation: Equation, target: Array) -> None:
        """Values at places that integer tensors name: added there."""
        at = keyed(self.builder, equation.target, equation.range_of, target)
        dims = (*at.keys, *at.rest)
        sign, body = signed(equation.body)
        positive = equation.with_body(body if sign > 0 and not equation.reduced else equation.body)
        value = self.value(positive, dims, None)
        plain = {s.plain for s in equation.target.subscripts if isinstance(s, Affine)}
        injective = set(dims) <= plain
        merged = at.source.layout[at.axis]
        layout = (merged, *((d,) for d in at.rest))
        scratch = laid_out(self.builder.temporary(dims, equation.range_of), dims) if injective else None
        source = Operand(at.source.view, layout)
        if at.adjacent:
            self.builder.add(Scatter(source, at.positions, value, injective, scratch))
            return
        flat = [d for group in layout for d in group]
        sizes = {p.index: p.count for p in at.source.view.picks if isinstance(p, Slice)} if isinstance(at.source.view, View) else {}
        room = self.builder.array(f"{target.name}_t", tuple(sizes[d] for d in flat))
        self.builder.add(fill(room, 0), Scatter(Operand(whole(room, flat), layout), at.positions, value, injective, scratch))
        there = Operand(at.source.view, tuple((d,) for d in flat))
        self.builder.add(Ufunc("add", (there, Operand(whole(room, flat), tuple((d,) for d in flat))), there))

    def slices(self, equation: Equation, target: Array) -> None:
        """Several indices on one axis, or places outside: slice-adds, in a loop over the smaller index."""
        ranges = equation.range_of
        subscripts = [s for s in equation.target.subscripts if isinstance(s, Affine)]
        carried = frozenset().union(*(s.indices for s in subscripts)) - set(self.builder.loops)
        dims = tuple(i for i in ranges if i in carried)
        value = self.value(equation, dims, None)
        array, middle = target, None
        if equation.target.padded:
            array, middle, moved = bordered(self.builder, equation.target, ranges, f"{target.name}_pad")
            subscripts = list(moved)
            self.builder.add(fill(array, 0))
        looped: list[str] = []
        for subscript in subscripts:
            free = [i for i, _ in subscript.terms if i not in self.builder.loops]
            longest = max(free, key=lambda i: (self.builder.typical(ranges[i].count), i), default=None)
            looped += [i for i in free if i != longest and i not in looped]
        self.nest(tuple(looped), equation, array, subscripts, value, self.builder.loops)
        if middle is not None:
            axes = tuple((f"@{n}",) for n in range(len(array.shape)))
            there = Operand(whole(target, [a for (a,) in axes]), axes)
            self.builder.add(Ufunc("add", (there, Operand(middle, axes)), there))

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
            At(Affine.index(p.index) + Affine((), ZERO - equation.range_of[p.index].lo)) if isinstance(p, Slice) and p.index in fixed else p
            for p in value.view.picks
        )
        dims = there.dims
        self.builder.add(Ufunc("add", (laid_out(there, dims), laid_out(View(value.view.array, picks), dims)), laid_out(there, dims)))

    # ---- recurrences --------------------------------------------------------------------------

    def recurrence(self, loop: Recurrence) -> None:
        """The equations of a cycle, one iteration after the other."""
        for step in loop.steps:
            self.prepare(step.equation)
        for step in loop.steps:
            if not step.equation.target.subscripts:
                raise ProgramError(f"{step.equation.target} has no axis to loop along")
        name = fresh_name(loop.steps[0].index, {*self.builder.arrays, *self.program.tensor_of, *dict(self.program.sizes)})
        renamed = [_with_index(s.equation, s.index, name, s.shift) for s in loop.steps]
        ranges = [e.range_of[name] for e in renamed]
        lo, hi = _least([r.lo for r in ranges]), _greatest([r.hi for r in ranges])
        with self.builder.inside(name) as body:
            for equation, r in zip(renamed, ranges, strict=True):
                if (r.lo, r.hi) == (lo, hi):
                    self.equation(equation)
                    continue
                with self.builder.inside() as guarded:
                    self.equation(equation)
                self.builder.add(Guard(Affine.index(name), r.lo, r.hi, tuple(guarded)))
        self.builder.add(Loop(name, Affine((), lo), Affine((), hi), tuple(body), loop.backward))


def _terms(equation: Equation, loops: Sequence[str]) -> list[Equation]:
    """A sum under a reduction, one equation for each term, where the terms carry different indices.

    sum over j of (W[i,j]*x[j] + c[i])  ->  a matrix product and a sum; (lse[b] - q[b]) stays whole.
    """
    body = equation.body
    if not body.is_Add or not equation.reduced:
        return [equation]
    slots = equation.slot_of

    def carried(expr: sympy.Expr) -> frozenset[str]:
        return frozenset().union(*(slots[s].indices for s in expr.free_symbols if s in slots)) - set(loops)

    reads = [frozenset(slots[s].indices) - set(loops) for s in body.free_symbols if s in slots]
    if carried(body) in reads:
        return [equation]
    ordered = sorted(body.args, key=lambda t: (sorted(carried(t)), str(t)))
    groups = [list(g) for _, g in groupby(ordered, key=lambda t: sorted(carried(t)))]
    return [equation.with_body(sympy.Add(*g)) for g in groups]


def _with_index(equation: Equation, old: str, new: str, shift: int) -> Equation:
    """The equation over iterations: its index `old` is new + shift."""
    if old == new and shift == 0:
        return equation
    if new != old and new in equation.range_of:
        spare = next(f"{new}{n}" for n in range(2, 100) if f"{new}{n}" not in equation.range_of)
        equation = _substituted(equation, {new: Affine.index(spare)}, {new: spare}, 0)
    return _substituted(equation, {old: Affine.index(new) + Affine((), Size.of(shift))}, {old: new}, shift)


def _substituted(equation: Equation, mapping: Mapping[str, Affine], letters: Mapping[str, str], shift: int) -> Equation:
    slots: dict[sympy.Symbol, Slot] = {s: slot.substitute(mapping) for s, slot in equation.slots}
    rename = {s: slot_symbol(slot) for s, slot in slots.items()}
    box = tuple(Range(letters[r.index], r.lo - shift, r.hi - shift) if r.index in letters else r for r in equation.box)
    new_slots = sorted({rename[s]: slots[s] for s in slots}.items(), key=lambda p: p[0].name)
    return replace(
        equation,
        target=equation.target.substitute(mapping),
        body=equation.body.xreplace(rename),
        slots=tuple(new_slots),
        box=box,
    )


def _least(sizes: Sequence[Size]) -> Size:
    best = sizes[0]
    for size in sizes[1:]:
        if (best - size).is_nonnegative():
            best = size
        elif not (size - best).is_nonnegative():
            raise ProgramError(f"the start of a loop is not known: {best} or {size}")
    return best


def _greatest(sizes: Sequence[Size]) -> Size:
    return ZERO - _least([ZERO - s for s in sizes])

