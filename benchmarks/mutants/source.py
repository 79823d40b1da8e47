"""Faults in the emitted source: an operator yields every way in which it applies.

It is a row of SOURCE_FAULTS, or of BUFFER_FAULTS where it has to know which arrays share memory.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping

from benchmarks.mutants.buffers import BUFFER_FAULTS, memory_of
from benchmarks.mutants.edits import (
    Bodies,
    Edit,
    SourceFault,
    bodies_of,
    changes_in_place,
    choice,
    function_of,
    inserted,
    remover,
    replacer,
    setter,
    statements,
    swapper,
    values_in,
    written,
)
from benchmarks.mutants.numbers import activation, at_a_kink, clip_side, one_over_n, side

FACTORS = (2.001, 0.5)


def source_faults(text: str, name: str, operator: str, most: int = 10**6) -> list[SourceFault]:
    """The faults of one operator in one function of a module's text; a seeded choice of `most`."""
    alone, memory = ast.unparse(function_of(text, name)), memory_of(text, name)

    def edits(function: ast.FunctionDef) -> list[Edit]:
        bodies = bodies_of(function)
        if operator in BUFFER_FAULTS:
            return list(BUFFER_FAULTS[operator](bodies, memory))
        return list(SOURCE_FAULTS[operator](bodies))

    found = []
    for k in choice(len(edits(function_of(alone, name))), most):
        function = function_of(alone, name)
        what, edit = edits(function)[k]
        edit()
        found.append(SourceFault(operator, what, ast.fix_missing_locations(function)))
    return found


def scaling(bodies: Bodies, factors: tuple[float, ...]) -> Iterator[Edit]:
    """x = ...  ->  x = ...; x *= factor."""
    for body, statement in statements(bodies):
        target = written(statement)
        for factor in factors if target else ():
            line = f"{target} *= {factor}"
            if "(" in target:
                line = f"np.multiply({target}, {factor}, out={target})"
            yield f"{ast.unparse(statement)}; {line}", inserted(body, statement, line)


def factor(bodies: Bodies) -> Iterator[Edit]:
    yield from scaling(bodies, FACTORS)


OPPOSITE: Mapping[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
OPPOSITE_CALL = {"subtract": "add", "add": "subtract", "negative": "positive"}


def sign(bodies: Bodies) -> Iterator[Edit]:
    """+ for -, - for +, no minus; and x *= -1."""
    yield from scaling(bodies, (-1.0,))
    for _, statement in statements(bodies):
        shown = ast.unparse(statement)
        if isinstance(statement, ast.AugAssign) and type(statement.op) in OPPOSITE:
            opposite = OPPOSITE[type(statement.op)]()
            yield shown, setter(statement, "op", opposite)
        for node in values_in(statement):
            if isinstance(node, ast.Attribute) and node.attr in OPPOSITE_CALL:
                yield shown, setter(node, "attr", OPPOSITE_CALL[node.attr])
            if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
                yield shown, setter(node, "op", ast.UAdd())


def transpose(bodies: Bodies) -> Iterator[Edit]:
    """a.T -> a, a.transpose(i, j) -> (j, i), a @ b -> b @ a, operands and gradients transposed."""
    for body, statement in statements(bodies):
        shown = ast.unparse(statement)
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute) and node.attr == "T":
                yield shown, setter(node, "attr", "real")
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called.endswith(".transpose") or called in ("np.matmul", "np.tensordot"):
                    several = node.args
                    if called.startswith("np."):
                        several = node.args[:2]
                    for k in range(len(several) - 1):
                        yield shown, swapper(node.args, k)
                    for operand in several:
                        yield from transposed(shown, operand)
        target = written(statement).partition(".reshape")[0]
        if "grads." in shown and target and ("matmul" in shown or "tensordot" in shown):
            line = f"{target}[...] = np.array({target}.swapaxes(-1, -2))"
            yield f"{shown}; {line}", inserted(body, statement, line)


def transposed(shown: str, operand: ast.expr) -> Iterator[Edit]:
    """x.reshape(m, n) -> x.swapaxes(-1, -2).reshape(m, n)."""
    if isinstance(operand, ast.Call) and isinstance(operand.func, ast.Attribute):
        line = f"{ast.unparse(operand.func.value)}.swapaxes(-1, -2)"
        other = ast.parse(line, mode="eval").body
        if operand.func.attr == "reshape":
            yield f"{shown}: {line}", setter(operand.func, "value", other)


def axis(bodies: Bodies) -> Iterator[Edit]:
    """axis=i -> axis=j; x[:, None] -> x[None, :]."""
    for _, statement in statements(bodies):
        shown = ast.unparse(statement)
        for node in ast.walk(statement):
            if isinstance(node, ast.keyword) and node.arg == "axis":
                came = ast.literal_eval(node.value)
                for other in OTHER_AXES.get(came, ()):
                    yield f"{shown}: axis {other}", setter(node, "value", ast.Constant(other))
            if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load):
                nones = [isinstance(e, ast.Constant) and e.value is None for e in node.elts]
                if any(nones) and len(nones) > 1:
                    elements = [*node.elts[1:], node.elts[0]]
                    yield f"{shown}: None elsewhere", setter(node, "elts", elements)


OTHER_AXES: Mapping[object, tuple[object, ...]] = {
    0: (1, -1),
    1: (0,),
    2: (1, 0),
    3: (2, 1),
    -1: (0, -2),
    (0, 1): ((0, 2), (1, 2)),
    (0, 2): ((0, 1), (1, 2)),
    (1, 2): ((0, 1), (0, 2)),
}


def dropped(bodies: Bodies) -> Iterator[Edit]:
    """x += ..., and calls that change x in place, left out; a + b -> a + 0 and 0 + b."""
    for body, statement in statements(bodies):
        shown = ast.unparse(statement)
        if isinstance(statement, ast.AugAssign) or changes_in_place(statement):
            yield shown, remover(body, statement)
        for node in values_in(statement):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.add", "np.subtract"):
                for k, term in enumerate(node.args[:2]):
                    if not isinstance(term, ast.Constant):
                        without = replacer(node.args, k, ast.Constant(0.0))
                        yield f"{shown}: without {ast.unparse(term)}", without


def gather(bodies: Bodies) -> Iterator[Edit]:
    """Off by one: places + 1 clipped, subscripts and slices one lower, u < t for u <= t."""
    for body, statement in statements(bodies):
        shown = ast.unparse(statement)
        target = written(statement)
        if isinstance(statement, ast.AugAssign) and target.split("_")[0] == "at":
            for line in (
                f"np.clip({target} + 1, 0, {target}.max(), out={target})",
                f"{target}[...] = np.roll({target}, 1)",
            ):
                yield f"{shown}; {line}", inserted(body, statement, line)
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute) and node.attr == "less_equal":
                yield shown, setter(node, "attr", "less")
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("_pick", "_add_at"):
                yield from elsewhere(shown, node.args[1])
            if isinstance(node, ast.Subscript):
                parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
                for k, part in enumerate(parts):
                    yield from lowered(shown, parts, k, part)


def elsewhere(shown: str, places: ast.expr) -> Iterator[Edit]:
    """places -> the places after them, clipped; the places of the entries before."""
    parts = places.elts if isinstance(places, ast.Tuple) else []
    for k, part in enumerate(parts):
        name = ast.unparse(part)
        for other in (f"np.minimum({name} + 1, {name}.max())", f"np.roll({name}, 1)"):
            yield f"{shown}: {other}", replacer(parts, k, ast.parse(other, mode="eval").body)


def lowered(shown: str, parts: list[ast.expr], k: int, part: ast.expr) -> Iterator[Edit]:
    """i -> i - 1;  a:b -> a-1:b-1."""
    if isinstance(part, ast.Slice) and part.lower is not None and part.upper is not None:
        less: ast.expr = ast.Slice(minus_one(part.lower), minus_one(part.upper), part.step)
    elif isinstance(part, ast.Name | ast.BinOp):
        less = minus_one(part)
    else:
        return
    yield f"{shown}: {ast.unparse(less)}", replacer(parts, k, less)


def minus_one(number: ast.expr) -> ast.expr:
    return ast.BinOp(copy.deepcopy(number), ast.Sub(), ast.Constant(1))


def doubled(bodies: Bodies) -> Iterator[Edit]:
    """x += ..., and calls that add into x, made twice."""
    for body, statement in statements(bodies):
        shown = ast.unparse(statement)
        adds = isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add)
        if adds or shown.startswith(("_add_at(", "np.add.at(")):
            yield f"{shown}; twice", inserted(body, statement, shown)


SOURCE_FAULTS: Mapping[str, Callable[[Bodies], Iterator[Edit]]] = {
    "factor": factor,
    "sign": sign,
    "transpose": transpose,
    "axis": axis,
    "dropped term": dropped,
    "off-by-one gather": gather,
    "doubled term": doubled,
    "1/N": one_over_n,
    "activation for its derivative": activation,
    "wrong side": side,
    "wrong clip side": clip_side,
    "side at a kink": at_a_kink,
}
