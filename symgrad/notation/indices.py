"""The indices of one equation: on the left, summed, bound, and their ranges by `for`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symgrad.algebra.sizes import ZERO, Size
from symgrad.errors import nearest
from symgrad.notation.lookup import axes, subscripted
from symgrad.notation.names import fault_of, shown
from symgrad.notation.sizes import names_in, size_of
from symgrad.notation.symbols import VALUE, Symbols
from symgrad.notation.syntax import For, Name, Node, Read, Reduce, Statement, children, nodes


def outer_indices(statement: Statement, symbols: Symbols) -> list[str]:
    """The left indices, then those that += sums: free in the body, or given only by `for`."""
    found: dict[str, None] = {}
    for subscript in statement.left.subscripts:
        for name in names_in(subscript):
            if not symbols.stands_bare(name.name):
                _check_index(name.name, name.at, statement, symbols)
                found.setdefault(name.name)
    for name in _free(statement.right, frozenset(), False):
        if symbols.stands_bare(name.name) or name.name in found:
            continue
        if not statement.adds:
            raise statement.error(_unbound(name.name, statement, symbols), name.at)
        _check_index(name.name, name.at, statement, symbols)
        found.setdefault(name.name)
    bound = {
        n.name for node in nodes(statement.right) if isinstance(node, Reduce) for n in node.indices
    }
    for given in statement.ranges:
        _check_index(given.index, given.hi.at if given.lo is None else given.at, statement, symbols)
        if given.index not in found and given.index not in bound:
            if not statement.adds:
                raise statement.error(
                    f"`for` gives a range to {shown(given.index)}, which the equation does not use",
                    given.at,
                )
            found.setdefault(given.index)
    return list(found)


def _unbound(name: str, statement: Statement, symbols: Symbols) -> str:
    """What makes an index out of a name that no side binds: one that is none of a tensor's."""
    if name in symbols.tensors:
        what = f"{shown(name)} is a tensor with {axes(symbols.tensors[name].rank)}"
        inside = [n.name for s in statement.left.subscripts for n in names_in(s)]
        reductions = [n for n in nodes(statement.right) if isinstance(n, Reduce)]
        inside += [index.name for reduction in reductions for index in reduction.indices]
        write = subscripted(name, symbols, inside, statement.source.text)
        return f"{what} and came without subscripts: {write}"
    known = [*symbols.sizes, *(t for t, s in symbols.tensors.items() if s.rank == 0)]
    near = nearest(name, known) if len(name) > 1 else None
    hint = f'; did you mean "{near}"?' if near else ""
    bind = f"mean({name}: ...) or sum({name}: ...)" if len(name) < 20 else "mean or sum"
    left = statement.left
    where = f"bind it with {bind}" + ("" if left.name == VALUE else ", or put it on the left")
    return f"index {shown(name)} is not bound: {where}{hint}"


def _free(node: Node, bound: frozenset[str], subscript: bool) -> Iterator[Name]:
    """The names in subscripts that no enclosing reduction binds."""
    if isinstance(node, Name):
        if subscript and node.name not in bound:
            yield node
        return
    if isinstance(node, Reduce):
        bound |= {b.name for b in node.indices}
    for child in children(node):
        yield from _free(child, bound, subscript or isinstance(node, Read))


def _check_index(name: str, at: int, statement: Statement, symbols: Symbols) -> None:
    fault = fault_of(name)
    if fault:
        raise statement.error(f"index {shown(name)} {fault}", at)
    if symbols.stands_bare(name):
        what = "a size" if name in symbols.sizes else "a tensor"
        raise statement.error(
            f"{shown(name)} is {what} and an index in one equation; rename one of them", at
        )


def binders(statement: Statement, symbols: Symbols, bound: Mapping[str, int]) -> Iterator[Name]:
    """Every index that a reduction binds; one that is already bound there is an error."""
    waiting: list[tuple[Node, frozenset[str]]] = [(statement.right, frozenset(bound))]
    while waiting:
        node, inside = waiting.pop()
        if isinstance(node, Reduce):
            for binder in node.indices:
                _check_index(binder.name, binder.at, statement, symbols)
                if binder.name in inside:
                    raise statement.error(
                        f"index {shown(binder.name)} is bound twice; give this one another letter",
                        binder.at,
                    )
                inside |= {binder.name}
                yield binder
        waiting.extend((child, inside) for child in reversed(children(node)))


def fixed_ranges(statement: Statement, symbols: Symbols) -> dict[str, tuple[Size, Size]]:
    found: dict[str, tuple[Size, Size]] = {}
    for given in statement.ranges:
        if given.index in found:
            raise statement.error(f"`for` gives {shown(given.index)} two ranges", given.at)
        found[given.index] = _range(given, statement, symbols)
    return found


def _range(given: For, statement: Statement, symbols: Symbols) -> tuple[Size, Size]:
    lo = ZERO if given.lo is None else size_of(given.lo, statement.source, symbols.sizes)
    hi = size_of(given.hi, statement.source, symbols.sizes)
    if not (hi - lo).is_nonnegative() and (lo - hi - 1).is_nonnegative():
        raise statement.error(
            f"the range {lo} <= {given.index} < {hi} is empty for all sizes", given.at
        )
    return lo, hi
