"""Names for parts of equations, from what they are: y_minus_t, dp_times_p, one_minus_h_squared."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr

from symgrad.algebra.access import Access
from symgrad.algebra.parts import Choice, Scope, signed

LONGEST = 32
"""Letters of a name that says all; a longer one says what kind of thing it is: y_scaled."""
NUMBERS = {1: "one", 2: "two", 3: "three"}
POWERS = {2: "squared", 3: "cubed"}


def name_of(choice: Choice, scope: Scope) -> str:
    """A name that reads like the value; it may be taken."""
    words = list(_words(choice, scope))
    whole = "_".join(w for w in words if w)
    if None not in words and len(whole) <= LONGEST:
        return whole
    slots = (scope.slots.get(s) for a in choice.taken for s in a.free_symbols)
    stems = [slot.tensor.rstrip("_") for slot in slots if isinstance(slot, Access)]
    return f"{min(stems, key=lambda stem: (len(stem), stem))}_{_kind(choice)}"


def _kind(choice: Choice) -> str:
    if choice.node.value.is_Pow:
        return "power"
    if choice.node.value.is_Add:
        return "difference" if any(signed(a)[0] < 0 for a in choice.taken) else "sum"
    return "ratio" if any(map(_divides, choice.taken)) else "scaled"


def _words(choice: Choice, scope: Scope) -> Iterator[str | None]:
    """What the value reads as; None for what has no short word."""
    if choice.node.value.is_Add:
        terms = sorted(map(signed, choice.taken), key=lambda term: -term[0])
        joints = [("plus" if sign > 0 else "minus", term) for sign, term in terms]
    else:
        above = [("times", a) for a in choice.taken if not _divides(a)]
        joints = [*above, *(("over", 1 / a) for a in choice.taken if _divides(a))]
    for n, (joint, operand) in enumerate(joints):
        if n:
            yield joint
        yield _word(operand, scope)


def _divides(factor: Expr) -> bool:
    return bool(factor.is_Pow and factor.exp.is_negative)


def _word(expr: Expr, scope: Scope) -> str | None:
    """A read by its tensor, a small number or power in words."""
    if expr in NUMBERS:
        return NUMBERS[expr]
    if expr.is_Pow and expr.exp in POWERS:
        base = _word(expr.base, scope)
        return base and f"{base}_{POWERS[expr.exp]}"
    slot = scope.slots.get(expr)
    return slot.tensor.rstrip("_") if isinstance(slot, Access) else None
