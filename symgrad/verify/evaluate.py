"""The naive evaluator: target[f(I)] op= body(slots), at every point I of the box, as it is written.

It knows nothing of derivatives, stable forms, plans or emitted code: they are held against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from symgrad.algebra.program import Program
from symgrad.errors import ProgramError, did_you_mean
from symgrad.verify.arithmetic import FLOAT64, Array, Numbers
from symgrad.verify.contributions import Run
from symgrad.verify.graph import Node
from symgrad.verify.inputs import checked_sizes, checked_values
from symgrad.verify.points import Layout, Order, Probes

SOON = 50
"""Rounds in which a recurrence has come to rest, or is gone over without matrix products."""


@dataclass(frozen=True)
class Result:
    """What an evaluation found.

    values:     each tensor needed: the numbers' dtype, int64 for ints and bools.
    stops:      the value of each stop node, by (equation number, node number).
    branches:   the truth of each selection's predicate and the place of each argmax, by number.
    magnitudes: the sum of absolute contributions behind each value, where asked for.
    """

    values: Mapping[str, Array]
    stops: Mapping[Node, Array]
    branches: Mapping[Node, Array]
    magnitudes: Mapping[str, Array] = field(default_factory=dict)


def evaluate(
    program: Program,
    values: Mapping[str, object],
    sizes: Mapping[str, int],
    numbers: Numbers = FLOAT64,
    frozen: Mapping[Node, Array] | None = None,
    *,
    held: Mapping[Node, Array] | None = None,
    given: Mapping[str, Array] | None = None,
    outputs: Iterable[str] | None = None,
    magnitude: bool = False,
    layout: Layout | None = None,
    probes: Probes | None = None,
) -> Result:
    """Every tensor of a program, or those that `outputs` need.

    frozen: the stops of another evaluation, taken as they were there.
    held:   the branches of another evaluation, taken as they were there.
    given:  tensors that are known already.
    layout: of this program at these sizes, where it was made before.
    probes: what has an axis of nearby points in front; the inputs among it are `given`.
    """
    layout = layout or Layout(program, checked_sizes(program, sizes))
    wanted = tuple(t.name for t in program.tensors) if outputs is None else tuple(outputs)
    for name in wanted:
        if name not in program.tensor_of:
            raise ProgramError(f'no tensor "{name}"{did_you_mean(name, program.tensor_of)}')
    ready = dict(given or {})
    found = layout.order(wanted, frozen or {}, ready)
    needed = {name for group in found.groups for name in group}
    inputs = checked_values(layout, values, numbers, needed - {*ready})
    known = {**inputs, **ready}
    run = Run(layout, numbers, frozen or {}, held or {}, known, probes=probes or Probes())
    with np.errstate(all="ignore"):
        _solve(run, found, run.tensors, run.tensor)
        scales = _scales(run, found) if magnitude else {}
    return Result(run.tensors, run.stops, run.branches, scales)


def _scales(run: Run, order: Order) -> Mapping[str, Array]:
    """S of every tensor, on the branches taken.

    It needs no more than a few digits: float64 will do, where nothing is beyond its range.
    """
    real = run.numbers.dtype
    known = {n: a.astype(np.float64) if a.dtype == real else a for n, a in run.tensors.items()}
    stops = {node: a.astype(np.float64) for node, a in (*run.frozen.items(), *run.stops.items())}
    rough = Run(run.layout, FLOAT64, stops, {**run.held, **run.branches}, known)
    rough.scales.update({name: np.asarray(abs(a)) for name, a in known.items()})
    _solve(rough, order, rough.scales, rough.scale)
    infinity = run.numbers.constant("inf")
    beyond = (
        np.less(abs(run.tensors[name]), infinity) & ~np.isfinite(scale)
        for name, scale in rough.scales.items()
    )
    if real == np.float64 or not any(np.any(places) for places in beyond):
        return rough.scales
    run.scales.update({name: np.asarray(abs(a)) for name, a in run.tensors.items()})
    _solve(run, order, run.scales, run.scale)
    return run.scales


def _solve(
    run: Run,
    order: Order,
    known: dict[str, Array],
    compute: Callable[[str], Array],
) -> None:
    """Each group after what it reads; a group that reads itself place by place, where its places
    have an order. Where they have none, until nothing changes, and so for magnitudes.

    Starting from any values, the entries that are d reads deep are right after d rounds: so the
    number of entries bounds the rounds, and what is unfinished is overwritten, nan or not.
    """
    for group in order.groups:
        if known is run.tensors and group in order.courses:
            run.along(order.courses[group])
            continue
        if len(group) == 1 and group[0] not in order.reads.get(group[0], ()):
            if group[0] in order.reads or group[0] not in known:
                known[group[0]] = compute(group[0])
            continue
        if not _settled(run, group, known, compute, SOON):
            run.settling.update(group)
            run.parts.clear()
            if not _settled(run, group, known, compute, sum(known[n].size for n in group) + 2):
                raise ProgramError(
                    f"{', '.join(group)}: each needs the other at the same place, so none settles; "
                    f"shift one of the reads, as in h[t+1] = f(h[t])"
                )


def _settled(
    run: Run,
    group: tuple[str, ...],
    known: dict[str, Array],
    compute: Callable[[str], Array],
    rounds: int,
) -> bool:
    """Whether a group that reads itself comes to rest in so many rounds."""
    known.update({name: run.zeros(name) for name in group})
    for _ in range(rounds):
        changed = False
        for name in reversed(group):
            after = compute(name)
            if not _same(run.numbers, known[name], after):
                known[name], changed = after, True
        if not changed:
            return True
    return False


def _same(numbers: Numbers, a: Array, b: Array) -> bool:
    """Equal everywhere, nan to nan."""
    equal = np.asarray(a == b, bool)
    if a.dtype == numbers.dtype and not equal.all():
        equal |= np.asarray(numbers.isnan(a), bool) & np.asarray(numbers.isnan(b), bool)
    return bool(equal.all())
