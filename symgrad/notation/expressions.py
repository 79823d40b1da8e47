"""Precedence climbing over tokens, from `or`, the loosest operator, to `**`.

Depth is counted as the parser goes down, and height as trees are built: neither a deep nor a long
input exhausts Python's stack, here or in what walks the tree.
"""

from __future__ import annotations

from typing import cast

from symgrad.errors import did_you_mean
from symgrad.notation import hints, syntax
from symgrad.notation.binding import no_binder
from symgrad.notation.cursor import Cursor, Steps, run
from symgrad.notation.lexer import DEPTH_CAP, Token
from symgrad.notation.operators import (
    ADD,
    AND,
    COMPARE,
    LEVELS,
    OR,
    POWER,
    REDUCTIONS,
    UNARY,
)
from symgrad.notation.symbols import FORMS
from symgrad.notation.syntax import Name, Node, Read, Source

NO_OPERAND = ("and", "or", "for", "if", "else", "in")
MOST_CONDITIONS = 50


class Expressions(Cursor):
    """The grammar of expressions, over the tokens of one equation.

    What can nest is a generator that yields the parts it needs; `run` drives them.
    """

    def __init__(self, source: Source, tokens: list[Token]) -> None:
        super().__init__(source, tokens)
        self.bound: list[str] = []  # the indices of the left side and of the reductions around

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
            return syntax.Floor(token.at, left, right, height=_above(left, right))
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
            return syntax.Junction(token.at, token.text, tuple(operands), height=height)
        if level == COMPARE:
            return syntax.Compare(token.at, tuple(operators), tuple(operands), height=height)
        signs = [1, *(-1 if o in "-/" else 1 for o in operators)]
        pairs = tuple(zip(signs, operands, strict=True))
        return (
            syntax.Sum(left.at, pairs, height=height)
            if level == ADD
            else syntax.Product(left.at, pairs, height=height)
        )

    def power(self, left: Node, token: Token, depth: int) -> Steps[Node]:
        if token.text == "^":
            raise self.error("'^' is not an operator; power is written **")
        self.position += 1
        right = yield self.expression(UNARY, depth + 1)
        return syntax.Power(token.at, left, right, height=_above(left, right))

    def operand(self, depth: int) -> Steps[Node]:
        token = self.next
        if token.kind == "number":
            self.position += 1
            return syntax.Number(token.at, self.number(token), height=1)
        if token.kind == "name" and token.text not in NO_OPERAND:
            node: Node = yield self.named(depth)
            return node
        if self.take("-") or self.take("+"):
            inner = yield self.expression(POWER, depth + 1)
            sign = -1 if token.text == "-" else 1
            return syntax.Sum(token.at, ((sign, inner),), height=_above(inner))
        if self.take("("):
            grouped: Node = yield self.expression(OR, depth + 1)
            self.expect(")", "to close the bracket")
            return grouped
        if self.take("["):
            inner = yield self.expression(OR, depth + 1)
            self.expect("]", "to close the mask: a mask is one condition, [a < b]")
            return syntax.Mask(token.at, inner, height=_above(inner))
        raise self.misfit("a number, a name or '(' was expected")

    def named(self, depth: int) -> Steps[Node]:
        token = self.name("a name")
        if token.text == "not":
            inner = yield self.expression(COMPARE, depth + 1)
            return syntax.Invert(token.at, inner, height=_above(inner))
        if token.text == "pad":
            padded: Node = yield self.padded(token, depth)
            return padded
        if self.next.text == "[" and token.text in REDUCTIONS:
            form = f"{token.text}(i: x[i])"
            raise self.error(f"what {token.text} runs over stands in ( ), as in {form}")
        if self.take("["):
            subscripts = yield self.subscripts(depth)
            return Read(token.at, token.text, subscripts, height=_above(*subscripts))
        if self.take("("):
            node: Node = yield self.call(token, depth)
            if isinstance(node, syntax.Call) and self.take("["):
                subscripts = yield self.subscripts(depth)
                height = _above(node, *subscripts)
                return syntax.Apply(token.at, node, subscripts, height=height)
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
        start = self.next.at
        indices = self.binders()
        if indices and token.text not in REDUCTIONS:
            hint = hints.call(token.text) or did_you_mean(token.text, REDUCTIONS)
            raise self.error(f"{token.text!r} binds no index{hint}", token.at)
        if indices:
            self.bound += [index.name for index in indices]
            body = yield self.expression(OR, depth + 1)
            del self.bound[-len(indices) :]
            self.expect(")", f"to close {token.text}(")
            return syntax.Reduce(token.at, token.text, indices, body, height=_above(body))
        arguments, options = yield self.call_arguments(token, depth)
        if token.text in REDUCTIONS:
            text = self.source.text[start : self.tokens[self.position - 1].at]
            message = no_binder(token.text, arguments, text, self.bound, self.source.text)
            raise self.error(message, token.at)
        height = _above(*arguments, *(value for _, value in options))
        return syntax.Call(token.at, token.text, arguments, options, height=height)

    def call_arguments(
        self, token: Token, depth: int
    ) -> Steps[tuple[tuple[Node, ...], tuple[tuple[str, Node], ...]]]:
        """Arguments, then options as name=value."""
        found: list[Node] = []
        options: list[tuple[str, Node]] = []
        while not self.take(")"):
            if token.text in REDUCTIONS and self.next.text == ":":
                form = f"{token.text}(i: x[i]); its range comes from what it reads, or from `for`"
                raise self.error(f"an index is bound by its name alone, as in {form}")
            if found or options:
                self.expect(",", f"or ')' in the arguments of {token.text}")
            option = None if token.text in FORMS else self.option()
            value = yield self.expression(OR, depth + 1)
            if option is not None:
                options.append((option.text, value))
            elif options:
                raise self.error("arguments stand before options", value.at)
            else:
                found.append(value)
        return tuple(found), tuple(options)

    def option(self) -> Token | None:
        """`name=` if it stands here."""
        if self.next.kind != "name" or self.tokens[self.position + 1].text != "=":
            return None
        token = self.name("an option")
        self.expect("=", f"after {token.text}")
        return token

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
