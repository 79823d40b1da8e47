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
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from symgrad.errors import SpecError
from symgrad.verify.arguments import leaves_of
from symgrad.verify.arithmetic import Array
from symgrad.verify.blackbox import BlackSlope, black_slope, complex_step
from symgrad.verify.compare import unmatched
from symgrad.verify.diagnose import diagnosis
from symgrad.verify.differences import entry_direction, rademacher
from symgrad.verify.function import Function, Stopped, single_precision
from symgrad.verify.rounding import EPS, Line, Noise, noise_of
from symgrad.verify.single import in_single
from symgrad.verify.verdict import LOOSEST, Block, Conduct, Entry, Report, block_of

ROUNDING = 64.0  # units in the last place of the largest entry that a gradient may be off by
EPS32 = 2.0**-23
PART = 0.01  # of a step
NEARER = 1e-3  # steps so much smaller see something else

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
    noises: dict[bool, Noise] = field(default_factory=dict)

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
        found = self.slopes(name, steps) if total else []
        compared = [
            self.entry(gradient, place, by, slope, size, _Lines(self, name).unit(by))
            for place, by, slope in zip(places, steps, found, strict=True)
        ]
        methods = " and ".join(sorted({slope.method for slope in found})) or "at x"
        block = block_of(
            self.function.name, name, methods, total, compared,
            scale=max(abs(self.value), _Lines(self, name).span), note=diagnosis(compared, shape),
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

    def slopes(self, name: str, steps: Sequence[Array]) -> list[BlackSlope]:
        """Each along its own line, in nearer steps where wide ones do not tell, or meet a kink.

        How large slopes are is told by those found, never by the gradient under check: the first
        along a direction of all entries.
        """
        wide, near = _Lines(self, name), _Lines(self, name, near=True)
        found = []
        for by in (wide.signs, *steps):
            slope = wide.slope(by)
            if near.unit(by) < NEARER * wide.unit(by) and not wide.told(slope):
                closer = near.slope(by)
                slope = closer if near.told(closer) or closer.bound < slope.bound else slope
            found.append(slope)
        return found[1:]

    def noise(self, near: bool) -> Noise:
        """How far rounding moves f, along directions of all arrays together; found once."""
        if near not in self.noises:
            self.noises[near] = self._noise(near)
        return self.noises[near]

    def _noise(self, near: bool) -> Noise:
        rng = np.random.default_rng([self.asked.seed, 2])
        base = self.function.arrays
        signs = rademacher({name: array.shape for name, array in base.items()}, rng)
        by = {name: signs[name] * _reach(array, near) for name, array in base.items()}

        def at(t: complex) -> complex:
            return self.function.value({n: a + t.real * by[n] for n, a in base.items()})

        values = np.array([self.value, *(at(t).real for t in (-0.137, 0.137, 0.3))])
        part = EPS32 if single_precision(values) else EPS
        return Noise(max(part * abs(self.value), noise_of(at, self.value, 1.0)), part)

    def line(self, name: str, by: Array) -> Line:
        base = self.function.arrays

        def at(t: complex) -> complex:
            step = t if t.imag else t.real
            return self.function.value({**base, name: base[name] + step * by})

        return at

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


@dataclass(frozen=True)
class _Lines:
    """The slopes of one array along lines, in steps of 1, or of the size of x.

    near: whether the lesser of the two, or the greater.
    """

    search: _Search
    name: str
    near: bool = False
    found: list[tuple[float, int]] = field(default_factory=lambda: [(0.0, 1)])

    @cached_property
    def array(self) -> Array:
        return self.search.function.arrays[self.name]

    @cached_property
    def signs(self) -> Array:
        rng = np.random.default_rng([self.search.asked.seed, 1])
        return rademacher({self.name: self.array.shape}, rng)[self.name]

    def unit(self, by: Array) -> float:
        """The scale of what moves."""
        moved = np.abs(self.array[by != 0])
        moved = moved[moved != 0] if self.near else moved
        middle = float(np.median(moved)) if moved.size else 1.0
        return min(1.0, middle) if self.near else max(1.0, middle)

    def line(self, by: Array) -> Line:
        return self.search.line(self.name, by)

    @cached_property
    def noise(self) -> Noise:
        across = self.search.noise(self.near)
        here = noise_of(self.line(self.across), self.search.value, 1.0)
        return replace(across, here=max(across.here, here))

    @cached_property
    def across(self) -> Array:
        return self.signs * _reach(self.array, self.near)

    @cached_property
    def analytic(self) -> bool:
        """Whether f takes complex steps: found once."""
        tried = complex_step(self.line(self.across), self.search.value, self.noise.here, 1.0)
        return tried is not None and tried.bound <= 1e-6 * max(abs(tried.value), self.span)

    @cached_property
    def span(self) -> float:
        """How much f changes over a step: what a gradient of 0 is small against."""
        by = np.ones(self.array.shape)
        unit, value = self.unit(by), self.search.value
        line, changes = self.line(by), []
        for step in (unit, PART * unit):
            moved = [abs(line(t).real - value) / step for t in (-step, step)]
            changes.append(max((m for m in moved if math.isfinite(m)), default=0.0))
        return max(PART * abs(value) / unit, min(changes))

    @property
    def size(self) -> float:
        """How large the slopes of entries are, as far as they were found in these steps."""
        return max(slope / math.sqrt(count) for slope, count in self.found)

    def slope(self, by: Array) -> BlackSlope:
        """Noise is measured anew, for what shows along this line alone: of log(1 - p), p near 1."""
        line, unit, value = self.line(by), self.unit(by), self.search.value
        own = replace(self.noise, here=max(self.noise.here, noise_of(line, value, unit)))
        one = max(PART * abs(value) / unit, self.span / math.sqrt(self.array.size))
        found = black_slope(line, value, own, unit, self.size, one, self.analytic)
        if math.isfinite(found.bound):
            self.found.append((abs(found.value), int(np.count_nonzero(by))))
        return found

    def told(self, slope: BlackSlope) -> bool:
        return slope.sides is None and slope.bound <= LOOSEST * max(abs(slope.value), self.size)


def _reach(array: Array, near: bool) -> Array:
    """How far entries are moved: by 1, or by their size."""
    size = np.abs(array)
    return np.where(size == 0, 1.0, np.minimum(1.0, size) if near else np.maximum(1.0, size))


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
