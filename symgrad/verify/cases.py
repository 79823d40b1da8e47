"""What a check looks at: a function at one instance, and the numbers that it should give."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Literal

import numpy as np

from symgrad.algebra.program import Program
from symgrad.algebra.sizes import Size
from symgrad.verify import kinks, sides
from symgrad.verify.arithmetic import FLOAT64, Array, Digits, Numbers
from symgrad.verify.branches import Branch
from symgrad.verify.compare import Effort, Probe, probed, probed_alone
from symgrad.verify.evaluate import Result, evaluate
from symgrad.verify.factored import work
from symgrad.verify.inexact import EXACT
from symgrad.verify.instance import (
    CROWD,
    Instance,
    NoInstance,
    instance_at,
    many_instance,
    own_instance,
    own_work,
    small_instance,
)
from symgrad.verify.nearby import Direction, Point
from symgrad.verify.products import DAMPING, ORACLES, Along, damping_name
from symgrad.verify.subject import Request

DIGITS = Digits(60)
SMALL_EFFORT = Effort(entries=64, sampled=64, directions=4)
OWN_EFFORT = Effort(entries=8, sampled=1, directions=4)
KINKS_EFFORT = Effort(entries=12, sampled=4, directions=4)
PRODUCT_EFFORT = Effort(entries=12, sampled=4, directions=4)
SMALL_COST = 400_000  # box points of all 60-digit evaluations of one block
DIGITS_COST = 100_000  # box points of one 60-digit evaluation: a third of a second
SMALL_EACH = 100_000  # box points of one 60-digit evaluation along each direction of a block
OWN_EACH = 2_000_000  # the same, of float64
MANY_COST = 100_000  # box points of one float64 evaluation with many samples
PRODUCT_COST = 1_500  # box points of one 60-digit evaluation, where a gradient has float64
OWN_COST = 30_000_000  # box points of one float64 evaluation
Kind = Literal["small", "many", "kinks", "own"]
KINDS: tuple[Kind, ...] = ("small", "many", "kinks", "own")


@dataclass(frozen=True)
class Target:
    """One function under check.

    label:    the loss's name, or "forward".
    function: the function of the module.
    outputs:  the tensors whose values it returns; a loss stands first.
    wrt:      the gradients that it returns after them.
    paths:    where each parameter of a group is: q.W1.
    product:  what it returns along a direction in place of all of these; see verify.products.
    through:  the outputs that a product may go through.
    like:     the function whose gradient a direction is laid out as.
    """

    label: str
    function: str
    program: Program
    outputs: tuple[str, ...]
    wrt: tuple[str, ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)
    product: str = ""
    through: tuple[str, ...] = ()
    like: str = ""

    @property
    def returned(self) -> tuple[str, ...]:
        """The values that it returns."""
        return () if self.product and not self.is_slope else self.outputs

    @property
    def derivatives(self) -> tuple[str, ...]:
        """The blocks that differences are taken for: by each tensor in wrt, or loss_dot."""
        return (f"{self.outputs[0]}_dot",) if self.is_slope else self.wrt

    @property
    def is_slope(self) -> bool:
        return self.product == "jvp"


@dataclass(frozen=True)
class Case:
    """One target at one instance. What its oracle finds is found once, and serves any subject.

    gradient: the gradient program and its derivative tensor of each name in wrt, where known. It
              serves the scale S of rounding, never the number that is compared with.
    literals: which literal sizes were made smaller, `64 -> 5`.
    tangents: in the program of a product, the direction of each tensor in wrt.
    """

    target: Target
    instance: Instance
    numbers: Numbers
    effort: Effort
    seed: int
    gradient: tuple[Program, Mapping[str, str]] | None = None
    literals: str = ""
    tangents: Mapping[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        digits = "60 digits" if isinstance(self.numbers, Digits) else "float64"
        sizes = [f"{name}={value}" for name, value in self.instance.sizes.items()]
        shown = ", ".join([*sizes, self.literals] if self.literals else sizes)
        return f"{self.instance.name}, {digits}" + (f": {shown}" if shown else "")

    @property
    def at_kinks(self) -> bool:
        return self.instance.name.startswith(kinks.NAME)

    @property
    def same_sides(self) -> bool:
        """Whether float32 takes the sides that float64 does: of many samples one may not."""
        return not self.at_kinks and self.instance.name != CROWD

    @cached_property
    def point(self) -> Point:
        target, instance = self.target, self.instance
        loss, *others = target.outputs
        return Point(
            target.program,
            loss,
            instance.values,
            instance.sizes,
            self.numbers,
            instance.layout,
            tuple(others),
        )

    @cached_property
    def probes(self) -> Mapping[str, Probe]:
        """The finite differences of each block, or the second ones of a product."""
        target, point, effort, oracle = self.target, self.point, self.effort, None
        if target.product:
            oracle = partial(ORACLES[target.product], Along(point, self.along, target.through))
            sampled = min(effort.sampled, PRODUCT_EFFORT.sampled)
            effort = replace(effort, sampled=sampled, entries=PRODUCT_EFFORT.entries)
        if oracle is not None and target.is_slope:
            return {name: probed_alone(name, oracle) for name in target.derivatives}
        return {name: probed(point, name, effort, self.seed, oracle) for name in target.wrt}

    @cached_property
    def along(self) -> Direction:
        """The direction of a product: normal, of numbers that float32 holds."""
        rng = np.random.default_rng([self.seed, 7])
        shapes = {x: np.shape(self.instance.values[x]) for x in self.target.wrt}
        drawn = {x: rng.normal(size=shape) for x, shape in shapes.items()}
        return {x: np.asarray(by, np.float32).astype(float) for x, by in drawn.items()}

    @property
    def damping(self) -> Mapping[str, Array]:
        name = damping_name(self.target.program, self.target.product)
        return {name: np.asarray(DAMPING)} if name else {}

    @property
    def expected(self) -> Result:
        """The values of the outputs."""
        return self.point.base

    @cached_property
    def scales(self) -> Mapping[str, Array]:
        """S of every gradient entry, where a gradient program tells it and it is finite."""
        if self.gradient is None:
            return {}
        program, derivative = self.gradient
        along = {self.tangents[x]: by for x, by in self.along.items() if x in self.tangents}
        found = evaluate(
            program,
            {**self.instance.values, **along, **self.damping},
            self.instance.sizes,
            self.numbers,
            outputs=tuple(derivative.values()),
            magnitude=True,
        )
        names = dict(zip(self.target.derivatives, derivative.values(), strict=True))
        arrays = {n: found.magnitudes[dot].astype(float) for n, dot in names.items()}
        return {name: array for name, array in arrays.items() if np.all(np.isfinite(array))}

    @property
    def request(self) -> Request:
        role = {t.name: t.role for t in self.target.program.tensors}
        values = self.instance.values
        tensors = self.target.program.tensors
        return Request(
            self.target.function,
            {name: array for name, array in values.items() if role[name] == "param"},
            {n: a for n, a in values.items() if role[n] == "data"} | dict(self.damping),
            self.instance.sizes,
            self.target.derivatives,
            self.target.returned,
            self.target.paths,
            self.along if self.target.product else {},
            self.target.like,
            {t.name: float(t.default) for t in tensors if t.default is not None},
        )


def instances(
    target: Target,
    checks: Sequence[Size],
    seed: int,
    sizes: Mapping[str, int] | None,
    kinds: Collection[Kind] = KINDS,
) -> tuple[list[tuple[Instance, Numbers, Effort]], list[str], list[str]]:
    """Small sizes in 60 digits, and with many samples in float64; the spec's own in float64, and
    `sizes` in 60 digits if given; where the loss has kinks, points at them, at small sizes.

    Beside them: why one of them cannot be had, and what stands in for one that costs too much.
    """
    program, outputs = target.program, target.outputs
    found: list[tuple[Instance, Numbers, Effort]] = []
    missing: list[str] = []
    notes: list[str] = []
    further: list[tuple[Instance, Numbers, Effort]] = []
    try:
        if {"small", "many", "kinks"} & {*kinds}:
            small = small_instance(program, outputs, checks, seed, target.wrt)
            further = _crowded(target, checks, small, seed) if "many" in kinds else []
            many = [one for one, *_ in further]
            further += _kinked(target, small, seed, many) if "kinks" in kinds else []
        if "small" in kinds:
            found.append((small, _numbers(program, small), _effort(program, small)))
        if sizes is not None:
            given = instance_at(program, outputs, sizes, seed)
            found.append((given, DIGITS, _effort(program, given)))
    except NoInstance as reason:
        missing.append(str(reason))
    if "own" not in kinds:
        return [*found, *further], missing, notes
    try:
        own = own_instance(program, outputs, checks, seed, OWN_COST)
        found.append((own, FLOAT64, affordable(program, own, OWN_EFFORT, OWN_EACH)))
        if (asked := own_work(program)) > OWN_COST:
            notes.append(
                f"{target.label}: not checked at its own sizes, where one evaluation takes "
                f"{asked:.1e} points (limit {OWN_COST:.0e}); checked at {own.name} in their place"
            )
    except NoInstance as reason:
        missing.append(str(reason))
    return [*found, *further], missing, notes


def _crowded(
    target: Target, checks: Sequence[Size], small: Instance, seed: int
) -> list[tuple[Instance, Numbers, Effort]]:
    """The small instance with many samples, where a loss has a batch and they cost little."""
    program, outputs = target.program, target.outputs
    if not target.wrt:
        return []
    many = many_instance(program, outputs, checks, small, seed, MANY_COST)
    if many is None:
        return []
    moved = sides.on_both(program, outputs, many)
    return [(moved, FLOAT64, affordable(program, moved, OWN_EFFORT, OWN_EACH))]


def branching(
    target: Target, checks: Sequence[Size], seed: int, branches: Sequence[Branch]
) -> tuple[list[tuple[Instance, Numbers, Effort]], list[str]]:
    """In float64, sizes that reach each branch with a remainder; and why one cannot be reached."""
    found: list[tuple[Instance, Numbers, Effort]] = []
    missing: list[str] = []
    for branch in branches:
        try:
            large = branch.at(target.program)
            own = own_instance(large, target.outputs, checks, seed, OWN_COST)
            if own.sizes[branch.size] <= branch.above:
                raise NoInstance(f"one evaluation takes more than {OWN_COST:.0e} points")
        except NoInstance as reason:
            missing.append(f"BRANCHES lists {branch.text}, which was not reached: {reason}")
            continue
        reached = replace(own, name=f"at {branch.text}")
        found.append((reached, FLOAT64, affordable(large, reached, OWN_EFFORT, OWN_EACH)))
    return found, missing


def _kinked(
    target: Target, small: Instance, seed: int, many: Sequence[Instance]
) -> list[tuple[Instance, Numbers, Effort]]:
    """The small instance moved to the kinks of its loss; none where there are none."""
    program = target.program
    if not target.wrt or _numbers(program, small) is not DIGITS:
        return []
    placed = kinks.at_kinks(program, target.outputs, target.wrt, small, seed, many)
    return [(one, EXACT, affordable(program, one, KINKS_EFFORT, SMALL_EACH)) for one in placed]


def numbers_of(target: Target, instance: Instance, numbers: Numbers) -> Numbers:
    """60 digits for a product too that costs little: z may stand at an edge, as p = 1 of log(p)."""
    cheap = work(target.program, instance.sizes) <= PRODUCT_COST
    return DIGITS if target.product and cheap and numbers is FLOAT64 else numbers


def _numbers(program: Program, instance: Instance) -> Numbers:
    """60 digits, unless literal sizes that cannot shrink make them too slow."""
    return DIGITS if work(program, instance.sizes) <= DIGITS_COST else FLOAT64


def _effort(program: Program, instance: Instance) -> Effort:
    return affordable(program, instance, SMALL_EFFORT, SMALL_EACH)


def affordable(program: Program, instance: Instance, effort: Effort, each: int) -> Effort:
    """Fewer entries where each costs much, and at last none; fewer directions, at least one.

    each: the points that all evaluations along the directions of one block may have.
    """
    points = max(1, work(program, instance.sizes))
    entries = min(effort.entries, max(4, SMALL_COST // (2 * points)))
    directions = min(effort.directions, max(1, each // points))
    return Effort(entries, min(effort.sampled, entries if each >= points else 0), directions)
