"""A network as one explicit expression: each forward equation put into the one that reads it.

q[b,a] = sum(i: W2[a,i]*tanh(sum(j: W1[i,j]*x[b,j]) + c1[i])) + c2[a]
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Add, Expr, Function, Mul, S, Symbol
from sympy.core.parameters import distribute

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation, Program, Range, Slot, slot_symbol
from symgrad.algebra.sizes import ZERO, Size
from symgrad.explain.chain import put
from symgrad.explain.latex import Latex, bracketed, name_latex
from symgrad.explain.latex_scalars import ATOM, PRODUCT, SUM, Printer
from symgrad.explain.steps import Code, Formula, added
from symgrad.explain.terms import ranges_text, term_of
from symgrad.notation.context import context_of
from symgrad.notation.printer import expression_text

MOST = 1000
"""Characters of an expression that is still printed."""
DEEPEST = 60
CALL = re.compile(r"[\w']+[(\[]")
LETTERS = "ijklmnpqrstuvwabcdefgh"


class TooMuch(Exception):
    """Why an output is not one expression, or not one that helps."""


@dataclass(frozen=True)
class Said:
    """An expression as text and as LaTeX, and how tightly its outermost operator binds.

    A sum is a call in the text; in LaTeX it reaches to the next + or -.
    """

    text: str
    latex: str
    level: int

    @property
    def bracketed(self) -> str:
        return self.text if _stands_alone(self.text) else f"({self.text})"


def _stands_alone(text: str) -> bool:
    """A name, or a call or a read whose first bracket is closed by its last character."""
    start = CALL.match(text)
    if start is None:
        return text.isidentifier() or text.isdigit()
    depth = 0
    for k, character in enumerate(text[start.end() - 1 :], start.end() - 1):
        depth += (character in "([") - (character in ")]")
        if depth == 0:
            return k == len(text) - 1
    return False


@dataclass
class Writer:
    """Puts definitions in. lengths: for each index in the expression, the axes that it reads.

    depth: how many definitions are around the present one; put_in: how many were put in.
    """

    program: Program
    latex: Latex
    lengths: dict[str, list[Size]] = field(default_factory=dict)
    wanted: dict[str, Range] = field(default_factory=dict)
    put_in: int = 0
    depth: int = 0
    holes: int = 0

    def tensor(self, access: Access, scope: frozenset[str]) -> Said:
        """What a computed tensor is at a place."""
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
        if len(terms) == 1:
            return terms[0]
        return Said(added(t.text for t in terms), added(t.latex for t in terms), SUM)

    def contribution(self, equation: Equation, access: Access, scope: frozenset[str]) -> Said:
        target = equation.target
        shape = self.program.tensor_of[target.tensor].shape
        if target.tensor in context_of(self.program).cycle:
            raise TooMuch(f"{target.tensor} is a recurrence, which has no end")
        if equation.op == "argmax":
            raise TooMuch(f"{target.tensor} is an argmax")
        own = [s.plain or "" for s in target.subscripts if isinstance(s, Affine)]
        ranges = [equation.range_of.get(i) for i in own]
        whole = target.is_plain and not target.padded
        if not whole or any(
            r is None or r.lo != ZERO or r.hi != n for r, n in zip(ranges, shape, strict=True)
        ):
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
    ) -> Said:
        """The right side, with every computed read replaced."""
        term = term_of(equation)
        if equation.op == "logsumexp":
            inner = self.expression(equation.body, equation, mapping, scope)
            letters = ",".join(reduced.values())
            below = ",".join(map(name_latex, reduced.values()))
            shown = rf"\log \sum_{{{below}}} \exp{bracketed(inner.latex)}"
            return Said(f"logsumexp({letters}: {inner.text})", shown, ATOM)
        if not reduced:
            return self.expression(equation.body, equation, mapping, scope)
        inner = self.expression(term.inner, equation, mapping, scope)
        letters = ",".join(reduced[i] for i in term.reduced)
        below = ",".join(name_latex(reduced[i]) for i in term.reduced)
        bracket = inner.level < PRODUCT or inner.latex.startswith("-")
        shown = bracketed(inner.latex) if bracket else inner.latex
        summed = Said(f"sum({letters}: {inner.text})", rf"\sum_{{{below}}} {shown}", PRODUCT)
        if term.outer == S.One:
            return summed
        hole = self.hole()
        with distribute(False):
            product = Mul(term.outer, hole)
        return self.printed(product, equation, mapping, {hole: summed})

    def expression(
        self,
        expr: Expr,
        equation: Equation,
        mapping: Mapping[str, Affine],
        scope: frozenset[str],
    ) -> Said:
        holes: dict[Symbol, Said] = {}
        put_in: dict[Symbol, Symbol] = {}
        for symbol in sorted(expr.free_symbols, key=lambda s: str(s.name)):
            slot = equation.slot_of.get(symbol)
            if isinstance(slot, Access):
                read = slot.substitute(mapping)
                self.note(read)
                if self.program.tensor_of[read.tensor].role == "computed":
                    hole = self.hole()
                    put_in[symbol], holes[hole] = hole, self.tensor(read, scope)
        with distribute(False):
            found = expr.xreplace(put_in)
        return self.printed(found, equation, mapping, holes)

    def hole(self) -> Symbol:
        self.holes += 1
        return Symbol(f"zzz_{self.holes}_hole")

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

    def printed(
        self,
        expr: Expr,
        equation: Equation,
        mapping: Mapping[str, Affine],
        holes: Mapping[Symbol, Said],
    ) -> Said:
        """An expression with what stands in its holes, in brackets where it binds too loosely."""
        slots: list[Slot] = [slot for _, slot in equation.slots]
        used = [s for s in slots if slot_symbol(s) in expr.free_symbols]
        body, moved = put(expr, used, mapping)
        text = expression_text(_placed(body, holes, None))
        for hole, said in holes.items():
            text = text.replace(f"{hole.name}_in", said.bracketed).replace(hole.name, said.text)
            if len(text) > MOST:
                raise TooMuch(f"it takes more than {MOST:,} characters")
        known = {slot_symbol(s): s for s in moved}
        shown = {hole: (said.latex, said.level) for hole, said in holes.items()}
        latex, level = Printer(self.latex, known, shown).text(body)
        return Said(text, latex, level)


def _placed(node: Expr, holes: Mapping[Symbol, Said], parent: Expr | None) -> Expr:
    """Holes inside a product, a power or a difference get the name that brackets are put around."""
    if node in holes:
        said = holes[node]
        bare = parent is None or isinstance(parent, Function)
        if isinstance(parent, Add):
            bare = not said.text.startswith("-")
        return node if bare else Symbol(f"{node.name}_in")
    if not node.args:
        return node
    with distribute(False):
        return node.func(*(_placed(a, holes, node) for a in node.args))


def output(program: Program, latex: Latex, name: str) -> tuple[Formula, int]:
    """An output as one expression, and how many equations it took.

    Errors: TooMuch, with the reason.
    """
    writers = program.writers[name]
    if name in context_of(program).cycle:
        raise TooMuch(f"{name} is a recurrence, which has no end")
    own = [s.plain for s in writers[0].target.subscripts if isinstance(s, Affine)]
    if len(own) != len(program.tensor_of[name].shape) or None in own:
        raise TooMuch(f"{name} is written in parts")
    place = Access.plain(name, tuple(i or "" for i in own))
    writer = Writer(program, latex)
    said = writer.tensor(place, place.indices)
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
    ranges = f" for {ranges_text(stated)}" if stated else ""
    shown = r",\ ".join(latex.range(r) for r in stated)
    conditions = Code(ranges.strip(), rf"\text{{for }} {shown}") if stated else None
    line = f"{left.text} = {said.text}{ranges}"
    formula = Formula(left, (Code(said.text, said.latex),), (line,), conditions=conditions)
    return formula, writer.put_in
