"""What holding something constant removes: full minus semi-gradient, contribution by contribution.

A contribution that the semi-gradient lacks is removed whole; one that is passed on is its slope
times the difference of the adjoints: (dX_full - dX)*slope.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from sympy import Expr, Symbol, preorder_traversal

from symgrad.algebra.access import Access
from symgrad.algebra.program import Equation, Slot, slot_symbol
from symgrad.algebra.scalars import Stop, absorb
from symgrad.explain.substitute import with_body
from symgrad.explain.through import open_sums, stripped
from symgrad.explain.two import Contribution, Two, slope_gap


def difference(c: Contribution, two: Two) -> Equation:
    """Full minus semi, as an equation that adds into the full gradient's adjoint."""
    if c.full is None:
        return _lost(c, two)
    if c.how == "passed on":
        return _passed(c.full, c.partial.equation.target, two)
    if c.semi is None or c.before is None:
        return c.full
    slots: list[Slot] = [s for e in (c.full, c.semi) for _, s in e.slots]
    above = c.partial.equation.target
    if above.tensor in two.differing:
        body = open_sums(c.full.body - stripped(c.semi.body))
    else:
        adjoint = above.of(two.semi.name_of[above.tensor])
        slots += [adjoint, *c.partial.slots, *c.before.slots]
        body = absorb(slot_symbol(adjoint), slope_gap(c.partial, c.before))
    return with_body(c.full, body, slots)


def _lost(c: Contribution, two: Two) -> Equation:
    if c.semi is None:
        raise ValueError(f"{c.partial.read}: a contribution to neither gradient")
    target = c.semi.target.of(two.full_of.get(c.partial.read.tensor, c.semi.target.tensor))
    body = -stripped(c.semi.body)
    slots = [s for _, s in c.semi.slots]
    return with_body(replace(c.semi, target=target), body, slots)


def _passed(full: Equation, above: Access, two: Two) -> Equation:
    """(dX_full - dX)*slope."""
    one, other = (above.of(names[above.tensor]) for names in (two.full_of, two.semi.name_of))
    gap = slot_symbol(one) - slot_symbol(other)
    body = full.body.xreplace({slot_symbol(one): gap})
    return with_body(full, body, [other, *(s for _, s in full.slots)])


def way(c: Contribution, two: Two) -> tuple[str, ...]:
    """A shortest way of tensors from what is read to the loss."""
    derived = two.semi if c.full is None else two.full
    after: dict[str, list[str]] = {}
    for p in derived.partials:
        after.setdefault(p.read.tensor, []).append(p.equation.target.tensor)
    start: tuple[str, ...] = (c.partial.read.tensor, c.partial.equation.target.tensor)
    waiting, seen = [start], {start[-1]}
    for path in waiting:
        if path[-1] not in after:
            return path
        for name in after[path[-1]]:
            if name not in seen:
                seen.add(name)
                waiting.append((*path, name))
    return start


def stops_on(path: tuple[str, ...], two: Two) -> Iterator[tuple[Equation, Expr]]:
    """The stops that the way leads through, each with its equation."""
    edges = set(pairwise(path))
    found: dict[tuple[int, Expr], tuple[Equation, Expr]] = {}
    for c in two.contributions:
        edge = (c.partial.read.tensor, c.partial.equation.target.tensor)
        source = two.source.get(id(c.partial.equation), c.partial.equation)
        if edge in edges and c.how in ("added", "other"):
            for node in stops_around(source, slot_symbol(c.partial.read)):
                found[id(source), node] = (source, node)
    yield from found.values()


def stops_around(equation: Equation, read: Symbol) -> Iterator[Expr]:
    """The outermost stops of an equation in which something is read."""
    nodes = preorder_traversal(equation.body)
    for node in nodes:
        if isinstance(node, Stop):
            nodes.skip()
            if read in node.free_symbols:
                yield node
