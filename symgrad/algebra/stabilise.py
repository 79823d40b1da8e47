"""A forward program rewritten so that no intermediate overflows or cancels, before derive.

    log(sigmoid(x)) -> -softplus(-x)          log(e / sum of e) -> x - logsumexp(x), e = exp(x)

The forms are looked for across equations: `p = sigmoid(X)`, `C = -log(1 - p)` becomes softplus(X).
Both sides are equal for every real argument; `check` compares them at 60 digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import sympy
from sympy import Expr, Integer, S, Symbol
from sympy.core.parameters import distribute

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import (
    Equation,
    Program,
    Slot,
    Tensor,
    fresh_name,
    make_equation,
    slot_symbol,
)
from symgrad.algebra.scalars import FUNCTIONS
from symgrad.algebra.scalars import Scalar as Row

IDENTITIES = {
    "exp": "log(exp(x)) = x",
    "sigmoid": "log(sigmoid(x)) = -softplus(-x)",
    "one minus sigmoid": "1 - sigmoid(x) = sigmoid(-x)",
    "log one minus sigmoid": "log(1 - sigmoid(x)) = -softplus(x)",
    "one plus exp": "log(1 + exp(x)) = softplus(x)",
    "exp plus exp": "log(exp(x) + exp(y)) = x + softplus(y - x)",
    "sum exp": "log(sum(v: exp(x[v]))) = logsumexp(v: x[v])",
    "softmax": "exp(x)/sum(v: exp(x[v])) = expdiff(x, logsumexp(v: x[v]))",
    "one minus erf": "1 - erf(x) = erfc(x)",
    "one plus erf": "1 + erf(x) = erfc(-x)",
    "one minus tanh squared": "1 - tanh(x)**2 = 4*sigmoid(2*x)*sigmoid(-2*x)",
    "log one minus tanh squared": "log(1 - tanh(x)**2) = 2*(log(2) - x - softplus(-2*x))",
}
"""What each identity says, by name."""


def stabilise(program: Program) -> tuple[Program, tuple[str, ...]]:
    """The same mathematics in stable forms, and the identities used, as they read."""
    with distribute(False):
        work = _Work(program)
        equations: list[Equation] = []
        for equation in program.equations:
            changed = work.rewritten(equation)
            equations += [*work.pending, changed]
            work.pending = []
    if not work.used:
        return program, ()
    changed_program = replace(
        program, tensors=(*program.tensors, *work.tensors), equations=tuple(equations)
    )
    return changed_program, tuple(IDENTITIES[name] for name in IDENTITIES if name in work.used)


def _f(name: str, *args: Expr) -> Expr:
    return FUNCTIONS[name](*args)


@dataclass
class _Work:
    program: Program
    tensors: list[Tensor] = field(default_factory=list)
    pending: list[Equation] = field(default_factory=list)
    sums: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    slots: dict[Symbol, Slot] = field(default_factory=dict)

    def rewritten(self, equation: Equation) -> Equation:
        self.slots = dict(equation.slots)
        body = self.stable(equation.body)
        return equation if body == equation.body else equation.with_body(body, self.slots)

    def stable(self, node: Expr) -> Expr:
        """`node` with every unstable form inside it replaced."""
        if node.is_Atom:
            return node
        if _is(node, "log"):
            return self.log_of(node.args[0]) or node.func(self.stable(node.args[0]))
        rule = (
            self.complement(node) if node.is_Add else self.quotient(node) if node.is_Mul else None
        )
        return rule if rule is not None else node.func(*(self.stable(a) for a in node.args))

    # ---- what a read stands for ---------------------------------------------------------------

    def meaning(self, node: Expr) -> Expr:
        """The defining expression of a read, in terms of this equation's indices; else the node."""
        access = self.slots.get(node) if node.is_Symbol else None
        if not isinstance(access, Access) or access.padded:
            return node
        writers = self.program.writers.get(access.tensor, ())
        if (
            len(writers) != 1
            or not writers[0].assigns
            or writers[0].op != "sum"
            or not writers[0].target.is_plain
        ):
            return node
        places = {
            str(s): a for s, a in zip(writers[0].target.subscripts, access.subscripts, strict=True)
        }
        moved = {symbol: _through(slot, places) for symbol, slot in writers[0].slots}
        if any(slot is None for slot in moved.values()):
            return node
        known = {symbol: slot for symbol, slot in moved.items() if slot is not None}
        self.slots |= {slot_symbol(slot): slot for slot in known.values()}
        return writers[0].body.xreplace(
            {symbol: slot_symbol(slot) for symbol, slot in known.items()}
        )

    def summed(self, node: Expr) -> Expr | None:
        """logsumexp over the same places, where `node` reads a sum of exponentials."""
        access = self.slots.get(node) if node.is_Symbol else None
        if not isinstance(access, Access) or access.padded:
            return None
        writers = self.program.writers.get(access.tensor, ())
        if (
            len(writers) != 1
            or writers[0].op != "sum"
            or not writers[0].reduced
            or not writers[0].target.is_plain
        ):
            return None
        if access.tensor not in self.sums:
            outer, self.slots = self.slots, dict(writers[0].slots)
            exponent = self.log_of(writers[0].body, quiet=True)
            inner, self.slots = self.slots, outer
            if exponent is None:
                return None
            taken = {*self.program.names, *(t.name for t in self.tensors)}
            name = fresh_name(f"{access.tensor}_lse", taken)
            self.tensors.append(Tensor(name, self.program.tensor_of[access.tensor].shape))
            target = writers[0].target.of(name)
            made = make_equation(
                target,
                exponent,
                inner.values(),
                writers[0].box,
                "logsumexp",
                origin=f"log of {access.tensor}",
            )
            self.pending.append(made)
            self.sums[access.tensor] = name
        read = access.of(self.sums[access.tensor])
        self.slots[slot_symbol(read)] = read
        return slot_symbol(read)

    # ---- the forms ----------------------------------------------------------------------------

    def log_of(self, node: Expr, *, quiet: bool = False) -> Expr | None:
        """log(node) in a stable form, or None where no identity applies."""
        total = self.summed(node)
        if total is not None:
            return self.by("sum exp", total)
        meaning = self.meaning(node)
        if _is(meaning, "exp"):
            return meaning.args[0] if quiet else self.by("exp", meaning.args[0])
        if _is(meaning, "expdiff"):
            return meaning.args[0] - meaning.args[1]
        if _is(meaning, "sigmoid"):
            return self.by("sigmoid", -_f("softplus", -meaning.args[0]))
        if meaning.is_Add:
            return self.log_of_sum(meaning)
        if meaning.is_Mul or (meaning.is_Pow and meaning.exp.is_number):
            return self.log_of_product(meaning)
        return None

    def log_of_product(self, node: Expr) -> Expr | None:
        """log(a*b/c) = log a + log b - log c, where all but one factor are known to be positive."""
        terms: list[Expr] = []
        opaque: list[Expr] = []
        for factor in sympy.Mul.make_args(node):
            base, power = (
                (factor.base, factor.exp)
                if factor.is_Pow and factor.exp.is_number
                else (factor, S.One)
            )
            stable = _f("log", base) if base.is_Number and base.is_positive else self.log_of(base)
            if stable is None or (base.is_Number and not base.is_positive):
                opaque.append(factor)
            elif not base.is_Number or base != S.One:
                terms.append(power * stable)
        if len(opaque) > 1 or not [t for t in terms if not t.is_number]:
            return None
        return sympy.Add(*terms, *(_f("log", o) for o in opaque))

    def log_of_sum(self, node: Expr) -> Expr | None:
        form = self.one_minus(node)
        if form is not None and form[0] == "sigmoid":
            return self.by("log one minus sigmoid", -_f("softplus", form[1]))
        if form is not None and form[0] == "tanh":
            x = form[1]
            return self.by(
                "log one minus tanh squared",
                2 * (_f("log", Integer(2)) - x - _f("softplus", -2 * x)),
            )
        if len(node.args) != 2:
            return None
        first, second = (a if a.is_Number else self.meaning(a) for a in node.args)
        if S.One in (first, second):
            other = second if first == S.One else first
            return (
                self.by("one plus exp", _f("softplus", other.args[0]))
                if _is(other, "exp")
                else None
            )
        if _is(first, "exp") and _is(second, "exp"):
            return self.by(
                "exp plus exp", first.args[0] + _f("softplus", second.args[0] - first.args[0])
            )
        return None

    def complement(self, node: Expr) -> Expr | None:
        """1 - sigmoid(x), 1 - erf(x), 1 + erf(x) and 1 - tanh(x)**2."""
        form = self.one_minus(node) or self.one_plus(node)
        if form is None:
            return None
        kind, x = form
        if kind == "sigmoid":
            return self.by("one minus sigmoid", _f("sigmoid", -x))
        if kind == "erf":
            return self.by("one minus erf", _f("erfc", x))
        if kind == "plus erf":
            return self.by("one plus erf", _f("erfc", -x))
        return self.by("one minus tanh squared", 4 * _f("sigmoid", 2 * x) * _f("sigmoid", -2 * x))

    def one_plus(self, node: Expr) -> tuple[str, Expr] | None:
        """("plus erf", x) for 1 + erf(x)."""
        others = [self.meaning(a) for a in node.args if a != S.One]
        found = len(node.args) == 2 and len(others) == 1 and _is(others[0], "erf")
        return ("plus erf", others[0].args[0]) if found else None

    def one_minus(self, node: Expr) -> tuple[str, Expr] | None:
        """("sigmoid", x) for 1 - sigmoid(x), the same of erf, ("tanh", x) for 1 - tanh(x)**2."""
        if len(node.args) != 2 or S.One not in node.args:
            return None
        (other,) = (a for a in node.args if a != S.One)
        number, rest = other.as_coeff_Mul()
        if number != -S.One:
            return None
        if _is(self.meaning(rest), "erf"):
            return "erf", self.meaning(rest).args[0]
        if _is(self.meaning(rest), "sigmoid"):
            return "sigmoid", self.meaning(rest).args[0]
        squared = rest if rest.is_Pow else self.meaning(rest)
        if squared.is_Pow and squared.exp == 2 and _is(self.meaning(squared.base), "tanh"):
            return "tanh", self.meaning(squared.base).args[0]
        return None

    def quotient(self, node: Expr) -> Expr | None:
        """exp(x)/sum of exp -> expdiff(x, logsumexp)."""
        exponentials = [a for a in node.args if _is(self.meaning(a), "exp")]
        divisors = [a for a in node.args if a.is_Pow and a.exp == -1]
        for divisor in divisors:
            for exponential in exponentials:
                total = self.summed(divisor.base)
                if total is not None:
                    rest = sympy.Mul(
                        *(self.stable(a) for a in node.args if a not in (divisor, exponential))
                    )
                    return rest * self.by(
                        "softmax", _f("expdiff", self.meaning(exponential).args[0], total)
                    )
        return None

    def by(self, name: str, result: Expr) -> Expr:
        self.used.add(name)
        return result


def _is(node: Expr, name: str) -> bool:
    return isinstance(node, Row) and node.row.name == name


def _through(slot: Slot, places: Mapping[str, Affine | Access]) -> Slot | None:
    """A slot of a definition, seen from a read of what it defines; None where that is no slot."""
    affine = {index: place for index, place in places.items() if isinstance(place, Affine)}
    if isinstance(slot, Affine):
        return slot.substitute(affine) if slot.indices <= set(affine) else None
    subscripts: list[Affine | Access] = []
    for subscript in slot.subscripts:
        place = (
            places.get(subscript.plain)
            if isinstance(subscript, Affine) and subscript.plain
            else None
        )
        moved = place if isinstance(place, Access) else _through(subscript, places)
        if moved is None:
            return None
        subscripts.append(moved)
    return Access(slot.tensor, tuple(subscripts), slot.padded)
