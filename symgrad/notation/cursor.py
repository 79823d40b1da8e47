"""A place among the tokens of one equation, and what is said of a token that does not fit there."""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from typing import Any, TypeVar

from symgrad.errors import SpecError
from symgrad.notation import hints
from symgrad.notation.lexer import Token
from symgrad.notation.syntax import Source

OPERATORS = ("+", "-", "*", "/", "**")
"""What no equation begins with."""
LARGEST_EXPONENT = 300
LONGEST_NUMBER = 400

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


class Cursor:
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
            raise self.misfit(f"{text!r} was expected {after}")
        return found

    def name(self, what: str) -> Token:
        token = self.next
        if token.kind != "name":
            raise self.misfit(f"{what} was expected")
        self.position += 1
        return token

    def finish(self, expected: str) -> None:
        if self.next.kind != "end":
            raise self.misfit(f"{expected} was expected")

    def misfit(self, expected: str) -> SpecError:
        """The next token came where something else was expected; with what to write, if known."""
        return self.error(f"{self.shown()} where {expected}{self.hint()}")

    def shown(self) -> str:
        return "the end of the line" if self.next.kind == "end" else repr(self.next.text)

    def hint(self) -> str:
        before, text = self.source.before(self.next.at), self.next.text
        if self.next.kind == "end" or (self.position == 0 and text in OPERATORS):
            return hints.LINES
        return (
            hints.comment(f"{before}/" if text[0] == "*" and before.endswith("/") else before)
            or hints.stray_word(text)
            or _juxtaposed(self.tokens, self.position)
        )

    def number(self, token: Token) -> Fraction:
        """The exact value of a number, which nothing touches on its right."""
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


def _juxtaposed(tokens: list[Token], position: int) -> str:
    before, after = tokens[position - 1] if position else tokens[-1], tokens[position]
    valued = before.kind in ("number", "name") or before.text in (")", "]")
    starts = after.kind in ("number", "name") or after.text in ("(", "[")
    return "; a product is written with *" if valued and starts else ""
