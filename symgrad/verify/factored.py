"""A sum of products, factor by factor: sum over j of a[i,j]*b[j,k], without its points one by one.

Where the factors have far fewer entries than the box has points, the sum is a matrix product of
two groups of factors, each multiplied out over its own indices: exact in many digits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy as np
import sympy
from sympy import Expr

from symgrad.algebra.program import Equation, Program
from symgrad.verify.arithmetic import Array, Numbers

WORTH = 4  # times as many points in the box as entries in the factors
CHEAPER = 32  # how many points of a matrix product cost what one point by itself does

Groups = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Split:
    """The axes of a box: of both groups and kept, of one and kept, of both and summed.

    over: the axes to sum over, counted from the last one, -1.
    """

    shape: tuple[int, ...]
    over: tuple[int, ...]

    @property
    def summed(self) -> frozenset[int]:
        return frozenset(k + len(self.shape) for k in self.over)

    def product(self, numbers: Numbers, a: Array, b: Array) -> Array | None:
        """The sum of a*b over the summed axes, which keep the length 1; None beyond finite numbers.

        a, b: with the box's axes, of length 1 where they do not depend on the index.
        """
        axes = range(len(self.shape))
        mine, others = ({k for k in axes if x.shape[k] > 1} for x in (a, b))
        a = np.sum(a, axis=tuple(k for k in self.summed if k not in others), keepdims=True)
        b = np.sum(b, axis=tuple(k for k in self.summed if k not in mine), keepdims=True)
        both = mine & others
        inner = [k for k in axes if k in both and k in self.summed]
        lead = [k for k in axes if k in both and k not in self.summed]
        rows = [k for k in axes if k in mine - both and k not in self.summed]
        columns = [k for k in axes if k in others - both and k not in self.summed]
        one = [k for k in axes if k not in {*inner, *lead, *rows, *columns}]
        left = a.transpose(*lead, *rows, *inner, *one, *columns)
        right = b.transpose(*lead, *inner, *columns, *one, *rows)
        counts = [prod(self.shape[k] for k in ks) for ks in (lead, rows, inner, columns)]
        made = numbers.matmul(
            left.reshape(counts[0], counts[1], counts[2]),
            right.reshape(counts[0], counts[2], counts[3]),
        )
        if made is None:
            return None
        order = [*lead, *rows, *columns, *one, *inner]
        placed = made.reshape(
            [self.shape[k] if k in (*lead, *rows, *columns) else 1 for k in order]
        )
        repeated = [k for k in self.summed if k not in mine | others]
        times = numbers.ratio(prod(self.shape[k] for k in repeated), 1)
        return np.asarray(placed.transpose(np.argsort(order)) * times)


def factors(body: Expr) -> tuple[Expr, ...]:
    return tuple(sympy.Mul.make_args(body))


@lru_cache(maxsize=4096)
def grouped(carried: tuple[frozenset[int], ...], shape: tuple[int, ...]) -> Groups | None:
    """Two groups of factors by the axes that each carries, each with a factor that carries them
    all; None where there are none, or the box has hardly more points than they have entries.
    """

    def size(n: int) -> int:
        return prod(shape[k] for k in carried[n])

    waiting = sorted(range(len(carried)), key=size, reverse=True)
    groups: list[tuple[int, ...]] = []
    while waiting and len(groups) < 2:
        host = carried[waiting[0]]
        groups.append(tuple(sorted(n for n in waiting if carried[n] <= host)))
        waiting = [n for n in waiting if not carried[n] <= host]
    if waiting or len(groups) < 2:
        return None
    entries = sum(max(map(size, group)) for group in groups)
    return (groups[0], groups[1]) if prod(shape) >= WORTH * entries else None


def work(program: Program, sizes: Mapping[str, int], tensors: Collection[str] | None = None) -> int:
    """What one evaluation costs, or that of some tensors alone: in points of boxes."""
    return sum(
        _equation_work(equation, sizes)
        for equation in program.equations
        if tensors is None or equation.target.tensor in tensors
    )


def _equation_work(equation: Equation, sizes: Mapping[str, int]) -> int:
    shape = [max(0, r.count.evaluate(sizes)) for r in equation.box]
    points = prod(shape)
    axis = {r.index: k for k, r in enumerate(equation.box)}
    if equation.op != "sum" or not equation.reduced:
        return points
    carried = []
    for part in factors(equation.body):
        read = [equation.slot_of[s] for s in part.free_symbols if s in equation.slot_of]
        names = frozenset().union(*(slot.indices for slot in read))
        carried.append(frozenset(axis[i] for i in names if shape[axis[i]] > 1))
    groups = grouped(tuple(carried), tuple(shape))
    if groups is None:
        return points
    kept = prod(n for k, n in enumerate(shape) if equation.box[k].index not in equation.reduced)
    entries = sum(max(prod(shape[k] for k in carried[n]) for n in group) for group in groups)
    return points // CHEAPER + entries + kept
