"""Parts of equations, and when two of them are the same.

    2*(y[b] - t[b])/B     has the part   y[b] - t[b]         a sum, or some of its terms
    -dp[b,u]*p[b,u]       has the part   dp[b,u]*p[b,u]      a product, or some of its array factors
    1 - h[b,i]**2         has the parts  1 - h**2 and h**2   a power

Factors without an index stay outside, where a contraction can pull them out. What a selection
guards is no part of anything: 0 * inf cannot arise in it. A part carries the indices of one of its
reads, so that its array is no larger than one that is read. Two parts are the same where only the
letters of their indices differ, and where these start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

from sympy import Expr, Pow, S, Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation, Slot, slot_symbol
from symgrad.algebra.scalars import Select
from symgrad.algebra.sizes import ZERO

Names = frozenset[str]
MOST = 12
"""Operands of a sum or product among which parts are looked for; a longer one counts as a whole."""


@dataclass(frozen=True)
class Node:
    """A sum, product or power in a body. `value` is `written`, but for x**-2 it is x**2.

    top: only sums are around it, so that a contraction may take it apart.
    """

    written: Expr
    value: Expr
    top: bool


@dataclass(frozen=True)
class Choice:
    """Some operands of a node; `look` is what they are without the letters of their indices."""

    look: str
    node: Node
    taken: tuple[Expr, ...]

    @property
    def rest(self) -> tuple[Expr, ...]:
        """What else the node is made of."""
        if self.node.value.is_Pow:
            return ()
        return tuple(a for a in self.node.value.args if a not in self.taken)


@dataclass(frozen=True)
class Part:
    """A choice in an equation whose value can be an array of its own: sign * value.

    key:     equal for parts that are the same; `letters` are this one's indices in the key's order.
    work:    the array operations that compute it.
    saved:   those that the equation is spared where the value is there to be read.
    defines: the equation's tensor is this part and nothing else.
    """

    scope: Scope
    choice: Choice
    value: Expr
    sign: int
    key: object
    letters: tuple[str, ...]
    work: int
    saved: int
    defines: bool

    def replaced(self, by: Expr) -> Expr:
        """The node where `by` stands for the value."""
        node = self.choice.node
        if node.value.is_Pow:
            return by if node.written == node.value else 1 / by
        return node.value.func(*self.choice.rest, self.sign * by)


@dataclass(frozen=True, eq=False)
class Scope:
    """An equation in which parts are looked for.

    number: its own, which it keeps when it is rewritten.
    owner:  it alone writes a tensor of real numbers, every place of it.
    lands:  a bare read can be added to its target: it need not be copied there first.
    looped: it is part of a recurrence.
    shapes: what is known of expressions whose indices start at 0.
    """

    number: int
    equation: Equation
    owner: bool
    lands: bool
    looped: bool
    shapes: dict[Expr, str]
    known: dict[Expr, Names] = field(default_factory=dict)

    @cached_property
    def slots(self) -> dict[Symbol, Slot]:
        return dict(self.equation.slots)

    @cached_property
    def contracts(self) -> bool:
        return self.equation.op == "sum" and bool(self.equation.reduced)

    def indices(self, expr: Expr) -> Names:
        if expr not in self.known:
            slot = self.slots.get(expr)
            found = [self.indices(a) for a in expr.args] if slot is None else [slot.indices]
            self.known[expr] = frozenset().union(*found)
        return self.known[expr]

    @cached_property
    def starts(self) -> Mapping[str, Affine]:
        """Where each index starts."""
        return {r.index: Affine((), r.lo) for r in self.equation.box}

    @cached_property
    def _shapes(self) -> dict[Expr, str]:
        return self.shapes if all(r.lo == ZERO for r in self.equation.box) else {}

    def shape(self, expr: Expr) -> str:
        """The expression without its letters, as if each index started at 0."""
        if expr not in self._shapes:
            slot = self.slots.get(expr)
            if slot is not None:
                blank = {i: Affine.index("_") + self.starts[i] for i in slot.indices}
                self._shapes[expr] = str(slot.substitute(blank))
            elif expr.is_Atom:
                self._shapes[expr] = str(expr)
            else:
                inner = ",".join(sorted(self.shape(a) for a in expr.args))
                self._shapes[expr] = f"{type(expr).__name__}({inner})"
        return self._shapes[expr]

    def rank(self, expr: Expr) -> tuple[str, list[str]]:
        """An order of expressions that is not SymPy's, which may depend on what was done before."""
        return self.shape(expr), sorted(s.name for s in expr.free_symbols)

    # ---- what there is ------------------------------------------------------------------------

    def nodes(self) -> Iterator[Node]:
        """Every node that no selection guards."""
        waiting = [(self.equation.body, True)]
        while waiting:
            expr, top = waiting.pop()
            if isinstance(expr, Select):
                waiting.append((expr.args[0], False))
            elif not expr.is_Atom:
                inverse = expr.is_Pow and expr.exp.is_negative and expr.exp != -1
                value = Pow(expr.base, -expr.exp) if inverse else expr
                if value.is_Add or value.is_Mul or (value.is_Pow and value.exp != -1):
                    yield Node(expr, value, top)
                waiting += [(a, top and expr.is_Add) for a in sorted(expr.args, key=self.rank)]

    def operands(self, node: Node) -> tuple[Expr, ...]:
        """The terms, the array factors, or the power itself."""
        if node.value.is_Pow:
            return (node.value,) if self.indices(node.value) else ()
        args = [a for a in node.value.args if node.value.is_Add or self.indices(a)]
        return tuple(sorted(args, key=lambda a: self.rank(signed(a)[1])))

    def choices(self) -> Iterator[Choice]:
        """All operands of each node, and each pair of them."""
        for node in self.nodes():
            operands = self.operands(node)
            if len(operands) > 2 or node.value.is_Pow:
                yield self.choice(node, operands)
            if len(operands) <= MOST:
                for pair in combinations(operands, 2):
                    yield self.choice(node, pair)

    def choice(self, node: Node, taken: tuple[Expr, ...]) -> Choice:
        terms = [signed(a) if node.value.is_Add else (1, a) for a in taken]
        lead = terms[0][0] if terms else 1
        look = ";".join(f"{sign * lead}{self.shape(term)}" for sign, term in terms)
        return Choice(f"{type(node.value).__name__}:{look}", node, taken)

    # ---- what can be an array -----------------------------------------------------------------

    def part(self, choice: Choice) -> Part | None:
        """The choice as a part; None where it cannot be an array of its own."""
        node, taken = choice.node, choice.taken
        union = frozenset().union(*(self.indices(a) for a in taken))
        slots = [self.slots[s] for a in taken for s in a.free_symbols if s in self.slots]
        counted = all(self.equation.range_of[i].count.is_nonnegative() for i in union)
        if not union or not counted or not any(_spans(slot, union) for slot in slots):
            return None
        if self.apart(node, taken) or all(a.is_Pow and a.exp.is_negative for a in taken):
            return None
        sign = signed(taken[0])[0] if node.value.is_Add else 1
        value = node.value.func(*(sign * a for a in taken)) if len(taken) > 1 else taken[0]
        alone = node.written == node.value == self.equation.body and not choice.rest
        work = self.work(value)
        saved = work - self.kept(choice, union, alone)
        defines = alone and self.owner
        if self.looped and saved < work and not defines:  # nothing more is done in a loop
            return None
        return Part(self, choice, value, sign, *self.canonical(value), work, saved, defines)

    def apart(self, node: Node, taken: Sequence[Expr]) -> bool:
        """Whether a contraction never joins these operands place by place."""
        if not (self.contracts and node.top) or len({self.indices(a) for a in taken}) == 1:
            return False
        if node.value.is_Mul:
            small, *more = sorted({self.indices(a) for a in taken}, key=len)
            joined = _joined({self.indices(a) for a in self.operands(node)})
            return more != [joined.get(small)]
        slots = (self.slots[s] for s in node.value.free_symbols if s in self.slots)
        return all(slot.indices != self.indices(node.value) for slot in slots)

    def kept(self, choice: Choice, union: Names, alone: bool) -> int:
        """How many operations are left to the equation where it reads the part's value."""
        node, taken = choice.node, choice.taken
        others = [a for a in self.operands(node) if a not in taken]
        small = {self.indices(a) for a in taken} - {union}
        kept = int(any(self.indices(a) in small for a in others))  # they still meet the value
        if self.contracts:  # a dot product needs no array
            total = (
                node.top and node.value.is_Mul and (self.looped or not self.equation.target.indices)
            )
            return kept + int(total and not others)
        return kept + int(alone and self.equation.op == "sum" and not self.lands)

    def work(self, expr: Expr) -> int:
        """The array operations that compute it; a division is counted where it divides."""
        if not self.indices(expr) or expr.is_Symbol:
            return 0
        inner = sum(self.work(a) for a in expr.args)
        if expr.is_Mul:
            arrays = [a for a in expr.args if self.indices(a)]
            plain = all(a in arrays or a == S.NegativeOne for a in expr.args)
            return inner + len(arrays) - int(plain)
        if expr.is_Add:
            return inner + len(expr.args) - 1
        return inner + int(not (expr.is_Pow and expr.exp == -1))

    def canonical(self, value: Expr) -> tuple[object, tuple[str, ...]]:
        """(the value over indices that are numbered and start at 0, how many of each; letters)."""
        used = sorted((s for s in value.free_symbols if s in self.slots), key=self.rank)
        letters = tuple(dict.fromkeys(i for s in used for i in in_order(self.slots[s])))
        rename = {i: Affine.index(f"_{n}") + self.starts[i] for n, i in enumerate(letters)}
        blank = {s: slot_symbol(self.slots[s].substitute(rename)) for s in used}
        counts = tuple(self.equation.range_of[i].count for i in letters)
        return (value.xreplace(blank), counts), letters


def _joined(sets: set[Names]) -> dict[Names, Names]:
    """The larger index set whose factors a contraction multiplies with those of a smaller one.

    While there are more than two; of the last two it makes a matrix product.
    """
    left = set(sets)
    found: dict[Names, Names] = {}
    for small in sorted(sets, key=lambda names: (len(names), sorted(names))):
        hosts = [names for names in left if small < names]
        if hosts and len(left) > 2:
            left.remove(small)
            least = [host for host in hosts if all(host <= other for other in hosts)]
            found.update((small, host) for host in least)
    return found


def signed(term: Expr) -> tuple[int, Expr]:
    """(sign, the term without it)."""
    return (-1, -term) if term.as_coeff_Mul()[0].is_negative else (1, term)


def in_order(slot: Slot) -> list[str]:
    """The indices of a slot as it names them."""
    if isinstance(slot, Affine):
        return [index for index, _ in sorted(slot.terms, key=lambda t: (str(t[1]), t[0]))]
    return [index for subscript in slot.subscripts for index in in_order(subscript)]


def _spans(slot: Slot, union: Names) -> bool:
    """Whether the slot reads an array that is as large as one over these indices."""
    return (
        isinstance(slot, Access)
        and slot.indices == union
        and all(len(s.terms) <= 1 for s in slot.subscripts if isinstance(s, Affine))
    )
