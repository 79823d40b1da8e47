"""Formulas of one derivation: equations, local partials and contributions in every format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sympy import Expr, Mul, S, Symbol
from sympy.core.parameters import distribute

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.derive import Derived, Partial
from symgrad.algebra.program import Equation, Program, Range, Slot, slot_symbol
from symgrad.explain.latex import Latex, bracketed, name_latex
from symgrad.explain.latex_scalars import PRODUCT, Printer, expression_latex
from symgrad.explain.matrix import Matrix, matrix_form
from symgrad.explain.matrix_text import matrix_latex, matrix_text
from symgrad.explain.settle import Condition, Settled, letters_of, needs_delta, settle
from symgrad.explain.steps import LOCAL, MATRICES, Addend, Code, Formula
from symgrad.explain.terms import HOLE, Line, ranges_text, term_of
from symgrad.notation.context import context_of
from symgrad.notation.printer import equation_text, expression_text


@dataclass(frozen=True)
class Book:
    """value: the tensor that is differentiated; symbol: what it is called in dL/dX."""

    derived: Derived
    value: str

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
    def adjoints(self) -> Mapping[str, tuple[Settled, ...]]:
        """The contributions to each adjoint, with one set of letters on the left."""
        found: dict[str, list[Settled]] = {}
        for equation in self.program.equations:
            name = equation.target.tensor
            if name in self.primal and name != self.seed:
                letters = letters_of(self.program, self.primal[name])
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
        with distribute(False):
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
        if not ranges:
            return None
        shown = r",\ ".join(self.latex.range(r) for r in ranges)
        return Code(f"for {ranges_text(ranges)}", rf"\text{{for }} {shown}")

    def equation(self, line: Line) -> Formula:
        """A line of the program as it stands."""
        first = line.equations[0]
        if first.op == "sum":
            terms = tuple(self.addend(e) for e in line.equations)
        else:
            text = f"{first.op}({','.join(first.reduced)}: {expression_text(first.body)})"
            terms = (Addend(text, self._reduction(first)),)
        return Formula(
            self.code(first.target), terms, (line.text,), line.sign, self.ranges(line.stated)
        )

    def _reduction(self, equation: Equation) -> str:
        """logsumexp and argmax in LaTeX."""
        body = expression_latex(equation.body, self.latex, equation.slot_of)
        below = ",".join(name_latex(i) for i in equation.reduced)
        if equation.op == "argmax":
            return rf"\operatorname{{argmax}}_{{{below}}} {bracketed(body)}"
        return rf"\log \sum_{{{below}}} \exp{bracketed(body)}"

    def addend(
        self, equation: Equation, conditions: Sequence[Condition] = (), when: Code | None = None
    ) -> Addend:
        """The right side of an equation: its sum over what is not on the left."""
        masked = replace_conditions(equation, conditions) if conditions else equation
        return Addend(term_of(masked).text(), self.term_latex(equation, conditions), when)

    def term_latex(self, equation: Equation, conditions: Sequence[Condition]) -> str:
        """A condition on what is summed stands under the sum, another as a bracket before it."""
        term = term_of(equation)
        slots = equation.slot_of
        masks, under = [], []
        for c in conditions:
            place, index = self.latex.subscript(c.place), name_latex(c.index)
            summed = c.place.indices & set(term.reduced)
            if summed:
                under.append(f"{place} = {index}")
            else:
                masks.append(rf"\left[{index} = {place}\right]")
        if term.reduced:
            inner, level = Printer(self.latex, slots).text(term.inner)
            if level < PRODUCT or inner.startswith("-"):
                inner = bracketed(inner)
            below = ",".join([*map(name_latex, term.reduced)])
            below += r":\ " + r",\ ".join(under) if under else ""
            hole = (rf"\sum_{{{below}}} {inner}", PRODUCT)
            with distribute(False):
                whole = Mul(term.outer, HOLE)
            shown, level = Printer(self.latex, slots, {HOLE: hole}).text(whole)
        else:
            shown, level = Printer(self.latex, slots).text(term.whole)
        if not masks:
            return shown
        mask = r"\,".join(masks)
        if shown == "1":
            return mask
        if shown.startswith("-") and level >= PRODUCT:
            return rf"-{mask}\,{shown[1:]}"
        return rf"{mask}\,{shown if level >= PRODUCT else bracketed(shown)}"

    def local(self, partial: Partial) -> Formula:
        """d target / d read = slope, with the ranges of the whole box."""
        target, read = self.code(partial.equation.target), self.code(partial.read)
        slope = self.expression(partial.slope, partial.slots)
        left = Code(
            f"d({target.text})/d({read.text})",
            rf"\frac{{\partial {target.latex}}}{{\partial {read.latex}}}",
        )
        return Formula(
            left,
            (Addend(slope.text, slope.latex),),
            conditions=self.ranges(partial.equation.box),
            label=LOCAL,
        )

    def contribution(self, equation: Equation) -> tuple[Formula, ...]:
        """An adjoint equation as it arises; with its deltas, where the write is not plain."""
        name = equation.target.tensor
        sign = "=" if len(self.program.writers[name]) == 1 else "+="
        bare = self.unseeded(equation)
        given = [
            r
            for r in context_of(self.program).unimplied(equation)
            if r.index in equation.target.indices
        ]
        asit = Formula(
            self.adjoint(equation.target),
            (self.addend(bare),),
            (equation_text(equation, self.program),),
            sign if equation.target.is_plain else "+=",
            self.ranges(given),
            "chain rule",
        )
        if not needs_delta(equation.target):
            return (asit,)
        letters = letters_of(self.program, self.primal[name], equation.target)
        settled = settle(bare, letters, self.program)
        label = "with deltas" if settled.conditions else "by place"
        return (asit, self.total_of(name, (settled,), label, sign))

    def total(self, name: str, label: str = "") -> Formula:
        """dL/dX as the sum of its contributions."""
        return self.total_of(name, self.adjoints[name], label)

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

    def _counted(self, settled: Settled, name: str) -> Addend:
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
        return self._matrix(name, node)

    def _matrix(self, name: str, node: Matrix) -> Formula:
        slots = {slot_symbol(s): s for group in self.adjoints[name] for s in group.slots}
        return Formula(
            self.adjoint(Access(name)),
            (Addend(matrix_text(node), matrix_latex(node, self.latex, slots)),),
            label=MATRICES,
        )


def replace_conditions(equation: Equation, conditions: Sequence[Condition]) -> Equation:
    """The equation with its conditions as masks."""
    slots = tuple(slot for _, slot in equation.slots)
    return Settled(
        equation.target, equation.body, slots, equation.box, tuple(conditions)
    ).equation()
