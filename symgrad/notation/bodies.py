"""A scalar SymPy expression and its slots from the syntax tree of a body."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy
from sympy import Expr, Function, Pow, Rational, S, Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import INF, Slot, slot_symbol
from symgrad.algebra.scalars import (
    FUNCTIONS,
    And,
    Equal,
    Less,
    LessEqual,
    Not,
    Or,
    Select,
    Stop,
    unknown,
)
from symgrad.algebra.sizes import Size
from symgrad.errors import SpecError
from symgrad.notation import syntax
from symgrad.notation.sizes import size_of
from symgrad.notation.symbols import CONSTANTS, Env, Symbols
from symgrad.notation.syntax import Name, Node, Read, Statement

LARGEST_POWER = 1000
MOST_BITS = 4096

COMPARISONS: Mapping[str, Callable[[Expr, Expr], Expr]] = {
    "<": Less,
    "<=": LessEqual,
    ">": lambda a, b: Less(b, a),
    ">=": lambda a, b: LessEqual(b, a),
    "==": Equal,
    "!=": lambda a, b: Not(Equal(a, b)),
}


class Body:
    """Builds one body; `slots`: what its symbols stand for; `reduce` names a nested reduction."""

    def __init__(
        self,
        statement: Statement,
        symbols: Symbols,
        access: Mapping[int, Access],
        reduce: Callable[[syntax.Reduce, Env], Access],
    ) -> None:
        self.statement, self.symbols, self.access, self.reduce = statement, symbols, access, reduce
        self.slots: list[Slot] = []

    def error(self, message: str, node: Node) -> SpecError:
        return self.statement.error(message, node.at)

    def slot(self, slot: Slot) -> Symbol:
        self.slots.append(slot)
        return slot_symbol(slot)

    def number(self, node: Node, env: Env) -> Expr:
        """The value of an expression."""
        match node:
            case syntax.Number(value=value):
                return Rational(value.numerator, value.denominator)
            case Name():
                return self.name(node, env)
            case Read():
                return self.slot(self.access[node.at])
            case syntax.Sum():
                return sympy.Add(
                    *(self.number(t, env) if s > 0 else -self.number(t, env) for s, t in node.terms)
                )
            case syntax.Product():
                return self.product(node, env)
            case syntax.Power():
                return self.power(
                    self.number(node.base, env), self.number(node.exponent, env), node
                )
            case syntax.Floor():
                return self.size(size_of(node, self.statement.source, self.symbols.sizes))
            case syntax.Call():
                return self.call(node, env)
            case syntax.Reduce():
                return self.slot(self.reduce(node, env))
            case syntax.Mask():
                return Select(self.condition(node.condition, env), S.One, S.Zero)
        raise self.error(
            "a condition stands only in where(condition, a, b) or as a mask [a < b]", node
        )

    def name(self, node: Name, env: Env) -> Expr:
        name = node.name
        if name in env:
            return self.slot(Affine.index(name))
        if name in self.symbols.sizes:
            return self.size(self.symbols.sizes[name])
        if name in CONSTANTS:
            return S.Pi if name == "PI" else INF
        return self.slot(Access(name))

    def size(self, size: Size) -> Expr:
        """A size as a number: its names and quotients are slots, the polynomial is SymPy's."""
        terms = (
            sympy.Mul(
                coefficient, *(self.slot(Affine((), Size((((atom,), 1),)))) for atom in monomial)
            )
            for monomial, coefficient in size.terms
        )
        return sympy.Add(*terms)

    def product(self, node: syntax.Product, env: Env) -> Expr:
        factors = []
        for power, factor in node.factors:
            value = self.number(factor, env)
            factors.append(value if power > 0 else self.power(value, S.NegativeOne, factor))
        return sympy.Mul(*factors)

    def power(self, base: Expr, exponent: Expr, node: Node) -> Expr:
        if not isinstance(exponent, Rational):
            return FUNCTIONS["power"](base, exponent)
        if base == S.Zero and exponent < 0:
            raise self.error("division by zero", node)
        if max(abs(exponent.p), exponent.q) > LARGEST_POWER:
            raise self.error(f"an exponent beyond {LARGEST_POWER}", node)
        scale = base.as_coeff_Mul()[0]
        if isinstance(scale, Rational):
            if (abs(scale.p).bit_length() + scale.q.bit_length() - 2) * abs(exponent) > MOST_BITS:
                raise self.error("a power of a number that is too large to be exact", node)
            if base.is_number and scale < 0 and exponent.q != 1:
                raise self.error("a broken power of a negative number is not real", node)
        return Pow(base, exponent)

    def call(self, node: syntax.Call, env: Env) -> Expr:
        name = node.name
        if name == "where":
            self.check_count(node, 3, "where(condition, a, b)")
            condition = self.condition(node.arguments[0], env)
            return Select(condition, *(self.number(a, env) for a in node.arguments[1:]))
        if name == "stop":
            self.check_count(node, 1, "stop(x)")
            return Stop(self.number(node.arguments[0], env))
        if name in FUNCTIONS:
            row = FUNCTIONS[name].row
            self.check_count(node, row.arity, f"{name}({', '.join('xyz'[: row.arity])})")
            values = [self.number(a, env) for a in node.arguments]
            if name == "sqrt" and not values[0].free_symbols and not values[0].has(Function):
                return self.power(values[0], S.Half, node)
            return FUNCTIONS[name](*values)
        return self.declared(node, env)

    def declared(self, node: syntax.Call, env: Env) -> Expr:
        base, *primes = node.name.split("'")
        arity = self.symbols.functions[base]
        self.check_count(node, arity, f"{base} of {arity} argument{'s' * (arity > 1)}")
        by = [int(p or 1 if arity == 1 else p or 0) for p in primes]
        if any(not 1 <= k <= arity for k in by) or (arity == 1 and any(primes)):
            raise self.error(
                f"{node.name!r}: a prime says by which argument, as f'1(x,y); "
                "of one argument it is f'(x)",
                node,
            )
        orders = tuple(by.count(k + 1) for k in range(arity))
        return unknown(base, orders)(*(self.number(a, env) for a in node.arguments))

    def check_count(self, node: syntax.Call, count: int, form: str) -> None:
        if len(node.arguments) != count:
            raise self.error(
                f"{node.name} takes {count} argument{'s' * (count != 1)}, "
                f"and {len(node.arguments)} came; it is {form}",
                node,
            )

    def condition(self, node: Node, env: Env) -> Expr:
        """A condition: a comparison, a bool tensor, or these joined by and, or, not."""
        match node:
            case syntax.Compare():
                values = [self.number(n, env) for n in node.operands]
                pairs = zip(node.operators, values, values[1:], strict=False)
                return _joined(And, [COMPARISONS[o](a, b) for o, a, b in pairs])
            case syntax.Junction():
                parts = [self.condition(n, env) for n in node.operands]
                return _joined(And if node.word == "and" else Or, parts)
            case syntax.Invert():
                return Not(self.condition(node.operand, env))
            case Read() | Name():
                name = node.name
                if (
                    name not in env
                    and name in self.symbols.tensors
                    and self.symbols.tensors[name].kind == "bool"
                ):
                    return Equal(self.number(node, env), S.One)
        raise self.error(
            "a condition was expected: a comparison such as a < b, or a bool tensor", node
        )

    def whole(self, node: Node, env: Env) -> Expr:
        return self.checked(self.number(node, env), node)

    def checked(self, value: Expr, node: Node) -> Expr:
        if value.has(S.ComplexInfinity, S.NaN, S.Infinity, S.NegativeInfinity):
            raise self.error("this divides by an expression that is always zero", node)
        if value.has(S.ImaginaryUnit):
            raise self.error("this is not a real number", node)
        return value


def _joined(kind: Callable[[Expr, Expr], Expr], parts: list[Expr]) -> Expr:
    joined = parts[0]
    for part in parts[1:]:
        joined = kind(joined, part)
    return joined
