"""Faults in the body of an equation: a function, a branch, a size or a stop that is another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sympy import Expr, Function, Integer, Pow

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation, Program
from symgrad.algebra.scalars import FUNCTIONS, Less, LessEqual, Scalar, Select, Stop

Change = tuple[str, Equation | None]


def reaches(source: str, target: str, program: Program) -> bool:
    """Whether `source` is computed from `target`: a shift inside a recurrence is another matter."""
    seen, todo = set[str](), [source]
    while todo:
        name = todo.pop()
        if name == target:
            return True
        if name not in seen:
            seen.add(name)
            todo += [a.tensor for e in program.writers.get(name, ()) for a in e.reads]
    return False


def exchanged(equation: Equation, old: Expr, new: Expr) -> Change:
    return f"{old} -> {new}", equation.with_body(equation.body.xreplace({old: new}))


def nodes(body: Expr, *kinds: type) -> list[Expr]:
    """The nodes of some kinds in a body, in a fixed order."""
    return sorted(body.atoms(*kinds), key=str)


def one_over_n(equation: Equation, program: Program) -> Iterator[Change]:
    """1/N -> 1, 1/N^2 and 1/(N + 1)."""
    sizes = {s for s, slot in equation.slots if isinstance(slot, Affine) and not slot.indices}
    for node in nodes(equation.body, Pow):
        base, power = node.args
        if base in sizes and power == -1:
            for other in (Integer(1), base**-2, 1 / (base + 1)):
                yield exchanged(equation, node, other)


REVERSE: Mapping[str, str] = {"sigmoid": "softplus", "cos": "sin", "cosh": "sinh"}
"""A function, and the one that it is the derivative of."""


def other_function(equation: Equation, program: Program) -> Iterator[Change]:
    """f(x) -> f'(x); f'(x) -> f(x); x^2 -> 2x, 1/x -> log(x)."""
    for node in nodes(equation.body, Scalar):
        name = type(node).__name__
        if node.row.arity == 1 and node.fdiff(1) != node:
            yield exchanged(equation, node, node.fdiff(1))
        if name in REVERSE:
            yield exchanged(equation, node, FUNCTIONS[REVERSE[name]](*node.args))
        if name == "exp":
            yield exchanged(equation, node, node.args[0])
    reads = {s for s, slot in equation.slots if isinstance(slot, Access)}
    for node in nodes(equation.body, Pow):
        base, power = node.args
        if power == 2:
            yield exchanged(equation, node, 2 * base)
        if power == -1 and base in reads:
            yield exchanged(equation, node, FUNCTIONS["log"](base))


def other_side(equation: Equation, program: Program) -> Iterator[Change]:
    """where(p, a, b) -> where(p, b, a); a < b -> b < a; minimum for maximum."""
    for node in nodes(equation.body, Select, Less, LessEqual):
        *first, a, b = node.args
        yield exchanged(equation, node, node.func(*first, b, a))
    for node in nodes(equation.body, Scalar):
        for other in OTHER_SIDE.get(type(node).__name__, ()):
            yield exchanged(equation, node, other(*node.args))


def other_clip(equation: Equation, program: Program) -> Iterator[Change]:
    """clip(x, lo, hi) -> max(x, lo), min(x, hi), clip(x, -hi, -lo)."""
    for node in nodes(equation.body, _named("clip")):
        x, low, high = node.args
        for other in (
            _named("maximum")(x, low),
            _named("minimum")(x, high),
            _named("clip")(x, -high, -low),
        ):
            if other != node:
                yield exchanged(equation, node, other)


def at_a_kink(equation: Equation, program: Program) -> Iterator[Change]:
    """a < b -> a <= b and the reverse; the tie of a minimum to its second argument."""
    for node in nodes(equation.body, Less, LessEqual):
        other = LessEqual if isinstance(node, Less) else Less
        yield exchanged(equation, node, other(*node.args))
    for node in nodes(equation.body, Scalar):
        if type(node).__name__ in ("minimum", "maximum"):
            yield exchanged(equation, node, node.func(*reversed(node.args)))
        if type(node).__name__ == "relu":
            yield exchanged(equation, node, _named("maximum")(*node.args, Integer(0)))


def _named(name: str) -> type[Function]:
    return FUNCTIONS[name]


OTHER_SIDE = {
    "relu": (lambda x: _named("minimum")(x, Integer(0)),),
    "minimum": (lambda a, b: _named("maximum")(a, b),),
    "maximum": (lambda a, b: _named("minimum")(a, b),),
    "abs": (lambda x: _named("relu")(x), lambda x: -_named("abs")(x)),
}


def added_stop(equation: Equation, program: Program) -> Iterator[Change]:
    """A read that depends on a parameter, held constant."""
    params = [t.name for t in program.tensors if t.role == "param"]
    for symbol, slot in equation.slots:
        if isinstance(slot, Access) and any(reaches(slot.tensor, p, program) for p in params):
            body = equation.body.xreplace({symbol: Stop(symbol)})
            yield f"stop({slot})", equation.with_body(body)
