"""What a check found, as plain data: entries, blocks, rules of conduct, and three verdicts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE"]
EXIT_CODES: dict[Verdict, int] = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}
LOOSEST = 1e-3
"""A bound above this part of a block's scale says nothing."""

KINKS_SHOWN = 3
"""Of each block; all are counted."""


@dataclass(frozen=True)
class Entry:
    """One comparison: error = |exact - numeric| <= bound.

    index:   of an entry; None for a direction of +1 and -1 over the whole block.
    exact:   what the code under check returned.
    numeric: the finite difference.
    bound:   tol*|numeric| + 64*eps*S + what the finite difference may be off by.
    sides:   the one-sided slopes, at a kink.
    """

    index: tuple[int, ...] | None
    exact: float
    numeric: float
    error: float
    bound: float
    sides: tuple[float, float] | None = None

    def verdict(self, scale: float) -> Verdict:
        """Against a block whose entries are as large as `scale`."""
        if not math.isfinite(self.numeric) or not math.isfinite(self.bound):
            return "INCONCLUSIVE"
        if not self.error <= self.bound:
            return "FAIL"
        return "PASS" if self.bound <= LOOSEST * scale else "INCONCLUSIVE"

    @property
    def badness(self) -> float:
        """How many times the bound the error is; what cannot be told counts as 1."""
        if not math.isfinite(self.numeric) or not math.isfinite(self.bound):
            return 1.0
        if not math.isfinite(self.error):
            return math.inf
        return self.error / self.bound if self.bound else (math.inf if self.error else 0.0)


@dataclass(frozen=True)
class Block:
    """The gradient by one tensor, or the value itself, at one instance.

    name:     the tensor; the loss itself where its value is compared.
    instance: the sizes at which it was checked, in words.
    total:    how many entries the block has.
    entries, directions: how many of either were compared.
    kinks:    at how many of them the loss has a kink.
    worst:    the comparison with the largest error against its bound.
    equation: what defines the block, as text.
    at_kinks: the first few comparisons at kinks, with their one-sided slopes.
    """

    loss: str
    name: str
    instance: str
    total: int
    entries: int
    directions: int
    kinks: int
    worst: Entry | None
    verdict: Verdict
    equation: str = ""
    note: str = ""
    at_kinks: tuple[Entry, ...] = ()

    @property
    def compared(self) -> int:
        return self.entries + self.directions

    @property
    def place(self) -> str:
        """Where the worst entry stands: `W[2,0]`."""
        return "-" if self.worst is None else self.place_of(self.worst)

    def place_of(self, entry: Entry) -> str:
        """Where an entry stands: `W[2,0]`."""
        if entry.index is None:
            return "a direction"
        index = ",".join(map(str, entry.index))
        return f"{self.name}[{index}]" if index else self.name

    @property
    def kinks_said(self) -> str:
        """`x[0]: slopes 0 and 1, gradient 0`, for the first few."""
        shown = [
            f"{self.place_of(e)}: slopes {e.sides[0]:.6g} and {e.sides[1]:.6g},"
            f" gradient {e.exact:.6g}"
            for e in self.at_kinks
            if e.sides is not None
        ]
        more = self.kinks - len(shown)
        return "; ".join([*shown, f"and {more} more"] if more else shown)

    @property
    def said(self) -> list[str]:
        """What is wrong, the worst entry, and the equation behind it: a line each."""
        lines = [self.note] if self.note else []
        if self.worst is not None:
            entry = self.worst
            line = f"{self.place}: exact {entry.exact!r}, numeric {entry.numeric!r}"
            line += f", error {entry.error:.3g}, bound {entry.bound:.3g}"
            if entry.sides:
                line += f"; a kink, with slopes {entry.sides[0]!r} and {entry.sides[1]!r}"
            lines.append(line)
        return [*lines, f"from {self.equation}"] if self.equation else lines


@dataclass(frozen=True)
class Conduct:
    """A rule that the code keeps beside the numbers: `inputs are unmodified`."""

    loss: str
    claim: str
    verdict: Verdict
    note: str = ""


@dataclass(frozen=True)
class Curve:
    """How far the difference quotient of one entry is from what the code returned, step by step.

    place: the entry; instance: the sizes, in words; numbers: what the differences are taken in.
    """

    place: str
    instance: str
    numbers: str
    steps: tuple[float, ...]
    errors: tuple[float, ...]


@dataclass(frozen=True)
class Report:
    """A whole check.

    notes:  what was not checked, and why.
    curves: error against step of the worst entries, where it was asked for.
    """

    subject: str
    blocks: tuple[Block, ...]
    conduct: tuple[Conduct, ...] = ()
    notes: tuple[str, ...] = ()
    curves: tuple[Curve, ...] = ()

    def __str__(self) -> str:
        """The verdict, and what did not pass and why."""
        lines = [f"{self.verdict} {self.subject}: {self.summary}"]
        for block in self.blocks:
            if block.verdict != "PASS":
                lines.append(f"{block.verdict} {block.name} ({block.instance})")
                lines += [f"  {line}" for line in block.said]
        lines += [f"kinks of {b.name}: {b.kinks_said}" for b in self.blocks if b.at_kinks]
        broken = [rule for rule in self.conduct if rule.verdict != "PASS"]
        lines += [f"{rule.verdict} {rule.claim}: {rule.note}" for rule in broken]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])

    @property
    def verdict(self) -> Verdict:
        """FAIL if anything failed; PASS only if something was compared and nothing is in doubt."""
        found = [*(b.verdict for b in self.blocks), *(c.verdict for c in self.conduct)]
        verdict = worst_of(found)
        return "INCONCLUSIVE" if verdict == "PASS" and not self.blocks else verdict

    @property
    def at_kinks(self) -> int:
        """How many comparisons stood at a kink, where the declared convention decides."""
        return sum(block.kinks for block in self.blocks)

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.verdict]

    @property
    def failures(self) -> tuple[Block, ...]:
        return tuple(block for block in self.blocks if block.verdict == "FAIL")

    @property
    def summary(self) -> str:
        """What was checked, or what is wrong and where, in one line."""
        found = [b for b in self.blocks if b.verdict == self.verdict != "PASS"]
        broken = [c for c in self.conduct if c.verdict == self.verdict != "PASS"]
        several = len({b.loss for b in self.blocks}) > 1
        names = list(dict.fromkeys(f"{b.loss}: {b.name}" if several else b.name for b in found))
        if names:
            more = f" and {len(broken)} rules of conduct" if broken else ""
            return f"{', '.join(names)}{more}"
        if broken:
            return ", ".join(dict.fromkeys(c.claim for c in broken))
        entries = sum(b.entries for b in self.blocks)
        directions = sum(b.directions for b in self.blocks)
        part = "; part of it was not checked, see the notes" if self.notes else ""
        kinks = f", {self.at_kinks} at kinks" if self.at_kinks else ""
        counted = f"{len(self.blocks)} blocks, {entries} entries, {directions} directions"
        return f"{counted}{kinks}{part}"

    def to_json(self) -> str:
        """One JSON object; a number that is not finite is a string."""
        head = {"verdict": self.verdict, "exit_code": self.exit_code, "summary": self.summary}
        data = {**head, "at_kinks": self.at_kinks, **asdict(self)}
        return json.dumps(_plain(data), indent=2, allow_nan=False)


def worst_of(verdicts: Iterable[Verdict]) -> Verdict:
    """FAIL, else INCONCLUSIVE, else PASS; of nothing: INCONCLUSIVE."""
    found = set(verdicts)
    if "FAIL" in found:
        return "FAIL"
    return "PASS" if found == {"PASS"} else "INCONCLUSIVE"


def block_of(
    loss: str,
    name: str,
    instance: str,
    total: int,
    entries: Iterable[Entry],
    *,
    scale: float | None = None,
    vanishes: bool = False,
    equation: str = "",
    note: str = "",
) -> Block:
    """The block that some comparisons make; none is INCONCLUSIVE.

    scale: what bounds are measured by where every entry is 0; where it `vanishes`, too.
    """
    found = tuple(entries)
    size = max((abs(v) for e in found for v in (e.exact, e.numeric) if math.isfinite(v)), default=0)
    size = max(size, scale if scale is not None and (size == 0 or vanishes) else 0)
    if found and size == (scale or 0) and all(e.exact == 0 for e in found):
        note = note or "every entry compared is 0"
    elif found and vanishes:
        note = note or "what contributes to it cancels"
    return Block(
        loss=loss,
        name=name,
        instance=instance,
        total=total,
        entries=sum(e.index is not None for e in found),
        directions=sum(e.index is None for e in found),
        kinks=sum(e.sides is not None for e in found),
        worst=max(found, key=lambda e: e.badness, default=None),
        verdict=worst_of(e.verdict(size) for e in found),
        equation=equation,
        note=note if found else "no entry was compared",
        at_kinks=tuple(e for e in found if e.sides is not None)[:KINKS_SHOWN],
    )


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
