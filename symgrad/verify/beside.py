"""A file that is not what symgrad emits from its SPEC, run beside what is.

An oracle affords few inputs, and calling the emitted module costs nothing: so both are called where
a hand is likely to slip, with one sample and with a thousand, all masks off and all on, numbers
that overflow and zeros. A pass still needs the oracle; here a file can only fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from symgrad.algebra.program import Program
from symgrad.algebra.sizes import Size
from symgrad.verify.arithmetic import FLOAT64, Array
from symgrad.verify.cases import OWN_EFFORT, Case, Target
from symgrad.verify.factored import work
from symgrad.verify.inputs import checked_sizes
from symgrad.verify.instance import (
    MANY,
    Instance,
    NoInstance,
    batch_of,
    below,
    draw,
    fits,
    small_instance,
)
from symgrad.verify.points import Layout
from symgrad.verify.subject import Answer, Request, Subject
from symgrad.verify.verdict import Conduct, Verdict

CLAIM = "it computes what symgrad emits from its SPEC"
NEAR = 1e-7
"""How far an entry may be off, as a part of the largest of all blocks, where contributions cancel,
and beyond what rounding of the inputs does to it. What is wrong by less, the oracle sees."""
NOTHING = 1e-12
COST = 3_000_000  # box points of one call
NUDGE, NUDGES = 2.0**-50, 3
MOVED = 100
Values = Mapping[str, Array]


def _scaled(
    data: float, params: float = 1.0
) -> Callable[[Program, Mapping[str, int], Values], Values]:
    """Real arrays, so many times as large."""

    def change(program: Program, sizes: Mapping[str, int], values: Values) -> Values:
        by = {"data": data, "param": params}
        real = [t for t in program.tensors if t.name in values and t.kind == "real" and t.shape]
        times = {t.name: abs(by[t.role]) or 1.0 if t.positive else by[t.role] for t in real}
        return {n: a * times[n] if n in times else a for n, a in values.items()}

    return change


def _extreme(last: bool) -> Callable[[Program, Mapping[str, int], Values], Values]:
    """Every mask off and every index 0, or on and the last; and defaults that are overridden."""

    def change(program: Program, sizes: Mapping[str, int], values: Values) -> Values:
        found = dict(values)
        for tensor in program.tensors:
            name = tensor.name
            if name in values and tensor.kind == "bool":
                found[name] = np.full_like(values[name], last)
            elif name in values and tensor.kind == "int":
                highest = below(tensor, program, sizes) - 1
                found[name] = np.full_like(values[name], highest if last else 0)
            elif name in values and tensor.default is not None:
                found[name] = np.asarray(values[name] * (1.25 if last else 0.75))
        return found

    return change


def _unbiased(program: Program, sizes: Mapping[str, int], values: Values) -> Values:
    """Biases 0, and the first half of all samples, as where training begins."""
    found = dict(values)
    for tensor in program.tensors:
        if tensor.name in values and tensor.kind == "real" and not tensor.positive and tensor.shape:
            short = tensor.role == "param" and len(tensor.shape) == 1
            array = found[tensor.name] = values[tensor.name].copy()
            if short or tensor.role == "data":
                array[: len(array) if short else (len(array) + 1) // 2] = 0.0
    return found


SIZES = {
    "one sample": (1,),
    "two samples": (2,),
    "1,030 samples": (1030,),
    "all sizes 1": (1, 1),
    "all sizes 40": (40, 40),
}
"""Of the batch; and of all else that has a name, where it is not as small as it can be."""
CHANGES = {
    "all masks off, indices 0, defaults overridden": _extreme(last=False),
    "all masks on, the last indices, defaults overridden": _extreme(last=True),
    "data 100 times as large": _scaled(1e2),
    "data -10,000 times as large": _scaled(-1e4),
    "parameters 30 times as large": _scaled(1.0, 30.0),
    "parameters -1,000 times as large": _scaled(1.0, -1e3),
    "numbers of 1e-5": _scaled(1e-5, 1e-5),
    "data 0": _scaled(0.0),
    "parameters 0": _scaled(1.0, 0.0),
    "biases and half the samples 0": _unbiased,
}


def beside(
    targets: Sequence[Target], checks: Sequence[Size], subject: Subject, emitted: Subject, seed: int
) -> Iterator[Conduct]:
    """Whether both give the same numbers, target by target.

    Products are left to the oracle: their terms cancel, and far out rounding is all that is left.
    """
    for target in (one for one in targets if not one.product):
        found = list(_instances(target, checks, seed))
        asked = [_asked(target, one, seed) for one in found]
        near = [_asked(target, _nudged(one, k), seed) for one in found for k in range(NUDGES)]
        answers = subject.answers(asked) if asked else ()
        expected = emitted.answers([*asked, *near]) if asked else ()
        wrong = doubt = ""
        for k, (one, answer) in enumerate(zip(found, answers, strict=True)):
            start = len(found) + NUDGES * k
            apart = _apart(answer, expected[k], expected[start : start + NUDGES])
            wrong = wrong or (apart and f"{one.name}: {apart}")
            doubt = doubt or (expected[k].error and f"{one.name}: {expected[k].error}")
        if found:
            verdict: Verdict = "FAIL" if wrong else "INCONCLUSIVE" if doubt else "PASS"
            yield Conduct(target.label, CLAIM, verdict, wrong or doubt)


def _asked(target: Target, instance: Instance, seed: int) -> Request:
    return replace(Case(target, instance, FLOAT64, OWN_EFFORT, seed).request, plain=True)


def _instances(target: Target, checks: Sequence[Size], seed: int) -> Iterator[Instance]:
    """The small instance with other numbers of samples, and with other inputs."""
    program = target.program
    try:
        small = small_instance(program, target.outputs, checks, seed)
    except NoInstance:
        return
    rng, batch = np.random.default_rng([seed, 8]), batch_of(program)

    def of(name: str, samples: int, others: int = 0) -> Instance | None:
        sizes = {n: others or old for n, old in small.sizes.items()}
        sizes |= {batch: samples} if batch else {}
        if not fits(program, checks, sizes) or work(program, sizes) > COST:
            return None
        layout = Layout(program, checked_sizes(program, sizes))
        return Instance(name, sizes, draw(program, sizes, small.drawn, rng), small.drawn, layout)

    yield from filter(None, (of(name, *sizes) for name, sizes in SIZES.items()))
    base = of("", MANY) or small
    for name, change in CHANGES.items():
        yield replace(base, name=name, values=change(program, base.sizes, base.values))


def _nudged(instance: Instance, seed: int) -> Instance:
    """Every real number off by a few units of rounding."""
    rng, found = np.random.default_rng([seed, 9]), dict(instance.values)
    for name, array in found.items():
        if array.dtype.kind == "f":
            found[name] = np.asarray(array * (1 + NUDGE * rng.choice([-1.0, 1.0], array.shape)))
    return replace(instance, values=found)


def _apart(answer: Answer, expected: Answer, near: Sequence[Answer]) -> str:
    """The first number that is not the expected one, where rounding does not decide what it is."""
    if expected.error:
        return ""
    if answer.error:
        return answer.error
    came, wanted = ({**a.outputs, **a.gradients} for a in (answer, expected))
    others = [{**a.outputs, **a.gradients} for a in near]
    with np.errstate(all="ignore"):
        largest = max((_size(array) for array in wanted.values()), default=0.0)
        for name, array in wanted.items():
            what = "the gradient by " * (name in expected.gradients) + name
            if came[name].shape != array.shape:
                return f"{what} has shape {came[name].shape}, expected {array.shape}"
            moved = [abs(other[name] - array) if name in other else np.inf for other in others]
            by = float(np.max(moved, initial=0.0, where=np.isfinite(array)))
            bound = NEAR * largest + NOTHING + MOVED * by
            wrong = np.isfinite(array) & ~(abs(came[name] - array) <= bound)
            if wrong.any():
                at = tuple(int(i) for i in np.argwhere(wrong)[0])
                place = f"{what}{list(at)}" if at else what
                return f"{place} is {came[name][at]}, expected {array[at]}"
    return ""


def _size(array: Array) -> float:
    """The largest number of an array."""
    return float(np.abs(array[np.isfinite(array)]).max(initial=0.0))
