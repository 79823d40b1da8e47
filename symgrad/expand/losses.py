"""A named loss at one call: its arguments and options bound, its equations renamed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from symgrad.catalog.distributions import DISTRIBUTIONS, FORMULAS
from symgrad.catalog.formula import REDUCTION, NamedLoss, Option, reduction
from symgrad.errors import did_you_mean
from symgrad.expand.axes import free_letter
from symgrad.expand.scope import Scope, Whole
from symgrad.expand.trees import BATCH, Naming, letters_of, mapped, numbered, written
from symgrad.notation.lookup import axes
from symgrad.notation.names import shown
from symgrad.notation.parser import parse_expression
from symgrad.notation.syntax import Call, Name, Node, Number, Read, Source, Statement, Sum, nodes

FLAGS = {"true": True, "false": False}
UNSET = "none"
"""The default of an option that changes the formula when it is set."""

EACH = "each"
"""What a row defines, at every b."""

Value = Whole | Node
"""An argument or an option at a call: a whole tensor, or a scalar."""

Evaluate = Callable[[Node, str, bool], Value]
"""What an argument, called by this name in the row, is; and whether it is read as a subscript."""


@dataclass(frozen=True)
class Bound:
    """A call with everything bound: the options that are set, and what each name stands for.

    kinds: arguments and options that are tensors or numbers, as the row writes them.
    lead:  the letters of the leading axes, which all arguments share.
    picks: arguments that the row reads as subscripts, which are ints.
    """

    row: NamedLoss
    given: frozenset[str]
    values: Mapping[str, Value]
    kinds: tuple[Read, ...]
    lead: tuple[str, ...]
    picks: frozenset[str]

    @property
    def flat(self) -> frozenset[str]:
        """Shared tensors without the leading axes."""
        given = ((len(k.subscripts) - 1, self.values[k.name]) for k in self.kinds)
        return frozenset(
            value.tensor
            for own, value in given
            if isinstance(value, Whole) and self.lead and len(value.letters) == own > 0
        )

    @property
    def axes(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Each tensor that came, with letters for its axes: the row's, and b1, b2 before them."""
        for kind in self.kinds:
            value = self.values[kind.name]
            own = [n.name for n in kind.subscripts[1:] if isinstance(n, Name)]
            if isinstance(value, Whole):
                lead = () if value.tensor in self.flat else self.lead
                yield value.tensor, (*(f"{BATCH}{n + 1}" for n in range(len(lead))), *own)


def bind(call: Call, statement: Statement, value: Evaluate, whole: bool) -> Bound:
    """The call's arguments and options; whole: each[b] is wanted, and not one number."""
    row = FORMULAS[call.name]
    if len(call.arguments) != len(row.arguments):
        count = len(row.arguments)
        raise statement.error(
            f"{row.name} takes {count} argument{'s' * (count != 1)}, "
            f"and {len(call.arguments)} came; it is {row.form}",
            call.at,
        )
    options = row.options if whole or row.name in DISTRIBUTIONS else (*row.options, *REDUCTION)
    set_to = _options(call, statement, row, options)
    picks = frozenset(_picks(row.written(frozenset(set_to))))
    kinds = [pattern(text) for text in row.arguments]
    pairs = zip((k.name for k in kinds), call.arguments, strict=True)
    values = {name: value(node, name, name in picks) for name, node in pairs}
    for option in options:
        kind = pattern(option.name)
        if kind.name in set_to and option.default not in FLAGS:
            values[kind.name] = value(set_to[kind.name], kind.name, False)
            kinds.append(kind)
        elif option.default not in (*FLAGS, UNSET):
            values[kind.name] = parse_expression(Source(option.default))
    lead = _lead(call, statement, kinds, values)
    return Bound(row, frozenset(set_to), values, tuple(kinds), lead, picks)


def _picks(text: str) -> Iterator[str]:
    """What is read inside of subscripts."""
    for statement in written(text, 0, Source(text)):
        for read in nodes(statement.right):
            if isinstance(read, Read):
                yield from (s.name for s in read.subscripts if isinstance(s, Read))


def pattern(text: str) -> Read:
    """An argument as its row writes it: logits[b,a]."""
    node = parse_expression(Source(text))
    return node if isinstance(node, Read) else Read(0, text, ())


def _options(
    call: Call, statement: Statement, row: NamedLoss, options: Sequence[Option]
) -> dict[str, Node]:
    """The options that a call sets to something else than their default."""
    known = {pattern(option.name).name: option for option in options}
    seen: dict[str, Node] = {}
    for name, node in call.options:
        if name not in known:
            near = did_you_mean(name, known) if known else "; it has none"
            raise statement.error(f"{row.name} has no option {shown(name)}{near}", node.at)
        if name in seen:
            raise statement.error(f"{row.name}: option {shown(name)} is given twice", node.at)
        seen[name] = node
        fault = _fault(node, known[name])
        if fault:
            raise statement.error(f"{row.name}: option {shown(name)} {fault}", node.at)
    found = {name: node for name, node in seen.items() if not _is(node, known[name].default)}
    apart = [name for name in row.apart if name in found]
    if len(apart) > 1:
        both = " and ".join(apart)
        raise statement.error(f"{row.name}: choose one of the options {both}", call.at)
    return found


def _fault(node: Node, option: Option) -> str:
    """Why an option cannot have this value, as far as its text tells."""
    word = node.name if isinstance(node, Name) else ""
    if option.default in FLAGS:
        return "" if word in FLAGS else "is true or false"
    if word in (*FLAGS, UNSET) and word != option.default:
        return f"is a number, and {word} came"
    number = _number(node)
    if option.positive and number is not None and number <= 0:
        return f"is a number above 0, and {number:g} came"
    return ""


def _number(node: Node) -> float | None:
    """What a literal says, with its sign."""
    if isinstance(node, Sum) and len(node.terms) == 1:
        sign, inner = node.terms[0][0], _number(node.terms[0][1])
        return None if inner is None else sign * inner
    return float(node.value) if isinstance(node, Number) else None


def _is(node: Node, text: str) -> bool:
    """Whether an option is set to its default."""
    default = parse_expression(Source(text))
    if isinstance(node, Name) and isinstance(default, Name):
        return node.name == default.name
    return isinstance(node, Number) and isinstance(default, Number) and node.value == default.value


def _lead(
    call: Call, statement: Statement, kinds: Sequence[Read], values: Mapping[str, Value]
) -> tuple[str, ...]:
    """The leading axes: as many in each argument that is no scalar; the letters of the first."""
    row = FORMULAS[call.name]
    form = row.form
    first: tuple[Whole, Read, int] | None = None
    for kind in kinds:
        value, own = values[kind.name], max(0, len(kind.subscripts) - 1)
        if not isinstance(value, Whole):
            if own:
                what = f"{kind.name} is a number here, and needs an axis of its own"
                raise statement.error(f"{what}: it is {form}", call.at)
            continue
        lead = len(value.letters) - own
        if lead == 0 and own and kind.name in row.shared:
            continue
        if not kind.subscripts or lead < 0:
            what = f"{kind.name} is {value.tensor}, with {axes(len(value.letters))}, too "
            what += "many" if not kind.subscripts else "few"
            raise statement.error(f"{what}; it is {form}", call.at)
        if first is None:
            first = (value, kind, lead)
        elif lead != first[2]:
            raise statement.error(
                f"{form}: {first[1].name} is {first[0].tensor}, with "
                f"{axes(len(first[0].letters))}, and {kind.name} is {value.tensor}, with "
                f"{axes(len(value.letters))}; a place of the last axis is read as in v[b,0]",
                call.at,
            )
    return first[0].letters[: first[2]] if first else ()


def expand_call(
    bound: Bound,
    call: Call,
    statement: Statement,
    left: Read | None,
    scope: Scope,
    bare: frozenset[str],
) -> tuple[Whole, list[Statement]]:
    """The row's equations, the loss written to `left`; without one, `each` is a tensor."""
    source = replace(statement.source, within=bound.row.form)
    found = list(written(bound.row.written(bound.given), call.at, source))
    if left is not None:
        found = list(_reduced(found, bound.given, call.at, source, _is_returned(scope)))
    naming = _naming(bound, found, scope, bare, whole=left is None)
    given = [o for o in (*bound.row.options, *REDUCTION) if pattern(o.name).name in bound.given]
    means = [option.means for option in given if option.means]
    origin = f"{bound.row.name}: {', '.join((bound.row.formula, *means))}"
    done = []
    for one in found:
        renamed = replace(naming.statement(one), origin=origin)
        if one.left.name == "value" and left is not None:
            adds = one.adds or (statement.adds and left is statement.left)
            renamed = replace(renamed, left=left, adds=adds)
        done.append(numbered(renamed))
    return Whole(naming.tensors.get(EACH, ""), bound.lead), done


def _is_returned(scope: Scope) -> bool:
    """Whether aux names the losses before their mean: each, each_2 ..."""
    return any(re.fullmatch(rf"{EACH}(_\d+)?", name) for name in scope.aux)


def _reduced(
    found: Sequence[Statement], given: frozenset[str], at: int, source: Source, apart: bool
) -> Iterator[Statement]:
    """The row's equations, with `value` in the place of `each`, or after it where it is apart."""
    *before, value = written(reduction(given), at, source)
    yield from before
    if apart:
        yield from (*found, value)
        return
    for one in found:
        if one.left.name != EACH:
            yield one
            continue
        yield replace(value, right=_instead(value.right, one.right), adds=one.adds)


def _instead(reduced: Node, each: Node) -> Node:
    """The reduction, of this."""

    def one(node: Node) -> Node:
        return each if isinstance(node, Read) and node.name == EACH else node

    return mapped(reduced, one)


def _naming(
    bound: Bound, found: Sequence[Statement], scope: Scope, bare: frozenset[str], whole: bool
) -> Naming:
    """What the names of the row's text become: no index is taken for another or for a tensor."""
    used = set().union(*(letters_of(s) for s in found)) - {BATCH}
    letters: dict[str, tuple[str, ...]] = {BATCH: bound.lead}
    taken = {*bound.lead, *bare, *used}
    for letter in sorted(used & {*bound.lead, *bare}):
        letters[letter] = (free_letter("u", taken),)
        taken.add(letters[letter][0])
    tensors = {n: v.tensor for n, v in bound.values.items() if isinstance(v, Whole)}
    values = {n: v for n, v in bound.values.items() if not isinstance(v, Whole)}
    for name in dict.fromkeys(s.left.name for s in found):
        if name != "value":
            tensors[name] = scope.name(bound.row.name if name == EACH and whole else name)
    single = {tensors[name] for name in _single(bound, found) if name in tensors}
    return Naming(letters, tensors, values, bound.flat | single)


def _single(bound: Bound, found: Sequence[Statement]) -> set[str]:
    """What the row defines of which there is one for all of the batch: nothing in it has a lead."""
    led = {
        name
        for name, value in bound.values.items()
        if isinstance(value, Whole) and value.tensor not in bound.flat
    }
    for one in found:
        if any(isinstance(node, Read) and node.name in led for node in nodes(one.right)):
            led.add(one.left.name)
    return {one.left.name for one in found} - led if bound.lead else set()
