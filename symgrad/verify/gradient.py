"""check_gradient: anybody's gradient against finite differences of anybody's function.

The function is a black box: it is called near x, in float64 and where it allows that with complex
numbers. `blackbox` says what its slopes are and how far they may be off; this file asks for them,
entry by entry or along +1/-1 directions, and holds what the gradient says against them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from symgrad.errors import SpecError
from symgrad.verify.arguments import leaves_of
from symgrad.verify.arithmetic import Array
from symgrad.verify.blackbox import BlackSlope
from symgrad.verify.compare import unmatched
from symgrad.verify.diagnose import diagnosis
from symgrad.verify.differences import entry_direction, rademacher
from symgrad.verify.function import Function, Stopped, single_precision
from symgrad.verify.lines import EPS32, Lines, Point, slopes
from symgrad.verify.rounding import EPS
from symgrad.verify.single import in_single
from symgrad.verify.verdict import LOOSEST, Block, Conduct, Entry, Report, block_of

ROUNDING = 64.0  # units in the last place of the largest entry that a gradient may be off by

HELD = (
    "f was differentiated through all that depends on its arguments; what is meant to be held"
    " constant (a target, an advantage, an old policy) is named with hold=, and f takes it after x"
)
"""What a FAIL may mean that has no other explanation."""


def check_gradient(
    f: Callable[..., Any],
    grad: Any,
    /,
    *x: Any,
    hold: Any = None,
    args: Any = (),
    entries: int = 64,
    directions: int = 8,
    tolerance: float = 1e-8,
    seed: int = 0,
) -> Report:
    """|grad - df/dx| <= tolerance*|df/dx| + rounding + what the finite difference may be off by.

    f:          f(*x) -> a number; or (a number, the gradient), with grad=True.
    grad:       grad(*x) -> the gradient, an array of x's shape, or one for each x in a tuple; or
                True; or the gradient at x itself.
    x:          the arrays to differentiate by; a dict or list of arrays is one argument.
    hold:       what f takes after x and is held constant: a value, or hold(*x), which is called at
                x and never again. grad gets it too where it asks for it.
    args:       more arguments of f and grad, after those, as SciPy's minimize has them: a tuple, or
                the only one.
    entries:    an array of so many entries is checked one by one. Of a larger one a quarter as many
                are, and every entry along so many `directions` of +1 and -1.

    PASS, FAIL or INCONCLUSIVE, as a Report. At a kink every value between the one-sided slopes is
    right. Where f is noisy, has kinks at every scale, or no value, the verdict is INCONCLUSIVE.
    """
    asked = _Asked(entries, directions, tolerance, seed)
    leaves = leaves_of(f, x)
    extra = tuple(args) if isinstance(args, tuple | list) else (args,)
    function = Function(f, grad, x, leaves, hold, extra)
    with _quiet():
        try:
            value, gradients = function.base()
            search = _Search(function, value, asked)
            blocks = [search.block(leaf.name, gradients[leaf.name]) for leaf in leaves]
            function.steady(value, "after it was called at other points")
        except Stopped as stopped:
            rule = Conduct(function.name, stopped.claim, stopped.verdict, stopped.reason)
            return Report(function.name, (), (rule,))
        conduct = [*function.conduct(), *in_single(function, gradients)]
    # A shape, a sign or a transpose is no stop, nor is what changes its own arguments.
    open_ = [b for b in blocks if b.verdict == "FAIL" and b.worst and ";" not in b.note]
    broken = any(rule.verdict == "FAIL" for rule in conduct)
    notes = (HELD,) if open_ and hold is None and not broken else ()
    return Report(function.name, tuple(blocks), tuple(conduct), notes)


@dataclass(frozen=True)
class _Asked:
    """How much to compare, and how closely."""

    entries: int
    directions: int
    tolerance: float
    seed: int

    def __post_init__(self) -> None:
        least = {"entries": 1, "directions": 1, "seed": 0}
        for name, low in least.items():
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < low:
                raise SpecError(
                    f"check_gradient: {name} came as {value!r}, expected a whole number"
                    f" of at least {low}"
                )
        if not 0 <= self.tolerance < LOOSEST:
            raise SpecError(
                f"check_gradient: tolerance came as {self.tolerance!r}, expected a part of the"
                f" slope from 0 to {LOOSEST:g}: a looser check says nothing"
            )


@dataclass(frozen=True)
class _Search:
    """The slopes of one function at one point."""

    function: Function
    value: float
    asked: _Asked

    @cached_property
    def point(self) -> Point:
        return Point(self.function, self.value, self.asked.seed)

    def block(self, name: str, gradient: Array | str) -> Block:
        """One array: some of its entries, or all, and directions over all of them."""
        shape = self.function.arrays[name].shape
        total = math.prod(shape)
        wrong = gradient if isinstance(gradient, str) else _misshapen(gradient, shape)
        if isinstance(gradient, str) or wrong:
            return unmatched(self.function.name, name, "at x", total, "", wrong)
        places, steps = self.probes(name, total, shape)
        finite = np.abs(gradient[np.isfinite(gradient)])
        size = float(finite.max(initial=0.0))
        lines = Lines(self.point, name)
        found = slopes(lines, steps) if total else []
        compared = [
            self.entry(gradient, place, by, slope, size, lines.unit(by))
            for place, by, slope in zip(places, steps, found, strict=True)
        ]
        methods = " and ".join(sorted({slope.method for slope in found})) or "at x"
        block = block_of(
            self.function.name, name, methods, total, compared,
            scale=max(abs(self.value), lines.span), note=diagnosis(compared, shape),
        )  # fmt: skip
        return _doubtful(block, compared, found, size)

    def probes(
        self, name: str, total: int, shape: tuple[int, ...]
    ) -> tuple[list[tuple[int, ...] | None], list[Array]]:
        rng = np.random.default_rng([self.asked.seed, *name.encode()])
        all_of_them = total <= self.asked.entries
        most = total if all_of_them else min(total, max(1, self.asked.entries // 4))
        chosen = range(total) if all_of_them else np.sort(rng.choice(total, most, replace=False))
        indices = [tuple(int(i) for i in np.unravel_index(k, shape)) for k in chosen]
        places: list[tuple[int, ...] | None] = [*indices]
        steps = [entry_direction(name, shape, index)[name] for index in indices]
        if not all_of_them:
            places += [None] * self.asked.directions
            steps += [rademacher({name: shape}, rng)[name] for _ in range(self.asked.directions)]
        return places, steps

    def entry(
        self,
        gradient: Array,
        place: tuple[int, ...] | None,
        by: Array,
        slope: BlackSlope,
        size: float,
        unit: float,
    ) -> Entry:
        """At a kink: against the nearest slope between the one-sided ones."""
        exact = float(np.sum(by * gradient) if place is None else gradient[place])
        numeric = slope.value
        if slope.sides is not None and math.isfinite(exact):
            low, high = sorted(slope.sides)
            numeric = min(max(exact, low), high)
        last = EPS32 if single_precision(gradient) else EPS
        many = 4 * math.sqrt(gradient.size) if place is None else 1.0
        least = EPS * abs(self.value) / unit
        rounding = ROUNDING * last * max(size, least) * many
        bound = self.asked.tolerance * abs(slope.value) + rounding + slope.bound
        return Entry(place, exact, numeric, abs(exact - numeric), bound, slope.sides)


def _doubtful(
    block: Block, compared: Sequence[Entry], found: Sequence[BlackSlope], size: float
) -> Block:
    """What PASS must not say, and why INCONCLUSIVE is said."""
    if compared and block.verdict != "FAIL" and block.kinks == block.compared:
        note = "every entry compared is at a kink; check at another point too"
        return replace(block, verdict="INCONCLUSIVE", note=note)
    if block.verdict != "INCONCLUSIVE" or not compared:
        return block
    if any(not math.isfinite(slope.value) for slope in found):
        return replace(block, note="f has no value near x, or none on one side of it")
    loose = sum(e.bound > LOOSEST * max(abs(e.numeric), size) for e in compared)
    why = "f is noisy, as in float32, or has kinks or jumps at every scale near x"
    return replace(block, note=f"no step converges at {loose} of {len(compared)}: {why}")


def _misshapen(gradient: Array, shape: tuple[int, ...]) -> str:
    if gradient.shape == shape:
        return ""
    return f"the gradient has shape {gradient.shape}, expected {shape}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Overflow far from x is no news; an imaginary part that is dropped is an error."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        yield
