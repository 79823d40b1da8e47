"""What a wrong block looks like: a factor, a sign, a transpose; as far as its entries tell."""

from __future__ import annotations

import math
from collections.abc import Sequence

from symgrad.verify.verdict import Entry

ALIKE = 1e-6
"""Two numbers this close, relatively, are taken as the same by a diagnosis."""


def diagnosis(entries: Sequence[Entry], shape: tuple[int, ...]) -> str:
    """One phrase for the reader of a FAIL; empty where nothing is wrong."""
    wrong = [e for e in entries if math.isfinite(e.bound) and not e.error <= e.bound]
    if not wrong:
        return ""
    several = len(entries) > 1
    said = [f"{len(wrong)} of {len(entries)} comparisons are wrong" if several else "it is wrong"]
    odd = sum(not math.isfinite(entry.exact) for entry in wrong)
    if odd:
        said.append(f"{odd} of them not finite")
    elif all(entry.exact == 0 for entry in entries):
        said.append("every entry is 0")
    elif (factor := _factor(entries)) not in (None, 1):
        same = "the opposite sign of" if factor == -1 else f"{factor:.6g} times"
        said.append(f"every entry is {same} the finite difference")
    elif _transposed(entries, shape):
        said.append("it is the transpose of what it should be")
    return "; ".join(said)


def _factor(entries: Sequence[Entry]) -> float | None:
    """The one factor between what came and what should have come, where there is one."""
    largest = max(entries, key=lambda entry: abs(entry.numeric))
    if not math.isfinite(largest.numeric) or largest.numeric == 0 or len(entries) < 2:
        return None
    factor = largest.exact / largest.numeric
    near = round(factor, 6)
    factor = near if math.isclose(near, factor, rel_tol=ALIKE) else factor
    if all(_alike(entry.exact, factor * entry.numeric, largest.exact) for entry in entries):
        return factor
    return None


def _transposed(entries: Sequence[Entry], shape: tuple[int, ...]) -> bool:
    """Whether every entry [.., i, j] is what [.., j, i] should be."""
    if len(shape) < 2 or shape[-1] != shape[-2]:
        return False
    numeric = {entry.index: entry.numeric for entry in entries if entry.index is not None}
    largest = max(abs(value) for value in numeric.values()) if numeric else 0.0
    pairs = [
        (entry.exact, numeric.get((*entry.index[:-2], entry.index[-1], entry.index[-2])))
        for entry in entries
        if entry.index is not None
    ]
    return all(there is not None and _alike(here, there, largest) for here, there in pairs)


def _alike(a: float, b: float, scale: float) -> bool:
    return abs(a - b) <= ALIKE * max(abs(b), 1e-3 * abs(scale))
