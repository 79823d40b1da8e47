"""What an emitted function computes twice, found in its text alone.

Two calls of one function on the same expressions have the same result as long as no memory behind
them was written in between. Not looked at: what a selection masks, copies and fills, and an array
times a number, for which no array is made.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

MEMORY = ("ws", "grads", "params")
"""What arrays are attributes of."""
RESULTS = ("out", "scratch", "total")
OPERATORS = {
    ast.Add: "np.add",
    ast.Sub: "np.subtract",
    ast.Mult: "np.multiply",
    ast.Div: "np.divide",
}
EITHER_WAY = (
    "np.add",
    "np.multiply",
    "np.maximum",
    "np.minimum",
    "np.logical_and",
    "np.logical_or",
)
SCALING = ("np.multiply", "np.divide", "np.negative")
MOVES = ("np.copyto", "np.add.at", "np.subtract.at", "_fit")
VIEWS = ("_view",)


def recomputed(text: str, function: str) -> list[str]:
    """The calls whose result is already there, as they are written."""
    functions = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
    (node,) = (n for n in functions if n.name == function)
    reader = _Reader()
    for statement in node.body:
        reader.statement(statement)
    return reader.twice


@dataclass
class _Reader:
    """behind: the memory behind a name; written: how often a memory has been written."""

    behind: dict[str, str] = field(default_factory=dict)
    written: Counter[str] = field(default_factory=Counter)
    known: set[tuple[str, ...]] = field(default_factory=set)
    twice: list[str] = field(default_factory=list)

    def statement(self, statement: ast.stmt) -> None:
        if isinstance(statement, (ast.For, ast.If)):
            self.block(statement)
            return
        if isinstance(statement, ast.AugAssign):
            operands = [statement.target, statement.value]
            self.computes(OPERATORS[type(statement.op)], operands, statement)
        for call in _calls(statement):
            if all(k.arg != "where" for k in call.keywords):
                self.computes(ast.unparse(call.func), call.args, call)
        self.writes(statement)
        if isinstance(statement, ast.Assign):
            self.binds(statement.targets[0], statement.value)

    def block(self, block: ast.For | ast.If) -> None:
        """What runs many times, or not at all: around it, what it writes is not known."""
        before = set(self.known)
        self.writes(block)
        for statement in block.body:
            self.statement(statement)
        self.writes(block)
        if isinstance(block, ast.For):
            self.written[ast.unparse(block.target)] += 1
        self.known = before

    def computes(self, function: str, operands: Sequence[ast.expr], node: ast.AST) -> None:
        arrays = [a for a in operands if any(self.memory(a))]
        scales = function in SCALING and len(arrays) < 2
        if (
            not function.startswith(("np.", "_"))
            or function in (*MOVES, *VIEWS)
            or scales
            or not arrays
        ):
            return
        values = [self.value(a) for a in operands]
        keywords = node.keywords if isinstance(node, ast.Call) else []
        options = [ast.unparse(k) for k in keywords if k.arg not in RESULTS]
        key = (function, *(sorted(values) if function in EITHER_WAY else values), *options)
        if key in self.known:
            self.twice.append(ast.unparse(node))
        self.known.add(key)

    def value(self, node: ast.expr) -> str:
        """The expression, and how often what it reads has been written."""
        names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
        times = [self.written[m] for m in (*self.memory(node), *names)]
        return f"{ast.unparse(ast.parse(ast.unparse(node), mode='eval'))} {times}"

    def memory(self, node: ast.AST) -> Iterator[str]:
        """The memory behind each name of an expression."""
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and inner.id in self.behind:
                yield self.behind[inner.id]
            elif isinstance(inner, ast.Attribute) and ast.unparse(inner.value) in MEMORY:
                yield ast.unparse(inner)

    def writes(self, node: ast.AST) -> None:
        for inner in ast.walk(node):
            places: list[ast.AST] = []
            if isinstance(inner, ast.Call):
                places += [k.value for k in inner.keywords if k.arg in RESULTS]
                places += inner.args[:1] if ast.unparse(inner.func) in MOVES else []
                if isinstance(inner.func, ast.Attribute) and inner.func.attr == "fill":
                    places.append(inner.func.value)
            elif isinstance(inner, ast.AugAssign):
                places.append(inner.target)
            elif isinstance(inner, ast.Assign):
                places += [t for t in inner.targets if isinstance(t, ast.Subscript)]
            for place in places:
                self.written.update(list(self.memory(place))[:1])

    def binds(self, target: ast.expr, value: ast.expr) -> None:
        """A name for an array: of a memory's, for a call's result, or for a view of one."""
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for t, v in zip(target.elts, value.elts, strict=True):
                self.binds(t, v)
        elif isinstance(target, ast.Name):
            outs = [k.value for k in getattr(value, "keywords", []) if k.arg == "out"]
            found = list(self.memory(outs[0] if outs else value))
            if isinstance(value, ast.Call) and ast.unparse(value.func) == "_fit":
                self.behind[target.id] = target.id
            elif (
                found and not ast.unparse(value).startswith(("np.sum", "np.vdot", "float"))
            ) or outs:
                self.behind[target.id] = found[0]


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    """The calls of a statement; a conditional expression's sides are masked too."""
    if isinstance(node, ast.Call):
        yield node
    inner = [node.test] if isinstance(node, ast.IfExp) else ast.iter_child_nodes(node)
    for child in inner:
        yield from _calls(child)
