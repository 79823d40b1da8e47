"""What the names of one equation mean: its reads, and where its ranges can come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symgrad.algebra.access import Access, Affine, Subscript
from symgrad.algebra.sizes import Size
from symgrad.notation.indices import binders, fixed_ranges, outer_indices
from symgrad.notation.lookup import axes, bare_tensor, check_names, signature
from symgrad.notation.names import shown
from symgrad.notation.sizes import affine_of
from symgrad.notation.symbols import CONSTANTS, Env, Signature, Symbols
from symgrad.notation.syntax import Name, Node, Read, Reduce, Statement, children, nodes


@dataclass(frozen=True)
class Use:
    """A plain subscript: the range of `key` comes from this axis of the tensor."""

    key: str
    tensor: str
    axis: int
    padded: bool
    writes: bool
    at: int


@dataclass(frozen=True)
class Scanned:
    """A statement whose names are known.

    outer:  the indices of the left side, then, with +=, those that are summed without being bound.
    keys:   every range's key and its letter, in order.
    fixed:  the ranges that `for` gives, by letter.
    access: the access of each read, by its offset.
    reads:  where each tensor is first read.
    """

    statement: Statement
    target: Access
    outer: tuple[str, ...]
    keys: Mapping[str, str]
    fixed: Mapping[str, tuple[Size, Size]]
    uses: tuple[Use, ...]
    access: Mapping[int, Access]
    reads: Mapping[str, int]

    @property
    def env(self) -> dict[str, str]:
        return {letter: letter for letter in self.outer}


def key_of(binder: Name, keys: Mapping[str, str]) -> str:
    """A range's key: the letter for its first binder; later siblings add their offset."""
    later = f"{binder.name}~{binder.at}"
    return later if later in keys else binder.name


def scan(statement: Statement, symbols: Symbols) -> Scanned:
    """The names of a statement, checked and resolved."""
    check_names(statement, symbols)
    outer = outer_indices(statement, symbols)
    keys = {letter: letter for letter in outer}
    for binder in binders(statement, symbols, dict.fromkeys(outer, 0)):
        keys[binder.name if binder.name not in keys else f"{binder.name}~{binder.at}"] = binder.name
    walker = _Walker(statement, symbols, keys)
    env = {letter: letter for letter in outer}
    target = walker.read(statement.left, env, writes=True)
    walker.walk(statement.right, env)
    fixed = fixed_ranges(statement, symbols)
    return Scanned(
        statement,
        target,
        tuple(outer),
        keys,
        fixed,
        tuple(walker.uses),
        walker.access,
        walker.reads,
    )


class _Walker:
    """Collects the reads of one statement."""

    def __init__(self, statement: Statement, symbols: Symbols, keys: Mapping[str, str]) -> None:
        self.statement, self.symbols, self.keys = statement, symbols, keys
        self.uses: list[Use] = []
        self.access: dict[int, Access] = {}
        self.reads: dict[str, int] = {}

    def walk(self, node: Node, env: Env) -> None:
        if isinstance(node, Read):
            self.read(node, env)
        elif isinstance(node, Name):
            self.name(node, env)
        else:
            if isinstance(node, Reduce):
                env = {**env, **{b.name: key_of(b, self.keys) for b in node.indices}}
            for child in children(node):
                self.walk(child, env)

    def name(self, node: Name, env: Env) -> None:
        """A bare name: an index, a size, a tensor of rank 0 or a constant."""
        symbols, name = self.symbols, node.name
        if name in env or name in symbols.sizes or name in CONSTANTS:
            return
        bare_tensor(node, self.statement, symbols, env)
        self.reads.setdefault(name, node.at)

    def read(self, node: Read, env: Env, writes: bool = False) -> Access:
        found = signature(node, self.statement, self.symbols)
        if found.rank != len(node.subscripts):
            raise self.statement.error(_wrong_rank(node, found.rank), node.at)
        if not writes:
            self.reads.setdefault(node.name, node.at)
        subscripts = tuple(self.subscript(s, env) for s in node.subscripts)
        access = Access(node.name, subscripts, node.padded)
        for axis, subscript in enumerate(subscripts):
            index = subscript.plain if isinstance(subscript, Affine) else None
            if index is not None:
                at = node.subscripts[axis].at
                self.uses.append(Use(env[index], node.name, axis, node.padded, writes, at))
        self.access[node.at] = access
        return access

    def subscript(self, node: Node, env: Env) -> Subscript:
        tensors = self.symbols.tensors
        if (
            isinstance(node, Name)
            and node.name not in env
            and node.name in tensors
            and node.name not in self.symbols.sizes
        ):
            node = Read(node.at, node.name, ())
        if isinstance(node, Read):
            found = signature(node, self.statement, self.symbols)
            if node.padded or found.kind != "int" or not found.bounded:
                raise self.statement.error(_no_subscript(node, found), node.at)
            return self.read(node, env)
        inner = next((n for n in nodes(node) if isinstance(n, Read | Reduce)), None)
        if inner is not None:
            raise self.statement.error(
                "a subscript is an affine form of indices or one integer tensor alone; "
                "give the rest a name, as best[b] = argmax(v: q[b,v])",
                inner.at,
            )
        return affine_of(node, self.statement.source, self.symbols.sizes, frozenset(env))


def _no_subscript(node: Read, found: Signature) -> str:
    name = shown(node.name)
    if node.padded:
        return "pad(...) cannot stand in a subscript"
    if found.kind == "int":
        return f'{name} is a subscript, so it needs an upper bound: declare it as "int[...] < N"'
    if found.kind == "bool":
        return f'{name} is bool and cannot be a subscript; declare it as "int[...] < 2"'
    if not node.subscripts:
        return f"{name} is a tensor and cannot be an index here too; rename one of them"
    return f'{name} is real and cannot be a subscript; if it counts, declare it as "int[...] < N"'


def _wrong_rank(node: Read, rank: int) -> str:
    came = len(node.subscripts)
    message = f"{shown(node.name)} has {axes(rank)}, and {came} subscript{'s' * (came != 1)} came"
    names = [s.name for s in node.subscripts if isinstance(s, Name)]
    if came > rank or len(names) < came:
        return message
    return f"{message}: write {node.name}[{','.join([*names, *'ijklmn'][:rank])}], or a number"
