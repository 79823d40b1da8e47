"""What a spec declares: sizes, functions, tensors such as "int[B] < 2" or "real[H] init=zeros"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from sympy import Rational

from symgrad.algebra.program import Kind, Role, Tensor
from symgrad.algebra.sizes import Size
from symgrad.errors import SpecError, did_you_mean
from symgrad.notation import hints
from symgrad.notation.initialisations import initialisation, literal
from symgrad.notation.lexer import single
from symgrad.notation.operators import ADD, OR
from symgrad.notation.parser import Parser, parse_expression
from symgrad.notation.sizes import names_in, size_of
from symgrad.notation.syntax import Name, Number, Source

KINDS = ("real", "int", "bool")
EXAMPLE = 'a type is like "real[B, 4]", "int[B] < 2", "bool[B]" or "real = 0.99"'


@dataclass(frozen=True)
class Declared:
    """Everything that equations may speak of before they define anything.

    sizes:     the named sizes and their defaults; None is a free size.
    derived:   sizes that are expressions of earlier ones; they are substituted.
    tensors:   parameters and data.
    shapes:    the computed tensors whose shape [tensors] fixes.
    functions: unknown functions and their number of arguments.
    calls:     what else is called like a function, for errors to offer.
    """

    sizes: tuple[tuple[str, int | None], ...] = ()
    derived: tuple[tuple[str, Size], ...] = ()
    tensors: tuple[Tensor, ...] = ()
    shapes: tuple[Tensor, ...] = ()
    functions: tuple[tuple[str, int], ...] = ()
    calls: tuple[str, ...] = ()

    @property
    def size_of(self) -> dict[str, Size]:
        return {**{name: Size.of(name) for name, _ in self.sizes}, **dict(self.derived)}

    @property
    def defaults(self) -> dict[str, int]:
        return {name: value for name, value in self.sizes if value is not None}


def tensor_type(source: Source, name: str, role: Role, sizes: Mapping[str, Size]) -> Tensor:
    """The tensor that a type's text declares."""
    parser = Parser(source, single(source))
    start = parser.next.at
    if parser.next.kind != "name":
        raise parser.error(f"{parser.shown()} where a type was expected; {EXAMPLE}")
    kind = parser.name("a type").text
    if kind not in KINDS:
        hint = hints.kind(kind) or did_you_mean(kind, KINDS)
        raise source.error(f"unknown kind {kind!r}{hint}; {EXAMPLE}", start)
    shape = (
        tuple(size_of(n, source, sizes) for n in parser.subscripts_after())
        if parser.take("[")
        else ()
    )
    below = size_of(parser.expression_from(ADD), source, sizes) if parser.take("<") else None
    positive = parser.take(">") is not None
    if positive and _number(parser, source) != 0:
        raise source.error(f"a lower bound is 0, as in real > 0; {EXAMPLE}", start)
    default = _number(parser, source) if parser.take("=") else None
    init = _init(parser, source, sizes) if parser.next.text == "init" else None
    if parser.next.kind != "end":
        hint = hints.type_end(parser.next.text)
        expected = f"where the end of the type was expected{hint}"
        raise parser.error(f"{parser.shown()} {expected}; {EXAMPLE}")
    tensor = Tensor(name, shape, cast(Kind, kind), role, below, default, init, positive)
    _check(tensor, source, start)
    return tensor


def _check(tensor: Tensor, source: Source, at: int) -> None:
    faults = (
        (
            tensor.below is not None and tensor.kind != "int",
            'only an int has an upper bound: "int[B] < 2"',
        ),
        (
            tensor.positive and (tensor.kind, tensor.role) != ("real", "data"),
            'only real data have a lower bound: "real > 0"; exp(x) is above 0 for any x',
        ),
        (
            tensor.positive and tensor.default is not None and tensor.default <= 0,
            "the default is not above 0",
        ),
        (
            tensor.role == "param" and tensor.kind != "real",
            "a parameter is real; ints and bools belong in [data]",
        ),
        (
            tensor.role == "computed" and tensor.kind != "real",
            "a computed tensor is real; argmax gives ints by itself",
        ),
        (
            tensor.default is not None and bool(tensor.shape),
            'only a rank-0 datum has a default: "real = 0.99"',
        ),
        (
            tensor.default is not None and tensor.role != "data",
            "only [data] has defaults; a parameter has init=constant(x)",
        ),
        (tensor.default is not None and tensor.kind == "bool", "a bool has no default"),
        (tensor.init is not None and tensor.role != "param", "only [params] has init="),
        (
            tensor.init is not None
            and tensor.init.startswith("orthogonal")
            and len(tensor.shape) < 2,
            "init=orthogonal needs at least 2 axes",
        ),
        (
            tensor.kind == "int" and tensor.default is not None and tensor.default.q != 1,
            "an int's default is a whole number",
        ),
        (
            tensor.kind == "int" and tensor.default is not None and tensor.default < 0,
            "an int is at least 0",
        ),
    )
    for wrong, message in faults:
        if wrong:
            raise source.error(f'{source.text.strip()!r} for "{tensor.name}": {message}', at)


def _number(parser: Parser, source: Source) -> Rational:
    at, after = parser.next.at, parser.tokens[parser.position - 1].text
    value = literal(parser.expression_from(ADD))
    if value is None:
        raise source.error(f'a number such as 0.25 was expected after "{after}"', at)
    return Rational(value.numerator, value.denominator)


def _init(parser: Parser, source: Source, sizes: Mapping[str, Size]) -> str:
    parser.name("init")
    parser.expect("=", "after init")
    return initialisation(parser, source, sizes)


def size_text(source: Source, sizes: Mapping[str, Size]) -> Size | None:
    """A size's text as an expression of earlier sizes; None where it is a description in words.

    It is an expression if it begins with "=", or if it has an operator and names a size.
    """
    forced = source.text.lstrip().startswith("=")
    text = source.text.replace("=", " ", 1) if forced else source.text
    inner = Source(text, source.file, source.line, source.column)
    if forced:
        parser = Parser(inner, single(inner))
        node = parser.expression_from(OR)
        parser.finish("an operator or the end of the size")
        return size_of(node, inner, sizes)
    try:
        node = parse_expression(inner)
    except SpecError:
        return None
    if isinstance(node, Number):
        raise source.error(f"a size's default is a number without quotes: {source.text.strip()}", 0)
    names = {n.name for n in names_in(node)}
    if isinstance(node, Name) or (names and names.isdisjoint(sizes)):
        return None
    return size_of(node, inner, sizes)
