"""Faults in the numbers of emitted source: 1/N, an activation for its derivative, a wrong side."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from benchmarks.mutants.edits import (
    Bodies,
    Edit,
    inserted,
    replacer,
    setter,
    statements,
    values_in,
    written,
)

SIZE = re.compile(r"-?\(?[A-Z]\w*( \* [A-Z]\w*)*\)?")
"""B, -B, (B * T): what a mean divides by."""


def one_over_n(bodies: Bodies) -> Iterator[Edit]:
    """x/N -> x, x/N^2, x/(N + 1); np.divide(x, N) likewise."""
    for _, statement in statements(bodies):
        shown = ast.unparse(statement)
        for node in values_in(statement):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
                for other in others(node.right):
                    yield f"{shown}: /({ast.unparse(other)})", setter(node, "right", other)
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.divide":
                for other in others(node.args[1]):
                    yield f"{shown}: /({ast.unparse(other)})", replacer(node.args, 1, other)
            if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div):
                for other in others(node.value):
                    yield f"{shown}: /({ast.unparse(other)})", setter(node, "value", other)


def others(divisor: ast.expr) -> list[ast.expr]:
    text = ast.unparse(divisor)
    if not SIZE.fullmatch(text):
        return []
    minus = "-" if text.startswith("-") else ""
    lines = (f"{minus}1.0", f"{minus}({text})**2", f"{text} + {minus}1")
    return [ast.parse(line, mode="eval").body for line in lines]


DERIVATIVES: Mapping[str, str] = {
    "np.tanh": "np.subtract(1.0, np.square({0}), out={0})",
    "np.exp": "np.log({0}, out={0})",
    "_expdiff": "np.log({0}, out={0})",
    "_sigmoid": "np.multiply({0}, 1.0 - {0}, out={0})",
    "_softplus": "np.subtract(1.0, np.exp(-{0}), out={0})",
    "np.maximum": "np.greater({0}, 0.0, out={0})",
}
"""What turns a function's values into those of its derivative; exp's into its argument's."""


def activation(bodies: Bodies) -> Iterator[Edit]:
    """f(x) -> f'(x); where the gradient wants f', f: 1 - h^2 -> |h|, a mask -> relu."""
    for body, statement in statements(bodies):
        shown, target = ast.unparse(statement), written(statement)
        called = [ast.unparse(n.func) for n in ast.walk(statement) if isinstance(n, ast.Call)]
        for name in dict.fromkeys(called):
            if name in DERIVATIVES and target:
                line = DERIVATIVES[name].format(target)
                yield f"{shown}; {line}", inserted(body, statement, line)
        if target and squares(statement):
            for later in body[body.index(statement) + 1 :][:1]:
                if ast.unparse(later).startswith(f"np.subtract(1.0, {target}"):
                    line = f"np.sqrt(np.subtract(1.0, {target}), out={target})"
                    yield f"{shown}; {line}", inserted(body, later, line)
        if "where=" in shown and target and (argument := masked_by(body, shown)):
            line = f"np.multiply({target}, {argument}, out={target})"
            yield f"{shown}; {line}", inserted(body, statement, line)


def squares(statement: ast.stmt) -> bool:
    calls = [n for n in ast.walk(statement) if isinstance(n, ast.Call)]
    return any(ast.unparse(call.func) == "np.square" for call in calls)


def masked_by(body: list[ast.stmt], shown: str) -> str:
    """The x of the mask x > 0 that a statement uses."""
    mask = shown.split("where=")[1].rstrip(")")
    for statement in body:
        line = ast.unparse(statement)
        found = re.match(rf"{re.escape(mask)} = np\.greater\((\w+), 0\.0", line)
        if found:
            return found[1]
    return ""


SIDES: Mapping[str, tuple[str, ...]] = {
    "greater": ("less",),
    "less": ("greater",),
    "greater_equal": ("less_equal",),
    "less_equal": ("greater_equal",),
    "maximum": ("minimum",),
    "minimum": ("maximum",),
    "argmax": ("argmin",),
    "logical_and": ("logical_or",),
    "logical_or": ("logical_and",),
}


AT_A_KINK: Mapping[str, tuple[str, ...]] = {
    "greater": ("greater_equal",),
    "less": ("less_equal",),
    "greater_equal": ("greater",),
    "less_equal": ("less",),
}


def at_a_kink(bodies: Bodies) -> Iterator[Edit]:
    """> for >=: the other side, at the kink alone."""
    for _, statement in statements(bodies):
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute):
                for other in AT_A_KINK.get(node.attr, ()):
                    yield f"{ast.unparse(statement)}: {other}", setter(node, "attr", other)


def side(bodies: Bodies) -> Iterator[Edit]:
    """> for <, maximum for minimum, a mask's opposite."""
    for _, statement in statements(bodies):
        shown = ast.unparse(statement)
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute):
                for other in SIDES.get(node.attr, ()):
                    yield f"{shown}: {other}", setter(node, "attr", other)
            if isinstance(node, ast.keyword) and node.arg == "where":
                opposite = ast.UnaryOp(ast.Invert(), node.value)
                yield f"{shown}: where not", setter(node, "value", opposite)


def clip_side(bodies: Bodies) -> Iterator[Edit]:
    """np.clip(x, lo, hi) without a bound; the mask of its derivative for the other bound."""
    bounds: set[str] = set()
    for _, statement in statements(bodies):
        shown = ast.unparse(statement)
        for node in ast.walk(statement):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called == "np.clip":
                bounds |= {ast.unparse(bound) for bound in node.args[1:3]}
                for k, bound in ((1, "-np.inf"), (2, "np.inf")):
                    other = ast.parse(bound, mode="eval").body
                    yield f"{shown}: bound {bound}", replacer(node.args, k, other)
            masks = called in ("np.less", "np.greater") and isinstance(node.func, ast.Attribute)
            if masks and ast.unparse(node.args[1]) in bounds:
                opposite = SIDES[node.func.attr][0]
                yield f"{shown}: {opposite}", setter(node.func, "attr", opposite)
