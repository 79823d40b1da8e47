"""A named loss at one call: its arguments and options bound, its equations renamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from symgrad.catalog.losses import LOSSES, NamedLoss
from symgrad.errors import did_you_mean
from symgrad.expand.axes import free_letter
from symgrad.expand.scope import Scope
from symgrad.expand.trees import Naming, letters_of, numbered, written
from symgrad.notation.lookup import axes
from symgrad.notation.names import shown
from symgrad.notation.parser import parse_expression
from symgrad.notation.syntax import Call, Name, Node, Number, Read, Source, Statement

FLAGS = {"true": True, "false": False}
UNSET = "none"
"""The default of an option that changes the formula when it is set."""

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
    """A call with everything bound: the options that are set, and what each name stands for.

    lead: the letters of the leading axes, which all arguments share.
    """

    row: NamedLoss
    given: frozenset[str]
    values: Mapping[str, Value]
    lead: tuple[str, ...]


def bind(call: Call, statement: Statement, value: Callable[[Node, str], Value]) -> Bound:
    """The call's arguments and options; `value` makes an argument a tensor or a scalar."""
    row = LOSSES[call.name]
    patterns = {p.name: p for p in map(pattern, row.arguments)}
    if len(call.arguments) != len(patterns):
        count = len(patterns)
        raise statement.error(
            f"{row.name} takes {count} argument{'s' * (count != 1)}, "
            f"and {len(call.arguments)} came; it is {form(row)}",
            call.at,
        )
    values = {n: value(a, n) for n, a in zip(patterns, call.arguments, strict=True)}
    options = {pattern(text).name: (pattern(text), default) for text, default in row.options}
    given: set[str] = set()
    for name, node in _options(call, statement, [*options]):
        kind, default = options[name]
        if default in FLAGS:
            given |= {name} if _flag(node, name, statement) else set()
        elif not _is(node, default):
            values[name] = value(node, name)
            given.add(name)
            patterns[name] = kind
    for name, (_, default) in options.items():
        if name not in values and default not in (*FLAGS, UNSET):
            values[name] = Value(name, (), parse_expression(Source(default)))
    apart = [name for name in row.apart if name in given]
    if len(apart) > 1:
        both = " and ".join(apart)
        raise statement.error(f"{row.name}: choose one of the options {both}", call.at)
    return Bound(row, frozenset(given), values, _lead(call, statement, patterns, values))


def form(row: NamedLoss) -> str:
    return f"{row.name}({', '.join(row.arguments)})"


def pattern(text: str) -> Read:
    """An argument as its row writes it: logits[b,a]."""
    node = parse_expression(Source(text))
    return node if isinstance(node, Read) else Read(0, text, ())


def _options(call: Call, statement: Statement, known: list[str]) -> Iterator[tuple[str, Node]]:
    """The options of a call, each once."""
    seen: set[str] = set()
    for name, node in call.options:
        if name not in known:
            near = did_you_mean(name, known) if known else "; it has none"
            raise statement.error(f"{call.name} has no option {shown(name)}{near}", node.at)
        if name in seen:
            raise statement.error(f"{call.name}: option {shown(name)} is given twice", node.at)
        seen.add(name)
        yield name, node


def _flag(node: Node, name: str, statement: Statement) -> bool:
    if not isinstance(node, Name) or node.name not in FLAGS:
        raise statement.error(f"option {shown(name)} is true or false", node.at)
    return FLAGS[node.name]


def _is(node: Node, text: str) -> bool:
    """Whether an option is set to its default."""
    default = parse_expression(Source(text))
    return isinstance(node, Number) and isinstance(default, Number) and node.value == default.value


def _lead(
    call: Call, statement: Statement, patterns: Mapping[str, Read], values: Mapping[str, Value]
) -> tuple[str, ...]:
    """The leading axes: as many in each argument that is no scalar; the letters of the first."""
    first: tuple[Value, Read, int] | None = None
    for kind in patterns.values():
        value, own = values[kind.name], max(0, len(kind.subscripts) - 1)
        if value.scalar is not None:
            if own:
                what = f"{kind.name} is a number here, and needs an axis of its own"
                raise statement.error(f"{what}: it is {form(LOSSES[call.name])}", call.at)
            continue
        lead = len(value.letters) - own
        if not kind.subscripts or lead < 0:
            what = f"{kind.name} is {value.tensor}, with {axes(len(value.letters))}, too "
            what += "many" if not kind.subscripts else "few"
            raise statement.error(f"{what}; it is {form(LOSSES[call.name])}", call.at)
        if first is None:
            first = (value, kind, lead)
        elif lead != first[2]:
            raise statement.error(
                f"{form(LOSSES[call.name])}: {first[1].name} is {first[0].tensor}, with "
                f"{axes(len(first[0].letters))}, and {kind.name} is {value.tensor}, with "
                f"{axes(len(value.letters))}; a place of the last axis is read as in v[b,0]",
                call.at,
            )
    return first[0].letters[: first[2]] if first else ()


def expand_call(
    bound: Bound, call: Call, statement: Statement, left: Read, scope: Scope, bare: frozenset[str]
) -> Iterator[Statement]:
    """The row's equations; `value`, its last, is written to `left`."""
    source = replace(statement.source, within=bound.row.name)
    found = list(written(bound.row.equations(bound.given), call.at, source))
    used = set().union(*(letters_of(s) for s in found)) - {BATCH}
    letters: dict[str, tuple[str, ...]] = {BATCH: bound.lead}
    taken = {*bound.lead, *bare, *used}
    for letter in sorted(used & {*bound.lead, *bare}):
        letters[letter] = (free_letter("u", taken),)
        taken.add(letters[letter][0])
    tensors = {n: v.tensor for n, v in bound.values.items() if v.scalar is None}
    values = {n: v.scalar for n, v in bound.values.items() if v.scalar is not None}
    for one in found:
        if one.left.name not in (*tensors, "value"):
            tensors[one.left.name] = scope.name(one.left.name)
    naming = Naming(letters, tensors, values)
    for one in found:
        renamed = replace(naming.statement(one), origin=bound.row.name)
        if one.left.name == "value":
            adds = statement.adds and left is statement.left
            options = f" with {', '.join(sorted(bound.given))}" if bound.given else ""
            origin = f"{bound.row.name}{options}: {bound.row.formula}"
            renamed = replace(renamed, left=left, adds=adds, origin=origin)
        yield numbered(renamed)
