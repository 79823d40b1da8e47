"""Formulas of one derivation: equations, local partials and contributions in every format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sympy import Expr, S, Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.derive import Derived, Partial
from symgrad.algebra.program import Equation, Program, Range, Slot, slot_symbol
from symgrad.explain.latex import Latex
from symgrad.explain.latex_scalars import expression_latex
from symgrad.explain.matrix import matrix_form
from symgrad.explain.matrix_text import matrix_code
from symgrad.explain.numbers import Numbers
from symgrad.explain.settle import (
    Condition,
    Settled,
    counted,
    letters_of,
    needs_delta,
    settle,
    with_conditions,
)
from symgrad.explain.steps import CHAIN, LOCAL, MATRICES, Code, Figure, Formula, ratio
from symgrad.explain.terms import Line, ranges_code, reduction_latex, term_latex, term_of
from symgrad.notation.context import context_of
from symgrad.notation.printer import equation_text, expression_text


@dataclass(frozen=True)
class Book:
    """value: the tensor that is differentiated; symbol: what it is called in dL/dX.

    numbers: what the formulas come to, where the derivation stands at a point.
    """

    derived: Derived
    value: str
    numbers: Numbers | None = None

    @cached_property
    def program(self) -> Program:
        return self.derived.program

    @cached_property
    def symbol(self) -> str:
        return self.value if "L" in self.program.names else "L"

    @cached_property
    def primal(self) -> Mapping[str, str]:
        """The tensor of each adjoint."""
        return {adjoint: name for name, adjoint in self.derived.name_of.items()}

    @cached_property
    def latex(self) -> Latex:
        names = frozenset([*self.program.tensor_of, *dict(self.program.functions)])
        return Latex(self.primal, self.value, names)

    @cached_property
    def pairs(self) -> tuple[tuple[Partial, Equation], ...]:
        """Each local partial and the adjoint equation that comes of it, in backward order."""
        local, equations = self.derived.partials, self.program.equations
        if not local:
            return ()
        start = next(i for i, e in enumerate(equations) if e.target.tensor == self.seed) + 1
        return tuple(zip(local, equations[start : start + len(local)], strict=True))

    def contributions(self, name: str) -> list[tuple[Partial, Equation]]:
        """Those that contribute to the adjoint of a tensor."""
        return [(p, e) for p, e in self.pairs if p.read.tensor == name]

    @cached_property
    def adjoints(self) -> Mapping[str, tuple[Settled, ...]]:
        """The contributions to each adjoint, with one set of letters on the left."""
        found: dict[str, list[Settled]] = {}
        for equation in self.program.equations:
            name = equation.target.tensor
            if name in self.primal and name != self.seed:
                letters = letters_of(self.program, self.primal[name], last=equation.target)
                settled = settle(self.unseeded(equation), letters, self.program)
                found.setdefault(name, []).append(settled)
        return {name: tuple(group) for name, group in found.items()}

    @cached_property
    def printed(self) -> Program:
        """The gradient program with every contribution settled."""
        kept = {name for name in self.adjoints if self._looped(name)}
        settled = {n: g for n, g in self.adjoints.items() if n not in kept}
        asit = [e for e in self.program.equations if e.target.tensor not in settled]
        sums = [s.equation() for group in settled.values() for s in group]
        return replace(self.program, equations=(*asit, *sums))

    def _looped(self, name: str) -> bool:
        """Whether a delta stands where a recurrence needs to see the shift."""
        cycle = context_of(self.program).cycle
        return name in cycle and any(
            cycle.get(slot.tensor) == cycle[name]
            for s in self.adjoints[name]
            for slot in s.slots
            if s.conditions and isinstance(slot, Access)
        )

    @cached_property
    def seed(self) -> str | None:
        return self.derived.name_of.get(self.value)

    def unseeded(self, equation: Equation) -> Equation:
        """With dL/dL = 1 put in."""
        if self.seed is None:
            return equation
        return equation.with_body(equation.body.xreplace({Symbol(self.seed): S.One}))

    def code(self, access: Access) -> Code:
        """A read as it stands."""
        return Code(str(access), self.latex.access(access))

    def expression(self, expr: Expr, slots: Iterable[Slot]) -> Code:
        known = {slot_symbol(slot): slot for slot in slots}
        return Code(expression_text(expr), expression_latex(expr, self.latex, known))

    def adjoint(self, access: Access) -> Code:
        """dL/dX[...], for a place of dX."""
        bare = replace(access, tensor=self.primal[access.tensor], padded=False)
        return Code(
            f"d{self.symbol}/d{bare}", self.latex.access(replace(bare, tensor=access.tensor))
        )

    def ranges(self, ranges: Sequence[Range]) -> Code | None:
        return ranges_code(ranges, self.latex)

    def equation(self, line: Line, last: bool = False) -> Formula:
        """A line of the program as it stands; with numbers where it is its tensor's last."""
        first = line.equations[0]
        if first.op == "sum":
            terms = tuple(self.addend(e) for e in line.equations)
        else:
            text = f"{first.op}({','.join(first.reduced)}: {expression_text(first.body)})"
            terms = (Code(text, reduction_latex(first, self.latex)),)
        alone = len(line.equations) == len(self.program.writers[first.target.tensor])
        name = None if alone and first.target.is_plain else self.code(Access(first.target.tensor))
        return Formula(
            self.code(first.target),
            terms,
            (line.text,),
            line.sign,
            self.ranges(line.stated),
            figure=self.figure(first.target.tensor, name) if last else None,
        )

    def figure(self, tensor: str, name: Code | None = None) -> Figure | None:
        """A tensor in numbers."""
        found = self.numbers.values.get(tensor) if self.numbers else None
        return None if found is None else Figure(found, name)

    def addend(
        self, equation: Equation, conditions: Sequence[Condition] = (), when: Code | None = None
    ) -> Code:
        """The right side of an equation: its sum over what is not on the left."""
        equation = counted(equation, conditions)
        masked = with_conditions(equation, conditions) if conditions else equation
        return Code(term_of(masked).text(), term_latex(equation, conditions, self.latex), when)

    def local(self, partial: Partial) -> Formula:
        """d target / d read = slope, with the ranges of the whole box."""
        target, read = self.code(partial.equation.target), self.code(partial.read)
        slope = self.expression(partial.slope, partial.slots)
        return Formula(
            ratio(target, read),
            (slope,),
            conditions=self.ranges(partial.equation.box),
            label=LOCAL,
            figure=self._slope(partial),
        )

    def _slope(self, partial: Partial) -> Figure | None:
        """A slope in numbers, where it is not a number already."""
        if self.numbers is None or partial.slope.is_number:
            return None
        return Figure(self.numbers.slope(partial))

    def place(self, access: Access) -> Code:
        """A place of a tensor; of an adjoint, dL/dX[...]."""
        return self.adjoint(access) if access.tensor in self.primal else self.code(access)

    def line(self, equation: Equation, program: Program, sign: str) -> Formula:
        """An equation of a program, with the ranges of its left side that it needs."""
        unsaid = context_of(program).unimplied(equation)
        return Formula(
            self.place(equation.target),
            (self.addend(self.unseeded(equation)),),
            (equation_text(equation, program),),
            sign,
            self.ranges([r for r in unsaid if r.index in equation.target.indices]),
        )

    def contribution(self, equation: Equation) -> tuple[Formula, ...]:
        """An adjoint equation as it arises; with its deltas, where the write is not plain."""
        name = equation.target.tensor
        sign = "=" if len(self.program.writers[name]) == 1 else "+="
        bare = self.unseeded(equation)
        own = sign if equation.target.is_plain else "+="
        asit = replace(self.line(equation, self.program, own), label=CHAIN)
        figure = Figure(self.numbers.contribution(equation)) if self.numbers else None
        if not needs_delta(equation.target):
            return (replace(asit, figure=figure),)
        letters = letters_of(self.program, self.primal[name], equation.target)
        settled = settle(bare, letters, self.program)
        label = "with deltas" if settled.conditions else "by place"
        return (asit, replace(self.total_of(name, (settled,), label, sign), figure=figure))

    def total(self, name: str, label: str = "") -> Formula:
        """dL/dX as the sum of its contributions."""
        return replace(self.total_of(name, self.adjoints[name], label), figure=self.figure(name))

    def total_of(
        self, name: str, settled: Sequence[Settled], label: str, sign: str = "="
    ) -> Formula:
        terms = tuple(self._counted(s, name) for s in settled)
        return Formula(
            self.adjoint(settled[0].target),
            terms,
            (),
            sign,
            label=label,
        )

    def _counted(self, settled: Settled, name: str) -> Code:
        """A contribution, with its ranges where it does not reach every place."""
        shape = self.program.tensor_of[name].shape
        own = [r for r in settled.box if r.index in settled.target.indices]
        part = [
            r for r, n in zip(own, shape, strict=True) if r != Range(r.index, Affine().offset, n)
        ]
        plain = replace(settled, conditions=()).equation()
        return self.addend(plain, settled.conditions, self.ranges(part))

    def matrix(self, name: str) -> Formula | None:
        """dL/dX in matrices, where there is such a form."""
        node = matrix_form(self.adjoints.get(name, ()), self.program)
        if node is None or not self.program.tensor_of[name].shape:
            return None
        slots = {slot_symbol(s): s for group in self.adjoints[name] for s in group.slots}
        return Formula(
            self.adjoint(Access(name)),
            (matrix_code(node, self.latex, slots),),
            label=MATRICES,
        )
