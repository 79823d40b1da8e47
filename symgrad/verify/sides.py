"""Many samples, moved until some are on each side of each of a loss's selections.

    r[b] = exp(logp[b] - old_logp[b])    of no sample drawn is r beyond 1.2: some old_logp are less

A side that no input takes is code that nobody ran: no difference finds a fault there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from symgrad.algebra.program import Program
from symgrad.errors import ProgramError
from symgrad.verify.arithmetic import FLOAT64, Array
from symgrad.verify.instance import Instance
from symgrad.verify.selections import Gaps, Kink, Values, kinks_in
from symgrad.verify.starts import reals

Side = tuple[Kink, int]
"""0 where its gap is less than 0, 1 where it is more."""

EVERY = 4  # of so many samples one is moved
ENOUGH = 16  # of so many places one at least is on the side
STEPS = tuple(sign * 2.0**k for k in range(-2, 8) for sign in (1, -1))
"""How far samples are moved, the least first: no loss is to be nothing but one sample."""


def taken(gaps: Gaps, kinks: Sequence[Kink], values: Values) -> set[Side]:
    """The sides on which some place is; an argmax has none."""
    found = gaps.tensors(values, FLOAT64, gaps.reads(kinks))
    shares = {kink: _shares(gaps, kink, found, 1)[0] for kink in kinks if kink.sides}
    return {(kink, side) for kink, both in shares.items() for side in (0, 1) if both[side]}


def on_both(program: Program, outputs: Sequence[str], many: Instance) -> Instance:
    """Some samples moved to the sides on which none is, if they can be.

    One datum after the other, those with the fewest axes first.
    """
    gaps, values = Gaps(program, many.sizes, many.layout), many.values
    kinks = [kink for kink in kinks_in(program, outputs, inside_stops=True) if kink.sides]
    data = [t for t in reals(program) if t.role == "data" and t.shape and not t.positive]
    for tensor in sorted(data, key=lambda tensor: len(tensor.shape)):
        for first in range(1, EVERY):
            seen = taken(gaps, kinks, values)
            left = [kink for kink in kinks if not {(kink, 0), (kink, 1)} <= seen]
            if gaps.moving(tensor.name).isdisjoint(gaps.reads(left)):
                break
            moved = _moved(gaps, kinks, outputs, values, tensor.name, first)
            if moved is None:
                break
            values = moved
    return replace(many, values=values)


def _moved(
    gaps: Gaps,
    kinks: Sequence[Kink],
    outputs: Sequence[str],
    values: Values,
    name: str,
    first: int,
) -> Values | None:
    """Every fourth sample of a datum moved by the least step at which enough places are on a side
    where none was, or by the one at which the most are.
    """
    rows = np.repeat(values[name][np.newaxis], 1 + len(STEPS), axis=0)
    rows[1:, first::EVERY] += np.reshape(STEPS, (-1, *(1,) * values[name].ndim))
    try:
        found = gaps.evaluated(
            values, FLOAT64, (*outputs, *gaps.reads(kinks)), several={name: rows}
        ).values
    except ProgramError:  # such as a subscript out of range
        return None
    shares = np.concatenate([_shares(gaps, kink, found, len(rows)) for kink in kinks], axis=1)
    known = shares[0] > 0
    fits = (shares[:, known] > 0).all(axis=1) & _finite(gaps, outputs, found, len(rows))
    gains = np.where(fits, shares[:, ~known].max(axis=1, initial=0.0), 0.0)
    enough = np.flatnonzero(gains * ENOUGH >= 1)
    best = enough[0] if enough.size else np.argmax(gains)
    return {**values, name: rows[best]} if gains[best] else None


def _shares(gaps: Gaps, kink: Kink, found: Mapping[str, Array], count: int) -> Array:
    """At each of several points, how much of the places is on either side of a kink."""
    gap = gaps.each(kink, dict(found), count)
    return np.stack([(gap < 0).mean(axis=1), (gap > 0).mean(axis=1)], axis=1)


def _finite(gaps: Gaps, outputs: Sequence[str], found: Mapping[str, Array], count: int) -> Array:
    """At which of several points all outputs are."""
    fits = np.ones(count, dtype=bool)
    for name in outputs:
        value = np.broadcast_to(found[name], (count, *gaps.layout.shapes[name]))
        fits &= np.isfinite(value).reshape(count, -1).all(axis=1)
    return fits
