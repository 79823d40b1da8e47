"""What several places compute, computed once:

    loss  += (y[b] - t[b])**2/B          y_minus_t[b] = y[b] - t[b]
    dy[b]  = 2*(y[b] - t[b])/B      ->   loss += y_minus_t[b]**2/B;  dy[b] = 2*y_minus_t[b]/B

The part that spares most goes first. Where a tensor already is the part, it is read: nothing new is
made. An array is made only where that spares more operations than it costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sympy import Expr, preorder_traversal

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.order import components, dependencies
from symgrad.algebra.parts import MOST, Choice, Part, Scope, in_order
from symgrad.algebra.program import (
    Program,
    Range,
    Slot,
    Tensor,
    fresh_name,
    is_whole,
    make_equation,
    slot_symbol,
)
from symgrad.algebra.scalars import Select
from symgrad.algebra.sizes import ZERO
from symgrad.algebra.wording import name_of


def share_parts(program: Program) -> Program:
    """Sums, products and powers that stand in several places as equations of their own.

    Cost: a few passes over the program, however deep it is: parts are looked up, never compared.
    """
    work = _Work.of(program)
    while work.round():
        pass
    if not work.rewritten:
        return program
    work.fold()
    equations = tuple(work.scopes[n].equation for n in work.order)
    return replace(program, tensors=(*program.tensors, *work.tensors), equations=equations)


@dataclass
class _Work:
    """scopes: the equations by number; order: their numbers as they stand in the program.

    found: the parts of this round by their keys.
    """

    names: set[str]
    scopes: dict[int, Scope]
    order: list[int]
    tensors: list[Tensor] = field(default_factory=list)
    found: dict[object, list[Part]] = field(default_factory=dict)
    rewritten: bool = False

    @staticmethod
    def of(program: Program) -> _Work:
        needs = dependencies(program)
        groups = components(needs)
        looped = {n for g in groups if len(g) > 1 or g[0] in needs[g[0]] for n in g}
        shapes: dict[Expr, str] = {}
        scopes = {}
        for number, equation in enumerate(program.equations):
            target = equation.target
            real = program.tensor_of[target.tensor].kind == "real"
            lands = len(program.writers[target.tensor]) > 1 or any(target.gathers())
            owner = real and is_whole(equation, program)
            scopes[number] = Scope(number, equation, owner, lands, number in looped, shapes)
        return _Work(set(program.names), scopes, list(scopes))

    def round(self) -> bool:
        """Each part that several places share, the most sparing first; whether there was one."""
        seen: dict[str, list[tuple[Scope, Choice]]] = {}
        for number in self.order:
            for choice in self.scopes[number].choices():
                seen.setdefault(choice.look, []).append((self.scopes[number], choice))
        self.found = {}
        for scope, choice in (pair for alike in seen.values() if len(alike) > 1 for pair in alike):
            if (part := scope.part(choice)) is not None:
                self.found.setdefault(part.key, []).append(part)
        worth = [parts for parts in self.found.values() if self.spared(parts) > 0]
        taken = [self.extracted(p) for p in sorted(worth, key=self.spared, reverse=True)]
        self.rewritten = self.rewritten or any(taken)
        return any(taken)

    # ---- what is worth it -----------------------------------------------------------------------

    def source(self, parts: Sequence[Part]) -> Part:
        """Where the value comes from: a tensor that is it, else the first with the usual sign."""
        whole = [p.sign for p in parts if not p.choice.rest]
        usual = -1 if sum(whole) < 0 else 1 if sum(whole) > 0 else parts[0].sign
        signed = [p for p in parts if p.sign == usual]
        return next((p for p in parts if p.defines), signed[0])

    def spared(self, parts: Sequence[Part]) -> int:
        """The operations that one array for all of them spares."""
        source = self.source(parts)
        negated = sum(p.sign != source.sign and not p.choice.rest for p in parts)
        made = source.saved if source.defines else source.work
        return sum(p.saved for p in parts) - negated - made

    def now(self, part: Part) -> Part | None:
        """The part in its equation as that has become; None where it is gone."""
        scope, before = self.scopes[part.scope.number], part.choice
        if scope is part.scope:
            return part
        for node in scope.nodes():
            if node.value.func == before.node.value.func:
                taken = tuple(a for a in scope.operands(node) if a in before.taken)
                if len(taken) == len(before.taken):
                    return scope.part(scope.choice(node, taken))
        return None

    def grown(self, parts: list[Part]) -> list[Part]:
        """The parts with every operand more that all of them have."""
        while True:
            wider = [{p.key: p for p in _wider(part)} for part in parts]
            common = next((key for key in wider[0] if all(key in w for w in wider)), None)
            more = parts if common is None else [w[common] for w in wider]
            if self.spared(more) <= self.spared(parts):
                return parts
            parts = more

    # ---- rewriting ------------------------------------------------------------------------------

    def extracted(self, parts: Sequence[Part]) -> bool:
        """Whether the parts, as far as they still stand, now read one array."""
        still = [p for p in map(self.now, parts) if p is not None]
        if len(still) < 2 or self.spared(still) <= 0:
            return False
        still = self.grown(still)
        source = self.source(still)
        if source.defines:
            still.remove(source)
            target = source.scope.equation.target
        else:
            target = self.introduced(source, still)
        axes = [source.letters.index(str(s)) for s in target.subscripts]
        for part in still:
            self.rewrite(part, target.tensor, axes, source.sign)
        return True

    def introduced(self, source: Part, parts: Sequence[Part]) -> Access:
        """A new tensor that holds the source's value."""
        scope, taken = source.scope, source.choice.taken
        body = source.choice.node.value.func(*taken) if len(taken) > 1 else taken[0]
        used = {s: slot for s, slot in scope.slots.items() if s in body.free_symbols}
        ranges = [scope.equation.range_of[i] for i in _order(used.values(), source.letters)]
        start = {r.index: Affine.index(r.index) + Affine((), r.lo) for r in ranges}
        slots = {s: slot.substitute(start) for s, slot in used.items()}
        name = fresh_name(name_of(source.choice, scope), self.names)
        self.names.add(name)
        self.tensors.append(Tensor(name, tuple(r.count for r in ranges)))
        readers = dict.fromkeys(str(p.scope.equation.target) for p in parts)
        equation = make_equation(
            Access.plain(name, tuple(r.index for r in ranges)),
            body.xreplace({s: slot_symbol(slot) for s, slot in slots.items()}),
            slots.values(),
            [Range(r.index, ZERO, r.count) for r in ranges],
            assigns=True,
            origin=f"part of {', '.join(readers)}",
        )
        number = len(self.scopes)
        made = self.scopes[number] = Scope(number, equation, True, False, False, scope.shapes)
        for part in filter(None, map(made.part, made.choices())):
            self.found.get(part.key, []).append(part)
        users = {p.scope.number for p in parts}
        self.order.insert(next(k for k, n in enumerate(self.order) if n in users), number)
        return equation.target

    def rewrite(self, part: Part, tensor: str, axes: Sequence[int], sign: int) -> None:
        """The part's equation, reading the tensor instead."""
        current = self.now(part)
        if current is None:
            return
        scope, equation = current.scope, current.scope.equation
        ranges = [equation.range_of[current.letters[n]] for n in axes]
        places = (Affine.index(r.index) + Affine((), ZERO - r.lo) for r in ranges)
        read = Access(tensor, tuple(places))
        new = current.replaced(sign * slot_symbol(read))
        body = _replaced(equation.body, current.choice.node.written, new)
        changed = equation.with_body(body, {slot_symbol(read): read})
        self.scopes[scope.number] = replace(scope, equation=changed, known={})

    def fold(self) -> None:
        """A new tensor that one place alone has come to read goes back there."""
        writer = {s.equation.target.tensor: n for n, s in self.scopes.items() if s.owner}
        new = {t.name: writer[t.name] for t in self.tensors}
        readers: dict[str, list[int]] = {name: [] for name in new}
        for number, scope in self.scopes.items():
            for node in preorder_traversal(scope.equation.body):
                slot = scope.slots.get(node)
                if isinstance(slot, Access) and slot.tensor in new:
                    readers[slot.tensor].append(number)
        for name in [t.name for t in self.tensors if len(readers[t.name]) == 1]:
            (user,), gone = readers[name], new[name]
            self.scopes[user] = _inlined(self.scopes[user], self.scopes[gone])
            for numbers in readers.values():
                numbers[:] = [user if n == gone else n for n in numbers]
            self.tensors = [t for t in self.tensors if t.name != name]
            self.order.remove(gone)


def _wider(part: Part) -> list[Part]:
    """The part with one more of its node's operands, each in turn."""
    scope, node, taken = part.scope, part.choice.node, part.choice.taken
    operands = scope.operands(node)
    more = [a for a in operands if a not in taken] if len(operands) <= MOST else []
    chosen = (tuple(o for o in operands if o in taken or o == a) for a in more)
    return [p for p in (scope.part(scope.choice(node, c)) for c in chosen) if p is not None]


def _order(slots: Iterable[Slot], letters: Iterable[str]) -> list[str]:
    """The indices as the plainest read that has all of them names them."""
    reads = [s for s in slots if isinstance(s, Access) and s.indices == frozenset(letters)]
    return list(dict.fromkeys(in_order(min(reads, key=lambda a: (any(a.gathers()), str(a))))))


def _replaced(expr: Expr, old: Expr, new: Expr) -> Expr:
    """`new` wherever `old` stands and no selection guards it."""
    if expr == old:
        return new
    if expr.is_Atom:
        return expr
    if isinstance(expr, Select):
        return expr.func(_replaced(expr.args[0], old, new), *expr.args[1:])
    args = [_replaced(a, old, new) for a in expr.args]
    return expr if list(expr.args) == args else expr.func(*args)


def _inlined(user: Scope, gone: Scope) -> Scope:
    """The user with the other's body where it reads the other's target."""
    target, slots = gone.equation.target, user.equation.slots
    symbol, read = next(
        (s, a) for s, a in slots if isinstance(a, Access) and a.tensor == target.tensor
    )
    places = {
        str(i): s
        for i, s in zip(target.subscripts, read.subscripts, strict=True)
        if isinstance(s, Affine)
    }
    moved = {s: slot.substitute(places) for s, slot in gone.equation.slots}
    body = gone.equation.body.xreplace({s: slot_symbol(slot) for s, slot in moved.items()})
    extra = {slot_symbol(slot): slot for slot in moved.values()}
    equation = user.equation.with_body(user.equation.body.xreplace({symbol: body}), extra)
    return replace(user, equation=equation, known={})
