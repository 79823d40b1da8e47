"""How a parameter starts: init=zeros, orthogonal(1.414), uniform(1/sqrt(H)), copy(W)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from symgrad.algebra.sizes import Size
from symgrad.errors import did_you_mean
from symgrad.notation import hints
from symgrad.notation.parser import Parser, parse_expression
from symgrad.notation.sizes import size_of
from symgrad.notation.syntax import Call, Name, Node, Number, Product, Source, Sum

INITS = {
    "glorot_uniform": 0,
    "he_normal": 0,
    "lecun_uniform": 0,
    "uniform_fan_in": 0,
    "uniform": 1,
    "normal": 1,
    "orthogonal": 1,
    "constant": 1,
    "zeros": 0,
    "copy": 1,
}
"""Each initialisation, and how many arguments it takes; normal and orthogonal may have none."""

NEEDED = {
    "constant": "its value, as init=constant(0.5)",
    "uniform": "how far it reaches, as init=uniform(0.1); uniform_fan_in is PyTorch's default",
    "copy": "the parameter that it copies, as init=copy(W1)",
}


@dataclass(frozen=True)
class Spread:
    """number/sqrt(over): the argument of an initialisation."""

    number: Fraction
    over: Size | None = None


def initialisation(parser: Parser, source: Source, sizes: Mapping[str, Size]) -> str:
    """zeros, orthogonal(1.414), or copy(W), which another parameter's values start."""
    token = parser.name("an initialisation")
    if token.text not in INITS:
        raise source.error(
            f'unknown initialisation "{token.text}"'
            f"{hints.initialisation(token.text) or did_you_mean(token.text, INITS)}",
            token.at,
        )
    arguments = parser.arguments_after("the arguments of init") if parser.take("(") else None
    if arguments is None:
        if token.text in NEEDED:
            raise source.error(f"init={token.text} needs {NEEDED[token.text]}", token.at)
        return token.text
    if token.text == "copy":
        if len(arguments) != 1 or not isinstance(arguments[0], Name):
            raise source.error(f"init=copy needs {NEEDED['copy']}", token.at)
        return f"copy({arguments[0].name})"
    values, count = [spread(a, source, sizes) for a in arguments], INITS[token.text]
    if any(v and v.over and not v.over.is_positive() for v in values):
        raise source.error("a root is of a size of at least 1", arguments[0].at)
    if len(values) != count or None in values:
        takes = f"takes {count} number{'s' * (count != 1)}"
        root = ", which may be over the root of a size, as in 0.5/sqrt(H)" if count else ""
        raise source.error(f"init={token.text} {takes}{root}", token.at)
    if not arguments:
        return token.text
    start, end = arguments[0].at, parser.tokens[parser.position - 1].at
    return f"{token.text}({source.text[start:end].strip()})"


def argument_of(init: str, sizes: Mapping[str, Size]) -> Spread | None:
    """What an accepted initialisation says in brackets; None of those without a number."""
    text = init.removesuffix(")").partition("(")[2]
    source = Source(text)
    return spread(parse_expression(source), source, sizes) if text else None


def spread(node: Node, source: Source, sizes: Mapping[str, Size]) -> Spread | None:
    """A number, or a number over the root of a size."""
    match node:
        case Product(factors=((1, above), (-1, Call(name="sqrt", arguments=(under,))))):
            number = literal(above)
            return None if number is None else Spread(number, size_of(under, source, sizes))
    number = literal(node)
    return None if number is None else Spread(number)


def literal(node: Node) -> Fraction | None:
    """The value of a number with or without a sign."""
    match node:
        case Number(value=value):
            return value
        case Sum(terms=((sign, Number(value=value)),)):
            return sign * value
    return None
