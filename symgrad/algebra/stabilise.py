"""A forward program rewritten so that no intermediate overflows or cancels, before derive.

    log(sigmoid(x)) -> -softplus(-x)          log(e / sum of e) -> x - logsumexp(x), e = exp(x)

The forms are looked for across equations: `p = sigmoid(X)`, `C = -log(1 - p)` becomes softplus(X).
Both sides are equal for every real argument; `check` compares them at 60 digits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sympy import Add, Expr, Mul, S
from sympy.core.parameters import distribute

from symgrad.algebra.heads import split_heads
from symgrad.algebra.identities import BESIDE_ONE, IDENTITIES, LOG_BESIDE_ONE, log_two
from symgrad.algebra.identities import applied as _f
from symgrad.algebra.meaning import Meanings
from symgrad.algebra.program import Equation, Program
from symgrad.algebra.scalars import Less, select
from symgrad.algebra.scalars import Scalar as Row


def stabilise(program: Program) -> tuple[Program, tuple[str, ...]]:
    """The same mathematics in stable forms, and the identities used, as they read.

    Again after each change: p = 1/(1 + exp(-x)) has to be sigmoid(x) before 1 - p is seen. What
    fits any sum, expm1 and log1p, comes last.
    """
    used: set[str] = set()
    for last in (False, True):
        changed, names = _swept(program, last)
        while names:
            program, used = changed, used | names
            changed, names = _swept(split_heads(program), last)
    return program, tuple(IDENTITIES[name] for name in IDENTITIES if name in used)


def _swept(program: Program, last: bool) -> tuple[Program, set[str]]:
    """Every equation rewritten once, and the names of the identities used."""
    with distribute(False):
        forms = _Forms(Meanings(program), last)
        equations = [e for equation in program.equations for e in forms.rewritten(equation)]
    tensors = (*program.tensors, *forms.meanings.tensors)
    return replace(program, tensors=tensors, equations=tuple(equations)), forms.used


@dataclass
class _Forms:
    meanings: Meanings
    last: bool = False
    used: set[str] = field(default_factory=set)

    def rewritten(self, equation: Equation) -> Iterator[Equation]:
        """What has to be computed before it, and the equation in its stable form."""
        self.meanings.slots = dict(equation.slots)
        body = self.stable(equation.body)
        yield from self.meanings.pending
        self.meanings.pending = []
        yield equation if body == equation.body else equation.with_body(body, self.meanings.slots)

    def stable(self, node: Expr) -> Expr:
        """`node` with every unstable form inside it replaced."""
        if node.is_Atom:
            return node
        rule = (
            self.log_of(node.args[0])
            if _is(node, "log")
            else self.complement(node)
            if node.is_Add
            else self.quotient(node)
        )
        return rule if rule is not None else node.func(*(self.stable(a) for a in node.args))

    def by(self, name: str, result: Expr) -> Expr:
        self.used.add(name)
        return result

    def argument(self, node: Expr, name: str) -> Expr | None:
        """x, where the node stands for name(x)."""
        found = self.meanings.of(node)
        return found.args[0] if _is(found, name) else None

    def beside_one(self, node: Expr) -> tuple[str, Expr] | None:
        """("-sigmoid", x) for 1 - sigmoid(x); ("-tanh**2", x) for 1 - tanh(x)**2."""
        if len(node.args) != 2 or S.One not in node.args:
            return None
        (other,) = (a for a in node.args if a != S.One)
        number, rest = other.as_coeff_Mul()
        sign = {S.One: "+", S.NegativeOne: "-"}.get(number, "")
        found = self.meanings.of(rest)
        if isinstance(found, Row):
            return f"{sign}{found.row.name}", found.args[0]
        if found.is_Pow and found.exp == 2 and (x := self.argument(found.base, "tanh")) is not None:
            return f"{sign}tanh**2", x
        return None

    # ---- logarithms ---------------------------------------------------------------------------

    def log_of(self, node: Expr) -> Expr | None:
        """log(node) in a stable form, or None where no identity applies."""
        found = self.log_of_positive(node)
        return self.log_near_one(self.meanings.of(node)) if found is None and self.last else found

    def log_of_positive(self, node: Expr) -> Expr | None:
        """The same, where the node is positive whatever its parts are."""
        total = self.log_of_total(node)
        if total is not None:
            return self.by("sum exp", total)
        meaning = self.meanings.of(node)
        if _is(meaning, "exp"):
            return self.by("exp", meaning.args[0])
        if _is(meaning, "expdiff"):
            return meaning.args[0] - meaning.args[1]
        if _is(meaning, "sigmoid"):
            return self.by("sigmoid", -_f("softplus", -meaning.args[0]))
        if meaning.is_Add:
            return self.log_of_sum(meaning)
        if meaning.is_Mul or (meaning.is_Pow and meaning.exp.is_number):
            return self.log_of_product(meaning)
        return None

    def log_of_total(self, node: Expr) -> Expr | None:
        """A read of logsumexp, where the node reads a sum of exponentials; no identity is noted."""
        return self.meanings.log_of_sum_over(node, _Forms(self.meanings).log_of_positive)

    def log_of_product(self, node: Expr) -> Expr | None:
        """log(a*b/c) = log a + log b - log c, where all but one factor are known to be positive."""
        terms: list[Expr] = []
        opaque: list[Expr] = []
        for factor in Mul.make_args(node):
            has_power = factor.is_Pow and factor.exp.is_number
            base, power = (factor.base, factor.exp) if has_power else (factor, S.One)
            positive = base.is_Number and base.is_positive
            stable = _f("log", base) if positive else self.log_of_positive(base)
            if stable is None:
                opaque.append(factor)
            elif base != S.One:
                terms.append(power * stable)
        if len(opaque) > 1 or not [t for t in terms if not t.is_number]:
            return None
        return Add(*terms, *(_f("log", o) for o in opaque))

    def log_of_sum(self, node: Expr) -> Expr | None:
        """log(1 + exp(x)), log(exp(x) + exp(y)) and the like."""
        form = self.beside_one(node)
        if form is not None and form[0] in LOG_BESIDE_ONE:
            name, rule = LOG_BESIDE_ONE[form[0]]
            return self.by(name, rule(form[1]))
        exponents = self.two_exponents(node)
        if exponents is None:
            return None
        x, y = exponents
        return self.by("exp plus exp", x + _f("softplus", y - x))

    def log_near_one(self, node: Expr) -> Expr | None:
        """log(1 + x), which may be the logarithm of anything."""
        if not node.is_Add or S.One not in node.args:
            return None
        kind, x = self.beside_one(node) or ("", S.Zero)
        if kind == "-exp":
            near, far = _f("log", -_f("expm1", x)), _f("log1p", -_f("exp", x))
            return self.by("one minus exp", select(Less(-log_two(), x), near, far))
        rest = Add(*(a for a in node.args if a != S.One))
        return self.by("one plus any", _f("log1p", self.stable(rest)))

    # ---- sums and quotients -------------------------------------------------------------------

    def complement(self, node: Expr) -> Expr | None:
        """1 - sigmoid(x) and the like, and exp(x) - 1 in any sum."""
        kind, x = self.beside_one(node) or ("", S.Zero)
        if kind in BESIDE_ONE:
            name, rule = BESIDE_ONE[kind]
            return self.by(name, rule(x))
        number, terms = node.as_coeff_add()
        for term in terms if self.last else ():
            factor, rest = term.as_coeff_Mul()
            exponent = self.argument(rest, "exp") if factor == -number else None
            if exponent is not None:
                others = (self.stable(t) for t in terms if t is not term)
                return self.by("exp minus one", Add(factor * _f("expm1", exponent), *others))
        return None

    def two_exponents(self, node: Expr) -> tuple[Expr, Expr] | None:
        """x and y of exp(x) + exp(y); 1 is exp(0)."""
        if not node.is_Add or len(node.args) != 2:
            return None
        found = [S.Zero if a == S.One else self.argument(a, "exp") for a in node.args]
        x, y = found
        return None if x is None or y is None else (x, y)

    def quotient(self, node: Expr) -> Expr | None:
        """A product with an exponential, or a sum of them, in its denominator."""
        factors = Mul.make_args(node)
        for below in factors:
            if below.is_Pow and below.exp.is_Integer and below.exp.is_negative:
                others = [a for a in factors if a is not below]
                for rule in (self.over_sum, self.over_two, self.over_one):
                    found = rule(below.base, -below.exp, others)
                    if found is not None:
                        quotient, rest = found
                        return Mul(quotient, *(self.stable(a) for a in rest))
        return None

    def over_sum(self, base: Expr, power: Expr, others: list[Expr]) -> Quotient:
        """exp(x)/sum of exp -> expdiff(x, logsumexp)."""
        for other in others if power == S.One else ():
            x = self.argument(other, "exp")
            total = None if x is None else self.log_of_total(base)
            if total is not None:
                return self.by("softmax", _f("expdiff", x, total)), without(other, others)
        return None

    def over_two(self, base: Expr, power: Expr, others: list[Expr]) -> Quotient:
        """exp(x)/(exp(x) + exp(y)) -> sigmoid(x - y); 1 is exp(0)."""
        both = self.two_exponents(self.meanings.of(base))
        if both is None:
            return None
        for x, y in (both, both[::-1]):
            for other in others if power == S.One else ():
                if x != S.Zero and self.argument(other, "exp") == x:
                    quotient = self.by("over two exp", _f("sigmoid", x - y))
                    return quotient, without(other, others)
        for x, y in (both, both[::-1]):
            if x == S.Zero:
                return self.by("over two exp", _f("sigmoid", -y) ** power), others
        return None

    def over_one(self, base: Expr, power: Expr, others: list[Expr]) -> Quotient:
        """1/exp(y) -> exp(-y), and exp(x)/exp(y) -> exp(x - y)."""
        below = self.meanings.of(base)
        if not (_is(below, "exp") or _is(below, "expdiff")):
            return None
        y = power * Add(below.args[0], *(-m for m in below.args[1:]))
        for other in others:
            above = self.meanings.of(other)
            if _is(above, "exp"):
                return self.by("over exp", _f("exp", above.args[0] - y)), without(other, others)
            if _is(above, "expdiff"):
                x, m = above.args
                return self.by("over exp", _f("expdiff", x, m + y)), without(other, others)
        return self.by("over exp", _f("exp", -y)), others


Quotient = tuple[Expr, list[Expr]] | None
"""What a denominator and a numerator become together, and the factors that are left."""


def without(one: Expr, others: list[Expr]) -> list[Expr]:
    return [a for a in others if a is not one]


def _is(node: Expr, name: str) -> bool:
    return isinstance(node, Row) and node.row.name == name
