"""Which tensors must be known before which, and which of them read each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Expr, Symbol

from symgrad.algebra.access import Access
from symgrad.algebra.program import Equation, Program
from symgrad.algebra.scalars import Stop

Node = tuple[int, int]
"""(equation number, node number): the k-th stop or selection of an equation."""


def stops_in(body: Expr) -> tuple[Stop, ...]:
    """The distinct Stop nodes of a body in preorder; their places here are their node numbers."""
    found: dict[Stop, None] = {}
    pending = [body]
    while pending:
        node = pending.pop()
        if isinstance(node, Stop):
            found.setdefault(node)
        pending.extend(reversed(node.args))
    return tuple(found)


def live_symbols(body: Expr, frozen: Collection[Expr]) -> frozenset[Symbol]:
    """The symbols of a body that are read when the nodes in `frozen` are already known."""
    found: set[Symbol] = set()
    pending = [body]
    while pending:
        node = pending.pop()
        if node in frozen:
            continue
        if isinstance(node, Symbol):
            found.add(node)
        pending.extend(node.args)
    return frozenset(found)


def live_accesses(equation: Equation, number: int, frozen: Collection[Node]) -> tuple[Access, ...]:
    """What an equation reads, those of frozen stops left out."""
    held = [stop for k, stop in enumerate(stops_in(equation.body)) if (number, k) in frozen]
    symbols = live_symbols(equation.body, held)
    return tuple(s for symbol, s in equation.slots if symbol in symbols and isinstance(s, Access))


def live_reads(equation: Equation, number: int, frozen: Collection[Node]) -> tuple[str, ...]:
    """The tensors that an equation reads, those of frozen stops left out."""
    accesses = live_accesses(equation, number, frozen)
    gathers = [g for a in (*accesses, equation.target) for g in a.gathers()]
    return tuple(dict.fromkeys(a.tensor for a in (*accesses, *gathers)))


@dataclass(frozen=True)
class Reads:
    """The tensors that are read: by each equation, and by all equations of each tensor."""

    by_equation: tuple[tuple[str, ...], ...]
    by_tensor: Mapping[str, tuple[str, ...]]


def reads_of(program: Program, frozen: Collection[Node] = ()) -> Reads:
    """What is read when the stops in `frozen` are already known."""
    every = tuple(live_reads(e, number, frozen) for number, e in enumerate(program.equations))
    found: dict[str, tuple[str, ...]] = {}
    for equation, names in zip(program.equations, every, strict=True):
        found[equation.target.tensor] = (*found.get(equation.target.tensor, ()), *names)
    return Reads(every, found)


def groups(roots: Iterable[str], reads: Mapping[str, tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The tensors that the roots need, each after what it reads; a cycle together.

    Strongly connected components after Tarjan (1972), with a stack of its own.
    """
    found: list[tuple[str, ...]] = []
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    open_: list[str] = []
    path: list[tuple[str, Iterator[str]]] = []

    def enter(name: str) -> None:
        number[name] = low[name] = len(number)
        open_.append(name)
        path.append((name, iter(reads.get(name, ()))))

    for root in roots:
        if root not in number:
            enter(root)
        while path:
            name, rest = path[-1]
            following = next(rest, None)
            if following is None:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[name])
                if low[name] == number[name]:
                    start = open_.index(name)
                    found.append(tuple(open_[start:]))
                    del open_[start:]
            elif following not in number:
                enter(following)
            elif following in open_:
                low[name] = min(low[name], number[following])
    return found


def behind(program: Program, outputs: Sequence[str]) -> Program:
    """The equations that some outputs need, and every input."""
    order = groups(outputs, reads_of(program).by_tensor)
    needed = {name for group in order for name in group}
    return replace(
        program,
        tensors=tuple(t for t in program.tensors if t.name in needed or t.role != "computed"),
        equations=tuple(e for e in program.equations if e.target.tensor in needed),
        outputs=tuple(outputs),
    )


def downstream(names: Iterable[str], reads: Reads) -> frozenset[str]:
    """The tensors whose values may change when `names` do, and they."""
    readers: dict[str, set[str]] = {}
    for target, sources in reads.by_tensor.items():
        for source in sources:
            readers.setdefault(source, set()).add(target)
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(readers.get(name, ()))
    return frozenset(found)
