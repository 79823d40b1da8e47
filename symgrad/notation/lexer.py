"""Tokens of the notation, one list for each equation, which goes on while a bracket is open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from symgrad.notation import hints
from symgrad.notation.syntax import Source

EQUATION_CAP = 64 * 1024
FILE_CAP = 1024 * 1024
DEPTH_CAP = 200
TOO_LONG = f"an equation of more than {EQUATION_CAP // 1024} kB; split it into several"


class Token(NamedTuple):
    """kind is number, name, sign or end."""

    kind: str
    text: str
    at: int


PATTERN = re.compile(
    r"""(?P<space>[ \t\r]+)
      | (?P<comment>\#[^\n]*)
      | (?P<newline>\n)
      | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:'[1-9]?)*)
      | (?P<sign>\*\*|//|<=|>=|==|!=|\+=|[-+*/^<>=()\[\],:])""",
    re.VERBOSE,
)
BEFORE, AFTER = re.compile(r"[A-Za-z0-9_]+$"), re.compile(r"\w*", re.ASCII)
CLOSES = {")": "(", "]": "["}


def equations(source: Source) -> Iterator[list[Token]]:
    """The tokens of each equation, ended by an `end` token."""
    tokens: list[Token] = []
    brackets: list[Token] = []
    at, text = 0, source.text
    while at < len(text):
        found = PATTERN.match(text, at)
        if found is None:
            raise _stray(source, at)
        kind, value = str(found.lastgroup), found.group()
        if kind == "newline" and not brackets and tokens:
            yield [*tokens, Token("end", "", at)]
            tokens = []
        elif kind in ("number", "name", "sign"):
            token = Token(kind, value, at)
            _track(source, brackets, token)
            tokens.append(token)
        if tokens and found.end() - tokens[0].at > EQUATION_CAP:
            raise source.error(TOO_LONG, tokens[0].at)
        at = found.end()
    if brackets:
        raise source.error(f"bracket {brackets[0].text!r} is never closed", brackets[0].at)
    if tokens:
        yield [*tokens, Token("end", "", at)]


def single(source: Source) -> list[Token]:
    """All tokens of a text that is one expression or one declaration."""
    found = list(equations(source))
    if len(found) > 1:
        raise source.error("one line was expected here, and several came", found[1][0].at)
    return found[0] if found else [Token("end", "", 0)]


def _track(source: Source, brackets: list[Token], token: Token) -> None:
    if token.text in CLOSES.values():
        brackets.append(token)
    elif token.text in CLOSES:
        opened = brackets.pop() if brackets else None
        if opened is None:
            raise source.error(f"{token.text!r} closes a bracket that was never opened", token.at)
        if opened.text != CLOSES[token.text]:
            line = source.place(opened.at).line
            raise source.error(
                f"{token.text!r} cannot close the {opened.text!r} of line {line}", token.at
            )


def _stray(source: Source, at: int) -> Exception:
    character = source.text[at]
    if not character.isascii():
        return source.error(f"{character!a}{hints.character(character)}", at)
    hint = hints.comment(source.before(at)) or hints.character(character)
    if character == "." and not hint:
        before, after = BEFORE.search(source.text[:at]), AFTER.match(source.text, at + 1)
        hint = hints.attribute(before.group() if before else "", after.group() if after else "")
    return source.error(f"unexpected character {character!r}{hint}", at)
