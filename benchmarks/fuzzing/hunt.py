"""Many random programs, one after another; the first that disagrees is shrunk to a small spec."""

from __future__ import annotations

import json
import re
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, reject, seed, settings

from benchmarks.fuzzing.agreement import (
    Disagreement,
    Skipped,
    Tally,
    first_order,
    undecided,
)
from benchmarks.fuzzing.features import features
from benchmarks.fuzzing.products import second_order
from benchmarks.fuzzing.programs import programs
from benchmarks.fuzzing.writer import Case, parsed
from symgrad.errors import ProgramError
from symgrad.verify.arithmetic import FLOAT64, Digits, Numbers

Check = Callable[[Case, Tally, Numbers], None]
CHECKS: dict[str, Check] = {"gradients": first_order, "products": second_order}
"""What is derived: gradients, or products of the Hessian with a vector."""
MOST = {"gradients": 6, "products": 4}
"""Productions of a program: a product takes several times as long as its gradient."""


@dataclass(frozen=True)
class Failure:
    """The smallest program found that disagrees, and what it said."""

    case: Case
    kind: str
    message: str

    def text(self, path: Path) -> str:
        """The spec, and above it the commands that show what is wrong."""
        said = " ".join(self.message.split())[:400]
        told = {"sizes": self.case.sizes, "values": self.case.values, "kind": self.kind}
        lines = (said, f"symgrad check {path}", f"python -m benchmarks.fuzz --replay {path}")
        head = "".join(f"# {line}\n" for line in (*lines, json.dumps(told)))
        return f"{head}\n{self.case.text}"


def saved(text: str) -> tuple[Case, str]:
    """The case that a failure's file holds, and its kind."""
    head, _, body = text.partition("\n\n")
    told = json.loads(head.splitlines()[-1].removeprefix("# "))
    return Case(body, told["sizes"], told["values"]), told["kind"]


@dataclass
class Found:
    """What became of some programs."""

    ran: int = 0
    drawn: Counter[str] = field(default_factory=Counter)
    compared: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: Found) -> None:
        self.ran += other.ran
        for name in ("drawn", "compared", "skipped", "refused"):
            getattr(self, name).update(getattr(other, name))
        self.failures += other.failures

    def counted(self, case: Case, tally: Tally) -> None:
        self.ran += 1
        losses = parsed(case.text).losses
        primitives = set().union(*(features(loss.program) for loss in losses))
        several = {"several losses"} if len(losses) > 1 else set()
        self.drawn.update({*case.drawn, *primitives, *several, f"{case.values} values"})
        self.compared += tally.compared
        self.refused.update(re.sub(r"\d+", "N", line) for line in case.refused)


def judged(case: Case, check: Check) -> Tally:
    """What agrees. Errors: Disagreement; Skipped, with the reason."""
    tally = Tally()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check(case, tally, FLOAT64)
    except ProgramError as error:
        if "argmax runs over" in str(error):
            raise Skipped("an argmax over nothing") from error
        raise
    except Disagreement as error:
        if undecided(case):
            raise Skipped("rounding decides a branch") from error
        tally = Tally()
        check(case, tally, Digits(60))  # the evaluator's own rounding is no fault of the module
    return tally


def hunt(number: int, count: int, kind: str) -> Found:
    """`count` programs; after a failure, which is shrunk, the rest of them is left out."""
    found, seen = Found(), set[str]()
    last: list[tuple[Case, Exception]] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(programs(most=MOST[kind]))
    def one(case: Case) -> None:
        if not last and case.text in seen:
            reject()
        seen.add(case.text)
        try:
            tally = judged(case, CHECKS[kind])
        except Skipped as reason:
            if not last:
                found.skipped[str(reason)] += 1
            reject()
        except Exception as error:
            last.append((case, error))
            raise
        if not last:
            found.counted(case, tally)

    try:
        one()
    except Exception:
        if not last:
            raise
        case, error = last[-1]
        found.failures.append(Failure(case, kind, f"{type(error).__name__}: {error}"))
    return found
