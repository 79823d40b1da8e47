"""Small programs from their equations, their gradients, and what differences make of these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from programs import (
    assert_agree,
    run,
)

from symgrad.algebra.derive import Derived, reverse
from symgrad.algebra.program import Equation, Program
from symgrad.spec import Spec, parse_spec
from symgrad.verify.arithmetic import Digits
from symgrad.verify.differences import Point, entry_direction, slope
from symgrad.verify.evaluate import evaluate


def spec_of(equations: str, declared: str, outputs: Iterable[str] = ("loss",)) -> Spec:
    """A program written in the notation; N and M are free sizes where none are declared."""
    free = "".join(f'{size} = "free"\n' for size in "NM" if size in equations + declared)
    head = "" if "[sizes]" in declared else f"[sizes]\n{free}"
    text = (
        f"wrt = []\noutputs = {list(outputs)}\nequations = '''\n{equations}\n'''\n{head}{declared}"
    )
    return parse_spec(text, "small")


def program_of(equations: str, declared: str, outputs: Iterable[str] = ("loss",)) -> Program:
    return spec_of(equations, declared, outputs).shared


def shapes_only(equation: Equation) -> object:
    """What an equation says, whatever the order of its box and its origin."""
    return (equation.target, equation.op, equation.body, equation.slots, frozenset(equation.box))


def new_equations(before: Program, derived: Derived) -> list[Equation]:
    return list(derived.program.equations[len(before.equations) :])


def gradients(program: Program, wrt: Iterable[str], values: Mapping[str, Any], **sizes: int) -> Any:
    """The naive values of dloss/dX, in order."""
    derived = reverse(program, "loss", tuple(wrt))
    found = evaluate(derived.program, values, sizes, outputs=derived.result.values())
    return [found.values[derived.result[x]] for x in wrt]


def assert_differences(
    program: Program, wrt: Iterable[str], values: Mapping[str, Any], sizes: Mapping[str, int]
) -> None:
    """Every entry of the gradient is the 60-digit difference."""
    derived = reverse(program, "loss", tuple(wrt))
    found = run(derived.program, values, sizes, *derived.result.values())
    point = Point(program, "loss", values, sizes, Digits(60))
    for x in wrt:
        came, scale = (part[derived.result[x]] for part in (found.values, found.magnitudes))
        for index in np.ndindex(np.shape(came)):
            by = slope(point, entry_direction(x, np.shape(came), index))
            assert_agree(f"d{x}{list(index)}", came[index], by.value, scale[index], by.bound)
