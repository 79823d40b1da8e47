"""What became of checks: right gradients, and faults planted beside them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.alarms.faults import FAULTS, Fault
from symgrad.verify.verdict import Report

Check = Callable[[int, Fault | None], Report | None]
"""A seeded check of a right gradient, or with a fault planted; None where the fault is no fault."""

PLANTED = 8
"""Beside every so many checks of a kind a fault is planted."""
MOST = 0.01
"""The part that may be INCONCLUSIVE, and is less."""


@dataclass(frozen=True)
class Kind:
    """share: how many of 10,000 checks."""

    group: str
    name: str
    share: int
    check: Check


@dataclass(frozen=True)
class Outcome:
    """A check of one kind. fault: what was planted, or "" where the gradient is right."""

    group: str
    kind: str
    seed: int
    fault: str
    verdict: str
    reason: str = ""
    seconds: float = 0.0


def outcomes(kind: Kind, seeds: Sequence[int]) -> list[Outcome]:
    """Checks at these seeds, and planted faults beside some of them."""
    found = []
    for seed in seeds:
        found.append(outcome(kind, seed, ""))
        if seed % PLANTED == 0:
            found.append(outcome(kind, seed, list(FAULTS)[seed // PLANTED % len(FAULTS)]))
    return found


def outcome(kind: Kind, seed: int, fault: str) -> Outcome:
    begun = time.process_time()
    report = kind.check(seed, FAULTS[fault] if fault else None)
    seconds = time.process_time() - begun
    if report is None:  # a gradient of 0 that is multiplied is as right as before
        return Outcome(kind.group, kind.name, seed, fault, "no fault", "", seconds)
    why = "" if report.verdict == "PASS" else reason(report)
    return Outcome(kind.group, kind.name, seed, fault, report.verdict, why, seconds)


def reason(report: Report) -> str:
    """The first line that says why it is not a PASS."""
    blocks = [b.note or f"{b.name}: {b.said[-1]}" for b in report.blocks if b.verdict != "PASS"]
    rules = [f"{r.claim}: {r.note}" for r in report.conduct if r.verdict != "PASS"]
    return (*blocks, *rules, *report.notes, "nothing was compared")[0]


def counts(found: Sequence[Outcome]) -> list[str]:
    right = Counter(o.verdict for o in found if not o.fault)
    wrong = Counter(o.verdict for o in found if o.fault and o.verdict != "no fault")
    figures = (
        right.total(), right["PASS"], right["FAIL"], right["INCONCLUSIVE"],
        wrong.total(), wrong["FAIL"], wrong["INCONCLUSIVE"], wrong["PASS"],
    )  # fmt: skip
    return [*map(str, figures), f"{sum(o.seconds for o in found):.0f}"]


def holds(found: Sequence[Outcome]) -> bool:
    """None FAIL, fewer than 1% are INCONCLUSIVE, and no fault passes."""
    right = Counter(o.verdict for o in found if not o.fault)
    undecided = right["INCONCLUSIVE"] < MOST * right.total()
    passed = any(o.fault and o.verdict == "PASS" for o in found)
    return right.total() > 0 and not right["FAIL"] and undecided and not passed
