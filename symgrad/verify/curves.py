"""The error of (f(x + h) - f(x - h)) / 2h: falling as h**2 with h, then rising as rounding / h."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from symgrad.verify.arithmetic import FLOAT64, Digits, Numbers
from symgrad.verify.cases import Case
from symgrad.verify.differences import entry_direction
from symgrad.verify.verdict import Block, Curve

FLOAT_EXPONENTS = range(1, 13)
DIGIT_EXPONENTS = range(1, 21)


@dataclass(frozen=True)
class Worst:
    """A block and the case that it came from."""

    case: Case
    block: Block

    @property
    def badness(self) -> float:
        return 0.0 if self.block.worst is None else self.block.worst.badness


def curves(found: Sequence[Worst]) -> Iterator[Curve]:
    """Of the worst entry of each gradient, the worst of them first.

    In float64, and in 60 digits where it was checked so.
    """
    ranked = sorted(found, key=lambda one: -one.badness)  # stable: else in the order of the report
    for one in ranked:
        entry = one.block.worst
        if entry is not None and entry.index is not None and one.block.name in one.case.target.wrt:
            yield _curve(one, FLOAT64, FLOAT_EXPONENTS, entry.index, entry.exact)
            if isinstance(one.case.numbers, Digits):
                yield _curve(one, one.case.numbers, DIGIT_EXPONENTS, entry.index, entry.exact)


def _curve(
    one: Worst, numbers: Numbers, exponents: Sequence[int], index: tuple[int, ...], exact: float
) -> Curve:
    point = replace(one.case.point, numbers=numbers)
    direction = entry_direction(one.block.name, point.layout.shapes[one.block.name], index)
    steps = [numbers.ratio(1, 10**k)[()] for k in exponents]
    near = point.probes([(direction, s) for h in steps for s in (-h, h)], held=True)
    errors = [
        abs(float((right.loss - left.loss) / (2 * h) - exact))
        for h, left, right in zip(steps, near[::2], near[1::2], strict=True)
    ]
    named = f"{numbers.digits} digits" if isinstance(numbers, Digits) else "float64"
    heights = tuple(float(h) for h in steps)
    return Curve(one.block.place, one.case.where, named, heights, tuple(errors))
