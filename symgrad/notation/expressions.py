"""Precedence climbing over tokens: or < and < not < comparison < + - < * / // < unary - < **.

Depth is counted as the parser goes down, and height as trees are built: neither a deep nor a long
input exhausts Python's stack, here or in what walks the tree.
"""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from typing import Any, TypeVar, cast

from symgrad.errors import SpecError, did_you_mean
from symgrad.notation.lexer import DEPTH_CAP, Token
from symgrad.notation.syntax import (
    Call,
    Compare,
    Floor,
    Invert,
    Junction,
    Mask,
    Name,
    Node,
    Number,
    Power,
    Product,
    Read,
    Reduce,
    Source,
    Sum,
)

REDUCTIONS = ("sum", "mean", "logsumexp", "max", "min", "argmax", "argmin")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
OR, AND, NOT, COMPARE, ADD, MULTIPLY, UNARY, POWER = range(1, 9)
LEVELS = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(COMPARISONS, COMPARE),
    **dict.fromkeys(("+", "-"), ADD),
    **dict.fromkeys(("*", "/", "//"), MULTIPLY),
    "**": POWER,
    "^": POWER,
}
INSTEAD_OF_TWO = {"max": "maximum", "min": "minimum"}
LARGEST_EXPONENT = 300
LONGEST_NUMBER = 400
MOST_CONDITIONS = 50


Result = TypeVar("Result", covariant=True)
Steps = Generator[Any, Any, Result]
"""A part of the parser: it yields other parts, is sent their results, and returns its own."""


def run(start: Steps[object]) -> object:
    """The result of a part, on a stack of its own: depth never reaches Python's recursion limit."""
    stack: list[Steps[object]] = [start]
    value: object = None
    while stack:
        try:
            stack.append(stack[-1].send(value))
            value = None
        except StopIteration as finished:
            stack.pop()
            value = finished.value
    return value


class Expressions:
    """One pass over the tokens of one equation, left to right."""

    def __init__(self, source: Source, tokens: list[Token]) -> None:
        self.source = source
        self.tokens = tokens
        self.position = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.position]

    def error(self, message: str, at: int | None = None) -> SpecError:
        return self.source.error(message, self.next.at if at is None else at)

    def take(self, text: str) -> Token | None:
        """The next token if it reads `text`."""
        if self.next.text != text or self.next.kind == "end":
            return None
        self.position += 1
        return self.tokens[self.position - 1]

    def expect(self, text: str, after: str) -> Token:
        found = self.take(text)
        if found is None:
            raise self.error(f"{self.shown()} where {text!r} was expected {after}")
        return found

    def name(self, what: str) -> Token:
        token = self.next
        if token.kind != "name":
            raise self.error(f"{self.shown()} where {what} was expected")
        self.position += 1
        return token

    def shown(self) -> str:
        return "the end of the line" if self.next.kind == "end" else repr(self.next.text)

    def finish(self, expected: str) -> None:
        if self.next.kind == "end":
            return
        if self.next.text in ("=", "+="):
            raise self.error(
                f"{self.shown()} where {expected} was expected; equality in a condition is =="
            )
        raise self.error(
            f"{self.shown()} where {expected} was expected{_juxtaposed(self.tokens, self.position)}"
        )

    # Expressions. What can nest is a generator that yields the parts it needs; `run` drives them.

    def expression_from(self, least: int) -> Node:
        """An expression whose operators bind at least as tightly as `least`."""
        return cast(Node, run(self.expression(least, 1)))

    def subscripts_after(self) -> tuple[Node, ...]:
        """The subscripts after an opening bracket."""
        return cast(tuple[Node, ...], run(self.subscripts(1)))

    def arguments_after(self, after: str) -> tuple[Node, ...]:
        """The arguments after an opening bracket."""
        return cast(tuple[Node, ...], run(self.arguments(")", after, 1)))

    def expression(self, least: int, depth: int) -> Steps[Node]:
        """An expression whose operators bind at least as tightly as `least`."""
        self.check_depth(depth)
        left = yield self.operand(depth)
        while True:
            token = self.next
            level = LEVELS.get(token.text, 0) if token.kind != "number" else 0
            if level < least or token.kind == "end":
                return cast(Node, left)
            left = yield self.operation(left, token, level, depth)
            self.check_depth(left.height)

    def operation(self, left: Node, token: Token, level: int, depth: int) -> Steps[Node]:
        """All operations of one level that follow `left`."""
        if level == POWER:
            node: Node = yield self.power(left, token, depth)
            return node
        if token.text == "//":
            self.position += 1
            right = yield self.expression(UNARY, depth + 1)
            return Floor(token.at, left, right, height=_above(left, right))
        words = [t for t, n in LEVELS.items() if n == level and t != "//"]
        operators: list[str] = []
        operands = [left]
        while self.next.text in words and self.next.kind != "end":
            operators.append(self.next.text)
            self.position += 1
            operands.append((yield self.expression(level + 1, depth + 1)))
        height = _above(*operands)
        if level <= COMPARE and len(operands) > MOST_CONDITIONS:
            raise self.error(
                f"more than {MOST_CONDITIONS} conditions joined in one; give a part of it a name",
                token.at,
            )
        if level in (OR, AND):
            return Junction(token.at, token.text, tuple(operands), height=height)
        if level == COMPARE:
            return Compare(token.at, tuple(operators), tuple(operands), height=height)
        signs = [1, *(-1 if o in "-/" else 1 for o in operators)]
        pairs = tuple(zip(signs, operands, strict=True))
        return (
            Sum(left.at, pairs, height=height)
            if level == ADD
            else Product(left.at, pairs, height=height)
        )

    def power(self, left: Node, token: Token, depth: int) -> Steps[Node]:
        if token.text == "^":
            raise self.error("'^' is not an operator; power is written **")
        self.position += 1
        right = yield self.expression(UNARY, depth + 1)
        return Power(token.at, left, right, height=_above(left, right))

    def operand(self, depth: int) -> Steps[Node]:
        token = self.next
        if token.kind == "number":
            self.position += 1
            return Number(token.at, self.number(token), height=1)
        if token.kind == "name" and token.text not in ("and", "or", "for"):
            node: Node = yield self.named(depth)
            return node
        if self.take("-") or self.take("+"):
            inner = yield self.expression(POWER, depth + 1)
            return Sum(token.at, ((-1 if token.text == "-" else 1, inner),), height=_above(inner))
        if self.take("("):
            grouped: Node = yield self.expression(OR, depth + 1)
            self.expect(")", "to close the bracket")
            return grouped
        if self.take("["):
            inner = yield self.expression(OR, depth + 1)
            self.expect("]", "to close the mask: a mask is one condition, [a < b]")
            return Mask(token.at, inner, height=_above(inner))
        raise self.error(f"{self.shown()} where a number, a name or '(' was expected")

    def number(self, token: Token) -> Fraction:
        digits, _, exponent = token.text.lower().partition("e")
        if (
            len(digits) > LONGEST_NUMBER
            or len(exponent) > 5
            or abs(int(exponent or 0)) > LARGEST_EXPONENT
        ):
            raise self.error(
                f"a number of at most {LONGEST_NUMBER} digits and an exponent within "
                f"+-{LARGEST_EXPONENT} was expected",
                token.at,
            )
        after = self.next
        if after.kind in ("name", "number") and after.at == token.at + len(token.text):
            raise self.error(
                f"{token.text + after.text!r}: a product is written {token.text}*{after.text}",
                token.at,
            )
        return Fraction(token.text)

    def named(self, depth: int) -> Steps[Node]:
        token = self.name("a name")
        if token.text == "not":
            inner = yield self.expression(COMPARE, depth + 1)
            return Invert(token.at, inner, height=_above(inner))
        if token.text == "pad":
            padded: Node = yield self.padded(token, depth)
            return padded
        if self.take("["):
            subscripts = yield self.subscripts(depth)
            return Read(token.at, token.text, subscripts, height=_above(*subscripts))
        if self.take("("):
            node: Node = yield self.call(token, depth)
            return node
        return Name(token.at, token.text, height=1)

    def padded(self, token: Token, depth: int) -> Steps[Read]:
        self.expect("(", "after pad: pad(x[i+1]) reads 0 outside x")
        inner = None
        if self.next.kind == "name":
            inner = yield self.named(depth + 1)
        if not isinstance(inner, Read) or inner.padded:
            raise self.error(
                "pad(...) holds one read, as pad(x[b,t+1]), and nothing else", token.at
            )
        self.expect(")", "after the read: pad(...) holds one read, as pad(x[b,t+1])")
        return Read(token.at, inner.name, inner.subscripts, True, height=_above(inner))

    def subscripts(self, depth: int) -> Steps[tuple[Node, ...]]:
        found: tuple[Node, ...] = yield self.arguments("]", "subscripts", depth)
        if not found:
            raise self.error(
                "empty subscripts; a tensor of rank 0 stands without brackets", self.next.at
            )
        return found

    def arguments(self, close: str, after: str, depth: int) -> Steps[tuple[Node, ...]]:
        found: list[Node] = []
        while not self.take(close):
            if found:
                self.expect(",", f"or {close!r} in {after}")
            found.append((yield self.expression(OR, depth + 1)))
        return tuple(found)

    def call(self, token: Token, depth: int) -> Steps[Node]:
        indices = self.binders()
        if indices and token.text not in REDUCTIONS:
            raise self.error(
                f"{token.text!r} binds no index{did_you_mean(token.text, REDUCTIONS)}", token.at
            )
        if indices:
            body = yield self.expression(OR, depth + 1)
            self.expect(")", f"to close {token.text}(")
            return Reduce(token.at, token.text, indices, body, height=_above(body))
        arguments = yield self.arguments(")", f"the arguments of {token.text}", depth)
        if token.text in REDUCTIONS:
            raise self.error(_no_binder(token.text, len(arguments)), token.at)
        return Call(token.at, token.text, arguments, height=_above(*arguments))

    def binders(self) -> tuple[Name, ...]:
        """`b, t:` if it stands here."""
        start = self.position
        found: list[Name] = []
        while self.next.kind == "name":
            token = self.name("an index")
            found.append(Name(token.at, token.text, height=1))
            if self.take(":"):
                return tuple(found)
            if not self.take(","):
                break
        self.position = start
        return ()

    def check_depth(self, depth: int) -> None:
        if depth > DEPTH_CAP:
            raise self.error(
                f"more than {DEPTH_CAP} levels of nesting; give a part of it a name of its own"
            )


def _above(*nodes: Node) -> int:
    return 1 + max((n.height for n in nodes), default=0)


def _no_binder(name: str, count: int) -> str:
    if name in INSTEAD_OF_TWO and count >= 2:
        instead = f'did you mean "{INSTEAD_OF_TWO[name]}"?'
        return f"{name} of {count} values; {instead} {name}(v: q[b,v]) runs over an index"
    return f"{name} needs the index that it runs over, as {name}(i: x[i])"


def _juxtaposed(tokens: list[Token], position: int) -> str:
    before, after = tokens[position - 1], tokens[position]
    valued = before.kind in ("number", "name") or before.text in (")", "]")
    starts = after.kind in ("number", "name") or after.text in ("(", "[")
    return "; a product is written with *" if valued and starts else ""
