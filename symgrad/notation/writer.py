"""Equations of a program from one statement; a reduction inside an expression gets its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import sympy
from sympy import Expr, Integer

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation, Op, Range, Tensor, make_equation
from symgrad.algebra.sizes import Size
from symgrad.notation.bodies import Body
from symgrad.notation.scope import Scanned, key_of
from symgrad.notation.sizes import names_in
from symgrad.notation.symbols import Env, Symbols
from symgrad.notation.syntax import Name, Node, Read, Reduce
from symgrad.notation.terms import LINEAR, Term, split

SUFFIX = {
    "sum": "sum",
    "mean": "mean",
    "logsumexp": "lse",
    "max": "max",
    "min": "min",
    "argmax": "argmax",
    "argmin": "argmin",
}
"""What a hoisted reduction's name ends in, after the target's."""


@dataclass
class Writer:
    """Collects what one statement becomes; `fresh` gives names that nobody has.

    counts: the sizes that a mean divides by, or that an argmax runs over, and where: at least 1.
    """

    scanned: Scanned
    symbols: Symbols
    ranges: Mapping[str, tuple[Size, Size]]
    fresh: Callable[[str], str]
    equations: list[Equation] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
    counts: list[tuple[Size, int]] = field(default_factory=list)

    def write(self) -> None:
        """The statement's own equations, after those that it needs."""
        statement = self.scanned.statement
        self.define(self.scanned.target, statement.right, self.scanned.env, not statement.adds)

    def define(self, target: Access, node: Node, env: Env, assigns: bool) -> None:
        """target = node, or target += node."""
        if isinstance(node, Reduce) and node.op not in LINEAR and assigns:
            self.reduction(target, node, env)
            return
        terms = split(node, self.symbols.sizes, target.indices)
        for term in terms:
            self.term(target, term, env, assigns and not any(t.binders for t in terms))

    def term(self, target: Access, term: Term, env: Env, assigns: bool) -> None:
        inner = self.inside(env, term.binders)
        body = self.body()
        factors: list[Expr] = [Integer(term.sign)]
        for power, factor in term.factors:
            value = body.number(factor, env)
            factors.append(value if power > 0 else body.power(value, Integer(-1), factor))
        for index in term.means:
            count = self.range(inner, index.name).count
            self.counts.append((count, index.at))
            factors.append(body.power(body.size(count), Integer(-1), index))
        value = body.number(term.body, inner)
        whole = body.checked(
            sympy.Mul(*factors, value) if term.binders or term.factors else value, term.body
        )
        self.emit(target, whole, body, inner, "sum", assigns)

    def reduction(self, target: Access, node: Reduce, env: Env) -> None:
        """target = logsumexp, argmax or max over indices that the target does not carry."""
        statement = self.scanned.statement
        loose = [letter for letter in env if letter not in target.indices]
        if loose:
            raise statement.error(
                f"index {loose[0]!r} does not stand on the left of this {node.op}", node.at
            )
        if node.op in ("max", "min"):
            body = self.body()
            value = body.slot(self.extremum(node, env))
            self.emit(target, value, body, env, "sum", True)
            return
        if node.op != "logsumexp" and len(node.indices) != 1:
            raise statement.error(
                f"{node.op} runs over exactly one index, and {len(node.indices)} came", node.at
            )
        inner = self.inside(env, node.indices)
        if node.op != "logsumexp":
            self.counts.append((self.range(inner, node.indices[0].name).count, node.at))
        body = self.body()
        value = body.whole(node.body, inner)
        op: Op = "logsumexp" if node.op == "logsumexp" else "argmax"
        self.emit(target, -value if node.op == "argmin" else value, body, inner, op, True)

    def emit(
        self, target: Access, value: Expr, body: Body, env: Env, op: Op, assigns: bool
    ) -> None:
        """The box: the target's indices, then a sum's by name: so it reads back the same."""
        summed = [letter for letter in env if letter not in target.indices]
        order = [letter for letter in env if letter in target.indices] + (
            sorted(summed) if op == "sum" else summed
        )
        box = [self.range(env, letter) for letter in order]
        origin = self.scanned.statement.origin
        self.equations.append(
            make_equation(target, value, body.slots, box, op, assigns=assigns, origin=origin)
        )

    def hoist(self, node: Reduce, env: Env) -> Access:
        """The value of a reduction inside an expression, as the read of a tensor of its own."""
        if node.op in ("max", "min"):
            return self.extremum(node, env)
        read = self.new(SUFFIX[node.op], node, env)
        arg = node.op.startswith("arg")
        if arg:
            below = self.range(self.inside(env, node.indices), node.indices[0].name).hi
            self.tensors[-1] = replace(self.tensors[-1], kind="int", below=below)
        self.define(read, node, self.within(env, read), True)
        return read

    def extremum(self, node: Reduce, env: Env) -> Access:
        """max(v: q[b,v]) is q[b,best[b]] with best[b] = argmax(v: q[b,v])."""
        if len(node.indices) != 1:
            raise self.scanned.statement.error(
                f"{node.op} runs over exactly one index, and {len(node.indices)} came", node.at
            )
        index = node.indices[0].name
        inner = self.inside(env, node.indices)
        source = self.row(node, index, inner)
        axis = source.subscripts.index(Affine.index(index))
        best = self.new(f"arg{node.op}", node, env)
        hi = self.range(inner, index).hi
        self.tensors[-1] = replace(self.tensors[-1], kind="int", below=hi)
        self.counts.append((self.range(inner, index).count, node.at))
        within = {**self.within(env, best), index: inner[index]}
        body = self.body()
        value = body.slot(source)
        self.emit(best, -value if node.op == "min" else value, body, within, "argmax", True)
        subscripts = (*source.subscripts[:axis], best, *source.subscripts[axis + 1 :])
        return Access(source.tensor, subscripts)

    def row(self, node: Reduce, index: str, inner: Env) -> Access:
        """What a max runs over: a read that has the index plainly, once; else a new tensor."""
        if isinstance(node.body, Read) and not node.body.padded:
            access = self.scanned.access[node.body.at]
            plain = [isinstance(s, Affine) and s.plain == index for s in access.subscripts]
            if plain.count(True) == 1 and sum(index in s.indices for s in access.subscripts) == 1:
                return access
        access = self.new(SUFFIX[node.op], node.body, inner, last=index)
        self.define(access, node.body, self.within(inner, access), True)
        return access

    def new(self, suffix: str, node: Node, env: Env, last: str | None = None) -> Access:
        """A new tensor over the indices in scope that `node` uses."""
        used = {n.name for n in names_in(node)}
        axes = tuple(letter for letter in env if letter in used and letter != last) + (
            (last,) if last else ()
        )
        name = self.fresh(f"{self.scanned.target.tensor}_{suffix}")
        self.tensors.append(Tensor(name, tuple(self.range(env, letter).hi for letter in axes)))
        return Access.plain(name, axes)

    def within(self, env: Env, access: Access) -> Env:
        """The indices that a new tensor carries."""
        return {letter: key for letter, key in env.items() if letter in access.indices}

    def inside(self, env: Env, binders: tuple[Name, ...]) -> Env:
        return {**env, **{b.name: key_of(b, self.scanned.keys) for b in binders}}

    def range(self, env: Env, letter: str) -> Range:
        return Range(letter, *self.ranges[env[letter]])

    def body(self) -> Body:
        return Body(self.scanned.statement, self.symbols, self.scanned.access, self.hoist)
