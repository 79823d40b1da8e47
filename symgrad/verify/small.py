"""A spec at smaller literal sizes, and the module that is emitted for it.

A module whose sizes are literal runs at these alone, where many digits cost too much. So the spec
is written again with small literals and emitted anew: what is checked there in 60 digits stands for
the module under check only where both are the same code but for their numbers. That is looked at,
not assumed: where it does not hold, no literal is shrunk.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from symgrad.algebra.program import Program
from symgrad.errors import SymgradError
from symgrad.spec import Loss, Spec, parse_spec
from symgrad.verify.literals import Extent, Node, axis_of, derived, extents_of, shrunk

Emit = Callable[[Spec], str]
"""The text of a spec's module."""

Chosen = Sequence[tuple[Extent, int]]
STATED = {"SPEC", "SPEC_HASH", "OPERATIONS", "LAYERS", "load_state_dict"}
"""What says of the code what it is, or reads weights by the names that a SPEC does not keep."""

ATTEMPTS = 100
STARTS = (4, 8)
NUMBER = re.compile(r"(?<![A-Za-z_0-9.])\d+")


@dataclass(frozen=True)
class Small:
    """A spec with smaller literals, its module's text, and which became which: `64 -> 5`."""

    spec: Spec
    text: str
    said: str


def small_literals(spec: Spec, text: str, emit: Emit) -> Small | None:
    """Smaller literals at which `text` is the code emitted, if there are any.

    text: the module under check. One that is not what `emit` makes of its spec was made by other
    hands, and what another module does says nothing about it.
    """
    programs = (spec.shared, *(loss.program for loss in spec.losses))
    extents = extents_of(programs)
    if not extents or not emitted_as(emit(spec), text):
        return None
    for chosen in choices(programs, extents):
        try:
            resized = _resized(spec, programs, chosen)
            emitted = emit(resized)
        except SymgradError:  # such as a range that these sizes make empty
            continue
        if same_code(emitted, text):
            return Small(resized, emitted, _said(chosen))
    return None


def emitted_as(made: str, text: str) -> bool:
    """Whether a text is the code that was emitted; one that cannot be read is not."""
    try:
        return made == text or _code(made) == _code(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def choices(programs: Sequence[Program], extents: Sequence[Extent]) -> Iterator[Chosen]:
    """Smaller sizes, to be tried in turn, where one of them is smaller at all."""
    for chosen in _candidates(programs, extents):
        if any(size < extent.value for extent, size in chosen):
            yield chosen


def _candidates(programs: Sequence[Program], extents: Sequence[Extent]) -> Iterator[Chosen]:
    """Those of what forms read too; those of plain reads alone."""
    read = {node for e in extents for form in e.forms for node, _, _ in form.terms}
    plain = [e for e in extents if not e.forms and read.isdisjoint(e.nodes)]
    if len(plain) < len(extents):
        yield from (_windowed(extents, start) for start in STARTS)
    shrinking = {node for e in plain for node in e.nodes}
    axes = [(axis_of(t, k), n) for p in programs for t in p.tensors for k, n in enumerate(t.shape)]
    staying = {size.constant for node, size in axes if node not in shrinking}
    if alone := [e for e in plain if e.value not in staying]:
        yield _ranked(alone, programs)


def _ranked(extents: Sequence[Extent], programs: Sequence[Program]) -> Chosen:
    """The least sizes that stand in the order of the literals, above the small ones that stay.

    The planner reuses a buffer where sizes are equal, and orders a product by which is larger: so
    equal literals stay equal, and the greater stays the greater.
    """
    values = sorted({extent.value for extent in extents})
    every = [s.constant for p in programs for t in p.tensors for s in t.shape]
    below = [n for n in every if n is not None and n < values[0]]
    start = 1 + max(below, default=1)
    least = {value: start + k for k, value in enumerate(values)}
    return [(e, min(e.value, max(e.least, least[e.value]))) for e in extents]


def _windowed(extents: Sequence[Extent], start: int) -> Chosen:
    """Small sizes, where windows are read: their points are a product of many.

    start: of what is in no window. The planner runs along the longest index of a form, and windows
    that overlap are copied: so the counts in a form stay in their order, and what overlaps does.
    """
    free = [e for e in extents if not e.forms]
    windows = {e.value for e in free if e.inside}
    ranks = sorted({e.value for e in free} - windows)
    small = {**dict.fromkeys(windows, 2), **{value: start + k for k, value in enumerate(ranks)}}
    extent_of = {node: extent for extent in extents for node in extent.nodes}
    for _ in range(ATTEMPTS):
        sizes = derived(extents, {e: max(e.least, small[e.value]) for e in free})
        if sizes is None:
            return []
        other = {e.value: size for e, size in sizes.items() if e.forms and e.value in small}
        if any(small[value] != size for value, size in other.items()):
            small |= other  # equal literals stay equal
            continue
        low = _too_small(extents, extent_of, sizes)
        if low is None:
            return [(e, min(e.value, size)) for e, size in sizes.items()]
        small[max(e.value for e in _behind(low, extent_of))] += 1
    return []


def _too_small(
    extents: Sequence[Extent], extent_of: Mapping[Node, Extent], sizes: Mapping[Extent, int]
) -> Extent | None:
    """An extent that counted more than another one of its form, or more than its step, and no
    longer does.
    """
    for form in dict.fromkeys(form for extent in extents for form in extent.forms):
        for node, step, count in form.terms:
            extent = extent_of.get(node)
            if extent is None:
                continue
            for other, stride, beside in form.terms:
                there = extent_of.get(other)
                size = beside if there is None else sizes[there]
                shorter = count > beside and sizes[extent] <= size
                apart = step * count > stride and step * sizes[extent] <= stride
                if shorter or (apart and other != node):
                    return extent
    return None


def _behind(extent: Extent, extent_of: Mapping[Node, Extent]) -> list[Extent]:
    """What an extent follows from; itself, if from nothing."""
    nodes = [node for form in extent.forms for node, _, _ in form.terms if node in extent_of]
    return [e for n in nodes for e in _behind(extent_of[n], extent_of)] if nodes else [extent]


def _resized(spec: Spec, programs: Sequence[Program], chosen: Chosen) -> Spec:
    """The spec with other literals, read back from its text: so it is validated as any spec is."""
    shared, *own = shrunk(programs, chosen)
    losses: tuple[Loss, ...] = tuple(
        replace(loss, program=program) for loss, program in zip(spec.losses, own, strict=True)
    )
    return parse_spec(replace(spec, shared=shared, losses=losses).canonical(), spec.name)


def same_code(a: str, b: str) -> bool:
    """Whether two modules are one but for their numbers, docstrings, and what they say of both."""
    return _skeleton(a) == _skeleton(b)


def _skeleton(text: str) -> str:
    return NUMBER.sub("#", _code(text))


def _code(text: str) -> str:
    """All that runs in a check: without docstrings, what is STATED, and helpers of that alone."""
    kept = [s for s in ast.parse(text).body if STATED.isdisjoint(_defined(s))]
    while True:
        used = {n.id for s in kept for n in _inside(s) if isinstance(n, ast.Name)}
        live = [s for s in kept if not _is_helper(s) or used & _defined(s)]
        if len(live) == len(kept):
            break
        kept = live
    tree = ast.Module(kept, [])
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            node.body = _joined([s for s in node.body if not _is_text(s)])
    return ast.dump(tree)


def _joined(statements: Sequence[ast.stmt]) -> list[ast.stmt]:
    """self.a = self.b = x; self.c = self.a  ->  one assignment: how long lines are says nothing."""
    found: list[ast.stmt] = []
    owner: dict[str, ast.Assign] = {}
    for statement in statements:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Attribute):
            made = owner.get(ast.unparse(statement.value))
            if made is None:
                made = ast.Assign([], statement.value)
                found.append(made)
            made.targets += statement.targets
            owner |= {ast.unparse(target): made for target in statement.targets}
        else:
            found.append(statement)
    return found


def _inside(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of a statement; a function that calls itself is not used by that."""
    own = _defined(statement)
    for node in ast.walk(statement):
        if not (isinstance(node, ast.Name) and node.id in own):
            yield node


def _defined(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _is_helper(statement: ast.stmt) -> bool:
    """A function that only other code calls."""
    return isinstance(statement, ast.FunctionDef) and statement.name.startswith("_")


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _said(chosen: Chosen) -> str:
    """`64 -> 5, 120 -> 6`."""
    return ", ".join(dict.fromkeys(f"{e.value} -> {value}" for e, value in chosen))
