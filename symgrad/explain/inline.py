"""A network as one explicit expression: each forward equation put into the one that reads it.

q[b,a] = sum(i: W2[a,i]*tanh(sum(j: W1[i,j]*x[b,j]) + c1[i])) + c2[a]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from sympy import Expr, Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation, Program, Range, Slot, slot_symbol
from symgrad.algebra.sizes import ZERO, Size
from symgrad.explain.chain import put
from symgrad.explain.explained import Explained
from symgrad.explain.latex import Latex, bracketed, name_latex
from symgrad.explain.latex_scalars import ATOM, SUM, expression_latex
from symgrad.explain.numbers import ancestors
from symgrad.explain.steps import Code, Formula, Section, Step, summed
from symgrad.explain.terms import ranges_code, term_inner_latex, term_of
from symgrad.notation.context import context_of
from symgrad.notation.operators import ADD
from symgrad.notation.printer import Written, expression_text

MOST = 1000
"""Characters of an expression that is still printed."""
DEEPEST = 60
LETTERS = "ijklmnpqrstuvwabcdefgh"


class TooMuch(Exception):
    """Why an output is not one expression, or not one that helps."""


@dataclass
class Writer:
    """Puts definitions in. lengths: for each index in the expression, the axes that it reads.

    slots: what the symbols that are left stand for; wanted: the range of each summed index.
    depth: how many definitions are around the present one; put_in: how many were put in.
    """

    program: Program
    latex: Latex
    lengths: dict[str, list[Size]] = field(default_factory=dict)
    wanted: dict[str, Range] = field(default_factory=dict)
    slots: dict[Symbol, Slot] = field(default_factory=dict)
    put_in: int = 0
    depth: int = 0

    def tensor(self, access: Access, scope: frozenset[str]) -> Expr:
        """What a computed tensor is at a place."""
        terms = self.terms(access, scope)
        if len(terms) == 1:
            return terms[0]
        whole = summed(map(self.code, terms))
        return Written(whole.text, whole.latex, ADD, SUM)

    def terms(self, access: Access, scope: frozenset[str]) -> list[Expr]:
        """Its contributions, one from each equation."""
        writers = self.program.writers.get(access.tensor, ())
        name = access.tensor
        if self.depth > DEEPEST:
            raise TooMuch(f"it has more than {DEEPEST} levels")
        if access.padded or not all(isinstance(s, Affine) for s in access.subscripts):
            raise TooMuch(f"{access} reads {name} where data or an edge decides")
        self.depth += 1
        terms = [self.contribution(e, access, scope) for e in writers]
        self.depth -= 1
        self.put_in += 1
        return terms

    def code(self, expr: Expr) -> Code:
        """Errors: TooMuch for a text that would fill the page."""
        text = expression_text(expr)
        if len(text) > MOST:
            raise TooMuch(f"it takes more than {MOST:,} characters")
        return Code(text, expression_latex(expr, self.latex, self.slots))

    def contribution(self, equation: Equation, access: Access, scope: frozenset[str]) -> Expr:
        target = equation.target
        shape = self.program.tensor_of[target.tensor].shape
        if target.tensor in context_of(self.program).cycle:
            raise TooMuch(f"{target.tensor} is a recurrence, which has no end")
        if equation.op == "argmax":
            raise TooMuch(f"{target.tensor} is an argmax")
        own = [s.plain or "" for s in target.subscripts if isinstance(s, Affine)]
        ranges = [equation.range_of.get(i) for i in own]
        _check_plain(self.program, target)
        if any(r is None or r.lo != ZERO or r.hi != n for r, n in zip(ranges, shape, strict=True)):
            raise TooMuch(f"{target.tensor} is written in parts")
        mapping = {
            i: s for i, s in zip(own, access.subscripts, strict=True) if isinstance(s, Affine)
        }
        taken = scope | access.indices
        for index in equation.reduced:
            letter = index if index not in taken else self.fresh(taken)
            taken |= {letter}
            mapping[index] = Affine.index(letter)
        renamed = {i: mapping[i].plain or "" for i in equation.reduced}
        for old, new in renamed.items():
            self.want(new, equation.range_of[old])
        return self.body(equation, mapping, renamed, frozenset(taken))

    def want(self, index: str, given: Range) -> None:
        """The same letter may come twice, side by side, over the same range alone."""
        if self.wanted.setdefault(index, given).hi != given.hi or given.lo != ZERO:
            raise TooMuch("an index would need a range of its own")

    def fresh(self, taken: frozenset[str]) -> str:
        names = {*self.program.tensor_of, *dict(self.program.sizes), *dict(self.program.functions)}
        free = (i for i in LETTERS if i not in taken and i not in names and i not in self.wanted)
        letter = next(free, None)
        if letter is None:
            raise TooMuch("it takes more letters than there are")
        return letter

    def body(
        self,
        equation: Equation,
        mapping: Mapping[str, Affine],
        reduced: Mapping[str, str],
        scope: frozenset[str],
    ) -> Expr:
        """The right side, with every computed read replaced."""
        if not reduced:
            return self.expression(equation.body, equation, mapping, scope)
        term = term_of(equation)
        below = ",".join(name_latex(reduced[i]) for i in sorted(reduced))
        if equation.op == "logsumexp":
            inner = self.code(self.expression(equation.body, equation, mapping, scope))
            letters = ",".join(reduced.values())
            shown = rf"\log \sum_{{{below}}} \exp{bracketed(inner.latex)}"
            return Written(f"logsumexp({letters}: {inner.text})", shown, latex_tight=ATOM)
        expr = self.expression(term.inner, equation, mapping, scope)
        inner, latex = self.code(expr), term_inner_latex(expr, self.latex, self.slots)
        told = replace(
            term,
            reduced=tuple(reduced[i] for i in term.reduced),
            outer=self.expression(term.outer, equation, mapping, scope),
        )
        return told.around(inner.text, rf"\sum_{{{below}}} {latex}")

    def expression(
        self,
        expr: Expr,
        equation: Equation,
        mapping: Mapping[str, Affine],
        scope: frozenset[str],
    ) -> Expr:
        """With its indices replaced, and what is computed put in."""
        computed: dict[Symbol, Expr] = {}
        kept: list[Slot] = []
        for symbol in sorted(expr.free_symbols, key=lambda s: str(s.name)):
            slot = equation.slot_of.get(symbol)
            if not isinstance(slot, Access):
                kept += [] if slot is None else [slot]
                continue
            read = slot.substitute(mapping)
            self.note(read)
            if self.program.tensor_of[read.tensor].role == "computed":
                computed[symbol] = self.tensor(read, scope)
            else:
                kept.append(slot)
        found, slots = put(expr, kept, mapping, computed)
        self.slots |= {slot_symbol(slot): slot for slot in slots}
        self.code(found)
        return found

    def note(self, read: Access) -> None:
        """The axes of declared tensors that indices read: from them a range is inferred."""
        for gathered in read.gathers():
            self.note(gathered)
            if self.program.tensor_of[gathered.tensor].role == "computed":
                raise TooMuch(f"{read} reads at a place that is computed")
        tensor = self.program.tensor_of[read.tensor]
        if tensor.role == "computed" or read.padded:
            return
        for subscript, size in zip(read.subscripts, tensor.shape, strict=True):
            if isinstance(subscript, Affine) and subscript.plain:
                self.lengths.setdefault(subscript.plain, []).append(size)


def _check_plain(program: Program, target: Access) -> None:
    """A definition is put in where its target is read, if that names an index for each axis."""
    if target.is_plain and not target.padded:
        return
    if len(program.writers[target.tensor]) > 1:
        raise TooMuch(f"{target.tensor} is written in parts")
    raise TooMuch(f"{target} is written at places computed from its indices")


def output(program: Program, latex: Latex, name: str) -> tuple[Formula, int]:
    """An output as one expression, and how many equations it took.

    Errors: TooMuch, with the reason.
    """
    writers = program.writers[name]
    if name in context_of(program).cycle:
        raise TooMuch(f"{name} is a recurrence, which has no end")
    _check_plain(program, writers[0].target)
    own = [s.plain for s in writers[0].target.subscripts if isinstance(s, Affine)]
    place = Access.plain(name, tuple(i or "" for i in own))
    writer = Writer(program, latex)
    terms = tuple(map(writer.code, writer.terms(place, place.indices)))
    shape = dict(zip((i or "" for i in own), program.tensor_of[name].shape, strict=True))
    for index, given in writer.wanted.items():
        if index in shape or any(n != given.hi for n in writer.lengths.get(index, [ZERO])):
            raise TooMuch(f"the range of {index} cannot be read off it")
    stated = [
        Range(i, ZERO, n)
        for i, n in shape.items()
        if not writer.lengths.get(i) or any(size != n for size in writer.lengths[i])
    ]
    left = Code(str(place), latex.access(place))
    formula = Formula(left, terms, conditions=ranges_code(stated, latex))
    return replace(formula, notation=(formula.text,)), writer.put_in


ABOUT = (
    "Each equation put into the next, until only parameters and data are left. The derivation "
    "does not need it: it keeps every name.",
)


def whole_network(explained: Explained) -> Iterator[Section]:
    """Each output that the gradient is about, where it is made of more than one equation."""
    spec, book = explained.spec, explained.book
    if explained.path_only and explained.element is None:
        return
    steps: list[Step] = []
    remarks = []
    params = {t.name for t in spec.tensors if t.role == "param"}
    for name in dict.fromkeys(n for _, program in spec.forwards for n in program.outputs):
        entering = ancestors(spec.shared, name) & params
        if entering and not entering & {*explained.loss.wrt}:  # a network that is held
            continue
        try:
            formula, count = output(spec.shared, book.latex, name)
        except TooMuch as reason:
            remarks.append(
                (book.code(Access(name)), f" is not written as one expression: {reason}.")
            )
            continue
        if count > 1:
            steps.append(Step(next(explained.numbers), "whole", (), (formula,)))
    if steps or remarks:
        title = "The network as one expression"
        yield Section(title, (ABOUT,) if steps else (), tuple(steps), tuple(remarks))
