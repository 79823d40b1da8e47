"""An emitted function's syntax tree: its statements, what they write, and how to change them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SourceFault:
    """A function with one edit. what: the statement that was edited, and how."""

    operator: str
    what: str
    function: ast.FunctionDef


Edit = tuple[str, Callable[[], None]]
Bodies = list[list[ast.stmt]]


def function_of(text: str, name: str) -> ast.FunctionDef:
    return next(
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    )


def with_function(text: str, function: ast.FunctionDef) -> str:
    """The module's text with one function in place of the one of its name."""
    tree = ast.parse(text)
    names = [getattr(node, "name", "") for node in tree.body]
    tree.body[names.index(function.name)] = function
    return ast.unparse(tree)


def bodies_of(function: ast.FunctionDef) -> Bodies:
    """The statements that compute: what follows `grads = ...`, and the loops inside."""
    lines = [ast.unparse(statement) for statement in function.body]
    start = next(k for k, line in enumerate(lines) if line.startswith("grads = "))
    first = function.body[start + 1 : -1]
    function.body[start + 1 : -1] = [ast.If(ast.Constant(True), first, [])]
    loops = [s.body for s in first if isinstance(s, ast.For)]
    return [first, *loops]


def statements(bodies: Bodies) -> Iterator[tuple[list[ast.stmt], ast.stmt]]:
    for body in bodies:
        yield from ((body, s) for s in list(body) if not isinstance(s, ast.For))


def written(statement: ast.stmt) -> str:
    """The array that a statement computes, as text; empty where it only names one."""
    if isinstance(statement, ast.AugAssign):
        return ast.unparse(statement.target)
    if isinstance(statement, ast.Assign):
        named = isinstance(statement.targets[0], ast.Name)
        computed = isinstance(statement.value, ast.Call | ast.BinOp | ast.UnaryOp)
        return ast.unparse(statement.targets[0]) if named and computed else ""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        outs = [k.value for k in call.keywords if k.arg == "out"]
        first = ast.unparse(call.func) in ("np.copyto", "_add_at") and call.args[:1]
        return ast.unparse([*outs, *(first or [])][0]) if outs or first else ""
    return ""


def inserted(body: list[ast.stmt], after: ast.stmt, line: str) -> Callable[[], None]:
    return lambda: body.insert(body.index(after) + 1, ast.parse(line).body[0])


def setter(node: ast.AST, name: str, value: object) -> Callable[[], None]:
    return lambda: setattr(node, name, value)


def values_in(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of a statement, reshapes left out: sizes are no numbers of the computation."""
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".reshape"):
            todo.append(node.func)
        else:
            todo += ast.iter_child_nodes(node)


def swapper(several: list[ast.expr], k: int) -> Callable[[], None]:
    def edit() -> None:
        several[k], several[k + 1] = several[k + 1], several[k]

    return edit


def changes_in_place(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    call, target = statement.value, written(statement)
    masked = any(keyword.arg == "where" for keyword in call.keywords)
    called = ast.unparse(call.func)
    reads = [ast.unparse(argument) for argument in call.args]
    return (
        called in ("_add_at", "np.add.at") or masked or (called != "np.copyto" and target in reads)
    )


def remover(body: list[ast.stmt], statement: ast.stmt) -> Callable[[], None]:
    return lambda: body.__setitem__(body.index(statement), ast.Pass())


def replacer(parts: list[ast.expr], k: int, other: ast.expr) -> Callable[[], None]:
    return lambda: parts.__setitem__(k, other)


def with_other_gradient(text: str, other: str) -> str:
    """The module's text with the value_and_grad of another: the function, its buffers, its helpers.

    A stop leaves no trace in emitted code: what it removes is the statements that would carry the
    gradient past it. They come from the module of the program without the stop; the docstring,
    SPEC, forward, value and everything else stay as they are.
    """
    tree = ast.parse(text)
    ours, theirs = definitions(tree), definitions(ast.parse(other))
    for name in ("value_and_grad", "_ValueAndGradMemory"):
        tree.body[tree.body.index(ours[name])] = theirs[name]
    tree.body += [node for name, node in theirs.items() if name not in ours]
    return ast.unparse(tree)


def definitions(tree: ast.Module) -> dict[str, ast.FunctionDef | ast.ClassDef]:
    kinds = ast.FunctionDef | ast.ClassDef
    return {node.name: node for node in tree.body if isinstance(node, kinds)}


def choice(count: int, most: int) -> list[int]:
    """Which of so many are tried."""
    return sorted(int(k) for k in np.random.default_rng(5).permutation(count)[:most])
