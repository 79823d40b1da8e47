"""Faults in the memory of emitted source: a wrong buffer, a value lost too early, rows left out."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from benchmarks.mutants.edits import (
    Bodies,
    Edit,
    changes_in_place,
    definitions,
    replacer,
    setter,
    statements,
    written,
)

BLOCKS = (2, 4)
"""Rows that a block is taken to have: what is left over is dropped."""


@dataclass(frozen=True)
class Memory:
    """The buffers of one function: each one's shape and type as text, and the array that it is."""

    shape: Mapping[str, str]
    array: Mapping[str, str]

    def others(self, name: str) -> list[str]:
        """One name of each other array of the same shape and type."""
        alike = [n for n in self.shape if self.shape[n] == self.shape.get(name)]
        found = {self.array[n]: n for n in alike if self.array[n] != self.array.get(name)}
        return sorted(found.values())


def memory_of(text: str, name: str) -> Memory:
    """Of `class _ValueAndGradMemory`, which makes every buffer in its __init__."""
    kind = "_" + "".join(part.capitalize() for part in name.split("_")) + "Memory"
    made = definitions(ast.parse(text))[kind]
    shape: dict[str, str] = {}
    array: dict[str, str] = {}
    for node in ast.walk(made):
        if isinstance(node, ast.Assign):
            names = [ast.unparse(t).removeprefix("self.") for t in node.targets]
            value = ast.unparse(node.value)
            for one in names:
                if value.startswith("np.empty("):
                    shape[one], array[one] = value, names[0]
                elif (source := value.removeprefix("self.")) in array:
                    shape[one], array[one] = shape[source], array[source]
    return Memory(shape, array)


def buffers_in(statement: ast.stmt) -> Iterator[tuple[ast.Attribute, str]]:
    """The places where a statement names a buffer to write into: ws.NAME."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "ws":
            yield node, node.attr


def wrong_buffer(bodies: Bodies, memory: Memory) -> Iterator[Edit]:
    """out=ws.a -> out=ws.b, another array of that shape."""
    for _, statement in statements(bodies):
        shown = ast.unparse(statement)
        for node, name in buffers_in(statement):
            for other in memory.others(name):
                yield f"{shown}: ws.{other}", setter(node, "attr", other)


def overwritten(bodies: Bodies, memory: Memory) -> Iterator[Edit]:
    """y = f(x, out=ws.y) -> y = f(x, out=x) where x is read again; x *= ... a statement earlier."""
    for body, statement in statements(bodies):
        shown, place = ast.unparse(statement), body.index(statement)
        later = "\n".join(ast.unparse(s) for s in body[place + 1 :])
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                reads = [a for a in node.args if isinstance(a, ast.Name)]
                for keyword in node.keywords:
                    out = ast.unparse(keyword.value).removeprefix("ws.")
                    if keyword.arg != "out" or out not in memory.shape:
                        continue
                    for read in reads:
                        same = memory.shape.get(read.id) == memory.shape[out]
                        apart = memory.array.get(read.id) != memory.array[out]
                        if same and apart and re.search(rf"\b{read.id}\b", later):
                            yield f"{shown}: out={read.id}", setter(keyword, "value", read)
        if place and (isinstance(statement, ast.AugAssign) or changes_in_place(statement)):
            before, target = body[place - 1], written(statement)
            if target and re.search(rf"\b{re.escape(target)}\b", ast.unparse(before)):
                yield f"{shown}: before {ast.unparse(before)}", exchanger(body, place)


def exchanger(body: list[ast.stmt], place: int) -> Callable[[], None]:
    def edit() -> None:
        body[place - 1], body[place] = body[place], body[place - 1]

    return edit


def remainder(bodies: Bodies, memory: Memory) -> Iterator[Edit]:
    """np.sum(x) and x.T @ y over whole blocks of rows alone: x[:len(x) // 4 * 4]."""
    for _, statement in statements(bodies):
        shown = ast.unparse(statement)
        for node in ast.walk(statement):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            for rows in BLOCKS:
                note = f"{shown}: blocks of {rows}"
                if called == "np.sum" and isinstance(node.args[0], ast.Name):
                    yield note, replacer(node.args, 0, whole_blocks(node.args[0].id, "", rows))
                if called in ("np.matmul", "np.dot") and len(node.args) > 1:
                    first, second = ast.unparse(node.args[0]), ast.unparse(node.args[1])
                    if re.fullmatch(r"\w+\.T", first) and re.fullmatch(r"\w+", second):
                        left = whole_blocks(first.removesuffix(".T"), ".T", rows)
                        right = whole_blocks(second, "", rows)
                        yield note, setter(node, "args", [left, right, *node.args[2:]])


def whole_blocks(name: str, after: str, rows: int) -> ast.expr:
    line = f"{name}[:len({name}) // {rows} * {rows}]{after}"
    return ast.parse(line, mode="eval").body


BUFFER_FAULTS: Mapping[str, Callable[[Bodies, Memory], Iterator[Edit]]] = {
    "wrong buffer": wrong_buffer,
    "overwritten too early": overwritten,
    "remainder dropped": remainder,
}
