"""Counts: scalar operations of a plan, and how many numbers its buffers hold, as sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from symgrad.algebra.sizes import ONE, ZERO, Size
from symgrad.plan.steps import Guard, LogSumExp, Loop, MatMul, Step, Sum, Total, Ufunc
from symgrad.plan.views import Array, Operand


def counted(
    arrays: Sequence[Array], steps: Sequence[Step], shares: Mapping[str, str]
) -> tuple[Size, Size]:
    """(multiply-adds and function values, numbers in buffers)."""
    numbers = (
        prod(a.shape, start=ONE) for a in arrays if a.storage == "buffer" and a.name not in shares
    )
    return sum((_operations(s) for s in steps), ZERO), sum(numbers, ZERO)


def _operations(step: Step) -> Size:
    match step:
        case Ufunc():
            return _points(step.out)
        case MatMul():
            sizes = step.a.view.sizes
            return _points(step.out) * prod((sizes[i] for i in step.a.layout[-1]), start=ONE)
        case Sum():
            return _points(step.source)
        case Total():
            return _points(step.a)
        case LogSumExp():
            return 3 * _points(step.source)
        case Loop():
            return (step.hi.offset - step.lo.offset) * sum(
                (_operations(s) for s in step.body), ZERO
            )
        case Guard():
            return sum((_operations(s) for s in step.body), ZERO)
    return ZERO


def _points(operand: Operand) -> Size:
    return prod(operand.view.sizes.values(), start=ONE)
