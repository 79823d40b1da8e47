"""Each nonlinear head its own equation: log(1 + exp(x))*y becomes e = exp(x), l = log(1 + e), l*y.

Then forward values are reused by construction: after differentiating h = tanh(z), the body tanh(z)
that stands in the slope is the tensor h.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache

from sympy import Dummy, Expr, Symbol
from sympy.core.parameters import distribute

from symgrad.algebra.access import Access
from symgrad.algebra.program import (
    Equation,
    Program,
    Slot,
    Tensor,
    fresh_name,
    make_equation,
    slot_symbol,
)
from symgrad.algebra.scalars import Scalar, Select, Stop, Unknown


def split_heads(program: Program) -> Program:
    """The same program with every function applied to reads, at the top of a body of its own.

    A function of numbers and sizes alone stays where it is. The arguments of a function whose slope
    names them (log, where) become tensors too, so that nothing is computed twice. The body of a
    logsumexp or an argmax becomes a single read.
    """
    with distribute(False):
        work = _Work(program)
        equations: list[Equation] = []
        for equation in program.equations:
            changed = work.rewritten(_assigned(equation, program))
            equations += [*work.take(), changed]
    return replace(program, tensors=(*program.tensors, *work.tensors), equations=tuple(equations))


DEEPEST = 16
"""Levels of arithmetic in one body; SymPy differentiates by recursion, so more get names."""


@dataclass
class _Work:
    program: Program
    tensors: list[Tensor] = field(default_factory=list)
    pending: list[Equation] = field(default_factory=list)
    known: dict[tuple[Expr, object], Access] = field(default_factory=dict)
    slots: dict[Symbol, Slot] = field(default_factory=dict)

    def take(self) -> list[Equation]:
        """The equations introduced since the last call."""
        taken, self.pending = self.pending, []
        return taken

    def rewritten(self, equation: Equation) -> Equation:
        self.slots = dict(equation.slots)
        body = equation.body
        if equation.op != "sum":
            body = self.named(self.inner(body, equation), equation, equation.op)
        elif _is_head(body) and not equation.reduced and equation.assigns:
            body = self.arguments(body, equation)
        else:
            body = self.inner(body, equation)
        return equation if body == equation.body else equation.with_body(body, self.slots)

    def inner(self, node: Expr, equation: Equation) -> Expr:
        """`node` with each head inside it, itself included, replaced by a read."""
        if node.is_Atom or not (node.free_symbols & _reading(self.slots)):
            return node
        if _is_head(node):
            return self.named(self.arguments(node, equation), equation, _label(node))
        whole = node.func(*(self.inner(a, equation) for a in node.args))
        return self.named(whole, equation, "part") if _depth(whole) > DEEPEST else whole

    def arguments(self, head: Expr, equation: Equation) -> Expr:
        """A head with plain arguments. What a selection guards stays inside it.

        Where where(x < 0, exp(x), 0) does not select exp(x), an adjoint of exp(x) alone would be
        0, and times the slope, which may have overflowed, nan.
        """
        if isinstance(head, Select):
            return head.func(self.inner(head.args[0], equation), *head.args[1:])
        args = [self.inner(a, equation) for a in head.args]
        if _slope_names_arguments(head.func, len(head.args)):
            args = [self.named(a, equation, "arg") for a in args]
        return head.func(*args)

    def named(self, node: Expr, equation: Equation, label: str) -> Expr:
        """`node` as a read of a tensor that holds it."""
        symbols = [s for s in node.free_symbols if s in self.slots]
        if node.is_Symbol or not any(isinstance(self.slots[s], Access) for s in symbols):
            return node
        reads = [self.slots[s] for s in sorted(symbols, key=lambda s: s.name)]
        carried = frozenset().union(*(slot.indices for slot in reads))
        box = tuple(r for r in equation.box if r.index in carried)
        key = (node, box)
        if key not in self.known:
            leading = [
                s for a in (*node.args, node) for s in sorted(a.free_symbols, key=lambda s: s.name)
            ]
            stem = next(
                slot.tensor for s in leading if isinstance(slot := self.slots.get(s), Access)
            )
            taken = {*self.program.names, *(t.name for t in self.tensors)}
            name = fresh_name(f"{stem}_{label}", taken)
            self.tensors.append(Tensor(name, tuple(r.hi for r in box)))
            target = Access.plain(name, tuple(r.index for r in box))
            self.pending.append(
                make_equation(
                    target, node, reads, box, assigns=True, origin=f"part of {equation.target}"
                )
            )
            self.known[key] = target
        access = self.known[key]
        self.slots[slot_symbol(access)] = access
        return slot_symbol(access)


def _assigned(equation: Equation, program: Program) -> Equation:
    """T[I] += body, over nothing and alone  ->  T[I] = body."""
    target = equation.target
    alone = len(program.writers[target.tensor]) == 1 and target.is_plain and not target.padded
    over_nothing = equation.op == "sum" and not equation.reduced
    return replace(equation, assigns=True) if alone and over_nothing else equation


def _reading(slots: dict[Symbol, Slot]) -> set[Symbol]:
    return {s for s, slot in slots.items() if isinstance(slot, Access)}


def _depth(node: Expr) -> int:
    return 1 + max((_depth(a) for a in node.args), default=0)


def _is_head(node: Expr) -> bool:
    return isinstance(node, (Scalar, Select, Unknown))


def _label(head: Expr) -> str:
    name = "where" if isinstance(head, Select) else type(head).__name__
    return {"expdiff": "softmax"}.get(name.replace("'", "_prime"), name.replace("'", "_prime"))


@cache
def _slope_names_arguments(function: type[Expr], count: int) -> bool:
    """Whether a partial derivative mentions an argument beside the function's own value."""
    if issubclass(function, Stop):
        return False
    names = [Dummy() for _ in range(count)]
    own = function(*names)
    value = Dummy()
    return any(
        own.fdiff(k + 1).xreplace({own: value}).free_symbols & set(names) for k in range(len(names))
    )
