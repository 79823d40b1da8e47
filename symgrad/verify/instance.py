"""Instances of a program: sizes to check it at, and seeded ordinary inputs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle

import numpy as np

from symgrad.algebra.access import Access
from symgrad.algebra.program import Program, Tensor
from symgrad.algebra.sizes import Size
from symgrad.errors import ProgramError
from symgrad.verify.arithmetic import Array
from symgrad.verify.evaluate import evaluate
from symgrad.verify.factored import work
from symgrad.verify.graph import downstream
from symgrad.verify.inputs import checked_sizes
from symgrad.verify.points import Layout

SMALL = (3, 2, 4)
FREE = (7, 8, 6, 9, 5)  # for the free sizes beside a spec's own
FEW = (2, 3)  # where an evaluation costs much
MUCH = 1_000_000
MUCH_IN_DIGITS = 20_000
MANY = 61
CROWD = "many samples"
ATTEMPTS = 100
REDRAWS = 10
Names = str | Sequence[str]
DRAWS = ("ordinary", "data between 0 and 1", "everything between 0 and 1")


class NoInstance(Exception):
    """Why no sizes and inputs could be found."""


@dataclass(frozen=True)
class Instance:
    """Sizes and inputs at which the loss is finite. drawn: how the inputs were drawn.

    layout: of the program that it is an instance of.
    """

    name: str
    sizes: Mapping[str, int]
    values: Mapping[str, Array]
    drawn: str
    layout: Layout


def small_instance(
    program: Program, outputs: Names, checks: Sequence[Size], seed: int, wrt: Sequence[str] = ()
) -> Instance:
    """Every size that an input carries as an axis, shrunk to 2..4, distinct where possible.

    Of a few draws, that at which the most of `wrt` have a say in the first output: with three
    hidden units, all relus of a layer are soon off, and zeros alone would be compared.
    """
    fixed = {name: value for name, value in program.sizes if value is not None}
    for name in _axes(program):
        fixed.pop(name, None)
    names = [name for name, _ in program.sizes if name not in fixed]
    rng = np.random.default_rng([seed, 1])
    usual = {**fixed, **dict(zip(names, cycle(SMALL), strict=False))}
    few = SMALL if work(program, usual) <= MUCH_IN_DIGITS else FEW
    first = _first(program, outputs, checks, "small", fixed, _choices(names, few, rng), rng)
    return _liveliest(program, outputs, first, wrt, rng)


def _liveliest(
    program: Program, outputs: Names, first: Instance, wrt: Sequence[str], rng: np.random.Generator
) -> Instance:
    """The first draw where each of `wrt` has a say, or that where most have."""
    best, mute = first, _mute(program, outputs, first, wrt, rng)
    for _ in range(REDRAWS):
        if not mute:
            break
        values = draw(program, first.sizes, first.drawn, rng)
        other = replace(first, values=values)
        left = _mute(program, outputs, other, mute, rng)
        if len(left) < len(mute):
            left += _mute(program, outputs, other, [x for x in wrt if x not in mute], rng)
        if len(left) < len(mute):
            best, mute = other, left
    return best


def _mute(
    program: Program, outputs: Names, at: Instance, wrt: Sequence[str], rng: np.random.Generator
) -> list[str]:
    """Those of `wrt` of which a small change changes the first output nowhere; all of them where
    an output is not finite.
    """
    wanted = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    layout = at.layout
    here = evaluate(program, at.values, at.sizes, outputs=wanted, layout=layout).values
    if not all(np.all(np.isfinite(here[name])) for name in wanted):
        return list(wrt)
    found = []
    for name in wrt:
        changed = at.values[name] + 1e-4 * rng.normal(size=np.shape(at.values[name]))
        moving = downstream([name], layout.reads(()))
        there = evaluate(
            program,
            {**at.values, name: changed},
            at.sizes,
            given={n: a for n, a in here.items() if n in layout.writers and n not in moving},
            outputs=wanted[:1],
            layout=layout,
        )
        if np.array_equal(there.values[wanted[0]], here[wanted[0]]):
            found.append(name)
    return found


def many_instance(
    program: Program,
    outputs: Names,
    checks: Sequence[Size],
    small: Instance,
    seed: int,
    limit: float = math.inf,
) -> Instance | None:
    """The small sizes, but for many samples: some take each side of a branch. None without a batch,
    and where one evaluation has more points than `limit`."""
    batch = batch_of(program)
    if batch is None:
        return None
    sizes = {**small.sizes, batch: MANY}
    if work(program, sizes) > limit:
        return None
    rng = np.random.default_rng([seed, 6])
    try:
        return _first(program, outputs, checks, CROWD, {}, iter([sizes]), rng)
    except NoInstance:
        return None


def batch_of(program: Program) -> str | None:
    """The free size that leads most inputs, if any does."""
    leading = [t.shape[0] for t in program.tensors if t.role == "data" and t.shape]
    free = [name for name, value in program.sizes if value is None and Size.of(name) in leading]
    return max(free, key=lambda name: leading.count(Size.of(name)), default=None)


def own_instance(
    program: Program,
    outputs: Names,
    checks: Sequence[Size],
    seed: int,
    limit: float = math.inf,
) -> Instance:
    """The spec's own sizes; the free ones 7, 8, ...

    Where one evaluation has more points than `limit`, the greatest sizes are halved until it has
    not, and the instance is called `reduced sizes`.
    """
    fixed, names = _own(program)
    few = FREE if own_work(program) <= MUCH else FEW
    name, free = "own sizes", sorted(_axes(program) & {*fixed})
    while (points := own_work(program, fixed)) > limit:
        if all(fixed[n] == 1 for n in free):
            raise NoInstance(f"one evaluation takes {points:.1e} points, more than {limit:.0e}")
        fixed[max(free, key=fixed.__getitem__)] //= 2
        name = "reduced sizes"
    rng = np.random.default_rng([seed, 2])
    return _first(program, outputs, checks, name, fixed, _choices(names, few, rng), rng)


def own_work(program: Program, fixed: Mapping[str, int] | None = None) -> int:
    """What one evaluation costs at a spec's own sizes, or with `fixed` in their place."""
    own, names = _own(program)
    sizes = {**own, **(fixed or {}), **dict(zip(names, cycle(FREE), strict=False))}
    return work(program, sizes)


def _own(program: Program) -> tuple[dict[str, int], list[str]]:
    """The sizes that have a default, and the names of those that have none."""
    fixed = {name: value for name, value in program.sizes if value is not None}
    return fixed, [name for name, value in program.sizes if value is None]


def instance_at(program: Program, outputs: Names, sizes: Mapping[str, int], seed: int) -> Instance:
    """These sizes."""
    rng = np.random.default_rng([seed, 3])
    return _first(program, outputs, (), "given sizes", {}, iter([sizes]), rng)


def _axes(program: Program) -> frozenset[str]:
    """The sizes that can be read off an input's shape, so that they can be chosen."""
    inputs = (t for t in program.tensors if t.role != "computed")
    return frozenset(n for t in inputs for s in t.shape for n in s.names if s == Size.of(n))


def _choices(
    names: Sequence[str], values: Sequence[int], rng: np.random.Generator
) -> Iterator[Mapping[str, int]]:
    """The values in order, then at random, then at random with more of them."""
    yield {name: values[k % len(values)] for k, name in enumerate(names)}
    for attempt in range(ATTEMPTS if names else 0):
        pool = [*values, *range(max(values) + 1, max(values) + 1 + attempt // 10)]
        order = [pool[k] for k in rng.permutation(len(pool))]
        yield {name: order[k % len(order)] for k, name in enumerate(names)}


def _first(
    program: Program,
    outputs: Names,
    checks: Sequence[Size],
    name: str,
    fixed: Mapping[str, int],
    choices: Iterator[Mapping[str, int]],
    rng: np.random.Generator,
) -> Instance:
    """The first sizes and inputs at which every range is proper and the outputs are finite."""
    wanted = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    reason = f"{name}: no sizes give every axis and range at least one place"
    for chosen in choices:
        sizes = {**fixed, **chosen}
        if not fits(program, checks, sizes):
            continue
        layout = Layout(program, checked_sizes(program, sizes))
        for drawn in DRAWS:
            values = draw(program, sizes, drawn, rng)
            try:
                found = evaluate(program, values, sizes, outputs=wanted, layout=layout).values
            except ProgramError as error:  # such as a range that these sizes make too long
                reason = error.message
                break
            infinite = [name for name in wanted if not np.all(np.isfinite(found[name]))]
            if not infinite:
                return Instance(name, sizes, values, drawn, layout)
            worst = infinite[0]
            odd = found[worst][~np.isfinite(found[worst])].flat[0]
            reason = f"the loss is {float(odd)} at every input drawn"
            if worst != "loss":
                reason = f"{worst} holds {float(odd)} at every input drawn"
    raise NoInstance(reason)


def fits(program: Program, checks: Sequence[Size], sizes: Mapping[str, int]) -> bool:
    """Whether every axis and range has at least one place."""
    lengths = [size for tensor in program.tensors for size in tensor.shape]
    counts = [r.count for equation in program.equations for r in equation.box]
    return all(s.evaluate(sizes) >= 0 for s in checks) and all(
        s.evaluate(sizes) >= 1 for s in (*lengths, *counts)
    )


def draw(
    program: Program, sizes: Mapping[str, int], drawn: str, rng: np.random.Generator
) -> Mapping[str, Array]:
    """Inputs for every declared tensor; a default is taken as it is."""
    found: dict[str, Array] = {}
    for tensor in program.tensors:
        if tensor.role == "computed":
            continue
        if tensor.default is not None:
            found[tensor.name] = np.asarray(float(tensor.default))
            continue
        shape = shape_of(tensor, sizes)
        if tensor.kind == "bool":
            found[tensor.name] = np.asarray(rng.permutation(np.arange(_count(shape)) % 2 == 0))
            found[tensor.name] = found[tensor.name].reshape(shape)
        elif tensor.kind == "int":
            found[tensor.name] = np.asarray(rng.integers(0, below(tensor, program, sizes), shape))
        else:
            inside = (
                tensor.positive
                or drawn == DRAWS[2]
                or (drawn == DRAWS[1] and tensor.role == "data")
            )
            found[tensor.name] = _reals(tensor, shape, inside, rng)
    return found


def shape_of(tensor: Tensor, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(size.evaluate(sizes) for size in tensor.shape)


def _reals(tensor: Tensor, shape: tuple[int, ...], inside: bool, rng: np.random.Generator) -> Array:
    """Normal, weights scaled by all axes but the first; or between 0.1 and 0.9."""
    if inside:
        return np.asarray(rng.uniform(0.1, 0.9, shape))
    scale = _count(shape[1:]) ** -0.5 if tensor.role == "param" and len(shape) > 1 else 0.7
    return np.asarray(rng.normal(0.0, scale, shape))


def _count(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=int))


def below(tensor: Tensor, program: Program, sizes: Mapping[str, int]) -> int:
    """What whole numbers are below: their bound, and the axes that they are subscripts of."""
    limits = [tensor.below.evaluate(sizes)] if tensor.below is not None else []
    for equation in program.equations:
        for access in (*equation.reads, equation.target):
            if not access.padded:
                lengths = shape_of(program.tensor_of[access.tensor], sizes)
                pairs = zip(access.subscripts, lengths, strict=False)
                limits += [n for s, n in pairs if isinstance(s, Access) and s.tensor == tensor.name]
    return min(limits, default=5)
