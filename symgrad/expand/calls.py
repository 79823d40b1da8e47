"""A named loss at one call: its arguments and options bound, its equations renamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from symgrad.catalog.losses import LOSSES, NamedLoss
from symgrad.errors import did_you_mean
from symgrad.expand.layers import free_letter
from symgrad.expand.trees import Naming, letters_of, numbered, written
from symgrad.notation.names import shown
from symgrad.notation.parser import parse_expression
from symgrad.notation.syntax import (
    Call,
    Name,
    Node,
    Number,
    Read,
    Reduce,
    Source,
    Statement,
    children,
)

FLAGS = {"true": True, "false": False}
BATCH = "b"
"""What a row's text calls all leading axes together."""


@dataclass(frozen=True)
class Value:
    """An argument or an option at a call: a whole tensor with letters for its axes, or a scalar."""

    tensor: str
    letters: tuple[str, ...]
    scalar: Node | None = None


@dataclass(frozen=True)
class Bound:
    """A call with everything bound: the options that are set, and what each name stands for."""

    row: NamedLoss
    given: frozenset[str]
    values: Mapping[str, Value]


def bind(call: Call, statement: Statement, value: Callable[[Node, str], Value]) -> Bound:
    """The call's arguments and options; `value` makes an argument a tensor or a scalar."""
    row = LOSSES[call.name]
    patterns = [_pattern(text) for text in row.arguments]
    form = f"{row.name}({', '.join(row.arguments)})"
    if len(call.arguments) != len(patterns):
        raise statement.error(
            f"{row.name} takes {len(patterns)} argument{'s' * (len(patterns) != 1)}, "
            f"and {len(call.arguments)} came; it is {form}",
            call.at,
        )
    values = {
        pattern.name: value(node, pattern.name)
        for pattern, node in zip(patterns, call.arguments, strict=True)
    }
    given: set[str] = set()
    known = dict(row.options)
    for name, node in call.options:
        if name not in known:
            near = did_you_mean(name, known)
            raise statement.error(f"{row.name} has no option {shown(name)}{near}", node.at)
        if name in given or name in values:
            raise statement.error(f"{row.name}: option {shown(name)} is given twice", node.at)
        if known[name] in FLAGS:
            if _flag(node, name, statement):
                given.add(name)
        elif not _is(node, known[name]):
            values[name] = value(node, name)
            given.add(name)
    for name, default in known.items():
        if name not in values and default not in FLAGS:
            values[name] = Value(name, (), parse_expression(Source(default)))
    _check_axes(call, statement, patterns, values, form)
    return Bound(row, frozenset(given), values)


def _pattern(text: str) -> Read:
    """An argument as its row writes it."""
    node = parse_expression(Source(text))
    return node if isinstance(node, Read) else Read(0, text, ())


def _flag(node: Node, name: str, statement: Statement) -> bool:
    if not isinstance(node, Name) or node.name not in FLAGS:
        raise statement.error(f"option {shown(name)} is true or false", node.at)
    return FLAGS[node.name]


def _is(node: Node, text: str) -> bool:
    """Whether an option is set to its default."""
    default = parse_expression(Source(text))
    return isinstance(node, Number) and isinstance(default, Number) and node.value == default.value


def _check_axes(
    call: Call,
    statement: Statement,
    patterns: list[Read],
    values: Mapping[str, Value],
    form: str,
) -> None:
    """All arguments have the same number of leading axes."""
    first: tuple[int, Read] | None = None
    for pattern in patterns:
        value = values[pattern.name]
        if value.scalar is not None:
            continue
        own = len(pattern.subscripts) - 1
        lead = len(value.letters) - own
        axes = f"{len(value.letters)} {'axis' if len(value.letters) == 1 else 'axes'}"
        if lead < 0:
            raise statement.error(
                f"{call.name}: {pattern.name} has {axes} here, too few; it is {form}", call.at
            )
        if first is None:
            first = (lead, pattern)
        if lead != first[0]:
            other = first[1]
            count = len(values[other.name].letters)
            raise statement.error(
                f"{call.name}: {other.name} has {count} {'axis' if count == 1 else 'axes'} here "
                f"and {pattern.name} has {axes}, which do not fit {form}; a place of the last "
                "axis is read as in q[b,0]",
                call.at,
            )


def leading(bound: Bound) -> tuple[str, ...]:
    """The letters of the leading axes: those of the first tensor among the arguments."""
    for text in bound.row.arguments:
        pattern = _pattern(text)
        value = bound.values[pattern.name]
        if value.scalar is None:
            return value.letters[: len(value.letters) - len(pattern.subscripts) + 1]
    return ()


def expand_call(
    bound: Bound,
    call: Call,
    statement: Statement,
    left: Read,
    name: Callable[[str], str],
    bare: frozenset[str],
) -> Iterator[Statement]:
    """The row's equations; `value`, its last, is written to `left`."""
    lead = leading(bound)
    found = list(written(bound.row.equations(bound.given), call.at, statement.source))
    used = set().union(*(letters_of(s) for s in found)) - {BATCH}
    letters: dict[str, tuple[str, ...]] = {BATCH: lead}
    for letter in sorted(used):
        if letter in {*lead, *bare}:
            others = {*lead, *bare, *used, *(new for new, *_ in letters.values() if new)}
            letters[letter] = (free_letter("u", others),)
    tensors = {n: v.tensor for n, v in bound.values.items() if v.scalar is None}
    values = {n: v.scalar for n, v in bound.values.items() if v.scalar is not None}
    for one in found:
        own = one.left.name
        if own not in tensors and own != "value":
            tensors[own] = name(own)
    naming = Naming(letters, tensors, values)
    for one in found:
        renamed = naming.statement(one)
        if one.left.name == "value":
            renamed = replace(renamed, left=left, adds=statement.adds and left is statement.left)
        yield numbered(replace(renamed, origin=f"{bound.row.name}: {bound.row.formula}"))


def free_indices(node: Node, bare: frozenset[str]) -> tuple[str, ...]:
    """The indices in subscripts that no reduction binds, in order of appearance."""
    found: dict[str, None] = {}

    def walk(node: Node, bound: frozenset[str], inside: bool) -> None:
        if isinstance(node, Name) and inside and node.name not in bound | bare:
            found.setdefault(node.name)
        if isinstance(node, Reduce):
            bound |= {index.name for index in node.indices}
        for child in children(node):
            walk(child, bound, inside or isinstance(node, Read))

    walk(node, frozenset(), False)
    return tuple(found)
