"""Equations from text: left side, = or +=, expression, and `for` ranges."""

from __future__ import annotations

from typing import cast

from symgrad.notation import hints
from symgrad.notation.cursor import run
from symgrad.notation.expressions import Expressions
from symgrad.notation.lexer import equations, single
from symgrad.notation.operators import ADD, OR
from symgrad.notation.sizes import names_in
from symgrad.notation.syntax import For, Name, Node, Read, Source, Statement


def parse(source: Source) -> tuple[Statement, ...]:
    """The equations of a text."""
    return tuple(Parser(source, tokens).statement() for tokens in equations(source))


def parse_expression(source: Source) -> Node:
    """A text that is one expression and nothing else."""
    parser = Parser(source, single(source))
    node = parser.expression_from(OR)
    parser.finish("an operator or the end")
    return node


class Parser(Expressions):
    """One equation."""

    def statement(self) -> Statement:
        left = self.left_side()
        adds = self.take("+=") is not None
        if not adds and self.take("=") is None:
            hint = hints.no_equals(self.next.text, left.name)
            expected = f"'=' or '+=' was expected after {left.name!r}"
            raise self.error(f"{self.shown()} where {expected}{hint}")
        self.bound = [n.name for subscript in left.subscripts for n in names_in(subscript)]
        right = self.expression_from(OR)
        ranges = self.ranges() if self.take("for") else ()
        self.finish(
            "an operator, `for` or the end of the equation"
            if not ranges
            else "a comma or the end of the equation"
        )
        return Statement(self.source, left, adds, right, ranges)

    def left_side(self) -> Read:
        if self.next.text == "pad" and self.next.kind == "name":
            return cast(Read, run(self.padded(self.name("pad"), 1)))
        token = self.name("the name of a tensor")
        subscripts = self.subscripts_after() if self.take("[") else ()
        return Read(token.at, token.text, subscripts, height=1)

    def ranges(self) -> tuple[For, ...]:
        found = [self.range()]
        while self.take(","):
            found.append(self.range())
        return tuple(found)

    def range(self) -> For:
        at = self.next.at
        first = self.expression_from(ADD)
        if self.take("<="):
            index = self.name("an index")
            self.expect("<", f"after the index {index.text!r}: a range is lo <= {index.text} < hi")
            return For(index.at, index.text, first, self.expression_from(ADD))
        if not isinstance(first, Name) or self.take("<") is None:
            raise self.error("a range is `for i < hi` or `for lo <= i < hi`", at)
        return For(at, first.name, None, self.expression_from(ADD))
